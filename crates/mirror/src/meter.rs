//! How far an update has come, for whoever shows it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Counts what is done of what there is. Read it from another thread.
#[derive(Debug, Default)]
pub struct Meter {
    step: Mutex<&'static str>,
    done: AtomicU64,
    total: AtomicU64,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What is being done, in words.
    pub step: &'static str,
    /// Bytes of volumes that are here.
    pub done: u64,
    /// Bytes of volumes that are known to belong here.
    pub total: u64,
}

impl Meter {
    /// How far it has come now.
    pub fn now(&self) -> Moment {
        let step = *self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.done.load(Relaxed);
        Moment { step, done, total: self.total.load(Relaxed).max(done) }
    }

    pub(crate) fn step(&self, step: &'static str) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    pub(crate) fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn came(&self, bytes: u64) {
        self.done.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn lost(&self, bytes: u64) {
        let _ = self.done.fetch_update(Relaxed, Relaxed, |done| Some(done.saturating_sub(bytes)));
    }
}
