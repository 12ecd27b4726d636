//! From what editors cleared to a signed archive: [`publish()`] writes a release in an order in which a crash between any two steps leaves either
//! the archive as it was or the new one, and doing it again ends the same bytes. [`key`] keeps the keys that sign.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::print_stderr))]

mod commit;
mod earlier;
mod error;
mod files;
pub mod key;
mod promise;
mod release;
mod site;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use key::{KeyError, Passphrase, SigningKeyFile, public_path};

use daylight_review::{Desk, Draft, Refusal, Target, draft, gave_up, open_drafts};
use site::Site;
use std::path::{Path, PathBuf};

/// What is to be published, where, and signed with what.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// Its title in this release; `None` keeps the one it has, or takes the name where it has none.
    pub title: Option<&'a str>,
    /// The archive's folder, made if there is none.
    pub archive: &'a Path,
    /// The keys of the editors who sign.
    pub editors: &'a [SigningKeyFile],
    /// How many editors must sign each release, said when the archive is begun: `None` is one of one, or more than half.
    pub threshold: Option<usize>,
    /// The file of the log's key, made if there is none. Beside it stands what it signed last.
    pub log_key: &'a Path,
    /// The archive's name if it is to be another than the log key's own, said when the log's key is made.
    pub origin: Option<&'a str>,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The release, unless there was nothing new to publish.
    pub published: Option<Published>,
    /// Documents that are cleared but were not published because of what they contain.
    pub withheld: Vec<Refusal>,
    /// What the user should know besides.
    pub warnings: Vec<String>,
}

/// A release that is in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The archive's name.
    pub origin: String,
    /// The release's serial.
    pub serial: u64,
    /// How many documents it has.
    pub documents: u64,
    /// How many bytes of theirs were written; what the archive had already is not written again.
    pub bytes: u64,
    /// The size of the log that the new checkpoint signs.
    pub size: u64,
    /// The first root's file: whoever pins it can check everything that follows.
    pub root: PathBuf,
    /// Whether this finished a publish that had been interrupted.
    pub resumed: bool,
}

/// How far a publish has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Documents written.
    pub documents: u64,
    /// Documents in all.
    pub of: u64,
}

/// Publishes what is cleared in a collection and not in the archive yet. Killed at any instant and called again, it finishes the release that was
/// drafted, with the same bytes.
///
/// The order is: the draft in the catalogue; volumes, manifest and tree of the release; the first root where there is none; the note; the log's
/// entries and tiles; what the log's key is about to sign, beside the key; `checkpoint.pending`, which commits; `checkpoint`; the draft marked as done.
pub fn publish(desk: &mut Desk, job: &Job<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Outcome> {
    let mut log_key = promise::LogKey::open(job.log_key, job.origin)?;
    let mut site = Site::open(job.archive, &log_key)?;
    let mut warnings: Vec<String> = job.editors.iter().chain([log_key.file()]).filter_map(SigningKeyFile::warning).collect();
    let finished = finish_published(desk, &site)?;
    warnings.extend(forgotten_but_public(desk, &site)?);
    let target = target(desk, job, &site, &mut log_key)?;
    let editors = site.editors(job, &log_key)?;
    let drafted = draft(desk, job.collection, &target, job.now)?;
    let Some(draft) = drafted.draft else {
        return Ok(Outcome { published: finished, withheld: drafted.withheld, warnings });
    };
    let written = release::write(&site, &draft, progress)?;
    let size = commit::commit(&mut site, &draft, &written, &editors, &log_key)?;
    warnings.dedup();
    let published = Published {
        origin: target.origin,
        serial: draft.serial(),
        documents: draft.len(),
        bytes: written.bytes,
        size,
        root: site.path("root/1.json"),
        resumed: drafted.resumed,
    };
    // A crash here leaves a release that is published and a draft that is open: the next publish sees that and closes it.
    draft.finish()?;
    daylight_durable::crash_point("publish.finished");
    Ok(Outcome { published: Some(published), withheld: drafted.withheld, warnings })
}

/// Marks a draft as done whose release is in the archive: a publish was killed between the one and the other.
fn finish_published(desk: &Desk, site: &Site) -> Result<Option<Published>> {
    let mut finished = None;
    for open in open_drafts(desk, site.origin())? {
        let Some(note) = site.release(open.serial()) else { continue };
        if note.collection != open.collection() || note.audit != open.audit_head() || note.lines != open.len() {
            return Err(Error::OtherRelease { serial: open.serial(), origin: site.origin().to_owned() });
        }
        finished = Some(Published {
            origin: site.origin().to_owned(),
            serial: open.serial(),
            documents: open.len(),
            bytes: 0,
            size: site.size(),
            root: site.path("root/1.json"),
            resumed: true,
        });
        open.finish()?;
    }
    Ok(finished)
}

/// A release that was committed when something in it was forgotten: nothing can take it back.
fn forgotten_but_public(desk: &Desk, site: &Site) -> Result<Option<String>> {
    let last = site.next_serial() - 1;
    Ok((last > 0 && gave_up(desk, site.origin(), last)?).then(|| {
        format!("release {last} holds what was forgotten here, for it was committed before that: it is public, and must be withdrawn if nobody may see it")
    }))
}

/// What the next release must follow on from. A log's key that has signed more than the archive has may only finish the very release it signed; unless
/// something in that was forgotten: then what was signed and never given out is taken back, and what was written of it goes.
fn target(desk: &Desk, job: &Job<'_>, site: &Site, log_key: &mut promise::LogKey) -> Result<Target> {
    let serial = site.next_serial();
    if gave_up(desk, site.origin(), serial)? {
        release::remove_leftovers(site, serial)?;
        if log_key.promised_size() > site.size() {
            // What was given out stands in `checkpoint.pending`, and was put in its place when the archive was opened.
            log_key.take_back(site.checkpoint()?)?;
        }
    }
    let signed = log_key.promised_size() > site.size();
    if signed {
        let open: Vec<Draft> = open_drafts(desk, site.origin())?;
        if !open.iter().any(|open| open.serial() == serial) {
            return Err(site.rolled_back(log_key.promised_size()));
        }
    }
    let (highest, title) = site.collection(job.collection)?;
    let title = job.title.map(str::to_owned).or(title).unwrap_or_else(|| job.collection.to_owned());
    Ok(Target { origin: site.origin().to_owned(), serial, highest, title, signed })
}
