//! The directory of intake keys: to whom a source seals on which day. Its note is an entry of the log, so that everybody is shown the same one; its
//! file is that note with the keys themselves, which the note binds by hash.
//!
//! ```text
//! daylight-directory-file/v1 LF ‖ length of the note (u32 big-endian) ‖ note ‖ keys, 1,216 bytes each: by epoch, in it by member
//! ```
//!
//! An epoch is a day: the whole number of days since 1970-01-01, UTC. The key of a member for an epoch is an X-Wing public key
//! (draft-connolly-cfrg-xwing-kem: ML-KEM-768 ‖ X25519); to this module it is bytes.

mod verified;

pub use verified::{Directory, DirectoryError};

use crate::head::{EntryNoteError, Reading, check_head, head};
use crate::key::{Key, KeyType};
use crate::note::Note;
use crate::time::{format_time, parse_time};
use daylight_model::Digest;
use std::collections::BTreeSet;

const WORD: &str = "directory";

/// The most members, each of whom gets what is sealed: an envelope has this many stanzas.
pub const MAX_MEMBERS: usize = 16;

/// The most epochs of one directory, in days.
pub const MAX_EPOCHS: usize = 90;

/// The length of a public key for an epoch, in bytes.
pub const EPOCH_KEY: usize = 1216;

/// The last epoch that can be written; a day far from now, so that no sum overflows.
pub const LAST_EPOCH: u32 = 1_000_000;

const FILE: &[u8] = b"daylight-directory-file/v1\n";

/// The longest file, in bytes.
pub const MAX_FILE: usize = (1 << 20) + MAX_MEMBERS * MAX_EPOCHS * EPOCH_KEY;

/// What a directory's note says. k editors sign it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryNote {
    /// The archive for which it was signed.
    pub origin: String,
    /// Its serial among withdrawals, directories and heartbeats. Of two directories the one with the higher serial counts.
    pub serial: u64,
    /// SHA-256 of the JSON of the root in force.
    pub root: Digest,
    /// When it was made, by its maker's clock: seconds since 1970-01-01T00:00:00Z. Claimed, not proved.
    pub time: i64,
    /// Who can open what is sealed by it: the keys (type 0x01) with which they sign replies.
    pub members: Vec<Key>,
    /// The first epoch.
    pub first: u32,
    /// For each epoch from the first on: SHA-256 of each member's key, in the order of the members.
    pub epochs: Vec<Vec<Digest>>,
}

impl DirectoryNote {
    /// The text that is signed, after checking that every value can be one.
    pub fn text(&self) -> Result<String, EntryNoteError> {
        self.check()?;
        let time = format_time(self.time).ok_or(EntryNoteError::Rule("the time is out of range"))?;
        let mut text = format!("{}time {time}\n", head(WORD, &self.origin, self.serial, &self.root));
        text.push_str(&format!("members {}\n", self.members.len()));
        for member in &self.members {
            text.push_str(&format!("member {member}\n"));
        }
        text.push_str(&format!("epochs {} {}\n", self.first, self.epochs.len()));
        for (epoch, keys) in (self.first..).zip(&self.epochs) {
            text.push_str(&format!("epoch {epoch}"));
            keys.iter().for_each(|key| text.push_str(&format!(" {key}")));
            text.push('\n');
        }
        Ok(text)
    }

    /// The note to be signed.
    pub fn note(&self) -> Result<Note, EntryNoteError> {
        Ok(Note::new(&self.text()?)?)
    }

    /// Reads the text of a directory's note; there is one way to write it.
    pub fn parse_text(text: &str) -> Result<Self, EntryNoteError> {
        let parsed = Self::parse_lines(text).ok_or(EntryNoteError::Form(WORD))?;
        if parsed.text()? == text { Ok(parsed) } else { Err(EntryNoteError::Form(WORD)) }
    }

    /// The last epoch.
    pub fn last(&self) -> u32 {
        self.first + (self.epochs.len() as u32).saturating_sub(1)
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let mut lines = Reading::begin(text, WORD)?;
        let origin = lines.value("origin")?.to_owned();
        let serial = lines.value("serial")?.parse().ok()?;
        let root = lines.value("root")?.parse().ok()?;
        let time = parse_time(lines.value("time")?)?;
        let count: usize = lines.value("members")?.parse().ok().filter(|count| *count <= MAX_MEMBERS)?;
        let members = (0..count).map(|_| lines.value("member")?.parse().ok()).collect::<Option<Vec<Key>>>()?;
        let (first, count) = lines.value("epochs")?.split_once(' ')?;
        let (first, count): (u32, usize) = (first.parse().ok()?, count.parse().ok()?);
        if first > LAST_EPOCH || count > MAX_EPOCHS {
            return None;
        }
        let epochs = (first..).take(count).map(|epoch| parse_epoch(lines.value("epoch")?, epoch)).collect::<Option<_>>()?;
        lines.is_done().then_some(Self { origin, serial, root, time, members, first, epochs })
    }

