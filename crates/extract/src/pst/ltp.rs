//! The middle layer of a mail store ([MS-PST] 2.3): a heap on a node, in it trees of records, and on those the properties of one thing and tables
//! of the properties of many.

use super::ndb::{Broken, Node, Result, Store, u16_at, u32_at, u64_at};
use std::cell::Cell;
use std::collections::BTreeMap;

/// The values of one node may not come to more than this.
const MOST_BYTES: u64 = 256 << 20;
/// A table may not have more rows.
const MOST_ROWS: usize = 2_000_000;
/// A thing has not so many properties, a table not so many columns.
const MOST_PROPERTIES: usize = 65_536;

/// A property's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Text in UTF-16, decoded.
    Text(String),
    /// Text in the code page of its message.
    Bytes8(Vec<u8>),
    Binary(Vec<u8>),
    Number(i64),
    /// 100 nanoseconds since 1601.
    Time(u64),
    Texts(Vec<String>),
    /// The number of the subnode that it is.
    Object(u32),
}

pub(super) type Properties = BTreeMap<u16, Value>;

/// A node with its heap and subnodes.
pub(super) struct Heap<'a> {
    store: &'a Store<'a>,
    blocks: Vec<Vec<u8>>,
    pub(super) subnodes: BTreeMap<u32, Node>,
    /// What is wrong with its subnodes or values.
    pub(super) broken: Cell<Option<Broken>>,
    room: Cell<u64>,
}

impl<'a> Heap<'a> {
    pub(super) fn open(store: &'a Store<'a>, node: &Node) -> Result<Self> {
        let blocks = store.data(node)?;
        let (subnodes, broken) = match store.subnodes(node) {
            Ok(subnodes) => (subnodes, None),
            Err(broken) => (BTreeMap::new(), Some(broken)),
        };
        match blocks.first() {
            Some(first) if first.get(2) == Some(&0xec) => {
                Ok(Self { store, blocks, subnodes, broken: Cell::new(broken), room: Cell::new(MOST_BYTES) })
            }
            _ => Err(Broken("a node has no heap", u64::from(node.id))),
        }
    }

    pub(super) fn store(&self) -> &'a Store<'a> {
        self.store
    }

    /// The properties of the thing that this node is (2.3.3).
    pub(super) fn properties(&self) -> Result<Properties> {
        let mut found = Properties::new();
        for record in self.tree(self.root())?.into_iter().take(MOST_PROPERTIES) {
            let (id, kind, value) = (u16_at(record, 0), u16_at(record, 2), &record[4..]);
            if let Some(value) = self.value(kind, value) {
                found.insert(id, value);
            }
        }
        Ok(found)
    }

