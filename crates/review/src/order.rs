//! The order in which documents get their numbers: by date, then id, and what stands in a document right after it.

use crate::seqs::Seqs;
use daylight_model::DocumentId;

/// A document to be put in order. There may be millions of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    /// Its number on the desk.
    pub(crate) seq: u64,
    /// When, in UTC seconds. What has no date comes after all that has.
    pub(crate) date: Option<i64>,
    /// What decides between equals: how its id begins.
    pub(crate) id: Beginning,
    /// Whether it stands in another of the documents.
    pub(crate) inside: bool,
}

/// The first 128 bits of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Beginning([u8; 16]);

impl From<DocumentId> for Beginning {
    fn from(id: DocumentId) -> Self {
        Self(*id.0.0.first_chunk().unwrap_or(&[0; 16]))
    }
}

/// Gives the `seq`s of all items, each once, in order; `children` says which of them stand in one, in their order there. The same items give the same
/// order however they are arranged.
pub(crate) fn in_order<E>(
    mut items: Vec<Item>,
    children: impl Fn(u64) -> Result<Vec<u64>, E>,
    mut place: impl FnMut(u64),
) -> Result<(), E> {
    items.sort_unstable_by_key(|item| (item.date.is_none(), item.date, item.id, item.seq));
    let mut placed = Seqs::default();
    // Documents that only stand in each other, in a ring, have no root among them: the second pass begins with the earliest of each ring.
    let roots = items.iter().filter(|item| !item.inside).chain(items.iter());
    let mut stack = Vec::new();
    for root in roots {
        stack.push(root.seq);
        while let Some(seq) = stack.pop() {
            if placed.insert(seq) {
                place(seq);
                stack.extend(children(seq)?.into_iter().rev());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use daylight_model::Digest;
    use std::convert::Infallible;

    /// A document with the places at which it stands in others.
    type Placed<'a> = (u64, Option<i64>, &'a [(u64, u64)]);

    fn check(documents: &[Placed<'_>], order: &[u64]) {
        let known: Seqs = documents.iter().map(|(seq, ..)| *seq).collect();
        let items = documents.iter().map(|(seq, date, parents)| Item {
            seq: *seq,
            date: *date,
            id: DocumentId(Digest([*seq as u8; 32])).into(),
            inside: parents.iter().any(|(parent, _)| parent != seq && known.contains(*parent)),
        });
        let children = |of: u64| {
            let at = |(seq, _, parents): &Placed<'_>| parents.iter().find(|(parent, _)| *parent == of).map(|(_, ordinal)| (*ordinal, *seq));
            let mut children: Vec<(u64, u64)> = documents.iter().filter_map(at).collect();
            children.sort_unstable();
            Ok::<_, Infallible>(children.into_iter().map(|(_, seq)| seq).collect())
        };
        for items in [items.clone().collect::<Vec<_>>(), items.rev().collect()] {
            let mut placed = Vec::new();
            in_order(items, children, |seq| placed.push(seq)).unwrap();
            assert_eq!(placed, order);
        }
    }

    #[test]
    fn letters_come_by_date_with_their_attachments_right_after_them() {
        let documents: [Placed<'_>; 7] = [
            (1, Some(300), &[]),
            (2, None, &[(1, 1)]),
            (3, Some(50), &[(1, 0)]),
            (4, Some(100), &[]),
            (5, None, &[]),
            (6, None, &[(3, 0), (4, 7)]),
            (7, Some(100), &[(99, 0)]),
        ];
        check(&documents, &[4, 6, 7, 1, 3, 2, 5]);
    }

    #[test]
    fn a_ring_is_placed_once() {
        check(&[(1, None, &[(2, 0)]), (2, None, &[(1, 0)]), (3, None, &[(3, 0)])], &[3, 1, 2]);
    }
}
