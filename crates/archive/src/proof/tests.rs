use super::*;
use crate::archive::Archive;
use crate::root::Retired;
use crate::tests::{TestArchive, document, editor, root};

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
            assert_eq!((proven.anchored(), proven.record().number, proven.checkpoint().size), (true, number, 5));
            assert_eq!(proven.record(), &archive.record(serial, line).unwrap().record);
        }
        assert!(!proof.verify(None).unwrap().anchored());
        let stranger = root(1, &[7], 1).to_json().unwrap();
        assert!(matches!(proof.verify(Some(&stranger)), Err(DocumentProofError::NotAnchored)));
    }
}

#[test]
fn a_proof_with_any_byte_changed_is_refused() {
    let files = archive();
    let archive = Archive::open(files.dir()).unwrap();
    let bytes = archive.proof(3, 0).unwrap().to_bytes().unwrap();
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
fn a_release_under_a_root_that_was_not_in_force_proves_nothing() {
    let mut files = archive();
    files.root = root(1, &[1, 2, 3], 2);
    files.editors = vec![editor(2), editor(3)];
    files.publish("town", &[document(702)]);
    assert!(Archive::open(files.dir()).is_err(), "signed by two who are editors still, but in the name of the old root");
}
