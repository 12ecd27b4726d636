//! xlsb, the workbook of records in place of markup ([MS-XLSB]). Sheets, strings and styles are as in xlsx; only what stands in a part's bytes is another.

use super::sheet::Book;
use super::{Parts, TOOL, without_codes};
use crate::office::bytes::{u16_at, u32_at, utf16};
use crate::office::flow::Flow;
use crate::office::grid::{self, Grid, HiddenColumns};
use crate::office::number::{self, Format};
use crate::output::Problem;
use daylight_model::FaultCode;
use daylight_model::Stage;
use daylight_model::reading::{Label, Stop};
use std::collections::HashMap;
use std::io::{BufReader, ErrorKind, Read};

/// A record is no longer than this; a string in a cell has 32,767 characters.
const LONGEST: usize = 1 << 20;
const MOST_FORMATS: usize = 65_536;

/// The records of a part, one after the other (section 2.1.4).
pub(super) struct Records<'a> {
    source: BufReader<Box<dyn Read + 'a>>,
    left: u64,
    spent: u64,
    kind: u32,
    data: Vec<u8>,
    broken: Option<&'static str>,
}

impl<'a> Records<'a> {
    fn new(source: Box<dyn Read + 'a>, left: u64) -> Self {
        Self { source: BufReader::with_capacity(1 << 16, source), left, spent: 0, kind: 0, data: Vec::new(), broken: None }
    }

    /// The next record's kind and data.
    pub(super) fn next(&mut self) -> Option<(u32, &[u8])> {
        if self.broken.is_some() {
            return None;
        }
        match self.advance() {
            Ok(true) => Some((self.kind, &self.data)),
            Ok(false) => None,
            Err(why) => {
                self.broken = Some(why);
                None
            }
        }
    }

    fn advance(&mut self) -> Result<bool, &'static str> {
        const BREAKS_OFF: &str = "its records break off";
        let Some(first) = self.byte()? else { return Ok(false) };
        let mut next = || self.byte()?.ok_or(BREAKS_OFF);
        let kind = if first & 0x80 == 0 { u32::from(first) } else { u32::from(first & 0x7f) | u32::from(next()? & 0x7f) << 7 };
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = next()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        self.spent += length as u64;
        if self.spent > self.left {
            return Err("it is past the budget");
        }
        self.data.clear();
        self.kind = kind;
        let read = self
            .source
            .by_ref()
            .take(length.min(LONGEST) as u64)
            .read_to_end(&mut self.data)
            .map_err(|_| "it cannot be unpacked to the end")?;
        // What is longer than any record that has words in it is passed over.
        let over = (length - length.min(LONGEST)) as u64;
        let passed =
            std::io::copy(&mut self.source.by_ref().take(over), &mut std::io::sink()).map_err(|_| "it cannot be unpacked to the end")?;
        if read < length.min(LONGEST) || passed < over {
            return Err(BREAKS_OFF);
        }
        Ok(true)
    }

    fn byte(&mut self) -> Result<Option<u8>, &'static str> {
        let mut byte = [0];
        loop {
            match self.source.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => {
                    self.spent += 1;
                    return Ok(Some(byte[0]));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(_) => return Err("it cannot be unpacked to the end"),
            }
        }
    }
}

impl Parts<'_> {
    /// Reads a part's records. What breaks them, or is left of them, is a fault.
    fn records(
        &mut self,
        flow: &mut Flow<'_, '_>,
        number: usize,
        read: impl FnOnce(&mut Flow<'_, '_>, &mut Records<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.read[number] = true;
        let fault = |code, why: &str| Problem::new(Stage::Read, code, TOOL, format!("part {number}: {why}"));
        let source = match self.package.part(number) {
            Ok(source) => source,
            Err(error) => return flow.out.fault(flow.index, fault(FaultCode::Malformed, &error.to_string())),
        };
        let left = flow.out.left();
        let mut records = Records::new(source, left);
        read(flow, &mut records)?;
        let (spent, broken) = (records.spent, records.broken);
        flow.out.spend(usize::try_from(spent.min(flow.out.left())).unwrap_or(0));
        match broken {
            Some(why) if spent > left => flow.out.fault(flow.index, fault(FaultCode::TooLarge, why).limit(flow.out.budget())),
            Some(why) => flow.out.fault(flow.index, fault(FaultCode::Malformed, why).at(spent)),
            None => Ok(()),
        }
    }
}

/// A string behind its length in characters (section 2.5.169), and where it ends. One that is not there is empty.
fn string(data: &[u8], at: usize) -> (String, usize) {
    let count = u32_at(data, at);
    if count == u32::MAX {
        return (String::new(), at.saturating_add(4));
    }
    let start = at.saturating_add(4);
    let end = start.saturating_add((count as usize).saturating_mul(2));
    (data.get(start..end.min(data.len())).map(utf16).unwrap_or_default(), end)
}

/// The text of a string with formats (section 2.5.122).
fn rich(data: &[u8], at: usize) -> String {
    string(data, at.saturating_add(1)).0
}

