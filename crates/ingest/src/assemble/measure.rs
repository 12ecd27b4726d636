//! How much is held for one root file while it is read, and how much is calculated. Readers keep to less by themselves; these bounds hold where
//! one was captured.

use super::{DEEPEST, Doc};
use daylight_model::reading::{Found, Standing};
use daylight_model::{Fault, MessageFacts, Name, Signature};

/// So many bytes of names, facts and faults.
const MOST_FACTS: usize = 1 << 30;
/// With so many of them what is complete is handed on.
const MUCH: usize = 8 << 20;
/// So many times a file's bytes may be hashed as parts of it, and so many bytes besides: what overlaps a thousand times is read again a thousand times.
const ROUNDS: u64 = 128;
const HASHED: u64 = 8 << 30;
/// Readers give years of five digits at most; what is far beyond could overflow what is calculated with it.
const YEARS: std::ops::RangeInclusive<i64> = -10_000_000_000_000..=10_000_000_000_000;
/// The longest word about a fault.
const LONGEST_DETAIL: usize = 500;
/// The longest name, media type or claim.
const LONGEST_NAME: usize = 64 << 10;

/// What is held of one root file beside bytes and text, which go to files where they are many, and what is calculated.
pub(super) struct Measure {
    facts: usize,
    hashed: u64,
    allowed: u64,
}

impl Measure {
    pub(super) fn of(root: u64) -> Self {
        Self { facts: 0, hashed: 0, allowed: root.saturating_mul(ROUNDS).saturating_add(HASHED) }
    }

    pub(super) fn hold(&mut self, facts: usize) -> Result<(), &'static str> {
        self.facts += facts;
        if self.facts > MOST_FACTS { Err("more about one file than can be held") } else { Ok(()) }
    }

    /// So many bytes of documents came: they too may be hashed as parts.
    pub(super) fn came(&mut self, bytes: usize) {
        self.allowed = self.allowed.saturating_add(bytes as u64 * ROUNDS);
    }

    pub(super) fn hash(&mut self, bytes: u64) -> Result<(), &'static str> {
        self.hashed = self.hashed.saturating_add(bytes);
        if self.hashed > self.allowed { Err("parts of one file that overlap beyond all measure") } else { Ok(()) }
    }

    pub(super) fn is_much(&self) -> bool {
        self.facts > MUCH
    }

    /// What is not among these any more was handed on.
    pub(super) fn release(&mut self, left: &[Doc]) {
        self.facts = left.iter().map(facts_of).sum();
    }
}

/// About how many bytes what is said of a document takes, with its faults.
pub(super) fn facts_of(doc: &Doc) -> usize {
    let faults: usize = doc.faults.iter().map(|fault| size_of::<Fault>() + fault.tool.len() + fault.detail.len()).sum();
    weight(doc.name.as_ref(), &[&doc.claims, &doc.media_type], &doc.standing, doc.message.as_deref()) + faults
}

/// About how many bytes what is said of a document takes.
pub(super) fn weight_of(found: &Found) -> usize {
    weight(found.name.as_ref(), &[&found.claims, &found.media_type], &found.standing, found.message.as_deref())
}

fn weight(name: Option<&Name>, texts: &[&String], standing: &Standing, message: Option<&MessageFacts>) -> usize {
    let texts: usize = texts.iter().copied().chain([&standing.claimed_type]).chain(&standing.charset).map(String::len).sum();
    size_of::<Doc>() + size_of::<Standing>() + name.map_or(0, |name| name.0.len()) + texts + message.map_or(0, weight_of_message)
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
    let Found { name, claims, media_type, standing, message, .. } = found;
    let name = name.as_ref().map_or(0, |name| name.0.len());
    let names = [claims, media_type, &standing.claimed_type].into_iter().chain(&standing.charset).map(String::len).chain([name]);
    if names.max() > Some(LONGEST_NAME) {
        return Err("a name beyond all measure");
    }
    if standing.depth > DEEPEST {
        return Err("documents nested beyond all measure");
    }
    let dates = message.iter().flat_map(|message| &message.dates).chain(&standing.mailbox_date);
    if !dates.into_iter().all(|date| YEARS.contains(&date.seconds)) {
        return Err("a date beyond all years");
    }
    let Some(message) = message else { return Ok(()) };
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
pub(crate) fn clean_fault(fault: Fault) -> Fault {
    let clean = |text: String| {
        if text.len() <= LONGEST_DETAIL && !text.contains(Name::must_escape) {
            return text;
        }
        let plain: String = text.chars().map(|c| if Name::must_escape(c) && c != '\\' { ' ' } else { c }).collect();
        plain[..plain.floor_char_boundary(LONGEST_DETAIL)].to_owned()
    };
    Fault { tool: clean(fault.tool), detail: clean(fault.detail), ..fault }
}
