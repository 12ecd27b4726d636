use super::Report;
use super::account::Account;
use crate::paths;
use crate::record::FileRef;
use crate::withdrawals::{Withdrawals, WithdrawnPlace};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of withdrawn lines, and of the members that may be erased with them, while all releases are gone through.
pub(super) struct Withdrawn<'s> {
    withdrawals: &'s Withdrawals,
    /// By release, volume and offset: the members that stand first in a line that may be erased.
    members: BTreeMap<(u64, u32, u64), Member>,
    /// Collection and number of what is named in a withdrawal and has a line that counts all the same.
    living: BTreeSet<(String, u64)>,
    erased: BTreeSet<(u64, u64)>,
    /// Some line could not be read, so what refers to which bytes is not known.
    lost: bool,
}

struct Member {
    length: u64,
    /// Whether a line that is not withdrawn refers to it, so that its bytes must be there.
    referred_to: bool,
    /// Whether its bytes are there although no line that could be read names them.
    left: bool,
}

impl<'s> Withdrawn<'s> {
    pub(super) fn new(withdrawals: &'s Withdrawals) -> Self {
        let mut members = BTreeMap::new();
        for place in withdrawals.lines().filter(|place| place.erase) {
            for member in &place.line.members {
                let new = Member { length: member.length, referred_to: false, left: false };
                members.insert((place.line.release, member.volume, member.offset), new);
            }
        }
        Self { withdrawals, members, living: BTreeSet::new(), erased: BTreeSet::new(), lost: false }
    }

    /// What was said of a line when it was withdrawn.
    pub(super) fn line(&self, serial: u64, line: u64) -> Option<WithdrawnPlace<'s>> {
        self.withdrawals.line(serial, line)
    }

    /// A line was met that is erased.
    pub(super) fn erased(&mut self, serial: u64, line: u64) {
        self.erased.insert((serial, line));
    }

    /// A line that counts was met.
    pub(super) fn counts(&mut self, collection: &str, number: u64) {
        if self.withdrawals.document(collection, number).is_some() {
            self.living.insert((collection.to_owned(), number));
        }
    }

    /// Whether these bytes may be erased, as far as the withdrawals say.
    pub(super) fn may_be_erased(&self, file: &FileRef) -> bool {
        self.members.get(&(file.release, file.volume, file.offset)).is_some_and(|member| member.length == file.length)
    }

    /// Whether bytes of this place and length may be.
    pub(super) fn names(&self, release: u64, volume: u32, offset: u64, length: u64) -> bool {
        self.members.get(&(release, volume, offset)).is_some_and(|member| member.length == length)
    }

    /// A line that is not withdrawn refers to this file.
    pub(super) fn refer(&mut self, file: &FileRef) {
        if let Some(member) = self.members.get_mut(&(file.release, file.volume, file.offset)) {
            member.referred_to = true;
        }
    }

    /// The bytes of a member that no line that could be read names are there.
    pub(super) fn left(&mut self, release: u64, volume: u32, offset: u64) {
        if let Some(member) = self.members.get_mut(&(release, volume, offset)) {
            member.left = true;
        }
    }

    pub(super) fn lose_track(&mut self) {
        self.lost = true;
    }

    /// Says what was left of erasing, and counts.
    pub(super) fn end(self, account: &mut Account<'_>, report: &mut Report) {
        let left = self.members.iter().filter(|(_, member)| member.left && !member.referred_to && !self.lost);
        for ((release, volume, offset), _) in left {
            let what = format!("the bytes at {offset} were withdrawn, their line is erased, and they are still here: run `daylight erase`");
            account.problem(paths::volume(*release, *volume), what);
        }
        let mut documents: BTreeMap<(&str, u64), bool> = BTreeMap::new();
        let mut earlier = 0;
        for place in self.withdrawals.lines() {
            let collection = place.withdrawal.note.collection.as_str();
            if self.living.contains(&(collection.to_owned(), place.number)) {
                earlier += 1;
                continue;
            }
            let erased = self.erased.contains(&(place.line.release, place.line.line));
            *documents.entry((collection, place.number)).or_insert(true) &= erased;
        }
        report.withdrawn = documents.len() as u64;
        report.erased = documents.values().filter(|erased| **erased).count() as u64;
        report.earlier_withdrawn = earlier;
        report.erased_lines = self.erased.len() as u64;
    }
}
