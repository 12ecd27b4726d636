//! What other people's programs make of shares and sealed files: PyPI shamir-mnemonic, age, and the second reader in docs/unseal.py.

use super::{Newsroom, SEAL, path, words};
use crate::support::{Spoken, program, python_script, root, tool, workplace};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs docs/unseal.py.
fn unseal_py(arguments: &[&Path]) -> Option<Spoken> {
    let found = Command::new("python3").args(["-c", "import cryptography"]).output().is_ok_and(|output| output.status.success());
    if !found {
        crate::support::skip("no cryptography for python3");
        return None;
    }
    Some(Command::new("python3").arg(root().join("docs/unseal.py")).args(arguments).output().unwrap().into())
}

/// Runs a command as a person would, who types a line whenever the prompt comes.
fn on_a_terminal(room: &Newsroom, prompt: &str, command: &[&str], typed: &str) -> Spoken {
    let mut person = Command::new("python3");
    person.arg(root().join("tests/python/terminal.py")).arg(prompt).args(command).current_dir(room.work.path());
    let mut person = person.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    person.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    person.wait_with_output().unwrap().into()
}

#[test]
fn words_are_shown_on_a_terminal_and_typed_into_one() {
    if !tool("python3") {
        return;
    }
    let room = Newsroom::new();
    let line = SEAL.replace(" --words-dir words", "");
    let command: Vec<&str> = std::iter::once(path(program())).chain(line.split_whitespace()).collect();
    let said = on_a_terminal(&room, "then press Enter", &command, "\n\n\n").code(0).text();
    let pages: Vec<&str> = said.split("# Share ").skip(1).collect();
    assert_eq!(pages.len(), 3, "{said}");
    let words = |page: usize| -> String {
        let lines = pages[page].lines().skip(1).skip_while(|line| line.starts_with('#')).take(3);
        lines.collect::<Vec<_>>().join(" ")
    };
    assert!(pages.iter().all(|page| page.contains("\u{1b}[2J\u{1b}[3J")), "what was shown is cleared away: {said:?}");
    assert!(!room.at("words").exists());
    // A slip, the same one twice, then another.
    let typed = [words(2).replacen(' ', " and ", 1), words(2), words(2), words(0)].join("\n");
    let command = [path(program()), "unseal", "annex.sealed", "--to", "opened", "--archive", "archive"];
    let said = on_a_terminal(&room, "then Enter: ", &command, &typed).code(0).text();
    for part in ["word 2 is not one of the words", "these words were given already", "opened: 1 document of annex", "approved by ana"] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    room.run("verify opened/archive");
}

/// The files of a tar file, as `tar` lays them out.
fn unpacked(tar: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    assert!(Command::new("tar").arg("-xf").arg(tar).arg("-C").arg(to).status().unwrap().success());
}

fn same(one: &Path, other: &Path) {
    let compared = Command::new("diff").arg("-r").args([one, other]).output().unwrap();
    assert!(compared.status.success(), "{}", String::from_utf8_lossy(&compared.stdout));
}

#[test]
fn the_second_reader_opens_what_we_sealed_and_refuses_what_we_refuse() {
    let room = Newsroom::new();
    room.seal().code(0);
    room.run(&format!("unseal annex.sealed --to opened{}", words(&[1, 2])));
    let (sealed, tar) = (room.at("annex.sealed"), room.at("annex.tar"));
    let share = |number: usize| room.at(&format!("words/share-{number}-of-3.txt"));
    let Some(said) = unseal_py(&[&sealed, &tar, &share(3), &share(1)]) else { return };
    said.code(0);
    unpacked(&tar, &room.at("theirs"));
    same(&room.at("theirs"), &room.at("opened"));
    fs::remove_file(&tar).unwrap();
    let refused = |sealed: &Path, shares: &[PathBuf], why: &str| {
        let shares: Vec<&Path> = shares.iter().map(PathBuf::as_path).collect();
        let said = unseal_py(&[&[sealed, &tar], shares.as_slice()].concat()).unwrap().code(1);
        assert!(said.stderr.contains(why), "{why}: {said:?}");
        assert!(!tar.exists() && !room.at("annex.tar.part").exists());
    };
    refused(&sealed, &[share(2)], "1 different shares; 2 are needed");
    let text = fs::read_to_string(share(1)).unwrap();
    let last = text.trim_end().rsplit(' ').next().unwrap();
    fs::write(room.at("wrong.txt"), text.replace(last, if last == "zero" { "acid" } else { "zero" })).unwrap();
    refused(&sealed, &[room.at("wrong.txt"), share(2)], "a word is wrong");
    let whole = fs::read(&sealed).unwrap();
    let changed = room.at("changed");
    for at in [30, 60, 150, 300, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&changed, bytes).unwrap();
        refused(&changed, &[share(1), share(2)], "unseal: ");
        room.refused(&format!("unseal changed --to never{}", words(&[1, 2])));
    }
    for cut in [0, 100, 230, whole.len() - 1] {
        fs::write(&changed, &whole[..cut]).unwrap();
        refused(&changed, &[share(1), share(2)], "unseal: ");
        room.refused(&format!("unseal changed --to never{}", words(&[1, 2])));
    }
}

