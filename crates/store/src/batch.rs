//! What is written together: bytes made durable first, then the one catalogue transaction that names them.

use crate::blobs::{self, BlobId, Place, Source};
use crate::catalogue;
use crate::codec::int;
use crate::desk::Turn;
use crate::error::{Error, Result};
use crate::pack::{self, At, Owner, PackFiles, PackWriter};
use daylight_durable::{crash_point, sync_dir};
use daylight_model::{Digest, Hasher};
use rusqlite::Connection;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of this length and more get a file of their own.
const LARGE: u64 = 1 << 20;

/// Bytes of unknown length on their way to the desk: written to a file beside the others, hashed as they come. Dropped, they are forgotten.
pub struct LargeBlob {
    file: File,
    hasher: Hasher,
    length: u64,
    path: TemporaryPath,
}

impl LargeBlob {
    /// How many bytes it has so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let path = self.path.0.clone().unwrap_or_default();
        self.write_all(bytes).map_err(Error::io(&path))
    }

    /// No more bytes follow.
    pub fn seal(self) -> Result<Staged> {
        let Self { hasher, length, path: temporary, .. } = self;
        Ok(Staged { digest: hasher.finish(), length, temporary: Mutex::new(temporary) })
    }
}

/// Bytes that are complete and wait beside the others for [`Writer::adopt`](crate::Writer::adopt). Dropped before, they are forgotten. They hold no file
/// open, for there may be many.
pub struct Staged {
    digest: Digest,
    length: u64,
    temporary: Mutex<TemporaryPath>,
}

impl Staged {
    /// The digest of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many they are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes, for reading alone, as long as they were not adopted; a file that was opened stays good after that.
    pub fn open(&self) -> Result<File> {
        let temporary = self.temporary.lock().unwrap_or_else(PoisonError::into_inner);
        let path = temporary.0.as_deref().unwrap_or(Path::new(""));
        File::open(path).map_err(Error::io(path))
    }
}

/// Where bytes can be put aside before the writer takes them, from any thread.
#[derive(Clone)]
pub struct Staging {
    root: PathBuf,
    owner: Owner,
    number: Arc<AtomicU64>,
}

impl Staging {
    /// Begins to put aside bytes that come in pieces.
    pub fn begin(&self) -> Result<LargeBlob> {
        let path = self.temporary();
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(Error::io(&path))?;
        Ok(LargeBlob { file, hasher: Hasher::default(), length: 0, path: TemporaryPath(Some(path)) })
    }

    /// A folder for programs to write to, which is gone when the next one opens the desk for writing, if not before.
    pub fn scratch(&self) -> Result<PathBuf> {
        let path = self.root.join("blob/tmp").join(format!("{}scratch", prefix(self.owner)));
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Error::io(&path)(error)),
            _ => Ok(path),
        }
    }

    /// A path that nobody else puts bytes aside at.
    pub(crate) fn temporary(&self) -> PathBuf {
        let name = format!("{}{}", prefix(self.owner), self.number.fetch_add(1, Relaxed));
        self.root.join("blob/tmp").join(name)
    }
}

impl Write for LargeBlob {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file that is removed unless it was given its place.
#[derive(Default)]
pub(crate) struct TemporaryPath(pub(crate) Option<PathBuf>);

impl Drop for TemporaryPath {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // If it cannot be removed now, the next one to open the desk for writing removes it.
            let _ = fs::remove_file(path);
        }
    }
}

/// One writer's connection, packs, and what waits for its commit.
pub(crate) struct Batch {
    pub(crate) connection: Connection,
    root: PathBuf,
    packs: PackWriter,
    owner: Owner,
    files: Vec<Pending>,
    staging: Staging,
    open: bool,
}

/// A large blob that is written but has not its name yet.
struct Pending {
    temporary: TemporaryPath,
    path: PathBuf,
}

