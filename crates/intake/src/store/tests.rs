use super::*;
use std::os::unix::fs::MetadataExt as _;

fn store(folder: &Path) -> Arc<Store> {
    Store::make(folder).unwrap();
    Arc::new(Store::open(folder, 0).unwrap())
}

fn put(store: &Arc<Store>, lookup: u8, body: &[u8]) -> Kept {
    let mut incoming = store.begin(Kind::Envelope, Lookup([lookup; 32])).unwrap();
    incoming.write_all(body).unwrap();
    store.keep(incoming).unwrap()
}

fn body(store: &Store, id: &Digest) -> Vec<u8> {
    let (mut file, length) = store.envelope(id).unwrap().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, length);
    bytes
}

#[test]
fn what_is_kept_is_there_after_opening_again_and_what_is_not_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let first = store(folder.path());
    let kept = put(&first, 1, b"sealed");
    assert_eq!(kept, Kept { id: Digest::of(b"sealed"), new: true });
    assert!(!put(&first, 1, b"sealed").new);
    let mut half = first.begin(Kind::Envelope, Lookup([2; 32])).unwrap();
    half.write_all(b"ha").unwrap();
    let incoming = folder.path().join(INCOMING);
    // As a crash leaves it.
    fs::copy(&names(&incoming).unwrap()[0], incoming.join("half")).unwrap();
    drop(half);
    assert_eq!(names(&incoming).unwrap().len(), 1, "what was not kept is removed at once");
    first.put_reply(Lookup([1; 32]), b"answer").unwrap();
    fs::write(folder.path().join("envelope/stray"), "x").unwrap();
    drop(first);
    let again = store(folder.path());
    assert_eq!(again.damaged().len(), 1);
    assert_eq!(names(&folder.path().join(INCOMING)).unwrap().len(), 0);
    assert_eq!(body(&again, &kept.id), b"sealed");
    assert_eq!(again.reply(&again.replies(&Lookup([1; 32]))[0].0).unwrap(), b"answer");
    let usage = again.usage(&Lookup([1; 32]));
    assert_eq!((usage.envelopes, usage.bytes, usage.replies, usage.accepted), (1, 6, 1, true));
}

#[test]
fn things_stay_for_23_to_37_days_as_is_drawn_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let ids: Vec<Digest> = (0..300u32).map(|i| put(&store, i as u8, &i.to_le_bytes()).id).collect();
    let mut stays = std::collections::BTreeSet::new();
    for id in &ids {
        let shelf = store.shelf();
        let record = &shelf.get(Kind::Envelope, id).unwrap().record;
        stays.insert(record.until - record.day);
    }
    assert_eq!(stays, (23..=37).collect(), "every number of days is drawn");
    assert_eq!(store.midnight(today() + 22).unwrap(), 0);
    let some = store.midnight(today() + 30).unwrap();
    assert!((60..240).contains(&some), "{some}");
    assert_eq!(store.midnight(today() + 37).unwrap(), 300 - some);
    assert!(names(&folder.path().join("envelope")).unwrap().is_empty());
}

#[test]
fn after_midnight_neither_times_nor_places_tell_in_which_order_things_came() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let ids: Vec<Digest> = (0..60u32).map(|i| put(&store, 1, &[i as u8; 100]).id).take(16).collect();
    let place = |id: &Digest| fs::metadata(store.path(Kind::Envelope, id)).unwrap();
    let before: Vec<_> = ids.iter().map(|id| place(id).ino()).collect();
    store.midnight(today()).unwrap();
    assert_eq!(ids.iter().map(|id| place(id).ino()).collect::<Vec<_>>(), before, "today's stay as they are");
    store.midnight(today() + 1).unwrap();
    let times: Vec<_> = ids.iter().map(|id| (place(id).ctime(), place(id).ctime_nsec())).collect();
    let mut sorted = times.clone();
    sorted.sort_unstable();
    assert_ne!(times, sorted, "sixteen in the order they came: one chance in 10^13");
    assert!(ids.iter().enumerate().all(|(i, id)| body(&store, id) == [i as u8; 100]));
    // Once is enough.
    let after: Vec<_> = ids.iter().map(|id| place(id).ino()).collect();
    store.midnight(today() + 2).unwrap();
    assert_eq!(ids.iter().map(|id| place(id).ino()).collect::<Vec<_>>(), after);
    drop(store);
    assert_eq!(Store::open(folder.path(), 0).unwrap().envelopes().len(), 16);
}

