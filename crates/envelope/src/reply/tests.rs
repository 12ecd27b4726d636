use super::*;
use ed25519_dalek::{Signer as _, SigningKey};

const HERE: Newsroom = Newsroom([5; 32]);

struct Editor(SigningKey);

impl Editor {
    fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    fn key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    fn answers(&self, to: &Recipient, newsroom: &Newsroom, counter: u64, body: &str) -> Vec<u8> {
        seal_reply(to, newsroom, counter, body, &self.key(), |message| self.0.sign(message).to_bytes()).unwrap()
    }
}

#[test]
fn a_source_reads_what_an_editor_wrote_and_its_length_says_little() {
    let (source, editor) = (Identity::generate().unwrap(), Editor::new(1));
    let known = [Editor::new(2).key(), editor.key()];
    let mut lengths = std::collections::BTreeSet::new();
    for length in [0, 1, 4_095, 4_096, 4_097, 20_000, 32_768] {
        let text = "ö".repeat(length / 2) + &"o".repeat(length % 2);
        let sealed = editor.answers(&source.recipient(), &HERE, 7, &text);
        assert_eq!(sealed.len() as u64, reply_length(length));
        lengths.insert(sealed.len());
        let reply = open_reply(&source, &HERE, &known, &sealed).ok().unwrap();
        assert!(*reply.body == text && reply.counter == 7 && reply.editor == editor.key());
    }
    assert_eq!(lengths.len(), 2);
    let long = "o".repeat(LONGEST_REPLY + 1);
    assert!(seal_reply(&source.recipient(), &HERE, 7, &long, &editor.key(), |_| [0; 64]).is_err());
}

#[test]
fn what_no_editor_of_this_newsroom_wrote_to_this_source_is_refused() {
    let (source, other, editor, stranger) = (Identity::generate().unwrap(), Identity::generate().unwrap(), Editor::new(1), Editor::new(2));
    let (to, known) = (source.recipient(), [editor.key()]);
    let refused = |sealed: &[u8]| open_reply(&source, &HERE, &known, sealed).err();
    assert!(refused(&editor.answers(&to, &HERE, 1, "yes")).is_none());
    assert!(matches!(refused(&stranger.answers(&to, &HERE, 1, "yes")), Some(ReplyError::UnknownEditor)));
    assert!(matches!(refused(&editor.answers(&to, &Newsroom([6; 32]), 1, "yes")), Some(ReplyError::OtherNewsroom)));
    assert!(matches!(refused(&editor.answers(&other.recipient(), &HERE, 1, "yes")), Some(ReplyError::File(OpenError::OtherKey))));
    // Signed with a stranger's key in the editor's name; and what the editor signed for another source, newsroom, counter or text, sealed to this one.
    let signed = |message: Vec<u8>| seal_reply(&to, &HERE, 1, "yes", &editor.key(), |_| editor.0.sign(&message).to_bytes()).unwrap();
    assert!(refused(&signed(super::signed(&to, &HERE, 1, "yes").to_vec())).is_none());
    let forged = seal_reply(&to, &HERE, 1, "yes", &editor.key(), |message| stranger.0.sign(message).to_bytes()).unwrap();
    let transplanted = [
        super::signed(&other.recipient(), &HERE, 1, "yes"),
        super::signed(&to, &Newsroom([6; 32]), 1, "yes"),
        super::signed(&to, &HERE, 2, "yes"),
        super::signed(&to, &HERE, 1, "no"),
    ];
    for sealed in transplanted.into_iter().map(|message| signed(message.to_vec())).chain([forged]) {
        assert!(matches!(refused(&sealed), Some(ReplyError::Forged)));
    }
}

#[test]
fn one_that_is_damaged_cut_off_or_odd_is_an_error() {
    let (source, editor) = (Identity::generate().unwrap(), Editor::new(1));
    let (to, known) = (source.recipient(), [editor.key()]);
    let sealed = editor.answers(&to, &HERE, 1, "yes");
    for at in 0..sealed.len() {
        assert!(at % 17 != 0 || open_reply(&source, &HERE, &known, &sealed[..at]).is_err(), "cut at {at}");
        if at % 13 == 0 {
            let mut changed = sealed.clone();
            changed[at] ^= 4;
            assert!(open_reply(&source, &HERE, &known, &changed).is_err(), "a bit flipped at {at}");
        }
    }
    assert!(open_reply(&source, &HERE, &known, &[sealed.as_slice(), b"\0"].concat()).is_err());
    assert!(matches!(open_reply(&source, &HERE, &known, &vec![b'a'; 100_000]), Err(ReplyError::Malformed(_))));
    let odd = |plain: &[u8]| {
        let mut stream = hybrid::seal(std::slice::from_ref(&to), 1, Vec::new()).unwrap();
        stream.write_all(plain).unwrap();
        open_reply(&source, &HERE, &known, &stream.finish().unwrap()).err().map(|error| error.to_string())
    };
    let head = [FORMAT, &HERE.0, &[0; 8], &editor.key(), &[0; 64]].concat();
    for plain in [Vec::new(), FORMAT.to_vec(), head.clone(), [head.as_slice(), &[0; 8]].concat(), [head.as_slice(), &[255; 4_104]].concat()]
    {
        assert!(odd(&plain).unwrap().contains("version 1"));
    }
}
