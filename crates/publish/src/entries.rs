//! What is logged beside releases and roots: notes that say all there is to say themselves. They are asked for as a [`Request`], signed, and logged.

use crate::commit::{Addition, append};
use crate::promise::LogKey;
use crate::request::{Kind, Request, Statement};
use crate::site::{Holder, Site};
use crate::{Error, Result, Witnessing};
use daylight_archive::directory::{DirectoryFile, DirectoryNote, EPOCH_KEY};
use daylight_archive::heartbeat::HeartbeatNote;
use daylight_archive::note::Note;
use daylight_archive::{Archive, Key, paths};
use daylight_model::Digest;
use std::path::Path;

/// A note that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The archive's name.
    pub origin: String,
    /// The note's serial.
    pub serial: u64,
    /// The size of the log.
    pub size: u64,
    /// Whether it was there before: nothing was done.
    pub already: bool,
    /// What the user should know of witnesses.
    pub warnings: Vec<String>,
}

/// Asks one editor to say that the archive lives.
pub fn ask_heartbeat(archive: &Path, now: u64) -> Result<Request> {
    let archive = Archive::open(archive)?;
    let note = HeartbeatNote {
        origin: archive.origin().to_owned(),
        serial: archive.next_entry_serial(),
        root: archive.root_digest(),
        time: i64::try_from(now).unwrap_or(i64::MAX),
    };
    Ok(Request::other(archive.chain(), &note.text().map_err(Error::format)?)?)
}

/// Logs a heartbeat that was signed. Killed at any instant and called again, it ends the same bytes.
pub fn log_heartbeat(archive: &Path, log_key: &Path, request: &Request, witnessing: Option<&Witnessing>) -> Result<Logged> {
    if request.kind() != Kind::Heartbeat {
        return Err(Error::OtherKind(request.kind().word()));
    }
    log(archive, (log_key, witnessing), request, Addition::heartbeat, &mut |_| Ok(()))
}

/// Who is to be in a directory of intake keys, and with which keys.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The members, by the keys with which they sign replies.
    pub members: Vec<Key>,
    /// The first epoch, in days since 1970-01-01.
    pub first: u32,
    /// The members' keys of 1,216 bytes, by epoch, in it by member.
    pub keys: Vec<u8>,
}

impl Listing {
    /// Whether a note says this, whatever its serial and time.
    pub fn is_told_by(&self, note: &DirectoryNote) -> bool {
        (&note.members, note.first, &note.epochs) == (&self.members, self.first, &self.epochs())
    }

    fn epochs(&self) -> Vec<Vec<Digest>> {
        let digests: Vec<Digest> = self.keys.chunks(EPOCH_KEY).map(Digest::of).collect();
        digests.chunks(self.members.len().max(1)).map(<[Digest]>::to_vec).collect()
    }
}

/// Asks the editors to sign a directory of intake keys.
pub fn ask_directory(archive: &Path, listing: &Listing, now: u64) -> Result<Request> {
    let archive = Archive::open(archive)?;
    let note = DirectoryNote {
        origin: archive.origin().to_owned(),
        serial: archive.next_entry_serial(),
        root: archive.root_digest(),
        time: i64::try_from(now).unwrap_or(i64::MAX),
        members: listing.members.clone(),
        first: listing.first,
        epochs: listing.epochs(),
    };
    Ok(Request::other(archive.chain(), &note.text().map_err(Error::format)?)?)
}

/// Logs a directory that enough have signed, and gives its file: the note that is in the log, with `keys`. Killed at any instant and called again, it
/// ends the same bytes. Errors: among others, `keys` are not those that were signed.
pub fn log_directory(
    archive: &Path,
    log_key: &Path,
    request: &Request,
    keys: Vec<u8>,
    witnessing: Option<&Witnessing>,
) -> Result<(Logged, DirectoryFile)> {
    if request.kind() != Kind::Directory {
        return Err(Error::OtherKind(request.kind().word()));
    }
    // Before anything is logged that nobody could then hand out.
    DirectoryFile::new(request.note().clone(), keys.clone()).map_err(Error::format)?;
    let logged = log(archive, (log_key, witnessing), request, Addition::directory, &mut |_| Ok(()))?;
    let path = archive.join(paths::entry_note(logged.serial));
    let note = Note::parse(&std::fs::read(&path).map_err(Error::io(&path))?).map_err(Error::format)?;
    let file = DirectoryFile::new(note, keys).map_err(Error::format)?;
    Ok((logged, file))
}

/// Logs a note that enough have signed, after `check` has seen that the archive is where it was; whatever `check` writes down is written before the log.
pub(crate) fn log(
    archive: &Path,
    (log_key, witnessing): (&Path, Option<&Witnessing>),
    request: &Request,
    addition: fn(u64, Vec<u8>) -> Addition,
    check: &mut dyn FnMut(&Archive) -> Result<()>,
) -> Result<Logged> {
    let Statement::Other { serial } = *request.statement() else { return Err(Error::OtherKind(request.kind().word())) };
    let origin = Archive::open(archive)?.origin().to_owned();
    // Made by whoever began the archive; a new one would be a stranger's.
    log_key.metadata().map_err(|error| Error::Unread(log_key.to_owned(), error))?;
    let mut log_key = LogKey::open(log_key, Some(&origin))?.asking(witnessing);
    let site = Site::open(archive, &mut log_key, Holder::Same)?;
    let archive = site.archive().ok_or_else(|| Error::NoRoot(site.dir().to_owned()))?;
    if is_logged(&site, archive, serial, request.text()) {
        return Ok(Logged { origin, serial, size: site.size(), already: true, warnings: log_key.heard() });
    }
    let moved_on = |why: String| Error::MovedOn { archive: site.dir().to_owned(), why };
    if log_key.promised_size() > site.size() {
        return Err(site.rolled_back(log_key.promised_size()));
    }
    if serial != archive.next_entry_serial() {
        return Err(moved_on(format!("serial {serial} was signed for, and {} is next", archive.next_entry_serial())));
    }
    if request.chain().is_none_or(|chain| chain.last().digest != archive.root_digest()) {
        return Err(moved_on(format!("root {} is in force by now", archive.root().version)));
    }
    request.require_complete()?;
    check(archive)?;
    let size = append(&site, &[addition(serial, request.note().to_bytes())], &log_key, &log_key.key())?;
    Ok(Logged { origin, serial, size, already: false, warnings: log_key.heard() })
}

/// Whether the note with this serial is logged and says this very text: then the archive, which was opened and so checked, has it.
fn is_logged(site: &Site, archive: &Archive, serial: u64, text: &str) -> bool {
    let note = std::fs::read(site.path(&paths::entry_note(serial))).ok().and_then(|bytes| Note::parse(&bytes).ok());
    serial < archive.next_entry_serial() && note.is_some_and(|note| note.text() == text)
}
