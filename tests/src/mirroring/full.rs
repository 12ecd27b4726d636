//! A disk that becomes full at any step of a mirror that also cosigns as a witness: it says so, harms nothing, and ends the same copy when there is room.
//!
//! DAYLIGHT_FULL_AT has the program fill the disk of the file that DAYLIGHT_FULL_BY names when it reaches a step, and go on: every write after that step fails as
//! the system has it fail. That the file is there shows that the step was reached.

use super::{Newsroom, Server, files, mirror, text};
use crate::support::{SmallDisk, Spoken, daylight, program, skip};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The steps between whose writes the disk is filled; all others that are passed are tried too.
const STEPS: [&str; 13] = [
    "durable.file-synced",
    "durable.file-renamed",
    "mirror.note-fetched",
    "mirror.state-saved",
    "mirror.part-synced",
    "mirror.part-renamed",
    "mirror.volume-synced",
    "mirror.volume-renamed",
    "mirror.notes-placed",
    "mirror.file-placed",
    "mirror.log-placed",
    "mirror.checkpoint-placed",
    "witness.stored",
];

/// A small disk with a copy on it, its witness, and what an earlier state of both was.
struct Room<'a> {
    disk: &'a SmallDisk,
    site: &'a Server,
    key: &'a Path,
    /// The copy and what stands beside it before each run; `None` to begin with nothing.
    before: Option<&'a Path>,
}

impl Room<'_> {
    fn copy(&self) -> PathBuf {
        self.disk.path.join("all/copy")
    }

    fn filler(&self) -> PathBuf {
        self.disk.path.join("filler")
    }

    fn begin(&self) {
        let all = self.disk.path.join("all");
        let _ = fs::remove_dir_all(&all);
        match self.before {
            Some(before) => assert!(Command::new("cp").arg("-r").arg(before).arg(&all).status().unwrap().success()),
            None => fs::create_dir(&all).unwrap(),
        }
    }

    fn run(&self, variables: &[(&str, &str)]) -> Spoken {
        let copy = self.copy();
        let line = ["mirror", &self.site.origin, text(&copy), "--connections", "1", "--witness", text(self.key)];
        Command::new(program()).args(line).envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap().into()
    }

    /// Fills the disk before anything is done, and gives what was said.
    fn fill_first(&self) -> Spoken {
        self.begin();
        let mut filler = fs::File::create(self.filler()).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
        self.run(&[])
    }

    /// Fills the disk at a step, and gives what was said.
    fn fill_at(&self, moment: &str) -> Spoken {
        self.begin();
        let filler = self.filler();
        let said = self.run(&[("DAYLIGHT_FULL_AT", moment), ("DAYLIGHT_FULL_BY", text(&filler))]);
        assert!(filler.exists(), "the disk was never full at {moment}: {said:?}");
        said
    }

    /// Whether it said in one line what is full and what to do.
    fn told(&self, said: &Spoken) -> bool {
        let lines: Vec<&str> = said.stderr.lines().filter(|line| line.contains("no space is left; make room")).collect();
        said.code == Some(1) && lines.len() == 1 && lines[0].contains(text(&self.disk.path))
    }
}

#[test]
fn on_a_disk_that_is_full_at_any_step_a_mirror_says_so_and_ends_the_same_copy_when_there_is_room() {
    let mut room = Newsroom::new();
    let Some(disk) = SmallDisk::mount(room.at("small"), "8m") else { return skip("no right to mount a small disk") };
    room.publish("council");
    room.publish("dike");
    let (key, before) = (room.at("w.key"), room.at("before"));
    daylight(["witness", "key", text(&key), "--name", "witness.example/w1"]).code(0);
    fs::create_dir(&before).unwrap();
    let site = Server::start(&room.archive());
    mirror(&site.origin, &before.join("copy"), &["--witness", text(&key)]).code(0);
    drop(site);
    room.publish("council");
    let site = Server::start(&room.archive());
    for before in [None, Some(before.as_path())] {
        let room = Room { disk: &disk, site: &site, key: &key, before };
        every_step(&room, &room.site.origin, disk.path.with_file_name("log").as_path());
    }
}

fn every_step(room: &Room<'_>, origin: &str, log: &Path) {
    let _ = fs::remove_file(log);
    room.begin();
    room.run(&[("DAYLIGHT_CRASH_LOG", text(log))]).code(0);
    let whole = files(&room.copy());
    let passed: Vec<String> = fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect();
    let names: BTreeSet<&str> = passed.iter().map(String::as_str).collect();
    assert!(STEPS.iter().all(|step| names.contains(step)), "not every step is passed: {names:?}");
    let first = room.fill_first();
    assert!(room.told(&first), "full before anything: {first:?}");
    done_again(room, origin, &whole, "before anything");
    for name in names {
        let count = passed.iter().filter(|step| *step == name).count();
        let mut told = false;
        for time in BTreeSet::from([1, count.div_ceil(2), count]) {
            let moment = format!("{name}:{time}");
            let said = room.fill_at(&moment);
            // Where nothing but what takes the room of an older file is written after it, it is done.
            assert!(room.told(&said) || said.code == Some(0), "full at {moment}: {said:?}");
            told |= said.code == Some(1);
            done_again(room, origin, &whole, &moment);
        }
        assert!(told || name == "witness.stored", "nothing failed after {name}");
    }
}

/// Makes room: what was there is unharmed, and doing it again ends the same.
fn done_again(room: &Room<'_>, origin: &str, whole: &BTreeMap<String, Vec<u8>>, moment: &str) {
    fs::remove_file(room.filler()).unwrap();
    if room.before.is_some() {
        let report = daylight(["verify", text(&room.copy()), "--json"]).json();
        let unharmed = report["problems"].as_array().unwrap().iter().all(|one| one["what"].as_str().unwrap().starts_with("added"));
        assert!(unharmed, "full at {moment}: {report}");
    }
    let report = mirror(origin, &room.copy(), &["--witness", text(room.key)]).code(0).json();
    assert!(files(&room.copy()) == *whole, "full at {moment}");
    assert_eq!(report["cosigned"]["size"], report["size"], "full at {moment}: {report}");
    daylight(["verify", text(&room.copy())]).code(0);
}
