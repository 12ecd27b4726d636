//! Outlook's .msg ([MS-OXMSG]).

use super::build::build;
use super::cfb::Compound;
use super::packed_object;
use crate::document::{Doc, Inside, Memory};
use crate::mail;
use crate::office::bytes::{ansi, stretch, u16_at, u64_at, utf16};
use crate::office::mapi::Bodies;
use crate::office::number::from_filetime;
use crate::output::{Output, Problem};
use daylight_model::reading::{Label, Place, Stop};
use daylight_model::{Date, DateSource, FaultCode, Kind, MessageFacts, Name, Person, Precision, Role, Stage};
use std::collections::HashMap;

const TOOL: &str = "msg 1";
const PROPERTIES: &str = "__properties_version1.0";
/// People and attachments beyond this many are left out.
const MOST: usize = 100_000;
/// A name or a subject is not read beyond this many bytes.
const LONGEST_LINE: usize = 256 << 10;
/// All names and addresses together: streams that share their bytes could make much of little.
const MOST_NAMED: usize = 16 << 20;

/// Reads a message, and has all that is attached to it read.
pub(super) fn read(
    out: &mut Output<'_>,
    doc: Doc,
    media: &str,
    file: &Compound<'_>,
    bytes: &[u8],
    inside: &dyn Inside,
) -> Result<(), Stop> {
    let (depth, follows) = (doc.depth, doc.place == Place::Follows);
    let bag = Bag::new(file, Compound::ROOT, 32, 1252);
    let bodies = bag.bodies();
    let facts = MessageFacts { has_html: bodies.html.is_some(), ..facts(file, &bag) };
    let index = out.found(doc.found(Kind::Message, media.into(), String::new(), Some(Box::new(facts))))?;
    if follows {
        out.bytes(index, bytes)?;
    }
    for (label, text) in bodies.text() {
        out.text(index, label, text)?;
    }
    if bag.fixed.is_empty() {
        out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "its properties are missing"))?;
    }
    if let Some(class) = bag.text(0x1a).filter(|class| !class.eq_ignore_ascii_case("IPM.Note")) {
        out.text(index, Label::Property, format!("class: {class}"))?;
    }
    let attached = storages(file, "__attach");
    if attached.len() >= MOST || storages(file, "__recip").len() >= MOST {
        let why = Problem::new(Stage::Split, FaultCode::TooMany, TOOL, "further attachments or recipients are not read");
        out.fault(index, why.limit(MOST as u64))?;
    }
    for (ordinal, storage) in attached.into_iter().enumerate() {
        if !attachment(out, Doc::child(index, ordinal as u64, depth + 1), file, storage, bag.page, inside)? {
            break;
        }
    }
    super::say_short(out, index, file)
}

/// The HTML body of a message, for a view of it.
pub(crate) fn html(bytes: &[u8]) -> Option<String> {
    let file = Compound::open(bytes)?;
    file.find(Compound::ROOT, PROPERTIES)?;
    Bag::new(&file, Compound::ROOT, 32, 1252).bodies().html
}

fn storages(file: &Compound<'_>, start: &str) -> Vec<usize> {
    let is = |entry: &usize| file.is_storage(*entry) && file.name(*entry).starts_with(start);
    let mut found: Vec<usize> = file.children(Compound::ROOT).iter().copied().filter(is).take(MOST).collect();
    found.sort_by_key(|entry| file.name(*entry).to_ascii_lowercase());
    found
}

/// The properties of a message, a recipient or an attachment.
struct Bag<'a> {
    file: &'a Compound<'a>,
    /// Those of a fixed length by their number.
    fixed: HashMap<u16, u64>,
    /// The streams of the others by their number: their type and entry.
    long: HashMap<u16, (u16, usize)>,
    page: u32,
}

