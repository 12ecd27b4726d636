use super::*;
use crate::Archive;
use crate::entry::{Entry, Logged};
use crate::tests::{ORIGIN, TestArchive, editor, log_key, root, signed};

/// Two members and three days.
fn keys(seed: u8) -> Vec<u8> {
    (0..6).flat_map(|place| [seed + place; EPOCH_KEY]).collect()
}

fn note(serial: u64, root: Digest, keys: &[u8]) -> DirectoryNote {
    let digests: Vec<Digest> = keys.chunks(EPOCH_KEY).map(Digest::of).collect();
    DirectoryNote {
        origin: ORIGIN.into(),
        serial,
        root,
        time: 1_795_372_835,
        members: vec![editor(8).key(), editor(9).key()],
        first: 20_779,
        epochs: digests.chunks(2).map(<[Digest]>::to_vec).collect(),
    }
}

/// An archive of three editors of whom two sign.
fn archive() -> TestArchive {
    TestArchive::with_root(root(1, &[1, 2, 3], 2), vec![editor(1), editor(2)])
}

fn make(archive: &TestArchive, serial: u64, seed: u8, by: &[u8]) -> DirectoryFile {
    let told = note(serial, Digest::of(&archive.read("root/1.json")), &keys(seed));
    let signers: Vec<_> = by.iter().map(|i| editor(*i)).collect();
    let note = Note::parse(&signed(told.note().unwrap(), &signers)).unwrap();
    DirectoryFile::new(note, keys(seed)).unwrap()
}

fn log(archive: &mut TestArchive, file: &DirectoryFile) {
    let bytes = file.note.to_bytes();
    archive.write(&crate::paths::entry_note(file.told.serial), &bytes);
    archive.log(&Entry::Directory(Logged { serial: file.told.serial, note: Digest::of(&bytes) }));
}

#[test]
fn the_text_is_written_in_one_way_and_read_back() {
    let told = note(3, Digest::of(b"root"), &keys(1));
    let text = told.text().unwrap();
    let (a, b) = (editor(8).key(), editor(9).key());
    let key = |place: u8| Digest::of(&[1 + place; EPOCH_KEY]);
    let expected = format!(
        "daylight-directory/v1\norigin {ORIGIN}\nserial 3\nroot {}\ntime 2026-11-22T18:40:35Z\nmembers 2\nmember {a}\nmember {b}\n\
         epochs 20779 3\nepoch 20779 {} {}\nepoch 20780 {} {}\nepoch 20781 {} {}\n",
        Digest::of(b"root"),
        key(0),
        key(1),
        key(2),
        key(3),
        key(4),
        key(5)
    );
    assert_eq!(text, expected);
    assert_eq!(DirectoryNote::parse_text(&text).unwrap(), told);
    let wrong = [
        text.replace("serial 3", "serial 0"),
        text.replace("members 2", "members 1"),
        text.replace("members 2", "members 02"),
        text.replace("epochs 20779 3", "epochs 20779 2"),
        text.replace("epochs 20779 3", "epochs 4294967295 3"),
        text.replace("epochs 20779 3", "epochs 20779 9999999999"),
        text.replace("epoch 20780", "epoch 20782"),
        text.replace(&format!(" {}", key(3)), ""),
        text.replace(&key(3).to_string(), &key(2).to_string()),
        text.replace(&b.to_string(), &a.to_string()),
        text.replace("directory", "heartbeat"),
        format!("{text}more\n"),
        text.trim_end().to_owned(),
    ];
    wrong.iter().for_each(|wrong| assert!(DirectoryNote::parse_text(wrong).is_err(), "{wrong}"));
    let many = DirectoryNote { members: (1..=17).map(|i| editor(i).key()).collect(), ..told.clone() };
    assert!(many.text().is_err(), "an envelope has sixteen stanzas");
    assert!(DirectoryNote { epochs: Vec::new(), ..told }.text().is_err());
}

#[test]
fn a_file_holds_the_keys_that_its_note_names_and_nothing_else() {
    let file = make(&archive(), 1, 1, &[1, 2]);
    let bytes = file.to_bytes();
    assert_eq!(parse(&bytes).unwrap(), file);
    assert_eq!(file.keys(20_780), vec![[3; EPOCH_KEY], [4; EPOCH_KEY]]);
    assert_eq!((file.keys(20_778).len(), file.keys(20_782).len(), file.keys(u32::MAX).len()), (0, 0, 0));
    let with = |at: usize, byte: u8| {
        let mut wrong = bytes.clone();
        wrong[at] ^= byte;
        parse(&wrong)
    };
    assert_eq!(with(bytes.len() - 1, 1), Err(DirectoryError::Keys), "another key");
    assert_eq!(with(FILE.len(), 0xff), Err(DirectoryError::File), "a length that lies");
    assert!((0..bytes.len()).step_by(97).all(|length| parse(&bytes[..length]).is_err()), "cut off");
    assert!(parse(&[bytes.as_slice(), b"more"].concat()).is_err());
    assert_eq!(parse(&vec![b'x'; MAX_FILE + 1]), Err(DirectoryError::File));
}

