//! The log's key and its promise: the last checkpoint it signed, kept beside it in `<key>.signed`. It is written before the checkpoint itself, so
//! that whatever the key ever signed is known here, and the key never signs anything that contradicts it.
//!
//! A root may give the log another key. That waits in `<key>.next`, with a promise of its own, until the log has that root; then it takes the place of
//! the old one, which stays as `<key>.old-<id>`. What the one has promised binds the other: it is one log.

use crate::asking::Witnessing;
use crate::key::SigningKeyFile;
use crate::{Error, Result};
use daylight_archive::log::{Files, Tree, verify_consistency};
use daylight_archive::{Checkpoint, Key, Signer};
use daylight_durable::{crash_point, sync_dir, write_atomic};
use daylight_model::Digest;
use std::cell::RefCell;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The log's key, locked against other publishers for as long as this is held.
pub(crate) struct LogKey {
    current: Held,
    /// The key that a root is about to give the log.
    next: Option<Held>,
    /// Whether a succession that was interrupted was ended when the key was opened.
    succeeded: bool,
    witnessing: Option<Witnessing>,
    /// What was heard of witnesses who did not cosign.
    heard: RefCell<Vec<String>>,
}

/// A key's file with its promise.
struct Held {
    file: SigningKeyFile,
    promised: Option<Promise>,
    _lock: Locked,
}

/// A signed checkpoint that was given out, with its very bytes.
#[derive(Debug, Clone)]
pub(crate) struct Promise {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) bytes: Vec<u8>,
}

impl LogKey {
    /// Opens the key and what it signed last; makes the key where there is none, named `origin` or after its own public key.
    pub(crate) fn open(path: &Path, origin: Option<&str>) -> Result<Self> {
        let succeeded = finish_succession(path)?;
        let current = Held::open(path, |public| match origin {
            Some(origin) => origin.to_owned(),
            None => format!("daylight-{}", &Digest::of(public).to_string()[..16]),
        })?;
        if let Some(wanted) = origin.filter(|wanted| *wanted != current.file.key().name()) {
            return Err(Error::OtherName { path: path.to_owned(), found: current.file.key().name().to_owned(), wanted: wanted.to_owned() });
        }
        let next = beside(path, ".next");
        let next = if next.metadata().is_ok_and(|file| file.len() > 0) { Some(Held::open(&next, |_| String::new())?) } else { None };
        Ok(Self { current, next, succeeded, witnessing: None, heard: RefCell::default() })
    }

    /// The same, with how witnesses are asked about what it signs.
    pub(crate) fn asking(self, witnessing: Option<&Witnessing>) -> Self {
        Self { witnessing: witnessing.cloned(), ..self }
    }

    /// How witnesses are asked, if they are.
    pub(crate) fn witnessing(&self) -> Option<&Witnessing> {
        self.witnessing.as_ref()
    }

    /// Keeps what the user should know of witnesses.
    pub(crate) fn hear(&self, said: Vec<String>) {
        self.heard.borrow_mut().extend(said);
    }

    /// What was kept, each once.
    pub(crate) fn heard(&self) -> Vec<String> {
        let mut heard = self.heard.take();
        heard.dedup();
        heard
    }

    /// Whether opening it ended a succession that had been interrupted.
    pub(crate) fn succeeded(&self) -> bool {
        self.succeeded
    }

    /// The file of the key that signs now.
    pub(crate) fn file(&self) -> &SigningKeyFile {
        &self.current.file
    }

    /// The public key that signs now.
    pub(crate) fn key(&self) -> Key {
        self.current.file.key()
    }

    /// The key that is to follow, if one waits.
    pub(crate) fn next_key(&self) -> Option<Key> {
        self.next.as_ref().map(|next| next.file.key())
    }

    /// The key that is to follow, made if none waits yet.
    pub(crate) fn make_next(&mut self) -> Result<Key> {
        if self.next.is_none() {
            let (path, name) = (beside(self.current.file.path(), ".next"), self.origin().to_owned());
            self.next = Some(Held::open(&path, |_| name.clone())?);
        }
        self.next_key().ok_or_else(|| Error::Format("the log's next key could not be made".into()))
    }

