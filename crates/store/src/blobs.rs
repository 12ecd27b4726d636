//! Reading bytes by their digest, wherever they are: in a pack, in a file of their own, or as a slice of either.

use crate::codec::uint;
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::pack::At;
use daylight_model::{Digest, Hasher};
use rusqlite::{Connection, OptionalExtension};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Stored bytes, as the catalogue numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub(crate) i64);

/// A row of the blob table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) digest: Digest,
    pub(crate) length: u64,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Pack(At),
    File,
    Slice { of: i64, offset: u64 },
}

impl Desk {
    /// The bytes with this digest, as a stream that ends in an error if they are not what was stored.
    pub fn open_blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.source(self.blob_id(digest)?)?.stream()))
    }

    /// The bytes with this digest, checked.
    pub fn blob_bytes(&self, digest: &Digest) -> Result<Vec<u8>> {
        self.source(self.blob_id(digest)?)?.bytes()
    }

    /// How long the bytes with this digest are, if the desk has them.
    pub fn blob_length(&self, digest: &Digest) -> Result<Option<u64>> {
        let mut statement = self.connection.prepare_cached("SELECT length FROM blob WHERE digest = ?1")?;
        Ok(statement.query_row([digest.0], |row| row.get(0)).optional()?.map(uint))
    }

    pub(crate) fn blob_id(&self, digest: &Digest) -> Result<BlobId> {
        find(&self.connection, digest)?.ok_or_else(|| Error::Refused(format!("the desk has no bytes with the digest {digest}")))
    }

    /// Where a blob's bytes are, without reading them.
    pub(crate) fn source(&self, id: BlobId) -> Result<Source> {
        let row = row(&self.connection, id)?;
        let Place::Slice { of, offset } = row.place else {
            return self.whole(&row);
        };
        let base = self::row(&self.connection, BlobId(of))?;
        let whole = self.whole(&base)?;
        if offset.saturating_add(row.length) > base.length {
            return Err(Error::damaged("catalogue", format!("a slice of {} reaches beyond its end", base.digest)));
        }
        Ok(Source { start: whole.start + offset, length: row.length, digest: row.digest, alone: false, ..whole })
    }

    fn whole(&self, row: &Row) -> Result<Source> {
        let (file, start, place) = match row.place {
            Place::Pack(at) => {
                let (file, start, _) = self.packs.find(at, Some(&row.digest), row.length)?;
                (file, start, self.packs.place(at))
            }
            Place::File => {
                let path = file_path(&self.root, &row.digest);
                (Arc::new(File::open(&path).map_err(Error::io(&path))?), 0, path.display().to_string())
            }
            Place::Slice { .. } => return Err(Error::damaged("catalogue", "a slice of a slice")),
        };
        Ok(Source { file, start, length: row.length, digest: row.digest, alone: matches!(row.place, Place::File), place })
    }
}

/// `DESK/blob/ab/<64 hex>`.
pub(crate) fn file_path(root: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.to_string();
    root.join("blob").join(&hex[..2]).join(hex)
}

pub(crate) fn find(connection: &Connection, digest: &Digest) -> Result<Option<BlobId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM blob WHERE digest = ?1")?;
    Ok(statement.query_row([digest.0], |row| row.get(0)).optional()?.map(BlobId))
}

pub(crate) fn row(connection: &Connection, id: BlobId) -> Result<Row> {
    let mut statement = connection.prepare_cached("SELECT digest, length, pack, of, offset FROM blob WHERE id = ?1")?;
    let row = statement.query_row([id.0], |row| {
        let offset = uint(row.get::<_, Option<i64>>(4)?.unwrap_or(0));
        let place = match (row.get::<_, Option<i64>>(2)?, row.get(3)?) {
            (Some(pack), _) => Place::Pack(At { pack: uint(pack), offset }),
            (None, Some(of)) => Place::Slice { of, offset },
            (None, None) => Place::File,
        };
        Ok(Row { digest: Digest(row.get(0)?), length: uint(row.get(1)?), place })
    });
    row.optional()?.ok_or_else(|| Error::damaged("catalogue", format!("no blob has the number {}", id.0)))
}

/// Bytes in a file that is open.
pub(crate) struct Source {
    file: Arc<File>,
    start: u64,
    length: u64,
    digest: Digest,
    /// Whether the file holds nothing else.
    alone: bool,
    place: String,
}

impl Source {
    pub(crate) fn bytes(self) -> Result<Vec<u8>> {
        let damaged = |what: &str| Error::damaged(self.place.clone(), what);
        let size = self.file.metadata().map_err(|error| damaged(&error.to_string()))?.len();
        // Checked before memory is taken: the length stands in a catalogue that may be damaged.
        if self.start.saturating_add(self.length) > size {
            return Err(damaged("the file ends too early"));
        }
        let mut bytes = vec![0; usize::try_from(self.length).map_err(|_| damaged("it is too long"))?];
        self.file.read_exact_at(&mut bytes, self.start).map_err(|error| damaged(&error.to_string()))?;
        if Digest::of(&bytes) != self.digest {
            return Err(damaged(BAD_BYTES));
        }
        Ok(bytes)
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// A part of the bytes as they stand in the file, unchecked.
    pub(crate) fn as_it_is(&self, at: u64, length: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| Error::damaged(self.place.clone(), "it is too long"))?];
        self.file.read_exact_at(&mut bytes, self.start + at).map_err(|error| Error::damaged(self.place.clone(), error.to_string()))?;
        Ok(bytes)
    }

    pub(crate) fn stream(self) -> Stream {
        Stream { source: self, read: 0, hasher: Some(Hasher::default()) }
    }

    /// The file, if it holds these bytes and nothing else.
    pub(crate) fn file(self) -> Option<File> {
        if self.alone { self.file.try_clone().ok() } else { None }
    }
}

const BAD_BYTES: &str = "the bytes do not have the digest they were stored under";

/// Reads a source from its beginning, and says at its end if the bytes were not the ones stored.
pub(crate) struct Stream {
    source: Source,
    read: u64,
    hasher: Option<Hasher>,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.source.length - self.read;
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if left == 0 {
            return self.check().map(|()| 0);
        }
        let got = self.source.file.read_at(&mut buffer[..count], self.source.start + self.read)?;
        if got == 0 && count > 0 {
            return Err(self.damaged("the file ends too early"));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..got]);
        }
        self.read += got as u64;
        Ok(got)
    }
}

impl Stream {
    fn check(&mut self) -> io::Result<()> {
        match self.hasher.take().map(Hasher::finish) {
            Some(digest) if digest != self.source.digest => Err(self.damaged(BAD_BYTES)),
            _ => Ok(()),
        }
    }

    fn damaged(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Error::damaged(self.source.place.clone(), what))
    }
}
