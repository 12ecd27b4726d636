//! SLIP-0039 (SatoshiLabs): a secret split into shares of words, of which a number that was chosen gives it back and fewer say nothing of it.
//!
//! Other programs read these shares and write ones that this reads: groups of groups, passphrases and both forms of 2019 and 2023 (the extendable
//! flag) are read. What touches a secret has no tables and no branches that depend on it, but for looking a word up in the list.

use crate::{NoRandomness, fill_random};
use cipher::Terms;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

mod checksum;
mod cipher;
mod field;
mod shamir;
mod share;
mod words;

pub use share::{Share, ShareError};

/// The most shares of a group, and the most groups.
pub const MOST_SHARES: u8 = 16;

/// How many combinations of shares are tried to find out which one is wrong: all where a group has at most 16.
const MOST_TRIES: usize = 20_000;

/// How a secret is split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How many groups are needed.
    pub group_threshold: u8,
    /// Each group: how many of its shares are needed, and how many it has.
    pub groups: Vec<(u8, u8)>,
    /// PBKDF2 does 10,000 · 2^exponent iterations; below 16. It only matters where there is a passphrase.
    pub exponent: u8,
    /// Whether the encrypted secret could be split again under another identifier. Programs from before 2023 do not know such shares.
    pub extendable: bool,
}

impl Plan {
    /// One group, of whose `count` shares `threshold` are needed, in the form that every program reads.
    pub fn simple(threshold: u8, count: u8) -> Self {
        Self { group_threshold: 1, groups: vec![(threshold, count)], exponent: 0, extendable: false }
    }

    fn check(&self, secret: &[u8]) -> Result<(), SplitError> {
        let fits = |(threshold, count): &(u8, u8)| {
            *threshold >= 1 && threshold <= count && *count <= MOST_SHARES && (*threshold > 1 || *count == 1)
        };
        let groups = (1..=usize::from(MOST_SHARES)).contains(&self.groups.len());
        let rules = [
            (secret.len() >= 16 && secret.len().is_multiple_of(2) && secret.len() <= 256, "a secret has 16, 18 … 256 bytes"),
            (groups && self.groups.iter().all(fits), "a key is split into 1 to 16 shares, and 2 or more of several are needed"),
            (self.group_threshold >= 1 && usize::from(self.group_threshold) <= self.groups.len(), "more groups are needed than there are"),
            (self.exponent < 16, "the iteration exponent is below 16"),
        ];
        match rules.iter().find(|(kept, _)| !kept) {
            Some((_, rule)) => Err(SplitError::Plan(rule)),
            None => Ok(()),
        }
    }
}

/// Why a secret was not split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The plan cannot be carried out.
    #[error("{0}")]
    Plan(&'static str),
    /// No randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Splits a secret: the shares of each group.
pub fn split(secret: &[u8], passphrase: &[u8], plan: &Plan) -> Result<Vec<Vec<Share>>, SplitError> {
    split_with(secret, passphrase, plan, &mut |bytes| fill_random(bytes).map_err(SplitError::from))
}

fn split_with(
    secret: &[u8],
    passphrase: &[u8],
    plan: &Plan,
    random: &mut dyn FnMut(&mut [u8]) -> Result<(), SplitError>,
) -> Result<Vec<Vec<Share>>, SplitError> {
    plan.check(secret)?;
    let mut identifier = [0; 2];
    random(&mut identifier)?;
    let terms = Terms { identifier: u16::from_be_bytes(identifier) & 0x7fff, extendable: plan.extendable, exponent: plan.exponent };
    let encrypted = terms.encrypt(secret, passphrase);
    let groups = plan.groups.len() as u8;
    let of_groups = shamir::split(plan.group_threshold, groups, &encrypted, random)?;
    let mut all = Vec::with_capacity(plan.groups.len());
    for (group, (of_group, (threshold, count))) in (0..).zip(of_groups.iter().zip(&plan.groups)) {
        let values = shamir::split(*threshold, *count, of_group, random)?;
        let share =
            |(member, value)| Share { terms, group, group_threshold: plan.group_threshold, groups, member, threshold: *threshold, value };
        all.push((0..).zip(values).map(share).collect());
    }
    Ok(all)
}

/// Why shares do not give a secret. Places are those in the list that was given, from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// No share was given.
    #[error("no share was given")]
    None,
    /// A share of another splitting than the most of the others.
    #[error("share {} belongs to another key than the others: its first two words are not theirs, or it was split otherwise", .0 + 1)]
    OtherSet(usize),
    /// Two different shares say that they are the same one.
    #[error("shares {} and {} say that they are the same share, but differ: one of them is wrong", .0 + 1, .1 + 1)]
    Twice(usize, usize),
    /// Not as many as are needed.
    #[error("{given} of the shares that are needed were given; {needed} are needed")]
    TooFew {
        /// How many of them differ.
        given: usize,
        /// How many must be there.
        needed: usize,
    },
    /// More groups are needed.
    #[error("shares of {given} groups are complete; {needed} groups are needed")]
    TooFewGroups {
        /// How many groups have enough shares.
        given: usize,
        /// How many must.
        needed: usize,
    },
    /// Each for itself is a share, but together they are nothing.
    #[error("these shares do not belong together, or one of them was altered; one more share would show which")]
    Wrong,
}

