//! Where an export may be written: never into the archive, never over somebody's files, never over a newer copy with an older one.

use super::error::{ExportError, Result};
use super::folder::is_temporary;
use super::readme;
use super::source::{Source, list};
use daylight_archive::log::TilePath;
use daylight_archive::{Checkpoint, paths};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// More than any root or checkpoint has.
const MAX_SMALL: u64 = 4 << 20;

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

/// Looks at what is in the folder `base` already. `copy` is where the archive goes, and `names` are the names of files that go beside that. Errors:
/// another archive's copy is there, or a newer one, or files that are not ours.
pub(super) fn examine(base: &Path, copy: &str, names: &[&str], source: &Source) -> Result<Earlier> {
    let top = copy.split('/').next().unwrap_or(copy);
    let present = match base.join(top).symlink_metadata() {
        Ok(found) if found.is_dir() => list(&base.join(top))?,
        // A link would lead out of the place that was named.
        Ok(_) => return Err(ExportError::place(&base.join(top), "is no folder; move it away")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(ExportError::io(&base.join(top))(error)),
    };
    let present: Vec<String> = present.into_iter().map(|file| format!("{top}/{}", file.path)).collect();
    if is_marked(base, copy) {
        check_same(&base.join(copy), source)?;
    } else if let Some(path) = present.iter().find(|path| !is_temporary(path)) {
        return Err(not_ours(&base.join(path)));
    } else if let Some(name) = names.iter().find(|name| base.join(name).symlink_metadata().is_ok()) {
        return Err(not_ours(&base.join(name)));
    }
    let wanted: BTreeSet<&str> = source.files.iter().map(|file| file.path.as_str()).collect();
    let mut earlier = Earlier { leftovers: Vec::new(), stale_pending: false };
    for path in present {
        if is_temporary(&path) {
            earlier.leftovers.push(path);
            continue;
        }
        let Some(inside) = path.strip_prefix(copy).and_then(|rest| rest.strip_prefix('/')) else { continue };
        if inside == paths::CHECKPOINT_PENDING {
            earlier.stale_pending = !wanted.contains(inside);
        } else if !wanted.contains(inside) && TilePath::parse(inside).is_none() {
            return Err(ExportError::place(&base.join(&path), "is no part of the archive; move it away"));
        }
    }
    Ok(earlier)
}

/// Whether an export was begun here: its first file says so. That an archive lies here is not enough, for then what stands beside it is somebody's.
fn is_marked(base: &Path, copy: &str) -> bool {
    let path = base.join(copy).with_file_name(readme::MARK);
    let mut begins = [0; readme::MARKED.len()];
    let plain = path.symlink_metadata().is_ok_and(|found| found.is_file());
    plain && File::open(path).and_then(|mut file| file.read_exact(&mut begins)).is_ok() && begins == readme::MARKED
}

fn not_ours(path: &Path) -> ExportError {
    ExportError::place(path, "is there already and was not made by an export of this archive; name another folder")
}

/// The copy must be of this archive, and of an earlier state of it or the same.
fn check_same(at: &Path, source: &Source) -> Result<()> {
    let first = source.archive.chain().links()[0].json.as_slice();
    if small(&at.join("root/1.json"))?.is_some_and(|there| there != first) {
        return Err(ExportError::place(at, "holds a copy of another archive; name another folder"));
    }
    let Some(bytes) = small(&at.join(paths::CHECKPOINT))? else { return Ok(()) };
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

/// The bytes of a small file, as far as it can be one; `None` where there is none.
fn small(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(MAX_SMALL).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ExportError::io(path)(error)),
    }
}
