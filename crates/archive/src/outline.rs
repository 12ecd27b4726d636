//! An archive without its documents: roots, checkpoint, log and notes, read and checked from wherever they are.

use crate::archive::ArchiveError;
use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::log::{Builder, Files, TILE_WIDTH, Tree, TreeError};
use crate::note::Note;
use crate::root::{Chain, Link};
use crate::state::{Release, State, load};
use daylight_model::Digest;
use std::collections::BTreeMap;

/// The small files of an archive, all of them checked. Its size grows with the log, not with the documents.
pub struct Outline {
    state: State,
}

impl Outline {
    /// Reads the small files under the checkpoint that stands at the path `checkpoint`. Errors: the first file that is not what it must be. Whether
    /// the roots are those of the publisher one trusts, and whether witnesses cosigned, is for the caller to ask.
    pub fn read(files: &dyn Files, checkpoint: &str) -> Result<Self, ArchiveError> {
        let mut first = None;
        let state = load(files, checkpoint, &mut |path, what| {
            first.get_or_insert((path, what));
        });
        match (state, first) {
            (Some(state), None) => Ok(Self { state }),
            (_, Some((path, what))) => Err(ArchiveError::Damaged { path, what }),
            (None, None) => Err(ArchiveError::Damaged { path: checkpoint.to_owned(), what: "cannot be read".into() }),
        }
    }

    /// Every root.
    pub fn chain(&self) -> &Chain {
        &self.state.chain
    }

    /// The root in force.
    pub fn in_force(&self) -> &Link {
        self.state.in_force()
    }

    /// The signed state of the log.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.state.checkpoint
    }

    /// The checkpoint with its signatures.
    pub fn checkpoint_note(&self) -> &Note {
        &self.state.checkpoint_note
    }

    /// Every release, the oldest first.
    pub fn releases(&self) -> &[Release] {
        &self.state.releases
    }

    /// What was logged, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.state.entries
    }

    /// The root that the log had when it had `size` entries; `None` if it never had so many.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        let leaves = self.state.leaves.get(..usize::try_from(size).ok()?)?;
        Some(tree_of(leaves).0.root())
    }

    /// The path that shows that the log begins with what it was at `old` entries (RFC 6962 section 2.1.2).
    pub fn consistency(&self, old: u64) -> Result<Vec<Digest>, TreeError> {
        Tree::new(&self.tiles(), "", self.state.checkpoint.size).consistency(old)
    }

    /// The log's tiles at its size: path and bytes of each, in the widest form. They follow from the entries.
    pub fn tiles(&self) -> BTreeMap<String, Vec<u8>> {
        let (tree, mut tiles) = tree_of(&self.state.leaves);
        tiles.extend(tree.partial());
        tiles
    }
}

fn tree_of(leaves: &[Digest]) -> (Builder, BTreeMap<String, Vec<u8>>) {
    let (mut tree, mut tiles) = (Builder::new(), BTreeMap::new());
    for leaf in leaves {
        tree.push(*leaf);
        if tree.size().is_multiple_of(TILE_WIDTH) {
            tiles.extend(tree.take_full());
        }
    }
    (tree, tiles)
}
