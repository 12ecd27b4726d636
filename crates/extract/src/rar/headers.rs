//! What the headers of a RAR say. They stand between the packed files, each with the length of what follows it, so that all of them can be read without
//! unpacking anything. Version 5: "RAR 5.0 archive format"; version 4: "technote.txt" of RAR 4.

use crate::document::read_full;
use crate::packed::LONGEST_NAME;
use daylight_model::reading::Input;

/// So many entries are kept in mind; those behind them are counted.
const MOST: usize = 1_000_000;
/// No header is longer (version 5 has three bytes for its length).
const LONGEST: u64 = 2 << 20;
const FOUR: &[u8] = b"Rar!\x1a\x07\0";
const FIVE: &[u8] = b"Rar!\x1a\x07\x01\0";

/// All that the headers say.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// How many of all entries are files.
    pub(super) files: u64,
    /// The headers themselves are encrypted.
    pub(super) secret: bool,
    /// It is one of several files of an archive: which, from 0, where it says so.
    pub(super) volume: Option<Option<u64>>,
    /// The byte from which on nothing can be made of it, and why.
    pub(super) torn: Option<(u64, &'static str)>,
}

/// An entry, as its header describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// With `/` between folders.
    pub(super) name: Vec<u8>,
    pub(super) what: What,
    /// Where its packed bytes stand, as far as they are there.
    pub(super) at: u64,
    pub(super) packed: u64,
    /// It is encrypted.
    pub(super) secret: bool,
    /// It began in another file of the archive, or goes on in one.
    pub(super) parted: bool,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    File,
    Directory,
    /// A link of any sort: it has no bytes of its own.
    Link,
}

/// One header, with what stands where.
struct Header {
    kind: u64,
    flags: u64,
    /// What it says, behind the fields that all headers have.
    body: Vec<u8>,
    /// The end of the body holds records of their own, from here.
    extra: usize,
    /// Where what belongs to it stands, and how long that is.
    data: u64,
    packed: u64,
}

