//! The desk's disk: what of a trove is kept, where, and what is known and decided about it. Nothing here parses a document.
//!
//! A [`Desk`] reads and decides; one [`Writer`] at a time, under the [`IngestLease`], adds documents beside it; a [`RenditionWriter`] adds what was
//! made of them for publishing. `docs/formats.md` describes the files.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod audit;
mod backup;
mod batch;
mod blobs;
mod catalogue;
mod check;
mod codec;
mod decisions;
mod desk;
mod documents;
mod drafts;
mod error;
mod flags;
mod forget;
mod ledger;
mod leftovers;
mod pack;
mod recognised;
mod records;
mod renditions;
mod replay;
mod rereading;
mod seen;
mod settings;
mod signatures;
mod status;
mod texts;
mod threading;
mod threads;
mod verdicts;
mod words;
mod writer;

#[cfg(test)]
mod tests;

pub use audit::AuditEntry;
pub use backup::{BackedUp, Restored};
pub use batch::{LargeBlob, Staged, Staging};
pub use blobs::BlobId;
pub use check::{CheckOutcome, Checked, Checkup, Finding, Repair, Told};
pub use codec::Counted;
pub use decisions::{Decision, State};
pub use desk::{Collection, CollectionId, Desk, IngestLease};
pub use documents::{Document, Occurrence, Outline};
pub use drafts::{Draft, DraftLine, LinesAside, NewDraft, NewLine, Published, Seen};
pub use error::{Error, Result};
pub use forget::{Alone, ForgetPlan, Forgotten, Order};
pub use ledger::{Unit, UnitState};
pub use recognised::{Outcome, RecognisedPage};
pub use renditions::{Rendition, RenditionRole, RenditionWriter};
pub use replay::{Change, IndexRow};
pub use rereading::{Deferred, Reread, Stands, parse_reader};
pub use settings::Settings;
pub use status::{CollectionCounts, Counts, FaultGroup, FaultRow};
pub use texts::{LongText, TextParts, WHOLE_TEXT};
pub use threads::ThreadNode;
pub use words::{Near, NearCounts};
pub use writer::{NewDocument, Writer};
