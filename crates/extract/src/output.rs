use daylight_model::reading::{Event, Found, Label, Segment, Sink, Stop};
use daylight_model::{Fault, FaultCode, Stage};

/// The most bytes that one event may carry.
pub(crate) const CHUNK: usize = daylight_model::reading::LONGEST;
/// However large the budget, what is unpacked may not come to more than this many times the root's length: nothing honest is that empty.
const RATIO: u64 = 1000;
/// The most bytes of text that a document is given: all of it is in memory at once when it is stored and when it is indexed.
const LONGEST_TEXT: u64 = 256 << 20;
/// Below this many bytes the ratio is not looked at.
const RATIO_FLOOR: u64 = 64 << 20;

/// Where all readers of one root speak: numbers documents, keeps the budget and cuts what is long into events.
pub(crate) struct Output<'a> {
    sink: &'a mut dyn Sink,
    next: u32,
    left: u64,
    budget: u64,
    /// Whose text was given last, and how much of it.
    text: (u32, u64),
    /// How many pieces of text and faults were given.
    said: u64,
}

/// A fault in the making; [`Output::fault`] sends it.
pub(crate) struct Problem {
    fault: Fault,
}

impl Problem {
    /// `tool` is the reader's name and version.
    pub(crate) fn new(stage: Stage, code: FaultCode, tool: &str, detail: impl Into<String>) -> Self {
        Self { fault: Fault { stage, code, tool: tool.into(), detail: detail.into(), limit: None, at: None } }
    }

    pub(crate) fn limit(mut self, limit: u64) -> Self {
        self.fault.limit = Some(limit);
        self
    }

    pub(crate) fn at(mut self, at: u64) -> Self {
        self.fault.at = Some(at);
        self
    }
}

impl<'a> Output<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink, budget: u64, input_length: u64) -> Self {
        let budget = budget.min(input_length.saturating_mul(RATIO).max(RATIO_FLOOR));
        Self { sink, next: 0, left: budget, budget, text: (0, 0), said: 0 }
    }

    /// The number that the next document will have.
    pub(crate) fn next_index(&self) -> u32 {
        self.next
    }

    /// How many pieces of text and faults were given so far, of whatever document.
    pub(crate) fn said(&self) -> u64 {
        self.said
    }

    /// How many bytes of the budget are left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The whole budget, for a fault to name.
    pub(crate) fn budget(&self) -> u64 {
        self.budget
    }

    /// Takes `bytes` from the budget, or says that they are not there to be taken.
    pub(crate) fn spend(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// Says that a document was found and gives it its number.
    pub(crate) fn found(&mut self, mut found: Found) -> Result<u32, Stop> {
        let index = self.next;
        found.index = index;
        self.next = index.checked_add(1).ok_or(Stop)?;
        self.sink.event(Event::Found(found))?;
        Ok(index)
    }

    /// Gives the original bytes of a document that is not a slice of another.
    pub(crate) fn bytes(&mut self, index: u32, bytes: &[u8]) -> Result<(), Stop> {
        for chunk in bytes.chunks(CHUNK) {
            self.sink.event(Event::Bytes { index, bytes: chunk.to_vec() })?;
        }
        Ok(())
    }

    /// Gives text, cut into segments at the ends of characters; what the budget does not hold is left out with a fault.
    pub(crate) fn text(&mut self, index: u32, label: Label, text: String) -> Result<(), Stop> {
        self.text_on(index, label, None, text)
    }

    /// The same for text that stands on a page, slide or sheet, from 1.
    pub(crate) fn text_on(&mut self, index: u32, label: Label, page: Option<u32>, text: String) -> Result<(), Stop> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if self.text.0 != index {
            self.text = (index, 0);
        }
        let before = self.text.1;
        self.text.1 += text.len() as u64;
        if self.text.1 > LONGEST_TEXT {
            // Said once, of the first piece that is left out.
            if before > LONGEST_TEXT {
                return Ok(());
            }
            let why =
                Problem::new(Stage::Read, FaultCode::TooLarge, "text 1", "its text is longer than is kept: the rest of it is not searched");
            return self.fault(index, why.limit(LONGEST_TEXT));
        }
        if !self.spend(text.len()) {
            let left = format!("{} bytes of text are past the budget", text.len());
            return self.fault(index, Problem::new(Stage::Read, FaultCode::TooLarge, "text 1", left).limit(self.budget));
        }
        self.said += 1;
        if text.len() <= CHUNK {
            return self.sink.event(Event::Text { index, segment: Segment { label, page, text } });
        }
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (segment, after) = rest.split_at(rest.floor_char_boundary(CHUNK));
            self.sink.event(Event::Text { index, segment: Segment { label, page, text: segment.into() } })?;
            rest = after;
        }
        Ok(())
    }

    pub(crate) fn fault(&mut self, index: u32, problem: Problem) -> Result<(), Stop> {
        self.said += 1;
        self.sink.event(Event::Fault { index, fault: problem.fault })
    }

    pub(crate) fn counted(&mut self, index: u32, expected: Option<u64>, read: u64, failed: u64) -> Result<(), Stop> {
        self.sink.event(Event::Counted { index, expected, read, failed })
    }

    /// Reading may go on at `at`. Only the root has cursors: what stands deeper is read again with its root's child.
    pub(crate) fn cursor(&mut self, container: u32, at: u64) -> Result<(), Stop> {
        if container == 0 { self.sink.event(Event::Cursor(at)) } else { Ok(()) }
    }

    pub(crate) fn view(&mut self, html: &str) -> Result<(), Stop> {
        let mut rest = html;
        while !rest.is_empty() {
            let (segment, after) = rest.split_at(rest.floor_char_boundary(CHUNK));
            self.sink.event(Event::View(segment.into()))?;
            rest = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard {
        text: usize,
        faults: Vec<Fault>,
    }

    impl Sink for Heard {
        fn event(&mut self, event: Event) -> Result<(), Stop> {
            match event {
                Event::Text { segment, .. } => self.text += segment.text.len(),
                Event::Fault { fault, .. } => self.faults.push(fault),
                _ => {}
            }
            Ok(())
        }
    }

    #[test]
    fn text_without_end_is_cut_with_one_fault_and_the_next_document_has_room() {
        let mut heard = Heard::default();
        let mut out = Output::new(&mut heard, u64::MAX, u64::MAX);
        for _ in 0..260 {
            out.text(0, Label::Body, "x".repeat(CHUNK)).unwrap();
        }
        out.text(1, Label::Body, "short".into()).unwrap();
        assert_eq!((heard.text, heard.faults.len()), ((256 << 20) + 5, 1));
        assert_eq!((heard.faults[0].code, heard.faults[0].limit), (FaultCode::TooLarge, Some(256 << 20)));
    }
}
