//! Bytes on their way to the desk: small ones in memory, large ones in a file that the store has staged.

use daylight_model::{Digest, Hasher};
use daylight_sandbox::{ItemInput, ToolInput};
use daylight_store::{Desk, Document, Error, LargeBlob, Staged, Staging};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What is larger is staged in a file rather than held in memory.
pub(crate) const IN_MEMORY: u64 = 8 << 20;

/// The bytes of a root file, read once: what is hashed is what is read and what is stored, even if the trove changes meanwhile.
pub(crate) enum Source {
    Memory {
        bytes: Vec<u8>,
        digest: Digest,
    },
    Staged(Staged, File),
    /// A file of the desk itself.
    Stored {
        file: File,
        digest: Digest,
        length: u64,
    },
}

impl Source {
    /// A stored document's own bytes, checked against their digest.
    pub(crate) fn stored(desk: &Desk, document: &Document, staging: &Staging) -> Result<Self, Error> {
        let seq = document.seq;
        let digest = document.blob.ok_or(Error::NoBytes(seq))?;
        if document.length <= IN_MEMORY {
            return Ok(Self::Memory { bytes: desk.raw_bytes(seq)?, digest });
        }
        let damaged = |error: io::Error| Error::Damaged { place: format!("the bytes with the digest {digest}"), what: error.to_string() };
        let mut bytes = desk.raw(seq)?;
        if let Some(file) = desk.raw_file(seq)? {
            io::copy(&mut bytes, &mut io::sink()).map_err(damaged)?;
            return Ok(Self::Stored { file, digest, length: document.length });
        }
        let mut large = staging.begin()?;
        let mut piece = vec![0; 1 << 20];
        loop {
            match bytes.read(&mut piece).map_err(damaged)? {
                0 => break,
                count => large.write_all(&piece[..count]).map_err(desk_error)?,
            }
        }
        Self::staged(large)
    }

    /// What was put aside, with a way to read it.
    fn staged(large: LargeBlob) -> Result<Self, Error> {
        let staged = large.seal()?;
        let file = staged.open()?;
        Ok(Self::Staged(staged, file))
    }

    /// Reads a file. `size` is only a hint of what to expect.
    pub(crate) fn read(path: &Path, size: u64, staging: &Staging, on_bytes: &dyn Fn(u64)) -> Result<Self, ReadError> {
        let mut file = File::open(path).map_err(ReadError::Trove)?;
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(IN_MEMORY)).unwrap_or(0) + 1);
        (&mut file).take(IN_MEMORY + 1).read_to_end(&mut bytes).map_err(ReadError::Trove)?;
        on_bytes(bytes.len() as u64);
        if bytes.len() as u64 <= IN_MEMORY {
            let digest = Digest::of(&bytes);
            return Ok(Self::Memory { bytes, digest });
        }
        let mut large = staging.begin().map_err(ReadError::Desk)?;
        large.write_all(&bytes).map_err(on_desk)?;
        bytes.resize(1 << 20, 0);
        loop {
            let count = match file.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ReadError::Trove(error)),
            };
            large.write_all(&bytes[..count]).map_err(on_desk)?;
            on_bytes(count as u64);
        }
        Self::staged(large).map_err(ReadError::Desk)
    }

    /// How many bytes it holds in memory.
    pub(crate) fn in_memory(&self) -> u64 {
        if let Self::Memory { bytes, .. } = self { bytes.len() as u64 } else { 0 }
    }

    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Memory { digest, .. } | Self::Stored { digest, .. } => *digest,
            Self::Staged(staged, _) => staged.digest(),
        }
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Memory { bytes, .. } => bytes.len() as u64,
            Self::Staged(staged, _) => staged.length(),
            Self::Stored { length, .. } => *length,
        }
    }

    /// How a worker is given it.
    pub(crate) fn input(&self) -> ItemInput<'_> {
        match self {
            Self::Memory { bytes, .. } => ItemInput::Bytes(bytes),
            Self::Staged(_, file) | Self::Stored { file, .. } => ItemInput::File(file),
        }
    }

    /// How a program of the system is given it.
    pub(crate) fn tool_input(&self) -> ToolInput<'_> {
        match self {
            Self::Memory { bytes, .. } => ToolInput::Bytes(bytes),
            Self::Staged(_, file) | Self::Stored { file, .. } => ToolInput::File(file),
        }
    }

    /// Adds all of it to what is put aside.
    pub(crate) fn copy_to(&self, aside: &mut File) -> Result<(), Error> {
        let file = match self {
            Self::Memory { bytes, .. } => return aside.write_all(bytes).map_err(desk_error),
            Self::Staged(_, file) | Self::Stored { file, .. } => file,
        };
        let mut piece = vec![0; 1 << 20];
        let mut at = 0;
        loop {
            let count = file.read_at(&mut piece, at).map_err(desk_error)?;
            if count == 0 {
                return Ok(());
            }
            aside.write_all(&piece[..count]).map_err(desk_error)?;
            at += count as u64;
        }
    }

    pub(crate) fn digest_at(&self, offset: u64, length: u64) -> Result<Digest, Error> {
        match self {
            Self::Memory { bytes, .. } => Ok(digest_in(bytes, offset, length)),
            Self::Staged(_, file) | Self::Stored { file, .. } => digest_of_file(file, offset, length),
        }
    }
}

