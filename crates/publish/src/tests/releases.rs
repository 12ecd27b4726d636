use super::*;
use daylight_archive::record::{Record, Role as FileRole};

fn records(world: &World, serial: u64) -> Vec<Record> {
    world.archive().lines(serial).unwrap().map(|line| line.unwrap().record).collect()
}

fn numbered(records: &[Record]) -> Vec<(u64, &str)> {
    records.iter().map(|record| (record.number, record.title.as_str())).collect()
}

#[test]
fn a_first_release_has_what_was_cleared_in_order_and_nothing_of_the_trove() {
    let world = World::new();
    let published = world.published();
    assert_eq!((published.serial, published.documents, published.size, published.resumed), (1, 6, 2, false));
    world.verify();
    let records = records(&world, 1);
    let expected = [(1, "About one"), (2, "plan.pdf"), (3, "About two"), (4, "About three"), (5, "files.zip"), (6, "dir/large.bin")];
    assert_eq!(numbered(&records), expected);
    assert_eq!((records[0].thread, records[3].thread, records[3].answers, records[2].thread), (Some(1), Some(1), Some(1), Some(3)));
    assert!(records[0].occurrences.is_empty(), "the mailbox is no place of the public's");
    let places: Vec<_> = records[1].occurrences.iter().map(|o| (o.parent, o.ordinal, o.name.clone().unwrap().to_string())).collect();
    assert_eq!(places, [(Some(1), 0, "plan.pdf".to_owned()), (Some(3), 4, "the same plan.pdf".to_owned())]);
    assert_eq!(records[0].faults.len(), 1, "what the walk met is not published");

    let archive = world.archive();
    let text = archive.bytes(records[0].file(&FileRole::Text).unwrap()).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), "The words of one.\n[hidden text]\nbetween the lines\n[end of hidden text]\n");
    assert_eq!(archive.bytes(records[5].file(&FileRole::Raw).unwrap()).unwrap(), vec![7; 5 << 18]);
    assert_eq!(archive.root().origin, published.origin);
    assert!(published.origin.starts_with("daylight-") && published.origin.len() == 25);

    let secrets: [&[u8]; 3] = [b"secret", Digest::of(b"the whole secret mailbox").to_string().leak().as_bytes(), b"Lovelace"];
    for (path, bytes) in world.files() {
        for secret in secrets {
            assert!(memchr::memmem::find(&bytes, secret).is_none(), "{path} has {:?}", String::from_utf8_lossy(secret));
        }
    }
    let unzip = std::process::Command::new("unzip").arg("-tqq").arg(world.path("archive/release/1/volume/0.zip")).status();
    match unzip {
        Ok(status) => assert!(status.success()),
        Err(_) => eprintln!("skipped: no unzip"),
    }
}

#[test]
fn nothing_new_is_no_release_and_a_second_release_appends() {
    let world = World::new();
    world.published();
    let before = world.files();
    assert_eq!(world.publish().unwrap().published, None);
    assert_eq!(world.files(), before);

    // A fourth message brings the same plan, and an answer whose thread is public already.
    world.ingest(|trove| {
        let fourth = trove.message(5, "four", &["one"]);
        let plan = trove.file(b"a plan");
        trove.inside(fourth, 0, plan, "again.pdf");
    });
    assert_eq!(world.publish().unwrap().published, None, "not cleared yet");
    world.clear_all();
    let published = world.published();
    assert_eq!((published.serial, published.documents, published.size), (2, 2, 3));
    world.verify();
    let records = records(&world, 2);
    assert_eq!(numbered(&records), [(2, "plan.pdf"), (7, "About four")]);
    assert_eq!(records[0].occurrences.len(), 3);
    assert!(!records[0].reason.is_empty() && records[1].reason.is_empty());
    let raw = records[0].file(&FileRole::Raw).unwrap();
    assert_eq!((raw.release, world.archive().bytes(raw).unwrap()), (1, b"a plan".to_vec()), "referred to, not written again");
    assert_eq!(records[1].thread, Some(1));
    for (path, bytes) in before.iter().filter(|(path, _)| !path.starts_with("checkpoint")) {
        assert_eq!(world.files().get(path), Some(bytes), "{path}");
    }
}

#[test]
fn fifty_thousand_recipients_fit_into_a_file_of_their_own() {
    let world = World::new();
    world.ingest(|trove| {
        let person = |n| Person { role: Role::To, name: String::new(), address: format!("{n}@example.org") };
        let facts = MessageFacts { subject: "All".into(), people: (0..50_000).map(person).collect(), ..MessageFacts::default() };
        trove.put(Kind::Message, b"To: all", |new| NewDocument { message: Some(&facts), ..new });
    });
    world.clear_all();
    world.published();
    world.verify();
    assert_eq!(records(&world, 1)[6].people.len(), 50_000);
}

#[test]
fn another_collection_in_the_same_archive_refers_to_the_bytes_that_are_there() {
    let world = World::new();
    world.published();
    let (mut desk, nobody) = (world.desk(), Reader { program: "/nonexistent".into(), args: Vec::new() });
    let press = desk.create_collection("press").unwrap();
    let lease = desk.take_ingest_lease().unwrap();
    let mut trove = Trove { writer: desk.writer(&lease).unwrap(), collection: press.id };
    trove.file(b"a plan");
    trove.file(b"a leaflet");
    trove.writer.commit().unwrap();
    drop(trove);
    clear(&mut desk, &nobody, "press", Selection::All, "Ada", NOW).unwrap();
    let editors = [world.key("ada.key")];
    let published = world.publish_with(&editors, |job| Job { collection: "press", title: None, ..job }).unwrap().published.unwrap();
    assert_eq!((published.serial, published.documents, published.bytes), (2, 2, "a leaflet".len() as u64));
    world.verify();
    let records = records(&world, 2);
    let mut releases: Vec<u64> = records.iter().map(|record| record.files[0].release).collect();
    releases.sort_unstable();
    assert_eq!(releases, [1, 2]);
    assert!(
        records.iter().all(|record| record.title.is_empty() && record.occurrences.is_empty()),
        "the letter it came with is in another collection"
    );
    assert_eq!(world.archive().collection("press").unwrap().unwrap().title, "press");
}
