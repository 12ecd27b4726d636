mod roots;
mod withdrawn;

use super::*;
use crate::entry::Entry;
use crate::key::Signer;
use crate::tests::{Document, TestArchive, document, editor, log_key, recovery, root, signed};
use daylight_model::Digest;

fn check(archive: &TestArchive) -> Report {
    verify(archive.dir(), None, &mut |_| {})
}

/// What is wrong, as paths.
fn wrong(archive: &TestArchive) -> Vec<String> {
    check(archive).problems.into_iter().map(|problem| problem.path).collect()
}

/// Two releases, of which the second refers to a file of the first; one record is in a file of its own.
fn archive() -> TestArchive {
    let mut archive = TestArchive::new();
    let mut crowded = document(4);
    crowded.people = 300;
    archive.publish("town", &[document(1), document(2), document(3), crowded, document(5)]);
    archive.publish("other", &[document(2), document(8)]);
    archive
}

/// As few bytes as have a file published before, a document without text, and every kind of file.
fn small() -> TestArchive {
    let mut archive = TestArchive::new();
    archive.publish("town", &[Document { text: Vec::new(), ..document(2) }, document(3)]);
    archive.publish("other", &[document(3)]);
    archive
}

#[test]
fn a_whole_archive_is_whole_and_says_whether_its_publisher_was_checked() {
    let archive = archive();
    let report = check(&archive);
    assert_eq!((report.ok(), report.anchored, report.verdict().as_str()), (true, false, "consistent with itself; publisher not checked"));
    assert_eq!((report.size, report.releases, report.lines, report.root_version), (3, 2, 7, 1));
    let pinned = archive.read("root/1.json");
    let mut last = None;
    let report = verify(archive.dir(), Some(&pinned), &mut |progress| last = Some(progress));
    assert!(report.ok() && report.anchored);
    assert_eq!(last.map(|last| (last.bytes, last.total)), Some((report.bytes, report.bytes)));
    let stranger = root(1, &[7], 1).to_json().unwrap();
    let report = verify(archive.dir(), Some(&stranger), &mut |_| {});
    assert!(!report.ok() && !report.anchored);
}

#[test]
fn one_flipped_bit_in_any_byte_of_any_file_is_found_and_its_file_is_named() {
    flip_one_bit_in_every(1, &small());
    // With a record in a file of its own, whose thousands of bytes are all alike.
    flip_one_bit_in_every(41, &archive());
}

fn flip_one_bit_in_every(step: usize, archive: &TestArchive) {
    let mut state = 7u32;
    for (path, bytes) in archive.files() {
        for at in (0..bytes.len()).step_by(step) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (state >> 29);
            archive.write(&path, &flipped);
            let report = check(archive);
            let named = report.problems.iter().any(|problem| problem.path == path);
            assert!(named, "{path}, byte {at}: {:?}", report.problems);
        }
        archive.write(&path, &bytes);
    }
    assert!(check(archive).ok());
}

#[test]
fn every_file_that_is_missing_or_shortened_is_named() {
    let archive = archive();
    let superseded = |path: &str| ["tile/0/000.p/1", "tile/0/000.p/2", "tile/entries/000.p/1", "tile/entries/000.p/2"].contains(&path);
    for (path, bytes) in archive.files() {
        std::fs::remove_file(archive.dir().join(&path)).unwrap();
        let problems = wrong(&archive);
        assert_eq!(problems.contains(&path), !superseded(&path), "{path}: {problems:?}");
        archive.write(&path, &bytes[..bytes.len() - 1]);
        assert!(!wrong(&archive).is_empty(), "{path} shortened");
        archive.write(&path, &[&bytes[..], b"\n"].concat());
        assert!(!wrong(&archive).is_empty(), "{path} lengthened");
        archive.write(&path, &bytes);
    }
}

#[test]
fn what_was_added_is_named_and_links_are_not_followed() {
    let archive = archive();
    for path in [
        "READ-ME",
        "release/3/note",
        "release/1/index/0",
        "release/1/manifest/1",
        "release/1/volume/1.zip",
        "tile/0/000.p/4",
        "tile/0/001",
        "tile/0/0.p/1",
        "checkpoint.pending~",
        "root/3.json",
        "entry/1/note",
        "Checkpoint",
    ] {
        archive.write(path, b"x");
        assert_eq!(wrong(&archive), [path]);
        std::fs::remove_file(archive.dir().join(path)).unwrap();
    }
    let note = archive.dir().join("release/1/note");
    std::fs::rename(&note, archive.dir().join("../moved-note")).ok();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("note");
    let moved = archive.dir().join("../moved-note");
    std::fs::copy(&moved, &target).unwrap();
    std::fs::remove_file(&moved).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&target, &note).unwrap();
    assert!(wrong(&archive).contains(&"release/1/note".to_owned()));
}