impl Batch {
    /// Opens for writing; the caller holds the lock of this owner. What a killed one left is removed.
    pub(crate) fn open(root: &Path, owner: Owner) -> Result<Self> {
        let connection = catalogue::open(&root.join("catalogue.sqlite"))?;
        let packs = PackWriter::open(root, &connection, owner)?;
        let staging = Staging { root: root.to_owned(), owner, number: Arc::default() };
        let batch = Self { connection, root: root.to_owned(), packs, owner, files: Vec::new(), staging, open: false };
        batch.clean()?;
        Ok(batch)
    }

    /// Begins the transaction if none is open. It stays open until [`commit`](Self::commit).
    pub(crate) fn begin(&mut self) -> Result<()> {
        if !self.open {
            let turn = Turn::take(&self.root)?;
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            drop(turn);
            self.open = true;
        }
        Ok(())
    }

    /// Stores bytes whose digest is this, unless they are stored already.
    pub(crate) fn blob(&mut self, digest: &Digest, bytes: &[u8]) -> Result<BlobId> {
        self.begin()?;
        if let Some(known) = blobs::find(&self.connection, digest)? {
            return Ok(known);
        }
        if bytes.len() as u64 >= LARGE {
            let mut large = self.staging.begin()?;
            large.write_all(bytes).map_err(Error::io(&self.root))?;
            return self.adopt(&large.seal()?);
        }
        let at = self.packs.append(&self.connection, digest, bytes)?;
        self.insert(digest, bytes.len() as u64, Place::Pack(at))
    }

    /// Names a part of stored bytes, unless the very bytes are stored already.
    pub(crate) fn slice(&mut self, digest: &Digest, of: BlobId, offset: u64, length: u64) -> Result<BlobId> {
        self.begin()?;
        if let Some(known) = blobs::find(&self.connection, digest)? {
            return Ok(known);
        }
        let base = blobs::row(&self.connection, of)?;
        if offset.checked_add(length).is_none_or(|end| end > base.length) {
            return Err(Error::Refused(format!("a slice of {length} bytes at {offset} does not fit into {} bytes", base.length)));
        }
        let place = match base.place {
            // A slice of a slice is a slice of the whole, so that reading takes one step.
            Place::Slice { of, offset: first } => Place::Slice { of, offset: first + offset },
            Place::Pack(_) | Place::File => Place::Slice { of: of.0, offset },
        };
        self.insert(digest, length, place)
    }

    /// Stores derived bytes of which nothing but the caller's own row knows.
    pub(crate) fn record(&mut self, bytes: &[u8]) -> Result<At> {
        self.begin()?;
        self.packs.append(&self.connection, &pack::checksum(bytes), bytes)
    }

    /// The same for bytes that come as a stream, whose seal is known.
    pub(crate) fn record_stream(&mut self, seal: &Digest, length: u64, bytes: &mut dyn Read) -> Result<At> {
        self.begin()?;
        self.packs.append_stream(&self.connection, seal, length, bytes)
    }

    /// Derived bytes as they were stored, once they are on disk.
    pub(crate) fn read_record(&self, pack: u64, offset: u64, length: u64) -> Result<Vec<u8>> {
        PackFiles::new(&self.root).read(At { pack, offset }, None, length)
    }

    /// From here on records go into a new pack.
    pub(crate) fn turn_over(&mut self) -> Result<()> {
        self.begin()?;
        self.packs.turn_over(&self.connection)
    }

    /// Copies a record as it stands elsewhere, with the seal that it has there.
    pub(crate) fn copy_record(&mut self, seal: &Digest, bytes: &[u8]) -> Result<At> {
        self.begin()?;
        self.packs.append(&self.connection, seal, bytes)
    }

