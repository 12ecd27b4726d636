use super::*;
use std::thread;

#[test]
fn the_latest_decision_holds_and_each_stands_in_the_audit_log() {
    let (_folder, mut desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let seqs = [1, 2, 3].map(|seed| put_file(&mut writer, &noise(seed, 8)));
    writer.commit().unwrap();
    let [town, other] = ["town", "other"].map(|name| desk.create_collection(name).unwrap());
    desk.decide(&town, &seqs, State::Cleared, "ann", "looks fine", 1000).unwrap();
    desk.decide(&town, &seqs[1..2], State::Held, "ben", "names a child", 2000).unwrap();
    assert_eq!(desk.decided(town.id, State::Cleared).unwrap(), [seqs[0], seqs[2]]);
    assert_eq!(desk.decided(town.id, State::Held).unwrap(), [seqs[1]]);
    assert!(desk.decided(other.id, State::Cleared).unwrap().is_empty());
    let holds = desk.decision(town.id, seqs[1]).unwrap().unwrap();
    assert_eq!(
        (holds.state, holds.editor.as_str(), holds.note.as_str(), holds.time, holds.audit),
        (State::Held, "ben", "names a child", 2000, 2)
    );
    assert_eq!(desk.decision_history(town.id, seqs[1]).unwrap().len(), 2);
    assert_eq!(desk.state(other.id, seqs[1]).unwrap(), None);
    assert!(matches!(desk.decide(&town, &[seqs[0], 99], State::Held, "ben", "", 1), Err(Error::NoDocument(_))));

    let log = desk.audit_log(0, 10).unwrap();
    let ids: Vec<u8> = seqs.iter().flat_map(|seq| desk.id_of(*seq).unwrap().0.0).collect();
    assert_eq!(log[0].detail, format!("collection: town\ndocuments: 3\nids-sha256: {}\n", Digest::of(&ids)));
    assert_eq!((log.len(), log[1].hash, desk.verify_audit().unwrap()), (2, desk.audit_head().unwrap(), 2));
    let counts = desk.counts().unwrap().collections;
    assert_eq!(counts.iter().map(|counts| (counts.cleared, counts.held)).collect::<Vec<_>>(), [(0, 0), (2, 1)]);
}

#[test]
fn the_audit_log_shows_what_was_changed_taken_out_or_put_in() {
    let (_folder, mut desk) = desk();
    assert_eq!((desk.audit_head().unwrap(), desk.verify_audit().unwrap()), (Digest([0; 32]), 0));
    for n in 1..=5 {
        desk.audit(n, "ann", "did", &format!("thing {n}\n"), "").unwrap();
    }
    let damage = [
        ("UPDATE audit SET note = 'x' WHERE n = 3", 3),
        ("UPDATE audit SET actor = 'an', action = 'ndid' WHERE n = 2", 2),
        ("DELETE FROM audit WHERE n = 4", 4),
        ("DELETE FROM audit WHERE n = 1", 1),
        ("UPDATE audit SET n = n + 1 WHERE n = 5", 5),
        ("INSERT INTO audit SELECT 6, time, actor, action, detail, note, previous, hash FROM audit WHERE n = 5", 6),
    ];
    for (sql, n) in damage {
        desk.connection.execute_batch("SAVEPOINT whole").unwrap();
        desk.connection.execute(sql, []).unwrap();
        let error = desk.verify_audit().unwrap_err().to_string();
        assert!(error.contains(&format!("entry {n}:")), "{sql}: {error}");
        desk.connection.execute_batch("ROLLBACK TO whole; RELEASE whole").unwrap();
    }
    assert_eq!(desk.verify_audit().unwrap(), 5);
}

#[test]
fn an_editor_decides_while_an_ingest_commits_without_a_pause() {
    let (_folder, mut desk) = desk();
    let town = desk.create_collection("town").unwrap();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let seq = put_file(&mut writer, b"first");
    writer.commit().unwrap();
    let mut editor = desk.reopen().unwrap();
    let deciding = thread::spawn(move || editor.decide(&town, &[seq], State::Cleared, "ann", "", 1).map(|()| town.id));
    let mut seed = 0;
    while !deciding.is_finished() {
        // The writer's transaction is open when it asks for the next one to begin at once.
        put_file(&mut writer, &noise(seed, 8));
        writer.commit().unwrap();
        seed += 1;
    }
    let town = deciding.join().unwrap().unwrap();
    assert_eq!(desk.state(town, seq).unwrap(), Some(State::Cleared));
}

#[test]
fn renditions_are_stored_beside_an_ingest_in_packs_of_their_own() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut ingest = desk.writer(&lease).unwrap();
    let mut review = desk.renditions_writer().unwrap();
    assert!(matches!(desk.renditions_writer(), Err(Error::Held(_))));
    let seq = put_file(&mut ingest, b"one");
    ingest.commit().unwrap();
    review.put(seq, RenditionRole::View, "html", 1, "text/html", b"<p>old").unwrap();
    review.put(seq, RenditionRole::View, "html", 2, "text/html", b"<p>new").unwrap();
    let text = review.put(seq, RenditionRole::Text, "text", 1, "text/plain", b"one").unwrap();
    review.commit().unwrap();
    let other = put_file(&mut ingest, b"two");
    ingest.commit().unwrap();
    review.put(seq, RenditionRole::View, "html", 3, "text/html", b"<p>never committed").unwrap();
    drop(review);

    let renditions = desk.renditions(seq).unwrap();
    assert_eq!(
        renditions.iter().map(|rendition| (rendition.role, rendition.version)).collect::<Vec<_>>(),
        [(RenditionRole::View, 2), (RenditionRole::Text, 1)]
    );
    assert_eq!(desk.blob_bytes(&renditions[0].digest).unwrap(), b"<p>new");
    assert_eq!((renditions[1].digest, renditions[1].length), (text, 3));
    assert_eq!((desk.raw_bytes(seq).unwrap(), desk.raw_bytes(other).unwrap()), (b"one".to_vec(), b"two".to_vec()));
    assert_eq!(desk.blob_id(&text).unwrap(), desk.blob_id(&Digest::of(b"one")).unwrap(), "the same bytes are stored once");
}

