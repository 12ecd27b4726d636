//! A desk whose keys are sealed under keys in a TPM: against swtpm, looked at with tpm2-tools.

use super::{Room, What, holds, say, say_with, source, stick};
use crate::support::{Chip, SmallDisk, Spoken, skip};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CANARY: &str = "CANARY-the-sluice-keeper-knows";

fn on(chip: &Chip, folder: &Path, line: &str) -> Spoken {
    say_with(folder, &[("DAYLIGHT_TPM", chip.socket.to_str().unwrap())], line)
}

/// Two conversations wait on a stick.
fn with_envelopes(room: &Room) {
    let (one, two) = (source(1), source(2));
    let envelopes =
        [(one.lookup, room.seal(&one, 1, true, What::Text(CANARY))), (two.lookup, room.seal(&two, 1, true, What::Text("from another")))];
    stick(&room.at("usb"), &envelopes);
}

/// A desk that is sealed from its first key on, with two conversations; and its chip.
fn sealed() -> (Room, Chip) {
    let room = Room::new();
    let chip = Chip::start(room.work.path());
    let run = |line: &str| on(&chip, room.work.path(), line).code(0);
    run("drop protect desk");
    run("drop directory keys desk --to archive --key ana.key --days 2 --out ana.epoch-keys");
    run("drop directory keys desk --to archive --key ben.key --days 2 --out ben.epoch-keys");
    run("drop directory new desk --to archive --member ana.epoch-keys --member ben.epoch-keys --key ana.key --key ben.key");
    with_envelopes(&room);
    assert_eq!(run("drop collect desk --from usb --json").json()["submissions"], 2);
    (room, chip)
}

/// The conversation in which somebody says this.
fn who_said(chip: &Chip, folder: &Path, words: &str) -> String {
    let listed = on(chip, folder, "drop list desk --json").code(0).json();
    let ids: Vec<String> = listed["conversations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    ids.into_iter().find(|id| on(chip, folder, &format!("drop read desk {id} --peek")).code(0).text().contains(words)).unwrap()
}

/// The room as it is now, with what its chip remembers.
fn copy(room: &Room, name: &str) -> PathBuf {
    let to = room.at(name);
    fs::create_dir(&to).unwrap();
    for part in ["desk", "archive", "usb", "ana.key", "cleo.key", "chip"] {
        if room.at(part).exists() {
            assert!(Command::new("cp").arg("-r").arg(room.at(part)).arg(&to).status().unwrap().success());
        }
    }
    to
}

/// The files of secrets of a desk, and whether all of them are sealed; nothing else may stand beside them.
fn files(folder: &Path) -> Vec<(PathBuf, bool)> {
    let keyrings = fs::read_dir(folder.join("desk/inbox/keyring")).unwrap().map(|entry| entry.unwrap().path());
    let storage =
        ["keys", "new", "old", "mark"].map(|end| folder.join(format!("desk/inbox/storage.{end}"))).into_iter().filter(|path| path.exists());
    let all: Vec<PathBuf> = keyrings.chain(storage).collect();
    all.iter().for_each(|path| assert!(path.extension().unwrap() == "keys", "{} was left", path.display()));
    all.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap().starts_with(b"daylight-secrets/v2\n"))).collect()
}

