//! Writing the files of a release that nobody refers to yet: each is synced when it is finished, the folders all together.

use crate::{Error, Result};
use daylight_durable::{sync_dir, write_atomic};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// A folder in which files are written by their path in the archive.
pub(crate) struct Folder {
    root: PathBuf,
    changed: BTreeSet<PathBuf>,
}

/// A file being written, with its path.
pub(crate) struct Open {
    pub(crate) out: BufWriter<File>,
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), changed: BTreeSet::new() }
    }

    /// Begins a file that nobody refers to yet, in place of whatever an interrupted publish left there.
    pub(crate) fn create(&mut self, path: &str) -> Result<Open> {
        let path = self.make_room(path)?;
        let file = File::create(&path).map_err(Error::io(&path))?;
        Ok(Open { out: BufWriter::with_capacity(1 << 20, file), path })
    }

    /// Writes a file whole and syncs it.
    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.make_room(path)?;
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(Error::io(&path))
    }

    /// Writes a file that may have the same bytes already and be referred to: whole or not at all, synced with its folder.
    pub(crate) fn put_atomic(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.make_room(path)?;
        write_atomic(&path, bytes).map_err(Error::io(&path))
    }

    /// Removes a folder with all in it, if it is there.
    pub(crate) fn remove(&mut self, path: &str) -> Result<()> {
        let path = self.root.join(path);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(error)),
            _ => Ok(()),
        }
    }

    /// Makes the names of everything written so far last.
    pub(crate) fn sync(&mut self) -> Result<()> {
        for folder in std::mem::take(&mut self.changed) {
            sync_dir(&folder).map_err(Error::io(&folder))?;
        }
        Ok(())
    }

    /// Makes the folders that a path needs, and remembers them all up to the archive's own.
    fn make_room(&mut self, path: &str) -> Result<PathBuf> {
        let path = self.root.join(path);
        let parent = path.parent().unwrap_or(&self.root);
        if self.changed.insert(parent.to_owned()) {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
            let above = parent.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root));
            self.changed.extend(above.map(Path::to_owned));
        }
        Ok(path)
    }
}

impl Open {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes out what is buffered of a file and syncs it.
pub(crate) fn finish(mut out: BufWriter<File>, path: &Path) -> Result<()> {
    let synced = out.flush().and_then(|()| out.get_ref().sync_all());
    synced.map_err(Error::io(path))
}
