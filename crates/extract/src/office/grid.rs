//! A sheet's cells on their way out: a line for each row, cells apart by tabs. What is hidden follows on its own, so that rows stay whole.

use super::flow::Flow;
use daylight_model::reading::{Label, Stop};

/// Empty cells in a row beyond this many are not shown as such.
const WIDEST_GAP: u32 = 16;
/// Hidden rows are gathered up to this many bytes.
const GATHERED: usize = 256 << 10;

/// The rows of one sheet.
pub(super) struct Grid {
    sheet_hidden: bool,
    row: String,
    row_next: u32,
    hidden_row: String,
    hidden: String,
}

impl Grid {
    pub(super) fn new(sheet_hidden: bool) -> Self {
        Self { sheet_hidden, row: String::new(), row_next: 0, hidden_row: String::new(), hidden: String::new() }
    }

    /// A cell with its column from 0.
    pub(super) fn cell(&mut self, column: u32, text: &str, hidden: bool) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if hidden && !self.sheet_hidden {
            if !self.hidden_row.is_empty() {
                self.hidden_row.push('\t');
            }
            return push(&mut self.hidden_row, text);
        }
        let gap = column.saturating_sub(self.row_next).min(WIDEST_GAP);
        self.row.extend(std::iter::repeat_n('\t', gap as usize));
        push(&mut self.row, text);
        self.row.push('\t');
        self.row_next = column.saturating_add(1);
    }

    /// Whether the row is longer than any honest one: then it should end here.
    pub(super) fn is_long(&self) -> bool {
        self.row.len() + self.hidden_row.len() > 1 << 20
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self, flow: &mut Flow<'_, '_>) -> Result<(), Stop> {
        self.row_next = 0;
        if !self.row.is_empty() {
            let label = if self.sheet_hidden { Label::Hidden } else { Label::Body };
            flow.text(label, self.row.trim_end())?;
            flow.line()?;
            self.row.clear();
        }
        if !self.hidden_row.is_empty() {
            self.hidden.push_str(&self.hidden_row);
            self.hidden.push('\n');
            self.hidden_row.clear();
        }
        if self.hidden.len() > GATHERED { self.give_hidden(flow) } else { Ok(()) }
    }

    /// Ends the sheet.
    pub(super) fn end(mut self, flow: &mut Flow<'_, '_>) -> Result<(), Stop> {
        self.end_row(flow)?;
        self.give_hidden(flow)
    }

    fn give_hidden(&mut self, flow: &mut Flow<'_, '_>) -> Result<(), Stop> {
        let hidden = std::mem::take(&mut self.hidden);
        flow.whole_line(Label::Hidden, &hidden)
    }
}

/// A cell's lines in one.
fn push(row: &mut String, text: &str) {
    if !text.contains(['\n', '\r', '\t']) {
        return row.push_str(text);
    }
    row.extend(text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }));
}

/// Which columns of a sheet are hidden.
#[derive(Default)]
pub(super) struct HiddenColumns {
    hidden: Vec<bool>,
    stretches: usize,
}

impl HiddenColumns {
    /// A sheet has as many columns in Excel, and may have as many stretches of hidden ones as are looked at.
    const MOST: u32 = 16_384;
    const MOST_STRETCHES: usize = 4096;

    /// Hides the columns from `first` to `last`, from 0.
    pub(super) fn hide(&mut self, first: u32, last: u32) {
        self.stretches += 1;
        if self.stretches > Self::MOST_STRETCHES {
            return;
        }
        self.hidden.resize(Self::MOST as usize, false);
        for column in first..=last.min(Self::MOST - 1) {
            self.hidden[column as usize] = true;
        }
    }

    pub(super) fn is_hidden(&self, column: u32) -> bool {
        self.hidden.get(column as usize).copied().unwrap_or(false)
    }
}

/// The column, from 0, of a reference such as `AB12`.
pub(super) fn column(reference: &str) -> Option<u32> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let column = letters.fold(0_u32, |column, letter| column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1);
    column.checked_sub(1)
}

/// The name of a cell by its column and row from 0, such as `AB12`.
pub(super) fn reference(column: u32, row: u32) -> String {
    let (mut letters, mut left) = (Vec::new(), column.saturating_add(1));
    while left > 0 && letters.len() < 4 {
        letters.push(b'A' + u8::try_from((left - 1) % 26).unwrap_or(0));
        left = (left - 1) / 26;
    }
    let letters: String = letters.iter().rev().map(|letter| char::from(*letter)).collect();
    format!("{letters}{}", row.saturating_add(1))
}
