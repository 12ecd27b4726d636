use super::Collected;
use crate::carrier::Waiting;
use crate::error::random;
use crate::inbox::{Inbox, int};
use crate::keyring::LIFE;
use crate::sealed::{Heading, Writing, open_bytes, seal_bytes, sync_all};
use crate::secrets::Secrets;
use crate::{Error, Result};
use daylight_durable::crash_point;
use daylight_envelope::{Authenticated, Finished, Head, Identity, Newsroom, OpenError, Submission, SubmissionError, open_submission};
use daylight_model::{Digest, Hasher};
use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior};
use std::collections::HashMap;
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

/// An envelope of a group, before anything of it is noted.
enum Opened {
    Sealed(Box<Sealed>),
    Refused(String),
}

/// What was in an envelope, sealed anew.
struct Sealed {
    head: Head,
    finished: Finished,
    /// Its file's name.
    name: String,
    id: Digest,
    storage: u32,
    key: Zeroizing<[u8; 32]>,
}

/// A submission that came.
pub(super) struct New {
    pub(super) bytes: u64,
    pub(super) begins: bool,
    pub(super) doubtful: bool,
    pub(super) remark: Option<String>,
}

/// The places and storage keys of the conversations that begin in a group, which the database does not know yet.
type Begun = HashMap<Digest, (u32, Zeroizing<[u8; 32]>)>;

/// The row of a conversation: its number and its mailbox.
type Row = (i64, [u8; 32]);

/// The id of a conversation: SHA-256 over a tag and the key that only the source and the newsroom know. The mailbox does not matter: what somebody else
/// puts there is another conversation.
fn conversation_id(head: &Head) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(b"daylight-conversation/v1\n");
    hasher.update(head.conversation.as_bytes());
    hasher.finish()
}

impl Inbox {
    /// Opens a group of envelopes, and makes what is in them durable under their conversations' storage keys: all of it, and then in one transaction what tells of it. The
    /// transaction is only as long as the noting: opening a group takes up to minutes, in which others write.
    pub(super) fn take_group(&self, taking: &mut Taking<'_>, fetched: &[(Waiting, PathBuf)], collected: &mut Collected) -> Result<()> {
        if fetched.is_empty() {
            return Ok(());
        }
        let mut begun = Begun::new();
        let opened: Vec<Opened> = fetched.iter().map(|(one, path)| self.reseal(taking, &mut begun, one, path)).collect::<Result<_>>()?;
        taking.storage.sync()?;
        // A crash here leaves keys that no conversation has, and sealed files that no message names: the next collection destroys and removes them, and the drop has the
        // envelopes still.
        crash_point("inbox.storage-keys");
        sync_all(&self.root)?;
        // The same, and all of it is on the disk.
        crash_point("inbox.sealed");
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        for ((one, _), opened) in fetched.iter().zip(opened) {
            match opened {
                Opened::Sealed(sealed) => collected.count(self.note(&sealed, one, taking.today)?),
                Opened::Refused(why) => {
                    self.refuse(one, taking.today, &why)?;
                    collected.refused.push((one.id, why));
                }
            }
        }
        transaction.commit()?;
        // A crash here leaves it durable on the desk and the drop not told: it is told by the next collection.
        crash_point("inbox.taken");
        fetched.iter().try_for_each(|(_, path)| std::fs::remove_file(path).map_err(Error::io(path)))
    }

    /// Opens an envelope and seals what is in it anew, which is not durable yet.
    fn reseal(&self, taking: &mut Taking<'_>, begun: &mut Begun, waiting: &Waiting, path: &Path) -> Result<Opened> {
        let submission = match open_with_any(taking, waiting.day, path)? {
            Ok(submission) => submission,
            Err(why) => return Ok(Opened::Refused(why)),
        };
        let head = submission.head().clone();
        let id = conversation_id(&head);
        let known = self.storage_of(taking, begun, &id)?;
        // One that begins has a key that is kept once its envelope was seen to be whole.
        let key = known.as_ref().map_or_else(|| random::<32>().map(Zeroizing::new), |(_, key)| Ok(key.clone()))?;
        let mut writing = Writing::begin(&self.root, &key, &Heading::of(&head))?;
        let finished = match submission.copy_to(&mut writing, None) {
            Ok(finished) => finished,
            Err(SubmissionError::Write(error)) => return Err(Error::io(&self.root)(error)),
            Err(error) => {
                // Whatever was written is as sealed as the rest, and goes; a key that was made for it was kept nowhere.
                writing.abandon()?;
                return Ok(Opened::Refused(format!("it is damaged, or was altered on the way: {error}")));
            }
        };
        let name = writing.finish_later()?;
        let storage = match known {
            Some((storage, _)) => storage,
            None => {
                let storage = taking.storage.add_later(0, &key)?;
                begun.insert(id, (storage, key.clone()));
                storage
            }
        };
        // A crash here leaves a sealed file that no message names, or a part of it, and perhaps its key.
        crash_point("inbox.opened");
        Ok(Opened::Sealed(Box::new(Sealed { head, finished, name, id, storage, key })))
    }

