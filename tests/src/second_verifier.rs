//! docs/verify.py, a verifier written after docs/archive-format.md alone, beside our own: on good archives and on bad ones both must say the same.

use crate::support::{daylight, program, root, skip, workplace};
use daylight_archive::Signer;
use daylight_archive::log::LogAppender;
use daylight_archive::note::Note;
use daylight_archive::{Checkpoint, entry::Entry, entry::Logged, paths};
use daylight_model::Digest;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many damages are tried: each is one run of either verifier.
const TRIES: u64 = 40;

/// Python with the package that the verifier needs; where it is missing the tests are skipped, unless DAYLIGHT_TESTS_REQUIRE_TOOLS forbids it.
pub(crate) fn python() -> bool {
    let found = Command::new("python3").args(["-c", "import cryptography"]).output().is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("DAYLIGHT_TESTS_REQUIRE_TOOLS").is_none(), "python3 with cryptography is missing");
    if !found {
        skip("no python3 with cryptography");
    }
    found
}

/// What a verifier says: whether all is well, and in which words.
fn said(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(matches!(output.status.code(), Some(0 | 1)) && !text.contains("Traceback"), "{text}");
    (output.status.success(), text)
}

/// Both verifiers' word on an archive, which must be one.
#[track_caller]
pub(crate) fn both(archive: &Path, pinned: Option<&Path>) -> (bool, String, String) {
    let mut ours = Command::new(program());
    ours.arg("verify").arg(archive);
    let mut theirs = Command::new("python3");
    theirs.arg(root().join("docs/verify.py")).arg(archive);
    if let Some(pinned) = pinned {
        ours.arg("--root").arg(pinned);
        theirs.arg(pinned);
    }
    let (ours, theirs) = (said(&mut ours), said(&mut theirs));
    assert_eq!(ours.0, theirs.0, "ours: {}\ntheirs: {}", ours.1, theirs.1);
    (ours.0, ours.1, theirs.1)
}

/// An archive of two editors of three with three releases in two collections: a message with an attachment, a reply, and one document of more than
/// 16 KiB of facts, whose record is a file of its own.
struct Made {
    work: tempfile::TempDir,
}

