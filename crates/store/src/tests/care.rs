use super::*;
use daylight_model::reading::Standing;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What a check finds: outcome and words.
fn findings(desk: &mut Desk) -> Vec<(CheckOutcome, String)> {
    let lease = desk.take_ingest_lease().unwrap();
    let mut found = Vec::new();
    let mut take = |finding: Finding| found.push((finding.outcome, format!("{}: {}", finding.place, finding.what)));
    desk.check(&lease, Repair::Yes, &mut Told { finding: &mut take, progress: &mut |_, _| {} }).unwrap();
    found
}

fn fill<T>(desk: &Desk, work: impl FnOnce(&mut Writer<'_>) -> T) -> T {
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let done = work(&mut writer);
    writer.commit().unwrap();
    done
}

const ORDER: Order<'_> = Order { editor: "Ana", why: "an order", time: 1_800_000_000 };

fn forget(desk: &mut Desk, seqs: &[u64]) -> ForgetPlan {
    let lease = desk.take_ingest_lease().unwrap();
    let plan = desk.plan_forgetting(seqs).unwrap();
    let alone = desk.alone(&lease).unwrap();
    desk.forget(&alone, &plan, &ORDER).unwrap();
    assert!(desk.is_forgetting().unwrap());
    desk.sweep(&alone).unwrap();
    desk.rethread().unwrap();
    desk.settle(&alone).unwrap();
    assert!(!desk.is_forgetting().unwrap());
    plan
}

fn packs(desk: &Desk) -> BTreeSet<String> {
    let names = fs::read_dir(desk.path().join("pack")).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn has(folder: &Path, words: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() { has(&path, words) } else { fs::read(&path).unwrap().windows(words.len()).any(|window| window == words) }
    })
}

#[test]
fn rows_that_name_what_is_not_there_are_found_and_those_of_what_was_taken_out_go() {
    let (_folder, mut desk) = desk();
    let collection = desk.create_collection("c").unwrap();
    let seq = fill(&desk, |writer| {
        let seq = put_file(writer, b"kept");
        writer.member(collection.id, seq).unwrap();
        seq
    });
    assert_eq!(findings(&mut desk), []);
    let run = |sql: &str| desk.connection.execute_batch(sql).unwrap();
    run("INSERT INTO deleted (change, seq) VALUES (90, 50)");
    for (table, columns, rest) in [
        ("fault", "seq, n, stage, code, tool, detail", "0, 0, 0, '', ''"),
        ("member", "seq, collection", "1"),
        ("occurrence", "parent, ordinal, child", "0, 1"),
        ("occurrence", "child, ordinal, parent", "1, 1"),
        ("decision", "seq, collection, audit, state", "1, 1, 0"),
        ("verdict", "seq, verdicts", "x''"),
        ("signed", "seq, name", "'k'"),
        ("number", "seq, collection, origin, number", "1, 'o', 1"),
    ] {
        run(&format!("INSERT INTO {table} ({columns}) VALUES (50, {rest})"));
        if table != "decision" && table != "number" {
            run(&format!("INSERT INTO {table} ({columns}) VALUES (60, {rest})"));
        }
    }
    run("INSERT INTO audit (n, time, actor, action, detail, note, previous, hash) VALUES (2, 0, '', '', '', '', x'00', x'00')");
    desk.connection.execute("DELETE FROM audit", []).unwrap();
    let found = findings(&mut desk);
    let count = |outcome, words: &str| found.iter().filter(|(of, what)| *of == outcome && what.contains(words)).count();
    // Of the one that was taken out and of what can be derived everything goes; a number stays; of the other one, a document is missing.
    assert_eq!(count(CheckOutcome::Repaired, "rows of documents that are gone were taken out"), 7, "{found:#?}");
    assert_eq!(count(CheckOutcome::Damaged, "60 names a document that is not in the catalogue"), 4, "{found:#?}");
    assert_eq!(count(CheckOutcome::Damaged, "table number"), 0, "{found:#?}");
    let again = findings(&mut desk);
    assert!(again.len() == 4 && again.iter().all(|(outcome, _)| *outcome == CheckOutcome::Damaged), "{again:#?}");

    desk.connection.execute("UPDATE document SET blob = 99", []).unwrap();
    let lost = findings(&mut desk);
    assert!(lost.iter().any(|(_, what)| what.contains("its original bytes are not on the desk")), "{seq}: {lost:#?}");
    desk.connection.execute("UPDATE document SET blob = NULL", []).unwrap();
    assert!(findings(&mut desk).iter().any(|(_, what)| what.contains("no fault that says why")));
    desk.connection.execute("UPDATE document SET facts = x'ff'", []).unwrap();
    assert!(findings(&mut desk).iter().any(|(_, what)| what.contains("cannot be read")));
}

