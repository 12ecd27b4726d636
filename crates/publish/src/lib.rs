//! From what editors cleared to a signed archive: [`publish()`] writes a release in an order in which a crash between any two steps leaves either
//! the archive as it was or the new one, and doing it again ends the same bytes. Where not all who must sign are there, it writes a [`request`] for their
//! signatures, and [`finish()`] goes on once they are collected. [`roots`] says who the editors are. [`key`] keeps the keys that sign.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::print_stderr))]

mod approval;
mod asking;
mod commit;
mod content;
mod cosign;
mod earlier;
mod editors;
mod entries;
mod error;
mod files;
mod finish;
pub mod key;
mod promise;
mod release;
mod republish;
pub mod request;
mod request_file;
pub mod roots;
mod seal;
mod site;
pub mod staged;
mod tar;
mod unseal;
pub mod withdraw;
mod witness;

#[cfg(test)]
mod tests;

pub use approval::{parse_seal_text, seal_text};
pub use asking::{Witnesses, Witnessing};
pub use cosign::{Cosigned, cosign};
pub use entries::{Listing, Logged, ask_directory, ask_heartbeat, log_directory, log_heartbeat};
pub use error::{Error, Result};
pub use finish::{Finish, finish};
pub use key::{KeyError, Passphrase, SigningKeyFile, public_path};
pub use republish::{UnsealedJob, UnsealedOutcome, publish_unsealed};
pub use request_file::{read_request, write_request};
pub use seal::{AskedToSeal, SealOutcome, SealTo, Sealed, ToSeal, ask_to_seal, finish_seal, remove_staged, seal};
pub use unseal::{Approved, Skipped, Unsealed, unseal};

use commit::{Addition, append};
use content::Content;
use daylight_archive::{Archive, paths};
use daylight_review::{Desk, Draft, Refusal, Target, draft, gave_up, open_drafts};
use editors::Editors;
use promise::LogKey;
use request::Request;
use site::{Holder, Site};
use std::path::{Path, PathBuf};
use witness::must_ask;

/// What is to be published, where, and signed with what.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// Its title in this release; `None` keeps the one it has, or takes the name where it has none.
    pub title: Option<&'a str>,
    /// The archive's folder, made if there is none.
    pub archive: &'a Path,
    /// The keys of the editors who sign here and now; where they are fewer than must sign, the others are asked by a request.
    pub editors: &'a [SigningKeyFile],
    /// How many editors must sign each release, said when the archive is begun: `None` is one of one, or more than half.
    pub threshold: Option<usize>,
    /// The file of the log's key, made if there is none. Beside it stands what it signed last.
    pub log_key: &'a Path,
    /// The archive's name if it is to be another than the log key's own, said when the log's key is made.
    pub origin: Option<&'a str>,
    /// How witnesses are asked, where the archive's root names some. Without it nothing can be published that needs them.
    pub witnessing: Option<&'a Witnessing>,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The release, unless there was nothing new to publish.
    pub published: Option<Published>,
    /// The release that waits for signatures, where too few keys were given to sign it.
    pub waiting: Option<Waiting>,
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

