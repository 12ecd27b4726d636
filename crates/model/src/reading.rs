//! What is asked of a reader and what it answers. A reader turns one root file into a stream of [`Event`]s; it never fails: what it cannot read
//! is a [`Fault`] in that stream.

use crate::{Fault, Kind, MessageFacts, Name, Sketch};
use std::io;

/// The bytes a reader is given, at random access.
pub trait Input {
    /// How many bytes there are.
    fn length(&self) -> u64;

    /// Reads at `offset` into `buffer`, and says how many bytes were read: fewer than asked only at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// All of the bytes, where they are in memory already.
    fn in_memory(&self) -> Option<&[u8]>;
}

impl Input for [u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let count = buffer.len().min(self.len() - start);
        buffer[..count].copy_from_slice(&self[start..start + count]);
        Ok(count)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self)
    }
}

/// What to do with the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Read it and everything in it.
    Read {
        /// Where to go on in a container that was partly read: the last [`Event::Cursor`], 0 to begin.
        start: u64,
        /// The child at `start` has killed readers before: name it, but do not read it.
        skip_first: bool,
    },
    /// Make the sanitised view of a message with an HTML body, or of an HTML file.
    View,
}

/// What is asked of a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub task: Task,
    /// The file's name, from which only its type may be guessed.
    pub name: Name,
    /// The most bytes that all that is read from this root may come to, decoded and unpacked.
    pub budget: u64,
    /// Passwords to try on what is encrypted, in this order. No answer ever repeats one.
    pub passwords: Vec<String>,
}

/// Where a document's original bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is the input itself, whole. Only the document with index 0.
    Whole,
    /// They stand verbatim in the bytes of an earlier document of this stream.
    Slice {
        /// The index of that document.
        of: u32,
        /// The first byte.
        offset: u64,
        /// How many.
        length: u64,
    },
    /// They follow as [`Event::Bytes`].
    Follows,
}

/// A document that a reader found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number in this stream: 0 is the input itself, then 1, 2, … without gaps. A parent comes before its children.
    pub index: u32,
    /// The document it stands in; `None` for number 0 alone.
    pub parent: Option<u32>,
    /// Its place among its parent's children, from 0, the same at every reading. For a child of a container, its place in the container.
    pub ordinal: u64,
    /// The name it has there.
    pub name: Option<Name>,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Where its bytes are.
    pub place: Place,
    /// The media type that its parent claims for it, lower case without parameters, empty if none.
    pub claimed_type: String,
    /// The media type found by looking at its bytes (and, where those do not tell, its name and claim), lower case without parameters.
    pub media_type: String,
    /// The claims that changed how it was read, in a canonical form, see [`crate::DocumentId::of`].
    pub claims: String,
    /// What its header says, for a message.
    pub message: Option<Box<MessageFacts>>,
}

/// How a piece of text stands in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// Text that a reader of the document sees.
    Body,
    /// Text that is there but not shown, such as `display:none`, a hidden row, column, sheet or slide.
    Hidden,
    /// A remark on the text: a comment, an annotation of a PDF.
    Comment,
    /// Text that a tracked change put in.
    Inserted,
    /// Text that a tracked change took out.
    Deleted,
    /// A footnote, an endnote, a speaker's note.
    Note,
    /// What is printed at the head or foot of every page.
    Margin,
    /// A property of the document: who wrote it, with which program, on which template.
    Property,
    /// What was filled into a form.
    Form,
    /// What was recognised in a picture, which may be wrong.
    Recognised,
}

impl Label {
    /// Every label, in the order of its number on disk and on the wire.
    pub const ALL: [Label; 10] = [
        Label::Body,
        Label::Hidden,
        Label::Comment,
        Label::Inserted,
        Label::Deleted,
        Label::Note,
        Label::Margin,
        Label::Property,
        Label::Form,
        Label::Recognised,
    ];

    /// The word for it: `body`, `hidden`, `comment`, …
    pub fn word(self) -> &'static str {
        match self {
            Label::Body => "body",
            Label::Hidden => "hidden",
            Label::Comment => "comment",
            Label::Inserted => "inserted",
            Label::Deleted => "deleted",
            Label::Note => "note",
            Label::Margin => "margin",
            Label::Property => "property",
            Label::Form => "form",
            Label::Recognised => "recognised",
        }
    }
}

