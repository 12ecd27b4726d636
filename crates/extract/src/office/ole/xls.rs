//! xls, Excel 5 to 2003 ([MS-XLS]): records, one after the other.

mod strings;

use super::art::Art;
use super::cfb::Compound;
use crate::office::bytes::{place_at, stretch, u16_at, u32_at};
use crate::office::flow::Flow;
use crate::office::grid::{self, Grid, HiddenColumns};
use crate::office::number::{self, Format};
use crate::office::ooxml::without_codes;
use crate::output::Problem;
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Stage};
use std::collections::{HashMap, HashSet};
use strings::{Strings, string};

const TOOL: &str = "xls 1";
const BOF: u16 = 0x809;
const EOF: u16 = 0x0a;
const CONTINUE: u16 = 0x3c;

/// Reads a workbook.
pub(super) fn read(flow: &mut Flow<'_, '_>, file: &Compound<'_>) -> Result<(), Stop> {
    let bytes = file.top("Workbook").or_else(|| file.top("Book")).unwrap_or_default();
    let mut book = Book::default();
    book.read_globals(&bytes);
    let mut read = 0;
    for (place, sheet) in std::mem::take(&mut book.sheets).into_iter().enumerate() {
        flow.page(u32::try_from(place + 1).ok())?;
        flow.whole_line(if sheet.hidden { Label::Hidden } else { Label::Body }, &sheet.name)?;
        let before = Records { bytes: &bytes, at: sheet.at };
        if u16_at(&bytes, sheet.at) & 0xff != 9 {
            flow.out.fault(flow.index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "a sheet is not where it should be"))?;
            continue;
        }
        read += Sheet::new(&book, sheet.hidden).read(flow, before)?;
        // Sheets at one place could make much of little.
        if read > bytes.len().saturating_mul(4) {
            return flow.out.fault(
                flow.index,
                Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "its sheets lie over each other; the rest is not read"),
            );
        }
    }
    flow.page(None)?;
    Art::find(&bytes).give(flow)
}

struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let head = self.bytes.get(self.at..self.at + 4)?;
        let data = stretch(self.bytes, self.at + 4, usize::from(u16_at(head, 2)));
        self.at += 4 + data.len();
        Some((u16_at(head, 0), data))
    }
}

/// What the sheets of a workbook share.
#[derive(Default)]
struct Book {
    /// Strings are bytes of a code page, as before Excel 97.
    old: bool,
    page: u32,
    since_1904: bool,
    formats: Vec<Format>,
    shared: Strings,
    sheets: Vec<Listed>,
}

struct Listed {
    at: usize,
    hidden: bool,
    name: String,
}

impl Book {
    /// Reads what stands before the sheets.
    fn read_globals(&mut self, bytes: &[u8]) {
        let (mut codes, mut used) = (HashMap::new(), Vec::new());
        let mut records = Records { bytes, at: 0 };
        let mut sst: Vec<&[u8]> = Vec::new();
        let mut in_sst = false;
        for (kind, data) in records.by_ref() {
            match kind {
                BOF => (self.old, self.page) = (u16_at(data, 0) < 0x600, 1252),
                0x42 => self.page = u32::from(u16_at(data, 0)),
                0x22 => self.since_1904 = u16_at(data, 0) == 1,
                0x41e if codes.len() < 65_536 => {
                    let code = if self.old { self.short(stretch(data, 2, 256)) } else { string(stretch(data, 2, data.len())) };
                    codes.insert(u16_at(data, 0), number::parse(&code));
                }
                0xe0 if used.len() < 65_536 => used.push(u16_at(data, 2)),
                0x85 => {
                    let name = if self.old { self.short(stretch(data, 6, 256)) } else { strings::short(stretch(data, 6, data.len())) };
                    self.sheets.push(Listed { at: place_at(data, 0), hidden: data.get(4).is_some_and(|state| state & 3 != 0), name });
                }
                0xfc => sst.push(data),
                CONTINUE if in_sst => sst.push(data),
                EOF => break,
                _ => (),
            }
            in_sst = matches!(kind, 0xfc | CONTINUE) && (in_sst || kind == 0xfc);
        }
        self.formats = used.iter().map(|id| codes.get(id).cloned().unwrap_or_else(|| number::builtin(u32::from(*id)))).collect();
        self.shared = Strings::read(&sst);
    }