#[test]
fn only_the_newest_directory_of_the_log_is_sealed_to() {
    let mut archive = archive();
    let check = |archive: &TestArchive, file: &DirectoryFile| {
        Archive::open(archive.dir()).unwrap().check_directory(&file.to_bytes()).map(|directory| directory.serial())
    };
    let first = make(&archive, 1, 1, &[1, 2]);
    archive.publish("town", &[crate::tests::document(1)]);
    assert_eq!(check(&archive, &first), Err(DirectoryError::None));
    log(&mut archive, &first);
    let directory = Archive::open(archive.dir()).unwrap().check_directory(&first.to_bytes()).unwrap();
    assert_eq!((directory.serial(), directory.epochs(), directory.recipients(20_781).len()), (1, (20_779, 20_781), 2));
    assert_eq!(directory.editors(), [editor(8).key(), editor(9).key()].map(|key| *key.public()));
    // Swapped, and signed by as many as must: what was shown to one alone is not in the log.
    let hidden = make(&archive, 1, 40, &[2, 3]);
    assert_eq!(check(&archive, &hidden), Err(DirectoryError::NotLogged));
    let ahead = make(&archive, 2, 40, &[1, 2]);
    assert_eq!(check(&archive, &ahead), Err(DirectoryError::NotLogged));
    log(&mut archive, &ahead);
    assert_eq!(check(&archive, &ahead), Ok(2));
    assert_eq!(check(&archive, &first), Err(DirectoryError::Old { found: 1, newest: 2 }));
}

#[test]
fn too_few_editors_or_other_keys_make_no_directory() {
    for by in [&[1][..], &[1, 1], &[8, 9]] {
        let mut archive = archive();
        let file = make(&archive, 1, 1, by);
        log(&mut archive, &file);
        assert!(Archive::open(archive.dir()).is_err(), "{by:?}: the archive says so");
        let entries = [entry(&archive), Entry::Directory(Logged { serial: 1, note: Digest::of(&file.note.to_bytes()) })];
        let found = Directory::verify(&file.to_bytes(), &chain(&archive), &entries);
        assert!(matches!(found, Err(DirectoryError::Note(_))), "{by:?}: {found:?}");
    }
}

#[test]
fn a_directory_of_another_archive_or_root_is_refused() {
    let archive = archive();
    let of = |change: &dyn Fn(&mut DirectoryNote)| {
        let mut told = note(1, Digest::of(&archive.read("root/1.json")), &keys(1));
        change(&mut told);
        let note = Note::parse(&signed(told.note().unwrap(), &[editor(1), editor(2)])).unwrap();
        let entries = [entry(&archive), Entry::Directory(Logged { serial: 1, note: Digest::of(&note.to_bytes()) })];
        let file = DirectoryFile::new(note, keys(1)).unwrap();
        Directory::verify(&file.to_bytes(), &chain(&archive), &entries).map(drop)
    };
    assert_eq!(of(&|_| {}), Ok(()));
    assert!(matches!(of(&|told| told.origin = "archive.example/other".into()), Err(DirectoryError::OtherArchive { .. })));
    assert_eq!(of(&|told| told.root = Digest::of(b"other")), Err(DirectoryError::OtherRoot));
    let file = make(&archive, 1, 1, &[1, 2]);
    let alone = [Entry::Directory(Logged { serial: 1, note: Digest::of(&file.note.to_bytes()) })];
    assert_eq!(Directory::verify(&file.to_bytes(), &chain(&archive), &alone).map(drop), Err(DirectoryError::OtherRoot), "before any root");
}

fn chain(archive: &TestArchive) -> crate::root::Chain {
    crate::root::Chain::begin(&archive.read("root/1.json"), &archive.read("root/1.sig")).unwrap()
}

fn entry(archive: &TestArchive) -> Entry {
    Entry::Root { version: 1, json: Digest::of(&archive.read("root/1.json")) }
}

#[test]
fn the_logs_key_signs_no_directory() {
    let mut archive = archive();
    let told = note(1, Digest::of(&archive.read("root/1.json")), &keys(1));
    let note = Note::parse(&signed(told.note().unwrap(), &[log_key(), editor(1)])).unwrap();
    log(&mut archive, &DirectoryFile::new(note, keys(1)).unwrap());
    assert!(Archive::open(archive.dir()).is_err());
}
