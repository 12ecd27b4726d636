use super::Collected;
use crate::carrier::Waiting;
use crate::error::random;
use crate::inbox::{Inbox, int};
use crate::keyring::LIFE;
use crate::sealed::{Heading, Writing, open_bytes, seal_bytes, sync_all};
use crate::secrets::Secrets;
use crate::{Error, Result};
use daylight_durable::crash_point;
use daylight_envelope::{Authenticated, Head, Identity, Newsroom, OpenError, Submission, SubmissionError, open_submission};
use daylight_model::{Digest, Hasher};
use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What opening takes.
pub(super) struct Taking<'a> {
    pub(super) newsroom: &'a Newsroom,
    pub(super) identities: &'a [(u32, Identity)],
    pub(super) storage: Secrets,
    pub(super) today: u32,
}

pub(super) enum Taken {
    New(New),
    Refused(String),
}

/// A submission that came.
pub(super) struct New {
    pub(super) bytes: u64,
    pub(super) begins: bool,
    pub(super) doubtful: bool,
    pub(super) remark: Option<String>,
}

/// The conversation that a submission belongs to.
struct Place {
    n: Option<i64>,
    id: Digest,
    storage: u32,
    key: Zeroizing<[u8; 32]>,
    lookup: [u8; 32],
}

/// The id of a conversation: SHA-256 over a tag and the key that only the source and the newsroom know. The mailbox does not matter: what somebody else
/// puts there is another conversation.
fn conversation_id(head: &Head) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(b"daylight-conversation/v1\n");
    hasher.update(head.conversation.as_bytes());
    hasher.finish()
}

impl Inbox {
    /// Opens a group of envelopes, and makes what is in them durable under their conversations' storage keys: all of it, and then in one transaction what tells of it.
    pub(super) fn take_group(&self, taking: &mut Taking<'_>, fetched: &[(Waiting, PathBuf)], collected: &mut Collected) -> Result<()> {
        if fetched.is_empty() {
            return Ok(());
        }
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        for (one, path) in fetched {
            match self.take(taking, one, path)? {
                Taken::New(new) => collected.count(new),
                Taken::Refused(why) => collected.refused.push((one.id, why)),
            }
        }
        taking.storage.sync()?;
        // A crash here leaves keys that no conversation has, and sealed files that no message names: the next collection destroys and removes them, and the drop has the
        // envelopes still.
        crash_point("inbox.storage-keys");
        sync_all(&self.root)?;
        // The same, and all of it is on the disk.
        crash_point("inbox.sealed");
        transaction.commit()?;
        // A crash here leaves it durable on the desk and the drop not told: it is told by the next collection.
        crash_point("inbox.taken");
        fetched.iter().try_for_each(|(_, path)| std::fs::remove_file(path).map_err(Error::io(path)))
    }

    /// Opens an envelope, seals what is in it anew and notes it, none of which is durable yet.
    fn take(&self, taking: &mut Taking<'_>, waiting: &Waiting, path: &Path) -> Result<Taken> {
        let opened = open_with_any(taking, waiting.day, path)?;
        let submission = match opened {
            Ok(submission) => submission,
            Err(why) => {
                self.refuse(waiting, taking.today, &why)?;
                return Ok(Taken::Refused(why));
            }
        };
        let (epoch, head) = (submission.head().epoch, submission.head().clone());
        let mut place = self.place(taking, &head, waiting)?;
        let mut writing = Writing::begin(&self.root, &place.key, &Heading::of(&head))?;
        let finished = match submission.copy_to(&mut writing, None) {
            Ok(finished) => finished,
            Err(SubmissionError::Write(error)) => return Err(Error::io(&self.root)(error)),
            Err(error) => {
                // Whatever was written is as sealed as the rest, and goes; a key that was made for it was kept nowhere.
                writing.abandon()?;
                let why = format!("it is damaged, or was altered on the way: {error}");
                self.refuse(waiting, taking.today, &why)?;
                return Ok(Taken::Refused(why));
            }
        };
        let name = writing.finish_later()?;
        if place.n.is_none() {
            place.storage = taking.storage.add_later(0, &place.key)?;
        }
        // A crash here leaves a sealed file that no message names, or a part of it, and perhaps its key.
        crash_point("inbox.opened");
        let doubt = self.doubt(&place, &head, &finished.authenticated)?;
        let begins = place.n.is_none();
        let bytes = finished.length;
        let shared = self.note(&place, &head, waiting, &name, (bytes, doubt, epoch), taking.today)?;
        // No alarm: whoever sends says for which mailbox it is.
        let remark = (place.lookup != waiting.lookup && !shared)
            .then(|| format!("a message of conversation {} came in another mailbox than the ones before", short(&place.id)));
        Ok(Taken::New(New { bytes, begins, doubtful: doubt != 0, remark }))
    }

    /// The conversation it belongs to, with its storage key. One that begins has a key that is kept once its envelope was seen to be whole.
    fn place(&self, taking: &Taking<'_>, head: &Head, waiting: &Waiting) -> Result<Place> {
        let id = conversation_id(head);
        let sql = "SELECT n, place, lookup FROM conversation WHERE id = ?1 AND deleting = 0";
        let known: Option<(i64, u32, [u8; 32])> =
            self.connection.prepare_cached(sql)?.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        if let Some((n, storage, lookup)) = known {
            let key = taking
                .storage
                .get(storage)
                .ok_or_else(|| Error::damaged(self.root.join("storage.keys"), "a conversation's key is gone"))?;
            return Ok(Place { n: Some(n), id, storage, key: Zeroizing::new(*key), lookup });
        }
        Ok(Place { n: None, id, storage: 0, key: Zeroizing::new(random::<32>()?), lookup: waiting.lookup })
    }

