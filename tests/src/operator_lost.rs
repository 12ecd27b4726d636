//! The drill of docs/operator-lost.md, played as it stands there: the publisher's machine and k of the editors' keys are gone.

use crate::support::{Server, Spoken, program, root, workplace};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where the page says that the archive is served.
const SITE: &str = "https://papers.example";

/// The commands of a page, block by block.
fn blocks(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// Runs commands in a folder. What a person confirms on a terminal is confirmed here by --yes.
fn play(folder: &Path, commands: &str) -> Spoken {
    let confirmed = "daylight() { case \"$1 $*\" in sign*--key*) \"$PROGRAM\" \"$@\" --yes;; *) \"$PROGRAM\" \"$@\";; esac; }";
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("set -e\n{confirmed}\n{commands}")]).env("PROGRAM", program());
    Spoken::from(shell.current_dir(folder).stdin(Stdio::null()).output().unwrap()).code(0)
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
    let drill = blocks("docs/operator-lost.md");
    assert!(drill.iter().map(|block| block.lines().count()).sum::<usize>() > 40, "{drill:?}");
    let mut text = play(work.path(), newsroom).text();
    for block in &drill {
        // The site is there while it is needed: what it serves is moved away and begun anew meanwhile.
        let site = block.contains(SITE).then(|| Server::start(&work.path().join("archive")));
        let block = site.as_ref().map_or(block.clone(), |site| block.replace(SITE, &site.origin));
        text.push_str(&play(work.path(), &block).text());
    }
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
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} does not come in its place in\n{text}"));
        rest = &rest[at + part.len()..];
    }
    // A mirror's copy from before follows: what it has is the beginning of what there is now.
    for path in ["root/1.json", "root/1.sig", "release/1/note", "release/1/manifest/0", "release/1/volume/0.zip"] {
        let [copy, now] = ["mirror/archive", "archive"].map(|folder| fs::read(work.path().join(folder).join(path)).unwrap());
        assert!(copy == now, "{path}");
    }
}
