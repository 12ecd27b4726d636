//! Conversations as the newsroom sees them: which there are, what was said, whose they are.

mod answer;
mod delete;
mod files;
mod import;
mod read;

pub use answer::Answer;
pub use delete::Deleted;
pub use files::FileParts;
pub use import::Imported;
pub use read::{Message, Whole};

use crate::inbox::{Inbox, int};
use crate::{Error, Result};
use daylight_durable::crash_point;
use daylight_model::Digest;
use rusqlite::Row;
use zeroize::Zeroizing;

/// The shortest beginning of an id by which a conversation can be named.
const SHORTEST: usize = 4;

/// A conversation, as a line of the list. Nothing of it had to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: Digest,
    /// The day of its first message and of its last one, since 1970-01-01.
    pub days: (u32, u32),
    /// How many submissions came: a file of several parts is several.
    pub submissions: u64,
    /// How many replies were written.
    pub replies: u64,
    /// How many submissions nobody has read.
    pub unread: u64,
    /// How many may be somebody else's.
    pub doubtful: u64,
    /// Bytes of what was sent.
    pub bytes: u64,
    /// Whether the source may send more than a first message.
    pub accepted: bool,
    /// Whether another conversation came in the same mailbox, so that one of the two is an impostor's.
    pub shared: bool,
    /// Who takes care of it.
    pub assigned: String,
}

/// What is in an inbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Conversations.
    pub conversations: u64,
    /// Submissions.
    pub submissions: u64,
    /// Replies.
    pub replies: u64,
    /// Submissions that nobody has read.
    pub unread: u64,
    /// Replies that wait for the next collection.
    pub queued: u64,
}

const COLUMNS: &str = "id, first_day, last_day, submissions, replies, unread, doubtful, bytes, accepted, shared, assigned";

/// What of a conversation's row is needed to work on it.
pub(crate) struct Known {
    pub(crate) n: i64,
    pub(crate) id: Digest,
    pub(crate) lookup: [u8; 32],
    pub(crate) place: u32,
    pub(crate) next_reply: u64,
}

impl Inbox {
    /// Conversations, those with something unread first, then the latest first.
    pub fn list(&self, limit: usize, unread_only: bool) -> Result<Vec<Conversation>> {
        let only = if unread_only { "AND unread > 0" } else { "" };
        let sql = format!(
            "SELECT {COLUMNS} FROM conversation WHERE deleting = 0 {only} ORDER BY unread > 0 DESC, last_day DESC, n DESC LIMIT ?1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([int(limit as u64)], conversation)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How much there is in all.
    pub fn totals(&self) -> Result<Totals> {
        let sql = "SELECT COUNT(*), TOTAL(submissions), TOTAL(replies), TOTAL(unread) FROM conversation WHERE deleting = 0";
        let number = |row: &Row<'_>, at| row.get::<_, f64>(at).map(|total| total as u64);
        let mut totals = self.connection.query_row(sql, [], |row| {
            let conversations = row.get::<_, i64>(0)?.unsigned_abs();
            Ok(Totals { conversations, submissions: number(row, 1)?, replies: number(row, 2)?, unread: number(row, 3)?, queued: 0 })
        })?;
        totals.queued =
            self.connection.query_row("SELECT COUNT(*) FROM queue WHERE what = 0", [], |row| row.get::<_, i64>(0))?.unsigned_abs();
        Ok(totals)
    }

    /// The conversation whose id begins so. Errors: none does, or more than one.
    pub fn find(&self, beginning: &str) -> Result<Conversation> {
        let known = self.known(beginning)?;
        let sql = format!("SELECT {COLUMNS} FROM conversation WHERE n = ?1");
        Ok(self.connection.prepare_cached(&sql)?.query_row([known.n], conversation)?)
    }

    pub(crate) fn known(&self, beginning: &str) -> Result<Known> {
        let fine =
            (SHORTEST..=64).contains(&beginning.len()) && beginning.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !fine {
            return Err(Error::Refused(
                "name a conversation by the first digits of its id, four at least, as `daylight drop list` shows it".into(),
            ));
        }
        let bound = |fill: char| format!("{beginning}{}", fill.to_string().repeat(64 - beginning.len())).parse::<Digest>();
        let (Ok(from), Ok(to)) = (bound('0'), bound('f')) else { return Err(Error::Refused("no such conversation".into())) };
        let sql = "SELECT n, id, lookup, place, next_reply FROM conversation WHERE id BETWEEN ?1 AND ?2 AND deleting = 0 LIMIT 2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map((from.0, to.0), |row| {
            let next_reply = row.get::<_, i64>(4)?.unsigned_abs();
            Ok(Known { n: row.get(0)?, id: Digest(row.get(1)?), lookup: row.get(2)?, place: row.get(3)?, next_reply })
        })?;
        let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        match (found.len(), found.pop()) {
            (1, Some(known)) => Ok(known),
            (0, _) => Err(Error::Refused(format!("there is no conversation {beginning}"))),
            _ => Err(Error::Refused(format!("more than one conversation begins with {beginning}: give more digits"))),
        }
    }

    /// Lets the source send more: the drop is told by the next collection. Gives whether that is new.
    pub fn accept(&mut self, beginning: &str) -> Result<bool> {
        let known = self.known(beginning)?;
        let transaction = self.connection.transaction()?;
        let new = transaction.execute("UPDATE conversation SET accepted = 1 WHERE n = ?1 AND accepted = 0", [known.n])? > 0;
        if new {
            let sql = "INSERT INTO queue (what, lookup, conversation) VALUES (?1, ?2, ?3)";
            transaction.execute(sql, (crate::collect::ACCEPT, known.lookup, known.n))?;
        }
        transaction.commit()?;
        crash_point("inbox.accepted");
        Ok(new)
    }

    /// Says who takes care of a conversation; nobody, if the name is empty.
    pub fn assign(&mut self, beginning: &str, who: &str) -> Result<()> {
        let known = self.known(beginning)?;
        if who.len() > 100 || who.chars().any(char::is_control) {
            return Err(Error::Refused("a name has at most 100 bytes and no control characters".into()));
        }
        self.connection.execute("UPDATE conversation SET assigned = ?2 WHERE n = ?1", (known.n, who))?;
        Ok(())
    }

    /// The secret under which a conversation's messages are sealed.
    pub(crate) fn storage_key(&self, known: &Known) -> Result<Zeroizing<[u8; 32]>> {
        let storage = self.storage()?;
        let key = storage.get(known.place).copied().map(Zeroizing::new);
        key.ok_or_else(|| Error::damaged(self.root.join("storage.keys"), format!("the key of conversation {} is gone", known.id)))
    }
}

fn conversation(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    let number = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
    Ok(Conversation {
        id: Digest(row.get(0)?),
        days: (row.get(1)?, row.get(2)?),
        submissions: number(3)?,
        replies: number(4)?,
        unread: number(5)?,
        doubtful: number(6)?,
        bytes: number(7)?,
        accepted: row.get(8)?,
        shared: row.get(9)?,
        assigned: row.get(10)?,
    })
}
