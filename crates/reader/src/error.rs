use daylight_archive::ArchiveError;
use daylight_index::IndexError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a site cannot be made from an archive.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The index of the cache cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file of the cache cannot be read or written.
    #[error("the cache at {0} cannot be used: {1}")]
    Cache(PathBuf, io::Error),
    /// The cache was to be put into the archive.
    #[error("the cache at {0} lies in the archive; name a folder outside of it")]
    CacheInArchive(PathBuf),
    /// Neither `$XDG_CACHE_HOME` nor `$HOME` is set.
    #[error("there is no folder for the cache, as neither XDG_CACHE_HOME nor HOME is set; name one with --cache")]
    NoCache,
    /// The address cannot be listened at.
    #[error("cannot listen at {0}: {1}")]
    Listen(std::net::SocketAddr, io::Error),
    /// The server cannot run.
    #[error("the server cannot run: {0}")]
    Run(io::Error),
}

impl ReaderError {
    pub(crate) fn cache(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self::Cache(path, error)
    }
}
