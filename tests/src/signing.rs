//! Each editor on a machine of their own: requests, signatures, roots, as the people meet them who type it. Keys lie in one folder only because it is a test.

mod interrupted;

use crate::support::{Server, Spoken, daylight, get, program, root, skip, workplace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder in which commands are run, with a desk on which three letters are cleared.
struct Newsroom {
    work: TempDir,
}

impl Newsroom {
    fn new() -> Self {
        let room = Self { work: workplace() };
        room.run("init desk");
        room.letters("council", &["The budget", "The wall", "The \u{202e}reservoir"]);
        room
    }

    /// With a root of ana, ben and cleo, of whom two sign, and three recovery keys, of which two do.
    fn with_root() -> Self {
        let room = Self::new();
        room.keys(&["ana", "ben", "cleo", "safe1", "safe2", "safe3"]);
        room.run(
            "root new archive --log-key desk/log.key --origin news.example/papers --editor ana.key.pub --editor ben.key.pub --editor \
             cleo.key.pub --recovery safe1.key.pub --recovery safe2.key.pub --recovery safe3.key.pub --key ana.key --key cleo.key",
        );
        fs::copy(room.at("archive/root/1.json"), room.at("pinned.json")).unwrap();
        room
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn say(&self, line: &str) -> Spoken {
        say(self.work.path(), line)
    }

    #[track_caller]
    fn run(&self, line: &str) -> Spoken {
        self.say(line).code(0)
    }

    /// What is said of a command that must not be done.
    #[track_caller]
    fn refused(&self, line: &str) -> String {
        let said = self.say(line).code(1).stderr;
        assert!(said.trim_end().lines().last().is_some_and(|last| last.starts_with("daylight: ")), "{said}");
        said
    }

    fn keys(&self, names: &[&str]) {
        names.iter().for_each(|name| _ = self.run(&format!("key new {name}.key")));
    }

    /// Puts messages with these subjects on the desk and clears them.
    fn letters(&self, collection: &str, subjects: &[&str]) {
        let trove = self.at("trove");
        fs::create_dir_all(&trove).unwrap();
        for subject in subjects {
            let name = subject.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            let date = "Tue, 7 Oct 2014 08:00:00 +0100";
            let text = format!(
                "From: ana@town.example\nTo: ben@town.example\nSubject: {subject}\nDate: {date}\nMessage-ID: <{name}@x>\n\nAbout {subject}.\n"
            );
            fs::write(trove.join(format!("{name}.eml")), text).unwrap();
        }
        self.run(&format!("ingest desk trove --collection {collection}"));
        self.run(&format!("clear desk --collection {collection} --all --as Ana"));
    }

    #[track_caller]
    fn verify(&self) -> serde_json::Value {
        let report = self.run("verify archive --root pinned.json --json").json();
        assert_eq!((&report["ok"], &report["anchored"]), (&true.into(), &true.into()), "{report}");
        report
    }
}

/// Runs a command line in a folder.
fn say(folder: &Path, line: &str) -> Spoken {
    Command::new(program()).args(line.split_whitespace()).current_dir(folder).stdin(Stdio::null()).output().unwrap().into()
}

/// The text with one space for several.
fn spaced(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn the_guide_for_editors_is_true() {
    let room = Newsroom::new();
    let guide = fs::read_to_string(root().join("docs/signing.md")).unwrap();
    let blocks: Vec<&str> = guide.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 10, "{}", blocks.len());
    // What a person confirms on a terminal is confirmed here by --yes.
    let confirmed = "daylight() { case \"$1 $*\" in sign*--key*) \"$PROGRAM\" \"$@\" --yes;; *) \"$PROGRAM\" \"$@\";; esac; }";
    let script = format!("set -e\n{confirmed}\n{}", blocks.concat());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("PROGRAM", program()).current_dir(room.work.path()).stdin(Stdio::null());
    let said = Spoken::from(shell.output().unwrap()).code(0);
    let text = spaced(&said.text());
    for part in [
        "root 1 of news.example/papers waits for signatures",
        "message The budget",
        "checked in archive: every byte of 3 documents",
        "published release 1: 3 documents",
        "root 2 of news.example/papers is in force, signed by the editors before it and its own; log size 3",
        "goes ben+",
        "root 3 of news.example/papers is in force, signed by the recovery keys; log size 4",
        "root 3 was made with the recovery keys",
        "complete, unchanged and signed by the publisher whose root was given",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}\n{}", said.stderr);
    }
}

#[test]
fn an_archive_with_a_root_and_no_release_is_one() {
    let room = Newsroom::with_root();
    let report = room.verify();
    assert_eq!((&report["releases"], &report["log_size"]), (&0.into(), &1.into()));
    assert!(room.run("status archive").text().contains("0 documents in 0 releases"));
    let found = room.say("search archive anything --cache cache --json");
    assert_eq!((found.code, &found.json()["total"]), (Some(1), &0.into()));
    let shown = room.run("root show archive --json").json();
    assert_eq!((&shown["in_force"], &shown["roots"][0]["log_index"]), (&1.into(), &0.into()));
    assert_eq!(shown["roots"][0]["signed_by"], serde_json::json!(["ana", "cleo"]));
    let server = Server::start(&room.at("archive"));
    let home = get(&server.at("/"), &[]);
    assert!(home.status == 200 && home.text().contains("Nothing has been published here yet"), "{}", home.text());
    for page in ["/verify", "/help", "/about", "/search?q=budget"] {
        assert_eq!(get(&server.at(page), &[]).status, 200, "{page}");
    }
    assert!(both(&room, "archive", "pinned.json"));
}

#[test]
fn fewer_than_k_stolen_keys_publish_nothing() {
    let room = Newsroom::with_root();
    // The thief has the desk with the log's key, and one editor's.
    let waits = room.run("publish desk --collection council --to archive --key cleo.key --json").json();
    assert!(waits["published"].is_null() && waits["waiting"]["release"] == 1, "{waits}");
    let refused = room.refused("publish desk --to archive --finish release-1.request release-1.request");
    assert!(
        refused.contains("release 1 of news.example/papers is not signed by enough yet") && refused.contains("signed by cleo"),
        "{refused}"
    );
    // The same key under another name, the log's own key, or recovery keys are no second editor.
    let text = fs::read_to_string(room.at("cleo.key")).unwrap();
    let secret = text.trim_end().splitn(5, '+').last().unwrap();
    fs::write(room.at("alias.key"), alias("second", secret)).unwrap();
    for key in ["alias.key", "desk/log.key", "safe1.key"] {
        let refused = room.refused(&format!("sign release-1.request --key {key} --yes"));
        assert!(refused.contains("does not count") && refused.contains("ana, ben, cleo"), "{refused}");
    }
    let again = room.run("sign release-1.request --key cleo.key --yes").text();
    assert!(again.contains("had signed before, so nothing was added"), "{again}");
    let refused = room.refused("root rotate archive --log-key desk/log.key --threshold 1 --key cleo.key");
    assert!(refused.contains("the threshold is 1 of 1, or at least 2"), "{refused}");
    // An archive of one's own with the log's key is another one: the readers' root says so.
    assert_eq!(room.run("root show archive --json").json()["log_size"], 1);
    assert!(!room.at("archive/release/1/note").exists());
    let report = room.say("verify archive --root pinned.json --json").json();
    assert!(
        report["releases"] == 0
            && report["problems"].as_array().unwrap().iter().all(|p| p["path"].as_str().unwrap().starts_with("release/1/"))
    );
}

/// The text of a private key under another name.
fn alias(name: &str, secret: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let secret_bytes = base64::engine::general_purpose::STANDARD.decode(secret).unwrap();
    let seed: [u8; 32] = secret_bytes[1..].try_into().unwrap();
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
    let id = sha2::Sha256::digest([name.as_bytes(), b"\n\x01", public.as_bytes()].concat());
    format!("PRIVATE+KEY+{name}+{:02x}{:02x}{:02x}{:02x}+{secret}\n", id[0], id[1], id[2], id[3])
}

#[test]
fn an_editor_sees_what_is_signed_and_is_asked() {
    let room = Newsroom::with_root();
    room.run("publish desk --collection council --to archive --title Letters");
    let shown = spaced(&room.run("sign release-1.request").text());
    for part in [
        "release 1 of news.example/papers\n",
        "collection council: Letters\n",
        "documents 3\n",
        "message The budget\n",
        "The \\u{202e}reservoir",
        "not checked: which documents replace earlier ones, and the published bytes: --archive DIR",
        "not checked: that this is the publisher whom you know: --root FILE",
        "2 of ana, ben, cleo: editors of root 1 needed, signed by none yet",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    assert!(!shown.contains('\u{202e}'));
    let refused = room.refused("sign release-1.request --key ana.key");
    assert!(refused.contains("nothing was signed: there is no terminal to ask you on"), "{refused}");
    let before = fs::read(room.at("release-1.request")).unwrap();
    let signed =
        room.run("sign release-1.request --key ana.key --root pinned.json --archive archive --list --out ana.request --yes --json").json();
    assert_eq!((&signed["signed"], &signed["complete"], &signed["archive"]["new"]), (&true.into(), &false.into(), &3.into()), "{signed}");
    assert_eq!(signed["not_checked"], serde_json::json!([]));
    assert_eq!(fs::read(room.at("release-1.request")).unwrap(), before);
    // The files on whose bytes it was asked are another's by now.
    let volume = room.at("archive/release/1/volume/0.zip");
    let mut bytes = fs::read(&volume).unwrap();
    bytes[200] ^= 1;
    fs::write(&volume, bytes).unwrap();
    let refused = room.refused("sign release-1.request --key ben.key --archive archive --yes");
    assert!(refused.contains("is not what is to be signed: release/1/volume/0.zip"), "{refused}");
}

#[test]
fn another_publishers_request_an_unknown_type_and_a_changed_one_are_refused() {
    let (room, other) = (Newsroom::with_root(), Newsroom::with_root());
    room.run("publish desk --collection council --to archive");
    fs::copy(other.at("pinned.json"), room.at("other.json")).unwrap();
    let refused = room.refused("sign release-1.request --key ana.key --root other.json --yes");
    assert!(refused.contains("it is another publisher's"), "{refused}");
    let refused = other.refused(&format!("sign {} --key ana.key --yes", room.at("release-1.request").display()));
    assert!(refused.contains("does not count"), "the same name, another key: {refused}");
    let text = fs::read_to_string(room.at("release-1.request")).unwrap();
    for (from, to, why) in [
        ("daylight-release/v1", "daylight-release/v9", "which this program does not know"),
        ("The budget", "The gadget", "contradicts itself"),
        ("lines 3", "lines 4", "contradicts itself"),
        ("daylight-request/v1", "daylight-request/v2", "not a signing request"),
    ] {
        fs::write(room.at("changed.request"), text.replace(from, to)).unwrap();
        let refused = room.refused("sign changed.request --key ana.key --yes");
        assert!(refused.contains(why), "{from}: {refused}");
    }
    // A request that stands there is not overwritten by one for something else.
    room.letters("council", &["A fourth"]);
    fs::write(room.at("mine.request"), "mine").unwrap();
    let refused = room.refused("publish desk --collection council --to archive --request mine.request");
    assert!(refused.contains("asks for something else") && fs::read(room.at("mine.request")).unwrap() == b"mine", "{refused}");
}

#[test]
fn keys_with_a_passphrase_ask_for_it() {
    let room = Newsroom::new();
    for name in ["ana", "ben", "cleo"] {
        fs::write(room.at(&format!("{name}.pass")), format!("the words of {name}\n")).unwrap();
        room.run(&format!("key new {name}.key --passphrase-file {name}.pass"));
        assert!(fs::read_to_string(room.at(&format!("{name}.key"))).unwrap().starts_with("-----BEGIN AGE"));
    }
    room.run("root new archive --log-key desk/log.key --editor ana.key.pub --editor ben.key.pub --editor cleo.key.pub");
    let refused = room.refused("sign root-1.request --key ana.key --yes");
    assert!(
        refused.contains("ana.key is encrypted with a passphrase; give it with --passphrase-file or run this on a terminal"),
        "{refused}"
    );
    let refused = room.refused("sign root-1.request --key ana.key --passphrase-file ben.pass --yes");
    assert!(refused.contains("the passphrase does not open ana.key"), "{refused}");
    for name in ["ana", "ben"] {
        room.run(&format!("sign root-1.request --key {name}.key --passphrase-file {name}.pass --yes"));
    }
    room.run("root finish archive root-1.request --log-key desk/log.key");
    let refused = room.refused("publish desk --collection council --to archive --key cleo.key");
    assert!(refused.contains("cleo.key is encrypted with a passphrase"), "{refused}");
    room.run("publish desk --collection council --to archive --key cleo.key --passphrase-file cleo.pass");
    room.run("sign release-1.request --key ben.key --passphrase-file ben.pass --yes");
    room.run("publish desk --to archive --finish release-1.request");
    room.run("verify archive --root archive/root/1.json");
    let refused = room.refused("root new elsewhere --log-key other.key --editor ana.key");
    assert!(refused.contains("ana.key is the private half of a key"), "{refused}");
}

#[test]
fn a_stolen_backup_of_the_desk_does_not_sign_on_beside_the_newer_one() {
    let room = Newsroom::with_root();
    room.run("publish desk --collection council --to archive --key ana.key --key ben.key");
    copy(&room.at("desk"), &room.at("old-desk"));
    copy(&room.at("archive"), &room.at("old-archive"));
    room.letters("council", &["A fourth"]);
    room.run("publish desk --collection council --to archive --key ana.key --key ben.key");
    // The old desk on the archive as it is now, and the desk as it is now on the old archive: either would be a second history.
    let refused = room.refused("publish old-desk --collection council --to archive --key ana.key --key ben.key");
    assert!(refused.contains("this desk has signed only 2") && refused.contains("must not fork"), "{refused}");
    let refused = room.refused("publish desk --collection council --to old-archive --key ana.key --key ben.key");
    assert!(refused.contains("has 2 log entries, but its key has signed 3"), "{refused}");
    let refused = room
        .refused("root rotate old-archive --log-key desk/log.key --threshold 2 --mirror https://m.example/ --key ana.key --key ben.key");
    assert!(refused.contains("has signed 3"), "{refused}");
    let refused = room.refused("root rotate archive --log-key old-desk/log.key --mirror https://m.example/ --key ana.key --key ben.key");
    assert!(refused.contains("has signed only 2"), "{refused}");
    room.verify();
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").args(["-r", "--reflink=auto"]).arg(from).arg(to).status().unwrap().success());
}

#[test]
fn roots_are_changed_by_command_and_shown_in_words() {
    let room = Newsroom::with_root();
    room.run("publish desk --collection council --to archive --key ana.key --key ben.key");
    room.keys(&["dora"]);
    let both = "--key ana.key --key cleo.key";
    let done = room.run(&format!("root rotate archive --log-key desk/log.key --add dora.key.pub --remove ben --change-log-key --mirror https://m.example/ {both} --json"));
    let done = done.json();
    assert_eq!((&done["enacted"]["version"], &done["enacted"]["log_key_changed"]), (&2.into(), &true.into()), "{done}");
    assert_eq!(room.verify()["root_version"], 2);
    let words = room.run("root show archive").text();
    for part in [
        "root 2 of news.example/papers: log entry 2, signed by the editors before it and its own (ana, cleo)",
        "goes  ben+",
        "comes dora+",
        "comes https://m.example/",
        "ben's signatures count no more from log size 2 on",
        "root 2 is in force; log size 3",
    ] {
        assert!(words.contains(part), "{part:?} is not in\n{words}");
    }
    room.letters("council", &["A fourth"]);
    let refused = room.refused("publish desk --collection council --to archive --key ben.key --key ana.key");
    assert!(refused.contains("root 2 lists ana, cleo, dora"), "{refused}");
    room.run("publish desk --collection council --to archive --key dora.key --key ana.key");
    room.verify();
    let refused = room.refused("root rotate archive --log-key desk/log.key --threshold 2");
    assert!(refused.contains("nothing in it would be different"), "{refused}");
    let refused = room.refused("root new archive --log-key desk/log.key --editor ana.key.pub --key ana.key");
    assert!(refused.contains("has a root already"), "{refused}");
    // Only the new sign, only the old: neither is enough.
    room.keys(&["nan", "ned", "nat"]);
    let change = "root rotate archive --log-key desk/log.key --editor nan.key.pub --editor ned.key.pub --editor nat.key.pub";
    assert!(room.run(&format!("{change} --key ana.key --key dora.key --json")).json()["enacted"].is_null());
    room.run(&format!("{change} --key nan.key --key ned.key --request new.request"));
    assert!(room.refused("root finish archive new.request --log-key desk/log.key").contains("not signed by enough yet"));
    room.run("root finish archive new.request root-3.request --log-key desk/log.key");
    assert_eq!(room.verify()["recovered_roots"], serde_json::json!([]));
    let no_recovery = Newsroom::new();
    no_recovery.keys(&["solo"]);
    no_recovery.run("publish desk --collection council --to archive --key solo.key");
    let refused = no_recovery.refused("root recover archive --log-key desk/log.key --editor solo.key.pub");
    assert!(refused.contains("no recovery keys"), "{refused}");
    assert!(daylight(["root"]).code == Some(2));
}

#[test]
fn both_verifiers_agree_on_roots_that_changed_and_on_who_stole_the_logs_old_key() {
    let room = Newsroom::with_root();
    room.run("publish desk --collection council --to archive --key ana.key --key ben.key");
    copy(&room.at("archive"), &room.at("before"));
    room.run("root rotate archive --log-key desk/log.key --change-log-key --key ana.key --key ben.key");
    room.keys(&["nan"]);
    room.run("root recover archive --log-key desk/log.key --editor nan.key.pub --key safe2.key --key safe3.key");
    room.letters("council", &["A fourth"]);
    room.run("publish desk --collection council --to archive --key nan.key");
    for pinned in ["pinned.json", "archive/root/2.json", "archive/root/3.json"] {
        assert!(both(&room, "archive", pinned));
    }
    // Whoever keeps the newest root knows an old copy; whoever keeps none is told only that it is whole.
    assert!(!both(&room, "before", "archive/root/3.json"), "an old copy is not what the newest root leads to");
    assert!(both(&room, "before", "pinned.json"));
    // The thief of the log's old key can sign the same log again, and nobody believes it.
    let old = fs::read_dir(room.at("desk")).unwrap().map(|entry| entry.unwrap().path());
    let old =
        old.into_iter().find(|path| path.to_str().unwrap().contains("log.key.old-") && path.extension().unwrap() != "signed").unwrap();
    let old = daylight_archive::Signer::from_text(fs::read_to_string(old).unwrap().trim_end()).unwrap();
    let checkpoint = daylight_archive::note::Note::parse(&fs::read(room.at("archive/checkpoint")).unwrap()).unwrap();
    let mut forged = daylight_archive::note::Note::new(checkpoint.text()).unwrap();
    forged.sign(&old);
    fs::write(room.at("archive/checkpoint"), forged.to_bytes()).unwrap();
    assert!(!both(&room, "archive", "pinned.json"));
}

/// What both verifiers say of an archive, which must be one.
#[track_caller]
fn both(room: &Newsroom, archive: &str, pinned: &str) -> bool {
    let ours = room.say(&format!("verify {archive} --root {pinned}"));
    if !Command::new("python3").args(["-c", "import cryptography"]).output().is_ok_and(|output| output.status.success()) {
        skip("no python3 with cryptography");
        return ours.code == Some(0);
    }
    let mut theirs = Command::new("python3");
    theirs.arg(root().join("docs/verify.py")).args([archive, pinned]).current_dir(room.work.path());
    let theirs = Spoken::from(theirs.output().unwrap());
    assert_eq!(ours.code, theirs.code, "ours: {ours:?}\ntheirs: {theirs:?}");
    ours.code == Some(0)
}
