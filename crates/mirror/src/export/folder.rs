//! An export as a folder. What stands there already is compared, byte by byte, and only what differs is written.

use super::content::{BUFFER, Content, fill};
use super::error::{ExportError, Result};
use super::sink::{Sink, is_portable};
use crate::words::TOO_LARGE;
use daylight_durable::{crash_point, sync_dir};
use daylight_model::{Digest, Hasher};
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// From this many bytes on a file is synced by itself; smaller ones are synced in groups, for a stick takes its time over each.
const LARGE: u64 = 1 << 20;

/// How many small files are synced at a time.
const GROUP: usize = 256;

/// The most bytes that a file on FAT32 can have.
const FAT_LIMIT: u64 = u32::MAX as u64;

/// The folder that is written to.
pub(super) struct Folder {
    base: PathBuf,
    /// Folders that are there and are no links.
    known: BTreeSet<PathBuf>,
    /// Files whose bytes may not be on the disk yet, and folders whose names may not.
    unsynced: Vec<PathBuf>,
    changed: BTreeSet<PathBuf>,
    is_fat: bool,
    files: u64,
    bytes: u64,
    _lock: Option<File>,
}

impl Folder {
    /// Writes to this folder, which is made if need be.
    pub(super) fn new(base: &Path) -> Result<Self> {
        fs::create_dir_all(base).map_err(ExportError::io(base))?;
        let base = base.to_owned();
        let (is_fat, lock) = (is_fat(&base), lock(&base)?);
        let (known, unsynced, changed) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        Ok(Self { base, known, unsynced, changed, is_fat, files: 0, bytes: 0, _lock: lock })
    }

    /// Removes a file that is no part of the export any more.
    pub(super) fn remove(&mut self, path: &str) -> Result<()> {
        let at = self.base.join(path);
        match fs::remove_file(&at) {
            Ok(()) => {
                self.changed.extend(at.parent().map(Path::to_owned));
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(ExportError::io(&at)(error)),
        }
    }

    /// Makes the folders that lead to a file. A link among them would lead out of the export, so it is refused.
    fn lead_to(&mut self, path: &str) -> Result<PathBuf> {
        let mut at = self.base.clone();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let above = at.clone();
            at.push(part);
            if parts.peek().is_none() || self.known.contains(&at) {
                continue;
            }
            match at.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(ExportError::place(&at, "is no folder; move it away")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir(&at).map_err(ExportError::io(&at))?;
                    self.changed.insert(above);
                }
                Err(error) => return Err(ExportError::io(&at)(error)),
            }
            self.known.insert(at.clone());
        }
        Ok(at)
    }

    /// Writes a file under another name and renames it.
    fn write(&mut self, at: &Path, content: &Content, tick: &mut dyn FnMut(u64)) -> Result<Digest> {
        if self.is_fat && content.length() > FAT_LIMIT {
            return Err(ExportError::place(at, TOO_LARGE));
        }
        let beside = temporary(at);
        let written = self.write_beside(at, &beside, content, tick);
        if written.is_err() {
            // The first error is the one that says why; what is left there is overwritten by the next try.
            let _ = fs::remove_file(&beside);
        }
        let digest = written?;
        // A crash here leaves a file under its temporary name, perhaps without all of its bytes; the next try writes over it.
        crash_point("export.file-written");
        fs::rename(&beside, at).map_err(ExportError::io(at))?;
        // A crash here may leave a file without all of its bytes: nothing was synced, and the checkpoint is not there. The next try compares it.
        crash_point("export.file-renamed");
        self.files += 1;
        self.bytes += content.length();
        self.changed.extend(at.parent().map(Path::to_owned));
        self.unsynced.push(at.to_owned());
        if content.length() >= LARGE || self.unsynced.len() >= GROUP {
            self.sync_files()?;
        }
        Ok(digest)
    }

    fn write_beside(&self, at: &Path, beside: &Path, content: &Content, tick: &mut dyn FnMut(u64)) -> Result<Digest> {
        // A link under that name must not be followed.
        match fs::remove_file(beside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ExportError::io(beside)(error)),
        }
        let mut out = File::create_new(beside).map_err(ExportError::io(beside))?;
        copy(at, content, &mut out, tick)
    }

    fn sync_files(&mut self) -> Result<()> {
        for path in self.unsynced.drain(..) {
            File::open(&path).and_then(|file| file.sync_all()).map_err(ExportError::io(&path))?;
        }
        Ok(())
    }
}

