//! What is asked of a reader and what it answers. A reader turns one root file into a stream of [`Event`]s; it never fails: what it cannot read
//! is a [`Fault`] in that stream.

use crate::{Date, Fault, Kind, MessageFacts, Name, Sketch};
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
    /// Say which pages of a PDF or a picture hold no text that can be read, by [`Event::Unread`].
    Unread,
    /// Draw pages of a PDF, or those of a picture, each as one picture.
    Draw {
        /// Which, from 1, rising.
        pages: Vec<u32>,
        /// How finely a page of a PDF is drawn. A picture has pixels of its own.
        dots_per_inch: u32,
        /// What is made of it.
        form: Drawn,
    },
}

/// In what form a page is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// One byte of grey for each pixel, row by row, and nothing else: whoever knows the size needs no decoder.
    Grey,
    /// A PNG file, in colours where the page has any.
    Png,
    /// One byte of grey for each pixel, or three of colour where the page has any, of a picture of at most [`SHOWN_PIXELS`]: what a page of a site shows.
    /// Before the first it is said how many pages there are, by [`Event::Counted`] of document 0, and pages beyond the last are passed over.
    Shown,
}

impl Drawn {
    /// Every form, in the order of its number on the wire.
    pub const ALL: [Drawn; 3] = [Drawn::Grey, Drawn::Png, Drawn::Shown];

    /// The most pixels that a page has in this form.
    pub fn most_pixels(self) -> u64 {
        if self == Drawn::Shown { SHOWN_PIXELS } else { MOST_PIXELS }
    }
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
    /// How the input stands in the document that holds it, for one that is read by itself, apart from that.
    pub standing: Standing,
    /// What is packed and comes to more bytes than this is given as it unpacks and not read, with the fault [`FaultCode::Deferred`](crate::FaultCode::Deferred),
    /// so that it can be read by itself.
    pub apart: u64,
    /// The input is not the file itself but, in so many bytes, a tar of what a program of the system unpacked of it, and behind that the file.
    pub unpacked: Option<u64>,
}

impl Request {
    /// Asks for this of a file of a trove, with no password to try.
    pub fn new(task: Task, name: Name, budget: u64) -> Self {
        Self { task, name, budget, passwords: Vec::new(), standing: Standing::default(), apart: APART, unpacked: None }
    }
}

/// [`Request::apart`] unless something else is wanted.
pub const APART: u64 = 64 << 20;

/// How a document stands in the one that holds it: what is needed to read it again, by itself, as it was read there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many documents it stands in, one in the other; 0 for a file of a trove.
    pub depth: u32,
    /// The media type that its parent claims for it, lower case without parameters, empty if none.
    pub claimed_type: String,
    /// The character set that its parent states for it.
    pub charset: Option<String>,
    /// The date of the line before it, in a mailbox.
    pub mailbox_date: Option<Date>,
    /// Its parent holds messages, so it is one if it has but one field, whatever else it may look like.
    pub is_message: bool,
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
    /// How it stands there.
    pub standing: Box<Standing>,
    /// The reader that read it and its version, such as `pdf 1`.
    pub tool: String,
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

/// What is longer than a segment may be is cut behind white space, if there is any so near to the end; so a segment of this many bytes and more goes on in the
/// next one of its label and page.
pub const CUT: usize = LONGEST - (4 << 10);

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

    /// Whether the text of this segment goes on in that one, which stands behind it, and was only cut for its length.
    pub fn goes_on_in(&self, next: &Segment) -> bool {
        self.text.len() >= CUT && (self.label, self.page) == (next.label, next.page)
    }
}

/// Segments as one text to read, made as they come, so that a text of any length takes little memory. What does not stand in the document for all to
/// see is set between the lines `[hidden text]` and `[end of hidden text]`, or whatever it is; a form feed stands before every page but the first, as
/// text tools have it. A line of the document that reads like a mark gets a space before it, so that [`unmarked`] takes it for what it is.
#[derive(Debug, Default)]
pub struct PlainText {
    ready: String,
    /// The beginning of a line that may turn out to read like a mark. It is as good as in `ready`.
    begun: String,
    published: bool,
    last: Option<char>,
    feeds: u32,
    before: Option<(Label, usize)>,
}

impl PlainText {
    /// What of a text may be published: all but its properties, which say who wrote it where and with what, and which nobody chose to write.
    pub fn published() -> Self {
        Self { published: true, ..Self::default() }
    }

    /// Adds the next segment.
    pub fn add(&mut self, segment: &Segment) {
        if self.published && segment.label == Label::Property {
            return;
        }
        let before = self.before.replace((segment.label, segment.text.len()));
        let same = before.is_some_and(|(label, _)| label == segment.label);
        if !same {
            self.close(before);
        }
        // What was cut for its length goes on in the middle of a line.
        if before.is_some_and(|(_, length)| !same || length < CUT) {
            self.end_line();
        }
        while self.feeds + 1 < segment.page.unwrap_or(0) {
            self.put("\u{c}");
            self.feeds += 1;
        }
        if segment.label != Label::Body && !same {
            self.put(&format!("[{} text]\n", segment.label.word()));
        }
        self.put_words(&segment.text);
    }

