//! age v1 files (c2sp.org/age): a header with stanzas that wrap the file's key for whoever may open it, then the bytes in chunks of 64 KiB, each
//! sealed with ChaCha20-Poly1305, the last one marked as such.

use std::io::{self, BufRead, Chain, Cursor, Read, Write};

/// The longest header that is read, in bytes. One with sixteen post-quantum stanzas has 26 KiB.
const LONGEST_HEADER: u64 = 64 << 10;

/// A file being sealed: write its bytes, then [`Sealer::finish`] it. Dropped before that, what was written is a truncated file, which nobody opens.
pub struct Sealer<W: Write> {
    stream: age::stream::StreamWriter<W>,
    length: u64,
}

/// Begins a file for these recipients.
pub(crate) fn seal<W: Write>(recipients: &[&dyn age::Recipient], out: W) -> io::Result<Sealer<W>> {
    let encryptor = age::Encryptor::with_recipients(recipients.iter().copied()).map_err(io::Error::other)?;
    Ok(Sealer { stream: encryptor.wrap_output(out)?, length: 0 })
}

impl<W: Write> Sealer<W> {
    /// How many bytes were sealed so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fills up with zeros until `length` bytes are sealed; nothing is done where there are that many.
    pub fn fill_to(&mut self, length: u64) -> io::Result<()> {
        let missing = length.saturating_sub(self.length);
        io::copy(&mut io::repeat(0).take(missing), self).map(drop)
    }

    /// Writes the last chunk and gives the writer back.
    pub fn finish(self) -> io::Result<W> {
        self.stream.finish()
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an age file, or one of a version that this program does not know.
    #[error("not an age file of version 1")]
    NotAge,
    /// The beginning is not as it was written.
    #[error("its header is damaged, or was altered")]
    Header,
    /// It was sealed for others.
    #[error("the key does not open it: it belongs to another file")]
    OtherKey,
    /// Opening it takes more memory than a gibibyte.
    #[error("it asks for more work to open than any file of daylight's does")]
    TooMuchWork,
    /// It could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a sealed file holds, as it is read. Every chunk was authenticated before it is given; but only the end, `Ok(0)`, says that nothing is
/// missing. A file that was altered or cut off, at whatever place, is an error ([`io::ErrorKind::InvalidData`],
/// [`io::ErrorKind::UnexpectedEof`]).
pub struct Opener<R> {
    stream: age::stream::StreamReader<Chain<Cursor<Vec<u8>>, R>>,
    length: u64,
    failed: bool,
}

/// Opens a file with whichever of these identities fits.
pub(crate) fn open<R: BufRead>(identities: &[&dyn age::Identity], mut input: R) -> Result<Opener<R>, OpenError> {
    let header = header(&mut input)?;
    // The whole header lies in the first buffer, and is parsed once. Reading it bit by bit, the library would begin anew at each.
    let decryptor = age::Decryptor::new_buffered(Cursor::new(header).chain(input)).map_err(refused)?;
    let stream = decryptor.decrypt(identities.iter().copied()).map_err(refused)?;
    Ok(Opener { stream, length: 0, failed: false })
}

/// Reads the header's lines, the last of which begins with `---`, so that what is parsed is bounded.
fn header(input: &mut impl BufRead) -> Result<Vec<u8>, OpenError> {
    let mut header = Vec::new();
    loop {
        let begin = header.len();
        let left = LONGEST_HEADER - begin as u64;
        input.take(left).read_until(b'\n', &mut header)?;
        let line = &header[begin..];
        match () {
            () if begin == 0 && line != b"age-encryption.org/v1\n" => return Err(OpenError::NotAge),
            () if !line.ends_with(b"\n") => return Err(OpenError::Header),
            () if line.starts_with(b"---") => return Ok(header),
            () => {}
        }
    }
}

fn refused(error: age::DecryptError) -> OpenError {
    use age::DecryptError as Refused;
    match error {
        Refused::UnknownFormat => OpenError::NotAge,
        Refused::NoMatchingKeys | Refused::KeyDecryptionFailed | Refused::DecryptionFailed => OpenError::OtherKey,
        Refused::ExcessiveWork { .. } => OpenError::TooMuchWork,
        Refused::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof && error.kind() != io::ErrorKind::InvalidData => error.into(),
        _ => OpenError::Header,
    }
}

impl<R> Opener<R> {
    /// How many bytes were given so far.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let said = |kind, what| Err(io::Error::new(kind, what));
        if self.failed {
            return said(io::ErrorKind::InvalidData, "the sealed file could not be read to its end");
        }
        match self.stream.read(out) {
            Ok(read) => {
                self.length += read as u64;
                Ok(read)
            }
            Err(error) => {
                self.failed = true;
                match error.kind() {
                    io::ErrorKind::UnexpectedEof => said(error.kind(), "the sealed file is cut off: its end is missing"),
                    io::ErrorKind::InvalidData => said(error.kind(), "the sealed file is damaged, was altered or is cut off"),
                    _ => Err(error),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
