//! doc, Word 97 and later ([MS-DOC]), and what is found of older ones: the text by its pieces, and which of it is hidden, put in or taken out by its character runs.

mod old;

pub(in crate::office) use old::read as read_old;

use super::art::Art;
use super::cfb::Compound;
use crate::office::bytes::{place_at, stretch, u16_at, u32_at};
use crate::office::flow::Flow;
use crate::output::Problem;
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Stage};
use std::collections::BTreeMap;

const TOOL: &str = "doc 1";
/// The first version whose text stands in pieces.
const WORD_97: u16 = 193;

pub(super) fn read(flow: &mut Flow<'_, '_>, file: &Compound<'_>, bytes: &[u8]) -> Result<(), Stop> {
    let fault = |code, why: &str| Problem::new(Stage::Read, code, TOOL, why);
    let flags = u16_at(bytes, 10);
    if u16_at(bytes, 2) < WORD_97 {
        return old::read(flow, bytes);
    }
    let table = file.top(if flags & 0x200 == 0 { "0Table" } else { "1Table" }).unwrap_or_default();
    let pieces = pieces(stretch(&table, place_at(bytes, 0x1a2), place_at(bytes, 0x1a6)));
    if pieces.is_empty() {
        return flow.out.fault(flow.index, fault(FaultCode::Malformed, "the table of its pieces is missing"));
    }
    Text { bytes, runs: runs(bytes, stretch(&table, place_at(bytes, 0xfa), place_at(bytes, 0xfe))), field: Vec::new(), row: false }
        .read(flow, &pieces)?;
    Art::find(&table).give(flow)
}

/// The documents in a document, in the order in which they follow each other (section 2.4.1).
const LABELS: [Label; 8] =
    [Label::Body, Label::Note, Label::Margin, Label::Hidden, Label::Comment, Label::Note, Label::Body, Label::Margin];

/// A stretch of text that stands together.
struct Piece {
    /// Its first character's number.
    first: u32,
    end: u32,
    at: usize,
    /// The place as it is written. Before Word 97 it says nothing else.
    place: usize,
    /// Each character is one byte of Windows-1252, not two of UTF-16.
    narrow: bool,
}

/// Reads the table of pieces (section 2.9.38).
fn pieces(mut table: &[u8]) -> Vec<Piece> {
    while table.first() == Some(&1) {
        table = table.get(3 + usize::from(u16_at(table, 1))..).unwrap_or_default();
    }
    if table.first() != Some(&2) {
        return Vec::new();
    }
    let table = stretch(table, 5, place_at(table, 1));
    let count = table.len().saturating_sub(4) / 12;
    let piece = |number: usize| {
        let place = u32_at(table, (count + 1) * 4 + number * 8 + 2);
        let narrow = place & 0x4000_0000 != 0;
        let at = (place & 0x3fff_ffff) as usize;
        let place = place as usize;
        Piece { place, first: u32_at(table, number * 4), end: u32_at(table, number * 4 + 4), at: if narrow { at / 2 } else { at }, narrow }
    };
    (0..count).map(piece).collect()
}

/// The runs of characters that are not plain body text: by their first byte their end and label.
fn runs(bytes: &[u8], table: &[u8]) -> BTreeMap<usize, (usize, Label)> {
    let mut runs = BTreeMap::new();
    let count = table.len().saturating_sub(4) / 8;
    for number in 0..count {
        let page = stretch(bytes, place_at(table, (count + 1) * 4 + number * 4).saturating_mul(512), 512);
        let in_page = usize::from(page.get(511).copied().unwrap_or(0)).min(101);
        for run in 0..in_page {
            let offset = usize::from(page[((in_page + 1) * 4 + run).min(511)]) * 2;
            if offset == 0 || offset > 510 {
                continue;
            }
            let properties = stretch(page, offset + 1, usize::from(page[offset]));
            if let Some(label) = label(properties) {
                runs.insert(place_at(page, run * 4), (place_at(page, run * 4 + 4), label));
            }
        }
    }
    runs
}

/// What character properties (section 2.6.1) make of text.
fn label(mut properties: &[u8]) -> Option<Label> {
    let mut label = None;
    while properties.len() >= 3 {
        let code = u16_at(properties, 0);
        let on = properties[2] & 1 == 1;
        match code {
            0x0800 if on => return Some(Label::Deleted),
            0x0801 if on => label = Some(Label::Inserted),
            0x083c if on && label.is_none() => label = Some(Label::Hidden),
            _ => (),
        }
        let length = match code >> 13 {
            0 | 1 => 1,
            2 | 4 | 5 => 2,
            3 => 4,
            6 => usize::from(properties[2]) + 1,
            _ => 3,
        };
        properties = properties.get(2 + length..).unwrap_or_default();
    }
    label
}

