//! What a copy is, and what it never does.

use super::*;

#[test]
fn a_copy_explains_itself_and_is_read_and_verified_where_it_lies() {
    let (work, archive) = (workplace(), demo().join("archive"));
    let (stick, pinned) = (work.path().join("stick"), archive.join("root/1.json"));
    let said = exported(&archive, &stick, &["--root", path(&pinned)]);
    assert_eq!((said["anchored"].as_bool(), said["files"] == said["written_files"]), (Some(true), true), "{said}");
    let copied = files(&stick);
    for (name, bytes) in files(&archive) {
        assert!(copied[&format!("archive/{name}")] == bytes, "{name}");
    }
    let (copy, given) = (stick.join("archive"), stick.join("root.json"));
    daylight(["verify", path(&copy), "--root", path(&given)]).code(0);
    assert!(get(&Server::start(&copy).at("/"), &[]).is_html());

    let digest = sha256(&fs::read(&pinned).unwrap());
    for page in ["READ-ME.txt", "READ-ME.html"] {
        let text = String::from_utf8(copied[page].clone()).unwrap();
        assert_eq!(text.matches(&digest).count(), 6, "{page} names the root once in each language");
        for words in ["daylight serve archive", "python3 verify.py archive root.json", "Ohne das", "Копируйте"] {
            assert!(text.contains(words), "{words} is not in {page}");
        }
        assert!(text.contains("who says to have it from a place they trust"), "{page}");
    }
    assert!(!copied["READ-ME.html"].is_ascii() && copied["verify.py"] == fs::read(root().join("docs/verify.py")).unwrap());

    // What the page tells to type works as it is printed.
    if Command::new("python3").args(["-c", "import cryptography"]).status().is_ok_and(|status| status.success()) {
        let typed = Command::new("sh").args(["-c", "python3 verify.py archive root.json"]).current_dir(&stick).output().unwrap();
        assert!(typed.status.success(), "{typed:?}");
    }
    let said = exported(&archive, &stick, &["--root", path(&pinned)]);
    assert_eq!((said["written_files"].as_u64(), said["written_bytes"].as_u64()), (Some(0), Some(0)), "{said}");
}

#[test]
fn a_second_run_copies_only_what_is_new_and_mends_what_was_changed() {
    let mut publisher = Publisher::new();
    let stick = publisher.at("stick");
    exported(&publisher.archive(), &stick, &[]);
    let volume = stick.join("archive/release/1/volume/0.zip");
    let before = fs::metadata(&volume).unwrap().modified().unwrap();
    publisher.publish();
    let said = exported(&publisher.archive(), &stick, &[]);
    let new = said["written_files"].as_u64().unwrap();
    assert!(new < said["files"].as_u64().unwrap() && fs::metadata(&volume).unwrap().modified().unwrap() == before, "{said}");
    daylight(["verify", path(&stick.join("archive"))]).code(0);

    // One byte of a file of the same length, as bad sticks and bad people change it; and a partial tile of an earlier size may stay.
    let mut bytes = fs::read(&volume).unwrap();
    bytes[200] ^= 1;
    fs::write(&volume, bytes).unwrap();
    daylight(["verify", path(&stick.join("archive"))]).code(1);
    assert_eq!(exported(&publisher.archive(), &stick, &[])["written_files"], 1);
    daylight(["verify", path(&stick.join("archive"))]).code(0);
    let narrow = stick.join("archive/tile/0/000.p/2");
    assert!(narrow.is_file(), "the tile of the first release's log");
    fs::remove_file(publisher.archive().join("tile/0/000.p/2")).unwrap();
    exported(&publisher.archive(), &stick, &[]);
    assert!(narrow.is_file());
}

