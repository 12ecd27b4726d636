//! Envelopes at the drop that could not be opened: they are remembered, so that they are not fetched each day, until they are tried again, discarded, or too old.

use crate::carrier::Waiting;
use crate::inbox::{Held, Inbox, int};
use crate::keyring::LIFE;
use crate::{Error, Result};
use daylight_durable::crash_point;
use daylight_model::Digest;

/// The shortest beginning of an id by which an envelope can be named.
const SHORTEST: usize = 4;

/// An envelope that could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// SHA-256 of its bytes.
    pub id: Digest,
    /// On which day it came, as the drop says.
    pub day: u32,
    /// How many bytes it has.
    pub length: u64,
    /// Why it could not be opened.
    pub why: String,
}

impl Inbox {
    /// Remembers an envelope that could not be opened.
    pub(crate) fn refuse(&self, waiting: &Waiting, today: u32, why: &str) -> Result<()> {
        let until = i64::from(today.saturating_add(LIFE));
        let sql = "INSERT OR REPLACE INTO refused (id, day, length, until, why) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.execute(sql, (waiting.id.0, i64::from(waiting.day), int(waiting.length), until, why))?;
        Ok(())
    }

    /// Forgets that envelopes could not be opened, so that the next collection tries again. Gives how many.
    pub fn try_refused_again(&mut self, _held: &Held) -> Result<usize> {
        Ok(self.connection.execute("DELETE FROM refused", [])?)
    }

    /// The envelopes at the drop that could not be opened, the latest first.
    pub fn refused(&self) -> Result<Vec<Refused>> {
        let mut statement = self.connection.prepare_cached("SELECT id, day, length, why FROM refused ORDER BY until DESC, id")?;
        let rows = statement.query_map([], |row| {
            let length = row.get::<_, i64>(2)?.unsigned_abs();
            Ok(Refused { id: Digest(row.get(0)?), day: row.get(1)?, length, why: row.get(3)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The one whose id begins so. Errors: none does, or more than one.
    pub fn find_refused(&self, beginning: &str) -> Result<Digest> {
        let beginning = beginning.to_ascii_lowercase();
        if beginning.len() < SHORTEST {
            return Err(Error::Refused(format!(
                "name an envelope by the first {SHORTEST} digits of its id at least, as `daylight drop list --refused` shows it"
            )));
        }
        let mut found = self.refused()?.into_iter().map(|one| one.id).filter(|id| id.to_string().starts_with(&beginning));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(Error::Refused(format!("no envelope that could not be opened has an id that begins with {beginning}"))),
            _ => Err(Error::Refused(format!("more than one envelope begins with {beginning}: give more digits"))),
        }
    }

    /// Forgets envelopes that could not be opened, and has the drop delete them: it is told by the next collection, as it is of those that were taken. They are not
    /// fetched again, should the drop keep them. Gives how many were known.
    pub fn discard(&mut self, _held: &Held, ids: &[Digest], today: u32) -> Result<usize> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut known = 0;
        for id in ids {
            if transaction.execute("DELETE FROM refused WHERE id = ?1", [id.0])? == 0 {
                continue;
            }
            known += 1;
            let until = i64::from(today.saturating_add(LIFE));
            transaction.execute("INSERT OR REPLACE INTO seen (mark, until) VALUES (?1, ?2)", (self.mark(id)?, until))?;
            transaction.execute("INSERT OR IGNORE INTO done (id) VALUES (?1)", [id.0])?;
        }
        transaction.commit()?;
        // A crash here leaves them forgotten, and to be told to the drop; before, it leaves all as it was.
        crash_point("inbox.discarded");
        Ok(known)
    }
}
