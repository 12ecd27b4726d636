//! The drop's store: sealed envelopes, sealed replies, which sources an editor accepted, and nothing else. docs/drop.md has its bytes.
//!
//! Each thing is one file that says of itself whose it is, so that there is no index that could disagree with it: a crash leaves it whole or not at all, and what is there can
//! be deleted. Names say nothing (SHA-256 of sealed bytes), and times only the day, because what came in one day is written anew at its end, in an order that is drawn.

mod incoming;
mod lying;
mod record;
mod shelf;
#[cfg(test)]
mod tests;

pub(crate) use incoming::Incoming;
pub use lying::Lying;
pub(crate) use lying::lying;
pub(crate) use record::{Kind, Lookup};
pub(crate) use shelf::{Envelope, Usage};

use crate::random::{NoRandomness, below, shuffle};
use daylight_durable::{Lock, LockError, crash_point, sync_dir};
use daylight_model::Digest;
use record::{HEADER, Record};
use shelf::{Item, Shelf};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many envelopes a source may leave before an editor accepts it.
pub(crate) const UNACCEPTED_COUNT: u64 = 16;
/// How many sealed bytes a source may leave before an editor accepts it: 64 MiB, and what padding and headers add.
pub(crate) const UNACCEPTED_BYTES: u64 = 80 << 20;
/// The longest sealed reply, in bytes.
pub(crate) const LONGEST_REPLY: usize = 64 << 10;
/// How many days something stays, give or take [`GIVE_OR_TAKE`].
const DAYS: u32 = 30;
const GIVE_OR_TAKE: u32 = 7;

/// Why the store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is in use.
    #[error("the store: {0}")]
    Locked(#[from] LockError),
    /// The disk did not do it.
    #[error("{what}: {source}")]
    Disk {
        /// What was tried.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// The disk is as full as it may get.
    #[error("the drop is full; come back later")]
    Full,
    /// This source may send no more before an editor has accepted it.
    #[error("no more can be taken from you before the newsroom has answered")]
    Unaccepted,
    /// The same bytes are here under another lookup id.
    #[error("these bytes are here already, and are not yours")]
    Others,
    /// Its source had everything deleted while it was received.
    #[error("everything of you was deleted meanwhile, and this with it")]
    Forgotten,
    /// There is no randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl StoreError {
    fn disk(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| {
            // A disk that fills up though room was left for it.
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
                Self::Full
            } else {
                Self::Disk { what, source }
            }
        }
    }
}

/// What was kept, and whether it was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// SHA-256 of the sealed bytes.
    pub(crate) id: Digest,
    /// Whether it was not there before.
    pub(crate) new: bool,
}

/// An open store. One process has it at a time.
#[derive(Debug)]
pub(crate) struct Store {
    home: PathBuf,
    reserve: u64,
    shelf: Mutex<Shelf>,
    damaged: Vec<PathBuf>,
    _lock: Lock,
}

/// How many things there may be at most: each takes some hundred bytes of memory.
const MOST: usize = 200_000;
/// With less room than this, in bytes, nothing is begun.
const LEAST: u64 = 1 << 20;
/// How many files the file system must still have room for.
const FILES: u64 = 1000;

const INCOMING: &str = "incoming";

/// Today, in days since 1970-01-01 (UTC).
pub(crate) fn today() -> u32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    u32::try_from(seconds / 86_400).unwrap_or(u32::MAX)
}

impl Store {
    /// Makes the folders of a store that do not exist yet.
    pub(crate) fn make(home: &Path) -> Result<(), StoreError> {
        for folder in [INCOMING, Kind::Envelope.folder(), Kind::Reply.folder(), Kind::Source.folder()] {
            let path = home.join(folder);
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(&path).map_err(StoreError::disk(path.display().to_string()))?;
        }
        sync_dir(home).map_err(StoreError::disk(home.display().to_string()))
    }

    /// Opens a store, of whose disk `reserve` bytes are to stay free. What was being received when the process before ended is removed; what that one promised is whole.
    pub(crate) fn open(home: &Path, reserve: u64) -> Result<Self, StoreError> {
        let lock = Lock::take(&home.join("lock"), "drop")?;
        Self::make(home)?;
        let incoming = home.join(INCOMING);
        for path in names(&incoming)? {
            fs::remove_file(&path).map_err(StoreError::disk(path.display().to_string()))?;
        }
        let (mut shelf, mut damaged) = (Shelf::default(), Vec::new());
        for kind in Kind::ALL {
            for path in names(&home.join(kind.folder()))? {
                match read_record(&path).ok().filter(|(record, _)| record.kind == kind) {
                    Some((record, length)) if is_name(&path, &record) => shelf.put(name_of(&path), Item { record, length }),
                    _ => damaged.push(path),
                }
            }
        }
        Ok(Self { home: home.to_owned(), reserve, shelf: Mutex::new(shelf), damaged, _lock: lock })
    }