    /// A string of bytes behind its length in one byte.
    fn short(&self, data: &[u8]) -> String {
        crate::office::bytes::ansi(stretch(data, 1, usize::from(data.first().copied().unwrap_or(0))), self.page)
    }

    /// A string behind its length in two bytes.
    fn long(&self, data: &[u8]) -> String {
        if self.old { crate::office::bytes::ansi(stretch(data, 2, usize::from(u16_at(data, 0))), self.page) } else { string(data) }
    }

    fn number(&self, value: f64, style: u16) -> String {
        number::show(value, self.formats.get(usize::from(style)).unwrap_or(&Format::General), self.since_1904)
    }
}

struct Sheet<'a> {
    book: &'a Book,
    hidden: bool,
    grid: Grid,
    row: Option<u16>,
    hidden_rows: HashSet<u16>,
    columns: HiddenColumns,
    /// The cell of a formula whose string follows.
    waiting: Option<(u16, u16)>,
    object: u16,
    /// Texts of shapes and comments by the number of their object.
    texts: Vec<(u16, String)>,
    notes: HashMap<u16, String>,
}

impl<'a> Sheet<'a> {
    fn new(book: &'a Book, hidden: bool) -> Self {
        Self {
            book,
            hidden,
            grid: Grid::new(hidden),
            row: None,
            hidden_rows: HashSet::new(),
            columns: HiddenColumns::default(),
            waiting: None,
            object: 0,
            texts: Vec::new(),
            notes: HashMap::new(),
        }
    }

    /// Reads to the end of the sheet; says how many bytes that was. Charts stand in it as sheets of their own.
    fn read(mut self, flow: &mut Flow<'_, '_>, mut records: Records<'_>) -> Result<usize, Stop> {
        let from = records.at;
        let (mut depth, mut text_left) = (0_usize, None);
        while let Some((kind, data)) = records.next().filter(|_| !flow.is_full()) {
            match kind {
                BOF => depth += 1,
                EOF => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                0x1b6 => {
                    text_left = Some(usize::from(u16_at(data, 10)));
                    self.texts.push((self.object, String::new()));
                }
                CONTINUE => self.text_of_shape(data, &mut text_left),
                // What a chart, its axes and its series are called (SeriesText, section 2.4.254).
                0x100d => {
                    let text = stretch(data, 2, data.len());
                    self.texts.push((0, if self.book.old { self.book.short(text) } else { strings::short(text) }));
                }
                0x5d if u16_at(data, 0) == 0x15 => self.object = u16_at(data, 6),
                _ => self.record(flow, kind, data)?,
            }
        }
        let (at, label) = (records.at, if self.hidden { Label::Hidden } else { Label::Body });
        self.grid.end(flow)?;
        for (object, text) in self.texts {
            match self.notes.get(&object) {
                Some(head) => flow.whole_line(Label::Comment, &format!("{head}{text}"))?,
                None => flow.whole_line(label, &text)?,
            }
        }
        Ok(at.saturating_sub(from))
    }

    fn text_of_shape(&mut self, data: &[u8], left: &mut Option<usize>) {
        let (Some(count), Some((_, text))) = (*left, self.texts.last_mut()) else { return };
        if count == 0 {
            *left = None;
            return;
        }
        let wide = data.first().is_some_and(|flags| flags & 1 == 1);
        let piece = strings::characters(stretch(data, 1, count * if wide { 2 } else { 1 }), wide);
        *left = Some(count.saturating_sub(piece.chars().count()));
        text.push_str(&piece.replace('\r', "\n"));
    }

