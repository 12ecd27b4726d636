//! What a reader in an enemy's hands may say, and what becomes of it.

use super::*;
use daylight_model::reading::Label;
use daylight_model::{Date, Stage};
use daylight_store::Desk;

fn found(index: u32, parent: Option<u32>, place: Place) -> Event {
    Event::Found(Found {
        index,
        parent,
        ordinal: u64::from(index),
        name: None,
        kind: if index == 0 { Kind::Container } else { Kind::File },
        place,
        standing: Box::default(),
        tool: "test 1".into(),
        media_type: "text/plain".into(),
        claims: String::new(),
        message: None,
    })
}

fn root(bytes: &[u8]) -> Source {
    Source::Memory { bytes: bytes.to_vec(), digest: Digest::of(bytes) }
}

/// Gives events to an assembler over the root `0123456789` and says what it made of them, or why it refused.
fn assembled(events: Vec<Event>) -> Result<Vec<Doc>, String> {
    with_assembler(|assembler| {
        for event in events {
            take(assembler, Said::Event(event))?;
        }
        take(assembler, Said::Done)
    })
    .map(|assembler| assembler.1)
}

fn take(assembler: &mut Assembler<'_>, said: Said) -> Result<(), String> {
    assembler.take(Untrusted::new(said)).map(|_| ()).map_err(|refused| match refused {
        Refused::Broken(why) => why.to_owned(),
        Refused::Disk(error) => error.to_string(),
    })
}

