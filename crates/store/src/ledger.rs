use crate::codec::{code, int, of_code, uint};
use crate::desk::{CollectionId, Desk};
use crate::documents::last_component;
use crate::error::Result;
use crate::writer::Writer;
use daylight_model::{Digest, Name};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::BTreeSet;

/// How far the work on one file of a trove has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitState {
    /// Seen, not begun.
    Queued,
    /// Being read.
    Leased,
    /// Read up to the cursor.
    Partial,
    /// Read whole.
    Done,
    /// Failed in a way that may go away.
    FailedWillRetry,
    /// Failed for good.
    FailedFinal,
}

impl UnitState {
    /// Every state, in the order of its number on disk.
    pub const ALL: [UnitState; 6] =
        [UnitState::Queued, UnitState::Leased, UnitState::Partial, UnitState::Done, UnitState::FailedWillRetry, UnitState::FailedFinal];
}

/// One file of a trove in the work ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The collection it was ingested into.
    pub collection: CollectionId,
    /// Its path in the trove.
    pub path: Name,
    /// How far the work has come.
    pub state: UnitState,
    /// Where in a container to go on.
    pub cursor: u64,
    /// How many readers died on it.
    pub strikes: u32,
    /// Its document.
    pub seq: Option<u64>,
    /// Its size when it was read.
    pub size: u64,
    /// Its digest when it was read.
    pub digest: Option<Digest>,
}

const COLUMNS: &str = "state, cursor, strikes, seq, size, digest, path";

impl Writer<'_> {
    /// The ledger's entry for this file.
    pub fn unit(&self, collection: CollectionId, path: &Name) -> Result<Option<Unit>> {
        unit(&self.batch.connection, collection, path)
    }

    /// Enters a file into the ledger, or says anew how it stands.
    pub fn put_unit(&mut self, unit: &Unit) -> Result<()> {
        self.begin()?;
        if let Some(seq) = unit.seq {
            self.touch_for_name(seq, &unit.path)?;
        }
        let sql = "INSERT INTO unit (collection, path, state, cursor, strikes, seq, size, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT DO UPDATE SET state = excluded.state, cursor = excluded.cursor, strikes = excluded.strikes,
                   seq = excluded.seq, size = excluded.size, digest = excluded.digest";
        let state = code(&UnitState::ALL, &unit.state);
        let digest = unit.digest.map(|digest| digest.0);
        let row = (unit.collection.0, &unit.path.0, state, int(unit.cursor), unit.strikes, unit.seq.map(int), int(unit.size), digest);
        self.batch.connection.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    /// Says of every file of a trove in which this document stands that it is to be read again.
    pub(crate) fn read_again(&mut self, seq: u64) -> Result<()> {
        let (mut seen, mut stack) = (BTreeSet::from([int(seq)]), vec![int(seq)]);
        while let Some(seq) = stack.pop() {
            let state = code(&UnitState::ALL, &UnitState::FailedWillRetry);
            self.batch.connection.prepare_cached("UPDATE unit SET state = ?2 WHERE seq = ?1")?.execute((seq, state))?;
            let mut statement = self.batch.connection.prepare_cached("SELECT parent FROM occurrence WHERE child = ?1")?;
            let parents = statement.query_map([seq], |row| row.get::<_, i64>(0))?;
            for parent in parents {
                let parent = parent?;
                if seen.insert(parent) {
                    stack.push(parent);
                }
            }
        }
        Ok(())
    }

    /// A file's name is one of its document's names: the index must hear of a new one.
    fn touch_for_name(&mut self, seq: u64, path: &Name) -> Result<()> {
        if self.is_fresh(seq) {
            return Ok(());
        }
        let name = last_component(&path.0);
        let mut known = false;
        {
            let mut statement = self.batch.connection.prepare_cached("SELECT path FROM unit WHERE seq = ?1 LIMIT 64")?;
            let mut rows = statement.query([int(seq)])?;
            while let Some(row) = rows.next()? {
                known |= last_component(&row.get::<_, Vec<u8>>(0)?) == name;
            }
        }
        if known { Ok(()) } else { self.touch(seq) }
    }
}

impl Desk {
    /// The ledger's entry for this file.
    pub fn unit(&self, collection: CollectionId, path: &Name) -> Result<Option<Unit>> {
        unit(&self.connection, collection, path)
    }

    /// The files of a collection that stand so, in the order of their paths after `after`, at most `limit`.
    pub fn units(&self, collection: CollectionId, state: UnitState, after: &Name, limit: usize) -> Result<Vec<Unit>> {
        let sql = format!("SELECT {COLUMNS} FROM unit WHERE collection = ?1 AND state = ?2 AND path > ?3 ORDER BY path LIMIT ?4");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query((collection.0, code(&UnitState::ALL, &state), &after.0, int(limit as u64)))?;
        let mut units = Vec::new();
        while let Some(row) = rows.next()? {
            units.push(read(row, collection)?);
        }
        Ok(units)
    }
}

fn unit(connection: &Connection, collection: CollectionId, path: &Name) -> Result<Option<Unit>> {
    let sql = format!("SELECT {COLUMNS} FROM unit WHERE collection = ?1 AND path = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_row((collection.0, &path.0), |row| Ok(read(row, collection))).optional()?;
    found.transpose()
}

fn read(row: &Row<'_>, collection: CollectionId) -> Result<Unit> {
    Ok(Unit {
        collection,
        path: Name(row.get(6)?),
        state: of_code(&UnitState::ALL, row.get(0)?, "state of a unit")?,
        cursor: uint(row.get(1)?),
        strikes: row.get(2)?,
        seq: row.get::<_, Option<i64>>(3)?.map(uint),
        size: uint(row.get(4)?),
        digest: row.get::<_, Option<[u8; 32]>>(5)?.map(Digest),
    })
}