#[test]
fn a_copy_is_of_the_same_bytes_whoever_makes_it() {
    let mut publisher = Publisher::new();
    publisher.publish();
    let [one, other] = ["one", "other"].map(|name| {
        let to = publisher.at(name);
        exported(&publisher.archive(), &to, &[]);
        let torrents = to.join("torrents");
        exported(&publisher.archive(), &torrents, &["--format", "torrent", "--web-seed", "https://a.example/x"]);
        exported(&publisher.archive(), &to.join("bag"), &["--format", "bagit"]);
        exported(&publisher.archive(), &to.join("x.tar"), &[]);
        files(&to)
    });
    assert!(one == other, "{:?}", one.keys());
    let comments = one.iter().filter(|(name, _)| name.ends_with(".torrent")).map(|(_, bytes)| bytes);
    assert_eq!(comments.clone().count(), 2);
    assert!(comments.into_iter().all(|bytes| !bytes.windows(13).any(|part| part == b"creation date")));
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let mut publisher = Publisher::new();
    let archive = publisher.archive();
    let place = |name: &str| publisher.at(name);

    let theirs = place("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("READ-ME.txt"), "mine").unwrap();
    refused(&archive, &theirs, &[], "is there already and was not made by an export");
    assert_eq!(files(&theirs), BTreeMap::from([("READ-ME.txt".to_owned(), b"mine".to_vec())]));
    fs::rename(theirs.join("READ-ME.txt"), theirs.join("photo.jpg")).unwrap();
    exported(&archive, &theirs, &[]);
    assert_eq!(fs::read(theirs.join("photo.jpg")).unwrap(), b"mine", "what has another name may stand beside it");
    fs::write(theirs.join("archive/added"), "x").unwrap();
    refused(&archive, &theirs, &[], "is no part of the archive");
    assert!(theirs.join("archive/added").exists());

    // The folder in which an archive of that name lies is no export of it.
    refused(&archive, archive.parent().unwrap(), &[], "was not made by an export");
    assert!(!archive.with_file_name("READ-ME.txt").exists());
    refused(&archive, &archive.join("copy"), &[], "inside the archive");
    assert!(!archive.join("copy").exists());
    refused(&archive, &place("x.zip"), &[], "ends in .tar");
    refused(&archive, &place("x.tar"), &["--format", "torrent"], "name a folder");
    let stranger = place("stranger.json");
    fs::write(&stranger, "{}").unwrap();
    refused(&archive, &place("pinned"), &["--root", path(&stranger)], "root/1.json");

    let linked = place("linked");
    fs::create_dir(&linked).unwrap();
    fs::create_dir(place("elsewhere")).unwrap();
    std::os::unix::fs::symlink(place("elsewhere"), linked.join("archive")).unwrap();
    refused(&archive, &linked, &[], "is no folder");
    assert!(files(&place("elsewhere")).is_empty() && files(&linked).is_empty());

    let other = Publisher::new();
    refused(&other.archive(), &theirs, &[], "another archive");

    // An older archive never takes the place of a newer copy.
    let (old, stick) = (publisher.at("old"), publisher.at("newer"));
    copy(&archive, &old);
    publisher.publish();
    exported(&publisher.archive(), &stick, &[]);
    let before = files(&stick);
    refused(&old, &stick, &[], "is newer (log size 3) than the archive (2)");
    assert!(files(&stick) == before);
}

#[test]
fn a_damaged_archive_is_refused_by_the_name_of_the_file_and_nothing_is_written() {
    let publisher = Publisher::new();
    let harmed = publisher.at("harmed");
    copy(&publisher.archive(), &harmed);
    let volume = harmed.join("release/1/volume/0.zip");
    let mut bytes = fs::read(&volume).unwrap();
    bytes[300] ^= 1;
    fs::write(&volume, bytes).unwrap();
    for format in ["copy", "bagit", "torrent"] {
        let to = publisher.at(format);
        refused(&harmed, &to, &["--format", format], "release/1/volume/0.zip");
        assert!(!to.exists(), "{format}");
    }
    refused(&harmed, &publisher.at("x.tar"), &[], "release/1/volume/0.zip");
    refused(&publisher.at("desk"), &publisher.at("copy"), &[], "is not an archive");
}

#[test]
fn nobody_publishes_into_an_archive_while_it_is_copied_nor_is_it_copied_meanwhile() {
    let publisher = Publisher::new();
    let held = File::open(publisher.archive()).unwrap();
    held.lock().unwrap();
    refused(&publisher.archive(), &publisher.at("stick"), &[], "is being written to");
    drop(held);
    let stick = publisher.at("stick");
    fs::create_dir(&stick).unwrap();
    let held = File::open(&stick).unwrap();
    held.lock().unwrap();
    refused(&publisher.archive(), &stick, &[], "another export is writing there");
}

#[test]
fn the_description_for_programs_names_what_is_there_and_nothing_else() {
    let work = workplace();
    let stick = work.path().join("stick");
    exported(&demo().join("archive"), &stick, &[]);
    let whole: Value = serde_json::from_slice(&fs::read(stick.join("ro-crate-metadata.json")).unwrap()).unwrap();
    assert_eq!(whole["@context"], "https://w3id.org/ro/crate/1.2/context");
    let entities: BTreeMap<&str, &Value> =
        whole["@graph"].as_array().unwrap().iter().map(|entity| (entity["@id"].as_str().unwrap(), entity)).collect();
    assert_eq!(entities.len(), whole["@graph"].as_array().unwrap().len(), "an @id stands twice");
    let descriptor = entities["ro-crate-metadata.json"];
    assert_eq!((&descriptor["@type"], &descriptor["about"]["@id"]), (&"CreativeWork".into(), &"./".into()));
    assert_eq!(descriptor["conformsTo"]["@id"], "https://w3id.org/ro/crate/1.2");
    for key in ["name", "description", "datePublished", "license"] {
        assert!(!entities["./"][key].is_null(), "the root data entity must have {key}");
    }
    assert!(entities["#licence"]["description"].as_str().unwrap().contains("nothing is known"));
    // Every data entity is reached from the root, and is there with its length and digest; every file but tiles is an entity.
    let mut reached = BTreeSet::from(["./"]);
    let mut next = vec!["./"];
    while let Some(id) = next.pop() {
        for part in entities[id]["hasPart"].as_array().into_iter().flatten() {
            let part = part["@id"].as_str().unwrap();
            assert!(reached.insert(part), "{part} is part of two");
            next.push(part);
        }
    }
    let mut described = BTreeSet::new();
    for (id, entity) in &entities {
        match entity["@type"].as_str().unwrap() {
            "File" => {
                let bytes = fs::read(stick.join(id)).unwrap();
                assert_eq!(
                    (entity["contentSize"].as_str(), entity["sha256"].as_str()),
                    (Some(&*bytes.len().to_string()), Some(&*sha256(&bytes)))
                );
                described.insert((*id).to_owned());
            }
            "Dataset" => assert!(id.ends_with('/') && stick.join(id).is_dir(), "{id}"),
            _ => continue,
        }
        assert!(reached.contains(id), "{id} is part of nothing");
    }
    let there = files(&stick).into_keys().filter(|name| !name.contains("/tile/") && name != "ro-crate-metadata.json");
    assert_eq!(described, there.collect());
}

#[test]
fn a_copy_whose_log_contradicts_the_archives_is_not_touched() {
    let mut publisher = Publisher::new();
    // The same desk and keys twice, as a restored backup has them: each goes on in its own way.
    let mut twin = Publisher { work: workplace(), messages: 10 };
    for name in ["desk", "archive", "ana.key", "ana.key.pub"] {
        copy(&publisher.at(name), &twin.at(name));
    }
    publisher.publish();
    twin.publish();
    let stick = publisher.at("stick");
    exported(&publisher.archive(), &stick, &[]);
    let before = files(&stick);
    refused(&twin.archive(), &stick, &[], "one of the two was forged");
    twin.publish();
    refused(&twin.archive(), &stick, &[], "one of the two was forged");
    assert!(files(&stick) == before);
}

#[test]
fn what_was_withdrawn_goes_from_every_form_of_copy_with_the_next_run() {
    let mut publisher = Publisher::new();
    let withdrawn = publisher.at("2.eml");
    publisher.publish();
    publisher.publish();
    let forms = [
        ("stick", vec![]),
        ("bag", vec!["--format", "bagit"]),
        ("torrents", vec!["--format", "torrent", "--web-seed", "https://a.example/x"]),
    ];
    let all = |publisher: &Publisher| forms.iter().for_each(|(name, more)| _ = exported(&publisher.archive(), &publisher.at(name), more));
    all(&publisher);
    let (desk, archive, key) = (publisher.at("desk"), publisher.archive(), publisher.at("ana.key"));
    let words = ["--reason", "it names a child", "--erase", "--key", path(&key)];
    daylight([&["withdraw", path(&desk), "--to", path(&archive), "sluice/2"], words.as_slice()].concat()).code(0);
    all(&publisher);
    let tar = publisher.at("all.tar");
    exported(&archive, &tar, &[]);
    let canary = b"the sluice at mark 2";
    assert!(fs::read(&withdrawn).unwrap().windows(canary.len()).any(|part| part == canary));
    for folder in ["archive", "stick", "bag", "torrents"] {
        let kept: Vec<String> = files(&publisher.at(folder))
            .into_iter()
            .filter(|(_, bytes)| bytes.windows(canary.len()).any(|part| part == canary))
            .map(|(name, _)| name)
            .collect();
        assert!(kept.is_empty(), "{folder}: {kept:?}");
    }
    assert!(!fs::read(&tar).unwrap().windows(canary.len()).any(|part| part == canary));
    for copy in ["stick/archive", "bag/data/archive"] {
        let said = daylight(["verify", path(&publisher.at(copy)), "--json"]).code(0).json();
        assert_eq!((said["withdrawn"].as_u64(), said["erased"].as_u64()), (Some(1), Some(1)), "{copy}: {said}");
    }
}
