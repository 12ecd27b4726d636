//! A mirror's folders: the copy, which is an archive and nothing else, and beside it what only the mirror needs.
//!
//! ```text
//! DIR                   the copy: `daylight serve DIR`, `daylight verify DIR`
//! DIR.mirror/state.json what is trusted and was accepted last
//! DIR.mirror/root.json  the root that is pinned, for `daylight verify DIR --root`
//! DIR.mirror/fetching/  what is not whole yet, under its path in the archive
//! DIR.mirror/evidence/  checkpoints that cannot both be true
//! DIR.mirror/lock
//! ```
//!
//! Nothing is put into the copy before all of an update is there and was checked. Then files are moved into it, `checkpoint` last, so the copy is an
//! archive at every moment: a crash between two moves leaves files that no checkpoint refers to yet, and the next run goes on from there.

use crate::erase::{EraseError, hold};
use crate::state::{MAX_STATE, State};
use crate::words::in_words;
use daylight_durable::{Lock, LockError, sync_dir, write_atomic};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a mirror's folders cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Somebody publishes to it, or erases from it.
    #[error(transparent)]
    Held(#[from] EraseError),
    /// The file system refused.
    #[error("{}: {}", path.display(), in_words(source))]
    Io {
        /// What was to be read or written.
        path: PathBuf,
        /// Why it could not be.
        source: io::Error,
    },
    /// The state is not one.
    #[error("{} is damaged: {what}; move it away to begin trusting anew, or restore it", path.display())]
    State {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// There is something else.
    #[error("{} is neither empty nor a copy that `daylight mirror` made; name a new folder", .0.display())]
    NotAMirror(PathBuf),
    /// The folder is the root of a file system, say.
    #[error("{} cannot have a folder beside it; name a folder below it", .0.display())]
    NoBeside(PathBuf),
}

/// The folders of a mirror, held against other processes.
#[derive(Debug)]
pub struct Home {
    copy: PathBuf,
    beside: PathBuf,
    _lock: Lock,
    /// Who publishes to a folder, or erases from one, holds the folder itself.
    _held: File,
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> HomeError {
    let path = path.to_owned();
    move |source| HomeError::Io { path, source }
}

fn locked(error: LockError) -> HomeError {
    match error {
        LockError::Io { path, source } => HomeError::Io { path, source },
        held @ LockError::Held { .. } => held.into(),
    }
}

/// Where a mirror keeps what is not part of its copy.
pub fn beside(copy: &Path) -> Option<PathBuf> {
    let mut name = copy.file_name()?.to_owned();
    name.push(".mirror");
    Some(copy.with_file_name(name))
}

/// What a mirror remembers of the copy in this folder, if it is one's.
pub fn remembered(copy: &Path) -> Option<State> {
    let file = beside(&fs::canonicalize(copy).ok()?)?.join("state.json");
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(MAX_STATE).read_to_end(&mut bytes).ok()?;
    State::parse(&bytes).ok()
}

impl Home {
    /// Opens the folders of a mirror, made where there are none.
    pub fn open(copy: &Path) -> Result<Self, HomeError> {
        fs::create_dir_all(copy).map_err(io_at(copy))?;
        let copy = fs::canonicalize(copy).map_err(io_at(copy))?;
        let beside = beside(&copy).ok_or_else(|| HomeError::NoBeside(copy.clone()))?;
        fs::create_dir_all(&beside).map_err(io_at(&beside))?;
        let lock = Lock::take(&beside.join("lock"), "mirror").map_err(locked)?;
        let held = hold(&copy)?;
        Ok(Self { copy, beside, _lock: lock, _held: held })
    }

    /// The copy.
    pub fn copy(&self) -> &Path {
        &self.copy
    }

    /// What only the mirror needs.
    pub fn beside(&self) -> &Path {
        &self.beside
    }

    /// What is being fetched.
    pub fn fetching(&self) -> PathBuf {
        self.beside.join("fetching")
    }

    /// Where evidence is kept.
    pub fn evidence(&self) -> PathBuf {
        self.beside.join("evidence")
    }

    /// Whether the copy has nothing in it yet that is visible.
    pub fn is_empty(&self) -> Result<bool, HomeError> {
        Ok(fs::read_dir(&self.copy).map_err(io_at(&self.copy))?.next().is_none())
    }

    fn state_path(&self) -> PathBuf {
        self.beside.join("state.json")
    }

    /// The state, if there is one.
    pub fn state(&self) -> Result<Option<State>, HomeError> {
        let path = self.state_path();
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(file) => file.take(MAX_STATE).read_to_end(&mut bytes).map_err(io_at(&path))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io_at(&path)(e)),
        };
        State::parse(&bytes).map(Some).map_err(|e| HomeError::State { path, what: e.to_string() })
    }

    /// Replaces the state, durably.
    pub fn remember(&self, state: &State) -> Result<(), HomeError> {
        let path = self.state_path();
        let bytes = state.to_bytes().map_err(|e| HomeError::State { path: path.clone(), what: e.to_string() })?;
        write_atomic(&path, &bytes).map_err(io_at(&path))
    }

    /// Keeps the root that is pinned where people can use it.
    pub fn keep_root(&self, json: &[u8]) -> Result<(), HomeError> {
        let path = self.beside.join("root.json");
        write_atomic(&path, json).map_err(io_at(&path))
    }

    /// Keeps evidence under a name made of what it is, and says where. It is never written over.
    pub fn keep_evidence(&self, bytes: &[u8]) -> Result<PathBuf, HomeError> {
        let folder = self.evidence();
        fs::create_dir_all(&folder).map_err(io_at(&folder))?;
        let digest = daylight_model::Digest::of(bytes).to_string();
        let path = folder.join(format!("{}.daylight-evidence", &digest[..16]));
        if !path.exists() {
            write_atomic(&path, bytes).map_err(io_at(&path))?;
        }
        Ok(path)
    }

    /// Begins to put files into the copy.
    pub fn moving(&self) -> Moving<'_> {
        Moving { home: self, changed: BTreeSet::new() }
    }
}