#[test]
fn a_desk_is_sealed_from_its_first_key_on_and_opens_on_its_machine_alone() {
    if !Chip::can_be() {
        return;
    }
    let (room, chip) = sealed();
    let work = room.work.path();
    // What else is in the chip stays as it is, also in our range.
    chip.tool("tpm2_nvdefine 0x1ada005 -C o -s 32 -a ownerread|ownerwrite");
    chip.tool("tpm2_nvdefine 0x1800001 -C o -s 8 -a ownerread|ownerwrite");
    assert_eq!(chip.indices(), [0x0180_0001, 0x01ad_a000, 0x01ad_a001, 0x01ad_a002, 0x01ad_a005]);
    assert!(files(work).len() == 3 && files(work).iter().all(|(_, sealed)| *sealed));
    for handle in ["0x1ada000", "0x1ada001", "0x1ada002"] {
        let public = chip.tool(&format!("tpm2_nvreadpublic {handle}"));
        assert!(public.contains("friendly: authwrite|authread|no_da|written\n") && public.contains("size: 32\n"), "{public}");
    }
    let id = who_said(&chip, work, CANARY);
    on(&chip, work, &format!("drop accept desk {id}")).code(0);
    let said = on(&chip, work, "drop directory keys desk --to archive --key ana.key --days 3 --out ana.epoch-keys").code(0);
    assert!(said.stderr.contains("sealed under a key in this machine's TPM"), "{said:?}");
    let own = on(&chip, work, "drop directory show desk/inbox/directory --keyring desk/inbox/keyring/ana.keys --json").code(0).json();
    assert_eq!(own["own_keys"], true);
    let said = on(&chip, work, &format!("drop delete desk {id} --as Ana --yes")).code(0);
    assert!(said.stderr.contains("gone from the TPM"), "{said:?}");
    assert_eq!(chip.indices().len(), 5, "one for each file, and the others'");
    assert!(on(&chip, work, "doctor --json").json()["tpm"].as_str().unwrap().contains("there is one (IBM)"));

    // Without the chip, with another, with what is none: one line, and nothing is shown.
    let without = say(work, "drop list desk").code(1);
    assert!(without.stderr.contains("sealed under keys in a TPM: there is no TPM here") && without.text().is_empty(), "{without:?}");
    let other = Chip::start(&workplace_of(&room, "other"));
    let elsewhere = on(&other, work, "drop list desk").code(1);
    assert!(elsewhere.stderr.contains("has no key for it: it was cleared, or is not the one") && elsewhere.stderr.lines().count() == 1);
    assert!(say_with(work, &[("DAYLIGHT_TPM", "ana.key")], "drop list desk").code(1).stderr.contains("is no TPM"));

    // Back to plain files, which open anywhere, for a move; and what is others' is as it was.
    assert!(on(&chip, work, "drop protect desk --undo").code(1).stderr.contains("nothing was changed"));
    let undone = on(&chip, work, "drop protect desk --undo --yes --json").code(0);
    assert_eq!((undone.json()["files"].as_u64(), undone.stderr.contains("erase this disk")), (Some(3), true));
    assert_eq!(chip.indices(), [0x0180_0001, 0x01ad_a005]);
    assert!(files(work).iter().all(|(_, sealed)| !sealed));
    say(work, "drop list desk").code(0);
    // As on the machine to which it moves.
    let again = on(&other, work, "drop protect desk").code(0);
    assert!(again.stderr.contains("may keep the files as they were until now"), "{again:?}");
    assert_eq!(other.indices().len(), 3);
    on(&other, work, "drop collect desk --from usb").code(0);
    let said = on(&other, work, &format!("drop delete desk {} --as Ana --yes", who_said(&other, work, "from another"))).code(0);
    assert!(said.stderr.contains("was in a plain file until"), "{said:?}");
}

fn workplace_of(room: &Room, name: &str) -> PathBuf {
    let folder = room.at(name);
    fs::create_dir(&folder).unwrap();
    folder
}

/// The forensics of a flash disk that has kept everything: all files as they were before a deletion, and the chip as it is after it.
#[test]
fn what_was_deleted_opens_from_no_older_copy_of_the_disk_and_did_before() {
    if !Chip::can_be() {
        return;
    }
    let (room, chip) = sealed();
    let work = room.work.path();
    let id = who_said(&chip, work, CANARY);
    let (then, half) = (copy(&room, "then"), copy(&room, "half"));
    let file = fs::read(work.join("desk/inbox/storage.keys")).unwrap();
    let password = &file[file.len() - 16 - 2 * 36 - 24 - 32..][..32];
    assert!(holds(&then.join("chip"), password).is_some(), "the chip's memory can be looked into");
    on(&chip, work, &format!("drop delete desk {id} --as Ana --yes")).code(0);
    assert_eq!(holds(&chip.state, password), None, "and has nothing of the old key's index any more");

    // The whole disk as it was, with the chip as it is: nothing of what was deleted, and of the rest neither, until the files as they are are back.
    let said = on(&chip, &half, &format!("drop read desk {id}")).code(1);
    assert!(said.stderr.contains("storage.keys: the TPM of this machine has no key for it"), "{said:?}");
    let left = who_said(&chip, work, "from another");
    assert_eq!(on(&chip, work, "drop list desk --json").code(0).json()["total"], 1);
    fs::copy(work.join("desk/inbox/storage.keys"), half.join("desk/inbox/storage.keys")).unwrap();
    let said = on(&chip, &half, &format!("drop read desk {id}")).code(1);
    assert!(said.stderr.contains("is gone") && !said.stderr.contains(CANARY), "{said:?}");
    on(&chip, &half, &format!("drop read desk {left}")).code(0);

    // With the chip as it was it opens: it is the chip that makes the difference.
    let before = Chip::start(&then);
    assert!(on(&before, &then, &format!("drop read desk {id}")).code(0).text().contains(CANARY));
}

