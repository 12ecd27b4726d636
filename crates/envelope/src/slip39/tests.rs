//! Splitting and combining, held to the official vectors and to what any share may do to another.

use super::*;

/// SplitMix64: the same bytes each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }

    /// Splits with this randomness, without a passphrase.
    fn split(&mut self, secret: &[u8], plan: &Plan) -> Vec<Vec<Share>> {
        split_with(secret, b"", plan, &mut |bytes| {
            bytes.fill_with(|| self.next() as u8);
            Ok(())
        })
        .unwrap()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The vectors that SatoshiLabs publish with their implementation: words, and the secret they give with the passphrase TREZOR, or nothing.
#[test]
fn the_official_vectors_hold() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../tests/slip39/vectors.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 45);
    for vector in vectors {
        let (name, secret) = (vector[0].as_str().unwrap(), vector[2].as_str().unwrap());
        let texts: Vec<&str> = vector[1].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        let shares: Result<Vec<Share>, ShareError> = texts.iter().map(|text| Share::parse(text)).collect();
        let found = shares.ok().and_then(|shares| {
            let written: Vec<String> = shares.iter().map(|share| share.words().to_string()).collect();
            assert_eq!(written, texts, "{name}");
            combine(&shares, b"TREZOR").ok()
        });
        assert_eq!(found.map(|found| hex(&found.secret)).unwrap_or_default(), secret, "{name}");
    }
}

#[test]
fn any_shares_that_are_enough_give_the_secret_and_fewer_do_not() {
    let mut random = Random(39);
    for _ in 0..60 {
        let count = 2 + random.below(15) as u8;
        let threshold = 2 + random.below(u64::from(count) - 1) as u8;
        let length = 16 + 2 * random.below(17) as usize;
        let secret = random.bytes(length);
        let plan = Plan { extendable: random.below(2) == 0, ..Plan::simple(threshold, count) };
        let mut shares = random.split(&secret, &plan).concat();
        assert_eq!(shares.len(), usize::from(count));
        random.shuffle(&mut shares);
        let parsed: Vec<Share> = shares.iter().map(|share| Share::parse(&share.words().to_uppercase()).unwrap()).collect();
        assert_eq!(parsed, shares);
        let enough = usize::from(threshold) + random.below(u64::from(count - threshold) + 1) as usize;
        let combined = combine(&parsed[..enough], b"").unwrap();
        assert_eq!((combined.secret.as_slice(), combined.wrong.as_slice()), (secret.as_slice(), [].as_slice()));
        let given = usize::from(threshold) - 1;
        assert_eq!(combine(&parsed[..given], b"").err(), Some(CombineError::TooFew { given, needed: given + 1 }));
        // The same one twice is one.
        let twice = [&parsed[..given], &parsed[..1]].concat();
        assert!(matches!(combine(&twice, b""), Err(CombineError::TooFew { .. })));
    }
}

#[test]
fn groups_of_groups_and_passphrases_work() {
    let mut random = Random(5);
    let secret = random.bytes(32);
    let plan = Plan { group_threshold: 2, groups: vec![(1, 1), (2, 3), (3, 5)], exponent: 1, extendable: true };
    let shares = split(&secret, b"words", &plan).unwrap();
    let chosen = [&shares[2][1..4], &shares[1][2..], &shares[1][..1]].concat();
    assert_eq!(*combine(&chosen, b"words").unwrap().secret, secret);
    assert_ne!(*combine(&chosen, b"other").unwrap().secret, secret);
    let lacking = [&shares[2][..2], &shares[0][..]].concat();
    assert_eq!(combine(&lacking, b"words").err(), Some(CombineError::TooFewGroups { given: 1, needed: 2 }));
    // Three groups where two are enough: the third is not needed.
    let all = shares.concat();
    assert_eq!(*combine(&all, b"words").unwrap().secret, secret);
}

