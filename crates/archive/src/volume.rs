//! Volumes: the published bytes as ZIP64 files (APPNOTE 6.3.10), stored, with fixed times. Given its members there is one way to write a volume,
//! so its headers need no hash of their own: whoever verifies writes them anew and compares.
//!
//! Every header has a fixed length, because a member's name is always 64 hexadecimal digits and the ZIP64 fields are always there:
//! 114 bytes before a member, 138 for it in the directory, 98 at the end.

use daylight_model::{Digest, Hasher};
use std::io::{self, BufRead, Read, Write};

mod scan;

pub use scan::Scan;

/// The largest volume, in bytes. A single member that does not fit is alone in its volume, which is then larger.
pub const MAX_VOLUME: u64 = 1 << 30;

/// The length of a member's header, which stands before its bytes.
pub const LOCAL_HEADER: u64 = 30 + 64 + 20;

/// The length of a member's record in the directory.
pub const DIRECTORY_HEADER: u64 = 46 + 64 + 28;

/// The length of what ends a volume: ZIP64 end, ZIP64 locator, end.
pub const END: u64 = 56 + 20 + 22;

const VERSION: u16 = 45;
const DOS_DATE_1980_01_01: u16 = 0x0021;

/// A member of a volume: a file's digest is its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many bytes it has.
    pub length: u64,
    /// CRC-32 of its bytes (ISO 3309), which the format of zip files asks for.
    pub crc32: u32,
}

impl Member {
    /// Measures bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { sha256: Digest::of(bytes), length: bytes.len() as u64, crc32: crc32fast::hash(bytes) }
    }

    /// Measures what a reader gives, to its end.
    pub fn measure(bytes: &mut dyn BufRead) -> io::Result<Self> {
        let (mut sha256, mut crc32, mut length) = (Hasher::default(), crc32fast::Hasher::new(), 0);
        loop {
            let read = match bytes.fill_buf() {
                Ok([]) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            sha256.update(read);
            crc32.update(read);
            let count = read.len();
            length += count as u64;
            bytes.consume(count);
        }
        Ok(Self { sha256: sha256.finish(), length, crc32: crc32.finalize() })
    }

    /// The header before its bytes.
    pub fn local_header(&self) -> [u8; LOCAL_HEADER as usize] {
        local_header(&self.sha256.to_string(), self.length, self.crc32)
    }

    /// Its record in the directory; `header_at` is where its header begins.
    pub fn directory_header(&self, header_at: u64) -> [u8; DIRECTORY_HEADER as usize] {
        directory_header(&self.sha256.to_string(), self.length, self.crc32, header_at)
    }
}

/// What stands where a member was erased after a withdrawal: as many zeros as it had bytes, and headers that say so and nothing of what it was. Its
/// place alone says every byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedMember {
    /// Where in its volume its bytes begin, past its header.
    pub offset: u64,
    /// How many bytes it had.
    pub length: u64,
}

impl ErasedMember {
    /// The name in its headers: `withdrawn-`, and its offset with zeros before it to 64 bytes in all, so that no two members have the same.
    pub fn name(&self) -> String {
        format!("withdrawn-{:054}", self.offset)
    }

    /// The header before its zeros.
    pub fn local_header(&self) -> [u8; LOCAL_HEADER as usize] {
        local_header(&self.name(), self.length, crc32_of_zeros(self.length))
    }

    /// Its record in the directory.
    pub fn directory_header(&self) -> [u8; DIRECTORY_HEADER as usize] {
        directory_header(&self.name(), self.length, crc32_of_zeros(self.length), self.offset.saturating_sub(LOCAL_HEADER))
    }
}

fn crc32_of_zeros(length: u64) -> u32 {
    let (zeros, mut crc32, mut left) = ([0; 16 * 1024], crc32fast::Hasher::new(), length);
    while left > 0 {
        let step = left.min(zeros.len() as u64);
        crc32.update(&zeros[..step as usize]);
        left -= step;
    }
    crc32.finalize()
}

fn local_header(name: &str, length: u64, crc32: u32) -> [u8; LOCAL_HEADER as usize] {
    let mut out = Fields::new();
    out.u32(0x0403_4b50).u16(VERSION).common(crc32);
    out.u16(64).u16(20).name(name);
    out.u16(1).u16(16).u64(length).u64(length);
    out.end()
}

fn directory_header(name: &str, length: u64, crc32: u32, header_at: u64) -> [u8; DIRECTORY_HEADER as usize] {
    let mut out = Fields::new();
    out.u32(0x0201_4b50).u16(VERSION).u16(VERSION).common(crc32);
    // Name, extra and comment lengths; disk, internal and external attributes; the offset, which the extra field has.
    out.u16(64).u16(28).u16(0).u16(0).u16(0).u32(0).u32(u32::MAX).name(name);
    out.u16(1).u16(24).u64(length).u64(length).u64(header_at);
    out.end()
}

