use super::{empty_root, node_hash};
use daylight_model::Digest;

/// Why a proof shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index or old size does not lie in the tree.
    #[error("the proof speaks of a leaf or size that the tree does not have")]
    Beyond,
    /// It has more or fewer hashes than this place in a tree of this size needs.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Checks that the leaf with this hash stands at `index` of the tree of `size` leaves with this root (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, root: &Digest, path: &[Digest]) -> Result<(), ProofError> {
    if root_from_inclusion(leaf, index, size, path)? == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// The root to which an inclusion path leads.
pub fn root_from_inclusion(leaf: &Digest, index: u64, size: u64, path: &[Digest]) -> Result<Digest, ProofError> {
    let mut last = size.checked_sub(1).filter(|last| index <= *last).ok_or(ProofError::Beyond)?;
    let mut node = index;
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(hash) } else { Err(ProofError::Length) }
}

/// On which side the hashes of an inclusion path stand, from the leaf up: true where the hash is the left child and what is known the right one. As
/// many as a path at this place has; empty where the tree has no such leaf.
pub fn sides(index: u64, size: u64) -> Vec<bool> {
    let mut sides = Vec::new();
    let Some(mut last) = size.checked_sub(1).filter(|last| index <= *last) else { return sides };
    let mut node = index;
    while last > 0 {
        let is_left = node & 1 == 1 || node == last;
        sides.push(is_left);
        while is_left && node & 1 == 0 && node != 0 {
            node >>= 1;
            last >>= 1;
        }
        node >>= 1;
        last >>= 1;
    }
    sides
}

/// Checks that the tree of `new` leaves with root `new_root` begins with the tree of `old` leaves and root `old_root` (RFC 9162 section
/// 2.1.4.2). An empty old tree is consistent with everything, but only by its one root; equal sizes need equal roots and no path.
pub fn verify_consistency(old: u64, old_root: &Digest, new: u64, new_root: &Digest, path: &[Digest]) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Beyond);
    }
    if old == 0 || old == new {
        let known = if old == 0 { empty_root() } else { *new_root };
        let agrees = *old_root == known && (new > 0 || *new_root == known);
        return if !path.is_empty() {
            Err(ProofError::Length)
        } else if agrees {
            Ok(())
        } else {
            Err(ProofError::Root)
        };
    }
    let mut hashes = path.iter();
    let first = if old.is_power_of_two() { *old_root } else { *hashes.next().ok_or(ProofError::Length)? };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, old_hash == *old_root && new_hash == *new_root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}
