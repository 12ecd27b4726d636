//! Messages: RFC 5322 fields, MIME parts, and what real programs made of both.

mod address;
mod facts;
mod fields;
mod params;
mod parts;
mod read;
mod words;

pub(crate) use fields::Fields;
pub(crate) use read::{Shown, parse_found, read, shown};

/// What the fields of a message say about it, where only those are at hand.
pub(crate) fn header_facts(header: &[u8]) -> daylight_model::MessageFacts {
    facts::read(header, None, None).0
}

/// The reader's name and version in faults.
pub(crate) const TOOL: &str = "mail 3";

#[cfg(test)]
mod tests;
