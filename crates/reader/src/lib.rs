//! The public site, from an archive alone. It reads an archive's folder, which may be read-only, and keeps what makes search and lists fast in a
//! cache outside of it, which can be deleted at any time. It holds no secret, logs no visit, sets no cookie and parses no document: pages show the
//! renditions that editors published.
//!
//! [`build_index`] makes the cache, [`Library`] is archive and cache together, [`Library::search`] answers the page and the command line alike, and
//! [`serve()`] is the site.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod body;
mod cache;
mod catalogue;
mod error;
mod export;
mod kept;
mod library;
mod limits;
mod pages;
mod range;
mod route;
mod search;
mod serve;
mod site;
mod when;

pub use cache::{Built, Progress, build_index, default_cache};
pub use error::ReaderError;
pub use library::Library;
pub use search::{Answer, Hit, SearchError, SearchOptions};
pub use serve::{Serve, serve};

#[cfg(test)]
mod tests;
