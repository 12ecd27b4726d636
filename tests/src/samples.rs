//! What an earlier release wrote is opened by this one, and goes on from there.

use crate::support::{Chip, Spoken, daylight, program, root, tool, workplace};
use std::process::Command;

#[test]
fn a_desk_and_an_archive_of_version_0_1_open_and_take_a_second_release() {
    let work = workplace();
    if !tool("unzip") {
        return;
    }
    let sample = root().join("tests/samples/0.1.zip");
    assert!(Command::new("unzip").arg("-q").arg(sample).arg("-d").arg(work.path()).status().unwrap().success());
    let at = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
    let (desk, archive, key, pinned) = (at("desk"), at("archive"), at("ana.key"), at("archive/root/1.json"));
    assert_eq!(daylight(["status", &desk, "--json"]).code(0).json()["documents"], 5);
    let found = daylight(["search", &desk, "manana has:attachment", "--json"]).code(0).json();
    assert_eq!(found["hits"][0]["title"], "The gate house key");
    let raw = daylight(["show", &desk, found["hits"][0]["id"].as_str().unwrap(), "--raw"]).code(0).text();
    assert!(raw.ends_with("--b--\r\n"), "{raw:?}");

    let report = daylight(["verify", &archive, "--root", &pinned, "--json"]).code(0).json();
    assert_eq!((&report["anchored"], &report["documents"]), (&true.into(), &4.into()));
    let cache = at("cache");
    let found = daylight(["search", &archive, "hung", "--cache", &cache, "--json"]).code(0).json();
    assert_eq!(found["hits"][0]["title"], "Re: The gate house key");

    // What was cleared then is made as it is made now, and is not changed by that.
    let rendered = daylight(["render", &desk, "--collection", "keys", "--json"]).code(0).json();
    assert_eq!((&rendered["documents"], &rendered["failed"]), (&4.into(), &0.into()), "{rendered}");
    let again = daylight(["render", &desk, "--collection", "keys", "--json"]).code(0).json();
    assert_eq!((&again["made"], &again["unchanged"]), (&0.into(), &4.into()), "{again}");

    std::fs::write(
        work.path().join("third.eml"),
        "From: ana@brackwater.example\nSubject: It is gone\nDate: Tue, 7 Oct 2014 08:00:00 +0100\n\nWho?\n",
    )
    .unwrap();
    daylight(["ingest", &desk, &at("third.eml"), "--collection", "keys"]).code(0);
    daylight(["clear", &desk, "--collection", "keys", "--query", "subject:gone", "--as", "Ana Ruiz"]).code(0);
    daylight(["publish", &desk, "--collection", "keys", "--to", &archive, "--key", &key]).code(0);
    let report = daylight(["verify", &archive, "--root", &pinned, "--json"]).code(0).json();
    assert_eq!((&report["releases"], &report["documents"]), (&2.into(), &5.into()));
}

#[test]
fn a_drop_an_inbox_and_a_directory_of_version_0_1_open() {
    let work = workplace();
    if !tool("unzip") {
        return;
    }
    let sample = root().join("tests/samples/intake-0.1.zip");
    assert!(Command::new("unzip").arg("-q").arg(sample).arg("-d").arg(work.path()).status().unwrap().success());
    let at = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
    let (desk, archive, pinned) = (at("desk"), at("archive"), at("archive/root/1.json"));
    let report = daylight(["verify", &archive, "--root", &pinned, "--json"]).code(0).json();
    assert_eq!((&report["anchored"], &report["log_size"]), (&true.into(), &3.into()), "root, release, directory: {report}");
    daylight(["drop", "directory", "show", &at("drop/directory"), "--archive", &archive]).code(0);

    // Keys of its days are destroyed by now. What was collected is read without them.
    let listed = daylight(["drop", "list", &desk, "--json"]).code(0).json();
    let id = listed["conversations"][0]["id"].as_str().unwrap();
    let read = daylight(["drop", "read", &desk, id, "--json"]).code(0).json();
    assert_eq!(read["messages"][0]["text"], "About the gate: ask who had the key.\n");
    assert_eq!(read["messages"][1]["text"], "Thank you.\n");
    assert_eq!(read["files"][0]["name"], "1.eml");
    let stick = at("stick");
    assert_eq!(daylight(["drop", "export", &at("drop"), &stick, "--json"]).code(0).json()["envelopes"], 1);
}

#[test]
fn an_inbox_of_version_0_1_that_is_sealed_under_a_tpm_opens_with_it() {
    let work = workplace();
    if !tool("unzip") || !Chip::can_be() {
        return;
    }
    let sample = root().join("tests/samples/intake-tpm-0.1.zip");
    assert!(Command::new("unzip").arg("-q").arg(sample).arg("-d").arg(work.path()).status().unwrap().success());
    let chip = Chip::start(work.path());
    let run = |line: &str| {
        let mut command = Command::new(program());
        command.args(line.split(' ')).current_dir(work.path()).env("DAYLIGHT_TPM", &chip.socket);
        Spoken::from(command.output().unwrap()).code(0)
    };
    let listed = run("drop list desk --json").json();
    let id = listed["conversations"][0]["id"].as_str().unwrap();
    assert_eq!(run(&format!("drop read desk {id} --json")).json()["messages"][0]["text"], "About the gate: ask who had the key.\n");
    assert_eq!(run("drop protect desk --json").json()["files"], 0, "all of it is sealed already");
    run("drop protect desk --undo --yes");
    assert!(chip.indices().is_empty());
}
