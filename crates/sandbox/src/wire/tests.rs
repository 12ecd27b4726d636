use super::*;
use daylight_model::reading::{Found, Place, Standing};
use daylight_model::{
    Date, DateDoubt, DateSource, Fault, FaultCode, Kind, MessageFacts, Person, Precision, REGISTERS, Role, Signature, SignatureAlgorithm,
    SignatureKind, SignedBody, Sketch, Stage,
};

/// A small generator of numbers that are the same at every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }
}

fn signatures() -> Vec<Signature> {
    let bodies = [SignedBody::Same, SignedBody::Beginning(u64::MAX), SignedBody::Changed, SignedBody::NotSigned];
    let kinds = SignatureKind::ALL.into_iter().cycle().zip(SignatureAlgorithm::ALL.into_iter().cycle());
    let one = |(body, (kind, algorithm))| Signature {
        kind,
        instance: u32::MAX,
        domain: "town.example".into(),
        selector: "s".into(),
        identity: "@town.example".into(),
        algorithm,
        value: vec![255; 256],
        digest: vec![0; 32],
        body,
        requoted: true,
        headers: vec!["from".into(), "to".into()],
        left_out: vec!["subject".into()],
        time: Some(i64::MIN),
        expires: None,
        problem: "p".into(),
    };
    bodies.into_iter().zip(kinds).map(one).collect()
}

/// Every kind of event, with every code that there is and the extremes of every number.
fn events() -> Vec<Event> {
    let people = Role::ALL.map(|role| Person { role, name: "Ada Ⱥ".into(), address: "ada@town.example".into() });
    let date = |seconds, precision, source, doubt| Date { seconds, offset_minutes: Some(-90), precision, source, doubt };
    let dates = vec![
        date(i64::MIN, Precision::Year, DateSource::DateHeader, Some(DateDoubt::Absurd)),
        date(-1, Precision::Month, DateSource::ReceivedHeader, Some(DateDoubt::FarFromReceived)),
        date(0, Precision::Day, DateSource::MailboxLine, Some(DateDoubt::ZoneUnknown)),
        date(1, Precision::Minute, DateSource::Properties, Some(DateDoubt::Malformed)),
        Date { offset_minutes: None, ..date(i64::MAX, Precision::Second, DateSource::DateHeader, None) },
    ];
    let message = MessageFacts {
        subject: "水庫".into(),
        people: people.to_vec(),
        dates: dates.clone(),
        message_id: "1@town.example".into(),
        in_reply_to: vec![String::new(), "2@town.example".into()],
        references: vec!["0@town.example".into()],
        has_html: true,
        signatures: Some(signatures()),
    };
    let found = |index, kind, place| Found {
        index,
        parent: index.checked_sub(1),
        ordinal: u64::MAX,
        name: (index > 0).then(|| Name(b"a\xff\0/..".to_vec())),
        kind,
        place,
        standing: Box::new(Standing {
            depth: index,
            claimed_type: "text/plain".into(),
            charset: (index > 0).then(|| "koi8-r".into()),
            mailbox_date: dates.first().copied(),
            is_message: index > 0,
        }),
        tool: "mail 1".into(),
        media_type: "message/rfc822".into(),
        claims: "charset=koi8-r".into(),
        message: (kind == Kind::Message).then(|| Box::new(message.clone())),
    };
    let mut all = vec![
        Event::Found(found(0, Kind::Container, Place::Whole)),
        Event::Found(found(1, Kind::Message, Place::Slice { of: 0, offset: 1 << 40, length: u64::MAX })),
        Event::Found(found(u32::MAX, Kind::File, Place::Follows)),
        Event::Bytes { index: 300, bytes: (0..=255).collect() },
        Event::Bytes { index: 0, bytes: Vec::new() },
        Event::Counted { index: 0, expected: Some(9), read: 127, failed: 128 },
        Event::Counted { index: 0, expected: None, read: 1, failed: u64::MAX },
        Event::Unlocked { index: 7, password: u32::MAX },
        Event::Words { index: 7, language: "de".into(), sketch: Some(Box::new(Sketch([0xfedc; REGISTERS]))) },
        Event::Words { index: 0, language: String::new(), sketch: None },
        Event::Cursor(1 << 63),
        Event::View("<p>a</p>".into()),
        Event::Unread { page: 7, gibberish: true },
        Event::Page { width: 2480, height: 3508, dots_per_inch: 300 },
    ];
    all.extend(
        Label::ALL.map(|label| Event::Text { index: 1, segment: Segment { label, page: Some(7), text: "reservoir\0\u{202e}".into() } }),
    );
    for (number, code) in FaultCode::ALL.into_iter().enumerate() {
        let stage = Stage::ALL[number % Stage::ALL.len()];
        let fault = Fault { stage, code, tool: "mail 1".into(), detail: "x".into(), limit: Some(20), at: (number > 3).then_some(7) };
        all.push(Event::Fault { index: 2, fault });
    }
    all
}

