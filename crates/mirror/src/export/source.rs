use super::error::{ExportError, Result};
use daylight_archive::{Archive, Progress, paths, verify};
use std::fs::{self, File, TryLockError};
use std::path::Path;

/// The deepest folder that is looked into; no file of an archive stands deeper.
const MAX_DEPTH: usize = 16;

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its path, relative to the archive, with `/` between its parts.
    pub(super) path: String,
    /// How many bytes it has.
    pub(super) length: u64,
}

/// An archive every byte of which was found good, held against those who would add to it meanwhile.
pub(super) struct Source {
    pub(super) archive: Archive,
    /// Its files in the order in which they are copied: the roots first, the checkpoint last.
    pub(super) files: Vec<Found>,
    pub(super) bytes: u64,
    /// Whether the archive follows from the root that was given.
    pub(super) anchored: bool,
    _lock: Option<File>,
}

impl Source {
    /// Opens and verifies an archive. `pinned` is a root that the caller trusts. Errors: somebody writes to it, or a file is damaged, missing or
    /// added.
    pub(super) fn open(dir: &Path, pinned: Option<&[u8]>, progress: &mut dyn FnMut(u64, u64)) -> Result<Self> {
        let lock = lock(dir)?;
        // What is no archive at all is told apart from one that is damaged.
        let archive = Archive::open(dir)?;
        let report = verify(dir, pinned, &mut |Progress { bytes, total, .. }| progress(bytes, total));
        if let Some(first) = report.problems.first() {
            let (path, what) = (first.path.clone(), first.what.clone());
            return Err(ExportError::Damaged { path, what, count: report.problems.len() });
        }
        let mut files = list(dir)?;
        files.sort_by(|a, b| (rank(&a.path), &a.path).cmp(&(rank(&b.path), &b.path)));
        let bytes = files.iter().map(|file| file.length).sum();
        Ok(Self { archive, files, bytes, anchored: report.anchored, _lock: lock })
    }
}

/// A copy without its checkpoint is none, so that comes last; the first root says whose copy it is, so that comes first.
fn rank(path: &str) -> u8 {
    match path {
        "root/1.json" => 0,
        paths::CHECKPOINT_PENDING => 2,
        paths::CHECKPOINT => 3,
        _ => 1,
    }
}

/// Keeps publishers away for as long as it is held (`flock`, shared: others may read and copy too). Where the file system knows no locks nobody is
/// kept away; what changed meanwhile is found when the copy is verified.
fn lock(dir: &Path) -> Result<Option<File>> {
    let file = File::open(dir).map_err(ExportError::io(dir))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(ExportError::Busy(dir.to_owned())),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Every plain file under a folder. Links and special files are errors.
pub(super) fn list(dir: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    walk(dir, "", 0, &mut found)?;
    Ok(found)
}

fn walk(dir: &Path, prefix: &str, depth: usize, found: &mut Vec<Found>) -> Result<()> {
    if depth >= MAX_DEPTH {
        return Err(ExportError::place(dir, "a folder deeper than any of an archive"));
    }
    for entry in fs::read_dir(dir).map_err(ExportError::io(dir))? {
        let entry = entry.map_err(ExportError::io(dir))?;
        let at = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            return Err(ExportError::place(&at, "its name is not one that an archive has; move it away"));
        };
        let path = format!("{prefix}{name}");
        let metadata = at.symlink_metadata().map_err(ExportError::io(&at))?;
        if metadata.is_dir() {
            walk(&at, &format!("{path}/"), depth + 1, found)?;
        } else if metadata.is_file() {
            found.push(Found { path, length: metadata.len() });
        } else {
            return Err(ExportError::place(&at, "a link or special file; an archive has plain files only: move it away"));
        }
    }
    Ok(())
}
