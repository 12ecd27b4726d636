//! Full text search: the one index and the one query language of Daylight. Page, API and command line all ask through here.
//!
//! An [`Index`] is a folder that can be deleted and built again from what it was built of. What a document is known by is put into it as an
//! [`Entry`]; a question is read by [`query::parse`] and answered by [`Index::search`]; [`snippet()`] shows where a text answers it.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod columns;
mod directory;
mod entry;
mod error;
mod family;
mod folder;
mod plan;
pub mod query;
mod schema;
mod search;
mod snippet;
#[cfg(test)]
mod tests;
mod words;
mod writer;

pub use answer::{Facets, Found, Hit, Options, Relation, Sort};
pub use entry::Entry;
pub use error::IndexError;
pub use folder::Index;
pub use snippet::{Snippet, snippet};
pub use writer::Writer;