#[test]
fn a_chip_that_is_owned_or_was_cleared_is_told_of_in_a_line_and_nothing_is_lost_but_what_was_in_it() {
    if !Chip::can_be() {
        return;
    }
    let (room, chip) = sealed();
    let work = room.work.path();
    let (id, kept) = (who_said(&chip, work, CANARY), who_said(&chip, work, "from another"));
    chip.tool("tpm2_changeauth -c owner secret");
    let said = on(&chip, work, &format!("drop delete desk {id} --as Ana --yes")).code(1).stderr;
    assert!(said.contains("owner has set a password") && said.lines().count() == 1, "{said}");
    // It was begun, so whoever comes next goes on with it, and fails for the same reason as long as it lasts.
    assert!(on(&chip, work, "drop list desk").code(1).stderr.contains("owner has set a password"));
    chip.tool("tpm2_changeauth -c owner -p secret");
    assert_eq!(on(&chip, work, "drop list desk --json").code(0).json()["total"], 1);
    on(&chip, work, &format!("drop read desk {kept}")).code(0);
    assert_eq!(chip.indices().len(), 3);

    chip.tool("tpm2_clear");
    let said = on(&chip, work, "drop list desk").code(1).stderr;
    assert!(said.contains("it was cleared") && said.contains("move it away and make new keys"), "{said}");
    // As it says.
    for (path, _) in files(work) {
        fs::rename(&path, path.with_extension("lost")).unwrap();
    }
    on(&chip, work, "drop directory keys desk --to archive --key ana.key --days 2 --out ana.epoch-keys").code(0);
    assert!(on(&chip, work, &format!("drop read desk {kept}")).code(1).stderr.contains("is gone"));
    on(&chip, work, &format!("drop delete desk {kept} --as Ana --yes")).code(0);
}

#[test]
fn a_deletion_on_a_full_disk_says_so_and_is_ended_with_room() {
    if !Chip::can_be() {
        return;
    }
    let (room, chip) = sealed();
    let id = who_said(&chip, room.work.path(), CANARY);
    let Some(disk) = SmallDisk::mount(room.at("small"), "30m") else { return skip("no disk can be mounted here") };
    let copied = Command::new("cp").arg("-r").arg(room.at("desk")).arg(disk.path.join("desk")).status();
    assert!(copied.unwrap().success());
    // Full once the new key is in the chip: the file cannot be written, so the old one stays, and the old key with it.
    let filler = disk.path.join("filler");
    let surroundings = [
        ("DAYLIGHT_TPM", chip.socket.to_str().unwrap()),
        ("DAYLIGHT_FULL_AT", "inbox.key-kept"),
        ("DAYLIGHT_FULL_BY", filler.to_str().unwrap()),
    ];
    let said = say_with(&disk.path, &surroundings, &format!("drop delete desk {id} --as Ana --yes")).code(1).stderr;
    assert!(said.contains("No space left on device") && chip.indices().len() == 4, "{said}");
    fs::remove_file(&filler).unwrap();
    assert_eq!(on(&chip, &disk.path, "drop list desk --json").code(0).json()["total"], 1);
    assert_eq!(chip.indices().len(), 3);
    who_said(&chip, &disk.path, "from another");
    assert!(files(&disk.path).iter().all(|(_, sealed)| *sealed));
}

/// Every step that a command passes in a copy of the room, the first and the last time.
fn deaths(room: &Room, line: &str) -> Vec<String> {
    let folder = copy(room, "rehearsal");
    let (chip, log) = (Chip::start(&folder), folder.join("desk/inbox/steps"));
    let surroundings = [("DAYLIGHT_TPM", chip.socket.to_str().unwrap()), ("DAYLIGHT_CRASH_LOG", log.to_str().unwrap())];
    say_with(&folder, &surroundings, line).code(0);
    let mut steps: BTreeMap<String, usize> = BTreeMap::new();
    for name in fs::read_to_string(&log).unwrap().lines().filter(|name| name.starts_with("inbox.")) {
        *steps.entry(name.to_owned()).or_default() += 1;
    }
    drop(chip);
    fs::remove_dir_all(&folder).unwrap();
    let mut deaths: Vec<String> = steps.iter().flat_map(|(name, count)| [format!("{name}:1"), format!("{name}:{count}")]).collect();
    deaths.dedup();
    deaths
}