struct Text<'a> {
    bytes: &'a [u8],
    runs: BTreeMap<usize, (usize, Label)>,
    /// The fields that are open: whether what stands here is an instruction, and that.
    field: Vec<(bool, String)>,
    row: bool,
}

impl Text<'_> {
    fn read(&mut self, flow: &mut Flow<'_, '_>, pieces: &[Piece]) -> Result<(), Stop> {
        let lengths = [0x4c, 0x50, 0x54, 0x58, 0x5c, 0x60, 0x64, 0x68].map(|at| u64::from(u32_at(self.bytes, at)));
        let mut read = 0;
        for piece in pieces {
            let width = if piece.narrow { 1 } else { 2 };
            let length = (piece.end.saturating_sub(piece.first) as usize).min(self.bytes.len().saturating_sub(piece.at) / width);
            read += length * width;
            // Pieces that lie over each other could make much of little.
            if read > self.bytes.len().saturating_mul(4) {
                let why = Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "its pieces lie over each other; the rest is not read");
                return flow.out.fault(flow.index, why);
            }
            let mut known = (0..0, None);
            for number in 0..length {
                let at = piece.at + number * width;
                if !known.0.contains(&at) {
                    known = self.run(at);
                }
                let place = u64::from(piece.first) + number as u64;
                let mut end = 0;
                let of = lengths.iter().position(|length| {
                    end += length;
                    place < end
                });
                let Some(part) = of.map(|of| LABELS[of]) else { continue };
                let marked = known.1.filter(|marked| part == Label::Body || *marked != Label::Hidden);
                self.unit(flow, marked.unwrap_or(part), at, piece.narrow)?;
            }
        }
        flow.line()
    }

    /// The stretch of bytes around `at` that stands in one way, and that way.
    fn run(&self, at: usize) -> (std::ops::Range<usize>, Option<Label>) {
        let next = self.runs.range(at + 1..).next().map_or(usize::MAX, |(start, _)| *start);
        match self.runs.range(..=at).next_back() {
            Some((_, (end, label))) if at < *end => (at..(*end).min(next), Some(*label)),
            _ => (at..next, None),
        }
    }

    fn unit(&mut self, flow: &mut Flow<'_, '_>, label: Label, at: usize, narrow: bool) -> Result<(), Stop> {
        if narrow {
            let byte = [self.bytes[at]];
            let text = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0;
            return text.chars().try_for_each(|character| self.character(flow, label, character));
        }
        let unit = u16_at(self.bytes, at);
        match char::from_u32(u32::from(unit)) {
            Some(character) => self.character(flow, label, character),
            // The second half of a pair was taken with the first.
            None if unit >= 0xdc00 => Ok(()),
            None => {
                let pair = char::decode_utf16([unit, u16_at(self.bytes, at + 2)]).next().and_then(Result::ok);
                self.character(flow, label, pair.unwrap_or(char::REPLACEMENT_CHARACTER))
            }
        }
    }

    /// One character, or what stands for something else (section 2.4.1).
    fn character(&mut self, flow: &mut Flow<'_, '_>, label: Label, character: char) -> Result<(), Stop> {
        let after_cell = std::mem::replace(&mut self.row, character == '\u{7}');
        if let Some((true, instruction)) = self.field.last_mut()
            && !matches!(character, '\u{13}'..='\u{15}')
        {
            if instruction.len() < 4096 {
                instruction.push(character);
            }
            return Ok(());
        }
        match character {
            '\r' | '\u{b}' | '\u{c}' | '\u{e}' => flow.line()?,
            '\u{7}' if after_cell => {
                self.row = false;
                flow.row()?;
            }
            '\u{7}' => flow.cell(),
            '\t' => flow.text(label, "\t")?,
            '\u{1e}' => flow.text(label, "-")?,
            '\u{13}' if self.field.len() < 100 => self.field.push((true, String::new())),
            '\u{14}' => {
                let instruction = self.field.last_mut().map(|field| std::mem::take(field).1).unwrap_or_default();
                let word = instruction.split_whitespace().next().unwrap_or_default();
                if matches!(word, "HYPERLINK" | "INCLUDETEXT" | "INCLUDEPICTURE" | "LINK" | "DDE" | "DDEAUTO") && instruction.contains('"')
                {
                    flow.whole_line(Label::Hidden, &instruction.replace(char::is_control, " "))?;
                }
            }
            '\u{15}' => drop(self.field.pop()),
            '\0'..='\u{1f}' => (),
            _ => flow.text(label, character.encode_utf8(&mut [0; 4]))?,
        }
        Ok(())
    }
}