impl<'a> Bag<'a> {
    fn new(file: &'a Compound<'a>, storage: usize, head: usize, page: u32) -> Self {
        let bytes = file.find(storage, PROPERTIES).map(|entry| file.stream(entry)).unwrap_or_default();
        let entries = bytes.get(head..).unwrap_or_default().chunks_exact(16);
        let fixed: HashMap<u16, u64> = entries.map(|entry| (u16_at(entry, 2), u64_at(entry, 8))).collect();
        let mut long = HashMap::new();
        for &entry in file.children(storage) {
            let tag = file.name(entry).strip_prefix("__substg1.0_").filter(|tag| tag.len() == 8);
            if let Some(tag) = tag.and_then(|tag| u32::from_str_radix(tag, 16).ok()) {
                long.insert((tag >> 16) as u16, (tag as u16, entry));
            }
        }
        let stated = fixed.get(&0x3ffd).copied().and_then(|page| u32::try_from(page & 0xffff).ok()).filter(|page| *page != 0);
        Self { file, fixed, long, page: stated.unwrap_or(page) }
    }

    /// A line of text: a name, an address, a subject.
    fn text(&self, id: u16) -> Option<String> {
        self.text_up_to(id, LONGEST_LINE)
    }

    fn text_up_to(&self, id: u16, most: usize) -> Option<String> {
        let (kind, entry) = self.long.get(&id)?;
        let text = match kind {
            0x1f => utf16(&self.file.beginning(*entry, most)),
            0x1e => {
                let bytes = self.file.beginning(*entry, most);
                if std::str::from_utf8(&bytes).is_ok() { ansi(&bytes, 65_001) } else { ansi(&bytes, self.page) }
            }
            _ => return None,
        };
        Some(text).filter(|text| !text.trim().is_empty())
    }

    fn bytes(&self, id: u16) -> Option<Vec<u8>> {
        let (kind, entry) = self.long.get(&id)?;
        match kind {
            0x102 => Some(self.file.stream(*entry)),
            0x1f => Some(utf16(&self.file.stream(*entry)).into_bytes()),
            0x1e => Some(self.file.stream(*entry)),
            _ => None,
        }
    }

    fn number(&self, id: u16) -> Option<u32> {
        self.fixed.get(&id).map(|value| (*value & 0xffff_ffff) as u32)
    }

    fn date(&self, id: u16) -> Option<Date> {
        let seconds = from_filetime(*self.fixed.get(&id)?)?;
        // Year 4501 is how "never" is written.
        let possible = (0..79_000_000_000).contains(&seconds);
        possible.then_some(Date {
            seconds,
            offset_minutes: None,
            precision: Precision::Second,
            source: DateSource::Properties,
            doubt: None,
        })
    }

    fn person(&self, role: Role, names: &[u16], addresses: &[u16]) -> Option<Person> {
        let name = names.iter().find_map(|id| self.text(*id)).unwrap_or_default();
        let all = || addresses.iter().filter_map(|id| self.text(*id));
        // Within one Exchange an address is a path in its directory; one for all to write to is better where there is one.
        let address = all().find(|address| address.contains('@')).or_else(|| all().next()).unwrap_or_default();
        let name = if name == address { String::new() } else { name };
        (!name.is_empty() || !address.is_empty()).then_some(Person { role, name, address })
    }

    fn bodies(&self) -> Bodies {
        let page = match self.long.get(&0x1013) {
            Some((0x1f, _)) => 65_001,
            _ => self.number(0x3fde).unwrap_or(0),
        };
        Bodies::new(self.text_up_to(0x1000, usize::MAX), self.bytes(0x1013), self.bytes(0x1009), page)
    }
}

/// What the message's transport header says, if it came with one, and what its properties add to that.
fn facts(file: &Compound<'_>, bag: &Bag<'_>) -> MessageFacts {
    let header = bag.text_up_to(0x7d, usize::MAX).unwrap_or_default();
    let mut facts = mail::header_facts(header.as_bytes());
    let id = |id: u16| bag.text(id).map(|text| text.trim().trim_matches(['<', '>']).to_owned());
    if facts.message_id.is_empty() {
        facts.message_id = id(0x1035).unwrap_or_default();
    }
    if facts.in_reply_to.is_empty() {
        facts.in_reply_to = id(0x1042).into_iter().collect();
    }
    if facts.references.is_empty() {
        let references = bag.text(0x1039).unwrap_or_default();
        facts.references = references.split_whitespace().take(10_000).map(|id| id.trim_matches(['<', '>']).to_owned()).collect();
    }
    if let Some(subject) = bag.text(0x37) {
        facts.subject = subject.trim_start_matches(|c| c < ' ').trim().to_owned();
    }
    people(file, bag, &mut facts.people);
    if !facts.dates.iter().any(|date| date.source == DateSource::DateHeader) {
        let sent = bag.date(0x39).or_else(|| bag.date(0xe06)).or_else(|| bag.date(0x3007));
        facts.dates.splice(0..0, sent);
    }
    facts
}

