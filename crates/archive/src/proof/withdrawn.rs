use super::{DocumentProof, DocumentProofError, Path, Proven, hexes, in_log, path};
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, Logged};
use crate::head::EntryNoteError;
use crate::json::{Fields, JsonError};
use crate::note::Note;
use crate::root::Chain;
use crate::withdraw::WithdrawNote;
use daylight_model::Digest;
use serde_json::{Value, json};

/// The withdrawal of the line that is proved, and its entry in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Withdrawn {
    pub(super) note: String,
    pub(super) in_log: Path,
}

impl Withdrawn {
    pub(super) fn to_value(&self) -> Value {
        json!({"hashes": hexes(&self.in_log.hashes), "index": self.in_log.index, "note": self.note})
    }

    pub(super) fn parse(value: Value) -> Result<Self, JsonError> {
        let mut fields = Fields::of(value, "withdrawn")?;
        let withdrawn = Self { note: fields.string("note")?, in_log: path(&mut fields)? };
        fields.end()?;
        Ok(withdrawn)
    }
}

impl DocumentProof {
    /// The withdrawal must be in the log behind the release, and signed as a release is.
    pub(super) fn check_withdrawal(
        &self,
        withdrawn: &Withdrawn,
        chain: &Chain,
        checkpoint: &Checkpoint,
    ) -> Result<WithdrawNote, DocumentProofError> {
        let note = Note::parse(withdrawn.note.as_bytes()).map_err(EntryNoteError::Note)?;
        let said = WithdrawNote::parse_text(note.text())?;
        let logged = Logged { serial: said.serial, note: Digest::of(withdrawn.note.as_bytes()) };
        in_log(&Entry::Withdraw(logged), &withdrawn.in_log, checkpoint)?;
        if withdrawn.in_log.index <= self.in_log.index {
            return Err(DocumentProofError::OtherLine);
        }
        self.check_signed(&note, (&said.origin, &said.root), withdrawn.in_log.index, chain, checkpoint)?;
        Ok(said)
    }
}

impl Proven {
    /// Whether a withdrawal names the line that is proved.
    pub(super) fn is_named_in(&self, note: &WithdrawNote) -> bool {
        let same = |line: &crate::withdraw::WithdrawnLine| {
            (line.release, line.line, line.leaf) == (self.release.serial, self.line, self.leaf)
        };
        note.collection == self.release.collection && note.documents.iter().flat_map(|document| &document.lines).any(same)
    }
}
