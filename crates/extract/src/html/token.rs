//! HTML taken apart into text and tags, as section 13.2.5 of the HTML Standard does it but for what only matters to a tree.
//!
//! html5ever's tokenizer compares every attribute with all before it in its tag, so one tag with a million attributes would hold it for hours:
//! hence this one. Its table of character references is html5ever's.

use std::borrow::Cow;

/// A piece of HTML.
pub(crate) enum Token<'a> {
    /// Text, its character references not yet decoded.
    Text(&'a str),
    /// The content of an element in which tags are text, such as `script`; the element is closed with it.
    Raw(Name, &'a str),
    Start(Tag<'a>),
    End(Name),
}

/// An element's name in lower case; names longer than any that HTML has are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    bytes: [u8; 12],
    length: u8,
}

impl Name {
    fn new(name: &str) -> Self {
        let mut bytes = [0; 12];
        let length = name.len().min(12);
        // Of a name that is not ASCII only this matters: that it is none of HTML's.
        for (byte, from) in bytes.iter_mut().zip(name.bytes()) {
            *byte = if from.is_ascii() { from.to_ascii_lowercase() } else { b'?' };
        }
        Self { bytes, length: length as u8 }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }

    /// Whether the element has no end.
    pub(crate) fn is_void(&self) -> bool {
        matches!(
            self.as_str(),
            "area" | "base" | "br" | "col" | "embed" | "hr" | "img" | "input" | "link" | "meta" | "param" | "source" | "track" | "wbr"
        )
    }

    fn is_raw(&self) -> bool {
        matches!(self.as_str(), "script" | "style" | "textarea" | "title" | "xmp" | "iframe" | "noembed" | "noframes" | "plaintext")
    }
}

/// A start tag.
pub(crate) struct Tag<'a> {
    pub(crate) name: Name,
    /// What stands after the name.
    pub(crate) attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// The first attribute of this name, decoded.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let (_, value) = self.attributes().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(decode_entities(value, true).into_owned())
    }

    /// Every attribute's name and value as written.
    pub(crate) fn attributes(&self) -> Attributes<'a> {
        Attributes(self.attributes)
    }
}

pub(crate) struct Attributes<'a>(&'a str);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let text = self.0.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if text.is_empty() {
            return None;
        }
        let skip = usize::from(text.starts_with('='));
        let end = text[skip..].find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/')).map_or(text.len(), |n| n + skip);
        let (name, rest) = text.split_at(end);
        let Some(value) = rest.trim_start_matches(|c: char| c.is_ascii_whitespace()).strip_prefix('=') else {
            self.0 = rest;
            return Some((name, ""));
        };
        let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, rest) = match quote {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        self.0 = rest;
        Some((name, value))
    }
}

