//! Copies of a published archive, made by `daylight mirror` from a site, from each other and from any web server; killed at every step; and what is
//! said of copies that are partial, damaged or lied to.

use crate::support::{Server, Spoken, daylight, demo, get, program, tool, workplace};
use daylight_archive::evidence::Evidence;
use daylight_archive::log::{LogAppender, empty_root};
use daylight_archive::{Checkpoint, Signer, paths};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

mod full;
mod repair;
mod served;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let listed = Command::new("find").arg(folder).args(["-type", "f", "-printf", "%P\n"]).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    names.lines().map(|name| (name.to_owned(), fs::read(folder.join(name)).unwrap())).collect()
}

/// A desk that publishes, file by file, and its archive.
struct Newsroom {
    work: TempDir,
    published: usize,
}

impl Newsroom {
    fn new() -> Self {
        let room = Self { work: workplace(), published: 0 };
        daylight(["init", text(&room.at("desk"))]).code(0);
        daylight(["key", "new", text(&room.at("ana"))]).code(0);
        room
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn archive(&self) -> PathBuf {
        self.at("archive")
    }

    fn root(&self) -> PathBuf {
        self.at("archive/root/1.json")
    }

    /// Publishes one more document, as a release of its own.
    fn publish(&mut self, collection: &str) {
        self.published += 1;
        let file = self.at(&format!("{}.txt", self.published));
        fs::write(&file, format!("what document {} says, in {collection}\n", self.published).repeat(50)).unwrap();
        let (desk, archive, key) = (self.at("desk"), self.archive(), self.at("ana"));
        daylight(["ingest", text(&desk), text(&file), "--collection", collection]).code(0);
        daylight(["clear", text(&desk), "--collection", collection, "--all", "--as", "Ana"]).code(0);
        daylight(["publish", text(&desk), "--collection", collection, "--to", text(&archive), "--key", text(&key)]).code(0);
    }
}

/// A Python web server, killed when dropped: it knows no ranges.
struct Plain {
    child: Child,
    origin: String,
}

impl Plain {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let origin = lines.find_map(|line| Some(line[line.find("http://")?..line.find("/)")?].to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, origin: origin.unwrap() }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mirror(from: &str, to: &Path, more: &[&str]) -> Spoken {
    daylight([&["mirror", from, text(to), "--json"], more].concat())
}

#[track_caller]
fn paths_asked(report: &Value) -> u64 {
    report["requests"].as_u64().unwrap()
}

#[test]
fn a_mirror_cosigns_as_a_witness_what_it_has_copied_whole() {
    let mut room = Newsroom::new();
    room.publish("council");
    daylight(["witness", "key", text(&room.at("w.key")), "--name", "witness.example/w1"]).code(0);
    let (copy, key) = (room.at("copy"), room.at("w.key"));
    let site = Server::start(&room.archive());
    let said = mirror(&site.origin, &copy, &["--witness", text(&key)]).code(0).json();
    assert_eq!((said["cosigned"]["size"].as_u64(), said["cosigned"]["witness"].as_str()), (Some(2), Some("witness.example/w1")));
    drop(site);
    room.publish("council");
    let site = Server::start(&room.archive());
    assert_eq!(mirror(&site.origin, &copy, &["--witness", text(&key)]).code(0).json()["cosigned"]["size"], 3);
    let known = daylight(["witness", "status", text(&room.at("copy.witness")), "--json"]).code(0).json();
    assert_eq!(known["logs"][0]["log_size"], 3);
    // A copy that is served is the archive and nothing else.
    assert_eq!(files(&copy), files(&room.archive()));
}

#[test]
fn a_site_is_a_source_of_copies_and_a_copy_is_a_site() {
    let mut room = Newsroom::new();
    room.publish("council");
    let site = Server::start(&room.archive());
    let (first, second) = (room.at("first"), room.at("second"));
    let said = daylight(["mirror", &site.origin, text(&first)]).code(0).text();
    assert!(said.contains("trusted because it was the first that was seen: root 1"), "{said}");
    assert!(said.contains("1 new release, 1 document,") && said.contains("is up to date"), "{said}");
    assert!(files(&room.archive()) == files(&first), "the copy is the archive, byte for byte");

    let copy = Server::start(&first);
    let report = mirror(&copy.origin, &second, &["--root", text(&room.root())]).code(0).json();
    assert_eq!((report["first_use"].as_bool(), report["pinned"]["trust"].as_str()), (Some(false), Some("given")));
    assert!(files(&first) == files(&second));
    assert!(get(&copy.at("/c/council/1"), &[]).text().contains("what document 1 says"), "and it is read like any other");

    room.publish("council");
    room.publish("dike");
    // The site looks for something new about once a second.
    while get(&site.at("/checkpoint"), &[]).body != fs::read(room.archive().join("checkpoint")).unwrap() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let report = mirror(&site.origin, &first, &[]).code(0).json();
    assert_eq!((report["new_releases"].as_array().unwrap().len(), report["new_documents"].as_u64()), (2, Some(2)));
    assert_eq!(paths_asked(&report), 8, "checkpoint, bundle, and for each release note, manifest, volume");
    let report = mirror(&site.origin, &first, &[]).code(0).json();
    assert_eq!((paths_asked(&report), report["size"].as_u64()), (1, Some(4)));
    // All is the same but partial tiles of a size that the copy never had: nothing needs them.
    let (theirs, ours) = (files(&room.archive()), files(&first));
    ours.iter().for_each(|(path, bytes)| assert_eq!(theirs.get(path), Some(bytes), "{path}"));
    let only_theirs: Vec<&String> = theirs.keys().filter(|path| !ours.contains_key(*path)).collect();
    assert_eq!(only_theirs, ["tile/0/000.p/3", "tile/entries/000.p/3"]);
    let said = daylight(["verify", text(&first), "--root", text(&first.with_file_name("first.mirror").join("root.json"))]).code(0).text();
    assert!(said.contains("signed by the publisher whose root was given"), "{said}");
}

#[test]
fn any_web_server_that_gives_out_files_is_a_source() {
    if !tool("python3") {
        return;
    }
    let archive = demo().join("archive");
    let work = workplace();
    let (whole, in_parts) = (work.path().join("whole"), work.path().join("parts"));
    let plain = Plain::start(&archive);
    mirror(&plain.origin, &whole, &[]).code(0);
    assert!(files(&archive) == files(&whole));
    // What was begun elsewhere and broke off is gone on with, from a server that gives only whole files too.
    let (site, log) = (Server::start(&archive), work.path().join("log"));
    let killed = with("DAYLIGHT_CRASH_AT", "mirror.part-renamed", &["mirror", &site.origin, text(&in_parts)]);
    assert_eq!(killed.code, None, "{killed:?}");
    let volume = fs::read(archive.join("release/1/volume/0.zip")).unwrap();
    let partial = work.path().join("parts.mirror/fetching/release/1/volume/0.zip.part");
    fs::create_dir_all(partial.parent().unwrap()).unwrap();
    fs::write(&partial, &volume[..volume.len() / 2]).unwrap();
    mirror(&plain.origin, &in_parts, &[]).code(0);
    assert!(files(&archive) == files(&in_parts) && !log.exists());

    let verified = daylight(["verify", &plain.origin, "--root", text(&archive.join("root/1.json")), "--json"]).code(0).json();
    assert_eq!((verified["anchored"].as_bool(), verified["documents"].as_u64() > Some(300)), (Some(true), true));
}

#[test]
fn an_archive_is_verified_where_it_is_and_what_is_wrong_there_is_named() {
    let archive = demo().join("archive");
    let work = workplace();
    let harmed = work.path().join("harmed");
    assert!(Command::new("cp").arg("-r").arg(&archive).arg(&harmed).status().unwrap().success());
    let site = Server::start(&harmed);
    let root = archive.join("root/1.json");
    let report = daylight(["verify", &site.origin, "--root", text(&root), "--json"]).code(0).json();
    let here = daylight(["verify", text(&archive), "--root", text(&root), "--json"]).code(0).json();
    for fact in ["ok", "anchored", "verdict", "origin", "log_size", "releases", "documents"] {
        assert_eq!(report[fact], here[fact], "{fact}");
    }
    let damage = [
        ("release/1/volume/0.zip", 5000),
        ("release/1/tile/0/000", 40),
        ("release/1/manifest/0.offsets", 9),
        ("release/1/manifest/0", 3000),
    ];
    for (path, at) in damage {
        let bytes = fs::read(harmed.join(path)).unwrap();
        let mut wrong = bytes.clone();
        wrong[at] ^= 1;
        fs::write(harmed.join(path), &wrong).unwrap();
        let report = daylight(["verify", &site.origin, "--json"]).code(1).json();
        let named: Vec<&str> = report["problems"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
        assert!(named.contains(&path), "{path}: {named:?}");
        fs::remove_file(harmed.join(path)).unwrap();
        let report = daylight(["verify", &site.origin, "--json"]).code(1).json();
        assert!(report["problems"].to_string().contains(&format!("{path}\",\"what\":\"missing")), "{path}: {}", report["problems"]);
        fs::write(harmed.join(path), &bytes).unwrap();
    }
    daylight(["verify", &site.origin]).code(0);
    let gone = daylight(["verify", "http://127.0.0.1:1/"]);
    assert!(gone.code == Some(1) && gone.text().contains("cannot be reached"), "{gone:?}");
    let refused = daylight(["verify", "http://user:password@example.org/"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("is no address of an archive"), "{refused:?}");
}

#[test]
fn a_partial_copy_is_called_one_and_not_damaged() {
    let mut room = Newsroom::new();
    for collection in ["council", "dike", "council"] {
        room.publish(collection);
    }
    let site = Server::start(&room.archive());
    let copy = room.at("copy");
    let said = daylight(["mirror", &site.origin, text(&copy), "--only", "dike"]).code(0).text();
    assert!(said.contains("partial copy of") && said.contains("2 releases not in it, only their notes"), "{said}");
    // Beside the copy stands of what it was made, so verifying needs to be told nothing.
    let said = daylight(["verify", text(&copy), "--root", text(&room.root())]).code(0).text();
    assert!(said.contains("partial copy of") && said.contains("1 of 3 releases are here"), "{said}");
    assert!(said.contains("release 1 (council) is not in this copy, only its note"), "{said}");
    let carried = room.at("carried");
    assert!(Command::new("cp").arg("-r").arg(&copy).arg(&carried).status().unwrap().success());
    let said = daylight(["verify", text(&carried)]).code(1).text();
    assert!(said.contains("partial copy of") && !said.contains("damaged"), "whoever expects a whole one is told: {said}");
    daylight(["verify", text(&carried), "--only", "dike"]).code(0);
    let said = daylight(["verify", text(&carried), "--only", "council"]).code(1).text();
    assert!(said.contains("missing: this copy has only the note"), "{said}");
    fs::remove_file(carried.join("release/2/volume/0.zip")).unwrap();
    assert!(daylight(["verify", text(&carried), "--only", "dike"]).code(1).text().contains("release/2/volume/0.zip: missing"));

    let served = Server::start(&copy);
    let home = get(&served.at("/"), &[]).text();
    assert!(home.contains("partial copy of") && home.contains("1 of 3 releases"), "{home}");
    assert_eq!((get(&served.at("/c/dike/1"), &[]).status, get(&served.at("/c/council/1"), &[]).status), (200, 404));
    let found = daylight(["search", text(&copy), "document", "--cache", text(&room.at("cache")), "--json"]).code(0).json();
    assert_eq!(found["total"].as_u64(), Some(1));
    let report = daylight(["verify", &served.origin, "--only", "dike", "--json"]).code(0).json();
    assert_eq!((report["partial"].as_bool(), report["absent"].as_array().unwrap().len()), (Some(true), 2));
    mirror(&site.origin, &copy, &["--all"]).code(0);
    assert!(files(&room.archive()).len() >= files(&copy).len());
    assert!(daylight(["verify", text(&copy)]).code(0).text().contains("consistent with itself"));
}

fn with(variable: &str, value: &str, line: &[&str]) -> Spoken {
    Command::new(program()).args(line).env(variable, value).stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn a_mirror_killed_at_any_step_and_started_again_makes_the_same_copy() {
    let mut room = Newsroom::new();
    room.publish("council");
    room.publish("dike");
    let before = room.at("before");
    let plain = Server::start(&room.archive());
    mirror(&plain.origin, &before, &[]).code(0);
    drop(plain);
    room.publish("council");
    room.publish("council");
    let site = Server::start(&room.archive());
    let log = room.at("log");
    let take = |name: &str| {
        let to = room.at(name);
        for (from, to) in [(before.clone(), to.clone()), (room.at("before.mirror"), room.at(&format!("{name}.mirror")))] {
            assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
        }
        to
    };
    // From nothing, and from a copy of an earlier state.
    for begun in [false, true] {
        let fresh = |name: &str| if begun { take(name) } else { room.at(name) };
        let undisturbed = fresh(&format!("undisturbed-{begun}"));
        fs::remove_file(&log).unwrap_or_default();
        with("DAYLIGHT_CRASH_LOG", text(&log), &["mirror", &site.origin, text(&undisturbed)]).code(0);
        let whole = files(&undisturbed);
        let steps: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
        let names: BTreeSet<&String> = steps.iter().collect();
        assert!(names.iter().filter(|name| name.starts_with("mirror.")).count() >= 9, "{names:?}");
        for name in names {
            let count = steps.iter().filter(|step| *step == name).count();
            for time in BTreeSet::from([1, count.div_ceil(2), count]) {
                let death = format!("{name}:{time}");
                let copy = fresh(&format!("killed-{begun}-{death}"));
                let died = with("DAYLIGHT_CRASH_AT", &death, &["mirror", &site.origin, text(&copy), "--connections", "1"]);
                assert!(died.code.is_none(), "it should have died at {death}: {died:?}");
                // What is there is an archive, an old or the new one, or nothing yet.
                if begun {
                    let report = daylight(["verify", text(&copy), "--json"]).json();
                    let only_added =
                        report["problems"].as_array().unwrap().iter().all(|one| one["what"].as_str().unwrap().starts_with("added"));
                    assert!(only_added, "{death}: {report}");
                }
                let report = mirror(&site.origin, &copy, &[]).code(0).json();
                assert!(files(&copy) == whole, "killed at {death}");
                assert_eq!(report["refused"].as_array().unwrap().len(), 0, "{death}: {report}");
                daylight(["verify", text(&copy)]).code(0);
                assert!(!room.at(&format!("killed-{begun}-{death}.mirror/fetching")).exists());
                fs::remove_dir_all(&copy).unwrap();
            }
        }
    }
}

#[test]
fn a_log_that_contradicts_itself_is_told_with_evidence_that_needs_no_archive() {
    let mut room = Newsroom::new();
    room.publish("council");
    let site = Server::start(&room.archive());
    let copy = room.at("copy");
    mirror(&site.origin, &copy, &[]).code(0);
    drop(site);
    let before = files(&copy);
    // The log's key signs another log of the same size.
    let log = Signer::from_text(fs::read_to_string(room.at("desk/log.key")).unwrap().trim_end()).unwrap();
    let forked = room.at("forked");
    assert!(Command::new("cp").arg("-r").arg(room.archive()).arg(&forked).status().unwrap().success());
    let mut appender = LogAppender::load(&BTreeMap::new(), 0, &empty_root()).unwrap();
    (0..2).for_each(|entry| _ = appender.push(format!("another past {entry}").as_bytes()).unwrap());
    let appended = appender.finish();
    appended.files.iter().for_each(|(path, bytes)| fs::write(forked.join(path), bytes).unwrap());
    let checkpoint = Checkpoint { origin: log.name().to_owned(), size: appended.size, root: appended.root };
    fs::write(forked.join(paths::CHECKPOINT), checkpoint.sign(&log).unwrap().to_bytes()).unwrap();
    if !tool("python3") {
        return;
    }
    let plain = Plain::start(&forked);
    let report = mirror(&plain.origin, &copy, &[]).code(1).json();
    let kept = PathBuf::from(report["evidence"][0].as_str().unwrap());
    assert!(report["refused"][0]["what"].as_str().unwrap().starts_with("a fork: the log signed two states"), "{report}");
    assert!(files(&copy) == before);
    let said = daylight(["evidence", text(&kept), "--root", text(&room.root())]).code(0).text();
    assert!(said.contains("signed two states that cannot both be true") && said.contains("whose root was given"), "{said}");
    assert!(daylight(["evidence", text(&kept)]).code(0).text().contains("publisher not checked"));
    let shown = daylight(["evidence", text(&kept), "--json"]).code(0).json();
    assert_eq!((shown["evidence"].as_bool(), shown["size"].as_u64()), (Some(true), Some(2)));
    // Both checkpoints the same: nobody is accused.
    let mut evidence = Evidence::parse(&fs::read(&kept).unwrap()).unwrap();
    evidence.larger = evidence.smaller.clone();
    let nothing = room.at("nothing");
    fs::write(&nothing, evidence.to_bytes().unwrap()).unwrap();
    assert!(daylight(["evidence", text(&nothing)]).code(1).text().contains("do not contradict each other"));
    let said = daylight(["mirror", &plain.origin, text(&copy)]).code(1);
    assert!(said.text().contains("contradicts itself") && said.stderr.contains("the copy is as it was"), "{said:?}");
}

#[test]
fn one_that_goes_on_and_on_ends_when_it_is_told_to() {
    let mut room = Newsroom::new();
    room.publish("council");
    let site = Server::start(&room.archive());
    let copy = room.at("copy");
    let mut child = Command::new(program())
        .args(["mirror", &site.origin, text(&copy), "--every", "1s", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for requests in [7, 1, 1] {
        let report: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!((report["ok"].as_bool(), paths_asked(&report)), (Some(true), requests));
    }
    // It holds its copy: a second one is told who has it.
    let second = daylight(["mirror", &site.origin, text(&copy)]);
    assert!(second.code == Some(0) || second.stderr.contains("it is in use by process"), "{second:?}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
    assert!(files(&copy) == files(&room.archive()));
}

#[test]
fn what_is_asked_for_wrongly_is_said_before_anybody_is_asked() {
    let work = workplace();
    let copy = work.path().join("copy");
    for (line, words) in [
        (vec!["mirror", "example.org", text(&copy)], "begins with http:// or https://"),
        (vec!["mirror", "http://example.org/?a=b", text(&copy)], "no ? or #"),
        (vec!["mirror", "http://example.org/", text(&copy), "--every", "often"], "such as 1h"),
        (vec!["mirror", "http://example.org/", text(&copy), "--rate", "fast"], "such as 500k"),
        (vec!["mirror", "http://example.org/", text(&copy), "--socks", "nowhere"], "no port"),
        (vec!["mirror", "http://example.org/", text(&copy), "--only", "a", "--all"], "cannot be used with"),
    ] {
        let said = daylight(line).code(2);
        assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
        assert!(!copy.exists());
    }
    let onion = format!("http://{}.onion/", "a".repeat(56));
    let said = daylight(["mirror", &onion, text(&copy)]).code(1);
    assert!(said.text().contains("give --socks"), "{said:?}");
}
