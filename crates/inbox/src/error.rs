use crate::tpm::TpmError;
use daylight_durable::LockError;
use std::io;
use std::path::{Path, PathBuf};

/// Why something about the inbox could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the inbox that is not as it was written.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What of it.
        what: String,
    },
    /// Somebody else works on the inbox.
    #[error("the inbox: {0}")]
    Lock(#[from] LockError),
    /// The database.
    #[error("the inbox's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    NoRandomness(String),
    /// What was asked for cannot be done, in words.
    #[error("{0}")]
    Refused(String),
    /// The drop, or the stick, could not be used.
    #[error("the drop: {0}")]
    Carrier(String),
    /// The machine's TPM.
    #[error(transparent)]
    Tpm(#[from] TpmError),
    /// The TPM, which is needed here.
    #[error("this desk's keys are sealed under keys in a TPM: {0}")]
    Sealed(#[source] TpmError),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] daylight_archive::DirectoryError),
}

/// What comes of work on the inbox.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of the file system at `path`, for `map_err`.
    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.as_ref().to_owned(), source }
    }

    pub(crate) fn damaged(path: impl AsRef<Path>, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.as_ref().to_owned(), what: what.into() }
    }
}

/// Fills a buffer with the operating system's randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::NoRandomness(error.to_string()))?;
    Ok(bytes)
}
