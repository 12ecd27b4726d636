//! Mailboxes (RFC 4155 and the variants of <https://www.loc.gov/preservation/digital/formats/fdd/fdd000383.shtml>), split to the byte, because
//! signatures are over bytes. A mailbox of any size takes the memory of its largest message.
//!
//! | variant | a line of a body that begins with `From ` | where a message ends |
//! |---|---|---|
//! | mboxo | is written `>From ` | at an empty line and a `From ` line |
//! | mboxrd | gets one more `>`, as does `>From ` and so on | the same |
//! | mboxcl | is written `>From ` | where `Content-Length` says |
//! | mboxcl2 | stands as it is | where `Content-Length` says |

mod quoting;
mod window;

use crate::dates;
use crate::document::{self, Doc, Inside, Resume, read_full};
use crate::mail::{self, Fields};
use crate::output::{Output, Problem};
use daylight_model::reading::{Input, Place, Stop};
use daylight_model::{FaultCode, Kind, Stage};
use quoting::Quoting;
use std::io;
use std::ops::Range;
use window::Window;

pub(crate) const TOOL: &str = "mbox 1";
/// No `From ` line is longer.
const LONGEST_LINE: usize = 2000;
/// `Content-Length` is looked for in so many bytes of a header.
const LONGEST_HEADER: u64 = 1 << 20;

/// Whether a mailbox begins with these bytes: a `From ` line with a date, or with a field after it.
pub(crate) fn begins(head: &[u8]) -> bool {
    head.starts_with(b"From ") && is_from_line(head)
}

/// Whether the line at the beginning of `bytes`, which begins with `From `, separates messages.
fn is_from_line(bytes: &[u8]) -> bool {
    let near = &bytes[..bytes.len().min(LONGEST_LINE)];
    let Some(end) = memchr::memchr(b'\n', near) else { return dates::parse_from_line(near).is_some() };
    dates::parse_from_line(&near[..end]).is_some() || begins_with_field(&bytes[end + 1..])
}

fn begins_with_field(bytes: &[u8]) -> bool {
    let near = &bytes[..bytes.len().min(LONGEST_LINE)];
    Fields::new(near, 0).next().is_some_and(|field| !field.value.is_empty())
}

/// Whether the line separates messages even where no empty line stands before it, as some programs write it: it must have all that one has,
/// a date (Mozilla writes `From - `, at times alone) and a field after it.
fn is_strict_from_line(bytes: &[u8]) -> bool {
    let near = &bytes[..bytes.len().min(LONGEST_LINE)];
    let Some(end) = memchr::memchr(b'\n', near) else { return false };
    let dated = near.starts_with(b"From - ") || dates::parse_from_line(&near[..end]).is_some();
    dated && begins_with_field(&bytes[end + 1..])
}

/// Reads a mailbox, from the `From ` line at `resume.start` on. What is counted is what this reading found.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_), resume: Resume, inside: &dyn Inside) -> Result<(), Stop> {
    read_limited(out, doc, input, resume, inside, document::LARGEST)
}

fn read_limited(
    out: &mut Output<'_>,
    doc: Doc,
    input: &(dyn Input + '_),
    resume: Resume,
    inside: &dyn Inside,
    largest: u64,
) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = document::found(out, doc, Kind::Container, "application/mbox", "", input)?;
    let mut reading = Mailbox { index, depth, input, inside, window: Window::new(input), quoting: Quoting::O, largest, read: 0, failed: 0 };
    if let Err(error) = reading.run(out, resume)? {
        let why = Problem::new(Stage::Split, FaultCode::Unreadable, TOOL, error.kind().to_string());
        out.fault(index, why.at(reading.window.end()))?;
    }
    out.counted(index, None, reading.read, reading.failed)
}

struct Mailbox<'a> {
    index: u32,
    depth: u32,
    input: &'a (dyn Input + 'a),
    inside: &'a dyn Inside,
    window: Window<'a>,
    quoting: Quoting,
    largest: u64,
    read: u64,
    failed: u64,
}

/// Where a message stands.
struct Bounds {
    /// Its `From ` line.
    line: Range<u64>,
    /// Its bytes, as they are quoted.
    message: Range<u64>,
    /// The `From ` line after it, or the end.
    next: u64,
    /// Its own `Content-Length` says where it ends.
    counted: bool,
    /// Why it seems not to be whole.
    torn: Option<&'static str>,
}