#[test]
fn every_damaged_file_is_named_not_only_the_first() {
    let archive = archive();
    for path in ["release/1/volume/0.zip", "release/1/manifest/0.offsets", "release/2/tile/0/000.p/2", "tile/entries/000.p/1"] {
        let mut bytes = archive.read(path);
        bytes[3] ^= 1;
        archive.write(path, &bytes);
    }
    archive.write("added", b"");
    let problems = wrong(&archive);
    assert_eq!(problems, wrong(&archive), "in the same order at every run");
    let mut problems = problems;
    problems.sort();
    assert_eq!(
        problems,
        ["added", "release/1/manifest/0.offsets", "release/1/volume/0.zip", "release/2/tile/0/000.p/2", "tile/entries/000.p/1"]
    );
}

#[test]
fn the_witnesses_lines_are_all_that_may_change() {
    let archive = archive();
    let mut note = crate::note::Note::parse(&archive.read("checkpoint")).unwrap();
    note.cosign(&crate::tests::signer("stranger.example", 99), 5);
    archive.write("checkpoint", &note.to_bytes());
    assert!(check(&archive).ok(), "a cosignature of a key that the root does not know is nobody's business");
    let mut sig = crate::note::Note::parse(&archive.read("root/1.sig")).unwrap();
    sig.sign(&editor(9));
    archive.write("root/1.sig", &sig.to_bytes());
    assert_eq!(wrong(&archive), ["root/1.sig"]);
}

#[test]
fn a_release_is_not_replayed_nor_taken_from_another_archive_nor_signed_by_too_few() {
    let serial_again = |archive: &mut TestArchive| {
        let note = Digest::of(&archive.read("release/1/note"));
        archive.log(&Entry::Release { serial: 1, note });
    };
    let mut replayed = archive();
    serial_again(&mut replayed);
    assert!(wrong(&replayed).contains(&"log entry 3".to_owned()));

    let mut foreign = archive();
    let mut note = foreign.write_release("town", &[document(11)]);
    note.origin = "elsewhere.example".into();
    let bytes = signed(note.note().unwrap(), &[editor(1)]);
    foreign.write("release/3/note", &bytes);
    foreign.log(&Entry::Release { serial: 3, note: Digest::of(&bytes) });
    assert_eq!(wrong(&foreign), ["release/3/note"]);

    let mut few = TestArchive::with_root(root(1, &[1, 2, 3], 2), vec![editor(1), editor(3)]);
    few.publish("town", &[document(1)]);
    assert!(check(&few).ok());
    few.editors = vec![editor(1)];
    few.publish("town", &[document(2)]);
    assert_eq!(wrong(&few), ["release/2/note"]);

    let mut skipped = archive();
    let note = Digest::of(b"no such note");
    skipped.log(&Entry::Release { serial: 1 << 52, note });
    assert!(!check(&skipped).ok(), "a serial cannot be run ahead");
}

#[test]
fn a_root_by_recovery_is_accepted_and_shown() {
    let mut archive = archive();
    let retired = vec![crate::root::Retired { key: editor(1).key(), size: 3 }];
    archive.enact(crate::root::Root { retired, ..root(2, &[2], 1) }, &[recovery(1), recovery(2)]);
    archive.editors = vec![editor(2)];
    archive.publish("town", &[document(6)]);
    let report = verify(archive.dir(), Some(&archive.read("root/1.json")), &mut |_| {});
    assert_eq!((report.problems, report.recovered, report.anchored), (vec![], vec![2], true));
    archive.editors = vec![editor(1)];
    archive.publish("town", &[document(7)]);
    assert_eq!(wrong(&archive), ["release/4/note"], "the old key signs no more");
}

#[test]
fn a_publication_that_is_not_finished_is_checked_under_its_pending_checkpoint() {
    let mut archive = archive();
    let before = archive.read("checkpoint");
    archive.publish("town", &[document(6)]);
    let after = archive.read("checkpoint");
    archive.write("checkpoint", &before);
    assert!(!check(&archive).ok(), "without a pending checkpoint its files are added ones");
    archive.write("checkpoint.pending", &after);
    let report = check(&archive);
    assert_eq!((report.problems, report.pending, report.releases), (vec![], Some(4), 3));
    let forked = crate::Checkpoint { origin: crate::tests::ORIGIN.into(), size: 4, root: Digest::of(b"fork") };
    archive.write("checkpoint.pending", &forked.sign(&log_key()).unwrap().to_bytes());
    assert!(!check(&archive).ok());
}

#[test]
fn a_fast_forward_neither_hangs_nor_takes_memory() {
    let archive = archive();
    let far = crate::Checkpoint { origin: crate::tests::ORIGIN.into(), size: u64::MAX, root: Digest::of(b"far") };
    archive.write("checkpoint", &far.sign(&log_key()).unwrap().to_bytes());
    assert!(!check(&archive).ok());
}

