//! What a release's manifest says of all that belongs to it: offsets, tiles, and how long each volume is. Whoever copies a release needs no more than
//! its note and its manifest to know what else to fetch, and what follows from them need not be fetched at all.

use crate::log::{Builder, TILE_WIDTH, leaf_hash};
use crate::manifest::{MAX_LINE, PART_LINES, RawLine};
use crate::outline::Outline;
use crate::paths;
use crate::record::{Essentials, FileRef, RecordError};
use crate::state::Release;
use crate::store::{Store, unreadable};
use crate::verify::own_record;
use crate::volume::{DIRECTORY_HEADER, END, Layout};
use crate::withdraw::MemberPlace;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};

/// The most volumes of one release that are believed in.
const MAX_VOLUMES: u32 = 1 << 20;

/// What belongs to a release besides its note and its manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// For each volume how long it is; `None` where records that stand in volumes that are not here hide it.
    pub volumes: Vec<Option<u64>>,
    /// The earlier releases whose volumes have some of its files.
    pub refers: BTreeSet<u64>,
    /// Whether some of its lines, and bytes, may be erased, because a withdrawal asks for it.
    pub erased: bool,
}

/// The members that stand first in each line of a release that is withdrawn with the request to erase it, by line: they say what erased lines do not.
pub type ErasedLines = BTreeMap<u64, Vec<MemberPlace>>;

/// The lines of a release that may be erased in a copy.
pub fn erased_lines(outline: &Outline, serial: u64) -> ErasedLines {
    let places = outline.withdrawn_lines().filter(|place| place.erase && place.line.release == serial);
    places.map(|place| (place.line.line, place.line.members.clone())).collect()
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The manifest is not the one that was signed. Which line is wrong cannot be said where the tree is needed to tell.
    #[error("{path}: {what}")]
    Wrong {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// What was to be written could not be.
    #[error(transparent)]
    Write(io::Error),
}

/// Reads the manifest of a release once, checks it against the root that was signed, and gives out what follows from it: the parts' offsets and the
/// tree's tiles, each with its path in the archive. `erased` is what its withdrawals say, see [`erased_lines`].
pub fn plan(
    store: &dyn Store,
    release: &Release,
    erased: &ErasedLines,
    out: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
) -> Result<Plan, PlanError> {
    let mut planning = Planning::new(store, release, erased);
    for part in 0..release.note.lines.div_ceil(PART_LINES) {
        let offsets = planning.part(part, out)?;
        out(&paths::manifest_offsets(release.note.serial, part), &offsets).map_err(PlanError::Write)?;
    }
    planning.end(out)
}

struct Planning<'a> {
    store: &'a dyn Store,
    release: &'a Release,
    erased: &'a ErasedLines,
    tree: Builder,
    layout: Layout,
    /// From here on the places of members are not known.
    hidden: bool,
    /// The highest volume that a line names.
    named: Option<u32>,
    plan: Plan,
}

impl<'a> Planning<'a> {
    fn new(store: &'a dyn Store, release: &'a Release, erased: &'a ErasedLines) -> Self {
        let (tree, layout) = (Builder::new(), Layout::new());
        let plan = Plan { erased: !erased.is_empty(), ..Plan::default() };
        Self { store, release, erased, tree, layout, hidden: false, named: None, plan }
    }

