//! The catalogue as a file of the cache: written whole, with a digest at its end, so that a torn or damaged one is known and made anew.
//!
//! ```text
//! "daylight-catalogue/v3\n" · state · u64 count · count × (collection, row) · SHA-256 of all before
//! text: u32 length, UTF-8 · number: u64 little-endian · optional: u8 0 or 1, then the value if 1
//! ```

use crate::catalogue::{Catalogue, Place, Row};
use daylight_model::{Date, DateDoubt, DateSource, Digest, Kind, Precision};

const MAGIC: &[u8] = b"daylight-catalogue/v3\n";

/// Of what state of which archive a cache was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// The archive's origin, which never changes.
    pub(crate) origin: String,
    /// The releases that were there, in order: the digest of the note of each, which covers all that is in it, and its number of lines.
    pub(crate) releases: Vec<(Digest, u64)>,
    /// The withdrawals that were there, in order: the digest of the note of each.
    pub(crate) withdrawals: Vec<Digest>,
    /// How many of all their lines, in order, are in the cache.
    pub(crate) done: u64,
}

impl State {
    /// How many lines there are.
    pub(crate) fn lines(&self) -> u64 {
        self.releases.iter().fold(0, |sum, (_, lines)| sum.saturating_add(*lines))
    }

    /// Whether this is an earlier or the same state of what is now `other`.
    pub(crate) fn leads_to(&self, other: &State) -> bool {
        self.origin == other.origin
            && other.releases.starts_with(&self.releases)
            && other.withdrawals.starts_with(&self.withdrawals)
            && self.done <= self.lines()
    }
}

pub(crate) fn write(state: &State, catalogue: &Catalogue) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024 + usize::try_from(catalogue.count()).unwrap_or(0) * 160);
    out.extend_from_slice(MAGIC);
    put_text(&mut out, &state.origin);
    put(&mut out, state.done);
    put(&mut out, state.releases.len() as u64);
    for (note, lines) in &state.releases {
        out.extend_from_slice(&note.0);
        put(&mut out, *lines);
    }
    put(&mut out, state.withdrawals.len() as u64);
    state.withdrawals.iter().for_each(|note| out.extend_from_slice(&note.0));
    put(&mut out, catalogue.count());
    for (collection, shelf) in &catalogue.shelves {
        for row in shelf.rows() {
            put_text(&mut out, collection);
            put_row(&mut out, row);
        }
    }
    let digest = Digest::of(&out);
    out.extend_from_slice(&digest.0);
    out
}

/// Reads it back; `None` if it is not whole or of another version.
pub(crate) fn read(bytes: &[u8]) -> Option<(State, Catalogue)> {
    let (body, digest) = bytes.split_last_chunk::<32>()?;
    let mut input = body.strip_prefix(MAGIC)?;
    if Digest::of(body).0 != *digest {
        return None;
    }
    let input = &mut input;
    let mut state = State { origin: text(input)?, done: number(input)?, ..State::default() };
    for _ in 0..number(input)? {
        state.releases.push((hash(input)?, number(input)?));
    }
    for _ in 0..number(input)? {
        state.withdrawals.push(hash(input)?);
    }
    let mut rows = Vec::new();
    for _ in 0..number(input)? {
        rows.push((text(input)?, row(input)?));
    }
    let mut catalogue = Catalogue::default();
    catalogue.add(rows);
    input.is_empty().then_some((state, catalogue))
}

fn put(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    // Nothing here is near 4 GiB; what is would be cut, and the digest would still hold.
    let length = u32::try_from(text.len()).unwrap_or(0);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.as_bytes().get(..length as usize).unwrap_or(b""));
}

fn put_optional(out: &mut Vec<u8>, number: Option<u64>) {
    out.push(u8::from(number.is_some()));
    if let Some(number) = number {
        put(out, number);
    }
}

fn put_row(out: &mut Vec<u8>, row: &Row) {
    for value in [row.number, row.place.serial, row.place.line, row.seq, row.length] {
        put(out, value);
    }
    out.push(position(&Kind::ALL, &row.kind));
    out.push(u8::from(row.unreadable));
    put(out, u64::from(row.reasons));
    for value in [&row.title, &row.who, &row.media_type] {
        put_text(out, value);
    }
    put_optional(out, row.thread);
    put_optional(out, row.answers);
    put(out, row.parents.len() as u64);
    for (parent, place) in &row.parents {
        put(out, *parent);
        put(out, *place);
    }
    out.push(u8::from(row.date.is_some()));
    if let Some(date) = &row.date {
        put(out, date.seconds.cast_unsigned());
        put_optional(out, date.offset_minutes.map(|minutes| u64::from(minutes.cast_unsigned())));
        out.push(position(&PRECISIONS, &date.precision));
        out.push(position(&SOURCES, &date.source));
        out.push(date.doubt.map_or(u8::MAX, |doubt| position(&DOUBTS, &doubt)));
    }
}

