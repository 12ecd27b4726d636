//! The archive that is added to: locked, brought out of whatever an interrupted publish left, and checked to be the one its key knows.

use crate::files::Folder;
use crate::key::SigningKeyFile;
use crate::promise::{LogKey, lock};
use crate::{Error, Job, Result};
use daylight_archive::log::LogAppender;
use daylight_archive::release::ReleaseNote;
use daylight_archive::root::{Quorum, Root};
use daylight_archive::{Archive, Checkpoint, Signer, paths, policy::Policy};
use daylight_durable::{crash_point, sync_dir};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// An archive's folder, held against other publishers.
pub(crate) struct Site {
    dir: PathBuf,
    origin: String,
    /// `None` before the first release.
    archive: Option<Archive>,
    _lock: File,
}

/// Who signs, and the root under which they do.
pub(crate) struct Editors<'a> {
    pub(crate) signers: Vec<&'a Signer>,
    /// The root that is to be put in force first, where the archive has none.
    pub(crate) first_root: Option<Root>,
}

impl Site {
    /// Opens or makes the folder. A `checkpoint.pending` that this key signed is put in its place; anything else that contradicts what the key
    /// signed before is refused.
    pub(crate) fn open(dir: &Path, log_key: &LogKey) -> Result<Self> {
        let new = !dir.exists();
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let held = lock(dir)?;
        let dir = fs::canonicalize(dir).map_err(Error::io(dir))?;
        if let Some(parent) = dir.parent().filter(|_| new) {
            sync_dir(parent).map_err(Error::io(parent))?;
        }
        finish_pending(&dir, log_key)?;
        let archive = if dir.join(paths::CHECKPOINT).exists() { Some(Archive::open(&dir)?) } else { None };
        match &archive {
            Some(archive) => check_known(archive, log_key)?,
            None => check_empty(&dir)?,
        }
        Ok(Self { dir, origin: log_key.origin().to_owned(), archive, _lock: held })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::new(&self.dir)
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn archive(&self) -> Option<&Archive> {
        self.archive.as_ref()
    }

    /// The size of the log.
    pub(crate) fn size(&self) -> u64 {
        self.archive.as_ref().map_or(0, Archive::head)
    }

    /// The checkpoint in its very bytes, if there is one.
    pub(crate) fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        let path = self.dir.join(paths::CHECKPOINT);
        self.archive.as_ref().map(|_| fs::read(&path).map_err(Error::io(&path))).transpose()
    }

    /// The serial that the next release has.
    pub(crate) fn next_serial(&self) -> u64 {
        self.archive.as_ref().map_or(0, |archive| archive.releases().len() as u64) + 1
    }

    /// What the note of a release says.
    pub(crate) fn release(&self, serial: u64) -> Option<&ReleaseNote> {
        self.archive.as_ref()?.release(serial).map(|release| &release.note)
    }

    /// The highest number in a collection, and its title.
    pub(crate) fn collection(&self, name: &str) -> Result<(u64, Option<String>)> {
        let Some(archive) = &self.archive else { return Ok((0, None)) };
        Ok(archive.collection(name)?.map_or((0, None), |collection| (collection.highest, Some(collection.title))))
    }

    /// What is said when the key has signed more than is here.
    pub(crate) fn rolled_back(&self, signed: u64) -> Error {
        Error::RolledBack { archive: self.dir.clone(), found: self.size(), signed }
    }

    /// Goes on with the log, whose right edge is checked against the checkpoint.
    pub(crate) fn log(&self) -> Result<LogAppender> {
        let (size, root) = match &self.archive {
            Some(archive) => (archive.head(), archive.checkpoint().root),
            None => (0, daylight_archive::log::empty_root()),
        };
        LogAppender::load(&self.dir, size, &root).map_err(|error| Error::Format(format!("{}: {error}", self.dir.display())))
    }

