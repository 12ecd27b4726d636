//! An append-only Merkle log: RFC 6962 hashing, kept as tiles (c2sp.org/tlog-tiles). The archive's own log and the tree of each release have
//! the same form; only the log has entry bundles.

mod build;
mod leaves;
mod path;
mod proof;
mod tree;

pub use build::{Appended, Builder, LogAppender, parse_bundle};
pub use leaves::{consistency_of, root_of, tiles_of};
pub use path::TilePath;
pub use proof::{ProofError, root_from_inclusion, sides, verify_consistency, verify_inclusion};
pub use tree::{Files, Tree, TreeError};

use daylight_model::{Digest, Hasher};

/// How many hashes a full tile has, and how many entries a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// The hash of a leaf: SHA-256 over 0x00 and its data (RFC 6962 section 2.1).
pub fn leaf_hash(data: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(&[0]);
    hasher.update(data);
    hasher.finish()
}

/// The hash of a node: SHA-256 over 0x01, its left and its right child (RFC 6962 section 2.1).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Digest::of(&bytes)
}

/// The hash of a tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// The root over hashes of which there is a power of two.
fn perfect_root(hashes: &[Digest]) -> Digest {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| if let [left, right] = pair { node_hash(left, right) } else { pair[0] }).collect();
    }
    row.first().copied().unwrap_or_else(empty_root)
}

/// The root over perfect subtrees, largest and leftmost first, as the binary form of the tree's size gives them.
fn root_of_peaks(peaks: &[Digest]) -> Digest {
    let mut from_right = peaks.iter().rev().copied();
    let Some(last) = from_right.next() else { return empty_root() };
    from_right.fold(last, |right, left| node_hash(&left, &right))
}

/// The perfect subtrees among `row`, a partial tile's hashes: one for each bit of their number, largest first.
fn peaks_of_row(row: &[Digest]) -> Vec<Digest> {
    let mut peaks = Vec::new();
    let mut rest = row;
    while !rest.is_empty() {
        let (perfect, others) = rest.split_at(1 << rest.len().ilog2());
        peaks.push(perfect_root(perfect));
        rest = others;
    }
    peaks
}

#[cfg(test)]
mod tests;
