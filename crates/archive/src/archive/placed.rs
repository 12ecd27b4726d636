use super::{Archive, ArchiveError, Release, damaged};
use crate::manifest::PART_LINES;
use crate::paths;
use crate::record::FileRef;
use crate::withdraw::{MemberPlace, WithdrawnLine};
use std::collections::{BTreeMap, BTreeSet};

/// Where a line stands on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePlace {
    /// The path of its part of the manifest, in the archive.
    pub path: String,
    /// The byte of that file at which it begins.
    pub offset: u64,
    /// Its bytes as they are, with the newline.
    pub bytes: Vec<u8>,
}

impl Archive {
    /// What a withdrawal says of lines of one release: their lengths, leaves, and the members of the release's volumes that are first referred to in
    /// them. For that the manifest is read through as far as the last of them. Errors: a line cannot be read, or was erased.
    pub fn to_withdraw(&self, serial: u64, lines: &BTreeSet<u64>) -> Result<BTreeMap<u64, WithdrawnLine>, ArchiveError> {
        let release = self.release(serial).ok_or(ArchiveError::NoSuchLine { serial, line: 0 })?;
        let mut found = BTreeMap::new();
        // Members stand in the order of first references, so what is new in a line stands behind all that stood in lines before.
        let mut last = None;
        for line in 0..lines.last().map_or(0, |last| last + 1).min(release.note.lines) {
            let before = self.withdrawn_line(serial, line);
            let said = match before {
                Some(before) => before.line.clone(),
                None => self.what_stands_first(release, line, last)?,
            };
            last = said.members.last().map(|member| (member.volume, member.offset)).max(last);
            if lines.contains(&line) {
                found.insert(line, said);
            }
        }
        Ok(found)
    }

    fn what_stands_first(&self, release: &Release, line: u64, last: Option<(u32, u64)>) -> Result<WithdrawnLine, ArchiveError> {
        let serial = release.note.serial;
        let raw = self.raw_line(serial, line)?;
        let read = self.read_line(serial, line, &raw)?;
        let own = crate::record::Record::parse(&read.json).map_err(|e| damaged(paths::manifest_part(serial, line / PART_LINES), e))?;
        let files = read.record.files.iter().chain(own.own_file());
        let is_new = |file: &&FileRef| file.release == serial && Some((file.volume, file.offset)) > last;
        let new: BTreeMap<(u32, u64), u64> = files.filter(is_new).map(|file| ((file.volume, file.offset), file.length)).collect();
        let members = new.into_iter().map(|((volume, offset), length)| MemberPlace { volume, offset, length }).collect();
        let leaf = crate::manifest::leaf_data(&read.salt, &read.json);
        Ok(WithdrawnLine { release: serial, line, length: raw.len() as u64 + 1, leaf, members })
    }

    /// Where a line stands, and its bytes as they are, whatever they are.
    pub fn line_place(&self, serial: u64, line: u64) -> Result<LinePlace, ArchiveError> {
        let (path, offset, size) = self.extent(serial, line)?;
        let mut bytes = vec![0; size as usize];
        self.read_at(&path, offset, &mut bytes)?;
        Ok(LinePlace { path, offset, bytes })
    }
}
