use super::{CHECKPOINT, entry_note, manifest_offsets, manifest_part, release_note, release_prefix, root_json, root_sig, volume};
use crate::log::TilePath;
use std::fmt;

/// The name of one file of an archive: whatever a stranger asks for is one of these in the one way of writing it, or is nothing. So no name leads
/// out of an archive's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// `checkpoint`
    Checkpoint,
    /// `root/<version>.json`
    RootJson(u64),
    /// `root/<version>.sig`
    RootSig(u64),
    /// `tile/…`: a tile of the log or a bundle of its entries.
    Tile(TilePath),
    /// `release/<serial>/note`
    ReleaseNote(u64),
    /// `release/<serial>/manifest/<part>`
    Part(u64, u64),
    /// `release/<serial>/manifest/<part>.offsets`
    Offsets(u64, u64),
    /// `release/<serial>/tile/…`, never a bundle.
    ReleaseTile(u64, TilePath),
    /// `release/<serial>/volume/<n>.zip`
    Volume(u64, u32),
    /// `entry/<serial>/note`
    EntryNote(u64),
}

impl Name {
    /// Reads a path with `/` between its parts and none before it; there is one way to write each name.
    pub fn parse(path: &str) -> Option<Self> {
        let name = Self::of(path)?;
        (name.to_string() == path).then_some(name)
    }

    fn of(path: &str) -> Option<Self> {
        if path == CHECKPOINT {
            return Some(Self::Checkpoint);
        }
        let (folder, rest) = path.split_once('/')?;
        match folder {
            "root" => {
                let (version, ending) = rest.split_once('.')?;
                match ending {
                    "json" => Some(Self::RootJson(counted(version)?)),
                    "sig" => Some(Self::RootSig(counted(version)?)),
                    _ => None,
                }
            }
            "tile" => TilePath::parse(path).map(Self::Tile),
            "entry" => Some(Self::EntryNote(counted(rest.strip_suffix("/note")?)?)),
            "release" => {
                let (serial, rest) = rest.split_once('/')?;
                Self::of_release(counted(serial)?, rest)
            }
            _ => None,
        }
    }

    fn of_release(serial: u64, rest: &str) -> Option<Self> {
        if rest == "note" {
            return Some(Self::ReleaseNote(serial));
        }
        match rest.split_once('/')? {
            ("manifest", part) => match part.strip_suffix(".offsets") {
                Some(part) => Some(Self::Offsets(serial, part.parse().ok()?)),
                None => Some(Self::Part(serial, part.parse().ok()?)),
            },
            ("volume", volume) => Some(Self::Volume(serial, volume.strip_suffix(".zip")?.parse().ok()?)),
            ("tile", _) => TilePath::parse(rest).filter(|tile| tile.level.is_some()).map(|tile| Self::ReleaseTile(serial, tile)),
            _ => None,
        }
    }
}

/// What is named to people is counted from 1.
fn counted(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str(CHECKPOINT),
            Self::RootJson(version) => f.write_str(&root_json(*version)),
            Self::RootSig(version) => f.write_str(&root_sig(*version)),
            Self::Tile(tile) => write!(f, "{tile}"),
            Self::ReleaseNote(serial) => f.write_str(&release_note(*serial)),
            Self::Part(serial, part) => f.write_str(&manifest_part(*serial, *part)),
            Self::Offsets(serial, part) => f.write_str(&manifest_offsets(*serial, *part)),
            Self::ReleaseTile(serial, tile) => write!(f, "{}{tile}", release_prefix(*serial)),
            Self::Volume(serial, number) => f.write_str(&volume(*serial, *number)),
            Self::EntryNote(serial) => f.write_str(&entry_note(*serial)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_name_of_a_file_of_an_archive_or_nothing() {
        for path in [
            "checkpoint",
            "root/1.json",
            "root/12.sig",
            "tile/0/000.p/1",
            "tile/0/x001/234",
            "tile/entries/000",
            "release/1/note",
            "release/7/manifest/0",
            "release/7/manifest/3.offsets",
            "release/7/tile/2/000.p/17",
            "release/7/volume/0.zip",
            "entry/3/note",
        ] {
            assert_eq!(Name::parse(path).map(|name| name.to_string()).as_deref(), Some(path));
        }
        for path in [
            "",
            "/checkpoint",
            "checkpoint/",
            "checkpoint.pending",
            "Checkpoint",
            "root/0.json",
            "root/01.json",
            "root/+1.json",
            "root/1.json/",
            "root/../root/1.json",
            "root/1.JSON",
            "root/1",
            "tile/0/0.p/1",
            "tile/0/000.p/256",
            "release/0/note",
            "release/1/../1/note",
            "release//note",
            "release/1/manifest/00",
            "release/1/manifest/0.offsets.offsets",
            "release/1/tile/entries/000",
            "release/1/volume/4294967296.zip",
            "release/1/volume/0.zip\0",
            "release/1/index/0",
            "release/%31/note",
            "entry/1/note/..",
            "entry/99999999999999999999/note",
        ] {
            assert_eq!(Name::parse(path), None, "{path}");
        }
    }
}
