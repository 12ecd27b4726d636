//! What a copy is when nobody lies.

use crate::publisher::{Doc, Publisher, doc, files};
use crate::server::{Reply, Server};
use crate::{Copy, assert_same, verify_only};
use daylight_archive::log::TilePath;
use daylight_archive::{Archive, paths};
use daylight_mirror::state::Trust;
use daylight_model::Digest;

fn numbers(from: u64, to: u64) -> Vec<Doc> {
    (from..=to).map(doc).collect()
}

#[test]
fn a_copy_is_the_archive_byte_for_byte_and_so_is_a_copy_of_it() {
    let mut publisher = Publisher::new();
    publisher.release("town", &numbers(1, 300));
    // One file that was published before, and one record that stands in a volume.
    publisher.release("other", &[doc(7), Doc { people: 700, ..doc(400) }, doc(401)]);
    publisher.beat(1, "alive");
    let site = Server::honest(&publisher.dir());
    let copy = Copy::new();
    let report = copy.update(&site.url());
    assert_eq!((report.failure.clone(), report.sizes, report.releases.as_slice(), report.documents), (None, (0, 4), &[1, 2][..], 303));
    assert!(report.first_use && report.pinned.unwrap().trust == Trust::FirstUse && report.refused.is_empty(), "{report:?}");
    assert_eq!(report.requests, site.requests().len() as u64);
    assert_same(&publisher.dir(), &copy.dir());
    assert_eq!(Archive::open(&copy.dir()).unwrap().find("other", 401).unwrap(), Some((2, 2)));

    let again = Server::honest(&copy.dir());
    let second = Copy::new();
    let root = publisher.read("root/1.json");
    let report = second.update_with(&crate::client(), &again.url(), Some(&root), None);
    assert!(report.ok() && !report.first_use && report.pinned.unwrap().trust == Trust::Given);
    assert!(files(&copy.dir()) == files(&second.dir()), "two copies of one state are the same folder");
    assert_eq!(std::fs::read(second.beside().join("root.json")).unwrap(), root);
    assert!(!second.beside().join("fetching").exists());
}

#[test]
fn what_an_increment_costs_grows_with_the_increment_and_not_with_the_archive() {
    let mut costs = Vec::new();
    for releases in [2, 30] {
        let mut publisher = Publisher::new();
        for release in 0..releases {
            publisher.release("town", &numbers(release * 10 + 1, release * 10 + 9));
        }
        let site = Server::honest(&publisher.dir());
        let copy = Copy::new();
        assert!(copy.update(&site.url()).ok());
        site.requests();
        assert!(copy.update(&site.url()).ok());
        let nothing = site.requests();
        assert_eq!(nothing.iter().map(|request| request.path.as_str()).collect::<Vec<_>>(), ["checkpoint"]);
        publisher.release("town", &numbers(1001, 1009));
        let report = copy.update(&site.url());
        assert!(report.ok());
        costs.push((site.requests().len(), report.received / 1000));
        assert_same(&publisher.dir(), &copy.dir());
    }
    assert_eq!(costs[0].0, costs[1].0, "requests for one more release: {costs:?}");
    assert_eq!(costs[0].0, 5, "checkpoint, bundle, note, manifest, volume");
    // The bundle at the log's edge has up to 256 entries.
    assert!(costs[1].1 <= costs[0].1 + 6, "{costs:?}");
}

#[test]
fn logs_and_manifests_of_every_awkward_size_are_copied() {
    let empty = Publisher::without_entries(&[], 7);
    let copy = Copy::new();
    let report = copy.update(&Server::honest(&empty.dir()).url());
    assert!(!report.ok() && report.refused[0].what.contains("nothing has been published yet"), "{report:?}");
    assert!(files(&copy.dir()).is_empty());

    let mut publisher = Publisher::new();
    let site = Server::honest(&publisher.dir());
    let copy = Copy::new();
    for size in [1, 255, 256, 257] {
        while publisher.size < size {
            publisher.beat(publisher.size, "alive");
        }
        let report = copy.update(&site.url());
        assert_eq!((report.failure, report.sizes.1), (None, size));
        assert_same(&publisher.dir(), &copy.dir());
    }
    for lines in [1, 255, 256, 257, 70_000] {
        let docs: Vec<Doc> = (1..=lines).map(|number| Doc { number, raw: vec![], people: 0 }).collect();
        publisher.release("town", &docs);
    }
    let fresh = Copy::new();
    assert_eq!(fresh.update(&site.url()).failure, None);
    assert_same(&publisher.dir(), &fresh.dir());
    assert_eq!(copy.update(&site.url()).failure, None);
    assert_same(&publisher.dir(), &copy.dir());
}

