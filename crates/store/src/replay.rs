use crate::codec::{self, Facts, int, uint};
use crate::desk::Desk;
use crate::error::Result;
use crate::flags::UNREAD;
use crate::pack::At;
use crate::verdicts::all_verdicts;
use crate::writer::highest_change;
use daylight_model::reading::Segment;
use daylight_model::{Date, Digest, Kind, Name, Person, Verdict};
use rusqlite::Row;

/// A batch ends when it holds this much text.
const TEXT_A_BATCH: usize = 2 << 20;

/// What an index must do to keep up with the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The document is to be put in, in place of what is there of it.
    Document(Box<IndexRow>),
    /// The document is gone.
    Deleted {
        /// Its number.
        seq: u64,
        /// The change's number.
        change: u64,
    },
}

impl Change {
    /// The change's number.
    pub fn number(&self) -> u64 {
        match self {
            Change::Document(row) => row.change,
            Change::Deleted { change, .. } => *change,
        }
    }
}

/// All that an index holds of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// The change's number.
    pub change: u64,
    /// The document's number.
    pub seq: u64,
    /// What sort of thing it is.
    pub kind: Kind,
    /// The digest of its original bytes.
    pub blob: Option<Digest>,
    /// Its media type as found.
    pub media_type: String,
    /// What it is called.
    pub title: String,
    /// Its language, empty if it could not be told.
    pub language: String,
    /// The best of its dates.
    pub date: Option<Date>,
    /// Who wrote a message, and to whom.
    pub people: Vec<Person>,
    /// What is to be said of its signatures, see [`Document::all_verdicts`](crate::Document::all_verdicts).
    pub verdicts: Vec<Verdict>,
    /// The names it has where it stands.
    pub names: Vec<Name>,
    /// The collections it belongs to, by name.
    pub collections: Vec<String>,
    /// Its text; none if it is long.
    pub texts: Vec<Segment>,
    /// Whether its text is long and to be read from [`Desk::text_parts`].
    pub long: bool,
    /// Whether it is a message with something attached.
    pub has_attachment: bool,
    /// Whether words of it may be missing.
    pub unreadable: bool,
}

/// One row for all that one row can say: a desk is indexed document by document, and every further question costs as much as this one.
const ROW: &str = "SELECT seq, change, kind, flags, digest, media_type, title, facts, text.pack, text.offset, text.length,
    EXISTS (SELECT 1 FROM occurrence WHERE parent = seq), verdicts, language
    FROM document LEFT JOIN blob ON blob.id = document.blob LEFT JOIN text USING (seq, step, version) LEFT JOIN verdict USING (seq) LEFT JOIN words USING (seq)
    WHERE change > ?1 AND change < ?2 ORDER BY change LIMIT ?3";

impl Desk {
    /// The highest change number: an index that remembers it is up to date.
    pub fn latest_change(&self) -> Result<u64> {
        highest_change(&self.connection)
    }

    /// Every document's number, rising.
    pub fn each_document(&self, take: &mut dyn FnMut(u64)) -> Result<()> {
        let mut statement = self.connection.prepare_cached("SELECT seq FROM document ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            take(uint(row.get(0)?));
        }
        Ok(())
    }

    /// What changed after change number `after`, in the order of the numbers, at most `limit` and about 2 MiB of text; nothing if an index that
    /// has `after` is up to date. A document that changed again meanwhile appears once, with its last number.
    pub fn changed_since(&self, after: u64, limit: usize) -> Result<Vec<Change>> {
        let mut changes = self.deleted_since(after, limit)?;
        let last_deletion = if changes.len() == limit { changes.last().map_or(u64::MAX, Change::number) } else { u64::MAX };
        let mut statement = self.connection.prepare_cached(ROW)?;
        let mut rows = statement.query((int(after), int(last_deletion), int(limit as u64)))?;
        let (mut count, mut text, mut end) = (0, 0, u64::MAX);
        while let Some(row) = rows.next()? {
            let row = self.index_row(row)?;
            text += row.texts.iter().map(|segment| segment.text.len()).sum::<usize>();
            count += 1;
            let number = row.change;
            changes.push(Change::Document(Box::new(row)));
            if text >= TEXT_A_BATCH || count == limit {
                end = number;
                break;
            }
        }
        // A deletion after the last document of this batch belongs to the next one.
        changes.retain(|change| change.number() <= end);
        changes.sort_by_key(Change::number);
        changes.truncate(limit);
        Ok(changes)
    }

    fn deleted_since(&self, after: u64, limit: usize) -> Result<Vec<Change>> {
        let mut statement = self.connection.prepare_cached("SELECT seq, change FROM deleted WHERE change > ?1 ORDER BY change LIMIT ?2")?;
        let rows = statement
            .query_map((int(after), int(limit as u64)), |row| Ok(Change::Deleted { seq: uint(row.get(0)?), change: uint(row.get(1)?) }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn index_row(&self, row: &Row<'_>) -> Result<IndexRow> {
        let seq = uint(row.get(0)?);
        let kind = codec::kind(row.get(2)?)?;
        let facts = Facts::decode(row.get_ref(7)?.as_blob().unwrap_or_default())?;
        let (texts, long) = match (row.get::<_, Option<i64>>(8)?, row.get::<_, Option<i64>>(9)?, row.get::<_, Option<i64>>(10)?) {
            (Some(pack), Some(offset), Some(length)) => {
                self.parts_at(At { pack: uint(pack), offset: uint(offset) }, uint(length))?.unless_long()
            }
            _ => (Vec::new(), false),
        };
        let flags: i64 = row.get(3)?;
        let texts = if long { texts } else { self.with_recognised(seq, flags, texts)? };
        let verdicts =
            row.get_ref(12)?.as_blob_or_null().map_err(rusqlite::Error::from)?.map_or_else(|| Ok(Vec::new()), codec::decode_verdicts)?;
        Ok(IndexRow {
            change: uint(row.get(1)?),
            seq,
            kind,
            blob: row.get::<_, Option<[u8; 32]>>(4)?.map(Digest),
            media_type: row.get(5)?,
            title: row.get(6)?,
            language: row.get::<_, Option<String>>(13)?.unwrap_or_default(),
            date: facts.date,
            verdicts: all_verdicts(facts.message.as_ref(), verdicts),
            people: facts.message.map(|message| message.people).unwrap_or_default(),
            names: self.names(seq)?,
            collections: self.collections_of(seq)?,
            texts,
            long,
            has_attachment: kind == Kind::Message && row.get(11)?,
            unreadable: flags & UNREAD != 0,
        })
    }
}
