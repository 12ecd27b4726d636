//! `kill -9` at every step of sealing, opening and publishing what was opened.

use super::{CANARY, Newsroom, SEAL, words};
use crate::support::{Spoken, program};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};

impl Newsroom {
    fn with(&self, variable: &str, value: &str, line: &str) -> Spoken {
        let mut program = Command::new(program());
        program.args(line.split_whitespace()).current_dir(self.work.path()).env(variable, value).stdin(Stdio::null());
        program.output().unwrap().into()
    }

    /// Where to die: the first and the last time that a command reaches each step. The command is run for it.
    fn deaths(&self, line: &str) -> BTreeSet<String> {
        self.with("DAYLIGHT_CRASH_LOG", "steps", line).code(0);
        let mut steps: BTreeMap<String, usize> = BTreeMap::new();
        for name in fs::read_to_string(self.at("steps")).unwrap().lines() {
            *steps.entry(name.to_owned()).or_default() += 1;
        }
        fs::remove_file(self.at("steps")).unwrap();
        assert!(!steps.is_empty());
        steps.iter().flat_map(|(name, count)| [format!("{name}:1"), format!("{name}:{count}")]).collect()
    }

    fn remove(&self, names: &[&str]) {
        for name in names {
            let path = self.at(name);
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

#[test]
fn a_seal_killed_at_any_step_leaves_nothing_in_plain_and_is_made_anew() {
    let room = Newsroom::new();
    let deaths = room.deaths(SEAL);
    assert!(
        ["seal.staged:1", "seal.part:1", "seal.shared:1", "seal.named:1", "seal.finished:1"].iter().all(|at| deaths.contains(*at)),
        "{deaths:?}"
    );
    room.remove(&["annex.sealed", "words"]);
    for death in &deaths {
        let died = room.with("DAYLIGHT_CRASH_AT", death, SEAL);
        assert_eq!(died.code, None, "it should have died at {death}: {died:?}");
        assert_eq!(room.found(CANARY), Vec::<String>::new(), "in plain after it died at {death}");
        // Under its name there is only what its words open.
        if room.at("annex.sealed").exists() {
            room.run(&format!("unseal annex.sealed --to opened{}", words(&[1, 3])));
        }
        room.remove(&["annex.sealed", "words", "opened"]);
        room.seal().code(0);
        assert!(!room.at("desk/sealing").exists() && !room.at("annex.sealed.part").exists(), "{death}");
        room.run(&format!("unseal annex.sealed --to opened{}", words(&[2, 3])));
        room.remove(&["annex.sealed", "words", "opened"]);
    }
    // Whatever was sealed and died meanwhile, publishing goes on, and the number is the one it had from the first.
    assert_eq!(room.run("publish desk --collection annex --to archive --key ana.key --json").json()["published"]["documents"], 1);
    room.run("verify archive");
}

#[test]
fn an_unseal_killed_at_any_step_stays_in_its_folder_and_is_done_again() {
    let room = Newsroom::new();
    room.seal().code(0);
    let line = format!("unseal annex.sealed --to opened{}", words(&[1, 2]));
    let deaths = room.deaths(&line);
    room.remove(&["opened"]);
    for death in &deaths {
        assert_eq!(room.with("DAYLIGHT_CRASH_AT", death, &line).code, None, "it should have died at {death}");
        assert!(room.found(CANARY).iter().all(|file| file.starts_with("./opened/")), "{death}: {:?}", room.found(CANARY));
        let again = room.say(&line);
        // Once the checkpoint stands, all of it stands.
        assert!(
            again.code == Some(0) || (death.starts_with("unseal.checkpoint") && again.stderr.contains("is not empty")),
            "{death}: {again:?}"
        );
        room.run("verify opened/archive");
        room.remove(&["opened"]);
    }
}

#[test]
fn publishing_what_was_unsealed_killed_at_any_step_ends_the_same_archive() {
    let room = Newsroom::new();
    room.seal().code(0);
    room.run(&format!("unseal annex.sealed --to opened{}", words(&[1, 2])));
    let copy = |from: &str, to: &str| {
        room.remove(&[to]);
        assert!(Command::new("cp").arg("-r").args([room.at(from), room.at(to)]).status().unwrap().success());
    };
    copy("archive", "archive-before");
    copy("desk", "desk-before");
    let line = "publish-unsealed opened --to archive --log-key desk/log.key --key ana.key";
    let deaths = room.deaths(line);
    copy("archive", "archive-after");
    for death in &deaths {
        copy("archive-before", "archive");
        copy("desk-before", "desk");
        assert_eq!(room.with("DAYLIGHT_CRASH_AT", death, line).code, None, "it should have died at {death}");
        room.run(line);
        let compared = Command::new("diff").arg("-r").args([room.at("archive"), room.at("archive-after")]).output().unwrap();
        assert!(compared.status.success(), "{death}: {}", String::from_utf8_lossy(&compared.stdout));
    }
}