impl Made {
    fn new() -> Self {
        let made = Self { work: workplace() };
        let at = |name: &str| made.at(name).to_str().unwrap().to_owned();
        let (desk, archive) = (at("desk"), at("archive"));
        daylight(["init", &desk]).code(0);
        for name in ["ana", "ben", "cem"] {
            daylight(["key", "new", &at(name), "--name", name]).code(0);
        }
        let many: String = (0..600).map(|n| format!("\"Somebody {n}\" <p{n}@brackwater.example>,\n ")).collect();
        let mails = [
            (
                "one",
                String::from(
                    "Subject: The sluice\nMessage-ID: <1@x>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\nContent-Disposition: attachment; filename=a.csv\n\na,b\n1,2\n--b--\n",
                ),
            ),
            (
                "two",
                String::from(
                    "Subject: Re: The sluice\nMessage-ID: <2@x>\nIn-Reply-To: <1@x>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nagain\n--b\nContent-Disposition: attachment; filename=a.csv\n\na,b\n1,2\n--b--\n",
                ),
            ),
            ("three", format!("Subject: To all\nMessage-ID: <3@x>\nTo: {many}last@x.example\n\nall\n")),
        ];
        for (number, (name, mail)) in mails.iter().enumerate() {
            let file = made.at(&format!("{name}.eml"));
            fs::write(&file, format!("From: ana@brackwater.example\nDate: Mon, 4 May 2015 10:00:00 +0000\n{mail}")).unwrap();
            let collection = if number == 1 { "dike" } else { "sluice" };
            daylight(["ingest", &desk, file.to_str().unwrap(), "--collection", collection]).code(0);
            daylight(["clear", &desk, "--collection", collection, "--all", "--as", "Ana Ruiz"]).code(0);
            let keys = if number == 0 { vec!["ana", "ben", "cem"] } else { vec!["ana", "cem"] };
            let mut words: Vec<String> = ["publish", &desk, "--collection", collection, "--to", &archive].map(String::from).to_vec();
            words.extend(keys.into_iter().flat_map(|key| ["--key".into(), at(key)]));
            daylight(words).code(0);
        }
        made
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn archive(&self) -> PathBuf {
        self.at("archive")
    }

    /// A copy of the archive, to be harmed.
    fn copy(&self, name: &str) -> PathBuf {
        let to = self.at(name);
        assert!(Command::new("cp").arg("-r").arg(self.archive()).arg(&to).status().unwrap().success());
        to
    }

    fn signer(&self, name: &str) -> Signer {
        Signer::from_text(fs::read_to_string(self.at(name)).unwrap().trim_end()).unwrap()
    }
}

/// Every plain file of an archive, relative to it, in order.
fn files(archive: &Path) -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() { walk(&entry.path(), &format!("{path}/"), found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(archive, "", &mut found);
    found.sort();
    found
}

#[test]
fn both_find_good_archives_good_and_damaged_files_damaged() {
    if !python() {
        return;
    }
    let made = Made::new();
    let pinned = made.archive().join("root/1.json");
    for (pinned, words) in [(None, "publisher not checked"), (Some(pinned.as_path()), "signed by the publisher")] {
        let (well, ours, theirs) = both(&made.archive(), pinned);
        assert!(well && ours.contains(words) && theirs.contains(words), "{ours}{theirs}");
    }
    let stranger = made.at("stranger.json");
    fs::write(&stranger, fs::read_to_string(&pinned).unwrap().replace("\"version\":1", "\"version\":2")).unwrap();
    assert!(!both(&made.archive(), Some(&stranger)).0);

    let harmed = made.copy("harmed");
    let files = files(&harmed);
    let mut seed = 0x5eed_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    for turn in 0..TRIES {
        let name = &files[turn as usize % files.len()];
        let path = harmed.join(name);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        match turn % 5 {
            0 => bytes.truncate(random(bytes.len())),
            1 => bytes.push(b'\n'),
            2 => bytes = fs::read(harmed.join(&files[random(files.len())])).unwrap(),
            _ => {
                let at = random(bytes.len());
                bytes[at] ^= 1 << random(8);
            }
        }
        fs::write(&path, &bytes).unwrap();
        let (well, ours, theirs) = both(&harmed, None);
        // A partial tile may be missing, but not be another.
        assert!(well == (bytes == whole), "{name}, try {turn}: {ours}");
        let blamed = well || name.starts_with("tile/") || theirs.contains(name.as_str());
        assert!(blamed, "{name}, try {turn}: {theirs}");
        fs::write(&path, whole).unwrap();
    }
    let path = harmed.join(&files[files.len() - 1]);
    fs::remove_file(&path).unwrap();
    assert!(!both(&harmed, None).0);
    fs::copy(made.archive().join(&files[files.len() - 1]), &path).unwrap();
    fs::write(harmed.join("release/1/volume/extra"), "x").unwrap();
    assert!(!both(&harmed, None).0);
}

/// Logs entries more with the log's own key, as whoever stole it would.
fn log_more(archive: &Path, log: &Signer, entries: &[Vec<u8>]) {
    let bytes = fs::read(archive.join(paths::CHECKPOINT)).unwrap();
    let (checkpoint, _) = Checkpoint::open(&bytes, &log.key()).unwrap();
    let mut appender = LogAppender::load(&archive.to_path_buf(), checkpoint.size, &checkpoint.root).unwrap();
    entries.iter().for_each(|entry| appender.push(entry).map(drop).unwrap());
    let appended = appender.finish();
    for (path, bytes) in &appended.files {
        fs::create_dir_all(archive.join(path).parent().unwrap()).unwrap();
        fs::write(archive.join(path), bytes).unwrap();
    }
    let checkpoint = Checkpoint { origin: checkpoint.origin, size: appended.size, root: appended.root };
    fs::write(archive.join(paths::CHECKPOINT), checkpoint.sign(log).unwrap().to_bytes()).unwrap();
}

#[test]
fn both_refuse_what_a_stolen_log_key_and_one_stolen_editor_can_make() {
    if !python() {
        return;
    }
    let made = Made::new();
    let (log, ana, ben) = (made.signer("desk/log.key"), made.signer("ana"), made.signer("ben"));
    let text =
        |archive: &Path, serial: u64| Note::parse(&fs::read(archive.join(paths::release_note(serial))).unwrap()).unwrap().text().to_owned();
    let heartbeat = |archive: &Path, signer: &Signer| {
        let root = Digest::of(&fs::read(archive.join("root/1.json")).unwrap());
        let mut note =
            Note::new(&format!("daylight-heartbeat/v1\norigin {}\nserial 1\nroot {root}\ntime 2026-11-23T00:00:00Z\n", log.name()))
                .unwrap();
        note.sign(signer);
        fs::create_dir_all(archive.join("entry/1")).unwrap();
        fs::write(archive.join("entry/1/note"), note.to_bytes()).unwrap();
        Entry::Heartbeat(Logged { serial: 1, note: Digest::of(&note.to_bytes()) }).to_json().unwrap()
    };
    type Forge<'a> = (&'a str, Box<dyn Fn(&Path) + 'a>);
    let release_of_one = |archive: &Path, how: &dyn Fn(&mut Note)| {
        let said = text(archive, 3).replace("serial 3", "serial 4");
        let mut note = Note::new(&said).unwrap();
        how(&mut note);
        assert!(Command::new("cp").arg("-r").arg(archive.join("release/3")).arg(archive.join("release/4")).status().unwrap().success());
        fs::write(archive.join("release/4/note"), note.to_bytes()).unwrap();
        log_more(archive, &log, &[Entry::Release { serial: 4, note: Digest::of(&note.to_bytes()) }.to_json().unwrap()]);
    };
    let other_name = Signer::new("ana2", ed25519_dalek::SigningKey::from_bytes(&[9; 32])).unwrap();
    let forgeries: [Forge<'_>; 7] = [
        ("a release that one editor signed", Box::new(|archive| release_of_one(archive, &|note| note.sign(&ana)))),
        (
            "a release with the signature of one editor twice",
            Box::new(|archive| {
                release_of_one(archive, &|note| {
                    note.sign(&ana);
                    let line = note.to_bytes().rsplit(|b| *b == b'\n').nth(1).unwrap().to_vec();
                    *note = Note::parse(&[note.to_bytes(), line, b"\n".to_vec()].concat()).unwrap();
                })
            }),
        ),
        (
            "a release with a stranger's signature beside one editor's",
            Box::new(|archive| {
                release_of_one(archive, &|note| {
                    note.sign(&ana);
                    note.sign(&other_name);
                })
            }),
        ),
        (
            "a release that is logged again",
            Box::new(|archive| {
                let note = Digest::of(&fs::read(archive.join("release/1/note")).unwrap());
                log_more(archive, &log, &[Entry::Release { serial: 1, note }.to_json().unwrap()]);
            }),
        ),
        (
            "a root that nobody but the log's key put there",
            Box::new(|archive| {
                let json = fs::read_to_string(archive.join("root/1.json")).unwrap().replace("\"version\":1", "\"version\":2");
                let mut sig =
                    Note::new(&format!("daylight-root/v1\nroot {}\norigin {}\nversion 2\n", Digest::of(json.as_bytes()), log.name()))
                        .unwrap();
                sig.sign(&ana);
                fs::write(archive.join("root/2.json"), &json).unwrap();
                fs::write(archive.join("root/2.sig"), sig.to_bytes()).unwrap();
                log_more(archive, &log, &[Entry::Root { version: 2, json: Digest::of(json.as_bytes()) }.to_json().unwrap()]);
            }),
        ),
        (
            "a heartbeat that the log's key signed",
            Box::new(|archive| {
                let entry = heartbeat(archive, &log);
                log_more(archive, &log, &[entry]);
            }),
        ),
        (
            "an entry that is not JSON in its one form",
            Box::new(|archive| log_more(archive, &log, &[b"{\"format\": \"daylight-entry/v1\"}".to_vec()])),
        ),
    ];
    for (number, (what, forge)) in forgeries.iter().enumerate() {
        let archive = made.copy(&format!("forged{number}"));
        forge(&archive);
        assert!(!both(&archive, None).0, "{what}");
    }
    // And what looks like them and is right is right for both: a heartbeat of one editor, a second root of two.
    let archive = made.copy("lives");
    let entry = heartbeat(&archive, &ben);
    log_more(&archive, &log, &[entry]);
    assert!(both(&archive, None).0);
    let json = fs::read_to_string(archive.join("root/1.json")).unwrap().replace("\"version\":1", "\"version\":2");
    let mut sig =
        Note::new(&format!("daylight-root/v1\nroot {}\norigin {}\nversion 2\n", Digest::of(json.as_bytes()), log.name())).unwrap();
    [&ana, &ben].into_iter().for_each(|signer| sig.sign(signer));
    fs::write(archive.join("root/2.json"), &json).unwrap();
    fs::write(archive.join("root/2.sig"), sig.to_bytes()).unwrap();
    log_more(&archive, &log, &[Entry::Root { version: 2, json: Digest::of(json.as_bytes()) }.to_json().unwrap()]);
    let (well, ours, theirs) = both(&archive, Some(&archive.join("root/1.json")));
    assert!(well, "{ours}{theirs}");
}

#[test]
fn both_find_an_erased_archive_good_and_what_was_erased_without_a_withdrawal_damaged() {
    if !python() {
        return;
    }
    let made = Made::new();
    let before = made.copy("before");
    let at = |name: &str| made.at(name).to_str().unwrap().to_owned();
    let (desk, archive) = (at("desk"), at("archive"));
    // The letter to all is the one whose record is a file of its own.
    for id in ["sluice/1", "sluice/3"] {
        let keys = ["--key".to_owned(), at("ana"), "--key".into(), at("ben")];
        let words = ["withdraw", &desk, "--to", &archive, id, "--reason", "it names a child", "--erase"].map(String::from);
        daylight([words.as_slice(), &keys].concat()).code(0);
    }
    let pinned = made.archive().join("root/1.json");
    let (well, ours, theirs) = both(&made.archive(), Some(&pinned));
    assert!(well, "{ours}{theirs}");

    // The same erased bytes in an archive whose log asks for nothing.
    for file in files(&made.archive()).into_iter().filter(|file| file.starts_with("release/")) {
        fs::copy(made.archive().join(&file), before.join(&file)).unwrap();
    }
    let (well, ours, theirs) = both(&before, Some(&pinned));
    assert!(!well, "{ours}{theirs}");

    // One erased byte put back, and one more erased than was withdrawn.
    for volume in files(&made.archive()).into_iter().filter(|file| file.ends_with(".zip")) {
        let harmed = made.copy(&format!("harmed-{}", volume.replace('/', "-")));
        let mut bytes = fs::read(harmed.join(&volume)).unwrap();
        let (at, byte) = match bytes.iter().skip(300).position(|byte| *byte == 0) {
            Some(place) => (300 + place, b'x'),
            None => (300, 0),
        };
        bytes[at] = byte;
        fs::write(harmed.join(&volume), bytes).unwrap();
        let (well, ours, theirs) = both(&harmed, Some(&pinned));
        assert!(!well, "{volume}: {ours}{theirs}");
    }
}
