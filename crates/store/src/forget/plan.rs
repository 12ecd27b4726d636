//! What goes with a document that is to be forgotten, and what stays.

use crate::codec::{int, uint};
use crate::desk::Desk;
use crate::error::Result;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What forgetting some documents means for the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForgetPlan {
    pub(super) named: BTreeSet<i64>,
    pub(super) gone: BTreeSet<i64>,
    pub(super) bereft: BTreeSet<i64>,
    /// Stored bytes that go: those of documents that go or lose theirs, and those that they are slices of.
    pub(super) tainted: BTreeSet<i64>,
    pub(super) staying: BTreeSet<i64>,
    pub(super) drafts: BTreeSet<i64>,
    numbers: Vec<(String, String, u64)>,
    notes: u64,
}

impl ForgetPlan {
    /// The documents that were named.
    pub fn named(&self) -> impl Iterator<Item = u64> + '_ {
        self.named.iter().copied().map(uint)
    }

    /// The documents that go with them: what stands in them and nowhere else, and what has the same bytes.
    pub fn with_them(&self) -> impl Iterator<Item = u64> + '_ {
        self.gone.difference(&self.named).copied().map(uint)
    }

    /// The documents in which they stand: these lose their original bytes, and keep their text and what is known of them.
    pub fn bereft(&self) -> impl Iterator<Item = u64> + '_ {
        self.bereft.iter().copied().map(uint)
    }

    /// What stands in them and elsewhere too, and stays.
    pub fn staying(&self) -> impl Iterator<Item = u64> + '_ {
        self.staying.iter().copied().map(uint)
    }

    /// The permanent numbers they have: collection, archive, number.
    pub fn numbers(&self) -> &[(String, String, u64)] {
        &self.numbers
    }

    /// How many releases that were drafted and not finished are given up.
    pub fn drafts(&self) -> u64 {
        self.drafts.len() as u64
    }

    /// How many notes in the audit log are emptied.
    pub fn notes(&self) -> u64 {
        self.notes
    }

    /// Whether anything beyond the named documents is lost.
    pub fn goes_further(&self) -> bool {
        self.gone.len() > self.named.len() || !self.bereft.is_empty() || !self.drafts.is_empty()
    }
}

impl Desk {
    /// Works out what forgetting these documents means. It holds as long as nobody adds to the desk.
    pub fn plan_forgetting(&self, seqs: &[u64]) -> Result<ForgetPlan> {
        let connection = &self.connection;
        let named: BTreeSet<i64> = seqs.iter().copied().map(int).collect();
        let mut plan = ForgetPlan { gone: named.clone(), named, ..ForgetPlan::default() };
        loop {
            let before = (plan.gone.len(), plan.bereft.len(), plan.tainted.len());
            descend(connection, &mut plan)?;
            ascend(connection, &mut plan)?;
            taint(connection, &mut plan)?;
            share(connection, &mut plan)?;
            if before == (plan.gone.len(), plan.bereft.len(), plan.tainted.len()) {
                break;
            }
        }
        plan.staying = staying(connection, &plan.gone)?;
        plan.drafts = drafts(connection, &plan)?;
        plan.numbers = numbers(connection, &plan.gone)?;
        plan.notes = notes(connection, &plan.gone)?;
        Ok(plan)
    }
}

/// Adds what stands in documents that go, and nowhere else.
fn descend(connection: &Connection, plan: &mut ForgetPlan) -> Result<()> {
    let mut stack: Vec<i64> = plan.gone.iter().copied().collect();
    while let Some(seq) = stack.pop() {
        for child in column(connection, "SELECT DISTINCT child FROM occurrence WHERE parent = ?1", seq)? {
            if !plan.gone.contains(&child) && !stands_elsewhere(connection, &plan.gone, child)? {
                plan.gone.insert(child);
                plan.bereft.remove(&child);
                stack.push(child);
            }
        }
    }
    Ok(())
}

/// Whether a document stands in another that stays, or is a file of a trove by itself.
fn stands_elsewhere(connection: &Connection, gone: &BTreeSet<i64>, seq: i64) -> Result<bool> {
    if connection.prepare_cached("SELECT 1 FROM unit WHERE seq = ?1")?.exists([seq])? {
        return Ok(true);
    }
    let parents = column(connection, "SELECT DISTINCT parent FROM occurrence WHERE child = ?1", seq)?;
    Ok(parents.iter().any(|parent| *parent != seq && !gone.contains(parent)))
}

