//! Publishing to an archive whose root asks for three of four witnesses. The witnesses are those of the `mirror` crate, with no network between.

use super::*;
use crate::{request, roots};
use daylight_archive::entry::Entry;
use daylight_archive::key::Signer;
use daylight_archive::log::{Builder, LogAppender, empty_root, leaf_hash};
use daylight_archive::note::Note;
use daylight_archive::policy::{Policy, Witness};
use daylight_archive::root::{Quorum, Root};
use daylight_archive::witness::AddCheckpoint;
use daylight_archive::witness::{Answer, Submission};
use daylight_archive::{Checkpoint, paths};
use daylight_mirror::witness::{Refusal, State};
use std::process::Command;

const ORIGIN: &str = "archive.example/test";

/// What a witness does when it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Honest,
    Gone,
    /// It says that it has seen a larger checkpoint, and shows nothing.
    SaysMore,
    /// It does so, and shows one that it made itself.
    ShowsForged,
    /// It says that the checkpoint contradicts what it knows, and shows what it cosigned last, which does not.
    SaysFork,
}

/// Four witnesses with their folders in the world's.
struct Four {
    folder: PathBuf,
    moods: [Mood; 4],
}

fn witness_key(i: usize) -> Signer {
    Signer::new(&format!("w{i}.example"), ed25519_dalek::SigningKey::from_bytes(&[100 + i as u8; 32])).unwrap()
}

impl Four {
    fn place(witness: &Witness) -> usize {
        (1..=4).find(|i| witness_key(*i).cosigner_key() == witness.key).unwrap()
    }

    fn state(&self, i: usize) -> State {
        State::open(&self.folder.join(format!("w{i}"))).unwrap()
    }

    /// The size that a witness cosigned last, 0 for none.
    fn size(&self, i: usize) -> u64 {
        self.state(i).logs().unwrap()[0].last.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size)
    }

    fn sizes(&self) -> [u64; 4] {
        [1, 2, 3, 4].map(|i| self.size(i))
    }

    fn with(&self, moods: [Mood; 4]) -> Self {
        Self { folder: self.folder.clone(), moods }
    }
}

impl Witnesses for Four {
    fn submit(&self, witness: &Witness, what: &Submission<'_>) -> Answer {
        let i = Self::place(witness);
        match self.moods[i - 1] {
            Mood::Honest => {}
            Mood::Gone => return Answer::Failed("nobody answers".into()),
            Mood::SaysMore | Mood::ShowsForged => return Answer::Larger(1000),
            Mood::SaysFork => return Answer::Inconsistent,
        }
        let mut old = what.old;
        for _ in 0..3 {
            let request = AddCheckpoint { old, proof: (what.prove)(old).unwrap(), checkpoint: what.note.clone() };
            match self.state(i).add_checkpoint(&request.to_bytes(), &witness_key(i), NOW) {
                Ok(cosigned) => return Answer::Cosigned(cosigned.signature),
                Err(Refusal::Conflict(size)) if size > what.checkpoint.size => return Answer::Larger(size),
                Err(Refusal::Conflict(size)) => old = size,
                Err(Refusal::Inconsistent) => return Answer::Inconsistent,
                Err(other) => return Answer::Failed(other.to_string()),
            }
        }
        Answer::Failed("it turns in a circle".into())
    }

    fn shown(&self, witness: &Witness, origin: &str) -> Option<Vec<u8>> {
        let i = Self::place(witness);
        match self.moods[i - 1] {
            Mood::Gone | Mood::SaysMore => None,
            Mood::ShowsForged => {
                let checkpoint = Checkpoint { origin: origin.into(), size: 1000, root: Digest::of(b"made up") };
                let thief = Signer::new(origin, ed25519_dalek::SigningKey::from_bytes(&[7; 32])).unwrap();
                Some(checkpoint.sign(&thief).unwrap().to_bytes())
            }
            Mood::Honest | Mood::SaysFork => Some(self.state(i).logs().unwrap().first()?.last.as_ref()?.1.to_bytes()),
        }
    }
}

