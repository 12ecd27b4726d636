//! The parts of a message (RFC 2046 section 5): where each begins and ends, to the byte. One pass, no recursion.

use super::fields::Fields;
use super::params::Valued;
use crate::transfer::Transfer;
use memchr::memmem::Finder;
use std::ops::Range;

/// Multiparts in multiparts beyond this depth are not taken apart.
pub(super) const DEEPEST: usize = 100;
/// A message with more parts than this is not taken apart further.
pub(super) const MOST: usize = 20_000;

/// A message's parts, the message itself being the first, each after the part it stands in.
#[derive(Default)]
pub(super) struct Structure {
    pub(super) parts: Vec<Part>,
    /// What stands in multiparts before their first part and after their last, with the multipart that it is before the first part of; and lines of
    /// headers that are no field.
    outside: Vec<(Option<usize>, Range<usize>)>,
    /// A multipart was not closed: the end of the message may be missing.
    pub(super) unclosed: bool,
    /// Multiparts nested deeper than [`DEEPEST`] were left whole.
    pub(super) too_deep: bool,
    /// Parts beyond [`MOST`] were left in the last one.
    pub(super) too_many: bool,
}

impl Structure {
    /// Where text stands that is in no part: programs that read mail show nothing of it (RFC 2046 section 5.1.1).
    pub(super) fn outside(&self) -> impl Iterator<Item = Range<usize>> {
        // A multipart without parts is text itself.
        let kept = self.outside.iter().filter(|(before, _)| before.is_none_or(|part| self.parts[part].multipart));
        kept.map(|(_, range)| range.clone())
    }
}

/// One part.
#[derive(Default)]
pub(super) struct Part {
    /// The multipart that it stands in.
    pub(super) parent: Option<usize>,
    /// Where its body is in the message, still in its transfer encoding.
    pub(super) body: Range<usize>,
    /// The type it claims; for what claims none, the type that stands for none in its place.
    pub(super) media: String,
    /// Whether it holds other parts.
    pub(super) multipart: bool,
    pub(super) transfer: Transfer,
    pub(super) content_type: Valued,
    pub(super) disposition: Valued,
}

impl Part {
    pub(super) fn charset(&self) -> Option<String> {
        self.content_type.token("charset")
    }

    /// The name of the file that it is, from wherever one is given.
    pub(super) fn file_name(&self, hint: Option<&str>) -> Option<String> {
        self.disposition.text("filename", hint).or_else(|| self.content_type.text("name", hint))
    }
}

/// Takes a message apart.
pub(super) fn walk(message: &[u8]) -> Structure {
    let mut walker = Walker { message, finder: Finder::new(b"\n--"), open: Vec::new(), structure: Structure::default() };
    walker.walk();
    walker.structure
}

struct Open {
    part: usize,
    boundary: Vec<u8>,
    children: usize,
}

struct Walker<'a> {
    message: &'a [u8],
    finder: Finder<'static>,
    open: Vec<Open>,
    structure: Structure,
}

/// A line that delimits parts.
struct Delimiter {
    /// Which of the open multiparts it belongs to.
    level: usize,
    start: usize,
    end: usize,
    closes: bool,
}

