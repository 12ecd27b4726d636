use super::*;
use crate::circuits::Cost;
use crate::hatch::{Hatch, Keeper as _};
use crate::newsroom::{Settings, init};
use crate::store::{UNACCEPTED_BYTES, today};
use crate::upload::longest;
use daylight_archive::Signer;
use daylight_archive::policy::Policy;
use daylight_archive::root::{Quorum, Root};
use daylight_model::Digest;
use ed25519_dalek::SigningKey;
use std::io::{Read as _, Write as _};
use tempfile::TempDir;

/// A drop that has been made, and the token of its collector.
fn house() -> (TempDir, Arc<House>, String) {
    let folder = tempfile::tempdir().unwrap();
    let (archive, home) = (folder.path().join("archive"), folder.path().join("drop"));
    std::fs::create_dir_all(archive.join("root")).unwrap();
    let signer = |name: &str, seed: u8| Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap();
    let (editor, log) = (signer("editor.example", 7), signer("archive.example/drop", 1));
    let root = Root {
        version: 1,
        origin: "archive.example/drop".into(),
        editors: Quorum { keys: vec![editor.key()], threshold: 1 },
        recovery: Quorum { keys: vec![], threshold: 0 },
        log: log.key(),
        retired: vec![],
        witnesses: Policy::none(),
        mirrors: vec![],
        onions: vec![],
    };
    let mut note = root.note().unwrap();
    note.sign(&editor);
    std::fs::write(archive.join("root/1.json"), root.to_json().unwrap()).unwrap();
    std::fs::write(archive.join("root/1.sig"), note.to_bytes()).unwrap();
    let settings = Settings { address: "http://x.onion".into(), title: "The Courier".into(), reserve: 0 };
    let token = init(&home, &archive, &settings, None).unwrap().unwrap();
    let house = Arc::new(House::open(&home, 700).unwrap());
    (folder, house, token)
}

fn counter(house: &Arc<House>, circuit: u32) -> Counter {
    let line = Arc::new(Line::default());
    line.is_of(Some(circuit));
    Counter::new(house.clone(), line)
}

const L: Lookup = Lookup([4; 32]);

#[test]
fn what_is_the_collectors_is_given_to_nobody_else() {
    let (_folder, house, token) = house();
    let mut visitor = counter(&house, 1);
    assert!(visitor.allows(Cost::Mailbox as u8) && !visitor.is_collector("another".to_owned()));
    // What the drop's folder and whoever reads it have is no right.
    assert!(!visitor.is_collector(house.home.collector.to_string()));
    let id = Digest([1; 32]);
    assert!(visitor.open_list().is_err() && visitor.read().is_empty());
    assert_eq!(visitor.open_envelope(id), Err(Refusal::Failed));
    assert_eq!(
        (visitor.done(vec![id]), visitor.accept(vec![L]), visitor.forget_answers(vec![L])),
        (Err(Refusal::Failed), Err(Refusal::Failed), Err(Refusal::Failed))
    );
    assert_eq!(visitor.put_reply(L, vec![0; 100]), Err(Refusal::Failed));
    assert!(visitor.put_directory(vec![0; 100]).is_some());
    assert!(!house.store.usage(&L).accepted && house.store.replies(&L).is_empty());
    let mut collector = counter(&house, 2);
    assert!(collector.is_collector(token) && collector.open_list().is_ok_and(|length| collector.read().len() as u64 == length));
    assert_eq!((collector.accept(vec![L]), collector.open_envelope(id)), (Ok(()), Ok(None)));
    assert!(house.store.usage(&L).accepted);
}

#[test]
fn nothing_is_kept_without_a_place_and_no_session_begins_that_was_not_paid_for() {
    let (folder, house, _) = house();
    let mut visitor = counter(&house, 1);
    assert_eq!(
        (visitor.begin(L), visitor.push(vec![1]), visitor.keep()),
        (Err(Refusal::Failed), Err(Refusal::Failed), Err(Refusal::Failed))
    );
    visitor.begin_session([1; 32], [2; 32], None, false);
    assert!(visitor.visit([1; 32]).is_none());
    assert!(visitor.allows(Cost::Page as u8));
    visitor.begin_session([1; 32], [2; 32], None, false);
    assert!(visitor.visit([1; 32]).is_none());
    assert!(visitor.allows(Cost::Mailbox as u8));
    visitor.begin_session([1; 32], [2; 32], None, false);
    visitor.begin_session([3; 32], [2; 32], None, false);
    assert!(visitor.visit([1; 32]).is_some() && visitor.visit([3; 32]).is_none());
    assert!(!visitor.allows(99));
    // What is dear is had once for its price.
    assert_eq!((visitor.forget(L), visitor.forget(L)), (Ok(()), Err(Refusal::Failed)));
    assert!(visitor.allows(Cost::Page as u8));
    assert_eq!(visitor.forget(L), Err(Refusal::Failed));
    visitor.mark(Mark::Collected as u8);
    visitor.mark(99);
    assert!(!house.days.has(Mark::Collected, today()));
    assert_eq!(std::fs::read_dir(folder.path().join("drop/incoming")).unwrap().count(), 0);
}

