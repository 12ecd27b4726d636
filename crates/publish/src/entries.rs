//! What is logged beside releases and roots: notes that say all there is to say themselves. They are asked for as a [`Request`], signed, and logged.

use crate::commit::{Addition, append};
use crate::promise::LogKey;
use crate::request::{Kind, Request, Statement};
use crate::site::{Holder, Site};
use crate::{Error, Result, Witnessing};
use daylight_archive::heartbeat::HeartbeatNote;
use daylight_archive::note::Note;
use daylight_archive::{Archive, paths};
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
