use crate::blobs::BlobId;
use crate::codec::{self, Counted, Facts, int, uint};
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::verdicts::{all_verdicts, verdicts_of};
use daylight_model::{Date, Digest, DocumentId, Fault, Kind, MessageFacts, Name, Verdict};
use rusqlite::{Connection, OptionalExtension, Row};
use std::fs::File;
use std::io::Read;

/// How many names of a document are told; one that was attached a thousand times under as many names is found by these.
const NAMES: i64 = 64;

/// A document as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its number on this desk, never used again.
    pub seq: u64,
    /// Its identity.
    pub id: DocumentId,
    /// What sort of thing it is.
    pub kind: Kind,
    /// The digest of its original bytes; `None` if they could not be read.
    pub blob: Option<Digest>,
    /// How many bytes it has.
    pub length: u64,
    /// The claims that changed how it was read.
    pub claims: String,
    /// Its media type as found, lower case without parameters.
    pub media_type: String,
    /// What it is called: a subject, a name, or nothing.
    pub title: String,
    /// Its language (ISO 639-1), empty if it could not be told.
    pub language: String,
    /// The best of its dates.
    pub date: Option<Date>,
    /// What its header says, for a message.
    pub message: Option<MessageFacts>,
    /// What was found of its signatures by the keys that are known here: those of DKIM from the top, then a chain of ARC.
    pub verdicts: Vec<Verdict>,
    /// What of it could not be read.
    pub faults: Vec<Fault>,
    /// How it fared, for a container.
    pub counted: Option<Counted>,
    /// The names it has where it stands, each once, at most 64.
    pub names: Vec<Name>,
    /// The collections it belongs to, by name.
    pub collections: Vec<String>,
    /// The reader that read it.
    pub step: String,
    /// That reader's version.
    pub version: u32,
}

/// What must be known of every document before anything is decided on it. It costs a fraction of [`Desk::document`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// Its identity.
    pub id: DocumentId,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Whether there are bytes of it.
    pub has_bytes: bool,
    /// The best of its dates, in seconds since 1970-01-01T00:00:00Z.
    pub date: Option<i64>,
}

/// Where a document stands in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The document it stands in.
    pub parent: u64,
    /// Its place among that one's children.
    pub ordinal: u64,
    /// The document itself.
    pub child: u64,
    /// The name it has there.
    pub name: Option<Name>,
}

impl Document {
    /// What is to be said of its signatures: every verdict, and that it is unsigned where DKIM signatures were looked for and there is none.
    pub fn all_verdicts(&self) -> Vec<Verdict> {
        all_verdicts(self.message.as_ref(), self.verdicts.clone())
    }
}

impl Desk {
    /// The document whose id begins with these 4 to 64 hexadecimal digits.
    pub fn resolve(&self, prefix: &str) -> Result<u64> {
        let (low, high) = bounds(prefix).ok_or_else(|| Error::BadId(prefix.to_owned()))?;
        let mut statement =
            self.connection.prepare_cached("SELECT seq, id FROM document WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 9")?;
        let rows = statement.query_map((low, high), |row| Ok((row.get(0)?, DocumentId(Digest(row.get(1)?)))))?;
        let found: Vec<(i64, DocumentId)> = rows.collect::<rusqlite::Result<_>>()?;
        match found.as_slice() {
            [] => Err(Error::NoDocument(format!("has an id that begins with {prefix}"))),
            [(seq, _)] => Ok(uint(*seq)),
            several => {
                let ids = several.iter().take(8).map(|(_, id)| *id).collect();
                Err(Error::Ambiguous { prefix: prefix.to_owned(), ids, more: several.len() > 8 })
            }
        }
    }

    /// The number of the document with this id.
    pub fn seq_of(&self, id: &DocumentId) -> Result<Option<u64>> {
        seq_of(&self.connection, id)
    }

    /// The id of a document.
    pub fn id_of(&self, seq: u64) -> Result<DocumentId> {
        id_of(&self.connection, seq)?.ok_or_else(|| no_document(seq))
    }

    /// The shortest beginning of a document's id, of at least 12 digits, that no other document's id shares.
    pub fn short_id(&self, seq: u64) -> Result<String> {
        let id = self.id_of(seq)?;
        let hex = id.to_string();
        let mut length = 12;
        for sql in ["SELECT MAX(id) FROM document WHERE id < ?1", "SELECT MIN(id) FROM document WHERE id > ?1"] {
            let neighbour: Option<[u8; 32]> = self.connection.prepare_cached(sql)?.query_row([id.0.0], |row| row.get(0))?;
            if let Some(neighbour) = neighbour {
                let other = Digest(neighbour).to_string();
                let shared = hex.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
                length = length.max(shared + 1);
            }
        }
        Ok(hex[..length.min(64)].to_owned())
    }