/// The most bytes that a segment has.
pub const LONGEST: usize = 1 << 20;

/// A piece of a document's text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Segment {
    /// How it stands there.
    pub label: Label,
    /// The page, slide or sheet it stands on, from 1; `None` where the document has no such parts.
    pub page: Option<u32>,
    /// The text.
    pub text: String,
}

impl Segment {
    /// Text that stands on no page.
    pub fn new(label: Label, text: impl Into<String>) -> Self {
        Self { label, page: None, text: text.into() }
    }
}

/// Segments as one text to read. What does not stand in the document for all to see is set between the lines `[hidden text]` and `[end of hidden
/// text]`, or whatever it is; a form feed stands before every page but the first, as text tools have it. A line of the document that reads like a
/// mark gets a space before it, so that [`unmarked`] takes it for what it is.
pub fn plain_text(segments: &[Segment]) -> String {
    let mut text = String::new();
    let mut marks = Vec::new();
    let mut page = 1;
    for (at, segment) in segments.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &segments[before]);
        // What is as long as a segment may be goes on in the next one, in the middle of a line.
        if before.is_some_and(|before| before.label != segment.label || before.text.len() < LONGEST - 4) {
            end_line(&mut text);
        }
        while page < segment.page.unwrap_or(0) {
            text.push('\u{c}');
            page += 1;
        }
        if segment.label != Label::Body && before.is_none_or(|before| before.label != segment.label) {
            marks.push(text.len());
            text.push_str(&format!("[{} text]\n", segment.label.word()));
        }
        text.push_str(&segment.text);
        let after = segments.get(at + 1).map(|after| after.label);
        if segment.label != Label::Body && after != Some(segment.label) {
            end_line(&mut text);
            marks.push(text.len());
            text.push_str(&format!("[end of {} text]\n", segment.label.word()));
        }
    }
    without_false_marks(text, &marks)
}

/// The text with a space before each line that reads like a mark and is none. `marks`: where those begin that are.
fn without_false_marks(text: String, marks: &[usize]) -> String {
    let like = marks_in(&text).map(|(at, _)| at);
    let false_marks: Vec<usize> = like.filter(|at| marks.binary_search(at).is_err()).collect();
    if false_marks.is_empty() {
        return text;
    }
    let mut set_apart = String::with_capacity(text.len() + false_marks.len());
    let mut from = 0;
    for at in false_marks {
        set_apart.push_str(&text[from..at]);
        set_apart.push(' ');
        from = at;
    }
    set_apart + &text[from..]
}

/// The pieces of a text that [`plain_text`] made, without the lines that mark them, each with the byte at which it begins.
pub fn unmarked(text: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, length) in marks_in(text) {
        pieces.push((from, &text[from..at]));
        from = at + length;
    }
    pieces.push((from, &text[from..]));
    pieces.retain(|(_, piece)| !piece.is_empty());
    pieces
}

/// Every line that reads like a mark: where it begins, and its length with what ends it.
fn marks_in(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    text.match_indices(" text]").filter_map(|(at, end)| {
        let end = at + end.len();
        // No mark is longer, and looking further would take time by the square of a line without end.
        let near = text.floor_char_boundary(at.saturating_sub(LONGEST_MARK));
        let start = near + text[near..at].rfind('[')?;
        let word = &text[start + 1..at];
        let word = word.strip_prefix("end of ").unwrap_or(word);
        let is_mark = Label::ALL.iter().any(|label| *label != Label::Body && label.word() == word);
        let begins = text[..start].is_empty() || text[..start].ends_with(['\n', '\u{c}']);
        let ends = text[end..].is_empty() || text[end..].starts_with(['\n', '\u{c}']);
        (is_mark && begins && ends).then(|| (start, end - start + usize::from(text[end..].starts_with('\n'))))
    })
}

/// No mark has more bytes before its last word: `[end of recognised`.
const LONGEST_MARK: usize = 18;

/// What of a document's text may be published: all but its properties, which say who wrote it where and with what, and which nobody chose to write.
pub fn publishable_text(segments: &[Segment]) -> String {
    let kept: Vec<Segment> = segments.iter().filter(|segment| segment.label != Label::Property).cloned().collect();
    plain_text(&kept)
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with(['\n', '\u{c}']) {
        text.push('\n');
    }
}