#[test]
fn a_fault_of_making_a_rendition_stays_when_the_document_is_read_again() {
    let (_folder, desk) = desk();
    let lease = desk.take_ingest_lease().unwrap();
    let mut ingest = desk.writer(&lease).unwrap();
    let died = [fault(FaultCode::ReaderDied)];
    let seq = ingest.document(&NewDocument { faults: &died, ..file(b"x") }).unwrap().0;
    let change = ingest.commit().unwrap();
    let mut review = desk.renditions_writer().unwrap();
    let render = Fault { stage: Stage::Render, ..fault(FaultCode::TooSlow) };
    review.fault(seq, &render).unwrap();
    review.fault(seq, &render).unwrap();
    review.commit().unwrap();
    ingest.document(&NewDocument { faults: &died, ..file(b"x") }).unwrap();
    assert_eq!(ingest.commit().unwrap(), change, "the same outcome is nothing new");
    ingest.document(&file(b"x")).unwrap();
    ingest.commit().unwrap();
    assert_eq!(desk.document(seq).unwrap().faults, [render]);
}

/// A line about this document.
fn line(seq: u64, number: u64) -> NewLine {
    let fingerprint = Digest::of(&seq.to_be_bytes());
    NewLine { seq, number, salt: [seq as u8; 32], parent: Some(1), thread: None, fingerprint, payload: vec![seq as u8; 3] }
}

/// These lines, put aside.
fn aside(desk: &Desk, lines: &[NewLine]) -> LinesAside {
    let mut aside = desk.lines_aside().unwrap();
    lines.iter().for_each(|line| aside.push(line).unwrap());
    let numbers: Vec<(u64, u64)> = lines.iter().map(|line| (line.seq, line.number)).collect();
    assert_eq!((aside.numbers().unwrap(), aside.len()), (numbers, lines.len() as u64));
    aside
}

#[test]
fn a_draft_is_fixed_once_and_numbers_are_for_ever() {
    let (_folder, mut desk) = desk();
    let collection = desk.create_collection("town").unwrap().id;
    let head = desk.audit(5, "ann", "did", "", "").unwrap().hash;
    let new = NewDraft {
        collection,
        origin: "example.org/archive",
        serial: 1,
        time: 77,
        title: "Town",
        audit_head: head,
        seen: None,
        again: &[],
    };
    let lines: Vec<NewLine> = (1..=5).map(|seq| line(seq * 10, seq)).collect();
    let draft = desk.create_draft(&new, aside(&desk, &lines)).unwrap();
    assert_eq!((draft.serial, draft.time, draft.lines, draft.audit_head, draft.title.as_str()), (1, 77, 5, head, "Town"));
    assert!(matches!(desk.create_draft(&new, aside(&desk, &lines)), Err(Error::Refused(_))), "one at a time");
    assert_eq!(desk.reopen().unwrap().open_draft(collection, new.origin).unwrap(), Some(draft.clone()));
    let first = desk.draft_lines(draft.id, None, 2).unwrap();
    let rest = desk.draft_lines(draft.id, Some(first[1].position), 9).unwrap();
    let read: Vec<NewLine> = first.into_iter().chain(rest).map(|line| line.line).collect();
    assert_eq!(read, lines);
    let published = |desk: &Desk| {
        let mut published = std::collections::BTreeMap::new();
        desk.each_published(collection, new.origin, &mut |seq| {
            published.insert(seq, desk.published(collection, new.origin, seq).unwrap().unwrap());
        })
        .unwrap();
        published
    };
    assert!(published(&desk).is_empty() && desk.published(collection, new.origin, 10).unwrap().is_none());
    desk.finish_draft(draft.id).unwrap();
    assert_eq!(desk.open_draft(collection, new.origin).unwrap(), None);

    let second = NewDraft { serial: 2, ..new };
    for (seq, number) in [(10, 6), (60, 5)] {
        let refused = desk.create_draft(&second, aside(&desk, &[line(70, 7), line(seq, number)]));
        assert!(matches!(refused, Err(Error::Refused(_))), "{seq} is {number}");
    }
    assert!(desk.number(collection, new.origin, 70).unwrap().is_none(), "a refused draft leaves nothing");
    let draft = desk.create_draft(&second, aside(&desk, &[line(10, 1), line(60, 6)])).unwrap();
    assert_eq!(published(&desk)[&10].serial, 1);
    desk.finish_draft(draft.id).unwrap();
    let published = published(&desk);
    assert_eq!((published[&10].serial, published[&10].number, published[&60].number, published.len()), (2, 1, 6, 6));
    assert_eq!((desk.number(collection, "elsewhere", 10).unwrap(), desk.highest_number(collection, "elsewhere").unwrap()), (None, 0));
    assert_eq!((desk.highest_number(collection, new.origin).unwrap(), desk.numbered(collection, new.origin, 6).unwrap()), (6, Some(60)));

    let third = desk.create_draft(&NewDraft { serial: 3, ..new }, aside(&desk, &[line(80, 7)])).unwrap();
    desk.discard_draft(third.id).unwrap();
    assert!(desk.discard_draft(draft.id).is_err(), "what is written stays");
    assert_eq!(desk.number(collection, new.origin, 80).unwrap(), Some(7));
}

