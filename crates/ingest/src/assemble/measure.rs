//! How much is held for one root file while it is read, and how much is calculated. Readers keep to less by themselves; these bounds hold where
//! one was captured.

use super::{Bytes, Doc};
use crate::source::{Held, IN_MEMORY};
use daylight_model::reading::{Found, Segment};
use daylight_model::{Fault, MessageFacts, Name, Signature};

/// So much text is held of one file before it is stored.
pub(super) const MOST_TEXT: usize = 512 << 20;
/// So many bytes of names, facts and faults.
const MOST_FACTS: usize = 1 << 30;
/// So many bytes of documents are held in memory; more go to files beside the desk's.
const MOST_BYTES: usize = 256 << 20;
/// With so much of anything what is complete is handed on.
const MUCH: usize = 32 << 20;
/// So many open files are handed on at once.
const MOST_OPEN: usize = 16;
/// So many times a file's bytes may be hashed as parts of it, and so many bytes besides: what overlaps a thousand times is read again a thousand times.
const ROUNDS: u64 = 128;
const HASHED: u64 = 8 << 30;
/// Readers give years of five digits at most; what is far beyond could overflow what is calculated with it.
const YEARS: std::ops::RangeInclusive<i64> = -10_000_000_000_000..=10_000_000_000_000;
/// The longest word about a fault.
const LONGEST_DETAIL: usize = 500;
/// The longest name, media type or claim.
const LONGEST_NAME: usize = 64 << 10;

/// What is held for one root file.
pub(super) struct Measure {
    text: usize,
    facts: usize,
    bytes: usize,
    /// How many documents are files beside the desk's, each of them open.
    staged: usize,
    hashed: u64,
    allowed: u64,
    /// The documents whose text was cut last.
    cut: Option<u32>,
}

impl Measure {
    pub(super) fn of(root: u64) -> Self {
        Self { text: 0, facts: 0, bytes: 0, staged: 0, hashed: 0, allowed: root.saturating_mul(ROUNDS).saturating_add(HASHED), cut: None }
    }

    pub(super) fn hold(&mut self, facts: usize) -> Result<(), &'static str> {
        self.facts += facts;
        if self.facts > MOST_FACTS { Err("more about one file than can be held") } else { Ok(()) }
    }

    pub(super) fn takes_text(&mut self, segment: &Segment) -> bool {
        let text = self.text + segment.text.len() + size_of::<Segment>();
        let fits = text <= MOST_TEXT;
        self.text = if fits { text } else { self.text };
        fits
    }

    /// Whether it has not been said yet that this document's text was cut.
    pub(super) fn say_cut(&mut self, index: u32) -> bool {
        self.cut.replace(index) != Some(index)
    }

    /// Whether bytes may stay in memory.
    pub(super) fn takes_bytes(&mut self, bytes: usize) -> bool {
        self.allowed = self.allowed.saturating_add(bytes as u64 * ROUNDS);
        let fits = self.bytes + bytes <= MOST_BYTES;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    pub(super) fn hash(&mut self, bytes: u64) -> Result<(), &'static str> {
        self.hashed = self.hashed.saturating_add(bytes);
        if self.hashed > self.allowed { Err("parts of one file that overlap beyond all measure") } else { Ok(()) }
    }

    pub(super) fn is_much(&self) -> bool {
        self.text + self.bytes > MUCH || self.facts > MUCH || self.staged > MOST_OPEN
    }

    pub(super) fn note_staged(&mut self, doc: &Doc) {
        self.staged += usize::from(is_staged(doc));
    }

    /// What is not among these any more was handed on.
    pub(super) fn release(&mut self, left: &[Doc]) {
        let texts = left.iter().flat_map(|doc| &doc.texts);
        self.text = texts.map(|segment| segment.text.len() + size_of::<Segment>()).sum();
        self.facts = left.iter().map(facts_of).sum();
        self.bytes = left.iter().map(bytes_of).sum();
        self.staged = left.iter().filter(|doc| is_staged(doc)).count();
    }
}

