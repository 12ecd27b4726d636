use super::account::Account;
use super::log::expect_all;
use super::manifest::{Next, ReadLine, Reader, Unsaid};
use super::parallel::{self, Helpers, Pending};
use super::volume::{Volumes, Wrong};
use super::withdrawn::Withdrawn;
use crate::log::{Builder, TILE_WIDTH, TilePath, Tree, leaf_hash};
use crate::manifest::PART_LINES;
use crate::paths;
use crate::record::Essentials;
use crate::state::Release;
use crate::withdrawals::WithdrawnPlace;
use daylight_model::Digest;
use std::collections::VecDeque;
use std::ops::Range;

/// Checks a release: its manifest, its tree and its volumes. Gives how many lines were read.
pub(super) fn check<'a>(release: &Release, withdrawn: &mut Withdrawn<'_>, account: &mut Account<'a>) -> u64 {
    parallel::with_helpers(|helpers| {
        let store = account.store();
        let mut manifest = Reader::new(release.note.serial, release.note.lines);
        let mut ahead = VecDeque::new();
        let mut checking = Checking::begin(release, withdrawn, helpers, account);
        loop {
            // As many batches as keep every processor busy, and no more in memory.
            while ahead.len() < parallel::threads() * 2 {
                ahead.push_back(match manifest.next(account) {
                    Some(Next::Lines(batch)) => Ahead::Lines(helpers.give(move || batch.read(store))),
                    Some(Next::Unreadable(lines)) => Ahead::Unreadable(lines),
                    None => break,
                });
            }
            match ahead.pop_front() {
                Some(Ahead::Lines(lines)) => lines.wait().into_iter().for_each(|line| checking.line(line, account)),
                Some(Ahead::Unreadable(lines)) => checking.unreadable(lines, account),
                None => return checking.end(account),
            }
        }
    })
}

/// What is read of a manifest before it is needed.
enum Ahead {
    Lines(Pending<Vec<ReadLine>>),
    Unreadable(Range<u64>),
}

struct Checking<'r, 's, 'h, 'a> {
    release: &'r Release,
    withdrawn: &'r mut Withdrawn<'s>,
    prefix: String,
    /// The tree of the lines; where a line is wrong and the tiles are right, of what the line was.
    tree: Builder,
    /// Whether the tiles have the root that was signed. Then they say which line is wrong; otherwise the lines say which tile is.
    tiles_are_right: bool,
    /// The tile at hand, if the tiles are right.
    tile: Vec<Digest>,
    /// Whether every line so far had a leaf, so that the tree can be told.
    whole: bool,
    volumes: Volumes<'h, 'a>,
    last_number: u64,
    lines: u64,
}

impl<'r, 's, 'h, 'a> Checking<'r, 's, 'h, 'a> {
    fn begin(release: &'r Release, withdrawn: &'r mut Withdrawn<'s>, helpers: &'h Helpers<'a>, account: &Account<'a>) -> Self {
        let prefix = paths::release_prefix(release.note.serial);
        let tiles_are_right = root_of_tiles(release, &prefix, account) == Some(release.note.manifest);
        let volumes = Volumes::new(release.note.serial, helpers);
        let (tree, tile) = (Builder::new(), Vec::new());
        Self { release, withdrawn, prefix, tree, tiles_are_right, tile, whole: true, volumes, last_number: 0, lines: 0 }
    }

    fn part(&self, line: u64) -> String {
        paths::manifest_part(self.release.note.serial, line / PART_LINES)
    }

    fn line(&mut self, read: ReadLine, account: &mut Account<'a>) {
        self.lines += 1;
        let signed = self.leaf(read.line, read.leaf(), account);
        let serial = self.release.note.serial;
        let place = self.withdrawn.line(serial, read.line);
        if let Some(place) = &place {
            self.check_said(place, &read, signed, account);
        }
        let record = match (&read.said, place) {
            (Ok(record), place) => return self.record(read.line, record, place, account),
            (Err(unsaid), Some(place)) if place.erase && !matches!(unsaid, Unsaid::Line(_)) => {
                if matches!(unsaid, Unsaid::Erased) {
                    self.withdrawn.erased(serial, read.line);
                }
                return self.by_withdrawal(place, account);
            }
            (Err(unsaid), _) => unsaid,
        };
        match record {
            Unsaid::Line(what) => self.wrong(read.line, what, account),
            Unsaid::Erased => self.wrong(read.line, "erased, and no withdrawal in the log asks for it", account),
            Unsaid::Elsewhere(path, what) => account.problem(path, format!("the record of line {}: {what}", read.line)),
        }
        self.lose_track();
    }

    fn wrong(&self, line: u64, what: impl std::fmt::Display, account: &mut Account<'a>) {
        account.problem(self.part(line), format!("line {line}: {what}"));
    }

    fn lose_track(&mut self) {
        self.volumes.lose_track();
        self.withdrawn.lose_track();
    }

