//! What lies in a store, counted by whoever looks from outside while it may be in use.

use super::{Kind, StoreError, names, read_record};
use std::io;
use std::path::Path;

/// What lies in a store: sums over all sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lying {
    /// How many envelopes wait to be collected.
    pub envelopes: u64,
    /// How many sealed bytes they have.
    pub bytes: u64,
    /// On which day the oldest of them came.
    pub oldest: Option<u32>,
    /// How many replies wait for their sources.
    pub replies: u64,
    /// How many files are not of the store's form.
    pub damaged: u64,
}

/// Counts what lies in a store, which may be in use.
pub(crate) fn lying(home: &Path) -> Result<Lying, StoreError> {
    let mut lying = Lying::default();
    for kind in [Kind::Envelope, Kind::Reply] {
        for path in names(&home.join(kind.folder()))? {
            match read_record(&path) {
                Ok((record, length)) if record.kind == Kind::Envelope => {
                    lying.envelopes += 1;
                    lying.bytes += length;
                    lying.oldest = Some(lying.oldest.map_or(record.day, |oldest| oldest.min(record.day)));
                }
                Ok(_) => lying.replies += 1,
                // Deleted meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => lying.damaged += 1,
            }
        }
    }
    Ok(lying)
}