#[test]
fn trustees_need_none_of_our_programs() {
    let room = Newsroom::new();
    room.seal().code(0);
    room.run(&format!("unseal annex.sealed --to opened{}", words(&[1, 2])));
    let shares = [3, 2].map(|number| room.at(&format!("words/share-{number}-of-3.txt")));
    let Some(secret) = python_script("shares.py", ["combine", path(&shares[0]), path(&shares[1])]) else { return };
    let secret = secret.code(0).text();
    if !tool("age") {
        return;
    }
    let (tar, sealed) = (room.at("age.tar"), room.at("annex.sealed"));
    on_a_terminal(&room, "passphrase", &["age", "-d", "-o", path(&tar), path(&sealed)], &secret).code(0);
    unpacked(&room.at("age.tar"), &room.at("theirs"));
    same(&room.at("theirs"), &room.at("opened"));
}

#[test]
fn shares_that_another_program_made_of_the_key_open_it() {
    let room = Newsroom::new();
    room.seal().code(0);
    let shares = [1, 2].map(|number| room.at(&format!("words/share-{number}-of-3.txt")));
    let Some(secret) = python_script("shares.py", ["combine", path(&shares[0]), path(&shares[1])]) else { return };
    let secret = secret.code(0).text();
    for (number, (needed, count, exponent, extendable)) in
        [("2", "3", "0", "no"), ("3", "5", "1", "yes"), ("1", "1", "0", "yes"), ("16", "16", "0", "no"), ("8", "16", "2", "yes")]
            .into_iter()
            .enumerate()
    {
        let folder = workplace();
        python_script("shares.py", ["split", needed, count, exponent, extendable, secret.trim(), path(folder.path())]).unwrap().code(0);
        // The last ones, backwards.
        let (needed, count) = (needed.parse::<usize>().unwrap(), count.parse::<usize>().unwrap());
        let words: String = (count - needed + 1..=count).rev().map(|at| format!(" --words {}/{at}.txt", path(folder.path()))).collect();
        room.run(&format!("unseal annex.sealed --to opened-{number}{words}"));
    }
    same(&room.at("opened-0"), &room.at("opened-4"));
}

/// A sealed release that is kept with the tests for ever, opened by us and by the second reader: the format as it was when it was first written.
#[test]
fn what_was_sealed_long_ago_is_opened() {
    let kept = root().join("tests/data/seal");
    let work = workplace();
    let shares = [1, 4, 5].map(|number| kept.join(format!("share-{number}-of-5.txt")));
    let line = ["unseal", path(&kept.join("example.sealed")), "--to", path(&work.path().join("opened"))].map(str::to_owned);
    let words = shares.iter().flat_map(|share| ["--words".to_owned(), path(share).to_owned()]);
    crate::support::daylight(line.into_iter().chain(words)).code(0);
    let seal = fs::read_to_string(work.path().join("opened/seal")).unwrap();
    assert!(
        seal.starts_with("daylight-seal/v1\norigin news.example/papers\nserial 1\n") && seal.contains("\ncollection annex\nlines 3\n"),
        "{seal}"
    );
    crate::support::daylight(["verify", path(&work.path().join("opened/archive"))]).code(0);
    let tar = work.path().join("example.tar");
    let Some(said) = unseal_py(&[&kept.join("example.sealed"), &tar, &shares[2], &shares[0], &shares[1]]) else { return };
    said.code(0);
    unpacked(&tar, &work.path().join("theirs"));
    same(&work.path().join("theirs"), &work.path().join("opened"));
}
