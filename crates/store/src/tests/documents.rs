use super::*;
use daylight_model::{Outcome, SignatureKey, Verdict};

/// A message with a named attachment, in a mailbox that is a file of a trove: all there is to a document.
fn trove(desk: &mut Desk, writer: &mut Writer<'_>) -> [u64; 3] {
    let town = desk.create_collection("town").unwrap();
    let mailbox = put_file(writer, b"mailbox");
    let texts = [Segment::new(Label::Body, "words"), Segment::new(Label::Hidden, "unseen")];
    let facts = facts(10, "m1", &["m0"]);
    let digest = Digest::of(b"message");
    let blob = writer.slice(&Digest::of(b"mail"), BlobId(1), 0, 4).unwrap();
    let new = NewDocument {
        id: DocumentId::of(Kind::Message, &digest, "utf-8"),
        kind: Kind::Message,
        blob: Some(blob),
        length: 4,
        claims: "utf-8",
        media_type: "message/rfc822",
        title: "About m1",
        date: facts.dates.first().copied(),
        message: Some(&facts),
        faults: &[fault(FaultCode::BadCharset), fault(FaultCode::Malformed)],
        texts: &texts,
        step: "mail",
        version: 3,
        counted: None,
    };
    let (message, was_new) = writer.document(&new).unwrap();
    assert!(was_new);
    let attachment = put_file(writer, b"attachment");
    writer.occurrence(mailbox, 0, message, None, &Default::default()).unwrap();
    writer.occurrence(message, 0, attachment, Some(&Name::from("plan.pdf")), &Default::default()).unwrap();
    writer.occurrence(message, 1, attachment, Some(&Name(b"pl\xe4n.pdf".to_vec())), &Default::default()).unwrap();
    for seq in [mailbox, message, attachment] {
        writer.member(town.id, seq).unwrap();
    }
    writer.set_counted(mailbox, Counted { expected: None, read: 1, failed: 0 }).unwrap();
    let unit = Unit {
        collection: town.id,
        path: Name::from("in/box.mbox"),
        state: UnitState::Done,
        cursor: 7,
        strikes: 1,
        seq: Some(mailbox),
        size: 7,
        digest: Some(Digest::of(b"mailbox")),
    };
    writer.put_unit(&unit).unwrap();
    assert_eq!(writer.unit(town.id, &unit.path).unwrap(), Some(unit));
    [mailbox, message, attachment]
}

#[test]
fn verdicts_are_kept_and_what_is_signed_with_a_key_is_found() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let looked = MessageFacts { signatures: Some(Vec::new()), ..facts(1, "a", &[]) };
    let seq = put_message(&mut writer, b"signed", &looked);
    let name = "s._domainkey.town.example".to_owned();
    let verdict = Verdict { outcome: Outcome::KeyUnknown, domain: "town.example".into(), selector: "s".into(), ..Verdict::unsigned() };
    assert!(writer.set_verdicts(seq, std::slice::from_ref(&name), std::slice::from_ref(&verdict)).unwrap());
    let before = writer.commit().unwrap();
    assert_eq!(Verdict::words_of(&desk.document(seq).unwrap().all_verdicts()), ["key-unknown"]);
    assert_eq!((writer.signed_with(&name, 0, 9).unwrap(), writer.signed_with(&name, seq, 9).unwrap()), (vec![seq], vec![]));
    let key = SignatureKey { name: name.clone(), record: "p=AA".into(), source: "a zone".into(), seen: None, exposed: false };
    assert!(writer.add_signature_key(&key, 7).unwrap() && !writer.add_signature_key(&key, 8).unwrap());
    let later = SignatureKey { seen: Some(5), exposed: true, ..key };
    assert!(writer.add_signature_key(&later, 9).unwrap());
    assert_eq!(writer.signature_keys(&name).unwrap(), [later]);
    let valid = Verdict { outcome: Outcome::Valid, ..verdict };
    assert!(!writer.set_verdicts(seq, std::slice::from_ref(&name), &desk.document(seq).unwrap().verdicts).unwrap());
    assert!(writer.set_verdicts(seq, &[name], &[valid]).unwrap());
    writer.commit().unwrap();
    assert_eq!(changed(&desk, before), [seq as i64], "the index hears of it");
    assert_eq!(Verdict::words_of(&desk.document(seq).unwrap().all_verdicts()), ["town.example", "valid"]);
    let unsigned = put_message(&mut writer, b"unsigned", &looked);
    let unknown = put_message(&mut writer, b"unknown", &facts(1, "b", &[]));
    writer.commit().unwrap();
    let words = |seq| Verdict::words_of(&desk.document(seq).unwrap().all_verdicts());
    assert_eq!((words(unsigned), words(unknown)), (vec!["unsigned".to_owned()], vec![]));
}

