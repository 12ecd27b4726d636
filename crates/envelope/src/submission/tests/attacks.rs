//! What the drop, or whoever sits between, can do to an envelope; and what a sender can who does not keep to the format.

use super::*;
use crate::hybrid;

const CHUNK: usize = (64 << 10) + 16;

/// Two envelopes of the same length to the same reader.
struct Two {
    identity: Identity,
    one: Vec<u8>,
    other: Vec<u8>,
}

fn two(length: usize) -> Two {
    let (source, identity) = (source(), Identity::generate().unwrap());
    let head = head(&source, FILE, false);
    let envelope = |byte| sealed(&head, &[identity.recipient()], &vec![byte; length]);
    let (one, other) = (envelope(b'1'), envelope(b'2'));
    Two { identity, one, other }
}

/// Where the first chunk begins.
fn payload() -> usize {
    (envelope_length(0, &FILE) - (2_048 + 4_096 + 40) - 16) as usize
}

impl Two {
    fn refused(&self, envelope: &[u8], what: &str) {
        let said = opened(&self.identity, envelope, None).err();
        assert!(said.is_some(), "{what} was opened");
    }
}

#[test]
fn cut_off_anywhere_it_is_an_error() {
    let two = two(200_000);
    let edges = (0..4).map(|chunk| payload() + chunk * CHUNK).flat_map(|edge| [edge - 1, edge, edge + 1, edge + 16, edge + 17]);
    for cut in (0..payload()).step_by(997).chain(edges).chain([two.one.len() - 1]).filter(|cut| *cut < two.one.len()) {
        two.refused(&two.one[..cut], &format!("an envelope of {} bytes cut at {cut}", two.one.len()));
    }
    two.refused(&[two.one.as_slice(), b"\0"].concat(), "a byte more");
    two.refused(&[two.one.as_slice(), &two.one[payload()..]].concat(), "its chunks twice");
}

#[test]
fn no_bit_of_it_can_be_changed() {
    let two = two(10);
    for at in (0..two.one.len()).step_by(211).chain(0..24).chain(payload() - 20..payload() + 20) {
        let mut changed = two.one.clone();
        changed[at] ^= 1 << (at % 8);
        two.refused(&changed, &format!("one with a bit flipped at {at}"));
    }
}

#[test]
fn chunks_cannot_be_reordered_or_spliced() {
    let two = two(300_000);
    let (begin, chunk) = (payload(), |at: usize| payload() + at * CHUNK..payload() + (at + 1) * CHUNK);
    let mut reordered = two.one.clone();
    reordered[chunk(1)].copy_from_slice(&two.one[chunk(2)]);
    reordered[chunk(2)].copy_from_slice(&two.one[chunk(1)]);
    two.refused(&reordered, "one with two chunks exchanged");
    let mut left_out = two.one.clone();
    left_out.drain(chunk(1));
    two.refused(&left_out, "one without its second chunk");
    let mut spliced = two.one.clone();
    spliced[chunk(1)].copy_from_slice(&two.other[chunk(1)]);
    two.refused(&spliced, "one with a chunk of another's");
    two.refused(&[&two.one[..begin], &two.other[begin..]].concat(), "one's header with another's chunks");
    two.refused(&[&two.one[..begin - 16], &two.other[begin - 16..]].concat(), "one's header with another's nonce and chunks");
}

#[test]
fn stanzas_cannot_be_swapped_added_or_left_out() {
    let two = two(10);
    let stanzas = |envelope: &[u8]| -> Vec<String> {
        let header = String::from_utf8(envelope[..payload() - 16].to_vec()).unwrap();
        let begins: Vec<usize> = header.match_indices("-> ").map(|(at, _)| at).chain([header.find("---").unwrap(), header.len()]).collect();
        begins.windows(2).map(|pair| header[pair[0]..pair[1]].to_owned()).collect()
    };
    let with = |stanzas: &[String]| [b"age-encryption.org/v1\n", stanzas.concat().as_bytes(), &two.one[payload() - 16..]].concat();
    let (own, others) = (stanzas(&two.one), stanzas(&two.other));
    assert_eq!((own.len(), with(&own) == two.one), (STANZAS + 1, true));
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut stanzas = own.clone();
        change(&mut stanzas);
        with(&stanzas)
    };
    two.refused(&changed(&|stanzas| stanzas.swap(0, 15)), "one with two stanzas exchanged");
    two.refused(&changed(&|stanzas| drop(stanzas.remove(7))), "one with a stanza less");
    two.refused(&changed(&|stanzas| stanzas.insert(0, others[0].clone())), "one with a stanza more");
    two.refused(&changed(&|stanzas| stanzas[3] = others[3].clone()), "one with a stanza of another's");
    two.refused(&changed(&|stanzas| stanzas.insert(0, "-> grease\n\n".to_owned())), "one with a stanza of another kind");
    two.refused(&changed(&|stanzas| stanzas[..16].clone_from_slice(&others[..16])), "one with all of another's stanzas");
}

#[test]
fn one_for_another_newsroom_is_not_opened_here() {
    let (source, identity) = (source(), Identity::generate().unwrap());
    let mut head = head(&source, Kind::Text, true);
    head.newsroom = Newsroom([6; 32]);
    let envelope = sealed(&head, &[identity.recipient()], b"for them");
    assert!(matches!(open_submission(&[&identity], &HERE, envelope.as_slice()), Err(SubmissionError::OtherNewsroom)));
}

#[test]
fn a_sender_who_does_not_keep_to_the_format_is_refused() {
    let (source, identity) = (source(), Identity::generate().unwrap());
    let head = head(&source, Kind::Text, true).to_bytes().unwrap();
    let refused = |plain: &[u8]| {
        let mut stream = hybrid::seal(&[identity.recipient()], STANZAS, Vec::new()).unwrap();
        stream.write_all(plain).unwrap();
        opened(&identity, &stream.finish().unwrap(), None).err()
    };
    let body = |zeros: usize, end: [u8; 40]| [head.as_slice(), b"text", &vec![0; zeros], &end].concat();
    let end = |mac: u8, length: u64| -> [u8; 40] { [[mac; 32].as_slice(), &length.to_be_bytes()].concat().try_into().unwrap() };
    assert_eq!(refused(&body(4_092, end(0, 4))), None, "the right one");
    for (what, plain) in [
        ("nothing", Vec::new()),
        ("a head alone", head.to_vec()),
        ("no end", [head.as_slice(), &[0; 39]].concat()),
        ("a length before the body's end", body(4_092, end(0, 3))),
        ("a length beyond the zeros", body(4_092, end(0, 5_000))),
        ("a length beyond everything", body(4_092, end(0, u64::MAX))),
        ("less padding", body(4_091, end(0, 4))),
        ("padding of another text", body(32_764, end(0, 4))),
        ("an HMAC in a first message", body(4_092, end(1, 4))),
    ] {
        assert!(refused(&plain).is_some_and(|said| said.contains("version 1")), "{what}");
    }
    // Of a text's head: its first line, and all from its flags on. Other values are another form of it, or none.
    for at in (0..23).chain(1_315..2_048).filter(|at| at % 5 == 0) {
        let mut plain = body(4_092, end(0, 4));
        plain[at] = plain[at].wrapping_add(2);
        assert!(refused(&plain).is_some(), "a head with another byte {at}");
    }
}
