//! What a drop can put into a mailbox, and what of it is shown.

use super::sending::{Fake, patience};
use super::*;
use daylight_envelope::{Recipient, seal_reply};
use ed25519_dalek::Signer as _;

fn answer(to: &Recipient, newsroom: &Newsroom, counter: u64, text: &str, editor: u8) -> Vec<u8> {
    let key = SigningKey::from_bytes(&[editor; 32]);
    seal_reply(to, newsroom, counter, text, &key.verifying_key().to_bytes(), |message| key.sign(message).to_bytes()).unwrap()
}

fn frame(replies: &[Vec<u8>], more: u32) -> Option<Answered> {
    let mut body = [(replies.len() as u32).to_be_bytes(), more.to_be_bytes()].concat();
    replies.iter().for_each(|reply| body.extend([&(reply.len() as u32).to_be_bytes(), reply.as_slice()].concat()));
    body.resize(256 << 10, 0xa5);
    Some(Answered { status: 200, body })
}

fn read(frames: Vec<Option<Answered>>, keys: &SourceKeys, newsroom: &Newsroom) -> Result<Mail, Stop> {
    let line = Fake::default();
    line.answers.replace(frames);
    let editors = [1, 2].map(|editor| SigningKey::from_bytes(&[editor; 32]).verifying_key().to_bytes());
    mailbox(&Drop::new(&line, patience(1)), keys, newsroom, &editors)
}

#[test]
fn only_what_an_editor_signed_for_this_source_is_shown_and_once() {
    let newsroom = Newsroom([5; 32]);
    let (keys, other) = (source(&newsroom), source(&newsroom));
    let to = keys.reply.recipient();
    let first = answer(&to, &newsroom, 1, "Which wall?", 1);
    let replies = [
        first.clone(),
        answer(&to, &newsroom, 4, "The last one.", 2),
        // The drop shows one twice, seals it anew it cannot; another's, a forger's, another newsroom's, and rubbish.
        first.clone(),
        answer(&to, &newsroom, 1, "Which wall?", 1),
        answer(&other.reply.recipient(), &newsroom, 2, "for another", 1),
        answer(&to, &newsroom, 2, "Come to the bridge at nine.", 66),
        answer(&to, &Newsroom([6; 32]), 2, "from elsewhere", 1),
        b"rubbish".to_vec(),
    ];
    let mail = read(vec![frame(&replies[..3], 5), frame(&replies[3..], 0)], &keys, &newsroom).unwrap();
    let shown: Vec<(u64, &str)> = mail.replies.iter().map(|reply| (reply.counter, reply.body.as_str())).collect();
    assert_eq!(shown, [(1, "Which wall?"), (4, "The last one.")]);
    assert_eq!((mail.missing, mail.refused.len()), (2, 4));
    assert!(mail.refused.iter().any(|why| why.contains("no editor")) && mail.refused.iter().any(|why| why.contains("another newsroom")));
    let empty = read(vec![frame(&[], 0)], &keys, &newsroom).unwrap();
    assert!(empty.replies.is_empty() && empty.refused.is_empty());
}

#[test]
fn a_mailbox_that_lies_about_itself_is_no_mailbox() {
    let newsroom = Newsroom([5; 32]);
    let keys = source(&newsroom);
    let odd = |frame: Option<Answered>| matches!(read(vec![frame], &keys, &newsroom), Err(Stop::Answer(_)));
    assert!(odd(frame(&[], 7)), "more, and none of it");
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut answered = frame(&[vec![1; 100]], 0).unwrap();
        change(&mut answered.body);
        Some(answered)
    };
    assert!(odd(with(&|body| body.truncate(1000))), "another length");
    assert!(odd(with(&|body| body[8..12].fill(0xff))), "a reply that is longer than the frame");
    assert!(odd(with(&|body| body[..4].fill(0xff))), "more replies than fit");
    assert!(odd(Some(Answered { status: 404, body: Vec::new() })));
}
