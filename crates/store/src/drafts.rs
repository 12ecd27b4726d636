mod aside;

use crate::codec::{int, uint};
use crate::desk::{CollectionId, Desk};
use crate::error::{Error, Result};
pub use aside::LinesAside;
use daylight_model::Digest;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use std::collections::HashSet;

/// What a new draft says of itself.
#[derive(Debug, Clone, Copy)]
pub struct NewDraft<'a> {
    /// The collection that is published.
    pub collection: CollectionId,
    /// The archive it goes to, by its origin.
    pub origin: &'a str,
    /// The release's serial there.
    pub serial: u64,
    /// The release's time, in seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// The collection's title in this release.
    pub title: &'a str,
    /// The head of the audit log that the release will state.
    pub audit_head: Digest,
    /// What was seen of the desk while it was made, see [`Desk::seen`]; `None` where not everything was looked at that may have changed.
    pub seen: Option<Seen>,
    /// Published documents that may not be as they were published and are not in it: the next draft looks at them again.
    pub again: &'a [u64],
}

/// A moment of the desk. What is read of it from then on is of one state, unless somebody writes beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The last note that something published was changed.
    mark: i64,
    /// SQLite's count of what others wrote.
    version: i64,
}

/// One line of a draft: one document, and all that must be the same again when a publish that was killed is resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    /// The document.
    pub seq: u64,
    /// Its permanent number: the one it has, or the next.
    pub number: u64,
    /// The salt of its line.
    pub salt: [u8; 32],
    /// The permanent number of the document it is attached to.
    pub parent: Option<u64>,
    /// The permanent number that names its thread.
    pub thread: Option<u64>,
    /// A digest of what is published, by which the next publish sees whether it changed.
    pub fingerprint: Digest,
    /// What the maker of the draft needs in order to write the same bytes again. It means nothing to the store.
    pub payload: Vec<u8>,
}

/// A release that is decided: its order, numbers, salts and times are fixed before its first byte is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its number on this desk.
    pub id: u64,
    /// The collection that is published.
    pub collection: CollectionId,
    /// The archive it goes to, by its origin.
    pub origin: String,
    /// The release's serial there.
    pub serial: u64,
    /// The release's time, in seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// The collection's title in this release.
    pub title: String,
    /// The head of the audit log that the release states.
    pub audit_head: Digest,
    /// How many lines it has.
    pub lines: u64,
}

/// A line of a draft and its place, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftLine {
    /// Its place.
    pub position: u64,
    /// What it says.
    pub line: NewLine,
}

/// What of a document was published last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its permanent number.
    pub number: u64,
    /// The serial of the release.
    pub serial: u64,
    /// The fingerprint its line had.
    pub fingerprint: Digest,
}

const OPEN: i64 = 0;
const WRITTEN: i64 = 1;
/// Something in it was forgotten before it was in the archive: it has no lines any more.
pub(crate) const GIVEN_UP: i64 = 2;
const COLUMNS: &str = "id, collection, origin, serial, time, title, head, (SELECT COUNT(*) FROM draft_line WHERE draft = id)";

impl Desk {
    /// The permanent number that a document has in an archive.
    pub fn number(&self, collection: CollectionId, origin: &str, seq: u64) -> Result<Option<u64>> {
        let sql = "SELECT number FROM number WHERE collection = ?1 AND origin = ?2 AND seq = ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row((collection.0, origin, int(seq)), |row| row.get(0)).optional()?.map(uint))
    }

    /// The document that has a permanent number in an archive, published or not.
    pub fn numbered(&self, collection: CollectionId, origin: &str, number: u64) -> Result<Option<u64>> {
        let sql = "SELECT seq FROM number WHERE collection = ?1 AND origin = ?2 AND number = ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row((collection.0, origin, int(number)), |row| row.get(0)).optional()?.map(uint))
    }

    /// The highest permanent number that a document of a collection has in an archive, 0 if none has one.
    pub fn highest_number(&self, collection: CollectionId, origin: &str) -> Result<u64> {
        let sql = "SELECT COALESCE(MAX(number), 0) FROM number WHERE collection = ?1 AND origin = ?2";
        Ok(uint(self.connection.prepare_cached(sql)?.query_row((collection.0, origin), |row| row.get(0))?))
    }

