//! Replies: got from the drop, and believed only where an editor of the directory signed them.

use super::line::{Drop, REPLIES, Stop};
use daylight_envelope::{Newsroom, Reply, SourceKeys, open_reply};

/// The most replies that are read: more than any conversation has.
const MOST: usize = 10_000;

/// What a mailbox has.
#[derive(Default)]
pub struct Mail {
    /// Replies that an editor signed for this conversation, each once, in the order that the newsroom counted them.
    pub replies: Vec<Reply>,
    /// What else lay there: why each is not shown.
    pub refused: Vec<String>,
    /// How many are missing between those that are here. The newsroom or the drop may have deleted them, or the drop holds them back.
    pub missing: u64,
}

/// Gets the replies to a source. One that comes again, as it was or sealed anew, is shown once.
pub fn mailbox(drop: &Drop<'_>, keys: &SourceKeys, newsroom: &Newsroom, editors: &[[u8; 32]]) -> Result<Mail, Stop> {
    let mut mail = Mail::default();
    let mut seen = 0;
    loop {
        let bytes = drop.replies(keys.lookup, seen)?;
        let (sealed, more) = frame(&bytes).ok_or_else(|| Stop::Answer("its replies are not framed as replies are".into()))?;
        seen += sealed.len();
        for sealed in &sealed {
            match open_reply(&keys.reply, newsroom, editors, sealed) {
                Ok(reply) => mail.add(reply),
                Err(why) => mail.refused.push(why.to_string()),
            }
        }
        match more {
            0 => break,
            _ if sealed.is_empty() || seen >= MOST => return Err(Stop::Answer("it has replies without end".into())),
            _ => {}
        }
    }
    mail.replies.sort_by_key(|reply| reply.counter);
    let counters = mail.replies.iter().map(|reply| reply.counter);
    mail.missing = counters.clone().zip(counters.skip(1)).map(|(one, next)| next.saturating_sub(one).saturating_sub(1)).sum();
    Ok(mail)
}

impl Mail {
    fn add(&mut self, reply: Reply) {
        let same = |other: &Reply| (other.counter, other.editor, &other.body) == (reply.counter, reply.editor, &reply.body);
        if !self.replies.iter().any(same) {
            self.replies.push(reply);
        }
    }
}

/// The replies in a frame, and how many follow that are not in it.
fn frame(bytes: &[u8]) -> Option<(Vec<&[u8]>, u32)> {
    if bytes.len() != REPLIES {
        return None;
    }
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let (more, mut rest) = rest.split_first_chunk::<4>()?;
    let mut sealed = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (reply, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        sealed.push(reply);
        rest = after;
    }
    Some((sealed, u32::from_be_bytes(*more)))
}