#[test]
fn everything_written_of_a_document_reads_back() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    desk.create_collection("town").unwrap();
    let [mailbox, message, attachment] = trove(&mut desk, &mut writer);
    assert_eq!(writer.commit().unwrap(), 3);

    let read = desk.document(message).unwrap();
    assert_eq!((read.seq, read.kind, read.length, read.version), (message, Kind::Message, 4, 3));
    assert_eq!(
        (read.claims.as_str(), read.media_type.as_str(), read.title.as_str(), read.step.as_str()),
        ("utf-8", "message/rfc822", "About m1", "mail")
    );
    assert_eq!(read.message, Some(facts(10, "m1", &["m0"])));
    assert_eq!(read.date.map(|date| date.seconds), Some(864_000));
    assert_eq!(read.faults, [fault(FaultCode::BadCharset), fault(FaultCode::Malformed)]);
    assert_eq!(read.blob, Some(Digest::of(b"mail")));
    assert_eq!(read.collections, ["town"]);
    assert_eq!(desk.raw_bytes(message).unwrap(), b"mail");
    assert_eq!(desk.text(message).unwrap(), [Segment::new(Label::Body, "words"), Segment::new(Label::Hidden, "unseen")]);
    assert!(desk.text(attachment).unwrap().is_empty());

    let names = desk.document(attachment).unwrap().names;
    assert_eq!(names, [Name::from("plan.pdf"), Name(b"pl\xe4n.pdf".to_vec())]);
    assert_eq!(desk.document(mailbox).unwrap().names, [Name::from("box.mbox")]);
    assert_eq!(desk.document(mailbox).unwrap().counted, Some(Counted { expected: None, read: 1, failed: 0 }));
    assert_eq!(desk.roots(mailbox).unwrap(), [("town".to_owned(), Name::from("in/box.mbox"))]);
    assert_eq!(desk.parents(attachment).unwrap(), desk.children(message).unwrap());
    assert_eq!(desk.children(message).unwrap()[1].ordinal, 1);

    let id = desk.id_of(message).unwrap();
    let short = desk.short_id(message).unwrap();
    assert_eq!((short.len(), desk.resolve(&short).unwrap(), desk.resolve(&id.to_string()).unwrap()), (12, message, message));
    assert!(matches!(desk.resolve("zzzz"), Err(Error::BadId(_))));
    assert!(matches!(desk.resolve("abc"), Err(Error::BadId(_))));
    assert!(matches!(desk.document(99), Err(Error::NoDocument(_))));
}

#[test]
fn a_prefix_that_several_ids_share_is_refused_and_short_ids_grow() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let id = |last: u8| DocumentId(Digest(std::array::from_fn(|at| if at == 10 { last } else { 0xab })));
    let seqs = [0x10, 0x1f, 0x20].map(|last| writer.document(&NewDocument { id: id(last), ..file(b"") }).unwrap().0);
    writer.commit().unwrap();
    assert_eq!(seqs.map(|seq| desk.short_id(seq).unwrap().len()), [22, 22, 21]);
    assert!(matches!(desk.resolve("abab"), Err(Error::Ambiguous { ids, more: false, .. }) if ids.len() == 3));
    assert!(matches!(desk.resolve("ababababababababABAB1"), Err(Error::Ambiguous { ids, .. }) if ids.len() == 2));
    assert_eq!(desk.resolve("abababababababababab2").unwrap(), seqs[2]);
}

#[test]
fn the_same_trove_again_changes_nothing() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    desk.create_collection("town").unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    trove(&mut desk, &mut writer);
    let first = writer.commit().unwrap();
    let counts = desk.counts().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let mailbox = put_file(&mut writer, b"mailbox");
    writer.put_unit(&Unit { seq: Some(mailbox), ..desk.unit(CollectionId(1), &Name::from("in/box.mbox")).unwrap().unwrap() }).unwrap();
    let attachment = put_file(&mut writer, b"attachment");
    writer.occurrence(2, 0, attachment, Some(&Name::from("plan.pdf")), &Default::default()).unwrap();
    assert!(!writer.member(CollectionId(1), attachment).unwrap());
    assert_eq!(writer.commit().unwrap(), first);
    assert_eq!(desk.counts().unwrap(), counts);
}