/// Runs a command in a copy of the room and kills it at a step; gives the copy and its chip.
fn killed(room: &Room, line: &str, death: &str) -> (PathBuf, Chip) {
    let folder = copy(room, "killed");
    let chip = Chip::start(&folder);
    let surroundings = [("DAYLIGHT_TPM", chip.socket.to_str().unwrap()), ("DAYLIGHT_CRASH_AT", death)];
    let died = say_with(&folder, &surroundings, line);
    assert_eq!(died.code, None, "it should have died at {death}: {died:?}");
    (folder, chip)
}

#[test]
fn a_deletion_killed_at_any_step_ends_with_the_old_key_gone_and_one_for_each_file() {
    if !Chip::can_be() {
        return;
    }
    let (room, chip) = sealed();
    let id = who_said(&chip, room.work.path(), CANARY);
    drop(chip);
    let old = fs::read(room.at("desk/inbox/storage.keys")).unwrap();
    let line = format!("drop delete desk {id} --as Ana --yes");
    let deaths = deaths(&room, &line);
    for step in ["index-made", "key-kept", "secrets-beside", "secrets-replaced", "secret-destroyed", "key-destroyed"] {
        assert!(deaths.contains(&format!("inbox.{step}:1")), "{step}: {deaths:?}");
    }
    for death in deaths {
        let (folder, chip) = killed(&room, &line, &death);
        // Whoever comes next finishes it, whatever for; where nothing was begun, it is there still, and is deleted again.
        if on(&chip, &folder, "drop list desk --json").code(0).json()["total"] == 2 {
            on(&chip, &folder, &line).code(0);
        }
        assert_eq!(on(&chip, &folder, "drop list desk --json").code(0).json()["total"], 1, "killed at {death}");
        assert_eq!(chip.indices().len(), 3, "killed at {death}");
        assert!(files(&folder).iter().all(|(_, sealed)| *sealed), "killed at {death}");
        who_said(&chip, &folder, "from another");
        fs::write(folder.join("desk/inbox/storage.keys"), &old).unwrap();
        let said = on(&chip, &folder, "drop list desk").code(1).stderr;
        assert!(said.contains("has no key for it"), "killed at {death}: {said}");
        drop(chip);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn sealing_and_unsealing_a_desk_killed_at_any_step_is_done_again_and_loses_nothing() {
    if !Chip::can_be() {
        return;
    }
    let room = Room::with_directory(2);
    with_envelopes(&room);
    room.run("drop collect desk --from usb");
    drop(Chip::start(room.work.path()));
    for (line, sealed) in [("drop protect desk", true), ("drop protect desk --undo --yes", false)] {
        for death in deaths(&room, line) {
            let (folder, chip) = killed(&room, line, &death);
            // Between the two whoever comes works with what is there.
            who_said(&chip, &folder, CANARY);
            on(&chip, &folder, line).code(0);
            assert!(files(&folder).len() == 3 && files(&folder).iter().all(|(_, is)| *is == sealed), "killed at {death}");
            assert_eq!(chip.indices().len(), if sealed { 3 } else { 0 }, "killed at {death}");
            who_said(&chip, &folder, CANARY);
            who_said(&chip, &folder, "from another");
            drop(chip);
            fs::remove_dir_all(&folder).unwrap();
        }
        let chip = Chip::start(room.work.path());
        on(&chip, room.work.path(), line).code(0);
    }
    say(room.work.path(), "drop list desk").code(0);
}

#[test]
fn keys_and_a_collection_killed_at_any_step_leave_no_key_that_seals_nothing() {
    if !Chip::can_be() {
        return;
    }
    let room = Room::with_directory(2);
    with_envelopes(&room);
    let chip = Chip::start(room.work.path());
    on(&chip, room.work.path(), "drop protect desk").code(0);
    drop(chip);
    // Another member's first keys, and the conversations' file, made by the process that has neither network nor paths.
    let lines = ["drop directory keys desk --to archive --key cleo.key --days 2 --out cleo.epoch-keys", "drop collect desk --from usb"];
    for (line, files_then) in lines.into_iter().zip([3, 3]) {
        for death in deaths(&room, line) {
            let (folder, chip) = killed(&room, line, &death);
            on(&chip, &folder, line).code(0);
            on(&chip, &folder, "drop list desk").code(0);
            assert_eq!((files(&folder).len(), chip.indices().len()), (files_then, files_then), "killed at {death}");
            assert!(files(&folder).iter().all(|(_, sealed)| *sealed), "killed at {death}");
            drop(chip);
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}
