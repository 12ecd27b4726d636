//! Compound files ([MS-CFB]): a file system in a file.

use crate::office::bytes::{stretch, u16_at, u32_at, u64_at, utf16};
use std::cell::Cell;

/// No chain leads here.
const NONE: u32 = u32::MAX;
/// No sector has a higher number.
const HIGHEST: u32 = 0xffff_fffa;
const MARK: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// A compound file, taken apart as far as its directory.
pub(in crate::office) struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    mini: Vec<u8>,
    cutoff: u64,
    entries: Vec<Entry>,
    /// Something of it that was asked for is not there.
    short: Cell<bool>,
}

/// A stream or a storage.
struct Entry {
    name: String,
    kind: u8,
    links: [u32; 3],
    class: [u8; 16],
    start: u32,
    size: u64,
    children: Vec<usize>,
}

impl<'a> Compound<'a> {
    /// The storage that holds everything.
    pub(in crate::office) const ROOT: usize = 0;

    /// Reads tables and directory, or says that there are none.
    pub(in crate::office) fn open(bytes: &'a [u8]) -> Option<Self> {
        let shift = u16_at(bytes, 30);
        if !bytes.starts_with(MARK) || bytes.len() < 512 || !(7..=16).contains(&shift) {
            return None;
        }
        let (sector, cutoff) = (1 << shift, u64::from(u32_at(bytes, 56)));
        let mut file = Self {
            bytes,
            sector,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini: Vec::new(),
            cutoff,
            entries: Vec::new(),
            short: Cell::new(false),
        };
        file.read_fat();
        file.mini_fat = numbers(&file.chain(u32_at(bytes, 60), usize::MAX)).collect();
        let directory = file.chain(u32_at(bytes, 48), usize::MAX);
        file.entries = directory.chunks_exact(128).map(|entry| Entry::read(entry, shift)).collect();
        let root = file.entries.first()?;
        file.mini = file.chain(root.start, usize::try_from(root.size).unwrap_or(usize::MAX));
        file.grow_tree();
        Some(file)
    }

    fn read_fat(&mut self) {
        let most = self.bytes.len() / self.sector + 1;
        let mut sectors: Vec<u32> = numbers(&self.bytes[76..512]).take_while(|sector| *sector != NONE).collect();
        let (mut next, mut steps) = (u32_at(self.bytes, 68), 0);
        while (next as usize) < most && steps < most {
            let table: Vec<u32> = numbers(self.at(next)).collect();
            let Some((last, table)) = table.split_last() else { break };
            sectors.extend(table.iter().filter(|sector| (**sector as usize) < most));
            (next, steps) = (*last, steps + 1);
        }
        sectors.truncate(most);
        let mut fat = Vec::new();
        for sector in sectors {
            let table = self.at(sector);
            fat.extend(numbers(table));
            fat.resize(fat.len() + (self.sector - table.len() / 4 * 4) / 4, NONE);
            if fat.len() > most {
                break;
            }
        }
        self.fat = fat;
    }