/// Why a root file could not be read: the trove's fault is noted and the ingest goes on, the desk's ends it.
pub(crate) enum ReadError {
    Trove(io::Error),
    Desk(Error),
}

fn on_desk(error: io::Error) -> ReadError {
    ReadError::Desk(desk_error(error))
}

/// An error while bytes are put aside on the desk: a full disk, most often.
pub(crate) fn desk_error(error: io::Error) -> Error {
    Error::Refused(format!("the desk cannot take more bytes: {error}; make room and ingest again, it goes on where it was"))
}

/// The bytes of a document that stands nowhere verbatim, such as a decoded attachment, as they arrive.
pub(crate) enum Held {
    Memory(Vec<u8>),
    Arriving(LargeBlob),
    Staged(Staged),
    /// While it changes from one to the other; after an error of the disk.
    Nothing,
}

impl Held {
    pub(crate) fn new() -> Self {
        Self::Memory(Vec::new())
    }

    /// How many bytes it holds in memory.
    pub(crate) fn in_memory(&self) -> u64 {
        if let Self::Memory(bytes) = self { bytes.len() as u64 } else { 0 }
    }

    /// Adds bytes, of which at most `most` are held in memory.
    pub(crate) fn push(&mut self, more: &[u8], most: u64, staging: &Staging) -> Result<(), Error> {
        match self {
            Self::Memory(bytes) if more.len() as u64 <= most && bytes.len() as u64 + more.len() as u64 <= IN_MEMORY => {
                bytes.extend_from_slice(more);
                Ok(())
            }
            Self::Memory(bytes) => {
                let mut large = staging.begin()?;
                large.write_all(bytes).map_err(desk_error)?;
                large.write_all(more).map_err(desk_error)?;
                *self = Self::Arriving(large);
                Ok(())
            }
            Self::Arriving(large) => large.write_all(more).map_err(desk_error),
            Self::Staged(_) | Self::Nothing => Ok(()),
        }
    }

    /// No more bytes follow. Calling it again changes nothing.
    pub(crate) fn finish(&mut self) -> Result<Digest, Error> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Memory(bytes) => {
                let digest = Digest::of(&bytes);
                *self = Self::Memory(bytes);
                Ok(digest)
            }
            Self::Arriving(large) => {
                let staged = large.seal()?;
                let digest = staged.digest();
                *self = Self::Staged(staged);
                Ok(digest)
            }
            Self::Staged(staged) => {
                let digest = staged.digest();
                *self = Self::Staged(staged);
                Ok(digest)
            }
            Self::Nothing => Ok(Digest::of(b"")),
        }
    }

    pub(crate) fn digest_at(&self, offset: u64, length: u64) -> Result<Digest, Error> {
        match self {
            Self::Memory(bytes) => Ok(digest_in(bytes, offset, length)),
            Self::Staged(staged) => digest_of_file(&staged.open()?, offset, length),
            Self::Arriving(_) | Self::Nothing => Ok(Digest::of(b"")),
        }
    }
}

/// The ranges were checked against the documents' lengths before; a range that is outside all the same has the digest of what is there.
fn digest_in(bytes: &[u8], offset: u64, length: u64) -> Digest {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let end = usize::try_from(offset.saturating_add(length)).unwrap_or(usize::MAX).min(bytes.len());
    Digest::of(&bytes[start..end])
}

fn digest_of_file(file: &File, mut offset: u64, length: u64) -> Result<Digest, Error> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; usize::try_from(length.min(1 << 20)).unwrap_or(1 << 20)];
    let end = offset.saturating_add(length);
    while offset < end {
        let wanted = usize::try_from((end - offset).min(1 << 20)).unwrap_or(1 << 20);
        file.read_exact_at(&mut buffer[..wanted], offset).map_err(desk_error)?;
        hasher.update(&buffer[..wanted]);
        offset += wanted as u64;
    }
    Ok(hasher.finish())
}