impl Sink for Folder {
    fn put(&mut self, path: &str, content: &Content, tick: &mut dyn FnMut(u64)) -> Result<Digest> {
        let at = self.lead_to(path)?;
        if !is_portable(path) {
            return Err(ExportError::place(&at, "not a name that every file system can hold"));
        }
        match at.symlink_metadata() {
            Ok(found) if !found.is_file() => Err(ExportError::place(&at, "is no plain file; move it away")),
            Ok(found) if found.len() == content.length() => match compare(&at, content)? {
                Some(digest) => {
                    tick(content.length());
                    Ok(digest)
                }
                None => self.write(&at, content, tick),
            },
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ExportError::io(&at)(error)),
            _ => self.write(&at, content, tick),
        }
    }

    fn settle(&mut self) -> Result<()> {
        self.sync_files()?;
        for folder in std::mem::take(&mut self.changed) {
            sync_dir(&folder).map_err(ExportError::io(&folder))?;
        }
        crash_point("export.settled");
        Ok(())
    }

    fn written(&self) -> (u64, u64) {
        (self.files, self.bytes)
    }
}

/// Keeps a second export away. Where the file system knows no locks nobody is.
fn lock(base: &Path) -> Result<Option<File>> {
    let file = File::open(base).map_err(ExportError::io(base))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(ExportError::place(base, "another export is writing there; wait until that has ended")),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Whether this is the name of a file that was being written when something stopped us.
pub(super) fn is_temporary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.len() > 5 && name.starts_with('.') && name.ends_with(".tmp")
}

fn temporary(at: &Path) -> PathBuf {
    let name = at.file_name().unwrap_or_default().to_string_lossy();
    at.with_file_name(format!(".{name}.tmp"))
}

/// Copies everything, and gives the digest of what was copied. `at` is named where the source is shorter than it was.
pub(super) fn copy(at: &Path, content: &Content, out: &mut dyn Write, tick: &mut dyn FnMut(u64)) -> Result<Digest> {
    let mut from = content.open().map_err(|error| read_error(content, at, error))?;
    let (mut hasher, mut buffer, mut copied) = (Hasher::default(), vec![0; BUFFER], 0);
    loop {
        let read = fill(&mut from, &mut buffer).map_err(|error| read_error(content, at, error))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        out.write_all(&buffer[..read]).map_err(ExportError::io(at))?;
        copied += read as u64;
        tick(read as u64);
    }
    if copied == content.length() { Ok(hasher.finish()) } else { Err(ExportError::Changed(at.display().to_string())) }
}

fn read_error(content: &Content, at: &Path, error: io::Error) -> ExportError {
    match content {
        Content::File(path, _) => ExportError::io(path)(error),
        Content::Bytes(_) => ExportError::io(at)(error),
    }
}

/// The digest, if the file has these very bytes.
fn compare(at: &Path, content: &Content) -> Result<Option<Digest>> {
    let mut there = File::open(at).map_err(ExportError::io(at))?;
    let mut here = content.open().map_err(|error| read_error(content, at, error))?;
    let (mut hasher, mut one, mut other) = (Hasher::default(), vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let read = fill(&mut here, &mut one).map_err(|error| read_error(content, at, error))?;
        // What cannot be read there is written anew.
        match fill(&mut there, &mut other) {
            Ok(found) if found == read && one[..read] == other[..read] => {}
            _ => return Ok(None),
        }
        if read == 0 {
            return Ok(Some(hasher.finish()));
        }
        hasher.update(&one[..read]);
    }
}

/// Whether a folder is on FAT, as far as this system tells.
#[cfg(target_os = "linux")]
fn is_fat(folder: &Path) -> bool {
    // MSDOS_SUPER_MAGIC of the kernel's linux/magic.h: FAT12, FAT16 and FAT32, but not exFAT. The field's type differs between machines.
    rustix::fs::statfs(folder).is_ok_and(|found| found.f_type == 0x4d44)
}

/// Whether a folder is on FAT: not asked here. Writing more than it can hold is an error that says so.
#[cfg(not(target_os = "linux"))]
fn is_fat(_: &Path) -> bool {
    false
}

/// Asks the system to forget what it holds of a file in memory, so that what is read next comes from the disk. It is a wish: nothing depends on it
/// but how much reading back shows.
pub(super) fn forget_cached(path: &Path) {
    #[cfg(target_os = "linux")]
    if let Ok(file) = File::open(path) {
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = path;
}