    fn at(&self, sector: u32) -> &'a [u8] {
        stretch(self.bytes, (sector as usize).saturating_add(1).saturating_mul(self.sector), self.sector)
    }

    /// The bytes of a chain of sectors, at most so many.
    fn chain(&self, first: u32, most: usize) -> Vec<u8> {
        let (mut bytes, mut sector) = (Vec::new(), first);
        for _ in 0..self.fat.len() {
            let piece = self.at(sector);
            if bytes.len() >= most || piece.is_empty() {
                // The highest numbers are marks, of which one ends a chain ([MS-CFB] section 2.1).
                self.short.set(self.short.get() || bytes.len() < most && sector < HIGHEST);
                break;
            }
            bytes.extend_from_slice(piece);
            sector = self.fat.get(sector as usize).copied().unwrap_or(NONE);
        }
        bytes.truncate(most);
        bytes
    }

    fn mini_chain(&self, first: u32, most: usize) -> Vec<u8> {
        let (mut bytes, mut sector) = (Vec::new(), first);
        for _ in 0..self.mini_fat.len() {
            let piece = stretch(&self.mini, (sector as usize).saturating_mul(64), 64);
            if bytes.len() >= most || piece.is_empty() {
                break;
            }
            bytes.extend_from_slice(piece);
            sector = self.mini_fat.get(sector as usize).copied().unwrap_or(NONE);
        }
        bytes.truncate(most);
        bytes
    }

    /// Gives each storage its children. Whatever is reached twice stays where it was reached first, so that nothing stands in itself.
    fn grow_tree(&mut self) {
        let mut seen = vec![false; self.entries.len()];
        seen[Self::ROOT] = true;
        let mut storages = vec![Self::ROOT];
        while let Some(storage) = storages.pop() {
            let mut children = Vec::new();
            let mut open = vec![self.entries[storage].links[2]];
            while let Some(number) = open.pop() {
                let number = number as usize;
                if number >= self.entries.len() || std::mem::replace(&mut seen[number], true) {
                    continue;
                }
                let entry = &self.entries[number];
                open.extend([entry.links[1], entry.links[0]]);
                match entry.kind {
                    1 => storages.push(number),
                    2 => (),
                    _ => continue,
                }
                children.push(number);
            }
            self.entries[storage].children = children;
        }
    }

    pub(in crate::office) fn name(&self, entry: usize) -> &str {
        &self.entries[entry].name
    }

    pub(in crate::office) fn is_storage(&self, entry: usize) -> bool {
        self.entries[entry].kind == 1
    }

    /// What stands in a storage.
    pub(in crate::office) fn children(&self, storage: usize) -> &[usize] {
        &self.entries[storage].children
    }

    /// The entry of this name in a storage, whatever its case.
    pub(in crate::office) fn find(&self, storage: usize, name: &str) -> Option<usize> {
        self.children(storage).iter().copied().find(|child| self.name(*child).eq_ignore_ascii_case(name))
    }

    /// Whether something that was read so far is shorter than it says, or leads out of the file.
    pub(in crate::office) fn is_short(&self) -> bool {
        self.short.get()
    }

    /// The bytes of a stream.
    pub(in crate::office) fn stream(&self, entry: usize) -> Vec<u8> {
        self.beginning(entry, usize::MAX)
    }

    /// The first bytes of a stream, at most so many.
    pub(in crate::office) fn beginning(&self, entry: usize, most: usize) -> Vec<u8> {
        let entry = &self.entries[entry];
        let size = usize::try_from(entry.size).unwrap_or(usize::MAX).min(most);
        if entry.kind != 2 {
            return Vec::new();
        }
        let bytes = if entry.size < self.cutoff { self.mini_chain(entry.start, size) } else { self.chain(entry.start, size) };
        if bytes.len() < size.min(usize::try_from(entry.size).unwrap_or(usize::MAX)) {
            self.short.set(true);
        }
        bytes
    }

    /// The bytes of the stream of this name in the root.
    pub(in crate::office) fn top(&self, name: &str) -> Option<Vec<u8>> {
        self.find(Self::ROOT, name).map(|entry| self.stream(entry))
    }

    /// The class of a storage.
    pub(super) fn class(&self, entry: usize) -> [u8; 16] {
        self.entries[entry].class
    }
}

impl Entry {
    fn read(bytes: &[u8], shift: u16) -> Self {
        let name = utf16(stretch(bytes, 0, usize::from(u16_at(bytes, 64)).min(64)));
        let size = u64_at(bytes, 120);
        let mut class = [0; 16];
        class.copy_from_slice(&bytes[80..96]);
        Self {
            name,
            kind: bytes[66],
            links: [68, 72, 76].map(|at| u32_at(bytes, at)),
            class,
            start: u32_at(bytes, 116),
            // Of the old form only the lower half is sure to be set.
            size: if shift == 9 { size & 0xffff_ffff } else { size },
            children: Vec::new(),
        }
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}
