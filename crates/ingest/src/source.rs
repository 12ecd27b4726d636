//! Bytes on their way to the desk: small ones in memory, large ones in a file that the store has staged.

use daylight_model::{Digest, Hasher};
use daylight_sandbox::ItemInput;
use daylight_store::{Error, LargeBlob, Staged, Staging};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What is larger is staged in a file rather than held in memory.
pub(crate) const IN_MEMORY: u64 = 8 << 20;

/// The bytes of a root file, read once: what is hashed is what is read and what is stored, even if the trove changes meanwhile.
pub(crate) enum Source {
    Memory { bytes: Vec<u8>, digest: Digest },
    Staged(Staged),
}

impl Source {
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
        large.seal().map(Self::Staged).map_err(ReadError::Desk)
    }

    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Memory { digest, .. } => *digest,
            Self::Staged(staged) => staged.digest(),
        }
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Memory { bytes, .. } => bytes.len() as u64,
            Self::Staged(staged) => staged.length(),
        }
    }

    /// How a worker is given it.
    pub(crate) fn input(&self) -> ItemInput<'_> {
        match self {
            Self::Memory { bytes, .. } => ItemInput::Bytes(bytes),
            Self::Staged(staged) => ItemInput::File(staged.file()),
        }
    }

    pub(crate) fn digest_at(&self, offset: u64, length: u64) -> Result<Digest, Error> {
        match self {
            Self::Memory { bytes, .. } => Ok(digest_in(bytes, offset, length)),
            Self::Staged(staged) => digest_of_file(staged.file(), offset, length),
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
fn desk_error(error: io::Error) -> Error {
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

    /// Takes more of them, in memory if there is room for them and they are few.
    pub(crate) fn push(&mut self, more: &[u8], room: bool, staging: &Staging) -> Result<(), Error> {
        match self {
            Self::Memory(bytes) if room && bytes.len() as u64 + more.len() as u64 <= IN_MEMORY => {
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
            Self::Staged(staged) => digest_of_file(staged.file(), offset, length),
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
