//! A source with the tool, the drop, and the newsroom, from the first word to the last.

use super::Room;
use super::wire::Served;
use serde_json::Value;
use std::fs;

#[test]
fn a_source_with_the_tool_and_a_newsroom_talk_until_all_is_deleted() {
    let room = Room::with_directory(3);
    let token = room.run("drop init store --archive archive --title Courier --json").json()["token"].as_str().unwrap().to_owned();
    fs::write(room.at("token"), format!("{token}\n")).unwrap();
    let served = Served::start(&room);
    let collect = format!("drop collect desk --drop {} --token-file token --json", served.at);
    room.run(&collect);
    let knows = "--root archive/root/1.json --archive archive --without-witnesses --codename-file codename";
    fs::write(room.at("ledger.txt"), "the ledger of the sluice\n").unwrap();
    room.run(&format!("submit {} --text I-have-papers ledger.txt {knows}", served.at));

    let came = room.run(&collect).json();
    assert_eq!((&came["submissions"], &came["conversations"], &came["doubtful"]), (&2.into(), &1.into(), &0.into()), "{came}");
    let id = room.first();
    let read = room.run(&format!("drop read desk {id} --json")).json();
    assert_eq!((&read["messages"][0]["text"], &read["messages"][0]["sealed_by"]), (&"I-have-papers".into(), &"tool".into()));
    let file = &read["files"][0];
    assert_eq!((&file["name"], &file["whole"], &file["bytes"]), (&"ledger.txt".into(), &true.into(), &25.into()), "{file}");

    fs::write(room.at("answer"), "Who kept the ledger?").unwrap();
    room.run(&format!("drop answer desk {id} --key ben.key --text answer"));
    room.run(&collect);
    let heard = room.run(&format!("check {} {knows}", served.at)).text();
    assert!(heard.contains("Who kept the ledger?"), "{heard}");
    room.run(&format!("reply {} --text The-keeper-did {knows}", served.at));
    assert_eq!(room.run(&collect).json()["conversations"], 0, "it is the same conversation");
    let read = room.run(&format!("drop read desk {id} --json")).json();
    let texts: Vec<&Value> = read["messages"].as_array().unwrap().iter().map(|message| &message["text"]).collect();
    assert!(texts.contains(&&"The-keeper-did".into()) && read["doubtful"] == 0, "{read}");

    room.run(&format!("drop import desk {id} --collection council --as Ana --jobs 1"));
    assert_eq!(room.run("search desk sluice --json").json()["total"], 1);
    room.run(&format!("drop delete desk {id} --as Ana --yes"));
    room.run(&collect);
    let heard = room.say(&format!("check {} {knows}", served.at)).text();
    assert!(!heard.contains("Who kept the ledger?"), "{heard}");
}
