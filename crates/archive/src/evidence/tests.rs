use super::*;
use crate::Outline;
use crate::entry::{Entry, Logged};
use crate::heartbeat::HeartbeatNote;
use crate::log::consistency_of;
use crate::tests::{TestArchive, document, editor, log_key, root, signed};

/// Two words are two times, so that notes with them differ.
fn heartbeat(archive: &mut TestArchive, serial: u64, word: &str) {
    let root = Digest::of(&archive.read("root/1.json"));
    let time = 1_700_000_000 + i64::from(word.as_bytes()[0]);
    let note = HeartbeatNote { origin: crate::tests::ORIGIN.into(), serial, root, time };
    let bytes = signed(note.note().unwrap(), &[editor(1)]);
    archive.write(&crate::paths::entry_note(serial), &bytes);
    archive.log(&Entry::Heartbeat(Logged { serial, note: Digest::of(&bytes) }));
}

/// Two archives of one publisher that part after the first release, the second of which has more entries.
fn split(more: u64) -> (TestArchive, TestArchive) {
    let [mut one, mut other] = ["one", "other"].map(|word| {
        let mut archive = TestArchive::new();
        archive.publish("town", &[document(1)]);
        heartbeat(&mut archive, 1, word);
        archive
    });
    heartbeat(&mut one, 2, "more");
    (2..2 + more).for_each(|serial| heartbeat(&mut other, serial, "other"));
    (one, other)
}

fn evidence(one: &TestArchive, other: &TestArchive) -> Evidence {
    let larger = Outline::read(&other.dir().to_path_buf(), "checkpoint").unwrap();
    let smaller = Outline::read(&one.dir().to_path_buf(), "checkpoint").unwrap();
    let size = smaller.checkpoint().size;
    let prefix = (size < larger.checkpoint().size).then(|| (larger.root_at(size).unwrap(), consistency_of(larger.leaves(), size).unwrap()));
    Evidence {
        roots: vec![(one.read("root/1.json"), one.read("root/1.sig"))],
        smaller: one.read("checkpoint"),
        larger: other.read("checkpoint"),
        prefix,
    }
}

#[test]
fn two_checkpoints_that_cannot_both_be_true_are_shown_to_be_so() {
    for more in [1, 2, 300] {
        let (one, other) = split(more);
        let evidence = evidence(&one, &other);
        let read = Evidence::parse(&evidence.to_bytes().unwrap()).unwrap();
        assert_eq!(read, evidence);
        let shown = read.check(Some(&one.read("root/1.json"))).unwrap();
        assert_eq!((shown.anchored, shown.size, shown.origin.as_str()), (true, 4, crate::tests::ORIGIN));
        assert_ne!(shown.one, shown.other);
        assert!(!read.check(None).unwrap().anchored);
        assert!(matches!(read.check(Some(&root(1, &[7], 1).to_json().unwrap())), Err(EvidenceError::NotAnchored)));
    }
}

#[test]
fn nobody_is_accused_by_what_shows_nothing() {
    let (one, other) = split(5);
    let fork = evidence(&one, &other);
    let itself = Evidence { larger: fork.smaller.clone(), prefix: None, ..fork.clone() };
    assert!(matches!(itself.check(None), Err(EvidenceError::NoContradiction)));
    let mut grown = TestArchive::new();
    grown.publish("town", &[document(1)]);
    let before = grown.read("checkpoint");
    grown.publish("town", &[document(2)]);
    let outline = Outline::read(&grown.dir().to_path_buf(), "checkpoint").unwrap();
    let honest = Evidence {
        roots: fork.roots.clone(),
        smaller: before,
        larger: grown.read("checkpoint"),
        prefix: Some((outline.root_at(2).unwrap(), consistency_of(outline.leaves(), 2).unwrap())),
    };
    assert!(matches!(honest.check(None), Err(EvidenceError::NoContradiction)));
    let made_up = Evidence { prefix: Some((Digest::of(b"x"), consistency_of(outline.leaves(), 2).unwrap())), ..honest.clone() };
    assert!(matches!(made_up.check(None), Err(EvidenceError::Path(_))));
    assert!(matches!(Evidence { prefix: None, ..fork.clone() }.check(None), Err(EvidenceError::Unshown)));
    let swapped = Evidence { smaller: fork.larger.clone(), larger: fork.smaller.clone(), ..fork.clone() };
    assert!(swapped.check(None).is_err());
    let strangers = Checkpoint { origin: crate::tests::ORIGIN.into(), size: 4, root: Digest::of(b"x") };
    let stranger = crate::Signer::new(crate::tests::ORIGIN, ed25519_dalek::SigningKey::from_bytes(&[77; 32])).unwrap();
    let forged = Evidence { smaller: strangers.sign(&stranger).unwrap().to_bytes(), ..fork.clone() };
    assert!(matches!(forged.check(None), Err(EvidenceError::Checkpoint("smaller", _))));
    let empty = Evidence { roots: vec![], ..fork };
    assert!(matches!(empty.check(None), Err(EvidenceError::Part(_))));
    let _ = log_key();
}

#[test]
fn evidence_with_any_byte_changed_is_never_taken_for_more() {
    let (one, other) = split(5);
    let evidence = evidence(&one, &other);
    let (bytes, shown) = (evidence.to_bytes().unwrap(), evidence.check(None).unwrap());
    let mut seed = 5u32;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        changed[at] ^= (seed >> 24) as u8 | 1;
        if let Ok(found) = Evidence::parse(&changed).and_then(|evidence| evidence.check(None)) {
            assert_eq!(found, shown, "byte {at}");
        }
        let _ = Evidence::parse(&bytes[..at]).and_then(|evidence| evidence.check(None));
    }
}
