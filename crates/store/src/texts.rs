//! Text that is too long to be held: put aside part by part while it is read, stored as one record, and read back part by part.
//!
//! The record, version 3 of texts, begins with a table of its parts: `3`, their number, for each its length and its CRC-32 (big-endian), and the CRC-32
//! of the table. A part is what version 2 is behind its version: the number of its segments, and each.

use crate::batch::{Batch, Staging, TemporaryPath};
use crate::codec::{self, Part};
use crate::desk::Desk;
use crate::documents::no_document;
use crate::error::{Error, Result};
use crate::flags::RECOGNISED;
use crate::pack::{self, At};
use crate::seen::Seen;
use daylight_model::reading::{LONGEST, Segment, joined};
use rusqlite::OptionalExtension;
use std::borrow::Cow;
use std::fs::File;
use std::io::{Read as _, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Text up to this many bytes is stored and read back whole.
pub const WHOLE_TEXT: u64 = if cfg!(test) { 256 } else { 4 << 20 };
/// A part is full when its next segment would make it longer than this.
const PART: usize = if cfg!(test) { 128 } else { LONGEST };
/// So much of a record is read at first to find its table.
const TABLE: u64 = 64 << 10;

/// Long text on its way to the desk, in a file beside the others. Dropped, it is forgotten. No file is open between two parts, for there may be many.
pub struct LongText {
    path: TemporaryPath,
    parts: Vec<Part>,
    /// Of all parts one after the other.
    crc: crc32fast::Hasher,
    part: Vec<Segment>,
    in_part: usize,
    bytes: u64,
}

impl Staging {
    /// Begins to put text aside that comes in segments.
    pub fn begin_text(&self) -> Result<LongText> {
        let path = self.temporary();
        File::create(&path).map_err(Error::io(&path))?;
        let crc = crc32fast::Hasher::new();
        Ok(LongText { path: TemporaryPath(Some(path)), parts: Vec::new(), crc, part: Vec::new(), in_part: 0, bytes: 0 })
    }
}

impl LongText {
    /// Adds the next segment.
    pub fn push(&mut self, segment: Segment) -> Result<()> {
        if self.in_part > 0 && self.in_part + segment.text.len() > PART {
            self.close_part()?;
        }
        self.in_part += segment.text.len();
        self.bytes += segment.text.len() as u64;
        self.part.push(segment);
        Ok(())
    }

    /// Holds nothing in memory until more segments follow.
    pub fn put_aside(&mut self) -> Result<()> {
        if self.part.is_empty() { Ok(()) } else { self.close_part() }
    }

    /// How many bytes of text it has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// No more segments follow. Gives the text back where it turned out to be short enough to be held.
    pub fn end(&mut self) -> Result<Option<Vec<Segment>>> {
        self.put_aside()?;
        if self.bytes > WHOLE_TEXT {
            return Ok(None);
        }
        let path = self.path.0.clone().unwrap_or_default();
        let (file, mut segments, mut at) = (File::open(&path).map_err(Error::io(&path))?, Vec::new(), 0);
        for part in &self.parts {
            segments.extend(read_part(&file, at, *part, &path.display().to_string())?);
            at += part.length;
        }
        Ok(Some(segments))
    }

    /// Stores it as one record, and says where and how long that is.
    pub(crate) fn store(&self, batch: &mut Batch) -> Result<(At, u64)> {
        let table = codec::encode_table(&self.parts);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&table);
        crc.combine(&self.crc);
        let length = table.len() as u64 + self.parts.iter().map(|part| part.length).sum::<u64>();
        let path = self.path.0.as_deref().unwrap_or(Path::new(""));
        let mut file = File::open(path).map_err(Error::io(path))?;
        let at = batch.record_stream(&pack::seal(crc.finalize()), length, &mut (&table[..]).chain(&mut file))?;
        Ok((at, length))
    }

    fn close_part(&mut self) -> Result<()> {
        let bytes = codec::encode_segments(&std::mem::take(&mut self.part));
        self.in_part = 0;
        let path = self.path.0.clone().unwrap_or_default();
        let mut file = File::options().append(true).open(&path).map_err(Error::io(&path))?;
        file.write_all(&bytes).map_err(Error::io(&path))?;
        self.crc.update(&bytes);
        self.parts.push(Part { length: bytes.len() as u64, crc: crc32fast::hash(&bytes) });
        Ok(())
    }
}

/// A document's text where it is stored, read part by part. Long text has parts of about 1 MiB, any other is one part, and none has none.
pub struct TextParts(Form);

enum Form {
    Whole(Vec<Segment>),
    Parts {
        file: Arc<File>,
        place: String,
        parts: Vec<(u64, Part)>,
        /// What was recognised on its pages, which follows as a last part.
        seen: Seen,
    },
}

impl TextParts {
    /// How many parts there are.
    pub fn count(&self) -> u64 {
        match &self.0 {
            Form::Whole(segments) => u64::from(!segments.is_empty()),
            Form::Parts { parts, seen, .. } => parts.len() as u64 + u64::from(!seen.added.is_empty()),
        }
    }