    /// What was published last of a document of a collection in an archive: what the last of the finished drafts says that have it.
    pub fn published(&self, collection: CollectionId, origin: &str, seq: u64) -> Result<Option<Published>> {
        let sql = "SELECT number, serial, fingerprint FROM draft_line JOIN draft ON id = draft
                   WHERE seq = ?3 AND collection = ?1 AND origin = ?2 AND state = ?4 ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row((collection.0, origin, int(seq), WRITTEN), |row| {
            Ok(Published { number: uint(row.get(0)?), serial: uint(row.get(1)?), fingerprint: Digest(row.get(2)?) })
        });
        Ok(row.optional()?)
    }

    /// Every document of a collection that was published in an archive, by the finished drafts. One that was published again comes again.
    pub fn each_published(&self, collection: CollectionId, origin: &str, take: &mut dyn FnMut(u64)) -> Result<()> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM draft WHERE collection = ?1 AND origin = ?2 AND state = ?3")?;
        let drafts = statement.query_map((collection.0, origin, WRITTEN), |row| row.get::<_, i64>(0))?;
        let drafts: HashSet<i64> = drafts.collect::<rusqlite::Result<_>>()?;
        // The index has all that is asked for; a line is a thousand times as long.
        let mut statement = self.connection.prepare_cached("SELECT seq, draft FROM draft_line INDEXED BY draft_line_seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if drafts.contains(&row.get(1)?) {
                take(uint(row.get(0)?));
            }
        }
        Ok(())
    }

    /// Notes the state of the desk from which a draft is about to be made.
    pub fn seen(&self) -> Result<Seen> {
        let mark = self.connection.query_row("SELECT COALESCE(MAX(n), 0) FROM stale", [], |row| row.get(0))?;
        Ok(Seen { mark, version: version(&self.connection)? })
    }

    /// The documents of which something was changed that is published since the last finished draft of a collection to an archive was made, whether
    /// or not they are in it. `None` where that is not known: then any may be.
    pub fn stale(&self, collection: CollectionId, origin: &str) -> Result<Option<Vec<u64>>> {
        // Where nothing was published, nothing published can have changed.
        let Some(seen) = self.last_mark(collection, origin)? else { return Ok(Some(Vec::new())) };
        let Some(seen) = seen else { return Ok(None) };
        let mut statement = self.connection.prepare_cached("SELECT DISTINCT seq FROM stale WHERE n > ?1 ORDER BY seq")?;
        let rows = statement.query_map([seen], |row| row.get::<_, i64>(0))?;
        Ok(Some(rows.map(|seq| Ok(uint(seq?))).collect::<Result<_>>()?))
    }

    /// The mark of the last finished draft, if there is such a draft and it has one.
    fn last_mark(&self, collection: CollectionId, origin: &str) -> Result<Option<Option<i64>>> {
        let sql = "SELECT seen FROM draft WHERE collection = ?1 AND origin = ?2 AND state = ?3 ORDER BY id DESC LIMIT 1";
        Ok(self.connection.prepare_cached(sql)?.query_row((collection.0, origin, WRITTEN), |row| row.get(0)).optional()?)
    }

    /// The archives in which documents of a collection have numbers, by their origins.
    pub fn origins(&self, collection: CollectionId) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT origin FROM number WHERE collection = ?1 ORDER BY origin";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([collection.0], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The number in the audit log of what was decided last when a document's last finished draft to an archive was made; 0 if there is no such draft.
    /// What was decided later is not in it.
    pub fn published_after(&self, collection: CollectionId, origin: &str, seq: u64) -> Result<u64> {
        let sql = "SELECT COALESCE((SELECT n FROM audit WHERE hash = head), 0) FROM draft JOIN draft_line ON draft = id
                   WHERE draft_line.seq = ?3 AND collection = ?1 AND origin = ?2 AND state = ?4 ORDER BY id DESC LIMIT 1";
        let found =
            self.connection.prepare_cached(sql)?.query_row((collection.0, origin, int(seq), WRITTEN), |row| row.get(0)).optional()?;
        Ok(found.map_or(0, uint))
    }

    /// Where the lines of a draft are put aside while they are made, in the order of their numbers.
    pub fn lines_aside(&self) -> Result<LinesAside> {
        LinesAside::new(&self.root.join("blob/tmp"))
    }

    /// Fixes a release in one transaction. It is refused while another draft of the collection to the same archive is open, and where a number is
    /// given to two documents or a document would get a second number.
    pub fn create_draft(&mut self, new: &NewDraft<'_>, lines: LinesAside) -> Result<Draft> {
        if let Some(open) = self.open_draft(new.collection, new.origin)? {
            return Err(Error::Refused(format!("release {} to {} is not finished: publish again to finish it", open.serial, open.origin)));
        }
        let id = self.transaction(|transaction| {
            let seen = new.seen.map(|seen| seen.mark);
            let sql =
                "INSERT INTO draft (collection, origin, serial, time, state, head, title, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let row = (new.collection.0, new.origin, int(new.serial), int(new.time), OPEN, new.audit_head.0, new.title, seen);
            transaction.execute(sql, row)?;
            let id = transaction.last_insert_rowid();
            let mut lines = lines.read()?;
            let mut position = 0;
            while let Some(line) = lines.next()? {
                give_number(transaction, new.collection, new.origin, line.seq, line.number)?;
                insert_line(transaction, id, position, &line)?;
                position += 1;
            }
            let mut note = transaction.prepare_cached("INSERT INTO stale (seq) VALUES (?1)")?;
            new.again.iter().try_for_each(|seq| note.execute([int(*seq)]).map(drop))?;
            // What others wrote while the draft was made may be about what is in it, and nothing noted it as long as that was in no draft.
            if new.seen.is_some_and(|seen| version(transaction).ok() != Some(seen.version)) {
                transaction.execute("INSERT INTO stale (seq) SELECT seq FROM draft_line WHERE draft = ?1", [id])?;
            }
            Ok(uint(id))
        })?;
        self.draft(id)
    }

    /// Gives documents permanent numbers without a draft, in one transaction. It is refused where a number is given to two documents or a document
    /// would get a second number.
    pub fn reserve_numbers(&mut self, collection: CollectionId, origin: &str, numbers: &[(u64, u64)]) -> Result<()> {
        self.transaction(|transaction| {
            numbers.iter().try_for_each(|(seq, number)| give_number(transaction, collection, origin, *seq, *number))
        })
    }

    /// The draft that is not finished yet.
    pub fn open_draft(&self, collection: CollectionId, origin: &str) -> Result<Option<Draft>> {
        let sql = format!("SELECT {COLUMNS} FROM draft WHERE collection = ?1 AND origin = ?2 AND state = ?3 ORDER BY id LIMIT 1");
        Ok(self.connection.prepare_cached(&sql)?.query_row((collection.0, origin, OPEN), draft).optional()?)
    }

    /// Whether the release with this serial was given up because something in it was forgotten, and none took its place.
    pub fn gave_up(&self, origin: &str, serial: u64) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM draft WHERE origin = ?1 AND serial = ?2 AND state = ?3)
                   AND NOT EXISTS (SELECT 1 FROM draft WHERE origin = ?1 AND serial >= ?2 AND state = ?4)";
        Ok(self.connection.prepare_cached(sql)?.query_row((origin, int(serial), GIVEN_UP, WRITTEN), |row| row.get(0))?)
    }

    /// A draft by its number.
    pub fn draft(&self, id: u64) -> Result<Draft> {
        let sql = format!("SELECT {COLUMNS} FROM draft WHERE id = ?1");
        let found = self.connection.prepare_cached(&sql)?.query_row([int(id)], draft).optional()?;
        found.ok_or_else(|| Error::Refused(format!("there is no draft {id}")))
    }

    /// The lines of a draft after place `after` (from the first with `None`), at most `limit`.
    pub fn draft_lines(&self, id: u64, after: Option<u64>, limit: usize) -> Result<Vec<DraftLine>> {
        let sql = "SELECT position, seq, number, salt, parent, thread, fingerprint, payload FROM draft_line
                   WHERE draft = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map((int(id), after.map_or(-1, int), int(limit as u64)), line)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every document of a draft.
    pub fn each_drafted(&self, id: u64, take: &mut dyn FnMut(u64)) -> Result<()> {
        let mut statement = self.connection.prepare_cached("SELECT seq FROM draft_line WHERE draft = ?1")?;
        let mut rows = statement.query([int(id)])?;
        while let Some(row) = rows.next()? {
            take(uint(row.get(0)?));
        }
        Ok(())
    }

    /// Notes that the release is in the archive. It is refused where something in it was forgotten meanwhile.
    pub fn finish_draft(&mut self, id: u64) -> Result<()> {
        self.transaction(|transaction| {
            let done = transaction.execute("UPDATE draft SET state = ?2 WHERE id = ?1 AND state = ?3", (int(id), WRITTEN, OPEN))?;
            if done == 0 {
                return Err(Error::Refused(format!("draft {id} is not open any more: something in it was forgotten while it was published")));
            }
            // Every later draft looks at what was noted after these. One that has no mark is followed by one that looks at everything.
            let seen = "SELECT MIN(seen) FROM draft AS last WHERE state = ?1 AND NOT EXISTS (SELECT 1 FROM draft AS later
                        WHERE later.collection = last.collection AND later.origin = last.origin AND later.state = ?1 AND later.id > last.id)";
            transaction.execute(&format!("DELETE FROM stale WHERE n <= ({seen})"), [WRITTEN])?;
            Ok(())
        })
    }

    /// Forgets an open draft of which nothing is in the archive. Its new numbers stay with their documents: a number never gets a second meaning.
    pub fn discard_draft(&mut self, id: u64) -> Result<()> {
        self.transaction(|transaction| {
            let done = transaction.execute("DELETE FROM draft WHERE id = ?1 AND state = ?2", (int(id), OPEN))?;
            if done == 0 {
                return Err(Error::Refused(format!("there is no open draft {id}")));
            }
            transaction.execute("DELETE FROM draft_line WHERE draft = ?1", [int(id)])?;
            Ok(())
        })
    }
}