/// What becomes of an attendant that asks like this.
async fn asked(
    house: &Arc<House>,
    ask: impl FnOnce(&Hatch, &mut std::os::unix::net::UnixStream) + Send + 'static,
) -> (io::Result<()>, bool) {
    let (hatch, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let (orders, _their_orders) = std::os::unix::net::UnixStream::pair().unwrap();
    hatch.set_nonblocking(true).unwrap();
    orders.set_nonblocking(true).unwrap();
    let (_hours, told) = watch::channel(Hours::Open);
    let orders = Orders { line: UnixStream::from_std(orders).unwrap(), hours: told };
    let attended = tokio::spawn(counter(house, 9).attend(UnixStream::from_std(hatch).unwrap(), orders));
    let asking = tokio::task::spawn_blocking(move || {
        let mut raw = theirs.try_clone().unwrap();
        ask(&Hatch::new(theirs), &mut raw);
    });
    let asked = asking.await.is_ok();
    (attended.await.unwrap(), asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_attendant_that_asks_without_end_or_beside_the_rules_is_left_alone() {
    let (folder, house, _) = house();
    let fine = asked(&house, |hatch, _| {
        assert!(hatch.allows(0));
        assert!((1..QUESTIONS).all(|_| hatch.visit([1; 32]).is_none()));
        assert!(hatch.allows(0) && hatch.visit([1; 32]).is_none());
    });
    let (ended, asked_all) = fine.await;
    assert!(ended.is_ok() && asked_all);
    let (ended, asked_all) = asked(&house, |hatch, _| {
        assert!(hatch.allows(0));
        (0..=QUESTIONS).for_each(|_| _ = hatch.visit([1; 32]));
    })
    .await;
    assert!(!asked_all && ended.unwrap_err().kind() == io::ErrorKind::PermissionDenied);
    for wrong in [vec![0, 0, 0, 0], vec![0xff; 8], vec![1, 0, 0, 0, 99], vec![2, 0, 0, 0, 1, 0, 0], vec![5, 0, 0, 0, 13, 1, 1, 1, 1]] {
        let (ended, _) = asked(&house, move |_, raw| {
            raw.write_all(&wrong).unwrap();
            raw.shutdown(std::net::Shutdown::Write).unwrap();
            let mut rest = Vec::new();
            let _ = raw.read_to_end(&mut rest);
        })
        .await;
        assert!(ended.is_err() || house.sessions.visit(&[1; 32]).is_none());
    }
    // What was begun and not kept is nowhere.
    let (ended, _) = asked(&house, |hatch, _| {
        assert!(hatch.place() && hatch.begin(L).is_ok() && hatch.push(vec![7; 1000]).is_ok());
    })
    .await;
    assert!(ended.is_ok());
    assert_eq!(std::fs::read_dir(folder.path().join("drop/incoming")).unwrap().count(), 0);
}

#[tokio::test]
async fn more_than_an_envelope_may_be_is_not_taken_and_a_place_that_is_not_given_back_is_taken() {
    let (folder, house, _) = house();
    let mut visitor = counter(&house, 1);
    assert!(visitor.take_place().await);
    assert_eq!(visitor.begin(L), Ok(()));
    let piece = vec![7; 1 << 20];
    let taken = (0..200).take_while(|_| visitor.push(piece.clone()).is_ok()).count() as u64;
    // Before it is accepted a source may send no more than this, and never more than the longest envelope is.
    assert_eq!(taken, longest().min(UNACCEPTED_BYTES) >> 20);
    assert_eq!(visitor.push(piece), Err(Refusal::Unaccepted));
    visitor.abandon();
    assert_eq!(std::fs::read_dir(folder.path().join("drop/incoming")).unwrap().count(), 0);
    let (hatch, _theirs) = UnixStream::pair().unwrap();
    let (line, mut orders) = UnixStream::pair().unwrap();
    let (_hours, told) = watch::channel(Hours::Open);
    visitor.place.as_mut().unwrap().told = Instant::now().checked_sub(LEAVING);
    let ended = visitor.attend(hatch, Orders { line, hours: told }).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    // It was told long ago, and is not told again.
    assert_eq!(orders.read(&mut [0]).await.unwrap(), 0);
}
