//! How a drop is, for its operator: from its folder alone, in sums and days.

use crate::support::Spoken;
use crate::support::drop::{Town, Visitor, today};
use serde_json::Value;
use std::fs;

fn status(town: &Town, more: &[&str]) -> Spoken {
    let line = ["drop".into(), "status".into(), town.home.clone().into_os_string()];
    crate::support::daylight(line.into_iter().chain(more.iter().map(Into::into)))
}

fn json(town: &Town, more: &[&str], code: i32) -> Value {
    status(town, &[more, &["--json"]].concat()).code(code).json()
}

/// A day as people write it, by another way than ours: `date` knows days since 1970.
fn date(day: u32) -> String {
    let said = std::process::Command::new("date").args(["-u", "-d", &format!("@{}", u64::from(day) * 86_400), "+%F"]).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

#[test]
fn an_operator_sees_how_a_drop_is_and_nothing_of_who_sent_or_when() {
    let town = Town::new();
    let server = town.serve();
    let mut visitor = Visitor::new(&server);
    let words = visitor.begin();
    assert_eq!(visitor.send(&[("text", None, b"a text"), ("file", Some("ledger"), &[7; 5000])]).status, 303);
    assert!(status(&town, &[]).code(0).text().contains("not collected yet"));
    let before = json(&town, &["--at", &server.address], 0);
    assert_eq!((&before["collected"], &before["crowded"], &before["was_full"]), (&Value::Null, &Value::Null, &Value::Null), "{before}");
    let lookup = town.collect(&server, "POST", "/collect/list", &[], b"").json()["envelopes"][0]["lookup"].as_str().unwrap().to_owned();
    let reply = town.reply(&town.open(&town.envelopes()[0]).0, 1, "thank you");
    town.collect(&server, "PUT", "/collect/reply", &[("Daylight-Lookup", &lookup)], &reply);
    let said = json(&town, &["--at", &server.address], 0);
    let sealed: u64 = town.envelopes().iter().map(|file| fs::metadata(file).unwrap().len() - 64).sum();
    assert_eq!((said["envelopes"].as_u64(), said["bytes"].as_u64(), said["replies"].as_u64()), (Some(2), Some(sealed), Some(1)), "{said}");
    let days = ["oldest", "collected", "keys_last"].map(|name| said[name].as_str().unwrap().to_owned());
    assert_eq!(days, [date(today()), date(today()), date(today() + 2)], "{said}");
    for yes in ["answers", "served", "open", "keys_today"] {
        assert_eq!(said[yes], true, "{yes} {said}");
    }
    assert_eq!((said["full"].as_bool(), said["directory"].as_u64(), said["damaged"].as_u64()), (Some(false), Some(1), Some(0)), "{said}");
    let plain = status(&town, &[]).code(0).text();
    assert!(plain.contains("2 envelopes waiting") && plain.contains("for 3 days with today"), "{plain}");
    // Nothing of a source, and no time of day.
    let ids: Vec<_> = town.envelopes().iter().map(|file| file.file_name().unwrap().to_str().unwrap()[..12].to_owned()).collect();
    for told in [&plain, &said.to_string(), &fs::read_to_string(town.home.join("days")).unwrap()] {
        assert!(
            !told.contains(&lookup[..12]) && !told.contains(words.split(' ').next().unwrap()) && !ids.iter().any(|id| told.contains(id))
        );
        let clock = told.as_bytes().windows(5).any(|five| five[2] == b':' && [0, 1, 3, 4].iter().all(|at| five[*at].is_ascii_digit()));
        assert!(!clock, "{told}");
    }
    let noted = fs::metadata(town.home.join("days")).unwrap().modified().unwrap();
    assert_eq!(noted.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), u64::from(today()) * 86_400);
    let at = server.address.clone();
    server.kill();
    let said = json(&town, &["--at", &at], 1);
    assert_eq!(
        (&said["served"], &said["answers"], &said["open"]),
        (&Value::Bool(false), &Value::Bool(false), &Value::Bool(false)),
        "{said}"
    );
    assert!(status(&town, &["--at", &at]).code(1).text().contains("IT DOES NOT ANSWER"));
}

#[test]
fn a_drop_that_is_full_or_has_no_keys_says_so_and_exits_1() {
    let town = Town::new();
    // A directory whose last day was yesterday.
    let server = town.serve();
    assert_eq!(town.collect(&server, "PUT", "/collect/directory", &[], &town.directory(2, today() - 3)).status, 200);
    let said = json(&town, &[], 1);
    assert_eq!((said["keys_today"].as_bool(), said["keys_last"].as_str()), (Some(false), Some(date(today() - 1).as_str())), "{said}");
    assert!(status(&town, &[]).code(1).text().contains("CLOSED: directory 2 has no keys for today"));
    assert_eq!(town.collect(&server, "PUT", "/collect/directory", &[], &town.directory(3, today())).status, 200);
    assert_eq!(json(&town, &[], 0)["open"], true);
    drop(server);
    // No disk has so much.
    let place = |name: &str| town.work.path().join(name).into_os_string();
    let line = ["drop".into(), "init".into(), town.home.clone().into_os_string(), "--archive".into(), place("archive")];
    crate::support::daylight(line.into_iter().chain(["--title", "x", "--reserve", "9000000000"].map(Into::into))).code(0);
    let server = town.serve();
    let said = json(&town, &[], 1);
    assert_eq!((&said["full"], &said["open"], &said["was_full"]), (&Value::Bool(true), &Value::Bool(false), &Value::Null), "{said}");
    let mut visitor = Visitor::new(&server);
    visitor.begin();
    assert_eq!(visitor.send(&[("text", None, b"a text")]).status, 503);
    assert_eq!(json(&town, &[], 1)["was_full"], date(today()));
    assert!(status(&town, &[]).code(1).text().contains("IT IS FULL"));
    // Where no drop is, that is what is said.
    let nowhere = crate::support::daylight(["drop", "status", "/nonexistent/drop"]).code(1).stderr;
    assert!(nowhere.contains("no drop there") && nowhere.lines().count() == 1, "{nowhere}");
}