    /// Files that are not of the store's form. They are left where they are, for an operator to look at.
    pub(crate) fn damaged(&self) -> &[PathBuf] {
        &self.damaged
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, kind: Kind, name: &Digest) -> PathBuf {
        self.home.join(kind.folder()).join(name.to_string())
    }

    /// Whether there is room for something of this length, beside the reserve.
    pub(crate) fn has_room(&self, length: u64) -> bool {
        has_room(&self.home, self.reserve.saturating_add(length))
    }

    /// Begins to receive something for a lookup id. Whatever is not [kept](Self::keep) is removed, at the latest when the store is opened again.
    pub(crate) fn begin(self: &Arc<Self>, kind: Kind, lookup: Lookup) -> Result<Incoming, StoreError> {
        if !self.has_room(LEAST) {
            return Err(StoreError::Full);
        }
        let stay = DAYS - GIVE_OR_TAKE + below(2 * GIVE_OR_TAKE + 1)?;
        let day = today();
        Incoming::create(self, Record { kind, fresh: true, day, until: day + stay, lookup }, false)
    }

    /// Keeps what was received: once this returns it is durable. The same bytes again are kept once.
    pub(crate) fn keep(&self, incoming: Incoming) -> Result<Kept, StoreError> {
        let arrived = incoming.finish()?;
        // A crash up to here leaves a file in `incoming`, which the next opening removes; nobody was told that it is kept.
        crash_point("drop.sealed");
        let (kind, lookup, length) = (arrived.record.kind, arrived.record.lookup, arrived.length);
        let name = if kind == Kind::Source { Digest(lookup.0) } else { arrived.id };
        let new = {
            let mut shelf = self.shelf();
            let known = shelf.get(kind, &name).map(|item| item.record.lookup);
            if known.is_some_and(|of| of != lookup) {
                return Err(StoreError::Others);
            }
            if kind == Kind::Envelope && known.is_none() && !shelf.usage(&lookup).takes(length) {
                return Err(StoreError::Unaccepted);
            }
            if arrived.forgotten.load(Ordering::Relaxed) {
                return Err(StoreError::Forgotten);
            }
            if known.is_none() && kind == Kind::Envelope && shelf.len() >= MOST {
                return Err(StoreError::Full);
            }
            if known.is_none() || kind == Kind::Source {
                fs::rename(&arrived.path, self.path(kind, &name)).map_err(StoreError::disk("keeping what arrived"))?;
                shelf.put(name, Item { record: arrived.record.clone(), length });
            }
            known.is_none()
        };
        // A crash here leaves it whole or not at all; nobody was told.
        crash_point("drop.named");
        self.sync(kind)?;
        // A crash from here on leaves it whole.
        crash_point("drop.kept");
        Ok(Kept { id: arrived.id, new })
    }

    fn sync(&self, kind: Kind) -> Result<(), StoreError> {
        sync_dir(&self.home.join(kind.folder())).map_err(StoreError::disk(kind.folder()))
    }

    /// Keeps a sealed reply for a source, who is accepted by it.
    pub(crate) fn put_reply(self: &Arc<Self>, lookup: Lookup, sealed: &[u8]) -> Result<Kept, StoreError> {
        let mut incoming = self.begin(Kind::Reply, lookup)?;
        incoming.write_all(sealed).map_err(StoreError::disk("a reply"))?;
        let kept = self.keep(incoming)?;
        self.accept(lookup)?;
        Ok(kept)
    }

    /// Notes that an editor accepted a source, who may send more from now on. The note ends as everything does, and begins anew with each call.
    pub(crate) fn accept(self: &Arc<Self>, lookup: Lookup) -> Result<(), StoreError> {
        self.keep(self.begin(Kind::Source, lookup)?).map(|_| ())
    }

    /// What a source has here.
    pub(crate) fn usage(&self, lookup: &Lookup) -> Usage {
        self.shelf().usage(lookup)
    }

    /// Every envelope, in the order of ids.
    pub(crate) fn envelopes(&self) -> Vec<Envelope> {
        self.shelf().envelopes()
    }

