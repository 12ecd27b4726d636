//! Sets of documents by their numbers on the desk, a bit each: millions of them are to be held at once.

/// A set of documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seqs {
    words: Vec<u64>,
    count: u64,
}

impl Seqs {
    /// Adds a document. Says whether it is new.
    pub(crate) fn insert(&mut self, seq: u64) -> bool {
        let (word, bit) = place(seq);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u64::from(new);
        new
    }

    /// Takes a document out. Says whether it was there.
    pub(crate) fn remove(&mut self, seq: u64) -> bool {
        let there = self.contains(seq);
        if there {
            let (word, bit) = place(seq);
            self.words[word] &= !bit;
            self.count -= 1;
        }
        there
    }

    pub(crate) fn contains(&self, seq: u64) -> bool {
        let (word, bit) = place(seq);
        self.words.get(word).is_some_and(|there| there & bit != 0)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All of them, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.words.iter().zip(0u64..).flat_map(|(word, at)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| u64::from(left.trailing_zeros()))?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

impl FromIterator<u64> for Seqs {
    fn from_iter<T: IntoIterator<Item = u64>>(seqs: T) -> Self {
        let mut set = Self::default();
        seqs.into_iter().for_each(|seq| {
            set.insert(seq);
        });
        set
    }
}

/// A desk gives its numbers one after the other, so that the set is as long as the desk has documents.
fn place(seq: u64) -> (usize, u64) {
    (usize::try_from(seq / 64).unwrap_or(usize::MAX), 1 << (seq % 64))
}

#[cfg(test)]
mod tests {
    use super::Seqs;

    #[test]
    fn what_was_put_in_is_there_once_and_in_order() {
        let mut set: Seqs = [200, 1, 64, 63, 1].into_iter().collect();
        assert_eq!((set.iter().collect::<Vec<_>>(), set.len()), (vec![1, 63, 64, 200], 4));
        assert!(!set.insert(64) && set.remove(64) && !set.remove(64) && !set.remove(70_000));
        assert!(!set.contains(64) && set.contains(200) && !set.contains(1 << 40));
        assert_eq!((set.iter().collect::<Vec<_>>(), set.len()), (vec![1, 63, 200], 3));
        assert!(Seqs::default().is_empty());
    }
}