    /// Everything the catalogue knows of a document but its text.
    pub fn document(&self, seq: u64) -> Result<Document> {
        let sql = format!("SELECT {COLUMNS} FROM document LEFT JOIN blob ON blob.id = document.blob WHERE seq = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let core = statement.query_row([int(seq)], Core::of).optional()?.ok_or_else(|| no_document(seq))?;
        self.complete(core)
    }

    /// The least that is to be known of a document.
    pub fn outline(&self, seq: u64) -> Result<Outline> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, kind, EXISTS (SELECT 1 FROM blob WHERE blob.id = document.blob), facts FROM document WHERE seq = ?1",
        )?;
        let mut rows = statement.query([int(seq)])?;
        let row = rows.next()?.ok_or_else(|| no_document(seq))?;
        Ok(Outline {
            id: DocumentId(Digest(row.get(0)?)),
            kind: codec::kind(row.get(1)?)?,
            has_bytes: row.get(2)?,
            date: Facts::date(row.get_ref(3)?.as_blob().unwrap_or_default())?.map(|date| date.seconds),
        })
    }

    /// A document's original bytes, as a stream that ends in an error if they are not what was stored.
    pub fn raw(&self, seq: u64) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.source(self.blob_of(seq)?)?.stream()))
    }

    /// A document's original bytes, checked.
    pub fn raw_bytes(&self, seq: u64) -> Result<Vec<u8>> {
        self.source(self.blob_of(seq)?)?.bytes()
    }

    /// The file that holds a document's original bytes and nothing else, if there is one: a large document that is no slice of another. The file
    /// is not checked against its digest.
    pub fn raw_file(&self, seq: u64) -> Result<Option<File>> {
        Ok(self.source(self.blob_of(seq)?)?.file())
    }

    /// Where a document stands in others.
    pub fn parents(&self, seq: u64) -> Result<Vec<Occurrence>> {
        self.occurrences("SELECT parent, ordinal, child, name FROM occurrence WHERE child = ?1 ORDER BY parent, ordinal", seq)
    }

    /// What stands in a document, in its order.
    pub fn children(&self, seq: u64) -> Result<Vec<Occurrence>> {
        self.occurrences("SELECT parent, ordinal, child, name FROM occurrence WHERE parent = ?1 ORDER BY ordinal, child", seq)
    }

    /// The files of troves that are this document: collection and path.
    pub fn roots(&self, seq: u64) -> Result<Vec<(String, Name)>> {
        let sql = "SELECT name, path FROM unit JOIN collection ON id = collection WHERE seq = ?1 ORDER BY name, path";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([int(seq)], |row| Ok((row.get(0)?, Name(row.get(1)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Adds to a row what stands in other tables.
    fn complete(&self, core: Core) -> Result<Document> {
        let facts = Facts::decode(&core.facts)?;
        let seq = core.seq;
        Ok(Document {
            seq,
            id: core.id,
            kind: codec::kind(core.kind)?,
            blob: core.blob,
            length: core.length,
            claims: core.claims,
            media_type: core.media_type,
            title: core.title,
            language: self.language_of(seq)?,
            date: facts.date,
            message: facts.message,
            verdicts: verdicts_of(&self.connection, seq)?,
            faults: faults_of(&self.connection, seq)?,
            counted: facts.counted,
            names: self.names(seq)?,
            collections: self.collections_of(seq)?,
            step: core.step,
            version: core.version,
        })
    }

    fn blob_of(&self, seq: u64) -> Result<BlobId> {
        let mut statement = self.connection.prepare_cached("SELECT blob FROM document WHERE seq = ?1")?;
        let blob: Option<Option<i64>> = statement.query_row([int(seq)], |row| row.get(0)).optional()?;
        blob.ok_or_else(|| no_document(seq))?.map(BlobId).ok_or(Error::NoBytes(seq))
    }

    fn occurrences(&self, sql: &str, seq: u64) -> Result<Vec<Occurrence>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([int(seq)], |row| {
            let name = row.get::<_, Option<Vec<u8>>>(3)?.map(Name);
            Ok(Occurrence { parent: uint(row.get(0)?), ordinal: uint(row.get(1)?), child: uint(row.get(2)?), name })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn names(&self, seq: u64) -> Result<Vec<Name>> {
        let sql = "SELECT DISTINCT name FROM occurrence WHERE child = ?1 AND name IS NOT NULL ORDER BY name LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([int(seq), NAMES], |row| row.get(0).map(Name))?;
        let mut names: Vec<Name> = rows.collect::<rusqlite::Result<_>>()?;
        let mut statement = self.connection.prepare_cached("SELECT path FROM unit WHERE seq = ?1 ORDER BY collection, path LIMIT ?2")?;
        let paths = statement.query_map([int(seq), NAMES], |row| row.get::<_, Vec<u8>>(0))?;
        for path in paths {
            names.push(last_component(&path?));
        }
        names.sort();
        names.dedup();
        names.truncate(NAMES as usize);
        Ok(names)
    }

    pub(crate) fn collections_of(&self, seq: u64) -> Result<Vec<String>> {
        // One look-up a collection: the key of `member` begins with the collection.
        let sql = "SELECT name FROM collection WHERE EXISTS (SELECT 1 FROM member WHERE collection = id AND seq = ?1) ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([int(seq)], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// The columns that [`Core::of`] reads, of `document LEFT JOIN blob`.
const COLUMNS: &str = "seq, document.id, kind, digest, document.length, claims, media_type, title, facts, step, version";

/// A row of the document table, not yet understood.
struct Core {
    pub(crate) seq: u64,
    pub(crate) id: DocumentId,
    pub(crate) kind: i64,
    pub(crate) blob: Option<Digest>,
    length: u64,
    claims: String,
    media_type: String,
    title: String,
    facts: Vec<u8>,
    step: String,
    version: u32,
}

impl Core {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: uint(row.get(0)?),
            id: DocumentId(Digest(row.get(1)?)),
            kind: row.get(2)?,
            blob: row.get::<_, Option<[u8; 32]>>(3)?.map(Digest),
            length: uint(row.get(4)?),
            claims: row.get(5)?,
            media_type: row.get(6)?,
            title: row.get(7)?,
            facts: row.get(8)?,
            step: row.get(9)?,
            version: row.get(10)?,
        })
    }
}

pub(crate) fn no_document(seq: u64) -> Error {
    Error::NoDocument(format!("has the number {seq} on this desk"))
}

pub(crate) fn seq_of(connection: &Connection, id: &DocumentId) -> Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT seq FROM document WHERE id = ?1")?;
    Ok(statement.query_row([id.0.0], |row| row.get(0)).optional()?.map(uint))
}

pub(crate) fn id_of(connection: &Connection, seq: u64) -> Result<Option<DocumentId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM document WHERE seq = ?1")?;
    Ok(statement.query_row([int(seq)], |row| row.get(0)).optional()?.map(|id| DocumentId(Digest(id))))
}

pub(crate) fn faults_of(connection: &Connection, seq: u64) -> Result<Vec<Fault>> {
    let mut statement = connection.prepare_cached("SELECT stage, code, tool, detail, most, at FROM fault WHERE seq = ?1 ORDER BY n")?;
    let mut rows = statement.query([int(seq)])?;
    let mut faults = Vec::new();
    while let Some(row) = rows.next()? {
        faults.push(fault(row)?);
    }
    Ok(faults)
}

/// Reads `stage, code, tool, detail, most, at`.
pub(crate) fn fault(row: &Row<'_>) -> Result<Fault> {
    Ok(Fault {
        stage: codec::stage(row.get(0)?)?,
        code: codec::fault_code(row.get(1)?)?,
        tool: row.get(2)?,
        detail: row.get(3)?,
        limit: row.get::<_, Option<i64>>(4)?.map(uint),
        at: row.get::<_, Option<i64>>(5)?.map(uint),
    })
}

/// What follows the last `/` of a path.
pub(crate) fn last_component(path: &[u8]) -> Name {
    Name(path.rsplit(|byte| *byte == b'/').next().unwrap_or(path).to_vec())
}

/// The least and the greatest id with this beginning.
fn bounds(prefix: &str) -> Option<([u8; 32], [u8; 32])> {
    if !(4..=64).contains(&prefix.len()) {
        return None;
    }
    let (mut low, mut high) = ([0; 32], [0xff; 32]);
    for (at, digit) in prefix.chars().enumerate() {
        let value = u8::try_from(digit.to_digit(16)?).ok()?;
        let shift = if at % 2 == 0 { 4 } else { 0 };
        low[at / 2] |= value << shift;
        high[at / 2] &= value << shift | !(0xf << shift);
    }
    Some((low, high))
}
