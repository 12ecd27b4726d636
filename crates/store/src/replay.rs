use crate::codec::{int, uint};
use crate::desk::Desk;
use crate::documents::{COLUMNS, Core, Document};
use crate::error::Result;
use crate::writer::{UNREAD, highest_change};
use daylight_model::Kind;
use daylight_model::reading::Segment;

/// A batch ends when it holds this much text.
const TEXT_A_BATCH: usize = 32 << 20;

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
    /// The document.
    pub document: Document,
    /// Its text.
    pub texts: Vec<Segment>,
    /// Whether it is a message with something attached.
    pub has_attachment: bool,
    /// Whether words of it may be missing.
    pub unreadable: bool,
}

impl Desk {
    /// The highest change number: an index that remembers it is up to date.
    pub fn latest_change(&self) -> Result<u64> {
        highest_change(&self.connection)
    }

    /// What changed after change number `after`, in the order of the numbers, at most `limit` and about 32 MiB of text; nothing if an index that
    /// has `after` is up to date. A document that changed again meanwhile appears once, with its last number.
    pub fn changed_since(&self, after: u64, limit: usize) -> Result<Vec<Change>> {
        let mut changes = self.deleted_since(after, limit)?;
        let last_deletion = if changes.len() == limit { changes.last().map_or(u64::MAX, Change::number) } else { u64::MAX };
        let sql = format!(
            "SELECT {COLUMNS} FROM document LEFT JOIN blob ON blob.id = document.blob WHERE change > ?1 AND change < ?2 ORDER BY change LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query((int(after), int(last_deletion), int(limit as u64)))?;
        let (mut count, mut text, mut end) = (0, 0, u64::MAX);
        while let Some(row) = rows.next()? {
            let row = self.index_row(Core::of(row)?)?;
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

    fn index_row(&self, core: Core) -> Result<IndexRow> {
        let (change, unreadable, seq) = (core.change, core.flags & UNREAD != 0, core.seq);
        let document = self.complete(core)?;
        let has_attachment = document.kind == Kind::Message && self.has_children(seq)?;
        Ok(IndexRow { change, document, texts: self.text(seq)?, has_attachment, unreadable })
    }

    fn has_children(&self, seq: u64) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM occurrence WHERE parent = ?1 LIMIT 1")?.exists([int(seq)])?)
    }
}
