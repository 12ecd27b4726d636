//! An export as one file: tar (POSIX.1-2017, "ustar", with a pax record where a file is too long for it). The same archive gives the same bytes.

use super::content::{BUFFER, Content, fill};
use super::error::{ExportError, Result};
use super::folder::{copy, forget_cached};
use super::sink::{Sink, is_portable};
use daylight_durable::{crash_point, sync_dir};
use daylight_model::{Digest, Hasher};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The folder in which everything stands when it is unpacked.
const FOLDER: &str = "daylight/";

/// The time of every file, 1980-01-01T00:00:00Z, as in the archive's volumes.
const TIME: u64 = 315_532_800;

/// What a file is padded to.
const BLOCK: u64 = 512;

/// The longest file whose length fits into eleven octal digits.
const OCTAL_LIMIT: u64 = (1 << 33) - 1;

/// The file that is written to: under another name until it is whole.
pub(super) struct Tar {
    path: PathBuf,
    beside: PathBuf,
    out: Resumed,
    files: u64,
}

impl Tar {
    /// Begins the file at `path`, or goes on with what an interrupted run left of it.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let name = path.file_name().ok_or_else(|| ExportError::place(path, "names no file"))?.to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.tmp"));
        let out = Resumed::open(&beside).map_err(ExportError::io(&beside))?;
        Ok(Self { path: path.to_owned(), beside, out, files: 0 })
    }

    /// Ends the file, reads it back, and gives it its name.
    pub(super) fn finish(mut self) -> Result<(u64, u64)> {
        let (files, beside) = (self.files, self.beside);
        self.out.write_all(&[0; 2 * BLOCK as usize]).map_err(ExportError::io(&beside))?;
        let (length, digest) = self.out.finish().map_err(ExportError::io(&beside))?;
        // A crash here leaves a whole file under its temporary name; the next run reads through it and renames it.
        crash_point("export.tar-written");
        forget_cached(&beside);
        if read_back(&beside).map_err(ExportError::io(&beside))? != digest {
            let (path, what) = (beside.display().to_string(), "its bytes are not those that were written".into());
            return Err(ExportError::Unreliable { path, what });
        }
        fs::rename(&beside, &self.path).map_err(ExportError::io(&self.path))?;
        crash_point("export.tar-renamed");
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_dir(folder).map_err(ExportError::io(folder))?;
        Ok((files, length))
    }
}

impl Sink for Tar {
    fn put(&mut self, path: &str, content: &Content, tick: &mut dyn FnMut(u64)) -> Result<Digest> {
        let name = format!("{FOLDER}{path}");
        let length = content.length();
        let header = header(&name, length).filter(|_| is_portable(path));
        let header = header.ok_or_else(|| ExportError::place(&self.path, format!("{path} is not a name that a tar file can hold")))?;
        self.out.write_all(&header).map_err(ExportError::io(&self.beside))?;
        let digest = copy(&self.beside, content, &mut self.out, tick)?;
        let padding = length.next_multiple_of(BLOCK) - length;
        self.out.write_all(&[0; BLOCK as usize][..padding as usize]).map_err(ExportError::io(&self.beside))?;
        self.files += 1;
        // A crash here leaves the beginning of the file under its temporary name; the next run reads through it and goes on.
        crash_point("export.tar-member");
        Ok(digest)
    }

    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    fn written(&self) -> (u64, u64) {
        (self.files, self.out.position)
    }
}

/// The blocks before a file; `None` where its name does not fit.
fn header(name: &str, length: u64) -> Option<Vec<u8>> {
    let mut blocks = Vec::new();
    if length > OCTAL_LIMIT {
        let record = pax_record("size", &length.to_string());
        blocks.extend(block(&format!("{FOLDER}pax"), record.len() as u64, b'x')?);
        blocks.extend(record.as_bytes());
        blocks.resize(blocks.len().next_multiple_of(BLOCK as usize), 0);
    }
    blocks.extend(block(name, length.min(OCTAL_LIMIT), b'0')?);
    Some(blocks)
}

/// `LENGTH KEY=VALUE\n`, whose length counts itself.
fn pax_record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

