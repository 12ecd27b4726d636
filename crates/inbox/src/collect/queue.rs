use crate::Result;
use crate::carrier::Carrier;
use crate::inbox::Inbox;
use daylight_durable::crash_point;

/// The words for what is queued.
pub(crate) const REPLY: i64 = 0;
pub(crate) const ACCEPT: i64 = 1;
pub(crate) const FORGET: i64 = 2;

/// What went to the drop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Replies.
    pub replies: u64,
    /// Sources who may send more.
    pub accepted: u64,
    /// Sources whose replies are deleted, and that they were accepted.
    pub forgotten: u64,
}

struct Queued {
    n: i64,
    what: i64,
    lookup: [u8; 32],
    message: Option<i64>,
    sealed: Option<Vec<u8>>,
}

impl Inbox {
    /// Sends what is queued, in order, each taken off once the drop has it. A crash between leaves it to be sent again, which changes nothing there.
    pub(super) fn send_queue(&mut self, carrier: &mut dyn Carrier) -> Result<Sent> {
        let mut sent = Sent::default();
        while let Some(next) = self.next_queued()? {
            match (next.what, &next.sealed) {
                (REPLY, Some(sealed)) => {
                    carrier.reply(&next.lookup, sealed)?;
                    sent.replies += 1;
                }
                (ACCEPT, _) => {
                    carrier.accept(&[next.lookup])?;
                    sent.accepted += 1;
                }
                (FORGET, _) => {
                    carrier.forget(&[next.lookup])?;
                    sent.forgotten += 1;
                }
                _ => {}
            }
            crash_point("inbox.sent");
            let transaction = self.connection.transaction()?;
            transaction.execute("DELETE FROM queue WHERE n = ?1", [next.n])?;
            if let Some(message) = next.message {
                transaction.execute("UPDATE message SET sent = 1 WHERE n = ?1", [message])?;
            }
            transaction.commit()?;
            crash_point("inbox.sent-noted");
        }
        Ok(sent)
    }

    fn next_queued(&self) -> Result<Option<Queued>> {
        let mut statement = self.connection.prepare_cached("SELECT n, what, lookup, message, sealed FROM queue ORDER BY n LIMIT 1")?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(Queued { n: row.get(0)?, what: row.get(1)?, lookup: row.get(2)?, message: row.get(3)?, sealed: row.get(4)? }))
    }
}
