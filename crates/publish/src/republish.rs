//! Publishing what was sealed: the unsealed folder is what a draft is elsewhere, so no desk is needed.

use crate::commit::{Addition, append};
use crate::content::Content;
use crate::editors::Editors;
use crate::key::SigningKeyFile;
use crate::promise::LogKey;
use crate::request::{Request, Statement};
use crate::site::{Holder, Site};
use crate::unseal::{Approved, Skipped, Unsealed};
use crate::{Error, Progress, Published, Result, Waiting, release};
use daylight_archive::Archive;
use std::path::Path;

/// What was sealed and is to be published now, where, and signed with what.
#[derive(Clone, Copy)]
pub struct UnsealedJob<'a> {
    /// The folder that [`crate::unseal()`] made.
    pub unsealed: &'a Path,
    /// The archive's folder: the one that the release was sealed for.
    pub archive: &'a Path,
    /// The keys of the editors who sign here and now; where they are fewer than must sign, the others are asked by a request.
    pub editors: &'a [SigningKeyFile],
    /// A request for this release on which enough have signed. The keys are not needed then.
    pub request: Option<&'a Request>,
    /// The file of the log's key. Beside it stands what it signed last.
    pub log_key: &'a Path,
}

/// What came of publishing a sealed release.
#[derive(Debug, Clone)]
pub struct UnsealedOutcome {
    /// The release, unless all of it is in the archive.
    pub published: Option<Published>,
    /// The release that waits for signatures, where too few keys were given to sign it.
    pub waiting: Option<Waiting>,
    /// Documents that were not published with the others.
    pub skipped: Vec<Skipped>,
    /// The version of the root whose editors approved what was sealed.
    pub root_version: u64,
    /// The names of those who did.
    pub approved_by: Vec<String>,
    /// What the user should know besides.
    pub warnings: Vec<String>,
}

/// Publishes what was sealed, once k editors' approval of it was checked against the archive's roots, in the order and with the promise of
/// [`crate::publish()`]. It is signed like any release, by k editors of the root in force now; its numbers, salts, title and time are those it
/// was sealed with.
pub fn publish_unsealed(job: &UnsealedJob<'_>, progress: &mut dyn FnMut(Progress)) -> Result<UnsealedOutcome> {
    let unsealed = Unsealed::open(job.unsealed)?;
    if let Err(error) = job.log_key.metadata() {
        return Err(Error::Unread(job.log_key.to_owned(), error));
    }
    // Opened before it is held, so that nothing is made where there is none.
    Archive::open(job.archive)?;
    let mut log_key = LogKey::open(job.log_key, Some(&unsealed.told().origin))?;
    let site = Site::open(job.archive, &mut log_key, Holder::Same)?;
    let archive = site.archive().ok_or_else(|| Error::NoRoot(job.archive.to_owned()))?;
    let approved = unsealed.approved(archive)?;
    let warnings = job.editors.iter().chain([log_key.file()]).filter_map(SigningKeyFile::warning).collect();
    let mut outcome = UnsealedOutcome {
        published: None,
        waiting: None,
        skipped: approved.skipped().to_vec(),
        root_version: approved.root_version(),
        approved_by: approved.editors().to_vec(),
        warnings,
    };
    if Content::len(&approved) == 0 {
        return Ok(outcome);
    }
    if log_key.promised_size() > site.size() {
        return Err(site.rolled_back(log_key.promised_size()));
    }
    let editors = Editors::in_force(archive, job.editors)?;
    let written = release::write(&site, &approved, progress)?;
    let note = approved.note(site.origin(), editors.root, written.manifest);
    let signed = match job.request {
        Some(request) => signed_on_request(request, &note, &approved)?,
        None if editors.enough => editors.sign(note.note().map_err(Error::format)?).to_bytes(),
        None => {
            outcome.waiting = Some(editors.ask(&site, &note, &written)?);
            return Ok(outcome);
        }
    };
    let size = append(&site, &[Addition::release(note.serial, signed)], &log_key, &log_key.key())?;
    outcome.published = Some(Published {
        origin: site.origin().to_owned(),
        serial: note.serial,
        documents: note.lines,
        bytes: written.bytes,
        size,
        root: site.path("root/1.json"),
        resumed: false,
    });
    Ok(outcome)
}

/// The note that was signed on request, if it is this one.
fn signed_on_request(request: &Request, note: &daylight_archive::release::ReleaseNote, approved: &Approved<'_>) -> Result<Vec<u8>> {
    match request.statement() {
        Statement::Release { note: asked, .. } if asked == note => {
            request.require_complete()?;
            Ok(request.note().to_bytes())
        }
        Statement::Release { .. } => Err(Error::OtherRelease { serial: approved.serial(), origin: note.origin.clone() }),
        _ => Err(Error::OtherKind(request.kind().word())),
    }
}
