//! What is sent over a line that breaks, to a drop that keeps bytes by their hash.

use super::*;
use daylight_envelope::{Authenticated, Head, Kind, SealedBy, open_submission};
use std::cell::RefCell;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::time::Duration;

/// A drop; `answers` are given first, in their order, `None` for a line that breaks after everything arrived.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) kept: RefCell<Vec<Vec<u8>>>,
    pub(super) answers: RefCell<Vec<Option<Answered>>>,
    pub(super) asked: RefCell<usize>,
}

impl Line for Fake {
    fn ask(&self, question: &Question<'_>) -> Result<Answered, LineError> {
        *self.asked.borrow_mut() += 1;
        let scripted = !self.answers.borrow().is_empty();
        let answer = scripted.then(|| self.answers.borrow_mut().remove(0));
        if let Some(Some(answer)) = answer {
            return Ok(answer);
        }
        assert_eq!((question.path, question.lookup.is_some()), ("envelope", true));
        let bytes = question.body.clone().unwrap().to_vec();
        let id = Digest::of(&bytes);
        if !self.kept.borrow().contains(&bytes) {
            self.kept.borrow_mut().push(bytes);
        }
        match answer {
            Some(None) => Err(LineError::Broken("it broke off".into())),
            _ => Ok(Answered { status: 201, body: format!("{{\"id\":\"{id}\"}}").into_bytes() }),
        }
    }
}

pub(super) fn patience(tries: u32) -> Patience<'static> {
    Patience { tries, wait: &|_, _| {} }
}

struct Opened {
    head: Head,
    body: Vec<u8>,
    authenticated: Authenticated,
}

fn opened(paper: &Paper, member: u8, envelope: &[u8]) -> Opened {
    let submission = open_submission(&[&identity(50, member)], &paper.newsroom(), envelope).unwrap();
    let (head, mut body) = (submission.head().clone(), Vec::new());
    let authenticated = submission.copy_to(&mut body, None).unwrap().authenticated;
    Opened { head, body, authenticated }
}

fn sending<R>(
    paper: &Paper,
    file: &DirectoryFile,
    line: &Fake,
    tries: u32,
    keys: &SourceKeys,
    say: impl FnOnce(&mut Sending<'_>) -> R,
) -> R {
    let drop = Drop::new(line, patience(tries));
    let directory = paper.watched().unwrap().directory(&file.to_bytes()).unwrap();
    say(&mut Sending { drop: &drop, newsroom: paper.newsroom(), directory: &directory, keys, first: true, now: &|| NOW })
}

#[test]
fn a_broken_line_leaves_one_envelope_of_each_thing() {
    let (paper, file) = Paper::published();
    let (line, keys) = (Fake::default(), source(&paper.newsroom()));
    line.answers.replace(vec![None, None, Some(Answered { status: 429, body: Vec::new() }), None]);
    sending(&paper, &file, &line, 9, &keys, |sending| {
        sending.text("The wall is wet.").unwrap();
        sending.file(b"wall.txt", &mut Cursor::new(b"a wall"), 0, &mut |_| {}).unwrap();
    });
    let kept = line.kept.borrow();
    assert_eq!((kept.len(), *line.asked.borrow()), (2, 6), "each was sealed once, whatever the line did");
    for member in [0, 1] {
        let (text, file) = (opened(&paper, member, &kept[0]), opened(&paper, member, &kept[1]));
        assert!(text.body == b"The wall is wet." && text.head.kind == Kind::Text && text.authenticated == Authenticated::First);
        assert!(file.body == b"a wall" && file.head.name == b"wall.txt" && file.authenticated == Authenticated::Yes);
        assert!(text.head.sealed_by == SealedBy::Tool && text.head.epoch == DAY && file.head.counter != text.head.counter);
        assert!(file.head.reply == keys.reply.recipient() && file.head.counter >> 32 == u64::from(DAY));
    }
}

/// A long file that lies nowhere.
struct Long {
    length: u64,
    at: u64,
}

impl Read for Long {
    /// Ones to the end of the first part, then twos.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = if self.at < PART { PART } else { self.length };
        let now = buffer.len().min((end - self.at) as usize);
        buffer[..now].fill(if self.at < PART { 1 } else { 2 });
        self.at += now as u64;
        Ok(now)
    }
}

impl Seek for Long {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = to else { panic!("{to:?}") };
        self.at = at.min(self.length);
        Ok(self.at)
    }
}

