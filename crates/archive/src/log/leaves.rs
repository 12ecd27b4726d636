use super::{Builder, TILE_WIDTH, Tree, TreeError};
use daylight_model::Digest;
use std::collections::BTreeMap;

/// The root of the tree with these leaves.
pub fn root_of(leaves: &[Digest]) -> Digest {
    grow(leaves).0.root()
}

/// The tiles of the tree with these leaves, each in the widest form it has: path and bytes. They follow from the leaves.
pub fn tiles_of(leaves: &[Digest]) -> BTreeMap<String, Vec<u8>> {
    let (tree, mut tiles) = grow(leaves);
    tiles.extend(tree.partial());
    tiles
}

/// The path that shows that the tree with these leaves begins with the one of the first `old` of them (RFC 6962 section 2.1.2).
pub fn consistency_of(leaves: &[Digest], old: u64) -> Result<Vec<Digest>, TreeError> {
    Tree::new(&tiles_of(leaves), "", leaves.len() as u64).consistency(old)
}

fn grow(leaves: &[Digest]) -> (Builder, BTreeMap<String, Vec<u8>>) {
    let (mut tree, mut tiles) = (Builder::new(), BTreeMap::new());
    for leaf in leaves {
        tree.push(*leaf);
        if tree.size().is_multiple_of(TILE_WIDTH) {
            tiles.extend(tree.take_full());
        }
    }
    (tree, tiles)
}
