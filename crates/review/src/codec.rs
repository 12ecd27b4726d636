//! The form in which a draft keeps what it will publish of a document, so that a publish which is resumed writes the same bytes whatever was read,
//! threaded or decided meanwhile. Numbers are LEB128, texts have their length before them, lists their count; the first byte is the version.

use crate::document::{Document, Occurrence, Rendition, Role};
use daylight_model::{
    Caution, Date, DateDoubt, DateSource, Digest, Fault, FaultCode, KeySeen, Kind, Name, Outcome, Person, Precision, SignatureAlgorithm,
    SignatureKind, Stage, Verdict,
};

/// 1 had no verdicts, 2 no language.
const VERSION: u8 = 3;
const PRECISIONS: [Precision; 5] = [Precision::Year, Precision::Month, Precision::Day, Precision::Minute, Precision::Second];
const SOURCES: [DateSource; 4] = [DateSource::DateHeader, DateSource::ReceivedHeader, DateSource::MailboxLine, DateSource::Properties];
const DOUBTS: [DateDoubt; 4] = [DateDoubt::Absurd, DateDoubt::FarFromReceived, DateDoubt::ZoneUnknown, DateDoubt::Malformed];

/// Everything but number and salt, which the draft's line has itself.
pub(crate) fn encode(document: &Document) -> Vec<u8> {
    let mut out = Out(vec![VERSION]);
    out.one_of(&Kind::ALL, document.kind);
    out.text(&document.title);
    out.text(&document.media_type);
    out.list(&document.dates, Out::date);
    out.list(&document.people, Out::person);
    out.list(&document.occurrences, Out::occurrence);
    out.maybe(document.thread);
    out.maybe(document.answers);
    out.list(&document.faults, Out::fault);
    out.text(&document.reason);
    out.list(&document.files, Out::file);
    out.list(&document.verdicts, Out::verdict);
    out.text(&document.language);
    out.0
}

/// Reads what [`encode`] wrote; `None` if it is anything else.
pub(crate) fn decode(number: u64, salt: [u8; 32], bytes: &[u8]) -> Option<Document> {
    let mut read = In(bytes);
    let version = read.byte()?;
    if !(1..=VERSION).contains(&version) {
        return None;
    }
    let document = Document {
        number,
        salt,
        kind: read.one_of(&Kind::ALL)?,
        title: read.text()?,
        media_type: read.text()?,
        dates: read.list(In::date)?,
        people: read.list(In::person)?,
        occurrences: read.list(In::occurrence)?,
        thread: read.maybe()?,
        answers: read.maybe()?,
        faults: read.list(In::fault)?,
        reason: read.text()?,
        files: read.list(In::file)?,
        verdicts: if version > 1 { read.list(In::verdict)? } else { Vec::new() },
        language: if version > 2 { read.text()? } else { String::new() },
    };
    read.0.is_empty().then_some(document)
}

struct Out(Vec<u8>);

impl Out {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Zigzag, so that small negative numbers are short.
    fn signed(&mut self, value: i64) {
        self.number((value << 1 ^ value >> 63) as u64);
    }

    fn maybe(&mut self, value: Option<u64>) {
        self.number(u64::from(value.is_some()));
        if let Some(value) = value {
            self.number(value);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// By the place in the list of all values, which only ever grows at its end.
    fn one_of<T: PartialEq + Copy>(&mut self, all: &[T], value: T) {
        self.number(all.iter().position(|one| *one == value).unwrap_or(all.len()) as u64);
    }

    fn list<T>(&mut self, items: &[T], write: fn(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            write(self, item);
        }
    }

    fn date(&mut self, date: &Date) {
        self.signed(date.seconds);
        self.number(u64::from(date.offset_minutes.is_some()));
        self.signed(i64::from(date.offset_minutes.unwrap_or(0)));
        self.one_of(&PRECISIONS, date.precision);
        self.one_of(&SOURCES, date.source);
        let doubt = date.doubt.and_then(|doubt| DOUBTS.iter().position(|one| *one == doubt));
        self.maybe(doubt.map(|place| place as u64));
    }

    fn person(&mut self, person: &Person) {
        self.one_of(&daylight_model::Role::ALL, person.role);
        self.text(&person.name);
        self.text(&person.address);
    }

    fn occurrence(&mut self, occurrence: &Occurrence) {
        self.number(occurrence.parent);
        self.number(occurrence.ordinal);
        self.number(u64::from(occurrence.name.is_some()));
        self.bytes(occurrence.name.as_ref().map_or(&[], |name| &name.0));
    }

    fn fault(&mut self, fault: &Fault) {
        self.one_of(&Stage::ALL, fault.stage);
        self.one_of(&FaultCode::ALL, fault.code);
        self.text(&fault.tool);
        self.text(&fault.detail);
        self.maybe(fault.limit);
        self.maybe(fault.at);
    }

    fn file(&mut self, file: &Rendition) {
        self.one_of(&Role::ALL, file.role);
        self.0.extend_from_slice(&file.digest.0);
        self.number(file.length);
        self.text(&file.media_type);
    }
}

impl Out {
    fn verdict(&mut self, verdict: &Verdict) {
        self.one_of(&SignatureKind::ALL, verdict.kind);
        self.one_of(&Outcome::ALL, verdict.outcome);
        self.one_of(&SignatureAlgorithm::ALL, verdict.algorithm);
        for text in [&verdict.detail, &verdict.domain, &verdict.selector, &verdict.identity] {
            self.text(text);
        }
        self.maybe(verdict.length);
        self.number(u64::from(verdict.instance));
        self.list(&verdict.headers, |out, name| out.text(name));
        self.list(&verdict.left_out, |out, name| out.text(name));
        self.time(verdict.time);
        self.time(verdict.expires);
        self.list(&verdict.cautions, |out, caution| out.one_of(&Caution::ALL, *caution));
        self.list(verdict.key.as_slice(), Out::key);
    }

    fn key(&mut self, key: &KeySeen) {
        self.number(u64::from(key.bits));
        self.text(&key.fingerprint);
        self.text(&key.source);
        self.time(key.seen);
    }

    fn time(&mut self, time: Option<i64>) {
        self.number(u64::from(time.is_some()));
        self.signed(time.unwrap_or(0));
    }
}

struct In<'a>(&'a [u8]);

impl In<'_> {
    fn verdict(&mut self) -> Option<Verdict> {
        Some(Verdict {
            kind: self.one_of(&SignatureKind::ALL)?,
            outcome: self.one_of(&Outcome::ALL)?,
            algorithm: self.one_of(&SignatureAlgorithm::ALL)?,
            detail: self.text()?,
            domain: self.text()?,
            selector: self.text()?,
            identity: self.text()?,
            length: self.maybe()?,
            instance: u32::try_from(self.number()?).ok()?,
            headers: self.list(In::text)?,
            left_out: self.list(In::text)?,
            time: self.time()?,
            expires: self.time()?,
            cautions: self.list(|read| read.one_of(&Caution::ALL))?,
            key: self.list(In::key)?.pop(),
        })
    }

