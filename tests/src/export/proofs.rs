//! The proof of one document: by our command, and by the commands that its page prints.

use super::*;

#[test]
fn a_proof_is_checked_without_the_archive_and_says_in_words_what_it_shows() {
    let publisher = Publisher::new();
    let (archive, proof) = (publisher.archive(), publisher.at("one.daylight-proof"));
    daylight(["prove", path(&archive), "sluice/1", "--out", path(&proof)]).code(0);
    assert!(daylight(["prove", path(&archive), "sluice/1", "--out", path(&proof)]).code(1).stderr.contains("one.daylight-proof"));
    let pinned = publisher.at("pinned.json");
    fs::copy(archive.join("root/1.json"), &pinned).unwrap();
    fs::rename(&archive, publisher.at("away")).unwrap();

    let words = daylight(["prove", "--check", path(&proof), "--root", path(&pinned)]).code(0).text();
    for part in ["VALID: sluice/1 was published", "signed by ana", "log size 2", "publisher is the one whose root was given", "Sluice 1"] {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    let words = daylight(["prove", "--check", path(&proof)]).code(0).text();
    assert!(words.contains("publisher not checked"), "{words}");
    let (message, stranger) = (publisher.at("1.eml"), publisher.at("ana.key"));
    let said = daylight(["prove", "--check", path(&proof), "--file", path(&message), "--json"]).code(0).json();
    assert_eq!((&said["valid"], &said["anchored"], &said["file"]["role"]), (&true.into(), &false.into(), &"raw".into()));
    let words = daylight(["prove", "--check", path(&proof), "--file", path(&stranger)]).code(1).text();
    assert!(words.starts_with("NOT VALID: the proof is valid, but"), "{words}");

    let other = Publisher::new();
    let stranger = other.archive().join("root/1.json");
    let words = daylight(["prove", "--check", path(&proof), "--root", path(&stranger)]).code(1).text();
    assert_eq!(words, "NOT VALID: it does not begin at the root that you trust\n");
    let whole = fs::read_to_string(&proof).unwrap();
    for (what, bytes) in
        [("cut", whole[..whole.len() / 2].to_owned()), ("changed", whole.replacen("Sluice", "Spruce", 1)), ("empty", String::new())]
    {
        let harmed = publisher.at("harmed");
        fs::write(&harmed, bytes).unwrap();
        let said = daylight(["prove", "--check", path(&harmed), "--root", path(&pinned)]).code(1);
        assert!(said.text().starts_with("NOT VALID: "), "{what}: {said:?}");
    }
    let away = publisher.at("away");
    assert!(daylight(["prove", path(&away), "sluice/99"]).code(1).stderr.contains("has no document sluice/99"));
    assert!(daylight(["prove", path(&away), "sluice"]).code(1).stderr.contains("COLLECTION/NUMBER"));
    daylight(["prove", path(&away)]).code(2);
}

/// What a page prints in its boxes of commands, as a browser shows it.
fn boxes(page: &str) -> Vec<String> {
    let parts = page.split("<pre class=\"commands\"").skip(1).map(|rest| {
        let inside = rest.split_once('>').unwrap().1.split("</pre>").next().unwrap();
        inside.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
    });
    parts.collect()
}

#[test]
fn the_commands_on_a_proofs_page_work_as_they_are_printed() {
    if !["unzip", "xxd", "openssl"].into_iter().all(tool) {
        return;
    }
    let mut publisher = Publisher::new();
    publisher.publish();
    let pages = [(publisher.archive(), vec!["sluice/1".to_owned(), "sluice/2".to_owned()]), (demo().join("archive"), in_demo())];
    for (archive, ids) in pages {
        let server = Server::start(&archive);
        for id in ids {
            let here = publisher.at(&id.replace('/', "-"));
            copy(&archive, &here);
            let page = get(&server.at(&format!("/c/{id}/proof")), &[]).text();
            // The original is saved where the commands are typed, under the name that it is given.
            let raw = get(&server.at(&format!("/c/{id}/raw")), &[]);
            if let Some(named) = raw.header("content-disposition").split('"').nth(1) {
                fs::write(here.join(named), &raw.body).unwrap();
            }
            let boxes = boxes(&page);
            assert!(boxes.len() >= 7, "{id}: {boxes:?}");
            boxes.iter().for_each(|text| check_typed(text, &here));
        }
    }
}

/// Documents of the demonstration's archive: a hit, and the first, a middle and the last line of the release.
fn in_demo() -> Vec<String> {
    let archive = demo().join("archive");
    let found = daylight(["search", path(&archive), "reservoir", "--json"]).json();
    let first = found["hits"][0]["id"].as_str().unwrap().to_owned();
    let collection = first.split_once('/').unwrap().0.to_owned();
    let lines = fs::read_to_string(archive.join("release/1/manifest/0")).unwrap().lines().count();
    [1, 200, lines].map(|number| format!("{collection}/{number}")).into_iter().chain([first]).collect()
}

/// Types what stands in a box, and compares every line with what the box says that it prints.
fn check_typed(text: &str, here: &Path) {
    let (typed, expected) = text.rsplit_once("\n\n").unwrap_or_else(|| panic!("{text:?} says not what it prints"));
    let output = Command::new("sh").args(["-eu", "-c", typed]).current_dir(here).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{typed}\n{output:?}");
    assert!(said.lines().count() > 0 && said.lines().all(|line| line.starts_with(expected)), "{typed}\ngives {said}not {expected}");
}
