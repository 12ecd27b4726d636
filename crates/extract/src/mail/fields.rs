use std::borrow::Cow;
use std::ops::Range;

/// Lines among the fields of one header that are none, beyond so many, are not kept.
const MOST_STRAYS: usize = 10_000;

/// One header field (RFC 5322 section 2.2) as it stands in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// Its name as written, without the colon.
    pub(crate) name: &'a [u8],
    /// Everything after the colon, folds and all, without the last line's end.
    pub(crate) value: &'a [u8],
}

impl<'a> Field<'a> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, each fold one space.
    pub(crate) fn unfolded(&self) -> Cow<'a, [u8]> {
        let value = self.value.trim_ascii();
        if memchr::memchr2(b'\n', b'\r', value).is_none() {
            return Cow::Borrowed(value);
        }
        let mut line = Vec::with_capacity(value.len());
        for piece in value.split(|b| matches!(b, b'\n' | b'\r')) {
            if !line.is_empty() && !piece.is_empty() {
                line.push(b' ');
            }
            let piece = if line.is_empty() { piece } else { piece.trim_ascii_start() };
            line.extend_from_slice(piece);
        }
        Cow::Owned(line)
    }
}

/// The fields at the beginning of a message or part. When they are used up, [`Fields::body`] is where the body begins.
///
/// The empty line after the fields is missing in many a message: a line that is no field begins the body, unless it is only a stray one with a
/// field right after it, and unless it is the `From ` line of a mailbox.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    done: bool,
    any: bool,
    /// The lines among the fields that are none, but for those of a mailbox.
    pub(super) strays: Vec<Range<usize>>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, done: false, any: false, strays: Vec::new() }
    }

    /// Where the body begins: right only when the iterator has ended.
    pub(crate) fn body(&self) -> usize {
        self.at
    }

    fn line_end(&self, from: usize) -> usize {
        memchr::memchr(b'\n', &self.bytes[from..]).map_or(self.bytes.len(), |n| from + n + 1)
    }

    /// Takes the lines that go on with the field whose first line ends at `end`.
    fn folded_end(&self, mut end: usize) -> usize {
        while let Some(b' ' | b'\t') = self.bytes.get(end) {
            let next = self.line_end(end);
            // A line of nothing but white space ends the fields for many programs, but then more fields follow it: so it folds.
            end = next;
        }
        end
    }

    fn is_stray(&self, line: &[u8], next: usize) -> bool {
        if line.starts_with(b"From ") || line.starts_with(b">From ") {
            return !self.any || name_length(&self.bytes[next..]).is_some();
        }
        self.any && !line.starts_with(b"--") && name_length(&self.bytes[next..]).is_some()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        while !self.done && self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            let end = self.line_end(self.at);
            if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
                (self.at, self.done) = (end, true);
            } else if let Some(length) = name_length(rest) {
                let end = self.folded_end(end);
                let value = without_break(&self.bytes[self.at + length.colon + 1..end]);
                let name = &rest[..length.name];
                (self.at, self.any) = (end, true);
                return Some(Field { name, value });
            } else if self.is_stray(&self.bytes[self.at..end], end) {
                let line = &self.bytes[self.at..end];
                if !line.starts_with(b"From ") && !line.starts_with(b">From ") && self.strays.len() < MOST_STRAYS {
                    self.strays.push(self.at..end);
                }
                self.at = end;
            } else {
                self.done = true;
            }
        }
        self.done = true;
        None
    }
}

struct Length {
    name: usize,
    colon: usize,
}

/// Whether a field begins here: printable ASCII without a space, then a colon (RFC 5322 section 3.6.8; section 4.5 allows space before the colon).
fn name_length(bytes: &[u8]) -> Option<Length> {
    let name = bytes.iter().take(256).position(|b| !matches!(b, b'!'..=b'9' | b';'..=b'~'))?;
    let space = bytes[name..].iter().take(80).position(|b| !matches!(b, b' ' | b'\t'))?;
    let field = name > 0 && bytes[name + space] == b':' && !bytes.starts_with(b"--");
    field.then_some(Length { name, colon: name + space })
}

/// A line without its break.
fn without_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
