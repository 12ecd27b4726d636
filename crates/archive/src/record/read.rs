use super::write::{check, code_word, doubt_word, precision_word, source_word};
use super::{FileRef, Occurrence, Record, RecordError, Role};
use crate::json::{Fields, JsonError};
use daylight_model::{
    Caution, Date, DateDoubt, DateSource, Fault, FaultCode, KeySeen, Kind, Name, Outcome, Person, Precision, SignatureAlgorithm,
    SignatureKind, Stage, Verdict,
};
use serde_json::Value;

pub(super) fn record(json: &[u8]) -> Result<Record, RecordError> {
    let mut fields = Fields::read(json)?;
    let kind = fields.string("kind")?;
    let record = Record {
        number: fields.number("number")?,
        kind: word(&kind, "kind", &Kind::ALL, |kind| kind.word())?,
        title: fields.optional_string("title")?.unwrap_or_default(),
        media_type: fields.optional_string("media_type")?.unwrap_or_default(),
        language: fields.optional_string("language")?.unwrap_or_default(),
        dates: list(&mut fields, "dates", date)?,
        people: list(&mut fields, "people", person)?,
        occurrences: list(&mut fields, "occurrences", occurrence)?,
        thread: fields.optional_number("thread")?,
        answers: fields.optional_number("answers")?,
        verdicts: list(&mut fields, "verdicts", verdict)?,
        faults: list(&mut fields, "faults", fault)?,
        reason: fields.optional_string("reason")?.unwrap_or_default(),
        files: list(&mut fields, "files", file)?,
    };
    check(&record)?;
    Ok(record)
}

/// What verifying needs of a record: it does not fail on words that a newer version may write.
pub(crate) struct Essentials {
    pub(crate) number: u64,
    pub(crate) files: Vec<FileRef>,
}

impl Essentials {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, RecordError> {
        let mut fields = Fields::read_some(json, &["number", "files"])?;
        let essentials = Self { number: fields.number("number")?, files: list(&mut fields, "files", file)? };
        let fine = essentials.number >= 1 && essentials.files.iter().all(|file| file.release >= 1);
        if fine { Ok(essentials) } else { Err(RecordError::Rule("numbers and releases are 1 or more")) }
    }

    /// The file that has the whole record, if this is a stub.
    pub(crate) fn own_file(&self) -> Option<&FileRef> {
        self.files.iter().find(|file| file.role == Role::Record)
    }

    /// The essentials of the whole record behind a stub: its files first, its own file last, as they come to stand in volumes.
    pub(crate) fn unfold(stub: &[u8], own: &FileRef, whole: &[u8]) -> Result<Self, RecordError> {
        let mut in_line = Fields::read(stub)?;
        let mut in_file = Fields::read(whole)?;
        let alone = in_line.array("files")?.len() == 1;
        let title = in_file.optional_string("title")?.unwrap_or_default();
        let same = in_line.optional_string("title")?.unwrap_or_default() == super::stub_title(&title)
            && in_line.string("kind")? == in_file.string("kind")?
            && in_line.number("number")? == in_file.number("number")?;
        let mut essentials = Self::parse(whole)?;
        let fits = alone && same && in_line.end().is_ok() && whole.len() > super::MAX_RECORD && essentials.own_file().is_none();
        essentials.files.push(own.clone());
        if fits { Ok(essentials) } else { Err(RecordError::Stub) }
    }
}

fn list<T>(fields: &mut Fields, name: &'static str, read: fn(Fields) -> Result<T, JsonError>) -> Result<Vec<T>, JsonError> {
    fields.array(name)?.into_iter().map(|item| read(Fields::of(item, name)?)).collect()
}

/// The one of `all` that has this word.
fn word<T: Copy>(text: &str, field: &'static str, all: &[T], of: impl Fn(T) -> &'static str) -> Result<T, JsonError> {
    all.iter().copied().find(|one| of(*one) == text).ok_or(JsonError::Field(field))
}

fn date(mut fields: Fields) -> Result<Date, JsonError> {
    use DateDoubt::{Absurd, FarFromReceived, Malformed, ZoneUnknown};
    use DateSource::{DateHeader, MailboxLine, Properties, ReceivedHeader};
    use Precision::{Day, Minute, Month, Second, Year};
    let offset = fields.optional_signed("offset")?.map(i16::try_from).transpose().map_err(|_| JsonError::Field("offset"))?;
    let doubt = fields.optional_string("doubt")?;
    let doubt = doubt.map(|text| word(&text, "doubt", &[Absurd, FarFromReceived, ZoneUnknown, Malformed], doubt_word));
    Ok(Date {
        seconds: fields.optional_signed("seconds")?.ok_or(JsonError::Field("seconds"))?,
        offset_minutes: offset,
        precision: word(&fields.string("precision")?, "precision", &[Year, Month, Day, Minute, Second], precision_word)?,
        source: word(&fields.string("source")?, "source", &[DateHeader, ReceivedHeader, MailboxLine, Properties], source_word)?,
        doubt: doubt.transpose()?,
    })
}

