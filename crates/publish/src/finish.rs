//! The second half of a release that was signed by editors on machines of their own.

use crate::commit::{Addition, append};
use crate::promise::LogKey;
use crate::request::{Request, Statement};
use crate::site::{Holder, Site};
use crate::witness::must_ask;
use crate::{Error, Outcome, Progress, Result, Witnessing, close, finish_published, release};
use daylight_archive::release::ReleaseNote;
use daylight_review::{Desk, Draft, is_still_clear, open_drafts};
use std::path::Path;

/// What is to be finished.
#[derive(Clone, Copy)]
pub struct Finish<'a> {
    /// The request with the signatures collected, of as many copies as were signed: [`Request::merge`].
    pub request: &'a Request,
    /// The archive's folder.
    pub archive: &'a Path,
    /// The file of the log's key.
    pub log_key: &'a Path,
    /// How witnesses are asked, where the archive's root names some.
    pub witnessing: Option<&'a Witnessing>,
}

/// Publishes a release that k editors signed on request. The bytes are those of [`crate::publish()`] with the same keys; killed at any instant and called
/// again, it goes on; what is in the archive already is nothing to publish.
///
/// The release is written again from its draft, so that whatever was done to the staged files meanwhile, what is published is what was signed. Errors: too
/// few signed, the archive moved on, the desk did not draft this release, or something in it is no longer cleared.
pub fn finish(desk: &mut Desk, job: &Finish<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Outcome> {
    let Statement::Release { note, .. } = job.request.statement() else {
        return Err(Error::OtherKind(job.request.kind().word()));
    };
    let mut log_key = LogKey::open(job.log_key, Some(&note.origin))?.asking(job.witnessing);
    let site = Site::open(job.archive, &mut log_key, Holder::Same)?;
    let mut outcome = Outcome { published: finish_published(desk, &site)?, waiting: None, withheld: Vec::new(), warnings: log_key.heard() };
    if outcome.published.as_ref().is_some_and(|published| published.serial == note.serial) {
        return Ok(outcome);
    }
    if site.release(note.serial) == Some(&**note) {
        return Ok(outcome);
    }
    site.archive().map_or(Ok(()), |archive| must_ask(archive.root(), &log_key))?;
    check_follows(&site, note, &log_key)?;
    job.request.require_complete()?;
    let draft = drafted(desk, note)?;
    if !is_still_clear(desk, &draft)? {
        return Err(Error::NoLongerClear(note.serial));
    }
    let written = release::write(&site, &draft, progress)?;
    if written.manifest != note.manifest {
        return Err(Error::OtherRelease { serial: note.serial, origin: note.origin.clone() });
    }
    let size = append(&site, &[Addition::release(note.serial, job.request.note().to_bytes())], &log_key, &log_key.key())?;
    outcome.warnings.extend(log_key.heard());
    outcome.published = Some(close(&site, draft, written.bytes, size, false)?);
    Ok(outcome)
}

/// The archive must be where it was when the request was made.
fn check_follows(site: &Site, note: &ReleaseNote, log_key: &LogKey) -> Result<()> {
    let (dir, serial) = (site.dir().to_owned(), note.serial);
    let Some(archive) = site.archive() else { return Err(Error::NoRoot(dir)) };
    if log_key.promised_size() > site.size() {
        return Err(site.rolled_back(log_key.promised_size()));
    }
    match archive.release(serial) {
        Some(_) => Err(Error::MovedOn { archive: dir, why: format!("it has another release {serial} by now") }),
        None if serial != site.next_serial() => Err(Error::MovedOn {
            archive: dir,
            why: format!("release {serial} was signed for, and release {} is next", site.next_serial()),
        }),
        None if note.root != archive.root_digest() => {
            Err(Error::MovedOn { archive: dir, why: format!("root {} is in force by now, and another was named", archive.root().version) })
        }
        None => Ok(()),
    }
}

/// The draft that this note was made of.
fn drafted(desk: &Desk, note: &ReleaseNote) -> Result<Draft> {
    let is_it = |draft: &Draft| {
        let time = i64::try_from(draft.time()).unwrap_or(i64::MAX);
        (draft.serial(), draft.collection(), draft.audit_head()) == (note.serial, note.collection.as_str(), note.audit)
            && (draft.len(), draft.title(), time) == (note.lines, note.title.as_str(), note.time)
    };
    let found = open_drafts(desk, &note.origin)?.into_iter().find(is_it);
    found.ok_or_else(|| Error::OtherRelease { serial: note.serial, origin: note.origin.clone() })
}