#[test]
fn counters_and_conversations_are_made_anew() {
    let (_folder, mut desk) = desk();
    fill(&desk, |writer| {
        let outer = noise(1, 100);
        let blob = writer.blob(&Digest::of(&outer), &outer).unwrap();
        let counted = Some(Counted { expected: Some(2), read: 5, failed: 0 });
        let id = DocumentId::of(Kind::Container, &Digest::of(&outer), "");
        let outer = writer.document(&NewDocument { id, kind: Kind::Container, blob: Some(blob), counted, ..file(&outer) }).unwrap().0;
        let inner = put_file(writer, b"inner");
        writer.occurrence(outer, 0, inner, None, &Standing::default()).unwrap();
        put_message(writer, b"first", &facts(1, "a@x", &[]));
        put_message(writer, b"second", &facts(2, "b@x", &["a@x"]));
    });
    let found = findings(&mut desk);
    assert!(found.iter().all(|(outcome, _)| *outcome == CheckOutcome::Repaired), "{found:#?}");
    assert!(found.iter().any(|(_, what)| what.contains("counted anew")) && found.iter().any(|(_, what)| what.contains("conversations")));
    assert_eq!(findings(&mut desk), []);
    desk.connection.execute("UPDATE thread SET depth = 9", []).unwrap();
    assert_eq!(findings(&mut desk).len(), 1);
}

#[test]
fn what_survives_in_a_pack_is_carried_over_and_no_number_is_used_twice() {
    let (_folder, mut desk) = desk();
    let seqs = fill(&desk, |writer| (0..20).map(|seed| put_file(writer, &noise(seed, 1000))).collect::<Vec<_>>());
    let before = packs(&desk);
    assert!(before.len() > 3);
    forget(&mut desk, &[seqs[9]]);
    let after = packs(&desk);
    assert_eq!(before.difference(&after).count(), 1, "{before:?} {after:?}");
    assert!(!has(desk.path(), &noise(9, 1000)[..32]));
    for (seed, seq) in seqs.iter().enumerate().filter(|(seed, _)| *seed != 9) {
        assert_eq!(desk.raw_bytes(*seq).unwrap(), noise(seed as u64, 1000));
    }
    assert_eq!(findings(&mut desk), []);
    // Everything: a pack is left all the same, so that its number is never given again.
    let rest: Vec<u64> = seqs.iter().copied().filter(|seq| *seq != seqs[9]).collect();
    forget(&mut desk, &rest);
    assert!(packs(&desk).is_disjoint(&after) && packs(&desk).len() == 1);
    assert_eq!(findings(&mut desk), []);
    let next = fill(&desk, |writer| put_file(writer, b"next"));
    assert!(next > seqs[19]);
}