/// A release whose files stand in the archive's folder and whose note is not signed by enough editors. No reader sees it.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// What the editors are asked, signed already by those whose keys were given.
    pub request: Request,
    /// The release's serial.
    pub serial: u64,
    /// How many documents it has.
    pub documents: u64,
    /// How many bytes of theirs were written.
    pub bytes: u64,
    /// The folder in the archive in which it is staged.
    pub staged: PathBuf,
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
/// entries and tiles; what the log's key is about to sign, beside the key; `checkpoint.pending`, which commits; the cosignatures of witnesses, where
/// the root asks for some; `checkpoint`; the draft marked as done.
/// Where fewer keys were given than must sign, it stops before the note, and gives a request for it.
pub fn publish(desk: &mut Desk, job: &Job<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Outcome> {
    let mut log_key = LogKey::open(job.log_key, job.origin)?.asking(job.witnessing);
    take_back_forgotten(desk, job.archive, &mut log_key)?;
    let site = Site::open(job.archive, &mut log_key, Holder::Same)?;
    let mut warnings: Vec<String> = job.editors.iter().chain([log_key.file()]).filter_map(SigningKeyFile::warning).collect();
    warnings.dedup();
    let finished = finish_published(desk, &site)?;
    warnings.extend(forgotten_but_public(desk, &site)?);
    site.archive().map_or(Ok(()), |archive| must_ask(archive.root(), &log_key))?;
    let target = target(desk, job, &site, &log_key)?;
    let editors = Editors::of(&site, job, &log_key)?;
    let drafted = draft(desk, job.collection, &target, job.now)?;
    let mut outcome = Outcome { published: finished, waiting: None, withheld: drafted.withheld, warnings };
    outcome.warnings.extend(log_key.heard());
    let Some(draft) = drafted.draft else { return Ok(outcome) };
    let written = release::write(&site, &draft, progress)?;
    let note = Content::note(&draft, site.origin(), editors.root, written.manifest);
    if !editors.enough {
        outcome.waiting = Some(editors.ask(&site, &note, &written)?);
        return Ok(outcome);
    }
    let signed = editors.sign(note.note().map_err(Error::format)?);
    let mut additions: Vec<Addition> = editors.first_root.into_iter().map(|(json, sig)| Addition::root(1, json, sig)).collect();
    additions.push(Addition::release(draft.serial(), signed.to_bytes()));
    let size = append(&site, &additions, &log_key, &log_key.key())?;
    outcome.warnings.extend(log_key.heard());
    // Who was away before anything was signed may still have been afterwards.
    outcome.warnings.dedup();
    outcome.published = Some(close(&site, draft, written.bytes, size, drafted.resumed)?);
    Ok(outcome)
}

/// Marks the draft of a release as done that was logged.
fn close(site: &Site, draft: Draft, bytes: u64, size: u64, resumed: bool) -> Result<Published> {
    let published = Published {
        origin: site.origin().to_owned(),
        serial: draft.serial(),
        documents: draft.len(),
        bytes,
        size,
        root: site.path("root/1.json"),
        resumed,
    };
    // A crash here leaves a release that is published and a draft that is open: the next publish sees that and closes it.
    draft.finish()?;
    daylight_durable::crash_point("publish.finished");
    Ok(published)
}

/// Marks a draft as done whose release is in the archive: a publish was killed between the one and the other.
fn finish_published(desk: &Desk, site: &Site) -> Result<Option<Published>> {
    let mut finished = None;
    for open in open_drafts(desk, site.origin())? {
        let Some(note) = site.release(open.serial()) else { continue };
        if note.collection != open.collection() || note.audit != open.audit_head() || note.lines != open.len() {
            return Err(Error::OtherRelease { serial: open.serial(), origin: site.origin().to_owned() });
        }
        finished = Some(close(site, open, 0, site.size(), true)?);
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

/// Where something was forgotten that stands in a release which the log's key has signed and nobody was given, takes the signature back and removes what was written
/// of the release. This comes before the archive is opened, which would finish what was signed.
fn take_back_forgotten(desk: &Desk, dir: &Path, log_key: &mut LogKey) -> Result<()> {
    // What was given out stands in `checkpoint.pending`, and is put in its place when the archive is opened.
    if dir.join(paths::CHECKPOINT_PENDING).exists() {
        return Ok(());
    }
    let archive = if dir.join(paths::CHECKPOINT).exists() { Some(Archive::open(dir)?) } else { None };
    let (serial, size) = archive.as_ref().map_or((1, 0), |archive| (archive.releases().len() as u64 + 1, archive.head()));
    if !gave_up(desk, log_key.origin(), serial)? {
        return Ok(());
    }
    release::remove_leftovers(dir, serial)?;
    if log_key.promised_size() > size {
        let path = dir.join(paths::CHECKPOINT);
        log_key.take_back(archive.map(|_| std::fs::read(&path).map_err(Error::io(&path))).transpose()?)?;
    }
    Ok(())
}

/// What the next release must follow on from. A log's key that has signed more than the archive has may only finish the very release it signed.
fn target(desk: &Desk, job: &Job<'_>, site: &Site, log_key: &LogKey) -> Result<Target> {
    let serial = site.next_serial();
    let signed = log_key.promised_size() > site.size();
    if signed {
        let open: Vec<Draft> = open_drafts(desk, site.origin())?;
        if !open.iter().any(|open| open.serial() == serial) {
            return Err(site.rolled_back(log_key.promised_size()));
        }
    }
    let (highest, title) = site.collection(job.collection)?;
    let title = job.title.map(str::to_owned).or(title).unwrap_or_else(|| job.collection.to_owned());
    let withdrawn = site.withdrawn(job.collection)?;
    Ok(Target { origin: site.origin().to_owned(), serial, highest, title, withdrawn, signed })
}
