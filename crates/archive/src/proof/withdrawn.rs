use super::{DocumentProof, DocumentProofError, Path, Proven, hexes, in_log, path};
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, Logged};
use crate::head::EntryNoteError;
use crate::json::{Fields, JsonError};
use crate::note::Note;
use crate::root::Chain;
use crate::withdraw::{WithdrawNote, WithdrawnLine};
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
    /// The document's permanent number, as its record or its withdrawal has it.
    pub fn number(&self) -> u64 {
        let named = || self.withdrawn.as_ref().and_then(|note| self.named_in(note));
        self.record.as_ref().map(|record| record.number).or_else(named).unwrap_or(0)
    }

    /// The number under which a withdrawal names the line that is proved, if it does.
    pub(super) fn named_in(&self, note: &WithdrawNote) -> Option<u64> {
        let same = |line: &WithdrawnLine| (line.release, line.line, line.leaf) == (self.release.serial, self.line, self.leaf);
        let named = note.documents.iter().find(|document| document.lines.iter().any(same)).map(|document| document.number);
        named.filter(|_| note.collection == self.release.collection)
    }
}
