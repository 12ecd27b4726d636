use super::secret::Secret;
use crate::document::read_full;
use crate::packed::LONGEST_NAME;
use crate::packed::stream::Method;
use daylight_model::reading::Input;
use std::io;

/// The record that ends a zip may be this far from its end: 22 bytes and a comment (section 4.3.16).
const FARTHEST_END: u64 = 22 + 65_535;
/// How much of the directory is read at once: an entry is at most 46 bytes and three times 65,535.
const STEP: usize = 256 << 10;

/// A zip's central directory, read from front to back.
pub(super) struct Directory {
    /// How many entries the zip says it has.
    pub(super) entries: u64,
    at: u64,
    end: u64,
    /// What stands before the zip: offsets are counted from its beginning.
    base: u64,
    buffer: Vec<u8>,
    used: usize,
}

/// How an entry is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Stored,
    Deflated,
    /// LZMA, which has a mark at its end or not.
    Lzma {
        ended: bool,
    },
    /// As files are that are compressed alone.
    As(Method),
    Other(u16),
}

pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) packing: Packing,
    /// How it is encrypted, if it is.
    pub(super) secret: Option<Secret>,
    /// The CRC-32 of what it unpacks to.
    pub(super) crc: u32,
    /// A symbolic link, of which the bytes say where to.
    pub(super) link: bool,
    /// How many bytes it takes in the zip.
    pub(super) packed: u64,
    /// How many bytes it says that it unpacks to.
    pub(super) unpacked: u64,
    /// Where its local header is.
    pub(super) header: u64,
}

