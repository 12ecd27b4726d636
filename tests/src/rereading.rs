//! Reading again: what waits to be read by itself, what somebody asks for, what a password may open.

use crate::support::{Spoken, daylight, program, skip, workplace};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

struct Case {
    work: TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Self { work: workplace() };
        fs::create_dir(case.trove()).unwrap();
        daylight(["init", path(&case.desk())]).code(0);
        case
    }

    fn desk(&self) -> PathBuf {
        self.work.path().join("desk")
    }

    fn trove(&self) -> PathBuf {
        self.work.path().join("trove")
    }

    fn line(&self) -> [String; 7] {
        let (desk, trove) = (self.desk(), self.trove());
        ["ingest", path(&desk), path(&trove), "--collection", "c", "--jobs", "1"].map(str::to_owned)
    }

    fn ingest(&self) -> serde_json::Value {
        let mut line = self.line().to_vec();
        line.push("--json".into());
        daylight(line).code(0).json()
    }

    fn ask<const N: usize>(&self, command: [&str; N]) -> Spoken {
        let desk = self.desk();
        daylight([command[0], path(&desk)].into_iter().chain(command.into_iter().skip(1)))
    }

    fn total(&self, query: &str) -> u64 {
        self.ask(["search", query, "--json"]).json()["total"].as_u64().unwrap()
    }
}

/// A mailbox of so many messages in a gzip; unpacked it is longer than what is read with what holds it, as the desk is set.
fn mailbox_in_gzip(case: &Case, messages: usize) -> bool {
    let settings = case.desk().join("daylight.toml");
    let set = fs::read_to_string(&settings).unwrap().replace("apart_mib = 64", "apart_mib = 1");
    fs::write(settings, set).unwrap();
    let mut mailbox = String::new();
    for n in 0..messages {
        writeln!(
            mailbox,
            "From a@x.example Mon May  4 10:00:00 2015\nFrom: a@x.example\nSubject: number {n}\nMessage-ID: <{n}@x.example>\n\nneedle{n}\n{}",
            "words that are packed very well\n".repeat(300)
        )
        .unwrap();
    }
    let file = fs::File::create(case.trove().join("box.mbox.gz")).unwrap();
    let packing = Command::new("gzip").arg("-nc").stdin(Stdio::piped()).stdout(file).spawn();
    let Ok(mut packing) = packing else {
        skip("no gzip");
        return false;
    };
    packing.stdin.take().unwrap().write_all(mailbox.as_bytes()).unwrap();
    packing.wait().unwrap().success()
}

#[test]
fn a_packed_mailbox_longer_than_is_read_at_once_is_read_by_itself_and_a_kill_loses_nothing() {
    let case = Case::new();
    if !mailbox_in_gzip(&case, 400) {
        return;
    }
    let summary = case.ingest();
    assert_eq!((&summary["documents"], &summary["messages"], &summary["faults"]), (&402.into(), &400.into(), &0.into()), "{summary}");
    assert_eq!((case.total("needle0"), case.total("needle399"), case.total("is:unreadable")), (1, 1, 0));
    let again = case.ingest();
    assert_eq!((&again["documents"], &again["duplicates"], &again["unchanged"]), (&0.into(), &0.into(), &1.into()), "{again}");
    let undisturbed = case.ask(["status", "--json"]).code(0).text();

    let log = case.work.path().join("log");
    let fresh = || {
        fs::remove_dir_all(case.desk()).unwrap();
        daylight(["init", path(&case.desk())]).code(0);
        assert!(mailbox_in_gzip(&case, 400));
    };
    let with = |variable: &str, value: &str| -> Spoken {
        Command::new(program()).args(case.line()).env(variable, value).stdin(Stdio::null()).output().unwrap().into()
    };
    fresh();
    with("DAYLIGHT_CRASH_LOG", path(&log)).code(0);
    let committed = fs::read_to_string(&log).unwrap().lines().filter(|line| *line == "store.committed").count();
    assert!(committed >= 2, "what waits is committed before it is read");
    for death in ["store.pack-synced:2", "store.blobs-renamed:2", "store.committed:1", "store.committed:2"] {
        fresh();
        assert_eq!(with("DAYLIGHT_CRASH_AT", death).code, None, "it should have died at {death}");
        if death == "store.committed:1" {
            let status = case.ask(["status", "--json"]).code(0).json();
            assert_eq!((&status["waiting"], &status["not_fully_read"]), (&1.into(), &1.into()), "{status}");
            assert!(case.ask(["status"]).code(0).text().contains("wait to be read by themselves"));
        }
        case.ingest();
        assert_eq!(case.ask(["status", "--json"]).code(0).text(), undisturbed, "killed at {death}");
        assert_eq!(case.total("needle399"), 1);
    }
    let boxes = case.ask(["search", "type:container", "--json"]).json();
    for container in boxes["hits"].as_array().unwrap() {
        let again = case.ask(["retry", container["id"].as_str().unwrap(), "--json"]).code(0).json();
        assert_eq!((&again["read_again"], &again["changed"], &again["worse"]), (&1.into(), &0.into(), &0.into()), "{again}");
    }
    assert_eq!(case.ask(["status", "--json"]).code(0).text(), undisturbed, "read again, and the same");
    assert_eq!(case.ask(["retry"]).code(0).text().lines().next(), Some("0 documents worth another try, of which 0 could be read whole"));
}

