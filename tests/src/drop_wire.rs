//! The drop as programs meet it: what a source's tool sends is there once it is acknowledged, whatever happens; what a collector does is done; and nothing is left of what was
//! deleted.

use crate::support::drop::{DropServer, Told, Town, today};
use crate::support::{SmallDisk, daylight, program, skip};
use daylight_envelope::{Codename, Head, Kind, Recipient, SealedBy, SourceKeys, open_reply, seal_submission};
use daylight_model::Digest;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

fn source(town: &Town) -> SourceKeys {
    Codename::generate().unwrap().keys(&town.newsroom)
}

/// An envelope as the source's tool seals it.
fn seal(town: &Town, keys: &SourceKeys, kind: Kind, body: &[u8]) -> Vec<u8> {
    let head = Head {
        newsroom: town.newsroom,
        epoch: today(),
        conversation: keys.conversation.clone(),
        reply: keys.reply.recipient(),
        sealed_by: SealedBy::Tool,
        counter: 1,
        kind,
        name: Vec::new(),
        media_type: String::new(),
        first: true,
    };
    let to: [Recipient; 1] = [town.identities[0].recipient()];
    let mut sealer = seal_submission(&head, &to, Vec::new()).unwrap();
    sealer.write_all(body).unwrap();
    sealer.finish().unwrap()
}

fn send(server: &DropServer, keys: &SourceKeys, sealed: &[u8]) -> Told {
    server.ask("POST", "/envelope", &[("Daylight-Lookup", &keys.lookup.to_string())], sealed)
}

fn replies(server: &DropServer, lookup: &str) -> Vec<Vec<u8>> {
    let frame = server.ask("POST", "/replies", &[], lookup.as_bytes()).body;
    assert_eq!(frame.len(), 262_144);
    let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 8;
    (0..number(0))
        .map(|_| {
            let length = number(at);
            at += 4 + length;
            frame[at - length..at].to_vec()
        })
        .collect()
}

#[test]
fn what_is_sent_is_collected_answered_read_and_forgotten() {
    let town = Town::new();
    let server = town.serve();
    let told = server.ask("GET", "/newsroom", &[], b"").json();
    assert_eq!(told["first_root"], town.newsroom.to_string());
    assert_eq!(server.ask("GET", "/directory", &[], b"").body, fs::read(town.home.join("directory")).unwrap());
    let (keys, other) = (source(&town), source(&town));
    let sealed = seal(&town, &keys, Kind::Text, b"the wall is wet");
    let id = Digest::of(&sealed).to_string();
    for _ in 0..2 {
        let answer = send(&server, &keys, &sealed);
        assert_eq!((answer.status, answer.json()["id"].as_str()), (201, Some(id.as_str())));
    }
    assert_eq!(send(&server, &other, &sealed).status, 409);
    assert_eq!(town.envelopes().len(), 1);

    let list = town.collect(&server, "POST", "/collect/list", &[], b"").json();
    let lookup = keys.lookup.to_string();
    assert_eq!(list, serde_json::json!({"envelopes": [{"id": id, "lookup": lookup, "day": today(), "length": sealed.len()}]}));
    let brought = town.collect(&server, "GET", &format!("/collect/{id}"), &[], b"").body;
    assert_eq!(brought, sealed);
    let (head, body, _) = town.open_bytes(&brought);
    assert_eq!(body, b"the wall is wet");

    let reply = town.reply(&head, 1, "which wall?");
    assert_eq!(town.collect(&server, "PUT", "/collect/reply", &[("Daylight-Lookup", &lookup)], &reply).status, 201);
    let got = replies(&server, &lookup);
    let editor = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    assert_eq!(open_reply(&keys.reply, &town.newsroom, &[editor], &got[0]).unwrap().body.as_str(), "which wall?");
    assert!(replies(&server, &format!("{lookup}\n1")).is_empty() && replies(&server, &other.lookup.to_string()).is_empty());

    assert_eq!(town.collect(&server, "POST", "/collect/done", &[], format!("{id}\n{}\n", "0".repeat(64)).as_bytes()).status, 200);
    assert!(town.envelopes().is_empty());
    assert_eq!(town.collect(&server, "GET", &format!("/collect/{id}"), &[], b"").status, 404);
    // The newsroom takes back what it put here. What the source has sent meanwhile it was told has arrived.
    let later = seal(&town, &keys, Kind::Text, b"and one thing more");
    assert_eq!(send(&server, &keys, &later).status, 201);
    assert_eq!(town.collect(&server, "POST", "/collect/forget", &[], lookup.as_bytes()).status, 200);
    assert!(replies(&server, &lookup).is_empty());
    assert_eq!(town.envelopes().len(), 1);
    let forgotten = server.ask("POST", "/forget", &[], lookup.as_bytes());
    let nobody = server.ask("POST", "/forget", &[], other.lookup.to_string().as_bytes());
    assert_eq!((forgotten.status, forgotten.body), (nobody.status, nobody.body));
    assert!(replies(&server, &lookup).is_empty());
    for folder in ["envelope", "reply", "source", "incoming"] {
        assert_eq!(fs::read_dir(town.home.join(folder)).unwrap().count(), 0, "{folder}");
    }
}