    /// The rows of the table that this node is (2.3.4): the number of each and its properties among `wanted`.
    pub(super) fn rows(&self, wanted: &[u16]) -> Result<Vec<(u32, Properties)>> {
        let broken = Broken("a table breaks the rules", 0);
        let info = self.item(self.root()).ok_or(broken)?;
        let width = usize::from(u16_at(info, 8));
        let columns = info.get(22..).unwrap_or_default().chunks_exact(8).take(usize::from(info.get(1).copied().unwrap_or(0)));
        let columns: Vec<_> = columns.filter(|column| wanted.contains(&u16_at(column, 2))).collect();
        if info.first() != Some(&0x7c) || width < 4 {
            return Err(broken);
        }
        let blocks = match u32_at(info, 14) {
            0 => Vec::new(),
            heap if heap & 0x1f == 0 => vec![self.item(heap).ok_or(broken)?.to_vec()],
            node => self.store.data(self.subnodes.get(&node).ok_or(broken)?)?,
        };
        // Which presence bit a column has stands behind the values.
        let bits = usize::from(u16_at(info, 6));
        let rows = blocks.iter().flat_map(|block| block.chunks_exact(width)).take(MOST_ROWS);
        let live: std::collections::BTreeSet<u32> = self.tree(u32_at(info, 10))?.iter().map(|record| self.row_of(record)).collect();
        let read = rows.enumerate().filter(|(n, _)| u32::try_from(*n).is_ok_and(|n| live.contains(&n))).map(|(_, row)| {
            let mut found = Properties::new();
            for column in &columns {
                let (kind, id, at, length) = (u16_at(column, 0), u16_at(column, 2), usize::from(u16_at(column, 4)), usize::from(column[6]));
                let bit = usize::from(column[7]);
                let present = row.get(bits + bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
                if let Some(value) = row.get(at..at + length).filter(|_| present).and_then(|value| self.value(kind, value)) {
                    found.insert(id, value);
                }
            }
            (u32_at(row, 0), found)
        });
        Ok(read.collect())
    }

    /// The place in the table that a record of its index points to; old files have two bytes for it.
    fn row_of(&self, record: &[u8]) -> u32 {
        if self.store.is_ansi() { u32::from(u16_at(record, 4)) } else { u32_at(record, 4) }
    }

    fn root(&self) -> u32 {
        u32_at(&self.blocks[0], 4)
    }

    /// An item of the heap (2.3.1).
    fn item(&self, id: u32) -> Option<&[u8]> {
        let (index, block) = if self.store.is_large() { (id >> 5 & 0x3fff, id >> 19) } else { (id >> 5 & 0x7ff, id >> 16) };
        let block = self.blocks.get(usize::try_from(block).ok()?)?;
        let map = usize::from(u16_at(block, 0));
        let index = usize::try_from(index).ok()?.checked_sub(1)?;
        if index >= usize::from(u16_at(block, map)) || id & 0x1f != 0 {
            return None;
        }
        let place = map + 4 + 2 * index;
        block.get(usize::from(u16_at(block, place))..usize::from(u16_at(block, place + 2)))
    }

    /// The records of a tree on the heap (2.3.2), level by level.
    fn tree(&self, header: u32) -> Result<Vec<&[u8]>> {
        let broken = Broken("a tree of records breaks the rules", 0);
        let head = self.item(header).filter(|head| head.len() >= 8 && head[0] == 0xb5).ok_or(broken)?;
        let (key, data, levels) = (usize::from(head[1]), usize::from(head[2]), head[3]);
        let mut items = vec![u32_at(head, 4)];
        items.retain(|root| *root != 0);
        for _ in 0..levels.min(8) {
            let mut below = Vec::new();
            for item in items {
                let records = self.item(item).ok_or(broken)?.chunks_exact((key + 4).max(5));
                below.extend(records.map(|record| u32_at(record, key)));
                if below.len() > MOST_ROWS {
                    return Err(broken);
                }
            }
            items = below;
        }
        let mut records = Vec::new();
        for item in items {
            records.extend(self.item(item).ok_or(broken)?.chunks_exact((key + data).max(6)));
            if records.len() > MOST_ROWS {
                return Err(broken);
            }
        }
        Ok(records)
    }

    /// A value, which stands in its field if it fits there, else on the heap or in a subnode.
    fn value(&self, kind: u16, field: &[u8]) -> Option<Value> {
        match kind {
            0x0002 => Some(Value::Number(u16_at(field, 0).cast_signed().into())),
            0x0003 | 0x000a => Some(Value::Number(u32_at(field, 0).cast_signed().into())),
            0x000b => Some(Value::Number(i64::from(field.first()? & 1))),
            0x0014 => Some(Value::Number(self.wide(field)?.cast_signed())),
            0x0040 => Some(Value::Time(self.wide(field)?)),
            0x000d => {
                let item = self.item(u32_at(field, 0))?;
                Some(Value::Object(u32_at(item, 0)))
            }
            0x001e => Some(Value::Bytes8(self.long(field)?)),
            0x001f => Some(Value::Text(utf16(&self.long(field)?))),
            0x0102 => Some(Value::Binary(self.long(field)?)),
            0x101f => Some(Value::Texts(texts(&self.long(field)?, utf16))),
            0x101e => Some(Value::Texts(texts(&self.long(field)?, |bytes| bytes.iter().map(|b| char::from(*b)).collect()))),
            _ => None,
        }
    }

    /// Eight bytes, which tables hold themselves.
    fn wide(&self, field: &[u8]) -> Option<u64> {
        if field.len() >= 8 { Some(u64_at(field, 0)) } else { Some(u64_at(self.item(u32_at(field, 0))?, 0)) }
    }

    fn long(&self, field: &[u8]) -> Option<Vec<u8>> {
        let id = u32_at(field, 0);
        if id == 0 {
            return Some(Vec::new());
        }
        let value = if id & 0x1f == 0 {
            self.item(id).map(<[u8]>::to_vec).ok_or(Broken("a value is not on its heap", 0))
        } else {
            let node = self.subnodes.get(&id).ok_or(Broken("a value's node is missing", u64::from(id)));
            node.and_then(|node| self.store.data(node)).map(|blocks| blocks.concat())
        };
        let value = value.and_then(|value| {
            let room = self.room.get().checked_sub(value.len() as u64);
            self.room.set(room.ok_or(Broken("the values of a node are too long to be held", 0))?);
            self.store.charge(value.len() as u64, 0)?;
            Ok(value)
        });
        value.map_err(|broken| self.broken.set(Some(broken))).ok()
    }
}

fn utf16(bytes: &[u8]) -> String {
    let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(bytes);
    text.trim_end_matches('\0').to_owned()
}

/// 2.3.3.4.2: how many, where each begins, and then they, one behind the other.
fn texts(bytes: &[u8], decode: impl Fn(&[u8]) -> String) -> Vec<String> {
    let count = usize::try_from(u32_at(bytes, 0)).unwrap_or(0).min(bytes.len() / 4);
    let start = |n: usize| if n < count { usize::try_from(u32_at(bytes, 4 + 4 * n)).unwrap_or(usize::MAX) } else { bytes.len() };
    let mut behind = 0;
    let pieces = (0..count).filter_map(|n| {
        let piece = bytes.get(start(n).max(behind)..start(n + 1))?;
        behind = start(n + 1);
        Some(piece)
    });
    pieces.map(decode).collect()
}
