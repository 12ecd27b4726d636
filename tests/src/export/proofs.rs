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
    let (work, archive) = (workplace(), demo().join("archive"));
    let server = Server::start(&archive);
    let found = daylight(["search", path(&archive), "retaining wall", "--json"]).json();
    let first = found["hits"][0]["id"].as_str().unwrap().to_owned();
    // An attachment or a reply, and the first and the last line of the release.
    let collection = first.split_once('/').unwrap().0.to_owned();
    let documents = fs::read_to_string(archive.join("release/1/manifest/0")).unwrap().lines().count();
    for id in [first, format!("{collection}/1"), format!("{collection}/{documents}")] {
        let here = work.path().join(id.replace('/', "-"));
        copy(&archive, &here);
        let page = get(&server.at(&format!("/c/{id}/proof")), &[]).text();
        let boxes = boxes(&page);
        // The original is saved where the commands are typed, under the name that they have for it.
        let raw = get(&server.at(&format!("/c/{id}/raw")), &[]);
        let named =
            raw.header("content-disposition").split("filename=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        fs::write(here.join(named), &raw.body).unwrap();
        let script = boxes.iter().filter(|text| text.contains("sha256sum") || text.contains("up ")).cloned().collect::<Vec<_>>();
        assert!(script.len() >= 4, "{boxes:?}");
        for text in &script {
            let (typed, expected) = text.rsplit_once("\n\n").unwrap();
            let output = Command::new("sh").args(["-eu", "-c", typed]).current_dir(&here).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && output.stderr.is_empty(), "{typed}\n{output:?}");
            let lines: Vec<&str> = said.lines().collect();
            assert!(
                !lines.is_empty() && lines.iter().all(|line| line.starts_with(expected.trim())),
                "{typed}\ngives {said}, not {expected}"
            );
        }
    }
}
