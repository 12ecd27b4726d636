//! A file of secrets as a whole: read, put in another's place, written over.

use crate::{Error, Result};
use daylight_durable::{crash_point, sync_dir};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The longest file, in bytes: 1,000,000 places.
const MAX_FILE: u64 = 36_000_000 + 8192;

/// The ends of the names beside a file: what is to become it, what it was, and by what a key in the TPM is known that it does not name.
pub(super) const NEW: &str = "new";
pub(super) const OLD: &str = "old";
pub(super) const MARK: &str = "mark";

pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The right to put another file in the place of one, waited for: whoever opens a keyring destroys what is due in it, with the inbox or without.
pub(super) fn alone(path: &Path) -> Result<File> {
    let folder = folder(path);
    let lock = File::open(folder).map_err(Error::io(folder))?;
    lock.lock().map_err(Error::io(folder))?;
    Ok(lock)
}

pub(super) fn read(path: &Path) -> Result<(File, Zeroizing<Vec<u8>>)> {
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    if length > MAX_FILE {
        return Err(Error::damaged(path, "it is longer than any such file"));
    }
    // As long as it will get: a buffer that grows leaves copies of secrets behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize + 1));
    (&file).take(length).read_to_end(&mut bytes).map_err(Error::io(path))?;
    Ok((file, bytes))
}

/// Writes what is to become the file, beside it and durable.
pub(super) fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let beside = path.with_extension(NEW);
    remove(&beside)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(Error::io(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::io(&beside))?;
    Ok(beside)
}

/// Puts other bytes in the place of a file, whole or not at all, and durable.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = write_beside(path, bytes)?;
    // A crash here leaves the file as it was, and another beside it that the next one writes over.
    crash_point("inbox.secrets-beside");
    fs::rename(&beside, path).map_err(Error::io(path))?;
    sync_dir(folder(path)).map_err(Error::io(path))
}

/// Writes zeros over what a crash left beside a file and removes it; where it is the same file under another name, only that name.
pub(super) fn erase_beside(path: &Path, end: &str) -> Result<()> {
    let beside = path.with_extension(end);
    let inode = |path: &Path| fs::metadata(path).ok().map(|about| (about.dev(), about.ino()));
    if inode(&beside).is_some() && inode(&beside) == inode(path) { remove(&beside) } else { erase(&beside) }
}

/// Writes zeros over a file and removes it.
pub(super) fn erase(path: &Path) -> Result<()> {
    let file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(Error::io(path))?,
    };
    let length = file.metadata().map_err(Error::io(path))?.len().min(MAX_FILE);
    file.write_all_at(&vec![0; length as usize], 0).and_then(|()| file.sync_all()).map_err(Error::io(path))?;
    remove(path)?;
    sync_dir(folder(path)).map_err(Error::io(path))
}

pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}
