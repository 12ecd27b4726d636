//! Honouring withdrawals: what the editors withdrew is erased from the copy, its place in the log stays.

use daylight_archive::Outline;
use daylight_archive::entry::Entry;
use std::io;
use std::path::Path;

/// Called after every update, with the copy and what it says. Erases in the copy what its log withdraws, and gives how many withdrawals the log has.
///
/// Erasing is to be joined here: it must bear being killed at any moment and being done again, and it must leave alone what is erased already.
pub(crate) fn honour(_copy: &Path, outline: Option<&Outline>) -> io::Result<u64> {
    let entries = outline.map(Outline::entries).unwrap_or_default();
    Ok(entries.iter().filter(|entry| matches!(entry, Entry::Withdraw(_))).count() as u64)
}
