//! Forgetting: documents are taken out of every file of the desk, for good. What a document's bytes stand in loses its bytes too, for they hold it;
//! what else stands there keeps its own.
//!
//! The order of steps, each durable before the next:
//!
//! 1. What survives in the packs that hold something to be forgotten is copied to new packs, and slices of bytes that go become blobs of their own.
//!    A crash leaves files that nothing names.
//! 2. One transaction: rows of survivors name their new places, rows of the forgotten are gone, the audit log says so, and the table `sweeping` has a
//!    row. From here on it is decided, and whoever opens the desk next finishes it.
//! 3. Files that no row names any more are removed ([`Desk::sweep`]), the index is deleted by whoever owns it, and the catalogue is written anew without
//!    its free pages, and its journal emptied ([`Desk::settle`]).
//! 4. The row in `sweeping` goes.

mod carry;
mod plan;

pub use plan::ForgetPlan;

use crate::audit;
use crate::catalogue;
use crate::codec::{int, uint};
use crate::desk::{Desk, IngestLease};
use crate::error::{Error, Result};
use crate::leftovers::unnamed_files;
use crate::writer::Writer;
use carry::carry;
use daylight_durable::{Lock, crash_point, sync_dir, utc};
use daylight_model::{Digest, Fault, FaultCode, Hasher, Stage};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::time::{Duration, UNIX_EPOCH};

/// The right to forget: while it is held nobody adds documents or renditions to the desk, and nobody copies it.
pub struct Alone<'lease> {
    lease: &'lease IngestLease,
    _locks: [Lock; 2],
}

/// Who has a document forgotten, why, and when in seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The editor.
    pub editor: &'a str,
    /// Why, in the editor's words.
    pub why: &'a str,
    /// When.
    pub time: u64,
}

/// What must not come back to a desk.
#[derive(Debug, Clone, Default)]
pub struct Forgotten(HashMap<[u8; 32], (u64, bool)>);

impl Forgotten {
    /// Whether these very bytes were forgotten.
    pub fn has(&self, digest: &Digest) -> bool {
        !self.0.is_empty() && self.0.get(&mark(digest)).is_some_and(|(_, whole)| *whole)
    }

    /// Why these bytes are not taken again, if they are not: they were forgotten, or something that stands in them was.
    pub fn why(&self, digest: &Digest) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let (time, whole) = self.0.get(&mark(digest))?;
        let day = day(*time);
        Some(if *whole {
            format!("forgotten on {day}: not taken again")
        } else {
            format!("holds what was forgotten on {day}: not taken again")
        })
    }
}

/// The day of a time, `2026-01-31`.
fn day(time: u64) -> String {
    let text = utc(UNIX_EPOCH + Duration::from_secs(time.min(1 << 40)));
    text.split('T').next().unwrap_or_default().to_owned()
}

/// What is kept of forgotten bytes: SHA-256 over `daylight-forgotten/v1`, a line feed and their digest. Whoever has the same bytes, or their digest,
/// can tell that it is these; nobody else learns anything from it.
pub(crate) fn mark(digest: &Digest) -> [u8; 32] {
    let mut hasher = Hasher::default();
    hasher.update(b"daylight-forgotten/v1\n");
    hasher.update(&digest.0);
    hasher.finish().0
}

