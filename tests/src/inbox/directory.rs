use super::{Room, today};
use crate::second_verifier::{both, python};
use daylight_archive::Archive;
use daylight_archive::directory::{DirectoryError, parse};
use daylight_model::Digest;
use std::fs;

#[test]
fn members_make_keys_and_editors_sign_who_may_read() {
    let room = Room::new();
    for name in ["ana", "ben"] {
        let said = room.run(&format!("drop directory keys desk --to archive --key {name}.key --days 5 --out {name}.epoch-keys"));
        assert!(said.stderr.contains("no TPM") && said.text().contains("destroyed 45 days after"), "{said:?}");
    }
    let said = room.run("drop directory new desk --to archive --member ana.epoch-keys --member ben.epoch-keys --key ana.key").text();
    assert!(said.contains("directory 1 waits for signatures"), "{said}");
    assert!(!room.at("desk/inbox/directory").exists());
    // Another editor is shown who will be able to read, and a member that her own keys are in it.
    let shown = room.run("sign directory-1.request --root archive/root/1.json").text();
    assert!(
        shown.contains("who can read what sources send")
            && shown.contains("ana+")
            && shown.contains("ben+")
            && shown.contains("(5 in all)"),
        "{shown}"
    );
    let own = room.run("drop directory show directory-1.request --keyring desk/inbox/keyring/ana.keys --json").json();
    assert_eq!((&own["own_keys"], own["members"].as_array().unwrap().len()), (&true.into(), 2));
    room.run("key new eve.key");
    room.run("init other");
    room.run("drop directory keys other --to archive --key eve.key --days 5 --out eve.epoch-keys");
    let eve = room.say("drop directory show directory-1.request --keyring other/inbox/keyring/eve.keys").code(1).text();
    assert!(eve.contains("ARE NOT IN IT"), "{eve}");
    room.run("sign directory-1.request --key cleo.key --yes");
    let logged = room.run("drop directory new desk --to archive --finish directory-1.request --json").json();
    assert_eq!((&logged["logged"]["serial"], &logged["logged"]["log_size"]), (&1.into(), &2.into()), "{logged}");
    // Again is no harm.
    room.run("drop directory new desk --to archive --finish directory-1.request");
    assert!(room.run("verify archive --root archive/root/1.json").text().contains("news.example/papers"));
    if python() {
        assert!(both(&room.at("archive"), None).0);
    }
    let shown = room.run("drop directory show desk/inbox/directory --archive archive --json").json();
    assert_eq!((&shown["newest"], &shown["what"]), (&true.into(), &"directory".into()));
}

#[test]
fn a_swapped_an_omitted_a_stale_and_a_hidden_directory_are_told() {
    let room = Room::with_directory(5);
    let old = fs::read(room.at("desk/inbox/directory")).unwrap();
    let check = |file: &[u8]| Archive::open(&room.at("archive")).unwrap().check_directory(file).map(|directory| directory.serial());
    assert_eq!(check(&old), Ok(1));
    // One that leaves ben out, signed by two editors and shown to one source alone: not in the log.
    let copy = room.at("hidden");
    fs::create_dir(&copy).unwrap();
    for name in ["archive", "desk"] {
        assert!(std::process::Command::new("cp").arg("-r").arg(room.at(name)).arg(copy.join(name)).status().unwrap().success());
    }
    let said = room.run("drop directory new hidden/desk --to hidden/archive --member ana.epoch-keys --key ana.key --key cleo.key");
    assert!(said.stderr.contains("ben is left out") && !said.stderr.contains("ana is left out"), "{said:?}");
    let hidden = fs::read(room.at("hidden/desk/inbox/directory")).unwrap();
    assert_eq!(check(&hidden), Err(DirectoryError::NotLogged));
    assert!(room.say("drop directory show hidden/desk/inbox/directory --archive archive").code(1).text().contains("NOT TO BE SEALED TO"));
    // The log that has it instead is another history, which is evidence.
    let forked = room.run("heartbeat archive --log-key desk/log.key --key ana.key");
    assert!(forked.text().contains("heartbeat 2"));
    let (ours, theirs) = (Archive::open(&room.at("archive")).unwrap(), Archive::open(&room.at("hidden/archive")).unwrap());
    assert_ne!(ours.checkpoint_at(theirs.head()).unwrap().root, theirs.checkpoint().root);
    // An old one, once there is a newer.
    room.run("drop directory new desk --to archive --member ana.epoch-keys --member ben.epoch-keys --key ana.key --key ben.key");
    assert_eq!(check(&old), Err(DirectoryError::Old { found: 1, newest: 3 }));
    // A recipient swapped behind the note.
    let mut swapped = fs::read(room.at("desk/inbox/directory")).unwrap();
    let at = swapped.len() - 100;
    swapped[at] ^= 1;
    assert_eq!(check(&swapped), Err(DirectoryError::Keys));
    if python() {
        assert!(both(&room.at("archive"), None).0);
    }
    let file = parse(&fs::read(room.at("desk/inbox/directory")).unwrap()).unwrap();
    assert_eq!(file.told.first, today());
}

