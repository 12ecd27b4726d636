//! Where a release is written before it is sealed, and the sealed file before it has its name.

use super::{inner, pack};
use crate::content::Content;
use crate::earlier::Earlier;
use crate::{Error, Progress, Result, release};
use daylight_archive::Archive;
use daylight_archive::release::ReleaseNote;
use daylight_durable::{Lock, sync_dir};
use daylight_review::Draft;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Removes what a killed seal left in plain on a desk, or what waits there for approval: whoever forgets a document calls this. Errors: a release
/// is being sealed.
pub fn remove_staged(desk: &Path) -> Result<()> {
    if !desk.join(STAGE).exists() {
        return Ok(());
    }
    Stage::take(desk)?.remove()
}

/// The folder on a desk in which a release is written before it is sealed.
const STAGE: &str = "sealing";

/// The file that has no name yet: removed when dropped.
pub(super) struct Part {
    pub(super) path: PathBuf,
    to: PathBuf,
}

impl Part {
    pub(super) fn beside(to: &Path) -> Self {
        let mut path = to.as_os_str().to_owned();
        path.push(".part");
        Self { path: path.into(), to: to.to_owned() }
    }

    pub(super) fn name(&self) -> Result<()> {
        // Unlike renaming, a second name replaces nothing; sticks and such know no second names.
        match fs::hard_link(&self.path, &self.to) {
            Ok(()) => fs::remove_file(&self.path).map_err(Error::io(&self.path))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(Error::Exists(self.to.clone())),
            Err(_) if self.to.symlink_metadata().is_ok() => return Err(Error::Exists(self.to.clone())),
            Err(_) => fs::rename(&self.path, &self.to).map_err(Error::io(&self.to))?,
        }
        let folder = folder_of(&self.to);
        sync_dir(folder).map_err(Error::io(folder))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Where it has its name there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}

/// The folder on the desk in which a release is written before it is sealed. Whatever stands there is removed when it is dropped, unless it is kept.
pub(super) struct Stage {
    pub(super) path: PathBuf,
    pub(super) kept: bool,
    _lock: Lock,
}

impl Stage {
    pub(super) fn take(desk: &Path) -> Result<Self> {
        let lock = Lock::take(&desk.join("seal.lease"), "seal").map_err(Error::format)?;
        let stage = Self { path: desk.join(STAGE), kept: false, _lock: lock };
        stage.remove()?;
        DirBuilder::new().mode(0o700).create(&stage.path).map_err(Error::io(&stage.path))?;
        Ok(stage)
    }

    pub(super) fn archive(&self) -> PathBuf {
        self.path.join(pack::ARCHIVE)
    }

    /// Writes the release, and says what is to be approved of it.
    pub(super) fn write(&self, draft: &Draft, archive: &Archive, progress: &mut dyn FnMut(Progress)) -> Result<ReleaseNote> {
        let dir = self.archive();
        fs::create_dir(&dir).map_err(Error::io(&dir))?;
        let written = release::write_into(&dir, draft, Earlier::default(), progress)?;
        let told = Content::note(draft, archive.origin(), archive.root_digest(), written.manifest);
        inner::complete(&dir, draft, &told)?;
        Ok(told)
    }

    pub(super) fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&self.path)(error)),
            _ => Ok(()),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.kept {
            let _ = self.remove();
        }
    }
}

/// The folder in which a file stands.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
