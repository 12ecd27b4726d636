//! The drill of docs/operator-lost.md, played as it stands there: the publisher's machine and k of the editors' keys are gone.

use crate::support::{Spoken, program, root, workplace};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The commands of a page, in order.
fn commands(page: &str) -> String {
    let text = fs::read_to_string(root().join(page)).unwrap();
    text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn letters(folder: &Path, subjects: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    for (day, subject) in (7..).zip(subjects) {
        let text = format!(
            "From: ana@town.example\nTo: ben@town.example\nSubject: {subject}\nDate: Tue, {day:02} Oct 2014 08:00:00 +0100\n\
             Message-ID: <{day}-{}@x>\n\nAbout {subject}.\n",
            subject.len()
        );
        fs::write(folder.join(format!("{day}.eml")), text).unwrap();
    }
}

#[test]
fn the_archive_outlives_its_operator() {
    let work = workplace();
    letters(&work.path().join("council"), &["The budget", "The wall"]);
    letters(&work.path().join("annex"), &["What the wall cost", "Who paid for it", "Who knew"]);
    letters(&work.path().join("later"), &["The new wall"]);
    // The newsroom as it was: a desk with a collection that is published and one that is sealed.
    let newsroom = "daylight init desk
        daylight ingest desk council --collection council
        daylight ingest desk annex --collection annex
        daylight clear desk --collection council --all --as Ana
        daylight clear desk --collection annex --all --as Ana\n";
    // What a person confirms on a terminal is confirmed here by --yes.
    let confirmed = "daylight() { case \"$1 $*\" in sign*--key*) \"$PROGRAM\" \"$@\" --yes;; *) \"$PROGRAM\" \"$@\";; esac; }";
    let drill = commands("docs/operator-lost.md");
    assert!(drill.lines().count() > 40, "{drill}");
    let script = format!("set -e\n{confirmed}\n{newsroom}{drill}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("PROGRAM", program()).current_dir(work.path()).stdin(Stdio::null());
    let said = Spoken::from(shell.output().unwrap()).code(0);
    let text = said.text();
    let mut rest = text.as_str();
    for part in [
        "published release 1: 2 documents",
        "a release to be sealed for news.example/papers",
        "checked in desk/sealing/archive: every byte of 3 documents",
        "sealed 3 documents of annex for news.example/papers: approved by ana, ben",
        "root 2 of news.example/papers is in force, signed by the recovery keys",
        "root 2 of news.example/papers: log entry 2, signed by the recovery keys (safe1, safe3)",
        "opened: 3 documents of annex, The annex, sealed for news.example/papers on ",
        "approved by ana, ben, editors of root 1",
        "release 2 waits for signatures: 3 documents",
        "published release 2: 3 documents",
        "root 2 was made with the recovery keys",
        "complete, unchanged and signed by the publisher whose root was given",
        "published release 3: 1 document",
        "complete, unchanged and signed by the publisher whose root was given",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} does not come in its place in\n{text}\n{}", said.stderr));
        rest = &rest[at + part.len()..];
    }
    // A mirror's copy from before follows: what it has is the beginning of what there is now.
    for path in ["root/1.json", "root/1.sig", "release/1/note", "release/1/manifest/0", "release/1/volume/0.zip"] {
        let [copy, now] = ["mirror/archive", "archive"].map(|folder| fs::read(work.path().join(folder).join(path)).unwrap());
        assert!(copy == now, "{path}");
    }
}