/// A number that is another whenever another connection has written (SQLite's `PRAGMA data_version`).
fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}

fn give_number(transaction: &Transaction<'_>, collection: CollectionId, origin: &str, seq: u64, number: u64) -> Result<()> {
    let key = (collection.0, origin, int(seq), int(number));
    let sql = "INSERT INTO number (collection, origin, seq, number) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    if transaction.prepare_cached(sql)?.execute(key)? == 1 {
        return Ok(());
    }
    let sql = "SELECT 1 FROM number WHERE collection = ?1 AND origin = ?2 AND seq = ?3 AND number = ?4";
    if transaction.prepare_cached(sql)?.exists(key)? {
        return Ok(());
    }
    Err(Error::Refused(format!("number {number} or document {seq} has another partner in {origin} already")))
}

fn insert_line(transaction: &Transaction<'_>, draft: i64, position: u64, line: &NewLine) -> Result<()> {
    let sql = "INSERT INTO draft_line (draft, position, seq, number, salt, parent, thread, fingerprint, payload)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (parent, thread) = (line.parent.map(int), line.thread.map(int));
    let row = (draft, int(position), int(line.seq), int(line.number), line.salt, parent, thread, line.fingerprint.0, &line.payload);
    transaction.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

fn draft(row: &Row<'_>) -> rusqlite::Result<Draft> {
    Ok(Draft {
        id: uint(row.get(0)?),
        collection: CollectionId(row.get(1)?),
        origin: row.get(2)?,
        serial: uint(row.get(3)?),
        time: uint(row.get(4)?),
        title: row.get(5)?,
        audit_head: Digest(row.get(6)?),
        lines: uint(row.get(7)?),
    })
}

fn line(row: &Row<'_>) -> rusqlite::Result<DraftLine> {
    let line = NewLine {
        seq: uint(row.get(1)?),
        number: uint(row.get(2)?),
        salt: row.get(3)?,
        parent: row.get::<_, Option<i64>>(4)?.map(uint),
        thread: row.get::<_, Option<i64>>(5)?.map(uint),
        fingerprint: Digest(row.get(6)?),
        payload: row.get(7)?,
    };
    Ok(DraftLine { position: uint(row.get(0)?), line })
}
