//! Telling a witness of a log. Whoever runs it says by which key the log's checkpoints are signed; a later root may name another key, if the roots
//! between lead there.

use super::state::{State, StateError, read_log, write};
use daylight_archive::Key;
use daylight_archive::key::KeyError;
use daylight_archive::root::{Root, RootError, follow};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A log that is pinned now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The key that signs its checkpoints; its name is the log's origin.
    pub key: Key,
    /// Whether the witness did not know the log, or knew another key of it.
    pub changed: bool,
}

/// Why a log was not pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// A file could not be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, #[source] io::Error),
    /// Not a root.
    #[error("{0}: {1}")]
    Root(PathBuf, #[source] RootError),
    /// Not a key.
    #[error("the log's key: {0}")]
    Key(#[from] KeyError),
    /// The key is of a witness, not of a log.
    #[error("{0} is a witness's key (type 0x04); a log signs with one of type 0x01")]
    Witness(String),
    /// Another key or root is pinned.
    #[error(
        "{origin} is pinned with another key already, and {why}; if you are sure that the new one is right, give --replace: from then on it is the only \
         one that counts"
    )]
    Other {
        /// The log.
        origin: String,
        /// Why the new one does not follow from it.
        why: String,
    },
    /// The witness's folder.
    #[error(transparent)]
    State(#[from] StateError),
}

impl State {
    /// Pins the log of the root in `file`, an archive's `root/<n>.json`. Where an older root of the log is pinned, the roots between and their
    /// signatures are read beside the file, and must lead from the one to the other; or `replace` says that they need not.
    pub fn pin_root(&self, file: &Path, replace: bool) -> Result<Pinned, PinError> {
        let json = fs::read(file).map_err(|e| PinError::Read(file.to_owned(), e))?;
        let root = Root::parse(&json).map_err(|e| PinError::Root(file.to_owned(), e))?;
        let folder = self.folder_of(&root.origin);
        if let Some(known) = read_log(&folder)?.filter(|_| !replace) {
            let pinned = fs::read(folder.join("root.json")).ok();
            if pinned.as_ref() != Some(&json) {
                let other = |why: String| PinError::Other { origin: root.origin.clone(), why };
                let pinned = pinned.ok_or_else(|| other("it is no root that was pinned".into()))?;
                leads_to(&pinned, &root, &json, file).map_err(other)?;
            }
            if known.key == root.log {
                write(&folder.join("root.json"), &json)?;
                return Ok(Pinned { key: root.log, changed: false });
            }
        }
        self.keep(&folder, "root.json", &json, root.log)
    }

    /// Pins a log by its key alone, whose name is the log's origin: for logs that are no Daylight archives.
    pub fn pin_key(&self, text: &str, replace: bool) -> Result<Pinned, PinError> {
        let key: Key = text.trim().parse()?;
        if key.kind() != daylight_archive::KeyType::Note {
            return Err(PinError::Witness(key.name().to_owned()));
        }
        let folder = self.folder_of(key.name());
        match read_log(&folder)? {
            Some(known) if known.key == key => Ok(Pinned { key, changed: false }),
            Some(_) if !replace => {
                Err(PinError::Other { origin: key.name().to_owned(), why: "a key does not say what it follows on".into() })
            }
            _ => self.keep(&folder, "key", format!("{key}\n").as_bytes(), key),
        }
    }

    fn keep(&self, folder: &Path, name: &str, bytes: &[u8], key: Key) -> Result<Pinned, PinError> {
        let parent = folder.parent().unwrap_or(folder);
        let made = fs::create_dir_all(folder).and_then(|()| daylight_durable::sync_dir(parent));
        made.map_err(|e| StateError::Io(folder.to_owned(), e))?;
        write(&folder.join(name), bytes)?;
        if name == "key" {
            // A root would count before it. A crash here leaves the root in force, as it was: pin the key again.
            match fs::remove_file(folder.join("root.json")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StateError::Io(folder.to_owned(), error).into()),
                _ => {}
            }
        }
        Ok(Pinned { key, changed: true })
    }
}

/// Whether the roots that stand beside `file` lead from the pinned one to this one; `Err` says why not.
fn leads_to(pinned: &[u8], root: &Root, json: &[u8], file: &Path) -> Result<(), String> {
    let mut last = Root::parse(pinned).map_err(|e| e.to_string())?;
    if root.version <= last.version {
        return Err(format!("this is root {}, where root {} is pinned", root.version, last.version));
    }
    let read = |path: PathBuf| {
        fs::read(&path).map_err(|e| format!("{} is needed to see that the roots follow from one another: {e}", path.display()))
    };
    for version in last.version + 1..=root.version {
        // The last one is the file that was named, whatever its name.
        let is_last = version == root.version;
        let path = if is_last { file.to_owned() } else { file.with_file_name(format!("{version}.json")) };
        let between = if is_last { json.to_vec() } else { read(path.clone())? };
        let sig = read(path.with_extension("sig"))?;
        last = follow(&last, &between, &sig).map_err(|e| format!("root {version} does not follow: {e}"))?.0;
    }
    if last == *root { Ok(()) } else { Err("the roots beside it lead to another one".into()) }
}
