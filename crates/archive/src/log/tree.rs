use super::{TILE_WIDTH, TilePath, peaks_of_row, perfect_root, root_of_peaks};
use daylight_model::Digest;
use std::io;

/// Where the files of an archive can be read, by their path in it with `/` between its parts. A folder ([`std::path::Path`]) is one; so can a
/// mirror's cache be, or a map in memory.
pub trait Files {
    /// All bytes of a file.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

impl Files for std::path::Path {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.join(path))
    }
}

impl Files for std::path::PathBuf {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        Files::read(self.as_path(), path)
    }
}

impl Files for std::collections::BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Why a tree cannot be read or grown.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A file could not be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// Its path in the archive.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A file is not what its place needs.
    #[error("{0} is damaged")]
    Damaged(String),
    /// The tiles do not make up the root that is known.
    #[error("the tiles do not have the root that the checkpoint states")]
    WrongRoot,
    /// There is no such leaf or no such older size.
    #[error("{asked} is beyond the tree's size of {size}")]
    Beyond {
        /// The leaf or size asked for.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
    /// An entry does not fit into a bundle.
    #[error("a log entry is longer than 65,535 bytes")]
    EntryTooLong,
}

/// A tree of a known size, read from its tiles.
///
/// Tiles are believed as they are read: whoever gets a proof or root from here checks it against a root that is signed.
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    files: &'a dyn Files,
    prefix: &'a str,
    size: u64,
}

impl<'a> Tree<'a> {
    /// The tree of `size` leaves whose tiles stand at `<prefix>tile/…`: the prefix is empty for the log, `release/<serial>/` for a release.
    pub fn new(files: &'a dyn Files, prefix: &'a str, size: u64) -> Self {
        Self { files, prefix, size }
    }

    /// The hashes of one tile, in the widest form that it has at this size.
    pub fn tile(&self, level: u8, index: u64) -> Result<Vec<Digest>, TreeError> {
        let beyond = TreeError::Beyond { asked: index, size: self.size };
        let path = TilePath::widest(Some(level), index, self.size).ok_or(beyond)?;
        let name = format!("{}{path}", self.prefix);
        let bytes = self.files.read(&name).map_err(|error| TreeError::Read { path: name.clone(), error })?;
        if bytes.len() != usize::from(path.width) * 32 {
            return Err(TreeError::Damaged(name));
        }
        Ok(bytes.chunks_exact(32).map(|hash| Digest(std::array::from_fn(|i| hash[i]))).collect())
    }

    /// The root at this size.
    pub fn root(&self) -> Result<Digest, TreeError> {
        let mut peaks = Vec::new();
        for level in (0..8u8).rev() {
            let nodes = self.size >> (8 * u32::from(level));
            if !nodes.is_multiple_of(TILE_WIDTH) {
                peaks.extend(peaks_of_row(&self.tile(level, nodes / TILE_WIDTH)?));
            }
        }
        Ok(root_of_peaks(&peaks))
    }

    /// The path that shows leaf `index` to be in this tree (RFC 6962 section 2.1.1): siblings from the leaf up.
    pub fn inclusion(&self, index: u64) -> Result<Vec<Digest>, TreeError> {
        if index >= self.size {
            return Err(TreeError::Beyond { asked: index, size: self.size });
        }
        let mut path = Vec::new();
        let (mut start, mut end) = (0, self.size);
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.range(middle, end)?);
                end = middle;
            } else {
                path.push(self.range(start, middle)?);
                start = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// The path that shows that this tree begins with the tree of `old` leaves (RFC 6962 section 2.1.2).
    pub fn consistency(&self, old: u64) -> Result<Vec<Digest>, TreeError> {
        if old > self.size {
            return Err(TreeError::Beyond { asked: old, size: self.size });
        }
        if old == 0 || old == self.size {
            return Ok(Vec::new());
        }
        let mut path = Vec::new();
        let (mut start, mut end) = (0, self.size);
        while old != end {
            let middle = start + split(end - start);
            if old <= middle {
                path.push(self.range(middle, end)?);
                end = middle;
            } else {
                path.push(self.range(start, middle)?);
                start = middle;
            }
        }
        if start > 0 {
            path.push(self.range(start, end)?);
        }
        path.reverse();
        Ok(path)
    }

    /// The hash over leaves `start..end`, a range as the splits of RFC 6962 make it: aligned perfect subtrees from left to right, each smaller
    /// than the one before.
    fn range(&self, start: u64, end: u64) -> Result<Digest, TreeError> {
        let mut peaks = Vec::new();
        let mut at = start;
        while at < end {
            let fits = (end - at).ilog2();
            let aligned = if at == 0 { 63 } else { at.trailing_zeros() };
            let height = fits.min(aligned);
            peaks.push(self.perfect(at, height)?);
            at += 1 << height;
        }
        Ok(root_of_peaks(&peaks))
    }

    /// The hash of the perfect subtree of 2^`height` leaves that begins at leaf `start`.
    fn perfect(&self, start: u64, height: u32) -> Result<Digest, TreeError> {
        let level = height / 8;
        let node = start >> (8 * level);
        let tile = self.tile(level as u8, node / TILE_WIDTH)?;
        let first = (node % TILE_WIDTH) as usize;
        let hashes = tile.get(first..first + (1 << (height % 8)));
        hashes.map(perfect_root).ok_or(TreeError::Beyond { asked: start, size: self.size })
    }
}

/// The largest power of two smaller than `n`, which is at least 2: where RFC 6962 divides a tree.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}
