//! Collecting: what waits at the drop comes to the desk, and what the desk has to say goes to the drop.
//!
//! The order is: keys that are due are destroyed; the directory at the drop is looked at, and ours is put there; what is queued goes out; then, in batches,
//! envelopes are fetched as they are, opened without touching the network, sealed anew under a key of their conversation and made durable, and only
//! then is the drop told that they are done. Killed at any instant and called again, nothing is lost and nothing is taken twice.

mod queue;
mod take;

pub use queue::Sent;
pub(crate) use queue::{ACCEPT, FORGET, REPLY};

use crate::carrier::{Carrier, MAX_ENVELOPE, Waiting};
use crate::inbox::{Held, Inbox, int};
use crate::keyring::LIFE;
use crate::{Error, Result};
use daylight_durable::crash_point;
use daylight_envelope::{Identity, Newsroom};
use daylight_model::{Digest, Hasher};
use rusqlite::OptionalExtension as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use take::{Taken, Taking};

/// A batch ends after so many envelopes, or bytes.
const BATCH: usize = 128;
const BATCH_BYTES: u64 = 512 << 20;

/// After so many envelopes in a row that could not be fetched the rest is left for the next collection.
const GIVES_UP: u32 = 3;

/// The most envelopes of one collection; the rest come with the next one.
const MOST: usize = 400_000;

/// So much of the desk's disk stays free, in bytes: what would go beyond it stays at the drop.
const RESERVE: u64 = 1 << 30;

/// What came of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Submissions that came.
    pub submissions: u64,
    /// Conversations that began.
    pub conversations: u64,
    /// Bytes of what was sent.
    pub bytes: u64,
    /// Submissions that may be somebody else's.
    pub doubtful: u64,
    /// Envelopes that could not be opened, each with why. They stay at the drop until its own retention ends.
    pub refused: Vec<(Digest, String)>,
    /// What went to the drop.
    pub sent: Sent,
    /// Whether the drop got a directory that it had not.
    pub directory_put: bool,
    /// What somebody must look at: the drop may be in other hands.
    pub alarms: Vec<String>,
    /// How many envelopes were listed.
    pub listed: u64,
    /// Envelopes that could not be fetched, each with why. The others came.
    pub failed: Vec<(Digest, String)>,
    /// What is to be looked at and is no alarm.
    pub remarks: Vec<String>,
    /// How many were left at the drop because the desk's disk is nearly full.
    pub no_room: u64,
}

/// How far a collection has come: envelopes, and how many in all.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

