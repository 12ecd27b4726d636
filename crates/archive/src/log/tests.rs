use super::*;
use std::collections::BTreeMap;

const SIZES: [u64; 9] = [0, 1, 2, 255, 256, 257, 65_535, 65_536, 70_000];

fn leaf(i: u64) -> Digest {
    leaf_hash(format!("entry {i}").as_bytes())
}

/// The tree hash as RFC 6962 section 2.1 defines it, with nothing clever.
fn defined(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            node_hash(&defined(left), &defined(right))
        }
    }
}

fn built(size: u64) -> (BTreeMap<String, Vec<u8>>, Digest) {
    let mut builder = Builder::new();
    (0..size).for_each(|i| builder.push(leaf(i)));
    let mut files: BTreeMap<_, _> = builder.take_full().into_iter().collect();
    files.extend(builder.partial());
    (files, builder.root())
}

#[test]
fn a_tree_has_the_root_that_the_standard_defines_and_the_tiles_that_it_names() {
    for size in SIZES {
        let (files, root) = built(size);
        let leaves: Vec<Digest> = (0..size).map(leaf).collect();
        assert_eq!(root, defined(&leaves), "size {size}");
        assert_eq!(Tree::new(&files, "", size).root().unwrap(), root, "size {size}");
        let paths: BTreeMap<_, _> = TilePath::tiles(size).map(|tile| (tile.to_string(), 32 * usize::from(tile.width))).collect();
        let lengths: BTreeMap<_, _> = files.iter().map(|(path, bytes)| (path.clone(), bytes.len())).collect();
        assert_eq!(lengths, paths, "size {size}");
    }
    let (files, _) = built(70_000);
    let level = |prefix: &str| files.keys().filter(|path| path.starts_with(prefix)).count();
    assert_eq!((level("tile/0/"), level("tile/1/"), level("tile/2/")), (274, 2, 1));
    for (path, length) in
        [("tile/0/272", 8192), ("tile/0/273.p/112", 3584), ("tile/1/000", 8192), ("tile/1/001.p/17", 544), ("tile/2/000.p/1", 32)]
    {
        assert_eq!(files[path].len(), length, "{path}");
    }
}

#[test]
fn paths_have_one_form() {
    let tile = TilePath { level: Some(0), index: 1_234_067, width: 256 };
    assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
    assert_eq!(TilePath { level: None, index: 5, width: 7 }.to_string(), "tile/entries/005.p/7");
    for path in ["tile/0/x001/x234/067", "tile/entries/005.p/7", "tile/63/999", "tile/1/x001/000.p/255"] {
        assert_eq!(TilePath::parse(path).map(|tile| tile.to_string()).as_deref(), Some(path));
    }
    let wrong = [
        "tile/0/5",
        "tile/0/001/067",
        "tile/0/x000/067",
        "tile/00/005",
        "tile/64/005",
        "tile/0/005.p/0",
        "tile/0/005.p/256",
        "tile/0/005.p/07",
        "tile/0/+05",
        "tile/0/x99999999999999999999/000",
        "tile/../005",
        "release/1/tile/0/000",
    ];
    assert!(wrong.iter().all(|path| TilePath::parse(path).is_none()));
}

#[test]
fn every_leaf_of_small_trees_is_proved_in_its_place_and_in_no_other() {
    for size in 1..=40 {
        let (files, root) = built(size);
        let tree = Tree::new(&files, "", size);
        for index in 0..size {
            let path = tree.inclusion(index).unwrap();
            assert_eq!(verify_inclusion(&leaf(index), index, size, &root, &path), Ok(()));
            for other in (0..size).filter(|other| *other != index) {
                assert!(verify_inclusion(&leaf(index), other, size, &root, &path).is_err());
            }
            assert!(verify_inclusion(&leaf(size), index, size, &root, &path).is_err());
            assert!(verify_inclusion(&leaf(index), index, size, &root, &[path.as_slice(), &[root]].concat()).is_err());
            assert!(path.is_empty() || verify_inclusion(&leaf(index), index, size, &root, &path[1..]).is_err());
        }
    }
    assert_eq!(verify_inclusion(&leaf(0), 0, 0, &empty_root(), &[]), Err(ProofError::Beyond));
}

#[test]
fn every_small_tree_is_proved_to_begin_with_every_smaller_one() {
    let roots: Vec<Digest> = (0..=40).map(|size| built(size).1).collect();
    for new in 0..=40u64 {
        let (files, new_root) = built(new);
        for old in 0..=new {
            let path = Tree::new(&files, "", new).consistency(old).unwrap();
            assert_eq!(verify_consistency(old, &roots[old as usize], new, &new_root, &path), Ok(()), "{old} in {new}");
            let forked = leaf(99);
            assert!(verify_consistency(old, &forked, new, &new_root, &path).is_err(), "{old} in {new}");
            assert!(verify_consistency(old, &roots[old as usize], new, &new_root, &[path.as_slice(), &[forked]].concat()).is_err());
            assert!(old == 0 || verify_consistency(old, &roots[old as usize], new, &forked, &path).is_err());
        }
    }
}

