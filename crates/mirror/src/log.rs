//! The log as it is fetched: its entries, and whether it goes on from what was accepted before.

use crate::remote::limit_of;
use crate::sites::{Sites, Unavailable};
use daylight_archive::entry::Entry;
use daylight_archive::evidence::Evidence;
use daylight_archive::log::{Files, TilePath, consistency_of, leaf_hash, parse_bundle, root_of, tiles_of};
use daylight_archive::root::Chain;
use daylight_archive::{Checkpoint, paths};
use daylight_model::Digest;
use std::collections::BTreeMap;

/// The largest log that is copied. Each entry is a publication, so this is far beyond any; a checkpoint that claims more is an attempt to have mirrors
/// believe in nothing that comes later.
pub(crate) const MAX_LOG: u64 = 1 << 20;

/// Entries of a log with their bundles, as they stand in its files.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Path and bytes of the bundles that were fetched.
    pub(crate) fetched: BTreeMap<String, Vec<u8>>,
    pub(crate) leaves: Vec<Digest>,
    pub(crate) entries: Vec<Vec<u8>>,
}

impl Log {
    /// The log that a checkpoint states: bundles that are in the copy are taken from there, the others are fetched.
    pub(crate) fn fetch(sites: &Sites<'_>, copy: &dyn Files, checkpoint: &Checkpoint) -> Result<Self, Unavailable> {
        let mut log = Self::default();
        for bundle in TilePath::bundles(checkpoint.size) {
            let path = bundle.to_string();
            let width = usize::from(bundle.width);
            let here = copy.read(&path).ok().and_then(|bytes| split(&bytes, width));
            let entries = match here {
                Some(entries) => entries,
                None => {
                    let check = |bytes: Vec<u8>| match split(&bytes, width) {
                        Some(entries) => Ok((bytes, entries)),
                        None => Err(format!("not a bundle of {width} entries")),
                    };
                    let ((bytes, entries), _) = sites.file(&path, limit_of(&path), check)?;
                    log.fetched.insert(path, bytes);
                    entries
                }
            };
            log.leaves.extend(entries.iter().map(|entry| leaf_hash(entry)));
            log.entries.extend(entries);
        }
        Ok(log)
    }

    /// Whether these are the entries that the checkpoint signs.
    pub(crate) fn fits(&self, checkpoint: &Checkpoint) -> bool {
        self.leaves.len() as u64 == checkpoint.size && root_of(&self.leaves) == checkpoint.root
    }

    /// Whether the log began with what an older checkpoint signs.
    pub(crate) fn continues(&self, older: &Checkpoint) -> bool {
        let beginning = usize::try_from(older.size).ok().and_then(|size| self.leaves.get(..size));
        beginning.is_some_and(|leaves| root_of(leaves) == older.root)
    }

    /// Where it does not: that as evidence, both checkpoints with their signatures.
    pub(crate) fn contradiction(&self, chain: &Chain, older: (&Checkpoint, &[u8]), newer: &[u8]) -> Option<Evidence> {
        let beginning = self.leaves.get(..usize::try_from(older.0.size).ok()?)?;
        let path = consistency_of(&self.leaves, older.0.size).ok()?;
        Some(Evidence { prefix: Some((root_of(beginning), path)), ..evidence(chain, older.1, newer) })
    }

    /// How many roots the log has.
    pub(crate) fn roots(&self) -> u64 {
        self.parsed().filter(|entry| matches!(entry, Entry::Root { .. })).count() as u64
    }

    /// The notes that its entries name, each with its hash.
    pub(crate) fn notes(&self) -> Vec<(String, Digest)> {
        let named = self.parsed().filter_map(|entry| match entry {
            Entry::Root { .. } => None,
            Entry::Release { serial, note } => Some((paths::release_note(serial), note)),
            Entry::Withdraw(logged) | Entry::Directory(logged) | Entry::Heartbeat(logged) => {
                Some((paths::entry_note(logged.serial), logged.note))
            }
        });
        named.collect()
    }

    /// What cannot be read is refused later, when all is read together.
    fn parsed(&self) -> impl Iterator<Item = Entry> {
        self.entries.iter().filter_map(|entry| Entry::parse(entry).ok())
    }

    /// The bundles that were fetched and the tiles, which follow from the entries: those the copy does not have.
    pub(crate) fn files(&self, copy: &dyn Files) -> BTreeMap<String, Vec<u8>> {
        let mut files = tiles_of(&self.leaves);
        files.retain(|path, bytes| copy.read(path).is_ok_and(|there| there == *bytes).eq(&false));
        files.extend(self.fetched.clone());
        files
    }
}

fn split(bundle: &[u8], width: usize) -> Option<Vec<Vec<u8>>> {
    let entries = parse_bundle(bundle).filter(|entries| entries.len() == width)?;
    Some(entries.into_iter().map(<[u8]>::to_vec).collect())
}

/// Two checkpoints of one log, with the roots that say whose it is.
pub(crate) fn evidence(chain: &Chain, smaller: &[u8], larger: &[u8]) -> Evidence {
    let roots = chain.links().iter().map(|link| (link.json.clone(), link.sig.clone())).collect();
    Evidence { roots, smaller: smaller.to_vec(), larger: larger.to_vec(), prefix: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Client, Config};
    use daylight_archive::log::{LogAppender, empty_root};

    /// A log of entries that say nothing, as files.
    fn synthetic(size: u64) -> (BTreeMap<String, Vec<u8>>, Checkpoint) {
        let mut appender = LogAppender::load(&BTreeMap::new(), 0, &empty_root()).unwrap();
        (0..size).for_each(|entry| _ = appender.push(&entry.to_be_bytes()).unwrap());
        let appended = appender.finish();
        (appended.files.into_iter().collect(), Checkpoint { origin: "archive.example/a".into(), size, root: appended.root })
    }

    /// Reads a log from files alone: nobody is asked.
    fn read(files: &BTreeMap<String, Vec<u8>>, checkpoint: &Checkpoint) -> Result<Log, Unavailable> {
        let client = Client::new(Config::default()).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let nobody = "http://nobody.onion/".parse().unwrap();
        Log::fetch(&Sites::new(&client, nobody, &stop), files, checkpoint)
    }

    #[test]
    fn logs_of_every_awkward_size_are_read_and_go_on_from_each_other() {
        let sizes = [0, 1, 255, 256, 257, 65_536, 70_000];
        for (place, size) in sizes.into_iter().enumerate() {
            let (files, checkpoint) = synthetic(size);
            let log = read(&files, &checkpoint).unwrap();
            assert!(log.fits(&checkpoint), "{size}");
            for older in &sizes[..=place] {
                let older = synthetic(*older).1;
                assert!(log.continues(&older), "{} to {size}", older.size);
                let other = Checkpoint { root: Digest::of(b"other"), ..older.clone() };
                assert!(!log.continues(&other));
            }
            // The tiles that are made are those that are there.
            let made = log.files(&BTreeMap::new());
            assert!(made.iter().all(|(path, bytes)| files[path] == *bytes) && log.files(&files).is_empty());
            let wrong = Checkpoint { root: Digest::of(b"wrong"), ..checkpoint.clone() };
            assert!(!log.fits(&wrong));
        }
        // A partial bundle where the full one belongs is not taken for it, nor one with an entry too many.
        let (mut files, checkpoint) = synthetic(256);
        let (narrow, _) = synthetic(255);
        files.insert("tile/entries/000".into(), narrow["tile/entries/000.p/255"].clone());
        assert!(matches!(read(&files, &checkpoint), Err(Unavailable::Nowhere(path)) if path == "tile/entries/000"));
    }
}
