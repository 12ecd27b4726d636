//! The rule on clearing, told on a real desk with fabricated documents.

use super::*;
use daylight_model::reading::{Label, Segment};
use daylight_model::{Digest, DocumentId, FaultCode, Kind, MessageFacts, Name, Stage};
use daylight_sandbox::Reader;
use daylight_store::{CollectionId, NewDocument, State, Writer};
use tempfile::TempDir;

const NOW: u64 = 1_800_000_000;

pub(crate) fn desk() -> (TempDir, Desk) {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::init(&folder.path().join("desk")).unwrap();
    (folder, desk)
}

/// Fills the collection `papers`.
pub(crate) fn ingest<T>(desk: &mut Desk, fill: impl FnOnce(&mut Writer<'_>, CollectionId) -> T) -> T {
    let collection = desk.create_collection("papers").unwrap();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let filled = fill(&mut writer, collection.id);
    writer.commit().unwrap();
    filled
}

pub(crate) fn put(writer: &mut Writer<'_>, collection: CollectionId, kind: Kind, bytes: &[u8], media_type: &str) -> u64 {
    let digest = Digest::of(bytes);
    let blob = writer.blob(&digest, bytes).unwrap();
    let facts = MessageFacts { subject: String::from_utf8_lossy(bytes).into_owned(), ..MessageFacts::default() };
    let new = NewDocument {
        id: DocumentId::of(kind, &digest, ""),
        kind,
        blob: Some(blob),
        length: bytes.len() as u64,
        claims: "",
        media_type,
        title: "name in the trove",
        date: None,
        message: (kind == Kind::Message).then_some(&facts),
        faults: &[],
        counted: None,
        texts: &[
            Segment::new(Label::Body, "shown"),
            Segment::new(Label::Hidden, "not shown"),
            Segment::new(Label::Property, "camera: Kiev 4"),
        ],
        step: "test",
        version: 1,
    };
    let seq = writer.document(&new).unwrap().0;
    writer.member(collection, seq).unwrap();
    seq
}

/// A file of which nothing is known.
fn none() -> NewDocument<'static> {
    NewDocument {
        id: DocumentId::of_unreadable("papers", b"locked.doc"),
        kind: Kind::File,
        blob: None,
        length: 0,
        claims: "",
        media_type: "",
        title: "",
        date: None,
        message: None,
        faults: &[],
        counted: None,
        texts: &[],
        step: "walk",
        version: 1,
    }
}

fn unreadable(writer: &mut Writer<'_>, collection: CollectionId) -> u64 {
    let seq = writer.document(&none()).unwrap().0;
    writer.member(collection, seq).unwrap();
    seq
}

/// A mailbox with two letters; the first holds a note, the second a zip with a page in it. Gives the five in this order: letter, note, letter,
/// zip, page.
fn mailbox(writer: &mut Writer<'_>, collection: CollectionId) -> [u64; 5] {
    let mut put = |kind, bytes: &[u8]| put(writer, collection, kind, bytes, "application/octet-stream");
    let mailbox = put(Kind::Container, b"mailbox");
    let all = [
        put(Kind::Message, b"first letter"),
        put(Kind::File, b"note"),
        put(Kind::Message, b"second letter"),
        put(Kind::Container, b"zip"),
        put(Kind::File, b"page"),
    ];
    let [letter, note, second, zip, page] = all;
    for (ordinal, (parent, child)) in
        [(mailbox, letter), (mailbox, second), (letter, note), (second, zip), (zip, page)].into_iter().enumerate()
    {
        writer.occurrence(parent, ordinal as u64, child, Some(&Name::from("name.ext")), &Default::default()).unwrap();
    }
    all
}

fn nobody() -> Reader {
    Reader { program: "/nonexistent".into(), args: Vec::new() }
}

fn clear_all(desk: &mut Desk) -> Outcome {
    clear(desk, &nobody(), "papers", Selection::All, "Ada", NOW).unwrap()
}

fn target() -> Target {
    Target { origin: "archive.example".into(), serial: 1, highest: 0, title: "Papers".into(), withdrawn: Default::default(), signed: false }
}

/// The numbers of the documents that a new draft has.
fn drafted(desk: &mut Desk) -> Vec<u64> {
    let draft = draft(desk, "papers", &target(), NOW).unwrap().draft;
    draft.map(|draft| draft.documents().map(|document| document.unwrap().number).collect()).unwrap_or_default()
}

