//! What the fields of a message say about it.

use super::fields::{Field, Fields};
use super::{address, words};
use crate::dates;
use daylight_model::{Date, DateSource, FaultCode, MessageFacts, Role};
use std::borrow::Cow;

/// People beyond this many are left out.
const MOST_PEOPLE: usize = 100_000;
/// Message-IDs in one message beyond this many are left out.
const MOST_IDS: usize = 10_000;
/// No Message-ID is longer than this.
const LONGEST_ID: usize = 2000;
/// A subject longer than this, in bytes, is cut.
const LONGEST_SUBJECT: usize = 256 << 10;

/// What was left out: a code, why, and the limit.
pub(super) type Cut = (FaultCode, &'static str, u64);

/// Reads the facts of a message. `hint` is the character set of its body, `mailbox` the date of its `From ` line.
pub(super) fn read(message: &[u8], hint: Option<&str>, mailbox: Option<Date>) -> (MessageFacts, Vec<Cut>) {
    let mut reading = Reading { facts: MessageFacts::default(), cuts: Vec::new(), date: None, received: None, seen: 0, hint };
    for field in Fields::new(message, 0) {
        reading.take(&field);
    }
    let Reading { mut facts, cuts, mut date, received, .. } = reading;
    if let (Some(date), Some(received)) = (&mut date, &received) {
        dates::compare(date, received);
    }
    facts.dates.extend(date.into_iter().chain(received).chain(mailbox.filter(|date| date.doubt.is_none())));
    (facts, cuts)
}

struct Reading<'a> {
    facts: MessageFacts,
    cuts: Vec<Cut>,
    date: Option<Date>,
    received: Option<Date>,
    /// Which of the fields that may stand once only were seen, as bits: the first one counts, as it does for those who show mail.
    seen: u8,
    hint: Option<&'a str>,
}

impl Reading<'_> {
    fn take(&mut self, field: &Field<'_>) {
        match field.name.len() {
            2 if field.is("To") => self.people(field, Role::To),
            2 if field.is("Cc") => self.people(field, Role::Cc),
            3 if field.is("Bcc") => self.people(field, Role::Bcc),
            4 if field.is("From") => self.people(field, Role::From),
            4 if field.is("Date") => self.date = self.date.or_else(|| dates::parse(&field.unfolded(), DateSource::DateHeader)),
            6 if field.is("Sender") => self.people(field, Role::Sender),
            7 if field.is("Subject") && self.first(1) => self.subject(field),
            8 if field.is("Reply-To") => self.people(field, Role::ReplyTo),
            8 if field.is("Received") => self.received = self.received.or_else(|| dates::parse_received(&field.unfolded())),
            10 if field.is("Message-ID") && self.first(2) => {
                let mut ids = Vec::new();
                self.ids(field, &mut ids);
                self.facts.message_id = ids.into_iter().next().unwrap_or_default();
            }
            10 if field.is("References") && self.first(4) => {
                let mut ids = Vec::new();
                self.ids(field, &mut ids);
                self.facts.references = ids;
            }
            11 if field.is("In-Reply-To") && self.first(8) => {
                let mut ids = Vec::new();
                self.ids(field, &mut ids);
                self.facts.in_reply_to = ids;
            }
            _ => (),
        }
    }

    fn first(&mut self, bit: u8) -> bool {
        let first = self.seen & bit == 0;
        self.seen |= bit;
        first
    }

    fn cut(&mut self, cut: Cut) {
        if !self.cuts.contains(&cut) {
            self.cuts.push(cut);
        }
    }

    fn people(&mut self, field: &Field<'_>, role: Role) {
        if !address::parse(&field.unfolded(), role, self.hint, MOST_PEOPLE, &mut self.facts.people) {
            self.cut((FaultCode::TooMany, "more people are named than are listed", MOST_PEOPLE as u64));
        }
    }

    fn subject(&mut self, field: &Field<'_>) {
        let mut subject = words::decode(&field.unfolded(), self.hint);
        if subject.len() > LONGEST_SUBJECT {
            subject.truncate(subject.floor_char_boundary(LONGEST_SUBJECT));
            self.cut((FaultCode::TooLarge, "the subject is longer than is kept", LONGEST_SUBJECT as u64));
        }
        let trimmed = subject.trim();
        self.facts.subject = if trimmed.len() == subject.len() { subject } else { trimmed.to_owned() };
    }

    /// Everything in angle brackets; where there are none, words that could be one.
    fn ids(&mut self, field: &Field<'_>, ids: &mut Vec<String>) {
        let line = field.unfolded();
        let mut rest: &[u8] = &line;
        while let Some(open) = memchr::memchr(b'<', rest)
            && let Some(length) = memchr::memchr(b'>', &rest[open..])
        {
            self.id(&rest[open + 1..open + length], ids);
            rest = &rest[open + length + 1..];
        }
        if ids.is_empty() {
            for word in line.split(u8::is_ascii_whitespace).filter(|word| word.contains(&b'@')).take(MOST_IDS) {
                self.id(word.trim_ascii(), ids);
            }
        }
        if ids.is_empty() && field.name.len() == 10 && !line.contains(&b' ') {
            self.id(&line, ids);
        }
    }

    fn id(&mut self, id: &[u8], ids: &mut Vec<String>) {
        // A fold within an ID is an accident of whoever folded it.
        let id = id.trim_ascii();
        let id = if id.contains(&b' ') { Cow::Owned(id.iter().copied().filter(|b| *b != b' ').collect()) } else { Cow::Borrowed(id) };
        let id = id.strip_prefix(b"<").unwrap_or(&id);
        let id = id.strip_suffix(b">").unwrap_or(id);
        if id.is_empty() || id.len() > LONGEST_ID {
            return;
        }
        if ids.len() >= MOST_IDS {
            return self.cut((FaultCode::TooMany, "more messages are referred to than are listed", MOST_IDS as u64));
        }
        ids.push(words::plain(id, self.hint));
    }
}
