use super::*;

const BITCOIN: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];
const PENDING: [u8; 8] = [0x83, 0xdf, 0xe3, 0x0d, 0x2e, 0xf9, 0x0c, 0x8e];

fn with(tree: &[u8]) -> Vec<u8> {
    [MAGIC, &[1, SHA256], &[7; 32], tree].concat()
}

fn pending(uri: &str) -> Vec<u8> {
    let payload = [&[uri.len() as u8], uri.as_bytes()].concat();
    [&[0], PENDING.as_slice(), &[payload.len() as u8], &payload].concat()
}

#[test]
fn every_branch_is_followed_and_what_a_block_must_say_is_calculated() {
    let bitcoin = [&[0], BITCOIN.as_slice(), &[3, 0x80, 0x80, 0x20]].concat();
    let uri = "https://a.pool.example";
    // The first branch ends in a promise; the second prepends, appends and hashes its way to a block.
    let tree = [[0xff].as_slice(), &pending(uri), &[0xf1, 1, 9, 0xf0, 2, 1, 2, SHA256], &bitcoin].concat();
    let proof = Proof::parse(&with(&tree)).unwrap();
    assert_eq!(proof.digest(), Digest([7; 32]));
    let mut root = Digest::of(&[[9].as_slice(), &[7; 32], &[1, 2]].concat()).0;
    root.reverse();
    assert_eq!(
        proof.attestations(),
        [Attestation::Pending { uri: uri.into() }, Attestation::Bitcoin { height: 524_288, root: Some(Digest(root).to_string()) }]
    );
    // Through a hash that is not calculated here it leads to a block all the same, whose root is then not known.
    let proof = Proof::parse(&with(&[[0x03].as_slice(), &[0xf2], &bitcoin].concat())).unwrap();
    assert_eq!(proof.attestations(), [Attestation::Bitcoin { height: 524_288, root: None }]);
    let other = [[0].as_slice(), b"whatever", &[2, 1, 2]].concat();
    assert_eq!(Proof::parse(&with(&other)).unwrap().attestations(), [Attestation::Other { tag: "7768617465766572".into() }]);
}

#[test]
fn what_is_not_of_its_form_or_without_end_is_refused() {
    let good = with(&pending("a"));
    Proof::parse(&good).unwrap();
    for length in 0..good.len() {
        assert!(Proof::parse(&good[..length]).is_err(), "cut at {length}");
    }
    assert_eq!(Proof::parse(&[good.as_slice(), &[0]].concat()), Err(OtsError::Damaged("something follows its end")));
    let mut version = good.clone();
    version[MAGIC.len()] = 2;
    assert_eq!(Proof::parse(&version), Err(OtsError::Version(2)));
    let mut sha1 = good.clone();
    sha1[MAGIC.len() + 1] = 2;
    assert_eq!(Proof::parse(&sha1), Err(OtsError::Hash));
    let many = |n: usize| with(&[vec![SHA256; n], pending("a")].concat());
    Proof::parse(&many(255)).unwrap();
    let wide = |n: usize| with(&[[[0xff].as_slice(), &pending("a")].concat().repeat(n), pending("a")].concat());
    Proof::parse(&wide(1_000)).unwrap();
    let doubling = [vec![0xf3; 8], pending("a")].concat();
    let short_root = [&[0], BITCOIN.as_slice(), &[1, 5]].concat();
    for (what, bytes) in [
        ("a chain of operations", many(256)),
        ("too many branches", wide(MAX_NODES)),
        ("a message that doubles", with(&doubling)),
        ("an unknown operation", with(&[&[0x42], pending("a").as_slice()].concat())),
        ("an empty argument", with(&[&[0xf0, 0], pending("a").as_slice()].concat())),
        ("a long argument", with(&[&[0xf0, 0x81, 0x20], [0; 4097].as_slice(), &pending("a")].concat())),
        ("a calendar that commands a terminal", with(&pending("http://\u{1b}[2J"))),
        ("a block's root of another length", with(&[&[0xf0, 1, 1], short_root.as_slice()].concat())),
        ("a number without end", with(&[&[0], BITCOIN.as_slice(), &[11], &[0xff; 11]].concat())),
        ("more behind a height", with(&[&[0], BITCOIN.as_slice(), &[2, 5, 5]].concat())),
        ("too long", [with(&[]), vec![0; MAX_PROOF as usize]].concat()),
    ] {
        assert!(Proof::parse(&bytes).is_err(), "{what}");
    }
}

#[test]
fn bytes_of_any_kind_are_refused_without_harm() {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for _ in 0..20_000 {
        let length = usize::from(random());
        let likely = [0xff, 0, 0xf0, 0xf1, 0xf2, 0xf3, SHA256, 2];
        let tree: Vec<u8> = (0..length).map(|_| if random() < 128 { likely[usize::from(random()) % 8] } else { random() }).collect();
        let _ = Proof::parse(&with(&tree));
    }
}