#[test]
fn large_trees_are_proved_across_tiles() {
    let sizes = [255, 256, 257, 65_536, 70_000];
    let roots: BTreeMap<u64, Digest> = sizes.iter().map(|size| (*size, built(*size).1)).collect();
    let (files, root) = built(70_000);
    let tree = Tree::new(&files, "", 70_000);
    for index in [0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999] {
        assert_eq!(verify_inclusion(&leaf(index), index, 70_000, &root, &tree.inclusion(index).unwrap()), Ok(()));
    }
    for old in sizes {
        assert_eq!(verify_consistency(old, &roots[&old], 70_000, &root, &tree.consistency(old).unwrap()), Ok(()), "{old}");
    }
}

#[test]
fn a_tree_grown_in_steps_is_the_tree_grown_at_once() {
    let mut files = BTreeMap::new();
    let mut size = 0;
    for next in [1, 200, 255, 256, 257, 511, 513, 66_000] {
        let mut builder = Builder::load(&files, "release/3/", size).unwrap();
        (size..next).for_each(|i| builder.push(leaf(i)));
        let new = builder.take_full().into_iter().chain(builder.partial()).map(|(path, bytes)| (format!("release/3/{path}"), bytes));
        files.extend(new.collect::<Vec<_>>());
        assert_eq!(builder.root(), built(next).1);
        size = next;
    }
    files.insert("release/3/tile/0/257.p/208".into(), vec![0; 31]);
    assert!(matches!(Builder::load(&files, "release/3/", size), Err(TreeError::Damaged(_))));
}

#[test]
fn a_log_appends_bundles_and_goes_on_only_from_what_its_checkpoint_says() {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let (mut size, mut root) = (0, empty_root());
    for next in [1u64, 3, 255, 256, 258, 600] {
        let mut appender = LogAppender::load(&files, size, &root).unwrap();
        for i in size..next {
            assert_eq!(appender.push(format!("entry {i}").as_bytes()).unwrap(), i);
        }
        let appended = appender.finish();
        files.extend(appended.files);
        (size, root) = (appended.size, appended.root);
        assert_eq!((size, root), (next, built(next).1));
    }
    let bundle = parse_bundle(&files["tile/entries/001"]).unwrap();
    assert_eq!((bundle.len(), bundle[0]), (256, b"entry 256".as_slice()));
    assert!(files.contains_key("tile/entries/002.p/88") && files.contains_key("tile/entries/000.p/3"));
    assert!(matches!(LogAppender::load(&files, size, &leaf(0)), Err(TreeError::WrongRoot)));
    assert!(
        matches!(LogAppender::load(&files, u64::MAX, &root), Err(TreeError::Read { .. })),
        "a fast-forward reads nothing and counts nothing up"
    );
    files.insert("tile/entries/002.p/88".into(), b"\0\x05entry".to_vec());
    assert!(matches!(LogAppender::load(&files, size, &root), Err(TreeError::Damaged(_))));
    assert_eq!(parse_bundle(b"\0\x05entr"), None);
    assert!(matches!(LogAppender::load(&BTreeMap::new(), 0, &empty_root()).unwrap().push(&[0; 65_536]), Err(TreeError::EntryTooLong)));
}

#[test]
fn the_sides_of_a_path_are_those_that_lead_to_the_root() {
    for size in [1, 2, 3, 5, 7, 8, 255, 256, 257, 1000] {
        let leaves: Vec<Digest> = (0..size).map(|n: u64| leaf_hash(&n.to_be_bytes())).collect();
        let mut tree = Builder::new();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        let mut files: std::collections::BTreeMap<String, Vec<u8>> = tree.take_full().into_iter().collect();
        files.extend(tree.partial());
        for index in 0..size {
            let path = Tree::new(&files, "", size).inclusion(index).unwrap();
            let sides = sides(index, size);
            assert_eq!(sides.len(), path.len(), "{index} of {size}");
            let walk = |hash: Digest, (is_left, sibling): (bool, &Digest)| {
                if is_left { node_hash(sibling, &hash) } else { node_hash(&hash, sibling) }
            };
            assert_eq!(sides.into_iter().zip(&path).fold(leaves[index as usize], walk), tree.root(), "{index} of {size}");
        }
    }
    assert!(sides(3, 3).is_empty() && sides(0, 0).is_empty());
}