fn policy(end: &str) -> Policy {
    let lines: String = (1..=4).map(|i| format!("witness w{i} {} http://w{i}.example/\n", witness_key(i).cosigner_key())).collect();
    Policy::parse(&format!("{lines}{end}")).unwrap()
}

/// A desk with cleared documents, and an archive whose root asks for three of four witnesses, who have seen it with nothing in it.
fn witnessed_world() -> (World, Four) {
    let world = World::new();
    let four = begin(&world, &policy("group g 3 w1 w2 w3 w4\nquorum g\n"));
    (world, four)
}

/// Begins the world's archive with a root of this policy, as `root new` will.
fn begin(world: &World, policy: &Policy) -> Four {
    let log = SigningKeyFile::create(&world.log_key, ORIGIN, None).unwrap();
    let root = Root {
        version: 1,
        origin: ORIGIN.into(),
        editors: Quorum { keys: vec![world.key("ada.key").key()], threshold: 1 },
        recovery: Quorum { keys: vec![], threshold: 0 },
        log: log.key(),
        retired: vec![],
        witnesses: policy.clone(),
        mirrors: vec![],
        onions: vec![],
    };
    let json = root.to_json().unwrap();
    let mut sig = root.note().unwrap();
    sig.sign(world.key("ada.key").signer());
    let put = |path: &str, bytes: &[u8]| {
        let path = world.path("archive").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    put(&paths::root_json(1), &json);
    put(&paths::root_sig(1), &sig.to_bytes());
    let mut appender = LogAppender::load(&world.path("archive"), 0, &empty_root()).unwrap();
    appender.push(&Entry::Root { version: 1, json: Digest::of(&json) }.to_json().unwrap()).unwrap();
    let appended = appender.finish();
    appended.files.iter().for_each(|(path, bytes)| put(path, bytes));
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size: 1, root: appended.root };
    let mut note = checkpoint.sign(log.signer()).unwrap();
    fs::write(world.path("desk/log.key.signed"), note.to_bytes()).unwrap();
    for i in 1..=4 {
        let state = State::open_or_create(&world.path(&format!("w{i}"))).unwrap();
        state.pin_root(&world.path("archive/root/1.json"), false).unwrap();
        note.add_signature(state.cosign_seen(&note, &witness_key(i), NOW, &|_| None).unwrap().signature);
    }
    put(paths::CHECKPOINT, &note.to_bytes());
    Four { folder: world.folder.clone(), moods: [Mood::Honest; 4] }
}

fn publish_asking(world: &World, four: &Four, without: &[String], recovered: bool) -> Result<Outcome> {
    let editors = [world.key("ada.key")];
    let asker = std::sync::Arc::new(four.with(four.moods));
    let witnessing = Witnessing { asker, without: without.to_vec(), recovered };
    world.publish_with(&editors, |job| Job { witnessing: Some(&witnessing), ..job })
}

fn names(world: &World) -> Vec<String> {
    let note = Note::parse(&fs::read(world.path("archive/checkpoint")).unwrap()).unwrap();
    note.signatures().iter().map(|signature| signature.name.clone()).collect()
}

fn more(world: &World, n: i64) {
    world.ingest(|trove| _ = trove.message(n, &format!("more-{n}"), &["one"]));
    world.clear_all();
}

use Mood::{Gone, Honest, SaysFork, SaysMore, ShowsForged};

#[test]
fn a_release_is_shown_with_the_lines_of_its_witnesses_in_the_order_of_the_policy() {
    let (world, four) = witnessed_world();
    let outcome = publish_asking(&world, &four, &[], false).unwrap();
    assert_eq!((outcome.published.unwrap().size, outcome.warnings), (2, vec![]));
    assert_eq!(names(&world), [ORIGIN, "w1.example", "w2.example", "w3.example", "w4.example"]);
    world.verify();
    // One who is away is told of, and learns of both releases at once when it is back.
    more(&world, 40);
    let outcome = publish_asking(&world, &four.with([Honest, Gone, Honest, Honest]), &[], false).unwrap();
    let (warnings, w2) = (outcome.warnings.join("\n"), "witness w2.example: nobody answers");
    assert!(warnings.contains(w2), "{warnings}");
    assert_eq!(names(&world), [ORIGIN, "w1.example", "w3.example", "w4.example"]);
    assert_eq!(four.sizes(), [3, 2, 3, 3]);
    world.verify();
    more(&world, 41);
    publish_asking(&world, &four, &[], false).unwrap();
    assert_eq!((four.sizes(), names(&world).len()), ([4; 4], 5));
}

