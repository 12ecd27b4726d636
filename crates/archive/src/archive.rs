//! An archive as a folder, opened for reading.

use crate::checkpoint::Checkpoint;
use crate::log::{Files, Tree};
use crate::manifest::{ERASED_LINE, RawLine};
use crate::note::Note;
use crate::paths;
use crate::policy::Witnessed;
use crate::proof::DocumentProof;
use crate::record::{FileRef, Record};
use crate::release::ReleaseNote;
use crate::root::{Chain, Root};
pub use crate::state::{Release, SignOfLife};
use crate::state::{State, load};
use crate::store::unreadable;
use crate::withdrawals::{Withdrawal, WithdrawnPlace};
use daylight_model::Digest;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

mod covers;
mod find;
mod history;
mod intake;
mod lines;
mod next_root;
mod placed;
mod read;
mod since;

pub use lines::Lines;
pub use placed::LinePlace;
pub use read::FileReader;
pub use since::{Since, SinceError};

/// Why an archive cannot be opened or something in it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no `root/1.json`, or nothing was published yet.
    #[error("{0} is not an archive: it has no {1}")]
    NotAnArchive(PathBuf, &'static str),
    /// A file is not what it must be.
    #[error("{path}: {what} (run `daylight verify` to see all that is damaged)")]
    Damaged {
        /// Its path in the archive.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// There is no such release or line.
    #[error("the archive has no line {line} in a release {serial}")]
    NoSuchLine {
        /// The release.
        serial: u64,
        /// The line.
        line: u64,
    },
    /// The line was withdrawn, whether or not it was erased here.
    #[error("line {line} of release {serial} was withdrawn")]
    Withdrawn {
        /// The release.
        serial: u64,
        /// The line.
        line: u64,
    },
}

pub(crate) fn damaged(path: impl Into<String>, what: impl ToString) -> ArchiveError {
    ArchiveError::Damaged { path: path.into(), what: what.to_string() }
}

/// A line of a manifest with its record read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The release.
    pub serial: u64,
    /// Which line of it, from 0.
    pub line: u64,
    /// The salt.
    pub salt: [u8; 32],
    /// The record's bytes as they stand in the line.
    pub json: Vec<u8>,
    /// The whole record, also where it is too long for its line.
    pub record: Record,
}

/// A collection of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Its name, for ever the same.
    pub name: String,
    /// Its title in the newest release.
    pub title: String,
    /// The serials of its releases, the oldest first.
    pub releases: Vec<u64>,
    /// The highest number that a document of it has.
    pub highest: u64,
}

/// How a document's number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// This line, of this release, counts: the newest that is not withdrawn.
    Published {
        /// The release.
        serial: u64,
        /// The line, from 0.
        line: u64,
    },
    /// Every line of it is withdrawn, by this last of all.
    Withdrawn(&'a Withdrawal),
}

/// An archive opened for reading. Roots, checkpoint, log and notes are checked by then; a line is checked against the hash of its leaf and a file
/// against its SHA-256 when it is read. That the tiles under a line make up the release's signed root is for [`crate::verify()`] and proofs.
pub struct Archive {
    dir: PathBuf,
    state: State,
    witnessed: Witnessed,
    /// By release: the first and the last number.
    numbers: Vec<OnceLock<(u64, u64)>>,
    /// The serials of releases of which only the note is here, rising.
    absent: Vec<u64>,
}

impl Archive {
    /// Opens an archive and checks its small files: the work grows with the number of releases, not of documents.
    pub fn open(dir: &Path) -> Result<Self, ArchiveError> {
        for (path, name) in [("root/1.json", "root/1.json"), (paths::CHECKPOINT, "checkpoint: nothing was published yet")] {
            if !dir.join(path).is_file() {
                return Err(ArchiveError::NotAnArchive(dir.to_owned(), name));
            }
        }
        let mut first = None;
        let state = load(&dir.to_path_buf(), paths::CHECKPOINT, &mut |path, what| {
            first.get_or_insert((path, what));
        });
        match (state, first) {
            (Some(state), None) => {
                let witnessed = state.witnessed(true).map_err(|what| damaged(paths::CHECKPOINT, what))?;
                let numbers = state.releases.iter().map(|_| OnceLock::new()).collect();
                let serials = state.releases.iter().map(|release| release.note.serial);
                let absent = serials.filter(|serial| covers::is_absent(dir, *serial)).collect();
                Ok(Self { dir: dir.to_owned(), state, witnessed, numbers, absent })
            }
            (_, Some((path, what))) => Err(damaged(path, what)),
            (None, None) => Err(damaged(paths::CHECKPOINT, "cannot be read")),
        }
    }

