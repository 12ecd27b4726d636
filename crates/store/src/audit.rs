use crate::codec::{int, uint};
use crate::desk::Desk;
use crate::error::{Error, Result};
use daylight_model::{Digest, Hasher};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

/// One entry of the audit log. Each holds the hash of the one before, so that none can be changed, taken out or put in without changing the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1 without gaps.
    pub n: u64,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// Who.
    pub actor: String,
    /// What was done, in a word.
    pub action: String,
    /// To what, in lines of `name: value`.
    pub detail: String,
    /// What the actor said about it.
    pub note: String,
    /// The hash of the entry before; zeros in the first.
    pub previous: Digest,
    /// The hash of this one.
    pub hash: Digest,
}

/// The action of an entry that tells of something forgotten.
pub(crate) const FORGOT: &str = "forgot";

const COLUMNS: &str = "n, time, actor, action, detail, note, previous, hash";

impl AuditEntry {
    /// SHA-256 over `daylight-audit/v1\n`, the number and the time (u64 big-endian each), then actor, action, detail and note, each as its length
    /// (u64 big-endian) and its UTF-8 bytes, then the hash of the entry before.
    pub fn computed_hash(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(b"daylight-audit/v1\n");
        hasher.update(&self.n.to_be_bytes());
        hasher.update(&self.time.to_be_bytes());
        for text in [&self.actor, &self.action, &self.detail, &self.note] {
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&self.previous.0);
        hasher.finish()
    }
}

impl Desk {
    /// Adds an entry to the audit log.
    pub fn audit(&mut self, time: u64, actor: &str, action: &str, detail: &str, note: &str) -> Result<AuditEntry> {
        self.transaction(|transaction| append(transaction, time, actor, action, detail, note))
    }

    /// Empties the notes of entries, which named what is to be forgotten, and adds an entry that tells of it with the hash that each has without its
    /// note, so that the log can still be verified. Nothing of the notes is left in the catalogue's file or its journal. Twice does no harm.
    pub fn empty_notes(&mut self, time: u64, actor: &str, entries: &[u64], why: &str) -> Result<()> {
        self.connection.execute_batch("PRAGMA secure_delete = ON")?;
        self.transaction(|transaction| {
            let mut lines = String::new();
            for n in entries {
                if let Some(hash) = blank(transaction, int(*n))? {
                    lines.push_str(&format!("blanked: {n} {hash}\n"));
                }
            }
            if lines.is_empty() { Ok(()) } else { append(transaction, time, actor, FORGOT, &lines, why).map(drop) }
        })?;
        empty_journal(&self.connection)
    }

    /// The entries after number `after`, at most `limit`.
    pub fn audit_log(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE n > ?1 ORDER BY n LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map((int(after), int(limit as u64)), entry)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The hash of the last entry: zeros if there is none.
    pub fn audit_head(&self) -> Result<Digest> {
        Ok(last(&self.connection)?.map_or(Digest([0; 32]), |entry| entry.hash))
    }

    /// The entries whose notes were emptied, each with the hash that it has without its note, as the entry says that tells of it.
    fn blanked(&self) -> Result<HashMap<u64, String>> {
        let mut statement = self.connection.prepare_cached("SELECT detail FROM audit WHERE action = ?1")?;
        let mut rows = statement.query([FORGOT])?;
        let mut blanked = HashMap::new();
        while let Some(row) = rows.next()? {
            let detail: String = row.get(0)?;
            let named = detail.lines().filter_map(|line| line.strip_prefix("blanked: ")?.split_once(' '));
            blanked.extend(named.filter_map(|(n, hash)| Some((n.parse().ok()?, hash.to_owned()))));
        }
        Ok(blanked)
    }

    /// Checks every entry against the one before and says how many there are. An entry that was changed, taken out or put in is an error that
    /// names the first that does not fit. One whose note a later entry says was emptied is held to the hash that that entry gives. That the log was not cut at its end only a head kept elsewhere can show; releases keep one.
    pub fn verify_audit(&self) -> Result<u64> {
        let blanked = self.blanked()?;
        let (mut count, mut previous) = (0, Digest([0; 32]));
        loop {
            let entries = self.audit_log(count, 1000)?;
            if entries.is_empty() {
                return Ok(count);
            }
            for entry in entries {
                let computed = entry.computed_hash();
                let emptied = entry.note.is_empty() && blanked.get(&entry.n).is_some_and(|hash| *hash == computed.to_string());
                let fits = entry.n == count + 1 && entry.previous == previous && (entry.hash == computed || emptied);
                if !fits {
                    return Err(Error::damaged(
                        format!("audit log, entry {}", count + 1),
                        "it does not fit the entry before, or was changed",
                    ));
                }
                (count, previous) = (entry.n, entry.hash);
            }
        }
    }
}

/// Adds an entry within a transaction that does what the entry tells of.
pub(crate) fn append(connection: &Connection, time: u64, actor: &str, action: &str, detail: &str, note: &str) -> Result<AuditEntry> {
    let (n, previous) = last(connection)?.map_or((0, Digest([0; 32])), |entry| (entry.n, entry.hash));
    let [actor, action, detail, note] = [actor, action, detail, note].map(str::to_owned);
    // What SQLite cannot hold must not be hashed either.
    let time = uint(int(time));
    let mut entry = AuditEntry { n: n + 1, time, actor, action, detail, note, previous, hash: previous };
    entry.hash = entry.computed_hash();
    let sql = format!("INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    connection.execute(
        &sql,
        (int(entry.n), int(entry.time), &entry.actor, &entry.action, &entry.detail, &entry.note, entry.previous.0, entry.hash.0),
    )?;
    Ok(entry)
}

/// Empties the note of an entry, and gives the hash that the entry has without it; `None` if there was no note.
pub(crate) fn blank(connection: &Connection, n: i64) -> Result<Option<Digest>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE n = ?1 AND note <> ''");
    let Some(mut found) = connection.prepare_cached(&sql)?.query_row([n], entry).optional()? else { return Ok(None) };
    found.note = String::new();
    connection.prepare_cached("UPDATE audit SET note = '' WHERE n = ?1")?.execute([n])?;
    Ok(Some(found.computed_hash()))
}

/// Moves what stands in the journal into the catalogue, and cuts the journal.
pub(crate) fn empty_journal(connection: &Connection) -> Result<()> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy != 0 {
        return Err(Error::Held("another daylight that reads the catalogue".to_owned()));
    }
    Ok(())
}

fn last(connection: &Connection) -> Result<Option<AuditEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY n DESC LIMIT 1");
    Ok(connection.prepare_cached(&sql)?.query_row([], entry).optional()?)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        n: uint(row.get(0)?),
        time: uint(row.get(1)?),
        actor: row.get(2)?,
        action: row.get(3)?,
        detail: row.get(4)?,
        note: row.get(5)?,
        previous: Digest(row.get(6)?),
        hash: Digest(row.get(7)?),
    })
}
