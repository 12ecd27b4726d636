//! Checkpoints (c2sp.org/tlog-checkpoint): origin, size and root of the log, signed by its key.

use crate::key::{Key, Signer, check_name};
use crate::note::{Note, NoteError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daylight_model::Digest;

/// The state of a log that its key vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: fixed for ever, and the name of the log's key.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// Its root at that size (RFC 6962).
    pub root: Digest,
}

/// Why a checkpoint is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not signed as it must be.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not three lines of the right form.
    #[error("a checkpoint's text is its origin, its size and its root in base64, each on a line, and nothing else")]
    Form,
    /// It speaks of another log.
    #[error("it is a checkpoint of {found:?}, not of {wanted:?}")]
    Origin {
        /// What it says.
        found: String,
        /// What was expected.
        wanted: String,
    },
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Reads the text of a checkpoint. Extension lines are refused: no auditor can check them.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let parsed = Self::parse_lines(text).ok_or(CheckpointError::Form)?;
        if parsed.text() == text { Ok(parsed) } else { Err(CheckpointError::Form) }
    }

    /// Reads the text of a checkpoint of any log, as a witness must: extension lines may follow, of which nothing is said.
    pub fn parse_extended(text: &str) -> Result<Self, CheckpointError> {
        let parsed = Self::parse_lines(text).ok_or(CheckpointError::Form)?;
        let extension = text.strip_prefix(&parsed.text()).ok_or(CheckpointError::Form)?;
        let lines_end_and_none_is_empty = extension.is_empty() || (extension.ends_with('\n') && !format!("\n{extension}").contains("\n\n"));
        if lines_end_and_none_is_empty { Ok(parsed) } else { Err(CheckpointError::Form) }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let origin = lines.next().filter(|origin| check_origin(origin))?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        Some(Self { origin, size, root: Digest(root) })
    }

    /// Signs it with the log's key, whose name must be the origin.
    pub fn sign(&self, log: &Signer) -> Result<Note, CheckpointError> {
        if log.name() != self.origin {
            return Err(CheckpointError::Origin { found: log.name().into(), wanted: self.origin.clone() });
        }
        let mut note = Note::new(&self.text())?;
        note.sign(log);
        Ok(note)
    }

    /// Reads a signed checkpoint and checks that the log with this key signed it.
    pub fn open(bytes: &[u8], log: &Key) -> Result<(Self, Note), CheckpointError> {
        let note = Note::parse(bytes)?;
        note.require(std::slice::from_ref(log), 1)?;
        let checkpoint = Self::parse_text(note.text())?;
        if checkpoint.origin != log.name() {
            return Err(CheckpointError::Origin { found: checkpoint.origin, wanted: log.name().into() });
        }
        Ok((checkpoint, note))
    }
}

/// Whether a text can be an origin: a key's name that cannot be taken for the first line of one of our other notes (`daylight-…/v1`,
/// `cosignature/v1`), so that no signature for the one is a signature for the other.
pub fn check_origin(origin: &str) -> bool {
    let header = origin.starts_with("daylight-") || origin.starts_with("cosignature");
    let versioned = origin.rsplit_once("/v").is_some_and(|(_, v)| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit()));
    check_name(origin).is_ok() && !(header && versioned)
}

#[cfg(test)]
mod tests;
