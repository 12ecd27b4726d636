use super::*;
use crate::archive::{Archive, Since, SinceError};
use crate::root::Retired;
use crate::tests::{TestArchive, document, editor, root};
use crate::withdraw::Copies;

/// Three releases; between the second and the third, editor 1 was replaced.
fn archive() -> TestArchive {
    let mut archive = TestArchive::with_root(root(1, &[1, 2, 3], 2), vec![editor(1), editor(2)]);
    let mut crowded = document(3);
    crowded.people = 1_000;
    archive.publish("town", &[document(1), document(2), crowded]);
    archive.publish("town", &(4..=700).map(document).collect::<Vec<_>>());
    let next = Root { retired: vec![Retired { key: editor(1).key(), size: 3 }], ..root(2, &[2, 3, 4], 2) };
    archive.enact(next, &[editor(2), editor(3)]);
    archive.editors = vec![editor(3), editor(4)];
    archive.publish("town", &[document(701)]);
    archive
}

use crate::root::Root;

#[test]
fn a_document_is_proved_without_its_archive_from_any_root_that_is_trusted() {
    let files = archive();
    let archive = Archive::open(files.dir()).unwrap();
    for number in [1, 3, 4, 260, 700, 701] {
        let (serial, line) = archive.find("town", number).unwrap().unwrap();
        let bytes = archive.proof(serial, line).unwrap().to_bytes().unwrap();
        let proof = DocumentProof::parse(&bytes).unwrap();
        assert_eq!(proof.to_bytes().unwrap(), bytes);
        for pinned in [files.read("root/1.json"), files.read("root/2.json")] {
            let proven = proof.verify(Some(&pinned)).unwrap();
            assert_eq!((proven.anchored(), proven.record().unwrap().number, proven.checkpoint().size), (true, number, 5));
            assert_eq!(proven.record().unwrap(), &archive.record(serial, line).unwrap().record);
        }
        assert!(!proof.verify(None).unwrap().anchored());
        let stranger = root(1, &[7], 1).to_json().unwrap();
        assert!(matches!(proof.verify(Some(&stranger)), Err(DocumentProofError::NotAnchored)));
    }
}

#[test]
fn a_proof_with_any_byte_changed_is_refused() {
    let mut files = archive();
    no_byte_may_change(&Archive::open(files.dir()).unwrap().proof(3, 0).unwrap());
    files.withdraw("town", &[701], Copies::Erase);
    no_byte_may_change(&Archive::open(files.dir()).unwrap().proof(3, 0).unwrap());
}

fn no_byte_may_change(proof: &DocumentProof) {
    let bytes = proof.to_bytes().unwrap();
    let mut state = 1u32;
    for at in 0..bytes.len() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (state >> 29);
        let refused = DocumentProof::parse(&flipped).and_then(|proof| proof.verify(None)).is_err();
        assert!(refused, "byte {at}: {:?}", String::from_utf8_lossy(&flipped[at.saturating_sub(20)..(at + 20).min(flipped.len())]));
    }
}

#[test]
fn what_is_withdrawn_is_proved_to_be_so_and_nothing_of_it_is_in_the_proof() {
    let mut files = archive();
    let before = |number: u64| {
        let archive = Archive::open(files.dir()).unwrap();
        let (serial, line) = archive.find("town", number).unwrap().unwrap();
        archive.proof(serial, line).unwrap().verify(None).unwrap()
    };
    let (first, other, crowded) = (before(1), before(2), before(3));
    files.withdraw("town", &[1, 3], Copies::Keep);
    files.publish("town", &[document(2)]);
    let archive = Archive::open(files.dir()).unwrap();
    for (number, line) in [(1, 0), (3, 2)] {
        let bytes = archive.proof(1, line).unwrap().to_bytes().unwrap();
        let proof = DocumentProof::parse(&bytes).unwrap();
        assert_eq!(proof.to_bytes().unwrap(), bytes);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("daylight-proof/v2") && text.contains("\"line\":\"- ") && !text.contains("gua n") && !text.contains("Ana"));
        let proven = proof.verify(Some(&files.read("root/1.json"))).unwrap();
        let note = proven.withdrawn().unwrap();
        assert!(proven.record().is_none() && note.documents.iter().any(|one| one.number == number) && note.reason == "it names a child");
        // Taken from one line and put to another, or left out, it shows nothing.
        let mut swapped = archive.proof(1, 1).unwrap();
        swapped.withdrawn.clone_from(&proof.withdrawn);
        assert!(swapped.verify(None).is_err());
        let RawLine::Published { salt, record } = RawLine::parse(swapped.line.as_bytes()).unwrap() else { panic!() };
        swapped.line = format!("- {}", crate::manifest::leaf_data(&salt, record));
        assert!(matches!(swapped.verify(None), Err(DocumentProofError::OtherLine)));
        let bare = DocumentProof { withdrawn: None, ..proof };
        assert!(matches!(bare.verify(None), Err(DocumentProofError::Part("line"))));
    }
    assert!(matches!(archive.since(&first).unwrap(), Since::Withdrawn(one) if one.note.serial == 1));
    assert!(matches!(archive.since(&crowded).unwrap(), Since::Withdrawn(_)));
    assert_eq!(archive.since(&other).unwrap(), Since::Replaced { serial: 4, line: 0 });
    let stranger = TestArchive::with_root(root(1, &[7], 1), vec![editor(7)]);
    assert!(matches!(Archive::open(stranger.dir()).unwrap().since(&other), Err(SinceError::Older { .. })));
    let newer = archive.proof(4, 0).unwrap().verify(None).unwrap();
    assert_eq!(archive.since(&newer).unwrap(), Since::Published);
    let mut forked = super::tests::archive();
    (1..5).for_each(|n| forked.publish("town", &[document(800 + n)]));
    assert!(matches!(Archive::open(forked.dir()).unwrap().since(&newer), Err(SinceError::Forked)));
}

#[test]
fn a_release_under_a_root_that_was_not_in_force_proves_nothing() {
    let mut files = archive();
    files.root = root(1, &[1, 2, 3], 2);
    files.editors = vec![editor(2), editor(3)];
    files.publish("town", &[document(702)]);
    assert!(Archive::open(files.dir()).is_err(), "signed by two who are editors still, but in the name of the old root");
}
