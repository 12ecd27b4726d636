//! Fresh cosignatures for a checkpoint that has not changed: a reader who asks what witnesses saw lately must be given an answer though nothing was published.

use crate::promise::LogKey;
use crate::site::{Holder, Site};
use crate::witness::{alone, complete};
use crate::{Error, Result, Witnessing};
use daylight_archive::note::Note;
use daylight_archive::paths;
use daylight_durable::crash_point;
use std::fs;
use std::path::Path;

/// A checkpoint that enough witnesses have just seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The archive's name.
    pub origin: String,
    /// The size of the log.
    pub size: u64,
    /// How many witnesses have cosigned it.
    pub witnesses: usize,
    /// What the user should know of witnesses.
    pub warnings: Vec<String>,
}

/// Has the witnesses of an archive cosign its newest checkpoint again; one that waits for them is brought to its end. No editor's key is needed: nothing is
/// said but that the log is as it was. Errors: among others [`Error::Waiting`], where too few answered; then readers are shown the older cosignatures.
pub fn cosign(archive: &Path, log_key: &Path, witnessing: &Witnessing) -> Result<Cosigned> {
    // Made by whoever began the archive; a new one would be a stranger's.
    log_key.metadata().map_err(|error| Error::Unread(log_key.to_owned(), error))?;
    let mut log_key = LogKey::open(log_key, None)?.asking(Some(witnessing));
    let site = Site::open(archive, &mut log_key, Holder::Same)?;
    let opened = site.archive().ok_or_else(|| Error::NoRoot(site.dir().to_owned()))?;
    if log_key.promised_size() > site.size() {
        return Err(site.rolled_back(log_key.promised_size()));
    }
    let policy = &opened.root().witnesses;
    if policy.members().is_empty() {
        return Err(Error::NoWitnesses(site.origin().to_owned()));
    }
    if !site.resumed() {
        // Without the cosignatures that it has: only new ones are to count.
        let newest = alone(opened.checkpoint_note(), &opened.root().log)?;
        site.folder().put_atomic(paths::CHECKPOINT_PENDING, &newest.to_bytes())?;
        // A crash here leaves the checkpoint that readers see pending beside itself: whoever opens the archive next has it cosigned.
        crash_point("publish.cosign");
        complete(site.dir(), &log_key)?;
    }
    let bytes = fs::read(site.path(paths::CHECKPOINT)).map_err(Error::io(site.path(paths::CHECKPOINT)))?;
    let note = Note::parse(&bytes).map_err(Error::format)?;
    let seen = policy.witnessed(&note).map_err(Error::format)?;
    let witnesses = seen.witnesses.iter().filter(|seen| seen.time.is_some()).count();
    Ok(Cosigned { origin: site.origin().to_owned(), size: site.size(), witnesses, warnings: log_key.heard() })
}
