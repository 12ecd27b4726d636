use super::*;
use daylight_archive::log::{Builder, Tree, leaf_hash};
use daylight_archive::manifest::{PartWriter, RawLine};
use daylight_archive::policy::Policy;
use daylight_archive::record::Record;
use daylight_archive::root::{Quorum, Retired};
use daylight_model::{Digest, Kind as DocumentKind};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;

const ORIGIN: &str = "archive.example/test";

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

fn editor(i: u8) -> Signer {
    signer(&format!("editor{i}"), 10 + i)
}

fn recovery(i: u8) -> Signer {
    signer(&format!("recovery{i}"), 50 + i)
}

fn root_of(version: u64, editors: &[u8]) -> Root {
    let keys = |signers: Vec<Signer>| signers.iter().map(Signer::key).collect();
    Root {
        version,
        origin: ORIGIN.into(),
        editors: Quorum { keys: keys(editors.iter().map(|i| editor(*i)).collect()), threshold: 2 },
        recovery: Quorum { keys: keys((1..=3).map(recovery).collect()), threshold: 2 },
        log: signer(ORIGIN, 1).key(),
        retired: Vec::new(),
        witnesses: Policy::none(),
        mirrors: Vec::new(),
        onions: Vec::new(),
    }
}

fn first() -> Chain {
    let root = root_of(1, &[1, 2, 3]);
    let mut note = root.note().unwrap();
    [editor(1), editor(2)].iter().for_each(|signer| note.sign(signer));
    Chain::begin(&root.to_json().unwrap(), &note.to_bytes()).unwrap()
}

fn second() -> Root {
    Root { retired: vec![Retired { key: editor(1).key(), size: 40 }], ..root_of(2, &[2, 3, 4]) }
}

/// A release of so many documents, with its request's lines.
fn release(titles: &[&str]) -> Request {
    let mut part = PartWriter::new(Vec::new());
    let mut tree = Builder::new();
    for (number, title) in (1..).zip(titles) {
        let record = Record { number, title: (*title).into(), ..blank() };
        tree.push(leaf_hash(&part.push(&[number as u8; 32], &record.to_json().unwrap()).unwrap().0));
    }
    let tiles: BTreeMap<String, Vec<u8>> = tree.partial().into_iter().collect();
    let (manifest, _) = part.finish();
    let lines = manifest.split_inclusive(|byte| *byte == b'\n').take(LISTED as usize).enumerate().map(|(index, line)| {
        let path = Tree::new(&tiles, "", titles.len() as u64).inclusion(index as u64).unwrap();
        Listed::new(line, path).unwrap()
    });
    let chain = first();
    let note = ReleaseNote {
        origin: ORIGIN.into(),
        serial: 1,
        root: chain.last().digest,
        collection: "council".into(),
        lines: titles.len() as u64,
        manifest: tree.root(),
        audit: Digest::of(b"audit"),
        time: 1_795_372_835,
        title: "Town council".into(),
    };
    Request::release(&chain, &note, &lines.collect::<Vec<_>>()).unwrap()
}

fn blank() -> Record {
    Record {
        number: 1,
        kind: DocumentKind::Message,
        title: String::new(),
        media_type: "message/rfc822".into(),
        language: String::new(),
        dates: Vec::new(),
        people: Vec::new(),
        occurrences: Vec::new(),
        thread: None,
        answers: None,
        verdicts: Vec::new(),
        faults: Vec::new(),
        reason: String::new(),
        files: Vec::new(),
    }
}

fn heartbeat() -> Request {
    let chain = first();
    Request::other(
        &chain,
        &format!("daylight-heartbeat/v1\norigin {ORIGIN}\nserial 4\nroot {}\ntime 2026-11-22T18:40:35Z\n", chain.last().digest),
    )
    .unwrap()
}

/// The request with something in its file replaced: read, it must be refused.
fn changed(request: &Request, from: &str, to: &str) -> Result<Request, RequestError> {
    let text = String::from_utf8(request.to_bytes().unwrap()).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    Request::parse(text.replacen(from, to, 1).as_bytes())
}

fn shown(request: &Request) -> String {
    let words = request.words().unwrap();
    let lines = words.lines.iter().map(|(label, value)| format!("{label}|{value}\n"));
    format!("{}\n{}", words.title, lines.collect::<String>())
}

