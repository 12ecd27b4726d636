//! What came of an update.

use crate::address::Address;
use crate::sites::{Refusal, Served};
use crate::state::Pinned;
use daylight_archive::Problem;
use std::path::PathBuf;

/// What an update did, and with whose help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Why it was not done, in a line; `None` where the copy has now what was accepted.
    pub failure: Option<String>,
    /// Whether somebody had it stop.
    pub stopped: bool,
    /// The archive's name; empty where nobody told it.
    pub origin: String,
    /// The size of the log that the copy had, and the one that it has.
    pub sizes: (u64, u64),
    /// The root that is pinned.
    pub pinned: Option<Pinned>,
    /// Whether that root was pinned now, because the first site that was asked had it.
    pub first_use: bool,
    /// The collections that are copied; empty for all.
    pub only: Vec<String>,
    /// The serials of the releases that came.
    pub releases: Vec<u64>,
    /// The documents that they have: lines of their manifests.
    pub documents: u64,
    /// The releases of which the copy has nothing but the notes.
    pub absent: u64,
    /// How many notes of withdrawals the log has.
    pub withdrawals: u64,
    /// How many lines were erased now because of them.
    pub erased: u64,
    /// When the newest release was drafted, as its note says: seconds since 1970.
    pub newest: Option<i64>,
    /// How many requests were sent.
    pub requests: u64,
    /// How many bytes came in answer to them.
    pub received: u64,
    /// Who gave what was used.
    pub served: Vec<(Address, Served)>,
    /// What was refused, and from whom.
    pub refused: Vec<Refusal>,
    /// What was found to be wrong with the copy, where it was to be repaired. All of it is repaired if there is no failure.
    pub damaged: Vec<Problem>,
    /// Files that show that the log contradicts itself.
    pub evidence: Vec<PathBuf>,
}

impl Report {
    /// Whether the copy has what was accepted.
    pub fn ok(&self) -> bool {
        self.failure.is_none()
    }
}