    /// No more segments follow.
    pub fn end(&mut self) {
        let before = self.before.take();
        self.close(before);
        self.put("");
    }

    /// What is ready of the text, which is then forgotten here.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.ready)
    }

    fn close(&mut self, before: Option<(Label, usize)>) {
        if let Some((label, _)) = before.filter(|(label, _)| *label != Label::Body) {
            self.end_line();
            self.put(&format!("[end of {} text]\n", label.word()));
        }
    }

    fn end_line(&mut self) {
        if !self.begins_line() {
            self.put("\n");
        }
    }

    fn begins_line(&self) -> bool {
        self.last.is_none_or(|last| matches!(last, '\n' | '\u{c}'))
    }

    /// Adds the document's own words, which may stop in the middle of a line.
    fn put_words(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.find(['\n', '\u{c}']).unwrap_or(rest.len()));
            let may_be = !self.begun.is_empty() || self.begins_line() && line.starts_with('[');
            if may_be && self.begun.len() + line.len() <= LONGEST_MARK {
                self.begun.push_str(line);
            } else {
                self.ready.push_str(&std::mem::take(&mut self.begun));
                self.ready.push_str(line);
            }
            self.last = line.chars().next_back().or(self.last);
            let (end, next) = after.split_at(usize::from(!after.is_empty()));
            if !end.is_empty() {
                self.put(end);
            }
            rest = next;
        }
    }

    /// Adds what stands behind a line of the document's own.
    fn put(&mut self, text: &str) {
        let begun = std::mem::take(&mut self.begun);
        if is_mark(&begun) {
            self.ready.push(' ');
        }
        self.ready.push_str(&begun);
        self.last = text.chars().next_back().or(self.last);
        self.ready.push_str(text);
    }
}

/// The pieces of a text that [`PlainText`] made, without the lines that mark them, each with the byte at which it begins.
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
    text.match_indices(MARK_END).filter_map(|(at, end)| {
        let end = at + end.len();
        // No mark is longer, and looking further would take time by the square of a line without end.
        let near = text.floor_char_boundary(at.saturating_sub(LONGEST_MARK));
        let start = near + text[near..at].rfind('[')?;
        let begins = text[..start].is_empty() || text[..start].ends_with(['\n', '\u{c}']);
        let ends = text[end..].is_empty() || text[end..].starts_with(['\n', '\u{c}']);
        (is_mark(&text[start..end]) && begins && ends).then(|| (start, end - start + usize::from(text[end..].starts_with('\n'))))
    })
}

/// Whether a line reads like one of those that mark what not everybody sees.
fn is_mark(line: &str) -> bool {
    let Some(word) = line.strip_prefix('[').and_then(|line| line.strip_suffix(MARK_END)) else { return false };
    let word = word.strip_prefix("end of ").unwrap_or(word);
    Label::ALL.iter().any(|label| *label != Label::Body && label.word() == word)
}

/// How every mark ends.
const MARK_END: &str = " text]";
/// No mark has more bytes: `[end of recognised text]`.
pub const LONGEST_MARK: usize = 24;

/// How much of a text is repeated behind a cut, in bytes: the longest stretch that a phrase is found in there.
const REPEATED: usize = 16 << 10;

/// The end of a text that goes on elsewhere, from a word's beginning where there is white space.
fn repeated(text: &str) -> &str {
    let end = &text[text.ceil_char_boundary(text.len().saturating_sub(REPEATED))..];
    end.find(char::is_whitespace).map_or(end, |at| &end[at..])
}

/// Segments as they are searched: those in one that were cut only for their length. The end of the segment `before` them is repeated
/// where it goes on in the first, so that what stands across a cut between two parts of a text is found in the second.
pub fn joined(before: Option<&Segment>, segments: Vec<Segment>) -> Vec<Segment> {
    let goes_on: Vec<bool> = segments.windows(2).map(|two| two[0].goes_on_in(&two[1])).collect();
    let begun = match (before, segments.first()) {
        (Some(before), Some(first)) if before.goes_on_in(first) => repeated(&before.text),
        _ => "",
    };
    let mut all: Vec<Segment> = Vec::with_capacity(segments.len());
    for (at, segment) in segments.into_iter().enumerate() {
        let continued = at.checked_sub(1).is_some_and(|before| goes_on[before]);
        match all.last_mut() {
            Some(last) if continued => last.text.push_str(&segment.text),
            None if !begun.is_empty() => all.push(Segment { text: format!("{begun}{}", segment.text), ..segment }),
            _ => all.push(segment),
        }
    }
    all
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
    /// A document was encrypted, and a password opened it.
    Unlocked {
        /// Which document.
        index: u32,
        /// Which of [`Request::passwords`], from 0.
        password: u32,
    },
    /// All children of document 0 before this point are complete: reading may go on from here with [`Task::Read`]'s `start`.
    Cursor(u64),
    /// The sanitised view that was asked for, at most 1 MiB an event.
    View(String),
    /// A page has no text that can be read.
    Unread {
        /// Which, from 1.
        page: u32,
        /// It has characters, but they do not say what they stand for.
        gibberish: bool,
    },
    /// A page was drawn. Its picture follows as [`Event::Bytes`] of document 0, and a [`Event::Cursor`] with the page's number ends it. A page that could
    /// not be drawn has a fault and that cursor alone.
    Page {
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
        /// How finely it was drawn, which is less than was asked for where it would have come out too large; 0 for a picture.
        dots_per_inch: u32,
    },
}