/// The header's people where it names any, and those that only the properties name: a header has no blind copies.
fn people(file: &Compound<'_>, bag: &Bag<'_>, people: &mut Vec<Person>) {
    if !people.iter().any(|person| person.role == Role::From) {
        let represented = bag.person(Role::From, &[0x42], &[0x5d02, 0x65]);
        let sender = bag.person(Role::From, &[0xc1a], &[0x5d01, 0xc1f]);
        people.splice(0..0, represented.or(sender));
    }
    let mut named = 0;
    for storage in storages(file, "__recip") {
        let recipient = Bag::new(file, storage, 8, bag.page);
        let role = match recipient.number(0xc15) {
            Some(2) => Role::Cc,
            Some(3) => Role::Bcc,
            Some(0) => continue,
            _ => Role::To,
        };
        let Some(person) = recipient.person(role, &[0x3001, 0x5ff6, 0x3a20], &[0x39fe, 0x3003]) else { continue };
        named += person.name.len() + person.address.len();
        if named > MOST_NAMED {
            break;
        }
        let known = people.iter().take(1000).any(|known| {
            known.role == role
                && (known.address.eq_ignore_ascii_case(&person.address) && !person.address.is_empty()
                    || known.name == person.name && (!person.address.contains('@') || known.address.is_empty()))
        });
        if !known && people.len() < MOST {
            people.push(person);
        }
    }
}

/// Reads an attachment; false if the budget does not hold it.
fn attachment(
    out: &mut Output<'_>,
    mut doc: Doc,
    file: &Compound<'_>,
    storage: usize,
    page: u32,
    inside: &dyn Inside,
) -> Result<bool, Stop> {
    let parent = doc.parent.unwrap_or(0);
    let bag = Bag::new(file, storage, 8, page);
    let name = bag.text(0x3707).or_else(|| bag.text(0x3704)).or_else(|| bag.text(0x3001));
    doc.name = name.map(|name| Name(name.into_bytes()));
    doc.claimed_type = bag.text(0x370e).unwrap_or_default().trim().to_ascii_lowercase();
    let bytes = match bag.long.get(&0x3701) {
        Some((0xd, object)) => embedded(file, *object),
        Some((_, entry)) => Some(file.stream(*entry)),
        None => None,
    };
    let Some(bytes) = bytes else {
        let told = bag.text(0x370d).or_else(|| bag.text(0x3708));
        if let Some(path) = told {
            out.text(parent, Label::Property, format!("linked attachment: {path}"))?;
        }
        let why = format!("attachment {} has no bytes in the message", doc.ordinal);
        out.fault(parent, Problem::new(Stage::Split, FaultCode::Malformed, TOOL, why))?;
        return Ok(true);
    };
    if !out.spend(bytes.len()) {
        let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "the attachments from here on are past the budget");
        out.fault(parent, why.limit(out.budget()))?;
        return Ok(false);
    }
    inside.read(out, doc, &Memory(&bytes))?;
    Ok(true)
}

/// An embedded message or document as a file of its own. A message's properties have a longer head in one (section 2.4).
fn embedded(file: &Compound<'_>, object: usize) -> Option<Vec<u8>> {
    if file.find(object, PROPERTIES).is_none() {
        return packed_object(file, object).map(|(_, bytes)| bytes).or_else(|| build(file, object, None, |_, data| data));
    }
    build(file, object, file.find(Compound::ROOT, "__nameid_version1.0"), |name, data| {
        if name != PROPERTIES || data.len() < 24 {
            return data;
        }
        [stretch(&data, 0, 24), &[0; 8], &data[24..]].concat()
    })
}
