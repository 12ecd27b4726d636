use super::*;
use std::process::Command;

/// Played by this test binary, started again by the tests below with a world to publish in; on its own it passes.
#[test]
fn a_publish_in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os("DAYLIGHT_TEST_WORLD") else { return };
    World::at(folder.as_ref()).publish().unwrap();
}

/// Publishes in a process of its own that aborts at a point, and says whether it did.
fn killed(world: &World, at: &str, log: Option<&Path>) -> bool {
    killed_in("tests::crashes::a_publish_in_a_process_of_its_own", world, at, log)
}

/// Runs one of the tests that do their work only in a process of its own.
pub(super) fn killed_in(test: &str, world: &World, at: &str, log: Option<&Path>) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]);
    child.env("DAYLIGHT_TEST_WORLD", &world.folder).env("DAYLIGHT_CRASH_AT", at);
    log.map(|log| child.env("DAYLIGHT_CRASH_LOG", log));
    !child.output().unwrap().status.success()
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    for folder in ["desk/blob/tmp", "desk/index"] {
        fs::create_dir_all(to.join(folder)).unwrap();
    }
}

pub(super) fn copy_of(world: &World) -> World {
    let other = World::empty();
    copy(&world.folder, &other.folder);
    other
}

/// Kills the next publish of `world` at every place between two durable steps, each on a copy with the same draft, finishes it, and compares the
/// archive with that of an undisturbed publish.
fn kill_everywhere(world: &World, serial: u64) {
    assert!(killed(world, "review.drafted", None), "the draft is fixed, and nothing else");
    let undisturbed = copy_of(world);
    let log = undisturbed.path("way");
    assert!(!killed(&undisturbed, "nowhere", Some(&log)));
    undisturbed.verify();
    let expected = undisturbed.files();
    let mut way: BTreeMap<String, u64> = BTreeMap::new();
    for point in fs::read_to_string(&log).unwrap().lines() {
        *way.entry(point.to_owned()).or_default() += 1;
    }
    let named = ["volume", "manifest", "tree", "note", "tile", "tiles", "signed", "pending", "renamed", "checkpoint", "finished"];
    assert!(named.iter().all(|point| way.contains_key(&format!("publish.{point}"))), "{way:?}");
    for (point, times) in way {
        for time in 1..=times {
            let world = copy_of(world);
            assert!(killed(&world, &format!("{point}:{time}"), None), "{point}");
            let before = verify(&world.path("archive"), None, &mut |_| {});
            let outcome = world.publish().unwrap_or_else(|error| panic!("{point}:{time}: {error}"));
            assert!(outcome.published.is_none_or(|published| published.serial == serial && published.resumed), "{point}:{time}");
            let files = world.files();
            let other: Vec<&String> = expected.keys().chain(files.keys()).filter(|path| expected.get(*path) != files.get(*path)).collect();
            assert!(other.is_empty(), "{point}:{time}: {other:?} differ; before: {}", before.verdict());
            assert_eq!(world.publish().unwrap().published, None, "{point}:{time}");
        }
    }
}

#[test]
fn a_first_publish_killed_anywhere_ends_the_same_bytes() {
    kill_everywhere(&World::new(), 1);
}

#[test]
fn a_second_publish_killed_anywhere_ends_the_same_bytes() {
    let world = World::new();
    world.published();
    world.ingest(|trove| _ = trove.message(40, "more", &["one"]));
    world.clear_all();
    kill_everywhere(&world, 2);
}

#[test]
fn a_draft_of_what_was_held_meanwhile_is_given_up_unless_it_was_signed() {
    let hold = |world: &World| {
        let mut desk = world.desk();
        let seq = desk.resolve(&DocumentId::of(Kind::File, &Digest::of(b"a plan"), "").to_string()).unwrap();
        daylight_review::hold(&mut desk, COUNCIL, &[seq], "Ada", "a name in it", NOW).unwrap();
    };
    let world = World::new();
    assert!(killed(&world, "publish.note", None));
    hold(&world);
    let outcome = world.publish().unwrap();
    // The plan's letters go with it; the third letter, its zip and what is in that remain.
    assert_eq!((outcome.published.unwrap().documents, outcome.withheld.len()), (3, 2));
    world.verify();

    let world = World::new();
    assert!(killed(&world, "publish.signed", None));
    hold(&world);
    assert_eq!(world.published().documents, 6, "what the log's key has signed is finished");
    world.verify();
}

#[test]
fn an_interrupted_release_of_another_collection_comes_first() {
    let world = World::new();
    assert!(killed(&world, "publish.volume", None));
    let mut desk = world.desk();
    desk.create_collection("press").unwrap();
    let editors = [world.key("ada.key")];
    let error = world.publish_with(&editors, |job| Job { collection: "press", ..job }).unwrap_err().to_string();
    assert!(error.contains("`council`") && error.contains("interrupted"), "{error}");
}

/// Forgets the message with this title, in the catalogue and in the desk's files.
fn forget(world: &World, title: &str) {
    let mut desk = world.desk();
    let lease = desk.take_ingest_lease().unwrap();
    let seq = (0..100).find(|seq| desk.document(*seq).is_ok_and(|document| document.title == title)).unwrap();
    let plan = desk.plan_forgetting(&[seq]).unwrap();
    let alone = desk.alone(&lease).unwrap();
    desk.forget(&alone, &plan, &daylight_store::Order { editor: "Lovelace", why: "a court", time: NOW }).unwrap();
    desk.sweep(&alone).unwrap();
    desk.settle(&alone).unwrap();
}

fn holds(world: &World, words: &str) -> bool {
    world.files().values().any(|bytes| memchr::memmem::find(bytes, words.as_bytes()).is_some())
}

#[test]
fn a_release_that_the_log_has_signed_and_not_given_out_can_be_forgotten_from() {
    for earlier in [false, true] {
        let begun = World::new();
        if earlier {
            begun.published();
            begun.ingest(|trove| {
                trove.message(5, "four", &["one"]);
            });
            begun.clear_all();
        }
        let (serial, title) = if earlier { (2, "four") } else { (1, "two") };
        let words = format!("The words of {title}.");
        for point in ["publish.note", "publish.signed"] {
            let world = copy_of(&begun);
            assert!(killed(&world, point, None));
            assert!(holds(&world, &words));
            forget(&world, &format!("About {title}"));
            // Killed once more where the key was just bound to what the archive has.
            if point == "publish.signed" {
                assert!(killed(&world, "publish.taken-back", None), "{earlier}");
                assert!(!holds(&world, &words));
            }
            let outcome = world.publish().unwrap();
            assert!(
                !holds(&world, &words) && !outcome.warnings.iter().any(|warning| warning.contains("withdrawn")),
                "{point} {:?}",
                outcome.warnings
            );
            if earlier {
                // Of the second release there was nothing else.
                assert_eq!(outcome.published, None);
                world.ingest(|trove| {
                    trove.message(6, "five", &["one"]);
                });
                world.clear_all();
                assert_eq!(world.published().serial, serial);
            } else {
                assert_eq!(outcome.published.unwrap().serial, serial);
            }
            world.verify();
            assert_eq!(world.publish().unwrap().published, None);
        }
        // What was committed is public: that is said, and the archive stays whole.
        let world = copy_of(&begun);
        assert!(killed(&world, "publish.pending", None));
        forget(&world, &format!("About {title}"));
        let outcome = world.publish().unwrap();
        assert!(
            holds(&world, &words) && outcome.warnings.iter().any(|warning| warning.contains("must be withdrawn")),
            "{:?}",
            outcome.warnings
        );
        world.verify();
    }
}
