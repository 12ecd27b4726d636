//! Programs of Debian's that read mail stores and legacy Office files, beside ours. PDFs are held against pdftotext where their reader is tested.

use crate::ours::{corpus, files, read, words};
use daylight_model::Kind;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a program says of a file; `None` with a word about it where the program is missing. `./test` installs them all.
fn said(program: &str, arguments: &[&str], file: &Path) -> Option<String> {
    match Command::new(program).args(arguments).arg(file).stderr(Stdio::null()).output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            assert!(
                std::env::var_os("DAYLIGHT_TESTS_REQUIRE_TOOLS").is_none(),
                "{program} is missing, but ./test said that every tool is here"
            );
            println!("skipped: no {program}");
            None
        }
    }
}

fn counted(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in words(&text.to_lowercase().replace(['|', ',', '"', '\u{c}'], " ")) {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() {
            *counts.entry(word.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

/// Files of which ours gives fewer of their words, and why.
const FEWER: &[(&str, &str)] = &[
    ("slides.ppt", "the theme's name is no text of a slide"),
    ("Reviews.xls", "theirs counts days from 1904 in every file, and is four years late where they are counted from 1900, as here"),
    ("rom.xls", "the same"),
    ("valid.xls", "theirs writes ERROR for what a cell shows as #N/A, which ours gives"),
];

#[test]
fn legacy_office_gives_the_words_that_others_find() {
    let tools: [(&str, &str, &[&str]); 3] =
        [(".doc", "antiword", &["-m", "UTF-8.txt"]), (".ppt", "catppt", &["-dutf-8"]), (".xls", "xls2csv", &["-dutf-8"])];
    let (mut low, mut used) = (Vec::new(), Vec::new());
    for (ending, program, arguments) in tools {
        let (mut wanted, mut found, mut count) = (0, 0, 0);
        let folders = ["documents/office", "documents/ingest-file/tests"];
        for folder in folders {
            let Some(folder) = corpus(folder) else { return };
            for path in files(folder, ending) {
                let Some(theirs) = said(program, arguments, &path) else { return };
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let reading = read(&name, &fs::read(&path).unwrap());
                let ours: String = reading.texts.iter().map(|(.., text)| format!("{text}\n")).collect();
                let (theirs, ours) = (counted(&theirs), counted(&ours));
                let all: usize = theirs.values().sum();
                let both: usize = theirs.iter().map(|(word, count)| count.min(ours.get(word).unwrap_or(&0))).sum();
                (wanted, found, count) = (wanted + all, found + both, count + usize::from(all > 0));
                used.extend(FEWER.iter().position(|(one, _)| both * 100 < all * 97 && *one == name));
                if both * 100 < all * 97 && !FEWER.iter().any(|(one, _)| *one == name) {
                    low.push(format!("{name}: {both} of {all}"));
                }
            }
        }
        println!("{ending}: {found} of {wanted} words of {program} in {count} files");
    }
    assert!(low.is_empty(), "{low:#?}");
    assert_eq!(used.len(), FEWER.len(), "each reason is needed");
}

#[test]
fn a_mail_store_gives_no_message_fewer_than_readpst() {
    for folder in ["outlook", "documents"] {
        let Some(folder) = corpus(folder) else { return };
        for path in files(folder, ".pst") {
            let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readpst-{}", std::process::id()));
            fs::create_dir_all(&out).unwrap();
            let Some(_) = said("readpst", &["-q", "-e", "-o", out.to_str().unwrap()], &path) else { return };
            let theirs = files(out.clone(), "").len();
            fs::remove_dir_all(&out).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let reading = read(&name, &fs::read(&path).unwrap());
            let ours = reading.children(0).filter(|found| found.kind == Kind::Message).count();
            println!("{name}: readpst {theirs}, ours {ours}");
            assert!(ours >= theirs, "{name}: readpst writes {theirs}, ours are {ours}");
        }
    }
}
