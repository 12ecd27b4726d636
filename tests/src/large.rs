//! A text of many segments, through the whole program: every word of it is found, also where it was cut, and it is one document.

use crate::support::{Server, daylight, get, program, workplace};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// How many words the text has: four segments of 1 MiB and some more.
const WORDS: usize = 600_000;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Words of eight bytes, each of which stands once.
fn word(number: usize) -> String {
    format!("w{number:06}")
}

/// A desk with the long text and a short one, and the text.
fn trove(work: &Path) -> String {
    let text: String = (0..WORDS).map(|number| word(number) + " ").collect();
    fs::create_dir(work.join("trove")).unwrap();
    fs::write(work.join("trove/long.txt"), &text).unwrap();
    fs::write(work.join("trove/short.txt"), "nothing but w000001 in it\n").unwrap();
    text
}

fn ingested(work: &Path, name: &str) -> std::path::PathBuf {
    let desk = work.join(name);
    daylight(["init", path(&desk)]).code(0);
    daylight(["ingest", path(&desk), path(&work.join("trove")), "--collection", "c"]).code(0);
    desk
}

/// How many documents answer, and what is marked in the first.
fn asked(place: &Path, query: &str) -> (u64, Vec<String>) {
    let found = daylight(["search", path(place), query, "--json"]).json();
    let marked = found["hits"].get(0).map_or(Vec::new(), |hit| hit["marked"].as_array().unwrap().clone());
    (found["total"].as_u64().unwrap(), marked.iter().map(|word| word.as_str().unwrap().to_owned()).collect())
}

/// Every two words that may stand on two sides of a cut are found as a phrase, and marked.
fn check(place: &Path) {
    for cut in 1..=4 {
        // A cut is behind the last white space of a segment, so each lies a word before the last one at most.
        for number in (cut << 17) - cut - 1..=cut << 17 {
            let (one, next) = (word(number), word(number + 1));
            let (total, marked) = asked(place, &format!("\"{one} {next}\""));
            assert_eq!((total, marked.join(" ")), (1, format!("{one} {next}")), "{} {number}", place.display());
        }
    }
    let (first, last) = (word(1), word(WORDS - 1));
    assert_eq!(asked(place, &last), (1, vec![last.clone()]));
    assert_eq!(asked(place, &first).0, 2);
    assert_eq!(asked(place, &format!("{first} {last}")).0, 1);
    assert_eq!(asked(place, &format!("{first} -{last}")).0, 1);
    assert_eq!(asked(place, "type:file").0, 2);
    // No half of a word that was cut is taken for a word.
    assert_eq!(asked(place, "w13107 OR w26214 OR w39321 OR w52428").0, 0);
}

#[test]
fn long_text_is_one_document_and_found_wherever_it_was_cut() {
    let work = workplace();
    let text = trove(work.path());
    let desk = ingested(work.path(), "desk");
    check(&desk);
    let hit = daylight(["search", path(&desk), &word(WORDS - 1), "--json"]).json();
    let id = hit["hits"][0]["id"].as_str().unwrap().to_owned();
    assert!(daylight(["show", path(&desk), &id, "--text"]).code(0).text() == text.clone() + "\n");

    let (archive, key) = (work.path().join("archive"), work.path().join("key"));
    daylight(["clear", path(&desk), "--collection", "c", "--all", "--as", "Ana"]).code(0);
    daylight(["key", "new", path(&key)]).code(0);
    daylight(["publish", path(&desk), "--collection", "c", "--to", path(&archive), "--key", path(&key)]).code(0);
    daylight(["verify", path(&archive)]).code(0);
    check(&archive);
    let hit = daylight(["search", path(&archive), &word(WORDS - 1), "--json"]).json();
    let number = hit["hits"][0]["id"].as_str().unwrap().to_owned();
    assert!(daylight(["show", path(&archive), &number, "--text"]).code(0).text() == text);
    let server = Server::start(&archive);
    let page = get(&server.at(&format!("/c/{number}")), &[]).text();
    assert!(page.len() < 1 << 20 && page.contains("This is the beginning of a long text") && page.contains("/text\""));
    let results = get(&server.at(&format!("/search?q={}", word(WORDS - 1))), &[]).text();
    assert!(results.contains(&format!("<mark>{}</mark>", word(WORDS - 1))), "{results}");

    // A bit of it turns over on the disk.
    let pack = desk.join("pack/1");
    let mut bytes = fs::read(&pack).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let told = daylight(["show", path(&desk), &id, "--text"]).code(1);
    assert!(told.stderr.contains("pack/1 at byte") && told.stderr.contains("the part of a text"), "{told:?}");
}

#[test]
fn a_kill_while_long_text_is_stored_leaves_nothing_half_known() {
    let work = workplace();
    trove(work.path());
    let (desk, folder) = (work.path().join("desk"), work.path().join("trove"));
    daylight(["init", path(&desk)]).code(0);
    let ingest = ["ingest", path(&desk), path(&folder), "--collection", "c", "--jobs", "1"];
    for step in ["store.long-text:1", "store.long-text:3", "store.pack-synced:1"] {
        let died = Command::new(program()).args(ingest).env("DAYLIGHT_CRASH_AT", step).stdin(Stdio::null()).output().unwrap();
        assert_eq!(died.status.code(), None, "{step}: {died:?}");
        assert_eq!(asked(&desk, "").0, 0, "{step}");
    }
    daylight(ingest).code(0);
    let last = word(WORDS - 1);
    assert_eq!((asked(&desk, "").0, asked(&desk, &last)), (2, (1, vec![last.clone()])));
    assert_eq!(fs::read_dir(desk.join("blob/tmp")).unwrap().count(), 0);
}
