use super::*;

fn refused(outcome: Result<Outcome>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn keys_that_the_root_does_not_have_and_too_few_are_refused() {
    let world = World::new();
    let make = |name: &str| SigningKeyFile::create(&world.path(&format!("{name}.key")), name, None).unwrap();
    let [bob, eve, mia] = ["bob", "eve", "mia"].map(make);
    assert!(refused(world.publish_with(&[], |job| job)).contains("has no root yet"));
    let two = [world.key("ada.key"), world.key("bob.key")];
    assert!(refused(world.publish_with(&two, |job| job)).contains("at least 2 and less than the number"));
    assert!(!world.path("archive/root").exists());

    let three = [world.key("ada.key"), bob, eve];
    world.publish_with(&three, |job| job).unwrap();
    assert_eq!(world.archive().root().editors.threshold, 2);
    world.ingest(|trove| _ = trove.message(40, "more", &[]));
    world.clear_all();
    let before = world.archive().head();
    let one = world.publish().unwrap();
    assert!(one.published.is_none() && one.waiting.unwrap().request.standing().unwrap().words()[0].contains("signed by ada"));
    let twice = world.publish_with(&[world.key("ada.key"), world.key("ada.key")], |job| job).unwrap();
    assert!(twice.published.is_none() && twice.waiting.is_some(), "the same key twice is one key");
    assert_eq!(world.archive().head(), before, "one of two keys publishes nothing");
    let stranger = refused(world.publish_with(&[world.key("ada.key"), mia], |job| job));
    assert!(stranger.contains("mia.key") && stranger.contains("ada, bob, eve"), "{stranger}");
    world.publish_with(&three[..2], |job| job).unwrap().published.unwrap();
    world.verify();
}

#[test]
fn a_log_never_signs_what_contradicts_what_it_signed() {
    let world = World::new();
    world.published();
    let old_archive = world.files();
    let old_promise = fs::read(world.path("desk/log.key.signed")).unwrap();
    world.ingest(|trove| _ = trove.message(40, "more", &[]));
    world.clear_all();
    world.published();
    let new_archive = world.files();
    world.ingest(|trove| _ = trove.message(50, "and more", &[]));
    world.clear_all();

    let lay = |files: &BTreeMap<String, Vec<u8>>| {
        fs::remove_dir_all(world.path("archive")).unwrap();
        for (path, bytes) in files {
            fs::create_dir_all(world.path("archive").join(path).parent().unwrap()).unwrap();
            fs::write(world.path("archive").join(path), bytes).unwrap();
        }
    };
    lay(&old_archive);
    assert!(refused(world.publish()).contains("has 2 log entries, but its key has signed 3"));
    assert_eq!(world.files(), old_archive, "nothing was touched");
    lay(&BTreeMap::new());
    assert!(refused(world.publish()).contains("has 0 log entries"));
    lay(&new_archive);
    let new_promise = fs::read(world.path("desk/log.key.signed")).unwrap();
    fs::write(world.path("desk/log.key.signed"), old_promise).unwrap();
    assert!(refused(world.publish()).contains("this desk has signed only 2"));
    fs::write(world.path("desk/log.key.signed"), new_promise).unwrap();
    assert_eq!(world.published().serial, 3);
    world.verify();
}

#[test]
fn another_desk_another_name_and_a_folder_of_something_else_are_refused() {
    let (world, other) = (World::new(), World::new());
    world.published();
    let elsewhere = world.path("archive");
    let editors = [other.key("ada.key")];
    let foreign = refused(other.publish_with(&editors, |job| Job { archive: &elsewhere, ..job }));
    assert!(foreign.contains("only the desk that began an archive"), "{foreign}");
    let renamed = refused(other.publish_with(&editors, |job| Job { origin: Some("news.example/papers"), ..job }));
    assert!(renamed.contains("is named daylight-"), "{renamed}");
    let busy = crate::promise::lock(&elsewhere).unwrap();
    assert!(refused(world.publish()).contains("in use by another publish"));
    drop(busy);
    fs::create_dir(other.path("full")).unwrap();
    fs::write(other.path("full/letter.txt"), "mine").unwrap();
    let full = other.path("full");
    assert!(refused(other.publish_with(&editors, |job| Job { archive: &full, ..job })).contains("not an archive"));

    let (named, key) = (other.path("named"), other.path("desk/other.key"));
    other.publish_with(&editors, |job| Job { archive: &named, log_key: &key, origin: Some("news.example/papers"), ..job }).unwrap();
    assert_eq!(Archive::open(&named).unwrap().origin(), "news.example/papers");
}
