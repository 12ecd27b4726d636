use super::crashes::{copy_of, killed_in};
use super::requests::{keys, of_three};
use super::*;
use crate::request::{Request, RequestError};
use crate::withdraw::{Touched, Withdrawing, ask, enact, touched};
use daylight_archive::archive::Standing;
use daylight_archive::withdraw::Copies;
use std::collections::BTreeSet;

fn withdrawing<'a>(world: &'a World, numbers: &'a BTreeSet<u64>) -> Withdrawing<'a> {
    Withdrawing {
        archive: &world.site,
        collection: COUNCIL,
        numbers,
        only_replaced: false,
        copies: Copies::Erase,
        successor: None,
        reason: "it names a child",
        now: NOW + 100,
    }
}

fn asked(world: &World, numbers: &[u64]) -> Request {
    ask(&withdrawing(world, &numbers.iter().copied().collect())).unwrap()
}

fn signed(world: &World, mut request: Request, names: &[&str]) -> Request {
    keys(world, names).iter().for_each(|key| _ = request.sign(key.signer()).unwrap());
    request
}

fn enacted(world: &World, request: &Request) -> Result<Logged> {
    enact(Some(&mut world.desk()), &world.site, &world.log_key, request, NOW + 200)
}

fn is_withdrawn(world: &World, number: u64) -> bool {
    matches!(world.archive().standing(COUNCIL, number).unwrap(), Some(Standing::Withdrawn(_)))
}

#[test]
fn what_k_editors_withdraw_is_withdrawn_and_not_published_again() {
    let world = of_three();
    world.publish_with(&keys(&world, &["ada", "eve"]), |job| job).unwrap();
    let request = signed(&world, asked(&world, &[2, 3]), &["bob"]);
    assert!(matches!(enacted(&world, &request), Err(Error::Asked(RequestError::TooFew { .. }))));
    let words = request.words().unwrap();
    assert!(words.lines.iter().any(|(_, value)| value == "council/3, published in release 1"), "{words:?}");
    let request = signed(&world, request, &["ada"]);
    let logged = enacted(&world, &request).unwrap();
    assert_eq!((logged.serial, logged.already), (1, false));
    assert!(enacted(&world, &request).unwrap().already);
    world.verify();
    assert!(is_withdrawn(&world, 2) && is_withdrawn(&world, 3) && !is_withdrawn(&world, 1));
    assert_eq!(world.publish_with(&keys(&world, &["ada", "eve"]), |job| job).unwrap().published, None);
    let counts = world.desk().counts().unwrap().collections.remove(0);
    assert_eq!(counts.withdrawn, 2);

    // The plan is known to be withdrawn; the same bytes in another collection are written anew, for copies may have erased them.
    let (mut desk, nobody) = (world.desk(), Reader { program: "/nonexistent".into(), args: Vec::new() });
    let press = desk.create_collection("press").unwrap();
    let lease = desk.take_ingest_lease().unwrap();
    let mut trove = Trove { writer: desk.writer(&lease).unwrap(), collection: press.id };
    trove.file(b"a plan");
    trove.writer.commit().unwrap();
    drop(trove);
    drop(lease);
    clear(&mut desk, &nobody, "press", Selection::All, "Ada", NOW).unwrap();
    drop(desk);
    let published = world.publish_with(&keys(&world, &["ada", "eve"]), |job| Job { collection: "press", title: None, ..job }).unwrap();
    assert_eq!(published.published.unwrap().bytes, 6);
    world.verify();
}

#[test]
fn a_correction_takes_the_place_of_what_was_withdrawn_and_the_rest_can_go_too() {
    let world = World::new();
    world.published();
    let (mut desk, nobody) = (world.desk(), Reader { program: "/nonexistent".into(), args: Vec::new() });
    let correction = |number| daylight_review::Correction {
        collection: COUNCIL,
        number,
        origin: None,
        editor: "Ada",
        reason: "the date was wrong",
        now: NOW + 300,
    };
    daylight_review::correct(&mut desk, &nobody, &correction(1)).unwrap();
    drop(desk);
    assert_eq!(world.published().documents, 1);
    let archive = world.archive();
    assert_eq!(archive.history(COUNCIL, 1).unwrap(), [(1, 0), (2, 0)]);
    assert_eq!(archive.record(2, 0).unwrap().record.reason, "the date was wrong");

    let numbers = [1].into();
    let what = Withdrawing { only_replaced: true, ..withdrawing(&world, &numbers) };
    enacted(&world, &signed(&world, ask(&what).unwrap(), &["ada"])).unwrap();
    world.verify();
    let archive = world.archive();
    assert_eq!(archive.find(COUNCIL, 1).unwrap(), Some((2, 0)));
    assert!(archive.withdrawn_line(1, 0).is_some());
    assert_eq!(world.desk().counts().unwrap().collections.remove(0).withdrawn, 0, "the document itself stays");
    assert!(ask(&what).unwrap_err().to_string().contains("no earlier rendition"));
    let unknown = [77].into();
    assert!(ask(&Withdrawing { numbers: &unknown, ..what.clone() }).unwrap_err().to_string().contains("council/77 was never published"));
    let successor = Withdrawing { successor: Some((COUNCIL.into(), 77)), only_replaced: false, ..what };
    assert!(ask(&successor).unwrap_err().to_string().contains("cannot be the successor"));
}

