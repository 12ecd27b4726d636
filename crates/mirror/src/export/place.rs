//! Where an export may be written: never into the archive, never over somebody's files, never over a newer copy with an older one.

use super::error::{ExportError, Result};
use super::folder::is_temporary;
use super::source::{Source, list};
use daylight_archive::log::TilePath;
use daylight_archive::{Checkpoint, paths};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Whether the place is one file rather than a folder. Errors: it is a file of another kind than can be written.
pub(super) fn is_file(to: &Path) -> Result<bool> {
    let ending = to.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    if to.is_dir() {
        return Ok(false);
    }
    match ending.as_str() {
        "tar" => Ok(true),
        "zip" | "gz" | "tgz" | "xz" | "7z" | "iso" => {
            Err(ExportError::place(to, "name a folder, or a file that ends in .tar: the volumes in it are zip files already"))
        }
        _ if to.is_file() => Err(ExportError::place(to, "is a file; name a folder, or a file that ends in .tar")),
        _ => Ok(false),
    }
}

/// Refuses a place inside the archive, whose folder may have nothing added.
pub(super) fn check_outside(to: &Path, archive: &Path) -> Result<()> {
    let archive = archive.canonicalize().map_err(ExportError::io(archive))?;
    let existing = to.ancestors().find_map(|above| {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        above.canonicalize().ok()
    });
    match existing {
        Some(existing) if existing.starts_with(&archive) => {
            Err(ExportError::place(to, "is inside the archive, to which nothing may be added; name another folder"))
        }
        _ => Ok(()),
    }
}

/// What there is to be done before and after copying into a folder.
pub(super) struct Earlier {
    /// Files that a killed run left under temporary names, to be removed first.
    pub(super) leftovers: Vec<String>,
    /// A pending checkpoint that is not the archive's any more, to be removed once the new checkpoint is there.
    pub(super) stale_pending: bool,
}

/// Looks at what is in the folder `base` already. `copy` is where the archive goes, and `names` are the names of what goes beside it and of folders
/// of ours. Errors: another archive's copy is there, or a newer one, or files that are not ours.
pub(super) fn examine(base: &Path, copy: &str, names: &[&str], source: &Source) -> Result<Earlier> {
    let at = base.join(copy);
    let present = if at.is_dir() { list(&at)? } else { Vec::new() };
    let begun = present.iter().any(|file| file.path == "root/1.json");
    if begun {
        check_same(&at, source)?;
    } else if let Some(file) = present.iter().find(|file| !is_temporary(&file.path)) {
        return Err(not_ours(&at.join(&file.path)));
    } else if let Some(name) = names.iter().find(|name| base.join(name).symlink_metadata().is_ok()) {
        return Err(not_ours(&base.join(name)));
    }
    let wanted: BTreeSet<&str> = source.files.iter().map(|file| file.path.as_str()).collect();
    let mut earlier = Earlier { leftovers: Vec::new(), stale_pending: false };
    for file in present.into_iter().filter(|file| !wanted.contains(file.path.as_str())) {
        if is_temporary(&file.path) {
            earlier.leftovers.push(format!("{copy}/{}", file.path));
        } else if file.path == paths::CHECKPOINT_PENDING {
            earlier.stale_pending = true;
        } else if TilePath::parse(&file.path).is_none() {
            return Err(ExportError::place(&at.join(&file.path), "is no part of the archive; move it away"));
        }
    }
    Ok(earlier)
}

fn not_ours(path: &Path) -> ExportError {
    ExportError::place(path, "is there already and was not made by an export of this archive; name another folder")
}

/// The copy must be of this archive, and of an earlier state of it or the same.
fn check_same(at: &Path, source: &Source) -> Result<()> {
    let first: PathBuf = at.join("root/1.json");
    if std::fs::read(&first).map_err(ExportError::io(&first))? != source.archive.chain().links()[0].json {
        return Err(ExportError::place(at, "holds a copy of another archive; name another folder"));
    }
    let path = at.join(paths::CHECKPOINT);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ExportError::io(&path)(error)),
    };
    let mut keys = source.archive.chain().links().iter().map(|link| &link.root.log);
    // A checkpoint that was torn or tampered with says nothing, and is replaced.
    let Some((there, _)) = keys.find_map(|key| Checkpoint::open(&bytes, key).ok()) else { return Ok(()) };
    if there.size > source.archive.head() {
        let (here, there) = (source.archive.head(), there.size);
        return Err(ExportError::place(at, format!("is newer (log size {there}) than the archive ({here}); nothing was changed")));
    }
    match source.archive.checkpoint_at(there.size) {
        Some(same) if same.root == there.root => Ok(()),
        _ => Err(ExportError::place(
            at,
            "has another log under the same name and key: one of the two was forged. Keep both, and tell others",
        )),
    }
}
