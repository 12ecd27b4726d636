//! The order in which documents get their numbers: by date, then id, and what stands in a document right after it.

use daylight_model::DocumentId;
use std::collections::HashMap;

/// A document to be put in order.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Its number on the desk.
    pub(crate) seq: u64,
    /// When, in UTC seconds. What has no date comes after all that has.
    pub(crate) date: Option<i64>,
    /// What decides between equals.
    pub(crate) id: DocumentId,
    /// Where it stands: in which documents, and at which place in each. Those not among the items do not count.
    pub(crate) parents: Vec<(u64, u64)>,
}

/// The `seq`s of all items, each once, in order. The same items give the same order however they are arranged.
pub(crate) fn in_order(mut items: Vec<Item>) -> Vec<u64> {
    items.sort_by_key(|item| (item.date.is_none(), item.date, item.id));
    let index: HashMap<u64, usize> = items.iter().enumerate().map(|(i, item)| (item.seq, i)).collect();
    let mut children: Vec<Vec<(u64, usize)>> = vec![Vec::new(); items.len()];
    let mut is_root = vec![true; items.len()];
    for (i, item) in items.iter().enumerate() {
        for (parent, ordinal) in &item.parents {
            if let Some(&parent) = index.get(parent).filter(|p| **p != i) {
                children[parent].push((*ordinal, i));
                is_root[i] = false;
            }
        }
    }
    for list in &mut children {
        list.sort_unstable();
    }
    let mut placed = vec![false; items.len()];
    let mut order = Vec::with_capacity(items.len());
    // Documents that only stand in each other, in a ring, have no root among them: the second pass begins with the earliest of each ring.
    let roots = (0..items.len()).filter(|i| is_root[*i]).chain(0..items.len());
    for root in roots {
        let mut stack = vec![root];
        while let Some(i) = stack.pop() {
            if std::mem::replace(&mut placed[i], true) {
                continue;
            }
            order.push(items[i].seq);
            stack.extend(children[i].iter().rev().map(|(_, child)| *child));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use daylight_model::Digest;

    fn item(seq: u64, date: Option<i64>, parents: &[(u64, u64)]) -> Item {
        Item { seq, date, id: DocumentId(Digest([seq as u8; 32])), parents: parents.to_vec() }
    }

    fn check(items: &[Item], order: &[u64]) {
        assert_eq!(in_order(items.to_vec()), order);
        assert_eq!(in_order(items.iter().rev().cloned().collect()), order);
    }

    #[test]
    fn letters_come_by_date_with_their_attachments_right_after_them() {
        let items = [
            item(1, Some(300), &[]),
            item(2, None, &[(1, 1)]),
            item(3, Some(50), &[(1, 0)]),
            item(4, Some(100), &[]),
            item(5, None, &[]),
            item(6, None, &[(3, 0), (4, 7)]),
            item(7, Some(100), &[(99, 0)]),
        ];
        check(&items, &[4, 6, 7, 1, 3, 2, 5]);
    }

    #[test]
    fn a_ring_is_placed_once() {
        check(&[item(1, None, &[(2, 0)]), item(2, None, &[(1, 0)]), item(3, None, &[(3, 0)])], &[3, 1, 2]);
    }
}