/// A zip of one stored entry, encrypted as far as its flag says. What is in it is noise, so that no password opens it.
fn encrypted_zip() -> Vec<u8> {
    let (name, data) = (b"secret.txt", [7; 40]);
    let sizes = [&0u32.to_le_bytes()[..], &40u32.to_le_bytes(), &28u32.to_le_bytes(), &10u16.to_le_bytes(), &0u16.to_le_bytes()].concat();
    let common = [&[20, 0, 1, 0, 0, 0, 0, 0, 0x21, 0x4a][..], &sizes].concat();
    let local = [b"PK\x03\x04", &common[..], name, &data].concat();
    let entry = [b"PK\x01\x02\x14\x00", &common[..], &[0; 14], name].concat();
    let end = [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &(entry.len() as u32).to_le_bytes(), &(local.len() as u32).to_le_bytes(), &[0, 0]]
        .concat();
    [local, entry, end].concat()
}

#[test]
fn what_no_password_opens_stays_encrypted_and_nothing_is_lost() {
    let case = Case::new();
    fs::write(case.trove().join("locked.zip"), encrypted_zip()).unwrap();
    fs::write(case.trove().join("note.txt"), "the password is heron").unwrap();
    case.ingest();
    let encrypted = || case.ask(["faults", "--all"]).code(0).text().matches("encrypted").count();
    assert_eq!(encrypted(), 1, "{}", case.ask(["faults", "--all"]).text());
    let before = case.ask(["status", "--json"]).code(0).text();
    let list = case.work.path().join("list");
    fs::write(&list, "unmistakable-1\nunmistakable-2\n").unwrap();
    let tried = case.ask(["unlock", "--password-file", path(&list), "--json"]).code(1);
    let json = tried.json();
    assert_eq!((&json["asked"], &json["opened"], &json["passwords_tried"]), (&1.into(), &0.into(), &2.into()), "{json}");
    assert!(tried.stderr.contains("chmod 600") && !tried.stderr.contains("unmistakable"), "{}", tried.stderr);
    assert!(case.ask(["unlock", "--from-trove"]).code(1).text().starts_with("1 document encrypted, "));
    assert_eq!((case.ask(["status", "--json"]).code(0).text(), encrypted()), (before, 1));
    assert!(case.ask(["faults", "--containers"]).code(0).text().contains("1 expected, 1 read, 1 failed"));
    case.ask(["unlock"]).code(2);
    let catalogue = fs::read(case.desk().join("catalogue.sqlite")).unwrap();
    assert!(!catalogue.windows(12).any(|bytes| bytes == b"unmistakable"), "a password that opened nothing was kept");
}

#[test]
fn a_file_that_could_not_be_opened_is_looked_for_where_it_was() {
    let case = Case::new();
    std::os::unix::fs::symlink("/nowhere", case.trove().join("late.txt")).unwrap();
    case.ingest();
    let missing = case.ask(["retry", "--reason", "not a", "--json"]).code(0).json();
    assert_eq!((&missing["asked"], &missing["solved"], &missing["files_missing"]), (&1.into(), &0.into(), &1.into()), "{missing}");
    fs::remove_file(case.trove().join("late.txt")).unwrap();
    fs::write(case.trove().join("late.txt"), "found after all").unwrap();
    for death in ["store.pack-synced", "store.blobs-renamed"] {
        let desk = case.desk();
        let killed = ["retry", path(&desk), "--reason", "not a file"];
        let killed = Command::new(program()).args(killed).env("DAYLIGHT_CRASH_AT", death).stdin(Stdio::null()).output().unwrap();
        assert_eq!(killed.status.code(), None, "it should have died at {death}");
    }
    let found = case.ask(["retry", "--reason", "not a", "--json"]).code(0).json();
    assert_eq!((&found["solved"], &found["files_opened"], &found["files_missing"]), (&1.into(), &1.into(), &0.into()), "{found}");
    assert_eq!(case.total("\"found after all\""), 1);
    case.ask(["retry", "--reason", "t"]).code(2);
    assert!(case.ask(["retry", "--reason", "gremlins"]).code(2).stderr.contains("reader died"));
}

/// A zip of one entry: its bytes as they stand there, deflated or stored.
fn zip(name: &str, method: u16, packed: &[u8], length: usize) -> Vec<u8> {
    let sizes = [(packed.len() as u32).to_le_bytes(), (length as u32).to_le_bytes()].concat();
    let common = [&[20, 0, 0, 0][..], &method.to_le_bytes(), &[0; 8], &sizes, &(name.len() as u16).to_le_bytes(), &[0, 0]].concat();
    let local = [b"PK\x03\x04".to_vec(), common.clone(), name.into(), packed.to_vec()].concat();
    let central = [b"PK\x01\x02\x14\0".to_vec(), common, vec![0; 14], name.into()].concat();
    let end = [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &(central.len() as u32).to_le_bytes(), &(local.len() as u32).to_le_bytes(), &[0, 0]];
    [local, central, end.concat()].concat()
}

#[test]
fn what_a_zip_says_of_a_zip_in_it_stays_when_that_is_read_again_alone() {
    let case = Case::new();
    let inner = zip("note.txt", 0, b"needle in a zip in a zip", 24);
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(&inner).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(case.trove().join("outer.zip"), zip("inner.zip", 8, &packed[..packed.len() - 30], inner.len())).unwrap();
    case.ingest();
    let told = || case.ask(["faults", "--csv"]).code(0).text();
    let before = told();
    assert!(before.contains("inner.zip,truncated,split,in zip 1,"), "{before}");
    let id = case.ask(["search", "file:inner.zip", "--json"]).json()["hits"][0]["id"].as_str().unwrap().to_owned();
    case.ask(["retry", &id]).code(0);
    assert_eq!(told(), before);
}
