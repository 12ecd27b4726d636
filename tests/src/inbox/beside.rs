//! What people of the newsroom do while a collection runs.

use super::{Room, What, source, stick};
use crate::support::{Ending, program};
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How many envelopes the long group has: enough that a look at it falls into its middle.
const GROUP: u64 = 24;

fn signal(process: u32, name: &str) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().unwrap().success());
}

/// Stops a collection while it opens a group, and gives it; nothing if it was through already.
fn stopped(room: &Room) -> Option<Ending> {
    let log = room.at("desk/inbox/steps");
    let _ = fs::remove_file(&log);
    let mut command = Command::new(program());
    command.args(["drop", "collect", "desk", "--from", "usb"]).current_dir(room.work.path()).env("DAYLIGHT_CRASH_LOG", &log);
    let collecting = Ending::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
    let passed = |step: &str| fs::read_to_string(&log).unwrap_or_default().lines().any(|line| line == step);
    while !passed("inbox.opened") {
        assert!(!passed("inbox.taken"));
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(collecting.id(), "STOP");
    (!passed("inbox.storage-keys")).then_some(collecting)
}

#[test]
fn others_read_and_write_while_a_collection_opens_what_came() {
    let room = Room::with_directory(2);
    let known = source(1);
    stick(&room.at("usb"), &[(known.lookup, room.seal(&known, 1, true, What::Text("before")))]);
    room.run("drop collect desk --from usb");
    let id = room.first();
    let group: Vec<_> =
        (0..GROUP).map(|counter| (known.lookup, room.seal(&known, 2 + counter, false, What::Text(&format!("text {counter}"))))).collect();
    stick(&room.at("usb"), &group);
    let mut collecting = stopped(&room).expect("a group of two dozen takes longer than a look at it");
    // It stands still for as long as this takes: whoever waited for it would wait in vain.
    assert!(room.run(&format!("drop read desk {id}")).text().contains("before"));
    room.run(&format!("drop assign desk {id} Ana"));
    room.run(&format!("drop accept desk {id}"));
    fs::write(room.at("answer"), "thank you").unwrap();
    room.run(&format!("drop answer desk {id} --key ana.key --text answer"));
    // What takes the whole inbox says who has it, at once.
    let said = room.refused(&format!("drop delete desk {id} --as Ana --yes"));
    assert!(said.contains("it is in use by process") && said.contains("(drop collect)") && said.lines().count() == 1, "{said}");
    signal(collecting.id(), "CONT");
    assert!(collecting.wait().unwrap().success());
    let listed = room.run("drop list desk --json").json();
    let one = &listed["conversations"][0];
    assert_eq!((one["submissions"].as_u64(), one["unread"].as_u64()), (Some(GROUP + 1), Some(GROUP)), "{listed}");
    assert_eq!((one["assigned"].as_str(), one["accepted"].as_bool()), (Some("Ana"), Some(true)), "{listed}");
    assert_eq!((one["replies"].as_u64(), listed["queued"].as_u64()), (Some(1), Some(1)), "{listed}");
    room.run("drop collect desk --from usb");
    assert_eq!(fs::read_dir(room.at("usb/inbox/reply")).unwrap().count(), 1);
}