/// Files on their way into the copy. Their names are durable after [`Moving::sync`].
pub struct Moving<'h> {
    home: &'h Home,
    changed: BTreeSet<PathBuf>,
}

impl Moving<'_> {
    /// Writes a small file, whole or not at all.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), HomeError> {
        let to = self.make_room(path)?;
        // What stands there already with these bytes is left alone, so that nothing changes that did not change.
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        write_atomic(&to, bytes).map_err(io_at(&to))
    }

    /// Moves a file that was fetched and checked. One that was moved before a crash is not there any more.
    pub fn take(&mut self, path: &str) -> Result<(), HomeError> {
        let (from, to) = (self.home.fetching().join(path), self.make_room(path)?);
        match fs::rename(&from, &to) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound && to.exists() => Ok(()),
            Err(e) => Err(io_at(&from)(e)),
        }
    }

    /// Makes the names of everything moved so far last.
    pub fn sync(&mut self) -> Result<(), HomeError> {
        for folder in std::mem::take(&mut self.changed) {
            sync_dir(&folder).map_err(io_at(&folder))?;
        }
        Ok(())
    }

    fn make_room(&mut self, path: &str) -> Result<PathBuf, HomeError> {
        let to = self.home.copy.join(path);
        let parent = to.parent().unwrap_or(&self.home.copy);
        if self.changed.insert(parent.to_owned()) {
            fs::create_dir_all(parent).map_err(io_at(parent))?;
            let above = parent.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.home.copy));
            self.changed.extend(above.map(Path::to_owned));
        }
        Ok(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mirror_needs_stands_beside_its_copy_and_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        let home = Home::open(&copy).unwrap();
        assert!(home.is_empty().unwrap() && home.state().unwrap().is_none());
        assert!(matches!(Home::open(&copy), Err(HomeError::Lock(LockError::Held { .. }))));
        fs::write(folder.path().join("copy.mirror/state.json"), "{}").unwrap();
        assert!(home.state().unwrap_err().to_string().contains("is damaged"));
        assert!(remembered(&copy).is_none());

        fs::create_dir_all(home.fetching().join("release/1")).unwrap();
        fs::write(home.fetching().join("release/1/note"), "note").unwrap();
        let mut moving = home.moving();
        moving.take("release/1/note").unwrap();
        moving.take("release/1/note").unwrap();
        assert!(moving.take("release/2/note").is_err());
        moving.write("checkpoint", b"1").unwrap();
        moving.sync().unwrap();
        assert_eq!(fs::read(copy.join("release/1/note")).unwrap(), b"note");
        let kept = home.keep_evidence(b"two").unwrap();
        assert_eq!(home.keep_evidence(b"two").unwrap(), kept);
        assert!(kept.starts_with(fs::canonicalize(folder.path()).unwrap().join("copy.mirror/evidence")));
    }
}
