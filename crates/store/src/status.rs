use crate::codec::{code, fault_code, int, stage, uint};
use crate::decisions::State;
use crate::desk::Desk;
use crate::documents::fault;
use crate::error::Result;
use crate::flags::UNREAD;
use crate::ledger::UnitState;
use crate::words::NearCounts;
use daylight_model::{Fault, FaultCode, Kind, Stage};

/// How much there is on a desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Documents of each kind, every kind once.
    pub kinds: Vec<(Kind, u64)>,
    /// Original bytes that are stored, each once.
    pub blobs: u64,
    /// How many bytes those are, slices not counted.
    pub blob_bytes: u64,
    /// Faults.
    pub faults: u64,
    /// Documents of which words may be missing from search.
    pub unread: u64,
    /// Those of them that wait to be read by themselves.
    pub waiting: u64,
    /// Threads of messages.
    pub threads: u64,
    /// Documents that are nearly the same text.
    pub near: NearCounts,
    /// Files of troves by how far the work on them has come, every state once.
    pub units: Vec<(UnitState, u64)>,
    /// Each collection.
    pub collections: Vec<CollectionCounts>,
    /// Entries of the audit log.
    pub audit: u64,
}

impl Counts {
    /// Documents of every kind together.
    pub fn documents(&self) -> u64 {
        self.kinds.iter().map(|(_, count)| count).sum()
    }
}

/// How much there is in a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionCounts {
    /// Its name.
    pub name: String,
    /// Its documents.
    pub documents: u64,
    /// Those that are cleared.
    pub cleared: u64,
    /// Those that are held.
    pub held: u64,
    /// Those that were published and withdrawn.
    pub withdrawn: u64,
}

/// Faults of one sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultGroup {
    /// Where in the flow.
    pub stage: Stage,
    /// What kind.
    pub code: FaultCode,
    /// The tool that met them.
    pub tool: String,
    /// How many.
    pub count: u64,
    /// The first documents that have one.
    pub examples: Vec<u64>,
}

/// A fault and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRow {
    /// The document.
    pub seq: u64,
    /// Its place among that document's faults.
    pub n: u64,
    /// What and why.
    pub fault: Fault,
}

impl Desk {
    /// How much there is of everything.
    pub fn counts(&self) -> Result<Counts> {
        let collections = self.collections()?.into_iter().map(|collection| {
            let mut decided = [0; State::ALL.len()];
            self.each_decided(collection.id, &mut |_, state| decided[state as usize] += 1)?;
            let [cleared, held, withdrawn, corrected] = decided;
            Ok(CollectionCounts {
                documents: self.count("SELECT COUNT(*) FROM member WHERE collection = ?1", [collection.id.0])?,
                cleared: cleared + corrected,
                held,
                withdrawn,
                name: collection.name,
            })
        });
        Ok(Counts {
            kinds: self.tally(&Kind::ALL, "SELECT COUNT(*) FROM document WHERE kind = ?1")?,
            blobs: self.count("SELECT COUNT(*) FROM blob", [])?,
            blob_bytes: self.count("SELECT COALESCE(SUM(length), 0) FROM blob WHERE of IS NULL", [])?,
            faults: self.count("SELECT COUNT(*) FROM fault", [])?,
            unread: self.count("SELECT COUNT(*) FROM document WHERE flags & ?1", [UNREAD])?,
            waiting: self.count("SELECT COUNT(*) FROM deferred", [])?,
            threads: self.count("SELECT COUNT(DISTINCT thread) FROM thread", [])?,
            near: self.near_counts()?,
            units: self.tally(&UnitState::ALL, "SELECT COUNT(*) FROM unit WHERE state = ?1")?,
            collections: collections.collect::<Result<_>>()?,
            audit: self.count("SELECT COUNT(*) FROM audit", [])?,
        })
    }

    /// Faults grouped by stage, code and tool, the most frequent first, each with at most so many examples.
    pub fn fault_groups(&self, examples: usize) -> Result<Vec<FaultGroup>> {
        let sql = "SELECT stage, code, tool, COUNT(*) FROM fault GROUP BY stage, code, tool ORDER BY COUNT(*) DESC, stage, code, tool";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut groups = Vec::new();
        while let Some(row) = rows.next()? {
            let (stage, code, count) = (stage(row.get(0)?)?, fault_code(row.get(1)?)?, uint(row.get(3)?));
            let tool: String = row.get(2)?;
            let examples = self.examples(stage, code, &tool, examples)?;
            groups.push(FaultGroup { stage, code, tool, count, examples });
        }
        Ok(groups)
    }

    /// All faults after the one with this document and place, at most `limit`; `(0, 0)` begins.
    pub fn faults(&self, after: (u64, u64), limit: usize) -> Result<Vec<FaultRow>> {
        // No document has the number 0, so the first row of the first document is after (0, 0).
        let sql = "SELECT stage, code, tool, detail, most, at, seq, n FROM fault WHERE (seq, n) > (?1, ?2) ORDER BY seq, n LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((int(after.0), int(after.1), int(limit as u64)))?;
        let mut faults = Vec::new();
        while let Some(row) = rows.next()? {
            faults.push(FaultRow { seq: uint(row.get(6)?), n: uint(row.get(7)?), fault: fault(row)? });
        }
        Ok(faults)
    }

    fn examples(&self, stage: Stage, code_: FaultCode, tool: &str, limit: usize) -> Result<Vec<u64>> {
        let sql = "SELECT DISTINCT seq FROM fault WHERE stage = ?1 AND code = ?2 AND tool = ?3 ORDER BY seq LIMIT ?4";
        let mut statement = self.connection.prepare_cached(sql)?;
        let key = (code(&Stage::ALL, &stage), code(&FaultCode::ALL, &code_), tool, int(limit as u64));
        let rows = statement.query_map(key, |row| row.get::<_, i64>(0))?;
        rows.map(|seq| Ok(uint(seq?))).collect()
    }

    fn count(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<u64> {
        Ok(uint(self.connection.prepare_cached(sql)?.query_row(parameters, |row| row.get(0))?))
    }

    fn tally<T: Copy + PartialEq>(&self, all: &[T], sql: &str) -> Result<Vec<(T, u64)>> {
        all.iter().map(|each| Ok((*each, self.count(sql, [code(all, each)])?))).collect()
    }
}