impl Desk {
    /// What must not come back.
    pub fn forgotten(&self) -> Result<Forgotten> {
        let mut statement = self.connection.prepare_cached("SELECT mark, time, whole FROM forgotten")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, (uint(row.get(1)?), row.get(2)?))))?;
        Ok(Forgotten(rows.collect::<rusqlite::Result<_>>()?))
    }

    /// Whether something is still to be done about what was forgotten.
    pub fn is_forgetting(&self) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sweeping) OR EXISTS (SELECT 1 FROM forgetting)";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// Documents that came again inside others and are to be forgotten again.
    pub fn came_again(&self) -> Result<Vec<u64>> {
        let mut statement = self.connection.prepare_cached("SELECT seq FROM forgetting ORDER BY seq")?;
        let rows = statement.query_map([], |row| row.get(0).map(uint))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Takes the right to forget; [`Error::Held`] names who stands in the way.
    pub fn alone<'lease>(&self, lease: &'lease IngestLease) -> Result<Alone<'lease>> {
        let take = |name: &str| Lock::take(&self.root.join(name), "forget").map_err(Error::lock);
        Ok(Alone { lease, _locks: [take("review.lease")?, take("backup.lease")?] })
    }

    /// Takes what is planned out of the catalogue, with its entry in the audit log: steps 1 and 2. The rest is to follow at once.
    pub fn forget(&mut self, alone: &Alone<'_>, plan: &ForgetPlan, order: &Order<'_>) -> Result<()> {
        let mut writer = self.writer(alone.lease)?;
        writer.batch.connection.execute_batch("PRAGMA secure_delete = ON")?;
        writer.begin()?;
        mark_digests(&writer, plan, order.time)?;
        carry(self, &mut writer, plan)?;
        crash_point("forget.carried");
        for seq in &plan.bereft {
            bereave(&mut writer, uint(*seq), order.time)?;
        }
        let blanked = blank_notes(&writer, plan)?;
        for seq in &plan.gone {
            remove(&mut writer, *seq)?;
        }
        recount(&mut writer, plan)?;
        let connection = &writer.batch.connection;
        for draft in &plan.drafts {
            connection.execute("DELETE FROM draft_line WHERE draft = ?1", [draft])?;
            // That it was given up is kept: the log's key may have signed it, and the archive's folder may hold what was written of it.
            connection.execute("UPDATE draft SET state = ?2 WHERE id = ?1", (draft, crate::drafts::GIVEN_UP))?;
        }
        connection.execute("DELETE FROM forgetting", [])?;
        let detail = format!("documents: {}\nwithout original bytes: {}\n{blanked}", plan.gone.len(), plan.bereft.len());
        audit::append(connection, order.time, order.editor, audit::FORGOT, &detail, order.why)?;
        connection.execute("INSERT INTO sweeping (since) VALUES (?1) ON CONFLICT DO NOTHING", [int(order.time)])?;
        writer.commit()?;
        crash_point("forget.committed");
        Ok(())
    }

    /// Removes every file that no row names, and what was put aside.
    pub fn sweep(&mut self, _alone: &Alone<'_>) -> Result<()> {
        for path in unnamed_files(&self.root, &self.connection)? {
            fs::remove_file(&path).map_err(Error::io(&path))?;
            crash_point("forget.file-removed");
        }
        let aside = self.root.join("blob/tmp");
        for entry in fs::read_dir(&aside).map_err(Error::io(&aside))? {
            let path = entry.map_err(Error::io(&aside))?.path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(Error::io(&path))?;
        }
        for folder in ["pack", "blob", "blob/tmp"] {
            let folder = self.root.join(folder);
            sync_dir(&folder).map_err(Error::io(&folder))?;
        }
        crash_point("forget.swept");
        Ok(())
    }

    /// Writes the catalogue anew without what its free pages held, and empties its journal.
    pub fn settle(&mut self, _alone: &Alone<'_>) -> Result<()> {
        crash_point("forget.index-erased");
        let connection = catalogue::open_for_care(&self.root.join("catalogue.sqlite"), &self.root.join("blob/tmp"))?;
        connection.execute_batch("VACUUM")?;
        crash_point("forget.vacuumed");
        audit::empty_journal(&connection)?;
        crash_point("forget.settled");
        connection.execute("DELETE FROM sweeping", [])?;
        audit::empty_journal(&connection)
    }
}

/// Keeps the marks of what was named, and of the bytes that held it. What only went with it may come again in something else: a letterhead is not what
/// was meant.
fn mark_digests(writer: &Writer<'_>, plan: &ForgetPlan, time: u64) -> Result<()> {
    let connection = &writer.batch.connection;
    for (seqs, whole) in [(&plan.named, true), (&plan.bereft, false)] {
        for seq in seqs {
            let sql = "SELECT digest, blob.length FROM document JOIN blob ON blob.id = document.blob WHERE seq = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([seq])?;
            let Some(row) = rows.next()? else { continue };
            // No bytes at all are nobody's secret, and stand everywhere.
            if row.get::<_, i64>(1)? == 0 {
                continue;
            }
            let sql = "INSERT INTO forgotten (mark, time, whole) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET whole = max(whole, excluded.whole)";
            connection.prepare_cached(sql)?.execute((mark(&Digest(row.get(0)?)), int(time), whole))?;
        }
    }
    Ok(())
}

/// A document that stays without its original bytes.
fn bereave(writer: &mut Writer<'_>, seq: u64, time: u64) -> Result<()> {
    writer.batch.connection.prepare_cached("UPDATE document SET blob = NULL WHERE seq = ?1")?.execute([int(seq)])?;
    writer.batch.connection.prepare_cached("DELETE FROM rendition WHERE seq = ?1")?.execute([int(seq)])?;
    let detail = format!("its original bytes held what was forgotten on {}", day(time));
    writer.add_fault(seq, &Fault { stage: Stage::Walk, code: FaultCode::Forgotten, tool: "forget 1".into(), detail, limit: None, at: None })
}

/// All rows of a document but those that keep its permanent number.
fn remove(writer: &mut Writer<'_>, seq: i64) -> Result<()> {
    for table in ["rendition", "decision", "unit", "draft_line"] {
        writer.batch.connection.prepare_cached(&format!("DELETE FROM {table} WHERE seq = ?1"))?.execute([seq])?;
    }
    writer.remove(uint(seq))
}

/// Containers say how many they hold.
fn recount(writer: &mut Writer<'_>, plan: &ForgetPlan) -> Result<()> {
    for seq in &plan.bereft {
        writer.count_again(uint(*seq))?;
    }
    Ok(())
}

/// Empties what was noted when something was decided on the forgotten: a query, most often, with words of it. The entry in the log that tells of this
/// has the hash of each without its note, so that the log can still be verified. Gives the lines for it.
fn blank_notes(writer: &Writer<'_>, plan: &ForgetPlan) -> Result<String> {
    let mut entries = BTreeSet::new();
    for seq in &plan.gone {
        let mut statement = writer.batch.connection.prepare_cached("SELECT audit FROM decision WHERE seq = ?1")?;
        let rows = statement.query_map([seq], |row| row.get::<_, i64>(0))?;
        for n in rows {
            entries.insert(n?);
        }
    }
    let mut lines = String::new();
    for n in entries {
        if let Some(hash) = audit::blank(&writer.batch.connection, n)? {
            lines.push_str(&format!("blanked: {n} {hash}\n"));
        }
    }
    Ok(lines)
}
