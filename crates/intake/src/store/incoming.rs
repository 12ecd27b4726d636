//! What is being received: a file without a name that says anything, gone unless it is kept.

use super::record::Record;
use super::{INCOMING, Store, StoreError, create};
use crate::random;
use daylight_model::{Digest, Hasher};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// After how many bytes the room on the disk is looked at again.
const LOOK: u64 = 1 << 20;

/// A file that is being received.
pub(crate) struct Incoming {
    store: Arc<Store>,
    record: Record,
    file: File,
    path: PathBuf,
    length: u64,
    hasher: Hasher,
    kept: bool,
    /// Whether it may be written though the disk is as full as it may get: what is here already.
    in_reserve: bool,
    /// Set when its source has everything deleted.
    forgotten: Arc<AtomicBool>,
}

/// A file that has arrived, and is durable under a name that is not its own yet. It is removed unless it is renamed.
pub(super) struct Arrived {
    pub(super) record: Record,
    pub(super) path: PathBuf,
    pub(super) length: u64,
    pub(super) id: Digest,
    pub(super) forgotten: Arc<AtomicBool>,
}

impl Incoming {
    pub(super) fn create(store: &Arc<Store>, record: Record, in_reserve: bool) -> Result<Self, StoreError> {
        let forgotten = store.shelf().live(&record.lookup);
        let name: [u8; 16] = random::bytes()?;
        let path = store.home.join(INCOMING).join(&Digest::of(&name).to_string()[..32]);
        let mut file = create(&path).map_err(StoreError::disk("receiving"))?;
        let header = file.write_all(&record.to_bytes());
        let incoming =
            Self { store: store.clone(), record, file, path, length: 0, hasher: Hasher::default(), kept: false, in_reserve, forgotten };
        header.map_err(StoreError::disk("receiving"))?;
        Ok(incoming)
    }

    /// How many bytes have come.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn finish(mut self) -> Result<Arrived, StoreError> {
        self.file.sync_all().map_err(StoreError::disk("receiving"))?;
        self.kept = true;
        let id = std::mem::take(&mut self.hasher).finish();
        Ok(Arrived {
            record: self.record.clone(),
            path: std::mem::take(&mut self.path),
            length: self.length,
            id,
            forgotten: self.forgotten.clone(),
        })
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.forgotten.load(Ordering::Relaxed) {
            return Err(io::Error::other("its source had everything deleted"));
        }
        if !self.in_reserve && self.length / LOOK != (self.length + bytes.len() as u64) / LOOK && !self.store.has_room(LOOK) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed when the store is opened.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        // Once it is renamed, nothing has this name any more.
        let _ = fs::remove_file(&self.path);
    }
}