    /// Who signs: all keys given must be editors' keys of the root in force, and enough of them. Where there is no root yet they make the first.
    pub(crate) fn editors<'a>(&self, job: &Job<'a>, log_key: &LogKey) -> Result<Editors<'a>> {
        let signers: Vec<&Signer> = job.editors.iter().map(SigningKeyFile::signer).collect();
        let given: BTreeSet<[u8; 32]> = signers.iter().map(|signer| *signer.key().public()).collect();
        let Some(archive) = &self.archive else {
            return Ok(Editors { first_root: Some(self.first_root(job, log_key)?), signers });
        };
        let root = archive.root();
        if let Some(stranger) = job.editors.iter().find(|file| !root.editors.keys.contains(&file.key())) {
            let editors: Vec<&str> = root.editors.keys.iter().map(daylight_archive::Key::name).collect();
            let (path, origin) = (stranger.path().to_owned(), self.origin.clone());
            return Err(Error::NotAnEditor { path, origin, version: root.version, editors: editors.join(", ") });
        }
        let needed = root.editors.threshold;
        if given.len() < needed {
            return Err(Error::TooFewKeys { origin: self.origin.clone(), needed, given: given.len() });
        }
        Ok(Editors { signers, first_root: None })
    }

    /// One of one; else at least two and fewer than all, by default more than half.
    fn first_root(&self, job: &Job<'_>, log_key: &LogKey) -> Result<Root> {
        let keys: Vec<_> = job.editors.iter().map(SigningKeyFile::key).collect();
        if keys.is_empty() {
            return Err(Error::TooFewKeys { origin: self.origin.clone(), needed: 1, given: 0 });
        }
        let threshold = job.threshold.unwrap_or(if keys.len() == 1 { 1 } else { (keys.len() / 2 + 1).max(2) });
        let root = Root {
            version: 1,
            origin: self.origin.clone(),
            editors: Quorum { keys, threshold },
            recovery: Quorum { keys: Vec::new(), threshold: 0 },
            log: log_key.signer().key(),
            retired: Vec::new(),
            witnesses: Policy::none(),
            mirrors: Vec::new(),
            onions: Vec::new(),
        };
        // Written once to see that it keeps the rules, before anything is on disk.
        root.to_json().map_err(|error| Error::Root(error.to_string()))?;
        Ok(root)
    }
}

/// The last step of a publish that was killed after it had committed: its pending checkpoint becomes the checkpoint.
fn finish_pending(dir: &Path, log_key: &LogKey) -> Result<()> {
    let pending = dir.join(paths::CHECKPOINT_PENDING);
    let bytes = match fs::read(&pending) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(pending)(error)),
    };
    if log_key.promised_bytes() != Some(bytes.as_slice()) {
        return Err(Error::Format(format!(
            "{} was not signed by this desk; nothing is published here until it is gone",
            pending.display()
        )));
    }
    let checkpoint = Checkpoint::open(&bytes, &log_key.signer().key()).map_err(Error::format)?.0;
    LogAppender::load(&dir.to_path_buf(), checkpoint.size, &checkpoint.root)
        .map_err(|error| Error::Format(format!("{}: {error}", pending.display())))?;
    put_in_place(dir)
}

/// Renames the pending checkpoint: from here on readers see the release.
pub(crate) fn put_in_place(dir: &Path) -> Result<()> {
    let checkpoint = dir.join(paths::CHECKPOINT);
    fs::rename(dir.join(paths::CHECKPOINT_PENDING), &checkpoint).map_err(Error::io(&checkpoint))?;
    // A crash here may lose the new name and keep the old one: then the pending checkpoint is still there, and is renamed again.
    crash_point("publish.renamed");
    sync_dir(dir).map_err(Error::io(dir))
}

/// Whether the archive is the one that this key signed, and has all that it signed or is about to get it.
fn check_known(archive: &Archive, log_key: &LogKey) -> Result<()> {
    let dir = archive.dir().to_owned();
    if archive.origin() != log_key.origin() {
        return Err(Error::OtherOrigin { archive: dir, found: archive.origin().to_owned(), wanted: log_key.origin().to_owned() });
    }
    if archive.root().log != log_key.signer().key() {
        return Err(Error::OtherLogKey(dir));
    }
    let (found, signed) = (archive.head(), log_key.promised_size());
    if found > signed {
        return Err(Error::Ahead { archive: dir, found, signed });
    }
    // What has less than was signed is a release to be finished or an old copy: the drafts tell.
    if found == signed { log_key.check(&dir, &dir, archive.checkpoint()) } else { Ok(()) }
}

/// A folder without a checkpoint may hold what an interrupted first publish left, and nothing else.
fn check_empty(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let name = entry.map_err(Error::io(dir))?.file_name();
        let name = name.to_string_lossy();
        if !["root", "release", "tile", ".checkpoint.pending.tmp"].contains(&&*name) {
            return Err(Error::NotAnArchive(dir.to_owned()));
        }
    }
    Ok(())
}
