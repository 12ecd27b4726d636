use crate::codec::{Links, code, int, uint};
use crate::desk::Desk;
use crate::error::Result;
use crate::threading::{Messages, Places, Threaded, thread};
use daylight_model::{Digest, DocumentId, Kind};
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::VecDeque;

/// A message in its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadNode {
    /// The message.
    pub seq: u64,
    /// The message of this thread that it answers, if that is on the desk.
    pub parent: Option<u64>,
    /// How many messages stand above it.
    pub depth: u32,
}

impl Desk {
    /// Threads all messages of the desk anew and says how many have another place than before. It is done after an ingest; a reader sees the old
    /// threads or the new ones, never a mixture.
    pub fn rethread(&mut self) -> Result<u64> {
        self.transaction(|transaction| {
            let places = thread(messages(transaction)?);
            store(transaction, &places)
        })
    }

    /// How many messages [`rethread`](Self::rethread) would put elsewhere.
    pub(crate) fn count_misthreaded(&mut self) -> Result<u64> {
        let places = thread(messages(&self.connection)?);
        // It goes back when it is dropped.
        store(&self.connection.transaction()?, &places)
    }

    /// The thread of a message: the number of its first message. `None` for what is no message or was not threaded yet.
    pub fn thread_of(&self, seq: u64) -> Result<Option<u64>> {
        let mut statement = self.connection.prepare_cached("SELECT thread FROM thread WHERE seq = ?1")?;
        Ok(statement.query_row([int(seq)], |row| row.get(0)).optional()?.map(uint))
    }

    /// The messages of a thread in the order of display: each after the one it answers, answers by date.
    pub fn thread_members(&self, thread: u64) -> Result<Vec<ThreadNode>> {
        let mut statement = self.connection.prepare_cached("SELECT seq, parent, depth FROM thread WHERE thread = ?1 ORDER BY position")?;
        let rows = statement.query_map([int(thread)], |row| {
            Ok(ThreadNode { seq: uint(row.get(0)?), parent: row.get::<_, Option<i64>>(1)?.map(uint), depth: row.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The place of one message in its thread.
    pub fn thread_node(&self, seq: u64) -> Result<Option<ThreadNode>> {
        let mut statement = self.connection.prepare_cached("SELECT seq, parent, depth FROM thread WHERE seq = ?1")?;
        let node = statement.query_row([int(seq)], |row| {
            Ok(ThreadNode { seq: uint(row.get(0)?), parent: row.get::<_, Option<i64>>(1)?.map(uint), depth: row.get(2)? })
        });
        Ok(node.optional()?)
    }

    /// How many threads there are.
    pub fn thread_count(&self) -> Result<u64> {
        Ok(uint(self.connection.query_row("SELECT COUNT(DISTINCT thread) FROM thread", [], |row| row.get(0))?))
    }
}

fn messages(connection: &Connection) -> Result<Messages> {
    let mut statement = connection.prepare("SELECT seq, id, facts FROM document WHERE kind = ?1")?;
    let mut rows = statement.query([code(&Kind::ALL, &Kind::Message)])?;
    let mut messages = Messages::default();
    while let Some(row) = rows.next()? {
        let links = Links::decode(row.get_ref(2)?.as_blob().unwrap_or_default())?;
        messages.add(uint(row.get(0)?), &DocumentId(Digest(row.get(1)?)), &links);
    }
    Ok(messages)
}

/// Writes only what is different, so that a small ingest into a large desk writes little. What is stored is looked through beside the new places,
/// both by rising number.
fn store(transaction: &Transaction<'_>, places: &Places) -> Result<u64> {
    let mut stored = Stored::of(transaction)?;
    let sql = "INSERT INTO thread (seq, thread, position, parent, depth) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT DO UPDATE SET thread = excluded.thread, position = excluded.position, parent = excluded.parent, depth = excluded.depth";
    let mut insert = transaction.prepare_cached(sql)?;
    let mut delete = transaction.prepare_cached("DELETE FROM thread WHERE seq = ?1")?;
    let mut changed = 0;
    for place in places.by_seq() {
        while let Some(gone) = stored.take_if(|old| old.seq < place.seq)? {
            changed += delete.execute([int(gone.seq)])? as u64;
        }
        if stored.take_if(|old| old.seq == place.seq)? != Some(place) {
            insert.execute((int(place.seq), int(place.thread), place.position, place.parent.map(int), place.depth))?;
            changed += 1;
        }
    }
    while let Some(gone) = stored.take_if(|_| true)? {
        changed += delete.execute([int(gone.seq)])? as u64;
    }
    Ok(changed)
}

/// What is stored, by rising number. It is read ahead of what is written beside it, so that it never meets that.
struct Stored<'a> {
    connection: &'a Connection,
    ahead: VecDeque<Threaded>,
    after: i64,
}

impl<'a> Stored<'a> {
    fn of(connection: &'a Connection) -> Result<Self> {
        let mut stored = Self { connection, ahead: VecDeque::new(), after: -1 };
        stored.read_on()?;
        Ok(stored)
    }

    fn take_if(&mut self, wanted: impl Fn(&Threaded) -> bool) -> Result<Option<Threaded>> {
        if !self.ahead.front().is_some_and(wanted) {
            return Ok(None);
        }
        let taken = self.ahead.pop_front();
        if self.ahead.is_empty() {
            self.read_on()?;
        }
        Ok(taken)
    }

    fn read_on(&mut self) -> Result<()> {
        let sql = "SELECT seq, thread, position, parent, depth FROM thread WHERE seq > ?1 ORDER BY seq LIMIT 1000";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([self.after], |row| {
            let parent = row.get::<_, Option<i64>>(3)?.map(uint);
            Ok(Threaded { seq: uint(row.get(0)?), thread: uint(row.get(1)?), position: row.get(2)?, parent, depth: row.get(4)? })
        })?;
        self.ahead = rows.collect::<rusqlite::Result<_>>()?;
        self.after = self.ahead.back().map_or(i64::MAX, |last| int(last.seq));
        Ok(())
    }
}