impl Walker<'_> {
    fn walk(&mut self) {
        let mut at = 0;
        loop {
            let mut leaf = self.part(at);
            let mut from = self.structure.parts.last().map_or(0, |part| part.body.start);
            let mut before = leaf.is_none().then(|| self.structure.parts.len() - 1);
            loop {
                let Some(delimiter) = self.next_delimiter(from) else {
                    if leaf.is_none() {
                        self.structure.outside.push((before, from..self.message.len()));
                    }
                    return self.end();
                };
                if let Some(part) = leaf.take() {
                    let body = &mut self.structure.parts[part].body;
                    body.end = before_line(self.message, delimiter.start).max(body.start);
                } else {
                    self.structure.outside.push((before.take(), from..delimiter.start));
                }
                self.close(delimiter.level + 1, delimiter.start, true);
                from = delimiter.end;
                if !delimiter.closes {
                    break;
                }
                self.close(delimiter.level, delimiter.start, false);
            }
            self.structure.too_many = self.structure.parts.len() >= MOST;
            if self.structure.too_many {
                return self.end();
            }
            at = from;
        }
    }

    /// Reads the fields of the part at `at` and opens it; gives its number if it is not a multipart.
    fn part(&mut self, at: usize) -> Option<usize> {
        let number = self.structure.parts.len();
        let parent = self.open.last_mut();
        let digest = parent.as_ref().is_some_and(|open| self.structure.parts[open.part].media == "multipart/digest");
        let mut part = Part {
            parent: parent.map(|open| {
                open.children += 1;
                open.part
            }),
            ..Part::default()
        };
        let mut fields = Fields::new(self.message, at);
        for field in &mut fields {
            match field.name.len() {
                12 if field.is("Content-Type") && part.content_type.value.is_empty() => {
                    part.content_type = Valued::parse(&field.unfolded())
                }
                19 if field.is("Content-Disposition") => part.disposition = Valued::parse(&field.unfolded()),
                25 if field.is("Content-Transfer-Encoding") => part.transfer = Transfer::named(&field.unfolded()),
                _ => (),
            }
        }
        part.body = fields.body()..self.message.len();
        self.structure.outside.extend(fields.strays.into_iter().map(|stray| (None, stray)));
        let boundary = part.content_type.boundary().filter(|_| part.content_type.value.starts_with("multipart/"));
        let too_deep = boundary.is_some() && self.open.len() >= DEEPEST;
        self.structure.too_deep |= too_deep;
        part.media = media(&part.content_type.value, digest);
        part.multipart = boundary.is_some() && !too_deep;
        let multipart = part.multipart;
        if let Some(boundary) = boundary.filter(|_| multipart) {
            self.open.push(Open { part: number, boundary: boundary.to_vec(), children: 0 });
        }
        self.structure.parts.push(part);
        (!multipart).then_some(number)
    }

    /// Closes the open multiparts from `level` on; `unfinished` if nothing said that they end here.
    fn close(&mut self, level: usize, at: usize, unfinished: bool) {
        for open in self.open.drain(level.min(self.open.len())..) {
            let part = &mut self.structure.parts[open.part];
            part.body.end = before_line(self.message, at).max(part.body.start);
            // A multipart without parts is text that somebody mislabelled.
            part.multipart = open.children > 0;
            self.structure.unclosed |= unfinished;
        }
    }

    fn end(&mut self) {
        let length = self.message.len();
        for open in self.open.drain(..) {
            let part = &mut self.structure.parts[open.part];
            part.body.end = length;
            part.multipart = open.children > 0;
            self.structure.unclosed = true;
        }
    }

    /// The next line at or after `from`, which is where a line begins, that delimits an open multipart.
    fn next_delimiter(&self, mut from: usize) -> Option<Delimiter> {
        if self.open.is_empty() {
            return None;
        }
        loop {
            let rest = self.message.get(from..)?;
            let start = if rest.starts_with(b"--") { from } else { from + self.finder.find(rest)? + 1 };
            if let Some(delimiter) = self.delimiter(start) {
                return Some(delimiter);
            }
            from = start + 2;
            // What follows the two hyphens is not the beginning of a line.
            if self.message.get(from..).is_some_and(|rest| rest.starts_with(b"--")) {
                from += self.message[from..].iter().take_while(|b| **b == b'-').count();
            }
        }
    }

    fn delimiter(&self, start: usize) -> Option<Delimiter> {
        let line = &self.message[start + 2..];
        self.open.iter().enumerate().rev().find_map(|(level, open)| {
            let after = line.strip_prefix(open.boundary.as_slice())?;
            let length = memchr::memchr(b'\n', after);
            let tail = &after[..length.unwrap_or(after.len())];
            let end = length.map_or(self.message.len(), |n| self.message.len() - after.len() + n + 1);
            let closes = tail.trim_ascii_end().starts_with(b"--");
            // RFC 2046 section 5.1.1 lets anything follow the boundary. But many a boundary begins as another does.
            (closes || tail.first().is_none_or(u8::is_ascii_whitespace)).then_some(Delimiter { level, start, end, closes })
        })
    }
}

/// The end of the line before the one that begins at `start`, without its line break: that belongs to the delimiter (RFC 2046 section 5.1.1).
fn before_line(message: &[u8], start: usize) -> usize {
    let before = &message[..start];
    let before = before.strip_suffix(b"\n").unwrap_or(before);
    before.strip_suffix(b"\r").unwrap_or(before).len()
}

fn media(stated: &str, digest: bool) -> String {
    match stated {
        "" if digest => "message/rfc822".into(),
        "" => "text/plain".into(),
        // RFC 2045 section 5.2: what cannot be read as a type is plain text; `text` alone is common.
        "text" | "text/" => "text/plain".into(),
        stated if stated.split_once('/').is_some_and(|(kind, sub)| !kind.is_empty() && !sub.is_empty()) => stated.into(),
        _ => "application/octet-stream".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(message: &str) -> Vec<&str> {
        let structure = walk(message.as_bytes());
        structure.parts.into_iter().filter(|part| !part.multipart).map(|part| &message[part.body]).collect()
    }

    #[test]
    fn parts_are_found_to_the_byte() {
        let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n\r\n--b \r\nContent-Type: multipart/alternative; \
                       boundary=\"b2\"\r\n\r\n--b2\r\n\r\ntwo\r\n--b2--\r\ninner epilogue\r\n--b\r\n--b--\r\nepilogue\r\n--b\r\n";
        assert_eq!(bodies(message), ["one\r\n", "two", ""]);
        let outside: String = walk(message.as_bytes()).outside().map(|range| &message[range]).collect();
        assert_eq!(outside, "preamble\r\ninner epilogue\r\nepilogue\r\n--b\r\n");
        assert!(!walk(message.as_bytes()).unclosed);
    }

    #[test]
    fn an_outer_delimiter_ends_what_an_inner_one_should_have() {
        let message = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\none\n--a\n\ntwo\n--ax\n";
        assert_eq!(bodies(message), ["one", "two\n--ax\n"]);
        assert!(walk(message.as_bytes()).unclosed);
    }

    #[test]
    fn a_multipart_without_parts_is_text() {
        let message = "Content-Type: multipart/mixed; boundary=a\n\nonly text\n";
        assert_eq!(bodies(message), ["only text\n"]);
        assert_eq!(walk(message.as_bytes()).outside().count(), 0);
        assert_eq!(bodies("Content-Type: multipart/mixed\n\nonly text\n"), ["only text\n"]);
    }

    #[test]
    fn nesting_and_numbers_have_their_limits() {
        let deep: String = (0..10_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
        let structure = walk(deep.as_bytes());
        assert!(structure.too_deep && structure.unclosed && structure.parts.len() == DEEPEST + 1);
        let many = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned() + &"--b\n\n\n".repeat(100_000);
        let structure = walk(many.as_bytes());
        assert!(structure.too_many && structure.parts.len() == MOST);
        let unmatched = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned() + &"--".repeat(2_000_000) + &"\n--c".repeat(1_000_000);
        assert_eq!(walk(unmatched.as_bytes()).parts.len(), 1);
    }
}
