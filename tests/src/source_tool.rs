//! A source's own end: `submit`, `check` and `reply`, through a real drop to a real desk and back.

use crate::inbox::Room;
use crate::support::{Ending, Server, Spoken, program, workplace};
use crate::witnessing::{Running, other_log};
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// A newsroom whose drop is running, and a source's folder.
struct Way {
    room: Room,
    drop: Ending,
    at: String,
}

impl Way {
    fn new() -> Self {
        Self::of(Room::with_directory(3))
    }

    fn of(room: Room) -> Self {
        let token = room.run("drop init store --archive archive --title Courier --directory desk/inbox/directory --json").json();
        fs::write(room.at("token"), token["token"].as_str().unwrap()).unwrap();
        fs::create_dir(room.at("source")).unwrap();
        let mut command = Command::new(program());
        command.args(["drop", "serve", "store", "--listen", "127.0.0.1:0"]).current_dir(room.work.path());
        let mut drop = Ending::start(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let mut lines = BufReader::new(drop.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.next().expect("the drop says its address");
        std::thread::spawn(move || lines.for_each(std::mem::drop));
        let at = said[said.find("127.0.0.1").unwrap()..].trim().trim_end_matches('/').to_owned();
        Self { room, drop, at: format!("http://{at}/") }
    }

    /// Runs the tool in the source's folder, which is also its home and its place for temporary files.
    fn tool(&self, line: &str, input: &str) -> Spoken {
        let line = line.replace("DROP", &self.at);
        let folder = self.room.at("source");
        let mut command = Command::new(program());
        command.args(line.split_whitespace()).current_dir(&folder).env("HOME", &folder).env("TMPDIR", &folder);
        let mut tool = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Who is refused at once reads nothing.
        let _ = tool.stdin.take().unwrap().write_all(input.as_bytes());
        tool.wait_with_output().unwrap().into()
    }

    fn collect(&self) -> serde_json::Value {
        self.room.run(&format!("drop collect desk --drop {} --token-file token --json", self.at)).json()
    }

    /// How many envelopes lie in the drop.
    fn kept(&self) -> usize {
        fs::read_dir(self.room.at("store/envelope")).map_or(0, Iterator::count)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const TRUST: &str = "--root ../archive/root/1.json --archive ../archive --without-witnesses --tries 2";

#[test]
fn a_source_sends_is_answered_writes_again_and_has_all_of_it_deleted() {
    let way = Way::new();
    let source = way.room.at("source");
    fs::write(source.join("ledger.bin"), vec![7; 300_000]).unwrap();
    // The archive may be asked anywhere: here at a public site.
    let site = Server::start(&way.room.at("archive"));
    let trust = format!("--root ../archive/root/1.json --archive {}/ --without-witnesses", site.origin);
    let said = way.tool(&format!("submit DROP --text - ledger.bin --codename-file codename {trust}"), "The wall is wet.").code(0);
    let codename = fs::read_to_string(source.join("codename")).unwrap();
    let text = said.text();
    assert!(text.contains(codename.trim()) && text.contains("To Courier (news.example/papers): sealed for 2 readers"), "{text}");
    assert!(text.contains("Not protected") && text.contains("Sent."), "{text}");
    assert_eq!(way.kept(), 2);
    assert_eq!(way.collect()["submissions"], 2);

    let id = way.room.first();
    let read = way.room.run(&format!("drop read desk {id}")).text();
    assert!(read.contains("The wall is wet.") && read.contains("ledger.bin"), "{read}");
    fs::write(way.room.at("answer"), "Which wall? \u{1b}[31m").unwrap();
    way.room.run(&format!("drop answer desk {id} --key ana.key --text answer"));
    assert!(way.tool(&format!("check DROP --codename-file codename {TRUST}"), "").code(0).text().contains("No reply."));
    way.collect();
    let shown = way.tool(&format!("check DROP --codename-file codename {TRUST}"), "").code(0).text();
    assert!(shown.contains("signed by ana") && shown.contains("Which wall? \u{fffd}[31m"), "{shown}");

    // From now on by heart, as the file is gone.
    fs::remove_file(source.join("codename")).unwrap();
    fs::remove_file(source.join("ledger.bin")).unwrap();
    way.tool(&format!("reply DROP --text The-northern-one. {TRUST}"), &codename).code(0);
    assert_eq!(way.collect()["submissions"], 1);
    let read = way.room.run(&format!("drop read desk {id}")).text();
    assert!(read.contains("The-northern-one."), "{read}");
    let told = way.tool(&format!("check DROP --json --delete {TRUST}"), &codename).code(0).json();
    assert_eq!((&told["replies"][0]["editor"], &told["refused"]), (&"ana".into(), &serde_json::json!([])), "{told}");
    let gone = way.tool(&format!("check DROP --json {TRUST}"), &codename).code(0).json();
    assert_eq!(gone["replies"], serde_json::json!([]));
    assert_eq!(names(&source), [""; 0], "the tool wrote nothing that it was not asked for");
}

#[test]
fn nothing_is_sent_to_whoever_is_not_the_newsroom() {
    let way = Way::new();
    let source = way.room.at("source");
    let stranger = Room::with_directory(3);
    fs::write(source.join("strangers.json"), fs::read(stranger.at("archive/root/1.json")).unwrap()).unwrap();
    fs::write(source.join("slip"), "abacus abdomen\n").unwrap();
    let theirs = stranger.at("archive").display().to_string();
    let before = names(&source);
    let refused = |line: &str| way.tool(line, "").code(1).stderr;
    let submit = "submit DROP --text hello";
    for (line, because) in [
        (submit.to_owned(), "say whose drop it is with --root"),
        (format!("{submit} --root ../archive/root/1.json"), "--archive"),
        (format!("{submit} --root ../archive/root/1.json --archive ../archive"), "names no witnesses"),
        (format!("{submit} --root strangers.json --archive ../archive --without-witnesses"), "another newsroom's archive"),
        (format!("{submit} --root strangers.json --archive {theirs} --without-witnesses"), "another newsroom's than the root"),
        (format!("{submit} --root {} --archive ../archive --without-witnesses", "0".repeat(64)), "another newsroom's archive"),
        (format!("{submit} {TRUST} missing.pdf"), "missing.pdf"),
        (format!("submit DROP {TRUST}"), "say what to send"),
        (format!("{submit} {TRUST} slip --from-part 2"), "use `daylight reply`"),
        (format!("reply DROP --text hello --codename-file slip {TRUST}"), "ten words, and this has 2"),
        (format!("check DROP {TRUST}"), "no codename was given"),
        (format!("check ../desk {TRUST}"), "are for a drop"),
    ] {
        let said = refused(&line);
        assert!(said.contains(because) && said.lines().all(|line| line.starts_with("daylight: ")), "{line}\n{said}");
    }
    // An old directory, after the desk made a new one that is in the log: the drop holds it back.
    way.room.run("drop directory keys desk --to archive --key ana.key --days 4 --out ana2.epoch-keys");
    way.room.run("drop directory new desk --to archive --member ana2.epoch-keys --key ana.key --key ben.key");
    let said = refused(&format!("{submit} {TRUST}"));
    assert!(said.contains("an old one, serial"), "{said}");
    assert_eq!((way.kept(), names(&source)), (0, before));
}

#[test]
fn a_drop_that_is_gone_is_tried_and_the_codename_stays_good() {
    let mut way = Way::new();
    let codename = {
        let said = way.tool(&format!("submit DROP --text first --codename-file codename {TRUST}"), "").code(0);
        assert!(said.text().contains("also in codename"));
        fs::read(way.room.at("source/codename")).unwrap()
    };
    way.drop.end();
    let said = way.tool(&format!("submit DROP --text second --codename-file codename {TRUST}"), "").code(1).stderr;
    assert!(said.contains("trying again in 1 s") && said.contains("cannot be reached"), "{said}");
    assert_eq!((way.kept(), fs::read(way.room.at("source/codename")).unwrap()), (1, codename));
}

/// A newsroom whose root asks for two of three witnesses, and the witnesses, running.
fn watched() -> (Room, Vec<Running>) {
    let room = Room { work: workplace() };
    room.run("init desk");
    room.run("key new ana.key");
    let witnesses: Vec<Running> = (1..=3)
        .map(|i| {
            room.run(&format!("witness key w{i}.key --name w{i}.example"));
            room.run(&format!("witness add w{i} --log-key {}", other_log()));
            Running::start(room.work.path(), i, "127.0.0.1:0", None)
        })
        .collect();
    let named = (1..).zip(&witnesses).map(|(i, w)| format!(" --witness w{i}.key.pub={}", w.address)).collect::<String>();
    fs::write(room.at("policy"), room.run(&format!("witness policy{named} --quorum 2")).text()).unwrap();
    let begin =
        "root new archive --log-key desk/log.key --origin news.example/papers --editor ana.key.pub --key ana.key --witnesses policy";
    room.say(begin).code(1);
    (1..=3).for_each(|i| _ = room.run(&format!("witness add w{i} --root archive/root/1.json")));
    fs::create_dir(room.at("trove")).unwrap();
    fs::write(room.at("trove/first.eml"), "From: ana@town.example\nSubject: first\nMessage-ID: <1@x>\n\nAbout the wall.\n").unwrap();
    room.run("ingest desk trove --collection council");
    room.run("clear desk --collection council --all --as Ana");
    room.run("publish desk --collection council --to archive --key ana.key");
    room.run("drop directory keys desk --to archive --key ana.key --days 2 --out ana.epoch-keys");
    room.run("drop directory new desk --to archive --member ana.epoch-keys --key ana.key");
    (room, witnesses)
}

#[test]
fn keys_are_believed_when_witnesses_saw_them() {
    let (room, _witnesses) = watched();
    let way = Way::of(room);
    let trust = "--root ../archive/root/1.json --archive ../archive --tries 1";
    let said = way.tool(&format!("submit DROP --text hello {trust}"), "").code(0);
    assert!(said.text().contains("sealed for 1 reader,") && !said.stderr.contains("witness"), "{said:?}");
    assert_eq!(way.kept(), 1);
    // The same log, as it would look if it had been made for this source alone.
    let checkpoint = way.room.at("archive/checkpoint");
    let text = fs::read_to_string(&checkpoint).unwrap();
    let alone: Vec<&str> = text.lines().filter(|line| !line.contains(" w1.example ") && !line.contains(" w2.example ")).collect();
    fs::write(&checkpoint, alone.join("\n") + "\n").unwrap();
    let said = way.tool(&format!("submit DROP --text hello {trust}"), "").code(1).stderr;
    assert!(said.contains("only 1 of 3 witnesses saw this archive in the last 48 hours, and 2 of 3 must have"), "{said}");
    assert_eq!(way.kept(), 1);
}
