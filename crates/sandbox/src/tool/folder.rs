//! A folder of a tool's own.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder that only we may enter, made for one run of a tool; it goes when this is dropped.
#[derive(Debug)]
pub struct PrivateFolder {
    path: PathBuf,
}

impl PrivateFolder {
    /// Makes one in `scratch`.
    pub fn make(scratch: &Path) -> io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        loop {
            let path = scratch.join(format!(".tool-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path: path.canonicalize()? }),
                // Left by a process of the same number that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file in it that the caller knows the name of: what a tool calls its files is not to be trusted as a path, and what it made
    /// may be no file.
    pub fn open(&self, name: &str) -> io::Result<File> {
        if name.contains('/') || name == ".." {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // Without following a link, and without waiting for the other end of a pipe.
        let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(self.path.join(name))?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }

    /// Every regular file in it and in its folders, in the order of their paths; links are not followed. `most` bounds how many are looked at.
    pub fn files(&self, most: usize) -> io::Result<Vec<PathBuf>> {
        let (mut files, mut folders, mut seen) = (Vec::new(), vec![self.path.clone()], 0);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                seen += 1;
                if seen > most {
                    return Err(io::Error::other(format!("more than {most} files")));
                }
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// How many bytes the files in it have, and a page for each of them; the count stops where it goes over `most`.
    pub(super) fn size(&self, most: u64) -> u64 {
        let mut size = 0u64;
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            // A file or folder that goes while it is looked at has no size.
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(metadata) = entry.metadata() else { continue };
                size = size.saturating_add(metadata.len()).saturating_add(4096);
                if size > most {
                    return size;
                }
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        size
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What cannot be removed is found in the scratch folder by whoever looks there.
        let _ = fs::remove_dir_all(&self.path);
    }
}