impl Directory {
    /// Finds the directory from the end of the input, or says that there is none.
    pub(super) fn find(input: &(dyn Input + '_)) -> io::Result<Option<Self>> {
        let length = input.length();
        let from = length.saturating_sub(FARTHEST_END);
        let mut tail = vec![0; usize::try_from(length - from).unwrap_or(0)];
        let count = read_full(input, from, &mut tail)?;
        tail.truncate(count);
        // The last record whose comment fits is the one, unless none fits: then something was appended, and the last is.
        let found = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06");
        let mut places: Vec<usize> = found.take(64).filter(|place| tail.len() - place >= 22).collect();
        places.sort_by_key(|place| place + 22 + usize::from(u16_at(&tail, place + 20)) != tail.len());
        for place in places {
            if let Some(directory) = Self::at_end(input, from + place as u64, &tail[place..place + 22])? {
                return Ok(Some(directory));
            }
        }
        Ok(None)
    }

    fn at_end(input: &(dyn Input + '_), place: u64, record: &[u8]) -> io::Result<Option<Self>> {
        let mut entries = u64::from(u16_at(record, 10));
        let mut size = u64::from(u32_at(record, 12));
        let mut offset = u64::from(u32_at(record, 16));
        let mut end = place;
        // The larger record may be there although the smaller one has room enough, where it was not known at the beginning what would come.
        if let Some((at, large)) = zip64_end(input, place)? {
            if entries == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff {
                (entries, size, offset) = (u64_at(&large, 32), u64_at(&large, 40), u64_at(&large, 48));
            }
            end = at;
        }
        let Some(at) = end.checked_sub(size) else { return Ok(None) };
        let Some(base) = at.checked_sub(offset) else { return Ok(None) };
        let mut mark = [0; 4];
        let begins = read_full(input, at, &mut mark)? == 4 && mark == *b"PK\x01\x02";
        let directory = Self { entries, at, end, base, buffer: Vec::new(), used: 0 };
        Ok((begins || size == 0).then_some(directory))
    }

    /// The next entry (section 4.3.12), `None` behind the last.
    pub(super) fn next(&mut self, input: &(dyn Input + '_)) -> io::Result<Option<Entry>> {
        if self.at < self.end && self.left().len() < 46 + 3 * 65_535 {
            self.fill(input)?;
        }
        let left = self.left();
        if left.is_empty() {
            return Ok(None);
        }
        if left.len() < 46 || !left.starts_with(b"PK\x01\x02") {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the central directory breaks off"));
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(left, at)));
        let whole = 46 + name + extra + comment;
        let Some(entry_bytes) = left.get(..whole) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the central directory breaks off"));
        };
        let entry = self.entry(entry_bytes, name, extra);
        self.used += whole;
        Ok(Some(entry))
    }

    fn left(&self) -> &[u8] {
        &self.buffer[self.used..]
    }

    fn fill(&mut self, input: &(dyn Input + '_)) -> io::Result<()> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let have = self.buffer.len();
        let wanted = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(STEP);
        self.buffer.resize(have + wanted, 0);
        let count = read_full(input, self.at, &mut self.buffer[have..])?;
        self.buffer.truncate(have + count);
        self.at += count as u64;
        Ok(())
    }

    fn entry(&self, bytes: &[u8], name: usize, extra: usize) -> Entry {
        let mut packed = u64::from(u32_at(bytes, 20));
        let mut unpacked = u64::from(u32_at(bytes, 24));
        let mut header = u64::from(u32_at(bytes, 42));
        // Section 4.5.3: what does not fit stands in an extra field, in this order and only then.
        let extra = &bytes[46 + name..46 + name + extra];
        let mut large = field(extra, 1).unwrap_or_default();
        for value in [&mut unpacked, &mut packed, &mut header] {
            if *value == u64::from(u32::MAX) && large.len() >= 8 {
                *value = u64_at(large, 0);
                large = &large[8..];
            }
        }
        let flags = u16_at(bytes, 8);
        let crc = u32_at(bytes, 16);
        let sealed = field(extra, 0x9901).filter(|sealed| sealed.len() >= 7);
        let secret = (flags & 1 != 0).then(|| {
            // Where the sum was not known yet when the entry was begun, its time stands for it.
            let checks = [(crc >> 24) as u8, if flags & 8 != 0 { bytes[13] } else { (crc >> 24) as u8 }];
            Secret::of(u16_at(bytes, 10), flags, sealed, checks)
        });
        let method = match (u16_at(bytes, 10), sealed) {
            (99, Some(sealed)) => u16_at(sealed, 5),
            (method, _) => method,
        };
        let packing = match method {
            0 => Packing::Stored,
            8 => Packing::Deflated,
            12 => Packing::As(Method::Bzip2),
            14 => Packing::Lzma { ended: flags & 2 != 0 },
            93 => Packing::As(Method::Zstd),
            95 => Packing::As(Method::Xz),
            other => Packing::Other(other),
        };
        let name = bytes[46..46 + name.min(LONGEST_NAME)].to_vec();
        // Section 4.4.2: made on Unix, which keeps a file's mode in the upper half of its attributes.
        let link = bytes[5] == 3 && crate::packed::is_link(u32_at(bytes, 38) >> 16);
        Entry { name, packing, link, secret, crc, packed, unpacked, header: header.saturating_add(self.base) }
    }

    /// Where an entry's bytes begin: behind its local header (section 4.3.7), if one stands where it should.
    pub(super) fn data(&self, input: &(dyn Input + '_), entry: &Entry) -> io::Result<Option<u64>> {
        let mut local = [0; 30];
        let count = read_full(input, entry.header, &mut local)?;
        let whole = count == 30 && local.starts_with(b"PK\x03\x04");
        let length = 30 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
        Ok(entry.header.checked_add(length).filter(|_| whole))
    }
}

/// The larger record of a large zip (section 4.3.14) and its place, found by its locator.
fn zip64_end(input: &(dyn Input + '_), place: u64) -> io::Result<Option<(u64, [u8; 56])>> {
    let mut locator = [0; 20];
    let Some(at) = place.checked_sub(20) else { return Ok(None) };
    if read_full(input, at, &mut locator)? < 20 || !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    // Where something stands before the zip the stated place is wrong; then the record stands right before its locator.
    for place in [Some(u64_at(&locator, 8)), at.checked_sub(56)].into_iter().flatten() {
        let mut record = [0; 56];
        if read_full(input, place, &mut record)? == 56 && record.starts_with(b"PK\x06\x06") {
            return Ok(Some((place, record)));
        }
    }
    Ok(None)
}

/// The extra field with this number (section 4.5).
fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let field = extra.get(4..4 + length)?;
        if id == wanted {
            return Some(field);
        }
        extra = &extra[4 + length..];
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