#[test]
fn what_else_has_to_do_with_a_document_is_told() {
    let world = World::new();
    world.published();
    let touched = |number| touched(&world.site, COUNCIL, &[number].into()).unwrap();
    assert_eq!(touched(2), Touched { holders: [1, 3].into(), ..Touched::default() }, "a plan that came with two letters");
    assert_eq!(
        touched(5),
        Touched { holders: [4].into(), parts: [6].into(), ..Touched::default() },
        "a zip in a letter, with a file in it"
    );
}

#[test]
fn a_request_that_lies_about_a_line_or_comes_too_late_is_refused() {
    let world = World::new();
    world.published();
    let request = asked(&world, &[2]);
    let lying = request.text().replace("document 2\n", "document 3\n");
    let lying = signed(&world, Request::other(world.archive().chain(), &lying).unwrap(), &["ada"]);
    assert!(enacted(&world, &lying).unwrap_err().to_string().contains("is not what the withdrawal says of it"));
    assert!(!is_withdrawn(&world, 2) && !is_withdrawn(&world, 3));
    assert!(Request::other(world.archive().chain(), &request.text().replace("copies erase", "copies burn")).is_err());
    let beat = signed(&world, ask_heartbeat(&world.site, NOW).unwrap(), &["ada"]);
    log_heartbeat(&world.site, &world.log_key, &beat).unwrap();
    let late = signed(&world, request, &["ada"]);
    assert!(matches!(enacted(&world, &late), Err(Error::MovedOn { .. })));
    let stranger = world.path("stranger.key");
    SigningKeyFile::create(&stranger, "daylight-stranger", None).unwrap();
    assert!(enact(None, &world.site, &stranger, &signed(&world, asked(&world, &[2]), &["ada"]), NOW).is_err());
}

#[test]
fn a_heartbeat_needs_one_editor_and_is_the_last_sign_of_life() {
    let world = of_three();
    let beat = signed(&world, ask_heartbeat(&world.site, NOW + 77).unwrap(), &["eve"]);
    assert!(!log_heartbeat(&world.site, &world.log_key, &beat).unwrap().already);
    assert!(log_heartbeat(&world.site, &world.log_key, &beat).unwrap().already);
    world.verify();
    let sign = world.archive().last_sign_of_life().unwrap();
    assert_eq!((sign.word, sign.time), ("heartbeat", NOW as i64 + 77));
    assert!(log_heartbeat(&world.site, &world.log_key, &asked(&world, &[1])).is_err(), "another kind");
}

/// Played by this test binary, started again by the test below; on its own it passes.
#[test]
fn a_withdrawal_in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os("DAYLIGHT_TEST_WORLD") else { return };
    let world = World::at(folder.as_ref());
    enacted(&world, &read_request(&world.path("withdraw.request")).unwrap()).unwrap();
}

#[test]
fn a_withdrawal_killed_anywhere_ends_the_same_bytes() {
    const TEST: &str = "tests::withdrawals::a_withdrawal_in_a_process_of_its_own";
    let world = World::new();
    world.published();
    write_request(&world.path("withdraw.request"), &mut signed(&world, asked(&world, &[1, 2]), &["ada"])).unwrap();
    let undisturbed = copy_of(&world);
    let log = undisturbed.path("way");
    assert!(!killed_in(TEST, &undisturbed, "nowhere", Some(&log)));
    undisturbed.verify();
    let expected = undisturbed.files();
    let way: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    for point in ["desk-told", "entry-note", "tile", "tiles", "signed", "pending", "renamed", "checkpoint"] {
        assert!(way.contains(&format!("publish.{point}")), "{point} in {way:?}");
    }
    for (at, point) in way.iter().enumerate() {
        let time = way[..=at].iter().filter(|earlier| *earlier == point).count();
        let world = copy_of(&world);
        assert!(killed_in(TEST, &world, &format!("{point}:{time}"), None), "{point}");
        // Whatever comes next finds an archive that is whole, or has files more that no log names.
        assert_eq!(world.publish().unwrap().published, None, "{point}:{time}: what is about to be withdrawn is not published again");
        enacted(&world, &read_request(&world.path("withdraw.request")).unwrap()).unwrap_or_else(|error| panic!("{point}:{time}: {error}"));
        assert_eq!(world.files(), expected, "{point}:{time}");
        assert!(enacted(&world, &read_request(&world.path("withdraw.request")).unwrap()).unwrap().already);
    }
}