    /// Gives bytes that stand in others a place of their own, as they are, and says which. The row is the caller's to change.
    pub(crate) fn carry(&mut self, digest: &Digest, source: &Source) -> Result<Place> {
        self.begin()?;
        if source.length() < LARGE {
            return Ok(Place::Pack(self.packs.append(&self.connection, digest, &source.as_it_is(0, source.length())?)?));
        }
        let mut large = self.staging.begin()?;
        let mut at = 0;
        while at < source.length() {
            let piece = source.as_it_is(at, (source.length() - at).min(LARGE))?;
            large.write_all(&piece).map_err(Error::io(&self.root))?;
            at += piece.len() as u64;
        }
        self.files.push(Pending { temporary: large.path, path: blobs::file_path(&self.root, digest) });
        Ok(Place::File)
    }

    pub(crate) fn staging(&self) -> &Staging {
        &self.staging
    }

    /// Stores what was put aside, unless it is stored already.
    pub(crate) fn adopt(&mut self, staged: &Staged) -> Result<BlobId> {
        self.begin()?;
        if let Some(known) = blobs::find(&self.connection, &staged.digest)? {
            return Ok(known);
        }
        let temporary = std::mem::take(&mut *staged.temporary.lock().unwrap_or_else(PoisonError::into_inner));
        if staged.length < LARGE {
            let bytes = temporary.0.as_ref().map(fs::read).transpose().map_err(Error::io(&self.root))?.unwrap_or_default();
            return self.blob(&staged.digest, &bytes);
        }
        let id = self.insert(&staged.digest, staged.length, Place::File)?;
        self.files.push(Pending { temporary, path: blobs::file_path(&self.root, &staged.digest) });
        Ok(id)
    }

    /// Makes everything since [`begin`](Self::begin) durable. Killed before the last step, the catalogue knows nothing of it: the tail of the
    /// pack is cut at the next opening, and a file that already has its name is written again under the same name.
    pub(crate) fn commit(&mut self) -> Result<()> {
        if !self.open {
            return Ok(());
        }
        self.packs.sync(&self.connection)?;
        crash_point("store.pack-synced");
        self.name_files()?;
        crash_point("store.blobs-renamed");
        self.connection.execute_batch("COMMIT")?;
        self.open = false;
        crash_point("store.committed");
        Ok(())
    }

    fn name_files(&mut self) -> Result<()> {
        let mut folders = Vec::new();
        for Pending { mut temporary, path } in self.files.drain(..) {
            let written = temporary.0.as_deref().unwrap_or(&path);
            File::open(written).and_then(|file| file.sync_all()).map_err(Error::io(written))?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(Error::io(folder))?;
                folders.push(folder.to_owned());
            }
            if let Some(from) = &temporary.0 {
                fs::rename(from, &path).map_err(Error::io(&path))?;
            }
            temporary.0 = None;
        }
        if folders.is_empty() {
            return Ok(());
        }
        folders.push(self.root.join("blob"));
        folders.sort();
        folders.dedup();
        folders.iter().try_for_each(|folder| sync_dir(folder).map_err(Error::io(folder)))
    }

    fn insert(&self, digest: &Digest, length: u64, place: Place) -> Result<BlobId> {
        let (pack, of, offset) = match place {
            Place::Pack(at) => (Some(int(at.pack)), None, Some(int(at.offset))),
            Place::File => (None, None, None),
            Place::Slice { of, offset } => (None, Some(of), Some(int(offset))),
        };
        let sql = "INSERT INTO blob (digest, length, pack, of, offset) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.prepare_cached(sql)?.execute((digest.0, int(length), pack, of, offset))?;
        Ok(BlobId(self.connection.last_insert_rowid()))
    }

    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        self.staging.scratch()
    }

    fn clean(&self) -> Result<()> {
        let folder = self.root.join("blob/tmp");
        for entry in fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let entry = entry.map_err(Error::io(&folder))?;
            if entry.file_name().to_string_lossy().starts_with(prefix(self.owner)) {
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let remove = if is_folder { fs::remove_dir_all } else { fs::remove_file };
                remove(entry.path()).map_err(Error::io(&folder))?;
            }
        }
        Ok(())
    }
}

fn prefix(owner: Owner) -> &'static str {
    match owner {
        Owner::Ingest => "ingest-",
        Owner::Review => "review-",
    }
}