/// Takes HTML apart from beginning to end.
pub(crate) struct Tokens<'a> {
    source: &'a str,
    at: usize,
    /// The raw element whose start tag was just given.
    raw: Option<Name>,
    /// A quote in a tag was not closed before the end. From there on quotes are not heeded, or looking for their ends would never end.
    unquoted: bool,
    /// No `>` is left: no tag will end any more.
    tagless: bool,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, at: 0, raw: None, unquoted: false, tagless: false }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The content of a raw element up to its end tag, or all that is left.
    fn raw(&mut self, name: Name) -> Token<'a> {
        let rest = self.rest();
        let end_of = |n: usize| -> bool {
            let after = &rest.as_bytes()[n + 2..];
            let name = name.as_str().as_bytes();
            let same = after.get(..name.len()).is_some_and(|b| b.eq_ignore_ascii_case(name));
            same && after.get(name.len()).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
        };
        let end = memchr::memmem::find_iter(rest.as_bytes(), b"</").find(|n| name.as_str() != "plaintext" && end_of(*n));
        let end = end.unwrap_or(rest.len());
        let close = memchr::memchr(b'>', &rest.as_bytes()[end..]).map_or(rest.len(), |n| end + n + 1);
        self.at += close;
        Token::Raw(name, &rest[..end])
    }

    /// A comment, a declaration or a processing instruction: where it ends.
    fn markup_end(rest: &str) -> usize {
        let bytes = rest.as_bytes();
        let Some(comment) = rest.strip_prefix("<!--") else {
            return memchr::memchr(b'>', bytes).map_or(bytes.len(), |n| n + 1);
        };
        for early in [">", "->"] {
            if comment.starts_with(early) {
                return 4 + early.len();
            }
        }
        let ends = memchr::memmem::find_iter(bytes, b"--").filter(|n| *n >= 4);
        let ends = ends.map(|n| (n, &bytes[n + 2..]));
        for (n, after) in ends {
            match after {
                [b'>', ..] => return n + 3,
                [b'!', b'>', ..] => return n + 4,
                // Of `--->` the first two hyphens are found.
                [b'-', b'>', ..] => return n + 4,
                _ => (),
            }
        }
        bytes.len()
    }

    /// Where the tag that begins `rest` ends: behind its `>`; `None` if it never does.
    fn tag_end(&mut self, rest: &str) -> Option<usize> {
        let bytes = rest.as_bytes();
        if self.tagless {
            return None;
        }
        if self.unquoted {
            return self.plain_end(bytes);
        }
        let mut at = 1;
        loop {
            let step = memchr::memchr3(b'>', b'"', b'\'', &bytes[at..]);
            let Some(step) = step else { break };
            at += step;
            let opens = bytes[..at].trim_ascii_end().ends_with(b"=");
            match bytes[at] {
                b'>' => return Some(at + 1),
                // A quote opens a value only after `=`.
                quote if opens => match memchr::memchr(quote, &bytes[at + 1..]) {
                    Some(close) => at += close + 2,
                    None => break,
                },
                _ => at += 1,
            }
        }
        self.unquoted = true;
        self.plain_end(bytes)
    }

    fn plain_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = memchr::memchr(b'>', bytes);
        self.tagless = end.is_none();
        end.map(|n| n + 1)
    }

    fn tag(&mut self, rest: &'a str) -> Option<Token<'a>> {
        let closes = rest.as_bytes()[1] == b'/';
        let end = self.tag_end(rest)?;
        let inside = &rest[1 + usize::from(closes)..end - 1];
        let name = inside.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(inside.len());
        self.at += end;
        let (name, attributes) = inside.split_at(name);
        let name = Name::new(name);
        if closes {
            return Some(Token::End(name));
        }
        self.raw = name.is_raw().then_some(name);
        Some(Token::Start(Tag { name, attributes }))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            return Some(self.raw(name));
        }
        while self.at < self.source.len() {
            let rest = self.rest();
            let bytes = rest.as_bytes();
            if bytes[0] == b'<' {
                match bytes.get(1) {
                    Some(b'!' | b'?') => {
                        self.at += Self::markup_end(rest);
                        continue;
                    }
                    Some(b'/') if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                        if let Some(token) = self.tag(rest) {
                            return Some(token);
                        }
                    }
                    Some(b'a'..=b'z' | b'A'..=b'Z') => {
                        if let Some(token) = self.tag(rest) {
                            return Some(token);
                        }
                    }
                    _ => (),
                }
            }
            // Text goes up to the next `<`; one that begins no tag is text itself.
            let end = memchr::memchr(b'<', &bytes[1..]).map_or(bytes.len(), |n| n + 1);
            self.at += end;
            return Some(Token::Text(&rest[..end]));
        }
        None
    }
}

/// Decodes character references (section 13.2.5.72). In an attribute a name without its semicolon may be part of a link.
pub(crate) fn decode_entities(text: &str, attribute: bool) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(after) = rest.strip_prefix('&') {
        let used = if after.starts_with('#') { numeric(after, &mut out) } else { named(after, attribute, &mut out) };
        if used == 0 {
            out.push('&');
        }
        let after = &after[used..];
        let next = memchr::memchr(b'&', after.as_bytes()).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    Cow::Owned(out)
}

fn numeric(after: &str, out: &mut String) -> usize {
    let digits = &after.as_bytes()[1..];
    let (radix, skip) = if matches!(digits.first(), Some(b'x' | b'X')) { (16, 1) } else { (10, 0) };
    let count = digits[skip..].iter().take_while(|b| char::from(**b).is_digit(radix)).count();
    if count == 0 {
        return 0;
    }
    let value = digits[skip..skip + count].iter().try_fold(0u32, |n, b| {
        let n = n.checked_mul(radix)?.checked_add(char::from(*b).to_digit(radix)?)?;
        (n <= 0x10ffff).then_some(n)
    });
    let value = match value {
        Some(n @ 0x80..=0x9f) => html5ever::data::C1_REPLACEMENTS[n as usize - 0x80],
        Some(0) | None => None,
        Some(n) => char::from_u32(n),
    };
    out.push(value.unwrap_or(char::REPLACEMENT_CHARACTER));
    1 + skip + count + usize::from(digits.get(skip + count) == Some(&b';'))
}

fn named(after: &str, attribute: bool, out: &mut String) -> usize {
    let length = after.bytes().take(32).take_while(u8::is_ascii_alphanumeric).count();
    let whole = after.as_bytes().get(length) == Some(&b';');
    for length in (1..=length + usize::from(whole)).rev() {
        let Some((first, second)) = html5ever::data::NAMED_ENTITIES.get(&after[..length]) else { continue };
        let Some(first) = char::from_u32(*first).filter(|c| *c != '\0') else { continue };
        let next = after.as_bytes().get(length);
        if attribute && !after[..length].ends_with(';') && next.is_some_and(|b| *b == b'=' || b.is_ascii_alphanumeric()) {
            return 0;
        }
        out.push(first);
        out.extend(char::from_u32(*second).filter(|c| *c != '\0'));
        return length;
    }
    0
}