#[test]
fn a_release_with_too_few_witnesses_waits_and_the_next_publish_asks_about_those_very_bytes() {
    let (world, four) = witnessed_world();
    // Enough answer to know that nothing newer was signed, too few for a quorum.
    let error = publish_asking(&world, &four.with([Honest, Honest, Gone, Gone]), &[], false).unwrap_err();
    let Error::Waiting { size: 2, needed, have, why, .. } = &error else { panic!("{error}") };
    assert_eq!((needed.as_str(), have.as_str()), ("3 of 4", "w1.example, w2.example"));
    assert!(why.contains("w3.example: nobody answers"), "{why}");
    let pending = fs::read(world.path("archive/checkpoint.pending")).unwrap();
    assert_eq!(world.archive().head(), 1, "readers do not see it");
    let report = verify(&world.path("archive"), None, &mut |_| {});
    assert!(report.ok() && report.pending == Some(2) && report.shown == 1, "{}", report.verdict());
    // The others come, and the first two are gone: what they said before still counts.
    let outcome = publish_asking(&world, &four.with([Gone, Gone, Honest, Gone]), &[], false).unwrap();
    assert!(outcome.published.is_some_and(|published| published.resumed));
    let shown = fs::read(world.path("archive/checkpoint")).unwrap();
    assert!(shown.starts_with(&pending), "the same bytes, and a line more");
    assert_eq!(names(&world), [ORIGIN, "w1.example", "w2.example", "w3.example"]);
    assert!(!world.path("archive/checkpoint.pending").exists());
    world.verify();
}

#[test]
fn nothing_is_signed_where_those_who_answer_do_not_tell_of_everything_that_readers_may_have_seen() {
    let (world, four) = witnessed_world();
    let before = (world.files(), fs::read(world.path("desk/log.key.signed")).unwrap());
    for moods in [[Gone; 4], [Honest, Gone, Gone, Gone]] {
        let error = publish_asking(&world, &four.with(moods), &[], false).unwrap_err();
        assert!(matches!(error, Error::TooFewAnswered { .. }), "{error}");
    }
    let error = world.publish().unwrap_err();
    assert!(matches!(error, Error::NobodyAsks(_)), "{error}");
    assert!(before == (world.files(), fs::read(world.path("desk/log.key.signed")).unwrap()));
}

#[test]
fn a_witness_that_lies_stops_a_publish_until_its_word_is_set_aside() {
    for (lie, place) in [(SaysMore, 0), (ShowsForged, 1), (SaysFork, 3)] {
        let (world, four) = witnessed_world();
        let mut moods = [Honest; 4];
        moods[place] = lie;
        let four = four.with(moods);
        let signed = fs::read(world.path("desk/log.key.signed")).unwrap();
        let error = publish_asking(&world, &four, &[], false).unwrap_err();
        let liar = format!("w{}.example", place + 1);
        assert!(matches!(&error, Error::SaysMore { witness, .. } if *witness == liar), "{error}");
        assert!(error.to_string().contains(&format!("--without-witness {liar}")), "{error}");
        assert!(fs::read(world.path("desk/log.key.signed")).unwrap() == signed, "nothing was signed");
        let unknown = publish_asking(&world, &four, &["w9".into()], false).unwrap_err();
        assert!(matches!(unknown, Error::NoSuchWitness { .. }), "{unknown}");
        // By either of its names; three are left, which is enough.
        let outcome = publish_asking(&world, &four, &[format!("w{}", place + 1)], false).unwrap();
        assert!(outcome.warnings.join("\n").contains("its word was not asked for"));
        assert!(!names(&world).contains(&liar));
        world.verify();
        // With one gone besides, three are no longer to be had.
        more(&world, 40);
        let gone = (place + 1) % 4;
        moods[gone] = Gone;
        let error = publish_asking(&world, &four.with(moods), &[liar], false).unwrap_err();
        assert!(matches!(error, Error::Waiting { .. }), "{error}");
    }
}