#[test]
fn directories_and_heartbeats_are_held_to_what_all_entries_have_in_common() {
    let mut archive = archive();
    let root = Digest::of(&archive.read("root/1.json"));
    let text = |word: &str, serial: u64, rest: &str| {
        format!("daylight-{word}/v1\norigin {}\nserial {serial}\nroot {root}\n{rest}", crate::tests::ORIGIN)
    };
    let mut log = |word: &str, serial: u64, rest: &str, by: Signer| {
        let bytes = signed(crate::note::Note::new(&text(word, serial, rest)).unwrap(), &[by]);
        archive.write(&crate::paths::entry_note(serial), &bytes);
        let logged = crate::entry::Logged { serial, note: Digest::of(&bytes) };
        archive.log(&if word == "directory" { Entry::Directory(logged) } else { Entry::Heartbeat(logged) });
        let report = check(&archive);
        (report.problems.len(), report.last_sign.map(|sign| (sign.word, sign.time)))
    };
    let directory = |seconds: u8, key: &[u8]| {
        let (member, key) = (editor(2).key(), Digest::of(key));
        format!("time 2026-11-22T18:40:{seconds}Z\nmembers 1\nmember {member}\nepochs 20500 1\nepoch 20500 {key}\n")
    };
    let known = Some(("directory", 1_795_372_836));
    assert_eq!(log("directory", 1, &directory(36, b"key"), editor(1)), (0, known));
    let beat = Some(("heartbeat", 1_795_372_836));
    assert_eq!(log("heartbeat", 2, "time 2026-11-22T18:40:36Z\n", editor(1)), (0, beat));
    assert_eq!(log("directory", 3, "what comes later\n", editor(1)), (1, beat), "what cannot be read counts for nothing");
    assert_eq!(log("heartbeat", 4, "time 2026-11-22T18:40:37Z\n", log_key()), (2, beat), "a seized log key cannot keep it beating");
    assert_eq!(log("heartbeat", 5, "time yesterday\n", editor(1)), (3, beat));
    assert_eq!(log("heartbeat", 2, "time 2026-11-22T18:40:36Z\n", editor(1)), (4, beat), "nor can an old one be played again");
}

/// An archive whose root asks for the cosignatures of two of three witnesses.
fn witnessed() -> TestArchive {
    let lines: String = (1..=3).map(|i| format!("witness w{i} {}\n", witness(i).cosigner_key())).collect();
    let policy = crate::Policy::parse(&format!("{lines}group g 2 w1 w2 w3\nquorum g\n")).unwrap();
    let mut archive = TestArchive::with_root(crate::root::Root { witnesses: policy, ..root(1, &[1], 1) }, vec![editor(1)]);
    archive.publish("town", &[document(1)]);
    archive
}

fn witness(i: u8) -> Signer {
    crate::tests::signer(&format!("w{i}.example"), 80 + i)
}

/// Has witnesses cosign the checkpoint at `path`, as of a time.
fn cosign(archive: &TestArchive, path: &str, by: &[u8]) {
    let mut note = crate::note::Note::parse(&archive.read(path)).unwrap();
    by.iter().for_each(|i| note.cosign(&witness(*i), 1_795_000_000));
    archive.write(path, &note.to_bytes());
}

#[test]
fn what_readers_see_is_cosigned_by_the_quorum_of_the_root_in_force() {
    let archive = witnessed();
    let open = || crate::Archive::open(archive.dir());
    for (by, met) in [(&[][..], false), (&[1][..], false), (&[9][..], false), (&[3][..], true)] {
        cosign(&archive, "checkpoint", by);
        assert_eq!((check(&archive).ok(), open().is_ok()), (met, met), "{by:?}");
    }
    let report = check(&archive);
    let seen: Vec<_> = report.witnessed.witnesses.iter().map(|seen| seen.time.is_some()).collect();
    assert_eq!((seen, report.shown, report.witnessed.needed.as_str()), (vec![true, false, true], 2, "2 of 3"));
    assert_eq!(*open().unwrap().witnessed(), report.witnessed);
    // A line that a stranger added says nothing; a wrong one of a witness who is asked for speaks against the whole.
    let good = archive.read("checkpoint");
    let mut note = crate::note::Note::parse(&good).unwrap();
    let mut forged = note.cosignature(&witness(2), 5);
    forged.bytes[30] ^= 1;
    note.add_signature(forged);
    archive.write("checkpoint", &note.to_bytes());
    assert!(wrong(&archive) == ["checkpoint"] && open().is_err());
}

#[test]
fn a_pending_checkpoint_waits_for_witnesses_and_the_one_that_is_shown_has_them() {
    let mut archive = witnessed();
    cosign(&archive, "checkpoint", &[1, 2]);
    let shown = archive.read("checkpoint");
    archive.publish("town", &[document(2)]);
    archive.write("checkpoint.pending", &archive.read("checkpoint"));
    archive.write("checkpoint", &shown);
    let report = check(&archive);
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!((report.shown, report.pending, report.size, report.witnessed.count()), (2, Some(3), 3, 2));
    assert_eq!(crate::Archive::open(archive.dir()).unwrap().head(), 2);
    let pending = crate::Outline::read(&archive.dir().to_path_buf(), "checkpoint.pending").unwrap();
    assert_eq!((pending.checkpoint().size, pending.in_force().root.witnesses.is_met(pending.checkpoint_note())), (3, Ok(false)));
    // Shown without them it is refused, whatever is pending.
    archive.write("checkpoint", &archive.read("checkpoint.pending"));
    assert_eq!(wrong(&archive), ["checkpoint"]);
}