#[test]
fn everything_is_cleared_but_packaging_and_what_nobody_could_read() {
    let (_folder, mut desk) = desk();
    let seqs = ingest(&mut desk, |writer, collection| {
        unreadable(writer, collection);
        mailbox(writer, collection)
    });
    let outcome = clear_all(&mut desk);
    assert_eq!(outcome, Outcome { cleared: 5, unreadable: 1, packaging: 1, with_properties: 5, ..Outcome::default() });
    let papers = desk.collection("papers").unwrap().unwrap();
    let decision = desk.decision(papers.id, seqs[0]).unwrap().unwrap();
    assert_eq!((decision.state, decision.editor.as_str(), decision.time, decision.note.as_str()), (State::Cleared, "Ada", NOW, "all"));
    let text = desk.renditions(seqs[0]).unwrap();
    assert_eq!(desk.blob_bytes(&text[0].digest).unwrap(), b"shown\n[hidden text]\nnot shown\n[end of hidden text]\n");

    assert_eq!(clear_all(&mut desk), Outcome { already: 5, unreadable: 1, packaging: 1, ..Outcome::default() });
    assert_eq!(desk.verify_audit().unwrap(), 1);
    assert_eq!(drafted(&mut desk), [1, 2, 3, 4, 5]);
}

#[test]
fn what_holds_something_held_or_new_is_refused_and_withheld() {
    let (_folder, mut desk) = desk();
    let [letter, note, second, zip, page] = ingest(&mut desk, mailbox);
    hold(&mut desk, "papers", &[page], "Ada", "a name in it", NOW).unwrap();
    let outcome = clear_all(&mut desk);
    assert_eq!(outcome.cleared, 2);
    let mut refused: Vec<(String, String)> = outcome.refused.into_iter().map(|refusal| (refusal.id, refusal.why)).collect();
    refused.sort();
    let page_id = desk.short_id(page).unwrap();
    let contains = format!("it contains {page_id}, which is held");
    let mut expected = [(page, "it is held"), (zip, contains.as_str()), (second, contains.as_str())]
        .map(|(seq, why)| (desk.short_id(seq).unwrap(), why.to_owned()));
    expected.sort();
    assert_eq!(refused, expected);

    // A later reading finds something more in the first letter: the clearance no longer covers all that its bytes hold.
    ingest(&mut desk, |writer, collection| {
        let found = put(writer, collection, Kind::File, b"found later", "");
        writer.occurrence(note, 0, found, None, &Default::default()).unwrap();
    });
    let drafted = draft(&mut desk, "papers", &target(), NOW).unwrap();
    assert!(drafted.draft.is_none());
    let withheld: Vec<String> = drafted.withheld.into_iter().map(|refusal| refusal.id).collect();
    assert_eq!(withheld, [letter, note].map(|seq| desk.short_id(seq).unwrap()));
}

#[test]
fn a_draft_is_taken_up_again_as_it_was_and_given_up_when_something_in_it_is_held() {
    let (_folder, mut desk) = desk();
    let seqs = ingest(&mut desk, mailbox);
    clear_all(&mut desk);
    let lines =
        |drafted: Drafted| -> Vec<Document> { drafted.draft.unwrap().documents().map(|document| (*document.unwrap()).clone()).collect() };
    let first = lines(draft(&mut desk, "papers", &target(), NOW).unwrap());
    let again = draft(&mut desk, "papers", &target(), NOW + 9).unwrap();
    assert!(again.resumed && again.draft.as_ref().unwrap().time() == NOW);
    assert_eq!(lines(again), first);
    hold(&mut desk, "papers", &[seqs[1]], "Ada", "", NOW).unwrap();
    let signed = draft(&mut desk, "papers", &Target { signed: true, ..target() }, NOW).unwrap();
    assert_eq!(lines(signed), first, "what was signed is finished");
    let less = draft(&mut desk, "papers", &target(), NOW).unwrap();
    assert!(!less.resumed && less.withheld.len() == 1);
    let mut numbers: Vec<u64> = lines(less).into_iter().map(|document| document.number).collect();
    numbers.sort_unstable();
    assert!(numbers.len() == 3 && first.iter().filter(|document| numbers.contains(&document.number)).count() == 3, "numbers stay");
}