const PRECISIONS: [Precision; 5] = [Precision::Year, Precision::Month, Precision::Day, Precision::Minute, Precision::Second];
const SOURCES: [DateSource; 4] = [DateSource::DateHeader, DateSource::ReceivedHeader, DateSource::MailboxLine, DateSource::Properties];
const DOUBTS: [DateDoubt; 4] = [DateDoubt::Absurd, DateDoubt::FarFromReceived, DateDoubt::ZoneUnknown, DateDoubt::Malformed];

fn position<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|other| other == one).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

fn number(input: &mut &[u8]) -> Option<u64> {
    let (bytes, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(u64::from_le_bytes(*bytes))
}

fn hash(input: &mut &[u8]) -> Option<Digest> {
    let (digest, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(Digest(*digest))
}

fn byte(input: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = input.split_first()?;
    *input = rest;
    Some(*byte)
}

fn text(input: &mut &[u8]) -> Option<String> {
    let (length, rest) = input.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *input = rest;
    String::from_utf8(text.to_vec()).ok()
}

fn optional(input: &mut &[u8]) -> Option<Option<u64>> {
    match byte(input)? {
        0 => Some(None),
        1 => number(input).map(Some),
        _ => None,
    }
}

fn row(input: &mut &[u8]) -> Option<Row> {
    let number_ = number(input)?;
    let place = Place { serial: number(input)?, line: number(input)? };
    let (seq, length) = (number(input)?, number(input)?);
    let kind = *Kind::ALL.get(usize::from(byte(input)?))?;
    let unreadable = byte(input)? == 1;
    let reasons = u32::try_from(number(input)?).ok()?;
    let (title, who, media_type) = (text(input)?, text(input)?, text(input)?);
    let (thread, answers) = (optional(input)?, optional(input)?);
    let mut parents = Vec::new();
    for _ in 0..number(input)? {
        parents.push((number(input)?, number(input)?));
    }
    let date = if byte(input)? == 1 { Some(date(input)?) } else { None };
    Some(Row { number: number_, place, seq, kind, title, who, media_type, length, date, unreadable, reasons, thread, answers, parents })
}

fn date(input: &mut &[u8]) -> Option<Date> {
    let seconds = number(input)?.cast_signed();
    let offset_minutes = match optional(input)? {
        None => None,
        Some(minutes) => Some(u16::try_from(minutes).ok()?.cast_signed()),
    };
    Some(Date {
        seconds,
        offset_minutes,
        precision: *PRECISIONS.get(usize::from(byte(input)?))?,
        source: *SOURCES.get(usize::from(byte(input)?))?,
        doubt: DOUBTS.get(usize::from(byte(input)?)).copied(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_reads_back_as_written_and_a_damaged_one_not_at_all() {
        let date = Date {
            seconds: -5,
            offset_minutes: Some(-90),
            precision: Precision::Day,
            source: DateSource::Properties,
            doubt: Some(DateDoubt::Malformed),
        };
        let row = |number, kind, parents: &[(u64, u64)]| Row {
            number,
            place: Place { serial: 1, line: number },
            seq: number,
            kind,
            title: "título".into(),
            who: String::new(),
            media_type: "text/plain".into(),
            length: u64::MAX,
            date: (number > 1).then_some(date),
            unreadable: number == 2,
            reasons: 1 << 5,
            thread: Some(1),
            answers: None,
            parents: parents.to_vec(),
        };
        let mut catalogue = Catalogue::default();
        let rows = [row(3, Kind::File, &[(2, 0)]), row(1, Kind::Container, &[]), row(2, Kind::Message, &[(1, 4)])];
        catalogue.add(rows.map(|row| ("a".to_owned(), row)));
        let releases = vec![(Digest::of(b"note"), 3)];
        let state = State { origin: "example.org/a".into(), done: 3, releases, withdrawals: vec![Digest::of(b"withdrawal")] };
        let bytes = write(&state, &catalogue);
        assert_eq!(read(&bytes), Some((state, catalogue.clone())));
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(read(&damaged).is_none() && read(&bytes[..at]).is_none());
        }
        let shelf = catalogue.shelf("a").unwrap();
        assert_eq!(shelf.standing().map(|row| row.number).collect::<Vec<_>>(), [2]);
        assert_eq!(shelf.parts(2).map(|row| row.number).collect::<Vec<_>>(), [3]);
        assert_eq!(shelf.thread(1).map(|row| row.number).collect::<Vec<_>>(), [2, 3, 1]);
    }
}
