//! XML as a stream of elements and text. Nothing outside is ever fetched, and an entity that the document declares is not expanded: of a reference
//! only the five of XML and numbers mean anything. So a page of nested entities stays a page.

use encoding_rs::{CoderResult, Decoder, UTF_8};
use quick_xml::Reader;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attributes;
use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

/// No single tag or piece of text may be longer than this: it must stand in memory.
const LONGEST: u64 = 32 << 20;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Start,
    End,
    Text,
}

/// A document of XML, read once from front to back. An element without content has a start and an end as any other.
pub(super) struct Xml<'a> {
    reader: Reader<BufReader<Meter<'a>>>,
    buffer: Vec<u8>,
    tag: String,
    name: usize,
    text: String,
    spent: Rc<Cell<u64>>,
    fresh: Rc<Cell<u64>>,
    /// Why it could not be read to its end.
    pub(super) broken: Option<String>,
}

impl<'a> Xml<'a> {
    /// Reads at most `allowed` bytes.
    pub(super) fn new(source: Box<dyn Read + 'a>, allowed: u64) -> Self {
        let (spent, fresh) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let meter = Meter {
            source,
            allowed,
            spent: spent.clone(),
            fresh: fresh.clone(),
            decoder: UTF_8.new_decoder(),
            raw: Vec::new(),
            text: String::with_capacity(64 << 10),
            given: 0,
            ended: false,
        };
        let mut reader = Reader::from_reader(BufReader::new(meter));
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { reader, buffer: Vec::new(), tag: String::new(), name: 0, text: String::new(), spent, fresh, broken: None }
    }

    /// How many bytes were read so far.
    pub(super) fn spent(&self) -> u64 {
        self.spent.get()
    }

    /// The next start, end or piece of text; `None` at the end or where it breaks.
    pub(super) fn next(&mut self) -> Option<Node> {
        loop {
            self.buffer.clear();
            self.fresh.set(0);
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => {
                    self.broken = Some(why(&error));
                    return None;
                }
            };
            match event {
                Event::Start(start) => {
                    self.tag.clear();
                    self.tag.push_str(&start);
                    self.name = start.name().0.len();
                    return Some(Node::Start);
                }
                Event::End(end) => {
                    self.tag.clear();
                    self.tag.push_str(&end);
                    self.name = self.tag.trim_end().len();
                    return Some(Node::End);
                }
                Event::Text(text) => {
                    self.text.clear();
                    self.text.push_str(&text);
                    return Some(Node::Text);
                }
                Event::CData(text) => {
                    self.text.clear();
                    self.text.push_str(&text);
                    return Some(Node::Text);
                }
                Event::GeneralRef(name) => {
                    self.text.clear();
                    reference(&name, &mut self.text);
                    return Some(Node::Text);
                }
                Event::Eof => return None,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => (),
            }
        }
    }

    /// The name of the element that starts or ends here, without its prefix.
    pub(super) fn name(&self) -> &str {
        let name = self.full_name();
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }

    /// The same with its prefix.
    pub(super) fn full_name(&self) -> &str {
        self.tag.get(..self.name).unwrap_or_default()
    }

    /// The text that stands here.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// An attribute of the element that starts here, by its name without prefix.
    pub(super) fn attribute(&self, wanted: &str) -> Option<String> {
        self.find(|name| name.rsplit_once(':').map_or(name, |(_, local)| local) == wanted)
    }

    /// An attribute by its name with prefix.
    pub(super) fn full_attribute(&self, wanted: &str) -> Option<String> {
        self.find(|name| name == wanted)
    }

    fn find(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        let mut attributes = Attributes::new(&self.tag, self.name);
        let found = attributes.with_checks(false).flatten().find(|attribute| is(attribute.key.0))?;
        Some(unescape(&found.value))
    }

    /// Whether an attribute says yes, as XML Schema writes it.
    pub(super) fn flag(&self, wanted: &str) -> bool {
        self.attribute(wanted).is_some_and(|value| matches!(value.as_str(), "1" | "true" | "on" | "t"))
    }

    /// All text up to the end of the element that started last, markup left out.
    pub(super) fn inner_text(&mut self) -> String {
        let (mut depth, mut text) = (1_usize, String::new());
        while let Some(node) = self.next() {
            match node {
                Node::Start => depth += 1,
                Node::End => depth -= 1,
                Node::Text => text.push_str(&self.text),
            }
            if depth == 0 {
                break;
            }
        }
        text
    }
}