#[test]
fn without_a_reader_nothing_with_html_is_cleared() {
    let (_folder, mut desk) = desk();
    let seq = ingest(&mut desk, |writer, collection| put(writer, collection, Kind::File, b"<p>page", "text/html"));
    let missing = clear(&mut desk, &nobody(), "papers", Selection::All, "Ada", NOW).unwrap_err();
    assert!(missing.to_string().contains("/nonexistent"), "{missing}");
    let papers = desk.collection("papers").unwrap().unwrap();
    assert_eq!(desk.state(papers.id, seq).unwrap(), None, "no reader at all is nobody's decision");
}

#[test]
fn a_view_that_cannot_be_made_is_a_fault_and_the_rest_is_published() {
    let (_folder, mut desk) = desk();
    let seq = ingest(&mut desk, |writer, collection| {
        let digest = Digest::of(b"<p>page");
        let blob = writer.blob(&digest, b"<p>page").unwrap();
        let id = DocumentId::of(Kind::File, &digest, "");
        let seq = writer.document(&NewDocument { id, blob: Some(blob), length: 65 << 20, media_type: "text/html", ..none() }).unwrap().0;
        writer.member(collection, seq).unwrap();
        seq
    });
    let outcome = clear_all(&mut desk);
    assert_eq!((outcome.cleared, outcome.without_view), (1, 1));
    let faults = desk.document(seq).unwrap().faults;
    assert_eq!((faults.len(), faults[0].stage, faults[0].code), (1, Stage::Render, FaultCode::TooLarge));
    assert_eq!(drafted(&mut desk), [1]);
}

#[test]
fn names_that_are_none_are_refused() {
    let (_folder, mut desk) = desk();
    let mut try_as = |name: &str, editor: &str| clear(&mut desk, &nobody(), name, Selection::All, editor, NOW).unwrap_err().to_string();
    assert!(try_as("papers", "Ada").contains("no collection `papers`"));
    for editor in ["", " Ada", "A\nda"] {
        assert!(try_as("papers", editor).contains("editor's name"));
    }
}

/// Publishes what there is to publish, as far as the desk is concerned, and says which numbers that were with the reason of each.
fn published(desk: &mut Desk, target: &Target) -> (Vec<(u64, String)>, Vec<Refusal>) {
    let drafted = draft(desk, "papers", target, NOW).unwrap();
    let Some(draft) = drafted.draft else { return (Vec::new(), drafted.withheld) };
    let lines = draft.documents().map(|document| document.map(|document| (document.number, document.reason.clone())).unwrap()).collect();
    draft.finish().unwrap();
    (lines, drafted.withheld)
}

fn correction(number: u64) -> Correction<'static> {
    Correction { collection: "papers", number, origin: None, editor: "Ada", reason: "a name was wrong", now: NOW + 9 }
}

#[test]
fn what_was_withdrawn_is_not_published_again_unless_somebody_corrects_it() {
    let (_folder, mut desk) = desk();
    ingest(&mut desk, |writer, collection| {
        put(writer, collection, Kind::File, b"one", "text/plain");
        put(writer, collection, Kind::File, b"two", "text/plain");
    });
    clear_all(&mut desk);
    assert_eq!(published(&mut desk, &target()).0.len(), 2);
    let next = |serial| Target { serial, ..target() };
    assert_eq!(withdraw(&mut desk, "papers", "archive.example", &[2, 77], "Ada", "it names a child", NOW + 1).unwrap(), 1);
    assert_eq!(withdraw(&mut desk, "papers", "archive.example", &[2], "Ada", "it names a child", NOW + 2).unwrap(), 0, "once");
    let outcome = clear_all(&mut desk);
    assert_eq!((outcome.cleared, outcome.already, outcome.withdrawn, outcome.refused.len()), (0, 1, 1, 0));
    assert_eq!(published(&mut desk, &next(2)).0, []);
    let counts = desk.counts().unwrap().collections.remove(0);
    assert_eq!((counts.cleared, counts.withdrawn), (1, 1));

    // Both what was withdrawn and what stands can be published anew, once.
    let corrected = correct(&mut desk, &nobody(), &correction(2)).unwrap();
    assert!(corrected.withdrawn && corrected.refused.is_none());
    assert!(!correct(&mut desk, &nobody(), &correction(1)).unwrap().withdrawn);
    let reason = "a name was wrong".to_owned();
    assert_eq!(published(&mut desk, &next(2)).0, [(1, reason.clone()), (2, reason)]);
    assert_eq!(published(&mut desk, &next(3)).0, []);
    assert_eq!(clear_all(&mut desk).already, 2);
}

