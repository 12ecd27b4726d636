use super::{Room, What, holds, source, stick};
use crate::support::{SmallDisk, skip};
use daylight_envelope::open_reply;
use daylight_model::Digest;
use std::fs;

#[test]
fn a_conversation_by_stick_from_the_first_word_to_its_deletion() {
    let room = Room::with_directory(3);
    let (one, page) = (source(1), super::Source { by_tool: false, ..source(2) });
    let canary = "CANARY-the-sluice-keeper-knows";
    let file = |part, last, body: &'static [u8]| What::File { file: 7, part, last, name: b"../plan\x1b[2J.txt", body };
    let envelopes = vec![
        (one.lookup, room.seal(&one, 1, true, What::Text(canary))),
        (one.lookup, room.seal(&one, 2, false, file(0, false, b"CANARY-first-part "))),
        (one.lookup, room.seal(&one, 3, false, file(1, true, b"and the second"))),
        (one.lookup, room.seal(&one, 4, false, What::File { file: 8, part: 1, last: true, name: b"half.pdf", body: b"x" })),
        (page.lookup, room.seal(&page, 1, true, What::Text("from the page"))),
    ];
    stick(&room.at("usb"), &envelopes);
    let came = room.run("drop collect desk --from usb --notice notice --json").json();
    assert_eq!((&came["submissions"], &came["conversations"], &came["directory_put"]), (&5.into(), &2.into(), &true.into()), "{came}");
    assert_eq!(fs::read(room.at("usb/inbox/directory")).unwrap(), fs::read(room.at("desk/inbox/directory")).unwrap());
    assert_eq!(fs::read_to_string(room.at("usb/inbox/done")).unwrap().lines().count(), 5);
    let loud = fs::read(room.at("notice")).unwrap();
    // The stick again, as when the drop did not get it: nothing comes twice, and the notice is as long.
    let again = room.run("drop collect desk --from usb --notice notice --json").json();
    let quiet = fs::read(room.at("notice")).unwrap();
    assert_eq!((&again["submissions"], quiet.len(), loud.len()), (&0.into(), 512, 512));
    assert_ne!(loud, quiet);

    let listed = room.run("drop list desk --json").json();
    let id =
        listed["conversations"].as_array().unwrap().iter().find(|one| one["submissions"] == 4).unwrap()["id"].as_str().unwrap().to_owned();
    let said = room.run(&format!("drop read desk {id}")).text();
    assert!(
        said.contains(canary) && said.contains("sealed by the source's own tool") && said.contains("NOT WHOLE: 1 part missing: part 1"),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'), "a name commands no terminal");
    let other =
        listed["conversations"].as_array().unwrap().iter().find(|one| one["submissions"] == 1).unwrap()["id"].as_str().unwrap().to_owned();
    assert!(room.run(&format!("drop read desk {other}")).text().contains("the drop's machine had it in the clear"));
    assert_eq!(room.run("drop list desk --json").json()["unread"], 0);
    assert_eq!(holds(&room.at("desk"), b"CANARY"), None, "nothing of a source is on the desk in the clear");

    room.run(&format!("drop accept desk {}", &id[..8]));
    room.run(&format!("drop assign desk {id} Ana"));
    fs::write(room.at("answer"), "We have it. CANARY-answer\n").unwrap();
    room.run(&format!("drop answer desk {id} --key ben.key --text answer"));
    assert!(room.refused(&format!("drop answer desk {id} --key cleo.key --text answer")).contains("no member of the directory"));
    stick(&room.at("usb"), &[]);
    let sent = room.run("drop collect desk --from usb --json").json();
    assert_eq!((&sent["replies_sent"], &sent["accepted"]), (&1.into(), &1.into()));
    let reply = fs::read_dir(room.at("usb/inbox/reply")).unwrap().next().unwrap().unwrap();
    let sealed = fs::read(reply.path()).unwrap();
    assert_eq!(reply.file_name().to_str().unwrap(), format!("{}.{}", one.lookup, Digest::of(&sealed)));
    let directory = daylight_archive::directory::parse(&fs::read(room.at("desk/inbox/directory")).unwrap()).unwrap();
    let editors: Vec<[u8; 32]> = directory.told.members.iter().map(|member| *member.public()).collect();
    let opened = open_reply(&one.reply, &room.newsroom(), &editors, &sealed).unwrap();
    assert_eq!((opened.body.as_str(), opened.counter), ("We have it. CANARY-answer\n", 1));

    // What came becomes a trove, which knows where it came from until that is taken away.
    let imported = room.run(&format!("drop import desk {id} --collection council --as Ana --jobs 1 --json")).json();
    assert_eq!((&imported["files"], imported["left_out"][0].as_str()), (&1.into(), Some("half.pdf")), "{imported}");
    assert_eq!(fs::read_dir(room.at("desk/inbox/import")).unwrap().count(), 0);
    let document = room.run("search desk second --json").json()["hits"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(room.run(&format!("show desk {document} --raw")).text(), "CANARY-first-part and the second");
    assert_eq!(room.run(&format!("show desk {document} --json")).json()["source"], id);
    assert!(holds(&room.at("desk"), format!("conversation {id}").as_bytes()).is_some(), "in the audit log");

    assert!(room.refused(&format!("drop delete desk {id} --as Ana")).contains("--yes"));
    let said = room.run(&format!("drop delete desk {id} --as Ana --yes"));
    assert!(said.stderr.contains("laboratory"), "{said:?}");
    assert_eq!(room.run(&format!("show desk {document} --json")).json()["source"], serde_json::Value::Null);
    for trace in [format!("conversation {id}").into_bytes(), id.clone().into_bytes(), one.conversation.to_vec()] {
        assert_eq!(holds(&room.at("desk"), &trace), None, "{trace:?}");
    }
    assert_eq!(room.run("drop list desk --json").json()["total"], 1);
    let told = room.run("drop collect desk --from usb --json").json();
    assert_eq!(told["forgotten"], 1);
    assert_eq!(fs::read_to_string(room.at("usb/inbox/forget")).unwrap().trim(), one.lookup.to_string());
    assert_eq!(holds(&room.at("desk"), &one.lookup.0), None, "not even its mailbox");
    // The audit log still holds together.
    room.run("check desk");
}

#[test]
fn only_the_link_can_be_taken_away_and_retention_spares_what_is_assigned() {
    let room = Room::with_directory(3);
    let (one, two) = (source(1), source(2));
    let file = What::File { file: 1, part: 0, last: true, name: b"a.txt", body: b"reservoir" };
    stick(&room.at("usb"), &[(one.lookup, room.seal(&one, 1, true, file)), (two.lookup, room.seal(&two, 1, true, What::Text("two")))]);
    room.run("drop collect desk --from usb");
    let listed = room.run("drop list desk --json").json();
    let of = |bytes: u64| {
        listed["conversations"].as_array().unwrap().iter().find(|one| one["bytes"] == bytes).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (id, other) = (of(9), of(3));
    room.run(&format!("drop import desk {id} --collection council --as Ana --jobs 1"));
    room.run(&format!("drop delete desk {id} --as Ana --only-link --yes"));
    let document = room.run("search desk reservoir --json").json()["hits"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(room.run(&format!("show desk {document} --json")).json()["source"], serde_json::Value::Null);
    assert_eq!(holds(&room.at("desk"), format!("conversation {id}").as_bytes()), None);
    room.run(&format!("drop read desk {id}"));
    // Nothing is old enough today.
    room.run(&format!("drop assign desk {other} Ben"));
    assert_eq!(room.run("drop collect desk --from usb --keep 1 --json").json()["retired"].as_array().unwrap().len(), 0);
}

#[test]
fn a_backup_has_nothing_of_the_inbox() {
    let room = Room::with_directory(2);
    let one = source(1);
    stick(&room.at("usb"), &[(one.lookup, room.seal(&one, 1, true, What::Text("hello")))]);
    room.run("drop collect desk --from usb");
    let keys = fs::read(room.at("desk/inbox/keyring/ana.keys")).unwrap();
    let storage = fs::read(room.at("desk/inbox/storage.keys")).unwrap();
    room.run("backup desk copy");
    for secret in [&keys[keys.len() - 32..], &storage[storage.len() - 32..], &one.lookup.0] {
        assert!(holds(&room.at("desk"), secret).is_some());
        assert_eq!(holds(&room.at("copy"), secret), None, "a copy of a key would outlive it");
    }
    assert!(!room.at("copy/inbox").exists());
    room.run("restore copy again");
    assert!(room.refused("drop list again").contains("nothing was ever collected"));
}

#[test]
fn a_drop_that_shows_another_directory_is_told_of_loudly() {
    let room = Room::with_directory(2);
    stick(&room.at("usb"), &[]);
    fs::write(room.at("usb/outbox/directory"), b"a directory that nobody here made").unwrap();
    let said = room.say("drop collect desk --from usb --notice notice").code(1);
    assert!(said.stderr.contains("ALARM: the drop showed sources a directory of keys that this desk did not make"), "{said:?}");
    let notice: serde_json::Value = serde_json::from_slice(&fs::read(room.at("notice")).unwrap()).unwrap();
    assert_eq!((&notice["alarms"], &notice["collected"]), (&1.into(), &true.into()));
    // A collection that fails leaves a notice too.
    fs::remove_dir_all(room.at("usb")).unwrap();
    room.say("drop collect desk --from usb --notice notice").code(1);
    let notice: serde_json::Value = serde_json::from_slice(&fs::read(room.at("notice")).unwrap()).unwrap();
    assert_eq!(notice["collected"], false);
}

#[test]
fn a_desk_whose_disk_is_nearly_full_leaves_at_the_drop_what_has_no_room() {
    let room = Room::with_directory(2);
    let one = source(1);
    stick(&room.at("usb"), &[(one.lookup, room.seal(&one, 1, true, What::Text("hello")))]);
    let Some(disk) = SmallDisk::mount(room.at("small"), "100m") else { return skip("no disk can be mounted here") };
    assert!(std::process::Command::new("cp").arg("-r").arg(room.at("desk")).arg(disk.path.join("desk")).status().unwrap().success());
    let said = room.say("drop collect small/desk --from usb --json").code(1).json();
    assert_eq!((&said["no_room"], &said["submissions"]), (&1.into(), &0.into()), "{said}");
    assert!(!room.at("usb/inbox/done").exists());
    assert!(disk.remount("3g"));
    assert_eq!(room.run("drop collect small/desk --from usb --json").json()["submissions"], 1);
}

#[test]
fn what_could_not_be_opened_is_listed_and_discarded_and_the_audit_log_says_how_many() {
    let room = Room::with_directory(2);
    let one = source(1);
    let junk = [b"no envelope".to_vec(), b"nor this".to_vec()];
    let good = room.seal(&one, 1, true, What::Text("hello"));
    stick(&room.at("usb"), &[(one.lookup, good), (one.lookup, junk[0].clone()), (one.lookup, junk[1].clone())]);
    let said = room.run("drop collect desk --from usb").text();
    assert_eq!(said.matches("until `daylight drop discard`").count(), 2, "{said}");
    let listed = room.run("drop list desk --refused --json").json();
    assert_eq!(listed["total"], 2);
    let id = listed["refused"][0]["id"].as_str().unwrap().to_owned();
    assert!(room.run("drop list desk --refused").text().contains(&id[..12]));
    assert!(room.refused(&format!("drop discard desk {} --as Ana", &id[..8])).contains("--yes"));
    assert!(room.refused("drop discard desk 00000000 --as Ana --yes").contains("begins with 00000000"));
    assert_eq!(room.say("drop discard desk --as Ana --yes").code, Some(2), "which?");
    let said = room.run(&format!("drop discard desk {} --as Ana --yes --json", &id[..8])).json();
    assert_eq!(said["discarded"], 1);
    room.run("drop collect desk --from usb");
    let done = fs::read_to_string(room.at("usb/inbox/done")).unwrap();
    assert!(done.contains(&id) && done.lines().count() == 2, "the opened one and this one: {done}");
    assert_eq!(room.run("drop list desk --json").json()["refused"], 1);
    room.run("drop discard desk --all --as Ana --yes");
    assert_eq!(room.run("drop list desk --refused --json").json()["total"], 0);
    assert!(holds(&room.at("desk"), b"envelopes that could not be opened: 1\n").is_some(), "in the audit log");
    assert_eq!(holds(&room.at("desk"), id.as_bytes()), None, "which does not say which");
    room.run("check desk");
}

#[test]
fn texts_are_imported_as_documents_where_somebody_asks_for_them_and_linked_to_their_source() {
    let room = Room::with_directory(2);
    let one = source(1);
    stick(&room.at("usb"), &[(one.lookup, room.seal(&one, 1, true, What::Text("the reservoir was sold in May")))]);
    room.run("drop collect desk --from usb");
    let id = room.first();
    assert!(room.refused(&format!("drop import desk {id} --collection council --as Ana --jobs 1")).contains("no whole file"));
    let said = room.run(&format!("drop import desk {id} --collection council --as Ana --jobs 1 --with-texts --json")).json();
    assert_eq!((&said["files"], &said["texts"], &said["documents"]), (&0.into(), &1.into(), &1.into()), "{said}");
    let document = room.run("search desk reservoir --json").json()["hits"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(room.run(&format!("show desk {document} --raw")).text(), "the reservoir was sold in May");
    let shown = room.run(&format!("show desk {document} --json")).json();
    assert_eq!(shown["source"], id);
    assert!(shown.to_string().contains("message-1.txt") && shown.to_string().contains("text/plain"), "{shown}");
    assert_eq!(holds(&room.at("desk/inbox"), b"reservoir"), None);
}
