//! A storage in a compound file as a compound file of its own, always the same for the same storage: an embedded document as others can open it.

use super::cfb::Compound;

const SECTOR: usize = 4096;
const END: u32 = 0xffff_fffe;
const FREE: u32 = u32::MAX;
const FAT: u32 = 0xffff_fffd;
/// A storage with more entries than this is not made a file.
const MOST: usize = 20_000;
/// Nor is one with more bytes.
const LARGEST: usize = 256 << 20;

/// A stream or storage of the file to be.
struct Node {
    name: Vec<u16>,
    class: [u8; 16],
    /// `None` for a storage.
    data: Option<Vec<u8>>,
    children: Vec<usize>,
    links: [u32; 3],
    start: u32,
}

/// Builds the file. `change` is given the name and bytes of each stream at the top; `extra` names entries of the whole file's root to be put there too.
pub(in crate::office) fn build(
    file: &Compound<'_>,
    storage: usize,
    extra: Option<usize>,
    change: impl Fn(&str, Vec<u8>) -> Vec<u8>,
) -> Option<Vec<u8>> {
    let nodes = gather(file, storage, extra, change)?;
    Some(write(nodes))
}

/// A file with these streams at its top.
#[cfg(test)]
pub(in crate::office) fn of_streams(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut nodes = vec![Node::new("Root Entry", [0; 16], None)];
    nodes.extend(streams.iter().map(|(name, data)| Node::new(name, [0; 16], Some(data.to_vec()))));
    nodes[0].children = (1..nodes.len()).collect();
    write(nodes)
}

/// A file with these streams, each in the storages that stand before its name.
#[cfg(test)]
pub(in crate::office) fn of_paths(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut nodes = vec![Node::new("Root Entry", [0; 16], None)];
    for (path, data) in streams {
        let mut parent = 0;
        for name in path.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev() {
            nodes.push(Node::new(name, [0; 16], None));
            let number = nodes.len() - 1;
            nodes[parent].children.push(number);
            parent = number;
        }
        nodes.push(Node::new(path.rsplit('/').next().unwrap_or(path), [0; 16], Some(data.to_vec())));
        let number = nodes.len() - 1;
        nodes[parent].children.push(number);
    }
    write(nodes)
}

fn gather(file: &Compound<'_>, storage: usize, extra: Option<usize>, change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> Option<Vec<Node>> {
    let mut nodes = vec![Node::new("Root Entry", file.class(storage), None)];
    let mut open: Vec<(usize, usize)> = file.children(storage).iter().copied().chain(extra).map(|entry| (0, entry)).collect();
    let mut total = 0;
    while let Some((parent, entry)) = open.pop() {
        let name = file.name(entry);
        let number = nodes.len();
        let data = (!file.is_storage(entry)).then(|| file.stream(entry));
        let data = data.map(|data| if parent == 0 { change(name, data) } else { data });
        total += data.as_ref().map_or(0, Vec::len);
        if number > MOST || total > LARGEST {
            return None;
        }
        nodes.push(Node::new(name, file.class(entry), data));
        nodes[parent].children.push(number);
        if file.is_storage(entry) {
            open.extend(file.children(entry).iter().map(|child| (number, *child)));
        }
    }
    Some(nodes)
}

impl Node {
    fn new(name: &str, class: [u8; 16], data: Option<Vec<u8>>) -> Self {
        let name = name.encode_utf16().take(31).collect();
        Self { name, class, data, children: Vec::new(), links: [FREE; 3], start: END }
    }

    fn entry(&self, root: bool, size: u64) -> [u8; 128] {
        let mut entry = [0; 128];
        for (at, unit) in self.name.iter().enumerate() {
            entry[at * 2..at * 2 + 2].copy_from_slice(&unit.to_le_bytes());
        }
        entry[64] = u8::try_from(self.name.len() * 2 + 2).unwrap_or(64);
        entry[66] = if root { 5 } else { 1 + u8::from(self.data.is_some()) };
        entry[67] = 1;
        for (at, link) in self.links.iter().enumerate() {
            entry[68 + at * 4..72 + at * 4].copy_from_slice(&link.to_le_bytes());
        }
        entry[80..96].copy_from_slice(&self.class);
        let start = if self.data.is_none() && !root { 0 } else { self.start };
        entry[116..120].copy_from_slice(&start.to_le_bytes());
        entry[120..128].copy_from_slice(&size.to_le_bytes());
        entry
    }
}