    /// The segments of a part, checked against its CRC; none beyond the last.
    pub fn part(&self, number: u64) -> Result<Cow<'_, [Segment]>> {
        match &self.0 {
            Form::Whole(segments) if number == 0 => Ok(Cow::Borrowed(segments)),
            Form::Parts { file, place, parts, seen } => match usize::try_from(number).ok().and_then(|number| parts.get(number)) {
                Some((at, part)) => {
                    let mut segments = read_part(file, *at, *part, place)?;
                    segments.retain(|segment| !seen.replaces(segment));
                    Ok(Cow::Owned(segments))
                }
                None if number == parts.len() as u64 => Ok(Cow::Owned(seen.added.iter().map(|(_, segment)| segment.clone()).collect())),
                None => Ok(Cow::Borrowed(&[])),
            },
            Form::Whole(_) => Ok(Cow::Borrowed(&[])),
        }
    }

    /// The segments of a part as they are searched, see [`joined`].
    pub fn searched(&self, number: u64) -> Result<Vec<Segment>> {
        let before = number.checked_sub(1).map(|before| self.part(before)).transpose()?;
        Ok(joined(before.as_ref().and_then(|before| before.last()), self.part(number)?.into_owned()))
    }

    /// The text, if it is held already; else that it is long.
    pub(crate) fn unless_long(self) -> (Vec<Segment>, bool) {
        match self.0 {
            Form::Whole(segments) => (segments, false),
            Form::Parts { .. } => (Vec::new(), true),
        }
    }

    fn into_segments(self) -> Result<Vec<Segment>> {
        if let Form::Whole(segments) = self.0 {
            return Ok(segments);
        }
        let mut segments = Vec::new();
        for number in 0..self.count() {
            segments.extend(self.part(number)?.into_owned());
        }
        Ok(segments)
    }
}

impl Desk {
    /// A document's text, to be read part by part: it may be too long to be held.
    pub fn text_parts(&self, seq: u64) -> Result<TextParts> {
        let sql =
            "SELECT flags, text.pack, text.offset, text.length FROM document LEFT JOIN text USING (seq, step, version) WHERE seq = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row([codec::int(seq)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
        let (flags, read) = match row.ok_or_else(|| no_document(seq))? {
            (flags, Some(pack), Some(offset), Some(length)) => {
                (flags, self.parts_at(At { pack: codec::uint(pack), offset: codec::uint(offset) }, codec::uint(length))?)
            }
            (flags, ..) => (flags, TextParts(Form::Whole(Vec::new()))),
        };
        Ok(TextParts(match read.0 {
            Form::Whole(segments) => Form::Whole(self.with_recognised(seq, flags, segments)?),
            Form::Parts { file, place, parts, .. } if flags & RECOGNISED != 0 => {
                Form::Parts { file, place, parts, seen: self.recognised_in(seq)? }
            }
            long => long,
        }))
    }

    /// A document's text in segments, as its reader left it, all of it at once; none if it has no text. What may meet a long one reads
    /// [`text_parts`](Self::text_parts).
    pub fn text(&self, seq: u64) -> Result<Vec<Segment>> {
        self.text_parts(seq)?.into_segments()
    }

    pub(crate) fn parts_at(&self, at: At, length: u64) -> Result<TextParts> {
        // Only what is longer than the longest whole text can have parts, so most texts are read without asking.
        if length > WHOLE_TEXT {
            let (file, start, _) = self.packs.find(at, None, length)?;
            let head = read_at(&file, start, TABLE.min(length), &self.packs.place(at))?;
            if head.first() == Some(&codec::LONG_TEXT) {
                return self.table(at, (file, start, length), head);
            }
        }
        Ok(TextParts(Form::Whole(codec::decode_text(&self.packs.read(at, None, length)?)?)))
    }

    fn table(&self, at: At, (file, start, length): (Arc<File>, u64, u64), mut head: Vec<u8>) -> Result<TextParts> {
        let place = self.packs.place(at);
        let needed = codec::table_length(&head)?.min(length);
        if needed > head.len() as u64 {
            head = read_at(&file, start, needed, &place)?;
        }
        let damaged = |what: &str| Error::damaged(place.clone(), what);
        let (parts, end) = codec::decode_table(&head).map_err(|_| damaged("the table of a text's parts is not what was stored"))?;
        let (mut next, mut placed) = (start + end, Vec::with_capacity(parts.len()));
        for part in parts {
            placed.push((next, part));
            next = next.saturating_add(part.length);
        }
        if next != start + length {
            return Err(damaged("the parts of a text are not as long as its record"));
        }
        Ok(TextParts(Form::Parts { file, place, parts: placed, seen: Seen::default() }))
    }
}

fn read_part(file: &File, at: u64, part: Part, place: &str) -> Result<Vec<Segment>> {
    let bytes = read_at(file, at, part.length, place)?;
    if crc32fast::hash(&bytes) != part.crc {
        return Err(Error::damaged(place.to_owned(), format!("the part of a text at byte {at} is not what was stored")));
    }
    codec::decode_segments(&bytes)
}

fn read_at(file: &File, at: u64, length: u64, place: &str) -> Result<Vec<u8>> {
    let damaged = |what: String| Error::damaged(place.to_owned(), what);
    // Checked before memory is taken: the length stands in a file that may be damaged.
    let size = file.metadata().map_err(|error| damaged(error.to_string()))?.len();
    if at.saturating_add(length) > size {
        return Err(damaged("the pack ends before its record".into()));
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged("it is too long".into()))?];
    file.read_exact_at(&mut bytes, at).map_err(|error| damaged(error.to_string()))?;
    Ok(bytes)
}
