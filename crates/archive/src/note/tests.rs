use super::*;
use crate::tests::{editor, signer};

const TEXT: &str = "one\n\ntwo\n";

fn keys() -> Vec<Key> {
    (1..=3).map(|i| editor(i).key()).collect()
}

fn signed_by(signers: &[Signer]) -> Note {
    let mut note = Note::new(TEXT).unwrap();
    signers.iter().for_each(|signer| note.sign(signer));
    note
}

#[test]
fn a_note_is_written_and_read_as_go_and_the_cross_check_crate_do() {
    // The example of c2sp.org/signed-note and Go's package documentation.
    let example = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                   — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let signer = Signer::from_text("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").unwrap();
    assert_eq!(signer.key().to_string(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    let note = Note::parse(example.as_bytes()).unwrap();
    assert_eq!(note.require(&[signer.key()], 1).unwrap().len(), 1);
    let mut ours = Note::new(note.text()).unwrap();
    ours.sign(&signer);
    assert_eq!(ours.to_bytes(), example.as_bytes());

    let theirs = signed_note::StandardVerifier::new(&signer.key().to_string()).unwrap();
    let verifiers = signed_note::VerifierList::new(vec![Box::new(theirs)]);
    let (verified, unverified) = signed_note::Note::from_bytes(&ours.to_bytes()).unwrap().verify(&verifiers).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    let their_signer = signed_note::StandardSigner::new(&signer.to_text()).unwrap();
    let mut their_note = signed_note::Note::new(TEXT.as_bytes(), &[]).unwrap();
    their_note.add_sigs(&[&their_signer]).unwrap();
    assert_eq!(their_note.to_bytes(), signed_by(&[signer]).to_bytes());
}

#[test]
fn keys_have_one_text_form() {
    let key = editor(1).key();
    let text = key.to_string();
    assert_eq!(text.parse::<Key>().unwrap(), key);
    let (name, rest) = text.split_once('+').unwrap();
    let (id, bytes) = rest.split_once('+').unwrap();
    let identity = STANDARD.encode([&[1u8, 1][..], &[0; 31]].concat());
    let wrong = [
        format!("other+{id}+{bytes}"),
        format!("{name}+00000000+{bytes}"),
        format!("{name}+{id}+{bytes}="),
        format!("{name}+{}+{bytes}", id.to_uppercase()),
        format!("{name}+{id}+{bytes}\n"),
        format!("a b+{id}+{bytes}"),
        format!("{name}+{id}+{identity}"),
        String::new(),
    ];
    for wrong in &wrong {
        assert!(wrong.parse::<Key>().is_err(), "{wrong}");
    }
    assert_ne!(editor(1).cosigner_key().id(), key.id());
    assert_eq!(editor(1).cosigner_key().to_string().parse::<Key>().unwrap(), editor(1).cosigner_key());
    assert_eq!(Signer::from_text(&editor(1).to_text()).unwrap().key(), key);
    assert!(!format!("{:?}", editor(1)).contains("PRIVATE"));
}

#[test]
fn distinct_public_keys_are_counted_never_lines_and_never_names() {
    let twice = signed_by(&[editor(1), editor(1)]);
    assert_eq!(twice.signatures().len(), 1);
    let line = twice.signatures()[0].clone();
    let doubled = Note { signatures: vec![line.clone(), line], ..twice };
    assert_eq!(doubled.require(&keys(), 2), Err(NoteError::TooFew { found: 1, needed: 2 }), "the same signature twice");
    assert_eq!(doubled.refuse_stray(&keys()), Err(NoteError::Stray("editor1.example".into())));

    let alias = signer("alias.example", 11);
    assert_eq!(alias.key().public(), editor(1).key().public());
    let known = [keys(), vec![alias.key()]].concat();
    assert_eq!(
        signed_by(&[editor(1), alias]).require(&known, 2),
        Err(NoteError::TooFew { found: 1, needed: 2 }),
        "one key under two names"
    );
    assert_eq!(signed_by(&[editor(1), editor(3)]).require(&keys(), 2).unwrap().len(), 2);
    assert_eq!(signed_by(&[editor(1)]).require(&[], 0), Err(NoteError::TooFew { found: 0, needed: 0 }), "nobody is never enough");
}

#[test]
fn unknown_keys_are_ignored_and_a_wrong_signature_of_a_known_key_rejects_the_note() {
    let mut note = signed_by(&[editor(1), editor(9)]);
    assert_eq!(note.require(&keys(), 1).unwrap(), [Signed { key: 0, time: None }]);
    assert_eq!(note.refuse_stray(&keys()), Err(NoteError::Stray("editor9.example".into())));
    let mut wrong = signed_by(&[editor(2)]).signatures()[0].clone();
    wrong.bytes[0] ^= 1;
    note.add_signature(wrong);
    assert_eq!(note.require(&keys(), 1), Err(NoteError::Wrong("editor2.example".into())));
    let moved = Note { text: "other\n".into(), ..signed_by(&[editor(1)]) };
    assert_eq!(moved.require(&keys(), 1), Err(NoteError::Wrong("editor1.example".into())));
}

#[test]
fn a_cosignature_states_its_time_and_counts_under_its_own_id_alone() {
    let witness = signer("witness.example", 77);
    let mut note = signed_by(&[editor(1)]);
    note.cosign(&witness, 1_679_315_147);
    note.cosign(&witness, 1_679_315_148);
    let read = Note::parse(&note.to_bytes()).unwrap();
    assert_eq!(read.signatures().len(), 2, "a newer cosignature replaces the older one");
    assert_eq!(read.require(&[witness.cosigner_key()], 1).unwrap(), [Signed { key: 0, time: Some(1_679_315_148) }]);
    assert_eq!(read.signatures()[1].bytes.len(), 72);
    assert_eq!(read.require(&[witness.key()], 1), Err(NoteError::TooFew { found: 0, needed: 1 }));
    let mut late = read.clone();
    late.signatures[1].bytes[7] ^= 1;
    assert!(matches!(late.require(&[witness.cosigner_key()], 1), Err(NoteError::Wrong(_))), "its time is signed");
}

#[test]
fn what_is_not_exactly_a_note_is_refused() {
    let good = String::from_utf8(signed_by(&[editor(1)]).to_bytes()).unwrap();
    assert!(Note::parse(good.as_bytes()).is_ok());
    let (text, line) = good.rsplit_once("\n\n").unwrap();
    let base64 = line.trim_end().rsplit_once(' ').unwrap().1;
    let wrong = [
        format!("{text}\n{line}"),
        format!("{text}\n\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        good.replace('—', "-"),
        good.replace("— ", "—  "),
        good.replace("one", "one\r"),
        good.replace("one", "o\tne"),
        good.replace("editor1.example", "editor1+example"),
        good.replace("editor1.example", "editor1\u{a0}example"),
        good.replace(base64, base64.trim_end_matches('=')),
        good.replace("\n— ", "\n\r— "),
        format!("{good}{}", line.repeat(100)),
        format!("\n\n{line}").replace("\n\n", "\n"),
    ];
    for wrong in &wrong {
        assert!(Note::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
    }
    assert!(Note::parse(&[good.as_bytes(), b"\xff"].concat()).is_err());
    assert!(Note::new("no newline").is_err() && Note::new("a\0\n").is_err());
}
