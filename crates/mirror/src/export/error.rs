use crate::words::in_words;
use daylight_archive::ArchiveError;
use std::io;
use std::path::{Path, PathBuf};

/// Why an archive was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder is no archive, or its small files are damaged.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file of the archive is not as it was published.
    #[error("nothing is exported, because the archive is not whole: {path}: {what} ({count} in all; `daylight verify` names them)")]
    Damaged {
        /// The first file that is wrong.
        path: String,
        /// What is wrong with it.
        what: String,
        /// How many files are wrong.
        count: usize,
    },
    /// The copy was read back and is not the archive.
    #[error("what was written cannot be read back: {path}: {what}; run it again, and if it fails again take another disk")]
    Unreliable {
        /// The first file that is wrong.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// Somebody is adding to the archive.
    #[error("{} is being written to; wait until that has ended", .0.display())]
    Busy(PathBuf),
    /// The archive changed while it was read.
    #[error("{0} changed while it was being copied; run it again")]
    Changed(String),
    /// The place is not one that can be exported to.
    #[error("{}: {why}", path.display())]
    Place {
        /// Where.
        path: PathBuf,
        /// Why not, and what to do.
        why: String,
    },
    /// A release cannot be made a torrent.
    #[error("release {serial} cannot be a torrent: {why}")]
    Torrent {
        /// The release.
        serial: u64,
        /// Why not.
        why: String,
    },
    /// A timestamp that lies beside the archive is none of its.
    #[error(transparent)]
    Timestamp(#[from] crate::timestamp::TimestampError),
    /// The disk or file system refused.
    #[error("{}: {}", path.display(), in_words(source))]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

pub(super) type Result<T> = std::result::Result<T, ExportError>;

impl ExportError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    pub(super) fn place(path: &Path, why: impl Into<String>) -> Self {
        Self::Place { path: path.to_owned(), why: why.into() }
    }
}
