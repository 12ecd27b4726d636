//! Packs: append-only files of records. A file begins with `DAYLPACK` and its version (u32 LE); a record is the SHA-256 of its bytes, their number
//! (u64 LE), and the bytes. The catalogue knows where records are and how long each pack is; what lies beyond is a torn tail.

use crate::codec::{int, uint};
use crate::error::{Error, Result};
use daylight_durable::{AppendFile, crash_point, sync_dir};
use daylight_model::Digest;
use rusqlite::{Connection, OptionalExtension};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const MAGIC: [u8; 12] = *b"DAYLPACK\x01\0\0\0";
/// Digest and length before a record's bytes.
pub(crate) const RECORD_HEADER: u64 = 40;
/// A pack that is this long gets no more records. Tests use short ones, so that they see several.
const FULL: u64 = if cfg!(test) { 4096 } else { 1 << 30 };
/// Appends are gathered up to this much.
const BUFFER: usize = 1 << 20;

/// Who writes a pack: each has packs of its own, so that a rendition can be stored while an ingest runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Ingest,
    Review,
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) pack: u64,
    pub(crate) offset: u64,
}

/// The packs, opened for reading as they are needed.
pub(crate) struct PackFiles {
    folder: PathBuf,
    open: RefCell<HashMap<u64, Arc<File>>>,
}

impl PackFiles {
    pub(crate) fn new(root: &Path) -> Self {
        Self { folder: root.join("pack"), open: RefCell::default() }
    }

    /// How messages call a place in a pack.
    pub(crate) fn place(&self, at: At) -> String {
        format!("{} at byte {}", self.folder.join(at.pack.to_string()).display(), at.offset)
    }

    /// The file with the record's bytes, and where in it they begin, if the record's own header says the same as the catalogue.
    pub(crate) fn find(&self, at: At, digest: Option<&Digest>, length: u64) -> Result<(Arc<File>, u64, Digest)> {
        let file = self.file(at.pack)?;
        let mut header = [0; RECORD_HEADER as usize];
        let damaged = |what: &str| Error::damaged(self.place(at), what);
        file.read_exact_at(&mut header, at.offset).map_err(|_| damaged("the pack ends before its record"))?;
        let (found, stated) = header.split_at(32);
        let found = Digest(found.try_into().map_err(|_| damaged("no digest"))?);
        if digest.is_some_and(|digest| *digest != found) || stated != length.to_le_bytes() {
            return Err(damaged("another record stands there than the catalogue says"));
        }
        Ok((file, at.offset + RECORD_HEADER, found))
    }

    /// The record's bytes, checked against the digest that the caller knows, or, for a derived record, against its checksum.
    pub(crate) fn read(&self, at: At, digest: Option<&Digest>, length: u64) -> Result<Vec<u8>> {
        let (file, start, found) = self.find(at, digest, length)?;
        let damaged = |what: &str| Error::damaged(self.place(at), what);
        let size = file.metadata().map_err(|_| damaged("its size cannot be read"))?.len();
        if start.saturating_add(length) > size {
            return Err(damaged("the pack ends before its record"));
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged("it is too long"))?];
        file.read_exact_at(&mut bytes, start).map_err(|error| damaged(&error.to_string()))?;
        let real = if digest.is_some() { Digest::of(&bytes) } else { checksum(&bytes) };
        if real != found {
            return Err(damaged("the bytes do not have the digest they were stored under"));
        }
        Ok(bytes)
    }

    pub(crate) fn file(&self, number: u64) -> Result<Arc<File>> {
        if let Some(file) = self.open.borrow().get(&number) {
            return Ok(Arc::clone(file));
        }
        let path = self.folder.join(number.to_string());
        let file = Arc::new(File::open(&path).map_err(Error::io(&path))?);
        let mut magic = MAGIC;
        let read = file.read_exact_at(&mut magic, 0);
        if read.is_err() || magic != MAGIC {
            return Err(Error::damaged(path.display().to_string(), "it is not a pack of version 1"));
        }
        self.open.borrow_mut().insert(number, Arc::clone(&file));
        Ok(file)
    }
}

/// What stands in a derived record's place for a digest: 28 zero bytes and the CRC-32 (ISO 3309) of its bytes, big-endian. Nobody looks a derived
/// record up by its digest and it can be derived again, so what is wanted is only that damage is noticed; SHA-256 over all text took a tenth of an
/// ingest.
pub(crate) fn checksum(bytes: &[u8]) -> Digest {
    seal(crc32fast::hash(bytes))
}

/// The same for bytes whose CRC-32 is known.
pub(crate) fn seal(crc: u32) -> Digest {
    let mut place = [0; 32];
    place[28..].copy_from_slice(&crc.to_be_bytes());
    Digest(place)
}

/// Appends records to the packs of one owner, who holds the lock that makes it the only one.
pub(crate) struct PackWriter {
    folder: PathBuf,
    owner: Owner,
    current: Option<Open>,
    /// Packs that were filled since the last commit.
    full: Vec<Open>,
}

