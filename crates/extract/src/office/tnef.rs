//! winmail.dat ([MS-OXTNEF]): what Outlook wraps a message's body and attachments in for others of its kind.

use super::bytes::{ansi, place_at, stretch, u16_at, u32_at, utf16};
use super::mapi::Bodies;
use super::ole::native_file;
use crate::document::{Doc, Inside, Memory, found};
use crate::output::{Output, Problem};
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use std::collections::HashMap;

const TOOL: &str = "tnef 1";
/// Attachments beyond this many are not read.
const MOST: usize = 100_000;

/// Reads a TNEF, and has all that is attached in it read.
pub(super) fn read(out: &mut Output<'_>, doc: Doc, media: &str, bytes: &[u8], inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = found(out, doc, Kind::File, media, "", &Memory(bytes))?;
    let mut tnef = Tnef { page: 1252, ..Tnef::default() };
    let whole = tnef.take(bytes);
    let Tnef { page, properties, subject, body, attachments, .. } = tnef;
    let text = |id| properties.get(&id).and_then(|value| value.text(page));
    let plain = text(0x1000).or(body);
    let data = |id| properties.get(&id).map(|value: &Value<'_>| value.data.to_vec());
    let html_page = properties.get(&0x3fde).map_or(page, |value| u32_at(value.data, 0));
    let bodies = Bodies::new(plain, data(0x1013), data(0x1009), html_page);
    let mut said = false;
    for (label, text) in bodies.text() {
        said |= text.contains(char::is_alphanumeric);
        out.text(index, label, text)?;
    }
    if !said && attachments.is_empty() {
        let why = "it holds no text and no file; of an appointment, a task or a contact only the subject is read";
        out.fault(index, Problem::new(Stage::Read, FaultCode::NoReader, TOOL, why))?;
    }
    if let Some(subject) = subject.or_else(|| text(0x37)).filter(|subject| !subject.is_empty()) {
        out.text(index, Label::Property, format!("subject: {subject}"))?;
    }
    if !whole {
        out.fault(index, Problem::new(Stage::Split, FaultCode::Truncated, TOOL, "it breaks off").at(bytes.len() as u64))?;
    }
    if attachments.len() >= MOST {
        out.fault(index, Problem::new(Stage::Split, FaultCode::TooMany, TOOL, "further attachments are not read").limit(MOST as u64))?;
    }
    for (ordinal, attachment) in attachments.iter().enumerate() {
        let (name, bytes) = attachment.file(page);
        if bytes.is_empty() {
            let why = format!("attachment {ordinal} has no bytes");
            out.fault(index, Problem::new(Stage::Split, FaultCode::Empty, TOOL, why))?;
            continue;
        }
        if !out.spend(bytes.len()) {
            let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "an attachment is past the budget");
            return out.fault(index, why.limit(out.budget()));
        }
        let name = name.map(|name| Name(name.into_bytes()));
        let claimed_type = attachment.properties.get(&0x370e).and_then(|value| value.text(page)).unwrap_or_default().to_ascii_lowercase();
        let doc = Doc { name, claimed_type, ..Doc::child(index, ordinal as u64, depth + 1) };
        inside.read(out, doc, &Memory(&bytes))?;
    }
    Ok(())
}

#[derive(Default)]
struct Tnef<'a> {
    page: u32,
    properties: HashMap<u16, Value<'a>>,
    subject: Option<String>,
    body: Option<String>,
    attachments: Vec<Attachment<'a>>,
}

#[derive(Default)]
struct Attachment<'a> {
    title: Option<&'a [u8]>,
    data: &'a [u8],
    properties: HashMap<u16, Value<'a>>,
}

#[derive(Clone, Copy)]
struct Value<'a> {
    kind: u16,
    data: &'a [u8],
}

impl Value<'_> {
    fn text(&self, page: u32) -> Option<String> {
        match self.kind {
            0x1f => Some(utf16(self.data)),
            0x1e => Some(ansi(self.data, page)),
            _ => None,
        }
    }
}

