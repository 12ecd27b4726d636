//! Every row against the rows it names.

use super::{Check, CheckOutcome, were};
use crate::codec::{self, Counted, Facts, code, int, uint};
use crate::error::Result;
use daylight_model::Kind;

/// How many documents are looked at between two writes.
const PAGE: i64 = 1000;

/// What is to be done about rows of a table that name a document which is not there.
#[derive(Clone, Copy, PartialEq)]
enum Stale {
    /// They can be derived from the document, so without it they mean nothing.
    Derived,
    /// They go if the document was taken out; if it was not, a document is missing.
    Of,
    /// They outlive the document.
    Outlives,
}

/// Tables and their columns that name a document.
const NAMING: [(&str, &str, Stale); 18] = [
    ("fault", "seq", Stale::Of),
    ("text", "seq", Stale::Of),
    ("member", "seq", Stale::Of),
    ("occurrence", "parent", Stale::Of),
    ("occurrence", "child", Stale::Of),
    ("unit", "seq", Stale::Of),
    ("decision", "seq", Stale::Of),
    ("rendition", "seq", Stale::Of),
    ("thread", "seq", Stale::Derived),
    ("verdict", "seq", Stale::Derived),
    ("signed", "seq", Stale::Derived),
    ("recognised", "seq", Stale::Of),
    ("deferred", "seq", Stale::Derived),
    ("words", "seq", Stale::Of),
    ("near", "seq", Stale::Derived),
    ("stale", "seq", Stale::Derived),
    ("number", "seq", Stale::Outlives),
    ("draft_line", "seq", Stale::Outlives),
];

/// Tables and columns that name something else that must be there.
const OTHERS: [(&str, &str, &str, &str); 10] = [
    ("member", "collection", "collection", "id"),
    ("unit", "collection", "collection", "id"),
    ("decision", "collection", "collection", "id"),
    ("number", "collection", "collection", "id"),
    ("draft", "collection", "collection", "id"),
    ("decision", "audit", "audit", "n"),
    ("draft_line", "draft", "draft", "id"),
    ("blob", "of", "blob", "id"),
    ("rendition", "blob", "blob", "id"),
    ("password", "blob", "blob", "id"),
];

impl Check<'_, '_> {
    pub(super) fn relations(&mut self) -> Result<()> {
        for (table, column, stale) in NAMING {
            self.naming(table, column, stale)?;
        }
        for (table, column, other, key) in OTHERS {
            let sql = format!(
                "SELECT COUNT(*) FROM {table} AS t WHERE {column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {other} AS o WHERE o.{key} = t.{column})"
            );
            let count = uint(self.care.query_row(&sql, [], |row| row.get(0))?);
            if count > 0 {
                self.damaged(
                    format!("catalogue, table {table}"),
                    format!("{count} rows name a row of {other} that is not there; restore the desk from a backup"),
                );
            }
        }
        Ok(())
    }

    fn naming(&mut self, table: &str, column: &str, stale: Stale) -> Result<()> {
        let place = format!("catalogue, table {table}");
        let missing = format!("{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM document WHERE document.seq = {table}.{column})");
        let gone = format!("EXISTS (SELECT 1 FROM deleted WHERE deleted.seq = {table}.{column})");
        let removable = match stale {
            Stale::Derived => "1",
            Stale::Of => gone.as_str(),
            Stale::Outlives => "0",
        };
        let removed = if self.repairs() {
            self.care.execute(&format!("DELETE FROM {table} WHERE {missing} AND {removable}"), [])? as u64
        } else {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE {missing} AND {removable}");
            uint(self.care.query_row(&sql, [], |row| row.get(0))?)
        };
        if removed > 0 {
            let what = format!("{removed} rows of documents that are gone {} taken out", were(self.repair));
            self.repaired(&place, what, None);
        }
        let kept = format!("SELECT DISTINCT {column} FROM {table} WHERE {missing} AND NOT {gone} ORDER BY 1 LIMIT 1000");
        let seqs: Vec<i64> = {
            let mut statement = self.care.prepare(&kept)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for seq in seqs {
            self.damaged(&place, format!("{column} {seq} names a document that is not in the catalogue; restore the desk from a backup"));
        }
        Ok(())
    }

    /// Each document by itself: what its row says of itself, its bytes, its counters.
    pub(super) fn documents(&mut self) -> Result<()> {
        let mut after = -1;
        loop {
            let rows = self.page(after)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            for row in rows {
                self.result.checked.documents += 1;
                self.document(&row)?;
            }
        }
    }

    fn page(&self, after: i64) -> Result<Vec<Row>> {
        let sql = "SELECT seq, kind, facts, blob, (SELECT digest FROM blob WHERE id = document.blob), EXISTS (SELECT 1 FROM fault WHERE fault.seq = document.seq)
                   FROM document WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.care.prepare_cached(sql)?;
        let rows = statement.query_map((after, PAGE), |row| {
            Ok(Row {
                seq: row.get(0)?,
                kind: row.get(1)?,
                facts: row.get(2)?,
                blob: row.get(3)?,
                has_bytes: row.get::<_, Option<Vec<u8>>>(4)?.is_some(),
                has_fault: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn document(&mut self, row: &Row) -> Result<()> {
        let (seq, place) = (uint(row.seq), "catalogue, table document");
        if row.blob.is_some() && !row.has_bytes {
            self.find(CheckOutcome::Damaged, place, "its original bytes are not on the desk: restore them from a backup", Some(seq));
        } else if row.blob.is_none() && !row.has_fault {
            self.find(CheckOutcome::Damaged, place, "it has no original bytes and no fault that says why", Some(seq));
        }
        let facts = Facts::decode(&row.facts);
        if facts.is_err() || codec::kind(row.kind).is_err() {
            self.find(CheckOutcome::Damaged, place, "what is known of it cannot be read: restore the desk from a backup", Some(seq));
            return Ok(());
        }
        match facts?.counted {
            Some(counted) if row.kind == i64::from(code(&Kind::ALL, &Kind::Container)) => self.counters(seq, counted),
            _ => Ok(()),
        }
    }

    /// A container says how many it holds: as many as stand in it.
    fn counters(&mut self, seq: u64, counted: Counted) -> Result<()> {
        let sql = "SELECT COUNT(*) FROM occurrence WHERE parent = ?1";
        let children = uint(self.care.prepare_cached(sql)?.query_row([int(seq)], |row| row.get(0))?);
        if counted.read == children {
            return Ok(());
        }
        if self.repairs() {
            let mut writer = self.desk.writer(self.lease)?;
            writer.count_again(seq)?;
            writer.commit()?;
        }
        let again = if self.repairs() { "it was counted anew" } else { "it would be counted anew" };
        let what = format!("it says that {} documents were read in it, where {children} stand in it: {again}", counted.read);
        self.repaired("catalogue, table document", what, Some(seq));
        Ok(())
    }
}

/// What is looked at of a document.
struct Row {
    seq: i64,
    kind: i64,
    facts: Vec<u8>,
    blob: Option<i64>,
    has_bytes: bool,
    has_fault: bool,
}