struct Open {
    number: u64,
    path: PathBuf,
    file: AppendFile,
    buffer: Vec<u8>,
}

impl PackWriter {
    /// Takes up the last pack of this owner and cuts what a killed process left at its end.
    pub(crate) fn open(root: &Path, connection: &Connection, owner: Owner) -> Result<Self> {
        let folder = root.join("pack");
        let sql = "SELECT number, length FROM pack WHERE role = ?1 ORDER BY number DESC LIMIT 1";
        let last = connection.query_row(sql, [owner as i64], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let current = match last {
            Some((number, length)) => Some(Open::existing(&folder, uint(number), uint(length))?),
            None => None,
        };
        Ok(Self { folder, owner, current, full: Vec::new() })
    }

    /// Adds a record. It is durable after [`sync`](Self::sync).
    pub(crate) fn append(&mut self, connection: &Connection, digest: &Digest, bytes: &[u8]) -> Result<At> {
        let (at, open) = self.begin(connection, digest, bytes.len() as u64)?;
        open.buffer.extend_from_slice(bytes);
        if open.buffer.len() >= BUFFER {
            open.flush()?;
        }
        Ok(at)
    }

    /// Adds a record of `length` bytes that come as a stream. After an error the pack is worthless until it is opened again.
    pub(crate) fn append_stream(&mut self, connection: &Connection, digest: &Digest, length: u64, bytes: &mut dyn Read) -> Result<At> {
        let (at, open) = self.begin(connection, digest, length)?;
        let mut left = length;
        while left > 0 {
            let room = BUFFER.saturating_sub(open.buffer.len()).max(1);
            let count = bytes.take(left.min(room as u64)).read_to_end(&mut open.buffer).map_err(Error::io(&open.path))?;
            if count == 0 {
                return Err(Error::damaged(open.path.display().to_string(), "what was put aside for it is too short"));
            }
            left -= count as u64;
            if open.buffer.len() >= BUFFER {
                open.flush()?;
                // A crash here leaves half a record behind the end that the catalogue knows: it is cut.
                crash_point("store.long-text");
            }
        }
        Ok(at)
    }

    /// Begins a record: writes what stands before its bytes.
    fn begin(&mut self, connection: &Connection, digest: &Digest, length: u64) -> Result<(At, &mut Open)> {
        if self.current.as_ref().is_none_or(|open| open.end() >= FULL) {
            self.full.extend(self.current.take());
            self.current = Some(self.next(connection)?);
        }
        let Some(open) = &mut self.current else {
            return Err(Error::damaged(self.folder.display().to_string(), "no pack is open"));
        };
        let at = At { pack: open.number, offset: open.end() };
        open.buffer.extend_from_slice(&digest.0);
        open.buffer.extend_from_slice(&length.to_le_bytes());
        Ok((at, open))
    }

    /// From here on records go into a new pack, whose number no pack had before, even if nothing is added to it.
    pub(crate) fn turn_over(&mut self, connection: &Connection) -> Result<()> {
        self.full.extend(self.current.take());
        self.current = Some(self.next(connection)?);
        Ok(())
    }

    /// Makes every record durable and tells the catalogue how long the packs are.
    pub(crate) fn sync(&mut self, connection: &Connection) -> Result<()> {
        for open in self.full.iter_mut().chain(&mut self.current) {
            open.flush()?;
            open.file.sync().map_err(Error::io(&self.folder))?;
            let mut statement = connection.prepare_cached("UPDATE pack SET length = ?2 WHERE number = ?1 AND length <> ?2")?;
            statement.execute((int(open.number), int(open.file.len())))?;
        }
        self.full.clear();
        Ok(())
    }

    /// A new pack under the next free number. A file that is there already is of a process that was killed before its transaction.
    fn next(&self, connection: &Connection) -> Result<Open> {
        let sql = "INSERT INTO pack (number, role, length) SELECT COALESCE(MAX(number), 0) + 1, ?1, 0 FROM pack RETURNING number";
        let number = uint(connection.query_row(sql, [self.owner as i64], |row| row.get(0))?);
        let path = self.folder.join(number.to_string());
        if path.exists() {
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
        let mut file = AppendFile::open(&path).map_err(Error::io(&path))?;
        file.append(&MAGIC).map_err(Error::io(&path))?;
        sync_dir(&self.folder).map_err(Error::io(&self.folder))?;
        Ok(Open { number, path, file, buffer: Vec::new() })
    }
}

impl Open {
    fn existing(folder: &Path, number: u64, length: u64) -> Result<Self> {
        let path = folder.join(number.to_string());
        let mut file = AppendFile::open(&path).map_err(Error::io(&path))?;
        file.truncate_to(length).map_err(|error| Error::damaged(path.display().to_string(), error.to_string()))?;
        Ok(Self { number, path, file, buffer: Vec::new() })
    }

    fn end(&self) -> u64 {
        self.file.len() + self.buffer.len() as u64
    }

    fn flush(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.file.append(&self.buffer).map_err(Error::io(&self.path))?;
            self.buffer.clear();
        }
        Ok(())
    }
}
