//! Keys of signatures, and what was found of the signatures by them. Nothing is judged here: whoever judges says what to keep.

use crate::codec::{self, Facts, int, uint};
use crate::desk::Desk;
use crate::error::Result;
use crate::verdicts::verdicts_of;
use crate::writer::Writer;
use daylight_model::{MessageFacts, SignatureKey, Verdict};
use rusqlite::{OptionalExtension, Row};

const KEY: &str = "SELECT name, record, source, seen, exposed FROM dkim_key";

impl Desk {
    /// Every key that was imported, by name, then in the order in which they came.
    pub fn signature_keys(&self) -> Result<Vec<SignatureKey>> {
        let mut statement = self.connection.prepare_cached(&format!("{KEY} ORDER BY name, id"))?;
        let rows = statement.query_map([], key)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The names of keys of which none is known, with how many documents are signed with each, the most first.
    pub fn missing_keys(&self) -> Result<Vec<(String, u64)>> {
        let sql = "SELECT name, COUNT(*) AS signed FROM signed WHERE name NOT IN (SELECT name FROM dkim_key) GROUP BY name ORDER BY signed DESC, name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, uint(row.get(1)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many documents are signed with the key of this name, known or not.
    pub fn signed_with(&self, name: &str) -> Result<u64> {
        let mut statement = self.connection.prepare_cached("SELECT COUNT(*) FROM signed WHERE name = ?1")?;
        Ok(uint(statement.query_row([name], |row| row.get(0))?))
    }
}

impl Writer<'_> {
    /// The keys known under a name, in the order in which they came.
    pub fn signature_keys(&self, name: &str) -> Result<Vec<SignatureKey>> {
        let mut statement = self.batch.connection.prepare_cached(&format!("{KEY} WHERE name = ?1 ORDER BY id"))?;
        let rows = statement.query_map([name], key)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps a key, and says whether it says anything that was not known. What is said anew of a known key of the same source replaces what was said.
    pub fn add_signature_key(&mut self, key: &SignatureKey, now: i64) -> Result<bool> {
        self.begin()?;
        let sql = "INSERT INTO dkim_key (name, record, source, seen, exposed, imported) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT DO UPDATE SET seen = COALESCE(excluded.seen, seen), exposed = MAX(exposed, excluded.exposed)
                   WHERE exposed < excluded.exposed OR excluded.seen IS NOT NULL AND excluded.seen IS NOT seen";
        let row = (&key.name, &key.record, &key.source, key.seen, key.exposed, now);
        Ok(self.batch.connection.prepare_cached(sql)?.execute(row)? > 0)
    }

    /// The documents above `after` that are signed with the key of this name, at most `limit`.
    pub fn signed_with(&self, name: &str, after: u64, limit: usize) -> Result<Vec<u64>> {
        let sql = "SELECT seq FROM signed WHERE name = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        let mut statement = self.batch.connection.prepare_cached(sql)?;
        let rows = statement.query_map((name, int(after), int(limit as u64)), |row| row.get(0))?;
        rows.map(|seq| Ok(uint(seq?))).collect()
    }

    /// What the header of a message says.
    pub fn message(&self, seq: u64) -> Result<Option<MessageFacts>> {
        let mut statement = self.batch.connection.prepare_cached("SELECT facts FROM document WHERE seq = ?1")?;
        let facts: Option<Vec<u8>> = statement.query_row([int(seq)], |row| row.get(0)).optional()?;
        Ok(facts.map(|facts| Facts::decode(&facts)).transpose()?.and_then(|facts| facts.message))
    }

    /// Keeps what was found of a message's signatures, and under which names their keys are, and says whether it is news. If it is, the index hears of it.
    pub fn set_verdicts(&mut self, seq: u64, names: &[String], verdicts: &[Verdict]) -> Result<bool> {
        self.begin()?;
        let known = verdicts_of(&self.batch.connection, seq)?;
        if known == verdicts {
            return Ok(false);
        }
        self.batch.connection.prepare_cached("DELETE FROM signed WHERE seq = ?1")?.execute([int(seq)])?;
        for name in names {
            let sql = "INSERT INTO signed (name, seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            self.batch.connection.prepare_cached(sql)?.execute((name, int(seq)))?;
        }
        let sql = "INSERT INTO verdict (seq, verdicts) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET verdicts = excluded.verdicts";
        self.batch.connection.prepare_cached(sql)?.execute((int(seq), codec::encode_verdicts(verdicts)))?;
        self.touch(seq)?;
        Ok(true)
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<SignatureKey> {
    Ok(SignatureKey { name: row.get(0)?, record: row.get(1)?, source: row.get(2)?, seen: row.get(3)?, exposed: row.get(4)? })
}
