//! The lowest layer of a mail store ([MS-PST] 2.2): two trees of pages, one of nodes and one of blocks, and the blocks that nodes are made of.

use super::disguise;
use crate::document::read_full;
use daylight_model::reading::Input;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::rc::Rc;

/// A node may not be longer than this.
const LONGEST: u64 = 256 << 20;
/// So many pages are kept.
const PAGES: usize = 2048;
/// So often may all of the file be read before it is said to go round in circles, and so many bytes besides.
const ROUNDS: u64 = 32;
const AT_LEAST: u64 = 256 << 20;
/// A message has not so many subnodes.
const MOST_SUBNODES: usize = 200_000;

/// What is broken, in a few words, and where in the file it was met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Broken(pub(super) &'static str, pub(super) u64);

pub(super) type Result<T> = std::result::Result<T, Broken>;

/// The three forms of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Until Outlook 2002.
    Ansi,
    Unicode,
    /// With pages of 4096 bytes and deflated blocks, as Outlook 2013 writes its caches.
    Large,
}

/// Where a node's data and its subnodes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: u32,
    pub(super) parent: u32,
    data: u64,
    subnodes: u64,
}

struct Block {
    at: u64,
    packed: usize,
    /// How long it is when it is inflated.
    length: usize,
}

/// A mail store's file.
pub(super) struct Store<'a> {
    input: &'a (dyn Input + 'a),
    form: Form,
    disguise: u8,
    nodes: u64,
    blocks: u64,
    left: Cell<u64>,
    pages: RefCell<HashMap<u64, Rc<Page>>>,
}

/// A page of a tree.
struct Page {
    bytes: Vec<u8>,
    entries: usize,
    width: usize,
    level: u8,
}

impl Page {
    fn entry(&self, n: usize) -> &[u8] {
        &self.bytes[n * self.width..(n + 1) * self.width]
    }
}

