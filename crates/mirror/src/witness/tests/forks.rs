//! A split view, played: whoever has the log's key shows two groups of readers two histories, each with the cosignatures that the policy asks for. It
//! works if and only if 2q − w of the witnesses help.

use super::*;

/// The policy of `q` of `w` witnesses.
fn policy(q: usize, w: usize) -> Policy {
    let lines: String = (0..w).map(|i| format!("witness w{i} {}\n", key(i).cosigner_key())).collect();
    let names: String = (0..w).map(|i| format!(" w{i}")).collect();
    Policy::parse(&format!("{lines}group g {q}{names}\nquorum g\n")).unwrap()
}

fn key(i: usize) -> Signer {
    signer(&format!("w{i}.example"), 100 + i as u8)
}

/// Whether both forks get the cosignatures that readers ask for: the witnesses of `dishonest` sign whatever they are shown; each honest one is shown
/// first the fork that `first` says, then the other.
fn splits(q: usize, w: usize, dishonest: u32, first: u32) -> bool {
    let (policy, forks) = (policy(q, w), [Grown::new(6, 3, "one"), Grown::new(6, 3, "two")]);
    let mut shown = [forks[0].signed(6), forks[1].signed(6)];
    for i in 0..w {
        if dishonest & (1 << i) != 0 {
            shown.iter_mut().for_each(|note| note.cosign(&key(i), NOW));
            continue;
        }
        let told = Told::new();
        let beginning = usize::from(first & (1 << i) != 0);
        for side in [beginning, 1 - beginning] {
            let old = told.state.logs().unwrap()[0].last.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size);
            if let Ok(cosigned) = told.state.add_checkpoint(&forks[side].request(old, 6), &key(i), NOW) {
                shown[side].add_signature(cosigned.signature);
            }
        }
    }
    shown.iter().all(|note| policy.is_met(note).unwrap())
}

#[test]
fn two_histories_are_believed_only_where_2q_minus_w_witnesses_help() {
    // The default, 3 of 4, with more and more who help, and every way to show the forks to the others.
    for (q, w) in [(3, 4), (2, 3)] {
        for dishonest in (0..=w).map(|helping| (1u32 << helping) - 1) {
            let any = (0..1u32 << w).any(|first| splits(q, w, dishonest, first));
            let needed = (2 * q - w) as u32;
            assert_eq!(any, dishonest.count_ones() >= needed, "{q} of {w}, with {dishonest:b} helping");
        }
    }
}

#[test]
fn half_of_the_witnesses_are_no_quorum_against_forks() {
    // 2q − w is 0 for 2 of 4: the log's key alone is enough, without any witness's help.
    assert!(splits(2, 4, 0, 0b0011));
}