    /// An envelope's sealed bytes, and how many they are.
    pub(crate) fn envelope(&self, id: &Digest) -> Result<Option<(File, u64)>, StoreError> {
        let Some(length) = self.shelf().get(Kind::Envelope, id).map(|item| item.length) else { return Ok(None) };
        open_body(&self.path(Kind::Envelope, id)).map(|file| file.map(|file| (file, length)))
    }

    /// The ids of a source's replies and their lengths, the oldest first; those of one day in the order of ids.
    pub(crate) fn replies(&self, lookup: &Lookup) -> Vec<(Digest, u64)> {
        self.shelf().replies(lookup)
    }

    /// A reply's sealed bytes; nothing where it has been deleted meanwhile.
    pub(crate) fn reply(&self, id: &Digest) -> Result<Vec<u8>, StoreError> {
        let mut sealed = Vec::new();
        if let Some(file) = open_body(&self.path(Kind::Reply, id))? {
            file.take(LONGEST_REPLY as u64).read_to_end(&mut sealed).map_err(StoreError::disk("a reply"))?;
        }
        Ok(sealed)
    }

    /// Reads a file as a reply is read, and gives it to nobody.
    pub(crate) fn read_in_vain(&self) {
        let mut read = Vec::new();
        let _ = open_unseen(&self.home.join("lock")).and_then(|file| file.take(LONGEST_REPLY as u64).read_to_end(&mut read));
        std::hint::black_box(read);
    }

    /// Deletes envelopes, which the desk has. Ids that are not here are passed over.
    pub(crate) fn done(&self, ids: &[Digest]) -> Result<(), StoreError> {
        self.remove(ids.iter().map(|id| (Kind::Envelope, *id)).collect())
    }

    /// Deletes everything of a source.
    pub(crate) fn forget(&self, lookup: &Lookup) -> Result<(), StoreError> {
        let of_it = {
            let mut shelf = self.shelf();
            shelf.end_live(lookup);
            shelf.of(lookup)
        };
        self.remove(of_it)
    }

    /// Deletes the replies to a source and that it was accepted, which is what the newsroom has put here. What the source sent and nobody has fetched stays: it was
    /// told that it arrived.
    pub(crate) fn forget_answers(&self, lookup: &Lookup) -> Result<(), StoreError> {
        let of_it = self.shelf().of(lookup);
        self.remove(of_it.into_iter().filter(|(kind, _)| *kind != Kind::Envelope).collect())
    }

    /// A crash in it leaves some of what was to be deleted, each whole, so that it can be asked for again.
    fn remove(&self, what: Vec<(Kind, Digest)>) -> Result<(), StoreError> {
        let mut shelf = self.shelf();
        for (kind, name) in what {
            match fs::remove_file(self.path(kind, &name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::disk("deleting")(error)),
                _ => shelf.take(kind, &name),
            }
            crash_point("drop.removed-one");
        }
        drop(shelf);
        Kind::ALL.into_iter().try_for_each(|kind| self.sync(kind))
    }

    /// What is due at the beginning of a day: what has stayed long enough goes, and what came on days before is written anew in an order that is drawn, so that
    /// neither its times nor its place on the disk say more than the day. Says how many were removed. After a crash in it the rest is done by the next call.
    pub(crate) fn midnight(self: &Arc<Self>, today: u32) -> Result<usize, StoreError> {
        let over = self.shelf().select(|item| item.record.until <= today);
        let count = over.len();
        self.remove(over)?;
        let mut fresh = self.shelf().select(|item| item.record.fresh && item.record.day < today);
        shuffle(&mut fresh)?;
        // One that cannot be written anew, on a full disk say, keeps none of the others from it.
        let written = fresh.into_iter().map(|(kind, name)| self.write_anew(kind, &name)).fold(Ok(()), Result::and);
        Kind::ALL.into_iter().try_for_each(|kind| self.sync(kind))?;
        written.map(|()| count)
    }

    fn write_anew(self: &Arc<Self>, kind: Kind, name: &Digest) -> Result<(), StoreError> {
        let path = self.path(kind, name);
        let Some(item) = self.shelf().get(kind, name).cloned() else { return Ok(()) };
        let Some(mut body) = open_body(&path)? else { return Ok(()) };
        let mut copy = Incoming::create(self, Record { fresh: false, ..item.record }, true)?;
        io::copy(&mut body, &mut copy).map_err(StoreError::disk("writing anew"))?;
        let arrived = copy.finish()?;
        // A crash here leaves the old file, and a copy that the next opening removes.
        crash_point("drop.written-anew");
        let mut shelf = self.shelf();
        // What was deleted meanwhile must not come back, and what was changed must not be undone.
        if shelf.get(kind, name).is_some_and(|now| now.record.fresh && now.record.day == arrived.record.day) {
            fs::rename(&arrived.path, &path).map_err(StoreError::disk("writing anew"))?;
            shelf.put(*name, Item { record: arrived.record.clone(), length: arrived.length });
        }
        Ok(())
    }
}