fn block(name: &str, length: u64, kind: u8) -> Option<[u8; BLOCK as usize]> {
    let (prefix, name) = if name.len() <= 100 {
        ("", name)
    } else {
        let cut = name.char_indices().filter(|(at, c)| *c == '/' && name.len() - at - 1 <= 100).map(|(at, _)| at).next()?;
        (&name[..cut], &name[cut + 1..])
    };
    if prefix.len() > 155 || !name.is_ascii() {
        return None;
    }
    let mut block = [0; BLOCK as usize];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{length:011o}\0"));
    put(136, &format!("{TIME:011o}\0"));
    put(148, "        ");
    put(156, std::str::from_utf8(&[kind]).ok()?);
    put(257, "ustar\x0000");
    put(329, "0000000\0");
    put(337, "0000000\0");
    put(345, prefix);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

/// Writes a file whose beginning may be there already: as long as that has the same bytes it is only read, and from the first difference on it is
/// written. What is made here has the same bytes at every run, so a run that was killed goes on where it was.
struct Resumed {
    file: File,
    position: u64,
    /// How many bytes are there that were not compared yet.
    left: u64,
    hasher: Hasher,
    buffer: Vec<u8>,
}

impl Resumed {
    fn open(path: &Path) -> io::Result<Self> {
        // A link or special file of that name must not be written through.
        if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
            fs::remove_file(path)?;
        }
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another export is writing it"));
        }
        let left = file.metadata()?.len();
        Ok(Self { file, position: 0, left, hasher: Hasher::default(), buffer: vec![0; BUFFER] })
    }

    fn finish(mut self) -> io::Result<(u64, Digest)> {
        self.cut()?;
        self.file.sync_all()?;
        Ok((self.position, self.hasher.finish()))
    }

    /// How many of these bytes are there already; from the first difference on there are none.
    fn compare(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(BUFFER).min(usize::try_from(self.left).unwrap_or(BUFFER));
        let read = fill(&mut self.file, &mut self.buffer[..length])?;
        if self.buffer[..read] != bytes[..length] {
            self.cut()?;
            return Ok(0);
        }
        self.left -= length as u64;
        Ok(length)
    }

    /// From here on everything is written.
    fn cut(&mut self) -> io::Result<()> {
        if self.left > 0 {
            self.left = 0;
            self.file.set_len(self.position)?;
        }
        self.file.seek(SeekFrom::Start(self.position)).map(|_| ())
    }
}

impl Write for Resumed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let compared = self.compare(bytes)?;
        let taken = if compared > 0 { compared } else { self.file.write(bytes)? };
        self.hasher.update(&bytes[..taken]);
        self.position += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn read_back(path: &Path) -> io::Result<Digest> {
    let (mut file, mut hasher, mut buffer) = (File::open(path)?, Hasher::default(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_octal_digits_cannot_hold_is_in_a_record_that_counts_itself() {
        assert_eq!(pax_record("size", "8589934592"), "19 size=8589934592\n");
        assert_eq!(pax_record("k", "v"), "6 k=v\n");
        assert_eq!(pax_record("key", "123"), "11 key=123\n");
        let [small, large] = [OCTAL_LIMIT, OCTAL_LIMIT + 1].map(|length| header("daylight/a", length).unwrap());
        assert_eq!((small.len(), large.len()), (512, 1536));
        assert_eq!((small[156], large[156], large[512 + 512 + 156]), (b'0', b'x', b'0'));
        assert!(header(&"x".repeat(300), 1).is_none());
        let long = format!("{}/{}", "a".repeat(60), "b".repeat(90));
        assert_eq!(header(&long, 1).unwrap()[345..405], *"a".repeat(60).as_bytes());
    }

    #[test]
    fn what_is_there_is_kept_as_far_as_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for there in ["", "hel", "hello world", "hexxo world and more", "hello world and more"] {
            fs::write(&path, there).unwrap();
            let mut out = Resumed::open(&path).unwrap();
            assert!(Resumed::open(&path).is_err(), "two write it at once");
            for part in ["he", "llo", " ", "world"] {
                out.write_all(part.as_bytes()).unwrap();
            }
            assert_eq!(out.finish().unwrap(), (11, Digest::of(b"hello world")));
            assert_eq!(fs::read(&path).unwrap(), b"hello world", "{there:?}");
        }
    }
}
