use super::{Archive, Release};
use crate::entry::Entry;
use crate::log::TilePath;
use crate::manifest::PART_LINES;
use crate::paths::{self, Name};
use std::path::Path;

/// Whether nothing of a release is in this folder but its note, as in a partial copy.
pub(super) fn is_absent(dir: &Path, serial: u64) -> bool {
    let prefix = dir.join(paths::release_prefix(serial));
    !["manifest", "tile", "volume"].iter().any(|name| prefix.join(name).exists())
}

impl Archive {
    /// The serials of the releases that are not in this copy, because it was made of some collections only. Their notes are here.
    pub fn absent(&self) -> &[u64] {
        &self.absent
    }

    /// Whether a release is not in this copy.
    pub fn is_absent(&self, serial: u64) -> bool {
        self.absent.binary_search(&serial).is_ok()
    }

    /// The releases that are here, the oldest first.
    pub(super) fn here(&self) -> impl DoubleEndedIterator<Item = &Release> {
        self.state.releases.iter().filter(|release| !self.is_absent(release.note.serial))
    }

    /// The bytes of `checkpoint` as they were when the archive was opened.
    pub fn checkpoint_bytes(&self) -> &[u8] {
        &self.state.checkpoint_bytes
    }

    /// Whether a file of this name belongs to this state of the archive, as far as the signed log tells: what a publication that is not finished has
    /// written already does not. Whether the file is here is another question.
    pub fn covers(&self, name: &Name) -> bool {
        let lines = |serial: u64| self.release(serial).map_or(0, |release| release.note.lines);
        let tile = |tile: &TilePath, size: u64| TilePath::widest(tile.level, tile.index, size);
        match name {
            Name::Checkpoint => true,
            Name::RootJson(version) | Name::RootSig(version) => *version <= self.state.root_indices.len() as u64,
            // A narrower tile of an earlier size may still be there.
            Name::Tile(asked) => tile(asked, self.state.checkpoint.size).is_some_and(|widest| asked.width <= widest.width),
            Name::ReleaseNote(serial) | Name::Volume(serial, _) => lines(*serial) > 0,
            Name::Part(serial, part) | Name::Offsets(serial, part) => *part < lines(*serial).div_ceil(PART_LINES),
            Name::ReleaseTile(serial, asked) => tile(asked, lines(*serial)).is_some_and(|widest| widest == *asked),
            Name::EntryNote(serial) => self.state.entries.iter().any(|entry| match entry {
                Entry::Withdraw(logged) | Entry::Directory(logged) | Entry::Heartbeat(logged) => logged.serial == *serial,
                Entry::Root { .. } | Entry::Release { .. } => false,
            }),
        }
    }
}
