//! An archive without its documents: roots, checkpoint, log and notes, read and checked from wherever they are.

use crate::archive::ArchiveError;
use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::log::{Files, root_of};
use crate::note::Note;
use crate::root::{Chain, Link};
use crate::state::{Release, SignOfLife, State, load};
use crate::withdrawals::{Withdrawals, WithdrawnPlace};
use daylight_model::Digest;

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

    /// Every withdrawn line, by release and line, with what was said of it.
    pub fn withdrawn_lines(&self) -> impl Iterator<Item = WithdrawnPlace<'_>> {
        self.state.withdrawals.lines()
    }

    /// The withdrawals together.
    pub(crate) fn withdrawals(&self) -> &Withdrawals {
        &self.state.withdrawals
    }

    /// The last entry of the log that editors signed and dated.
    pub fn last_sign_of_life(&self) -> Option<SignOfLife> {
        self.state.last_sign
    }

    /// The hashes of the log's entries.
    pub fn leaves(&self) -> &[Digest] {
        &self.state.leaves
    }

    /// The root that the log had when it had `size` entries; `None` if it never had so many.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        self.state.leaves.get(..usize::try_from(size).ok()?).map(root_of)
    }
}