fn fault(mut fields: Fields) -> Result<Fault, JsonError> {
    Ok(Fault {
        stage: word(&fields.string("stage")?, "stage", &Stage::ALL, Stage::word)?,
        code: word(&fields.string("code")?, "code", &FaultCode::ALL, code_word)?,
        tool: fields.optional_string("tool")?.unwrap_or_default(),
        detail: fields.optional_string("detail")?.unwrap_or_default(),
        limit: fields.optional_number("limit")?,
        at: fields.optional_number("at")?,
    })
}

fn verdict(mut fields: Fields) -> Result<Verdict, JsonError> {
    let small = |number: u64, field| u32::try_from(number).map_err(|_| JsonError::Field(field));
    let kind = fields.string("kind")?;
    let kinds = [SignatureKind::Dkim, SignatureKind::ArcSeal];
    let cautions = fields.strings("cautions")?;
    Ok(Verdict {
        kind: word(&kind, "kind", &kinds, SignatureKind::word)?,
        outcome: word(&fields.string("outcome")?, "outcome", &Outcome::ALL, Outcome::word)?,
        detail: fields.optional_string("detail")?.unwrap_or_default(),
        domain: fields.optional_string("domain")?.unwrap_or_default(),
        selector: fields.optional_string("selector")?.unwrap_or_default(),
        identity: fields.optional_string("identity")?.unwrap_or_default(),
        algorithm: word(&fields.string("algorithm")?, "algorithm", &SignatureAlgorithm::ALL, SignatureAlgorithm::word)?,
        length: fields.optional_number("length")?,
        instance: small(fields.optional_number("instance")?.unwrap_or(0), "instance")?,
        headers: fields.strings("headers")?,
        left_out: fields.strings("uncovered")?,
        time: fields.optional_signed("time")?,
        expires: fields.optional_signed("expires")?,
        cautions: cautions.iter().map(|caution| word(caution, "cautions", &Caution::ALL, Caution::word)).collect::<Result<_, _>>()?,
        key: fields.0.remove("key").map(|value| key(Fields::of(value, "key")?)).transpose()?,
    })
}

fn key(mut fields: Fields) -> Result<KeySeen, JsonError> {
    Ok(KeySeen {
        bits: u32::try_from(fields.number("bits")?).map_err(|_| JsonError::Field("bits"))?,
        fingerprint: fields.string("sha256")?,
        source: fields.optional_string("source")?.unwrap_or_default(),
        seen: fields.optional_signed("seen")?,
    })
}

fn file(mut fields: Fields) -> Result<FileRef, JsonError> {
    Ok(FileRef {
        role: Role::of(&fields.string("role")?),
        release: fields.number("release")?,
        volume: u32::try_from(fields.number("volume")?).map_err(|_| JsonError::Field("volume"))?,
        offset: fields.number("offset")?,
        length: fields.number("length")?,
        sha256: fields.digest("sha256")?,
        media_type: fields.optional_string("media_type")?.unwrap_or_default(),
    })
}

fn occurrence(mut fields: Fields) -> Result<Occurrence, JsonError> {
    let name = fields.0.remove("name").map(name).transpose()?;
    Ok(Occurrence { parent: fields.optional_number("parent")?, ordinal: fields.number("ordinal")?, name })
}

fn name(value: Value) -> Result<Name, JsonError> {
    let name = match value {
        Value::String(plain) => {
            let name = Name(plain.into_bytes());
            return if name.as_plain().is_some() { Ok(name) } else { Err(JsonError::Field("name")) };
        }
        value => value,
    };
    let mut fields = Fields::of(name, "name")?;
    let name = Name(unhex(&fields.string("bytes")?).ok_or(JsonError::Field("bytes"))?);
    let display = fields.string("display")?;
    fields.end()?;
    // A display that says something else than the bytes would be a lie that every hash covers.
    if name.as_plain().is_none() && display == name.to_string() { Ok(name) } else { Err(JsonError::Field("display")) }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let pairs = (lower && text.len().is_multiple_of(2)).then(|| text.as_bytes().chunks_exact(2))?;
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn person(mut fields: Fields) -> Result<Person, JsonError> {
    Ok(Person {
        role: word(&fields.string("role")?, "role", &daylight_model::Role::ALL, |role| role.word())?,
        name: fields.optional_string("name")?.unwrap_or_default(),
        address: fields.optional_string("address")?.unwrap_or_default(),
    })
}
