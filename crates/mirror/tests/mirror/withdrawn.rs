//! What was withdrawn: erased in every copy, whether its source has erased it or not.

use crate::Copy;
use crate::publisher::{Doc, Publisher, doc, files};
use crate::server::{Reply, Server};
use daylight_archive::{Archive, ArchiveError};
use daylight_mirror::erase::erase_withdrawn;
use std::collections::BTreeMap;
use std::path::Path;

const SECRET: &[u8] = b"the address of a child";

/// Thirty documents of which two are withdrawn; one has bytes that another document has too.
fn withdrawn() -> Publisher {
    let mut publisher = Publisher::new();
    let mut docs: Vec<Doc> = (1..=30).map(doc).collect();
    docs[6].raw = SECRET.repeat(50);
    docs[9].raw = docs[20].raw.clone();
    publisher.release("town", &docs);
    publisher.release("town", &[doc(31)]);
    publisher.withdraw(1, "town", &[7, 10]);
    publisher
}

/// The files of releases: a copy may lack partial tiles of the log that its source has.
fn releases(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    files(dir).into_iter().filter(|(path, _)| path.starts_with("release/")).collect()
}

fn has(dir: &Path, bytes: &[u8]) -> bool {
    files(dir).values().any(|file| file.windows(bytes.len()).any(|window| window == bytes))
}

#[track_caller]
fn assert_erased(dir: &Path) {
    assert!(!has(dir, SECRET));
    let report = daylight_archive::verify(dir, None, &mut |_| {});
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!((report.withdrawn, report.erased), (2, 2), "{report:?}");
    let archive = Archive::open(dir).unwrap();
    assert!(matches!(archive.record(1, 6), Err(ArchiveError::Withdrawn { .. })));
    // What another document has too stays, for that one.
    let kept = archive.record(1, 20).unwrap().record;
    assert_eq!(archive.bytes(&kept.files[0]).unwrap(), doc(21).raw);
}

#[test]
fn what_was_withdrawn_is_erased_in_copies_that_have_it_and_in_copies_to_come() {
    let mut publisher = Publisher::new();
    let mut docs: Vec<Doc> = (1..=30).map(doc).collect();
    docs[6].raw = SECRET.repeat(50);
    docs[9].raw = docs[20].raw.clone();
    publisher.release("town", &docs);
    publisher.release("town", &[doc(31)]);
    let site = Server::honest(&publisher.dir());
    let early = Copy::new();
    assert_eq!(early.update(&site.url()).failure, None);
    assert!(has(&early.dir(), SECRET));
    publisher.withdraw(1, "town", &[7, 10]);
    let report = early.update(&site.url());
    assert_eq!((report.failure, report.withdrawals, report.erased), (None, 1, 2));
    assert_erased(&early.dir());
    // Its source has not erased it, so somebody who comes later gets it and erases it at once.
    let late = Copy::new();
    assert_eq!(late.update(&site.url()).failure, None);
    assert_erased(&late.dir());
    assert!(releases(&early.dir()) == releases(&late.dir()));
    // And the source that has erased it is as good as one that has not.
    erase_withdrawn(&publisher.dir()).unwrap();
    let last = Copy::new();
    assert_eq!(last.update(&site.url()).failure, None);
    assert_erased(&last.dir());
    assert!(releases(&last.dir()) == releases(&late.dir()));
    let report = last.update(&site.url());
    assert_eq!((report.failure, report.erased, report.requests), (None, 0, 1));
}

#[test]
fn copies_that_erase_and_copies_that_do_not_can_be_mixed() {
    let (whole, erased) = (withdrawn(), withdrawn());
    erase_withdrawn(&erased.dir()).unwrap();
    let (theirs, ours) = (files(&whole.dir()), files(&erased.dir()));
    for name in ["release/1/manifest/0", "release/1/volume/0.zip"] {
        assert!(theirs[name] != ours[name]);
        assert_eq!(theirs[name].len(), ours[name].len());
        // One file from the one and all others from the other, both ways round.
        for (dir, other) in [(whole.dir(), ours[name].clone()), (erased.dir(), theirs[name].clone())] {
            let site = Server::lying(&dir, move |request| (request.path == name).then(|| Reply::ok(other.clone())));
            let copy = Copy::new();
            let report = copy.update(&site.url());
            assert_eq!((report.failure, report.refused.len()), (None, 0));
            assert_erased(&copy.dir());
            assert!(releases(&copy.dir()) == releases(&erased.dir()), "{name}");
        }
    }
}

#[test]
fn zeros_are_refused_where_nothing_was_withdrawn() {
    let erased = withdrawn();
    erase_withdrawn(&erased.dir()).unwrap();
    let mut publisher = Publisher::new();
    let mut docs: Vec<Doc> = (1..=30).map(doc).collect();
    docs[6].raw = SECRET.repeat(50);
    docs[9].raw = docs[20].raw.clone();
    publisher.release("town", &docs);
    for (name, words) in [("release/1/manifest/0", "no withdrawal in the log asks for it"), ("release/1/volume/0.zip", "no header")] {
        let bytes = erased.read(name);
        let site = Server::lying(&publisher.dir(), move |request| (request.path == name).then(|| Reply::ok(bytes.clone())));
        let report = Copy::new().update(&site.url());
        assert!(report.refused.iter().any(|refusal| refusal.lie && refusal.what.contains(words)), "{report:?}");
    }
}
