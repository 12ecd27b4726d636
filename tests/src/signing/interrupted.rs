//! Every command that signs or adds what was signed, killed at every step between durable writes and started on disks that are full at every write: done again,
//! it ends the very bytes that it ends undisturbed, and readers read on in between.

use super::{Newsroom, copy, say};
use crate::support::{SmallDisk, Spoken, program, skip, workplace};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A command, and what is done before it.
struct Case {
    name: &'static str,
    before: &'static [&'static str],
    command: &'static str,
    /// The archive is whole after it. Where a release waits for signatures it has files that nothing signed accounts for.
    whole: bool,
    /// What the command may say if it is given again after it was done to the end.
    again: Option<&'static str>,
}

/// A change that was made is not made twice: that is said.
const AGAIN: Option<&str> = Some("says just that already|is finished now");

const CASES: &[Case] = &[
    Case {
        name: "publish, asking for signatures",
        // The draft draws the salts: from there on every run must write the same bytes.
        before: &["publish desk --collection council --to archive --request asked"],
        command: "publish desk --collection council --to archive --request asked",
        whole: false,
        again: None,
    },
    Case {
        name: "sign",
        before: &["publish desk --collection council --to archive --request asked"],
        command: "sign asked --key ben.key --yes",
        whole: false,
        again: None,
    },
    Case {
        name: "publish --finish",
        before: &["publish desk --collection council --to archive --request asked --key ana.key", "sign asked --key ben.key --yes"],
        command: "publish desk --to archive --finish asked",
        whole: true,
        again: None,
    },
    Case {
        name: "root finish, the first root",
        before: &["root new second --log-key second.key --editor ana.key.pub --request asked", "sign asked --key ana.key --yes"],
        command: "root finish second asked --log-key second.key",
        whole: true,
        again: None,
    },
    Case {
        name: "root new with the keys at hand",
        before: &["root new second --log-key second.key --editor ana.key.pub --request asked"],
        command: "root new second --log-key second.key --editor ana.key.pub --key ana.key",
        whole: true,
        again: None,
    },
    Case {
        name: "root finish, with another log key",
        before: &[
            "publish desk --collection council --to archive --key ana.key --key ben.key",
            "key new dora.key",
            "root rotate archive --log-key desk/log.key --add dora.key.pub --remove ben --change-log-key --request asked --key ana.key",
            "sign asked --key cleo.key --yes",
        ],
        command: "root finish archive asked --log-key desk/log.key",
        whole: true,
        again: None,
    },
    Case {
        name: "root rotate with the keys at hand",
        before: &["key new dora.key"],
        command: "root rotate archive --log-key desk/log.key --add dora.key.pub --key ana.key --key ben.key",
        whole: true,
        again: AGAIN,
    },
    Case {
        name: "root recover with the keys at hand, and another log key",
        before: &["key new nan.key", "root recover archive --log-key desk/log.key --change-log-key --editor nan.key.pub --request asked"],
        command: "root recover archive --log-key desk/log.key --change-log-key --editor nan.key.pub --threshold 1 --key safe1.key --key safe2.key",
        whole: true,
        again: AGAIN,
    },
    Case {
        name: "root finish, after the log's key was lost",
        before: &[
            "root recover archive --log-key second.key --change-log-key --request asked --key safe1.key",
            "sign asked --key safe3.key --yes",
        ],
        command: "root finish archive asked --log-key second.key",
        whole: true,
        again: None,
    },
    Case {
        name: "root recover, after the log's key was lost",
        before: &["root recover archive --log-key second.key --change-log-key --request asked"],
        command: "root recover archive --log-key second.key --change-log-key --key safe1.key --key safe3.key",
        whole: true,
        again: AGAIN,
    },
];

/// What a publisher has: archives, the log's keys with what they promised, and requests.
fn seen(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let listed = Command::new("find").arg(folder).args(["-type", "f", "-printf", "%P\n"]).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    let wanted = |name: &&str| {
        ["archive/", "second", "asked", "desk/log.key"].iter().any(|wanted| name.starts_with(wanted)) && !name.starts_with("filler")
    };
    names.lines().filter(wanted).map(|name| (PathBuf::from(name), fs::read(folder.join(name)).unwrap())).collect()
}