#[test]
fn forgetting_takes_everything_of_one_source_and_nothing_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let theirs = put(&store, 2, b"theirs").id;
    put(&store, 1, b"one");
    put(&store, 1, b"two");
    store.put_reply(Lookup([1; 32]), b"answer").unwrap();
    store.forget(&Lookup([1; 32])).unwrap();
    store.forget(&Lookup([9; 32])).unwrap();
    assert_eq!(store.usage(&Lookup([1; 32])), Usage::default());
    assert_eq!(store.envelopes().len(), 1);
    assert_eq!(body(&store, &theirs), b"theirs");
    store.done(&[theirs, Digest::of(b"never there")]).unwrap();
    assert!(store.envelopes().is_empty());
}

#[test]
fn a_source_has_limits_until_it_is_accepted_and_bytes_are_one_sources() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    for i in 0..UNACCEPTED_COUNT {
        put(&store, 1, &i.to_le_bytes());
    }
    let try_one = |lookup: u8, body: &[u8]| {
        let mut incoming = store.begin(Kind::Envelope, Lookup([lookup; 32])).unwrap();
        incoming.write_all(body).unwrap();
        store.keep(incoming)
    };
    assert!(matches!(try_one(1, b"one more"), Err(StoreError::Unaccepted)));
    assert!(matches!(try_one(2, &0u64.to_le_bytes()), Err(StoreError::Others)));
    assert!(names(&folder.path().join(INCOMING)).unwrap().is_empty());
    store.accept(Lookup([1; 32])).unwrap();
    store.accept(Lookup([1; 32])).unwrap();
    assert!(try_one(1, b"one more").unwrap().new);
}

#[test]
fn one_process_has_a_store_and_a_reserve_is_kept_free() {
    let folder = tempfile::tempdir().unwrap();
    let first = store(folder.path());
    assert!(matches!(Store::open(folder.path(), 0), Err(StoreError::Locked(_))));
    drop(first);
    let greedy = Arc::new(Store::open(folder.path(), u64::MAX).unwrap());
    assert!(matches!(greedy.begin(Kind::Envelope, Lookup([1; 32])), Err(StoreError::Full)));
}

#[test]
fn a_header_is_read_back_and_no_other_is_taken() {
    let record = Record { kind: Kind::Reply, fresh: true, day: 20_420, until: 20_450, lookup: Lookup([7; 32]) };
    let bytes = record.to_bytes();
    assert_eq!(Record::from_bytes(&bytes), Some(record));
    for at in [0, 15, 16, 17, 18, 29] {
        let mut wrong = bytes;
        wrong[at] = 0xee;
        assert_eq!(Record::from_bytes(&wrong), None, "byte {at}");
    }
}

#[test]
fn what_arrives_while_its_source_deletes_everything_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let begin = |lookup: u8| store.begin(Kind::Envelope, Lookup([lookup; 32])).unwrap();
    let (mut one, mut two, mut other) = (begin(1), begin(1), begin(2));
    [&mut one, &mut two, &mut other].into_iter().for_each(|incoming| incoming.write_all(b"half").unwrap());
    store.forget(&Lookup([1; 32])).unwrap();
    assert!(two.write_all(b"rest").is_err());
    assert!(matches!(store.keep(one), Err(StoreError::Forgotten)));
    assert!(store.keep(other).unwrap().new, "another's is");
    drop(two);
    put(&store, 1, b"a new beginning");
    assert_eq!(store.envelopes().len(), 2);
    assert!(names(&folder.path().join(INCOMING)).unwrap().is_empty());
}

#[test]
fn a_disk_that_is_full_to_the_reserve_keeps_no_day_from_ending() {
    let folder = tempfile::tempdir().unwrap();
    let first = store(folder.path());
    let id = put(&first, 1, &vec![7; 3 << 20]).id;
    drop(first);
    let store = Arc::new(Store::open(folder.path(), u64::MAX / 2).unwrap());
    assert!(matches!(store.begin(Kind::Envelope, Lookup([1; 32])), Err(StoreError::Full)));
    store.midnight(today() + 1).unwrap();
    assert!(!store.shelf().get(Kind::Envelope, &id).unwrap().record.fresh);
    assert_eq!(body(&store, &id).len(), 3 << 20);
}

#[test]
fn reading_leaves_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let id = put(&store, 1, b"sealed").id;
    let path = store.path(Kind::Envelope, &id);
    // As if it had been read long ago, so that any file system would note the next time.
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1000);
    File::options().write(true).open(&path).unwrap().set_times(fs::FileTimes::new().set_accessed(long_ago)).unwrap();
    body(&store, &id);
    read_record(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().accessed().unwrap(), long_ago);
}