    /// The storage key of a conversation and its place, if it has begun. Nobody else makes or ends one meanwhile: whoever does holds the inbox.
    fn storage_of(&self, taking: &Taking<'_>, begun: &Begun, id: &Digest) -> Result<Option<(u32, Zeroizing<[u8; 32]>)>> {
        if let Some(known) = begun.get(id) {
            return Ok(Some(known.clone()));
        }
        let sql = "SELECT place FROM conversation WHERE id = ?1 AND deleting = 0";
        let known: Option<u32> = self.connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0)).optional()?;
        let Some(storage) = known else { return Ok(None) };
        let gone = || Error::damaged(self.root.join("storage.keys"), "a conversation's key is gone");
        let key = taking.storage.get(storage).ok_or_else(gone)?;
        Ok(Some((storage, Zeroizing::new(*key))))
    }

    /// Notes what came, in the group's transaction.
    fn note(&self, sealed: &Sealed, waiting: &Waiting, today: u32) -> Result<New> {
        let sql = "SELECT n, lookup FROM conversation WHERE id = ?1 AND deleting = 0";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let known: Option<Row> = self.connection.prepare_cached(sql)?.query_row([sealed.id.0], row).optional()?;
        let doubt = self.doubt(known.map(|(n, _)| n), sealed)?;
        let shared = self.note_message(known.map(|(n, _)| n), sealed, waiting, doubt, today)?;
        // No alarm: whoever sends says for which mailbox it is.
        let remark = known
            .filter(|(_, lookup)| *lookup != waiting.lookup && !shared)
            .map(|_| format!("a message of conversation {} came in another mailbox than the ones before", short(&sealed.id)));
        Ok(New { bytes: sealed.finished.length, begins: known.is_none(), doubtful: doubt != 0, remark })
    }

    /// What speaks against a submission being by whoever began the conversation: 0 nothing, 1 it may be somebody else's, 2 it begins again what had begun.
    fn doubt(&self, known: Option<i64>, came: &Sealed) -> Result<u8> {
        let authenticated = &came.finished.authenticated;
        let Some(n) = known else {
            return Ok(u8::from(matches!(authenticated, Authenticated::No)));
        };
        let sql = "SELECT identity, begun FROM conversation WHERE n = ?1";
        let (sealed, begun): (Option<Vec<u8>>, bool) =
            self.connection.prepare_cached(sql)?.query_row([n], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let known = sealed.and_then(|sealed| open_bytes(&came.key, &sealed));
        // The reply key is the first one's, whatever a later one says.
        let same_reply = known.is_none_or(|known| known.get(32..) == Some(&came.head.reply.to_bytes()[..]));
        Ok(match authenticated {
            Authenticated::Yes if same_reply => 0,
            // Envelopes come in no order: the first may come after later ones.
            Authenticated::First if same_reply && !begun => 0,
            Authenticated::First => 2,
            _ => 1,
        })
    }

    /// Notes a message, and its conversation if it begins one. Gives whether its mailbox has another conversation.
    fn note_message(&self, known: Option<i64>, sealed: &Sealed, waiting: &Waiting, doubt: u8, today: u32) -> Result<bool> {
        let (head, key, length) = (&sealed.head, &sealed.key, sealed.finished.length);
        let mark = self.mark(&waiting.id)?;
        // The day on which it was sealed is the source's to say, and the day on which it came is the drop's; neither may lie in the future.
        let day = i64::from(waiting.day.min(today));
        let n = match known {
            Some(n) => n,
            None => {
                let identity = Zeroizing::new([&head.conversation.as_bytes()[..], &head.reply.to_bytes()].concat());
                let identity = seal_bytes(key, &identity)?;
                let sql = "INSERT INTO conversation (id, lookup, place, first_day, last_day, identity) VALUES (?1, ?2, ?3, ?4, ?4, ?5)";
                self.connection.prepare_cached(sql)?.execute((sealed.id.0, waiting.lookup, sealed.storage, day, identity))?;
                self.connection.last_insert_rowid()
            }
        };
        let sql = "SELECT 1 FROM conversation WHERE lookup = ?1 AND n <> ?2";
        let shared = self.connection.prepare_cached(sql)?.exists((waiting.lookup, n))?;
        if shared {
            self.connection.execute("UPDATE conversation SET shared = 1 WHERE lookup = ?1", [waiting.lookup])?;
        }
        let sql = "INSERT INTO message (conversation, outgoing, day, name, length, doubt) VALUES (?1, 0, ?2, ?3, ?4, ?5)";
        self.connection.prepare_cached(sql)?.execute((n, day, &sealed.name, int(length), doubt))?;
        let sql =
            "UPDATE conversation SET submissions = submissions + 1, unread = unread + 1, bytes = bytes + ?2, last_day = max(last_day, ?3),
            doubtful = doubtful + ?4, begun = max(begun, ?5) WHERE n = ?1";
        // By our own clock: what the drop says must not make a conversation old enough to be deleted.
        self.connection.prepare_cached(sql)?.execute((n, int(length), today, i64::from(doubt != 0), head.first))?;
        let until = i64::from(head.epoch.saturating_add(LIFE).max(today));
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
