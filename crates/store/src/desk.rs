use crate::catalogue;
use crate::codec::int;
use crate::error::{Error, Result};
use crate::pack::PackFiles;
use crate::settings::{self, Settings};
use daylight_durable::{Lock, sync_dir, write_atomic};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A desk: the private folder with originals, catalogue, index and decisions. One handle belongs to one thread; [`Desk::reopen`] gives another.
pub struct Desk {
    pub(crate) connection: Connection,
    pub(crate) root: PathBuf,
    pub(crate) packs: PackFiles,
    settings: Settings,
}

/// A collection's number on this desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionId(pub(crate) i64);

/// Documents that are published together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Its number on this desk.
    pub id: CollectionId,
    /// Its name, a slug that never changes.
    pub name: String,
}

/// The right to ingest, held by one process at a time until it is dropped.
pub struct IngestLease {
    pub(crate) root: PathBuf,
    _lock: Lock,
}

impl Desk {
    /// Moves what was committed out of the write-ahead log into the catalogue's own file, as far as nobody reads what that would overwrite. Otherwise
    /// whoever closes the catalogue last has to.
    pub fn checkpoint(&self) -> Result<()> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
    }

    /// Makes a desk in a folder that is empty or does not exist. `daylight.toml` is written last: a folder without it, but with what a killed
    /// `init` leaves, is finished.
    pub fn init(root: &Path) -> Result<Self> {
        if root.join("daylight.toml").exists() {
            return Err(Error::AlreadyADesk(root.to_owned()));
        }
        make_folder(root)?;
        fs::set_permissions(root, fs::Permissions::from_mode(0o700)).map_err(Error::io(root))?;
        if !is_ours(root)? {
            return Err(Error::NotEmpty(root.to_owned()));
        }
        for folder in ["pack", "blob", "blob/tmp", "index"] {
            make_folder(&root.join(folder))?;
        }
        catalogue::create(&root.join("catalogue.sqlite"))?;
        let settings = root.join("daylight.toml");
        write_atomic(&settings, settings::TEMPLATE.as_bytes()).map_err(Error::io(&settings))?;
        sync_dir(root).map_err(Error::io(root))?;
        Self::open(root)
    }

    /// Opens a desk. One that an older daylight made is brought to today's format; one that a newer daylight made is refused.
    pub fn open(root: &Path) -> Result<Self> {
        let (settings, database) = (root.join("daylight.toml"), root.join("catalogue.sqlite"));
        if !settings.is_file() || !database.is_file() {
            return Err(Error::NotADesk(root.to_owned()));
        }
        // A relative path would mean another folder after a change of directory.
        let root = fs::canonicalize(root).map_err(Error::io(root))?;
        let connection = catalogue::open(&root.join("catalogue.sqlite"))?;
        let settings = Settings::read(&root.join("daylight.toml"))?;
        Ok(Self { connection, packs: PackFiles::new(&root), root, settings })
    }

    /// Another handle on the same desk, for another thread. There may be many: each keeps little of the catalogue in memory.
    pub fn reopen(&self) -> Result<Self> {
        let other = Self::open(&self.root)?;
        other.connection.pragma_update(None, "cache_size", -512)?;
        Ok(other)
    }

    /// The desk's folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The folder of the full-text index, which can be deleted and made again from the rest.
    pub fn index_dir(&self) -> PathBuf {
        self.root.join("index")
    }

    /// What `daylight.toml` says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The collection of this name.
    pub fn collection(&self, name: &str) -> Result<Option<Collection>> {
        let id = self.connection.query_row("SELECT id FROM collection WHERE name = ?1", [name], |row| row.get(0)).optional()?;
        Ok(id.map(|id| Collection { id: CollectionId(id), name: name.to_owned() }))
    }

    /// All collections by name.
    pub fn collections(&self) -> Result<Vec<Collection>> {
        let mut statement = self.connection.prepare_cached("SELECT id, name FROM collection ORDER BY name")?;
        let rows = statement.query_map([], |row| Ok(Collection { id: CollectionId(row.get(0)?), name: row.get(1)? }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The collection of this name, made if there is none. The name is 1 to 64 of `a-z`, `0-9` and `-`.
    pub fn create_collection(&mut self, name: &str) -> Result<Collection> {
        let slug = name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if !slug || !(1..=64).contains(&name.len()) {
            return Err(Error::BadCollectionName(name.to_owned()));
        }
        if let Some(known) = self.collection(name)? {
            return Ok(known);
        }
        self.transaction(|transaction| {
            transaction.execute("INSERT INTO collection (name) VALUES (?1) ON CONFLICT DO NOTHING", [name])?;
            let id = transaction.query_row("SELECT id FROM collection WHERE name = ?1", [name], |row| row.get(0))?;
            Ok(Collection { id: CollectionId(id), name: name.to_owned() })
        })
    }

    /// The documents of a collection above `after`, in rising order, at most `limit`.
    pub fn members(&self, collection: CollectionId, after: u64, limit: usize) -> Result<Vec<u64>> {
        let mut statement =
            self.connection.prepare_cached("SELECT seq FROM member WHERE collection = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
        let rows = statement.query_map((collection.0, int(after), int(limit as u64)), |row| row.get::<_, i64>(0))?;
        rows.map(|seq| Ok(crate::codec::uint(seq?))).collect()
    }

    /// Takes the right to ingest; [`Error::Held`] names who has it.
    pub fn take_ingest_lease(&self) -> Result<IngestLease> {
        let path = self.root.join("ingest.lease");
        let lock = Lock::take(&path, "ingest").map_err(Error::lock)?;
        Ok(IngestLease { root: self.root.clone(), _lock: lock })
    }

    /// Runs `work` in a transaction of its own.
    pub(crate) fn transaction<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let turn = Turn::take(&self.root)?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        drop(turn);
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// The place at the head of the queue for SQLite's one write lock. SQLite lets waiters poll, so an ingest that commits and at once begins again
/// would starve an editor's decision for ever; whoever wants to write holds the turn while waiting, and the ingest must queue behind.
pub(crate) struct Turn(#[expect(dead_code, reason = "closing the file gives the turn back")] File);

impl Turn {
    pub(crate) fn take(root: &Path) -> Result<Self> {
        let path = root.join("turn.lock");
        let file = File::options().create(true).append(true).open(&path).map_err(Error::io(&path))?;
        file.lock().map_err(Error::io(&path))?;
        Ok(Self(file))
    }
}

fn make_folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io(path))
}

/// Whether there is nothing in the folder but what `init` itself makes before `daylight.toml`.
fn is_ours(root: &Path) -> Result<bool> {
    const OURS: [&str; 6] = ["pack", "blob", "index", "catalogue.sqlite", "catalogue.sqlite-wal", "catalogue.sqlite-shm"];
    for entry in fs::read_dir(root).map_err(Error::io(root))? {
        let name = entry.map_err(Error::io(root))?.file_name();
        let name = name.to_string_lossy();
        if !OURS.contains(&&*name) && !name.contains("daylight.toml") {
            return Ok(false);
        }
    }
    Ok(true)
}
