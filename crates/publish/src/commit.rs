//! Makes what was signed part of the archive: its files, the log's entries and tiles, the checkpoint.
//!
//! Signatures are deterministic (RFC 8032) and stand in the order of the root's keys, and times are the draft's, so whatever of this is done twice gives
//! the same bytes.

use crate::promise::LogKey;
use crate::site::Site;
use crate::witness::{before_first, complete, must_ask};
use crate::{Error, Result};
use daylight_archive::entry::{Entry, Logged};
use daylight_archive::{Checkpoint, Key, paths};
use daylight_durable::crash_point;
use daylight_model::Digest;

/// An entry of the log with the files that it names, which are written before it.
pub(crate) struct Addition {
    files: Vec<(String, Vec<u8>)>,
    entry: Entry,
    /// The crash point after the files.
    written: &'static str,
}

impl Addition {
    /// A root that is signed. Its signatures are written first: alone they say nothing, while a root without them would be damage.
    pub(crate) fn root(version: u64, json: Vec<u8>, sig: Vec<u8>) -> Self {
        let entry = Entry::Root { version, json: Digest::of(&json) };
        // A crash here leaves a root that no log names: it is not in force, and the next publish takes it away.
        Self { files: vec![(paths::root_sig(version), sig), (paths::root_json(version), json)], entry, written: "publish.root" }
    }

    /// A release whose other files are written already.
    pub(crate) fn release(serial: u64, note: Vec<u8>) -> Self {
        let entry = Entry::Release { serial, note: Digest::of(&note) };
        // A crash here leaves a signed release that no log names: for a reader it does not exist.
        Self { files: vec![(paths::release_note(serial), note)], entry, written: "publish.note" }
    }

    /// A withdrawal, by its note.
    pub(crate) fn withdrawal(serial: u64, note: Vec<u8>) -> Self {
        Self::noted(serial, note, Entry::Withdraw)
    }

    /// A directory of intake keys, by its note.
    pub(crate) fn directory(serial: u64, note: Vec<u8>) -> Self {
        Self::noted(serial, note, Entry::Directory)
    }

    /// A heartbeat, by its note.
    pub(crate) fn heartbeat(serial: u64, note: Vec<u8>) -> Self {
        Self::noted(serial, note, Entry::Heartbeat)
    }

    fn noted(serial: u64, note: Vec<u8>, entry: fn(Logged) -> Entry) -> Self {
        let entry = entry(Logged { serial, note: Digest::of(&note) });
        // A crash here leaves a signed note that no log names: the next one of its serial takes its place.
        Self { files: vec![(paths::entry_note(serial), note)], entry, written: "publish.entry-note" }
    }
}

/// Logs what was signed, under a checkpoint by `by`: the log's key of the root that is in force then. Says how large the log is then. Errors: among
/// others [`Error::Waiting`], where all of it is done but too few witnesses have cosigned.
pub(crate) fn append(site: &Site, additions: &[Addition], log_key: &LogKey, by: &Key) -> Result<u64> {
    if let Some(archive) = site.archive() {
        must_ask(archive.root(), log_key)?;
    }
    let mut folder = site.folder();
    for addition in additions {
        for (path, bytes) in &addition.files {
            folder.put_atomic(path, bytes)?;
        }
        folder.sync()?;
        crash_point(addition.written);
    }
    let checkpoint = log(site, additions)?;
    let dir = site.dir().to_path_buf();
    if site.archive().is_none() {
        before_first(&dir, log_key)?;
    }
    let signed = log_key.sign(by, &dir, &dir, &checkpoint)?;
    // A crash here leaves the log's key bound to these entries, all of which are here: whoever opens the archive to add to it goes on from here.
    crash_point("publish.signed");
    folder.put_atomic(paths::CHECKPOINT_PENDING, &signed)?;
    // This committed. A crash here leaves a checkpoint that only has to be cosigned, where the root asks for that, and renamed.
    crash_point("publish.pending");
    complete(&dir, log_key)?;
    crash_point("publish.checkpoint");
    Ok(checkpoint.size)
}

/// Appends the entries: bundles and tiles are new files, or have the same bytes as before; no reader looks at them before a checkpoint over them.
fn log(site: &Site, additions: &[Addition]) -> Result<Checkpoint> {
    let mut log = site.log()?;
    for addition in additions {
        log.push(&addition.entry.to_json().map_err(Error::format)?).map_err(Error::format)?;
    }
    let appended = log.finish();
    let mut folder = site.folder();
    if site.archive().is_none() {
        // Tiles of a first publish that was killed, of which nothing was signed; a larger one than this would be left over.
        folder.remove("tile")?;
    }
    for (path, bytes) in &appended.files {
        folder.put_atomic(path, bytes)?;
        // A crash here leaves tiles of a size that no checkpoint states.
        crash_point("publish.tile");
    }
    folder.sync()?;
    crash_point("publish.tiles");
    Ok(Checkpoint { origin: site.origin().to_owned(), size: appended.size, root: appended.root })
}