/// One thing that a reader says. Every event but `Cursor` is about the document whose `index` it carries, which was found before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A document begins.
    Found(Found),
    /// More of the original bytes of a document whose place is [`Place::Follows`]: at most 1 MiB an event, all before the next `Found`.
    Bytes {
        /// Of which document.
        index: u32,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The next segment of a document's text, at most 1 MiB; text is never cut, long text is many segments.
    Text {
        /// Of which document.
        index: u32,
        /// The text and how it stands there.
        segment: Segment,
    },
    /// Something could not be read.
    Fault {
        /// Of which document.
        index: u32,
        /// What and why.
        fault: Fault,
    },
    /// What is known of a document's words, once all of its text was given.
    Words {
        /// Of which document.
        index: u32,
        /// Its language (ISO 639-1), empty if it cannot be told.
        language: String,
        /// The sketch of its text, if that is long enough to have one.
        sketch: Option<Box<Sketch>>,
    },
    /// How a container fared.
    Counted {
        /// Which container.
        index: u32,
        /// How many children it should have, where it says so.
        expected: Option<u64>,
        /// How many were found.
        read: u64,
        /// How many of those could not be read at all.
        failed: u64,
    },
    /// All children of document 0 before this point are complete: reading may go on from here with [`Task::Read`]'s `start`.
    Cursor(u64),
    /// The sanitised view that was asked for, at most 1 MiB an event.
    View(String),
}

/// The one who listens no longer wants to hear: a limit was reached or its pipe broke. A reader then stops at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Where a reader's events go.
pub trait Sink {
    /// Takes the next event.
    fn event(&mut self, event: Event) -> Result<(), Stop>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_not_everybody_sees_is_marked_and_pages_are_told_apart() {
        let on = |label, page, text: &str| Segment { label, page: Some(page), text: text.into() };
        let segments = [
            on(Label::Body, 1, "first"),
            on(Label::Comment, 1, "why?"),
            on(Label::Comment, 1, "because"),
            on(Label::Body, 4, "fourth"),
            Segment::new(Label::Hidden, "unseen"),
        ];
        let expected = "first\n[comment text]\nwhy?\nbecause\n[end of comment text]\n\u{c}\u{c}\u{c}fourth\n[hidden text]\nunseen\n[end of hidden text]\n";
        assert_eq!(plain_text(&segments), expected);
    }

    #[test]
    fn marks_are_no_words_and_words_that_look_like_marks_are() {
        let segments = [
            Segment::new(Label::Body, "before\n[comment text]\nits own [comment text]\n [end of hidden text]\n[end of hidden text]"),
            Segment::new(Label::Comment, "[comment text]"),
            Segment::new(Label::Body, "after"),
        ];
        let text = plain_text(&segments);
        let pieces: Vec<&str> = unmarked(&text).into_iter().map(|(_, piece)| piece).collect();
        let body = "before\n [comment text]\nits own [comment text]\n [end of hidden text]\n [end of hidden text]\n";
        assert_eq!(pieces, [body, " [comment text]\n", "after"]);
        assert!(unmarked(&text).iter().all(|(at, piece)| text[*at..].starts_with(piece)));
        assert_eq!(unmarked("[hidden text]\n[end of hidden text]\n"), []);
        assert_eq!(unmarked("a\u{c}[note text]\nb\n[end of note text]\n"), [(0, "a\u{c}"), (14, "b\n")]);
        assert_eq!(unmarked("[body text] [some text]\n[note text] x"), [(0, "[body text] [some text]\n[note text] x")]);
    }

    #[test]
    fn properties_are_never_published() {
        let segments =
            [Segment::new(Label::Property, "serial number: 7"), Segment::new(Label::Body, "words"), Segment::new(Label::Property, "x")];
        assert!(plain_text(&segments).contains("serial number"));
        assert_eq!(publishable_text(&segments), "words");
        assert_eq!(publishable_text(&segments[..1]), "");
    }

    #[test]
    fn text_that_was_cut_for_its_length_is_joined_as_it_was() {
        let segments = [Segment::new(Label::Body, "a".repeat(LONGEST)), Segment::new(Label::Body, "b"), Segment::new(Label::Body, "c")];
        assert!(plain_text(&segments).ends_with("aaab\nc"));
    }
}
