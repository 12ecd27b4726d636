//! Whose drop it is: settings, the archive's roots, and the directory of the keys to which is sealed today.

use crate::random::{self, NoRandomness};
use crate::store::{Store, StoreError};
use daylight_archive::directory::{self, DirectoryError, DirectoryFile};
use daylight_archive::json::{self, Fields, JsonError};
use daylight_archive::note::NoteError;
use daylight_archive::root::{Chain, RootError};
use daylight_durable::write_atomic;
use daylight_envelope::{Newsroom, Recipient};
use daylight_model::Digest;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

const FORMAT: &str = "daylight-drop-settings/v1";
const SETTINGS: &str = "drop.json";
const DIRECTORY: &str = "directory";

/// Why a drop is not made or opened.
#[derive(Debug, thiserror::Error)]
pub enum DropError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no drop.
    #[error("{}: no drop there: make one with `daylight drop init`", .0.display())]
    NoDrop(PathBuf),
    /// The settings are not of their form.
    #[error("the settings in drop.json: {0}")]
    Settings(#[from] JsonError),
    /// The archive's roots do not follow from each other.
    #[error("the archive's roots: {0}")]
    Root(#[from] RootError),
    /// The archive has no root.
    #[error("{}: no root/1.json there: name the archive's folder", .0.display())]
    NoRoot(PathBuf),
    /// The roots are those of another archive than the drop was made for.
    #[error("these are the roots of another archive: sources' codenames would open nothing any more; make another drop for it")]
    OtherArchive,
    /// The directory is not one that the newsroom signed.
    #[error("the directory: {0}")]
    Directory(#[from] VouchError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Why a directory is not taken.
#[derive(Debug, thiserror::Error)]
pub enum VouchError {
    /// Not a directory, or its keys are not those that it names.
    #[error(transparent)]
    Form(#[from] DirectoryError),
    /// It was signed for another archive or another root.
    #[error("it was signed under another root than the newest that this drop knows: give it the archive's roots with `daylight drop init`")]
    OtherRoot,
    /// Too few editors signed it.
    #[error(transparent)]
    Signatures(#[from] NoteError),
    /// There is a newer one.
    #[error("its serial is {found}, and {known} is here already")]
    Older {
        /// The serial of the one that was brought.
        found: u64,
        /// The serial of the one that is here.
        known: u64,
    },
    /// It cannot be written.
    #[error("it cannot be kept: {0}")]
    Disk(#[from] io::Error),
}

/// What an operator decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where sources reach the drop: its onion address, as a URL.
    pub address: String,
    /// The newsroom's name, as pages show it.
    pub title: String,
    /// How many bytes of the disk stay free.
    pub reserve: u64,
}

/// A drop's settings and keys. What it has is public, but for the hash of the collector's token.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) settings: Settings,
    /// SHA-256 of the token that a collector shows.
    pub(crate) collector: Digest,
    path: PathBuf,
    chain: Chain,
    keys: RwLock<Option<Arc<Keys>>>,
    /// Why the directory that lies here is not used.
    pub(crate) unused: Option<String>,
}

/// A directory in force, with the keys of one day at hand.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The file, as it is given to whoever asks.
    pub(crate) bytes: Vec<u8>,
    /// The keys that sign replies.
    pub(crate) editors: Vec<[u8; 32]>,
    file: DirectoryFile,
    day: RwLock<(u32, Arc<Vec<Recipient>>)>,
}

/// Makes a drop in a folder, for the archive in another, or gives it other settings and newer roots. Says the collector's token, if a new one was made: it is
/// shown this once, for the drop keeps only its hash.
pub fn init(home: &Path, archive: &Path, settings: &Settings, directory: Option<&Path>) -> Result<Option<String>, DropError> {
    Store::make(home)?;
    let chain = read_chain(archive)?;
    let before = read_chain(home).ok();
    if before.is_some_and(|before| before.links()[0].digest != chain.links()[0].digest) {
        return Err(DropError::OtherArchive);
    }
    write_chain(home, &chain)?;
    let known = read_settings(home).ok().map(|(_, collector)| collector);
    let (token, collector) = match known {
        Some(collector) => (None, collector),
        None => {
            let token = Digest(random::bytes()?).to_string();
            let hash = Digest::of(token.as_bytes());
            (Some(token), hash)
        }
    };
    write_settings(home, settings, collector)?;
    if let Some(directory) = directory {
        let bytes = fs::read(directory).map_err(|source| DropError::File { path: directory.to_owned(), source })?;
        Home::open(home)?.put_directory(&bytes)?;
    }
    Ok(token)
}

impl Home {
    /// Whether there is a drop, without reading anything of it.
    pub(crate) fn is_there(home: &Path) -> Result<(), DropError> {
        if home.join(SETTINGS).exists() { Ok(()) } else { Err(DropError::NoDrop(home.to_owned())) }
    }

    pub(crate) fn open(home: &Path) -> Result<Self, DropError> {
        let (settings, collector) = read_settings(home)?;
        let (path, chain) = (home.to_owned(), read_chain(home)?);
        let mut opened = Self { settings, collector, path, chain, keys: RwLock::new(None), unused: None };
        match fs::read(home.join(DIRECTORY)) {
            // One that was signed under a root before leaves the drop closed until another is brought.
            Ok(bytes) => match opened.vouched(&bytes) {
                Ok(keys) => opened.keys = RwLock::new(Some(Arc::new(keys))),
                Err(error) => opened.unused = Some(error.to_string()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(DropError::File { path: home.join(DIRECTORY), source }),
        }
        Ok(opened)
    }

    /// The newsroom to which everything here is bound.
    pub(crate) fn newsroom(&self) -> Newsroom {
        Newsroom(self.chain.links()[0].digest.0)
    }

    /// The directory, if there is one.
    pub(crate) fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a newer directory that the editors of the newest root signed. That it is in the log is for the source's tool to see: the drop has no log.
    pub(crate) fn put_directory(&self, bytes: &[u8]) -> Result<(), VouchError> {
        let keys = self.vouched(bytes)?;
        let mut held = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held.as_ref().map(|held| held.file.told.serial).filter(|known| *known > keys.file.told.serial) {
            return Err(VouchError::Older { found: keys.file.told.serial, known });
        }
        write_atomic(&self.path.join(DIRECTORY), bytes)?;
        *held = Some(Arc::new(keys));
        Ok(())
    }

    fn vouched(&self, bytes: &[u8]) -> Result<Keys, VouchError> {
        let file = directory::parse(bytes)?;
        let link = self.chain.last();
        if file.told.origin != link.root.origin || file.told.root != link.digest {
            return Err(VouchError::OtherRoot);
        }
        // Under the newest root none of its editors is retired, whatever the index.
        self.chain.check_editors(link, &file.note, 0, link.root.editors.threshold)?;
        let editors = file.told.members.iter().map(|key| *key.public()).collect();
        Ok(Keys { bytes: bytes.to_vec(), editors, file, day: RwLock::new((u32::MAX, Arc::default())) })
    }

    /// What a tool is told of the newsroom: canonical JSON.
    pub(crate) fn told(&self, longest_envelope: u64, part: u64, file: u64, unaccepted: u64) -> Vec<u8> {
        let value = serde_json::json!({
            "address": self.settings.address,
            "first_root": self.chain.links()[0].digest.to_string(),
            "format": "daylight-drop/v1",
            "limits": { "envelope": longest_envelope, "file": file, "part": part, "unaccepted": unaccepted },
            "title": self.settings.title,
        });
        // Everything in it can be written.
        json::write(&value).unwrap_or_default()
    }
}

impl Keys {
    /// To whom is sealed on a day; nobody if the directory does not reach it.
    pub(crate) fn recipients(&self, day: u32) -> Arc<Vec<Recipient>> {
        let (of, recipients) = &*self.day.read().unwrap_or_else(PoisonError::into_inner);
        if *of == day {
            return recipients.clone();
        }
        self.load(day)
    }

    /// The directory's serial.
    pub(crate) fn serial(&self) -> u64 {
        self.file.told.serial
    }

    /// The last day for which it has keys.
    pub(crate) fn last(&self) -> u32 {
        self.file.told.last()
    }

    fn load(&self, day: u32) -> Arc<Vec<Recipient>> {
        let keys = self.file.keys(day);
        let read: Vec<Recipient> = keys.iter().filter_map(|key| Recipient::from_bytes(key).ok()).collect();
        // Whoever would be left out could not open what comes: then nobody is sealed to.
        Arc::new(if read.len() == keys.len() { read } else { Vec::new() })
    }

    /// Has the keys of a day at hand.
    pub(crate) fn prepare(&self, day: u32) {
        let recipients = self.load(day);
        *self.day.write().unwrap_or_else(PoisonError::into_inner) = (day, recipients);
    }
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> DropError {
    let path = path.to_owned();
    move |source| DropError::File { path, source }
}

/// The roots in a folder's `root/`, as an archive has them.
fn read_chain(folder: &Path) -> Result<Chain, DropError> {
    let read = |version: u64, ending: &str| {
        let path = folder.join(format!("root/{version}.{ending}"));
        fs::read(&path).map_err(file_error(&path))
    };
    // That it may not be read is another thing than that it is not there.
    let first = read(1, "json").map_err(|error| match error {
        DropError::File { source, .. } if source.kind() == io::ErrorKind::NotFound => DropError::NoRoot(folder.to_owned()),
        error => error,
    })?;
    let mut chain = Chain::begin(&first, &read(1, "sig")?)?;
    let mut version = 2;
    while folder.join(format!("root/{version}.json")).exists() {
        chain.extend(&read(version, "json")?, &read(version, "sig")?)?;
        version += 1;
    }
    Ok(chain)
}

fn write_chain(home: &Path, chain: &Chain) -> Result<(), DropError> {
    let folder = home.join("root");
    fs::create_dir_all(&folder).map_err(file_error(&folder))?;
    for link in chain.links() {
        // The signatures first: a root without them would be one that is not in force.
        for (ending, bytes) in [("sig", &link.sig), ("json", &link.json)] {
            let path = folder.join(format!("{}.{ending}", link.root.version));
            write_atomic(&path, bytes).map_err(file_error(&path))?;
        }
    }
    Ok(())
}

fn read_settings(home: &Path) -> Result<(Settings, Digest), DropError> {
    let path = home.join(SETTINGS);
    let bytes = match fs::read(&path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Err(DropError::NoDrop(home.to_owned())),
        read => read.map_err(file_error(&path))?,
    };
    let mut fields = Fields::read(&bytes)?;
    fields.format(FORMAT)?;
    let settings = Settings { address: fields.string("address")?, title: fields.string("title")?, reserve: fields.number("reserve")? };
    let collector = fields.digest("collector")?;
    fields.end()?;
    Ok((settings, collector))
}

fn write_settings(home: &Path, settings: &Settings, collector: Digest) -> Result<(), DropError> {
    let Settings { address, title, reserve } = settings;
    let value = serde_json::json!({
        "address": address, "collector": collector.to_string(), "format": FORMAT, "reserve": reserve, "title": title,
    });
    let path = home.join(SETTINGS);
    write_atomic(&path, &json::write(&value)?).map_err(file_error(&path))
}
