//! doc before Word 97: in one piece or, where it was saved fast, in many. A character is a byte, or two where Word 95 says so.

use super::{LABELS, Piece, TOOL, Text, pieces};
use crate::charset;
use crate::office::bytes::{place_at, stretch, u16_at, u32_at};
use crate::office::flow::Flow;
use crate::output::Problem;
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Stage};
use std::collections::BTreeMap;
use std::ops::Range;

/// The first version with a table of pieces and lengths where they are read here.
const WORD_6: u16 = 101;
/// What the header says where the characters are those of a Macintosh.
const MACINTOSH: u16 = 256;
const SAVED_FAST: u16 = 4;
const ENCRYPTED: u16 = 0x100;
/// A character has two bytes. Of most the second is 0 or 16, and the first is of the code page.
const TWO_BYTES: u16 = 0x1000;

/// Reads the text, each of the documents in the document in its own way, then what stood there before it was saved fast.
pub(in crate::office) fn read(flow: &mut Flow<'_, '_>, bytes: &[u8]) -> Result<(), Stop> {
    let (version, flags) = (u16_at(bytes, 2), u16_at(bytes, 10));
    if flags & ENCRYPTED != 0 {
        let why = "it has a password of a Word before 97, which is not known here";
        return flow.out.fault(flow.index, Problem::new(Stage::Read, FaultCode::Encrypted, TOOL, why));
    }
    let table = if version >= WORD_6 { stretch(bytes, place_at(bytes, 0x160), place_at(bytes, 0x164)) } else { &[] };
    let pieces = pieces(table);
    let why = match (version >= WORD_6, flags & SAVED_FAST != 0 && pieces.is_empty()) {
        (_, true) => {
            "it is older than Word 97 and was saved fast: its text is read as it stands, what was changed last may be missing or out of its place"
        }
        (true, false) => "it is older than Word 97: what is hidden or was changed in it is not marked",
        (false, false) => "it is older than Word 6: its text is read as it stands, changes and notes unmarked",
    };
    flow.out.fault(flow.index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, why))?;
    let whole = Range { start: place_at(bytes, 0x18).min(bytes.len()), end: place_at(bytes, 0x1c).min(bytes.len()) };
    let width = if version >= WORD_6 && flags & TWO_BYTES != 0 { 2 } else { 1 };
    let Some(ranges) = ranges(&pieces, &whole, bytes.len(), width) else {
        let why = Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "its pieces lie over each other and are not read");
        return flow.out.fault(flow.index, why);
    };
    let text: Vec<u8> = ranges.iter().flat_map(|range| &bytes[range.clone()]).copied().collect();
    let is_mac = version >= WORD_6 && u16_at(bytes, 0x14) == MACINTOSH;
    let narrow = |text: &[u8]| if width == 2 { text.iter().step_by(2).copied().collect() } else { text.to_vec() };
    let encoding = if is_mac { encoding_rs::MACINTOSH } else { charset::guess(&narrow(&text)) };
    let mut reading = Text { bytes, runs: BTreeMap::new(), field: Vec::new(), row: false };
    let mut give = |flow: &mut Flow<'_, '_>, label, text: &[u8]| {
        let text = if width == 2 { two_bytes(text, encoding) } else { encoding.decode_without_bom_handling(text).0.into_owned() };
        text.chars().try_for_each(|character| reading.character(flow, label, character))
    };
    let mut rest = text.as_slice();
    if version >= WORD_6 {
        for (label, at) in LABELS.into_iter().zip((0x34..).step_by(4)) {
            let (part, after) = rest.split_at((u32_at(bytes, at) as usize).saturating_mul(width).min(rest.len()));
            give(flow, label, part)?;
            rest = after;
        }
    }
    give(flow, Label::Body, rest)?;
    flow.line()?;
    for gone in between(&ranges, &whole) {
        give(flow, Label::Hidden, &bytes[gone])?;
        flow.line()?;
    }
    Ok(())
}

/// Characters of two bytes as text.
fn two_bytes(text: &[u8], encoding: &'static encoding_rs::Encoding) -> String {
    let mut shown = String::with_capacity(text.len());
    for unit in text.chunks_exact(2) {
        match (unit[1], char::from_u32(u32::from(u16_at(unit, 0)))) {
            (0 | 0x10, _) => shown.push_str(&encoding.decode_without_bom_handling(&unit[..1]).0),
            (_, character) => shown.push(character.unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }
    shown
}

/// Where the text stands, in its order; `None` if that is much more than there are bytes.
fn ranges(pieces: &[Piece], whole: &Range<usize>, length: usize, width: usize) -> Option<Vec<Range<usize>>> {
    if pieces.is_empty() {
        return Some(if whole.is_empty() { Vec::new() } else { vec![whole.clone()] });
    }
    let mut total = 0;
    let mut ranges = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let (start, count) = (piece.place, (piece.end.saturating_sub(piece.first) as usize).saturating_mul(width));
        let range = start.min(length)..start.saturating_add(count).min(length);
        total += range.len();
        if total > length.saturating_mul(4) {
            return None;
        }
        ranges.push(range);
    }
    Some(ranges)
}

/// What of the text as it was first saved stands in no piece any more.
fn between(ranges: &[Range<usize>], whole: &Range<usize>) -> Vec<Range<usize>> {
    let mut sorted: Vec<&Range<usize>> = ranges.iter().collect();
    sorted.sort_by_key(|range| range.start);
    let (mut at, mut found) = (whole.start, Vec::new());
    for range in sorted {
        if range.start > at && at < whole.end {
            found.push(at..range.start.min(whole.end));
        }
        at = at.max(range.end);
    }
    if at < whole.end && !ranges.is_empty() {
        found.push(at..whole.end);
    }
    found
}
