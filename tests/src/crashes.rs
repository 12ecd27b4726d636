//! `kill -9` at every step between durable writes, and then the same command again: the same result as if nothing had happened.
//!
//! DAYLIGHT_CRASH_LOG makes the program list the steps it passes; DAYLIGHT_CRASH_AT makes it die at one of them, as suddenly as by `kill -9`.

use crate::support::{Spoken, daylight, demo, program, workplace};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn with(variable: &str, value: &str, line: &[&str]) -> Spoken {
    Command::new(program()).args(line).env(variable, value).stdin(Stdio::null()).output().unwrap().into()
}

/// The steps that a command passes, each with how often.
fn steps(log: &Path) -> BTreeMap<String, usize> {
    let mut steps = BTreeMap::new();
    for name in fs::read_to_string(log).unwrap().lines() {
        *steps.entry(name.to_owned()).or_default() += 1;
    }
    assert!(!steps.is_empty(), "no step was passed: {}", log.display());
    steps
}

/// Where to die: at the first and the last time that each step is reached.
fn deaths(steps: &BTreeMap<String, usize>) -> BTreeSet<String> {
    steps.iter().flat_map(|(name, count)| [format!("{name}:1"), format!("{name}:{count}")]).collect()
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").args(["-r", "--reflink=auto"]).arg(from).arg(to).status().unwrap().success());
}

/// What can be seen of a desk: its counts, its faults, and which documents each query finds.
fn seen(desk: &Path) -> Vec<String> {
    let mut seen = vec![
        daylight(["status", path(desk), "--json"]).code(0).text(),
        sorted(&daylight(["faults", path(desk), "--all", "--json"]).code(0).text()),
    ];
    for query in
        ["type:message", "type:file", "type:container", "reservoir", "from:owen", "has:attachment", "\"wet patch\"", "is:unreadable"]
    {
        let found = daylight(["search", path(desk), query, "--limit", "100000", "--json"]).json();
        let ids: BTreeSet<&str> = found["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap()).collect();
        seen.push(format!("{query}: {} {ids:?}", found["total"]));
    }
    seen
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn an_ingest_killed_at_any_step_and_started_again_leaves_the_same_desk() {
    let work = workplace();
    let trove = demo().join("trove");
    let fresh = |name: &str| {
        let desk = work.path().join(name);
        daylight(["init", path(&desk)]).code(0);
        desk
    };
    let line = |desk: &Path| ["ingest", path(desk), path(&trove), "--collection", "c", "--jobs", "1"].map(str::to_owned);
    let (desk, log) = (fresh("undisturbed"), work.path().join("log"));
    let arguments = line(&desk);
    with("DAYLIGHT_CRASH_LOG", path(&log), &arguments.each_ref().map(String::as_str)).code(0);
    let undisturbed = seen(&desk);
    for death in deaths(&steps(&log)) {
        let (name, count) = death.split_once(':').unwrap();
        // The clock ends groups too: on a machine that is faster now, the last time that a step is reached may be an earlier one.
        let died = (1..=count.parse().unwrap()).rev().any(|time: usize| {
            let desk = fresh("killed");
            let (arguments, death) = (line(&desk), format!("{name}:{time}"));
            let arguments = arguments.each_ref().map(String::as_str);
            let died = with("DAYLIGHT_CRASH_AT", &death, &arguments);
            assert!(matches!(died.code, None | Some(0)), "it should have died at {death}: {died:?}");
            daylight(arguments).code(0);
            assert_eq!(seen(&desk), undisturbed, "killed at {death}");
            fs::remove_dir_all(&desk).unwrap();
            died.code.is_none()
        });
        assert!(died, "it should have died at {death}");
    }
}

/// Every file of a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let listed = Command::new("find").arg(folder).args(["-type", "f", "-printf", "%P\n"]).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    names.lines().map(|name| (PathBuf::from(name), fs::read(folder.join(name)).unwrap())).collect()
}

#[test]
fn a_publish_killed_at_any_step_and_started_again_writes_the_same_bytes() {
    let work = workplace();
    // One folder has all that a publisher has: the desk, the key with what it remembers, the archive.
    let (begun, log) = (work.path().join("begun"), work.path().join("log"));
    fs::create_dir(&begun).unwrap();
    let (desk, trove) = (begun.join("desk"), demo().join("trove"));
    daylight(["init", path(&desk)]).code(0);
    daylight(["ingest", path(&desk), path(&trove), "--collection", "c"]).code(0);
    daylight(["clear", path(&desk), "--collection", "c", "--all", "--as", "Ana"]).code(0);
    daylight(["key", "new", path(&begun.join("a.key"))]).code(0);
    let publish = |all: &Path, variable: &str, value: &str| {
        let (desk, archive, key) = (all.join("desk"), all.join("archive"), all.join("a.key"));
        with(variable, value, &["publish", path(&desk), "--collection", "c", "--to", path(&archive), "--key", path(&key)])
    };
    let rehearsal = work.path().join("rehearsal");
    copy(&begun, &rehearsal);
    publish(&rehearsal, "DAYLIGHT_CRASH_LOG", path(&log)).code(0);
    let order: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();

    // Salts are drawn with the draft: from there on every run must write the same bytes. Die at the first step of writing the archive, keep all.
    let first = order.iter().find(|name| name.starts_with("publish.")).unwrap();
    let died = publish(&begun, "DAYLIGHT_CRASH_AT", first);
    assert_eq!(died.code, None, "{died:?}");
    let again = |number: usize, death: Option<&str>| {
        let all = work.path().join(format!("run-{number}"));
        copy(&begun, &all);
        if let Some(death) = death {
            let died = publish(&all, "DAYLIGHT_CRASH_AT", death);
            // Steps that were done before the first death are not reached again.
            assert!(died.code.is_none() || died.code == Some(0), "{death}: {died:?}");
        }
        publish(&all, "DAYLIGHT_CRASH_LOG", path(&log)).code(0);
        daylight(["verify", path(&all.join("archive"))]).code(0);
        let written = files(&all.join("archive"));
        fs::remove_dir_all(&all).unwrap();
        written
    };
    let undisturbed = again(0, None);
    assert!(undisturbed.len() > 8, "{:?}", undisturbed.keys());
    let steps = steps(&log);
    for (number, death) in deaths(&steps).iter().enumerate() {
        let written = again(number + 1, Some(death));
        let differing: Vec<_> =
            undisturbed.keys().chain(written.keys()).filter(|name| undisturbed.get(*name) != written.get(*name)).collect();
        assert!(differing.is_empty(), "killed at {death}, these differ: {differing:?}");
    }
}

#[test]
fn a_verify_killed_at_any_moment_leaves_the_archive_as_it_was() {
    let archive = demo().join("archive");
    let before = files(&archive);
    for milliseconds in [1, 20, 60] {
        let mut verify = Command::new(program()).arg("verify").arg(&archive).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let _ = verify.kill();
        verify.wait().unwrap();
    }
    assert!(files(&archive) == before);
    daylight(["verify", path(&archive)]).code(0);
}
