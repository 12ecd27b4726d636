use crate::error::random;
use crate::keyring::Keyring;
use crate::secrets::Secrets;
use crate::tpm::Tpm;
use crate::{Error, Result};
use daylight_durable::{Lock, crash_point, sync_dir, write_atomic};
use daylight_model::{Digest, Hasher};
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// "DAYI", so that others can tell it from any other SQLite file.
const APPLICATION_ID: i64 = 0x4441_5949;

/// The version of the database.
const VERSION: i64 = 1;

/// The folders of an inbox.
const FOLDERS: [&str; 4] = ["keyring", "sealed", "incoming", "import"];

/// What a desk has of sources: `DESK/inbox`. It is no part of a backup.
///
/// ```text
/// keyring/<member>.keys   secret keys by day, destroyed 45 days after it
/// storage.keys            one secret for each conversation, destroyed with it
/// inbox.sqlite            which conversations and messages there are; nothing of what they say
/// sealed/<32 hex>         what they say, one age file a message, under its conversation's secret
/// incoming/               an envelope as it came, while it is opened
/// import/<16 hex>/        files in the clear, while `ingest` reads them, and at no other time
/// directory               the directory of intake keys that was logged last
/// ```
pub struct Inbox {
    pub(crate) root: PathBuf,
    pub(crate) connection: Connection,
    pub(crate) tpm: Tpm,
}

/// The right to change an inbox, held by one process at a time.
pub struct Held {
    _lock: Lock,
}

impl Inbox {
    /// Opens the inbox of a desk, making it if there is none. On the day `today` keys are destroyed that are due, as soon as nobody else holds it. The TPM is
    /// used where files of secrets are sealed under keys in it.
    pub fn open(desk: &Path, today: u32, tpm: &Tpm) -> Result<Self> {
        let root = desk.join("inbox");
        for folder in [root.clone()].into_iter().chain(FOLDERS.map(|name| root.join(name))) {
            if !folder.is_dir() {
                fs::DirBuilder::new().mode(0o700).recursive(true).create(&folder).map_err(Error::io(&folder))?;
                sync_dir(folder.parent().unwrap_or(desk)).map_err(Error::io(&folder))?;
            }
        }
        let connection = open_database(&root.join("inbox.sqlite"))?;
        let mut inbox = Self { root, connection, tpm: tpm.clone() };
        // Whatever somebody came for, what is due is done first; whoever holds the inbox has done so a moment ago.
        if let Ok(held) = inbox.hold("tidy") {
            inbox.tidy(&held, today)?;
        }
        Ok(inbox)
    }

    /// Opens the inbox if there is one: for whoever only asks.
    pub fn open_existing(desk: &Path, today: u32, tpm: &Tpm) -> Result<Option<Self>> {
        if desk.join("inbox/inbox.sqlite").exists() { Self::open(desk, today, tpm).map(Some) } else { Ok(None) }
    }

    /// Takes the right to change it; the error names who has it. `what` says in a word what for.
    pub fn hold(&self, what: &str) -> Result<Held> {
        Ok(Held { _lock: Lock::take(&self.root.join("inbox.lease"), what)? })
    }

    /// The right to seal an answer, held by one process at a time: what is sealed under it is not removed though nothing names it yet.
    pub(crate) fn answering(&self) -> Result<Held> {
        Ok(Held { _lock: Lock::take(&self.root.join("answer.lease"), "drop answer")? })
    }

    /// The desk's folder for members' keyrings.
    pub fn keyring_path(&self, member: &str) -> PathBuf {
        // A key's name may be anything without white space; a file's name is made of what is plain in it, and of its hash.
        let plain: String = member.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.@".contains(*c)).take(40).collect();
        let plain = plain.trim_start_matches('.');
        if plain == member {
            return self.root.join(format!("keyring/{member}.keys"));
        }
        self.root.join(format!("keyring/{plain}-{}.keys", &Digest::of(member.as_bytes()).to_string()[..8]))
    }

    /// The keyrings that are on the desk, what is due in them destroyed.
    pub fn keyrings(&self, today: u32) -> Result<Vec<Keyring>> {
        self.keyring_files()?.iter().map(|path| Ok(Keyring::open(path, today, &self.tpm)?.0)).collect()
    }

