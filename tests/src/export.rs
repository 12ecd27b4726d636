//! An archive carried away: as a folder, a tar file, a bag and torrents, read by others' programs; through crashes, full disks and damage; and the
//! proofs and timestamps that go with it.

use crate::support::{Server, Spoken, daylight, demo, get, program, python_script, root, skip, tool, workplace};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

mod carried;
mod proofs;
mod stopped;
mod theirs;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Exports, and gives what was said as JSON.
#[track_caller]
fn exported(archive: &Path, to: &Path, more: &[&str]) -> Value {
    daylight([&["export", path(archive), "--to", path(to), "--json"], more].concat()).code(0).json()
}

/// Exports, which must fail with these words on one line.
#[track_caller]
fn refused(archive: &Path, to: &Path, more: &[&str], words: &str) {
    let said = daylight([&["export", path(archive), "--to", path(to)], more].concat()).code(1);
    assert!(said.stderr.contains(words) && said.stderr.lines().count() == 1, "{words:?} is not in {said:?}");
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let listed = Command::new("find").arg(folder).args(["-type", "f", "-printf", "%P\n"]).output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    names.lines().map(|name| (name.to_owned(), fs::read(folder.join(name)).unwrap())).collect()
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").args(["-r", "--reflink=auto"]).arg(from).arg(to).status().unwrap().success());
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A publisher: a desk, a key, and an archive that grows by a message with a release.
struct Publisher {
    work: tempfile::TempDir,
    messages: usize,
}

impl Publisher {
    /// With one release.
    fn new() -> Self {
        let mut publisher = Self { work: workplace(), messages: 0 };
        daylight(["init", path(&publisher.at("desk"))]).code(0);
        daylight(["key", "new", path(&publisher.at("ana.key")), "--name", "ana"]).code(0);
        publisher.publish();
        publisher
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn archive(&self) -> PathBuf {
        self.at("archive")
    }

    /// One release more.
    fn publish(&mut self) {
        self.messages += 1;
        let file = self.at(&format!("{}.eml", self.messages));
        let filler = format!("the sluice at mark {}\n", self.messages).repeat(3_000);
        let number = self.messages;
        fs::write(&file, format!("From: a@x.example\nSubject: Sluice {number}\nMessage-ID: <{number}@x>\n\n{filler}")).unwrap();
        self.publish_file(&file);
    }

    /// One release more, of a file.
    fn publish_file(&self, file: &Path) {
        let desk = self.at("desk");
        daylight(["ingest", path(&desk), path(file), "--collection", "sluice"]).code(0);
        daylight(["clear", path(&desk), "--collection", "sluice", "--all", "--as", "Ana"]).code(0);
        let (archive, key) = (self.archive(), self.at("ana.key"));
        daylight(["publish", path(&desk), "--collection", "sluice", "--to", path(&archive), "--key", path(&key)]).code(0);
    }
}