#[test]
fn up_to_three_wrong_words_are_always_noticed_and_so_is_an_exchange() {
    let mut random = Random(1024);
    let share = random.split(&[9; 32], &Plan::simple(3, 5)).concat().remove(1);
    let text = share.words();
    let words: Vec<&str> = text.split(' ').collect();
    assert_eq!(words.len(), 33);
    for round in 0..3_000 {
        let mut wrong = words.clone();
        let changed = 1 + round % 3;
        for _ in 0..changed {
            wrong[random.below(33) as usize] = super::words::word(random.below(1024) as u16);
        }
        if wrong != words {
            assert!(Share::parse(&wrong.join(" ")).is_err(), "{wrong:?}");
        }
        let mut swapped = words.clone();
        swapped.swap(random.below(33) as usize, random.below(33) as usize);
        assert!(swapped == words || Share::parse(&swapped.join(" ")).is_err());
    }
    assert_eq!(Share::parse(&words[..32].join(" ")), Err(ShareError::Length(32)));
    assert_eq!(Share::parse(&words.join(" ").replace(words[6], "perhaps")), Err(ShareError::Unknown(7)));
    assert_eq!(Share::parse(""), Err(ShareError::Length(0)));
    assert_eq!(Share::parse(&"zero ".repeat(100_000)), Err(ShareError::Length(100_000)));
}

#[test]
fn a_forged_share_is_named_where_there_is_one_to_spare() {
    let mut random = Random(7);
    let secret = random.bytes(32);
    let mut shares = random.split(&secret, &Plan::simple(3, 5)).concat();
    // As a trustee would who wants the others to fail: a share with a checksum that is right.
    shares[1].value[5] ^= 1;
    let forged = Share::parse(&shares[1].words()).unwrap();
    assert_eq!(forged, shares[1]);
    assert_eq!(combine(&shares[..3], b"").err(), Some(CombineError::Wrong));
    let combined = combine(&shares[..4], b"").unwrap();
    assert_eq!((combined.secret.as_slice(), combined.wrong.as_slice()), (secret.as_slice(), [1].as_slice()));
    // Two forgers of five: the three others are found.
    shares[4].value[31] ^= 0x80;
    let combined = combine(&shares, b"").unwrap();
    assert_eq!((combined.secret.as_slice(), combined.wrong.as_slice()), (secret.as_slice(), [1, 4].as_slice()));
}

#[test]
fn shares_of_another_set_are_named() {
    let mut random = Random(11);
    let one = random.split(&[1; 32], &Plan::simple(2, 3)).concat();
    let other = random.split(&[1; 32], &Plan::simple(2, 3)).concat();
    assert_ne!(one[0].set(), other[0].set());
    assert_eq!(combine(&[one[0].clone(), other[1].clone(), one[2].clone()], b"").err(), Some(CombineError::OtherSet(1)));
    assert_eq!(combine(&[], b"").err(), Some(CombineError::None));
    let mut forged = one[1].clone();
    forged.value[0] ^= 1;
    assert_eq!(combine(&[one[0].clone(), one[1].clone(), forged], b"").err(), Some(CombineError::Twice(1, 2)));
}

#[test]
fn impossible_plans_are_refused() {
    for plan in [(0, 1), (1, 2), (3, 2), (2, 17)].map(|(threshold, count)| Plan::simple(threshold, count)) {
        assert!(matches!(split(&[0; 32], b"", &plan), Err(SplitError::Plan(_))), "{plan:?}");
    }
    for length in [0, 14, 17, 258] {
        assert!(matches!(split(&vec![0; length], b"", &Plan::simple(2, 3)), Err(SplitError::Plan(_))), "{length}");
    }
    let plan = Plan { group_threshold: 2, ..Plan::simple(2, 3) };
    assert!(matches!(split(&[0; 32], b"", &plan), Err(SplitError::Plan(_))));
}

/// One share less than needed says nothing: every value of the secret's first byte is as likely as any other.
#[test]
fn too_few_shares_fit_to_every_secret() {
    let mut random = Random(3);
    let shares = random.split(&[0x55; 16], &Plan::simple(2, 2)).concat();
    let known = (shares[0].member, shares[0].value.as_slice());
    let seen: std::collections::BTreeSet<u8> = (0..=255u8)
        .map(|other| {
            let mut value = shares[1].value.to_vec();
            value[0] = other;
            shamir::at(&[known, (shares[1].member, &value)], 255)[0]
        })
        .collect();
    assert_eq!(seen.len(), 256);
}