/// A secret that was put together.
pub struct Combined {
    /// The secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// The places, from 0, of shares that were not needed and do not fit to the others: they were altered.
    pub wrong: Vec<usize>,
}

/// Puts a secret together from shares in any order. More shares than needed are checked against the others; the same share may be given twice.
///
/// A wrong passphrase gives another secret, not an error: SLIP-0039 means it so.
pub fn combine(shares: &[Share], passphrase: &[u8]) -> Result<Combined, CombineError> {
    let groups = sorted(shares)?;
    let first = shares.first().ok_or(CombineError::None)?;
    let needed = usize::from(first.group_threshold);
    let complete: Vec<_> = groups.iter().filter(|(_, members)| members.len() >= usize::from(members[0].1.threshold)).collect();
    if complete.len() < needed {
        let most = groups.values().max_by_key(|members| members.len()).ok_or(CombineError::None)?;
        return Err(match (needed, groups.len()) {
            (1, 1) => CombineError::TooFew { given: most.len(), needed: usize::from(most[0].1.threshold) },
            _ => CombineError::TooFewGroups { given: complete.len(), needed },
        });
    }
    let (mut of_groups, mut wrong) = (Vec::new(), Vec::new());
    for (group, members) in complete {
        let (secret, strangers) = recover(members)?;
        of_groups.push((*group, secret));
        wrong.extend(strangers);
    }
    let points: Vec<(u8, &[u8])> = of_groups.iter().take(needed).map(|(group, secret)| (*group, secret.as_slice())).collect();
    let encrypted = shamir::recover(&points).ok_or(CombineError::Wrong)?;
    Ok(Combined { secret: first.terms.decrypt(&encrypted, passphrase), wrong })
}

/// Shares of a group, each with its place in what was given, in the order of their numbers.
type Members<'a> = Vec<(usize, &'a Share)>;

/// The shares by group, each once.
fn sorted(shares: &[Share]) -> Result<BTreeMap<u8, Members<'_>>, CombineError> {
    let common = |share: &Share| (share.terms, share.group_threshold, share.groups, share.value.len());
    // Of two or more sets the largest is meant.
    let alike = |share: &Share| shares.iter().filter(|other| common(other) == common(share)).count();
    let meant = shares.iter().rev().max_by_key(|share| alike(share)).ok_or(CombineError::None)?;
    if let Some(stranger) = shares.iter().position(|share| common(share) != common(meant)) {
        return Err(CombineError::OtherSet(stranger));
    }
    let mut groups: BTreeMap<u8, Members<'_>> = BTreeMap::new();
    for (place, share) in shares.iter().enumerate() {
        let members = groups.entry(share.group).or_default();
        match members.iter().find(|(_, other)| other.member == share.member) {
            Some((_, other)) if *other == share => {}
            Some((other, _)) => return Err(CombineError::Twice(*other, place)),
            None => members.push((place, share)),
        }
    }
    for members in groups.values_mut() {
        if let Some((place, _)) = members.iter().find(|(_, share)| share.threshold != members[0].1.threshold) {
            return Err(CombineError::OtherSet(*place));
        }
        members.sort_by_key(|(_, share)| share.member);
    }
    Ok(groups)
}

/// The secret of a group that has enough shares, and which of its shares do not fit to it.
fn recover(members: &[(usize, &Share)]) -> Result<(Zeroizing<Vec<u8>>, Vec<usize>), CombineError> {
    let threshold = usize::from(members[0].1.threshold);
    let mut chosen: Vec<usize> = (0..threshold).collect();
    for _ in 0..MOST_TRIES {
        let points: Vec<(u8, &[u8])> = chosen.iter().map(|at| (members[*at].1.member, members[*at].1.value.as_slice())).collect();
        if let Some(secret) = shamir::recover(&points) {
            let fits = |share: &Share| *shamir::at(&points, share.member) == *share.value;
            let wrong = members.iter().filter(|(_, share)| !fits(share)).map(|(place, _)| *place).collect();
            return Ok((secret, wrong));
        }
        if !next(&mut chosen, members.len()) {
            break;
        }
    }
    Err(CombineError::Wrong)
}

/// The next choice of as many out of `of`, in the order of a dictionary; `false` after the last.
fn next(chosen: &mut [usize], of: usize) -> bool {
    let length = chosen.len();
    let Some(at) = (0..length).rev().find(|at| chosen[*at] < of - length + at) else { return false };
    chosen[at] += 1;
    for after in at + 1..length {
        chosen[after] = chosen[after - 1] + 1;
    }
    true
}

#[cfg(test)]
mod tests;
