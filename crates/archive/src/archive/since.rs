use super::{Archive, ArchiveError};
use crate::proof::Proven;
use crate::withdrawals::Withdrawal;

/// What an archive at hand says of a document that a proof shows to have been published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since<'a> {
    /// It stands as it was published.
    Published,
    /// Another line for its number counts now.
    Replaced {
        /// The release of that line.
        serial: u64,
        /// Which line of it, from 0.
        line: u64,
    },
    /// It was withdrawn.
    Withdrawn(&'a Withdrawal),
}

/// Why an archive says nothing of what became of a proved document.
#[derive(Debug, thiserror::Error)]
pub enum SinceError {
    /// It is another archive.
    #[error("the proof is of the archive {proof}, not of {archive}")]
    OtherArchive {
        /// Of which the proof is.
        proof: String,
        /// Which it is.
        archive: String,
    },
    /// It has fewer log entries than the proof speaks of.
    #[error("the archive at hand has {found} log entries, and the proof is of log size {needed}: a newer copy is needed")]
    Older {
        /// What it has.
        found: u64,
        /// What the proof speaks of.
        needed: u64,
    },
    /// Both are signed, and cannot both be true.
    #[error(
        "the archive's log does not continue the one that the proof is of: its log's key signed two histories; keep both, they are evidence"
    )]
    Forked,
    /// The archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl Archive {
    /// What became of a document that was proved, as far as this archive knows, which must be of the same log and as new as the proof at least.
    pub fn since(&self, proven: &Proven) -> Result<Since<'_>, SinceError> {
        let (archive, at) = (self, proven.checkpoint());
        if archive.origin() != at.origin {
            return Err(SinceError::OtherArchive { proof: at.origin.clone(), archive: archive.origin().to_owned() });
        }
        match archive.checkpoint_at(at.size) {
            None => return Err(SinceError::Older { found: archive.head(), needed: at.size }),
            Some(then) if then.root != at.root => return Err(SinceError::Forked),
            Some(_) => {}
        }
        let serial = proven.release().serial;
        if let Some(place) = archive.withdrawn_line(serial, proven.line()) {
            return Ok(Since::Withdrawn(place.withdrawal));
        }
        Ok(match archive.find(&proven.release().collection, proven.number())? {
            Some((newest, line)) if (newest, line) != (serial, proven.line()) => Since::Replaced { serial: newest, line },
            _ => Since::Published,
        })
    }
}