    /// Checks the small files of `dir` as they would be under a checkpoint with these bytes, which need not be in the folder: what a publisher asks
    /// before that becomes the archive's.
    pub fn check_under(dir: &Path, checkpoint: &[u8]) -> Result<(), ArchiveError> {
        let mut first = None;
        let state = load(&Under { dir, checkpoint }, paths::CHECKPOINT, &mut |path, what| {
            first.get_or_insert((path, what));
        });
        match (state, first) {
            (Some(_), None) => Ok(()),
            (_, Some((path, what))) => Err(damaged(path, what)),
            (None, None) => Err(damaged(paths::CHECKPOINT, "cannot be read")),
        }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The archive's name, for ever the same.
    pub fn origin(&self) -> &str {
        &self.state.checkpoint.origin
    }

    /// The root in force.
    pub fn root(&self) -> &Root {
        &self.state.in_force().root
    }

    /// SHA-256 of the JSON of the root in force: what the note of the next release must name.
    pub fn root_digest(&self) -> Digest {
        self.state.in_force().digest
    }

    /// Every root.
    pub fn chain(&self) -> &Chain {
        &self.state.chain
    }

    /// The signed state of the log.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.state.checkpoint
    }

    /// The checkpoint with its signatures.
    pub fn checkpoint_note(&self) -> &Note {
        &self.state.checkpoint_note
    }

    /// Who of the witnesses that the root in force names has seen the archive at this checkpoint, and when.
    pub fn witnessed(&self) -> &Witnessed {
        &self.witnessed
    }

    /// The size of the log.
    pub fn head(&self) -> u64 {
        self.state.checkpoint.size
    }

    /// Every release, the oldest first.
    pub fn releases(&self) -> &[Release] {
        &self.state.releases
    }

    /// The release with this serial.
    pub fn release(&self, serial: u64) -> Option<&Release> {
        self.place_of(serial).map(|place| &self.state.releases[place])
    }

    /// Every collection of which documents are here, in the order of their names.
    pub fn collections(&self) -> Result<Vec<Collection>, ArchiveError> {
        let mut names: Vec<&str> = self.here().map(|release| release.note.collection.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| self.describe(name)).collect()
    }

    /// Every withdrawal, the oldest first.
    pub fn withdrawals(&self) -> &[Withdrawal] {
        self.state.withdrawals.all()
    }

