use super::requests::{finished, keys, of_three};
use super::*;
use crate::request::{Request, RequestError};
use crate::roots::{Changes, Enacted, Proposal, begin, change, enact};
use daylight_archive::root::Succession;

fn public(world: &World, name: &str) -> daylight_archive::Key {
    let path = world.path(&format!("{name}.key"));
    if !path.exists() {
        SigningKeyFile::create(&path, name, None).unwrap();
    }
    world.key(&format!("{name}.key")).key()
}

fn proposal(world: &World, changes: Changes) -> Proposal<'_> {
    Proposal { archive: &world.site, log_key: &world.log_key, changes }
}

fn sign(world: &World, request: &Request, names: &[&str]) -> Request {
    let mut request = request.clone();
    keys(world, names).iter().for_each(|key| assert!(request.sign(key.signer()).unwrap()));
    request
}

fn put(world: &World, request: &Request) -> Result<Enacted> {
    enact(&world.site, &world.log_key, request, None)
}

/// Two of three editors, two of three recovery keys, and no release yet.
fn begun() -> World {
    let world = World::new();
    let of = |names: [&str; 3]| Some(names.map(|name| public(&world, name)).to_vec());
    let changes = Changes { editors: of(["ada", "bob", "eve"]), recovery: of(["rex", "roy", "ria"]), ..Changes::default() };
    let request = begin(&proposal(&world, changes), Some("news.example/papers")).unwrap();
    assert!(matches!(put(&world, &sign(&world, &request, &["ada"])), Err(Error::Asked(RequestError::TooFew { .. }))));
    assert!(!world.path("archive/checkpoint").exists());
    let enacted = put(&world, &sign(&world, &request, &["eve", "ada"])).unwrap();
    assert_eq!((enacted.version, enacted.size, enacted.succession, enacted.already), (1, 1, Succession::First, false));
    assert!(put(&world, &sign(&world, &request, &["eve", "ada"])).unwrap().already);
    world
}

#[test]
fn an_archive_may_have_a_root_and_no_release_yet() {
    let world = begun();
    world.verify();
    let archive = world.archive();
    assert_eq!((archive.head(), archive.releases().len(), archive.origin()), (1, 0, "news.example/papers"));
    assert_eq!((archive.root().editors.threshold, archive.root().recovery.threshold), (2, 2));
    assert!(matches!(begin(&proposal(&world, Changes::default()), None), Err(Error::HasRoot(_))));
    assert!(world.publish().unwrap().waiting.is_some(), "one key of two");
    let published = world.publish_with(&keys(&world, &["bob", "ada"]), |job| job).unwrap().published.unwrap();
    assert_eq!((published.serial, published.size), (1, 2));
    world.verify();
}

#[test]
fn editors_come_and_go_by_the_old_and_the_new() {
    let world = of_three();
    let changes = Changes {
        add: vec![public(&world, "mia")],
        remove: vec!["ada".into()],
        add_mirrors: vec!["https://m.example/".into()],
        ..Changes::default()
    };
    let request = change(&proposal(&world, changes.clone())).unwrap();
    let too_few = |names: &[&str]| matches!(put(&world, &sign(&world, &request, names)), Err(Error::Asked(RequestError::TooFew { .. })));
    assert!(too_few(&["ada", "bob"]), "only the old");
    assert!(too_few(&["eve", "mia"]), "only the new");
    let enacted = put(&world, &sign(&world, &request, &["mia", "ada", "bob"])).unwrap();
    assert_eq!((enacted.version, enacted.size, enacted.succession), (2, 3, Succession::Editors));
    world.verify();
    let archive = world.archive();
    assert_eq!((archive.root().mirrors.len(), archive.root().retired[0].size), (1, 2));
    let again = change(&proposal(&world, changes)).unwrap_err();
    assert!(matches!(again, Error::InForce { version: 2, .. }), "{again}");
    // Ada's signature counts no more; those who stay publish on.
    let refused = world.publish_with(&keys(&world, &["ada", "bob"]), |job| job).unwrap_err().to_string();
    assert!(refused.contains("ada.key is not a key of an editor") && refused.contains("root 2 lists bob, eve, mia"), "{refused}");
    assert_eq!(world.publish_with(&keys(&world, &["mia", "bob"]), |job| job).unwrap().published.unwrap().serial, 2);
    world.verify();
    // A delegated rollback: the old root again, or its request.
    let back = put(&world, &sign(&world, &request, &["bob", "eve", "mia"])).unwrap();
    assert!(back.already && back.version == 2);
    assert!(matches!(change(&proposal(&world, Changes::default())), Err(Error::Root(_))), "nothing would change");
    assert!(matches!(change(&proposal(&world, Changes { remove: vec!["ada".into()], ..Changes::default() })), Err(Error::Root(_))));
    assert!(matches!(change(&proposal(&world, Changes { add: vec![public(&world, "mia")], ..Changes::default() })), Err(Error::Root(_))));
}