#[test]
fn what_the_index_should_hold_gets_a_new_change_number_when_it_changes() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let [town, other] = ["town", "other"].map(|name| desk.create_collection(name).unwrap().id);
    let mut writer = desk.writer(&lease).unwrap();
    let message = put_message(&mut writer, b"m", &facts(1, "m", &[]));
    let attachment = put_file(&mut writer, b"a");
    writer.member(town, message).unwrap();
    let mut at = writer.commit().unwrap();
    assert_eq!((at, changed(&desk, 0), changed(&desk, at)), (2, vec![1, 2], vec![]));
    let mut step = |desk: &Desk, writer: &mut Writer<'_>| {
        let before = std::mem::replace(&mut at, writer.commit().unwrap());
        changed(desk, before)
    };

    writer.occurrence(message, 0, attachment, Some(&Name::from("x")), &Default::default()).unwrap();
    assert_eq!(step(&desk, &mut writer), [2, 1], "a name for one, an attachment for the other");
    writer.occurrence(message, 0, attachment, Some(&Name::from("x")), &Default::default()).unwrap();
    assert_eq!(step(&desk, &mut writer), [0; 0], "nothing new");
    writer.member(other, message).unwrap();
    assert_eq!(step(&desk, &mut writer), [1], "another collection");
    writer.add_fault(attachment, &fault(FaultCode::ReaderDied)).unwrap();
    writer.add_fault(attachment, &fault(FaultCode::ReaderDied)).unwrap();
    assert_eq!(step(&desk, &mut writer), [2], "a fault");
    let row = match desk.changed_since(0, 10).unwrap().pop().unwrap() {
        Change::Document(row) => row,
        Change::Deleted { .. } => unreachable!(),
    };
    assert!(row.unreadable && !row.has_attachment);
    assert_eq!(desk.document(row.seq).unwrap().faults.len(), 1);
    writer.set_faults(attachment, &[]).unwrap();
    assert_eq!(step(&desk, &mut writer), [2], "no fault");
}

#[test]
fn a_file_that_becomes_readable_takes_the_place_of_what_stood_for_it() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let town = desk.create_collection("town").unwrap().id;
    let mut writer = desk.writer(&lease).unwrap();
    let id = DocumentId::of_unreadable("town", b"secret.txt");
    let old = writer.document(&NewDocument { id, faults: &[fault(FaultCode::Unreadable)], ..file(b"") }).unwrap().0;
    let path = Name::from("secret.txt");
    let unit = Unit {
        collection: town,
        path: path.clone(),
        state: UnitState::FailedWillRetry,
        cursor: 0,
        strikes: 0,
        seq: Some(old),
        size: 0,
        digest: None,
    };
    writer.put_unit(&unit).unwrap();
    writer.member(town, old).unwrap();
    let before = writer.commit().unwrap();
    assert!(matches!(desk.raw_bytes(old), Err(Error::NoBytes(_))));
    assert_eq!(desk.units(town, UnitState::FailedWillRetry, &Name(Vec::new()), 9).unwrap(), [unit]);

    let new = put_file(&mut writer, b"now readable");
    writer.replace_unreadable(old, new).unwrap();
    let after = writer.commit().unwrap();
    assert!(after > before);
    assert_eq!(changed(&desk, before), [new as i64, -(old as i64)]);
    assert!(desk.document(old).is_err());
    assert_eq!(desk.roots(new).unwrap(), [("town".to_owned(), path)]);
    assert!(desk.members(town, 0, 10).unwrap().is_empty());
    assert_eq!(desk.counts().unwrap().faults, 0);
    let next = put_file(&mut writer, b"next");
    assert!(next > new, "numbers are not used again");
}

#[test]
fn changes_come_in_batches_without_a_gap() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let seqs: Vec<u64> = (0..20).map(|seed| put_file(&mut writer, &noise(seed, 8))).collect();
    for pair in seqs.chunks(2).step_by(2) {
        writer.replace_unreadable(pair[0], pair[1]).unwrap();
    }
    writer.commit().unwrap();
    let all = changed(&desk, 0);
    for limit in [1, 2, 3, 7] {
        let (mut at, mut found) = (0, Vec::new());
        loop {
            let batch = desk.changed_since(at, limit).unwrap();
            let Some(last) = batch.last() else { break };
            at = last.number();
            found.extend(batch.iter().map(Change::number));
            assert!(batch.len() <= limit);
        }
        assert_eq!((found.len(), found.is_sorted(), at), (all.len(), true, desk.latest_change().unwrap()), "limit {limit}");
    }
}

