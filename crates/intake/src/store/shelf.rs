//! What the store holds, in memory: read from the files when it is opened.

use super::record::{Kind, Lookup, Record};
use super::{UNACCEPTED_BYTES, UNACCEPTED_COUNT};
use daylight_model::Digest;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// One file.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) record: Record,
    /// How many sealed bytes it has.
    pub(super) length: u64,
}

/// An envelope as the collector is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// SHA-256 of its sealed bytes.
    pub(crate) id: Digest,
    /// Whose it is.
    pub(crate) lookup: Lookup,
    /// The day it came on, since 1970-01-01.
    pub(crate) day: u32,
    /// How many sealed bytes it has.
    pub(crate) length: u64,
}

/// What a source has here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// How many envelopes.
    pub(crate) envelopes: u64,
    /// How many sealed bytes in them.
    pub(crate) bytes: u64,
    /// How many replies.
    pub(crate) replies: u64,
    /// Whether an editor accepted the source.
    pub(crate) accepted: bool,
}

impl Usage {
    /// Whether another envelope of this length may be taken.
    pub(crate) fn takes(&self, length: u64) -> bool {
        self.accepted || (self.envelopes < UNACCEPTED_COUNT && self.bytes.saturating_add(length) <= UNACCEPTED_BYTES)
    }
}

#[derive(Debug, Default)]
pub(super) struct Shelf {
    items: BTreeMap<(Kind, Digest), Item>,
    sources: HashMap<Lookup, BTreeSet<(Kind, Digest)>>,
    /// What is being received, by source: set when that one has everything deleted.
    live: HashMap<Lookup, Weak<AtomicBool>>,
}

/// When what has ended is taken out of the list of what is being received.
const LIVE: usize = 1024;

impl Shelf {
    /// How many things there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Something of a source is being received: what says whether it still may.
    pub(super) fn live(&mut self, lookup: &Lookup) -> Arc<AtomicBool> {
        if let Some(known) = self.live.get(lookup).and_then(Weak::upgrade) {
            return known;
        }
        if self.live.len() >= LIVE {
            self.live.retain(|_, known| known.strong_count() > 0);
        }
        let new = Arc::new(AtomicBool::new(false));
        self.live.insert(*lookup, Arc::downgrade(&new));
        new
    }

    /// Whatever of a source is being received is not to be kept.
    pub(super) fn end_live(&mut self, lookup: &Lookup) {
        if let Some(known) = self.live.remove(lookup).and_then(|known| known.upgrade()) {
            known.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self, kind: Kind, name: &Digest) -> Option<&Item> {
        self.items.get(&(kind, *name))
    }

    pub(super) fn put(&mut self, name: Digest, item: Item) {
        let key = (item.record.kind, name);
        self.sources.entry(item.record.lookup).or_default().insert(key);
        self.items.insert(key, item);
    }

    pub(super) fn take(&mut self, kind: Kind, name: &Digest) {
        let Some(item) = self.items.remove(&(kind, *name)) else { return };
        if let Some(keys) = self.sources.get_mut(&item.record.lookup) {
            keys.remove(&(kind, *name));
            if keys.is_empty() {
                self.sources.remove(&item.record.lookup);
            }
        }
    }

    pub(super) fn of(&self, lookup: &Lookup) -> Vec<(Kind, Digest)> {
        self.sources.get(lookup).map_or_else(Vec::new, |keys| keys.iter().copied().collect())
    }

    pub(super) fn select(&self, wanted: impl Fn(&Item) -> bool) -> Vec<(Kind, Digest)> {
        self.items.iter().filter(|(_, item)| wanted(item)).map(|(key, _)| *key).collect()
    }

    pub(super) fn usage(&self, lookup: &Lookup) -> Usage {
        let mut usage = Usage::default();
        for key in self.sources.get(lookup).into_iter().flatten() {
            match (key.0, self.items.get(key)) {
                (Kind::Envelope, Some(item)) => {
                    usage.envelopes += 1;
                    usage.bytes += item.length;
                }
                (Kind::Reply, _) => usage.replies += 1,
                (Kind::Source, _) => usage.accepted = true,
                _ => {}
            }
        }
        usage
    }

    pub(super) fn envelopes(&self) -> Vec<Envelope> {
        let envelopes = self.items.iter().filter(|((kind, _), _)| *kind == Kind::Envelope);
        envelopes
            .map(|((_, id), item)| Envelope { id: *id, lookup: item.record.lookup, day: item.record.day, length: item.length })
            .collect()
    }

    pub(super) fn replies(&self, lookup: &Lookup) -> Vec<(Digest, u64)> {
        let keys = self.sources.get(lookup).into_iter().flatten().filter(|(kind, _)| *kind == Kind::Reply);
        let mut found: Vec<_> = keys.filter_map(|key| self.items.get(key).map(|item| (item.record.day, key.1, item.length))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id, length)| (id, length)).collect()
    }
}

/// The list that a collector reads: canonical JSON.
pub(crate) fn list(envelopes: &[Envelope]) -> Vec<u8> {
    let mut out = String::with_capacity(32 + envelopes.len() * 190);
    out.push_str("{\"envelopes\":[");
    for (at, envelope) in envelopes.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let Envelope { id, lookup, day, length } = envelope;
        out.push_str(&format!("{comma}{{\"day\":{day},\"id\":\"{id}\",\"length\":{length},\"lookup\":\"{lookup}\"}}"));
    }
    out.push_str("]}");
    out.into_bytes()
}