/// Adds every document in which one that goes stands, at whatever depth. What has no bytes stands in nobody's.
fn ascend(connection: &Connection, plan: &mut ForgetPlan) -> Result<()> {
    let mut stack = Vec::new();
    for seq in &plan.gone {
        let sql = "SELECT 1 FROM document WHERE seq = ?1 AND length = 0 AND blob IS NOT NULL";
        if !connection.prepare_cached(sql)?.exists([seq])? {
            stack.push(*seq);
        }
    }
    let mut seen: BTreeSet<i64> = stack.iter().copied().collect();
    while let Some(seq) = stack.pop() {
        for parent in column(connection, "SELECT DISTINCT parent FROM occurrence WHERE child = ?1", seq)? {
            if !plan.gone.contains(&parent) && seen.insert(parent) {
                let sql = "SELECT 1 FROM document WHERE seq = ?1 AND blob IS NOT NULL";
                if connection.prepare_cached(sql)?.exists([parent])? {
                    plan.bereft.insert(parent);
                }
                stack.push(parent);
            }
        }
    }
    Ok(())
}

/// Adds the stored bytes of all of them, and the bytes these are slices of.
fn taint(connection: &Connection, plan: &mut ForgetPlan) -> Result<()> {
    for seq in plan.gone.iter().chain(&plan.bereft) {
        let sql = "SELECT blob.id, blob.of FROM document JOIN blob ON blob.id = document.blob WHERE seq = ?1 AND blob.length > 0";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([seq])?;
        while let Some(row) = rows.next()? {
            plan.tainted.insert(row.get(0)?);
            plan.tainted.extend(row.get::<_, Option<i64>>(1)?);
        }
    }
    Ok(())
}

/// Adds the documents that have such bytes: with the very bytes of one that goes they go too, with others they lose theirs.
fn share(connection: &Connection, plan: &mut ForgetPlan) -> Result<()> {
    let mut of_gone = BTreeSet::new();
    for seq in &plan.gone {
        let sql = "SELECT blob FROM document WHERE seq = ?1 AND blob IS NOT NULL AND length > 0";
        of_gone.extend(column(connection, sql, *seq)?);
    }
    let mut statement = connection.prepare_cached("SELECT seq, blob FROM document WHERE blob IS NOT NULL")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, blob) = (row.get(0)?, row.get(1)?);
        if of_gone.contains(&blob) {
            plan.gone.insert(seq);
            plan.bereft.remove(&seq);
        } else if plan.tainted.contains(&blob) && !plan.gone.contains(&seq) {
            plan.bereft.insert(seq);
        }
    }
    Ok(())
}

fn staying(connection: &Connection, gone: &BTreeSet<i64>) -> Result<BTreeSet<i64>> {
    let mut staying = BTreeSet::new();
    for seq in gone {
        let children = column(connection, "SELECT DISTINCT child FROM occurrence WHERE parent = ?1", *seq)?;
        staying.extend(children.into_iter().filter(|child| !gone.contains(child)));
    }
    Ok(staying)
}

/// Releases that are drafted and not finished, with a document of which the bytes go.
fn drafts(connection: &Connection, plan: &ForgetPlan) -> Result<BTreeSet<i64>> {
    let mut drafts = BTreeSet::new();
    for seq in plan.gone.iter().chain(&plan.bereft) {
        let sql = "SELECT DISTINCT draft FROM draft_line JOIN draft ON draft.id = draft WHERE seq = ?1 AND state = 0";
        drafts.extend(column(connection, sql, *seq)?);
    }
    Ok(drafts)
}

fn numbers(connection: &Connection, gone: &BTreeSet<i64>) -> Result<Vec<(String, String, u64)>> {
    let sql = "SELECT name, draft.origin, draft_line.number FROM draft_line JOIN draft ON draft.id = draft JOIN collection ON collection.id = collection
               WHERE seq = ?1 AND state = 1";
    let mut numbers: BTreeMap<(String, String, u64), ()> = BTreeMap::new();
    for seq in gone {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([seq])?;
        while let Some(row) = rows.next()? {
            numbers.insert((row.get(0)?, row.get(1)?, uint(row.get(2)?)), ());
        }
    }
    Ok(numbers.into_keys().collect())
}

fn notes(connection: &Connection, gone: &BTreeSet<i64>) -> Result<u64> {
    let mut notes: HashMap<i64, ()> = HashMap::new();
    for seq in gone {
        let sql = "SELECT audit FROM decision JOIN audit ON n = audit WHERE seq = ?1 AND note <> ''";
        notes.extend(column(connection, sql, *seq)?.into_iter().map(|n| (n, ())));
    }
    Ok(notes.len() as u64)
}

fn column(connection: &Connection, sql: &str, seq: i64) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([seq], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