#[test]
fn a_request_is_read_back_signed_elsewhere_and_merged_in_any_order_to_the_same_note() {
    let request = release(&["one", "two", "three"]);
    let bytes = request.to_bytes().unwrap();
    let copy = || Request::parse(&bytes).unwrap();
    assert_eq!(copy().to_bytes().unwrap(), bytes);
    let (mut ada, mut bob) = (copy(), copy());
    assert!(ada.sign(&editor(3)).unwrap() && bob.sign(&editor(1)).unwrap());
    assert!(!ada.sign(&editor(3)).unwrap(), "signed before: nothing is added");
    let (mut one, mut other) = (ada.clone(), bob.clone());
    one.merge(&bob).unwrap();
    other.merge(&ada).unwrap();
    other.merge(&ada).unwrap();
    assert!(!ada.standing().unwrap().complete() && one.standing().unwrap().complete());
    assert_eq!(one.note().to_bytes(), other.note().to_bytes());
    let mut direct = Note::new(request.text()).unwrap();
    [editor(1), editor(3)].iter().for_each(|signer| direct.sign(signer));
    assert_eq!(one.note().to_bytes(), direct.to_bytes());
    assert!(matches!(one.merge(&heartbeat()), Err(RequestError::OtherText)));
}

#[test]
fn the_same_signature_is_not_counted_twice_and_a_key_counts_once() {
    let mut request = release(&["one"]);
    request.sign(&editor(1)).unwrap();
    let line = signature_lines(request.note()).unwrap().remove(0);
    let twice = changed(&request, &format!("[\"{line}\"]"), &format!("[\"{line}\",\"{line}\"]"));
    assert!(matches!(twice, Err(RequestError::Signatures(NoteError::Stray(_)))), "{twice:?}");
    let copy = request.clone();
    request.merge(&copy).unwrap();
    assert!(!request.standing().unwrap().complete());
    // The same key under another name is a stranger.
    assert!(matches!(request.sign(&signer("alias", 11)), Err(RequestError::NotAParty { .. })));
}

#[test]
fn what_is_shown_is_bound_to_what_is_signed() {
    let request = release(&["The budget", "The wall"]);
    let text = shown(&request);
    assert!(text.contains("release 1 of archive.example/test\ncollection|council: Town council\ndocuments|2\n"), "{text}");
    assert!(text.contains("the first|council/1  message  The budget\n|council/2  message  The wall\n"), "{text}");
    // Another title for a document, lines left out or moved, another archive's root: none of it is a request.
    assert!(matches!(changed(&request, "The budget", "The gadget"), Err(RequestError::Contradiction(_))));
    assert!(matches!(changed(&request, "lines 2", "lines 3"), Err(RequestError::Contradiction(_))));
    assert!(matches!(changed(&request, "\"editor1+", "\"editor9+"), Err(RequestError::Roots(_))));
    let line = Value::Array(vec![request_line(&request, 0), request_line(&request, 1)]).to_string();
    let swapped = Value::Array(vec![request_line(&request, 1), request_line(&request, 0)]).to_string();
    assert!(matches!(changed(&request, &line, &swapped), Err(RequestError::Contradiction(_))));
    assert!(matches!(changed(&request, &line, "[]"), Err(RequestError::Contradiction(_))));
    assert!(matches!(changed(&request, "daylight-release/v1", "daylight-release/v2"), Err(RequestError::UnknownType(_))));
    assert!(matches!(changed(&request, "daylight-request/v1", "daylight-request/v2"), Err(RequestError::Form(_))));
    assert!(matches!(changed(&request, "\"format\"", "\"fromat\""), Err(RequestError::Form(_))));
}

fn request_line(request: &Request, place: usize) -> Value {
    request.attached["lines"][place].clone()
}

#[test]
fn no_byte_of_a_signed_request_can_be_changed_unseen() {
    let mut release = release(&["The budget", "The wall", "The gate"]);
    let mut root = Request::root(Some(&first()), &second()).unwrap();
    assert!(release.sign(&editor(1)).unwrap() && root.sign(&editor(2)).unwrap());
    for request in [release, root] {
        let bytes = request.to_bytes().unwrap();
        for at in 0..bytes.len() - 1 {
            for bit in [1, 32] {
                let mut flipped = bytes.clone();
                flipped[at] ^= bit;
                assert!(
                    Request::parse(&flipped).is_err(),
                    "byte {at}: {:?}",
                    String::from_utf8_lossy(&flipped[at.saturating_sub(20)..at + 9])
                );
            }
        }
    }
}

