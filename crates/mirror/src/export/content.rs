use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

/// What a file of an export is made of. It can be opened more than once: to be compared with what is there already, then to be copied.
pub(super) enum Content {
    /// A file of the archive: where it lies and how long it was when the archive was verified.
    File(PathBuf, u64),
    /// Bytes that are made here.
    Bytes(Vec<u8>),
}

impl Content {
    pub(super) fn length(&self) -> u64 {
        match self {
            Content::File(_, length) => *length,
            Content::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Opens it for reading from its beginning; no more than its length is read, however it grew since.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Content::File(path, length) => Box::new(File::open(path)?.take(*length)),
            Content::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        })
    }
}

/// How much is read at a time.
pub(super) const BUFFER: usize = 1 << 20;

/// Fills the buffer as far as the reader gives bytes.
pub(super) fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
