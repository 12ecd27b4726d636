use super::*;
use daylight_archive::log::empty_root;

#[test]
fn a_log_is_followed_as_it_grows_and_each_answer_is_a_cosignature_of_now() {
    let (told, log) = (Told::new(), Grown::new(700, 700, ""));
    let mut old = 0;
    for size in [0, 0, 1, 2, 255, 256, 256, 257, 700] {
        let cosigned = told.ask(&log.request(old, size)).unwrap();
        assert_eq!(cosigned.checkpoint, log.checkpoint(size));
        let mut note = log.signed(size);
        note.add_signature(cosigned.signature);
        let signed = note.require(&[witness_key().cosigner_key()], 1).unwrap();
        assert_eq!((signed[0].time, told.stored()), (Some(NOW), Some(size)));
        old = size;
    }
}

#[test]
fn whatever_is_wrong_has_its_own_refusal_and_changes_nothing() {
    let (told, log, fork) = (Told::new(), Grown::new(20, 20, ""), Grown::new(20, 8, "another"));
    told.ask(&log.request(0, 10)).unwrap();
    let with = |old: u64, proof: Vec<Digest>, checkpoint: Note| AddCheckpoint { old, proof, checkpoint }.to_bytes();
    let signed_by = |checkpoint: Checkpoint, signer: &Signer| {
        let mut note = Note::new(&checkpoint.text()).unwrap();
        note.sign(signer);
        note
    };
    let stranger = Checkpoint { origin: "stranger.example".into(), ..log.checkpoint(20) };
    let mut half_wrong = log.signed(20);
    let mut line = half_wrong.signatures()[0].clone();
    line.bytes[9] ^= 1;
    half_wrong.add_signature(line);
    let zero = Checkpoint { origin: ORIGIN.into(), size: 0, root: Digest::of(b"not nothing") };
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("a proof from a size that is not known", log.request(9, 20), 409),
        ("a proof from nothing, of a log that is known", log.request(0, 20), 409),
        ("a size below the one that is known", log.request(5, 9), 409),
        ("an old size above the new one", with(11, vec![], log.signed(10)), 400),
        ("a log that nobody told of", with(10, vec![], signed_by(stranger, &signer("stranger.example", 1))), 404),
        ("another key under the log's name", with(10, log.proof(10, 20), signed_by(log.checkpoint(20), &signer(ORIGIN, 9))), 403),
        ("the log's key under another name", with(10, log.proof(10, 20), signed_by(log.checkpoint(20), &signer("other", 1))), 403),
        ("a wrong signature beside the right one", with(10, log.proof(10, 20), half_wrong), 403),
        ("another history", fork.request(10, 20), 422),
        ("another tree of the same size", fork.request(10, 10), 422),
        ("no proof", with(10, vec![], log.signed(20)), 422),
        ("a proof too many", with(10, [log.proof(10, 20), vec![empty_root()]].concat(), log.signed(20)), 422),
        ("a proof where none is needed", with(10, vec![empty_root()], log.signed(10)), 422),
        ("what is no checkpoint", with(10, vec![], signed_by_text("hello\n")), 400),
        ("a size with a zero before it", with(10, vec![], signed_by_text(&log.checkpoint(20).text().replace("\n20\n", "\n020\n"))), 400),
    ];
    for (what, body, status) in cases {
        let refusal = told.ask(&body).unwrap_err();
        assert_eq!(status_of(&refusal), status, "{what}: {refusal}");
        assert_eq!(told.stored(), Some(10), "{what}");
    }
    let fresh = Told::new();
    assert_eq!(
        status_of(&fresh.ask(&with(0, vec![], zero.sign(&log_key()).unwrap())).unwrap_err()),
        422,
        "an empty tree with another root"
    );
    assert_eq!(status_of(&fresh.ask(&with(0, vec![empty_root()], log.signed(5))).unwrap_err()), 422, "a proof from nothing");
    assert_eq!(fresh.stored(), None);
    assert!(matches!(told.ask(&log.request(0, 20)), Err(Refusal::Conflict(10))));
}

fn signed_by_text(text: &str) -> Note {
    let mut note = Note::new(text).unwrap();
    note.sign(&log_key());
    note
}

fn status_of(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::Malformed(_) => 400,
        Refusal::Untrusted => 403,
        Refusal::UnknownLog => 404,
        Refusal::Conflict(_) => 409,
        Refusal::Inconsistent => 422,
        Refusal::State(_) => 500,
    }
}