impl<'a> Store<'a> {
    /// Reads the header (2.2.2.6).
    pub(super) fn open(input: &'a (dyn Input + 'a)) -> Result<Self> {
        let mut head = [0; 564];
        let count = read_full(input, 0, &mut head).map_err(|_| Broken("its header cannot be read", 0))?;
        if count < head.len() || !head.starts_with(b"!BDN") {
            return Err(Broken("its header breaks off", count as u64));
        }
        let form = match u16_at(&head, 10) {
            14 | 15 => Form::Ansi,
            23..36 => Form::Unicode,
            36.. => Form::Large,
            _ => return Err(Broken("its version is not known", 10)),
        };
        let (nodes, blocks, disguise) = match form {
            Form::Ansi => (u64::from(u32_at(&head, 188)), u64::from(u32_at(&head, 196)), head[461]),
            _ => (u64_at(&head, 224), u64_at(&head, 240), head[513]),
        };
        let left = Cell::new(input.length().saturating_mul(ROUNDS).max(AT_LEAST));
        Ok(Self { input, form, disguise, nodes, blocks, left, pages: RefCell::default() })
    }

    /// Whether its blocks are enciphered with a key that is not in the file (2.2.2.6, `NDB_CRYPT_EDPCRYPTED`).
    pub(super) fn is_encrypted(&self) -> bool {
        self.disguise == 0x10
    }

    pub(super) fn is_large(&self) -> bool {
        self.form == Form::Large
    }

    pub(super) fn is_ansi(&self) -> bool {
        self.form == Form::Ansi
    }

    /// Every node that can be reached, by number, and what could not be.
    pub(super) fn all_nodes(&self) -> (BTreeMap<u32, Node>, Vec<Broken>) {
        let (mut nodes, mut broken) = (BTreeMap::new(), Vec::new());
        let mut pages = vec![(self.nodes, u8::MAX)];
        let mut most = self.input.length() / 512 + 1;
        while let Some((at, above)) = pages.pop() {
            if most == 0 {
                broken.push(Broken("the tree of its nodes has more pages than the file", at));
                break;
            }
            most -= 1;
            match self.page(at, 0x81, above) {
                Ok(page) if page.level > 0 => {
                    pages.extend((0..page.entries).rev().map(|n| (self.child(page.entry(n)), page.level)));
                }
                Ok(page) => {
                    for n in 0..page.entries {
                        let node = self.node(page.entry(n));
                        nodes.entry(node.id).or_insert(node);
                    }
                }
                Err(why) => broken.push(why),
            }
        }
        (nodes, broken)
    }

    /// A node's data, block by block.
    pub(super) fn data(&self, node: &Node) -> Result<Vec<Vec<u8>>> {
        let mut blocks = Vec::new();
        if node.data != 0 {
            let mut length = 0;
            self.gather(node.data, 3, &mut length, &mut blocks)?;
        }
        Ok(blocks)
    }

    /// A node's subnodes, by number.
    pub(super) fn subnodes(&self, node: &Node) -> Result<BTreeMap<u32, Node>> {
        let mut found = BTreeMap::new();
        if node.subnodes != 0 {
            self.gather_subnodes(node.subnodes, 3, &mut found)?;
        }
        Ok(found)
    }

    /// Data trees are three levels deep at most (2.2.2.8.3.2).
    fn gather(&self, id: u64, depth: u8, length: &mut u64, blocks: &mut Vec<Vec<u8>>) -> Result<()> {
        let (bytes, at) = self.block(id)?;
        if id & 2 == 0 {
            *length += bytes.len() as u64;
            if *length > LONGEST {
                return Err(Broken("a node is too long to be held", at));
            }
            blocks.push(bytes);
            return Ok(());
        }
        if depth == 0 || bytes.first() != Some(&1) {
            return Err(Broken("a block is not of the kind it should be", at));
        }
        let width = if self.form == Form::Ansi { 4 } else { 8 };
        let entries = bytes.get(8..).unwrap_or_default().chunks_exact(width).take(usize::from(u16_at(&bytes, 2)));
        entries.map(|entry| self.id_at(entry, 0)).try_for_each(|child| self.gather(child, depth - 1, length, blocks))
    }

    /// 2.2.2.8.3.3. A tree of which a part is broken gives the rest.
    fn gather_subnodes(&self, id: u64, depth: u8, found: &mut BTreeMap<u32, Node>) -> Result<()> {
        let (bytes, at) = self.block(id)?;
        if depth == 0 || bytes.first() != Some(&2) {
            return Err(Broken("a block is not of the kind it should be", at));
        }
        let leaf = bytes.get(1) == Some(&0);
        let (start, width) = if self.form == Form::Ansi { (4, 4) } else { (8, 8) };
        let whole = if leaf { 3 * width } else { 2 * width };
        for entry in bytes.get(start..).unwrap_or_default().chunks_exact(whole).take(usize::from(u16_at(&bytes, 2))) {
            if found.len() > MOST_SUBNODES {
                return Err(Broken("a node has more subnodes than are read", at));
            }
            let node = u32_at(entry, 0);
            if leaf {
                let (data, subnodes) = (self.id_at(entry, width), self.id_at(entry, 2 * width));
                found.entry(node).or_insert(Node { id: node, parent: 0, data, subnodes });
            } else {
                self.gather_subnodes(self.id_at(entry, width), depth - 1, found)?;
            }
        }
        Ok(())
    }

    /// A block's bytes and where it is. Blocks with the second bit in their number are the format's own and not disguised.
    fn block(&self, id: u64) -> Result<(Vec<u8>, u64)> {
        let Block { at, packed, length } = self.find(id)?;
        self.charge(packed.max(64) as u64, at)?;
        let mut bytes = vec![0; packed];
        let count = read_full(self.input, at, &mut bytes).map_err(|_| Broken("a block cannot be read", at))?;
        if count < packed {
            return Err(Broken("the file ends before a block does", at));
        }
        if self.form == Form::Large && length != packed {
            let mut inflated = Vec::with_capacity(length);
            let result = flate2::read::ZlibDecoder::new(&bytes[..]).take(length as u64).read_to_end(&mut inflated);
            result.map_err(|_| Broken("a block does not inflate", at))?;
            self.charge(inflated.len() as u64, at)?;
            bytes = inflated;
        }
        if id & 2 == 0 {
            match self.disguise {
                1 => disguise::permuted(&mut bytes),
                2 => disguise::cycled(&mut bytes, id as u32),
                _ => (),
            }
        }
        Ok((bytes, at))
    }

    fn find(&self, id: u64) -> Result<Block> {
        let id = id & !1;
        let (mut at, mut above) = (self.blocks, u8::MAX);
        loop {
            let page = self.page(at, 0x80, above)?;
            let key = |n: usize| self.id_at(page.entry(n), 0) & !1;
            // The last entry whose key is not above.
            let (mut low, mut high) = (0, page.entries);
            while low < high {
                let middle = usize::midpoint(low, high);
                if key(middle) <= id { low = middle + 1 } else { high = middle }
            }
            let Some(n) = low.checked_sub(1) else { return Err(Broken("a block is missing", at)) };
            if page.level == 0 {
                return if key(n) == id { Ok(self.leaf(page.entry(n))) } else { Err(Broken("a block is missing", at)) };
            }
            (at, above) = (self.child(page.entry(n)), page.level);
        }
    }

    fn page(&self, at: u64, kind: u8, above: u8) -> Result<Rc<Page>> {
        let cached = self.pages.borrow().get(&at).cloned();
        let page = match cached {
            Some(page) => page,
            None => {
                let page = Rc::new(self.load_page(at, kind)?);
                let mut pages = self.pages.borrow_mut();
                if pages.len() >= PAGES {
                    pages.clear();
                }
                pages.insert(at, Rc::clone(&page));
                page
            }
        };
        // Levels only go down, or a page could be its own child.
        if page.level >= above { Err(Broken("a page stands above itself", at)) } else { Ok(page) }
    }

    /// 2.2.2.7.7.1
    fn load_page(&self, at: u64, kind: u8) -> Result<Page> {
        let (size, meta, trailer) = match self.form {
            Form::Ansi => (512, 496, 500),
            Form::Unicode => (512, 488, 496),
            Form::Large => (4096, 4056, 4072),
        };
        let mut bytes = vec![0; size];
        self.charge(size as u64, at)?;
        let count = read_full(self.input, at, &mut bytes).map_err(|_| Broken("a page cannot be read", at))?;
        if count < size || bytes[trailer] != kind || bytes[trailer + 1] != kind {
            return Err(Broken("a page is not where it should be", at));
        }
        let (entries, width, level) = match self.form {
            Form::Large => (usize::from(u16_at(&bytes, meta)), bytes[meta + 4], bytes[meta + 5]),
            _ => (usize::from(bytes[meta]), bytes[meta + 2], bytes[meta + 3]),
        };
        let width = usize::from(width);
        let least = match (self.form, level, kind) {
            (Form::Ansi, 0, 0x81) => 16,
            (Form::Ansi, ..) => 12,
            (_, 0, 0x81) => 32,
            _ => 24,
        };
        if width < least || level > 20 || entries * width > meta {
            return Err(Broken("a page breaks the rules", at));
        }
        Ok(Page { bytes, entries, width, level })
    }

    fn child(&self, entry: &[u8]) -> u64 {
        if self.form == Form::Ansi { u64::from(u32_at(entry, 8)) } else { u64_at(entry, 16) }
    }

    fn node(&self, entry: &[u8]) -> Node {
        let (data, subnodes, parent) = match self.form {
            Form::Ansi => (self.id_at(entry, 4), self.id_at(entry, 8), u32_at(entry, 12)),
            _ => (self.id_at(entry, 8), self.id_at(entry, 16), u32_at(entry, 24)),
        };
        Node { id: u32_at(entry, 0), parent, data, subnodes }
    }

    fn leaf(&self, entry: &[u8]) -> Block {
        let (at, packed) = match self.form {
            Form::Ansi => (u64::from(u32_at(entry, 4)), u16_at(entry, 8)),
            _ => (u64_at(entry, 8), u16_at(entry, 16)),
        };
        let length = if self.form == Form::Large { u16_at(entry, 18) } else { packed };
        Block { at, packed: packed.into(), length: length.into() }
    }

    fn id_at(&self, bytes: &[u8], at: usize) -> u64 {
        if self.form == Form::Ansi { u64::from(u32_at(bytes, at)) } else { u64_at(bytes, at) }
    }

    pub(super) fn charge(&self, bytes: u64, at: u64) -> Result<()> {
        let left = self.left.get().checked_sub(bytes).ok_or(Broken("it goes round in circles", at))?;
        self.left.set(left);
        Ok(())
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