fn with(folder: &Path, variable: &str, value: &str, line: &str) -> Spoken {
    let mut command = Command::new(program());
    command.args(line.split_whitespace()).current_dir(folder).env(variable, value).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// A room as it is before the command, copied for every run.
fn begun(case: &Case) -> Newsroom {
    let room = Newsroom::with_root();
    case.before.iter().for_each(|line| _ = room.run(line));
    room
}

#[track_caller]
fn done_again(case: &Case, folder: &Path, at: &str) {
    let again = say(folder, case.command);
    let known = case.again.is_some_and(|words| words.split('|').any(|words| again.stderr.contains(words)));
    assert!(again.code == Some(0) || known, "{}: {at}: {again:?}", case.name);
}

#[track_caller]
fn same(case: &Case, folder: &Path, undisturbed: &BTreeMap<PathBuf, Vec<u8>>, at: &str) {
    let found = seen(folder);
    let differing: Vec<_> = undisturbed.keys().chain(found.keys()).filter(|name| undisturbed.get(*name) != found.get(*name)).collect();
    assert!(differing.is_empty(), "{}: {at}: these differ: {differing:?}", case.name);
    if case.whole {
        say(folder, "verify archive --root pinned.json").code(0);
    }
}

/// The steps at which it died.
fn killed_everywhere(case: &Case) -> BTreeSet<String> {
    let (room, work) = (begun(case), workplace());
    let at = |name: &str| work.path().join(name);
    copy(room.work.path(), &at("undisturbed"));
    let log = at("log");
    with(&at("undisturbed"), "DAYLIGHT_CRASH_LOG", log.to_str().unwrap(), case.command).code(0);
    let undisturbed = seen(&at("undisturbed"));
    let mut steps: BTreeMap<String, usize> = BTreeMap::new();
    fs::read_to_string(&log).unwrap().lines().for_each(|name| *steps.entry(name.to_owned()).or_default() += 1);
    assert!(!steps.is_empty(), "{}: it passes no step", case.name);
    let deaths: BTreeSet<String> = steps.iter().flat_map(|(name, count)| (1..=*count).map(move |time| format!("{name}:{time}"))).collect();
    for death in deaths {
        let folder = at("killed");
        copy(room.work.path(), &folder);
        let died = with(&folder, "DAYLIGHT_CRASH_AT", &death, case.command);
        assert_eq!(died.code, None, "{}: it should have died at {death}: {died:?}", case.name);
        say(&folder, "status archive").code(0);
        done_again(case, &folder, &death);
        same(case, &folder, &undisturbed, &death);
        fs::remove_dir_all(&folder).unwrap();
    }
    steps.into_keys().collect()
}

#[test]
fn killed_at_every_step_each_command_ends_the_same_bytes() {
    let steps: BTreeSet<String> = CASES.iter().flat_map(killed_everywhere).collect();
    for step in [
        "volume",
        "manifest",
        "tree",
        "root",
        "note",
        "tile",
        "tiles",
        "signed",
        "pending",
        "renamed",
        "checkpoint",
        "old-key",
        "new-key",
        "finished",
    ] {
        assert!(steps.contains(&format!("publish.{step}")), "nothing died at {step}: {steps:?}");
    }
}

/// The sizes that are left on the disk, in KiB: every page less is another write that fails.
fn rooms() -> impl Iterator<Item = u64> {
    (0..40).map(|pages| pages * 4)
}

#[test]
fn on_a_full_disk_each_command_says_so_and_ends_the_same_bytes_when_there_is_room() {
    let work = workplace();
    let Some(small) = SmallDisk::mount(work.path().join("small"), "64m") else { return skip("no right to mount a small disk") };
    for case in CASES {
        let room = begun(case);
        let undisturbed = work.path().join("undisturbed");
        copy(room.work.path(), &undisturbed);
        say(&undisturbed, case.command).code(0);
        let expected = seen(&undisturbed);
        let mut full = 0;
        for left in rooms() {
            let folder = small.path.join("room");
            copy(room.work.path(), &folder);
            fill(&small.path, left);
            let at = format!("{left} KiB left");
            full += usize::from(on_a_full_disk(case, &folder, &say(&folder, case.command), &expected, &at));
        }
        assert!(full > 0, "{}: no disk was small enough", case.name);
        fs::remove_dir_all(&undisturbed).unwrap();
    }
}

/// Whether it failed: then it says why, and done again when there is room, it ends as ever.
#[track_caller]
fn on_a_full_disk(case: &Case, folder: &Path, tried: &Spoken, expected: &BTreeMap<PathBuf, Vec<u8>>, at: &str) -> bool {
    let told = tried.stderr.to_lowercase();
    let failed = tried.code == Some(1) && ["space", "full", "disk i/o error"].iter().any(|word| told.contains(word));
    assert!(failed || tried.code == Some(0), "{}: {at}: {tried:?}", case.name);
    fs::remove_file(folder.with_file_name("filler")).unwrap_or_else(|e| panic!("{}: {at}: it was never full: {e}", case.name));
    say(folder, "status archive").code(0);
    if failed {
        done_again(case, folder, at);
    }
    same(case, folder, expected, at);
    fs::remove_dir_all(folder).unwrap();
    failed
}

/// Where the disk is filled by the program itself, at each step that it passes: so every write after a step is one that fails.
#[test]
fn on_a_disk_that_becomes_full_at_any_step_each_command_ends_the_same_bytes_when_there_is_room() {
    let work = workplace();
    let Some(small) = SmallDisk::mount(work.path().join("small"), "64m") else { return skip("no right to mount a small disk") };
    let (mut reached, folder, log) = (BTreeSet::new(), small.path.join("room"), work.path().join("log"));
    for case in CASES {
        let room = begun(case);
        copy(room.work.path(), &folder);
        let _ = fs::remove_file(&log);
        with(&folder, "DAYLIGHT_CRASH_LOG", log.to_str().unwrap(), case.command).code(0);
        let expected = seen(&folder);
        fs::remove_dir_all(&folder).unwrap();
        let mut steps: BTreeMap<String, usize> = BTreeMap::new();
        fs::read_to_string(&log).unwrap().lines().for_each(|name| *steps.entry(name.to_owned()).or_default() += 1);
        for moment in
            steps.iter().flat_map(|(name, count)| BTreeSet::from([1, *count]).into_iter().map(move |time| format!("{name}:{time}")))
        {
            copy(room.work.path(), &folder);
            let mut command = Command::new(program());
            command.env("DAYLIGHT_FULL_AT", &moment).env("DAYLIGHT_FULL_BY", small.path.join("filler"));
            let tried = command.args(case.command.split_whitespace()).current_dir(&folder).stdin(Stdio::null()).output().unwrap().into();
            on_a_full_disk(case, &folder, &tried, &expected, &format!("full at {moment}"));
        }
        reached.extend(steps.into_keys());
    }
    for step in ["volume", "manifest", "tree", "root", "note", "tile", "tiles", "signed", "pending", "checkpoint", "old-key", "new-key"] {
        assert!(reached.contains(&format!("publish.{step}")), "never full at {step}: {reached:?}");
    }
}

/// Fills the disk but for so many KiB.
fn fill(disk: &Path, left: u64) {
    let free = Command::new("df").args(["--output=avail", "-k"]).arg(disk).output().unwrap();
    let free: u64 = String::from_utf8(free.stdout).unwrap().lines().last().unwrap().trim().parse().unwrap();
    let filled = Command::new("fallocate").args(["-l", &format!("{}KiB", free - left)]).arg(disk.join("filler")).status();
    if !filled.is_ok_and(|status| status.success()) {
        fs::write(disk.join("filler"), vec![0; ((free - left) * 1024) as usize]).unwrap();
    }
}