#[test]
fn a_copy_of_one_collection_has_the_log_and_what_its_files_need() {
    let mut publisher = Publisher::new();
    publisher.release("town", &numbers(1, 20));
    publisher.release("dike", &numbers(100, 120));
    publisher.release("sluice", &[doc(5), doc(200)]);
    publisher.release("dike", &numbers(130, 131));
    let site = Server::honest(&publisher.dir());
    let copy = Copy::new();
    let only = ["sluice".to_owned()];
    let report = copy.update_with(&crate::client(), &site.url(), None, Some(&only));
    // A file of the sluice was published in a release of the town first, whose volume has it.
    assert_eq!((report.failure, report.releases, report.absent), (None, vec![1, 3], 2));
    let all = files(&publisher.dir());
    files(&copy.dir()).iter().for_each(|(path, bytes)| assert_eq!(all.get(path), Some(bytes), "{path}"));
    assert!(copy.dir().join("release/2/note").is_file() && !copy.dir().join("release/2/manifest").exists());
    let report = verify_only(&copy.dir(), &["sluice"]);
    assert!(report.ok() && report.verdict().starts_with("partial copy of archive.example/test: 2 of 4 releases"), "{}", report.verdict());
    assert!(!verify_only(&copy.dir(), &["sluice", "dike"]).ok());
    let archive = Archive::open(&copy.dir()).unwrap();
    let (serial, line) = archive.find("sluice", 5).unwrap().unwrap();
    let record = archive.record(serial, line).unwrap().record;
    assert_eq!(archive.bytes(&record.files[0]).unwrap(), doc(5).raw);

    publisher.release("sluice", &[doc(201)]);
    publisher.release("dike", &[doc(300)]);
    let report = copy.update(&site.url());
    assert_eq!((report.failure, report.only, report.releases, report.absent), (None, only.to_vec(), vec![5], 3));
    // A partial copy is a source of what it has, and says of nothing that it is wrong.
    let part = Server::honest(&copy.dir());
    let second = Copy::new();
    let report = second.update_with(&crate::client(), &part.url(), None, Some(&only));
    assert_eq!((report.failure, report.absent), (None, 3));
    let third = Copy::new();
    let report = third.update(&part.url());
    assert!(report.failure.unwrap().contains("no site gave release/") && report.refused.iter().all(|refusal| refusal.missing));
    let report = copy.update_with(&crate::client(), &site.url(), None, Some(&[]));
    assert_eq!((report.failure, report.absent), (None, 0));
    assert_same(&publisher.dir(), &copy.dir());
}

#[test]
fn roots_are_followed_to_a_new_log_key_and_other_publishers_are_not() {
    let mut publisher = Publisher::new();
    publisher.release("town", &numbers(1, 3));
    let site = Server::honest(&publisher.dir());
    let copy = Copy::new();
    assert!(copy.update(&site.url()).ok());
    let pinned = publisher.read("root/1.json");
    publisher.log = crate::publisher::log_key(99);
    let root = daylight_archive::root::Root { version: 2, log: publisher.log.key(), ..publisher.root.clone() };
    publisher.enact(root);
    publisher.release("town", &numbers(4, 5));
    assert_eq!(copy.update(&site.url()).failure, None);
    assert_same(&publisher.dir(), &copy.dir());
    // Somebody who knows the newer root only, and who has nothing yet.
    let second = Copy::new();
    let newer = publisher.read("root/2.json");
    assert_eq!(second.update_with(&crate::client(), &site.url(), Some(&newer), None).failure, None);
    // And somebody whose copy is older than the root that was given.
    let third = Copy::new();
    let report = third.update_with(&crate::client(), &site.url(), Some(&pinned), None);
    assert_eq!(report.pinned.unwrap().sha256, Digest::of(&pinned));

    let stranger = Publisher::by(66);
    let theirs = Server::honest(&stranger.dir());
    let fourth = Copy::new();
    let report = fourth.update_with(&crate::client(), &theirs.url(), Some(&pinned), None);
    assert!(report.refused[0].what.contains("another publisher's") && report.refused[0].lie, "{report:?}");
    assert!(files(&fourth.dir()).is_empty());
    let report = copy.update(&theirs.url());
    assert!(!report.ok() && report.refused[0].path == "checkpoint", "{report:?}");
    let report = copy.update_with(&crate::client(), &site.url(), Some(&stranger.read("root/1.json")), None);
    assert!(report.failure.unwrap().contains("another publisher's"));
    assert_same(&publisher.dir(), &copy.dir());
}

