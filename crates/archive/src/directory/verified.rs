use super::{DirectoryFile, EPOCH_KEY, parse};
use crate::entry::{Entry, Logged};
use crate::head::EntryNoteError;
use crate::key::Key;
use crate::note::NoteError;
use crate::root::Chain;
use daylight_model::Digest;

/// Why a directory is not to be sealed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Not a file of this form.
    #[error("not a directory of intake keys (daylight-directory-file/v1)")]
    File,
    /// Not signed as it must be.
    #[error("the directory's note: {0}")]
    Note(#[from] NoteError),
    /// A note that says something else, or not in its one form.
    #[error("the directory's note: {0}")]
    Text(#[from] EntryNoteError),
    /// Keys that are not those that its note names.
    #[error("the keys in the directory are not those that its editors signed")]
    Keys,
    /// Of another archive.
    #[error("the directory is of {found:?}, not of {wanted:?}")]
    OtherArchive {
        /// What it says.
        found: String,
        /// What was expected.
        wanted: String,
    },
    /// Signed under a root that is not in the archive.
    #[error("the directory was signed under a root that this archive does not have")]
    OtherRoot,
    /// Not in the log.
    #[error("the directory is not in the archive's log: it was hidden from everybody else, so nothing is to be sealed by it")]
    NotLogged,
    /// A newer one is in the log.
    #[error("the directory is an old one, serial {found}: serial {newest} is in the archive's log")]
    Old {
        /// Its serial.
        found: u64,
        /// The serial of the newest one.
        newest: u64,
    },
    /// The log has none.
    #[error("there is no directory of intake keys in the archive's log")]
    None,
}

/// A directory that k editors signed and that is the newest in a log. There is no other way to get one than to check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    file: DirectoryFile,
    logged_at: u64,
}

impl Directory {
    /// Checks a directory's file: its keys are those that its note names, it is the newest of the log, and k editors of the root that was in force
    /// signed it, none of whom was retired before. `entries` are all entries of a log up to a checkpoint that the caller checked, and `chain` the
    /// roots that are in it. Errors: see [`DirectoryError`]; who is shown one of them seals nothing.
    pub fn verify<'a>(file: &[u8], chain: &Chain, entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, DirectoryError> {
        let file = parse(file)?;
        let (mut roots, mut newest) = (0usize, None);
        for (index, entry) in (0u64..).zip(entries) {
            match entry {
                Entry::Root { .. } => roots += 1,
                // The highest serial counts; a log in which serials fall is damaged, and its verifier says so.
                Entry::Directory(logged) if newest.is_none_or(|(_, _, other): (_, _, Logged)| logged.serial > other.serial) => {
                    newest = Some((index, roots, *logged));
                }
                _ => {}
            }
        }
        let (index, roots, logged) = newest.ok_or(DirectoryError::None)?;
        file.must_be(&logged)?;
        let link = roots.checked_sub(1).and_then(|last| chain.links().get(last)).ok_or(DirectoryError::OtherRoot)?;
        if file.told.origin != link.root.origin {
            return Err(DirectoryError::OtherArchive { found: file.told.origin, wanted: link.root.origin.clone() });
        }
        if file.told.root != link.digest {
            return Err(DirectoryError::OtherRoot);
        }
        chain.check_editors(link, &file.note, index, link.root.editors.threshold)?;
        Ok(Self { file, logged_at: index })
    }

    /// Its serial in the archive's log.
    pub fn serial(&self) -> u64 {
        self.file.told.serial
    }

    /// The index of its entry in the log.
    pub fn logged_at(&self) -> u64 {
        self.logged_at
    }

    /// When its maker says that it was made: seconds since 1970-01-01T00:00:00Z.
    pub fn time(&self) -> i64 {
        self.file.told.time
    }

    /// The first epoch and the last one.
    pub fn epochs(&self) -> (u32, u32) {
        (self.file.told.first, self.file.told.last())
    }

    /// The members' X-Wing public keys for an epoch; none outside of its epochs.
    pub fn recipients(&self, epoch: u32) -> Vec<[u8; EPOCH_KEY]> {
        self.file.keys(epoch)
    }

    /// The Ed25519 public keys with which its members sign replies.
    pub fn editors(&self) -> Vec<[u8; 32]> {
        self.file.told.members.iter().map(|key| *key.public()).collect()
    }

    /// The members: their keys with their names.
    pub fn members(&self) -> &[Key] {
        &self.file.told.members
    }

    /// The file.
    pub fn file(&self) -> &DirectoryFile {
        &self.file
    }
}

impl DirectoryFile {
    /// Refuses a file that is not the one that a log has as its newest.
    fn must_be(&self, newest: &Logged) -> Result<(), DirectoryError> {
        if self.told.serial < newest.serial {
            return Err(DirectoryError::Old { found: self.told.serial, newest: newest.serial });
        }
        let same = self.told.serial == newest.serial && Digest::of(&self.note.to_bytes()) == newest.note;
        if same { Ok(()) } else { Err(DirectoryError::NotLogged) }
    }
}