/// What a backup has: desk and archive.
fn back_up(world: &World) -> World {
    let other = World::empty();
    for folder in ["desk", "archive"] {
        assert!(Command::new("cp").arg("-r").arg(world.path(folder)).arg(other.path(folder)).status().unwrap().success());
    }
    fs::copy(world.path("ada.key"), other.path("ada.key")).unwrap();
    other
}

#[test]
fn a_restored_backup_signs_nothing_and_goes_on_from_the_newest_copy() {
    let (world, four) = witnessed_world();
    publish_asking(&world, &four, &[], false).unwrap();
    let restored = back_up(&world);
    more(&world, 40);
    publish_asking(&world, &four, &[], false).unwrap();
    let newest = world.archive().head();

    // The old state and another release: witnesses show what the log's key signed since. No flag helps against that.
    more(&restored, 50);
    let signed = fs::read(restored.path("desk/log.key.signed")).unwrap();
    let four_of = |moods| Four { folder: world.folder.clone(), moods };
    for (moods, without) in
        [([Honest; 4], vec![]), ([Gone, Gone, Gone, Honest], vec![]), ([Honest; 4], ["w1", "w2", "w3", "w4"].map(String::from).to_vec())]
    {
        for recovered in [false, true] {
            let error = publish_asking(&restored, &four_of(moods), &without, recovered).unwrap_err();
            assert!(matches!(error, Error::SeenMore { .. }), "{error}");
            assert!(error.to_string().contains("--recovered"), "{error}");
        }
    }
    assert!(fs::read(restored.path("desk/log.key.signed")).unwrap() == signed, "nothing was signed");

    // The newest copy of the archive is brought back. That it has more than the desk knows must be said to be meant.
    fs::remove_dir_all(restored.path("archive")).unwrap();
    assert!(Command::new("cp").arg("-r").arg(world.path("archive")).arg(restored.path("archive")).status().unwrap().success());
    let error = publish_asking(&restored, &four_of([Honest; 4]), &[], false).unwrap_err();
    assert!(matches!(error, Error::Ahead { .. }), "{error}");
    let error = publish_asking(&restored, &four_of([Honest, Gone, Gone, Gone]), &[], true).unwrap_err();
    assert!(matches!(error, Error::TooFewAnswered { .. }), "{error}");
    let published = publish_asking(&restored, &four_of([Honest; 4]), &[], true).unwrap().published.unwrap();
    assert_eq!(published.size, newest + 1);
    restored.verify();
    assert_eq!(four_of([Honest; 4]).sizes(), [newest + 1; 4]);
    // And the desk that was left behind is now the one that does not know.
    more(&world, 60);
    assert!(matches!(publish_asking(&world, &four, &[], false), Err(Error::SeenMore { .. })));
}

#[test]
fn an_archive_that_another_log_of_the_key_continues_is_not_adopted() {
    let (world, four) = witnessed_world();
    publish_asking(&world, &four, &[], false).unwrap();
    let other = back_up(&world);
    more(&other, 50);
    more(&world, 40);
    // Whoever has the key, and lying witnesses, could make a fork; the desk that signed the other branch does not go on with it.
    let log = SigningKeyFile::read(&world.log_key, &mut |_| None).unwrap();
    let fork = |size: u64| {
        let mut tree = Builder::new();
        (0..size).for_each(|i| tree.push(leaf_hash(format!("made up {i}").as_bytes())));
        Checkpoint { origin: ORIGIN.into(), size, root: tree.root() }.sign(log.signer()).unwrap()
    };
    let mut note = fork(2);
    (1..=3).for_each(|i| note.cosign(&witness_key(i), NOW));
    fs::write(world.path("archive/checkpoint"), note.to_bytes()).unwrap();
    assert!(publish_asking(&world, &four, &[], true).is_err());
}