/// Reads the one frame that these bytes are.
fn read_frame(bytes: &[u8]) -> Result<Answer, Garbled> {
    let (kind, length) = header(bytes)?.ok_or(Garbled("no header"))?;
    let payload = &bytes[HEADER..];
    if length != payload.len() {
        return Err(Garbled("another length"));
    }
    get_answer(kind, payload)
}

fn frame_of(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    put_event(&mut out, event);
    out
}

#[test]
fn every_event_and_request_reads_back_as_it_was() {
    for event in events() {
        assert_eq!(read_frame(&frame_of(&event)), Ok(Answer::Event(event)));
    }
    let draw = |form| Task::Draw { pages: vec![1, 20_000, u32::MAX], dots_per_inch: 300, form };
    let read = |start, skip_first| Task::Read { start, skip_first };
    for task in [Task::View, read(0, false), read(u64::MAX, true), Task::Unread, draw(Drawn::Grey), draw(Drawn::Png), draw(Drawn::Shown)] {
        for inline in [None, Some(0), Some(u64::MAX)] {
            let request = Request {
                task: task.clone(),
                name: Name(b"\xff.eml".to_vec()),
                budget: 1 << 30,
                passwords: vec!["one".into(), String::new()],
                standing: Standing { depth: 20, claimed_type: "a/b".into(), ..Standing::default() },
                apart: u64::MAX,
                unpacked: inline,
            };
            let mut out = Vec::new();
            put_order(&mut out, &request, inline);
            assert_eq!(get_order(out[0], &out[HEADER..]), Ok(Order { request, inline }));
        }
    }
    let mut out = Vec::new();
    let terms = Terms { version: VERSION, memory: 1 << 33, seconds: u64::MAX, trial: None };
    put_terms(&mut out, &terms);
    assert_eq!(get_terms(out[0], &out[HEADER..]), Ok(terms));
    for probe in Probe::ALL {
        let terms = Terms { trial: Some(Trial { probe, layers: Layers::ALL }), ..terms };
        let mut out = Vec::new();
        put_terms(&mut out, &terms);
        assert_eq!(get_terms(out[0], &out[HEADER..]), Ok(terms));
    }
}

#[test]
fn a_message_to_a_hundred_thousand_people_passes() {
    let people = (0..100_000).map(|n| Person { role: Role::To, name: String::new(), address: format!("{n}@town.example") }).collect();
    let message = Some(Box::new(MessageFacts { people, ..MessageFacts::default() }));
    let Some(Event::Found(found)) = events().into_iter().next() else { panic!("the first is found") };
    let event = Event::Found(Found { message, ..found });
    assert_eq!(read_frame(&frame_of(&event)), Ok(Answer::Event(event)));
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_event() {
    for event in events() {
        let whole = frame_of(&event);
        for length in HEADER..whole.len() {
            let mut cut = whole[..length].to_vec();
            cut[1..HEADER].copy_from_slice(&((length - HEADER) as u32).to_le_bytes());
            let read = read_frame(&cut);
            let open_ended = matches!(event, Event::Bytes { .. } | Event::Text { .. } | Event::View(_));
            assert!(open_ended || read.is_err(), "{event:?} cut at {length}: {read:?}");
            assert_ne!(read, Ok(Answer::Event(event.clone())));
        }
    }
}

#[test]
fn a_hundred_thousand_random_changes_are_errors_or_events_and_never_panic() {
    let frames: Vec<_> = events().iter().map(frame_of).collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for _ in 0..100_000 {
        let mut bytes = frames[dice.roll(frames.len())].clone();
        for _ in 0..=dice.roll(3) {
            let at = if dice.roll(8) == 0 { 0 } else { HEADER + dice.roll(bytes.len() - HEADER + 1) };
            if let Some(byte) = bytes.get_mut(at) {
                *byte = if dice.roll(2) == 0 { 0xff } else { dice.roll(256) as u8 };
            }
        }
        if let Ok(Answer::Event(event)) = read_frame(&bytes) {
            accepted += 1;
            assert_eq!(read_frame(&frame_of(&event)), Ok(Answer::Event(event)));
        }
    }
    assert!((1..100_000).contains(&accepted), "{accepted}");
}

#[test]
fn lengths_that_a_frame_cannot_hold_are_refused_before_anything_is_allocated() {
    let huge = [FOUND, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(header(&huge), Err(Garbled("a frame longer than its kind allows")));
    assert_eq!(header(&[99, 0, 0, 0, 0]), Err(Garbled("a frame of an unknown kind")));
    assert_eq!(header(&huge[..4]), Ok(None));
    let refused = |payload: &[u8]| get_answer(REFUSED, payload);
    assert_eq!(refused(&[0xff, 0xff, 0xff, 0xff, 0x0f, b'x']), Err(Garbled("a length beyond its frame")));
    assert_eq!(refused(&[0xff; 11]), Err(Garbled("a number of more than 64 bits")));
    assert_eq!(refused(&[1, 0xff]), Err(Garbled("text that is not UTF-8")));
    assert_eq!(refused(&[1, b'x', b'y']), Err(Garbled("a frame with bytes left over")));
    let mut list = Vec::new();
    1_000_001u64.put(&mut list);
    assert!(Vec::<Date>::get(&mut Source::of(&list)).is_err());
}