    /// Reads a part and gives its offsets.
    fn part(&mut self, part: u64, out: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>) -> Result<Vec<u8>, PlanError> {
        let path = paths::manifest_part(self.release.note.serial, part);
        let wrong = |what: String| PlanError::Wrong { path: path.clone(), what };
        let unread = |e: io::Error| wrong(unreadable(&e));
        let mut file = BufReader::with_capacity(1 << 18, self.store.open(&path, None).map_err(unread)?);
        let (mut offsets, mut offset, mut line) = (Vec::new(), 0u32, Vec::new());
        for number in part * PART_LINES..self.release.note.lines.min((part + 1) * PART_LINES) {
            line.clear();
            let read = file.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line).map_err(unread)?;
            if line.last() != Some(&b'\n') {
                return Err(wrong(format!("line {number} is missing or too long")));
            }
            self.line(number, &line).map_err(|what| wrong(format!("line {number}: {what}")))?;
            offsets.extend_from_slice(&offset.to_be_bytes());
            offset = offset.checked_add(read as u32).ok_or_else(|| wrong("longer than a part can be".into()))?;
            if self.tree.size().is_multiple_of(TILE_WIDTH) {
                self.give(out)?;
            }
        }
        if !file.fill_buf().map_err(unread)?.is_empty() {
            return Err(wrong("has more lines than were signed".into()));
        }
        Ok(offsets)
    }

    fn give(&mut self, out: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>) -> Result<(), PlanError> {
        let prefix = paths::release_prefix(self.release.note.serial);
        let mut tiles = self.tree.take_full().into_iter();
        tiles.try_for_each(|(path, bytes)| out(&format!("{prefix}{path}"), &bytes)).map_err(PlanError::Write)
    }

    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), String> {
        let raw = RawLine::parse(line).ok_or("not of its form")?;
        self.tree.push(leaf_hash(&raw.leaf_data().0));
        let RawLine::Published { record, .. } = raw else {
            let members = self.erased.get(&number).ok_or("erased, and no withdrawal in the log asks for it")?;
            return members.iter().try_for_each(|member| self.member(*member));
        };
        let said = |e: RecordError| e.to_string();
        let mut essentials = Essentials::parse(record).map_err(said)?;
        if let Some(own) = essentials.own_file().cloned() {
            match own_record(&own, self.store) {
                Ok(whole) => essentials = Essentials::unfold(record, &own, &whole).map_err(said)?,
                Err(_) => match self.erased.get(&number) {
                    // The line is still here, and what its record says may be erased already.
                    Some(members) => return members.iter().try_for_each(|member| self.member(*member)),
                    // It may come later, with its volume.
                    None => self.hidden = true,
                },
            }
        }
        essentials.files.iter().try_for_each(|file| self.file(file))
    }

    fn file(&mut self, file: &FileRef) -> Result<(), String> {
        if file.release != self.release.note.serial {
            self.plan.refers.insert(file.release);
            return Ok(());
        }
        self.member(MemberPlace { volume: file.volume, offset: file.offset, length: file.length })
    }

    /// Takes in a member of this release's volumes, which is the next one or stood before.
    fn member(&mut self, member: MemberPlace) -> Result<(), String> {
        if member.volume >= MAX_VOLUMES {
            return Err(format!("names volume {}, more than a release has", member.volume));
        }
        self.named = self.named.max(Some(member.volume));
        if self.hidden {
            return Ok(());
        }
        let mut next = self.layout.clone();
        let place = next.place(member.length).ok_or("a file is too long")?;
        if (place.volume, place.offset) == (member.volume, member.offset) {
            if next.state().0 != self.layout.state().0 {
                self.plan.volumes.push(self.length());
            }
            self.layout = next;
        }
        Ok(())
    }

    /// How long the volume at hand is.
    fn length(&self) -> Option<u64> {
        let (_, members, at) = self.layout.state();
        at.checked_add(members.checked_mul(DIRECTORY_HEADER)?)?.checked_add(END)
    }

    fn end(mut self, out: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>) -> Result<Plan, PlanError> {
        let note = &self.release.note;
        if self.tree.root() != note.manifest {
            let path = format!("{}manifest", paths::release_prefix(note.serial));
            return Err(PlanError::Wrong { path, what: "its lines do not have the root that was signed".into() });
        }
        let prefix = paths::release_prefix(note.serial);
        for (path, bytes) in self.tree.partial() {
            out(&format!("{prefix}{path}"), &bytes).map_err(PlanError::Write)?;
        }
        if !self.hidden && self.layout.state().1 > 0 {
            self.plan.volumes.push(self.length());
        }
        let count = self.named.map_or(0, |named| named as usize + 1);
        if self.hidden {
            self.plan.volumes.resize(count.max(self.plan.volumes.len()), None);
        }
        Ok(self.plan)
    }
}

#[cfg(test)]
mod tests;