#[test]
fn witnesses_that_need_not_cosign_are_asked_and_do_not_hold_anything_up() {
    let world = World::new();
    let four = begin(&world, &policy("quorum none\n"));
    publish_asking(&world, &four.with([Gone, Honest, Gone, Gone]), &[], false).unwrap();
    assert_eq!(names(&world), [ORIGIN, "w2.example"]);
    more(&world, 40);
    world.publish().unwrap();
    assert_eq!(names(&world), [ORIGIN]);
    world.verify();
}

/// An archive whose first root is proposed and enacted as editors do, with witnesses that were not told of it yet.
fn enacted(world: &World, four: &Four, changes: roots::Changes) -> Result<roots::Enacted> {
    let proposal = roots::Proposal { archive: &world.site, log_key: &world.log_key, changes };
    let new = !world.path("archive/root/1.json").exists();
    let mut request = if new { roots::begin(&proposal, Some(ORIGIN))? } else { roots::change(&proposal)? };
    assert!(request.sign(world.key("ada.key").signer()).unwrap());
    put_in_force(world, four, &request)
}

fn put_in_force(world: &World, four: &Four, request: &request::Request) -> Result<roots::Enacted> {
    let asker = std::sync::Arc::new(four.with(four.moods));
    let witnessing = Witnessing { asker, without: Vec::new(), recovered: false };
    roots::enact(&world.site, &world.log_key, request, Some(&witnessing))
}

fn tell(world: &World, root: &str) {
    for i in 1..=4 {
        let state = State::open_or_create(&world.path(&format!("w{i}"))).unwrap();
        state.pin_root(&world.path("archive/root").join(root), false).unwrap();
    }
}

#[test]
fn witnesses_are_told_of_an_archive_by_its_root_and_of_another_log_key_by_the_next() {
    let world = World::new();
    (1..=4).for_each(|i| _ = State::open_or_create(&world.path(&format!("w{i}"))).unwrap());
    let four = Four { folder: world.folder.clone(), moods: [Honest; 4] };
    let policy = policy("group g 3 w1 w2 w3 w4\nquorum g\n");
    let changes = roots::Changes { editors: Some(vec![world.key("ada.key").key()]), witnesses: Some(policy.clone()), ..Default::default() };
    let proposal = roots::Proposal { archive: &world.site, log_key: &world.log_key, changes: changes.clone() };
    let mut request = roots::begin(&proposal, Some(ORIGIN)).unwrap();
    request.sign(world.key("ada.key").signer()).unwrap();
    assert!(matches!(roots::enact(&world.site, &world.log_key, &request, None), Err(Error::NobodyAsks(_))));
    assert!(!world.path("desk/log.key.signed").exists(), "nothing was signed");
    let error = put_in_force(&world, &four, &request).unwrap_err();
    assert!(matches!(error, Error::Waiting { size: 1, .. }), "{error}");
    assert!(!world.path("archive/checkpoint").exists());
    tell(&world, "1.json");
    assert!(put_in_force(&world, &four, &request).unwrap().already);
    assert_eq!(names(&world).len(), 5);
    publish_asking(&world, &four, &[], false).unwrap();
    world.verify();

    // A new key of the log, and one of two witnesses: who knows the old key alone does not cosign, until the next root was shown.
    let two = roots::Changes { witnesses: Some(self::policy("group g any w1 w2\nquorum g\n")), change_log_key: true, ..Default::default() };
    let error = enacted(&world, &four, two).unwrap_err();
    assert!(matches!(&error, Error::Waiting { size: 3, .. }), "{error}");
    tell(&world, "2.json");
    let outcome = publish_asking(&world, &four, &[], false).unwrap();
    assert_eq!((outcome.published, world.archive().root().version), (None, 2));
    more(&world, 40);
    publish_asking(&world, &four.with([Honest, Gone, Gone, Gone]), &[], false).unwrap_err();
    publish_asking(&world, &four.with([Honest, Honest, Gone, Gone]), &[], false).unwrap();
    world.verify();
    assert_eq!(four.sizes(), [4, 4, 3, 3]);
}