    fn check(&self) -> Result<(), EntryNoteError> {
        check_head(&self.origin, self.serial)?;
        let names: BTreeSet<&str> = self.members.iter().map(Key::name).collect();
        let publics: BTreeSet<&[u8; 32]> = self.members.iter().map(Key::public).collect();
        let (n, days) = (self.members.len(), self.epochs.len());
        let distinct: BTreeSet<&Digest> = self.epochs.iter().flatten().collect();
        let rules = [
            ((1..=MAX_MEMBERS).contains(&n), "a directory has 1 to 16 members"),
            (names.len() == n && publics.len() == n, "a member stands twice in the directory"),
            (self.members.iter().all(|key| key.kind() == KeyType::Note), "members have keys of type 0x01"),
            ((1..=MAX_EPOCHS).contains(&days), "a directory has 1 to 90 epochs"),
            (self.first <= LAST_EPOCH, "an epoch is a day's number since 1970"),
            (self.epochs.iter().all(|keys| keys.len() == n), "every member has a key for every epoch"),
            (distinct.len() == n * days, "a key stands twice in the directory: each is for one member and one day"),
        ];
        match rules.iter().find(|(kept, _)| !kept) {
            Some((_, rule)) => Err(EntryNoteError::Rule(rule)),
            None => Ok(()),
        }
    }
}

fn parse_epoch(line: &str, epoch: u32) -> Option<Vec<Digest>> {
    let mut words = line.split(' ');
    (words.next()?.parse() == Ok(epoch)).then_some(())?;
    // A line cannot name more keys than there can be members; what is too short or too long for this directory is found by its rules.
    words.take(MAX_MEMBERS + 1).map(|word| word.parse().ok()).collect()
}

/// A directory's file as read: its keys are those that its note names, and nothing is believed yet. See [`Directory`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryFile {
    /// What its note says.
    pub told: DirectoryNote,
    /// The note with its signatures.
    pub note: Note,
    keys: Vec<u8>,
}

impl DirectoryFile {
    /// Puts a file together. `keys` are the members' keys, by epoch, in it by member. Errors: they are not those that the note names.
    pub fn new(note: Note, keys: Vec<u8>) -> Result<Self, DirectoryError> {
        let told = DirectoryNote::parse_text(note.text())?;
        let named: Vec<&Digest> = told.epochs.iter().flatten().collect();
        if keys.len() != named.len() * EPOCH_KEY {
            return Err(DirectoryError::Keys);
        }
        let same = keys.chunks_exact(EPOCH_KEY).zip(named).all(|(key, digest)| Digest::of(key) == *digest);
        if same { Ok(Self { told, note, keys }) } else { Err(DirectoryError::Keys) }
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let note = self.note.to_bytes();
        [FILE, &(note.len() as u32).to_be_bytes(), &note, &self.keys].concat()
    }

    /// The members' keys for an epoch, in the order of the members; none outside of the directory's epochs.
    pub fn keys(&self, epoch: u32) -> Vec<[u8; EPOCH_KEY]> {
        let members = self.told.members.len();
        let Some(place) = epoch.checked_sub(self.told.first).filter(|_| epoch <= self.told.last()) else { return Vec::new() };
        let keys = self.keys.chunks_exact(EPOCH_KEY).skip(place as usize * members).take(members);
        keys.filter_map(|key| key.try_into().ok()).collect()
    }
}

/// Reads a directory's file. That its keys are those that its note names is checked; that the note counts is for [`Directory::verify`].
pub fn parse(bytes: &[u8]) -> Result<DirectoryFile, DirectoryError> {
    if bytes.len() > MAX_FILE {
        return Err(DirectoryError::File);
    }
    let rest = bytes.strip_prefix(FILE).ok_or(DirectoryError::File)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(DirectoryError::File)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| DirectoryError::File)?;
    let (note, keys) = rest.split_at_checked(length).ok_or(DirectoryError::File)?;
    let parsed = Note::parse(note)?;
    // One file has one form, so that its digest names it.
    if parsed.to_bytes() != note {
        return Err(DirectoryError::File);
    }
    DirectoryFile::new(parsed, keys.to_vec())
}

#[cfg(test)]
mod tests;
