//! Collecting: what waits at the drop comes to the desk, and what the desk has to say goes to the drop.
//!
//! The order is: keys that are due are destroyed; the directory at the drop is looked at, and ours is put there; what is queued goes out; then, in groups,
//! envelopes are fetched as they are, opened without touching the network, sealed anew under a key of their conversation and made durable together, and only
//! then is the drop told that they are done. Killed at any instant and called again, nothing is lost and nothing is taken twice.

mod directories;
mod queue;
mod take;

pub use queue::Sent;
pub(crate) use queue::{ACCEPT, FORGET, REPLY};

use crate::carrier::{Carrier, MAX_ENVELOPE, Waiting};
use crate::inbox::{Held, Inbox};
use crate::{Error, Result};
use daylight_durable::crash_point;
use daylight_envelope::{Identity, Newsroom};
use daylight_model::{Digest, Hasher};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use take::Taking;

/// A group is made durable at once; it ends after so many envelopes, bytes, or so long.
const BATCH: usize = 128;
const BATCH_BYTES: u64 = 256 << 20;
const BATCH_TIME: Duration = Duration::from_secs(300);

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
        let mut rest = waiting.as_slice();
        while !rest.is_empty() {
            let group = self
                .fetch_group(carrier, &mut rest, &mut collected, &mut |left| progress(waiting.len() as u64 - left, waiting.len() as u64))?;
            self.take_group(&mut taking, &group.fetched, &mut collected)?;
            if group.gave_up {
                // The line is gone, or the drop. What came is durable here, and is told by the next collection.
                return Ok(collected);
            }
            self.tell_done(carrier)?;
        }
        self.tell_done(carrier)?;
        Ok(collected)
    }

    /// Fetches the next envelopes of the list, as many as are made durable together: so many, so many bytes, or what comes in so long.
    fn fetch_group(
        &self,
        carrier: &mut dyn Carrier,
        rest: &mut &[Waiting],
        collected: &mut Collected,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Group> {
        let mut group = Group { fetched: Vec::new(), gave_up: false };
        let (mut room, mut in_a_row, began) = (self.room()?, 0, Instant::now());
        for one in &rest[..batch_of(rest)] {
            if !group.fetched.is_empty() && began.elapsed() > BATCH_TIME {
                break;
            }
            *rest = &rest[1..];
            // It is here twice for a while, as it came and as it is kept.
            let Some(left) = room.checked_sub(one.length.min(MAX_ENVELOPE) * 2) else {
                collected.no_room += 1;
                continue;
            };
            room = left;
            progress(rest.len() as u64);
            match self.fetch(carrier, one) {
                Ok(Fetched::Whole(path)) => group.fetched.push((*one, path)),
                Ok(Fetched::Gone) => {}
                Ok(Fetched::Lie(why)) => collected.alarms.push(why),
                // One that the drop cannot give must not keep the others there.
                Err(Error::Carrier(why)) => {
                    collected.failed.push((one.id, why));
                    in_a_row += 1;
                    if in_a_row == GIVES_UP {
                        group.gave_up = true;
                        break;
                    }
                    continue;
                }
                Err(error) => return Err(error),
            }
            in_a_row = 0;
        }
        Ok(group)
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
}

/// Envelopes that were fetched, to be opened and made durable together.
struct Group {
    fetched: Vec<(Waiting, PathBuf)>,
    /// Whether the drop gave too many in a row not.
    gave_up: bool,
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