#[test]
fn a_desk_that_does_not_know_of_a_withdrawal_hears_of_it_from_the_archive() {
    let (_folder, mut desk) = desk();
    ingest(&mut desk, |writer, collection| put(writer, collection, Kind::File, b"one", "text/plain"));
    clear_all(&mut desk);
    published(&mut desk, &target());
    let withdrawn = |time: u64| Target { serial: 2, withdrawn: [(1, time as i64)].into(), ..target() };
    ingest(&mut desk, |writer, collection| {
        let outer = put(writer, collection, Kind::Message, b"a letter", "message/rfc822");
        let inner = desk_number(writer, collection);
        writer.occurrence(outer, 0, inner, Some(&Name::from("one.txt")), &Default::default()).unwrap();
    });
    clear_all(&mut desk);
    let (lines, withheld) = published(&mut desk, &withdrawn(NOW + 10));
    assert_eq!((lines, withheld.len()), (vec![(2, String::new())], 1), "its place changed, and it stays withdrawn all the same");
    assert!(withheld[0].why.contains("was withdrawn as papers/1"), "{}", withheld[0].why);
    correct(&mut desk, &nobody(), &correction(1)).unwrap();
    let before = published(&mut desk, &Target { serial: 3, ..withdrawn(NOW + 10) });
    assert_eq!(before.0, [], "corrected before it was withdrawn");
    assert_eq!(published(&mut desk, &Target { serial: 3, ..withdrawn(NOW + 9) }).0.len(), 1);
}

/// The same file once more.
fn desk_number(writer: &mut Writer<'_>, collection: CollectionId) -> u64 {
    put(writer, collection, Kind::File, b"one", "text/plain")
}

#[test]
fn what_is_held_or_contains_what_is_withdrawn_or_was_never_published_cannot_be_corrected() {
    let (_folder, mut desk) = desk();
    let (outer, _) = ingest(&mut desk, |writer, collection| {
        let outer = put(writer, collection, Kind::Message, b"a letter", "message/rfc822");
        let inner = put(writer, collection, Kind::File, b"enclosed", "text/plain");
        writer.occurrence(outer, 0, inner, Some(&Name::from("enclosed.txt")), &Default::default()).unwrap();
        (outer, inner)
    });
    clear_all(&mut desk);
    published(&mut desk, &target());
    withdraw(&mut desk, "papers", "archive.example", &[2], "Ada", "it names a child", NOW + 1).unwrap();
    let refused = correct(&mut desk, &nobody(), &correction(1)).unwrap().refused.unwrap();
    assert!(refused.why.contains("which was withdrawn"), "{}", refused.why);
    hold(&mut desk, "papers", &[outer], "Ada", "", NOW + 2).unwrap();
    assert!(correct(&mut desk, &nobody(), &correction(1)).unwrap().refused.is_some());
    assert!(matches!(correct(&mut desk, &nobody(), &correction(9)), Err(Error::NotPublished { .. })));
    let elsewhere = Correction { origin: Some("elsewhere"), ..correction(1) };
    assert!(matches!(correct(&mut desk, &nobody(), &elsewhere), Err(Error::NotPublished { .. })));
    assert!(matches!(correct(&mut desk, &nobody(), &Correction { reason: "", ..correction(1) }), Err(Error::BadReason)));
}

