//! Taking back what was published: withdrawn by command, erased here and in a copy, killed at every step, corrected, and said so wherever it is met.

use crate::support::{Server, Spoken, daylight, get, program, workplace};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A desk and an archive with one collection of three letters: the first has an attachment that the second has too.
struct World {
    work: tempfile::TempDir,
}

/// A letter that is longer than a line of a manifest holds: to so many people.
const PEOPLE: usize = 600;

impl World {
    fn new() -> Self {
        let world = Self { work: workplace() };
        daylight(["init", &world.at("desk")]).code(0);
        daylight(["key", "new", &world.at("ana.key"), "--name", "ana"]).code(0);
        let enclosed = |text: &str| {
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n--b\nContent-Disposition: attachment; filename=plan.csv\n\na,b\n1,2\n--b--\n"
            )
        };
        let everybody: String = (0..PEOPLE).map(|n| format!("\"Somebody {n}\" <p{n}@brackwater.example>,\n ")).collect();
        world.mail("one", "sluice", &enclosed("the cormorant letter"));
        world.mail("two", "dike", &enclosed("the heron letter"));
        world.mail("three", "to all", &format!("To: {everybody}last@x.example\n\nthe egret letter\n"));
        world.take_in();
        world.publish();
        world
    }

    fn at(&self, name: &str) -> String {
        self.work.path().join(name).to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn mail(&self, id: &str, subject: &str, rest: &str) {
        let head =
            format!("Subject: {subject}\nMessage-ID: <{id}@x>\nFrom: ana@brackwater.example\nDate: Mon, 4 May 2015 10:00:00 +0000\n");
        fs::create_dir_all(self.path("trove")).unwrap();
        fs::write(self.path("trove").join(format!("{id}.eml")), format!("{head}{rest}")).unwrap();
    }

    fn take_in(&self) {
        daylight(["ingest", &self.at("desk"), &self.at("trove"), "--collection", "town"]).code(0);
        daylight(["clear", &self.at("desk"), "--collection", "town", "--all", "--as", "Ana Ruiz"]).code(0);
    }

    fn publish(&self) -> Spoken {
        daylight(["publish", &self.at("desk"), "--collection", "town", "--to", &self.at("archive"), "--key", &self.at("ana.key"), "--json"])
            .code(0)
    }

    fn withdraw(&self, words: &[&str]) -> Spoken {
        let mut line = self.withdrawing(words);
        line.extend(["--key".into(), self.at("ana.key")]);
        daylight(line).code(0)
    }

    fn withdrawing(&self, words: &[&str]) -> Vec<String> {
        let mut line = vec!["withdraw".to_owned(), self.at("desk"), "--to".into(), self.at("archive")];
        line.extend(words.iter().map(|word| (*word).to_owned()));
        line
    }

    fn verify(&self, archive: &str) -> serde_json::Value {
        daylight(["verify", &self.at(archive), "--root", &self.at("archive/root/1.json"), "--json"]).code(0).json()
    }

    /// The number of the letter with this word in it.
    fn number(&self, word: &str) -> u64 {
        let hits = daylight(["search", &self.at("archive"), word, "--cache", &self.at("cache"), "--json"]).code(0).json();
        hits["hits"][0]["id"].as_str().unwrap().strip_prefix("town/").unwrap().parse().unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").args(["-r", "--reflink=auto"]).arg(from).arg(to).status().unwrap().success());
}

fn with(variable: &str, value: &str, line: &[String]) -> Spoken {
    Command::new(program()).args(line).env(variable, value).stdin(Stdio::null()).output().unwrap().into()
}

fn ended(spoken: &Spoken) -> bool {
    spoken.code == Some(0)
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path().strip_prefix(dir).unwrap().to_owned(), fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

fn has(dir: &Path, words: &[u8]) -> bool {
    files(dir).values().any(|bytes| bytes.windows(words.len()).any(|window| window == words))
}

#[test]
fn a_document_is_withdrawn_erased_and_said_to_be_so_everywhere() {
    let world = World::new();
    let (cormorant, egret) = (world.number("cormorant"), world.number("egret"));
    let id = format!("town/{cormorant}");
    let proof = world.at("before.daylight-proof");
    daylight(["prove", &world.at("archive"), &id, "--out", &proof]).code(0);
    copy(&world.path("archive"), &world.path("mirror"));

    let said = world.withdraw(&[&id, &format!("town/{egret}"), "--reason", "they name a child", "--erase", "--json"]).json();
    assert_eq!(
        (said["logged"]["serial"].as_u64(), said["erased"]["lines"].as_u64(), said["erased"]["kept"].as_u64()),
        (Some(1), Some(2), Some(0))
    );
    assert_eq!(said["touched"]["holds"].as_array().unwrap().len(), 1, "its attachment stays: {said}");
    let report = world.verify("archive");
    assert_eq!((report["withdrawn"].as_u64(), report["erased"].as_u64()), (Some(2), Some(2)));
    assert!(
        !has(&world.path("archive"), b"cormorant") && !has(&world.path("archive"), b"Somebody 7") && has(&world.path("archive"), b"heron")
    );

    // A copy learns of it with the log, and may erase or not.
    for name in ["checkpoint", "tile", "entry"] {
        assert!(Command::new("cp").arg("-r").arg(world.path("archive").join(name)).arg(world.path("mirror")).status().unwrap().success());
    }
    let report = world.verify("mirror");
    assert_eq!((report["withdrawn"].as_u64(), report["erased"].as_u64()), (Some(2), Some(0)), "whole, and not erased here");
    let status = daylight(["status", &world.at("mirror")]).code(0).text();
    assert!(status.contains("2 lines withdrawn with the request to erase them, and still here"), "{status}");
    assert!(daylight(["erase", &world.at("mirror")]).code(0).text().contains("erased 2 lines"));
    assert_eq!(daylight(["erase", &world.at("mirror"), "--json"]).code(0).json()["before"], 2);
    assert_eq!(files(&world.path("mirror")), files(&world.path("archive")));

    let shown = daylight(["show", &world.at("archive"), &id]).code(1).text();
    assert!(shown.contains("because: they name a child"), "{shown}");
    daylight(["show", &world.at("archive"), &id, "--raw"]).code(1);
    let found = daylight(["search", &world.at("archive"), "cormorant", "--cache", &world.at("cache")]).code(1);
    assert_eq!(found.stderr, "", "nothing is found, and nothing went wrong");
    let left = files(&world.path("cache")).into_keys().filter(|path| path.extension().is_some_and(|end| end == "del")).count();
    assert_eq!(left, 0, "no word of it is left in the index's files");
    let status = daylight(["status", &world.at("archive"), "--json"]).code(0).json();
    assert_eq!((status["withdrawn"].as_u64(), status["to_erase"].as_u64()), (Some(2), Some(0)));
    let server = Server::start(&world.path("archive"));
    for below in ["", "/raw", "/text"] {
        assert_eq!(get(&server.at(&format!("/c/{id}{below}")), &[]).status, 410, "{below}");
    }
    assert!(get(&server.at(&format!("/c/{id}")), &[]).text().contains("they name a child"));

    // A proof made before is good still; with the archive at hand it is known what became of the document.
    let since = daylight(["prove", "--check", &proof, &world.at("archive"), "--json"]).code(0).json();
    assert_eq!((since["valid"].as_bool(), since["since"].as_str()), (Some(true), Some("withdrawn")));
    let after = world.at("after.daylight-proof");
    daylight(["prove", &world.at("archive"), &id, "--out", &after]).code(0);
    let proven = daylight(["prove", "--check", &after, "--json"]).code(0).json();
    assert_eq!((proven["withdrawn"]["reason"].as_str(), proven["title"].as_str()), (Some("they name a child"), None));

    // Nor is it published again, until somebody says so.
    assert!(world.publish().json()["published"].is_null());
    let cleared = daylight(["clear", &world.at("desk"), "--collection", "town", "--all", "--as", "Ana Ruiz", "--json"]).code(0).json();
    assert_eq!(cleared["withdrawn"], 2);
    daylight(["clear", &world.at("desk"), "--correct", &id, "--reason", "the child is of age", "--as", "Ana Ruiz"]).code(0);
    assert_eq!(world.publish().json()["published"]["documents"], 1);
    let shown = daylight(["show", &world.at("archive"), &id, "--json"]).code(0).json();
    assert_eq!((shown["reason"].as_str(), shown["earlier"][0]["withdrawn"].as_bool()), (Some("the child is of age"), Some(true)));
    world.verify("archive");
}

#[test]
fn erasing_killed_at_every_step_ends_the_same_and_nothing_that_stays_is_ever_harmed() {
    let world = World::new();
    let ids: Vec<String> = ["cormorant", "egret"].iter().map(|word| format!("town/{}", world.number(word))).collect();
    let heron = format!("town/{}", world.number("heron"));
    let line = world.withdrawing(&[&ids[0], &ids[1], "--reason", "they name a child", "--erase", "--key", &world.at("ana.key")]);
    // As if it had been killed before it began to erase: the withdrawal is in the log, and all is here.
    assert!(!ended(&with("DAYLIGHT_CRASH_AT", "publish.checkpoint", &line)));
    let log = world.path("steps");
    copy(&world.path("archive"), &world.path("undisturbed"));
    assert!(ended(&with("DAYLIGHT_CRASH_LOG", log.to_str().unwrap(), &["erase".into(), world.at("undisturbed")])));
    let expected = files(&world.path("undisturbed"));
    let way: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    for point in ["erase.zeros", "erase.header", "erase.volume", "erase.line", "erase.part"] {
        assert!(way.iter().any(|step| step == point), "{point} in {way:?}");
    }
    for (at, point) in way.iter().enumerate() {
        let time = way[..=at].iter().filter(|earlier| *earlier == point).count();
        let name = format!("killed{at}");
        copy(&world.path("archive"), &world.path(&name));
        assert!(!ended(&with("DAYLIGHT_CRASH_AT", &format!("{point}:{time}"), &["erase".into(), world.at(&name)])), "{point}:{time}");
        // Between bytes and lines, and between lines, the archive is whole; while a member is written over, verify says to erase again.
        let verified = daylight(["verify", &world.at(&name)]);
        let half = ["erase.zeros", "erase.header"].contains(&point.as_str());
        let text = verified.text();
        assert!(ended(&verified) || (half && text.contains("run `daylight erase` again")), "{point}:{time}: {text}");
        daylight(["show", &world.at(&name), &heron, "--raw"]).code(0);
        daylight(["erase", &world.at(&name)]).code(0);
        assert_eq!(files(&world.path(&name)), expected, "{point}:{time}");
        fs::remove_dir_all(world.path(&name)).unwrap();
    }
    world.verify("undisturbed");
}

#[test]
fn only_what_a_correction_replaced_can_be_withdrawn_and_its_page_says_what_was_before() {
    let world = World::new();
    let id = format!("town/{}", world.number("cormorant"));
    daylight(["clear", &world.at("desk"), "--correct", &id, "--reason", "read again", "--as", "Ana Ruiz"]).code(0);
    world.publish();
    assert!(daylight(world.withdrawing(&[&id, "--replaced"])).code(2).stderr.contains("--reason"));
    world.withdraw(&[&id, "--replaced", "--erase", "--reason", "the first rendition named a child"]);
    let report = world.verify("archive");
    assert_eq!(
        (report["withdrawn"].as_u64(), report["earlier_withdrawn"].as_u64(), report["erased_lines"].as_u64()),
        (Some(0), Some(1), Some(1))
    );
    let shown = daylight(["show", &world.at("archive"), &id, "--raw"]).code(0).text();
    assert!(shown.contains("cormorant"), "the bytes of what stays are those of what went, and stay: {shown}");
    let server = Server::start(&world.path("archive"));
    let page = get(&server.at(&format!("/c/{id}")), &[]).text();
    assert!(page.contains("because: <bdi>read again") && page.contains("release 1, ") && page.contains(", withdrawn"), "{page}");
    assert!(world.publish().json()["published"].is_null());
}

#[test]
fn a_heartbeat_is_the_last_sign_of_life_and_silence_is_no_fault() {
    let world = World::new();
    let said =
        daylight(["heartbeat", &world.at("archive"), "--key", &world.at("ana.key"), "--log-key", &world.at("desk/log.key"), "--json"])
            .code(0)
            .json();
    assert_eq!(said["logged"]["log_size"], 3);
    let report = world.verify("archive");
    assert_eq!(
        (report["last_sign_of_life"]["what"].as_str(), report["last_sign_of_life"]["silent_days"].as_u64()),
        (Some("heartbeat"), Some(0))
    );
    let log_key = world.at("desk/log.key");
    let refused = daylight(["heartbeat", &world.at("archive"), "--key", &log_key, "--log-key", &log_key]).code(1).stderr;
    assert!(refused.contains("does not count"), "the log's key is not an editor's: {refused}");
    // On another machine: asked, signed, logged.
    let request = world.at("beat.request");
    daylight(["heartbeat", &world.at("archive"), "--request", &request]).code(0);
    daylight(["sign", &request, "--key", &world.at("ana.key"), "--yes"]).code(0);
    daylight(["heartbeat", &world.at("archive"), "--finish", &request, "--log-key", &world.at("desk/log.key")]).code(0);
    let status = daylight(["status", &world.at("archive")]).code(0).text();
    assert!(status.contains("last sign of life: ") && status.contains("a heartbeat; not silent for a day"), "{status}");
}

#[test]
fn what_stands_in_a_document_is_withdrawn_with_it_at_any_depth_and_named_before() {
    let world = World::new();
    let enclosed = "Content-Type: multipart/mixed; boundary=o\n\n--o\n\nthe outer ibis letter\n--o\nContent-Type: message/rfc822\n\n\
        Subject: within\nMessage-ID: <within@x>\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nthe inner plover letter\n--i\n\
        Content-Disposition: attachment; filename=deep.txt\n\nthe deep curlew note\n--i--\n--o--\n";
    world.mail("four", "around", enclosed);
    world.take_in();
    world.publish();
    let [outer, inner, deep] = ["ibis", "plover", "curlew"].map(|word| format!("town/{}", world.number(word)));
    let said = world.withdraw(&[&outer, "--with-parts", "--reason", "x"]);
    for part in [&inner, &deep] {
        let named = said.stderr.find(&format!("{part} stands in it and is withdrawn with it"));
        assert!(named.is_some(), "{part}: {said:?}");
    }
    assert!(said.text().contains("withdrew 3 documents of town"), "{said:?}");
    assert_eq!(world.verify("archive")["withdrawn"], 3);
    for word in ["ibis", "plover", "curlew"] {
        let found = daylight(["search", &world.at("archive"), word, "--cache", &world.at("cache"), "--json"]).json();
        assert_eq!(found["total"], 0, "{word}");
    }
    // What stands elsewhere stays, and one that has nothing in it is withdrawn alone.
    let egret = format!("town/{}", world.number("egret"));
    assert!(world.withdraw(&[&egret, "--with-parts", "--reason", "x"]).text().contains("withdrew 1 document of town"));
    let mut wrong = world.withdrawing(&["town/1", "--with-parts", "--replaced", "--reason", "x"]);
    wrong.extend(["--key".into(), world.at("ana.key")]);
    daylight(wrong).code(2);
}

#[test]
fn what_cannot_be_withdrawn_is_refused_with_a_reason() {
    let world = World::new();
    let refused = |words: &[&str], code: i32| {
        let mut line = world.withdrawing(words);
        line.extend(["--key".into(), world.at("ana.key")]);
        daylight(line).code(code).stderr
    };
    assert!(refused(&["town/77", "--reason", "x"], 1).contains("town/77 was never published"));
    assert!(refused(&["town/1", "other/1", "--reason", "x"], 1).contains("of one collection"));
    assert!(refused(&["town/1", "--reason", "x", "--successor", "town/1"], 1).contains("successor is another document"));
    assert!(refused(&["one", "--reason", "x"], 1).contains("COLLECTION/NUMBER"));
    refused(&["town/1"], 2);
    let twice = ["town/1", "--reason", "x"];
    refused(&twice, 0);
    assert!(refused(&twice, 1).contains("is withdrawn already"));
    // What is only marked can be asked to be erased later.
    refused(&["town/1", "--reason", "x", "--erase"], 0);
    assert_eq!(world.verify("archive")["erased"], 1);
    let in_archive = daylight(["withdraw", &world.at("archive"), "town/2", "--reason", "x", "--key", &world.at("ana.key")]).code(1).stderr;
    assert!(in_archive.contains("--log-key"), "{in_archive}");
}
