//! RAR: what a program of the system unpacks, in its cage, and what is said where there is none.

use crate::support::{Spoken, corpora, daylight, program, tool, workplace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A number of RAR 5: seven bits a byte, the little end first.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

fn block(body: &[u8]) -> Vec<u8> {
    let sealed = [number(body.len()), body.to_vec()].concat();
    [crc(&sealed).to_vec(), sealed].concat()
}

/// A RAR of version 5 that stores these files, as its technote has it.
fn rar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut rar = [b"Rar!\x1a\x07\x01\0".to_vec(), block(&[1, 0, 0])].concat();
    for (name, content) in files {
        let length = number(content.len());
        let mut body = [&[2, 2][..], &length, &[4], &length, &number(0o10_0644), &crc(content), &[0, 1]].concat();
        body.extend(number(name.len()));
        body.extend(name.as_bytes());
        rar.extend([block(&body), content.to_vec()].concat());
    }
    rar.extend(block(&[5, 0, 0]));
    rar
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

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.trove().join(name), bytes).unwrap();
    }

    fn ingest(&self) -> Spoken {
        daylight(["ingest", path(&self.desk()), path(&self.trove()), "--collection", "c", "--jobs", "1", "--json"])
    }

    fn ask<const N: usize>(&self, command: [&str; N]) -> Spoken {
        let desk = self.desk();
        daylight([command[0], path(&desk)].into_iter().chain(command.into_iter().skip(1)))
    }

    /// The same where no program is installed.
    fn bare(&self, arguments: &[&str]) -> Spoken {
        Command::new(program()).args(arguments).env("PATH", "/nonexistent").stdin(Stdio::null()).output().unwrap().into()
    }

    fn total(&self, query: &str) -> u64 {
        self.ask(["search", query, "--json"]).json()["total"].as_u64().unwrap()
    }

    fn faults(&self) -> String {
        self.ask(["faults", "--csv"]).text()
    }
}

const LETTER: &[u8] = b"From: a@x.example\nSubject: from a rar\nDate: Mon, 4 May 2015 10:00:00 +0000\n\nneedleone\n";

#[test]
fn a_rar_is_unpacked_wherever_it_stands_and_what_is_in_it_is_read() {
    if !tool("bsdtar") {
        return;
    }
    let case = Case::new();
    let inner = rar(&[("deep.txt", b"needletwo stands in a rar in a rar")]);
    case.put("outer.rar", &rar(&[("mail/letter.eml", LETTER), ("inner.rar", &inner), ("../up.txt", b"needlethree")]));
    let attached = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, rar(&[("attached.txt", b"needlefour")]));
    let message = format!(
        "From: a@x.example\nSubject: with a rar\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee there\n--b\n\
         Content-Type: application/octet-stream; name=papers.rar\nContent-Transfer-Encoding: base64\n\n{attached}\n--b--\n"
    );
    case.put("message.eml", message.as_bytes());
    let summary = case.ingest().code(0).json();
    for needle in ["needleone", "needletwo", "needlethree", "needlefour"] {
        assert_eq!(case.total(needle), 1, "{needle}: {}", case.faults());
    }
    // Three RARs, four files in them, and the message.
    assert_eq!((&summary["documents"], &summary["faults"]), (&8.into(), &1.into()), "{summary} {}", case.faults());
    let listed = case.ask(["search", "type:application/vnd.rar", "--json"]).json();
    assert_eq!(listed["total"], 3, "{listed}");
    assert_eq!(case.total("is:unreadable"), 0);
    // Nothing is unpacked twice, and nothing is left of it on the disk.
    assert_eq!(case.ingest().code(0).json()["unchanged"], 2);
    let left = fs::read_dir(case.desk().join("blob/tmp")).unwrap().flatten();
    let left: Vec<_> = left.flat_map(|entry| fs::read_dir(entry.path()).into_iter().flatten()).collect();
    assert!(left.is_empty(), "{left:?}");
    case.ask(["check"]).code(0);
}

#[test]
fn without_the_program_a_rar_says_which_and_is_read_once_it_is_there() {
    let case = Case::new();
    case.put("a.rar", &rar(&[("letter.eml", LETTER), ("b.txt", b"needlefive")]));
    let line = ["ingest", path(&case.desk()), path(&case.trove()), "--collection", "c"].map(str::to_owned);
    let summary = case.bare(&line.each_ref().map(String::as_str)).code(0);
    assert_eq!(case.total("needleone"), 0, "{summary:?}");
    assert!(case.faults().contains("on Debian install libarchive-tools; then run `daylight retry`"), "{}", case.faults());
    assert_eq!(case.total("is:unreadable"), 1);
    assert!(case.bare(&["doctor"]).text().contains("none: no program that unpacks RAR is installed"));
    let retried = case.bare(&["retry", path(&case.desk()), "--json"]);
    assert_eq!((&retried.json()["asked"], &retried.json()["solved"]), (&1.into(), &0.into()), "{retried:?}");
    if !tool("bsdtar") {
        return;
    }
    let retried = case.ask(["retry", "--json"]).code(0).json();
    assert_eq!((&retried["asked"], &retried["solved"]), (&1.into(), &1.into()), "{retried}");
    assert_eq!((case.total("needleone"), case.total("needlefive"), case.total("is:unreadable")), (1, 1, 0), "{}", case.faults());
}

#[test]
fn a_rar_that_comes_to_too_much_or_is_torn_says_so_and_gives_what_it_can() {
    if !tool("bsdtar") {
        return;
    }
    let case = Case::new();
    let settings = case.desk().join("daylight.toml");
    let set = fs::read_to_string(&settings).unwrap().replace("budget_mib = 65536", "budget_mib = 1");
    fs::write(settings, set).unwrap();
    let large = "words enough for a budget\n".repeat(100_000);
    case.put("large.rar", &rar(&[("a.txt", b"needlesix"), ("b.txt", large.as_bytes()), ("c.txt", b"beyond")]));
    case.put("fine.txt", b"needleseven");
    case.ingest().code(0);
    assert_eq!((case.total("needlesix"), case.total("needleseven")), (1, 1));
    assert!(
        case.faults().contains("large.rar,too large,split,tar 1,the entries from here on unpack to more than the budget"),
        "{}",
        case.faults()
    );

    let torn = Case::new();
    let whole = rar(&[("a.txt", b"needlesix"), ("b.txt", b"needleeight is cut off here")]);
    torn.put("torn.rar", &whole[..whole.len() - 20]);
    torn.ingest().code(0);
    assert_eq!(torn.total("needlesix"), 1, "{}", torn.faults());
    assert!(torn.faults().contains("it ends within an entry"), "{}", torn.faults());
}

#[test]
fn the_rar_of_another_suite_is_read() {
    let Some(corpora) = corpora() else { return };
    if !tool("bsdtar") {
        return;
    }
    let case = Case::new();
    for name in ["test-documents.rar", "badrar.rar"] {
        fs::copy(corpora.join("documents/ingest-file/tests/fixtures").join(name), case.trove().join(name)).unwrap();
    }
    let summary = case.ingest().code(0).json();
    let containers = case.ask(["search", "type:application/vnd.rar", "--json"]).json();
    assert_eq!(containers["total"], 2, "{containers}");
    assert!(summary["documents"].as_u64().unwrap() >= 11, "two RARs, and nine files in one of them: {summary}");
    assert!(case.total("sample") >= 4, "the words of a sheet, two texts and slides: {}", case.faults());
}
