//! Manifests: one line a document, 65,536 lines a part, and beside each part the offsets of its lines.

use crate::record::MAX_RECORD;
use daylight_model::{Digest, Hasher};
use std::io::{self, Write};

/// How many lines a part has; the last one may have fewer.
pub const PART_LINES: u64 = 65_536;

/// The longest line with its newline: sign, space, salt, space, record.
pub const MAX_LINE: usize = 2 + 64 + 1 + MAX_RECORD + 1;

/// The length of what an erased line says: sign, space, leaf data, newline. Spaces before the newline make up for the rest of what stood there.
pub const ERASED_LINE: usize = 2 + 64 + 1;

/// The data of a line's leaf: SHA-256 over the salt's 32 bytes and the record's. So a line can be erased, and the leaf gives nothing away.
pub fn leaf_data(salt: &[u8; 32], record: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(salt);
    hasher.update(record);
    hasher.finish()
}

/// A line as it stands in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawLine<'a> {
    /// `+ <salt> <record>`
    Published {
        /// The salt.
        salt: [u8; 32],
        /// The record's JSON.
        record: &'a [u8],
    },
    /// `- <leaf data>` and spaces: the document was withdrawn and its line erased here.
    Erased {
        /// What the line's leaf data was.
        leaf: Digest,
        /// How many bytes the line has, with its newline: as many as it had.
        length: usize,
    },
}

impl<'a> RawLine<'a> {
    /// Reads a line with or without its newline; `None` if it is not one.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let hex = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<Digest>().ok();
        if let Some(rest) = line.strip_prefix(b"+ ") {
            let (salt, rest) = rest.split_at_checked(64)?;
            let record = rest.strip_prefix(b" ").filter(|record| record.len() <= MAX_RECORD)?;
            return Some(Self::Published { salt: hex(salt)?.0, record });
        }
        let (leaf, spaces) = line.strip_prefix(b"- ")?.split_at_checked(64)?;
        let blank = spaces.iter().all(|byte| *byte == b' ') && line.len() < MAX_LINE;
        blank.then_some(Self::Erased { leaf: hex(leaf)?, length: line.len() + 1 })
    }

    /// The data of its leaf in the release's tree.
    pub fn leaf_data(&self) -> Digest {
        match self {
            RawLine::Published { salt, record } => leaf_data(salt, record),
            RawLine::Erased { leaf, .. } => *leaf,
        }
    }

    /// The line with its newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            RawLine::Published { salt, record } => [b"+ ", Digest(*salt).to_string().as_bytes(), b" ", record, b"\n"].concat(),
            RawLine::Erased { leaf, length } => format!("- {:<width$}\n", leaf.to_string(), width = length.saturating_sub(3)).into_bytes(),
        }
    }
}

/// Writes one part of a manifest and remembers where its lines begin.
pub struct PartWriter<W> {
    out: W,
    offset: u32,
    offsets: Vec<u8>,
}

impl<W: Write> PartWriter<W> {
    /// Begins a part, `release/<serial>/manifest/<part>`. Give it something buffered.
    pub fn new(out: W) -> Self {
        Self { out, offset: 0, offsets: Vec::new() }
    }

    /// Whether the part has all of its lines and the next one must be begun.
    pub fn is_full(&self) -> bool {
        self.offsets.len() as u64 == 4 * PART_LINES
    }

    /// Writes a line and gives the data of its leaf: push [`crate::log::leaf_hash`] of it to the release's tree. Errors: the record is longer than
    /// 16 KiB or has a newline, the part is full, or writing failed.
    pub fn push(&mut self, salt: &[u8; 32], record: &[u8]) -> io::Result<Digest> {
        if self.is_full() || record.len() > MAX_RECORD || record.contains(&b'\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a manifest line is too long, or its part is full"));
        }
        let line = RawLine::Published { salt: *salt, record }.to_bytes();
        self.out.write_all(&line)?;
        self.offsets.extend_from_slice(&self.offset.to_be_bytes());
        // 65,536 lines of at most `MAX_LINE` bytes stay below 2^32.
        self.offset += line.len() as u32;
        Ok(leaf_data(salt, record))
    }

    /// Ends the part: gives the writer back, to be flushed and synced, and the bytes of `release/<serial>/manifest/<part>.offsets`: where each
    /// line begins, u32 big-endian.
    pub fn finish(self) -> (W, Vec<u8>) {
        (self.out, self.offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_erased_and_its_leaf_remains() {
        let mut part = PartWriter::new(Vec::new());
        let leaf = part.push(&[0xab; 32], b"{\"n\":1}").unwrap();
        part.push(&[1; 32], b"{}").unwrap();
        assert!(part.push(&[1; 32], &[b' '; MAX_RECORD + 1]).is_err());
        assert!(part.push(&[1; 32], b"{\n}").is_err());
        let (bytes, offsets) = part.finish();
        assert_eq!(offsets, [0, 0, 0, 0, 0, 0, 0, 75]);
        let salt = "ab".repeat(32);
        let first = RawLine::parse(&bytes[..75]).unwrap();
        assert_eq!(first.to_bytes(), format!("+ {salt} {{\"n\":1}}\n").as_bytes());
        assert_eq!(leaf, Digest::of(&[&[0xab; 32], b"{\"n\":1}".as_slice()].concat()));
        let erased = RawLine::Erased { leaf, length: 75 }.to_bytes();
        assert_eq!(erased, format!("- {leaf}        \n").as_bytes(), "as long as it was");
        assert_eq!(RawLine::parse(&erased).unwrap(), RawLine::Erased { leaf, length: 75 });
        assert_eq!(RawLine::parse(&erased).unwrap().leaf_data(), first.leaf_data());
        for wrong in [
            format!("+ {} {{}}", salt.to_uppercase()),
            format!("+  {salt} {{}}"),
            format!("* {salt}"),
            format!("- {salt}  x"),
            format!("- {salt}\t"),
            format!("-  {salt}"),
            format!("- {}", &salt[1..]),
            String::new(),
        ] {
            assert_eq!(RawLine::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