#[test]
fn both_verifiers_refuse_a_directory_that_is_not_of_its_form() {
    use daylight_archive::log::LogAppender;
    use daylight_archive::{Checkpoint, Signer, entry::Entry, entry::Logged, note::Note, paths};
    if !python() {
        return;
    }
    let room = Room::with_directory(3);
    let archive = room.at("archive");
    let signer = |file: &str| Signer::from_text(fs::read_to_string(room.at(file)).unwrap().trim()).unwrap();
    let good = Note::parse(&fs::read(archive.join("entry/1/note")).unwrap()).unwrap().text().replace("serial 1\n", "serial 2\n");
    let day = today();
    let member = good.lines().find(|line| line.starts_with("member ana")).unwrap();
    let last = good.lines().last().unwrap();
    let wrong = [
        good.replace("members 2", "members 3"),
        good.replace("members 2", "members 02"),
        good.replace(&format!("{member}\n"), &format!("{member}\n{member}\n")).replace("members 2", "members 3"),
        good.replace(&format!("epochs {day} 3"), &format!("epochs {day} 4")),
        good.replace(&format!("epoch {day} "), &format!("epoch {} ", day + 9)),
        good.replace(last, &last[..last.len() - 65]),
        good.replace(last, &format!("{last}0")),
        format!("{good}and more\n"),
        good.replace("time 20", "time 30").replace("time 30", "time x0"),
    ];
    let checkpoint = Archive::open(&archive).unwrap().checkpoint().clone();
    for text in std::iter::once(&good).chain(&wrong) {
        let folder = room.at("tried");
        assert!(std::process::Command::new("cp").arg("-r").arg(&archive).arg(&folder).status().unwrap().success());
        let mut note = Note::new(text).unwrap();
        ["ana.key", "ben.key"].iter().for_each(|file| note.sign(&signer(file)));
        fs::create_dir_all(folder.join("entry/2")).unwrap();
        fs::write(folder.join(paths::entry_note(2)), note.to_bytes()).unwrap();
        let entry = Entry::Directory(Logged { serial: 2, note: Digest::of(&note.to_bytes()) });
        let mut log = LogAppender::load(&folder, checkpoint.size, &checkpoint.root).unwrap();
        log.push(&entry.to_json().unwrap()).unwrap();
        let appended = log.finish();
        for (path, bytes) in &appended.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let next = Checkpoint { origin: checkpoint.origin.clone(), size: appended.size, root: appended.root };
        fs::write(folder.join("checkpoint"), next.sign(&signer("desk/log.key")).unwrap().to_bytes()).unwrap();
        let (fine, ours, theirs) = both(&folder, None);
        assert_eq!(fine, *text == good, "{text}\n{ours}\n{theirs}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
