//! The header of a message, field by field, and its two canonical forms (RFC 6376 section 3.4).

use std::collections::HashMap;

/// How bytes are brought into the form that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// As they are.
    Simple,
    /// With white space evened out.
    Relaxed,
}

/// A field as it stands, its folds and the end of its last line included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) raw: &'a [u8],
    /// Where the colon stands.
    colon: usize,
}

impl<'a> Field<'a> {
    /// The name as written, without white space before the colon.
    pub(crate) fn name(&self) -> &'a [u8] {
        self.raw[..self.colon].trim_ascii_end()
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// What stands after the colon.
    pub(crate) fn value(&self) -> &'a [u8] {
        &self.raw[self.colon + 1..]
    }

    /// Adds the field in its canonical form, its line end included.
    pub(crate) fn put(&self, form: Form, out: &mut Vec<u8>) {
        self.put_without(form, &(0..0), out);
    }

    /// The same without these bytes of its value.
    pub(crate) fn put_without(&self, form: Form, gap: &std::ops::Range<usize>, out: &mut Vec<u8>) {
        let value = self.value();
        let (before, after) = (&value[..gap.start], &value[gap.end..]);
        match form {
            Form::Simple => {
                out.extend_from_slice(&self.raw[..=self.colon]);
                put_lines(before, out);
                put_lines(after, out);
                if !out.ends_with(b"\r\n") {
                    out.extend_from_slice(b"\r\n");
                }
            }
            Form::Relaxed => {
                out.extend(self.name().iter().map(u8::to_ascii_lowercase));
                out.push(b':');
                put_words([before, after], out);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

/// The bytes with every line's end as CR LF.
fn put_lines(bytes: &[u8], out: &mut Vec<u8>) {
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
}

/// The bytes unfolded, each run of white space one space, none at either end.
fn put_words(pieces: [&[u8]; 2], out: &mut Vec<u8>) {
    let start = out.len();
    let mut space = false;
    let all = pieces[0].iter().chain(pieces[1]);
    let mut ahead = pieces[0].iter().chain(pieces[1]).skip(1);
    for byte in all {
        let next = ahead.next();
        match byte {
            b'\r' if next == Some(&b'\n') => (),
            b'\n' => (),
            b' ' | b'\t' => space = true,
            _ => {
                if space && out.len() > start {
                    out.push(b' ');
                }
                space = false;
                out.push(*byte);
            }
        }
    }
}

/// The header of a message and where its body begins.
pub(crate) struct Header<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    /// Which fields have a name, by the name in lower case, from the top.
    places: HashMap<Vec<u8>, Vec<usize>>,
    pub(crate) body: &'a [u8],
    /// The first line, counted from 1, that is no field and goes on with none.
    pub(crate) odd: Option<usize>,
}

impl<'a> Header<'a> {
    /// Everything up to the first empty line. A line that is no field and goes on with none is passed over, and said.
    pub(crate) fn of(message: &'a [u8]) -> Self {
        let (mut fields, mut places) = (Vec::new(), HashMap::<Vec<u8>, Vec<usize>>::new());
        let mut odd = None;
        let mut at = 0;
        while at < message.len() {
            let rest = &message[at..];
            if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
                at += if rest[0] == b'\n' { 1 } else { 2 };
                break;
            }
            let end = field_end(rest);
            let raw = &rest[..end];
            // What a mailbox sets before a message is no part of it.
            if odd.is_none() && !begins_as_field(raw) && !(at == 0 && raw.starts_with(b"From ")) {
                odd = Some(1 + memchr::memchr_iter(b'\n', &message[..at]).count());
            }
            if let Some(colon) = memchr::memchr(b':', raw) {
                let field = Field { raw, colon };
                places.entry(field.name().to_ascii_lowercase()).or_default().push(fields.len());
                fields.push(field);
            }
            at += end;
        }
        Self { fields, places, body: &message[at..], odd }
    }

    /// How many bytes the header has.
    pub(crate) fn length(&self) -> usize {
        self.fields.iter().map(|field| field.raw.len()).sum()
    }

    /// How many fields have this name, in lower case.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.places.get(name.as_bytes()).map_or(0, Vec::len)
    }

    /// Adds the fields that a signature names, each name once more the next one from the bottom up, and nothing where there is none left (RFC 6376
    /// section 5.4.2).
    pub(crate) fn put_signed(&self, names: &[String], form: Form, out: &mut Vec<u8>) {
        let mut taken: HashMap<&str, usize> = HashMap::new();
        for name in names {
            let Some(places) = self.places.get(name.as_bytes()) else { continue };
            let taken = taken.entry(name).or_default();
            if *taken < places.len() {
                *taken += 1;
                self.fields[places[places.len() - *taken]].put(form, out);
            }
        }
    }
}

/// Whether a line begins as fields do that no program takes for the beginning of the body: a name of printable ASCII, then a colon (RFC 5322 section
/// 2.2; section 4.5 allows space before the colon). It is as narrow as that of the reader of mail, and a name may not look like a boundary.
fn begins_as_field(raw: &[u8]) -> bool {
    let name = raw.iter().take(256).take_while(|b| matches!(b, b'!'..=b'9' | b';'..=b'~')).count();
    let space = raw[name..].iter().take(80).take_while(|b| matches!(b, b' ' | b'\t')).count();
    name > 0 && name < 256 && space < 80 && raw.get(name + space) == Some(&b':') && !raw.starts_with(b"--")
}

/// Where a field ends: after its line and all that go on with it.
fn field_end(rest: &[u8]) -> usize {
    let mut end = 0;
    loop {
        end = memchr::memchr(b'\n', &rest[end..]).map_or(rest.len(), |newline| end + newline + 1);
        if !matches!(rest.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6376 section 3.4.5.
    #[test]
    fn the_canonical_forms_are_those_of_the_standard() {
        let message = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let header = Header::of(message);
        let form = |form| {
            let mut out = Vec::new();
            header.fields.iter().for_each(|field| field.put(form, &mut out));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(form(Form::Relaxed), "a:X\r\nb:Y Z\r\n");
        assert_eq!(form(Form::Simple), "A: X\r\nB : Y\t\r\n\tZ  \r\n");
        assert_eq!(header.body, b" C \r\nD \t E\r\n\r\n\r\n");
    }

    #[test]
    fn names_are_taken_from_the_bottom_up() {
        let header = Header::of(b"To: 1\nCc: 2\nTO: 3\n\n");
        let mut out = Vec::new();
        let names = ["to", "to", "to", "bcc", "cc"].map(str::to_owned);
        header.put_signed(&names, Form::Relaxed, &mut out);
        assert_eq!(out, b"to:3\r\nto:1\r\ncc:2\r\n");
    }
}