    fn key(&mut self) -> Option<KeySeen> {
        Some(KeySeen { bits: u32::try_from(self.number()?).ok()?, fingerprint: self.text()?, source: self.text()?, seen: self.time()? })
    }

    fn time(&mut self) -> Option<Option<i64>> {
        let given = self.flag()?;
        let time = self.signed()?;
        Some(given.then_some(time))
    }
}

impl<'a> In<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn maybe(&mut self) -> Option<Option<u64>> {
        if self.flag()? { self.number().map(Some) } else { Some(None) }
    }

    fn flag(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::try_from(self.number()?).ok()?).copied()
    }

    /// Every item takes at least a byte, so a count beyond what is left is refused before memory is taken for it.
    fn list<T>(&mut self, read: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())?;
        (0..count).map(|_| read(self)).collect()
    }

    fn date(&mut self) -> Option<Date> {
        let seconds = self.signed()?;
        let (written, offset) = (self.flag()?, i16::try_from(self.signed()?).ok()?);
        let (precision, source) = (self.one_of(&PRECISIONS)?, self.one_of(&SOURCES)?);
        let doubt = match self.maybe()? {
            None => None,
            Some(place) => Some(*DOUBTS.get(usize::try_from(place).ok()?)?),
        };
        Some(Date { seconds, offset_minutes: written.then_some(offset), precision, source, doubt })
    }

    fn person(&mut self) -> Option<Person> {
        Some(Person { role: self.one_of(&daylight_model::Role::ALL)?, name: self.text()?, address: self.text()? })
    }

    fn occurrence(&mut self) -> Option<Occurrence> {
        let (parent, ordinal, named) = (self.number()?, self.number()?, self.flag()?);
        let name = self.bytes()?.to_vec();
        Some(Occurrence { parent, ordinal, name: named.then_some(Name(name)) })
    }

    fn fault(&mut self) -> Option<Fault> {
        Some(Fault {
            stage: self.one_of(&Stage::ALL)?,
            code: self.one_of(&FaultCode::ALL)?,
            tool: self.text()?,
            detail: self.text()?,
            limit: self.maybe()?,
            at: self.maybe()?,
        })
    }

    fn file(&mut self) -> Option<Rendition> {
        let role = self.one_of(&Role::ALL)?;
        let (digest, rest) = self.0.split_first_chunk::<32>()?;
        self.0 = rest;
        Some(Rendition { role, digest: Digest(*digest), length: self.number()?, media_type: self.text()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let date = Date {
            seconds: -5,
            offset_minutes: Some(-330),
            precision: Precision::Minute,
            source: DateSource::MailboxLine,
            doubt: Some(DateDoubt::Malformed),
        };
        Document {
            number: 7,
            salt: [9; 32],
            kind: Kind::Message,
            title: "Straße".into(),
            media_type: "message/rfc822".into(),
            language: "de".into(),
            dates: vec![date, Date { offset_minutes: None, doubt: None, ..date }],
            people: vec![Person { role: daylight_model::Role::Cc, name: "A".into(), address: "a@b".into() }],
            occurrences: vec![
                Occurrence { parent: 300, ordinal: 0, name: Some(Name(vec![0xff])) },
                Occurrence { parent: 1, ordinal: u64::MAX, name: None },
            ],
            thread: Some(3),
            answers: Some(2),
            verdicts: vec![Verdict {
                length: Some(9),
                time: Some(-1),
                headers: vec!["from".into()],
                cautions: Caution::ALL.to_vec(),
                key: Some(KeySeen { bits: 512, fingerprint: "f".into(), source: "a zone".into(), seen: Some(3) }),
                ..Verdict::unsigned()
            }],
            faults: vec![Fault {
                stage: Stage::Render,
                code: FaultCode::Changed,
                tool: "t".into(),
                detail: "d".into(),
                limit: Some(0),
                at: None,
            }],
            reason: "why".into(),
            files: vec![Rendition { role: Role::View, digest: Digest::of(b"x"), length: 1 << 40, media_type: "text/html".into() }],
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_a_torn_form_is_refused() {
        let bytes = encode(&document());
        assert_eq!(decode(7, [9; 32], &bytes), Some(document()));
        for end in 0..bytes.len() {
            assert_eq!(decode(7, [9; 32], &bytes[..end]), None, "{end}");
        }
        assert_eq!(decode(7, [9; 32], &[bytes, vec![0]].concat()), None);
    }
}
