//! What may be published, decided by people. [`clear()`] records an editor's decision and makes the renditions that it covers; [`draft()`] turns the
//! decisions that hold into a release whose order, numbers, salts and times are fixed. Only here is a [`Cleared`] made, so whatever carries one was
//! looked up in the decisions, with the rule on what clearing original bytes means.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod again;
mod clear;
mod cleared;
mod codec;
mod correct;
mod document;
mod draft;
mod error;
mod order;
mod pictures;
mod rule;
mod search;
mod seqs;
mod standing;
mod views;

#[cfg(test)]
mod tests;

pub use again::{Renewal, Renewed, renew};
pub use clear::{Outcome, Selection, clear, hold, render_again};
pub use cleared::Cleared;
pub use correct::{Corrected, Correction, correct, withdraw};
pub use daylight_store::Desk;
pub use document::{Document, Occurrence, Rendition, Role};
pub use draft::{Draft, Drafted, Target, draft, draft_seal, gave_up, is_still_clear, open_drafts, sealed_origin};
pub use error::{Error, Refusal, Result};
pub use search::{Answer, Hit, search};