    pub(crate) fn keyring_files(&self) -> Result<Vec<PathBuf>> {
        let paths = self.in_keyring()?;
        Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "keys")).collect())
    }

    /// All that stands in the folder of keyrings, keyrings and what a crash left beside them.
    pub(crate) fn in_keyring(&self) -> Result<Vec<PathBuf>> {
        let folder = self.root.join("keyring");
        let entries = fs::read_dir(&folder).map_err(Error::io(&folder))?;
        let mut paths = entries.map(|entry| Ok(entry.map_err(Error::io(&folder))?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    /// Where the storage keys of the conversations are.
    pub(crate) fn storage_file(&self) -> PathBuf {
        self.root.join("storage.keys")
    }

    /// Keeps a directory that was logged as this desk's own, to be given to the drop by the next collection.
    pub fn keep_directory(&mut self, _held: &Held, file: &[u8], serial: u64) -> Result<()> {
        // The digest first: a crash here leaves one that is known and not shown yet, never one that is shown and not known.
        self.connection.execute("INSERT OR IGNORE INTO directory (digest, serial) VALUES (?1, ?2)", (Digest::of(file).0, int(serial)))?;
        crash_point("inbox.directory-known");
        let path = self.root.join("directory");
        write_atomic(&path, file).map_err(Error::io(&path))
    }

    /// The directory that was logged last.
    pub fn directory(&self) -> Result<Option<Vec<u8>>> {
        let path = self.root.join("directory");
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(&path)(error)),
        }
    }

    /// The last day for which sources have keys to seal to, as the directory says that was logged last.
    pub fn directory_ends(&self) -> Result<Option<u32>> {
        let file = self.directory()?.map(|file| daylight_archive::directory::parse(&file)).transpose()?;
        Ok(file.map(|file| file.told.last()))
    }

    /// The serial of a directory's file, if this desk made it.
    pub(crate) fn made(&self, file: &[u8]) -> Result<Option<u64>> {
        let sql = "SELECT serial FROM directory WHERE digest = ?1";
        let serial = self.connection.prepare_cached(sql)?.query_row([Digest::of(file).0], |row| row.get::<_, i64>(0)).optional()?;
        Ok(serial.map(i64::unsigned_abs))
    }

    /// A setting's bytes.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT value FROM setting WHERE name = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?)
    }

    pub(crate) fn unset(&self, name: &str) -> Result<()> {
        self.connection.execute("DELETE FROM setting WHERE name = ?1", [name])?;
        Ok(())
    }

    pub(crate) fn set(&self, name: &str, value: &[u8]) -> Result<()> {
        self.connection.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)", (name, value))?;
        Ok(())
    }

    /// The storage keys of the conversations.
    pub(crate) fn storage(&self) -> Result<Secrets> {
        let path = self.storage_file();
        if path.exists() { Secrets::open(&path, &self.tpm) } else { Secrets::create(&path, b"storage", self.seals_under()?) }
    }

    /// What an envelope is known by after it was taken: whoever has the envelope and this desk can tell that it is the same; nobody else learns anything.
    pub(crate) fn mark(&self, id: &Digest) -> Result<[u8; 32]> {
        let secret = match self.setting("mark")? {
            Some(secret) => secret,
            None => {
                let secret = random::<32>()?.to_vec();
                self.set("mark", &secret)?;
                secret
            }
        };
        let mut hasher = Hasher::default();
        hasher.update(b"daylight-seen/v1\n");
        hasher.update(&secret);
        hasher.update(&id.0);
        Ok(hasher.finish().0)
    }

    /// Does what is due and what was interrupted: keys that are 45 days old are destroyed, deletions finished, leftovers removed.
    fn tidy(&mut self, held: &Held, today: u32) -> Result<()> {
        // Before anything is destroyed anew: a key that was to be removed is removed.
        self.settle(held)?;
        drop(self.keyrings(today)?);
        let day = i64::from(today);
        self.connection.execute("DELETE FROM seen WHERE until < ?1", [day])?;
        self.connection.execute("DELETE FROM refused WHERE until < ?1", [day])?;
        let deleting: Vec<i64> = self
            .connection
            .prepare("SELECT n FROM conversation WHERE deleting = 1")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        self.finish_deleting(held, &deleting)?;
        for folder in ["incoming", "import"] {
            self.empty(folder)?;
        }
        Ok(())
    }

    pub(crate) fn empty(&self, folder: &str) -> Result<()> {
        let folder = self.root.join(folder);
        for entry in fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let path = entry.map_err(Error::io(&folder))?.path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(Error::io(&path))?;
        }
        Ok(())
    }

    /// What a killed collection left: sealed files that no message names, and storage keys that no conversation has.
    pub(crate) fn remove_unnamed(&mut self, _held: &Held) -> Result<()> {
        // While somebody answers it is left to the next collection.
        if let Ok(_answering) = self.answering() {
            let folder = self.root.join("sealed");
            let mut named = self.connection.prepare("SELECT 1 FROM message WHERE name = ?1")?;
            for entry in fs::read_dir(&folder).map_err(Error::io(&folder))? {
                let entry = entry.map_err(Error::io(&folder))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if !named.exists([&name])? {
                    fs::remove_file(entry.path()).map_err(Error::io(entry.path()))?;
                }
            }
        }
        if !self.storage_file().exists() {
            return Ok(());
        }
        let places: BTreeSet<u32> =
            self.connection.prepare("SELECT place FROM conversation")?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut storage = self.storage()?;
        let left: Vec<u32> = storage.all().map(|(place, _, _)| place).filter(|place| !places.contains(place)).collect();
        storage.destroy(&left)
    }
}

/// A number as SQLite holds it.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn open_database(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(60))?;
    // No WAL, and no journal that stays: what was deleted would stand there until somebody else's transaction. To commit the journal is cut to nothing and synced.
    connection.execute_batch(
        "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -8192;
         PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
    )?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    match (version, application) {
        (VERSION, APPLICATION_ID) => Ok(connection),
        (0, 0) => {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            // Another process may have made it while we waited.
            if version == 0 {
                transaction.execute_batch(include_str!("schema.sql"))?;
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
            }
            transaction.commit()?;
            Ok(connection)
        }
        (newer, APPLICATION_ID) if newer > VERSION => {
            Err(Error::Refused(format!("the inbox has format {newer}, and this daylight knows up to {VERSION}: use the newer one")))
        }
        _ => Err(Error::damaged(path, "it is not the database of an inbox")),
    }
}
