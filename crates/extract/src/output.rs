use crate::keys::Keys;
use crate::words::Words;
use daylight_model::reading::{CUT, Event, Found, Label, Segment, Sink, Stop};
use daylight_model::{Fault, FaultCode, Stage};

/// The most bytes that one event may carry.
pub(crate) const CHUNK: usize = daylight_model::reading::LONGEST;
/// However large the budget, what is unpacked may not come to more than this many times the root's length: nothing honest is that empty.
const RATIO: u64 = 1000;
/// Below this many bytes the ratio is not looked at.
const RATIO_FLOOR: u64 = 64 << 20;

/// Where all readers of one root speak: numbers documents, keeps the budget and cuts what is long into events.
pub(crate) struct Output<'a> {
    sink: &'a mut dyn Sink,
    /// What is tried on whatever is encrypted.
    pub(crate) keys: Keys,
    next: u32,
    left: u64,
    budget: u64,
    /// What unpacks to more than this is not read with what holds it.
    pub(crate) apart: u64,
    /// The document of which the last fault was said.
    faulty: Option<u32>,
    /// Whose text met the end of the budget.
    cut: Option<u32>,
    /// The documents whose text may still go on, each within the one before, and their words.
    open: Vec<(u32, Words)>,
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

    /// The same, said by what holds the document, of which its own reader knows nothing: `in zip 1`. It holds still when the document is read again alone, even
    /// where both have one reader.
    pub(crate) fn by_holder(mut self) -> Self {
        self.fault.tool = format!("in {}", self.fault.tool);
        self
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
    pub(crate) fn new(sink: &'a mut dyn Sink, budget: u64, input_length: u64, passwords: &[String]) -> Self {
        let budget = budget.min(input_length.saturating_mul(RATIO).max(RATIO_FLOOR));
        let (keys, apart) = (Keys::new(passwords, input_length), daylight_model::reading::APART);
        Self { sink, keys, next: 0, left: budget, budget, apart, faulty: None, cut: None, open: Vec::new(), said: 0 }
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
        // Documents are read one within the other, so what is not around the new one is done.
        self.end_words(|open| found.parent.is_none_or(|parent| open > parent))?;
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

    /// Gives text, cut into segments behind white space where there is some; what the budget does not hold is left out with a fault.
    pub(crate) fn text(&mut self, index: u32, label: Label, text: String) -> Result<(), Stop> {
        self.text_on(index, label, None, text)
    }

    /// The same for text that stands on a page, slide or sheet, from 1.
    pub(crate) fn text_on(&mut self, index: u32, label: Label, page: Option<u32>, text: String) -> Result<(), Stop> {
        if text.trim().is_empty() {
            return Ok(());
        }
        // What opened a document is said with its properties, of which the way it was protected is one.
        if label == Label::Property
            && let Some(password) = self.keys.opened()
        {
            self.sink.event(Event::Unlocked { index, password })?;
        }
        if !self.spend(text.len()) {
            // Said once, of the first piece that is left out.
            if self.cut.replace(index) == Some(index) {
                return Ok(());
            }
            let why =
                Problem::new(Stage::Read, FaultCode::TooLarge, "text 1", "its text from here on is past the budget: it is not searched");
            return self.fault(index, why.limit(self.budget));
        }
        self.words_of(index).add(label, &text);
        self.said += 1;
        if text.len() <= CHUNK {
            return self.sink.event(Event::Text { index, segment: Segment { label, page, text } });
        }
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (segment, after) = rest.split_at(cut(rest));
            self.sink.event(Event::Text { index, segment: Segment { label, page, text: segment.into() } })?;
            rest = after;
        }
        Ok(())
    }

    /// Whether the last fault was said of this document.
    pub(crate) fn is_faulty(&self, index: u32) -> bool {
        self.faulty == Some(index)
    }

    /// Whether text of this document was left out for the budget, so that more of it would be in vain.
    pub(crate) fn is_cut(&self, index: u32) -> bool {
        self.cut == Some(index)
    }

    pub(crate) fn fault(&mut self, index: u32, problem: Problem) -> Result<(), Stop> {
        self.faulty = Some(index);
        self.said += 1;
        self.sink.event(Event::Fault { index, fault: problem.fault })
    }

    pub(crate) fn counted(&mut self, index: u32, expected: Option<u64>, read: u64, failed: u64) -> Result<(), Stop> {
        self.sink.event(Event::Counted { index, expected, read, failed })
    }

    /// Reading may go on at `at`. Only the root has cursors: what stands deeper is read again with its root's child.
    pub(crate) fn cursor(&mut self, container: u32, at: u64) -> Result<(), Stop> {
        if container != 0 {
            return Ok(());
        }
        self.keys.renew();
        self.end_words(|open| open > 0)?;
        self.sink.event(Event::Cursor(at))
    }

    /// Nothing more is read.
    pub(crate) fn end(&mut self) -> Result<(), Stop> {
        self.end_words(|_| true)
    }

    fn words_of(&mut self, index: u32) -> &mut Words {
        let at = match self.open.iter().rposition(|(open, _)| *open == index) {
            Some(at) => at,
            None => {
                self.open.push((index, Words::default()));
                self.open.len() - 1
            }
        };
        &mut self.open[at].1
    }

    /// Says what is known of the words of those documents that are done.
    fn end_words(&mut self, is_done: impl Fn(u32) -> bool) -> Result<(), Stop> {
        let (done, open) = std::mem::take(&mut self.open).into_iter().partition(|(index, _)| is_done(*index));
        self.open = open;
        let done: Vec<(u32, Words)> = done;
        done.into_iter().try_for_each(|(index, words)| {
            let (language, sketch) = words.end();
            if language.is_empty() && sketch.is_none() {
                return Ok(());
            }
            self.sink.event(Event::Words { index, language: language.into(), sketch: sketch.map(Box::new) })
        })
    }

    /// Says that a page has no text that can be read.
    pub(crate) fn unread(&mut self, page: u32, gibberish: bool) -> Result<(), Stop> {
        self.sink.event(Event::Unread { page, gibberish })
    }

    /// Says how large the picture of a page is, whose bytes follow.
    pub(crate) fn page(&mut self, width: u32, height: u32, dots_per_inch: u32) -> Result<(), Stop> {
        self.sink.event(Event::Page { width, height, dots_per_inch })
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

/// Where a text that is too long for a segment is cut: behind white space, so that no word is torn, or at least between characters.
pub(crate) fn cut(text: &str) -> usize {
    if text.len() <= CHUNK {
        return text.len();
    }
    let (least, most) = (text.ceil_char_boundary(CUT), text.floor_char_boundary(CHUNK));
    let space = text[least..most].char_indices().rev().find(|(_, c)| c.is_whitespace());
    space.map_or(most, |(at, c)| least + at + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard {
        text: Vec<String>,
        faults: Vec<Fault>,
    }

    impl Sink for Heard {
        fn event(&mut self, event: Event) -> Result<(), Stop> {
            match event {
                Event::Text { segment, .. } => self.text.push(segment.text),
                Event::Fault { fault, .. } => self.faults.push(fault),
                _ => {}
            }
            Ok(())
        }
    }

    #[test]
    fn text_past_the_budget_is_left_out_with_one_fault_for_each_document() {
        let mut heard = Heard::default();
        let mut out = Output::new(&mut heard, 3 << 20, u64::MAX, &[]);
        for _ in 0..10 {
            out.text(0, Label::Body, "x".repeat(CHUNK)).unwrap();
        }
        assert!(out.is_cut(0) && !out.is_cut(1));
        out.text(1, Label::Body, "y".into()).unwrap();
        assert_eq!((heard.text.iter().map(String::len).sum::<usize>(), heard.faults.len()), (3 << 20, 2));
        assert_eq!((heard.faults[0].code, heard.faults[0].limit), (FaultCode::TooLarge, Some(3 << 20)));
    }

    #[test]
    fn long_text_is_cut_between_words_and_nothing_of_it_is_lost() {
        for text in [
            "word ".repeat(700_000),
            "x".repeat(3 << 20),
            "日本\u{3000}".repeat(300_000),
            format!("{}\n{}", "a ".repeat(600_000), "é".repeat(CHUNK)),
        ] {
            let mut heard = Heard::default();
            Output::new(&mut heard, u64::MAX, u64::MAX, &[]).text(0, Label::Body, text.clone()).unwrap();
            assert_eq!(heard.text.concat(), text);
            let (last, cut) = heard.text.split_last().unwrap();
            assert!(!last.is_empty() && cut.iter().all(|piece| (CUT..=CHUNK).contains(&piece.len())));
            let torn = cut.iter().filter(|piece| !piece.ends_with(char::is_whitespace)).count();
            assert!(torn == 0 || text.ends_with(['x', 'é']), "{torn} words are torn");
        }
    }
}
