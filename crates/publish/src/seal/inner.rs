//! What makes the staged release an archive of its own: a root, a note, a log. The keys that sign them are made here and forgotten, so nothing
//! can ever be added to it; who may be believed is in the editors' approval beside it.

use crate::approval::inner_origin;
use crate::content::Content;
use crate::files::Folder;
use crate::key::fresh;
use crate::{Error, Result};
use daylight_archive::entry::Entry;
use daylight_archive::log::{LogAppender, empty_root};
use daylight_archive::policy::Policy;
use daylight_archive::release::ReleaseNote;
use daylight_archive::root::{Quorum, Root};
use daylight_archive::{Checkpoint, paths};
use daylight_model::Digest;
use std::path::Path;

/// The name of the key that signs inside a seal.
const EDITOR: &str = "sealed";

pub(super) fn complete(dir: &Path, content: &dyn Content, told: &ReleaseNote) -> Result<()> {
    let origin = inner_origin(told);
    let (editor, log) = (fresh(EDITOR)?, fresh(&origin)?);
    let root = Root {
        version: 1,
        origin: origin.clone(),
        editors: Quorum { keys: vec![editor.key()], threshold: 1 },
        recovery: Quorum { keys: Vec::new(), threshold: 0 },
        log: log.key(),
        retired: Vec::new(),
        witnesses: Policy::none(),
        mirrors: Vec::new(),
        onions: Vec::new(),
    };
    let json = root.to_json().map_err(Error::format)?;
    let mut sig = root.note().map_err(Error::format)?;
    sig.sign(&editor);
    let mut note = content.note(&origin, Digest::of(&json), told.manifest).note().map_err(Error::format)?;
    note.sign(&editor);
    let note = note.to_bytes();
    let entries = [Entry::Root { version: 1, json: Digest::of(&json) }, Entry::Release { serial: 1, note: Digest::of(&note) }];
    let mut appender = LogAppender::load(&dir.to_path_buf(), 0, &empty_root()).map_err(Error::format)?;
    for entry in entries {
        appender.push(&entry.to_json().map_err(Error::format)?).map_err(Error::format)?;
    }
    let appended = appender.finish();
    let checkpoint = Checkpoint { origin, size: appended.size, root: appended.root }.sign(&log).map_err(Error::format)?;
    let mut folder = Folder::new(dir);
    folder.put(&paths::root_json(1), &json)?;
    folder.put(&paths::root_sig(1), &sig.to_bytes())?;
    folder.put(&paths::release_note(1), &note)?;
    for (path, bytes) in &appended.files {
        folder.put(path, bytes)?;
    }
    folder.put(paths::CHECKPOINT, &checkpoint.to_bytes())
}
