//! Text files, of any length and character set; HTML among them is read by `html`.

mod cards;
mod dialect;

use crate::document::{self, Doc, Memory, read_full};
use crate::output::{CHUNK, Output, Problem, cut};
use crate::{charset, html};
use daylight_model::reading::{Input, Label, Stop};
use daylight_model::{FaultCode, Kind, Stage};
use encoding_rs::{CoderResult, Encoding};

pub(crate) const TOOL: &str = "text 1";
/// HTML longer than this is read as the plain text that its source is.
const LARGEST_HTML: u64 = 64 << 20;
/// Calendars and cards longer than this are read as the text that they are.
const LARGEST_CARD: u64 = 64 << 20;
/// So much of a table is looked at to tell how it is written.
const SAMPLE: usize = 64 << 10;

/// Reads a text file. Its claims are `text` or `html`, if its bytes alone would not have said so, and the character set, if it mattered.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, media: &str, input: &(dyn Input + '_)) -> Result<(), Stop> {
    let html = is_html(media);
    if html && input.length() <= LARGEST_HTML {
        return match document::load(input) {
            Ok(bytes) => read_html(out, doc, media, &bytes),
            Err(problem) => document::keep(out, doc, Kind::File, media, input, problem),
        };
    }
    let stated = doc.charset.as_deref().and_then(charset::named);
    let (encoding, claims) = match stated {
        Some(stated) if encoding_matters(stated, input) => (stated, format!("text; charset={}", stated.name().to_ascii_lowercase())),
        _ => (charset::guess_input(input), String::new()),
    };
    let doc_charset = doc.charset.clone();
    let index = document::found(out, doc, Kind::File, media, &claims, input)?;
    if html {
        let why = "it is read as source, not as HTML";
        out.fault(index, Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, why).limit(LARGEST_HTML))?;
    }
    if is_card(media)
        && input.length() <= LARGEST_CARD
        && let Ok(bytes) = document::load(input)
    {
        return out.text(index, Label::Body, cards::text(&bytes, stated));
    }
    let sample = stream(out, index, input, encoding)?;
    let mut said =
        if stated.is_none() { charset::guess_in_words(encoding, doc_charset.as_deref()).unwrap_or_default() } else { String::new() };
    if is_table(media) {
        said.push_str(&dialect::describe(&sample));
    }
    out.text(index, Label::Property, said)
}

fn is_card(media: &str) -> bool {
    matches!(media, "text/calendar" | "application/ics" | "text/vcard" | "text/x-vcard" | "text/directory")
}

fn is_table(media: &str) -> bool {
    matches!(media, "text/csv" | "text/tab-separated-values")
}

pub(crate) fn is_html(media: &str) -> bool {
    matches!(media, "text/html" | "application/xhtml+xml")
}

/// Whether a stated encoding reads the bytes otherwise than a guess would. Only attachments state one, and those are in memory.
fn encoding_matters(stated: &'static Encoding, input: &(dyn Input + '_)) -> bool {
    input.in_memory().is_some_and(|bytes| charset::decode(bytes, Some(stated.name())).stated_mattered)
}

fn read_html(out: &mut Output<'_>, doc: Doc, media: &str, bytes: &[u8]) -> Result<(), Stop> {
    let outside = doc.charset.clone();
    let stated = outside.clone().or_else(|| html::stated_charset(bytes));
    let text = charset::decode(bytes, stated.as_deref());
    // Bytes that begin as HTML are HTML without being told.
    let told = if html::begins(bytes) { "" } else { "html" };
    let claims = match outside.filter(|_| text.stated_mattered) {
        Some(_) => format!("html; charset={}", text.encoding.name().to_ascii_lowercase()),
        None => told.to_owned(),
    };
    let index = document::found(out, doc, Kind::File, media, &claims, &Memory(bytes))?;
    if text.replaced {
        out.fault(index, replaced(text.encoding))?;
    }
    let (body, hidden) = html::text(&text.text);
    if body.trim().is_empty() && hidden.trim().is_empty() {
        out.fault(index, Problem::new(Stage::Read, FaultCode::Empty, TOOL, "it is a page without text"))?;
    }
    out.text(index, Label::Body, body)?;
    out.text(index, Label::Hidden, hidden)?;
    out.text(index, Label::Property, text.guess.unwrap_or_default())
}

fn replaced(encoding: &'static Encoding) -> Problem {
    Problem::new(Stage::Read, FaultCode::BadCharset, TOOL, format!("some bytes are not {}", encoding.name()))
}

/// Decodes piece by piece, so that a text of any length, even one of a single line, takes the memory of a few pieces. Gives its beginning back.
fn stream(out: &mut Output<'_>, index: u32, input: &(dyn Input + '_), encoding: &'static Encoding) -> Result<String, Stop> {
    let (mut sample, mut pending) = (String::new(), String::new());
    let mut decoder = encoding.new_decoder();
    let mut buffer = vec![0; CHUNK.min(usize::try_from(input.length()).unwrap_or(CHUNK))];
    let (mut at, mut any_replaced) = (0, false);
    loop {
        let count = match read_full(input, at, &mut buffer) {
            Ok(count) => count,
            Err(error) => {
                out.text(index, Label::Body, pending)?;
                out.fault(index, Problem::new(Stage::Read, FaultCode::Unreadable, TOOL, error.kind().to_string()).at(at))?;
                return Ok(sample);
            }
        };
        let last = count < buffer.len() || at + count as u64 >= input.length();
        let mut bytes = &buffer[..count];
        loop {
            pending.reserve(CHUNK.min(bytes.len() * 3 + 64));
            let (result, used, replaced) = decoder.decode_to_string(bytes, &mut pending, last);
            bytes = &bytes[used..];
            any_replaced |= replaced;
            if sample.is_empty() {
                sample.push_str(&pending[..pending.floor_char_boundary(SAMPLE)]);
            }
            while pending.len() > CHUNK {
                let rest = pending.split_off(cut(&pending));
                out.text(index, Label::Body, std::mem::replace(&mut pending, rest))?;
            }
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        at += count as u64;
        if last || out.is_cut(index) {
            break;
        }
    }
    out.text(index, Label::Body, pending)?;
    if any_replaced {
        out.fault(index, replaced(encoding))?;
    }
    Ok(sample)
}