    fn record(&mut self, flow: &mut Flow<'_, '_>, kind: u16, data: &[u8]) -> Result<(), Stop> {
        let [row, column, style] = [0, 2, 4].map(|at| u16_at(data, at));
        match kind {
            0xfd => {
                let shared = self.book.shared.get(place_at(data, 6)).unwrap_or_default().to_owned();
                self.cell(flow, row, column, &shared)?;
            }
            0x203 => self.cell(flow, row, column, &self.book.number(f64_at(data, 6), style))?,
            0x27e => self.cell(flow, row, column, &self.book.number(number::packed(u32_at(data, 6)), style))?,
            0xbd => {
                for (n, cell) in stretch(data, 4, data.len().saturating_sub(6)).chunks_exact(6).enumerate() {
                    let column = column.saturating_add(u16::try_from(n).unwrap_or(u16::MAX));
                    self.cell(flow, row, column, &self.book.number(number::packed(u32_at(cell, 2)), u16_at(cell, 0)))?;
                }
            }
            0x204 | 0xd6 => self.cell(flow, row, column, &self.book.long(stretch(data, 6, data.len())))?,
            0x205 => self.cell(flow, row, column, number::truth(stretch(data, 6, 2)))?,
            0x06 | 0x206 | 0x406 => self.formula(flow, row, column, style, data)?,
            0x207 => {
                if let Some((row, column)) = self.waiting.take() {
                    self.cell(flow, row, column, &self.book.long(data))?;
                }
            }
            0x208 if u32_at(data, 12) & 0x20 != 0 => drop(self.hidden_rows.insert(row)),
            0x7d if u16_at(data, 8) & 1 == 1 => self.columns.hide(u32::from(u16_at(data, 0)), u32::from(u16_at(data, 2))),
            0x1c => {
                let head = format!("{} ", grid::reference(u32::from(column), u32::from(row)));
                let author = if self.book.old { String::new() } else { string(stretch(data, 8, data.len())) };
                if self.book.old {
                    let text = crate::office::bytes::ansi(stretch(data, 6, usize::from(u16_at(data, 4))), self.book.page);
                    flow.whole_line(Label::Comment, &format!("{head}{text}"))?;
                }
                self.notes.insert(u16_at(data, 6), format!("{head}{author}: "));
            }
            0x14 | 0x15 => {
                let text = if self.book.old { self.book.short(data) } else { string(data) };
                flow.whole_line(Label::Margin, &without_codes(&text))?;
            }
            _ => (),
        }
        Ok(())
    }

    fn formula(&mut self, flow: &mut Flow<'_, '_>, row: u16, column: u16, style: u16, data: &[u8]) -> Result<(), Stop> {
        let value = stretch(data, 6, 8);
        if u16_at(value, 6) != 0xffff {
            return self.cell(flow, row, column, &self.book.number(f64_at(value, 0), style));
        }
        match value.first() {
            Some(0) => self.waiting = Some((row, column)),
            Some(1) => self.cell(flow, row, column, number::truth(&[value[2], 0]))?,
            Some(2) => self.cell(flow, row, column, number::truth(&[value[2], 1]))?,
            _ => (),
        }
        Ok(())
    }

    fn cell(&mut self, flow: &mut Flow<'_, '_>, row: u16, column: u16, text: &str) -> Result<(), Stop> {
        if self.row != Some(row) {
            self.grid.end_row(flow)?;
            self.row = Some(row);
        }
        let hidden = self.hidden_rows.contains(&row) || self.columns.is_hidden(u32::from(column));
        self.grid.cell(u32::from(column), text, hidden);
        if self.grid.is_long() { self.grid.end_row(flow) } else { Ok(()) }
    }
}

fn f64_at(bytes: &[u8], at: usize) -> f64 {
    f64::from_bits(crate::office::bytes::u64_at(bytes, at))
}
