//! The tar file inside a sealed release (POSIX.1-1988, "ustar"), in the one form that is written here: regular files, mode 644, no owner, no time.
//! `tar` reads it. What is read must be what would be written, to the last byte, so a name can lead nowhere but where an archive has its files.

use std::io::{self, Read, Write};

/// The length of a header, and what the bytes of a file are filled up to.
const BLOCK: usize = 512;
/// The largest length that fits into eleven octal digits; a longer one is written in binary, as GNU tar does.
const MOST_OCTAL: u64 = (1 << 33) - 1;

/// A file in the tar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path, with slashes.
    pub(crate) path: String,
    /// How many bytes it has.
    pub(crate) length: u64,
}

impl Entry {
    /// `None` if the path is not of the form that is written: at most 100 of `a-z`, `0-9`, `.` and `/`, no part of it empty or beginning with a dot.
    pub(crate) fn new(path: &str, length: u64) -> Option<Self> {
        let plain = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.')
        };
        (path.len() <= 100 && path.split('/').all(plain)).then(|| Self { path: path.to_owned(), length })
    }

    fn header(&self) -> [u8; BLOCK] {
        let mut header = [0; BLOCK];
        header[..self.path.len()].copy_from_slice(self.path.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        if self.length <= MOST_OCTAL {
            header[124..136].copy_from_slice(format!("{:011o}\0", self.length).as_bytes());
        } else {
            header[124] = 0x80;
            header[128..136].copy_from_slice(&self.length.to_be_bytes());
        }
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    }

    fn parse(header: &[u8; BLOCK]) -> Option<Self> {
        let path = std::str::from_utf8(header[..100].split(|byte| *byte == 0).next()?).ok()?;
        let length = match header[124] {
            0x80 => u64::from_be_bytes(header[128..136].try_into().ok()?),
            _ => u64::from_str_radix(std::str::from_utf8(&header[124..135]).ok()?, 8).ok()?,
        };
        Self::new(path, length).filter(|entry| entry.header() == *header)
    }

    fn fill(&self) -> usize {
        ((BLOCK as u64 - self.length % BLOCK as u64) % BLOCK as u64) as usize
    }
}

/// Writes a file into a tar file. Errors: `bytes` has fewer or more than were announced.
pub(crate) fn append(out: &mut dyn Write, entry: &Entry, bytes: &mut dyn Read) -> io::Result<()> {
    out.write_all(&entry.header())?;
    let copied = io::copy(&mut bytes.take(entry.length), out)?;
    if copied != entry.length || bytes.read(&mut [0])? != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} changed while it was sealed", entry.path)));
    }
    out.write_all(&[0; BLOCK][..entry.fill()])
}

/// What ends a tar file. More zeros may follow.
pub(crate) fn end(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// Reads a tar file.
pub(crate) struct Reader<R> {
    input: R,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input }
    }

    /// The next file; [`Reader::copy`] its bytes before the next one is asked for. At the end, `None`, once everything that follows was read and
    /// is zero.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut header = [0; BLOCK];
        self.input.read_exact(&mut header)?;
        if header == [0; BLOCK] {
            self.expect_zeros()?;
            return Ok(None);
        }
        Entry::parse(&header).map(Some).ok_or_else(|| invalid("it is not the tar file of a sealed release"))
    }

    /// Copies the bytes of the file that [`Reader::next`] gave.
    pub(crate) fn copy(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
        if io::copy(&mut (&mut self.input).take(entry.length), out)? != entry.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut fill = [0; BLOCK];
        let fill = &mut fill[..entry.fill()];
        self.input.read_exact(fill)?;
        if fill.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(invalid("there are bytes between the files of the sealed release")) }
    }

    fn expect_zeros(&mut self) -> io::Result<()> {
        let (mut buffer, mut found) = (vec![0; 64 << 10], BLOCK);
        loop {
            let read = match self.input.read(&mut buffer) {
                Ok(0) if found >= 2 * BLOCK => return Ok(()),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer[..read].iter().any(|byte| *byte != 0) {
                return Err(invalid("there are bytes after the files of the sealed release"));
            }
            found = found.saturating_add(read);
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (path, bytes) in files {
            append(&mut out, &Entry::new(path, bytes.len() as u64).unwrap(), &mut &**bytes).unwrap();
        }
        end(&mut out).unwrap();
        out
    }

    fn read(tar: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
        let (mut reader, mut files) = (Reader::new(tar), Vec::new());
        while let Some(entry) = reader.next()? {
            let mut bytes = Vec::new();
            reader.copy(&entry, &mut bytes)?;
            files.push((entry.path, bytes));
        }
        Ok(files)
    }

    #[test]
    fn files_come_out_as_they_went_in() {
        let long = vec![7; 1000];
        let files = [("seal", b"a note".as_slice()), ("archive/tile/0/000.p/2", &[]), ("archive/release/1/volume/0.zip", &long)];
        let mut tar = written(&files);
        assert_eq!(tar.len() % BLOCK, 0);
        let expected = files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec()));
        assert_eq!(read(&tar).unwrap(), expected);
        tar.extend([0; 5000]);
        assert_eq!(read(&tar).unwrap(), expected);
    }

    #[test]
    fn nothing_else_is_read() {
        let tar = written(&[("seal", b"a note"), ("archive/checkpoint", b"x")]);
        for cut in 0..tar.len() {
            assert!(read(&tar[..cut]).is_err(), "cut at {cut}");
        }
        for place in 0..tar.len() {
            let mut changed = tar.clone();
            changed[place] ^= 1;
            let same = read(&changed).is_ok_and(|files| files.iter().map(|(path, _)| path.as_str()).eq(["seal", "archive/checkpoint"]));
            // The bytes of the files themselves are for others to check.
            let in_a_file = (512..518).contains(&place) || place == 1536;
            assert_eq!(same, in_a_file, "byte {place}");
        }
        assert!(read(&[tar.as_slice(), &[0; 100], b"x"].concat()).is_err());
    }

    #[test]
    fn no_name_leads_elsewhere() {
        for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".x", "a/.x", "A", "a b", "ä", "a\\b", &"a".repeat(101)] {
            assert_eq!(Entry::new(path, 1), None, "{path}");
        }
    }

    #[test]
    fn a_length_beyond_eight_gibibytes_is_written_and_read() {
        let entry = Entry::new("archive/release/1/volume/0.zip", 9 << 30).unwrap();
        assert_eq!(Entry::parse(&entry.header()), Some(entry));
    }

    #[test]
    fn a_file_that_changes_while_it_is_sealed_is_noticed() {
        let entry = Entry::new("seal", 3).unwrap();
        assert!(append(&mut Vec::new(), &entry, &mut b"ab".as_slice()).is_err());
        assert!(append(&mut Vec::new(), &entry, &mut b"abcd".as_slice()).is_err());
    }
}