fn is_staged(doc: &Doc) -> bool {
    matches!(&doc.bytes, Bytes::Own(Held::Staged(_)))
}

pub(super) fn weight_of_doc(doc: &Doc) -> usize {
    let texts: usize = doc.texts.iter().map(|segment| segment.text.len() + size_of::<Segment>()).sum();
    facts_of(doc) + texts + bytes_of(doc) + if is_staged(doc) { IN_MEMORY as usize } else { 0 }
}

fn bytes_of(doc: &Doc) -> usize {
    if let Bytes::Own(Held::Memory(bytes)) = &doc.bytes { bytes.len() } else { 0 }
}

fn facts_of(doc: &Doc) -> usize {
    let faults: usize = doc.faults.iter().map(|fault| size_of::<Fault>() + fault.tool.len() + fault.detail.len()).sum();
    weight(doc.name.as_ref(), &[&doc.claims, &doc.media_type], doc.message.as_deref()) + faults
}

/// About how many bytes what is said of a document takes.
pub(super) fn weight_of(found: &Found) -> usize {
    weight(found.name.as_ref(), &[&found.claims, &found.media_type], found.message.as_deref())
}

fn weight(name: Option<&Name>, texts: &[&String], message: Option<&MessageFacts>) -> usize {
    let texts: usize = texts.iter().map(|text| text.len()).sum();
    size_of::<Doc>() + name.map_or(0, |name| name.0.len()) + texts + message.map_or(0, weight_of_message)
}

fn weight_of_message(message: &MessageFacts) -> usize {
    let MessageFacts { subject, people, dates, message_id, in_reply_to, references, signatures, .. } = message;
    let people: usize = people.iter().map(|one| size_of_val(one) + one.name.len() + one.address.len()).sum();
    let ids: usize = in_reply_to.iter().chain(references).map(|id| size_of::<String>() + id.len()).sum();
    let signatures = signatures.as_ref().map_or(0, |all| all.len() * 4096);
    size_of::<MessageFacts>() + subject.len() + people + size_of_val(dates.as_slice()) + message_id.len() + ids + signatures
}

/// What no reader says of a document, and what those who come after could not bear.
pub(super) fn check(found: &Found) -> Result<(), &'static str> {
    let names = [found.name.as_ref().map_or(0, |name| name.0.len()), found.claims.len(), found.media_type.len(), found.claimed_type.len()];
    if names.iter().any(|length| *length > LONGEST_NAME) {
        return Err("a name beyond all measure");
    }
    let Some(message) = &found.message else { return Ok(()) };
    if !message.dates.iter().all(|date| YEARS.contains(&date.seconds)) {
        return Err("a date beyond all years");
    }
    let small = message.signatures.as_ref().is_none_or(|all| all.iter().all(is_small) && all.len() <= 100);
    if small { Ok(()) } else { Err("signatures beyond all measure") }
}

/// Whether a signature is no larger than its reader makes any: it is calculated with, more than once; and whether it can be shown in a line.
fn is_small(signature: &Signature) -> bool {
    let Signature { domain, selector, identity, value, digest, headers, left_out, problem, .. } = signature;
    let texts = [domain, selector, identity, problem].into_iter().chain(left_out);
    value.len() <= 1024
        && digest.len() <= 64
        && headers.len() <= 100
        && left_out.len() <= 8
        && texts.map(String::as_str).all(|text| text.len() <= 1024 && !text.contains(char::is_control))
}

/// A fault in one line of words that command no terminal.
pub(super) fn clean_fault(fault: Fault) -> Fault {
    let clean = |text: String| {
        if text.len() <= LONGEST_DETAIL && !text.contains(Name::must_escape) {
            return text;
        }
        let plain: String = text.chars().map(|c| if Name::must_escape(c) && c != '\\' { ' ' } else { c }).collect();
        plain[..plain.floor_char_boundary(LONGEST_DETAIL)].to_owned()
    };
    Fault { tool: clean(fault.tool), detail: clean(fault.detail), ..fault }
}
