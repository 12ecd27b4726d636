//! Containers written by the book, around bytes that need not be.

/// A zip whose entries are stored.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let offset = bytes.len() as u32;
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc32(content).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(*content);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, size, count) = (bytes.len() as u32, directory.len() as u32, entries.len() as u16);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// A compound file ([MS-CFB]) with these streams in its root. None is in the small stream.
pub fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    const END: u32 = 0xffff_fffe;
    let mut sectors: Vec<u8> = Vec::new();
    let mut fat: Vec<u32> = Vec::new();
    let put = |sectors: &mut Vec<u8>, fat: &mut Vec<u32>, content: &[u8]| {
        let first = fat.len() as u32;
        let count = content.len().div_ceil(512).max(1);
        sectors.extend(content);
        sectors.resize((first as usize + count) * 512, 0);
        fat.extend((1..count as u32).map(|n| first + n));
        fat.push(END);
        first
    };
    let starts: Vec<u32> = streams.iter().map(|(_, content)| put(&mut sectors, &mut fat, content)).collect();
    let mut directory = directory_entry("Root Entry", 5, [u32::MAX, u32::MAX, 1], END, 0);
    for (at, (name, content)) in streams.iter().enumerate() {
        let next = if at + 1 < streams.len() { at as u32 + 2 } else { u32::MAX };
        directory.extend(directory_entry(name, 2, [u32::MAX, next, u32::MAX], starts[at], content.len() as u64));
    }
    let directory_at = put(&mut sectors, &mut fat, &directory);
    let tables = (fat.len() + 1).div_ceil(127) as u32;
    let table_at = fat.len() as u32;
    fat.extend((0..tables).map(|_| 0xffff_fffd));
    let mut table: Vec<u8> = fat.iter().flat_map(|n| n.to_le_bytes()).collect();
    table.resize(tables as usize * 512, 0xff);
    sectors.extend(table);
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.resize(512, 0);
    bytes[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    bytes[44..48].copy_from_slice(&tables.to_le_bytes());
    bytes[48..52].copy_from_slice(&directory_at.to_le_bytes());
    bytes[60..64].copy_from_slice(&END.to_le_bytes());
    bytes[68..72].copy_from_slice(&END.to_le_bytes());
    bytes[76..512].fill(0xff);
    for n in 0..tables.min(109) {
        bytes[76 + n as usize * 4..][..4].copy_from_slice(&(table_at + n).to_le_bytes());
    }
    bytes.extend(sectors);
    bytes
}

fn directory_entry(name: &str, kind: u8, links: [u32; 3], start: u32, size: u64) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().take(31).flat_map(u16::to_le_bytes).collect();
    let length = entry.len() as u16 + 2;
    entry.resize(128, 0);
    entry[64..66].copy_from_slice(&length.to_le_bytes());
    entry[66..68].copy_from_slice(&[kind, 1]);
    for (n, link) in links.iter().enumerate() {
        entry[68 + n * 4..][..4].copy_from_slice(&link.to_le_bytes());
    }
    entry[116..120].copy_from_slice(&start.to_le_bytes());
    entry[120..128].copy_from_slice(&size.to_le_bytes());
    entry
}

/// A tar of these files.
pub fn tar(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content) in entries {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        block[156] = *kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(block);
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A PDF of these objects, numbered from 1, the first of them the catalogue.
pub fn pdf(objects: &[String]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", bytes.len()));
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
    }
    let at = bytes.len();
    bytes.extend(table.bytes());
    bytes.extend(format!("trailer <</Size {} /Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n", objects.len() + 1).bytes());
    bytes
}

/// Bytes from hexadecimal digits.
pub fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}