    /// The origin: the key's name.
    pub(crate) fn origin(&self) -> &str {
        self.current.file.signer().name()
    }

    /// The size of the largest log that was signed, 0 if none.
    pub(crate) fn promised_size(&self) -> u64 {
        self.promise().map_or(0, |promise| promise.checkpoint.size)
    }

    /// The newest promise, whichever of the keys gave it.
    pub(crate) fn promise(&self) -> Option<&Promise> {
        let next = self.next.as_ref().and_then(|next| next.promised.as_ref());
        [self.current.promised.as_ref(), next].into_iter().flatten().max_by_key(|promise| promise.checkpoint.size)
    }

    /// Refuses a log in `files` that does not begin with what was signed before. `at` is the archive's folder, for the message.
    pub(crate) fn check(&self, at: &Path, files: &dyn Files, checkpoint: &Checkpoint) -> Result<()> {
        let Some(Promise { checkpoint: promised, .. }) = self.promise() else { return Ok(()) };
        if promised.size > checkpoint.size {
            return Err(Error::RolledBack { archive: at.to_owned(), found: checkpoint.size, signed: promised.size });
        }
        let path = Tree::new(files, "", checkpoint.size).consistency(promised.size).map_err(Error::format)?;
        verify_consistency(promised.size, &promised.root, checkpoint.size, &checkpoint.root, &path)
            .map_err(|_| Error::Forked(at.to_owned()))
    }

    /// Takes back what it signed last and never gave out, so that it is bound to `checkpoint` again, the archive's own in its very bytes; `None` is an archive
    /// that has none yet. Only for a signature that stands nowhere but beside this key: see the caller.
    pub(crate) fn take_back(&mut self, checkpoint: Option<Vec<u8>>) -> Result<()> {
        let path = promise_path(self.current.file.path());
        match &checkpoint {
            Some(bytes) => write_atomic(&path, bytes).map_err(Error::io(&path))?,
            None => {
                fs::remove_file(&path).map_err(Error::io(&path))?;
                sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(Error::io(&path))?;
            }
        }
        self.current.promised = match checkpoint {
            Some(bytes) => Some(Promise { checkpoint: Checkpoint::open(&bytes, &self.key()).map_err(Error::format)?.0, bytes }),
            None => None,
        };
        // A crash here leaves the key bound to what the archive has: the next publish begins as if the release had never been signed.
        crash_point("publish.taken-back");
        Ok(())
    }

    /// Signs a checkpoint that [`LogKey::check`] finds consistent with the key that is in force with it, and gives its bytes after they are written
    /// down here to last.
    pub(crate) fn sign(&self, by: &Key, at: &Path, files: &dyn Files, checkpoint: &Checkpoint) -> Result<Vec<u8>> {
        self.check(at, files, checkpoint)?;
        let held = [Some(&self.current), self.next.as_ref()].into_iter().flatten().find(|held| held.file.key() == *by);
        let held = held.ok_or_else(|| Error::OtherLogKey(at.to_owned()))?;
        let bytes = checkpoint.sign(held.signer()).map_err(Error::format)?.to_bytes();
        let path = promise_path(held.file.path());
        write_atomic(&path, &bytes).map_err(Error::io(path))?;
        Ok(bytes)
    }

    /// Takes a checkpoint of this key for one that it has signed, where it is larger than the last one that is known here, which it must continue.
    pub(crate) fn adopt(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        if checkpoint.size > self.promised_size() {
            let bytes = checkpoint.sign(self.current.signer()).map_err(Error::format)?.to_bytes();
            let path = promise_path(self.current.file.path());
            write_atomic(&path, &bytes).map_err(Error::io(path))?;
            self.current.promised = Some(Promise { checkpoint: checkpoint.clone(), bytes });
        }
        Ok(())
    }