#[test]
fn what_was_published_is_published_anew_when_it_changed_and_not_before_it_is_clear() {
    let (_folder, mut desk) = desk();
    let next = |serial| Target { serial, ..target() };
    let (letter, note) = ingest(&mut desk, |writer, collection| {
        let letter = put(writer, collection, Kind::Message, b"a letter", "message/rfc822");
        put(writer, collection, Kind::File, b"another", "text/plain");
        (letter, put(writer, collection, Kind::File, b"note", "text/plain"))
    });
    hold(&mut desk, "papers", &[note], "Ada", "", NOW).unwrap();
    clear_all(&mut desk);
    assert_eq!(published(&mut desk, &target()).0.len(), 2);
    assert_eq!(published(&mut desk, &next(2)).0, []);

    // A later reading finds the held note in the letter, and what is published of the letter changes too.
    ingest(&mut desk, |writer, _| writer.occurrence(letter, 0, note, None, &Default::default()).unwrap());
    let change = |desk: &Desk, text: &[u8]| {
        let mut writer = desk.renditions_writer().unwrap();
        writer.put(letter, daylight_store::RenditionRole::Text, "text", 2, "text/plain; charset=utf-8", text).unwrap();
        writer.commit().unwrap();
    };
    change(&desk, b"read better");
    let withheld = published(&mut desk, &next(2)).1;
    assert_eq!(withheld.iter().map(|refusal| refusal.id.as_str()).collect::<Vec<_>>(), [desk.short_id(letter).unwrap()]);
    // Another release goes out meanwhile. The letter is not forgotten over it.
    ingest(&mut desk, |writer, collection| put(writer, collection, Kind::File, b"a third", "text/plain"));
    clear_all(&mut desk);
    assert_eq!(published(&mut desk, &next(2)).0, [(3, String::new())]);
    let papers = desk.collection("papers").unwrap().unwrap();
    desk.decide(&papers, &[note], State::Cleared, "Ada", "", NOW).unwrap();
    let lines = published(&mut desk, &next(3)).0;
    let numbers: Vec<u64> = lines.iter().map(|(number, _)| *number).collect();
    let letters = desk.number(papers.id, "archive.example", letter).unwrap().unwrap();
    assert_eq!(numbers, [letters, 4], "{lines:?}");
    assert!(lines[0].1.contains("is not as it was"), "{lines:?}");
    assert_eq!(published(&mut desk, &next(4)).0, []);
    // What is made again as it was is nothing new.
    change(&desk, b"read better");
    assert_eq!(published(&mut desk, &next(4)).0, []);
    // What changes while it is held is published once it is not.
    desk.decide(&papers, &[letter], State::Held, "Ada", "", NOW).unwrap();
    change(&desk, b"read best");
    ingest(&mut desk, |writer, collection| put(writer, collection, Kind::File, b"a fourth", "text/plain"));
    clear_all(&mut desk);
    assert_eq!(published(&mut desk, &next(4)).0, [(5, String::new())]);
    desk.decide(&papers, &[letter], State::Cleared, "Ada", "", NOW).unwrap();
    assert_eq!(published(&mut desk, &next(5)).0.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [letters]);
    assert_eq!(published(&mut desk, &next(6)).0, []);
}

/// Records a decision as an earlier version did that made no renditions.
fn cleared_long_ago(desk: &mut Desk, seqs: &[u64]) {
    let papers = desk.collection("papers").unwrap().unwrap();
    desk.decide(&papers, seqs, State::Cleared, "Ada", "all", NOW).unwrap();
}

#[test]
fn what_was_cleared_without_renditions_gets_them_and_is_published_anew_once() {
    let (_folder, mut desk) = desk();
    let seqs = ingest(&mut desk, mailbox);
    cleared_long_ago(&mut desk, &seqs);
    assert_eq!(published(&mut desk, &target()).0.len(), 5);
    let all = |desk: &Desk, anew| renew(desk, &nobody(), "papers", &Renewal { anew, ..Renewal::default() }).unwrap();
    // The mailbox itself is packaging, on which nobody decided.
    let made = Renewed { looked_at: 5, made: 5, passed_over: 1, ..Renewed::default() };
    assert_eq!(all(&desk, false), made);
    let text = desk.renditions(seqs[0]).unwrap();
    assert_eq!(desk.blob_bytes(&text[0].digest).unwrap(), b"shown\n[hidden text]\nnot shown\n[end of hidden text]\n");
    assert_eq!(desk.verify_audit().unwrap(), 1, "nothing was decided");
    let next = |serial| Target { serial, ..target() };
    let (lines, _) = published(&mut desk, &next(2));
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().all(|(_, reason)| reason.starts_with("its text, its view, its pictures")), "{lines:?}");
    for anew in [false, true] {
        assert_eq!(all(&desk, anew), Renewed { made: 0, ..made.clone() });
        assert_eq!(published(&mut desk, &next(3)).0, []);
    }
}

