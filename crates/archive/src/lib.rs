//! The archive's public format: its bytes, its Merkle log, notes, proofs, and what reads and verifies them. `docs/archive-format.md` describes it
//! for strangers.
//!
//! Nothing here writes a file, opens a connection or keeps a key: what is made is given out as bytes, what is read comes from [`log::Files`] or
//! the archive's folder.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod archive;
pub mod checkpoint;
pub mod directory;
pub mod entry;
pub mod evidence;
mod head;
pub mod heartbeat;
pub mod json;
pub mod key;
pub mod log;
pub mod manifest;
pub mod note;
mod outline;
pub mod paths;
pub mod plan;
pub mod policy;
pub mod proof;
pub mod record;
pub mod release;
pub mod root;
mod state;
pub mod store;
mod time;
pub mod verify;
pub mod volume;
pub mod withdraw;
mod withdrawals;
pub mod witness;

pub use archive::{Archive, ArchiveError, Line};
pub use checkpoint::Checkpoint;
pub use directory::{Directory, DirectoryError};
pub use head::EntryNoteError;
pub use key::{Key, KeyType, Signer};
pub use outline::Outline;
pub use policy::{Policy, Seen, Witness, Witnessed};
pub use proof::DocumentProof;
pub use record::{FileRef, Record};
pub use verify::{Absent, Asked, Problem, Progress, Report, check_releases, verify, verify_from, verify_staged};
pub use withdrawals::{Withdrawal, WithdrawnPlace};

#[cfg(test)]
mod tests;
