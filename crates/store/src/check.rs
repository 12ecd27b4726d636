//! Whether everything on a desk is as it was written: every byte against its digest, every row against the rows and bytes it names. What can be
//! derived from the rest is put right; what cannot is named and left as it is, so that a backup can put it right.

mod bytes;
mod files;
mod rows;

use crate::blobs::Row;
use crate::catalogue;
use crate::desk::{Desk, IngestLease};
use crate::error::{Error, Result};
use daylight_durable::Lock;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// What became of something that was not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It is as it should be again.
    Repaired,
    /// It can be put right, and was not, for this was only a look.
    Repairable,
    /// It is lost here: a backup may have it.
    Damaged,
    /// It does no harm.
    Noted,
}

/// Something that was not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What became of it.
    pub outcome: CheckOutcome,
    /// Where: a file and the place in it, or a table.
    pub place: String,
    /// What is wrong, and what was done about it.
    pub what: String,
    /// Whose it is, if it is a document's.
    pub document: Option<u64>,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Documents.
    pub documents: u64,
    /// Records in packs, files of their own, and slices.
    pub stored: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

/// What a check of the desk's disk came to.
#[derive(Debug, Default)]
pub struct Checkup {
    /// How much was looked at.
    pub checked: Checked,
    /// Documents whose renditions were damaged and are gone: they are to be made again.
    pub unrendered: BTreeSet<u64>,
    /// The catalogue itself is damaged, so that nothing further was looked at.
    pub gave_up: bool,
}

/// Whoever is told of findings, and of how many bytes of how many were looked at.
pub struct Told<'a> {
    /// Takes a finding.
    pub finding: &'a mut dyn FnMut(Finding),
    /// Takes how far it has come.
    pub progress: &'a mut dyn FnMut(u64, u64),
}

/// Whether what can be put right is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Yes.
    Yes,
    /// Nothing is changed on the desk: what would be done is said.
    Look,
}

/// A check under way.
struct Check<'a, 'b> {
    desk: &'a Desk,
    repair: Repair,
    lease: &'a IngestLease,
    /// For questions that sort a whole table.
    care: Connection,
    told: &'a mut Told<'b>,
    /// How many bytes there are to look at.
    total: u64,
    result: Checkup,
    bad_blobs: BTreeSet<i64>,
}

impl Desk {
    /// Checks the desk's disk against itself and repairs what can be derived; the index is not the store's to check. Nobody else may add to the desk
    /// meanwhile, neither documents nor renditions.
    pub fn check(&mut self, lease: &IngestLease, repair: Repair, told: &mut Told<'_>) -> Result<Checkup> {
        let _review = Lock::take(&self.root.join("review.lease"), "check").map_err(Error::lock)?;
        let care = catalogue::open_for_care(&self.root.join("catalogue.sqlite"), &self.root.join("blob/tmp"))?;
        let mut check = Check { desk: self, repair, lease, care, told, total: 0, result: Checkup::default(), bad_blobs: BTreeSet::new() };
        if !check.catalogue()? {
            check.result.gave_up = true;
            return Ok(check.result);
        }
        check.total = check.bytes_to_read()?;
        check.audit()?;
        check.keys()?;
        check.packs()?;
        check.large()?;
        check.slices()?;
        check.leftovers()?;
        check.blobs_of_documents()?;
        check.relations()?;
        check.documents()?;
        let result = check.result;
        let threads = if repair == Repair::Yes { self.rethread()? } else { self.count_misthreaded()? };
        if threads > 0 {
            let what = format!("{threads} messages are not where their references say: the conversations {} made anew", were(repair));
            (told.finding)(Finding { outcome: outcome(repair), place: "catalogue, table thread".into(), what, document: None });
        }
        Ok(result)
    }
}

/// What became of what can be put right.
fn outcome(repair: Repair) -> CheckOutcome {
    match repair {
        Repair::Yes => CheckOutcome::Repaired,
        Repair::Look => CheckOutcome::Repairable,
    }
}

/// `was`, or `would be`.
fn was(repair: Repair) -> &'static str {
    if repair == Repair::Yes { "was" } else { "would be" }
}

/// `were`, or `would be`.
fn were(repair: Repair) -> &'static str {
    if repair == Repair::Yes { "were" } else { "would be" }
}

impl Check<'_, '_> {
    /// Says what was put right, or would be.
    fn repaired(&mut self, place: impl Into<String>, what: impl Into<String>, document: Option<u64>) {
        self.find(outcome(self.repair), place, what, document);
    }

    fn repairs(&self) -> bool {
        self.repair == Repair::Yes
    }

    fn find(&mut self, outcome: CheckOutcome, place: impl Into<String>, what: impl Into<String>, document: Option<u64>) {
        (self.told.finding)(Finding { outcome, place: place.into(), what: what.into(), document });
    }

    fn damaged(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.find(CheckOutcome::Damaged, place, what, None);
    }

    /// So many more bytes were looked at.
    fn read(&mut self, bytes: u64) {
        self.result.checked.bytes += bytes;
        (self.told.progress)(self.result.checked.bytes, self.total);
    }

    /// SQLite's own check: whether the file is a sound database.
    fn catalogue(&mut self) -> Result<bool> {
        let mut problems = Vec::new();
        let asked = (|| -> rusqlite::Result<()> {
            let mut statement = self.care.prepare("PRAGMA integrity_check(20)")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                problems.push(row.get::<_, String>(0)?);
            }
            Ok(())
        })();
        if let Err(error) = asked {
            problems.push(error.to_string());
        }
        problems.retain(|problem| problem != "ok");
        for problem in &problems {
            // The first line names the place; what may follow quotes nothing of a document.
            let line = problem.lines().next().unwrap_or_default().to_owned();
            self.damaged("catalogue.sqlite", format!("SQLite says: {line}; restore the desk from a backup"));
        }
        Ok(problems.is_empty())
    }

    fn audit(&mut self) -> Result<()> {
        match self.desk.verify_audit() {
            Ok(entries) => self.result.checked.audit = entries,
            Err(Error::Damaged { place, what }) => self.damaged(place, what),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// What is wrong with the place that a row of the blob table gives.
fn place_of(row: &Row) -> String {
    format!("the bytes with the digest {}", row.digest)
}
