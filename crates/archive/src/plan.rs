//! What a release's manifest says of all that belongs to it: offsets, tiles, and how long each volume is. Whoever copies a release needs no more than
//! its note and its manifest to know what else to fetch, and what follows from them need not be fetched at all.

use crate::log::{Builder, TILE_WIDTH, leaf_hash};
use crate::manifest::{MAX_LINE, PART_LINES, RawLine};
use crate::paths;
use crate::record::{Essentials, FileRef, RecordError};
use crate::state::Release;
use crate::store::{Store, unreadable};
use crate::verify::own_record;
use crate::volume::{DIRECTORY_HEADER, END, Layout};
use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};

/// The most volumes of one release that are believed in.
const MAX_VOLUMES: u32 = 1 << 20;

/// What belongs to a release besides its note and its manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// For each volume how long it is; `None` where lines that were erased, or records that stand in volumes that are not here, hide it.
    pub volumes: Vec<Option<u64>>,
    /// The earlier releases whose volumes have some of its files.
    pub refers: BTreeSet<u64>,
    /// Whether some of its lines were erased after a withdrawal.
    pub erased: bool,
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
/// tree's tiles, each with its path in the archive.
pub fn plan(store: &dyn Store, release: &Release, out: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>) -> Result<Plan, PlanError> {
    let mut planning = Planning::new(store, release);
    for part in 0..release.note.lines.div_ceil(PART_LINES) {
        let offsets = planning.part(part, out)?;
        out(&paths::manifest_offsets(release.note.serial, part), &offsets).map_err(PlanError::Write)?;
    }
    planning.end(out)
}

struct Planning<'a> {
    store: &'a dyn Store,
    release: &'a Release,
    tree: Builder,
    layout: Layout,
    /// From here on the places of members are not known.
    hidden: bool,
    /// The highest volume that a line names.
    named: Option<u32>,
    plan: Plan,
}

impl<'a> Planning<'a> {
    fn new(store: &'a dyn Store, release: &'a Release) -> Self {
        let (tree, layout) = (Builder::new(), Layout::new());
        Self { store, release, tree, layout, hidden: false, named: None, plan: Plan::default() }
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
            self.line(&line).map_err(|what| wrong(format!("line {number}: {what}")))?;
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

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let raw = RawLine::parse(line).ok_or("not of its form")?;
        self.tree.push(leaf_hash(&raw.leaf_data().0));
        let RawLine::Published { record, .. } = raw else {
            (self.plan.erased, self.hidden) = (true, true);
            return Ok(());
        };
        let said = |e: RecordError| e.to_string();
        let mut essentials = Essentials::parse(record).map_err(said)?;
        if let Some(own) = essentials.own_file().cloned() {
            match own_record(&own, self.store) {
                Ok(whole) => essentials = Essentials::unfold(record, &own, &whole).map_err(said)?,
                // It may come later, with its volume.
                Err(_) => self.hidden = true,
            }
        }
        essentials.files.iter().try_for_each(|file| self.file(file))
    }

    fn file(&mut self, file: &FileRef) -> Result<(), String> {
        if file.release != self.release.note.serial {
            self.plan.refers.insert(file.release);
            return Ok(());
        }
        if file.volume >= MAX_VOLUMES {
            return Err(format!("names volume {}, more than a release has", file.volume));
        }
        self.named = self.named.max(Some(file.volume));
        if self.hidden {
            return Ok(());
        }
        let mut next = self.layout.clone();
        let place = next.place(file.length).ok_or("a file is too long")?;
        if (place.volume, place.offset) == (file.volume, file.offset) {
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