/// What ends a volume of `members` members whose directory begins at `directory_at`.
pub fn end(members: u64, directory_at: u64) -> [u8; END as usize] {
    let length = members * DIRECTORY_HEADER;
    let mut out = Fields::new();
    out.u32(0x0606_4b50).u64(44).u16(VERSION).u16(VERSION).u32(0).u32(0).u64(members).u64(members).u64(length).u64(directory_at);
    out.u32(0x0706_4b50).u32(0).u64(directory_at + length).u32(1);
    out.u32(0x0605_4b50).u16(u16::MAX).u16(u16::MAX).u16(u16::MAX).u16(u16::MAX).u32(u32::MAX).u32(u32::MAX).u16(0);
    out.end()
}

/// Little-endian fields one after another.
struct Fields(Vec<u8>);

impl Fields {
    fn new() -> Self {
        Self(Vec::with_capacity(DIRECTORY_HEADER as usize))
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn name(&mut self, name: &str) -> &mut Self {
        self.0.extend_from_slice(name.as_bytes());
        self
    }

    /// Flags, method (stored), time, date, CRC and the two lengths, which the extra field has.
    fn common(&mut self, crc32: u32) -> &mut Self {
        self.u16(0).u16(0).u16(0).u16(DOS_DATE_1980_01_01).u32(crc32).u32(u32::MAX).u32(u32::MAX)
    }

    fn end<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.0);
        out
    }
}

/// Where the members of a release's volumes come to stand, in the order in which they are first referenced. Give it lengths, get places: so a
/// release's records are known before a byte of its volumes is written.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    volume: u32,
    members: u64,
    at: u64,
}

/// The place of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which volume, from 0.
    pub volume: u32,
    /// Where its bytes begin, past its header: what [`crate::record::FileRef::offset`] says.
    pub offset: u64,
}

impl Layout {
    /// The beginning of volume 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Places the next member. `None` beyond 2^32 volumes or 2^53 bytes.
    pub fn place(&mut self, length: u64) -> Option<Place> {
        let after = self.at.checked_add(LOCAL_HEADER)?.checked_add(length).filter(|after| *after <= crate::json::MAX_NUMBER)?;
        let whole = after + (self.members + 1) * DIRECTORY_HEADER + END;
        if self.members > 0 && whole > MAX_VOLUME {
            *self = Self { volume: self.volume.checked_add(1)?, ..Self::default() };
            return self.place(length);
        }
        let place = Place { volume: self.volume, offset: self.at + LOCAL_HEADER };
        self.at = after;
        self.members += 1;
        Some(place)
    }

    /// How many members the volume at hand has, where its directory would begin, and which volume it is.
    pub fn state(&self) -> (u32, u64, u64) {
        (self.volume, self.members, self.at)
    }
}

/// Writes one volume. The caller asks [`Layout`] which members belong to it.
pub struct VolumeWriter<W> {
    out: W,
    at: u64,
    /// What the directory will say, in pieces of equal length: of small members a volume has a million, and one list of them would be held twice whenever it grows.
    members: Vec<Vec<Member>>,
}

/// How many members are in a piece.
const PIECE: usize = 4096;

impl<W: Write> VolumeWriter<W> {
    /// Begins a volume, `release/<serial>/volume/<n>.zip`. Give it something buffered.
    pub fn new(out: W) -> Self {
        Self { out, at: 0, members: Vec::new() }
    }

    /// Writes a member, measured before, and says where its bytes begin. Errors: writing or reading failed, or the bytes are not those measured;
    /// the volume is then worthless.
    pub fn add(&mut self, member: &Member, bytes: &mut dyn Read) -> io::Result<u64> {
        self.out.write_all(&member.local_header())?;
        if copy(bytes, &mut self.out)? != *member {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the bytes of {} changed while they were published", member.sha256),
            ));
        }
        Ok(self.added(member))
    }

    /// Adds a member whose bytes are in memory and which [`Member::of`] just measured, so that they are not hashed again; says where they begin.
    pub fn add_whole(&mut self, member: &Member, bytes: &[u8]) -> io::Result<u64> {
        debug_assert!(Member::of(bytes) == *member, "the member is not of these bytes");
        self.out.write_all(&member.local_header())?;
        self.out.write_all(bytes)?;
        Ok(self.added(member))
    }

    /// Notes a member that was written, and says where its bytes begin.
    fn added(&mut self, member: &Member) -> u64 {
        match self.members.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(*member),
            None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(*member);
                self.members.push(piece);
            }
        }
        let offset = self.at + LOCAL_HEADER;
        self.at = offset + member.length;
        offset
    }

    /// Writes the directory and gives the writer back, to be flushed and synced.
    pub fn finish(mut self) -> io::Result<W> {
        // Members stand one behind the other from the beginning.
        let (mut at, mut count) = (0, 0);
        for member in self.members.iter().flatten() {
            self.out.write_all(&member.directory_header(at))?;
            at += LOCAL_HEADER + member.length;
            count += 1;
        }
        self.out.write_all(&end(count, self.at))?;
        Ok(self.out)
    }
}

fn copy(bytes: &mut dyn Read, out: &mut dyn Write) -> io::Result<Member> {
    let (mut sha256, mut crc32, mut length) = (Hasher::default(), crc32fast::Hasher::new(), 0);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let read = match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => &buffer[..read],
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        sha256.update(read);
        crc32.update(read);
        out.write_all(read)?;
        length += read.len() as u64;
    }
    Ok(Member { sha256: sha256.finish(), length, crc32: crc32.finalize() })
}

#[cfg(test)]
mod tests;