#[test]
fn what_is_held_withdrawn_or_not_decided_on_is_not_made_anew() {
    let (_folder, mut desk) = desk();
    let [cleared, held, withdrawn, undecided] = ingest(&mut desk, |writer, collection| {
        ["one", "two", "three", "four"].map(|text| put(writer, collection, Kind::File, text.as_bytes(), "text/plain"))
    });
    cleared_long_ago(&mut desk, &[cleared, held, withdrawn]);
    let numbers = published(&mut desk, &target()).0;
    assert_eq!(numbers.len(), 3);
    let number = desk.number(desk.collection("papers").unwrap().unwrap().id, "archive.example", withdrawn).unwrap().unwrap();
    withdraw(&mut desk, "papers", "archive.example", &[number], "Ada", "it names a child", NOW + 1).unwrap();
    hold(&mut desk, "papers", &[held], "Ada", "", NOW + 1).unwrap();
    let these = [withdrawn, held, cleared, undecided, held];
    let renewed = renew(&desk, &nobody(), "papers", &Renewal { these: &these, ..Renewal::default() }).unwrap();
    assert_eq!((renewed.looked_at, renewed.made, renewed.passed_over), (1, 1, 3));
    let why: Vec<&str> = renewed.refused.iter().map(|refusal| refusal.why.as_str()).collect();
    assert_eq!(why, ["it is held", "it was withdrawn", "it is not cleared in this collection"]);
    let made = |seq| desk.renditions(seq).unwrap().len();
    assert_eq!([cleared, held, withdrawn, undecided].map(made), [1, 0, 0, 0]);
    assert!(matches!(renew(&desk, &nobody(), "paper", &Renewal::default()), Err(Error::NoCollection(_))));
}

#[test]
fn a_view_that_cannot_be_made_again_is_told_and_the_text_is_made_all_the_same() {
    let (_folder, mut desk) = desk();
    let seq = ingest(&mut desk, |writer, collection| {
        let digest = Digest::of(b"<p>page");
        let blob = writer.blob(&digest, b"<p>page").unwrap();
        let texts = [Segment::new(Label::Body, "page")];
        let id = DocumentId::of(Kind::File, &digest, "");
        let new = NewDocument { id, blob: Some(blob), length: 65 << 20, media_type: "text/html", texts: &texts, ..none() };
        let seq = writer.document(&new).unwrap().0;
        writer.member(collection, seq).unwrap();
        seq
    });
    cleared_long_ago(&mut desk, &[seq]);
    for made in [1, 0] {
        let renewed = renew(&desk, &nobody(), "papers", &Renewal::default()).unwrap();
        assert_eq!(renewed, Renewed { looked_at: 1, made, failed: 1, ..Renewed::default() });
        assert_eq!(desk.document(seq).unwrap().faults.len(), 1, "said once");
    }
}

#[test]
fn what_a_password_opened_after_it_was_cleared_is_not_published_by_making_it_anew() {
    let (_folder, mut desk) = desk();
    let [shut, opened] = ingest(&mut desk, |writer, collection| {
        ["shut", "opened"].map(|text| {
            let seq = put(writer, collection, Kind::File, text.as_bytes(), "application/msword");
            writer.keep_password(seq, "sesame").unwrap();
            seq
        })
    });
    cleared_long_ago(&mut desk, &[shut, opened]);
    // One was cleared when what is in it was known, and published with that.
    let mut writer = desk.renditions_writer().unwrap();
    writer.put(opened, daylight_store::RenditionRole::Text, "text", 1, "text/plain", b"shown").unwrap();
    writer.commit().unwrap();
    drop(writer);
    for anew in [false, true] {
        let these = if anew { vec![shut] } else { Vec::new() };
        let which = Renewal { anew, these: &these, ..Renewal::default() };
        let renewed = renew(&desk, &nobody(), "papers", &which).unwrap();
        assert!(renewed.refused[0].why.starts_with("a password opened it"), "{renewed:?}");
        assert_eq!((renewed.refused.len(), renewed.passed_over, renewed.looked_at), (1, 1, u64::from(!anew)));
        assert!(desk.renditions(shut).unwrap().is_empty());
    }
}