#[test]
fn only_the_token_collects_and_only_the_newsroom_brings_a_directory() {
    let town = Town::new();
    let server = town.serve();
    for token in ["", "Daylight ", "Daylight 00", &format!("Bearer {}", town.token), &format!("Daylight {}0", town.token)] {
        for (method, path) in
            [("POST", "/collect/list"), ("POST", "/collect/done"), ("PUT", "/collect/reply"), ("PUT", "/collect/directory")]
        {
            assert_eq!(server.ask(method, path, &[("Authorization", token)], b"x").status, 401, "{token:?} {path}");
        }
    }
    let put = |bytes: &[u8]| town.collect(&server, "PUT", "/collect/directory", &[], bytes);
    let other = Town::new();
    assert_eq!(put(&town.directory(3, today())).status, 200);
    for (wrong, why) in [
        (town.directory(2, today()), "serial"),
        (b"nonsense".to_vec(), ""),
        (
            {
                let mut bytes = town.directory(4, today());
                let at = bytes.len() - 1;
                bytes[at] ^= 1;
                bytes
            },
            "",
        ),
    ] {
        let refused = put(&wrong);
        assert!(refused.status == 400 && refused.json()["error"].as_str().unwrap().contains(why), "{refused:?}");
    }
    assert_eq!(put(&town.directory(3, today())).status, 200);
    drop(other);
}

#[test]
fn a_source_that_nobody_accepted_may_leave_little_and_one_that_was_may_leave_more() {
    let town = Town::new();
    let server = town.serve();
    let keys = source(&town);
    let envelopes: Vec<_> = (0..20).map(|i| seal(&town, &keys, Kind::Text, format!("note {i}").as_bytes())).collect();
    let statuses: Vec<u16> = envelopes.iter().map(|sealed| send(&server, &keys, sealed).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 16, "{statuses:?}");
    assert_eq!(statuses[16..], [413; 4]);
    // Another source is not held back by it.
    let other = source(&town);
    assert_eq!(send(&server, &other, &seal(&town, &other, Kind::Text, b"x")).status, 201);
    assert_eq!(town.collect(&server, "POST", "/collect/accept", &[], keys.lookup.to_string().as_bytes()).status, 200);
    assert_eq!(send(&server, &keys, &envelopes[19]).status, 201);
    let long = server.ask("POST", "/envelope", &[("Daylight-Lookup", &keys.lookup.to_string()), ("Content-Length", "99999999999")], b"x");
    assert_eq!(long.status, 413);
}

#[test]
fn a_length_that_lies_a_line_that_breaks_and_junk_leave_nothing() {
    let town = Town::new();
    let server = town.serve();
    let keys = source(&town);
    let lookup = keys.lookup.to_string();
    let sealed = seal(&town, &keys, Kind::Text, b"whole");
    // Too short: the line is closed before all has come.
    let mut stream = server.connect();
    let head = format!("POST /envelope HTTP/1.1\r\nHost: x\r\nDaylight-Lookup: {lookup}\r\nContent-Length: {}\r\n\r\n", sealed.len() + 1);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&sealed).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(!answer.contains("201"), "{answer}");
    // Nothing, no length, no lookup, a lookup that is none.
    assert_eq!(send(&server, &keys, b"").status, 400);
    let chunked = [("Daylight-Lookup", lookup.as_str()), ("Transfer-Encoding", "chunked"), ("Content-Length", "")];
    let told = server.ask("POST", "/envelope", &chunked[..2], b"0\r\n\r\n");
    assert!([400, 411].contains(&told.status), "{told:?}");
    assert_eq!(server.ask("POST", "/envelope", &[], &sealed).status, 400);
    assert_eq!(server.ask("POST", "/envelope", &[("Daylight-Lookup", "../../etc")], &sealed).status, 400);
    for path in ["/collect/../drop.json", "/envelope/../drop.json", "/%2e%2e/drop.json", "/drop.json", "/collect/%00"] {
        let told = town.collect(&server, "GET", path, &[], b"");
        assert_eq!(told.status, 404, "{path}");
    }
    assert!(town.envelopes().is_empty());
    assert_eq!(fs::read_dir(town.home.join("incoming")).unwrap().count(), 0);
}