#[test]
fn a_root_signed_for_before_the_archive_moved_on_is_refused_where_it_would_harm() {
    let world = of_three();
    let changes = Changes { add: vec![public(&world, "mia")], remove: vec!["ada".into()], ..Changes::default() };
    let request = sign(&world, &change(&proposal(&world, changes)).unwrap(), &["ada", "bob", "mia"]);
    // Meanwhile ada signs a release at the very size from which her signatures would not count.
    world.publish_with(&keys(&world, &["ada", "bob"]), |job| job).unwrap().published.unwrap();
    let refused = put(&world, &request).unwrap_err().to_string();
    assert!(refused.contains("moved on") && refused.contains("release/2/note"), "{refused}");
    world.verify();

    // A release that was asked for under the old root is refused under the new.
    let world = of_three();
    let release = sign(&world, &world.publish_with(&[], |job| job).unwrap().waiting.unwrap().request, &["bob", "eve"]);
    let root = change(&proposal(&world, Changes { add: vec![public(&world, "mia")], ..Changes::default() })).unwrap();
    let root = sign(&world, &root, &["bob", "eve"]);
    put(&world, &root).unwrap();
    let refused = finished(&world, &release).unwrap_err().to_string();
    assert!(refused.contains("root 2 is in force by now"), "{refused}");
    let other = change(&proposal(&world, Changes { threshold: Some(3), ..Changes::default() })).unwrap();
    let signed = sign(&world, &other, &["bob", "eve", "ada"]);
    put(&world, &signed).unwrap();
    assert!(matches!(put(&world, &sign(&world, &other, &["bob", "eve", "mia"])), Ok(Enacted { already: true, .. })));
}

#[test]
fn recovery_keys_put_new_editors_in_and_readers_are_told() {
    let world = begun();
    world.publish_with(&keys(&world, &["bob", "ada"]), |job| job).unwrap();
    let new = ["nan", "ned", "nat"].map(|name| public(&world, name)).to_vec();
    let request = change(&proposal(&world, Changes { editors: Some(new), ..Changes::default() })).unwrap();
    assert!(matches!(put(&world, &sign(&world, &request, &["rex"])), Err(Error::Asked(RequestError::TooFew { .. }))));
    let enacted = put(&world, &sign(&world, &request, &["rex", "ria"])).unwrap();
    assert_eq!((enacted.version, enacted.succession), (2, Succession::Recovery));
    let report = verify(&world.site, None, &mut |_| {});
    assert!(report.ok() && report.recovered == [2], "{report:?}");
    assert_eq!(world.archive().root().retired.len(), 3);
}

#[test]
fn the_logs_key_changes_with_a_root_and_its_promise_follows() {
    let world = of_three();
    let old = public_of(&world.log_key);
    let request = change(&proposal(&world, Changes { change_log_key: true, ..Changes::default() })).unwrap();
    assert_eq!(
        request.text(),
        change(&proposal(&world, Changes { change_log_key: true, ..Changes::default() })).unwrap().text(),
        "one key waits"
    );
    // While it waits the old key signs on.
    world.publish_with(&keys(&world, &["ada", "bob"]), |job| job).unwrap().published.unwrap();
    let enacted = put(&world, &sign(&world, &request, &["ada", "bob"])).unwrap();
    assert!(enacted.log_key_changed && enacted.version == 2);
    world.verify();
    let new = public_of(&world.log_key);
    assert!(old != new && world.archive().root().log == new && old.name() == new.name());
    let names: Vec<String> = files(&world.path("desk")).into_keys().filter(|name| name.starts_with("log.key")).collect();
    let kept = format!("log.key.old-{:08x}", u32::from_be_bytes(old.id()));
    assert_eq!(names, ["log.key".to_owned(), kept.clone(), format!("{kept}.signed"), "log.key.signed".into()]);
    world.ingest(|trove| _ = trove.message(60, "after it", &[]));
    world.clear_all();
    assert_eq!(world.publish_with(&keys(&world, &["ada", "bob"]), |job| job).unwrap().published.unwrap().serial, 3);
    world.verify();
    // The old key, brought back with what it promised, does not sign on: two publishers on one log.
    let stale = world.path("stale.key");
    fs::copy(world.path("desk").join(&kept), &stale).unwrap();
    fs::copy(world.path("desk").join(format!("{kept}.signed")), world.path("stale.key.signed")).unwrap();
    world.ingest(|trove| _ = trove.message(70, "and after", &[]));
    world.clear_all();
    let refused = world.publish_with(&keys(&world, &["ada", "bob"]), |job| Job { log_key: &stale, ..job }).unwrap_err();
    assert!(matches!(refused, Error::OtherLogKey(_)), "{refused}");
}

fn public_of(path: &Path) -> daylight_archive::Key {
    SigningKeyFile::read(path, &mut |_| None).unwrap().key()
}

#[test]
fn a_lost_log_key_is_replaced_by_recovery() {
    let world = begun();
    world.publish_with(&keys(&world, &["bob", "ada"]), |job| job).unwrap();
    fs::remove_file(&world.log_key).unwrap();
    fs::remove_file(world.path("desk/log.key.signed")).unwrap();
    let gone = change(&proposal(&world, Changes { threshold: Some(2), add: vec![public(&world, "mia")], ..Changes::default() }));
    assert!(gone.is_err() && !world.log_key.exists(), "no key is made by the way");
    let changes = Changes { change_log_key: true, ..Changes::default() };
    let request = sign(&world, &change(&proposal(&world, changes)).unwrap(), &["roy", "rex"]);
    put(&world, &request).unwrap();
    world.verify();
    world.ingest(|trove| _ = trove.message(80, "later", &[]));
    world.clear_all();
    assert_eq!(world.publish_with(&keys(&world, &["bob", "ada"]), |job| job).unwrap().published.unwrap().serial, 2);
    world.verify();
}