    /// Every withdrawn line, by release and line.
    pub fn withdrawn_lines(&self) -> impl Iterator<Item = WithdrawnPlace<'_>> {
        self.state.withdrawals.lines()
    }

    /// What was said of a line when it was withdrawn; `None` if it was not.
    pub fn withdrawn_line(&self, serial: u64, line: u64) -> Option<WithdrawnPlace<'_>> {
        self.state.withdrawals.line(serial, line)
    }

    /// The numbers of a collection that were withdrawn and not published again, rising.
    pub fn withdrawn_numbers(&self, collection: &str) -> Result<Vec<u64>, ArchiveError> {
        let mut numbers = Vec::new();
        for number in self.state.withdrawals.numbers(collection) {
            if self.find(collection, number)?.is_none() {
                numbers.push(number);
            }
        }
        Ok(numbers)
    }

    /// The last entry of the log that editors signed and dated.
    pub fn last_sign_of_life(&self) -> Option<SignOfLife> {
        self.state.last_sign
    }

    /// The serial that the next withdrawal, directory or heartbeat has.
    pub fn next_entry_serial(&self) -> u64 {
        self.state.last_entry_serial + 1
    }

    /// The collection with this name.
    pub fn collection(&self, name: &str) -> Result<Option<Collection>, ArchiveError> {
        let known = self.here().any(|release| release.note.collection == name);
        known.then(|| self.describe(name)).transpose()
    }

    /// Reads a line, from 0, of a release. One that is withdrawn is not read, whether or not it was erased here.
    pub fn record(&self, serial: u64, line: u64) -> Result<Line, ArchiveError> {
        match self.withdrawn_line(serial, line) {
            Some(_) => Err(ArchiveError::Withdrawn { serial, line }),
            None => self.record_as_it_stands(serial, line),
        }
    }

    /// Reads a line even if it is withdrawn, where it was not erased here: for whoever is about to withdraw or erase it.
    pub fn record_as_it_stands(&self, serial: u64, line: u64) -> Result<Line, ArchiveError> {
        let raw = self.raw_line(serial, line)?;
        self.check_leaf(serial, line, &raw)?;
        self.read_line(serial, line, &raw)
    }

    /// How a document's permanent number stands; `None` if it was never given.
    pub fn standing(&self, collection: &str, number: u64) -> Result<Option<Standing<'_>>, ArchiveError> {
        if let Some((serial, line)) = self.find(collection, number)? {
            return Ok(Some(Standing::Published { serial, line }));
        }
        Ok(self.state.withdrawals.document(collection, number).map(Standing::Withdrawn))
    }

    /// Where the line stands that counts for a document's permanent number, the newest that is not withdrawn: (serial, line).
    pub fn find(&self, collection: &str, number: u64) -> Result<Option<(u64, u64)>, ArchiveError> {
        for release in self.here().rev().filter(|release| release.note.collection == collection) {
            let found = self.find_in(release, number)?.map(|line| (release.note.serial, line));
            if let Some((serial, line)) = found.filter(|(serial, line)| self.withdrawn_line(*serial, *line).is_none()) {
                return Ok(Some((serial, line)));
            }
        }
        Ok(None)
    }

    /// Every line for a document's permanent number, the oldest first, withdrawn ones among them: (serial, line).
    pub fn history(&self, collection: &str, number: u64) -> Result<Vec<(u64, u64)>, ArchiveError> {
        let mut lines = Vec::new();
        for release in self.here().filter(|release| release.note.collection == collection) {
            lines.extend(self.find_in(release, number)?.map(|line| (release.note.serial, line)));
        }
        Ok(lines)
    }

    /// Every line of a release in order, read through once: for building an index. Withdrawn lines are passed over; a release that is not in this
    /// copy has none.
    pub fn lines(&self, serial: u64) -> Result<Lines<'_>, ArchiveError> {
        let release = self.release(serial).ok_or(ArchiveError::NoSuchLine { serial, line: 0 })?;
        Ok(Lines::new(self, serial, if self.is_absent(serial) { 0 } else { release.note.lines }))
    }

    /// Every line of a release that is not logged yet, of which the caller knows the note. Nothing says that they are the note's: build their tree.
    pub fn staged_lines(&self, note: &ReleaseNote) -> Lines<'_> {
        Lines::new(self, note.serial, note.lines)
    }

    /// The bytes of a published file, checked against its SHA-256.
    pub fn bytes(&self, file: &FileRef) -> Result<Vec<u8>, ArchiveError> {
        let (mut reader, path) = self.file_at(file)?;
        let mut bytes = Vec::with_capacity(usize::try_from(file.length).unwrap_or(0));
        reader.read_to_end(&mut bytes).map_err(|e| damaged(&path, unreadable(&e)))?;
        if Digest::of(&bytes) != file.sha256 {
            return Err(damaged(path, format!("the bytes at {} are not {}", file.offset, file.sha256)));
        }
        Ok(bytes)
    }

    /// Opens a published file of any size. Its last read is an error where its SHA-256 is not right, so nothing before that is to be believed.
    pub fn open_file(&self, file: &FileRef) -> Result<FileReader, ArchiveError> {
        let (reader, _) = self.file_at(file)?;
        Ok(FileReader::new(reader, file.sha256))
    }

    /// The proof that a line was published, and of one that is withdrawn that it was both: a file that can be checked without the archive.
    pub fn proof(&self, serial: u64, line: u64) -> Result<DocumentProof, ArchiveError> {
        let release = self.release(serial).ok_or(ArchiveError::NoSuchLine { serial, line })?;
        let prefix = paths::release_prefix(serial);
        let hashes = Tree::new(&self.dir, &prefix, release.note.lines).inclusion(line).map_err(|e| damaged(&prefix, e))?;
        let built = match self.withdrawn_line(serial, line) {
            Some(place) => {
                // Nothing of what was withdrawn is given out, whether or not it is erased here.
                let raw = RawLine::Erased { leaf: place.line.leaf, length: ERASED_LINE }.to_bytes();
                let raw = raw.strip_suffix(b"\n").unwrap_or(&raw);
                DocumentProof::build(&self.state, release, line, raw, None, hashes, Some(place.withdrawal))
            }
            None => {
                let raw = self.raw_line(serial, line)?;
                let read = self.read_line(serial, line, &raw)?;
                let stub = Record::parse(&read.json).map_err(|e| damaged(paths::release_note(serial), e))?;
                let record = stub.own_file().map(|file| self.bytes(file)).transpose()?;
                DocumentProof::build(&self.state, release, line, &raw, record, hashes, None)
            }
        };
        built.map_err(|e| damaged(self.dir.display().to_string(), e))
    }

    fn describe(&self, name: &str) -> Result<Collection, ArchiveError> {
        let mut collection = Collection { name: name.to_owned(), title: String::new(), releases: Vec::new(), highest: 0 };
        for release in self.here().filter(|release| release.note.collection == name) {
            collection.title.clone_from(&release.note.title);
            collection.releases.push(release.note.serial);
            collection.highest = collection.highest.max(self.numbers(release)?.1);
        }
        Ok(collection)
    }

    fn place_of(&self, serial: u64) -> Option<usize> {
        // Serials have no gaps, which opening checked.
        usize::try_from(serial.checked_sub(1)?).ok().filter(|place| *place < self.state.releases.len())
    }
}

/// A folder's files, and a checkpoint in place of its own.
struct Under<'a> {
    dir: &'a Path,
    checkpoint: &'a [u8],
}

impl Files for Under<'_> {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        if path == paths::CHECKPOINT { Ok(self.checkpoint.to_vec()) } else { std::fs::read(self.dir.join(path)) }
    }
}

#[cfg(test)]
mod tests;
