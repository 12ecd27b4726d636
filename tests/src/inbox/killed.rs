//! `kill -9` at each step of a collection, an answer, an import and a deletion.

use super::{Room, Source, What, holds, source, stick};
use crate::support::{Spoken, program};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn with(folder: &Path, variable: &str, value: &str, line: &str) -> Spoken {
    let mut command = Command::new(program());
    command.args(line.split_whitespace()).current_dir(folder).env(variable, value).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Every step that a command passes in a copy of the room, the first and the last time.
fn deaths(room: &Room, line: &str) -> Vec<String> {
    let copy = copy(room, "rehearsal");
    // A collection can write nowhere else.
    let log = copy.join("desk/inbox/steps");
    with(&copy, "DAYLIGHT_CRASH_LOG", log.to_str().unwrap(), line).code(0);
    let mut steps: BTreeMap<String, usize> = BTreeMap::new();
    for name in fs::read_to_string(&log).unwrap().lines().filter(|name| name.starts_with("inbox.") || name.starts_with("durable.")) {
        *steps.entry(name.to_owned()).or_default() += 1;
    }
    fs::remove_dir_all(&copy).unwrap();
    assert!(steps.len() > 1, "{steps:?}");
    let mut deaths: Vec<String> = steps.iter().flat_map(|(name, count)| [format!("{name}:1"), format!("{name}:{count}")]).collect();
    deaths.dedup();
    deaths
}

fn copy(room: &Room, name: &str) -> std::path::PathBuf {
    let to = room.at(name);
    fs::create_dir(&to).unwrap();
    for part in ["desk", "archive", "usb", "ana.key", "ben.key", "answer"] {
        if room.at(part).exists() {
            assert!(Command::new("cp").arg("-r").arg(room.at(part)).arg(&to).status().unwrap().success());
        }
    }
    to
}

/// What is in an inbox, in an order that does not depend on which came first.
fn seen(folder: &Path) -> Vec<String> {
    let listed = super::say(folder, "drop list desk --json").code(0).json();
    let mut all = Vec::new();
    for one in listed["conversations"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        let read: Value = super::say(folder, &format!("drop read desk {id} --peek --json")).code(0).json();
        let mut texts: Vec<String> =
            read["messages"].as_array().unwrap().iter().map(|message| format!("{} {}", message["text"], message["outgoing"])).collect();
        texts.sort();
        all.push(format!("{id} {} {} {texts:?} {}", one["submissions"], one["replies"], read["files"]));
    }
    all.sort();
    all
}

fn sources() -> (Source, Source) {
    (source(1), source(2))
}

fn with_envelopes() -> Room {
    let room = Room::with_directory(2);
    let (one, two) = sources();
    let file = What::File { file: 3, part: 0, last: true, name: b"a.txt", body: b"CANARY-body reservoir" };
    let envelopes = [
        (one.lookup, room.seal(&one, 1, true, What::Text("CANARY-one"))),
        (one.lookup, room.seal(&one, 2, false, file)),
        (two.lookup, room.seal(&two, 1, true, What::Text("CANARY-two"))),
    ];
    stick(&room.at("usb"), &envelopes);
    fs::write(room.at("answer"), "thank you").unwrap();
    room
}

#[test]
fn a_collection_killed_at_any_step_loses_nothing_and_takes_nothing_twice() {
    let room = with_envelopes();
    let line = "drop collect desk --from usb --json";
    let calm = copy(&room, "calm");
    super::say(&calm, line).code(0);
    let expected = seen(&calm);
    assert_eq!(expected.len(), 2);
    for death in deaths(&room, line) {
        let folder = copy(&room, "killed");
        let died = with(&folder, "DAYLIGHT_CRASH_AT", &death, line);
        assert_eq!(died.code, None, "it should have died at {death}: {died:?}");
        // What the drop was told is on the desk: it deletes those.
        let done = fs::read_to_string(folder.join("usb/inbox/done")).unwrap_or_default();
        done.lines().for_each(|id| fs::remove_file(folder.join("usb/outbox").join(id)).unwrap());
        let kept: Vec<Value> = serde_json::from_slice::<Value>(&fs::read(folder.join("usb/outbox/list")).unwrap()).unwrap()["envelopes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| !done.contains(one["id"].as_str().unwrap()))
            .cloned()
            .collect();
        fs::write(folder.join("usb/outbox/list"), serde_json::json!({"envelopes": kept}).to_string()).unwrap();
        super::say(&folder, line).code(0);
        assert_eq!(seen(&folder), expected, "killed at {death}");
        assert_eq!(fs::read_dir(folder.join("desk/inbox/sealed")).unwrap().count(), 3, "killed at {death}");
        assert_eq!(fs::read_dir(folder.join("desk/inbox/incoming")).unwrap().count(), 0);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn an_answer_killed_at_any_step_is_queued_once_and_a_sending_is_done_again() {
    let room = with_envelopes();
    room.run("drop collect desk --from usb");
    let id = room.first();
    let line = format!("drop answer desk {id} --key ana.key --text answer");
    for death in deaths(&room, &line) {
        let folder = copy(&room, "killed");
        with(&folder, "DAYLIGHT_CRASH_AT", &death, &line);
        let queued = super::say(&folder, "drop list desk --json").code(0).json()["queued"].as_u64().unwrap();
        if queued == 0 {
            super::say(&folder, &line).code(0);
        }
        super::say(&folder, "drop collect desk --from usb").code(0);
        assert_eq!(fs::read_dir(folder.join("usb/inbox/reply")).unwrap().count(), 1, "killed at {death}");
        assert_eq!(fs::read_dir(folder.join("desk/inbox/sealed")).unwrap().count(), 4, "killed at {death}");
        fs::remove_dir_all(&folder).unwrap();
    }
    room.run(&line);
    let line = "drop collect desk --from usb --json";
    for death in deaths(&room, line) {
        let folder = copy(&room, "killed");
        with(&folder, "DAYLIGHT_CRASH_AT", &death, line);
        super::say(&folder, line).code(0);
        assert_eq!(
            fs::read_dir(folder.join("usb/inbox/reply"))
                .unwrap()
                .filter(|one| !one.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'))
                .count(),
            1
        );
        assert_eq!(super::say(&folder, "drop list desk --json").json()["queued"], 0, "killed at {death}");
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_deletion_killed_at_any_step_is_finished_and_leaves_no_trace() {
    let room = with_envelopes();
    room.run("drop collect desk --from usb");
    let listed = room.run("drop list desk --json").json();
    let id =
        listed["conversations"].as_array().unwrap().iter().find(|one| one["submissions"] == 2).unwrap()["id"].as_str().unwrap().to_owned();
    room.run(&format!("drop import desk {id} --collection council --as Ana --jobs 1"));
    let line = format!("drop delete desk {id} --as Ana --yes");
    let secrets = fs::read(room.at("desk/inbox/storage.keys")).unwrap();
    // Which of the two keys is the conversation's, a deletion tells.
    let calm = copy(&room, "calm");
    super::say(&calm, &line).code(0);
    let after = fs::read(calm.join("desk/inbox/storage.keys")).unwrap();
    let at = secrets.iter().zip(&after).position(|(before, after)| before != after).unwrap();
    let place = (at - 31) / 36 * 36 + 31;
    let key = &secrets[place + 4..place + 36];
    for death in deaths(&room, &line) {
        let folder = copy(&room, "killed");
        let died = with(&folder, "DAYLIGHT_CRASH_AT", &death, &line);
        assert_eq!(died.code, None, "it should have died at {death}: {died:?}");
        // Whoever comes next finishes it, whatever for; where nothing was begun, it is there still, and is deleted again.
        let left = super::say(&folder, "drop list desk --json").code(0).json();
        if left["total"] == 2 {
            super::say(&folder, &line).code(0);
        }
        assert_eq!(super::say(&folder, "drop list desk --json").json()["total"], 1, "killed at {death}");
        super::say(&folder, "drop collect desk --from usb").code(0);
        assert_eq!(fs::read_to_string(folder.join("usb/inbox/forget")).unwrap().lines().count(), 1, "killed at {death}");
        assert_eq!(fs::read_dir(folder.join("desk/inbox/sealed")).unwrap().count(), 1, "killed at {death}");
        for trace in [key, id.as_bytes(), &sources().0.lookup.0] {
            assert_eq!(holds(&folder.join("desk"), trace), None, "killed at {death}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_discarding_killed_at_any_step_is_done_again_and_the_drop_is_told_once() {
    let room = Room::with_directory(2);
    let junk = b"no envelope".to_vec();
    let id = daylight_model::Digest::of(&junk).to_string();
    stick(&room.at("usb"), &[(source(1).lookup, junk)]);
    room.run("drop collect desk --from usb");
    let line = "drop discard desk --all --as Ana --yes";
    let deaths = deaths(&room, line);
    assert!(deaths.iter().any(|death| death == "inbox.discard-noted:1") && deaths.iter().any(|death| death == "inbox.discarded:1"));
    for death in deaths {
        let folder = copy(&room, "killed");
        let died = with(&folder, "DAYLIGHT_CRASH_AT", &death, line);
        assert_eq!(died.code, None, "it should have died at {death}: {died:?}");
        super::say(&folder, line).code(0);
        super::say(&folder, "drop collect desk --from usb").code(0);
        assert_eq!(fs::read_to_string(folder.join("usb/inbox/done")).unwrap().trim(), id, "killed at {death}");
        assert_eq!(super::say(&folder, "drop list desk --json").code(0).json()["refused"], 0, "killed at {death}");
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn an_import_killed_at_any_step_leaves_nothing_in_the_clear_once_the_inbox_is_opened() {
    let room = with_envelopes();
    room.run("drop collect desk --from usb");
    let listed = room.run("drop list desk --json").json();
    let id =
        listed["conversations"].as_array().unwrap().iter().find(|one| one["submissions"] == 2).unwrap()["id"].as_str().unwrap().to_owned();
    let line = format!("drop import desk {id} --collection council --as Ana --jobs 1");
    let folder = copy(&room, "killed");
    with(&folder, "DAYLIGHT_CRASH_AT", "inbox.linked", &line);
    assert!(holds(&folder.join("desk/inbox/import"), b"CANARY-body").is_some());
    super::say(&folder, "drop list desk").code(0);
    assert_eq!(holds(&folder.join("desk"), b"CANARY-body"), None);
    super::say(&folder, &line).code(0);
    super::say(&folder, &format!("drop delete desk {id} --as Ana --yes")).code(0);
    assert_eq!(holds(&folder.join("desk"), id.as_bytes()), None, "nor in the entry of the import that was killed");
}
