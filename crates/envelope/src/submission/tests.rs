use super::*;
use crate::{Codename, Identity, SourceKeys};
use std::io::Write as _;

mod attacks;

const HERE: Newsroom = Newsroom([5; 32]);
const FILE: Kind = Kind::File { file: [9; 16], part: 3, last: true };

fn source() -> SourceKeys {
    Codename::generate().unwrap().keys(&HERE)
}

fn head(source: &SourceKeys, kind: Kind, first: bool) -> Head {
    let file = kind != Kind::Text;
    Head {
        newsroom: HERE,
        epoch: 20_785,
        conversation: source.conversation.clone(),
        reply: source.reply.recipient(),
        sealed_by: SealedBy::Tool,
        counter: u64::MAX - 1,
        kind,
        name: if file { b"../ledger\x00\xff\n.pdf".to_vec() } else { Vec::new() },
        media_type: if file { "application/pdf".to_owned() } else { String::new() },
        first,
    }
}

fn sealed(head: &Head, to: &[Recipient], body: &[u8]) -> Vec<u8> {
    let mut sealer = seal_submission(head, to, Vec::new()).unwrap();
    // In pieces, as a page's upload arrives.
    body.chunks(1_000).for_each(|piece| sealer.write_all(piece).unwrap());
    assert_eq!(sealer.length(), body.len() as u64);
    sealer.finish().unwrap()
}

fn opened(identity: &Identity, envelope: &[u8], known: Option<&ConversationKey>) -> Result<(Head, Vec<u8>, Finished), String> {
    let submission = open_submission(&[identity], &HERE, envelope).map_err(|error| error.to_string())?;
    let (head, mut body) = (submission.head().clone(), Vec::new());
    let finished = submission.copy_to(&mut body, known).map_err(|error| error.to_string())?;
    Ok((head, body, finished))
}

#[test]
fn what_was_sealed_is_opened_by_every_recipient_and_its_length_is_only_the_paddings() {
    let source = source();
    let identities: Vec<Identity> = (0..STANZAS).map(|_| Identity::generate().unwrap()).collect();
    let recipients: Vec<Recipient> = identities.iter().map(Identity::recipient).collect();
    for (kind, length) in [(Kind::Text, 0), (Kind::Text, 4_096), (Kind::Text, 131_072), (FILE, 0), (FILE, 5_000), (FILE, 300_001)] {
        // Zeros at the end of a body are of the body.
        for body in [vec![0; length], (0..length).map(|at| (at ^ at >> 8) as u8).collect()] {
            for (count, first) in [(1, true), (STANZAS, false)] {
                let head = head(&source, kind, first);
                let envelope = sealed(&head, &recipients[..count], &body);
                assert_eq!(envelope.len() as u64, envelope_length(length as u64, &kind), "{kind:?} {length}");
                for identity in [&identities[0], &identities[count - 1]] {
                    let (read, contents, finished) = opened(identity, &envelope, Some(&source.conversation)).unwrap();
                    assert!(read == head && contents == body, "{kind:?} {length}");
                    let authenticated = if first { Authenticated::First } else { Authenticated::Yes };
                    assert_eq!(finished, Finished { length: length as u64, sha256: Digest::of(&body), authenticated });
                }
                let other = if count == 1 { &identities[1] } else { &Identity::generate().unwrap() };
                assert!(opened(other, &envelope, None).err().unwrap().contains("does not open it"));
            }
        }
    }
}

#[test]
fn nothing_but_the_padded_size_shows_in_the_length() {
    let (source, identity) = (source(), Identity::generate().unwrap());
    let to = vec![identity.recipient(); STANZAS];
    let mut lengths = std::collections::BTreeSet::new();
    for turn in 0..40_usize {
        let mut head = head(&source, FILE, turn % 2 == 0);
        head.name = vec![b'n'; turn * 12];
        head.media_type = "t".repeat(turn * 3);
        (head.epoch, head.counter) = (turn as u32, turn as u64);
        lengths.insert(sealed(&head, &to[..turn % STANZAS + 1], &vec![b'x'; 40_960 - turn * 50]).len());
    }
    assert_eq!(lengths.len(), 1, "{lengths:?}");
    let notes: Vec<u64> = (0..=LONGEST_TEXT).map(|length| envelope_length(length, &Kind::Text)).collect();
    assert_eq!(notes.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    assert_eq!(envelope_length(17, &Kind::Text), envelope_length(4_000, &FILE), "a short text and a small file are alike");
    assert!(envelope_length(u64::MAX, &FILE) > 1 << 50);
}

#[test]
fn what_cannot_be_sealed_is_said_before_anything_is() {
    let (source, to) = (source(), [Identity::generate().unwrap().recipient()]);
    let mut long = head(&source, FILE, true);
    long.name = vec![b'n'; LONGEST_NAME + 1];
    let mut odd = head(&source, FILE, true);
    odd.media_type = "text/plain\r\nx: y".to_owned();
    for head in [long, odd] {
        assert_eq!(seal_submission(&head, &to, Vec::new()).err().unwrap().kind(), io::ErrorKind::InvalidInput);
    }
    let mut text = seal_submission(&head(&source, Kind::Text, true), &to, Vec::new()).unwrap();
    text.write_all(&vec![b'x'; LONGEST_TEXT as usize]).unwrap();
    assert!(text.write_all(b"x").unwrap_err().to_string().contains("send it as a file"));
    assert!(seal_submission(&head(&source, FILE, true), &[], Vec::new()).is_err());
    assert!(seal_submission(&head(&source, FILE, true), &vec![to[0].clone(); 17], Vec::new()).is_err());
}

#[test]
fn a_message_is_its_sources_only_with_the_conversations_key() {
    let (source, stranger, identity) = (source(), source(), Identity::generate().unwrap());
    let to = [identity.recipient()];
    let whose = |head: &Head, known| opened(&identity, &sealed(head, &to, b"it is me"), known).unwrap().2.authenticated;
    let later = head(&source, Kind::Text, false);
    let known = Some(&source.conversation);
    assert_eq!(whose(&later, known), Authenticated::Yes);
    assert_eq!(whose(&later, None), Authenticated::Yes, "by the key that it names itself");
    // Somebody who knows the drop, and so the lookup id, but not the codename.
    assert_eq!(whose(&head(&stranger, Kind::Text, false), known), Authenticated::No);
    assert_eq!(whose(&head(&stranger, Kind::Text, true), known), Authenticated::No);
    assert_eq!(whose(&head(&stranger, Kind::Text, true), None), Authenticated::First);
    // The right key named, by somebody who opened an earlier message, is the source to everybody: the key is what makes it so.
    assert_eq!(whose(&head(&source, Kind::Text, true), known), Authenticated::First);
}
