use super::fixture::{Publisher, message};
use super::*;
use daylight_archive::{Policy, Signer};
use ed25519_dalek::SigningKey;
use std::time::{SystemTime, UNIX_EPOCH};

fn witness(i: u8) -> Signer {
    // A name that would mark up the page and turn its text around.
    let name = if i == 4 { "<b>w4\u{202e}.example".to_owned() } else { format!("w{i}.example") };
    Signer::new(&name, SigningKey::from_bytes(&[90 + i; 32])).unwrap()
}

fn watched(seen: Vec<(Signer, u64)>, quorum: usize) -> Publisher {
    let keys: Vec<_> = (1..=4).map(|i| (witness(i).cosigner_key(), format!("https://w{i}.example/"))).collect();
    let mut publisher = Publisher::watched(Policy::of(&keys, quorum).unwrap(), seen);
    publisher.release("wall", "The wall", vec![message(1, "one", "heron")]);
    publisher
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn readers_are_told_which_witnesses_have_seen_the_archive_and_when() {
    // 14 November 2023, 22:13:20; as old as that is told, and a clock that is far ahead.
    let publisher = watched(vec![(witness(1), 1_700_000_000), (witness(4), 1_700_000_060)], 2);
    let visit = Visit::to(&publisher);
    let home = visit.get("/").text();
    assert!(home.contains("2 of its 4 witnesses have seen it at 2 log entries, the last on 14 November 2023, 22:14 UTC."), "{home}");
    let page = visit.get("/verify").text();
    assert!(page.contains("2 of its 4 witnesses have seen this archive at 2 log entries. Its root asks for 2 of 4;"), "{page}");
    assert!(page.contains("<bdi>w1.example</bdi></td><td>on 14 November 2023, 22:13 UTC</td>"), "{page}");
    assert!(page.contains("<bdi>w2.example</bdi></td><td><span class=\"quiet\">has not cosigned it</span></td>"), "{page}");
    assert!(page.contains("<bdi>&lt;b&gt;w4\u{202e}.example</bdi>"), "{page}");
    assert!(page.contains("days ago. It is as valid as then"), "{page}");

    let visit = Visit::to(&watched(vec![(witness(3), now()), (witness(2), now() + 40 * 86_400)], 1));
    let page = visit.get("/verify").text();
    assert!(page.contains("a day that has not come") && !page.contains("days ago"), "{page}");
    let visit = Visit::to(&watched(vec![(witness(3), now())], 1));
    let (home, page) = (visit.get("/").text(), visit.get("/verify").text());
    assert!(home.contains("One of its 4 witnesses has seen it") && !page.contains("not come") && !page.contains("days ago"), "{page}");
}

#[test]
fn an_archive_without_witnesses_says_so_and_one_with_too_few_is_not_shown() {
    let mut publisher = Publisher::new();
    publisher.release("wall", "The wall", vec![message(1, "one", "heron")]);
    let visit = Visit::to(&publisher);
    assert!(visit.get("/").text().contains("No witness watches this archive"));
    assert!(visit.get("/verify").text().contains("names no witness"));
    let publisher = watched(vec![(witness(1), now())], 2);
    let refused = Site::open(publisher.dir(), publisher.cache(), &mut |_| ()).err().unwrap().to_string();
    assert!(refused.contains("not cosigned by the witnesses that the root asks for: 1 did, 2 of 4 are needed"), "{refused}");
}