    /// What a withdrawal says of a line must be so, as far as can be seen: whoever erases goes by it. `signed` is the hash of the line's leaf.
    fn check_said(&self, place: &WithdrawnPlace<'_>, read: &ReadLine, signed: Option<Digest>, account: &mut Account<'a>) {
        let leaf = leaf_hash(&place.line.leaf.0);
        let fits = read.length == place.line.length;
        let number = read.said.as_ref().map_or(place.number, |record| record.number);
        match &read.said {
            Err(Unsaid::Erased) if !fits => {
                let what = format_args!("erased, with {} bytes where {} stood", read.length, place.line.length);
                self.wrong(read.line, what, account);
            }
            // A line that is damaged says nothing of what was said of it.
            Ok(_) | Err(_) if signed == Some(leaf) && (fits || read.leaf() != signed) && number == place.number => {}
            _ => {
                let what = format!("says of line {} of release {} what it is not", read.line, self.release.note.serial);
                account.problem(paths::entry_note(place.withdrawal.note.serial), what);
            }
        }
    }

    fn number(&mut self, line: u64, number: u64, account: &mut Account<'a>) {
        if number <= self.last_number {
            self.wrong(line, format_args!("number {number} does not follow {}", self.last_number), account);
        }
        self.last_number = number;
    }

    /// Takes in what a line's record says.
    fn record(&mut self, line: u64, record: &Essentials, place: Option<WithdrawnPlace<'_>>, account: &mut Account<'a>) {
        self.number(line, record.number, account);
        if place.is_none() {
            self.withdrawn.counts(&self.release.note.collection, record.number);
        }
        let mut first = Vec::new();
        for file in &record.files {
            match self.volumes.file(file, place.is_none(), self.withdrawn, account) {
                Ok(new) => first.extend(new),
                Err(Wrong { path: Some(path), what }) => account.problem(path, what),
                Err(Wrong { path: None, what }) => self.wrong(line, what, account),
            }
        }
        if let Some(place) = place.filter(|place| place.line.members != first && !self.volumes.is_lost()) {
            let what = format!("says of line {line} of release {} that other bytes stand first in it", self.release.note.serial);
            account.problem(paths::entry_note(place.withdrawal.note.serial), what);
        }
    }

    /// A line that is erased: what its withdrawal says stands in for it.
    fn by_withdrawal(&mut self, place: WithdrawnPlace<'_>, account: &mut Account<'a>) {
        self.number(place.line.line, place.number, account);
        for member in &place.line.members {
            if let Err(what) = self.volumes.unnamed(member, self.withdrawn, account) {
                account.problem(paths::entry_note(place.withdrawal.note.serial), format!("line {}: {what}", place.line.line));
            }
        }
    }

    fn unreadable(&mut self, lines: Range<u64>, account: &mut Account<'a>) {
        self.lose_track();
        if self.tiles_are_right {
            lines.for_each(|line| _ = self.leaf(line, None, account));
        } else {
            self.whole = false;
        }
    }

    /// Takes a line's leaf into the tree, after comparing it with the tile where the tiles are right. Gives what the leaf must be, as far as that is
    /// known.
    fn leaf(&mut self, line: u64, leaf: Option<Digest>, account: &mut Account<'a>) -> Option<Digest> {
        let mut leaf = leaf;
        if self.tiles_are_right {
            if line.is_multiple_of(TILE_WIDTH) {
                self.tile =
                    Tree::new(account.store(), &self.prefix, self.release.note.lines).tile(0, line / TILE_WIDTH).unwrap_or_default();
            }
            let signed = self.tile.get((line % TILE_WIDTH) as usize).copied();
            if leaf.is_some() && leaf != signed {
                account.problem(self.part(line), format!("damaged: line {line} is not the one that was signed"));
            }
            leaf = signed;
        }
        match leaf {
            Some(leaf) if self.whole => self.tree.push(leaf),
            _ => self.whole = false,
        }
        expect_all(&self.prefix, self.tree.take_full(), account);
        leaf
    }

    fn end(self, account: &mut Account<'a>) -> u64 {
        if self.whole && self.tree.root() == self.release.note.manifest {
            expect_all(&self.prefix, self.tree.partial(), account);
        } else {
            for path in account.unclaimed_under(&format!("{}tile/", self.prefix)) {
                account.claim(&path);
            }
            let what = "neither its lines nor its tiles have the root that was signed: both are damaged";
            account.problem(format!("{}manifest", self.prefix), what);
        }
        self.volumes.end(&self.prefix, self.withdrawn, account);
        self.lines
    }
}

/// The root that the tiles of level 0 have as they stand on disk.
fn root_of_tiles(release: &Release, prefix: &str, account: &Account<'_>) -> Option<Digest> {
    let tree = Tree::new(account.store(), prefix, release.note.lines);
    let mut built = Builder::new();
    for tile in TilePath::tiles(release.note.lines).take_while(|tile| tile.level == Some(0)) {
        if !account.has(&format!("{prefix}{tile}")) {
            return None;
        }
        tree.tile(0, tile.index).ok()?.into_iter().for_each(|leaf| built.push(leaf));
        built.take_full();
    }
    Some(built.root())
}