/// A page is drawn with at most so many pixels.
pub const MOST_PIXELS: u64 = 50_000_000;

/// A page to be shown on a site has at most so many: a sheet of A4 at 150 dots an inch has 2.2 million.
pub const SHOWN_PIXELS: u64 = 2_500_000;

/// `page 4`, `pages 1-3, 7`: pages from 1, rising. At most 50 stretches are listed.
pub fn page_list(pages: &[u32]) -> String {
    const MOST_LISTED: usize = 50;
    let stretches: Vec<&[u32]> = pages.chunk_by(|before, page| before + 1 == *page).collect();
    let shown = stretches.iter().take(MOST_LISTED).map(|stretch| match stretch {
        [only] => only.to_string(),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    let more = if stretches.len() > MOST_LISTED { format!(" and others, {} in all,", pages.len()) } else { String::new() };
    format!("{} {shown}{more}", if pages.len() == 1 { "page" } else { "pages" })
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

    fn plain(mut plain: PlainText, segments: &[Segment]) -> String {
        segments.iter().for_each(|segment| plain.add(segment));
        plain.end();
        plain.take()
    }

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
        assert_eq!(plain(PlainText::default(), &segments), expected);
    }

    #[test]
    fn marks_are_no_words_and_words_that_look_like_marks_are() {
        let segments = [
            Segment::new(Label::Body, "before\n[comment text]\nits own [comment text]\n [end of hidden text]\n[end of hidden text]"),
            Segment::new(Label::Comment, "[comment text]"),
            Segment::new(Label::Body, "after"),
        ];
        let text = plain(PlainText::default(), &segments);
        let pieces: Vec<&str> = unmarked(&text).into_iter().map(|(_, piece)| piece).collect();
        let body = "before\n [comment text]\nits own [comment text]\n [end of hidden text]\n [end of hidden text]\n";
        assert_eq!(pieces, [body, " [comment text]\n", "after"]);
        assert!(unmarked(&text).iter().all(|(at, piece)| text[*at..].starts_with(piece)));
        assert_eq!(unmarked("[hidden text]\n[end of hidden text]\n"), []);
        assert_eq!(unmarked("a\u{c}[note text]\nb\n[end of note text]\n"), [(0, "a\u{c}"), (14, "b\n")]);
        assert_eq!(unmarked("[body text] [some text]\n[note text] x"), [(0, "[body text] [some text]\n[note text] x")]);
    }

    #[test]
    fn a_line_that_reads_like_a_mark_is_known_for_none_where_it_was_cut() {
        let mark = "[end of recognised text]";
        for (beginning, end) in (0..=mark.len()).map(|at| mark.split_at(at)) {
            let before = format!("{}\n{beginning}", "a".repeat(CUT));
            let text = plain(PlainText::default(), &[Segment::new(Label::Body, before.as_str()), Segment::new(Label::Body, end)]);
            assert!(text.ends_with(&format!("a\n {mark}")), "{}", &text[CUT..]);
            let text = plain(PlainText::default(), &[Segment::new(Label::Body, before), Segment::new(Label::Body, format!("{end}s"))]);
            assert!(text.ends_with(&format!("a\n{mark}s")), "{}", &text[CUT..]);
        }
    }

    #[test]
    fn properties_are_never_published() {
        let segments =
            [Segment::new(Label::Property, "serial number: 7"), Segment::new(Label::Body, "words"), Segment::new(Label::Property, "x")];
        assert!(plain(PlainText::default(), &segments).contains("serial number"));
        assert_eq!(plain(PlainText::published(), &segments), "words");
        assert_eq!(plain(PlainText::published(), &segments[..1]), "");
    }

    #[test]
    fn text_that_was_cut_for_its_length_is_joined_as_it_was() {
        let segments = [Segment::new(Label::Body, "a".repeat(LONGEST)), Segment::new(Label::Body, "b"), Segment::new(Label::Body, "c")];
        assert!(plain(PlainText::default(), &segments).ends_with("aaab\nc"));
    }
}
