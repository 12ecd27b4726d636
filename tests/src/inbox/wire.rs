//! Against the drop's own server, over its wire, and by its export and apply.

use super::{Room, What, source};
use crate::support::{Ending, program, started_by};
use daylight_envelope::open_reply;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use ureq::Agent;

/// A running drop, ended when dropped.
pub(crate) struct Served {
    _child: Ending,
    pub(crate) at: String,
}

impl Served {
    pub(crate) fn start(room: &Room) -> Self {
        let mut command = Command::new(program());
        command.args(["drop", "serve", "store", "--listen", "127.0.0.1:0"]).current_dir(room.work.path());
        let mut child = Ending::start(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.next().expect("the drop says its address");
        std::thread::spawn(move || lines.for_each(drop));
        let at = said[said.find("127.0.0.1").expect("an address")..].trim().trim_end_matches('/').to_owned();
        Self { _child: child, at: format!("http://{at}") }
    }
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

fn post(served: &Served, path: &str, lookup: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let request = agent().post(format!("{}{path}", served.at)).header("Daylight-Lookup", lookup);
    let mut answer = request.send(body).unwrap();
    let status = answer.status().as_u16();
    (status, answer.body_mut().with_config().limit(1 << 24).read_to_vec().unwrap())
}

/// The replies in a mailbox's answer.
fn replies(answer: &[u8]) -> Vec<Vec<u8>> {
    let number = |at: usize| u32::from_be_bytes(answer[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut replies) = (8, Vec::new());
    for _ in 0..number(0) {
        let length = number(at);
        replies.push(answer[at + 4..at + 4 + length].to_vec());
        at += 4 + length;
    }
    replies
}

#[test]
fn from_a_source_over_the_drop_to_the_desk_and_back() {
    let room = Room::with_directory(3);
    let token = room.run("drop init store --archive archive --title Courier --json").json()["token"].as_str().unwrap().to_owned();
    fs::write(room.at("token"), format!("{token}\n")).unwrap();
    let served = Served::start(&room);
    let collect = format!("drop collect desk --drop {} --token-file token --notice notice --json", served.at);
    // The first collection brings the directory, and nothing else.
    let came = room.run(&collect).json();
    assert_eq!((&came["directory_put"], &came["submissions"]), (&true.into(), &0.into()), "{came}");
    let shown =
        agent().get(format!("{}/directory", served.at)).call().unwrap().body_mut().with_config().limit(1 << 24).read_to_vec().unwrap();
    assert_eq!(shown, fs::read(room.at("desk/inbox/directory")).unwrap());

    let one = source(1);
    let lookup = one.lookup.to_string();
    let envelope = room.seal(&one, 1, true, What::Text("over the wire"));
    assert_eq!(post(&served, "/envelope", &lookup, &envelope).0, 201);
    let file = What::File { file: 1, part: 0, last: true, name: b"big.bin", body: &[7; 300_000] };
    assert_eq!(post(&served, "/envelope", &lookup, &room.seal(&one, 2, false, file)).0, 201);
    let came = room.run(&collect).json();
    assert_eq!(
        (&came["submissions"], &came["alarms"], &came["directory_put"]),
        (&2.into(), &Value::Array(vec![]), &false.into()),
        "{came}"
    );
    assert_eq!(room.run(&collect).json()["listed"], 0, "the drop deleted what it was told is done");

    let id = room.first();
    fs::write(room.at("answer"), "We have it.").unwrap();
    room.run(&format!("drop answer desk {id} --key ana.key --text answer"));
    room.run(&format!("drop accept desk {id}"));
    assert_eq!(room.run(&collect).json()["replies_sent"], 1);
    let (status, answer) = post(&served, "/replies", &lookup, lookup.as_bytes());
    let replies = replies(&answer);
    assert_eq!((status, replies.len()), (200, 1));
    let directory = daylight_archive::directory::parse(&shown).unwrap();
    let editors: Vec<[u8; 32]> = directory.told.members.iter().map(|member| *member.public()).collect();
    assert_eq!(open_reply(&one.reply, &room.newsroom(), &editors, &replies[0]).unwrap().body.as_str(), "We have it.");

    // Deleted on the desk, it is gone from the drop with the next collection.
    room.run(&format!("drop delete desk {id} --as Ana --yes"));
    assert_eq!(room.run(&collect).json()["forgotten"], 1);
    let (_, answer) = post(&served, "/replies", &lookup, lookup.as_bytes());
    assert_eq!(answer[..4], [0; 4]);

    // Another's token, and a drop that is not there: told, with a notice all the same.
    fs::write(room.at("token"), "0".repeat(64)).unwrap();
    assert!(room.refused(&collect).contains("token"));
    drop(served);
    let _ = fs::remove_file(room.at("notice"));
    room.refused(&collect);
    assert_eq!(fs::read(room.at("notice")).unwrap().len(), 512);
}

#[test]
fn a_newsroom_that_stays_offline_carries_a_stick() {
    let room = Room::with_directory(3);
    room.run("drop init store --archive archive --title Courier --directory desk/inbox/directory --json");
    let one = source(1);
    let lookup = one.lookup.to_string();
    {
        let served = Served::start(&room);
        assert_eq!(post(&served, "/envelope", &lookup, &room.seal(&one, 1, true, What::Text("by stick"))).0, 201);
    }
    room.run("drop export store usb");
    assert_eq!(room.run("drop collect desk --from usb --json").json()["submissions"], 1);
    let id = room.first();
    fs::write(room.at("answer"), "We have it.").unwrap();
    room.run(&format!("drop answer desk {id} --key ben.key --text answer"));
    room.run("drop collect desk --from usb --json");
    let applied = room.run("drop apply store usb --json").json();
    assert_eq!((&applied["replies"], &applied["done"]), (&1.into(), &1.into()), "{applied}");
    room.run("drop export store usb2");
    assert_eq!(room.run("drop collect desk --from usb2 --json").json()["listed"], 0);
    let served = Served::start(&room);
    assert_eq!(replies(&post(&served, "/replies", &lookup, lookup.as_bytes()).1).len(), 1);
}

/// While the drop is being talked to the process with the keys is already shut off for good, and the connection is another's.
#[test]
fn the_process_that_opens_has_no_socket_and_can_make_none() {
    let room = Room::with_directory(2);
    fs::write(room.at("token"), "0".repeat(64)).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let drop_at = format!("http://{}", listener.local_addr().unwrap());
    let mut child = Command::new(program())
        .args(["drop", "collect", "desk", "--drop", &drop_at, "--token-file", "token", "--notice", "notice"])
        .current_dir(room.work.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (connection, _) = listener.accept().unwrap();
    let about = std::path::PathBuf::from(format!("/proc/{}", child.id()));
    let status = fs::read_to_string(about.join("status")).unwrap();
    // The one that connected has a list of calls of its own.
    let beside: Vec<_> = started_by(child.id()).iter().map(|id| fs::read_to_string(format!("/proc/{id}/status")).unwrap()).collect();
    let open: Vec<_> = fs::read_dir(about.join("fd")).unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok()).collect();
    drop((connection, listener));
    let ended = child.wait().unwrap();
    assert!(status.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "2"])), "{status}");
    assert!(matches!(&beside[..], [one] if one.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "2"]))), "{beside:?}");
    assert!(!open.is_empty() && !open.iter().any(|to| to.to_string_lossy().starts_with("socket:")), "{open:?}");
    assert_eq!(ended.code(), Some(1), "a drop that hangs up is an error");
    let notice: Value = serde_json::from_slice(&fs::read(room.at("notice")).unwrap()).unwrap();
    assert_eq!(notice["collected"], false);
}
