//! Makes a release part of the archive: root, note, log, checkpoint.

use crate::promise::LogKey;
use crate::release::Written;
use crate::site::{Editors, Site};
use crate::witness::{self, Witnessing};
use crate::{Error, Result};
use daylight_archive::entry::Entry;
use daylight_archive::release::ReleaseNote;
use daylight_archive::root::Root;
use daylight_archive::{Checkpoint, Signer, paths};
use daylight_durable::crash_point;
use daylight_model::Digest;
use daylight_review::Draft;

/// Signs the release that was written and logs it. Says how large the log is then.
///
/// Signatures are deterministic (RFC 8032) and times are the draft's, so whatever of this is done twice gives the same bytes.
pub(crate) fn commit(
    site: &mut Site,
    draft: &Draft,
    written: &Written,
    editors: &Editors<'_>,
    log_key: &LogKey,
    witnessing: Option<Witnessing<'_>>,
) -> Result<u64> {
    let mut folder = site.folder();
    let mut entries = Vec::new();
    let root = match &editors.first_root {
        Some(root) => {
            let (json, sig) = signed_root(root, &editors.signers)?;
            folder.put_atomic(&paths::root_json(1), &json)?;
            folder.put_atomic(&paths::root_sig(1), &sig)?;
            folder.sync()?;
            // A crash here leaves a root that no log names; the folder is not an archive yet.
            crash_point("publish.root");
            entries.push(Entry::Root { version: 1, json: Digest::of(&json) });
            Digest::of(&json)
        }
        None => site.archive().map(|archive| archive.root_digest()).ok_or_else(|| Error::Format("the archive has no root".into()))?,
    };
    let note = note(site, draft, written, root, &editors.signers)?;
    folder.put(&paths::release_note(draft.serial()), &note)?;
    folder.sync()?;
    // A crash here leaves a signed release that no log names: for a reader it does not exist.
    crash_point("publish.note");
    entries.push(Entry::Release { serial: draft.serial(), note: Digest::of(&note) });
    let checkpoint = log(site, &entries)?;
    let dir = site.dir().to_path_buf();
    if let Some(root) = &editors.first_root {
        witness::before_first(&dir, &root.witnesses, log_key, witnessing)?;
    }
    let signed = log_key.sign(&dir, &dir, &checkpoint)?;
    // A crash here leaves the log's key bound to this release: the next publish must end with this very checkpoint, and the draft makes it so.
    crash_point("publish.signed");
    folder.put_atomic(paths::CHECKPOINT_PENDING, &signed)?;
    // This committed. A crash here leaves a checkpoint that only has to be cosigned, where that is needed, and renamed.
    crash_point("publish.pending");
    site.warnings.extend(witness::complete(&dir, log_key, witnessing)?);
    crash_point("publish.checkpoint");
    Ok(checkpoint.size)
}

fn signed_root(root: &Root, signers: &[&Signer]) -> Result<(Vec<u8>, Vec<u8>)> {
    let json = root.to_json().map_err(Error::format)?;
    let mut note = root.note().map_err(Error::format)?;
    signers.iter().for_each(|signer| note.sign(signer));
    Ok((json, note.to_bytes()))
}

fn note(site: &Site, draft: &Draft, written: &Written, root: Digest, signers: &[&Signer]) -> Result<Vec<u8>> {
    let note = ReleaseNote {
        origin: site.origin().to_owned(),
        serial: draft.serial(),
        root,
        collection: draft.collection().to_owned(),
        lines: draft.len(),
        manifest: written.manifest,
        audit: draft.audit_head(),
        time: i64::try_from(draft.time()).unwrap_or(i64::MAX),
        title: draft.title().to_owned(),
    };
    let mut note = note.note().map_err(Error::format)?;
    signers.iter().for_each(|signer| note.sign(signer));
    Ok(note.to_bytes())
}

/// Appends the entries: bundles and tiles are new files, or have the same bytes as before; no reader looks at them before a checkpoint over them.
fn log(site: &Site, entries: &[Entry]) -> Result<Checkpoint> {
    let mut log = site.log()?;
    for entry in entries {
        log.push(&entry.to_json().map_err(Error::format)?).map_err(Error::format)?;
    }
    let appended = log.finish();
    let mut folder = site.folder();
    for (path, bytes) in &appended.files {
        folder.put_atomic(path, bytes)?;
        // A crash here leaves tiles of a size that no checkpoint states.
        crash_point("publish.tile");
    }
    folder.sync()?;
    crash_point("publish.tiles");
    Ok(Checkpoint { origin: site.origin().to_owned(), size: appended.size, root: appended.root })
}