    /// Gives the key that waited the place of the one before, once the log has the root that says so.
    pub(crate) fn succeed(&mut self) -> Result<()> {
        let Some(next) = self.next.take() else { return Ok(()) };
        let path = self.current.file.path().to_owned();
        let old = beside(&path, &format!(".old-{:08x}", u32::from_be_bytes(self.key().id())));
        keep(&path, &old)?;
        keep(&promise_path(&path), &promise_path(&old))?;
        sync_folder(&path)?;
        // A crash here leaves the old key under two names and the next one still waiting; opening the archive comes here again.
        crash_point("publish.old-key");
        fs::rename(next.file.path(), &path).map_err(Error::io(&path))?;
        sync_folder(&path)?;
        // A crash here leaves the new key with the old one's promise; opening the key gives it its own.
        crash_point("publish.new-key");
        finish_succession(&path)?;
        self.current = next.moved_to(&path)?;
        Ok(())
    }
}

impl Held {
    fn open(path: &Path, name: impl Fn(&[u8; 32]) -> String) -> Result<Self> {
        let file = SigningKeyFile::read_or_create(path, name)?;
        let lock = lock(path)?;
        let promised = read_promise(path, &file.key())?;
        Ok(Self { file, promised, _lock: lock })
    }

    /// The same key under the name that its file has now, and under the same lock.
    fn moved_to(self, path: &Path) -> Result<Self> {
        let file = SigningKeyFile::read(path, &mut |_| None)?;
        let promised = read_promise(path, &file.key())?;
        Ok(Self { file, promised, ..self })
    }

    fn signer(&self) -> &Signer {
        self.file.signer()
    }
}

fn read_promise(path: &Path, key: &Key) -> Result<Option<Promise>> {
    let promise = promise_path(path);
    match fs::read(&promise) {
        Ok(bytes) => {
            let (checkpoint, _) = Checkpoint::open(&bytes, key)
                .map_err(|error| Error::Format(format!("{}: {error}; nothing is signed until it is put right", promise.display())))?;
            Ok(Some(Promise { checkpoint, bytes }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(promise)(error)),
    }
}

/// The last step of a succession: the new key has its place, and its promise follows. Without a promise that waits there is nothing to
/// do. Says whether there was.
fn finish_succession(path: &Path) -> Result<bool> {
    let next = beside(path, ".next");
    let promise = promise_path(&next);
    if next.exists() || !promise.exists() {
        return Ok(false);
    }
    let key = SigningKeyFile::read(path, &mut |_| None)?.key();
    let bytes = fs::read(&promise).map_err(Error::io(&promise))?;
    if Checkpoint::open(&bytes, &key).is_err() {
        let (next, path) = (next.display(), path.display());
        return Err(Error::Format(format!(
            "{next} has signed for the log and is gone, and {path} is another key; bring it back from a backup"
        )));
    }
    let to = promise_path(path);
    fs::rename(&promise, &to).map_err(Error::io(&to))?;
    sync_folder(path)?;
    Ok(true)
}

/// Gives a file a second name, or a copy where the disk knows no second names, unless it has it already.
fn keep(path: &Path, kept: &Path) -> Result<()> {
    if kept.exists() || !path.exists() || fs::hard_link(path, kept).is_ok() {
        return Ok(());
    }
    let beginning = beside(kept, ".tmp");
    let copied = fs::copy(path, &beginning).and_then(|_| File::open(&beginning)?.sync_all()).and_then(|()| fs::rename(&beginning, kept));
    copied.map_err(Error::io(kept))
}

fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_dir(folder).map_err(Error::io(folder))
}

/// Where the promise of the key at `path` stands.
fn promise_path(path: &Path) -> PathBuf {
    beside(path, ".signed")
}

/// The path with something added to its name.
fn beside(path: &Path, added: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(added);
    PathBuf::from(name)
}

/// A file or folder that is locked until this is dropped.
pub(crate) struct Locked(File);

impl Drop for Locked {
    /// Gives the lock back itself: closing would not as long as a process that was started a moment ago, and is not another program yet, has the file open too.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Locks a file or folder for as long as the result is held (`flock`), so that no lock file is left in an archive.
pub(crate) fn lock(path: &Path) -> Result<Locked> {
    let file = File::open(path).map_err(Error::io(path))?;
    match file.try_lock() {
        Ok(()) => Ok(Locked(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Busy(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(Error::io(path)(error)),
    }
}
