//! A copy whose disk failed: repaired from its site or another one, and never made worse.

use crate::publisher::{Doc, Publisher, doc, files};
use crate::server::{Reply, Server};
use crate::{Copy, assert_same};
use daylight_archive::verify;
use daylight_mirror::erase::erase_withdrawn;
use std::net::TcpListener;
use std::path::Path;

fn published() -> Publisher {
    let mut publisher = Publisher::new();
    publisher.release("town", &(1..=60).map(doc).collect::<Vec<_>>());
    publisher.release("town", &[Doc { people: 700, ..doc(70) }]);
    publisher.beat(1, "alive");
    publisher
}

/// A way in which a disk harms a file, and its name.
type Harm = (&'static str, fn(&Path));

const HARM: [Harm; 3] = [
    ("a flipped bit", |path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }),
    ("cut short", |path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("gone", |path| std::fs::remove_file(path).unwrap()),
];

#[test]
fn every_file_of_a_copy_is_repaired_whatever_harmed_it() {
    let publisher = published();
    let site = Server::honest(&publisher.dir());
    let copy = Copy::new();
    assert_eq!(copy.update(&site.url()).failure, None);
    let whole = files(&copy.dir());
    for path in whole.keys() {
        for (harm, harmed) in HARM {
            harmed(&copy.dir().join(path));
            let report = copy.repair(&site.url());
            assert_eq!(report.failure, None, "{path}, {harm}: {report:?}");
            assert!(report.damaged.iter().any(|one| one.path == *path || path.starts_with(&one.path)), "{path}, {harm}: {report:?}");
            assert!(report.releases.is_empty() && report.refused.is_empty(), "{path}, {harm}: what is repaired is not new: {report:?}");
            assert!(files(&copy.dir()) == whole, "{path}, {harm}");
            assert!(!copy.beside().join("fetching").exists());
        }
    }
    // Everything at once, and then nothing.
    whole.keys().filter(|path| path.starts_with("release/")).for_each(|path| HARM[0].1(&copy.dir().join(path)));
    assert_eq!(copy.repair(&site.url()).failure, None);
    assert_same(&publisher.dir(), &copy.dir());
    let report = copy.repair(&site.url());
    assert_eq!((report.failure, report.damaged.len(), report.requests), (None, 0, 1));
}

#[test]
fn a_site_with_the_same_damage_repairs_nothing_and_the_next_one_is_asked() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = format!("http://{other}/");
    let mut publisher = Publisher::listing(std::slice::from_ref(&address));
    publisher.release("town", &(1..=60).map(doc).collect::<Vec<_>>());
    let site = Server::honest(&publisher.dir());
    let copies: Vec<(&str, Copy)> = ["release/1/volume/0.zip", "release/1/manifest/0"].map(|path| (path, Copy::new())).into();
    for &(path, ref copy) in &copies {
        assert!(copy.update(&site.url()).ok());
        HARM[0].1(&copy.dir().join(path));
        let before = files(&copy.dir());
        let bytes = before[path].clone();
        let liar = Server::lying(&publisher.dir(), move |request| (request.path == path).then(|| Reply::ok(bytes.clone())));
        let report = copy.repair(&liar.url());
        assert!(report.failure.as_ref().unwrap().contains(&format!("no site gave {path} as it was signed")), "{report:?}");
        assert!(report.damaged.iter().any(|one| one.path == path), "{report:?}");
        assert!(report.refused.iter().any(|one| one.lie && path.starts_with(&one.path)), "{report:?}");
        assert!(files(&copy.dir()) == before, "the copy is as it was");
    }
    let other = Server::on(TcpListener::bind(other).unwrap(), &publisher.dir(), |_| None);
    for &(path, ref copy) in &copies {
        let bytes = files(&copy.dir())[path].clone();
        let liar = Server::lying(&publisher.dir(), move |request| (request.path == path).then(|| Reply::ok(bytes.clone())));
        let report = copy.repair(&liar.url());
        assert_eq!(report.failure, None, "{path}: {report:?}");
        assert!(report.refused.iter().any(|one| one.lie && path.starts_with(&one.path)), "{report:?}");
        assert_same(&publisher.dir(), &copy.dir());
    }
    assert!(other.requests().len() > 1);
}

#[test]
fn what_was_erased_stays_erased_when_its_files_are_fetched_anew() {
    const SECRET: &[u8] = b"the address of a child";
    let mut publisher = Publisher::new();
    let mut docs: Vec<Doc> = (1..=30).map(doc).collect();
    docs[6].raw = SECRET.repeat(50);
    publisher.release("town", &docs);
    publisher.withdraw(1, "town", &[7]);
    let erased = publisher.split();
    let site = Server::honest(&publisher.dir());
    let copy = Copy::new();
    assert_eq!(copy.update(&site.url()).failure, None);
    let whole = files(&copy.dir());
    let has = || files(&copy.dir()).values().any(|bytes| bytes.windows(SECRET.len()).any(|window| window == SECRET));
    assert!(!has());
    erase_withdrawn(&erased.dir()).unwrap();
    let other = Server::honest(&erased.dir());
    for source in [&site, &other] {
        for path in ["release/1/volume/0.zip", "release/1/manifest/0"] {
            HARM[1].1(&copy.dir().join(path));
            let report = copy.repair(&source.url());
            assert_eq!(report.failure, None, "{path}: {report:?}");
            assert!(!has() && files(&copy.dir()) == whole, "{path}");
        }
    }
}

#[test]
fn what_was_added_is_named_and_left_alone() {
    let publisher = published();
    let site = Server::honest(&publisher.dir());
    let copy = Copy::new();
    assert_eq!(copy.update(&site.url()).failure, None);
    std::fs::write(copy.dir().join("notes.txt"), "mine").unwrap();
    HARM[0].1(&copy.dir().join("release/1/volume/0.zip"));
    let report = copy.repair(&site.url());
    assert!(report.failure.unwrap().contains("1 cannot be repaired by fetching; the first: notes.txt: added"));
    let left = verify(&copy.dir(), None, &mut |_| {}).problems;
    assert_eq!(left.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["notes.txt"]);
}
