//! Witnesses as they must be, asked in memory and over sockets.

mod asked;
mod forks;
mod judging;
mod pinning;
mod serving;

use super::*;
use daylight_archive::log::{Builder, Tree, leaf_hash};
use daylight_archive::note::Note;
use daylight_archive::policy::Policy;
use daylight_archive::root::{Quorum, Root};
use daylight_archive::witness::AddCheckpoint;
use daylight_archive::{Checkpoint, Signer};
use daylight_model::Digest;
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::path::PathBuf;

const ORIGIN: &str = "archive.example/test";
const NOW: u64 = 1_800_000_000;

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

fn log_key() -> Signer {
    signer(ORIGIN, 1)
}

fn witness_key() -> Signer {
    signer("witness.example/w1", 80)
}

/// A log of which every size is known. Logs of one `fork` agree in all; those of two agree in their first `common` entries.
struct Grown {
    leaves: Vec<Digest>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Grown {
    fn new(size: u64, common: u64, fork: &str) -> Self {
        let entry = |i| if i < common { format!("entry {i}") } else { format!("entry {i} of {fork}") };
        let leaves: Vec<Digest> = (0..size).map(|i| leaf_hash(entry(i).as_bytes())).collect();
        let mut files = BTreeMap::new();
        let mut tree = Builder::new();
        for leaf in &leaves {
            tree.push(*leaf);
            files.extend(tree.take_full().into_iter().chain(tree.partial()));
        }
        Self { leaves, files }
    }

    fn checkpoint(&self, size: u64) -> Checkpoint {
        let mut tree = Builder::new();
        self.leaves[..size as usize].iter().for_each(|leaf| tree.push(*leaf));
        Checkpoint { origin: ORIGIN.into(), size, root: tree.root() }
    }

    fn signed(&self, size: u64) -> Note {
        self.checkpoint(size).sign(&log_key()).unwrap()
    }

    fn proof(&self, old: u64, size: u64) -> Vec<Digest> {
        Tree::new(&self.files, "", size).consistency(old).unwrap()
    }

    fn request(&self, old: u64, size: u64) -> Vec<u8> {
        AddCheckpoint { old, proof: self.proof(old, size), checkpoint: self.signed(size) }.to_bytes()
    }
}

fn root(version: u64, log: &Signer) -> Root {
    let none = Quorum { keys: Vec::new(), threshold: 0 };
    Root {
        version,
        origin: ORIGIN.into(),
        editors: Quorum { keys: vec![signer("ana", 2).key()], threshold: 1 },
        recovery: none,
        log: log.key(),
        retired: Vec::new(),
        witnesses: Policy::none(),
        mirrors: Vec::new(),
        onions: Vec::new(),
    }
}

/// A witness in a temporary folder that was told of the log.
struct Told {
    folder: tempfile::TempDir,
    state: State,
}

impl Told {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open_or_create(&folder.path().join("state")).unwrap();
        assert!(state.pin_key(&log_key().key().to_string(), false).unwrap().changed);
        Self { folder, state }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ask(&self, body: &[u8]) -> Result<Cosigned, Refusal> {
        self.state.add_checkpoint(body, &witness_key(), NOW)
    }

    /// The size that is stored, and that what is stored is signed by the log and the witness.
    fn stored(&self) -> Option<u64> {
        let (checkpoint, note) = self.state.logs().unwrap().remove(0).last?;
        note.require(&[log_key().key(), witness_key().cosigner_key()], 2).unwrap();
        Some(checkpoint.size)
    }
}
