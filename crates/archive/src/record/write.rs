use super::{FileRef, Occurrence, Record, RecordError, Role};
use crate::json;
use daylight_model::{Date, DateDoubt, DateSource, Fault, FaultCode, KeySeen, Name, Person, Precision, Verdict};
use serde_json::{Map, Value};

/// An object of which empty and unknown values are left out.
struct Object(Map<String, Value>);

impl Object {
    fn new() -> Self {
        Self(Map::new())
    }

    fn put(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    fn text(self, name: &str, text: &str) -> Self {
        if text.is_empty() { self } else { self.put(name, text) }
    }

    fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.put(name, value),
            None => self,
        }
    }

    fn list<T>(self, name: &str, items: &[T], write: fn(&T) -> Value) -> Self {
        if items.is_empty() { self } else { self.put(name, items.iter().map(write).collect::<Vec<_>>()) }
    }

    fn end(self) -> Value {
        Value::Object(self.0)
    }
}

pub(super) fn record(record: &Record) -> Result<Vec<u8>, RecordError> {
    check(record)?;
    let object = Object::new()
        .maybe("answers", record.answers)
        .list("dates", &record.dates, date)
        .list("faults", &record.faults, fault)
        .list("files", &record.files, file)
        .put("kind", record.kind.word())
        .text("language", &record.language)
        .text("media_type", &record.media_type)
        .put("number", record.number)
        .list("occurrences", &record.occurrences, occurrence)
        .list("people", &record.people, person)
        .text("reason", &record.reason)
        .maybe("thread", record.thread)
        .text("title", &record.title)
        .list("verdicts", &record.verdicts, verdict);
    Ok(json::write(&object.end())?)
}

pub(super) fn check(record: &Record) -> Result<(), RecordError> {
    let rules = [
        (record.number >= 1, "a document's number is 1 or more"),
        (record.thread.is_none_or(|n| n >= 1), "a thread is a document's number, 1 or more"),
        (record.answers.is_none_or(|n| n >= 1), "what a document answers is a document's number, 1 or more"),
        (record.occurrences.iter().all(|o| o.parent.is_none_or(|n| n >= 1)), "a parent is a document's number, 1 or more"),
        (record.files.iter().all(|file| file.release >= 1), "a file's release is 1 or more"),
        (record.files.iter().all(|file| !file.role.word().is_empty()), "a file has a role"),
        (
            record.files.len() == 1 || record.files.iter().all(|file| file.role != Role::Record),
            "a record in its own file has no other file in its line",
        ),
    ];
    match rules.iter().find(|(kept, _)| !kept) {
        Some((_, rule)) => Err(RecordError::Rule(rule)),
        None => Ok(()),
    }
}

fn date(date: &Date) -> Value {
    Object::new()
        .maybe("doubt", date.doubt.map(doubt_word))
        .maybe("offset", date.offset_minutes)
        .put("precision", precision_word(date.precision))
        .put("seconds", date.seconds)
        .put("source", source_word(date.source))
        .end()
}

fn fault(fault: &Fault) -> Value {
    Object::new()
        .maybe("at", fault.at)
        .put("code", code_word(fault.code))
        .text("detail", &fault.detail)
        .maybe("limit", fault.limit)
        .put("stage", fault.stage.word())
        .text("tool", &fault.tool)
        .end()
}

fn verdict(verdict: &Verdict) -> Value {
    Object::new()
        .put("algorithm", verdict.algorithm.word())
        .list("cautions", &verdict.cautions, |caution| caution.word().into())
        .text("detail", &verdict.detail)
        .text("domain", &verdict.domain)
        .maybe("expires", verdict.expires)
        .list("headers", &verdict.headers, |name| name.as_str().into())
        .text("identity", &verdict.identity)
        .maybe("instance", Some(verdict.instance).filter(|instance| *instance > 0))
        .maybe("key", verdict.key.as_ref().map(key))
        .put("kind", verdict.kind.word())
        .maybe("length", verdict.length)
        .put("outcome", verdict.outcome.word())
        .text("selector", &verdict.selector)
        .maybe("time", verdict.time)
        .list("uncovered", &verdict.left_out, |name| name.as_str().into())
        .end()
}

fn key(key: &KeySeen) -> Value {
    Object::new().put("bits", key.bits).maybe("seen", key.seen).put("sha256", key.fingerprint.as_str()).text("source", &key.source).end()
}

fn file(file: &FileRef) -> Value {
    Object::new()
        .put("length", file.length)
        .text("media_type", &file.media_type)
        .put("offset", file.offset)
        .put("release", file.release)
        .put("role", file.role.word())
        .put("sha256", file.sha256.to_string())
        .put("volume", file.volume)
        .end()
}

fn occurrence(occurrence: &Occurrence) -> Value {
    Object::new()
        .maybe("name", occurrence.name.as_ref().map(name))
        .put("ordinal", occurrence.ordinal)
        .maybe("parent", occurrence.parent)
        .end()
}

/// A name that can be shown as it is is a string; any other is an object with its bytes in hex and how it is shown.
fn name(name: &Name) -> Value {
    match name.as_plain() {
        Some(plain) => plain.into(),
        None => Object::new().put("bytes", hex(&name.0)).put("display", name.to_string()).end(),
    }
}

fn person(person: &Person) -> Value {
    Object::new().text("address", &person.address).text("name", &person.name).put("role", person.role.word()).end()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The word that stands for a fault in an archive for ever, whatever words people are shown.
pub(super) fn code_word(code: FaultCode) -> &'static str {
    match code {
        FaultCode::Unreadable => "unreadable",
        FaultCode::Empty => "empty",
        // Why nothing read it is of no matter to readers, and older programs know this word.
        FaultCode::NoReader | FaultCode::NoProgram => "no-reader",
        FaultCode::Truncated => "truncated",
        FaultCode::Malformed => "malformed",
        FaultCode::Encrypted => "encrypted",
        FaultCode::BadCharset => "bad-charset",
        FaultCode::TooLarge => "too-large",
        FaultCode::TooDeep => "too-deep",
        FaultCode::TooMany => "too-many",
        FaultCode::TooSlow => "too-slow",
        FaultCode::ReaderDied => "reader-died",
        FaultCode::NotAFile => "not-a-file",
        FaultCode::UnsafeName => "unsafe-name",
        FaultCode::Changed => "changed",
        FaultCode::Rebuilt => "rebuilt",
        FaultCode::NeedsRecognition => "needs-recognition",
        FaultCode::Recognised => "recognised",
        FaultCode::Deferred => "deferred",
        FaultCode::Forgotten => "forgotten",
        FaultCode::Damaged => "damaged",
    }
}

pub(super) fn doubt_word(doubt: DateDoubt) -> &'static str {
    match doubt {
        DateDoubt::Absurd => "absurd",
        DateDoubt::FarFromReceived => "far-from-received",
        DateDoubt::ZoneUnknown => "zone-unknown",
        DateDoubt::Malformed => "malformed",
    }
}

pub(super) fn precision_word(precision: Precision) -> &'static str {
    match precision {
        Precision::Year => "year",
        Precision::Month => "month",
        Precision::Day => "day",
        Precision::Minute => "minute",
        Precision::Second => "second",
    }
}

pub(super) fn source_word(source: DateSource) -> &'static str {
    match source {
        DateSource::DateHeader => "date-header",
        DateSource::ReceivedHeader => "received-header",
        DateSource::MailboxLine => "mailbox-line",
        DateSource::Properties => "properties",
    }
}