    /// What speaks against a submission being by whoever began the conversation: 0 nothing, 1 it may be somebody else's, 2 it begins again what had begun.
    fn doubt(&self, place: &Place, head: &Head, authenticated: &Authenticated) -> Result<u8> {
        let Some(n) = place.n else {
            return Ok(u8::from(matches!(authenticated, Authenticated::No)));
        };
        let sql = "SELECT identity, begun FROM conversation WHERE n = ?1";
        let (sealed, begun): (Option<Vec<u8>>, bool) =
            self.connection.prepare_cached(sql)?.query_row([n], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let known = sealed.and_then(|sealed| open_bytes(&place.key, &sealed));
        // The reply key is the first one's, whatever a later one says.
        let same_reply = known.is_none_or(|known| known.get(32..) == Some(&head.reply.to_bytes()[..]));
        Ok(match authenticated {
            Authenticated::Yes if same_reply => 0,
            // Envelopes come in no order: the first may come after later ones.
            Authenticated::First if same_reply && !begun => 0,
            Authenticated::First => 2,
            _ => 1,
        })
    }

    /// Notes what came, in the group's transaction. Gives whether its mailbox has another conversation.
    fn note(&self, place: &Place, head: &Head, waiting: &Waiting, name: &str, said: (u64, u8, u32), today: u32) -> Result<bool> {
        let (length, doubt, epoch) = said;
        let mark = self.mark(&waiting.id)?;
        // The day on which it was sealed is the source's to say, and the day on which it came is the drop's; neither may lie in the future.
        let day = i64::from(waiting.day.min(today));
        let n = match place.n {
            Some(n) => n,
            None => {
                let identity = Zeroizing::new([&head.conversation.as_bytes()[..], &head.reply.to_bytes()].concat());
                let sealed = seal_bytes(&place.key, &identity)?;
                let sql = "INSERT INTO conversation (id, lookup, place, first_day, last_day, identity) VALUES (?1, ?2, ?3, ?4, ?4, ?5)";
                self.connection.prepare_cached(sql)?.execute((place.id.0, waiting.lookup, place.storage, day, sealed))?;
                self.connection.last_insert_rowid()
            }
        };
        let sql = "SELECT 1 FROM conversation WHERE lookup = ?1 AND n <> ?2";
        let shared = self.connection.prepare_cached(sql)?.exists((waiting.lookup, n))?;
        if shared {
            self.connection.execute("UPDATE conversation SET shared = 1 WHERE lookup = ?1", [waiting.lookup])?;
        }
        let sql = "INSERT INTO message (conversation, outgoing, day, name, length, doubt) VALUES (?1, 0, ?2, ?3, ?4, ?5)";
        self.connection.prepare_cached(sql)?.execute((n, day, name, int(length), doubt))?;
        let sql =
            "UPDATE conversation SET submissions = submissions + 1, unread = unread + 1, bytes = bytes + ?2, last_day = max(last_day, ?3),
            doubtful = doubtful + ?4, begun = max(begun, ?5) WHERE n = ?1";
        // By our own clock: what the drop says must not make a conversation old enough to be deleted.
        self.connection.prepare_cached(sql)?.execute((n, int(length), today, i64::from(doubt != 0), head.first))?;
        let until = i64::from(epoch.saturating_add(LIFE).max(today));
        self.connection.prepare_cached("INSERT OR IGNORE INTO seen (mark, until) VALUES (?1, ?2)")?.execute((mark, until))?;
        self.connection.prepare_cached("INSERT OR IGNORE INTO done (id) VALUES (?1)")?.execute([waiting.id.0])?;
        Ok(shared)
    }
}

/// Tries the keys one after the other, those of the day on which it is said to have come first and then the newest, and sees that what is inside was sealed for the day of the key that opened it.
fn open_with_any(taking: &Taking<'_>, listed: u32, path: &Path) -> Result<std::result::Result<Submission<BufReader<File>>, String>> {
    let near = |day: &u32| day.abs_diff(listed) <= 1;
    let (first, rest): (Vec<_>, Vec<_>) = taking.identities.iter().partition(|(day, _)| near(day));
    for (day, identity) in first.into_iter().chain(rest) {
        let input = BufReader::new(File::open(path).map_err(Error::io(path))?);
        match open_submission(&[identity], taking.newsroom, input) {
            Ok(submission) if submission.head().epoch == *day => return Ok(Ok(submission)),
            Ok(submission) => {
                return Ok(Err(format!(
                    "it says that it was sealed for day {}, and the key of day {day} opens it",
                    submission.head().epoch
                )));
            }
            Err(SubmissionError::File(OpenError::OtherKey)) => {}
            Err(SubmissionError::Read(error) | SubmissionError::File(OpenError::Io(error))) if !tells_of_bytes(&error) => {
                return Err(Error::io(path)(error));
            }
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
    Ok(Err("no key on this desk opens it: it was sealed for others, or for a day whose key is destroyed".into()))
}

/// Whether an error is of what the bytes are, not of reading them.
fn tells_of_bytes(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

/// A conversation's id as people are shown it.
pub(crate) fn short(id: &Digest) -> String {
    id.to_string()[..12].to_owned()
}
