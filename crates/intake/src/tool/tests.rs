use super::*;
use daylight_archive::directory::{DirectoryError, DirectoryFile, DirectoryNote};
use daylight_archive::entry::{Entry, Logged};
use daylight_archive::log::{Files, TilePath, leaf_hash, root_of};
use daylight_archive::policy::Policy;
use daylight_archive::root::{Quorum, Root};
use daylight_archive::{Checkpoint, Signer, paths};
use daylight_envelope::{Codename, Identity, Newsroom, SourceKeys};
use daylight_model::Digest;
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::io;
use zeroize::Zeroizing;

mod receiving;
mod sending;
mod trusting;

const ORIGIN: &str = "news.example/papers";
const DAY: u32 = 20_785;
const NOW: u64 = DAY as u64 * 86_400 + 40_000;

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

fn witness(at: u8) -> Signer {
    signer(&format!("witness{at}.example"), 100 + at)
}

/// A newsroom's archive in memory: one root, two members, three witnesses of whom two must cosign.
struct Paper {
    root: Vec<u8>,
    entries: Vec<Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Files for Paper {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Paper {
    fn new(witnesses: u8) -> Self {
        let root = Self::root(1, witnesses, &signer(ORIGIN, 9));
        let mut paper = Self { root: root.to_json().unwrap(), entries: Vec::new(), files: BTreeMap::new() };
        let digest = paper.put_root(&root);
        paper.log(&Entry::Root { version: 1, json: digest });
        paper
    }

    fn root(version: u64, witnesses: u8, log: &Signer) -> Root {
        let watching: Vec<_> = (1..=witnesses).map(|at| (witness(at).cosigner_key(), format!("https://w{at}.example/"))).collect();
        Root {
            version,
            origin: ORIGIN.into(),
            editors: Quorum { keys: vec![signer("ana", 1).key()], threshold: 1 },
            recovery: Quorum { keys: vec![], threshold: 0 },
            log: log.key(),
            retired: vec![],
            witnesses: if watching.is_empty() { Policy::none() } else { Policy::of(&watching, 2).unwrap() },
            mirrors: vec![],
            onions: vec![],
        }
    }

    /// Writes a root's files, signed by its editor.
    fn put_root(&mut self, root: &Root) -> Digest {
        let json = root.to_json().unwrap();
        let mut sig = root.note().unwrap();
        sig.sign(&signer("ana", 1));
        self.files.insert(paths::root_json(root.version), json.clone());
        self.files.insert(paths::root_sig(root.version), sig.to_bytes());
        Digest::of(&json)
    }

    fn anchor(&self) -> Anchor {
        Anchor(Digest::of(&self.root))
    }

    fn newsroom(&self) -> Newsroom {
        Newsroom(Digest::of(&self.root).0)
    }

    fn log(&mut self, entry: &Entry) {
        self.entries.push(entry.to_json().unwrap());
    }

    fn log_directory(&mut self, file: &DirectoryFile) {
        self.log(&Entry::Directory(Logged { serial: file.told.serial, note: Digest::of(&file.note.to_bytes()) }));
    }

    /// A directory of two members for today and tomorrow, signed by this editor.
    fn directory(&self, serial: u64, seed: u8, by: &Signer) -> DirectoryFile {
        let keys: Vec<[u8; 1216]> = (0..4).map(|at| identity(seed, at).recipient().to_bytes()).collect();
        let digests: Vec<Digest> = keys.iter().map(|key| Digest::of(key)).collect();
        let told = DirectoryNote {
            origin: ORIGIN.into(),
            serial,
            root: Digest::of(&self.root),
            time: NOW as i64 - 1000,
            members: vec![signer("ana", 1).key(), signer("ben", 2).key()],
            first: DAY,
            epochs: digests.chunks(2).map(<[Digest]>::to_vec).collect(),
        };
        let mut note = told.note().unwrap();
        note.sign(by);
        DirectoryFile::new(note, keys.concat()).unwrap()
    }

    /// Writes the log's files and its checkpoint, cosigned by these witnesses at these times.
    fn publish(&mut self, cosigned: &[(u8, u64)]) {
        self.publish_as(&signer(ORIGIN, 9), cosigned);
    }

    fn publish_as(&mut self, log: &Signer, cosigned: &[(u8, u64)]) {
        let leaves: Vec<Digest> = self.entries.iter().map(|entry| leaf_hash(entry)).collect();
        let bundle = TilePath { level: None, index: 0, width: leaves.len() as u16 };
        let bytes = self.entries.iter().flat_map(|entry| [&(entry.len() as u16).to_be_bytes(), entry.as_slice()].concat()).collect();
        self.files.insert(bundle.to_string(), bytes);
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: leaves.len() as u64, root: root_of(&leaves) };
        let mut note = checkpoint.sign(log).unwrap();
        cosigned.iter().for_each(|(at, time)| note.cosign(&witness(*at), *time));
        self.files.insert(paths::CHECKPOINT.into(), note.to_bytes());
    }

    /// With a directory that is logged, and everything as it should be.
    fn published() -> (Self, DirectoryFile) {
        let mut paper = Self::new(3);
        let file = paper.directory(1, 50, &signer("ana", 1));
        paper.log_directory(&file);
        paper.publish(&[(1, NOW - 100), (3, NOW - OLDEST + 10)]);
        (paper, file)
    }

    fn watched(&self) -> Result<Watched, TrustError> {
        Watched::read(self, self.anchor(), NOW, true)
    }
}

/// A member's key: the first two are today's.
fn identity(seed: u8, at: u8) -> Identity {
    Identity::from_seed(Zeroizing::new([seed + at; 32]))
}

fn source(newsroom: &Newsroom) -> SourceKeys {
    Codename::generate().unwrap().keys(newsroom)
}
