use crate::conversations::Known;
use crate::inbox::{Inbox, int};
use crate::sealed::{Heading, What, Writing, open_bytes};
use crate::{Error, Result};
use daylight_archive::Signer;
use daylight_durable::crash_point;
use daylight_envelope::{Newsroom, Recipient, seal_reply};
use rusqlite::TransactionBehavior;
use std::io::Write as _;
use zeroize::Zeroizing;

/// An answer that is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Which of the conversation's answers it is, from 1.
    pub counter: u64,
}

/// An answer that is sealed, and not noted yet.
pub(crate) struct Sealed {
    /// Its file's name.
    name: String,
    length: u64,
    /// What goes to the drop.
    envelope: Vec<u8>,
}

impl Inbox {
    /// Seals an answer to the conversation's reply key, signed with an editor's key, and queues it for the next collection. What the desk keeps of it is sealed
    /// under the conversation's storage key. An answer is an acceptance: the source may send more from then on.
    ///
    /// It does not need the inbox for itself, for a collection may take hours: what it has sealed and not noted yet is spared by whoever tidies, and a conversation that was
    /// deleted meanwhile gets no answer.
    pub fn answer(&mut self, beginning: &str, body: &str, signer: &Signer, today: u32) -> Result<Answer> {
        let _answering = self.answering()?;
        let known = self.known(beginning)?;
        let sealed = self.seal_answer(&known, body, signer, today)?;
        self.queue_answer(&known, &sealed, today)
    }

    /// Seals an answer, for the source and for the desk.
    pub(crate) fn seal_answer(&self, known: &Known, body: &str, signer: &Signer, today: u32) -> Result<Sealed> {
        let key: Zeroizing<[u8; 32]> = self.storage_key(known)?;
        let newsroom = self.newsroom_of(signer, today)?;
        let sealed: Option<Vec<u8>> =
            self.connection.query_row("SELECT identity FROM conversation WHERE n = ?1", [known.n], |row| row.get(0))?;
        let identity = sealed.and_then(|sealed| open_bytes(&key, &sealed));
        let reply = identity.as_ref().and_then(|identity| identity.get(32..)?.try_into().ok());
        let reply = reply.ok_or_else(|| Error::damaged(self.root.join("inbox.sqlite"), "the conversation's reply key"))?;
        let reply = Recipient::from_bytes(reply).map_err(|error| Error::Refused(format!("the source's reply key is none: {error}")))?;
        let counter = known.next_reply;
        let envelope = seal(&reply, &newsroom, counter, body, signer)?;
        let heading = Heading {
            by_tool: false,
            counter,
            what: What::Text,
            name: Vec::new(),
            media_type: "text/plain".into(),
            editor: signer.name().to_owned(),
        };
        let mut writing = Writing::begin(&self.root, &key, &heading)?;
        writing.write_all(body.as_bytes()).map_err(Error::io(&self.root))?;
        let name = writing.finish()?;
        // A crash here leaves a sealed file that no message names: the next collection removes it.
        crash_point("inbox.answer-sealed");
        Ok(Sealed { name, length: body.len() as u64, envelope })
    }

    /// Notes a sealed answer, if its conversation is there still.
    pub(crate) fn queue_answer(&mut self, known: &Known, sealed: &Sealed, today: u32) -> Result<Answer> {
        let counter = known.next_reply;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT 1 FROM conversation WHERE n = ?1 AND id = ?2 AND deleting = 0";
        if !transaction.prepare(sql)?.exists((known.n, known.id.0))? {
            let path = self.root.join("sealed").join(&sealed.name);
            std::fs::remove_file(&path).map_err(Error::io(&path))?;
            return Err(Error::Refused("the conversation was deleted meanwhile; the answer is not sent".into()));
        }
        let sql = "INSERT INTO message (conversation, outgoing, day, name, length, read) VALUES (?1, 1, ?2, ?3, ?4, 1)";
        transaction.execute(sql, (known.n, today, &sealed.name, int(sealed.length)))?;
        let message = transaction.last_insert_rowid();
        let sql = "INSERT INTO queue (what, lookup, conversation, message, sealed) VALUES (?1, ?2, ?3, ?4, ?5)";
        transaction.execute(sql, (crate::collect::REPLY, known.lookup, known.n, message, &sealed.envelope))?;
        let sql = "UPDATE conversation SET replies = replies + 1, next_reply = next_reply + 1, accepted = 1,
            last_day = max(last_day, ?2) WHERE n = ?1";
        transaction.execute(sql, (known.n, today))?;
        transaction.commit()?;
        crash_point("inbox.answered");
        Ok(Answer { counter })
    }

    /// The newsroom for which this editor signs: there must be a keyring of theirs, or a directory that names them; a reply by anybody else the source's tool refuses.
    fn newsroom_of(&self, signer: &Signer, today: u32) -> Result<Newsroom> {
        let keyrings = self.keyrings(today)?;
        let named = match self.directory()? {
            Some(file) => daylight_archive::directory::parse(&file)?.told.members.contains(&signer.key()),
            None => keyrings.iter().any(|keyring| *keyring.member() == signer.key()),
        };
        if !named {
            return Err(Error::Refused(format!(
                "{} is no member of the directory that sources are shown: they would not believe the answer",
                signer.name()
            )));
        }
        let newsroom = keyrings.first().map(|keyring| keyring.newsroom());
        newsroom.ok_or_else(|| Error::Refused("there is no keyring on this desk".into()))
    }
}

fn seal(reply: &Recipient, newsroom: &Newsroom, counter: u64, body: &str, signer: &Signer) -> Result<Vec<u8>> {
    let mut signed = false;
    let sealed = seal_reply(reply, newsroom, counter, body, signer.key().public(), |message| {
        let signature = signer.sign_reply(message);
        signed = signature.is_some();
        signature.unwrap_or([0; 64])
    });
    let sealed = sealed.map_err(|error| Error::Refused(error.to_string()))?;
    if signed { Ok(sealed) } else { Err(Error::Refused("a reply of another form than this editor's key signs".into())) }
}
