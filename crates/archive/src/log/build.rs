use super::{Files, TILE_WIDTH, TilePath, Tree, TreeError, leaf_hash, peaks_of_row, perfect_root, root_of_peaks};
use daylight_model::Digest;

/// Grows a tree and gives out its tiles. It holds only the partial tile at the right edge of each level: a few kilobytes at any size.
///
/// The tiles given out are complete files. A partial tile is superseded by a wider one, or by the full tile, of the same level and number; the
/// narrower file belongs to checkpoints published before. Leave it until the full tile is written and a checkpoint over it is published, then
/// it may be deleted (c2sp.org/tlog-tiles, "Partial Tiles"). [`crate::verify()`] accepts narrower tiles only where they agree with the widest.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    size: u64,
    /// By level: the hashes of the partial tile, fewer than 256.
    rows: Vec<Vec<Digest>>,
    full: Vec<(String, Vec<u8>)>,
}

impl Builder {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on with a tree of `size` leaves whose tiles stand under `prefix`. Errors: a tile is missing or of the wrong length. The tiles are
    /// believed; compare [`Builder::root`] with a root that is known.
    pub fn load(files: &dyn Files, prefix: &str, size: u64) -> Result<Self, TreeError> {
        let tree = Tree::new(files, prefix, size);
        let mut rows = Vec::new();
        for level in 0..8u8 {
            let nodes = size >> (8 * u32::from(level));
            if nodes == 0 {
                break;
            }
            rows.push(if nodes.is_multiple_of(TILE_WIDTH) { Vec::new() } else { tree.tile(level, nodes / TILE_WIDTH)? });
        }
        Ok(Self { size, rows, full: Vec::new() })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash, see [`leaf_hash`].
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for level in 0.. {
            if self.rows.len() == level {
                self.rows.push(Vec::new());
            }
            self.rows[level].push(hash);
            if self.rows[level].len() < TILE_WIDTH as usize {
                break;
            }
            hash = self.close_tile(level);
        }
        self.size += 1;
    }

    /// Takes the full tiles that are ready: (path, bytes). Call it now and then so that they do not pile up.
    pub fn take_full(&mut self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut self.full)
    }

    /// The partial tiles at this size: (path, bytes).
    pub fn partial(&self) -> Vec<(String, Vec<u8>)> {
        let rows = self.rows.iter().enumerate().filter(|(_, row)| !row.is_empty());
        rows.map(|(level, row)| {
            let index = (self.size >> (8 * level as u32)) / TILE_WIDTH;
            (TilePath { level: Some(level as u8), index, width: row.len() as u16 }.to_string(), concat(row))
        })
        .collect()
    }

    /// The root at this size.
    pub fn root(&self) -> Digest {
        let peaks: Vec<Digest> = self.rows.iter().rev().flat_map(|row| peaks_of_row(row)).collect();
        root_of_peaks(&peaks)
    }

    /// Gives out the full tile at the right edge of `level` and its root, which belongs a level higher.
    fn close_tile(&mut self, level: usize) -> Digest {
        let row = std::mem::take(&mut self.rows[level]);
        let index = (self.size >> (8 * level as u32)) / TILE_WIDTH;
        self.full.push((TilePath { level: Some(level as u8), index, width: TILE_WIDTH as u16 }.to_string(), concat(&row)));
        perfect_root(&row)
    }
}

fn concat(row: &[Digest]) -> Vec<u8> {
    row.iter().flat_map(|hash| hash.0).collect()
}

/// What appending to a log makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The files to write, paths relative to the archive: bundles and tiles, full ones and new partial ones. None of them exists with other
    /// bytes in a log that is honest; write them all before the checkpoint.
    pub files: Vec<(String, Vec<u8>)>,
    /// The size of the log with the new entries.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}

/// Appends entries to the archive's log.
#[derive(Debug, Clone)]
pub struct LogAppender {
    tree: Builder,
    bundle: Vec<u8>,
    files: Vec<(String, Vec<u8>)>,
}

impl LogAppender {
    /// Goes on with the log of `size` entries and root `root`, as its newest checkpoint states. Errors: a tile or the last bundle is missing
    /// or damaged, or the tiles have another root.
    pub fn load(files: &dyn Files, size: u64, root: &Digest) -> Result<Self, TreeError> {
        let tree = Builder::load(files, "", size)?;
        if tree.root() != *root {
            return Err(TreeError::WrongRoot);
        }
        let bundle = match TilePath::widest(None, size / TILE_WIDTH, size) {
            None => Vec::new(),
            Some(path) => load_bundle(files, path, &tree)?,
        };
        Ok(Self { tree, bundle, files: Vec::new() })
    }

    /// Adds an entry and says at which index it stands. Errors: it is longer than 65,535 bytes.
    pub fn push(&mut self, entry: &[u8]) -> Result<u64, TreeError> {
        let length = u16::try_from(entry.len()).map_err(|_| TreeError::EntryTooLong)?;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        let index = self.tree.size();
        self.tree.push(leaf_hash(entry));
        if self.tree.size().is_multiple_of(TILE_WIDTH) {
            let path = TilePath { level: None, index: index / TILE_WIDTH, width: TILE_WIDTH as u16 };
            self.files.push((path.to_string(), std::mem::take(&mut self.bundle)));
        }
        Ok(index)
    }

    /// The files to write, the new size and the new root.
    pub fn finish(mut self) -> Appended {
        let size = self.tree.size();
        if let Some(path) = TilePath::widest(None, size / TILE_WIDTH, size) {
            self.files.push((path.to_string(), self.bundle));
        }
        self.files.extend(self.tree.take_full());
        self.files.extend(self.tree.partial());
        Appended { files: self.files, size, root: self.tree.root() }
    }
}

fn load_bundle(files: &dyn Files, path: TilePath, tree: &Builder) -> Result<Vec<u8>, TreeError> {
    let name = path.to_string();
    let bytes = files.read(&name).map_err(|error| TreeError::Read { path: name.clone(), error })?;
    let entries = parse_bundle(&bytes).ok_or(TreeError::Damaged(name.clone()))?;
    let hashes: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    match tree.rows.first() {
        Some(row) if *row == hashes => Ok(bytes),
        _ => Err(TreeError::Damaged(name)),
    }
}

/// The entries of a bundle, `(u16 big-endian length, entry)*`; `None` where it ends inside of one.
pub fn parse_bundle(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = after;
    }
    Some(entries)
}