#[test]
fn a_copy_that_came_on_a_stick_is_checked_whole_and_gone_on_with() {
    let mut publisher = Publisher::new();
    publisher.release("town", &numbers(1, 30));
    let site = Server::honest(&publisher.dir());
    let carried = |copy: &Copy| {
        for (path, bytes) in files(&publisher.dir()) {
            let path = copy.dir().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    };
    let (good, bad, linked, other) = (Copy::new(), Copy::new(), Copy::new(), Copy::new());
    [&good, &bad, &linked].into_iter().for_each(carried);
    let mut volume = publisher.read("release/1/volume/0.zip");
    volume[200] ^= 1;
    std::fs::write(bad.dir().join("release/1/volume/0.zip"), &volume).unwrap();
    std::fs::rename(linked.dir().join("release"), linked.home.path().join("release")).unwrap();
    std::os::unix::fs::symlink(linked.home.path().join("release"), linked.dir().join("release")).unwrap();
    std::fs::create_dir_all(other.dir()).unwrap();
    std::fs::write(other.dir().join("holiday.jpg"), "x").unwrap();
    publisher.release("town", &numbers(31, 33));
    let report = good.update(&site.url());
    assert_eq!((report.failure, report.releases), (None, vec![2]));
    assert_same(&publisher.dir(), &good.dir());
    assert!(bad.update(&site.url()).failure.unwrap().contains("not a good one: 1 damaged"));
    assert!(linked.update(&site.url()).failure.unwrap().contains("not a good one"));
    let (stop, meter) = (Default::default(), Default::default());
    let from = site.url().parse().unwrap();
    let job = daylight_mirror::update::Job {
        from: &from,
        to: &other.dir(),
        root: None,
        only: None,
        repair: false,
        now: 0,
        stop: &stop,
        meter: &meter,
    };
    assert!(daylight_mirror::update::update(&crate::client(), job).unwrap_err().to_string().contains("neither empty nor a copy"));
}

#[test]
fn a_site_that_gives_whole_files_only_is_good_enough() {
    let mut publisher = Publisher::new();
    publisher.release("town", &numbers(1, 500));
    publisher.release("town", &[Doc { people: 700, ..doc(900) }]);
    let archive = files(&publisher.dir());
    let site = Server::lying(&publisher.dir(), move |request| archive.get(&request.path).map(|bytes| Reply::ok(bytes.clone())));
    let copy = Copy::new();
    assert_eq!(copy.update(&site.url()).failure, None);
    assert_same(&publisher.dir(), &copy.dir());
}

#[test]
fn tiles_are_made_from_what_they_sum_up_and_never_fetched() {
    let mut publisher = Publisher::new();
    (1..300).for_each(|serial| publisher.beat(serial, "alive"));
    publisher.release("town", &numbers(1, 3));
    for tile in TilePath::tiles(publisher.size) {
        // A tile that is wrong, whether full or partial, is not believed, for nobody asks for it.
        publisher.put(&tile.to_string(), b"wrong");
    }
    publisher.put(&format!("{}tile/0/000.p/3", paths::release_prefix(1)), b"wrong");
    let site = Server::honest(&publisher.dir());
    let copy = Copy::new();
    assert_eq!(copy.update(&site.url()).failure, None);
    assert!(daylight_archive::verify(&copy.dir(), None, &mut |_| {}).ok());
}
