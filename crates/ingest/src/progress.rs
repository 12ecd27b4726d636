//! How far an ingest has come, for whoever draws it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counters that an ingest raises while it runs; read them from another thread at any time.
#[derive(Default)]
pub struct Progress {
    files_found: AtomicU64,
    bytes_found: AtomicU64,
    walked: AtomicBool,
    files_read: AtomicU64,
    bytes_read: AtomicU64,
    faults: AtomicU64,
    documents: AtomicU64,
    pages: AtomicU64,
}

/// What the counters said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Files that the walk has found so far.
    pub files_found: u64,
    /// Their bytes.
    pub bytes_found: u64,
    /// Whether the walk is over, so that what was found is all there is.
    pub walked: bool,
    /// Files read and stored.
    pub files_read: u64,
    /// Bytes of the trove read.
    pub bytes_read: u64,
    /// Faults met.
    pub faults: u64,
    /// Documents stored that were not there before.
    pub documents: u64,
    /// Pages whose text was looked for in their pictures.
    pub pages: u64,
}

impl Progress {
    /// What the counters say now.
    pub fn now(&self) -> Moment {
        Moment {
            files_found: self.files_found.load(Relaxed),
            bytes_found: self.bytes_found.load(Relaxed),
            walked: self.walked.load(Relaxed),
            files_read: self.files_read.load(Relaxed),
            bytes_read: self.bytes_read.load(Relaxed),
            faults: self.faults.load(Relaxed),
            documents: self.documents.load(Relaxed),
            pages: self.pages.load(Relaxed),
        }
    }

    pub(crate) fn found(&self, bytes: u64) {
        self.files_found.fetch_add(1, Relaxed);
        self.bytes_found.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn walk_is_over(&self) {
        self.walked.store(true, Relaxed);
    }

    pub(crate) fn bytes(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn file_done(&self) {
        self.files_read.fetch_add(1, Relaxed);
    }

    pub(crate) fn recognised(&self) {
        self.pages.fetch_add(1, Relaxed);
    }

    pub(crate) fn stored(&self, documents: u64, faults: u64) {
        self.documents.fetch_add(documents, Relaxed);
        self.faults.fetch_add(faults, Relaxed);
    }
}
