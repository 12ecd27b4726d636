//! The compact forms in which the catalogue keeps what need not be asked for by SQL: the facts of a document, and the segments of its text.

use crate::error::{Error, Result};
use daylight_model::reading::{Label, Segment, Standing};
use daylight_model::{
    Caution, Date, DateDoubt, DateSource, FaultCode, KeySeen, Kind, MessageFacts, Outcome, Person, Precision, Role, Signature,
    SignatureAlgorithm, SignatureKind, SignedBody, Stage, Verdict,
};

/// 1 had no signatures.
const FACTS: u8 = 2;
const VERDICTS: u8 = 1;
/// The version of how a document stands in another.
const STANDING: u8 = 1;
/// 1 had no pages.
const TEXT: u8 = 2;
/// The version of a text in parts.
pub(crate) const LONG_TEXT: u8 = 3;

const PRECISIONS: [Precision; 5] = [Precision::Year, Precision::Month, Precision::Day, Precision::Minute, Precision::Second];
const SOURCES: [DateSource; 4] = [DateSource::DateHeader, DateSource::ReceivedHeader, DateSource::MailboxLine, DateSource::Properties];
const DOUBTS: [DateDoubt; 4] = [DateDoubt::Absurd, DateDoubt::FarFromReceived, DateDoubt::ZoneUnknown, DateDoubt::Malformed];

/// How a container fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counted {
    /// How many children it should have, where it says so.
    pub expected: Option<u64>,
    /// How many were found.
    pub read: u64,
    /// How many of those could not be read at all.
    pub failed: u64,
}

/// What the facts column holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) date: Option<Date>,
    pub(crate) counted: Option<Counted>,
    pub(crate) message: Option<MessageFacts>,
}

/// The part of the facts that threading needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Links {
    pub(crate) date: Option<i64>,
    pub(crate) message_id: String,
    pub(crate) in_reply_to: Vec<String>,
    pub(crate) references: Vec<String>,
    pub(crate) subject: String,
}

impl Facts {
    /// Version, presence bits (1 date, 2 counted, 4 message), then each; of a message first what threading needs.
    pub(crate) fn encode(date: Option<Date>, counted: Option<Counted>, message: Option<&MessageFacts>) -> Vec<u8> {
        let bits = u8::from(date.is_some()) | u8::from(counted.is_some()) << 1 | u8::from(message.is_some()) << 2;
        let mut out = vec![FACTS, bits];
        if let Some(date) = date {
            put_date(&mut out, &date);
        }
        if let Some(counted) = counted {
            put(&mut out, counted.expected.map_or(0, |expected| expected.saturating_add(1)));
            put(&mut out, counted.read);
            put(&mut out, counted.failed);
        }
        if let Some(message) = message {
            put_message(&mut out, message);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut take = Take::of(bytes, "facts of a document");
        let (version, bits) = take.start(FACTS)?;
        let date = if bits & 1 != 0 { Some(take.date()?) } else { None };
        let counted = if bits & 2 != 0 { Some(take.counted()?) } else { None };
        let message = if bits & 4 != 0 { Some(take.message(version)?) } else { None };
        Ok(Self { date, counted, message })
    }

    /// The date, and nothing else.
    pub(crate) fn date(bytes: &[u8]) -> Result<Option<Date>> {
        let mut take = Take::of(bytes, "facts of a document");
        let (_, bits) = take.start(FACTS)?;
        if bits & 1 != 0 { take.date().map(Some) } else { Ok(None) }
    }
}

impl Links {
    /// Reads no further than threading needs.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut take = Take::of(bytes, "facts of a message");
        let (_, bits) = take.start(FACTS)?;
        let date = if bits & 1 != 0 { Some(take.date()?.seconds) } else { None };
        if bits & 2 != 0 {
            take.counted()?;
        }
        if bits & 4 == 0 {
            return Ok(Self { date, ..Self::default() });
        }
        Ok(Self { date, message_id: take.string()?, in_reply_to: take.strings()?, references: take.strings()?, subject: take.string()? })
    }
}