#[test]
fn slices_of_what_goes_become_bytes_of_their_own_whatever_their_size() {
    let (_folder, mut desk) = desk();
    let outer = noise(1, 4 << 20);
    let (large, small, gone) = (0..2 << 20, 3 << 20..(3 << 20) + 100, (3 << 20) + 100..(3 << 20) + 300);
    let (container, large_seq, small_seq, gone_seq) = fill(&desk, |writer| {
        let blob = writer.blob(&Digest::of(&outer), &outer).unwrap();
        let id = DocumentId::of(Kind::Container, &Digest::of(&outer), "");
        let container = writer.document(&NewDocument { id, kind: Kind::Container, blob: Some(blob), ..file(&outer) }).unwrap().0;
        let mut part = |range: std::ops::Range<usize>| {
            let bytes = &outer[range.clone()];
            let blob = writer.slice(&Digest::of(bytes), blob, range.start as u64, bytes.len() as u64).unwrap();
            let seq = writer.document(&NewDocument { blob: Some(blob), ..file(bytes) }).unwrap().0;
            writer.occurrence(container, seq, seq, Some(&Name(b"a name".to_vec())), &Standing::default()).unwrap();
            seq
        };
        (container, part(large.clone()), part(small.clone()), part(gone.clone()))
    });
    let plan = forget(&mut desk, &[gone_seq]);
    assert_eq!(plan.bereft().collect::<Vec<_>>(), [container]);
    assert!(plan.goes_further());
    assert_eq!(desk.raw_bytes(large_seq).unwrap(), outer[large]);
    assert_eq!(desk.raw_bytes(small_seq).unwrap(), outer[small]);
    assert!(matches!(desk.raw_bytes(container), Err(Error::NoBytes(_))));
    assert_eq!(desk.document(container).unwrap().faults[0].code, FaultCode::Forgotten);
    assert!(!has(desk.path(), &outer[gone.clone()]) && desk.document(gone_seq).is_err());
    assert_eq!(findings(&mut desk), []);
    let forgotten = desk.forgotten().unwrap();
    assert!(forgotten.has(&Digest::of(&outer[gone.clone()])) && !forgotten.has(&Digest::of(&outer)));
    assert_eq!(forgotten.why(&Digest::of(&outer[gone])).unwrap(), "forgotten on 2027-01-15: not taken again");
    assert_eq!(forgotten.why(&Digest::of(&outer)).unwrap(), "holds what was forgotten on 2027-01-15: not taken again");
    assert_eq!(forgotten.why(&Digest::of(b"")), None);
}

#[test]
fn what_stands_elsewhere_too_stays_and_nothing_stands_in_the_place_of_no_bytes() {
    let (_folder, mut desk) = desk();
    let (one, other, shared, own, empty) = fill(&desk, |writer| {
        let [one, other] = [b"message one", b"message two"].map(|bytes| put_message(writer, bytes, &facts(1, "", &[])));
        let (shared, own, empty) = (put_file(writer, b"letterhead"), put_file(writer, b"secret"), put_file(writer, b""));
        for (parent, child) in [(one, shared), (other, shared), (one, own), (one, empty), (other, empty)] {
            writer.occurrence(parent, child, child, None, &Standing::default()).unwrap();
        }
        (one, other, shared, own, empty)
    });
    let plan = desk.plan_forgetting(&[one]).unwrap();
    assert_eq!(plan.with_them().collect::<Vec<_>>(), [own]);
    assert_eq!(plan.staying().collect::<Vec<_>>(), [shared, empty]);
    assert_eq!(plan.bereft().count(), 0);
    assert_eq!(desk.plan_forgetting(&[shared]).unwrap().bereft().collect::<Vec<_>>(), [one, other]);
    assert!(!desk.plan_forgetting(&[empty]).unwrap().goes_further());
    forget(&mut desk, &[one]);
    assert_eq!(desk.raw_bytes(shared).unwrap(), b"letterhead");
    // What only went with it is not withheld for ever.
    assert!(!desk.forgotten().unwrap().has(&Digest::of(b"secret")) && desk.forgotten().unwrap().has(&Digest::of(b"message one")));
}