fn why(error: &quick_xml::Error) -> String {
    match error {
        quick_xml::Error::Io(error) => error.to_string(),
        _ => "its markup is broken".into(),
    }
}

fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        match after.split_once(';').filter(|(name, _)| name.len() <= 10) {
            Some((name, behind)) => {
                reference(name, &mut text);
                rest = behind;
            }
            None => {
                text.push('&');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// What a reference stands for; one to a declared entity is left as it is written.
fn reference(name: &str, text: &mut String) {
    let number = name.strip_prefix('#').and_then(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    });
    match (name, number.and_then(char::from_u32)) {
        ("amp", _) => text.push('&'),
        ("lt", _) => text.push('<'),
        ("gt", _) => text.push('>'),
        ("quot", _) => text.push('"'),
        ("apos", _) => text.push('\''),
        (_, Some(character)) => text.push(character),
        _ => {
            text.push('&');
            text.push_str(name);
            text.push(';');
        }
    }
}

/// Counts what is read, turns it into well-formed UTF-8 and stops at the limits.
struct Meter<'a> {
    source: Box<dyn Read + 'a>,
    allowed: u64,
    spent: Rc<Cell<u64>>,
    fresh: Rc<Cell<u64>>,
    decoder: Decoder,
    raw: Vec<u8>,
    text: String,
    given: usize,
    ended: bool,
}

impl Read for Meter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.fill()?;
        }
        let rest = &self.text.as_bytes()[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

impl Meter<'_> {
    fn fill(&mut self) -> io::Result<()> {
        let have = self.raw.len();
        self.raw.resize(have + (16 << 10), 0);
        let read = self.source.read(&mut self.raw[have..]);
        self.raw.truncate(have + *read.as_ref().unwrap_or(&0));
        let count = read?;
        self.spent.set(self.spent.get() + count as u64);
        self.fresh.set(self.fresh.get() + count as u64);
        if self.spent.get() > self.allowed {
            return Err(io::Error::other("it unpacks to more than the budget"));
        }
        if self.fresh.get() > LONGEST {
            return Err(io::Error::other("one piece of it is too long"));
        }
        self.text.clear();
        self.given = 0;
        let last = count == 0;
        let (result, used, _) = self.decoder.decode_to_string(&self.raw, &mut self.text, last);
        self.raw.drain(..used);
        self.ended = last && result == CoderResult::InputEmpty;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> String {
        let mut xml = Xml::new(Box::new(source.as_bytes()), 1 << 20);
        let mut told = String::new();
        while let Some(node) = xml.next() {
            match node {
                Node::Start => told.push_str(&format!("({} {:?}", xml.name(), xml.attribute("v"))),
                Node::End => told.push(')'),
                Node::Text => told.push_str(xml.text()),
            }
        }
        told
    }

    #[test]
    fn elements_attributes_and_references_are_read_and_entities_are_not() {
        assert_eq!(told("<w:a x:v='1 &amp; &#x32;'>a&lt;b<![CDATA[<c>]]></w:a>"), "(a Some(\"1 & 2\")a<b<c>)");
        let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]><l>&b;&f;</l>";
        assert_eq!(told(laughs), "(l None&b;&f;)");
    }

    #[test]
    fn utf_16_and_broken_utf_8_are_read() {
        let bytes: Vec<u8> = "\u{feff}<a>ä</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut xml = Xml::new(Box::new(&bytes[..]), 1 << 20);
        assert_eq!((xml.next(), xml.next(), xml.text()), (Some(Node::Start), Some(Node::Text), "ä"));
        let mut xml = Xml::new(Box::new(&b"<a>\xff!</a>"[..]), 1 << 20);
        assert_eq!((xml.next(), xml.next(), xml.text()), (Some(Node::Start), Some(Node::Text), "\u{fffd}!"));
    }
}
