//! Seals and opens: age files whose keys editors and trustees hold, and the parts into which such a key is split. `docs/envelope.md` describes what
//! is written here for strangers.
//!
//! Bytes go in and come out as streams; where they are kept and sent is for others. Randomness is the operating system's.
//!
//! - [`mod@file`] writes and reads age v1 files (c2sp.org/age) in bounded memory, whoever may open them.
//! - [`SealKey`] is the key of one sealed release, and [`slip39`] splits it into words for trustees (SLIP-0039).
//! - [`padded`] is the length that a sealed file is filled up to.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod file;
mod padding;
mod seal_key;
pub mod slip39;

pub use file::{OpenError, Opener, Sealer};
pub use padding::padded;
pub use seal_key::{FromSharesError, SealKey};

/// The operating system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(String);

/// Fills a buffer with the operating system's randomness.
fn fill_random(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(|error| NoRandomness(error.to_string()))
}
