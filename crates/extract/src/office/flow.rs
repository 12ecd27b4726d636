//! Text on its way out of a document: joined into lines and rows as long as it stands in the same way, cut where that changes.

use crate::output::{CHUNK, Output};
use daylight_model::reading::{Label, Stop};

/// Where a reader of one document writes its text.
pub(super) struct Flow<'a, 'o> {
    pub(super) out: &'a mut Output<'o>,
    pub(super) index: u32,
    page: Option<u32>,
    label: Label,
    text: String,
    /// Ends of lines and cells that are written once more text follows.
    pending: String,
    /// The budget holds no more: what follows is left out, and it was said.
    full: bool,
    /// Words were written that are no property.
    pub(super) said: bool,
}

impl<'a, 'o> Flow<'a, 'o> {
    pub(super) fn new(out: &'a mut Output<'o>, index: u32) -> Self {
        Self { out, index, page: None, label: Label::Body, text: String::new(), pending: String::new(), full: false, said: false }
    }

    /// Whether the budget holds no more: whoever has much to say can stop.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// What follows stands on this page.
    pub(super) fn page(&mut self, page: Option<u32>) -> Result<(), Stop> {
        if page != self.page {
            self.flush()?;
            self.page = page;
        }
        Ok(())
    }

    /// More text of the line that is being written.
    pub(super) fn text(&mut self, label: Label, text: &str) -> Result<(), Stop> {
        if text.is_empty() || self.full {
            return Ok(());
        }
        if label != self.label {
            self.flush()?;
            self.label = label;
        }
        if !self.text.is_empty() {
            self.text.push_str(&self.pending);
        }
        self.pending.clear();
        self.text.push_str(text);
        // Cut at the end of a line where there is one, since a segment begins a line unless the one before is as long as can be.
        if self.text.len() > CHUNK / 2 && self.text.ends_with('\n') || self.text.len() > CHUNK * 4 {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends a line.
    pub(super) fn line(&mut self) -> Result<(), Stop> {
        if self.text.len() > CHUNK / 2 {
            return self.flush();
        }
        if self.pending.len() < 64 {
            self.pending.push('\n');
        }
        Ok(())
    }

    /// Ends a cell: what ended its last line is taken for that.
    pub(super) fn cell(&mut self) {
        if self.pending.ends_with('\n') {
            self.pending.pop();
        }
        if self.pending.len() < 4096 {
            self.pending.push('\t');
        }
    }

    /// Ends a row of cells.
    pub(super) fn row(&mut self) -> Result<(), Stop> {
        let kept = self.pending.trim_end_matches('\t').len();
        self.pending.truncate(kept);
        self.line()
    }

    /// A whole line that stands in its own way.
    pub(super) fn whole_line(&mut self, label: Label, text: &str) -> Result<(), Stop> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if label == self.label && !self.text.is_empty() && !self.pending.contains('\n') {
            self.line()?;
        }
        self.text(label, text.trim())?;
        self.line()
    }

    /// Gives what was gathered.
    pub(super) fn flush(&mut self) -> Result<(), Stop> {
        let mut text = std::mem::take(&mut self.text);
        if self.pending.contains('\n') && !text.is_empty() {
            text.push('\n');
        }
        self.pending.clear();
        self.said |= self.label != Label::Property && text.contains(char::is_alphanumeric);
        self.full |= text.len() as u64 > self.out.left();
        self.out.text_on(self.index, self.label, self.page, text)
    }
}
