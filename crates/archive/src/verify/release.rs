use super::account::Account;
use super::log::expect_all;
use super::manifest::{Next, ReadLine, Reader, Unsaid};
use super::parallel;
use super::volume::Volumes;
use crate::log::{Builder, TILE_WIDTH, TilePath, Tree};
use crate::manifest::PART_LINES;
use crate::paths;
use crate::state::Release;
use daylight_model::Digest;

/// Checks a release: its manifest, its tree and its volumes. Gives how many lines were read.
pub(super) fn check(release: &Release, account: &mut Account<'_>) -> u64 {
    let mut manifest = Reader::new(release.note.serial, release.note.lines);
    let mut checking = Checking::begin(release, account);
    loop {
        // As many batches as keep every processor busy, and no more in memory.
        let next: Vec<Next> = (0..parallel::threads() * 2).map_while(|_| manifest.next(account)).collect();
        if next.is_empty() {
            return checking.end(account);
        }
        let store = account.store();
        let read = parallel::map(&next, |next| match next {
            Next::Lines(batch) => batch.read(store),
            Next::Unreadable(_) => Vec::new(),
        });
        for (next, lines) in next.iter().zip(read) {
            lines.into_iter().for_each(|line| checking.line(line, account));
            if let Next::Unreadable(lines) = next {
                checking.unreadable(lines.clone(), account);
            }
        }
    }
}

struct Checking<'r> {
    release: &'r Release,
    prefix: String,
    /// The tree of the lines; where a line is wrong and the tiles are right, of what the line was.
    tree: Builder,
    /// Whether the tiles have the root that was signed. Then they say which line is wrong; otherwise the lines say which tile is.
    tiles_are_right: bool,
    /// The tile at hand, if the tiles are right.
    tile: Vec<Digest>,
    /// Whether every line so far had a leaf, so that the tree can be told.
    whole: bool,
    volumes: Volumes,
    last_number: u64,
    lines: u64,
}

impl<'r> Checking<'r> {
    fn begin(release: &'r Release, account: &Account<'_>) -> Self {
        let prefix = paths::release_prefix(release.note.serial);
        let tiles_are_right = root_of_tiles(release, &prefix, account) == Some(release.note.manifest);
        let volumes = Volumes::new(release.note.serial);
        Self { release, prefix, tree: Builder::new(), tiles_are_right, tile: Vec::new(), whole: true, volumes, last_number: 0, lines: 0 }
    }

    fn part(&self, line: u64) -> String {
        paths::manifest_part(self.release.note.serial, line / PART_LINES)
    }

    fn line(&mut self, read: ReadLine, account: &mut Account<'_>) {
        self.lines += 1;
        self.leaf(read.line, read.leaf, account);
        let record = match read.said {
            Ok(record) => record,
            Err(unsaid) => {
                match unsaid {
                    Unsaid::Line(what) => account.problem(self.part(read.line), format!("line {}: {what}", read.line)),
                    Unsaid::Elsewhere(path, what) => account.problem(path, format!("the record of line {}: {what}", read.line)),
                }
                return self.volumes.lose_track();
            }
        };
        if record.number <= self.last_number {
            account.problem(
                self.part(read.line),
                format!("line {}: number {} does not follow {}", read.line, record.number, self.last_number),
            );
        }
        self.last_number = record.number;
        for file in &record.files {
            if let Err(what) = self.volumes.file(file, account) {
                account.problem(self.part(read.line), format!("line {}: {what}", read.line));
            }
        }
    }

    fn unreadable(&mut self, lines: std::ops::Range<u64>, account: &mut Account<'_>) {
        self.volumes.lose_track();
        if self.tiles_are_right {
            lines.for_each(|line| self.leaf(line, None, account));
        } else {
            self.whole = false;
        }
    }

    /// Takes a line's leaf into the tree, after comparing it with the tile where the tiles are right.
    fn leaf(&mut self, line: u64, leaf: Option<Digest>, account: &mut Account<'_>) {
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
    }

    fn end(self, account: &mut Account<'_>) -> u64 {
        if self.whole && self.tree.root() == self.release.note.manifest {
            expect_all(&self.prefix, self.tree.partial(), account);
        } else {
            for path in account.unclaimed_under(&format!("{}tile/", self.prefix)) {
                account.claim(&path);
            }
            let what = "neither its lines nor its tiles have the root that was signed: both are damaged";
            account.problem(format!("{}manifest", self.prefix), what);
        }
        self.volumes.end(&self.prefix, account);
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