#[test]
fn two_trees_of_one_size_are_kept_for_whoever_wants_to_see_them() {
    let (told, log, fork) = (Told::new(), Grown::new(20, 20, ""), Grown::new(20, 8, "another"));
    told.ask(&log.request(0, 12)).unwrap();
    // A wrong proof shows nothing of the log: anyone can send one.
    assert!(told.ask(&fork.request(12, 20)).is_err());
    assert!(!told.state.logs().unwrap()[0].forked);
    assert!(told.ask(&fork.request(12, 12)).is_err());
    assert!(told.state.logs().unwrap()[0].forked);
    let kept = std::fs::read_to_string(told.state.folder_of(ORIGIN).join("fork")).unwrap();
    let (known, other) = kept.split_once(&format!("\n{ORIGIN}\n")).unwrap();
    let other = Note::parse(format!("{ORIGIN}\n{other}").as_bytes()).unwrap();
    let known = Note::parse(known.as_bytes()).unwrap();
    for (note, tree) in [(known, &log), (other, &fork)] {
        assert!(note.require(&[log_key().key()], 1).is_ok());
        assert_eq!(Checkpoint::parse_text(note.text()).unwrap(), tree.checkpoint(12));
    }
    // It goes on with the log that it knows.
    told.ask(&log.request(12, 20)).unwrap();
}

#[test]
fn the_same_again_within_a_minute_is_the_same_answer_and_later_a_new_time() {
    let (told, log) = (Told::new(), Grown::new(5, 5, ""));
    let ask = |now| told.state.add_checkpoint(&log.request(if told.stored().is_some() { 5 } else { 0 }, 5), &witness_key(), now).unwrap();
    let first = ask(NOW);
    assert_eq!(ask(NOW + 59), first);
    let later = ask(NOW + 60);
    assert_ne!(later, first);
    // A clock that went back does not keep an old word of its future.
    assert_ne!(ask(NOW - 1).signature, later.signature);
    // Another key of the witness gives its own word.
    let other = signer("witness.example/w2", 81);
    let cosigned = told.state.add_checkpoint(&log.request(5, 5), &other, NOW + 1).unwrap();
    assert!(cosigned.signature.is_by(&other.cosigner_key()));
    // And no word is without a time.
    let cosigned = told.state.add_checkpoint(&log.request(5, 5), &witness_key(), 0).unwrap();
    assert_eq!(cosigned.signature.bytes[..8], 1u64.to_be_bytes());
}

#[test]
fn lines_that_strangers_added_are_not_served_on() {
    let (told, log) = (Told::new(), Grown::new(5, 5, ""));
    let mut note = log.signed(5);
    (0..30).for_each(|i| note.sign(&signer("stranger", 100 + i)));
    told.ask(&AddCheckpoint { old: 0, proof: vec![], checkpoint: note }.to_bytes()).unwrap();
    let (_, stored) = told.state.logs().unwrap().remove(0).last.unwrap();
    assert_eq!(stored.signatures().len(), 2);
}

#[test]
fn a_mirror_cosigns_what_it_has_verified() {
    let (told, log, fork) = (Told::new(), Grown::new(300, 300, ""), Grown::new(300, 8, "another"));
    let seen = |tree: &Grown, size| {
        let prove = |old| Tree::new(&tree.files, "", size).consistency(old).ok();
        told.state.cosign_seen(&tree.signed(size), &witness_key(), NOW, &prove)
    };
    seen(&log, 3).unwrap();
    seen(&log, 290).unwrap();
    assert!(matches!(seen(&log, 4), Err(Refusal::Conflict(290))));
    assert!(matches!(seen(&fork, 300), Err(Refusal::Inconsistent)));
    assert_eq!(told.stored(), Some(290));
    // And goes on from where the log itself asked.
    told.ask(&log.request(290, 300)).unwrap();
    seen(&log, 300).unwrap();
}

#[test]
fn a_state_that_is_missing_or_damaged_cosigns_nothing() {
    let (told, log) = (Told::new(), Grown::new(5, 5, ""));
    assert!(matches!(State::open(&told.path("elsewhere")), Err(StateError::Missing(_))));
    told.ask(&log.request(0, 5)).unwrap();
    let path = told.state.folder_of(ORIGIN).join("checkpoint");
    let whole = std::fs::read(&path).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"archive.example/test\n5\n"] {
        std::fs::write(&path, damaged).unwrap();
        assert!(matches!(told.ask(&log.request(5, 5)), Err(Refusal::State(StateError::Damaged(_)))));
    }
    std::fs::write(&path, whole).unwrap();
    assert!(told.ask(&log.request(5, 5)).is_ok());
}

#[test]
fn of_many_at_once_that_contradict_each_other_one_is_cosigned() {
    let told = Told::new();
    let log = Grown::new(8, 8, "");
    told.ask(&log.request(0, 8)).unwrap();
    let forks: Vec<Grown> = (0..32).map(|i| Grown::new(12, 8, &format!("fork {i}"))).collect();
    let barrier = std::sync::Barrier::new(32);
    let won: Vec<Option<Checkpoint>> = std::thread::scope(|scope| {
        let (told, barrier) = (&told, &barrier);
        let asks = forks.iter().map(|fork| {
            scope.spawn(move || {
                let request = fork.request(8, 12);
                barrier.wait();
                match told.ask(&request) {
                    Ok(cosigned) => Some(cosigned.checkpoint),
                    Err(Refusal::Conflict(12)) => None,
                    Err(other) => panic!("{other}"),
                }
            })
        });
        asks.collect::<Vec<_>>().into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    let won: Vec<Checkpoint> = won.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert_eq!(told.state.logs().unwrap()[0].last.as_ref().unwrap().0, won[0]);
}
