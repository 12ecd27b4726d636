//! Sealed releases from outside: what trustees, thieves and other people's programs make of them.

mod killed;
mod theirs;

use crate::support::{Spoken, daylight, program, workplace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What stands in a document that is sealed, and nowhere else in the world.
const CANARY: &str = "Ultramarine heron, who knew all along";

/// A folder with a desk, an archive of ana's and a collection that is cleared and not published.
struct Newsroom {
    work: TempDir,
}

impl Newsroom {
    fn new() -> Self {
        let room = Self { work: workplace() };
        room.run("init desk");
        room.run("key new ana.key");
        room.letter("council", "The budget");
        room.run("publish desk --collection council --to archive --key ana.key");
        room.letter("annex", CANARY);
        room
    }

    /// Puts a letter on the desk and clears it.
    fn letter(&self, collection: &str, subject: &str) {
        let trove = self.at(&format!("trove-{collection}"));
        fs::create_dir_all(&trove).unwrap();
        let text = format!(
            "From: ana@town.example\nTo: ben@town.example\nSubject: {subject}\nDate: Tue, 7 Oct 2014 08:00:00 +0100\n\
             Message-ID: <{collection}@x>\n\nAbout {subject}.\n"
        );
        fs::write(trove.join("letter.eml"), text).unwrap();
        self.run(&format!("ingest desk trove-{collection} --collection {collection}"));
        self.run(&format!("clear desk --collection {collection} --all --as Ana"));
        fs::remove_dir_all(&trove).unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn say(&self, line: &str) -> Spoken {
        Command::new(program()).args(line.split_whitespace()).current_dir(self.work.path()).stdin(Stdio::null()).output().unwrap().into()
    }

    #[track_caller]
    fn run(&self, line: &str) -> Spoken {
        self.say(line).code(0)
    }

    /// What is said of a command that is not done, in one line.
    #[track_caller]
    fn refused(&self, line: &str) -> String {
        let said = self.say(line).code(1).stderr;
        assert!(said.starts_with("daylight: ") && said.trim_end().lines().count() == 1, "{said}");
        said
    }

    fn seal(&self) -> Spoken {
        self.say(SEAL)
    }

    /// Every file but the desk's in which a text stands.
    fn found(&self, text: &str) -> Vec<String> {
        let listed = Command::new("grep").args(["-rlF", "--exclude-dir=desk", text, "."]).current_dir(self.work.path()).output().unwrap();
        String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

const SEAL: &str = "seal desk --archive archive --collection annex --to annex.sealed --trustees 2-of-3 --words-dir words --key ana.key";

/// The words that open what [`SEAL`] sealed.
fn words(numbers: &[usize]) -> String {
    numbers.iter().map(|number| format!(" --words words/share-{number}-of-3.txt")).collect()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_is_sealed_shows_nothing_and_trustees_open_it() {
    let room = Newsroom::new();
    let sealed = room.seal().code(0).text();
    assert!(sealed.contains("sealed 1 document of annex") && sealed.contains("any 2 of them open it"), "{sealed}");
    // Beyond the desk, nothing is in plain: neither what is sealed, nor its title, nor the words beside it.
    assert_eq!(room.found(CANARY), Vec::<String>::new());
    assert!(!room.at("desk/sealing").exists());
    let share = fs::read_to_string(room.at("words/share-1-of-3.txt")).unwrap();
    let secret = share.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect::<Vec<_>>();
    assert_eq!(secret.len(), 33);
    let phrase = secret[4..9].join(" ");
    assert_eq!(room.found(&phrase), ["./words/share-1-of-3.txt"]);
    let for_people: String = share.lines().filter(|line| line.starts_with('#')).collect();
    for told in ["annex", "ana.key", "news", "council", "heron"] {
        assert!(!for_people.contains(told), "a share tells {told}");
    }
    let digest = Command::new("sha256sum").arg(room.at("annex.sealed")).output().unwrap();
    assert!(share.contains(&String::from_utf8(digest.stdout).unwrap()[..64]));

    let said = room.run(&format!("unseal annex.sealed --to opened --archive archive --json{}", words(&[3, 1]))).json();
    assert_eq!((&said["documents"], &said["approved"]["root"], &said["approved"]["editors"][0]), (&1.into(), &1.into(), &"ana".into()));
    let found = room.run("search opened/archive heron --cache cache --json").json();
    assert_eq!((&found["total"], &found["hits"][0]["id"]), (&1.into(), &"annex/1".into()), "{found}");
    room.run("verify opened/archive");
    assert_eq!(
        room.run("publish-unsealed opened --to archive --log-key desk/log.key --key ana.key --json").json()["published"]["release"],
        2
    );
    let root = room.at("archive/root/1.json");
    room.run(&format!("verify archive --root {}", path(&root)));
    let again = room.run("publish-unsealed opened --to archive --log-key desk/log.key --key ana.key");
    assert!(
        again.text().contains("left out: number 1: it is published already") && again.text().contains("nothing new to publish"),
        "{again:?}"
    );
}

#[test]
fn words_that_do_not_open_it_are_told_by_their_files() {
    let room = Newsroom::new();
    room.seal().code(0);
    room.letter("council", "The wall");
    room.run("seal desk --archive archive --collection council --to other.sealed --trustees 2-of-3 --words-dir others --key ana.key");
    let said = room.refused(&format!("unseal annex.sealed --to opened{}", words(&[2])));
    assert!(said.contains("1 share was given, and 2 are needed"), "{said}");
    let said = room.refused(&format!("unseal annex.sealed --to opened{}", words(&[2, 2])));
    assert!(said.contains("1 share was given, and 2 are needed"), "{said}");
    let said = room.refused(&format!("unseal annex.sealed --to opened{} --words others/share-3-of-3.txt", words(&[1, 2])));
    assert!(said.contains("others/share-3-of-3.txt: these words belong to another key"), "{said}");
    let said = room.refused("unseal annex.sealed --to opened --words others/share-1-of-3.txt --words others/share-3-of-3.txt");
    assert!(said.contains("annex.sealed: the key does not open it: it belongs to another file"), "{said}");
    let share = fs::read_to_string(room.at("words/share-1-of-3.txt")).unwrap();
    let last = share.trim_end().rsplit(' ').next().unwrap();
    let other = if last == "academic" { "acid" } else { "academic" };
    fs::write(room.at("wrong.txt"), share.trim_end().strip_suffix(last).unwrap().to_owned() + other).unwrap();
    let said = room.refused("unseal annex.sealed --to opened --words wrong.txt --words words/share-2-of-3.txt");
    assert!(said.contains("wrong.txt: a word is wrong or two stand in the wrong order"), "{said}");
    // The last alone: the same word may stand before it, too.
    fs::write(room.at("wrong.txt"), share.trim_end().strip_suffix(last).unwrap().to_owned() + "daylight").unwrap();
    let said = room.refused("unseal annex.sealed --to opened --words wrong.txt --words words/share-2-of-3.txt");
    assert!(said.contains("wrong.txt: word 33 is not one of the words") && !said.contains("daylight is"), "{said}");
    assert!(
        room.refused("unseal ana.key --to opened --words words/share-1-of-3.txt --words words/share-2-of-3.txt")
            .contains("not an age file")
    );
    assert!(room.refused("unseal annex.sealed --to opened").contains("--words"));
    assert!(!room.at("opened").exists() || fs::read_dir(room.at("opened")).unwrap().count() == 0);
    room.run(&format!("unseal annex.sealed --to opened{}", words(&[1, 2, 3])));
    assert!(room.refused(&format!("unseal annex.sealed --to opened{}", words(&[1, 2]))).contains("is not empty"));
}

#[test]
fn a_seal_that_would_be_worthless_is_not_begun() {
    let room = Newsroom::new();
    let base = "seal desk --archive archive --collection annex --key ana.key --trustees 2-of-3";
    assert!(room.refused(&format!("{base} --to annex.sealed")).contains("--words-dir"));
    assert!(
        room.refused(&format!("{base} --to words/annex.sealed --words-dir words")).contains("would lie beside the file that they open")
    );
    fs::remove_dir_all(room.at("words")).unwrap();
    fs::create_dir(room.at("words")).unwrap();
    fs::write(room.at("words/share-1-of-3.txt"), "another's").unwrap();
    assert!(room.refused(&format!("{base} --to annex.sealed --words-dir words")).contains("is not empty"));
    assert_eq!(fs::read(room.at("words/share-1-of-3.txt")).unwrap(), b"another's");
    fs::remove_dir_all(room.at("words")).unwrap();
    assert!(room.refused(&format!("{base} --to archive/annex.sealed --words-dir words")).contains("is in the archive"));
    fs::write(room.at("mine"), "mine").unwrap();
    assert!(room.refused(&format!("{base} --to mine --words-dir words")).contains("exists already"));
    for trustees in ["1-of-3", "4-of-3", "2-of-17", "3", "a-of-b"] {
        let line = format!("seal desk --archive archive --collection annex --key ana.key --to x --words-dir words --trustees {trustees}");
        room.say(&line).code(2);
    }
    assert!(!room.at("annex.sealed").exists() && !room.at("annex.sealed.part").exists());
    // A key that is no editor's.
    room.run("key new eve.key");
    let eve = "seal desk --archive archive --collection annex --to annex.sealed --trustees 2-of-3 --words-dir words --key eve.key";
    assert!(room.refused(eve).contains("eve.key is not a key of an editor"));
    // What is in the archive needs no seal.
    let nothing = "seal desk --archive archive --collection council --to annex.sealed --trustees 2-of-3 --words-dir words --key ana.key";
    assert!(room.run(nothing).text().contains("nothing to seal"));
    assert!(!room.at("annex.sealed").exists());
    for command in ["seal", "unseal", "publish-unsealed"] {
        let help = daylight([command, "--help"]).code(0).text();
        assert!(help.contains("Example: daylight") && help.contains("--json"), "{command}");
    }
}

#[test]
fn the_length_of_a_sealed_file_is_one_of_few() {
    let room = Newsroom::new();
    room.seal().code(0);
    let length = fs::metadata(room.at("annex.sealed")).unwrap().len();
    room.letter("longer", &format!("{CANARY}{}", " and more".repeat(6)));
    let line = SEAL
        .replace("--collection annex", "--collection longer")
        .replace("annex.sealed", "longer.sealed")
        .replace("words-dir words", "words-dir others");
    room.run(&line);
    assert_eq!(fs::metadata(room.at("longer.sealed")).unwrap().len(), length, "some hundred bytes more do not show");
}
