//! What a backup consists of, as lines of text.

use crate::error::{Error, Result};
use daylight_model::Digest;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

const FIRST: &str = "daylight-backup/v1";

/// What a backup consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) time: u64,
    /// The number of the folder with the catalogue.
    pub(super) state: u64,
    pub(super) files: Vec<StateFile>,
    /// The pieces of packs, each as it was copied, those of one pack together and in order.
    pub(super) pieces: Vec<Piece>,
    pub(super) blobs: Vec<(Digest, u64)>,
    pub(super) missing: Vec<Digest>,
}

/// A file of the desk's own folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StateFile {
    pub(super) name: String,
    pub(super) mode: u32,
    pub(super) length: u64,
    pub(super) digest: Digest,
}

/// A piece of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) pack: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) digest: Digest,
}

impl Manifest {
    /// The manifest of the backup in this folder, if it has one.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("manifest");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&path)(error)),
        };
        let damaged = || Error::damaged(path.display().to_string(), "it is not what a backup wrote: use another backup");
        Self::parse(&text).map(Some).ok_or_else(damaged)
    }

    pub(super) fn pieces_of(&self, pack: u64) -> Vec<Piece> {
        self.pieces.iter().filter(|piece| piece.pack == pack).cloned().collect()
    }

    /// One line for each thing, and last the SHA-256 of all lines before.
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("{FIRST}\ntime {}\nstate {}\n", self.time, self.state);
        // Writing to a string does not fail.
        for file in &self.files {
            let _ = writeln!(text, "file {} {} {:o} {}", file.digest, file.length, file.mode, file.name);
        }
        for piece in &self.pieces {
            let _ = writeln!(text, "pack {} {} {} {}", piece.digest, piece.length, piece.offset, piece.pack);
        }
        for (digest, length) in &self.blobs {
            let _ = writeln!(text, "blob {digest} {length}");
        }
        for digest in &self.missing {
            let _ = writeln!(text, "missing {digest}");
        }
        let end = Digest::of(text.as_bytes());
        let _ = writeln!(text, "end {end}");
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let (lines, end) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let lines = &text[..=lines.len()];
        if end.strip_prefix("end ")?.parse() != Ok(Digest::of(lines.as_bytes())) {
            return None;
        }
        let mut manifest = Self::default();
        let mut lines = lines.lines();
        if lines.next()? != FIRST {
            return None;
        }
        for line in lines {
            manifest.line(line)?;
        }
        Some(manifest)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split(' ').collect();
        match *words.as_slice() {
            ["time", time] => self.time = time.parse().ok()?,
            ["state", state] => self.state = state.parse().ok()?,
            ["file", digest, length, mode, name] if super::FILES.contains(&name) || name == "catalogue.sqlite" => {
                let (digest, length, mode) = (digest.parse().ok()?, length.parse().ok()?, u32::from_str_radix(mode, 8).ok()? & 0o777);
                self.files.push(StateFile { name: name.to_owned(), mode, length, digest });
            }
            ["pack", digest, length, offset, pack] => {
                let (digest, length) = (digest.parse().ok()?, length.parse().ok()?);
                self.pieces.push(Piece { pack: pack.parse().ok()?, offset: offset.parse().ok()?, length, digest });
            }
            ["blob", digest, length] => self.blobs.push((digest.parse().ok()?, length.parse().ok()?)),
            ["missing", digest] => self.missing.push(digest.parse().ok()?),
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_and_no_byte_of_it_can_change() {
        let digest = Digest::of(b"x");
        let manifest = Manifest {
            time: 7,
            state: 3,
            files: vec![StateFile { name: "log.key".into(), mode: 0o600, length: 9, digest }],
            pieces: vec![Piece { pack: 1, offset: 0, length: 5, digest }, Piece { pack: 1, offset: 5, length: 2, digest }],
            blobs: vec![(digest, 1 << 21)],
            missing: vec![digest],
        };
        let text = manifest.to_text();
        assert_eq!(Manifest::parse(&text), Some(manifest));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(String::from_utf8(bytes).ok().and_then(|text| Manifest::parse(&text)), None, "byte {at}");
        }
        assert_eq!(Manifest::parse(""), None);
    }
}