/// Whether so many bytes are free, and enough files.
fn has_room(home: &Path, bytes: u64) -> bool {
    rustix::fs::statvfs(home).is_ok_and(|disk| {
        // Some file systems do not count files, and say 0 of 0.
        let files = disk.f_files == 0 || disk.f_favail > FILES;
        files && disk.f_bavail.saturating_mul(disk.f_frsize) >= bytes
    })
}

/// How many bytes of a drop's disk are free.
pub(crate) fn free(home: &Path) -> u64 {
    rustix::fs::statvfs(home).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether a store takes nothing more.
pub(crate) fn is_full(home: &Path, reserve: u64, lying: &Lying) -> bool {
    !has_room(home, reserve.saturating_add(LEAST)) || lying.envelopes + lying.replies >= MOST as u64
}

/// The files of a folder.
fn names(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    listed.map_err(StoreError::disk(folder.display().to_string()))
}

fn name_of(path: &Path) -> Digest {
    path.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or(Digest([0; 32]))
}

/// Whether a file is named as one of its kind is. That its bytes are those of its name is not looked at: that would be to read all of the store.
fn is_name(path: &Path, record: &Record) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.parse::<Digest>().is_ok_and(|name| record.kind != Kind::Source || name.0 == record.lookup.0)
}

/// A file's header, and how many bytes follow it.
fn read_record(path: &Path) -> io::Result<(Record, u64)> {
    let mut file = open_unseen(path)?;
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    let record = Record::from_bytes(&header).ok_or(io::ErrorKind::InvalidData)?;
    Ok((record, file.metadata()?.len() - HEADER as u64))
}

/// A file of the store, at the beginning of its sealed bytes; none if it is gone.
fn open_body(path: &Path) -> Result<Option<File>, StoreError> {
    let opened = open_unseen(path).and_then(|mut file| file.seek(SeekFrom::Start(HEADER as u64)).map(|_| file));
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::disk("reading the store")(error)),
    }
}

/// Opens a file of the store without its time of reading being written down, which would say when its source looked.
fn open_unseen(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOATIME.bits().cast_signed();
    match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        // Whoever is not its owner may not ask for that.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path),
        opened => opened,
    }
}

/// A new file that nobody else may read.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many envelopes.
    pub envelopes: usize,
    /// Files that are not of the store's form, and were left where they are.
    pub damaged: Vec<PathBuf>,
}

/// Writes the envelopes of a store, which may be in use, into `to/outbox`, and their list last. An envelope that is deleted meanwhile is not in the list.
pub(crate) fn export(home: &Path, to: &Path) -> Result<Exported, StoreError> {
    let outbox = to.join("outbox");
    fs::create_dir_all(&outbox).map_err(StoreError::disk(outbox.display().to_string()))?;
    let (mut listed, mut damaged) = (Vec::new(), Vec::new());
    for path in names(&home.join(Kind::Envelope.folder()))? {
        let (record, length) = match read_record(&path) {
            Ok(read) => read,
            // Deleted by a drop that runs meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(_) => {
                damaged.push(path);
                continue;
            }
        };
        let (id, Some(mut body)) = (name_of(&path), open_body(&path)?) else { continue };
        let copy = outbox.join(id.to_string());
        let written = File::create(&copy).and_then(|mut file| io::copy(&mut body, &mut file).and_then(|_| file.sync_all()));
        written.map_err(StoreError::disk(copy.display().to_string()))?;
        listed.push(Envelope { id, lookup: record.lookup, day: record.day, length });
    }
    listed.sort_by_key(|envelope| envelope.id);
    // What sources are shown, so that the newsroom sees whether it is its own.
    match fs::read(home.join("directory")) {
        Ok(shown) => daylight_durable::write_atomic(&outbox.join("directory"), &shown).map_err(StoreError::disk("the directory"))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::disk("the directory")(error)),
    }
    daylight_durable::write_atomic(&outbox.join("list"), &shelf::list(&listed)).map_err(StoreError::disk("the list"))?;
    Ok(Exported { envelopes: listed.len(), damaged })
}

pub(crate) use shelf::list;
