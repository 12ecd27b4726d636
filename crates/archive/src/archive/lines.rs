use super::{Archive, ArchiveError, Line, damaged};
use crate::manifest::{MAX_LINE, PART_LINES};
use crate::paths;
use crate::store::unreadable;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// The lines of a release, see [`Archive::lines`].
pub struct Lines<'a> {
    archive: &'a Archive,
    serial: u64,
    count: u64,
    next: u64,
    part: Option<BufReader<File>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(archive: &'a Archive, serial: u64, count: u64) -> Self {
        Self { archive, serial, count, next: 0, part: None }
    }

    fn read(&mut self) -> Result<Line, ArchiveError> {
        let path = paths::manifest_part(self.serial, self.next / PART_LINES);
        let unread = |e: std::io::Error| damaged(&path, unreadable(&e));
        if self.next.is_multiple_of(PART_LINES) {
            self.part = None;
        }
        let part = match &mut self.part {
            Some(part) => part,
            empty => empty.insert(BufReader::with_capacity(1 << 18, File::open(self.archive.dir.join(&path)).map_err(unread)?)),
        };
        let mut raw = Vec::new();
        part.take(MAX_LINE as u64).read_until(b'\n', &mut raw).map_err(unread)?;
        if raw.pop() != Some(b'\n') {
            return Err(damaged(path, format!("line {} is missing or too long", self.next)));
        }
        match self.archive.withdrawn_line(self.serial, self.next) {
            Some(_) => Err(ArchiveError::Withdrawn { serial: self.serial, line: self.next }),
            None => self.archive.read_line(self.serial, self.next, &raw),
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Line, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.count {
            let read = self.read();
            self.next += 1;
            match read {
                Err(ArchiveError::Withdrawn { .. }) => continue,
                // After an error nothing more can be told of this release.
                Err(error) => {
                    self.next = self.count;
                    return Some(Err(error));
                }
                line => return Some(line),
            }
        }
        None
    }
}