fn with_assembler<T>(work: impl FnOnce(&mut Assembler<'_>) -> Result<T, String>) -> Result<(T, Vec<Doc>), String> {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::init(&folder.path().join("desk")).unwrap();
    let lease = desk.take_ingest_lease().unwrap();
    let staging = desk.writer(&lease).unwrap().staging();
    let source = root(b"0123456789");
    let mut assembler = Assembler::new(&source, &staging, &["test 1"]);
    let done = work(&mut assembler)?;
    Ok((done, assembler.take_all()))
}

#[test]
fn slices_of_slices_and_bytes_that_follow_have_the_digest_of_their_bytes() {
    let bytes = |index, bytes: &[u8]| Event::Bytes { index, bytes: bytes.to_vec() };
    let docs = assembled(vec![
        found(0, None, Place::Whole),
        found(1, Some(0), Place::Slice { of: 0, offset: 2, length: 6 }),
        found(2, Some(1), Place::Slice { of: 1, offset: 1, length: 3 }),
        found(3, Some(1), Place::Follows),
        bytes(3, b"ab"),
        bytes(3, b"cd"),
        found(4, Some(3), Place::Slice { of: 3, offset: 1, length: 2 }),
    ])
    .unwrap();
    let expected: [&[u8]; 5] = [b"0123456789", b"234567", b"345", b"abcd", b"bc"];
    for (doc, bytes) in docs.iter().zip(expected) {
        assert_eq!((doc.digest, doc.length), (Digest::of(bytes), bytes.len() as u64), "document {}", doc.index);
    }
}

#[test]
fn what_breaks_the_rules_of_the_stream_is_refused() {
    let start = || found(0, None, Place::Whole);
    let slice = |of, offset, length| found(1, Some(0), Place::Slice { of, offset, length });
    let text = |index| Event::Text { index, segment: Segment::new(Label::Body, "x") };
    let refused: [(&str, Vec<Event>); 11] = [
        ("text of nothing", vec![text(0)]),
        ("a number left out", vec![start(), found(2, Some(0), Place::Follows)]),
        ("a number twice", vec![start(), start()]),
        ("a child of a child to come", vec![start(), found(1, Some(1), Place::Follows)]),
        ("a second root", vec![start(), found(1, None, Place::Follows)]),
        ("a child that is the whole", vec![start(), found(1, Some(0), Place::Whole)]),
        ("a slice beyond the end", vec![start(), slice(0, 5, 6)]),
        ("a slice beyond numbers", vec![start(), slice(0, u64::MAX, 2)]),
        ("a slice of itself", vec![start(), slice(1, 0, 0)]),
        ("bytes for the root", vec![start(), Event::Bytes { index: 0, bytes: vec![1] }]),
        ("a view unasked", vec![start(), Event::View("x".into())]),
    ];
    for (what, events) in refused {
        assert!(assembled(events).is_err(), "{what}");
    }
    let closed =
        vec![start(), found(1, Some(0), Place::Follows), found(2, Some(0), Place::Follows), Event::Bytes { index: 1, bytes: vec![1] }];
    assert!(assembled(closed).is_err(), "bytes of a document that is closed");
}

#[test]
fn what_stands_before_a_cursor_is_handed_on_and_the_root_stays_known() {
    let (parts, rest) = with_assembler(|assembler| {
        let mut parts = Vec::new();
        take(assembler, Said::Event(found(0, None, Place::Whole)))?;
        for index in 1..=4 {
            take(assembler, Said::Event(found(index, Some(0), Place::Slice { of: 0, offset: u64::from(index), length: 2 })))?;
            take(assembler, Said::Event(Event::Cursor(u64::from(index) * 10)))?;
            if index % 2 == 0 {
                let (docs, cursor) = assembler.take_safe().unwrap();
                parts.push((docs.iter().map(|doc| doc.index).collect::<Vec<_>>(), cursor));
                // What was handed on is no longer there to be sliced.
                let gone = found(index + 1, Some(0), Place::Slice { of: index, offset: 0, length: 1 });
                assert!(take(assembler, Said::Event(gone)).is_err());
            }
        }
        let counted = Event::Counted { index: 0, expected: Some(4), read: 4, failed: 0 };
        take(assembler, Said::Event(counted))?;
        take(assembler, Said::Done)?;
        Ok(parts)
    })
    .unwrap();
    assert_eq!(parts, [(vec![0, 1, 2], 20), (vec![0, 3, 4], 40)]);
    assert_eq!(rest.iter().map(|doc| (doc.index, doc.counted)).collect::<Vec<_>>(), [(0, Some((Some(4), 4, 0)))]);
}

#[test]
fn however_much_stands_before_the_next_cursor_little_of_it_is_held() {
    let piece = || "word ".repeat(200_000);
    let (held, docs) = with_assembler(|assembler| {
        take(assembler, Said::Event(found(0, None, Place::Whole)))?;
        take(assembler, Said::Event(found(1, Some(0), Place::Follows)))?;
        for index in 2..=30 {
            take(assembler, Said::Event(found(index, Some(1), Place::Follows)))?;
            take(assembler, Said::Event(Event::Bytes { index, bytes: vec![index as u8; 1 << 20] }))?;
            let texts = if index == 2 { 6 } else { 1 };
            for _ in 0..texts {
                take(assembler, Said::Event(Event::Text { index, segment: Segment::new(Label::Body, piece()) }))?;
            }
        }
        assert!(!assembler.is_ready());
        take(assembler, Said::Event(Event::Cursor(1)))?;
        assert!(assembler.is_ready());
        let held = assembler.held;
        assert_eq!(held, assembler.docs.iter().map(Doc::in_memory).sum::<u64>());
        for doc in &mut assembler.docs[2..] {
            let texts = match &mut doc.long {
                Some(long) => long.end().unwrap().unwrap_or_default(),
                None => doc.texts.clone(),
            };
            // The first is long, and is not given back.
            let expected = usize::from(doc.index != 2);
            assert_eq!(texts, vec![Segment::new(Label::Body, piece()); expected], "document {}", doc.index);
        }
        Ok(held)
    })
    .unwrap();
    assert!((4 << 20..MOST_HELD + (2 << 20)).contains(&held), "{held}");
    for doc in &docs[2..] {
        let bytes = vec![doc.index as u8; 1 << 20];
        assert_eq!((doc.length, doc.digest), (1 << 20, Digest::of(&bytes)), "document {}", doc.index);
    }
}

/// What a captured reader may try beyond breaking the rules: to be forgotten, to fill the memory, to keep the parent busy, to speak to a terminal.
#[test]
fn what_is_beyond_all_measure_is_refused_or_cut() {
    let start = || found(0, None, Place::Whole);
    let with = |change: &dyn Fn(&mut Found)| {
        let Event::Found(mut child) = found(1, Some(0), Place::Follows) else { unreachable!() };
        change(&mut child);
        vec![start(), Event::Found(child)]
    };
    let message = |facts: MessageFacts| with(&|child| child.message = Some(Box::new(facts.clone())));
    let date = |seconds| Date {
        seconds,
        offset_minutes: None,
        precision: daylight_model::Precision::Second,
        source: daylight_model::DateSource::DateHeader,
        doubt: None,
    };
    let deep: Vec<Event> = (0..=66u32).map(|n| found(n, n.checked_sub(1), if n == 0 { Place::Whole } else { Place::Follows })).collect();
    let refused: [(&str, Vec<Event>); 7] = [
        ("nothing said at all", vec![]),
        ("the highest number", vec![start(), Event::Bytes { index: u32::MAX, bytes: vec![1] }]),
        ("a date after all years", message(MessageFacts { dates: vec![date(i64::MAX)], ..MessageFacts::default() })),
        ("a date before all years", message(MessageFacts { dates: vec![date(i64::MIN)], ..MessageFacts::default() })),
        ("a name of a megabyte", with(&|child| child.name = Some(Name(vec![b'x'; 1 << 20])))),
        ("a nest of 66", deep),
        (
            "bytes after a cursor",
            vec![start(), found(1, Some(0), Place::Follows), Event::Cursor(1), Event::Bytes { index: 1, bytes: vec![1] }],
        ),
    ];
    for (what, events) in refused {
        assert!(assembled(events).is_err(), "{what}");
    }
    let slices = (1..100).map(|n| found(n, Some(0), Place::Slice { of: n - 1, offset: 0, length: 1 }));
    assert!(assembled([start()].into_iter().chain(slices).collect()).is_err(), "slices of slices of slices");
    let fault = Fault {
        stage: Stage::Read,
        code: FaultCode::Malformed,
        tool: "\u{1b}]0;x".into(),
        detail: "a\nb\u{202e}".repeat(400),
        limit: None,
        at: None,
    };
    let docs = assembled(vec![start(), Event::Fault { index: 0, fault }]).unwrap();
    let said = docs[0].faults[0].to_string() + &docs[0].faults[0].tool;
    assert!(said.len() < 600 && !said.contains(['\u{1b}', '\n', '\u{202e}']), "{said:?}");
}

#[test]
fn a_file_of_which_too_much_is_told_is_cut_or_given_up() {
    let ((), docs) = with_assembler(|assembler| {
        take(assembler, Said::Event(found(0, None, Place::Whole)))?;
        take(assembler, Said::Event(found(1, Some(0), Place::Follows)))?;
        for _ in 0..(MOST_FAULTS + 10) {
            let fault =
                Fault { stage: Stage::Read, code: FaultCode::Malformed, tool: String::new(), detail: String::new(), limit: None, at: None };
            take(assembler, Said::Event(Event::Fault { index: 1, fault }))?;
        }
        take(assembler, Said::Done)
    })
    .unwrap();
    assert_eq!((docs[1].faults.len(), docs[1].faults[MOST_FAULTS].code), (MOST_FAULTS + 1, FaultCode::TooMany));
    let hashed = with_assembler(|assembler| {
        take(assembler, Said::Event(found(0, None, Place::Whole)))?;
        assembler.measure = Measure::of(0);
        assembler.measure.hash(8 << 30).unwrap();
        take(assembler, Said::Event(found(1, Some(0), Place::Slice { of: 0, offset: 0, length: 10 })))?;
        take(assembler, Said::Done)
    });
    assert!(hashed.is_err(), "what was hashed enough is not hashed again");
    let heavy = with_assembler(|assembler| {
        for index in 0..20_000 {
            let Event::Found(mut one) =
                found(index, index.checked_sub(1).map(|_| 0), if index == 0 { Place::Whole } else { Place::Follows })
            else {
                unreachable!()
            };
            one.claims = "x".repeat(64 << 10);
            take(assembler, Said::Event(Event::Found(one)))?;
            // What is said is counted, not what happens to be held.
            assembler.docs[index as usize].claims = String::new();
        }
        Ok(())
    });
    assert!(heavy.is_err(), "more names than memory");
}

#[test]
fn the_words_of_a_container_are_not_held_however_many_they_are() {
    let word = || Segment::new(Label::Body, "words ");
    let ((copied, long), docs) = with_assembler(|assembler| {
        take(assembler, Said::Event(found(0, None, Place::Whole)))?;
        take(assembler, Said::Event(found(1, Some(0), Place::Follows)))?;
        for index in (0..40).map(|n| n % 2) {
            take(assembler, Said::Event(Event::Text { index, segment: word() }))?;
        }
        let long = assembler.docs[0].long.as_mut().map(|long| long.end().unwrap().unwrap_or_default());
        Ok((assembler.docs[0].stand_in().texts.len(), long))
    })
    .unwrap();
    assert_eq!((copied, docs[0].texts.len(), long), (0, 0, Some(vec![word(); 20])));
    assert_eq!((docs[1].texts.len(), docs[1].long.is_none()), (20, true));
}