/// Version, number of segments, then for each its label, its page or 0, length and UTF-8 bytes.
pub(crate) fn encode_text(texts: &[Segment]) -> Vec<u8> {
    let mut out = Vec::with_capacity(texts.iter().map(|segment| segment.text.len() + 15).sum::<usize>() + 10);
    out.push(TEXT);
    put_segments(&mut out, texts);
    out
}

/// The segments of a part: what follows the version of a text.
pub(crate) fn encode_segments(texts: &[Segment]) -> Vec<u8> {
    let mut out = Vec::with_capacity(texts.iter().map(|segment| segment.text.len() + 15).sum::<usize>() + 10);
    put_segments(&mut out, texts);
    out
}

fn put_segments(out: &mut Vec<u8>, texts: &[Segment]) {
    put(out, texts.len() as u64);
    for segment in texts {
        out.push(code(&Label::ALL, &segment.label));
        put(out, u64::from(segment.page.unwrap_or(0)));
        put_bytes(out, segment.text.as_bytes());
    }
}

/// One part of a long text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) length: u64,
    pub(crate) crc: u32,
}

/// Version, number of parts, then for each its length and CRC-32; the CRC-32 of all that.
pub(crate) fn encode_table(parts: &[Part]) -> Vec<u8> {
    let mut out = vec![LONG_TEXT];
    put(&mut out, parts.len() as u64);
    for part in parts {
        put(&mut out, part.length);
        out.extend(part.crc.to_be_bytes());
    }
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

/// How many bytes a table may have at most, by its beginning.
pub(crate) fn table_length(head: &[u8]) -> Result<u64> {
    let mut take = Take::of(head, TABLE);
    take.byte()?;
    Ok(take.number()?.saturating_mul(14).saturating_add(15))
}

/// Reads a table at the beginning of `bytes`, and says where it ends.
pub(crate) fn decode_table(bytes: &[u8]) -> Result<(Vec<Part>, u64)> {
    let mut take = Take::of(bytes, TABLE);
    take.byte()?;
    let parts = (0..take.count()?).map(|_| Ok(Part { length: take.number()?, crc: take.crc()? })).collect::<Result<_>>()?;
    let end = bytes.len() - take.rest.len();
    if take.crc()? != crc32fast::hash(&bytes[..end]) {
        return Err(take.broken("it is not what was stored"));
    }
    Ok((parts, end as u64 + 4))
}

const TABLE: &str = "table of a text's parts";

pub(crate) fn decode_text(bytes: &[u8]) -> Result<Vec<Segment>> {
    let mut take = Take::of(bytes, "text of a document");
    let version = take.byte()?;
    if !(1..=TEXT).contains(&version) {
        return Err(take.broken("unknown version"));
    }
    take.segments(version > 1)
}

/// The segments of a part.
pub(crate) fn decode_segments(bytes: &[u8]) -> Result<Vec<Segment>> {
    Take::of(bytes, "part of a text").segments(true)
}

/// The number on disk of a member of a closed list.
pub(crate) fn code<T: PartialEq>(all: &[T], value: &T) -> u8 {
    all.iter().position(|each| each == value).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

/// The member of a closed list that has this number on disk.
pub(crate) fn of_code<T: Copy>(all: &[T], code: i64, what: &str) -> Result<T> {
    let found = usize::try_from(code).ok().and_then(|at| all.get(at));
    found.copied().ok_or_else(|| Error::damaged("catalogue", format!("no {what} has the number {code}")))
}

pub(crate) fn kind(code: i64) -> Result<Kind> {
    of_code(&Kind::ALL, code, "kind")
}

pub(crate) fn stage(code: i64) -> Result<Stage> {
    of_code(&Stage::ALL, code, "stage")
}

pub(crate) fn fault_code(code: i64) -> Result<FaultCode> {
    of_code(&FaultCode::ALL, code, "fault code")
}

/// An unsigned number as SQLite keeps it. Lengths and counts never come near the limit; hostile ones are cut to it.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number that SQLite gave back; what was never written, a negative one, reads as 0.
pub(crate) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// LEB128.
fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_strings(out: &mut Vec<u8>, strings: &[String]) {
    put(out, strings.len() as u64);
    for string in strings {
        put_bytes(out, string.as_bytes());
    }
}

/// Seconds and offset are zigzag-coded; an unknown offset is 0, a known one its code + 1; no doubt is 0, a doubt its code + 1.
fn put_date(out: &mut Vec<u8>, date: &Date) {
    put(out, zigzag(date.seconds));
    put(out, date.offset_minutes.map_or(0, |offset| zigzag(i64::from(offset)) + 1));
    out.push(code(&PRECISIONS, &date.precision));
    out.push(code(&SOURCES, &date.source));
    out.push(date.doubt.map_or(0, |doubt| code(&DOUBTS, &doubt) + 1));
}

fn put_message(out: &mut Vec<u8>, message: &MessageFacts) {
    put_bytes(out, message.message_id.as_bytes());
    put_strings(out, &message.in_reply_to);
    put_strings(out, &message.references);
    put_bytes(out, message.subject.as_bytes());
    out.push(u8::from(message.has_html));
    put(out, message.dates.len() as u64);
    for date in &message.dates {
        put_date(out, date);
    }
    put(out, message.people.len() as u64);
    for person in &message.people {
        out.push(code(&Role::ALL, &person.role));
        put_bytes(out, person.name.as_bytes());
        put_bytes(out, person.address.as_bytes());
    }
    out.push(u8::from(message.signatures.is_some()));
    if let Some(signatures) = &message.signatures {
        put(out, signatures.len() as u64);
        signatures.iter().for_each(|signature| put_signature(out, signature));
    }
}

fn put_time(out: &mut Vec<u8>, time: Option<i64>) {
    out.push(u8::from(time.is_some()));
    if let Some(time) = time {
        put(out, zigzag(time));
    }
}

fn put_signature(out: &mut Vec<u8>, signature: &Signature) {
    out.push(code(&SignatureKind::ALL, &signature.kind));
    out.push(code(&SignatureAlgorithm::ALL, &signature.algorithm));
    out.push(u8::from(signature.requoted));
    match signature.body {
        SignedBody::Same => out.push(0),
        SignedBody::Beginning(length) => {
            out.push(1);
            put(out, length);
        }
        SignedBody::Changed => out.push(2),
        SignedBody::NotSigned => out.push(3),
    }
    put(out, u64::from(signature.instance));
    for text in [&signature.domain, &signature.selector, &signature.identity] {
        put_bytes(out, text.as_bytes());
    }
    put_bytes(out, &signature.value);
    put_bytes(out, &signature.digest);
    put_strings(out, &signature.headers);
    put_strings(out, &signature.left_out);
    put_time(out, signature.time);
    put_time(out, signature.expires);
    put_bytes(out, signature.problem.as_bytes());
}

/// Version, number of verdicts, then each.
/// `None` where nothing is said but the depth, which the places themselves tell.
pub(crate) fn encode_standing(standing: &Standing) -> Option<Vec<u8>> {
    let Standing { depth, claimed_type, charset, mailbox_date, is_message } = standing;
    if *standing == (Standing { depth: *depth, ..Standing::default() }) {
        return None;
    }
    let bits = u8::from(charset.is_some()) | u8::from(mailbox_date.is_some()) << 1 | u8::from(*is_message) << 2;
    let mut out = vec![STANDING, bits];
    put_bytes(&mut out, claimed_type.as_bytes());
    if let Some(charset) = charset {
        put_bytes(&mut out, charset.as_bytes());
    }
    if let Some(date) = mailbox_date {
        put_date(&mut out, date);
    }
    Some(out)
}

pub(crate) fn decode_standing(bytes: &[u8]) -> Result<Standing> {
    let mut take = Take::of(bytes, "how a document stands");
    let (_, bits) = take.start(STANDING)?;
    Ok(Standing {
        depth: 0,
        claimed_type: take.string()?,
        charset: if bits & 1 != 0 { Some(take.string()?) } else { None },
        mailbox_date: if bits & 2 != 0 { Some(take.date()?) } else { None },
        is_message: bits & 4 != 0,
    })
}

pub(crate) fn encode_verdicts(verdicts: &[Verdict]) -> Vec<u8> {
    let mut out = vec![VERDICTS];
    put(&mut out, verdicts.len() as u64);
    verdicts.iter().for_each(|verdict| put_verdict(&mut out, verdict));
    out
}

pub(crate) fn decode_verdicts(bytes: &[u8]) -> Result<Vec<Verdict>> {
    let mut take = Take::of(bytes, "verdicts on signatures");
    if take.byte()? != VERDICTS {
        return Err(take.broken("unknown version"));
    }
    (0..take.count()?).map(|_| take.verdict()).collect()
}

fn put_verdict(out: &mut Vec<u8>, verdict: &Verdict) {
    out.push(code(&SignatureKind::ALL, &verdict.kind));
    out.push(code(&SignatureAlgorithm::ALL, &verdict.algorithm));
    out.push(code(&Outcome::ALL, &verdict.outcome));
    for text in [&verdict.detail, &verdict.domain, &verdict.selector, &verdict.identity] {
        put_bytes(out, text.as_bytes());
    }
    put(out, verdict.length.map_or(0, |length| length.saturating_add(1)));
    put(out, u64::from(verdict.instance));
    put_strings(out, &verdict.headers);
    put_strings(out, &verdict.left_out);
    put_time(out, verdict.time);
    put_time(out, verdict.expires);
    put(out, verdict.cautions.len() as u64);
    out.extend(verdict.cautions.iter().map(|caution| code(&Caution::ALL, caution)));
    out.push(u8::from(verdict.key.is_some()));
    if let Some(key) = &verdict.key {
        put(out, u64::from(key.bits));
        put_bytes(out, key.fingerprint.as_bytes());
        put_bytes(out, key.source.as_bytes());
        put_time(out, key.seen);
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Reads what the functions above wrote. The bytes are our own, but a disk may rot: every length is checked before it is believed.
struct Take<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Take<'a> {
    fn of(rest: &'a [u8], what: &'static str) -> Self {
        Self { rest, what }
    }

    fn broken(&self, what: &str) -> Error {
        Error::damaged(self.what, what)
    }

    /// The version, which must be known, and the byte after it.
    fn start(&mut self, newest: u8) -> Result<(u8, u8)> {
        let version = self.byte()?;
        if !(1..=newest).contains(&version) {
            return Err(self.broken("unknown version"));
        }
        Ok((version, self.byte()?))
    }

    fn segments(&mut self, with_pages: bool) -> Result<Vec<Segment>> {
        let count = self.count()?;
        let segment = |_| {
            let label = self.one_of(&Label::ALL)?;
            let page = if with_pages { self.number()? } else { 0 };
            let page = u32::try_from(page).map_err(|_| self.broken("a page beyond numbers"))?;
            Ok(Segment { label, page: Some(page).filter(|page| *page > 0), text: self.string()? })
        };
        (0..count).map(segment).collect()
    }

    fn crc(&mut self) -> Result<u32> {
        let (crc, rest) = self.rest.split_first_chunk().ok_or_else(|| self.broken("ends too early"))?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*crc))
    }

    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| self.broken("ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.broken("a number is too long"))
    }

    /// How many items follow, each of which takes at least a byte.
    fn count(&mut self) -> Result<usize> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count > self.rest.len() {
            return Err(self.broken("ends too early"));
        }
        Ok(count)
    }

    fn string(&mut self) -> Result<String> {
        let length = self.count()?;
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.broken("not UTF-8"))
    }

    fn strings(&mut self) -> Result<Vec<String>> {
        (0..self.count()?).map(|_| self.string()).collect()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Result<T> {
        let code = self.byte()?;
        of_code(all, i64::from(code), self.what)
    }

    fn signed(&mut self) -> Result<i64> {
        Ok(unzigzag(self.number()?))
    }

    fn date(&mut self) -> Result<Date> {
        let seconds = self.signed()?;
        let offset = self.number()?;
        let offset_minutes = offset.checked_sub(1).map(|offset| unzigzag(offset) as i16);
        let (precision, source) = (self.one_of(&PRECISIONS)?, self.one_of(&SOURCES)?);
        let doubt = match self.byte()?.checked_sub(1) {
            Some(code) => Some(of_code(&DOUBTS, i64::from(code), "doubt")?),
            None => None,
        };
        Ok(Date { seconds, offset_minutes, precision, source, doubt })
    }

    fn counted(&mut self) -> Result<Counted> {
        Ok(Counted { expected: self.number()?.checked_sub(1), read: self.number()?, failed: self.number()? })
    }

    fn message(&mut self, version: u8) -> Result<MessageFacts> {
        let (message_id, in_reply_to, references) = (self.string()?, self.strings()?, self.strings()?);
        let (subject, has_html) = (self.string()?, self.byte()? != 0);
        let dates = (0..self.count()?).map(|_| self.date()).collect::<Result<_>>()?;
        let people = (0..self.count()?).map(|_| self.person()).collect::<Result<_>>()?;
        let signatures = if version > 1 && self.byte()? != 0 {
            Some((0..self.count()?).map(|_| self.signature()).collect::<Result<_>>()?)
        } else {
            None
        };
        Ok(MessageFacts { subject, people, dates, message_id, in_reply_to, references, has_html, signatures })
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        let length = self.count()?;
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(bytes.to_vec())
    }

    fn time(&mut self) -> Result<Option<i64>> {
        Ok(if self.byte()? == 0 { None } else { Some(self.signed()?) })
    }

    fn signature(&mut self) -> Result<Signature> {
        Ok(Signature {
            kind: self.one_of(&SignatureKind::ALL)?,
            algorithm: self.one_of(&SignatureAlgorithm::ALL)?,
            requoted: self.byte()? != 0,
            body: match self.byte()? {
                0 => SignedBody::Same,
                1 => SignedBody::Beginning(self.number()?),
                2 => SignedBody::Changed,
                3 => SignedBody::NotSigned,
                _ => return Err(self.broken("an unknown kind of body")),
            },
            instance: self.number()? as u32,
            domain: self.string()?,
            selector: self.string()?,
            identity: self.string()?,
            value: self.bytes()?,
            digest: self.bytes()?,
            headers: self.strings()?,
            left_out: self.strings()?,
            time: self.time()?,
            expires: self.time()?,
            problem: self.string()?,
        })
    }

    fn verdict(&mut self) -> Result<Verdict> {
        Ok(Verdict {
            kind: self.one_of(&SignatureKind::ALL)?,
            algorithm: self.one_of(&SignatureAlgorithm::ALL)?,
            outcome: self.one_of(&Outcome::ALL)?,
            detail: self.string()?,
            domain: self.string()?,
            selector: self.string()?,
            identity: self.string()?,
            length: self.number()?.checked_sub(1),
            instance: self.number()? as u32,
            headers: self.strings()?,
            left_out: self.strings()?,
            time: self.time()?,
            expires: self.time()?,
            cautions: (0..self.count()?).map(|_| self.one_of(&Caution::ALL)).collect::<Result<_>>()?,
            key: if self.byte()? == 0 { None } else { Some(self.key_seen()?) },
        })
    }

    fn key_seen(&mut self) -> Result<KeySeen> {
        Ok(KeySeen { bits: self.number()? as u32, fingerprint: self.string()?, source: self.string()?, seen: self.time()? })
    }

    fn person(&mut self) -> Result<Person> {
        Ok(Person { role: self.one_of(&Role::ALL)?, name: self.string()?, address: self.string()? })
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature() -> Signature {
        Signature {
            kind: SignatureKind::ArcSeal,
            instance: 300,
            domain: "example.org".into(),
            selector: "s".into(),
            identity: "@example.org".into(),
            algorithm: SignatureAlgorithm::Ed25519Sha256,
            value: vec![0, 255],
            digest: vec![1; 32],
            body: SignedBody::Beginning(u64::MAX),
            requoted: true,
            headers: vec!["from".into()],
            left_out: vec!["to".into()],
            time: Some(-1),
            expires: None,
            problem: "p".into(),
        }
    }

    fn verdict() -> Verdict {
        Verdict {
            kind: SignatureKind::Dkim,
            outcome: Outcome::ValidBeginning,
            detail: "d".into(),
            domain: "example.org".into(),
            selector: "s".into(),
            identity: "@example.org".into(),
            algorithm: SignatureAlgorithm::RsaSha1,
            length: Some(0),
            instance: 2,
            headers: vec!["from".into()],
            left_out: vec!["to".into()],
            time: Some(1),
            expires: Some(-2),
            cautions: Caution::ALL.to_vec(),
            key: Some(KeySeen { bits: 512, fingerprint: "f".into(), source: "a zone".into(), seen: Some(3) }),
        }
    }

    #[test]
    fn facts_of_the_first_version_are_still_read() {
        let message = MessageFacts { subject: "s".into(), ..MessageFacts::default() };
        let mut bytes = Facts::encode(None, None, Some(&message));
        (bytes[0], _) = (1, bytes.pop());
        assert_eq!(Facts::decode(&bytes).unwrap().message, Some(message));
    }

    #[test]
    fn facts_and_texts_read_back_and_every_cut_is_an_error() {
        let date = Date {
            seconds: -5,
            offset_minutes: Some(-570),
            precision: Precision::Minute,
            source: DateSource::MailboxLine,
            doubt: Some(DateDoubt::Malformed),
        };
        let people = vec![Person { role: Role::Bcc, name: "Zoë".into(), address: "z@example.org".into() }];
        let message = MessageFacts {
            subject: "s".into(),
            people,
            dates: vec![date, date],
            message_id: "m".into(),
            in_reply_to: vec!["a".into()],
            references: vec!["b".into(), "c".into()],
            has_html: true,
            signatures: Some(vec![signature()]),
        };
        let counted = Counted { expected: Some(0), read: u64::MAX, failed: 300 };
        let bytes = Facts::encode(Some(date), Some(counted), Some(&message));
        let facts = Facts::decode(&bytes).unwrap();
        assert_eq!(facts, Facts { date: Some(date), counted: Some(counted), message: Some(message) });
        assert_eq!(Links::decode(&bytes).unwrap().references, ["b", "c"]);
        assert!((0..bytes.len()).all(|cut| Facts::decode(&bytes[..cut]).is_err()));
        let verdicts = [verdict(), Verdict { key: None, cautions: Vec::new(), length: None, expires: None, ..verdict() }];
        let bytes = encode_verdicts(&verdicts);
        assert_eq!(decode_verdicts(&bytes).unwrap(), verdicts);
        assert!((0..bytes.len()).all(|cut| decode_verdicts(&bytes[..cut]).is_err()));
        let texts = vec![Segment::new(Label::Body, "text"), Segment { label: Label::Hidden, page: Some(300), text: String::new() }];
        let bytes = encode_text(&texts);
        assert_eq!(decode_text(&bytes).unwrap(), texts);
        assert!((0..bytes.len()).all(|cut| decode_text(&bytes[..cut]).is_err()));
    }
}