#[test]
fn a_note_that_was_emptied_holds_the_log_together_and_nothing_else_can_be_changed_under_it() {
    let (_folder, mut desk) = desk();
    let collection = desk.create_collection("c").unwrap();
    let seq = fill(&desk, |writer| put_file(writer, b"to go"));
    desk.decide(&collection, &[seq], State::Cleared, "Ana", "query: subject:secretword", 5).unwrap();
    desk.audit(6, "Ben", "other", "", "stays").unwrap();
    assert_eq!(forget(&mut desk, &[seq]).notes(), 1);
    assert!(!has(desk.path(), b"secretword"));
    assert_eq!(desk.verify_audit().unwrap(), 3);
    let entry = desk.audit_log(2, 1).unwrap().remove(0);
    assert_eq!((entry.action.as_str(), entry.actor.as_str(), entry.note.as_str()), ("forgot", "Ana", "an order"));
    assert!(entry.detail.starts_with("documents: 1\nwithout original bytes: 0\nblanked: 1 "), "{}", entry.detail);
    for change in
        ["UPDATE audit SET actor = 'Eve' WHERE n = 1", "UPDATE audit SET note = 'x' WHERE n = 1", "UPDATE audit SET note = '' WHERE n = 2"]
    {
        desk.connection.execute_batch(&format!("SAVEPOINT s; {change}")).unwrap();
        assert!(desk.verify_audit().is_err(), "{change}");
        desk.connection.execute_batch("ROLLBACK TO s; RELEASE s").unwrap();
    }
}

#[test]
fn whoever_is_at_the_desk_stands_in_the_way_and_is_named() {
    let (folder, mut desk) = desk();
    let seq = fill(&desk, |writer| put_file(writer, b"x"));
    let lease = desk.take_ingest_lease().unwrap();
    let review = desk.renditions_writer().unwrap();
    assert!(matches!(desk.alone(&lease), Err(Error::Held(by)) if by.contains("review")));
    drop(review);
    let alone = desk.alone(&lease).unwrap();
    let refused = desk.backup(&folder.path().join("to"), 1, &mut |_, _| {});
    assert!(matches!(refused, Err(Error::Held(by)) if by.contains("forget")));
    drop(alone);
    let review = desk.renditions_writer().unwrap();
    let mut told = Told { finding: &mut |_| {}, progress: &mut |_, _| {} };
    assert!(matches!(desk.reopen().unwrap().check(&lease, Repair::Yes, &mut told), Err(Error::Held(_))));
    drop((review, lease));
    forget(&mut desk, &[seq]);
}

#[test]
fn a_large_file_that_is_damaged_is_named_and_the_rest_is_backed_up() {
    let (folder, desk) = desk();
    let (large, small) = (noise(1, 2 << 20), b"small");
    fill(&desk, |writer| {
        put_file(writer, &large);
        put_file(writer, small);
    });
    let hex = Digest::of(&large).to_string();
    let file = desk.path().join("blob").join(&hex[..2]).join(&hex);
    fs::write(&file, "not it").unwrap();
    let to = folder.path().join("to");
    assert_eq!(desk.backup(&to, 1, &mut |_, _| {}).unwrap().missing, [Digest::of(&large)]);
    let (restored, done) = Desk::restore(&to, &folder.path().join("restored"), &mut |_, _| {}).unwrap();
    assert_eq!((done.time, done.missing.as_slice()), (1, &[Digest::of(&large)][..]));
    assert_eq!(restored.blob_bytes(&Digest::of(small)).unwrap(), small);
    // What an earlier backup has stays in the later ones.
    fs::write(&file, &large).unwrap();
    desk.backup(&to, 2, &mut |_, _| {}).unwrap();
    fs::write(&file, "not it").unwrap();
    assert_eq!(desk.backup(&to, 3, &mut |_, _| {}).unwrap().missing, []);
}
