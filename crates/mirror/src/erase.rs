//! Erasing from a copy of an archive what was withdrawn with the request to erase it: bytes and lines are written over where they stand, so that no
//! file changes its length and every proof still stands. What is written follows from the signed withdrawals alone, so whatever a crash left torn is
//! written again by the next run.

mod refers;
mod write;

use daylight_archive::log::leaf_hash;
use daylight_archive::manifest::RawLine;
use daylight_archive::withdraw::WithdrawnLine;
use daylight_archive::{Archive, ArchiveError, Record, WithdrawnPlace};
use refers::Needed;
use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use write::Writing;

/// What erasing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Lines that are erased now.
    pub lines: u64,
    /// Lines that were erased before.
    pub before: u64,
    /// Bytes of documents that are zero now.
    pub bytes: u64,
    /// Members that stay because a document that is not withdrawn has the same bytes.
    pub kept: u64,
}

/// Why nothing was erased, or not all. What was begun is finished by erasing again.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The archive as it is.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file could not be read or written.
    #[error("{path}: {source}; erase again when it can be written", path = .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else writes.
    #[error("{0} is in use by another publish or mirror; wait until that has ended")]
    Busy(PathBuf),
    /// The withdrawal and the archive do not belong together.
    #[error(
        "withdrawal {withdrawal}: what it says of line {line} of release {release} is not so, so nothing was erased; run `daylight verify`"
    )]
    NotSo {
        /// The serial of the withdrawal.
        withdrawal: u64,
        /// The release.
        release: u64,
        /// The line.
        line: u64,
    },
    /// A volume is not as it must be.
    #[error("{path}: no member of {length} bytes stands at {offset}, so nothing more was erased; run `daylight verify`")]
    NoMember {
        /// The volume, in the archive.
        path: String,
        /// Where the member was to stand.
        offset: u64,
        /// How long it was to be.
        length: u64,
    },
}

impl EraseError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

/// Holds an archive against others who write into it, for as long as the result lives (`flock`), so that no lock file is left in it.
pub fn hold(dir: &Path) -> Result<File, EraseError> {
    let file = File::open(dir).map_err(EraseError::io(dir))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EraseError::Busy(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(EraseError::io(dir)(error)),
    }
}

/// How many lines of an archive are withdrawn with the request to erase them and are not erased here.
pub fn count_unerased(archive: &Archive) -> Result<u64, ArchiveError> {
    let mut count = 0;
    for place in to_erase(archive) {
        count += u64::from(!is_erased(archive, place.line)?);
    }
    Ok(count)
}

/// Erases every line whose withdrawal asks for it, with the bytes to which nothing else refers. The caller holds the archive, see [`hold`]. Killed at
/// any instant and called again it ends the same; where all is erased it changes nothing. Nothing is erased unless all that was signed of it fits.
///
/// Bytes go before lines, so that a line that is erased has none left. In a partial copy what the releases that are not here refer to is not known:
/// bytes go there to which nothing here refers.
pub fn erase_withdrawn(dir: &Path) -> Result<Erased, EraseError> {
    let archive = Archive::open(dir)?;
    let mut erased = Erased::default();
    let mut lines = Vec::new();
    for place in to_erase(&archive) {
        check(&archive, &place)?;
        match is_erased(&archive, place.line)? {
            true => erased.before += 1,
            false => lines.push(place.line),
        }
    }
    if lines.is_empty() {
        return Ok(erased);
    }
    let members: BTreeSet<_> =
        to_erase(&archive).flat_map(|place| place.line.members.iter().map(|one| (place.line.release, *one))).collect();
    let needed = Needed::by_lines_that_count(&archive, &members)?;
    let mut writing = Writing::new(&archive);
    for (release, member) in &members {
        match needed.has(*release, member) {
            true => erased.kept += 1,
            false => erased.bytes += writing.member(*release, member)?,
        }
    }
    writing.finish_volumes()?;
    for line in lines {
        writing.line(line)?;
        erased.lines += 1;
    }
    writing.finish_parts()?;
    Ok(erased)
}

fn to_erase(archive: &Archive) -> impl Iterator<Item = WithdrawnPlace<'_>> {
    archive.withdrawn_lines().filter(|place| place.erase && !archive.is_absent(place.line.release))
}

fn is_erased(archive: &Archive, line: &WithdrawnLine) -> Result<bool, ArchiveError> {
    Ok(archive.line_place(line.release, line.line)?.bytes == erased_line(line))
}

/// What stands in place of a line that is erased.
fn erased_line(line: &WithdrawnLine) -> Vec<u8> {
    // No line is longer than 17 KiB: reading the withdrawal checked that.
    RawLine::Erased { leaf: line.leaf, length: line.length as usize }.to_bytes()
}

/// A withdrawal must speak of this very line, and name no bytes but those of its record: then nothing is lost that was not meant. Where the line
/// itself is torn, its leaf in the tree and its length are what there is to go by.
fn check(archive: &Archive, place: &WithdrawnPlace<'_>) -> Result<(), EraseError> {
    let line = place.line;
    let not_so = || EraseError::NotSo { withdrawal: place.withdrawal.note.serial, release: line.release, line: line.line };
    let stands = archive.line_place(line.release, line.line)?;
    if stands.bytes.len() as u64 != line.length || archive.leaf_at(line.release, line.line)? != leaf_hash(&line.leaf.0) {
        return Err(not_so());
    }
    let Ok(read) = archive.record_as_it_stands(line.release, line.line) else { return Ok(()) };
    let own = Record::parse(&read.json).ok().and_then(|stub| stub.own_file().cloned());
    let files: BTreeSet<_> =
        read.record.files.iter().chain(&own).map(|file| (file.release, file.volume, file.offset, file.length)).collect();
    let fits = line.members.iter().all(|one| files.contains(&(line.release, one.volume, one.offset, one.length)));
    if fits && read.record.number == place.number { Ok(()) } else { Err(not_so()) }
}
