use super::*;
use crate::archive::Archive;
use crate::checkpoint::Checkpoint;
use crate::root::{Retired, Root, Succession};
use crate::tests::{ORIGIN, signer};

/// Two of three editors, with one release.
fn of_three() -> TestArchive {
    let mut archive = TestArchive::with_root(root(1, &[1, 2, 3], 2), vec![editor(1), editor(2)]);
    archive.publish("town", &[document(1)]);
    archive
}

/// Editor 1 goes, editor 4 comes; editor 1's signatures count no more from this size on.
fn second(size: u64) -> Root {
    Root { retired: vec![Retired { key: editor(1).key(), size }], ..root(2, &[2, 3, 4], 2) }
}

fn said(archive: &TestArchive) -> String {
    check(archive).problems.into_iter().map(|problem| format!("{}: {}\n", problem.path, problem.what)).collect()
}

#[test]
fn an_archive_with_a_root_and_no_release_is_whole() {
    let archive = TestArchive::with_root(root(1, &[1, 2, 3], 2), vec![editor(1), editor(2)]);
    let report = verify(archive.dir(), Some(&archive.read("root/1.json")), &mut |_| {});
    assert_eq!((report.problems, report.anchored, report.size, report.releases), (vec![], true, 1, 0));
    let opened = Archive::open(archive.dir()).unwrap();
    assert!(opened.releases().is_empty() && opened.collections().unwrap().is_empty() && opened.root_index(1) == Some(0));
}

#[test]
fn a_root_that_is_skipped_logged_twice_or_rolled_back_to_in_the_log_is_refused() {
    let mut skipped = of_three();
    skipped.write("root/3.json", &root(3, &[1, 2, 3], 2).to_json().unwrap());
    skipped.log(&Entry::Root { version: 3, json: Digest::of(&skipped.read("root/3.json")) });
    assert!(said(&skipped).contains("logs root 3 where root 2 belongs: no version can be skipped"), "{}", said(&skipped));

    let mut twice = of_three();
    twice.enact(second(2), &[editor(2), editor(3)]);
    assert!(check(&twice).ok());
    twice.log(&Entry::Root { version: 1, json: Digest::of(&twice.read("root/1.json")) });
    assert!(said(&twice).contains("logs root 1 where root 3 belongs"), "a delegated rollback: {}", said(&twice));

    let unlogged = of_three();
    unlogged.write("root/2.json", &second(2).to_json().unwrap());
    unlogged.write("root/2.sig", &signed(second(2).note().unwrap(), &[editor(2), editor(3)]));
    assert_eq!(wrong(&unlogged), ["root/2.json"]);
    assert_eq!(Archive::open(unlogged.dir()).unwrap().root().version, 1, "what no log has is not in force");
}

#[test]
fn a_root_signed_by_only_the_old_or_only_the_new_is_not_in_force() {
    for signers in [[editor(1), editor(2)], [editor(3), editor(4)]] {
        let mut archive = of_three();
        archive.enact(second(2), &signers);
        assert!(said(&archive).contains("root/2.sig: signed by 1 of the keys that count, 2 are needed"), "{}", said(&archive));
        assert!(Archive::open(archive.dir()).is_err());
    }
}

#[test]
fn a_release_that_names_the_root_before_is_refused_after_the_next() {
    let mut archive = of_three();
    let note = archive.write_release("town", &[document(2)]);
    archive.enact(second(2), &[editor(2), editor(3)]);
    let bytes = signed(note.note().unwrap(), &[editor(2), editor(3)]);
    archive.write("release/2/note", &bytes);
    archive.log(&Entry::Release { serial: 2, note: Digest::of(&bytes) });
    assert!(said(&archive).contains("release/2/note: names another root than the one in force when it was logged"), "{}", said(&archive));
}

#[test]
fn keys_retired_after_a_log_size_count_before_it_and_not_after() {
    // The release at index 1 has editor 1's signature: retired from 2 on it stands, from 1 on it does not.
    for (size, stands) in [(2, true), (1, false)] {
        let mut archive = of_three();
        let (json, sig) = (second(size).to_json().unwrap(), signed(second(size).note().unwrap(), &[editor(2), editor(3)]));
        let asked = Archive::open(archive.dir()).unwrap().check_next_root(&json, &sig);
        assert_eq!(asked.is_ok(), stands, "a publisher is told before: {asked:?}");
        archive.enact(second(size), &[editor(2), editor(3)]);
        assert_eq!(check(&archive).ok(), stands, "{}", said(&archive));
        assert!(stands || said(&archive).contains("release/1/note: signed by 1 of the keys that count, 2 are needed"));
    }
}

#[test]
fn the_logs_old_key_signs_no_checkpoint_under_the_new_one() {
    let mut archive = of_three();
    let new = signer(ORIGIN, 2);
    let root = Root { log: new.key(), ..root(2, &[1, 2, 3], 2) };
    archive.enact(root, &[editor(1), editor(2)]);
    assert!(said(&archive).contains("checkpoint: not signed by the log's key that is in force"), "{}", said(&archive));
    let text = crate::note::Note::parse(&archive.read("checkpoint")).unwrap().text().to_owned();
    archive.write("checkpoint", &Checkpoint::parse_text(&text).unwrap().sign(&new).unwrap().to_bytes());
    assert!(check(&archive).ok(), "{}", said(&archive));
}

#[test]
fn a_next_root_is_judged_before_it_is_written() {
    let archive = of_three();
    let opened = Archive::open(archive.dir()).unwrap();
    let judged = |root: &Root, by: &[Signer]| opened.check_next_root(&root.to_json().unwrap(), &signed(root.note().unwrap(), by));
    assert_eq!(judged(&second(2), &[editor(2), editor(3)]).unwrap(), Succession::Editors);
    assert_eq!(judged(&second(2), &[recovery(1), recovery(2)]).unwrap(), Succession::Recovery);
    assert!(judged(&second(2), &[editor(2)]).is_err() && judged(&root(3, &[1, 2, 3], 2), &[editor(1), editor(2)]).is_err());
}
