//! PDF (ISO 32000-2): its text page by page, what was written on it and filled into it, its properties, and the files attached to it.
//!
//! Objects, fonts and content are read by `hayro`, which gives each glyph with its place and what it stands for; that lines, words and columns
//! come of them is done here. The same library can render the pages that turn out to hold no text, see [`page::Verdict`].

mod attached;
mod bomb;
mod facts;
mod glyphs;
mod marks;
mod order;
mod page;
mod words;

use crate::document::{self, Doc, Inside, Memory};
use crate::output::{Output, Problem};
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Kind, Stage};
use hayro_interpret::InterpreterCache;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use page::{Drawn, Verdict};
use std::panic::{self, AssertUnwindSafe};

const TOOL: &str = "pdf 1";
/// Pages beyond this many are not read.
const MOST_PAGES: usize = 20_000;
/// Drawing all pages may take so many steps for each byte of the file, or the second number where that is more: many pages can share what they
/// draw. A step is a byte of content, or a thirty-second of a thing drawn.
const WORK: u64 = 64;
const WORK_FLOOR: u64 = 512 << 20;
/// In so many last bytes the end mark is looked for.
const TAIL: usize = 64 << 10;
/// How many stretches of pages a fault lists.
const MOST_LISTED: usize = 50;

/// Reads a PDF, and has all that is attached to it read.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, bytes: &[u8], inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = document::found(out, doc, Kind::File, "application/pdf", "", &Memory(bytes))?;
    let mut copy = bytes.to_vec();
    let seen = bomb::defuse(&mut copy);
    for at in seen.emptied {
        let why = Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, "a stream unpacks to too many bytes and is not read");
        out.fault(index, why.limit(bomb::LONGEST).at(at))?;
    }
    if seen.torn > 0 {
        let why = format!("{} of its streams cannot be unpacked to the end", seen.torn);
        out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, why).at(seen.first_torn))?;
    }
    match caught(|| Pdf::new(copy)) {
        Some(Ok(pdf)) => {
            if !ends(bytes) {
                let why = Problem::new(Stage::Read, FaultCode::Truncated, TOOL, "its end is missing: what stood behind it is lost");
                out.fault(index, why.at(bytes.len() as u64))?;
            }
            Reading { pdf: &pdf, index, depth }.run(out, bytes.len() as u64, inside)
        }
        Some(Err(LoadPdfError::Decryption(error))) => {
            let why = match error {
                DecryptionError::PasswordProtected => "it needs a password",
                _ => "its encryption is not one that is read",
            };
            out.fault(index, Problem::new(Stage::Read, FaultCode::Encrypted, TOOL, why))
        }
        Some(Err(LoadPdfError::Invalid)) => {
            out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "it holds no page that can be found"))
        }
        None => out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "its structure could not be read")),
    }
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
    fn run(&self, out: &mut Output<'_>, length: u64, inside: &dyn Inside) -> Result<(), Stop> {
        let (properties, more) = self.part(out, "its properties", || facts::properties(self.pdf))?;
        out.text(self.index, Label::Property, properties)?;
        if more {
            let why = Problem::new(Stage::Read, FaultCode::TooMany, TOOL, "its properties or its outline are longer than is read");
            out.fault(self.index, why)?;
        }
        let mut marks = marks::Marks::default();
        self.pages(out, length.saturating_mul(WORK).max(WORK_FLOOR), &mut marks)?;
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

    fn page(&self, out: &mut Output<'_>, number: u32, drawn: &Drawn, marked: &mut Marked) -> Result<(), Stop> {
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
                format!("{} {} {what}", listed(pages), if pages.len() == 1 { "has" } else { "have" }),
            );
            if let Some(limit) = limit {
                problem = problem.limit(limit);
            }
            out.fault(self.index, problem)?;
        }
        Ok(())
    }
}

/// `page 4`, `pages 1-3, 7`.
fn listed(pages: &[u32]) -> String {
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

#[cfg(test)]
mod tests;
