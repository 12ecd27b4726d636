//! The archive as it will be once an update is done: what was fetched, over what is in the copy, over what sites have.

use crate::remote::Remote;
use daylight_archive::log::Files;
use daylight_archive::store::{Folder, Odd, Opened, Store};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::Path;

/// Files from several places, the first that has one counting.
pub(crate) struct Overlay<'a> {
    /// Small files that were fetched and are not on disk yet.
    small: BTreeMap<String, Vec<u8>>,
    fetching: Folder,
    copy: Folder,
    /// Asked for nothing but parts of volumes that are not here, each of which has a hash.
    remote: Option<&'a Remote<'a>>,
}

impl<'a> Overlay<'a> {
    /// What is in `fetching`, over what is in `copy`.
    pub(crate) fn new(fetching: &Path, copy: &Path) -> Self {
        Self { small: BTreeMap::new(), fetching: Folder::new(fetching), copy: Folder::new(copy), remote: None }
    }

    /// With small files over all.
    pub(crate) fn with(self, small: BTreeMap<String, Vec<u8>>) -> Self {
        Self { small, ..self }
    }

    /// With volumes that are not here read from sites.
    pub(crate) fn beyond(self, remote: &'a Remote<'a>) -> Self {
        Self { remote: Some(remote), ..self }
    }
}

/// Whether what was fetched under this path stands on disk until it is moved. Whatever else may have been left there is never read.
fn is_kept(path: &str) -> bool {
    path.starts_with("release/") || path.starts_with("entry/")
}

impl Files for Overlay<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if let Some(bytes) = self.small.get(path) {
            return Ok(bytes.clone());
        }
        match is_kept(path) {
            true => self.fetching.read(path).or_else(|_| self.copy.read(path)),
            false => self.copy.read(path),
        }
    }
}

impl Store for Overlay<'_> {
    fn open(&self, path: &str, reach: Option<Range<u64>>) -> io::Result<Box<dyn Opened + '_>> {
        if let Some(bytes) = self.small.get(path) {
            return Ok(Box::new(io::Cursor::new(bytes.clone())));
        }
        let here = match is_kept(path) {
            true => self.fetching.open(path, reach.clone()).or_else(|_| self.copy.open(path, reach.clone())),
            false => self.copy.open(path, reach.clone()),
        };
        match (here, self.remote) {
            (Err(_), Some(remote)) => remote.open(path, reach),
            (here, _) => here,
        }
    }

    fn has(&self, path: &str) -> bool {
        self.small.contains_key(path) || (is_kept(path) && self.fetching.has(path)) || self.copy.has(path)
    }

    fn list(&self) -> Option<(BTreeMap<String, u64>, Vec<Odd>)> {
        None
    }
}