impl<'a> Tnef<'a> {
    /// Takes its attributes; whether they end where it ends.
    fn take(&mut self, bytes: &'a [u8]) -> bool {
        let mut at = 6;
        while let Some(head) = bytes.get(at..at + 9) {
            let (id, length) = (u16_at(head, 1), place_at(head, 5));
            let data = stretch(bytes, at + 9, length);
            self.attribute(id, data);
            if data.len() < length {
                return false;
            }
            at += 9 + length + 2;
        }
        at >= bytes.len()
    }

    fn attribute(&mut self, id: u16, data: &'a [u8]) {
        let room = self.attachments.len() < MOST;
        match (id, self.attachments.last_mut()) {
            (0x9007, _) => self.page = u32_at(data, 0),
            (0x8004, _) => self.subject = Some(ansi(data, self.page)),
            (0x800c, _) => self.body = Some(ansi(data, self.page)),
            (0x9003, _) => self.properties = properties(data),
            (0x9002, _) if room => self.attachments.push(Attachment::default()),
            (0x8010, Some(attachment)) => attachment.title = Some(data),
            (0x800f, Some(attachment)) => attachment.data = data,
            (0x9005, Some(attachment)) => attachment.properties = properties(data),
            _ => (),
        }
    }
}

impl Attachment<'_> {
    /// Its name and its bytes.
    fn file(&self, page: u32) -> (Option<String>, Vec<u8>) {
        let text = |id| self.properties.get(&id).and_then(|value: &Value<'_>| value.text(page)).filter(|text| !text.is_empty());
        let title = self.title.map(|title| ansi(title, page)).filter(|title| !title.is_empty());
        let name = text(0x3707).or_else(|| text(0x3704)).or(title).or_else(|| text(0x3001));
        match self.properties.get(&0x3701) {
            // An object begins with the number of the interface it is for; what follows is a message in this form again, or a document.
            Some(Value { kind: 0xd, data }) if data.len() > 16 => (name, data[16..].to_vec()),
            Some(value) if self.data.is_empty() => (name, value.data.to_vec()),
            _ if self.data.starts_with(b"\xd0\xcf\x11\xe0")
                || self.properties.get(&0x3705).is_none_or(|method| u32_at(method.data, 0) != 6) =>
            {
                (name, self.data.to_vec())
            }
            _ => {
                let (label, bytes) = native_file(self.data);
                if bytes.is_empty() { (name, self.data.to_vec()) } else { (name.or(label), bytes) }
            }
        }
    }
}

/// Reads a list of properties (section 2.1.3.4). Of several values the first counts.
fn properties(data: &[u8]) -> HashMap<u16, Value<'_>> {
    let mut properties = HashMap::new();
    let mut at = 4;
    for _ in 0..u32_at(data, 0) {
        let (kind, id) = (u16_at(data, at), u16_at(data, at + 2));
        at += 4;
        if at >= data.len() {
            break;
        }
        if id >= 0x8000 {
            let named = u32_at(data, at + 16) == 1;
            at += if named { 24 + padded(place_at(data, at + 20)) } else { 24 };
        }
        let plain = kind & 0xfff;
        let several = kind & 0x1000 != 0;
        let long = matches!(plain, 0xd | 0x1e | 0x1f | 0x102);
        let count = if several || long { u32_at(data, at) } else { 1 };
        at += if several || long { 4 } else { 0 };
        for number in 0..count {
            let length = match plain {
                _ if long => place_at(data, at),
                5 | 6 | 7 | 0x14 | 0x40 => 8,
                0x48 => 16,
                _ => 4,
            };
            at += if long { 4 } else { 0 };
            if at >= data.len() {
                return properties;
            }
            if number == 0 {
                properties.insert(id, Value { kind: plain, data: stretch(data, at, length) });
            }
            at = at.saturating_add(padded(length));
        }
    }
    properties
}

/// What a length takes up to the next multiple of four.
fn padded(length: usize) -> usize {
    length.saturating_add(3) & !3
}