#[test]
fn a_better_reading_replaces_and_any_other_does_not() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let texts = |text: &str| [Segment::new(Label::Body, text)];
    let mut read = |step: &str, version: u32, faults: &[Fault], text: &str| {
        let texts = texts(text);
        let (seq, _) = writer.document(&NewDocument { faults, texts: &texts, step, version, ..file(b"x") }).unwrap();
        let change = writer.commit().unwrap();
        (change, desk.text(seq).unwrap().remove(0).text)
    };
    let (died, none) = (fault(FaultCode::ReaderDied), fault(FaultCode::NoReader));
    assert_eq!(read("pdf", 1, std::slice::from_ref(&died), "died"), (1, "died".to_owned()));
    assert_eq!(read("pdf", 1, std::slice::from_ref(&died), "died again"), (1, "died".to_owned()));
    assert_eq!(read("pdf", 1, std::slice::from_ref(&none), "read now"), (2, "read now".to_owned()));
    assert_eq!(read("other", 1, &[none], "no better"), (2, "read now".to_owned()));
    assert_eq!(read("other", 1, &[], "a reader"), (3, "a reader".to_owned()));
    assert_eq!(read("other", 1, &[], "the same"), (3, "a reader".to_owned()));
    assert_eq!(read("other", 2, &[], "newer"), (4, "newer".to_owned()));
    assert_eq!(read("other", 1, &[died], "older"), (4, "newer".to_owned()));
}

#[test]
fn faults_are_grouped_and_listed_page_by_page() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let (none, empty) = (fault(FaultCode::NoReader), fault(FaultCode::Empty));
    let seqs = [1, 2, 3].map(|seed| put_file(&mut writer, &noise(seed, 8)));
    writer.set_faults(seqs[0], &[none.clone(), empty.clone()]).unwrap();
    writer.set_faults(seqs[1], std::slice::from_ref(&none)).unwrap();
    writer.set_faults(seqs[2], &[none.clone(), empty.clone()]).unwrap();
    writer.commit().unwrap();
    let groups = desk.fault_groups(2).unwrap();
    let told: Vec<_> = groups.iter().map(|group| (group.code, group.count, group.examples.clone())).collect();
    assert_eq!(told, [(FaultCode::NoReader, 3, vec![1, 2]), (FaultCode::Empty, 2, vec![1, 3])]);
    let first = desk.faults((0, 0), 2).unwrap();
    let rest = desk.faults((first[1].seq, first[1].n), 9).unwrap();
    let all: Vec<_> = first.iter().chain(&rest).map(|row| (row.seq, row.fault.code)).collect();
    assert_eq!(all, [(1, none.code), (1, empty.code), (2, none.code), (3, none.code), (3, empty.code)]);
    let counts = desk.counts().unwrap();
    assert_eq!((counts.documents(), counts.faults, counts.unread), (3, 5, 3));
}

#[test]
fn threads_are_stored_and_follow_what_is_added() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let reply = put_message(&mut writer, b"2", &facts(2, "b", &["a"]));
    let alone = put_message(&mut writer, b"3", &facts(3, "c", &[]));
    let attached = put_file(&mut writer, b"no message");
    writer.commit().unwrap();
    assert_eq!(desk.rethread().unwrap(), 2);
    assert_eq!(desk.rethread().unwrap(), 0);
    assert_eq!((desk.thread_of(reply).unwrap(), desk.thread_of(attached).unwrap()), (Some(reply), None));

    let first = put_message(&mut writer, b"1", &facts(1, "a", &[]));
    writer.commit().unwrap();
    assert_eq!(desk.rethread().unwrap(), 2);
    let nodes = [ThreadNode { seq: first, parent: None, depth: 0 }, ThreadNode { seq: reply, parent: Some(first), depth: 1 }];
    assert_eq!(desk.thread_members(first).unwrap(), nodes);
    assert_eq!(desk.thread_node(reply).unwrap(), Some(nodes[1]));
    assert_eq!((desk.thread_of(alone).unwrap(), desk.thread_count().unwrap()), (Some(alone), 2));
}
