//! Others' programs on what was exported: libtorrent, bagit, rocrate, opentimestamps, as pinned in tests/python/requirements.txt.

use super::*;

/// What a script of tests/python says, which must succeed; `None` where its packages are not here.
fn python(script: &str, arguments: &[&Path]) -> Option<String> {
    Some(python_script(script, arguments)?.code(0).text())
}

#[test]
fn libtorrent_finds_the_archive_whole_and_downloads_it_from_the_web_seed_alone() {
    let publisher = Publisher::new();
    // So much that pieces have more than one block, and the last piece neither all of its blocks nor a whole one.
    let (large, mut state) = (publisher.at("large.bin"), 1_u64);
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    fs::write(&large, noise.take((33 << 20) + 12_345).collect::<Vec<u8>>()).unwrap();
    publisher.publish_file(&large);
    let volume = publisher.archive().join("release/2/volume/0.zip");
    assert!(fs::metadata(volume).unwrap().len() > 33 << 20);
    for archive in [publisher.archive(), demo().join("archive")] {
        let work = workplace();
        let Some(said) = python("torrent.py", &[program(), &archive, work.path()]) else { return };
        let releases = fs::read_dir(archive.join("release")).unwrap().count();
        assert_eq!((said.matches("whole").count(), said.matches("downloaded").count()), (releases, releases), "{said}");
        // The info hashes that we state are those that libtorrent calculates.
        let stated = exported(&archive, &work.path().join("torrents"), &["--format", "torrent"]);
        for torrent in stated["torrents"].as_array().unwrap() {
            for hash in ["info_hash_v1", "info_hash_v2"] {
                assert!(said.contains(torrent[hash].as_str().unwrap()), "{torrent}");
            }
        }
        // What was downloaded lies as it does in the archive.
        let got = files(&work.path().join("got"));
        let wanted = |name: &String| name.starts_with("release/") && !name.contains("/tile/");
        let wanted: BTreeMap<_, _> = files(&archive).into_iter().filter(|(name, _)| wanted(name)).collect();
        assert!(got == wanted, "{:?} and {:?}", got.keys(), wanted.keys());
    }
}

#[test]
fn bagit_finds_the_bag_valid_and_rocrate_reads_what_is_in_it() {
    let mut publisher = Publisher::new();
    let bag = publisher.at("bag");
    exported(&publisher.archive(), &bag, &["--format", "bagit"]);
    let Some(first) = python("bag.py", &[&bag]) else { return };
    publisher.publish();
    exported(&publisher.archive(), &bag, &["--format", "bagit"]);
    let second = python("bag.py", &[&bag]).unwrap();
    assert!(first.starts_with("valid ") && second.starts_with("valid ") && first != second, "{first}{second}");
    let payload = files(&bag.join("data"));
    let oxum = format!("{}.{}", payload.values().map(Vec::len).sum::<usize>(), payload.len());
    assert!(second.contains(&oxum), "{oxum} is not in {second}");
    daylight(["verify", path(&bag.join("data/archive"))]).code(0);
}

#[test]
fn a_timestamp_is_kept_if_it_is_of_a_state_of_the_archive_and_goes_with_every_copy() {
    let mut publisher = Publisher::new();
    let archive = publisher.archive();
    let at = |name: &str| publisher.at(name);
    let (text, early, block) = (at("checkpoint.txt"), at("early.ots"), at("block.ots"));
    daylight(["timestamp", path(&archive), "--out", path(&text)]).code(0);
    assert!(fs::read_to_string(archive.join("checkpoint")).unwrap().starts_with(&fs::read_to_string(&text).unwrap()));
    daylight(["timestamp", path(&archive), "--out", path(&text)]).code(1);
    let Some(_) = python("timestamp.py", &[&text, &early]) else { return };
    let said = python("timestamp.py", &[&text, &block, Path::new("900000")]).unwrap();
    let (digest, merkle) = said.trim().split_once(' ').unwrap();
    let attach = |file: &Path| daylight(["timestamp", path(&archive), "--attach", path(file), "--json"]);
    let promised = attach(&early).code(0).json();
    assert_eq!(promised["timestamps"][0]["attestations"][0]["calendar"], "https://calendar.example");
    let kept = attach(&block).code(0).json();
    assert_eq!((&kept["timestamps"][0]["sha256"], &kept["timestamps"][0]["log_size"]), (&digest.into(), &2.into()));
    let attested = kept["timestamps"][0]["attestations"].as_array().unwrap().iter().find(|one| one["kind"] == "bitcoin").unwrap();
    assert_eq!((&attested["height"], &attested["merkle_root"]), (&900_000.into(), &merkle.into()));
    // A promise does not take the place of a block; what is of something else, or no proof, is not taken.
    assert!(attach(&early).code(1).stderr.contains("names blocks already"));
    let other = Publisher::new();
    let strange = daylight(["timestamp", path(&other.archive()), "--attach", path(&block)]).code(1);
    assert!(strange.stderr.contains("that of no state of its log"), "{strange:?}");
    assert!(attach(&text).code(1).stderr.contains("not an OpenTimestamps proof"));
    daylight(["verify", path(&archive)]).code(0);

    // The log grows, and the text of the earlier state can be written again.
    publisher.publish();
    let again = publisher.at("again.txt");
    daylight(["timestamp", path(&archive), "--out", path(&again), "--size", "2"]).code(0);
    assert_eq!(fs::read(&again).unwrap(), fs::read(&text).unwrap());
    daylight(["timestamp", path(&archive), "--out", path(&publisher.at("x")), "--size", "9"]).code(1);
    let stick = publisher.at("stick");
    assert_eq!(exported(&archive, &stick, &[])["timestamps"], 1);
    let carried = daylight(["timestamp", path(&stick.join("archive")), "--json"]).code(0).json();
    assert_eq!(carried["timestamps"], kept["timestamps"]);
    // Also where a copy is copied on.
    let second = publisher.at("second");
    assert_eq!(exported(&stick.join("archive"), &second, &[])["timestamps"], 1);
    assert!(files(&stick) == files(&second));
    let folder = stick.join("archive.timestamps");
    fs::copy(&early, folder.join("another.ots")).unwrap();
    assert_eq!(daylight(["timestamp", path(&stick.join("archive")), "--json"]).code(0).json()["timestamps"], kept["timestamps"]);
    fs::write(folder.join("none.ots"), "x").unwrap();
    refused(&stick.join("archive"), &publisher.at("third"), &[], "none.ots");
}
