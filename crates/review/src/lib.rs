//! What may be published, decided by people. [`clear()`] records an editor's decision and makes the renditions that it covers; [`draft()`] turns the
//! decisions that hold into a release whose order, numbers, salts and times are fixed. Only here is a [`Cleared`] made, so whatever carries one was
//! looked up in the decisions, with the rule on what clearing original bytes means.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod clear;
mod cleared;
mod codec;
mod document;
mod draft;
mod error;
mod order;
mod pictures;
mod rule;
mod search;
mod standing;
mod views;

#[cfg(test)]
mod tests;

pub use clear::{Outcome, Selection, clear, hold, render_again};
pub use cleared::Cleared;
pub use daylight_store::Desk;
pub use document::{Document, Occurrence, Rendition, Role};
pub use draft::{Draft, Drafted, Target, draft, gave_up, open_drafts};
pub use error::{Error, Refusal, Result};
pub use search::{Answer, Hit, search};
