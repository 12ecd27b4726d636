use crate::export::content::{Content, fill};
use daylight_model::{Digest, Hasher};
use sha1::{Digest as _, Sha1};
use std::io;

/// What BEP 52 hashes one by one, and the shortest piece.
const BLOCK: u64 = 16 << 10;

/// How many pieces a torrent has, if its pieces can be as long as that needs.
const PIECES: u64 = 2_048;

/// The longest piece, unless even then there were too many.
const LONGEST: u64 = 16 << 20;

/// More pieces than this make a torrent larger than clients read.
const TOO_MANY: u64 = 131_072;

/// How long the pieces are for so many bytes: a power of two from 16 KiB on. Few pieces make a small torrent; short ones can be checked and passed on
/// soon, and less is lost where one is damaged.
pub(super) fn piece_length(total: u64) -> u64 {
    let mut length = BLOCK;
    let pieces = |length| total.div_ceil(length);
    while (pieces(length) > PIECES && length < LONGEST) || pieces(length) > TOO_MANY {
        length *= 2;
    }
    length
}

/// A file's hashes for both versions.
pub(super) struct FileHashes {
    /// SHA-1 of each of its pieces; where it is not the last file, of the last one with its padding.
    pub(super) v1: Vec<[u8; 20]>,
    /// The root of its Merkle tree.
    pub(super) root: Digest,
    /// The layer of that tree in which a hash covers a piece; empty where the file is no longer than one.
    pub(super) layer: Vec<Digest>,
}

impl FileHashes {
    /// Reads a file once. `None` where it is shorter than it should be.
    pub(super) fn of(content: &Content, piece: u64, is_last: bool, tick: &mut dyn FnMut(u64)) -> io::Result<Option<Self>> {
        let mut from = content.open()?;
        let (mut v1, mut layer, mut left) = (Vec::new(), Vec::new(), content.length());
        let per_piece = (piece / BLOCK) as usize;
        let mut blocks = Vec::with_capacity(per_piece);
        let mut buffer = vec![0; BLOCK as usize];
        let mut sha1 = Sha1::new();
        let is_long = content.length() > piece;
        while left > 0 {
            let length = left.min(BLOCK) as usize;
            if fill(&mut from, &mut buffer[..length])? < length {
                return Ok(None);
            }
            left -= length as u64;
            tick(length as u64);
            sha1.update(&buffer[..length]);
            // A block that is short is hashed as it is (BEP 52).
            blocks.push(Digest::of(&buffer[..length]));
            if blocks.len() == per_piece || left == 0 {
                let short = piece - (blocks.len() as u64 - 1) * BLOCK - length as u64;
                if !is_last {
                    pad(&mut sha1, short);
                }
                v1.push(std::mem::take(&mut sha1).finalize().into());
                let width = if is_long { per_piece } else { blocks.len().next_power_of_two() };
                layer.push(merkle(std::mem::take(&mut blocks), width, Digest([0; 32])));
            }
        }
        let width = layer.len().next_power_of_two();
        let root =
            if is_long { merkle(layer.clone(), width, empty_piece(per_piece)) } else { layer.first().copied().unwrap_or(Digest([0; 32])) };
        Ok(Some(Self { v1, root, layer: if is_long { layer } else { Vec::new() } }))
    }
}

fn pad(sha1: &mut Sha1, mut zeros: u64) {
    let block = [0; BLOCK as usize];
    while zeros > 0 {
        let length = zeros.min(BLOCK);
        sha1.update(&block[..length as usize]);
        zeros -= length;
    }
}

/// The root over these hashes, filled up with `filling` to `width`, a power of two. Unlike RFC 6962's, its nodes have nothing before their children.
fn merkle(mut row: Vec<Digest>, width: usize, filling: Digest) -> Digest {
    row.resize(width, filling);
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| node(&pair[0], &pair[1])).collect();
    }
    row.first().copied().unwrap_or(filling)
}

fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(&left.0);
    hasher.update(&right.0);
    hasher.finish()
}

/// What stands in the layer for a piece beyond the file's end: the root over leaves that are zero.
fn empty_piece(per_piece: usize) -> Digest {
    merkle(Vec::new(), per_piece, Digest([0; 32]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_few_and_grow_with_what_they_cover() {
        for (total, length) in [
            (0, 16 << 10),
            (32 << 20, 16 << 10),
            ((32 << 20) + 1, 32 << 10),
            (1 << 30, 512 << 10),
            (1 << 40, 16 << 20),
            (1 << 42, 32 << 20),
        ] {
            assert_eq!(piece_length(total), length, "{total}");
        }
    }

    #[test]
    fn a_file_of_every_kind_of_length_has_as_many_hashes_as_pieces() {
        for length in [1, 16_383, 16_384, 16_385, 32_768, 32_769, 70_000, 131_072] {
            let content = Content::Bytes(vec![7; length]);
            let hashes = FileHashes::of(&content, 32_768, false, &mut |_| {}).unwrap().unwrap();
            let pieces = length.div_ceil(32_768);
            assert_eq!(hashes.v1.len(), pieces, "{length}");
            assert_eq!(hashes.layer.len(), if pieces > 1 { pieces } else { 0 }, "{length}");
            let last = FileHashes::of(&content, 32_768, true, &mut |_| {}).unwrap().unwrap();
            assert_eq!(last.root, hashes.root);
            assert_eq!(last.v1 == hashes.v1, length.is_multiple_of(32_768), "only a padded piece differs: {length}");
        }
    }
}
