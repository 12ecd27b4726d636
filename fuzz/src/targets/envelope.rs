//! Envelopes and replies, layer by layer: one stanza with its key exchange, which takes a thousand times as long as the rest, and the rest in files whose key is known.

use daylight_envelope::fuzzing::{self, STANZA, Stanzas};
use daylight_envelope::{Authenticated, ConversationKey, Finished, Head, Identity, Kind, Newsroom, SealedBy};
use std::io::Read;
use std::sync::OnceLock;
use zeroize::Zeroizing;

const NEWSROOM: Newsroom = Newsroom([5; 32]);
/// More than this is not sealed for one input: two chunks and a little.
const LONGEST: usize = 140 << 10;

fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::from_seed(Zeroizing::new([1; 32])))
}

/// The public key of the identity, from which it is made slowly.
fn recipient() -> &'static daylight_envelope::Recipient {
    static RECIPIENT: OnceLock<daylight_envelope::Recipient> = OnceLock::new();
    RECIPIENT.get_or_init(|| identity().recipient())
}

/// What an input says is to be done to some bytes: operations of four bytes, of which the first says what, two where, and one with what. Gives whether anything is another than it was.
fn edit(bytes: &mut Vec<u8>, edits: &[u8]) -> bool {
    let before = bytes.clone();
    for edit in edits.chunks_exact(4).take(16) {
        let (stride, with) = (if edit[0] & 8 == 0 { 1 } else { 5 }, edit[3]);
        let at = usize::from(u16::from_be_bytes([edit[1], edit[2]])) * stride % (bytes.len() + 1);
        match edit[0] % 6 {
            0 if at < bytes.len() => bytes[at] ^= with,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, with),
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 => bytes.extend(std::iter::repeat_n(with, usize::from(with) + 1)),
            // A chunk and its tag, put elsewhere.
            5 => bytes.rotate_left(at),
            _ => {}
        }
    }
    *bytes != before
}

/// A stanza and its key exchange.
pub fn stanza(data: &[u8]) {
    static STANZAS: OnceLock<Stanzas> = OnceLock::new();
    let stanzas = STANZAS.get_or_init(|| Stanzas::new(identity()));
    let Some((how, data)) = data.split_first() else { return };
    let (encapsulated, body) = stanzas.sealed();
    let (mut encapsulated, mut body) = (encapsulated.to_vec(), body.to_vec());
    match how % 4 {
        // As it was written, in whatever text.
        0 => {
            let text = String::from_utf8_lossy(data);
            let mut words = text.split(' ').map(str::to_owned);
            let (tag, args) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
            assert!(stanzas.opens_as(&tag, &args, &body, 1).is_none(), "nobody guesses a key");
        }
        1 => {
            let (edits, of_body) = data.split_at(data.len() / 2);
            let changed = edit(&mut encapsulated, edits) | edit(&mut body, of_body);
            let opened = stanzas.opens(&encapsulated, &body, 1);
            assert_eq!(opened, (!changed).then(|| stanzas.key()));
        }
        2 => {
            data.iter().zip(&mut encapsulated).for_each(|(given, here)| *here = *given);
            assert!(data.is_empty() || encapsulated == stanzas.sealed().0 || stanzas.opens(&encapsulated, &body, 1).is_none());
        }
        // Only as many as there are.
        _ => {
            let times = usize::from(*how / 4 % 4);
            let opened = stanzas.opens(&encapsulated, &body, times);
            assert_eq!(opened.is_some(), times == 1);
        }
    }
}

fn read(file: &[u8]) -> Result<Vec<u8>, ()> {
    let mut opener = fuzzing::open(file).map_err(|_| ())?;
    let mut plain = Vec::new();
    let read = opener.read_to_end(&mut plain);
    assert_eq!(opener.length(), plain.len() as u64);
    // An error stays one.
    assert_eq!(read.is_err(), opener.read(&mut [0; 1]).is_err());
    read.map(|_| plain).map_err(|_| ())
}

