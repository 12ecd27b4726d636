use super::*;
use crate::request::{Request, RequestError};
use crate::staged::review;

/// A world whose archive has a root of ada, bob and eve, of whom two must sign, and a first release.
pub(super) fn of_three() -> World {
    let world = World::new();
    for name in ["bob", "eve"] {
        SigningKeyFile::create(&world.path(&format!("{name}.key")), name, None).unwrap();
    }
    world.publish_with(&keys(&world, &["ada", "bob", "eve"]), |job| job).unwrap().published.unwrap();
    world.ingest(|trove| _ = trove.message(40, "more", &["one"]));
    world.clear_all();
    world
}

pub(super) fn keys(world: &World, names: &[&str]) -> Vec<SigningKeyFile> {
    names.iter().map(|name| world.key(&format!("{name}.key"))).collect()
}

fn asked(world: &World, names: &[&str]) -> Request {
    world.publish_with(&keys(world, names), |job| job).unwrap().waiting.unwrap().request
}

fn signed(world: &World, request: &Request, name: &str) -> Request {
    let mut copy = Request::parse(&request.to_bytes().unwrap()).unwrap();
    assert!(copy.sign(world.key(&format!("{name}.key")).signer()).unwrap());
    copy
}

pub(super) fn finished(world: &World, request: &Request) -> Result<Outcome> {
    finish(&mut world.desk(), &Finish { request, archive: &world.site, log_key: &world.log_key, witnessing: None }, &mut |_| {})
}

#[test]
fn signed_on_request_a_release_has_the_bytes_that_it_has_signed_at_once() {
    let world = of_three();
    // The draft draws the salts: both ways go on from the same one.
    let request = asked(&world, &[]);
    let at_once = super::crashes::copy_of(&world);
    let published = at_once.publish_with(&keys(&at_once, &["eve", "ada"]), |job| job).unwrap().published.unwrap();
    assert_eq!((published.serial, published.documents), (2, 1));

    let mut collected = signed(&world, &request, "eve");
    assert!(matches!(finished(&world, &collected), Err(Error::Asked(RequestError::TooFew { .. }))));
    collected.merge(&signed(&world, &request, "ada")).unwrap();
    let published = finished(&world, &collected).unwrap().published.unwrap();
    assert_eq!((published.serial, published.documents), (2, 1));
    world.verify();
    assert_eq!(world.files(), at_once.files());
    assert!(finished(&world, &collected).unwrap().published.is_none(), "there is nothing left to do");
    assert_eq!(world.publish().unwrap().published, None);
}

#[test]
fn a_request_is_the_same_until_something_is_decided_otherwise() {
    let world = of_three();
    let request = asked(&world, &["ada"]);
    assert_eq!(request.text(), asked(&world, &[]).text());
    let path = world.path("release-2.request");
    write_request(&path, &mut request.clone()).unwrap();
    let mut again = asked(&world, &["bob"]);
    write_request(&path, &mut again).unwrap();
    let there = read_request(&path).unwrap();
    assert!(there.standing().unwrap().complete() && again.standing().unwrap().complete(), "signatures are added, never lost");

    let seq = world.desk().resolve(&last_message()).unwrap();
    daylight_review::hold(&mut world.desk(), COUNCIL, &[seq], "Ada", "a name in it", NOW).unwrap();
    assert!(matches!(finished(&world, &there), Err(Error::NoLongerClear(2))), "what was held meanwhile is not published, whoever signed");
    assert!(world.publish().unwrap().waiting.is_none());
    assert!(matches!(finished(&world, &there), Err(Error::OtherRelease { .. })), "the draft is gone");
}

/// The id of the message that `of_three` has waiting.
fn last_message() -> String {
    DocumentId::of(Kind::Message, &Digest::of(b"Subject: About more\r\n\r\nThe words of more.\r\n"), "").to_string()
}

#[test]
fn signatures_for_an_archive_that_moved_on_are_refused() {
    let world = of_three();
    let request = asked(&world, &["ada"]);
    let complete = signed(&world, &request, "bob");
    let before = super::crashes::copy_of(&world);
    finished(&world, &complete).unwrap();
    world.ingest(|trove| _ = trove.message(50, "still more", &[]));
    world.clear_all();
    let third = signed(&world, &asked(&world, &["eve"]), "bob");
    assert!(finished(&before, &third).is_err(), "release 3 where release 2 is next");
    finished(&world, &third).unwrap().published.unwrap();
    world.verify();
    // A release replayed: its serial is taken.
    let text = request.text().replace("title Town council", "title Town councillors");
    assert_ne!(text, request.text());
    let other = World::new();
    assert!(finished(&other, &third).is_err(), "a release from another archive");
}

#[test]
fn a_staged_release_that_was_tampered_with_is_written_again_or_seen_by_who_signs() {
    let world = of_three();
    let request = signed(&world, &asked(&world, &["ada"]), "bob");
    let mut seen = Vec::new();
    let clean = review(&request, &world.site, &mut |line, replaces| seen.push((line.record.title.clone(), replaces))).unwrap();
    assert_eq!((clean.problems.len(), clean.new, clean.replacing), (0, 1, 0), "{clean:?}");
    assert_eq!(seen, [("About more".to_owned(), false)]);

    let volume = world.site.join("release/2/volume/0.zip");
    let mut bytes = fs::read(&volume).unwrap();
    let at = memchr::memmem::find(&bytes, b"words of more").unwrap();
    bytes[at] = b'W';
    fs::write(&volume, &bytes).unwrap();
    fs::write(world.site.join("release/2/manifest/7"), "x").unwrap();
    let dirty = review(&request, &world.site, &mut |_, _| {}).unwrap();
    assert!(
        dirty.problems.iter().any(|p| p.contains("volume/0.zip")) && dirty.problems.iter().any(|p| p.contains("manifest/7")),
        "{dirty:?}"
    );
    finished(&world, &request).unwrap();
    world.verify();
}

#[test]
fn fewer_than_k_stolen_keys_publish_nothing() {
    let world = of_three();
    let before = world.files();
    // The thief has one editor's key, the log's key and the whole desk: the release is staged and waits.
    let mut request = asked(&world, &["eve"]);
    assert!(matches!(finished(&world, &request), Err(Error::Asked(RequestError::TooFew { .. }))));
    // A copy of the signature, or the same key under another name, is no second editor.
    request.merge(&request.clone()).unwrap();
    assert!(matches!(finished(&world, &request), Err(Error::Asked(RequestError::TooFew { .. }))));
    let log = SigningKeyFile::read(&world.log_key, &mut |_| None).unwrap();
    assert!(matches!(request.sign(log.signer()), Err(RequestError::NotAParty { .. })));
    for (path, bytes) in &before {
        assert_eq!(world.files().get(path), Some(bytes), "{path}");
    }
    let report = daylight_archive::verify(&world.site, None, &mut |_| {});
    assert!(
        report.releases == 1 && report.problems.iter().all(|p| p.path.starts_with("release/2/") && p.what.starts_with("added")),
        "{report:?}"
    );
}