#[test]
fn what_changes_of_what_was_published_is_noted_until_a_draft_has_seen_it() {
    let (_folder, mut desk) = desk();
    let collection = desk.create_collection("town").unwrap().id;
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let [public, other, private] = [1, 2, 3].map(|seed| put_file(&mut writer, &noise(seed, 8)));
    writer.commit().unwrap();
    drop(writer);
    let head = desk.audit(5, "ann", "did", "", "").unwrap().hash;
    let new = |serial, seen| NewDraft {
        collection,
        origin: "example.org/archive",
        serial,
        time: 77,
        title: "Town",
        audit_head: head,
        seen: Some(seen),
        again: &[],
    };
    let stale = |desk: &Desk| desk.stale(collection, "example.org/archive").unwrap();
    assert_eq!(stale(&desk), Some(vec![]), "nothing is published");

    // A draft says what was seen before it was made.
    let seen = desk.seen().unwrap();
    let draft = desk.create_draft(&new(1, seen), aside(&desk, &[line(public, 1), line(other, 2)])).unwrap();
    desk.finish_draft(draft.id).unwrap();
    assert!(desk.finish_draft(draft.id).is_err(), "once");
    assert_eq!(stale(&desk), Some(vec![]));
    let mut writer = desk.writer(&lease).unwrap();
    writer.occurrence(private, 0, public, None, &Default::default()).unwrap();
    writer.occurrence(public, 0, private, None, &Default::default()).unwrap();
    writer.commit().unwrap();
    assert_eq!(stale(&desk), Some(vec![public]), "it has one more place; of what was never published nothing is noted");
    let put = |desk: &Desk, seq, text: &[u8]| {
        let mut review = desk.renditions_writer().unwrap();
        review.put(seq, RenditionRole::Text, "text", 1, "text/plain", text).unwrap();
        review.commit().unwrap();
    };
    let notes = |desk: &Desk| -> i64 { desk.connection.query_row("SELECT COUNT(*) FROM stale", [], |row| row.get(0)).unwrap() };
    put(&desk, other, b"text");
    put(&desk, private, b"text");
    assert_eq!((stale(&desk), notes(&desk)), (Some(vec![public, other]), 2));
    put(&desk, other, b"text");
    assert_eq!(notes(&desk), 2, "made again as it was");

    // What others write while a draft is made may be about what is in it: that is looked at again.
    let seen = desk.seen().unwrap();
    put(&desk, private, b"better");
    let draft = desk.create_draft(&new(2, seen), aside(&desk, &[line(other, 2), line(private, 3)])).unwrap();
    assert_eq!(stale(&desk), Some(vec![public, other, private]), "an open draft has settled nothing");
    desk.finish_draft(draft.id).unwrap();
    assert_eq!((stale(&desk), notes(&desk)), (Some(vec![other, private]), 2), "what nobody asks for any more is gone");

    // So is what may not be published for now.
    let seen = desk.seen().unwrap();
    let draft = desk.create_draft(&NewDraft { again: &[public], ..new(3, seen) }, aside(&desk, &[line(other, 2)])).unwrap();
    desk.finish_draft(draft.id).unwrap();
    assert_eq!(stale(&desk), Some(vec![public]));
    // A draft that an older version made has no mark.
    desk.connection.execute("UPDATE draft SET seen = NULL WHERE id = ?1", [draft.id as i64]).unwrap();
    assert_eq!(stale(&desk), None);
}
