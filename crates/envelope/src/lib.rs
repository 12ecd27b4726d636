//! Seals and opens: age files whose keys editors and trustees hold, and the parts into which such a key is split. `docs/envelope.md` describes what
//! is written here for strangers.
//!
//! Bytes go in and come out as streams; where they are kept and sent is for others. Randomness is the operating system's.
//!
//! - [`mod@file`] reads and writes age v1 files (c2sp.org/age) in bounded memory, whoever may open them.
//! - [`Recipient`] and [`Identity`] are the hybrid keys of sources and newsrooms, X-Wing as age has it.
//! - [`Codename`] is what a source keeps; [`SourceKeys`] is what it stands for at one newsroom.
//! - [`seal_submission`] and [`open_submission`] are the envelope from a source, [`seal_reply`] and [`open_reply`] the one back.
//! - [`SealKey`] is the key of one sealed release, and [`slip39`] splits it into words for trustees (SLIP-0039).
//! - [`padded`] is the length that a sealed file is filled up to.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod codename;
pub mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod hybrid;
mod newsroom;
mod padding;
mod reply;
mod seal_key;
pub mod slip39;
mod submission;

pub use codename::{Codename, CodenameError, ConversationKey, SourceKeys};
pub use file::{OpenError, Opener, Sealer};
pub use hybrid::{Identity, Recipient, RecipientError};
pub use newsroom::{LookupId, Newsroom};
pub use padding::padded;
pub use reply::{LONGEST_REPLY, Reply, ReplyError, open_reply, reply_length, seal_reply};
pub use seal_key::{FromSharesError, SealKey};
pub use submission::{
    Authenticated, Finished, Head, Kind, LONGEST_NAME, LONGEST_TEXT, LONGEST_TYPE, STANZAS, SealedBy, Submission, SubmissionError,
    SubmissionSealer, envelope_length, open_submission, seal_submission,
};

/// The operating system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(String);

/// Fills a buffer with the operating system's randomness.
fn fill_random(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(|error| NoRandomness(error.to_string()))
}
