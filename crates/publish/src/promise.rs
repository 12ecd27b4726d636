//! The log's key and its promise: the last checkpoint it signed, kept beside it in `<key>.signed`. It is written before the checkpoint itself, so
//! that whatever the key ever signed is known here, and the key never signs anything that contradicts it.

use crate::key::SigningKeyFile;
use crate::{Error, Result};
use daylight_archive::log::{Files, Tree, verify_consistency};
use daylight_archive::{Checkpoint, Signer};
use daylight_durable::{crash_point, sync_dir, write_atomic};
use daylight_model::Digest;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The log's key, locked against other publishers for as long as this is held.
pub(crate) struct LogKey {
    file: SigningKeyFile,
    path: PathBuf,
    promised: Option<(Checkpoint, Vec<u8>)>,
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
                Some((checkpoint, bytes))
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
        self.promised.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size)
    }

    /// The signed checkpoint that it gave out last, in its very bytes.
    pub(crate) fn promised_bytes(&self) -> Option<&[u8]> {
        self.promised.as_ref().map(|(_, bytes)| bytes.as_slice())
    }

    /// Refuses a log in `files` that does not begin with what was signed before. `at` is the archive's folder, for the message.
    pub(crate) fn check(&self, at: &Path, files: &dyn Files, checkpoint: &Checkpoint) -> Result<()> {
        let Some((promised, _)) = &self.promised else { return Ok(()) };
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
        let path = promise_path(&self.path);
        match &checkpoint {
            Some(bytes) => write_atomic(&path, bytes).map_err(Error::io(&path))?,
            None => {
                fs::remove_file(&path).map_err(Error::io(&path))?;
                sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(Error::io(&path))?;
            }
        }
        self.promised = match checkpoint {
            Some(bytes) => Some((Checkpoint::open(&bytes, &self.file.key()).map_err(Error::format)?.0, bytes)),
            None => None,
        };
        // A crash here leaves the key bound to what the archive has: the next publish begins as if the release had never been signed.
        crash_point("publish.taken-back");
        Ok(())
    }

    /// Signs a checkpoint that [`LogKey::check`] finds consistent, and gives its bytes after they are written down here to last.
    pub(crate) fn sign(&self, at: &Path, files: &dyn Files, checkpoint: &Checkpoint) -> Result<Vec<u8>> {
        self.check(at, files, checkpoint)?;
        let bytes = checkpoint.sign(self.signer()).map_err(Error::format)?.to_bytes();
        let path = promise_path(&self.path);
        write_atomic(&path, &bytes).map_err(Error::io(path))?;
        Ok(bytes)
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