impl Inbox {
    /// Collects, see the module.
    pub fn collect(&mut self, held: &Held, carrier: &mut dyn Carrier, today: u32, progress: &mut Progress<'_>) -> Result<Collected> {
        let mut collected = Collected::default();
        self.empty("incoming")?;
        self.remove_unnamed(held)?;
        let (newsroom, identities) = self.identities(today)?;
        self.directories(carrier, &mut collected)?;
        collected.sent = self.send_queue(carrier)?;
        let waiting = self.wanted(carrier, &mut collected)?;
        let mut taking = Taking { newsroom: &newsroom, identities: &identities, storage: self.storage()?, today };
        let (mut done, mut in_a_row) = (0, 0);
        let mut rest = waiting.as_slice();
        while !rest.is_empty() {
            let batch;
            (batch, rest) = rest.split_at(batch_of(rest));
            let mut fetched = Vec::new();
            let mut room = self.room()?;
            for one in batch {
                done += 1;
                // It is here twice for a while, as it came and as it is kept.
                let Some(left) = room.checked_sub(one.length.min(MAX_ENVELOPE) * 2) else {
                    collected.no_room += 1;
                    continue;
                };
                room = left;
                progress(done, waiting.len() as u64);
                match self.fetch(carrier, one) {
                    Ok(Fetched::Whole(path)) => fetched.push((*one, path)),
                    Ok(Fetched::Gone) => {}
                    Ok(Fetched::Lie(why)) => collected.alarms.push(why),
                    // One that the drop cannot give must not keep the others there.
                    Err(Error::Carrier(why)) => {
                        collected.failed.push((one.id, why));
                        in_a_row += 1;
                        if in_a_row == GIVES_UP {
                            break;
                        }
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                in_a_row = 0;
            }
            for (one, path) in fetched {
                match self.take(&mut taking, &one, &path)? {
                    Taken::New(new) => collected.count(new),
                    Taken::Refused(why) => collected.refused.push((one.id, why)),
                }
                std::fs::remove_file(&path).map_err(Error::io(&path))?;
            }
            if in_a_row == GIVES_UP {
                // The line is gone, or the drop. What came is durable here, and is told by the next collection.
                return Ok(collected);
            }
            self.tell_done(carrier)?;
        }
        self.tell_done(carrier)?;
        Ok(collected)
    }

    /// How many bytes may still be used of the desk's disk.
    fn room(&self) -> Result<u64> {
        let about = rustix::fs::statvfs(&self.root).map_err(|error| Error::io(&self.root)(error.into()))?;
        Ok(about.f_bavail.saturating_mul(about.f_frsize).saturating_sub(RESERVE))
    }

    /// The keys that may open something, of all keyrings on the desk, the newest day first.
    fn identities(&self, today: u32) -> Result<(Newsroom, Vec<(u32, Identity)>)> {
        let keyrings = self.keyrings(today)?;
        let Some(first) = keyrings.first() else {
            let what = "there is no keyring on this desk: make one with `daylight drop directory keys`, or copy yours to inbox/keyring";
            return Err(Error::Refused(what.into()));
        };
        if let Some(other) = keyrings.iter().find(|keyring| keyring.newsroom().0 != first.newsroom().0) {
            return Err(Error::Refused(format!("{} is for another newsroom than {}", other.path().display(), first.path().display())));
        }
        let mut identities: Vec<(u32, Identity)> = keyrings.iter().flat_map(|keyring| keyring.identities(today)).collect();
        identities.sort_by_key(|(day, _)| std::cmp::Reverse(*day));
        Ok((first.newsroom(), identities))
    }

    /// Looks at what the drop shows, and gives it ours.
    fn directories(&mut self, carrier: &mut dyn Carrier, collected: &mut Collected) -> Result<()> {
        let ours = self.directory()?;
        let shown = carrier.directory()?;
        if let Some(shown) = &shown
            && ours.as_ref() != Some(shown)
            && !self.made(shown)?
        {
            let digest = Digest::of(shown);
            let path = self.root.join(format!("alarm-{}.directory", &digest.to_string()[..16]));
            daylight_durable::write_atomic(&path, shown).map_err(Error::io(&path))?;
            collected.alarms.push(format!(
                "the drop showed sources a directory of keys that this desk did not make (SHA-256 {digest}): what they sent may have been read by \
                 others, and the drop may be in other hands. It is kept in {}",
                path.display()
            ));
        }
        if let Some(ours) = ours.filter(|ours| shown.as_ref() != Some(ours)) {
            carrier.put_directory(&ours)?;
            collected.directory_put = true;
        }
        Ok(())
    }

    /// What of the drop's list is to be fetched. What was taken before and is listed still is told as done again: the last time it was not heard.
    fn wanted(&mut self, carrier: &mut dyn Carrier, collected: &mut Collected) -> Result<Vec<Waiting>> {
        let listed = carrier.list()?;
        collected.listed = listed.len() as u64;
        let mut wanted = Vec::new();
        for one in listed {
            if self.is_seen(&one.id)? {
                self.connection.execute("INSERT OR IGNORE INTO done (id) VALUES (?1)", [one.id.0])?;
            } else if !self.is_refused(&one.id)? && wanted.len() < MOST {
                wanted.push(one);
            }
        }
        Ok(wanted)
    }

    fn is_seen(&self, id: &Digest) -> Result<bool> {
        let mark = self.mark(id)?;
        Ok(self.connection.prepare_cached("SELECT 1 FROM seen WHERE mark = ?1")?.exists([mark])?)
    }

    fn is_refused(&self, id: &Digest) -> Result<bool> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM refused WHERE id = ?1")?.exists([id.0])?)
    }

    /// Fetches an envelope as it is, sealed, and sees that it is the one that was listed.
    fn fetch(&self, carrier: &mut dyn Carrier, waiting: &Waiting) -> Result<Fetched> {
        let lie = |what: &str| Ok(Fetched::Lie(format!("the drop lists envelope {} {what}; it was not taken", waiting.id)));
        if waiting.length > MAX_ENVELOPE {
            return lie("with more bytes than any has");
        }
        let path = self.root.join("incoming").join(waiting.id.to_string());
        let mut to = Hashing { out: BufWriter::new(File::create(&path).map_err(Error::io(&path))?), hasher: Hasher::default(), length: 0 };
        if !carrier.fetch(waiting, &mut to)? {
            std::fs::remove_file(&path).map_err(Error::io(&path))?;
            return Ok(Fetched::Gone);
        }
        to.out.flush().map_err(Error::io(&path))?;
        if to.length != waiting.length || to.hasher.finish() != waiting.id {
            std::fs::remove_file(&path).map_err(Error::io(&path))?;
            return lie("and gives other bytes for it");
        }
        // A crash here leaves an envelope in incoming/, which the next opening removes; the drop has it still.
        crash_point("inbox.fetched");
        Ok(Fetched::Whole(path))
    }

    /// Tells the drop what is durable here.
    fn tell_done(&mut self, carrier: &mut dyn Carrier) -> Result<()> {
        let ids: Vec<[u8; 32]> = self
            .connection
            .prepare_cached("SELECT id FROM done LIMIT 100000")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<Digest> = ids.into_iter().map(Digest).collect();
        carrier.done(&ids)?;
        // A crash here leaves the drop without them and the desk about to tell it again, which changes nothing.
        crash_point("inbox.told");
        let transaction = self.connection.transaction()?;
        for id in &ids {
            transaction.prepare_cached("DELETE FROM done WHERE id = ?1")?.execute([id.0])?;
        }
        transaction.commit()?;
        crash_point("inbox.told-noted");
        Ok(())
    }

    /// The conversations in which nothing happened for `days` days, as this desk saw it, in which nothing is unread or waits to be sent, and that nobody is
    /// assigned to.
    pub fn due(&self, days: u32, today: u32) -> Result<Vec<Digest>> {
        let sql = "SELECT id FROM conversation AS c WHERE last_day < ?1 AND unread = 0 AND assigned = '' AND deleting = 0
            AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.conversation = c.n) ORDER BY n";
        let before = i64::from(today.saturating_sub(days));
        let ids: Vec<[u8; 32]> = self.connection.prepare(sql)?.query_map([before], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(ids.into_iter().map(Digest).collect())
    }

    /// Remembers an envelope that could not be opened, so that it is not fetched each day; the drop's own retention removes it.
    pub(crate) fn refuse(&mut self, waiting: &Waiting, today: u32, why: &str) -> Result<()> {
        let until = i64::from(today.saturating_add(LIFE));
        let sql = "INSERT OR REPLACE INTO refused (id, day, length, until, why) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.execute(sql, (waiting.id.0, i64::from(waiting.day), int(waiting.length), until, why))?;
        Ok(())
    }

    /// Forgets that envelopes could not be opened, so that the next collection tries again. Gives how many.
    pub fn try_refused_again(&mut self, _held: &Held) -> Result<usize> {
        Ok(self.connection.execute("DELETE FROM refused", [])?)
    }

    /// How many envelopes at the drop could not be opened, and why the last one could not.
    pub fn refused(&self) -> Result<(u64, Option<String>)> {
        let count: i64 = self.connection.query_row("SELECT COUNT(*) FROM refused", [], |row| row.get(0))?;
        let why = self.connection.query_row("SELECT why FROM refused ORDER BY until DESC, id LIMIT 1", [], |row| row.get(0)).optional()?;
        Ok((count.unsigned_abs(), why))
    }
}

enum Fetched {
    Whole(PathBuf),
    Gone,
    Lie(String),
}

impl Collected {
    fn count(&mut self, new: take::New) {
        self.submissions += 1;
        self.bytes += new.bytes;
        self.conversations += u64::from(new.begins);
        self.doubtful += u64::from(new.doubtful);
        self.remarks.extend(new.remark);
    }
}

/// How many of these make a batch.
fn batch_of(waiting: &[Waiting]) -> usize {
    let mut bytes = 0u64;
    let fits = waiting.iter().take(BATCH).take_while(|one| {
        bytes = bytes.saturating_add(one.length);
        bytes <= BATCH_BYTES
    });
    fits.count().max(1)
}

/// Counts and hashes what goes through, and stops where no envelope goes on.
struct Hashing<W> {
    out: W,
    hasher: Hasher,
    length: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.length + bytes.len() as u64 > MAX_ENVELOPE {
            return Err(std::io::Error::other("it is longer than any envelope"));
        }
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
