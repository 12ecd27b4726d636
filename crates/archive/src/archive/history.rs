use super::Archive;
use crate::checkpoint::Checkpoint;
use crate::log::Builder;

impl Archive {
    /// What the log's checkpoint said, or would have said, at each of its sizes from 1 on: the texts follow from the entries, so that nothing about
    /// an earlier state has to be kept to check it.
    pub fn checkpoints(&self) -> impl Iterator<Item = Checkpoint> + '_ {
        let mut tree = Builder::new();
        self.state.leaves.iter().map(move |leaf| {
            tree.push(*leaf);
            // Only the root is wanted, not the tiles.
            tree.take_full();
            Checkpoint { origin: self.origin().to_owned(), size: tree.size(), root: tree.root() }
        })
    }

    /// The checkpoint's text at an earlier size, or at the present one; `None` where the log never had that size or was empty.
    pub fn checkpoint_at(&self, size: u64) -> Option<Checkpoint> {
        let leaves = self.state.leaves.get(..usize::try_from(size).ok().filter(|size| *size > 0)?)?;
        let mut tree = Builder::new();
        for leaf in leaves {
            tree.push(*leaf);
            tree.take_full();
        }
        Some(Checkpoint { origin: self.origin().to_owned(), size, root: tree.root() })
    }
}