/// The steps that a server passes while something is done.
fn steps(town: &Town, act: &dyn Fn(&DropServer)) -> BTreeSet<String> {
    // The server is confined to its folder, so the list of steps stands there.
    let log = town.home.join("steps");
    let server = town.serve_with(&[("DAYLIGHT_CRASH_LOG", log.to_str().unwrap())], None);
    act(&server);
    drop(server);
    let steps = fs::read_to_string(&log).unwrap().lines().filter(|line| line.starts_with("drop.")).map(str::to_owned).collect();
    fs::remove_file(log).unwrap();
    steps
}

/// Asks, of a server that may die before it answers. Says whether it answered that it is done.
fn acknowledged(server: &DropServer, head: &str, body: &[u8]) -> bool {
    let mut stream = server.connect();
    let _ = stream.write_all(format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer.starts_with(b"HTTP/1.1 2")
}

#[test]
fn a_drop_killed_at_any_step_keeps_what_it_acknowledged_and_nothing_half_and_all_can_be_deleted() {
    let town = Town::new();
    let keys = source(&town);
    let lookup = keys.lookup.to_string();
    let sealed = seal(&town, &keys, Kind::Text, b"kept");
    let upload = format!("POST /envelope HTTP/1.1\r\nDaylight-Lookup: {lookup}");
    let forget = "POST /forget HTTP/1.1".to_owned();
    let found = steps(&town, &|server| assert!(acknowledged(server, &upload, &sealed)));
    assert!(found.len() >= 3, "{found:?}");
    let deleting = steps(&town, &|server| assert!(acknowledged(server, &forget, lookup.as_bytes())));
    assert!(!deleting.is_empty());
    for step in found {
        let server = town.serve_with(&[("DAYLIGHT_CRASH_AT", &step)], None);
        let said = acknowledged(&server, &upload, &sealed);
        drop(server);
        let server = town.serve();
        let there = town.envelopes();
        assert!(!said || there.len() == 1, "{step}: what was acknowledged is gone");
        assert_eq!(fs::read_dir(town.home.join("incoming")).unwrap().count(), 0, "{step}");
        there.iter().for_each(|file| assert_eq!(town.open(file).1, b"kept", "{step}"));
        assert!(acknowledged(&server, &forget, lookup.as_bytes()));
        assert!(town.envelopes().is_empty(), "{step}: it cannot be deleted");
    }
    for step in deleting {
        let server = town.serve();
        assert!(acknowledged(&server, &upload, &sealed));
        drop(server);
        let server = town.serve_with(&[("DAYLIGHT_CRASH_AT", &step)], None);
        acknowledged(&server, &forget, lookup.as_bytes());
        drop(server);
        let server = town.serve();
        town.envelopes().iter().for_each(|file| assert_eq!(town.open(file).1, b"kept", "{step}"));
        assert!(acknowledged(&server, &forget, lookup.as_bytes()));
        assert!(town.envelopes().is_empty(), "{step}");
    }
}

#[test]
fn a_full_disk_refuses_what_comes_and_loses_nothing_that_came() {
    let mut town = Town::new();
    let Some(disk) = SmallDisk::mount(town.work.path().join("disk"), "24m") else { return skip("no disk can be mounted") };
    let moved = disk.path.join("drop");
    assert!(Command::new("cp").arg("-r").arg(&town.home).arg(&moved).status().unwrap().success());
    town.home = moved;
    let server = town.serve();
    let keys = source(&town);
    town.collect(&server, "POST", "/collect/accept", &[], keys.lookup.to_string().as_bytes());
    let file = Kind::File { file: [1; 16], part: 0, last: true };
    let statuses: Vec<u16> = (0..8u8).map(|i| send(&server, &keys, &seal(&town, &keys, file, &vec![i; 4 << 20])).status).collect();
    assert!(statuses[0] == 201 && statuses[7] == 503, "{statuses:?}");
    let kept = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!(town.envelopes().len(), kept);
    town.envelopes().iter().for_each(|file| assert_eq!(town.open(file).1.len(), 4 << 20));
    // Forgetting makes room again.
    assert_eq!(server.ask("POST", "/forget", &[], keys.lookup.to_string().as_bytes()).status, 200);
    let other = source(&town);
    assert_eq!(send(&server, &other, &seal(&town, &other, Kind::Text, b"later")).status, 201);
    drop(server);
}

#[test]
fn the_collector_is_not_held_back_on_its_one_circuit_and_who_guesses_its_token_is() {
    let town = Town::new();
    let server = town.serve();
    let ask = |token: &str| {
        let mut stream = server.connect();
        write!(
            stream,
            "PROXY TCP6 fc00:dead:beef:4dad::0:21 ::1 65535 80\r\nPOST /collect/list HTTP/1.1\r\nHost: x\r\nAuthorization: Daylight {token}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        Told::read(stream).status
    };
    assert!((0..150).all(|_| ask(&town.token) == 200));
    let guessed: Vec<u16> = (0..150).map(|_| ask(&"0".repeat(64))).collect();
    assert!(guessed.contains(&401) && guessed.contains(&429), "{guessed:?}");
}

#[test]
fn a_stick_carries_envelopes_away_and_answers_back() {
    let town = Town::new();
    let server = town.serve();
    let keys = source(&town);
    let sealed = seal(&town, &keys, Kind::Text, b"by stick");
    assert_eq!(send(&server, &keys, &sealed).status, 201);
    let stick = town.work.path().join("stick");
    let at = |path: &Path| path.to_str().unwrap().to_owned();
    let said = daylight(["drop", "export", &at(&town.home), &at(&stick), "--json"]).code(0).json();
    assert_eq!(said["envelopes"], 1);
    let id = Digest::of(&sealed).to_string();
    assert_eq!(fs::read(stick.join("outbox").join(&id)).unwrap(), sealed);
    assert_eq!(fs::read(stick.join("outbox/list")).unwrap(), town.collect(&server, "POST", "/collect/list", &[], b"").body);
    let reply = town.reply(&town.open_bytes(&sealed).0, 1, "thanks");
    let inbox = stick.join("inbox");
    fs::create_dir_all(inbox.join("reply")).unwrap();
    fs::write(inbox.join("reply").join(format!("{}.{}", keys.lookup, Digest::of(&reply))), &reply).unwrap();
    fs::write(inbox.join("done"), format!("{id}\n")).unwrap();
    fs::write(inbox.join("directory"), town.directory(9, today())).unwrap();
    let running = daylight(["drop", "apply", &at(&town.home), &at(&stick)]).code(1);
    assert!(running.stderr.contains("in use"), "{}", running.stderr);
    server.kill();
    for _ in 0..2 {
        daylight(["drop", "apply", &at(&town.home), &at(&stick)]).code(0);
        let left: Vec<_> = ["done", "directory"].iter().filter(|name| inbox.join(name).exists()).collect();
        assert!(left.is_empty() && fs::read_dir(inbox.join("reply")).unwrap().count() == 0, "what was carried out goes: {left:?}");
    }
    let server = town.serve();
    assert!(town.envelopes().is_empty());
    assert_eq!(replies(&server, &keys.lookup.to_string()), [reply]);
    fs::write(inbox.join("done"), "not a name\n").unwrap();
    drop(server);
    daylight(["drop", "apply", &at(&town.home), &at(&stick)]).code(1);
}

#[test]
fn a_drop_that_is_not_there_is_damaged_or_served_already_is_said_in_a_line() {
    let town = Town::new();
    let refused = |home: &std::path::Path, listen: &str| {
        let line = ["drop".as_ref(), "serve".as_ref(), home.as_os_str(), "--listen".as_ref(), listen.as_ref()];
        crate::support::daylight(line).code(1).stderr
    };
    let said = refused(&town.work.path().join("nothing"), "127.0.0.1:0");
    assert!(said.contains("no drop there: make one with `daylight drop init`") && said.lines().count() == 1, "{said}");
    let server = town.serve();
    let said = refused(&town.home, &server.address);
    assert!(said.contains(&format!("cannot listen on {}: Address already in use", server.address)), "{said}");
    assert!(refused(&town.home, "127.0.0.1:0").contains("it is in use by process"));
    server.kill();
    fs::write(town.home.join("drop.json"), "").unwrap();
    let said = refused(&town.home, "127.0.0.1:0");
    assert!(said.contains("the settings in drop.json") && said.lines().count() == 1, "{said}");
}

#[test]
fn a_drop_is_not_given_another_archive() {
    let (town, other) = (Town::new(), Town::new());
    let archive = other.work.path().join("archive");
    // The same keys and the same origin give the same root; another origin is another archive.
    let json = fs::read_to_string(archive.join("root/1.json")).unwrap();
    assert_eq!(Digest::of(json.as_bytes()).0, town.newsroom.0);
    fs::write(archive.join("root/1.json"), json.replace("archive.example", "another.example")).unwrap();
    let said = Command::new(program())
        .args(["drop", "init"])
        .arg(&town.home)
        .arg("--archive")
        .arg(&archive)
        .args(["--title", "x"])
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(1));
}

#[test]
fn a_root_that_cannot_be_read_is_not_said_to_be_missing() {
    let town = Town::new();
    let at = |path: &Path| path.to_str().unwrap().to_owned();
    let archive = town.work.path().join("elsewhere");
    let init = || daylight(["drop", "init", &at(&town.home), "--archive", &at(&archive), "--title", "x"]).code(1).stderr;
    assert!(init().contains("no root/1.json there"));
    // Whatever forbids it, such as a folder's permissions: a test may run as root, who is refused nothing.
    fs::create_dir_all(archive.join("root/1.json")).unwrap();
    let said = init();
    assert!(said.contains("root/1.json: ") && !said.contains("no root/1.json there"), "{said}");
}
