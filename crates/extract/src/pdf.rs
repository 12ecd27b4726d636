//! PDF (ISO 32000-2): its text page by page, what was written on it and filled into it, its properties, and the files attached to it.
//!
//! Objects, fonts and content are read by `hayro`, which gives each glyph with its place and what it stands for; that lines, words and columns
//! come of them is done here. The same library draws the pages that turn out to hold no text, see [`page::Verdict`].

mod attached;
mod bomb;
mod draw;
mod facts;
mod glyphs;
mod marks;
mod order;
mod page;
mod secret;
mod words;

use crate::document::{self, Doc, Inside, Memory};
use crate::output::{Output, Problem};
use bomb::Seen;
use daylight_model::reading::{Drawn, Label, Stop, page_list};
use daylight_model::{FaultCode, Kind, Stage};
use hayro_interpret::InterpreterCache;
use hayro_interpret::hayro_syntax::Pdf;
use page::Verdict;
use secret::{Opened, Shut};
use std::panic::{self, AssertUnwindSafe};

pub(crate) const TOOL: &str = "pdf 1";
/// Pages beyond this many are not read.
const MOST_PAGES: usize = 20_000;
/// Drawing all pages may take so many steps for each byte of the file, or the second number where that is more: many pages can share what they
/// draw. A step is a byte of content, or a thirty-second of a thing drawn.
const WORK: u64 = 64;
const WORK_FLOOR: u64 = 512 << 20;
/// In so many last bytes the end mark is looked for.
const TAIL: usize = 64 << 10;

/// Reads a PDF, and has all that is attached to it read.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, bytes: &[u8], inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = document::found(out, doc, Kind::File, "application/pdf", "", &Memory(bytes))?;
    let (opened, seen) = parsed(out, index, bytes)?;
    let pdf = match opened {
        Some(Opened { pdf, property }) => {
            out.text(index, Label::Property, property.map_or(String::new(), |property| property + "\n"))?;
            Some(pdf)
        }
        None => None,
    };
    if seen.torn > 0 {
        let why = format!("{} of its streams cannot be unpacked to the end", seen.torn);
        out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, why).at(seen.first_torn))?;
    }
    if pdf.is_some() && !ends(bytes) {
        let why = Problem::new(Stage::Read, FaultCode::Truncated, TOOL, "its end is missing: what stood behind it is lost");
        out.fault(index, why.at(bytes.len() as u64))?;
    }
    match pdf {
        Some(pdf) => Reading { pdf: &pdf, index, depth }.run(out, most_work(bytes), inside),
        None => Ok(()),
    }
}

/// Says which pages have no text that can be read.
pub(crate) fn unread(out: &mut Output<'_>, bytes: &[u8]) -> Result<(), Stop> {
    let (Some(Opened { pdf, .. }), _) = parsed(out, 0, bytes)? else { return Ok(()) };
    let mut left = most_work(bytes);
    let mut cache = InterpreterCache::new();
    for (number, page) in (1..).zip(pdf.pages().iter().take(MOST_PAGES)) {
        let drawn = page::draw(page, &cache);
        if drawn.broken {
            cache = InterpreterCache::new();
        }
        if matches!(drawn.verdict, Verdict::Pictures | Verdict::Gibberish) {
            out.unread(number, drawn.verdict == Verdict::Gibberish)?;
        }
        match left.checked_sub(drawn.work) {
            Some(rest) => left = rest,
            // The reading of the document ended here too, and said so.
            None => break,
        }
    }
    Ok(())
}

/// Draws pages as pictures.
pub(crate) fn draw(out: &mut Output<'_>, bytes: &[u8], numbers: &[u32], dots_per_inch: u32, form: Drawn) -> Result<(), Stop> {
    match parsed(out, 0, bytes)?.0 {
        Some(Opened { pdf, .. }) => draw::draw(out, &pdf, numbers, dots_per_inch, form),
        None => Ok(()),
    }
}

/// How much work the pages of a file may take.
fn most_work(bytes: &[u8]) -> u64 {
    (bytes.len() as u64).saturating_mul(WORK).max(WORK_FLOOR)
}

/// The structure of a file, without streams that are bombs. Why it cannot be read is said of document `index`; how it was protected is for the caller to say, as
/// only who reads it is asked that.
fn parsed(out: &mut Output<'_>, index: u32, bytes: &[u8]) -> Result<(Option<Opened>, Seen), Stop> {
    let mut copy = bytes.to_vec();
    let seen = bomb::defuse(&mut copy);
    for at in &seen.emptied {
        let why = Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, "a stream unpacks to too many bytes and is not read");
        out.fault(index, why.limit(bomb::LONGEST).at(*at))?;
    }
    let why = match secret::open(&mut out.keys, copy) {
        Ok(opened) => return Ok((Some(opened), seen)),
        Err(Shut::Encrypted(why)) => Problem::new(Stage::Read, FaultCode::Encrypted, TOOL, why),
        Err(Shut::Invalid) => Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "it holds no page that can be found"),
        Err(Shut::Broken) => Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "its structure could not be read"),
    };
    out.fault(index, why).map(|()| (None, seen))
}

/// Whether there is an end mark, however damaged and whatever follows it (ISO 32000-1 section 7.5.5; 1,024 bytes by its annex H are too few for what
/// is found).
fn ends(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    [&b"%%EOF"[..], b"startxref", b"trailer"].iter().any(|mark| memchr::memmem::find(tail, mark).is_some())
}