/// The file around everything: header and chunks.
pub fn sealed(data: &[u8]) {
    let [how, data @ ..] = data else { return };
    match how % 4 {
        0 => drop(read(data)),
        1 => {
            // Stanzas of any form, under a MAC that is right.
            let lines = String::from_utf8_lossy(data);
            if let Ok(plain) = read(&fuzzing::file(&lines, b"x")) {
                assert!(plain == b"x" && lines.contains("-> known"));
            }
        }
        _ => {
            let [length, rest @ ..] = data else { return };
            // Around the length of a chunk, mostly not so long.
            let length = match length % 8 {
                0 => (64 << 10) - 2 + usize::from(length / 8),
                1 => (128 << 10) - 2 + usize::from(length / 8),
                _ => usize::from(*length),
            };
            let plain: Vec<u8> = (0..length.min(LONGEST)).map(|at| (at ^ at >> 8) as u8).collect();
            let mut file = fuzzing::file(STANZA, &plain);
            let changed = edit(&mut file, rest);
            assert_eq!(read(&file), if changed { Err(()) } else { Ok(plain) }, "what was changed is never read");
        }
    }
}

fn head(how: u8) -> Head {
    let file = how & 1 == 1;
    Head {
        newsroom: NEWSROOM,
        epoch: 20_785,
        conversation: ConversationKey::new(Zeroizing::new([3; 32])),
        reply: recipient().clone(),
        sealed_by: if how & 2 == 0 { SealedBy::Page } else { SealedBy::Tool },
        counter: 7,
        kind: if file { Kind::File { file: [9; 16], part: 3, last: how & 4 == 0 } } else { Kind::Text },
        name: if file { b"a.txt".to_vec() } else { Vec::new() },
        media_type: if file { "text/plain".to_owned() } else { String::new() },
        first: how & 8 == 0,
    }
}

fn opened(plain: &[u8]) -> Option<(Head, Vec<u8>, Finished)> {
    let file = fuzzing::file(STANZA, plain);
    let submission = fuzzing::open_submission(&NEWSROOM, &file).ok()?;
    let head = submission.head().clone();
    let mut body = Vec::new();
    let finished = submission.copy_to(&mut body, None).ok()?;
    assert_eq!(finished.length, body.len() as u64);
    assert!(body.len() < plain.len());
    Some((head, body, finished))
}

/// What is sealed for a newsroom: head, body, zeros and the end.
pub fn submission(data: &[u8]) {
    let [how, data @ ..] = data else { return };
    let head = head(how >> 2);
    match how % 4 {
        0 => drop(opened(data)),
        1 => {
            let (read, body, finished) = opened(&fuzzing::plain_submission(&head, data)).expect("as it is written");
            assert!(read == head && body == data);
            assert_eq!(finished.authenticated, if head.first { Authenticated::First } else { Authenticated::Yes });
        }
        2 => {
            let mut plain = fuzzing::plain_submission(&head, b"");
            plain.truncate(2048);
            plain.extend_from_slice(data);
            drop(opened(&plain));
        }
        _ => {
            let (edits, body) = data.split_at(data.len().min(32));
            let mut plain = fuzzing::plain_submission(&head, body);
            if edit(&mut plain, edits)
                && let Some((read, _, finished)) = opened(&plain)
            {
                // Whoever has not the conversation's key changes no later message, whatever it is.
                assert!(read.first || read.conversation != head.conversation || finished.authenticated != Authenticated::Yes);
            }
        }
    }
}

/// What a newsroom answers, before its signature is looked at and while it is.
pub fn reply(data: &[u8]) {
    let [how, data @ ..] = data else { return };
    let editor = [0x58; 32];
    let mut plain = Vec::new();
    if how % 3 > 0 {
        plain.extend_from_slice(b"daylight-reply/v1\n");
        plain.extend_from_slice(&NEWSROOM.0);
        plain.extend_from_slice(&[0; 8]);
        plain.extend_from_slice(&editor);
    }
    plain.extend_from_slice(data);
    if how % 3 == 2 {
        // Filled up as replies are, after a signature.
        let begins = 18 + 32 + 8 + 32 + 64;
        let body = plain.len().saturating_sub(begins).min(32 << 10);
        let size = if body <= 4 << 10 { 4 << 10 } else { 32 << 10 };
        plain.resize(begins + size, 0);
        plain.extend_from_slice(&(body as u64).to_be_bytes());
    }
    assert!(fuzzing::read_reply(recipient(), &NEWSROOM, &[editor], &plain).is_err(), "nobody signed it");
}
