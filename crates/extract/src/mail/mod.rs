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

/// The reader's name and version in faults.
pub(crate) const TOOL: &str = "mail 1";

#[cfg(test)]
mod tests;