/// The library is meant not to panic, but it is young and large, and one bad font must not take the other pages with it. What it leaves behind in
/// a panic are caches of its own, which are then not used again.
fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

struct Reading<'a> {
    pdf: &'a Pdf,
    index: u32,
    depth: u32,
}

/// Pages that something is to be said of.
#[derive(Default)]
struct Marked {
    pictures: Vec<u32>,
    gibberish: Vec<u32>,
    broken: Vec<u32>,
    cut: Vec<u32>,
    missing: Vec<u32>,
}

impl<'a> Reading<'a> {
    fn run(&self, out: &mut Output<'_>, work: u64, inside: &dyn Inside) -> Result<(), Stop> {
        let (properties, more) = self.part(out, "its properties", || facts::properties(self.pdf))?;
        out.text(self.index, Label::Property, properties)?;
        if more {
            let why = Problem::new(Stage::Read, FaultCode::TooMany, TOOL, "its properties or its outline are longer than is read");
            out.fault(self.index, why)?;
        }
        let mut marks = marks::Marks::default();
        self.pages(out, work, &mut marks)?;
        let rest = self.part(out, "its form", || marks.fields_on_no_page(self.pdf))?;
        out.text(self.index, Label::Form, rest)?;
        if marks.cut() {
            let why = Problem::new(Stage::Read, FaultCode::TooMany, TOOL, "further annotations and fields are not read");
            out.fault(self.index, why.limit(marks::MOST as u64))?;
        }
        let files = self.part(out, "what is attached to it", || attached::files(self.pdf, marks.attached()))?;
        attached::read(out, self.index, self.depth, &files, inside)
    }

    /// A part that is on no page, or nothing and a fault where it breaks the library.
    fn part<T: Default>(&self, out: &mut Output<'_>, what: &str, read: impl FnOnce() -> T) -> Result<T, Stop> {
        match caught(read) {
            Some(part) => Ok(part),
            None => {
                let why = Problem::new(Stage::Read, FaultCode::Malformed, TOOL, format!("{what} could not be read"));
                out.fault(self.index, why)?;
                Ok(T::default())
            }
        }
    }

    fn pages(&self, out: &mut Output<'_>, mut work: u64, marks: &mut marks::Marks<'a>) -> Result<(), Stop> {
        let pages = self.pdf.pages();
        let mut cache = InterpreterCache::new();
        let mut marked = Marked::default();
        for (number, page) in (1..).zip(pages.iter().take(MOST_PAGES)) {
            let drawn = page::draw(page, &cache);
            if drawn.broken {
                cache = InterpreterCache::new();
            }
            self.page(out, number, &drawn, &mut marked)?;
            let (comments, form) = caught(|| marks.on_page(page)).unwrap_or_default();
            let seen = [drawn.body.as_str(), &comments, &form].concat();
            let comments = comments + &page::without(&drawn.on_top, &seen);
            out.text_on(self.index, Label::Comment, Some(number), comments)?;
            out.text_on(self.index, Label::Form, Some(number), form)?;
            match work.checked_sub(drawn.work) {
                Some(left) => work = left,
                None if pages.len() > number as usize => {
                    let why = format!("the pages after page {number} take too much work and are not read");
                    out.fault(self.index, Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, why).limit(u64::from(number)))?;
                    break;
                }
                None => break,
            }
        }
        if pages.len() > MOST_PAGES {
            let why = format!("of {} pages the first are read", pages.len());
            out.fault(self.index, Problem::new(Stage::Read, FaultCode::TooMany, TOOL, why).limit(MOST_PAGES as u64))?;
        }
        self.say(out, marked)
    }

    fn page(&self, out: &mut Output<'_>, number: u32, drawn: &page::Drawn, marked: &mut Marked) -> Result<(), Stop> {
        match drawn.verdict {
            Verdict::Text | Verdict::Blank => (),
            Verdict::Pictures => marked.pictures.push(number),
            Verdict::Gibberish => marked.gibberish.push(number),
        }
        for (said, pages) in [(drawn.broken, &mut marked.broken), (drawn.cut, &mut marked.cut), (drawn.missing, &mut marked.missing)] {
            pages.extend(said.then_some(number));
        }
        for (label, text) in [(Label::Body, &drawn.body), (Label::Recognised, &drawn.recognised), (Label::Hidden, &drawn.hidden)] {
            out.text_on(self.index, label, Some(number), text.clone())?;
        }
        Ok(())
    }

    fn say(&self, out: &mut Output<'_>, marked: Marked) -> Result<(), Stop> {
        use FaultCode::{Malformed, NeedsRecognition, TooMany};
        for (code, pages, what, limit) in [
            (NeedsRecognition, &marked.pictures, "no text but pictures", None),
            (NeedsRecognition, &marked.gibberish, "characters that do not say what they stand for", None),
            (Malformed, &marked.missing, "content that does not unpack", None),
            (Malformed, &marked.broken, "something that broke the reader; what came before it was read", None),
            (TooMany, &marked.cut, "more drawn on them than is read", Some(glyphs::MOST as u64)),
        ] {
            if pages.is_empty() {
                continue;
            }
            let mut problem = Problem::new(
                Stage::Read,
                code,
                TOOL,
                format!("{} {} {what}", page_list(pages), if pages.len() == 1 { "has" } else { "have" }),
            );
            if let Some(limit) = limit {
                problem = problem.limit(limit);
            }
            out.fault(self.index, problem)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