/// Sets each storage's children as a tree in the order of their names (section 2.6.4), as flat as can be.
fn link(nodes: &mut [Node]) {
    for storage in 0..nodes.len() {
        let mut children = std::mem::take(&mut nodes[storage].children);
        let upper = |name: &[u16]| String::from_utf16_lossy(name).to_uppercase();
        children.sort_by_cached_key(|child| (nodes[*child].name.len(), upper(&nodes[*child].name)));
        // The middle of each stretch is the root of its tree.
        let mut open = vec![(storage, 2, 0, children.len())];
        while let Some((owner, slot, from, to)) = open.pop() {
            if from < to {
                let middle = from.midpoint(to);
                nodes[owner].links[slot] = u32::try_from(children[middle]).unwrap_or(FREE);
                open.extend([(children[middle], 0, from, middle), (children[middle], 1, middle + 1, to)]);
            }
        }
    }
}

fn write(mut nodes: Vec<Node>) -> Vec<u8> {
    link(&mut nodes);
    let (mut body, mut fat) = (Vec::new(), Vec::new());
    let (mut mini, mut mini_fat) = (Vec::new(), Vec::new());
    let mut place = |data: &[u8], body: &mut Vec<u8>| put(data, body, &mut fat, SECTOR);
    for node in &mut nodes {
        match &node.data {
            Some(data) if data.is_empty() => (),
            Some(data) if data.len() < 4096 => node.start = put(data, &mut mini, &mut mini_fat, 64),
            Some(data) => node.start = place(data, &mut body),
            None => (),
        }
    }
    let mini_size = mini.len() as u64;
    nodes[0].start = place(&mini, &mut body);
    let table: Vec<u8> = mini_fat
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .chain(std::iter::repeat_n(0xff, (SECTOR - mini_fat.len() * 4 % SECTOR) % SECTOR))
        .collect();
    let mini_sectors = table.len() / SECTOR;
    let mini_start = place(&table, &mut body);
    let size = |number: usize, node: &Node| if number == 0 { mini_size } else { node.data.as_ref().map_or(0, |data| data.len() as u64) };
    let mut directory: Vec<u8> = nodes.iter().enumerate().flat_map(|(number, node)| node.entry(number == 0, size(number, node))).collect();
    while !directory.len().is_multiple_of(SECTOR) {
        directory.extend([0; 68].iter().chain(&[0xff; 12]).chain(&[0; 48]));
    }
    let directory_sectors = directory.len() / SECTOR;
    let directory_start = place(&directory, &mut body);
    // The table of sectors has to hold its own as well.
    let mut fat_sectors = 0;
    while fat_sectors * (SECTOR / 4) < fat.len() + fat_sectors {
        fat_sectors += 1;
    }
    let fat_start = fat.len();
    fat.resize(fat_start + fat_sectors, FAT);
    fat.resize(fat_sectors * (SECTOR / 4), FREE);
    let mut header = vec![0; SECTOR];
    let mut set = |at: usize, value: usize| header[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap_or(0).to_le_bytes());
    let fixed = [(0, 0xe011_cfd0), (4, 0xe11a_b1a1), (24, 0x0004_003e), (28, 0x000c_fffe), (32, 6), (56, 4096), (68, END as usize)];
    let counts =
        [(40, directory_sectors), (44, fat_sectors), (48, directory_start as usize), (60, mini_start as usize), (64, mini_sectors)];
    fixed.into_iter().chain(counts).for_each(|(at, value)| set(at, value));
    (0..109).for_each(|n| set(76 + n * 4, if n < fat_sectors { fat_start + n } else { FREE as usize }));
    header.extend(body);
    header.extend(fat.iter().flat_map(|n| n.to_le_bytes()));
    header
}

/// Appends data in whole sectors and chains them; says where it begins.
fn put(data: &[u8], body: &mut Vec<u8>, fat: &mut Vec<u32>, sector: usize) -> u32 {
    if data.is_empty() {
        return END;
    }
    let first = fat.len();
    body.extend_from_slice(data);
    body.resize(body.len().next_multiple_of(sector), 0);
    let last = body.len() / sector;
    fat.extend((first + 1..last).map(|next| u32::try_from(next).unwrap_or(END)));
    fat.push(END);
    u32::try_from(first).unwrap_or(END)
}