impl Mailbox<'_> {
    /// The outer error is the listener's, the inner one the input's.
    fn run(&mut self, out: &mut Output<'_>, resume: Resume) -> Result<io::Result<()>, Stop> {
        match quoting::of(self.input) {
            Ok(quoting) => self.quoting = quoting,
            Err(error) => return Ok(Err(error)),
        }
        let (mut at, mut skip) = (resume.start, resume.skip_first);
        while at < self.input.length() {
            let bounds = match self.bounds(at) {
                Ok(bounds) => bounds,
                Err(error) => return Ok(Err(error)),
            };
            if bounds.next <= at {
                break;
            }
            if !self.message(out, at, &bounds, skip)? {
                break;
            }
            (at, skip) = (bounds.next, false);
            out.cursor(self.index, at)?;
        }
        Ok(Ok(()))
    }

    /// Says and reads one message; says whether the budget allows of more.
    fn message(&mut self, out: &mut Output<'_>, at: u64, bounds: &Bounds, skip: bool) -> Result<bool, Stop> {
        self.read += 1;
        let Range { start, end } = bounds.message;
        let mut doc = Doc {
            place: Place::Slice { of: self.index, offset: start, length: end - start },
            ..Doc::child(self.index, at, self.depth + 1)
        };
        doc.mailbox_date = dates::parse_from_line(self.window.get(&bounds.line));
        doc.problem = bounds.torn.map(|why| Problem::new(Stage::Split, FaultCode::Truncated, TOOL, why));
        if end - start > self.largest {
            self.failed += 1;
            let why = format!("its {} bytes are more than are read into memory", end - start);
            let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, why).limit(self.largest);
            let index = mail::parse_found(out, doc, &[], None)?;
            return out.fault(index, why).map(|()| true);
        }
        let raw = self.window.get(&bounds.message);
        let message = self.quoting.undo(raw, bounds.counted);
        if let Some(message) = &message {
            doc.place = Place::Follows;
            if !out.spend(message.len()) {
                let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "this message and those after it are past the budget");
                return out.fault(self.index, why.limit(out.budget()).at(at)).map(|()| false);
            }
        }
        let message = message.as_deref().unwrap_or(raw);
        if skip {
            return mail::parse_found(out, doc, message, None).map(|_| true);
        }
        self.inside.message(out, doc, message).map(|()| true)
    }

    /// Finds where the message whose `From ` line is at `at` begins and ends.
    fn bounds(&mut self, at: u64) -> io::Result<Bounds> {
        self.window.keep_from(at.saturating_sub(4));
        let start = match self.window.find(b"\n", at, at + LONGEST_LINE as u64)? {
            Some(newline) => newline + 1,
            None => (at + LONGEST_LINE as u64).min(self.input.length()),
        };
        let (counted, torn) = self.content_length(start)?;
        let (end, next) = match counted {
            Some(ends) => ends,
            None => self.search(start)?,
        };
        let last = next >= self.input.length();
        let cut = last && end > start && end - start <= self.largest && !self.window.get(&(start..end)).ends_with(b"\n");
        let torn = torn.filter(|_| last).or(cut.then_some("the mailbox ends in the middle of a line"));
        Ok(Bounds { line: at..start, message: start..end, next, counted: counted.is_some(), torn })
    }

    /// The end that `Content-Length` states and the next `From ` line, if the two fit; else perhaps that the mailbox ends too early for it.
    #[allow(clippy::type_complexity)]
    fn content_length(&mut self, start: u64) -> io::Result<(Option<(u64, u64)>, Option<&'static str>)> {
        // A header reaches no farther than the next `From ` line, or short messages would cost a long search each.
        let farthest = self.window.find(b"\nFrom ", start, start + LONGEST_HEADER)?.unwrap_or(start + LONGEST_HEADER);
        let blank = self.window.find(b"\n\n", start, farthest + 1)?.map(|n| n + 2);
        let body = match self.window.find(b"\n\r\n", start, blank.unwrap_or(farthest + 1))? {
            Some(crlf) => crlf + 3,
            None => match blank {
                Some(blank) => blank,
                None => return Ok((None, None)),
            },
        };
        let Some(length) = stated_length(self.window.get(&(start..body))) else { return Ok((None, None)) };
        let Some(end) = body.checked_add(length) else { return Ok((None, None)) };
        if end > self.input.length() {
            return Ok((None, Some("the mailbox ends before the message's Content-Length")));
        }
        let mut after = [0; 9];
        let count = read_full(self.input, end, &mut after)?;
        let after = &after[..count];
        let lines = after.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
        if !(after[lines..].starts_with(b"From ") || end + lines as u64 == self.input.length()) {
            return Ok((None, None));
        }
        // Some count without the end of the last line.
        let unfinished = length > 0 && {
            let mut last = [0];
            read_full(self.input, end - 1, &mut last)? == 1 && last[0] != b'\n'
        };
        let line = if unfinished { after.iter().take(lines).position(|b| *b == b'\n').map_or(0, |n| n + 1) } else { 0 };
        let message_end = end + line as u64;
        self.window.fill_to(message_end.min(start + self.largest))?;
        Ok((Some((message_end, end + lines as u64)), None))
    }

    /// The end of the message and the next `From ` line, by looking for one after an empty line.
    fn search(&mut self, start: u64) -> io::Result<(u64, u64)> {
        let mut from = start.saturating_sub(1);
        loop {
            // A message beyond the limit is not held: only what is needed to find its end is.
            if from - start.min(from) > self.largest {
                self.window.keep_from(from.saturating_sub(4));
            }
            let Some(newline) = self.window.find(b"\nFrom ", from, u64::MAX)? else { break };
            let line = newline + 1;
            self.window.fill_to(line + 2 * LONGEST_LINE as u64)?;
            let before = self.window.tail(line, 4);
            let after_blank = line == start || before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n");
            let near = self.window.from(line);
            if after_blank && is_from_line(near) || is_strict_from_line(near) {
                return Ok((self.without_blank(start, line), line));
            }
            from = line;
        }
        let end = self.input.length().min(self.window.end());
        Ok((self.without_blank(start, end), end))
    }

    /// The empty line before a `From ` line belongs to neither message.
    fn without_blank(&self, start: u64, end: u64) -> u64 {
        let before = self.window.tail(end, 4);
        let blank = match before {
            _ if before.ends_with(b"\n\r\n") => 2,
            _ if before.ends_with(b"\n\n") => 1,
            _ => 0,
        };
        // Where there is no body, the empty line is the one that ends the header: it is the message's unless another follows.
        (end - blank).max(start.min(end))
    }
}

/// The value of `Content-Length` in a header.
fn stated_length(header: &[u8]) -> Option<u64> {
    memchr::memmem::find(header, b"ength:")?;
    let field = Fields::new(header, 0).find(|field| field.is("Content-Length"))?;
    std::str::from_utf8(field.value.trim_ascii()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
