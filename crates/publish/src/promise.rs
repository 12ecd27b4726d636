//! The log's key and its promise: the last checkpoint it signed, kept beside it in `<key>.signed`. It is written before the checkpoint itself, so
//! that whatever the key ever signed is known here, and the key never signs anything that contradicts it.

use crate::key::SigningKeyFile;
use crate::{Error, Result};
use daylight_archive::log::{Files, Tree, verify_consistency};
use daylight_archive::{Checkpoint, Signer};
use daylight_durable::write_atomic;
use daylight_model::Digest;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The log's key, locked against other publishers for as long as this is held.
pub(crate) struct LogKey {
    file: SigningKeyFile,
    path: PathBuf,
    promised: Option<Checkpoint>,
    _lock: File,
}

impl LogKey {
    /// Opens the key and what it signed last; makes the key where there is none, named `origin` or after its own public key.
    pub(crate) fn open(path: &Path, origin: Option<&str>) -> Result<Self> {
        let file = SigningKeyFile::read_or_create(path, |public| match origin {
            Some(origin) => origin.to_owned(),
            None => format!("daylight-{}", &Digest::of(public).to_string()[..16]),
        })?;
        let lock = lock(path)?;
        if let Some(wanted) = origin.filter(|wanted| *wanted != file.key().name()) {
            return Err(Error::OtherName { path: path.to_owned(), found: file.key().name().to_owned(), wanted: wanted.to_owned() });
        }
        let promise = promise_path(path);
        let promised = match fs::read(&promise) {
            Ok(bytes) => {
                let (checkpoint, _) = Checkpoint::open(&bytes, &file.key())
                    .map_err(|error| Error::Format(format!("{}: {error}; nothing is signed until it is put right", promise.display())))?;
                Some(checkpoint)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io(promise)(error)),
        };
        Ok(Self { file, path: path.to_owned(), promised, _lock: lock })
    }

    pub(crate) fn file(&self) -> &SigningKeyFile {
        &self.file
    }

    pub(crate) fn signer(&self) -> &Signer {
        self.file.signer()
    }

    /// The origin: the key's name.
    pub(crate) fn origin(&self) -> &str {
        self.file.signer().name()
    }

    /// The size of the largest log that it signed, 0 if none.
    pub(crate) fn promised_size(&self) -> u64 {
        self.promised.as_ref().map_or(0, |checkpoint| checkpoint.size)
    }

    /// The checkpoint that it signed last.
    pub(crate) fn promised(&self) -> Option<&Checkpoint> {
        self.promised.as_ref()
    }

    /// Refuses a log in `files` that does not begin with what was signed before. `at` is the archive's folder, for the message.
    pub(crate) fn check(&self, at: &Path, files: &dyn Files, checkpoint: &Checkpoint) -> Result<()> {
        let Some(promised) = &self.promised else { return Ok(()) };
        if promised.size > checkpoint.size {
            return Err(Error::RolledBack { archive: at.to_owned(), found: checkpoint.size, signed: promised.size });
        }
        let path = Tree::new(files, "", checkpoint.size).consistency(promised.size).map_err(Error::format)?;
        verify_consistency(promised.size, &promised.root, checkpoint.size, &checkpoint.root, &path)
            .map_err(|_| Error::Forked(at.to_owned()))
    }

    /// Signs a checkpoint that [`LogKey::check`] finds consistent, and gives its bytes after they are written down here to last.
    pub(crate) fn sign(&self, at: &Path, files: &dyn Files, checkpoint: &Checkpoint) -> Result<Vec<u8>> {
        self.check(at, files, checkpoint)?;
        let bytes = checkpoint.sign(self.signer()).map_err(Error::format)?.to_bytes();
        let path = promise_path(&self.path);
        write_atomic(&path, &bytes).map_err(Error::io(path))?;
        Ok(bytes)
    }

    /// Takes a checkpoint of this key for one that it has signed, where it is larger than the last one that is known here, which it must continue.
    pub(crate) fn adopt(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        if checkpoint.size > self.promised_size() {
            let bytes = checkpoint.sign(self.signer()).map_err(Error::format)?.to_bytes();
            let path = promise_path(&self.path);
            write_atomic(&path, &bytes).map_err(Error::io(path))?;
            self.promised = Some(checkpoint.clone());
        }
        Ok(())
    }
}

/// Where the promise of the key at `path` stands.
fn promise_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".signed");
    PathBuf::from(name)
}

/// Locks a file or folder for as long as the result is held (`flock`), so that no lock file is left in an archive.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(Error::io(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(Error::io(path)(error)),
    }
}
