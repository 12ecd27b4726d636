//! `Content-Type` and `Content-Disposition`: a value and its parameters (RFC 2045 section 5.1, RFC 2231).

use super::words;
use crate::charset;
use crate::transfer;

/// No field has more parameters than this that anybody means.
const MOST: usize = 64;
/// Nor a longer one; what is beyond is not looked at.
const LONGEST: usize = 64 << 10;

/// A value such as `text/plain` and its parameters.
#[derive(Default)]
pub(super) struct Valued {
    /// In lower case, without white space.
    pub(super) value: String,
    parameters: Vec<(String, Vec<u8>)>,
}

impl Valued {
    pub(super) fn parse(unfolded: &[u8]) -> Self {
        let unfolded = &unfolded[..unfolded.len().min(LONGEST)];
        let end = end_of_value(unfolded);
        let mut depth = 0usize;
        let outside = unfolded[..end].iter().filter(|byte| {
            let inside = depth > 0 || **byte == b'(';
            depth = (depth + usize::from(**byte == b'(')).saturating_sub(usize::from(**byte == b')'));
            !inside
        });
        let outside: Vec<u8> = outside.copied().collect();
        let value = String::from_utf8_lossy(&outside).to_ascii_lowercase();
        let value = value.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
        let mut parameters = Vec::new();
        let mut rest = &unfolded[end..];
        while let Some(after) = rest.strip_prefix(b";").or(rest.strip_prefix(b" "))
            && parameters.len() < MOST
        {
            let (name, value, left) = parameter(after);
            if !name.is_empty() {
                parameters.push((name, value));
            }
            rest = left;
        }
        Self { value, parameters }
    }

    fn raw(&self, name: &str) -> Option<&[u8]> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_slice())
    }

    /// A parameter that is a token by nature: without comments and white space around it.
    pub(super) fn token(&self, name: &str) -> Option<String> {
        let value = self.raw(name)?;
        let value = String::from_utf8_lossy(value);
        let value = value.split('(').next().unwrap_or_default().trim().trim_matches('\'');
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The boundary as bytes; RFC 2046 section 5.1.1 lets it not end in white space.
    pub(super) fn boundary(&self) -> Option<&[u8]> {
        let value = self.raw("boundary")?.trim_ascii_end();
        (!value.is_empty() && value.len() <= 1000).then_some(value)
    }

    /// A parameter that is text, such as a file's name: RFC 2231's forms first, then RFC 2047's, which are not allowed here but used.
    pub(super) fn text(&self, name: &str, hint: Option<&str>) -> Option<String> {
        self.extended(name).or_else(|| self.raw(name).map(|raw| words::decode(raw, hint))).filter(|text| !text.trim().is_empty())
    }

    /// `name*=utf-8''…` and `name*0*=…; name*1=…`.
    fn extended(&self, name: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let mut label = None;
        let single = self.raw(&format!("{name}*"));
        let pieces = (0..MOST).map_while(|n| {
            let encoded = self.raw(&format!("{name}*{n}*"));
            encoded.map(|raw| (raw, true)).or_else(|| self.raw(&format!("{name}*{n}")).map(|raw| (raw, false)))
        });
        for (n, (raw, encoded)) in single.map(|raw| (raw, true)).into_iter().chain(pieces).enumerate() {
            let mut raw = raw;
            if n == 0
                && encoded
                && let Some(first) = memchr::memchr(b'\'', raw)
            {
                let second = memchr::memchr(b'\'', &raw[first + 1..]).map_or(first, |n| first + 1 + n);
                label = std::str::from_utf8(&raw[..first]).ok();
                raw = &raw[second + 1..];
            }
            if encoded { bytes.extend(percent(raw)) } else { bytes.extend_from_slice(raw) }
        }
        let text = charset::decode(&bytes, label).text.into_owned();
        // Some write encoded words into the pieces of a continuation.
        (!bytes.is_empty()).then(|| if label.is_none() { words::decode(text.as_bytes(), None) } else { text })
    }
}

/// Where the value ends and its parameters begin. Some programs leave out the first semicolon: `multipart/mixed boundary=x`.
fn end_of_value(unfolded: &[u8]) -> usize {
    let end = memchr::memchr(b';', unfolded).unwrap_or(unfolded.len());
    let value = unfolded[..end].trim_ascii_end();
    let Some(equals) = memchr::memchr(b'=', value) else { return end };
    match value[..equals].iter().rposition(|b| *b == b' ') {
        Some(space) if memchr::memchr(b'/', &value[..space]).is_some() && memchr::memchr(b'(', &value[..space]).is_none() => space,
        _ => end,
    }
}

/// One `name=value`, and what is left after it, beginning with its semicolon.
fn parameter(bytes: &[u8]) -> (String, Vec<u8>, &[u8]) {
    let end = memchr::memchr2(b'=', b';', bytes).unwrap_or(bytes.len());
    let name = String::from_utf8_lossy(bytes[..end].trim_ascii()).to_ascii_lowercase();
    let Some(after) = bytes[end..].strip_prefix(b"=") else { return (String::new(), Vec::new(), &bytes[end..]) };
    let after = after.trim_ascii_start();
    if let Some(quoted) = after.strip_prefix(b"\"") {
        let (value, rest) = quoted_string(quoted);
        let next = memchr::memchr(b';', rest).unwrap_or(rest.len());
        return (name, value, &rest[next..]);
    }
    let end = memchr::memchr(b';', after).unwrap_or(after.len());
    (name, after[..end].trim_ascii().to_vec(), &after[end..])
}

/// What stands up to the closing quote. A backslash escapes a quote or itself alone: Windows programs write paths here.
fn quoted_string(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'"', _) => return (value, &bytes[at + 1..]),
            (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                value.push(*escaped);
                at += 1;
            }
            (byte, _) => value.push(*byte),
        }
        at += 1;
    }
    (value, &[])
}

fn percent(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match pair.and_then(|pair| Some((transfer::hex(pair[0])?, transfer::hex(pair[1])?))) {
            Some((high, low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_the_forms_that_programs_write() {
        let name = |field: &str| Valued::parse(field.as_bytes()).text("name", None);
        assert_eq!(name("text/plain; name=plain.txt").as_deref(), Some("plain.txt"));
        assert_eq!(name("a/b; x; name=\"a \\\"b\\\"; C:\\dir\" ; y=1").as_deref(), Some("a \"b\"; C:\\dir"));
        assert_eq!(name("a/b; name*=utf-8'en'a%C3%B1o.txt").as_deref(), Some("año.txt"));
        assert_eq!(name("a/b; name*0*=iso-8859-1''a%F1; name*1=\"o.txt\"").as_deref(), Some("año.txt"));
        assert_eq!(name("a/b; name=\"=?utf-8?Q?a=C3=B1o?= =?utf-8?Q?.txt?=\"").as_deref(), Some("año.txt"));
        assert_eq!(name("a/b name=\"no semicolon.txt\"; y=1").as_deref(), Some("no semicolon.txt"));
        assert_eq!(name("a/b; name=two words.txt; z").as_deref(), Some("two words.txt"));
        assert_eq!(Valued::parse(b"(a) text (b (c)) / (d) plain (e)").value, "text/plain");
        let typed = Valued::parse(b"Multipart / Mixed (a comment); boundary=\"b c \"; charset=utf-8 (x)");
        assert_eq!((typed.value.as_str(), typed.boundary()), ("multipart/mixed", Some(&b"b c"[..])));
        assert_eq!(typed.token("charset").as_deref(), Some("utf-8"));
    }
}
