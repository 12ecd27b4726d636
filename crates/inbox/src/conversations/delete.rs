use crate::Result;
use crate::error::Error;
use crate::inbox::{Held, Inbox};
use daylight_durable::{crash_point, sync_dir};
use daylight_model::Digest;
use rusqlite::OptionalExtension as _;

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Messages, answers among them.
    pub messages: u64,
    /// Answers that were not sent yet, and are not.
    pub unsent: u64,
}

impl Inbox {
    /// Deletes conversations: their keys are destroyed, all at once, then whatever was sealed under them is removed, and the drop is told by the next collection. Killed at any
    /// instant, whoever opens the inbox next finishes it. Documents that were imported from them stay; what links them to it goes, but for the audit log's
    /// notes, which the caller empties before.
    ///
    /// The order is: the intent, with what the drop is to be told and without what was queued; the keys; the sealed files; the rows.
    pub fn delete(&mut self, held: &Held, ids: &[Digest]) -> Result<Deleted> {
        let (mut deleted, mut begun) = (Deleted::default(), Vec::new());
        for id in ids {
            begun.push(self.begin_deleting(id, &mut deleted)?);
        }
        self.finish_deleting(held, &begun)?;
        Ok(deleted)
    }

    /// Notes the intent. Gives the conversation's number.
    fn begin_deleting(&mut self, id: &Digest, deleted: &mut Deleted) -> Result<i64> {
        let sql = "SELECT n, lookup FROM conversation WHERE id = ?1";
        let found: Option<(i64, [u8; 32])> = self.connection.query_row(sql, [id.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((n, lookup)) = found else { return Err(Error::Refused(format!("there is no conversation {id}"))) };
        let count = |sql: &str| self.connection.query_row(sql, [n], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
        deleted.messages += count("SELECT COUNT(*) FROM message WHERE conversation = ?1")?;
        deleted.unsent += count("SELECT COUNT(*) FROM queue WHERE conversation = ?1 AND what = 0")?;
        let transaction = self.connection.transaction()?;
        transaction.execute("UPDATE conversation SET deleting = 1 WHERE n = ?1", [n])?;
        transaction.execute("DELETE FROM queue WHERE conversation = ?1", [n])?;
        transaction.execute("DELETE FROM link WHERE conversation = ?1", [n])?;
        // Another conversation in the same mailbox may be the source's: then the mailbox stays.
        let alone =
            !transaction.prepare("SELECT 1 FROM conversation WHERE lookup = ?1 AND n <> ?2 AND deleting = 0")?.exists((lookup, n))?;
        if alone {
            transaction.execute("INSERT INTO queue (what, lookup) VALUES (?1, ?2)", (crate::collect::FORGET, lookup))?;
        }
        transaction.commit()?;
        // A crash here leaves the intent: it is shown nowhere any more, and whoever opens the inbox next goes on.
        crash_point("inbox.delete-begun");
        Ok(n)
    }

    /// Goes on with deletions. Every step may be done twice.
    pub(crate) fn finish_deleting(&mut self, _held: &Held, numbers: &[i64]) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let place = |n: &i64| self.connection.query_row("SELECT place FROM conversation WHERE n = ?1", [n], |row| row.get(0));
        let places = numbers.iter().map(place).collect::<rusqlite::Result<Vec<u32>>>()?;
        self.storage()?.destroy(&places)?;
        crash_point("inbox.key-destroyed");
        let folder = self.root.join("sealed");
        for n in numbers {
            let sql = "SELECT name FROM message WHERE conversation = ?1";
            let names: Vec<String> =
                self.connection.prepare_cached(sql)?.query_map([n], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            for name in names {
                let path = folder.join(name);
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path)(error)),
                    _ => {}
                }
            }
        }
        sync_dir(&folder).map_err(Error::io(&folder))?;
        crash_point("inbox.files-removed");
        let transaction = self.connection.transaction()?;
        for n in numbers {
            transaction.execute("DELETE FROM message WHERE conversation = ?1", [n])?;
            transaction.execute("DELETE FROM conversation WHERE n = ?1", [n])?;
        }
        transaction.commit()?;
        crash_point("inbox.deleted");
        Ok(())
    }
}
