//! The rule on clearing, told on a real desk with fabricated documents.

use super::*;
use daylight_model::reading::{Label, Segment};
use daylight_model::{Digest, DocumentId, FaultCode, Kind, MessageFacts, Name, Stage};
use daylight_sandbox::Reader;
use daylight_store::{CollectionId, NewDocument, State, Writer};
use tempfile::TempDir;

const NOW: u64 = 1_800_000_000;

fn desk() -> (TempDir, Desk) {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::init(&folder.path().join("desk")).unwrap();
    (folder, desk)
}

/// Fills the collection `papers`.
fn ingest<T>(desk: &mut Desk, fill: impl FnOnce(&mut Writer<'_>, CollectionId) -> T) -> T {
    let collection = desk.create_collection("papers").unwrap();
    let lease = desk.take_ingest_lease().unwrap();
    let mut writer = desk.writer(&lease).unwrap();
    let filled = fill(&mut writer, collection.id);
    writer.commit().unwrap();
    filled
}

fn put(writer: &mut Writer<'_>, collection: CollectionId, kind: Kind, bytes: &[u8], media_type: &str) -> u64 {
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
    Target { origin: "archive.example".into(), serial: 1, highest: 0, title: "Papers".into(), signed: false }
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