#[test]
fn a_long_file_goes_in_parts_and_goes_on_where_it_broke_off() {
    let (paper, file) = Paper::published();
    let (line, keys) = (Fake::default(), source(&paper.newsroom()));
    let mut long = Long { length: PART + 10, at: 0 };
    let sent = sending(&paper, &file, &line, 1, &keys, |sending| {
        line.answers.replace(vec![Some(Answered { status: 503, body: Vec::new() })]);
        assert!(matches!(sending.file(b"long", &mut long, 0, &mut |_| {}), Err(Stop::Full)));
        let mut parts = Vec::new();
        let all = sending.file(b"long", &mut long, 0, &mut |slice| parts.push((slice.part, slice.of))).unwrap();
        assert_eq!(parts, [(0, 2), (1, 2)]);
        let rest = sending.file(b"long", &mut long, 1, &mut |_| {}).unwrap();
        assert_eq!((all.envelopes.len(), rest.envelopes.len(), all.sha256, all.length), (2, 1, rest.sha256, PART + 10));
        all
    });
    let kept = line.kept.borrow();
    assert_eq!(sent.envelopes, [Digest::of(&kept[0]), Digest::of(&kept[1])]);
    let parts: Vec<Opened> = kept.iter().map(|envelope| opened(&paper, 0, envelope)).collect();
    let kinds: Vec<(u32, bool)> = parts
        .iter()
        .map(|part| match part.head.kind {
            Kind::File { part, last, .. } => (part, last),
            Kind::Text => (9, false),
        })
        .collect();
    assert_eq!(kinds, [(0, false), (1, true), (1, true)]);
    let id = |at: usize| match parts[at].head.kind {
        Kind::File { file, .. } => file,
        Kind::Text => [0; 16],
    };
    assert!(id(0) == id(1) && id(1) == id(2), "a part that is sent again belongs to the same file");
    assert!(parts[0].body == vec![1; PART as usize] && parts[1].body == [2; 10]);
    assert_eq!(parts[2].body, parts[1].body);
}

#[test]
fn what_stops_the_tool_is_said_and_nothing_is_sealed_to_nobody() {
    let (paper, file) = Paper::published();
    let (line, keys) = (Fake::default(), source(&paper.newsroom()));
    let stopped = |status: u16, body: &str| {
        line.answers.replace(vec![Some(Answered { status, body: body.into() })]);
        sending(&paper, &file, &line, 3, &keys, |sending| sending.text("x").unwrap_err())
    };
    assert!(matches!(stopped(503, ""), Stop::Full));
    assert!(matches!(stopped(413, r#"{"error":"no more can be taken from you before the newsroom has answered"}"#), Stop::Unaccepted));
    assert!(matches!(stopped(409, "{\"error\":\"known\"}"), Stop::Refused(why) if why == "known"));
    assert!(matches!(stopped(400, "\u{1b}[31m<html>"), Stop::Refused(why) if why == "status 400"));
    assert!(matches!(stopped(201, "{\"id\":\"0\"}"), Stop::Answer(_)), "an acknowledgement of something else");
    line.answers.replace(vec![None, None, None]);
    *line.asked.borrow_mut() = 0;
    let broken = sending(&paper, &file, &line, 3, &keys, |sending| sending.text("x").unwrap_err());
    assert!(matches!(broken, Stop::Line(LineError::Broken(_))) && *line.asked.borrow() == 3);
    // The day after the last one of the directory, and a file that shrinks while it is read.
    let drop = Drop::new(&line, patience(1));
    let directory = paper.watched().unwrap().directory(&file.to_bytes()).unwrap();
    let later = || NOW + 2 * 86_400;
    let mut sending = Sending { drop: &drop, newsroom: paper.newsroom(), directory: &directory, keys: &keys, first: true, now: &later };
    *line.asked.borrow_mut() = 0;
    assert!(matches!(sending.text("x"), Err(Stop::NoKeys)) && *line.asked.borrow() == 0);
    sending.now = &|| NOW;
    assert!(matches!(sending.file(b"f", &mut Shrinking(Cursor::new(vec![1; 100]), 0), 0, &mut |_| {}), Err(Stop::Changed)));
}

/// A file that has fewer bytes the second time.
struct Shrinking(Cursor<Vec<u8>>, u32);

impl Read for Shrinking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for Shrinking {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.1 += 1;
        if self.1 > 1 {
            self.0.get_mut().truncate(50);
        }
        self.0.seek(to)
    }
}

#[test]
fn waiting_doubles_and_stays_bounded() {
    let waited = RefCell::new(Vec::new());
    let line = Fake::default();
    line.answers.replace(vec![Some(Answered { status: 500, body: Vec::new() }); 20]);
    let wait = |time: Duration, _: &str| waited.borrow_mut().push(time.as_secs());
    let drop = Drop::new(&line, Patience { tries: 10, wait: &wait });
    assert!(matches!(drop.directory(), Err(Stop::Line(_))));
    assert_eq!(*waited.borrow(), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}
