//! Bytes that an earlier release published: they are referred to, not written again.

use crate::content::{Content, beginning};
use crate::site::Site;
use crate::{Error, Result};
use daylight_archive::manifest::{PART_LINES, RawLine};
use daylight_archive::{FileRef, Record, paths};
use daylight_model::Digest;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Where bytes are that this release needs and that the archive has.
#[derive(Default)]
pub(crate) struct Earlier {
    files: HashMap<Digest, FileRef>,
}

/// What stands before a digest in a record.
const DIGEST: &[u8] = b"\"sha256\":\"";

impl Earlier {
    /// Looks through the manifests of all releases for the digests that a release needs, of which it holds the beginnings. A line is looked at closely
    /// only if one stands in it, so this reads about as fast as the disk gives.
    pub(crate) fn find(site: &Site, content: &dyn Content) -> Result<Self> {
        let mut earlier = Self::default();
        let Some(archive) = site.archive() else { return Ok(earlier) };
        let mut needed = HashSet::new();
        for document in content.documents() {
            needed.extend(document?.files().iter().map(|file| beginning(&file.digest)));
        }
        for release in archive.releases() {
            let serial = release.note.serial;
            for part in 0..release.note.lines.div_ceil(PART_LINES) {
                let path = site.path(&paths::manifest_part(serial, part));
                let withdrawn = |line: u64| archive.withdrawn_line(serial, part * PART_LINES + line).is_some();
                earlier.look_through(&path, &withdrawn, &needed)?;
            }
        }
        Ok(earlier)
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<&FileRef> {
        self.files.get(digest)
    }

    /// Bytes of what is withdrawn are not referred to, whether or not they are erased here: copies may not have them any more.
    fn look_through(&mut self, path: &Path, withdrawn: &dyn Fn(u64) -> bool, needed: &HashSet<u64>) -> Result<()> {
        let mut part = BufReader::with_capacity(1 << 18, File::open(path).map_err(Error::io(path))?);
        let mut line = Vec::new();
        for number in 0.. {
            line.clear();
            if part.read_until(b'\n', &mut line).map_err(Error::io(path))? == 0 {
                break;
            }
            if names_any(&line, needed) && !withdrawn(number) {
                self.take(&line, needed);
            }
        }
        Ok(())
    }

    /// Remembers where the bytes are. A line that is damaged or erased is passed over: then the bytes are written again.
    fn take(&mut self, line: &[u8], needed: &HashSet<u64>) {
        let Some(RawLine::Published { record, .. }) = RawLine::parse(line) else { return };
        let Ok(record) = Record::parse(record) else { return };
        for file in record.files {
            if needed.contains(&beginning(&file.sha256)) {
                self.files.entry(file.sha256).or_insert(file);
            }
        }
    }
}

fn names_any(line: &[u8], needed: &HashSet<u64>) -> bool {
    memchr::memmem::find_iter(line, DIGEST).any(|at| {
        let hex = line.get(at + DIGEST.len()..at + DIGEST.len() + 64);
        let digest = hex.and_then(|hex| std::str::from_utf8(hex).ok()?.parse::<Digest>().ok());
        digest.is_some_and(|digest| needed.contains(&beginning(&digest)))
    })
}