#[test]
fn a_root_is_shown_as_who_comes_and_who_goes() {
    let request = Request::root(Some(&first()), &second()).unwrap();
    let text = shown(&Request::parse(&request.to_bytes().unwrap()).unwrap());
    for part in [
        "root 2 of archive.example/test\neditors|2 of 3 must sign\n|stays editor2+",
        "\n|comes editor4+",
        "\n|goes  editor1+",
        "editor1's signatures count no more from log size 40 on",
        "log key|stays archive.example/test+",
        "witnesses stay|quorum none",
        "signatures|2 of editor1, editor2, editor3: editors of root 1 needed, signed by none yet; and 2 of editor2, editor3, editor4",
        "|or 2 of recovery1, recovery2, recovery3",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert_eq!(request.words().unwrap().unchecked.len(), 1, "whose key editor4's is");
    let other = Root { mirrors: vec!["https://evil.example/".into()], ..second() };
    let (honest, evil) = (second().to_json().unwrap(), other.to_json().unwrap());
    let quoted = |json: Vec<u8>| Value::from(String::from_utf8(json).unwrap()).to_string();
    assert!(
        matches!(changed(&request, &quoted(honest), &quoted(evil)), Err(RequestError::Contradiction(_))),
        "a root shown, another signed"
    );
}

#[test]
fn a_root_comes_into_force_by_both_groups_of_editors_or_by_recovery_keys() {
    let mut request = Request::root(Some(&first()), &second()).unwrap();
    [1, 2].iter().for_each(|i| _ = request.sign(&editor(*i)).unwrap());
    assert!(!request.standing().unwrap().complete(), "only the old");
    request.sign(&editor(4)).unwrap();
    assert!(request.standing().unwrap().complete());
    let mut request = Request::root(Some(&first()), &second()).unwrap();
    [3, 4].iter().for_each(|i| _ = request.sign(&editor(*i)).unwrap());
    assert!(!request.standing().unwrap().complete(), "only the new");
    let mut request = Request::root(Some(&first()), &second()).unwrap();
    [1, 3].iter().for_each(|i| _ = request.sign(&recovery(*i)).unwrap());
    assert!(request.standing().unwrap().complete());
    let mut begun = first();
    begun.extend(&second().to_json().unwrap(), &request.note().to_bytes()).unwrap();
    let skipped = Root { version: 3, retired: Vec::new(), ..root_of(3, &[1, 2, 3]) };
    assert!(matches!(Request::root(Some(&first()), &skipped), Err(RequestError::Contradiction(_))), "a root skipped");
}

#[test]
fn keys_that_do_not_count_are_refused_with_who_does() {
    let mut request = release(&["one"]);
    for stranger in [recovery(1), editor(4), signer(ORIGIN, 1), signer("editor1", 99)] {
        let refused = request.sign(&stranger).unwrap_err().to_string();
        assert!(
            refused.contains("editors of root 1 are editor1, editor2, editor3") && refused.contains("recovery keys sign roots only"),
            "{refused}"
        );
    }
    let mut heartbeat = heartbeat();
    assert!(!heartbeat.standing().unwrap().complete());
    heartbeat.sign(&editor(2)).unwrap();
    assert!(heartbeat.standing().unwrap().complete(), "one editor is enough for a heartbeat");
    assert!(shown(&heartbeat).contains("heartbeat 4 of archive.example/test\nits whole text|daylight-heartbeat/v1\n"));
}

#[test]
fn a_pinned_root_tells_another_publisher() {
    let request = release(&["one"]);
    request.require_anchor(&first().last().json).unwrap();
    let other = Root { mirrors: vec!["https://evil.example/".into()], ..root_of(1, &[1, 2, 3]) };
    assert!(matches!(request.require_anchor(&other.to_json().unwrap()), Err(RequestError::OtherRoot { .. })));
    let begin = Request::root(None, &other).unwrap();
    begin.require_anchor(&other.to_json().unwrap()).unwrap();
    assert!(begin.require_anchor(&first().last().json).is_err());
}

#[test]
fn nothing_shown_moves_or_hides_text() {
    assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\u{200b}d\u{2028}e\\ é 漢"), "a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{2028}e\\\\ é 漢");
    let request = release(&["before\u{202e}after\u{1b}]0;title\u{7}"]);
    let text = shown(&request);
    assert!(text.contains("before\\u{202e}after\\u{1b}]0;title\\u{7}") && !text.contains('\u{202e}'), "{text}");
    assert!(Request::parse(&vec![b' '; MAX_REQUEST + 2]).is_err() && Request::parse(b"").is_err() && Request::parse(b"{}").is_err());
}

#[test]
fn wrong_signatures_and_texts_of_no_archive_are_refused() {
    let mut request = heartbeat();
    request.sign(&editor(1)).unwrap();
    let wrong = changed(&request, "40:35Z", "40:36Z");
    assert!(matches!(wrong, Err(RequestError::Signatures(NoteError::Wrong(_)))), "{wrong:?}");
    let unsigned = heartbeat();
    for (from, to) in [
        ("serial 4", "serial 04"),
        ("serial 4", "serial 0"),
        ("origin archive", "origin other"),
        ("\"attached\":{}", "\"attached\":{\"x\":1}"),
    ] {
        assert!(changed(&unsigned, from, to).is_err(), "{to}");
    }
    let raw = RawLine::parse(b"no line");
    assert!(raw.is_none());
}
