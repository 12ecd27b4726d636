//! Entries of the archive's log: small, typed, canonical JSON.

use crate::json::{self, Fields, JsonError};
use daylight_model::Digest;
use serde_json::json;

const FORMAT: &str = "daylight-entry/v1";

/// The longest entry, in bytes.
pub const MAX_ENTRY: usize = 2048;

/// What was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A root came into force.
    Root {
        /// Its version: the file is `root/<version>.json`.
        version: u64,
        /// SHA-256 of that file.
        json: Digest,
    },
    /// A release was published.
    Release {
        /// Its serial: the note is `release/<serial>/note`.
        serial: u64,
        /// SHA-256 of the note's file, its signature lines included.
        note: Digest,
    },
    /// Documents were withdrawn.
    Withdraw(Logged),
    /// The keys of intake changed.
    Directory(Logged),
    /// An editor says that the archive lives.
    Heartbeat(Logged),
}

/// A note at `entry/<serial>/note` as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// Its serial.
    pub serial: u64,
    /// SHA-256 of the note's file, its signature lines included.
    pub note: Digest,
}

/// Why bytes are not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Longer than 2,048 bytes.
    #[error("a log entry is longer than 2,048 bytes")]
    TooLong,
    /// Not canonical JSON of this form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A type that the format does not have.
    #[error("unknown type {0:?}: use a newer daylight")]
    Type(String),
}

impl Entry {
    /// The word for its type.
    pub fn word(&self) -> &'static str {
        match self {
            Entry::Root { .. } => "root",
            Entry::Release { .. } => "release",
            Entry::Withdraw(_) => "withdraw",
            Entry::Directory(_) => "directory",
            Entry::Heartbeat(_) => "heartbeat",
        }
    }

    /// The entry's bytes, the leaf's data in the log.
    pub fn to_json(&self) -> Result<Vec<u8>, EntryError> {
        let value = match self {
            Entry::Root { version, json } => json!({"format": FORMAT, "sha256": json.to_string(), "type": "root", "version": version}),
            Entry::Release { serial, note } => noted("release", *serial, note),
            Entry::Withdraw(logged) | Entry::Directory(logged) | Entry::Heartbeat(logged) => {
                noted(self.word(), logged.serial, &logged.note)
            }
        };
        Ok(json::write(&value)?)
    }

    /// Reads an entry; no field may be missing or added.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY {
            return Err(EntryError::TooLong);
        }
        let mut fields = Fields::read(bytes)?;
        fields.format(FORMAT)?;
        let kind = fields.string("type")?;
        if kind == "root" {
            let entry = Entry::Root { version: fields.number("version")?, json: fields.digest("sha256")? };
            fields.end()?;
            return Ok(entry);
        }
        let (serial, note) = (fields.number("serial")?, fields.digest("note")?);
        fields.end()?;
        match kind.as_str() {
            "release" => Ok(Entry::Release { serial, note }),
            "withdraw" => Ok(Entry::Withdraw(Logged { serial, note })),
            "directory" => Ok(Entry::Directory(Logged { serial, note })),
            "heartbeat" => Ok(Entry::Heartbeat(Logged { serial, note })),
            _ => Err(EntryError::Type(kind)),
        }
    }
}

fn noted(kind: &str, serial: u64, note: &Digest) -> serde_json::Value {
    json!({"format": FORMAT, "note": note.to_string(), "serial": serial, "type": kind})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_back_and_nothing_else_is() {
        let note = Digest::of(b"note");
        let logged = Logged { serial: 3, note };
        let entries = [
            Entry::Root { version: 1, json: note },
            Entry::Release { serial: 1, note },
            Entry::Withdraw(logged),
            Entry::Directory(logged),
            Entry::Heartbeat(logged),
        ];
        for entry in entries {
            let bytes = entry.to_json().unwrap();
            assert_eq!(Entry::parse(&bytes).unwrap(), entry);
        }
        let release = String::from_utf8(entries[1].to_json().unwrap()).unwrap();
        assert_eq!(release, format!("{{\"format\":\"daylight-entry/v1\",\"note\":\"{note}\",\"serial\":1,\"type\":\"release\"}}"));
        let wrong = [
            release.replace("/v1", "/v2"),
            release.replace("release", "relapse"),
            release.replace("\"serial\"", "\"serials\""),
            format!("{release}\n"),
        ];
        assert!(wrong.iter().all(|wrong| Entry::parse(wrong.as_bytes()).is_err()));
        assert_eq!(Entry::parse(&[b' '; 3000]), Err(EntryError::TooLong));
    }
}
