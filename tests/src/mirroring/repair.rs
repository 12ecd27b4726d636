//! A copy whose disk failed, repaired by command, also where the repair is killed.

use super::{Newsroom, Server, files, mirror, text, with};
use crate::support::daylight;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A flipped bit in a volume and in a tile of the log, a missing manifest, and a volume that is cut short.
fn harm(copy: &Path) {
    flip(&copy.join("release/1/volume/0.zip"));
    flip(&copy.join("tile/0/000.p/4"));
    fs::remove_file(copy.join("release/2/manifest/0")).unwrap();
    fs::File::options().write(true).open(copy.join("release/3/volume/0.zip")).unwrap().set_len(200).unwrap();
}

const HARMED: [&str; 4] = ["release/1/volume/0.zip", "tile/0/000.p/4", "release/2/manifest/0", "release/3/volume/0.zip"];

#[test]
fn a_damaged_copy_is_repaired_by_command_and_only_then() {
    let mut room = Newsroom::new();
    for collection in ["council", "dike", "council"] {
        room.publish(collection);
    }
    let site = Server::start(&room.archive());
    let copy = room.at("copy");
    mirror(&site.origin, &copy, &[]).code(0);
    let whole = files(&copy);
    flip(&copy.join("tile/entries/000.p/4"));
    let said = daylight(["mirror", &site.origin, text(&copy)]).code(1);
    assert!(said.stderr.contains("the copy itself is damaged") && said.stderr.contains("--repair"), "{said:?}");
    let said = daylight(["mirror", &site.origin, text(&copy), "--repair"]).code(0).text();
    assert!(said.contains("repaired: tile/entries/000.p/4: ") && !said.contains("added") && files(&copy) == whole, "{said}");
    harm(&copy);
    let said = daylight(["mirror", &site.origin, text(&copy), "--repair"]).code(0).text();
    for path in HARMED {
        assert!(said.contains(&format!("repaired: {path}: ")), "{path}: {said}");
    }
    assert!(files(&copy) == whole);
    daylight(["verify", text(&copy), "--root", text(&room.root())]).code(0);
    // A source that is damaged in the same way: it is named, and so is what could not be repaired.
    flip(&copy.join("release/1/volume/0.zip"));
    let before = files(&copy);
    let damaged = room.at("damaged");
    assert!(Command::new("cp").arg("-r").arg(&copy).arg(&damaged).status().unwrap().success());
    let same = Server::start(&damaged);
    let said = daylight(["mirror", &same.origin, text(&copy), "--repair"]).code(1);
    assert!(said.text().contains("not repaired: release/1/volume/0.zip: ") && said.text().contains("refused: "), "{said:?}");
    assert!(said.stderr.contains("no site gave") && said.stderr.contains("the copy is as it was"), "{said:?}");
    assert!(files(&copy) == before);
}

#[test]
fn a_repair_killed_at_any_step_and_started_again_ends_the_same_copy() {
    let mut room = Newsroom::new();
    for collection in ["council", "dike", "council"] {
        room.publish(collection);
    }
    let site = Server::start(&room.archive());
    let (copy, log) = (room.at("copy"), room.at("log"));
    mirror(&site.origin, &copy, &[]).code(0);
    let whole = files(&copy);
    let line = ["mirror", &site.origin, text(&copy), "--repair", "--connections", "1"];
    harm(&copy);
    with("DAYLIGHT_CRASH_LOG", text(&log), &line).code(0);
    assert!(files(&copy) == whole);
    let steps: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    let names: BTreeSet<&String> = steps.iter().collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        let count = steps.iter().filter(|step| *step == name).count();
        for time in BTreeSet::from([1, count.div_ceil(2), count]) {
            harm(&copy);
            let death = format!("{name}:{time}");
            assert_eq!(with("DAYLIGHT_CRASH_AT", &death, &line).code, None, "it should have died at {death}");
            // Whatever it replaced before is right, and nothing else is changed.
            let now = files(&copy);
            let harmed: Vec<&String> = whole.keys().filter(|path| now.get(*path) != whole.get(*path)).collect();
            assert!(harmed.iter().all(|path| HARMED.contains(&path.as_str())), "killed at {death}: {harmed:?}");
            daylight(line).code(0);
            assert!(files(&copy) == whole, "killed at {death}");
        }
    }
}