/// What the workbook's own part lists: names of sheets, whether they are hidden, and by which relation they are found.
pub(super) fn workbook(
    flow: &mut Flow<'_, '_>,
    parts: &mut Parts<'_>,
    number: usize,
    book: &mut Book,
) -> Result<Vec<(String, bool, String)>, Stop> {
    let mut sheets = Vec::new();
    parts.records(flow, number, |flow, records| {
        while let Some((kind, data)) = records.next() {
            match kind {
                153 => book.since_1904 |= data.first().is_some_and(|flags| flags & 1 == 1),
                156 if sheets.len() < super::MOST => {
                    let hidden = u32_at(data, 0) != 0;
                    let (relation, at) = string(data, 8);
                    sheets.push((string(data, at).0, hidden, relation));
                }
                39 => flow.whole_line(Label::Property, &format!("name {}", string(data, 9).0))?,
                _ => (),
            }
        }
        Ok(())
    })?;
    Ok(sheets)
}

/// The strings that cells share, up to so many bytes. Says whether there were more.
pub(super) fn shared(
    flow: &mut Flow<'_, '_>,
    parts: &mut Parts<'_>,
    number: usize,
    strings: &mut Vec<String>,
    most: usize,
) -> Result<bool, Stop> {
    let mut bytes = 0;
    parts.records(flow, number, |_, records| {
        while let Some((kind, data)) = records.next() {
            if kind == 19 && bytes < most {
                let string = rich(data, 0);
                bytes += string.len() + size_of::<String>();
                strings.push(string);
            }
        }
        Ok(())
    })?;
    Ok(bytes >= most)
}

/// The formats of cells by their styles.
pub(super) fn styles(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>, number: usize) -> Result<Vec<Format>, Stop> {
    let (mut codes, mut formats, mut in_cells) = (HashMap::new(), Vec::new(), false);
    parts.records(flow, number, |_, records| {
        while let Some((kind, data)) = records.next() {
            match kind {
                44 if codes.len() < MOST_FORMATS => drop(codes.insert(u32::from(u16_at(data, 0)), number::parse(&string(data, 2).0))),
                617 => in_cells = true,
                618 => in_cells = false,
                47 if in_cells && formats.len() < MOST_FORMATS => formats.push(u32::from(u16_at(data, 2))),
                _ => (),
            }
        }
        Ok(())
    })?;
    Ok(formats.into_iter().map(|id| codes.get(&id).cloned().unwrap_or_else(|| number::builtin(id))).collect())
}

/// The cells of a sheet, its links and what stands at the edges of its pages.
pub(super) fn sheet(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>, number: usize, book: &Book, hidden: bool) -> Result<(), Stop> {
    parts.records(flow, number, |flow, records| {
        let (mut grid, mut columns, mut row_hidden) = (Grid::new(hidden), HiddenColumns::default(), false);
        while let Some((kind, data)) = records.next() {
            match kind {
                0 => {
                    grid.end_row(flow)?;
                    row_hidden = data.get(11).is_some_and(|flags| flags & 0x10 != 0);
                }
                60 if u16_at(data, 16) & 1 == 1 => columns.hide(u32_at(data, 0), u32_at(data, 4)),
                2..=11 | 62 => {
                    let column = u32_at(data, 0);
                    grid.cell(column, &shown(kind, data, book), row_hidden || columns.is_hidden(column));
                    if grid.is_long() {
                        grid.end_row(flow)?;
                    }
                    if flow.is_full() {
                        break;
                    }
                }
                479 => {
                    grid.end_row(flow)?;
                    let mut at = 2;
                    for _ in 0..6 {
                        let (text, end) = string(data, at);
                        flow.whole_line(Label::Margin, &without_codes(&text))?;
                        at = end;
                    }
                }
                494 => {
                    grid.end_row(flow)?;
                    let (_, mut at) = string(data, 16);
                    for _ in 0..3 {
                        let (text, end) = string(data, at);
                        flow.whole_line(Label::Hidden, &text)?;
                        at = end;
                    }
                }
                _ => (),
            }
        }
        grid.end(flow)
    })
}

/// What a cell shows (section 2.4.3 and those after it): behind its column and style.
fn shown(kind: u32, data: &[u8], book: &Book) -> String {
    let format = book.formats.get((u32_at(data, 4) & 0xff_ffff) as usize).unwrap_or(&Format::General);
    let real = || data.get(8..16).and_then(|bytes| bytes.try_into().ok()).map_or(0.0, f64::from_le_bytes);
    match kind {
        2 => number::show(number::packed(u32_at(data, 8)), format, book.since_1904),
        3 | 11 => number::truth(&[data.get(8).copied().unwrap_or(0), 1]).to_owned(),
        4 | 10 => number::truth(&[data.get(8).copied().unwrap_or(0), 0]).to_owned(),
        5 | 9 => number::show(real(), format, book.since_1904),
        6 | 8 => string(data, 8).0,
        7 => book.shared.get(u32_at(data, 8) as usize).cloned().unwrap_or_default(),
        62 => rich(data, 8),
        _ => String::new(),
    }
}

/// Comments with the cells at which they stand and their authors.
pub(super) fn comments(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>, number: usize) -> Result<(), Stop> {
    parts.records(flow, number, |flow, records| {
        let (mut authors, mut head) = (Vec::new(), String::new());
        while let Some((kind, data)) = records.next() {
            match kind {
                632 if authors.len() < 10_000 => authors.push(string(data, 0).0),
                635 => {
                    let author = authors.get(u32_at(data, 0) as usize).map_or("", String::as_str);
                    let cell = grid::reference(u32_at(data, 12), u32_at(data, 4));
                    head = format!("{cell} {author}: ");
                }
                637 => flow.whole_line(Label::Comment, &format!("{head}{}", rich(data, 0)))?,
                _ => (),
            }
        }
        Ok(())
    })
}
