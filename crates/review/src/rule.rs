//! The rule on what clearing original bytes means: it clears all that is inside them, so it is refused while any descendant is held, unread or has no
//! bytes that an editor could have read.

use crate::seqs::Seqs;
use std::collections::{HashMap, VecDeque};

/// How a document stands towards a clearing decision in one collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was cleared before.
    Cleared,
    /// It is being cleared now.
    Chosen,
    /// An editor held it back.
    Held,
    /// It was published and withdrawn.
    Withdrawn,
    /// No editor has decided on it.
    Unread,
    /// There are no bytes, so nobody can have read it.
    NoBytes,
}

impl Standing {
    /// Whether what contains a document that stands so may be published as it is.
    fn is_clear(self) -> bool {
        matches!(self, Standing::Cleared | Standing::Chosen)
    }

    /// Why not, of a document that stands inside another.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Standing::Cleared | Standing::Chosen => "is cleared",
            Standing::Held => "is held",
            Standing::Withdrawn => "was withdrawn",
            Standing::Unread => "is not cleared",
            Standing::NoBytes => "could not be read",
        }
    }
}

/// The documents among `candidates` and all that is inside them which may not be cleared because of something inside them, each with one such
/// descendant and how that stands. What speaks against a document itself is not looked at here.
///
/// Something may stand inside itself (an archive of files can be made that unpacks to itself), so this walks down once, then up from
/// what is not clear: time and memory are linear in the number of occurrences.
pub(crate) fn blocked<E>(
    candidates: &[u64],
    mut standing: impl FnMut(u64) -> Result<Standing, E>,
    mut children: impl FnMut(u64) -> Result<Vec<u64>, E>,
) -> Result<HashMap<u64, (u64, Standing)>, E> {
    let mut seen: Seqs = candidates.iter().copied().collect();
    let mut rest = candidates.iter();
    let mut deeper: VecDeque<u64> = VecDeque::new();
    let mut parents: HashMap<u64, Vec<u64>> = HashMap::new();
    let mut unclear: VecDeque<(u64, (u64, Standing))> = VecDeque::new();
    while let Some(seq) = rest.next().copied().or_else(|| deeper.pop_front()) {
        let stands = standing(seq)?;
        if !stands.is_clear() {
            unclear.push_back((seq, (seq, stands)));
        }
        for child in children(seq)? {
            parents.entry(child).or_default().push(seq);
            if seen.insert(child) {
                deeper.push_back(child);
            }
        }
    }
    let mut blocked = HashMap::new();
    while let Some((seq, why)) = unclear.pop_front() {
        for parent in parents.get(&seq).into_iter().flatten() {
            if !blocked.contains_key(parent) {
                blocked.insert(*parent, why);
                unclear.push_back((*parent, why));
            }
        }
    }
    Ok(blocked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Documents 1 to 9 by their children; those named in `not` stand so, all others are chosen.
    fn check(edges: &[(u64, &[u64])], not: &[(u64, Standing)], blocked_are: &[(u64, u64)]) {
        let edges: HashMap<u64, &[u64]> = edges.iter().copied().collect();
        let not: HashMap<u64, Standing> = not.iter().copied().collect();
        let standing = |seq| Ok::<_, Infallible>(not.get(&seq).copied().unwrap_or(Standing::Chosen));
        let children = |seq| Ok(edges.get(&seq).map(|c| c.to_vec()).unwrap_or_default());
        let candidates: Vec<u64> = (1..10).collect();
        let mut found: Vec<(u64, u64)> = blocked(&candidates, standing, children).unwrap().into_iter().map(|(k, v)| (k, v.0)).collect();
        found.sort_unstable();
        assert_eq!(found, blocked_are);
    }

    #[test]
    fn whatever_holds_an_unclear_document_at_any_depth_is_blocked_and_nothing_else() {
        let letter_with_zip: &[(u64, &[u64])] = &[(1, &[2, 3]), (3, &[4, 5]), (6, &[5])];
        check(letter_with_zip, &[], &[]);
        check(letter_with_zip, &[(4, Standing::Held)], &[(1, 4), (3, 4)]);
        check(letter_with_zip, &[(5, Standing::Unread)], &[(1, 5), (3, 5), (6, 5)]);
        check(letter_with_zip, &[(1, Standing::Held), (2, Standing::Cleared)], &[]);
        check(letter_with_zip, &[(2, Standing::NoBytes)], &[(1, 2)]);
    }

    #[test]
    fn archives_that_hold_each_other_and_themselves_end_and_block_each_other() {
        let ring: &[(u64, &[u64])] = &[(1, &[1, 2]), (2, &[1]), (7, &[2]), (8, &[9])];
        check(ring, &[], &[]);
        check(ring, &[(1, Standing::Unread)], &[(1, 1), (2, 1), (7, 1)]);
        let ring_with_more: &[(u64, &[u64])] = &[(1, &[2, 3]), (2, &[1])];
        check(ring_with_more, &[(3, Standing::Held)], &[(1, 3), (2, 3)]);
    }

    #[test]
    fn ten_thousand_levels_are_no_problem() {
        let children = |seq: u64| Ok::<_, Infallible>(if seq < 10_000 { vec![seq + 1] } else { vec![] });
        let standing = |seq: u64| Ok(if seq == 10_000 { Standing::Held } else { Standing::Chosen });
        assert_eq!(blocked(&[1], standing, children).unwrap().len(), 9_999);
    }
}