#[test]
fn a_desk_from_before_the_first_release_does_not_begin_the_same_log_again() {
    let world = World::new();
    (1..=4).for_each(|i| _ = State::open_or_create(&world.path(&format!("w{i}"))).unwrap());
    let four = Four { folder: world.folder.clone(), moods: [Honest; 4] };
    let policy = policy("group g 3 w1 w2 w3 w4\nquorum g\n");
    let changes = |title: &str| roots::Changes {
        editors: Some(vec![world.key("ada.key").key()]),
        witnesses: Some(policy.clone()),
        add_mirrors: vec![format!("https://{title}.example/")],
        ..Default::default()
    };
    let proposal = roots::Proposal { archive: &world.site, log_key: &world.log_key, changes: changes("one") };
    roots::begin(&proposal, Some(ORIGIN)).unwrap();
    let before = fs::read(&world.log_key).unwrap();
    enacted(&world, &four, changes("one")).unwrap_err();
    tell(&world, "1.json");
    publish_asking(&world, &four, &[], false).unwrap();

    let restored = World::new();
    fs::copy(world.path("ada.key"), restored.path("ada.key")).unwrap();
    fs::write(&restored.log_key, before).unwrap();
    fs::set_permissions(&restored.log_key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let error = enacted(&restored, &four, changes("two")).unwrap_err();
    assert!(matches!(&error, Error::SeenMore { .. }), "{error}");
    assert!(!restored.path("desk/log.key.signed").exists(), "nothing was signed");
}

/// Played by this test binary, started again by the test below with a world to publish in; on its own it passes.
#[test]
fn a_witnessed_publish_in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os("DAYLIGHT_TEST_WITNESSED") else { return };
    let world = World::at(folder.as_ref());
    let four = Four { folder: world.folder.clone(), moods: [Honest; 4] };
    publish_asking(&world, &four, &[], false).unwrap();
}

/// Publishes in a process of its own that aborts at a point, and says whether it did.
fn killed(world: &World, at: &str, log: Option<&Path>) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "tests::witnesses::a_witnessed_publish_in_a_process_of_its_own"]);
    child.env("DAYLIGHT_TEST_WITNESSED", &world.folder).env("DAYLIGHT_CRASH_AT", at);
    log.map(|log| child.env("DAYLIGHT_CRASH_LOG", log));
    !child.output().unwrap().status.success()
}

fn copy_of(world: &World) -> World {
    let other = World::empty();
    fs::remove_dir_all(&other.folder).unwrap();
    assert!(Command::new("cp").arg("-r").arg(&world.folder).arg(&other.folder).status().unwrap().success());
    other
}

#[test]
fn a_publish_killed_anywhere_around_its_witnesses_ends_the_same_archive() {
    let (world, _) = witnessed_world();
    assert!(killed(&world, "review.drafted", None), "the draft is fixed, and nothing else");
    let undisturbed = copy_of(&world);
    let log = undisturbed.path("way");
    assert!(!killed(&undisturbed, "nowhere", Some(&log)));
    undisturbed.verify();
    // Cosignatures have a time, which is the same in this test.
    let expected = undisturbed.files();
    let way = fs::read_to_string(&log).unwrap();
    let around =
        ["publish.tiles", "publish.signed", "publish.pending", "witness.stored", "publish.asked", "publish.cosigned", "publish.renamed"];
    assert!(around.iter().all(|point| way.lines().any(|line| line == *point)), "{way}");
    for point in around {
        for time in 1..=way.lines().filter(|line| *line == point).count() {
            let world = copy_of(&world);
            assert!(killed(&world, &format!("{point}:{time}"), None), "{point}");
            assert!(!killed(&world, "nowhere", None), "{point}:{time}");
            world.verify();
            let files = world.files();
            let other: Vec<&String> = expected.keys().chain(files.keys()).filter(|path| expected.get(*path) != files.get(*path)).collect();
            assert!(other.is_empty(), "{point}:{time}: {other:?} differ");
            let four = Four { folder: world.folder.clone(), moods: [Honest; 4] };
            assert_eq!(four.sizes(), [2; 4], "{point}:{time}");
        }
    }
}
