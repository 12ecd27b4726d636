use super::*;
use crate::record::Role;
use crate::tests::{TestArchive, document};

fn archive() -> TestArchive {
    let mut archive = TestArchive::new();
    archive.publish("town", &(1..=300).map(document).collect::<Vec<_>>());
    archive.publish("other", &[document(5), document(9)]);
    let mut corrected = document(7);
    corrected.title = "corrected".into();
    let mut crowded = document(400);
    crowded.people = 5_000;
    archive.publish("town", &[corrected, document(301), crowded]);
    archive
}

#[test]
fn every_document_is_found_by_its_number_and_the_latest_line_wins() {
    let files = archive();
    let archive = Archive::open(files.dir()).unwrap();
    assert_eq!((archive.head(), archive.releases().len(), archive.origin()), (4, 3, "archive.example/test"));
    for number in 1..=301 {
        let (serial, line) = archive.find("town", number).unwrap().unwrap();
        assert_eq!(archive.record(serial, line).unwrap().record.number, number);
    }
    assert_eq!(archive.find("town", 7).unwrap(), Some((3, 0)));
    assert_eq!(archive.history("town", 7).unwrap(), [(1, 6), (3, 0)]);
    assert_eq!(archive.find("town", 400).unwrap(), Some((3, 2)));
    for missing in [0, 302, 399, 401, u64::MAX] {
        assert_eq!(archive.find("town", missing).unwrap(), None);
    }
    assert_eq!(archive.find("nowhere", 1).unwrap(), None);
    let collections = archive.collections().unwrap();
    assert_eq!(
        collections.iter().map(|c| (c.name.as_str(), c.highest, c.releases.len())).collect::<Vec<_>>(),
        [("other", 9, 1), ("town", 400, 2)]
    );
    assert!(matches!(archive.record(3, 3), Err(ArchiveError::NoSuchLine { .. })));
    assert!(matches!(archive.record(0, 0), Err(ArchiveError::NoSuchLine { .. })));
    assert!(matches!(archive.record(9, 0), Err(ArchiveError::NoSuchLine { .. })));
}

#[test]
fn files_are_read_from_where_they_were_first_published() {
    let files = archive();
    let archive = Archive::open(files.dir()).unwrap();
    let line = archive.record(2, 0).unwrap();
    let raw = line.record.file(&Role::Raw).unwrap();
    assert_eq!((raw.release, archive.bytes(raw).unwrap()), (1, document(5).raw));
    let mut read = Vec::new();
    archive.open_file(raw).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, document(5).raw);
    let wrong = FileRef { sha256: Digest::of(b"x"), ..raw.clone() };
    assert!(archive.bytes(&wrong).is_err());
    assert!(archive.open_file(&wrong).unwrap().read_to_end(&mut Vec::new()).is_err());
    assert!(archive.bytes(&FileRef { length: u64::MAX, ..raw.clone() }).is_err(), "no memory is taken for bytes that are not there");
    let crowded = archive.record(3, 2).unwrap();
    assert_eq!((crowded.record.people.len(), crowded.json.len() < 1000), (5_000, true));
    assert_eq!(archive.lines(1).unwrap().map(|line| line.unwrap().record.number).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
}

#[test]
fn what_is_damaged_is_not_shown() {
    let files = archive();
    let part = String::from_utf8(files.read("release/2/manifest/0")).unwrap();
    files.write("release/2/manifest/0", part.replacen("reservoir", "conservatory", 1).replacen("Ana", "Eva", 1).as_bytes());
    let archive = Archive::open(files.dir()).unwrap();
    assert!(matches!(archive.record(2, 0), Err(ArchiveError::Damaged { .. })));
    assert!(archive.record(2, 1).is_ok());
    files.write("release/2/note", &files.read("release/1/note"));
    assert!(
        matches!(Archive::open(files.dir()), Err(ArchiveError::Damaged { path, .. }) if path == "release/2/note"),
        "another release's note"
    );
    std::fs::remove_file(files.dir().join("checkpoint")).unwrap();
    assert!(matches!(Archive::open(files.dir()), Err(ArchiveError::NotAnArchive(..))));
}

#[test]
fn only_what_the_log_covers_is_a_file_of_this_state() {
    let files = archive();
    let archive = Archive::open(files.dir()).unwrap();
    for path in files.files().keys() {
        let name = paths::Name::parse(path).unwrap();
        assert!(archive.covers(&name), "{path}");
    }
    for path in [
        "root/2.json",
        "tile/0/000.p/5",
        "tile/0/001.p/1",
        "tile/entries/000.p/5",
        "release/4/note",
        "release/4/volume/0.zip",
        "release/1/manifest/1",
        "release/1/tile/0/001.p/3",
        "entry/1/note",
    ] {
        assert!(!archive.covers(&paths::Name::parse(path).unwrap()), "{path}");
    }
}

#[test]
fn a_copy_of_some_collections_says_what_it_does_not_have() {
    let files = archive();
    for part in ["manifest", "tile", "volume"] {
        std::fs::remove_dir_all(files.dir().join("release/2").join(part)).unwrap_or_default();
    }
    let archive = Archive::open(files.dir()).unwrap();
    assert_eq!((archive.absent(), archive.releases().len()), (&[2][..], 3));
    assert_eq!(archive.collections().unwrap().iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["town"]);
    assert_eq!((archive.collection("other").unwrap(), archive.find("other", 5).unwrap()), (None, None));
    assert_eq!(archive.lines(2).unwrap().count(), 0);
    assert_eq!(archive.find("town", 7).unwrap(), Some((3, 0)));

    let asked = |only: &[&str]| {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        crate::verify_from(&crate::store::Folder::new(files.dir()), crate::Asked { root: None, only: &only }, &mut |_| {})
    };
    let report = asked(&[]);
    assert_eq!((report.ok(), report.releases, report.absent.len()), (true, 2, 1));
    assert_eq!(
        report.verdict(),
        "partial copy of archive.example/test: 2 of 3 releases are here, consistent with themselves; publisher not checked"
    );
    assert!(asked(&["town"]).ok());
    assert_eq!(asked(&["town", "other"]).problems.iter().map(|p| p.path.as_str()).collect::<Vec<_>>(), ["release/2/"]);
    std::fs::create_dir_all(files.dir().join("release/2/volume")).unwrap();
    files.write("release/2/manifest/0", b"+");
    assert!(!asked(&[]).ok(), "what is here must be whole");
}