impl Listing {
    /// Reads all headers.
    pub(super) fn of(input: &(dyn Input + '_)) -> Self {
        let mut listing = Self::default();
        let mut mark = [0; 8];
        let five = read_full(input, 0, &mut mark).is_ok() && mark == *FIVE;
        let mut at = if five { FIVE.len() } else { FOUR.len() } as u64;
        loop {
            let next = if five { Header::five(input, at) } else { Header::four(input, at) };
            let ended = match next {
                Ok(Some(header)) => {
                    let (data, packed) = (header.data, header.packed);
                    let ended = if five { listing.five(header) } else { listing.four(header) };
                    let left = input.length().saturating_sub(data);
                    if let Some(entry) = listing.entries.last_mut().filter(|entry| entry.at == data) {
                        entry.packed = entry.packed.min(left);
                    }
                    if packed > left {
                        listing.torn = Some((input.length(), "it ends within an entry"));
                    }
                    at = data.saturating_add(packed);
                    ended || packed > left
                }
                // Version 4 need not say that it ends.
                Ok(None) if !five || listing.files > 0 => true,
                Ok(None) => {
                    listing.torn = Some((at, "it ends before anything"));
                    true
                }
                Err(why) => {
                    listing.torn = Some((at, why));
                    true
                }
            };
            if ended || listing.secret {
                return listing;
            }
        }
    }

    fn add(&mut self, entry: Entry) {
        self.files += u64::from(entry.what == What::File);
        if self.entries.len() < MOST {
            self.entries.push(entry);
        }
    }

    /// Takes a header of version 5; true if no more follow.
    fn five(&mut self, header: Header) -> bool {
        let mut body = Fields(&header.body[..header.extra]);
        match header.kind {
            1 => {
                let flags = body.number().unwrap_or(0);
                if flags & 1 != 0 {
                    self.volume = Some(if flags & 2 != 0 { body.number() } else { Some(0) });
                }
            }
            2 => {
                if let Some(entry) = file_of_five(&header, &mut body) {
                    self.add(entry);
                } else {
                    self.torn.get_or_insert((header.data, "a header has no name in it"));
                }
            }
            4 => self.secret = true,
            5 => return true,
            _ => {}
        }
        false
    }

    /// Takes a header of version 4; true if no more follow.
    fn four(&mut self, header: Header) -> bool {
        match header.kind {
            0x73 => {
                self.secret = header.flags & 0x80 != 0;
                if header.flags & 1 != 0 {
                    // Only the first is told.
                    self.volume = Some((header.flags & 0x100 != 0).then_some(0));
                }
            }
            0x74 => {
                if let Some(entry) = file_of_four(&header) {
                    self.add(entry);
                } else {
                    self.torn.get_or_insert((header.data, "a header has no name in it"));
                }
            }
            0x7b => return true,
            _ => {}
        }
        false
    }
}

impl Header {
    /// A checksum, the length of all that follows it in up to three bytes, a type, flags, and what these say is there.
    fn five(input: &(dyn Input + '_), at: u64) -> Result<Option<Self>, &'static str> {
        let mut start = [0; 7];
        let there = read_full(input, at, &mut start).map_err(|_| "it cannot be read")?;
        if there == 0 {
            return Ok(None);
        }
        let mut fields = Fields(start.get(4..there).unwrap_or(&[]));
        let length = fields.number().filter(|length| (2..=LONGEST).contains(length)).ok_or("what stands here is no header")?;
        let own = (there - 4 - fields.0.len()) as u64;
        let body = body_of(input, at + 4 + own, length)?;
        let mut sum = crc32fast::Hasher::new();
        sum.update(&start[4..4 + own as usize]);
        sum.update(&body);
        if sum.finalize().to_le_bytes() != start[..4] {
            return Err("the checksum of a header does not hold");
        }
        let mut fields = Fields(&body);
        let short = "a header is too short";
        let (kind, flags) = (fields.number().ok_or(short)?, fields.number().ok_or(short)?);
        let extra = if flags & 1 != 0 { fields.number().ok_or(short)? } else { 0 };
        let packed = if flags & 2 != 0 { fields.number().ok_or(short)? } else { 0 };
        let rest = fields.0.to_vec();
        let extra = usize::try_from(extra).ok().and_then(|extra| rest.len().checked_sub(extra)).ok_or(short)?;
        Ok(Some(Self { kind, flags, body: rest, extra, data: at + 4 + own + length, packed }))
    }

    /// A checksum that not all headers keep to, a type, flags, the header's length, and the length of what follows where a flag says so.
    fn four(input: &(dyn Input + '_), at: u64) -> Result<Option<Self>, &'static str> {
        let mut start = [0; 7];
        match read_full(input, at, &mut start).map_err(|_| "it cannot be read")? {
            0 => return Ok(None),
            7 => {}
            _ => return Err("what stands here is no header"),
        }
        let (kind, flags) = (u64::from(start[2]), u64::from(u16::from_le_bytes([start[3], start[4]])));
        let length = u64::from(u16::from_le_bytes([start[5], start[6]]));
        if !(0x72..=0x7b).contains(&kind) || length < 7 {
            return Err("what stands here is no header");
        }
        let body = body_of(input, at + 7, length - 7)?;
        // Files and what serves them have the upper half of the length further behind.
        let file = matches!(kind, 0x74 | 0x7a);
        let low = if file || flags & 0x8000 != 0 { number(&body, 0, 4).ok_or("a header is too short")? } else { 0 };
        let high = if file && flags & 0x100 != 0 { number(&body, 25, 4).ok_or("a header is too short")? } else { 0 };
        let extra = body.len();
        Ok(Some(Self { kind, flags, body, extra, data: at + length, packed: high << 32 | low }))
    }
}

fn body_of(input: &(dyn Input + '_), at: u64, length: u64) -> Result<Vec<u8>, &'static str> {
    let mut body = vec![0; usize::try_from(length.min(LONGEST)).unwrap_or(0)];
    let there = read_full(input, at, &mut body).map_err(|_| "it cannot be read")?;
    if there < body.len() { Err("it ends within a header") } else { Ok(body) }
}

fn file_of_five(header: &Header, body: &mut Fields<'_>) -> Option<Entry> {
    let flags = body.number()?;
    let (_unpacked, _attributes) = (body.number()?, body.number()?);
    // The time, the checksum.
    body.take(if flags & 2 != 0 { 4 } else { 0 })?;
    body.take(if flags & 4 != 0 { 4 } else { 0 })?;
    let (_compression, _system) = (body.number()?, body.number()?);
    let length = usize::try_from(body.number()?).ok()?;
    let name = body.take(length)?;
    let (mut secret, mut link) = (false, false);
    let mut records = Fields(&header.body[header.extra..]);
    while let Some(record) = records.number().and_then(|length| records.take(usize::try_from(length).ok()?)) {
        match Fields(record).number() {
            Some(1) => secret = true,
            Some(5) => link = true,
            _ => {}
        }
    }
    let what = if flags & 1 != 0 {
        What::Directory
    } else if link {
        What::Link
    } else {
        What::File
    };
    Some(Entry { name: cut(name), what, at: header.data, packed: header.packed, secret, parted: header.flags & 0x18 != 0 })
}

fn file_of_four(header: &Header) -> Option<Entry> {
    // Behind the seven bytes that all headers have: lengths, system, checksum, time, version, method, length of the name, attributes.
    let (system, length, mode) = (header.body.get(8)?, number(&header.body, 19, 2)?, number(&header.body, 21, 4)?);
    let start = if header.flags & 0x100 != 0 { 33 } else { 25 };
    let name = header.body.get(start..start + usize::try_from(length).ok()?)?;
    let mut name = if header.flags & 0x200 != 0 { unicode(name) } else { name.to_vec() };
    name.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    let link = *system == 3 && super::super::packed::is_link(u32::try_from(mode).ok()?);
    let what = if header.flags & 0xe0 == 0xe0 {
        What::Directory
    } else if link {
        What::Link
    } else {
        What::File
    };
    let (secret, parted) = (header.flags & 4 != 0, header.flags & 3 != 0);
    Some(Entry { name: cut(&name), what, at: header.data, packed: header.packed, secret, parted })
}

fn cut(name: &[u8]) -> Vec<u8> {
    name[..name.len().min(LONGEST_NAME)].to_vec()
}

/// A name of version 4 in two spellings: the short one, a zero, and what makes UTF-16 of it: the upper byte that most characters have, then groups of
/// four steps, each told by two bits: a byte, a byte with that upper byte, two bytes, or a stretch of the short one, which may be shifted. Without a zero it is
/// UTF-8.
fn unicode(name: &[u8]) -> Vec<u8> {
    let Some(zero) = memchr::memchr(0, name) else { return name.to_vec() };
    let (short, mut rest) = (&name[..zero], Fields(&name[zero + 1..]));
    let mut long: Vec<u16> = Vec::new();
    let Some(upper) = rest.byte().map(|byte| u16::from(byte) << 8) else { return short.to_vec() };
    'all: while let Some(steps) = rest.byte() {
        for step in [steps >> 6, steps >> 4 & 3, steps >> 2 & 3, steps & 3] {
            let Some(first) = rest.byte() else { break 'all };
            match step {
                0 => long.push(first.into()),
                1 => long.push(upper | u16::from(first)),
                2 => long.push(u16::from(rest.byte().unwrap_or(0)) << 8 | u16::from(first)),
                _ => {
                    let shift = if first & 0x80 != 0 { Some(rest.byte().unwrap_or(0)) } else { None };
                    for _ in 0..usize::from(first & 0x7f) + 2 {
                        let Some(byte) = short.get(long.len()) else { break };
                        long.push(shift.map_or(u16::from(*byte), |shift| upper | u16::from(byte.wrapping_add(shift))));
                    }
                }
            }
            if long.len() > LONGEST_NAME {
                break 'all;
            }
        }
    }
    String::from_utf16_lossy(&long).into_bytes()
}

/// A number of so many bytes, the little end first.
fn number(body: &[u8], at: usize, bytes: usize) -> Option<u64> {
    Some(body.get(at..at + bytes)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Fields of version 5, one behind the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Seven bits a byte, the little end first; the highest bit says that more follow.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}
