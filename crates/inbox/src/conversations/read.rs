use super::files::{FileParts, join};
use crate::inbox::Inbox;
use crate::sealed::{Heading, What, read};
use crate::{Error, Result};
use daylight_model::Hasher;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

/// The longest text that is shown, in bytes: the envelope's largest size of a text is far below it.
const MAX_TEXT: u64 = 1 << 20;

/// A message of a conversation. What a source says of itself and its files is shown to nobody unescaped: names and texts are any bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number, rising in the order in which they came.
    pub n: i64,
    /// Whether it is an answer of ours.
    pub outgoing: bool,
    /// The day on which it came, or was written.
    pub day: u32,
    /// How many bytes its body has.
    pub length: u64,
    /// Whether it may be somebody else's: without a MAC by the one who began the conversation, or with another reply key.
    pub doubtful: bool,
    /// Whether it begins anew what had begun, as a copy of the first message does.
    pub again: bool,
    /// Whether nobody had read it before.
    pub unread: bool,
    /// Whether the drop has it, for an answer.
    pub sent: bool,
    /// What stands before its body.
    pub heading: Heading,
    /// The words, for a text.
    pub text: Option<String>,
    pub(crate) name: String,
}

/// A conversation, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Texts and answers, in the order in which they came; parts of files are in `files`.
    pub messages: Vec<Message>,
    /// Files, with what is missing of each.
    pub files: Vec<FileParts>,
}

impl Inbox {
    /// Opens a conversation.
    pub fn read(&self, beginning: &str) -> Result<Whole> {
        let known = self.known(beginning)?;
        let key = self.storage_key(&known)?;
        let mut messages = Vec::new();
        let mut parts = Vec::new();
        for mut message in self.messages(known.n)? {
            let mut opened = read(&self.root, &key, &message.name)?;
            message.heading = opened.heading;
            match message.heading.what {
                What::Text => {
                    let mut text = Vec::new();
                    let path = self.root.join("sealed").join(&message.name);
                    opened.body.by_ref().take(MAX_TEXT).read_to_end(&mut text).map_err(Error::io(&path))?;
                    message.text = Some(String::from_utf8_lossy(&text).into_owned());
                    messages.push(message);
                }
                What::Part { .. } => parts.push(message),
            }
        }
        Ok(Whole { messages, files: join(self.without_copies(&key, parts)?) })
    }

    /// Of parts that a page sealed and that came more than once, those with the same bytes count once.
    fn without_copies(&self, key: &[u8; 32], parts: Vec<Message>) -> Result<Vec<Message>> {
        let which = |part: &Message| match part.heading.what {
            What::Part { file, part: number, .. } if !part.heading.by_tool => Some((file, number, part.doubtful)),
            _ => None,
        };
        let mut times: BTreeMap<_, u32> = BTreeMap::new();
        parts.iter().filter_map(which).for_each(|key| *times.entry(key).or_default() += 1);
        let (mut kept, mut seen) = (Vec::new(), BTreeSet::new());
        for part in parts {
            if let Some(of) = which(&part).filter(|of| times.get(of).is_some_and(|times| *times > 1)) {
                let path = self.root.join("sealed").join(&part.name);
                let mut body = read(&self.root, key, &part.name)?.body;
                let (mut hasher, mut bytes) = (Hasher::default(), vec![0; 1 << 16]);
                loop {
                    match body.read(&mut bytes).map_err(Error::io(&path))? {
                        0 => break,
                        length => hasher.update(&bytes[..length]),
                    }
                }
                if !seen.insert((of, hasher.finish())) {
                    continue;
                }
            }
            kept.push(part);
        }
        Ok(kept)
    }

    /// Notes that a conversation was read.
    pub fn mark_read(&mut self, beginning: &str) -> Result<()> {
        let known = self.known(beginning)?;
        let transaction = self.connection.transaction()?;
        transaction.execute("UPDATE message SET read = 1 WHERE conversation = ?1 AND read = 0", [known.n])?;
        transaction.execute("UPDATE conversation SET unread = 0 WHERE n = ?1", [known.n])?;
        transaction.commit()?;
        Ok(())
    }

    fn messages(&self, conversation: i64) -> Result<Vec<Message>> {
        let sql = "SELECT n, outgoing, day, length, doubt, read, sent, name FROM message WHERE conversation = ?1 ORDER BY n";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([conversation], |row| {
            let doubt: u8 = row.get(4)?;
            let heading = Heading {
                by_tool: false,
                counter: 0,
                what: What::Text,
                name: Vec::new(),
                media_type: String::new(),
                editor: String::new(),
            };
            Ok(Message {
                n: row.get(0)?,
                outgoing: row.get(1)?,
                day: row.get(2)?,
                length: row.get::<_, i64>(3)?.unsigned_abs(),
                doubtful: doubt == 1,
                again: doubt == 2,
                unread: !row.get::<_, bool>(5)?,
                sent: row.get(6)?,
                heading,
                text: None,
                name: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
