//! What an archive's small files say together: roots, checkpoint, log, notes. Opening and verifying read them with the same code; the one stops
//! at the first thing wrong, the other names them all.

use crate::checkpoint::Checkpoint;
use crate::directory::DirectoryNote;
use crate::entry::{Entry, Logged};
use crate::heartbeat::HeartbeatNote;
use crate::key::Key;
use crate::log::{Files, TILE_WIDTH, TilePath, Tree, leaf_hash, parse_bundle, root_of};
use crate::note::Note;
use crate::paths;
use crate::policy::Witnessed;
use crate::release::ReleaseNote;
use crate::root::{Chain, Link, RootError};
use crate::store::unreadable;
use crate::withdraw::WithdrawNote;
use crate::withdrawals::{Withdrawal, Withdrawals};
use daylight_model::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// One release of an archive.
#[derive(Debug, Clone)]
pub struct Release {
    /// What its note says.
    pub note: ReleaseNote,
    /// The bytes of its note's file.
    pub note_bytes: Vec<u8>,
    /// The index of its entry in the log.
    pub index: u64,
}

/// When an archive was last heard of: the last entry of its log that editors signed and dated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignOfLife {
    /// When, as its signers claim: seconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// What it was: `release`, `withdraw`, `directory` or `heartbeat`.
    pub word: &'static str,
    /// The index of its entry in the log.
    pub index: u64,
}

/// The small files, read and checked.
pub(crate) struct State {
    pub(crate) chain: Chain,
    /// The log index at which each root of the chain was logged; shorter than the chain where the newest ones are not logged.
    pub(crate) root_indices: Vec<u64>,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) checkpoint_bytes: Vec<u8>,
    pub(crate) checkpoint_note: Note,
    pub(crate) entries: Vec<Entry>,
    pub(crate) leaves: Vec<Digest>,
    pub(crate) releases: Vec<Release>,
    pub(crate) withdrawals: Withdrawals,
    pub(crate) last_sign: Option<SignOfLife>,
    /// The highest serial of a withdrawal, directory or heartbeat, 0 if there is none.
    pub(crate) last_entry_serial: u64,
}

/// Told of each thing wrong: the path and what is wrong with it.
pub(crate) type Complain<'a> = dyn FnMut(String, String) + 'a;

impl State {
    /// The root in force: the last one that is logged.
    pub(crate) fn in_force(&self) -> &Link {
        let last = self.root_indices.len().clamp(1, self.chain.links().len());
        &self.chain.links()[last - 1]
    }

    /// Who of the witnesses that the root in force names cosigned the checkpoint. `Err` says what speaks against it: too few did where readers are
    /// to see it (`shown`), or one's cosignature is wrong.
    pub(crate) fn witnessed(&self, shown: bool) -> Result<Witnessed, String> {
        let witnessed = self.in_force().root.witnesses.witnessed(&self.checkpoint_note).map_err(|e| e.to_string())?;
        if shown && !witnessed.met {
            let (count, needed) = (witnessed.count(), witnessed.needed);
            return Err(format!("not cosigned by the witnesses that the root asks for: {count} did, {needed} are needed"));
        }
        Ok(witnessed)
    }
}

/// Reads the small files under the checkpoint at `checkpoint`. `None` where nothing more can be said; what is wrong was told then.
pub(crate) fn load(files: &dyn Files, checkpoint: &str, complain: &mut Complain<'_>) -> Option<State> {
    let chain = load_chain(files, complain)?;
    let (checkpoint_bytes, note, signed, log_keys) = load_checkpoint(files, checkpoint, &chain, complain)?;
    let (entries, leaves) = load_log(files, &signed, checkpoint, complain);
    let mut state = State {
        chain,
        root_indices: Vec::new(),
        checkpoint: signed,
        checkpoint_bytes,
        checkpoint_note: note,
        entries: Vec::new(),
        leaves,
        releases: Vec::new(),
        withdrawals: Withdrawals::default(),
        last_sign: None,
        last_entry_serial: 0,
    };
    let mut reading = Reading { files, state: &mut state, complain, last_serials: BTreeMap::new(), serials: BTreeSet::new(), gap: false };
    for (index, bytes) in entries.iter().enumerate() {
        reading.entry(index as u64, bytes);
    }
    check_log_key(&state, &log_keys, checkpoint, complain);
    Some(state)
}

fn load_chain(files: &dyn Files, complain: &mut Complain<'_>) -> Option<Chain> {
    let mut chain: Option<Chain> = None;
    for version in 1.. {
        let (json_path, sig_path) = (paths::root_json(version), paths::root_sig(version));
        let json = match files.read(&json_path) {
            Ok(json) => json,
            Err(e) if e.kind() == io::ErrorKind::NotFound && version > 1 => break,
            Err(e) => {
                complain(json_path, unreadable(&e));
                break;
            }
        };
        let sig = match files.read(&sig_path) {
            Ok(sig) => sig,
            Err(e) => {
                complain(sig_path, unreadable(&e));
                break;
            }
        };
        let extended = match &mut chain {
            Some(chain) => chain.extend(&json, &sig),
            None => Chain::begin(&json, &sig).map(|begun| chain = Some(begun)),
        };
        if let Err(error) = extended {
            let path = if matches!(error, RootError::Note(_) | RootError::Text) { sig_path } else { json_path };
            complain(path, error.to_string());
            break;
        }
    }
    chain
}

/// The checkpoint, and which of the log's keys of all roots signed it.
fn load_checkpoint(
    files: &dyn Files,
    path: &str,
    chain: &Chain,
    complain: &mut Complain<'_>,
) -> Option<(Vec<u8>, Note, Checkpoint, Vec<Key>)> {
    let read = || -> Result<(Vec<u8>, Note, Checkpoint, Vec<Key>), String> {
        let bytes = files.read(path).map_err(|e| unreadable(&e))?;
        let note = Note::parse(&bytes).map_err(|e| e.to_string())?;
        let mut keys: Vec<Key> = Vec::new();
        for link in chain.links() {
            if !keys.contains(&link.root.log) {
                keys.push(link.root.log.clone());
            }
        }
        let signed = note.require(&keys, 1).map_err(|e| e.to_string())?;
        let signed = signed.iter().map(|signed| keys[signed.key].clone()).collect();
        let checkpoint = Checkpoint::parse_text(note.text()).map_err(|e| e.to_string())?;
        let origin = &chain.last().root.origin;
        if checkpoint.origin != *origin {
            return Err(format!("a checkpoint of {:?}, not of {origin:?}", checkpoint.origin));
        }
        Ok((bytes, note, checkpoint, signed))
    };
    read().map_err(|what| complain(path.to_owned(), what)).ok()
}

/// The entries and their leaf hashes. Where they are damaged that is told, and what can be read is given all the same.
fn load_log(files: &dyn Files, checkpoint: &Checkpoint, path: &str, complain: &mut Complain<'_>) -> (Vec<Vec<u8>>, Vec<Digest>) {
    let mut entries = Vec::new();
    let mut whole = true;
    for bundle in TilePath::bundles(checkpoint.size) {
        let path = bundle.to_string();
        let bytes = match files.read(&path) {
            Ok(bytes) => bytes,
            Err(e) => {
                complain(path, unreadable(&e));
                whole = false;
                break;
            }
        };
        match parse_bundle(&bytes).filter(|entries| entries.len() == usize::from(bundle.width)) {
            Some(found) => entries.extend(found.into_iter().map(<[u8]>::to_vec)),
            None => {
                complain(path, format!("not a bundle of {} entries", bundle.width));
                whole = false;
                break;
            }
        }
    }
    let leaves: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    if whole && root_of(&leaves) != checkpoint.root {
        blame(files, checkpoint, &leaves, path, complain);
    }
    (entries, leaves)
}

/// Names the bundles whose entries are not those of their tiles; where there are none, the checkpoint is another log's.
fn blame(files: &dyn Files, checkpoint: &Checkpoint, leaves: &[Digest], path: &str, complain: &mut Complain<'_>) {
    let tree = Tree::new(files, "", checkpoint.size);
    let mut found = false;
    for (index, hashes) in leaves.chunks(TILE_WIDTH as usize).enumerate() {
        let bundle = TilePath { level: None, index: index as u64, width: hashes.len() as u16 };
        if tree.tile(0, index as u64).is_ok_and(|tile| tile != hashes) {
            complain(bundle.to_string(), "its entries are not those of the log".into());
            found = true;
        }
    }
    if !found {
        complain(path.to_owned(), "the log's entries do not have the root that it states".into());
    }
}

struct Reading<'a, 'b> {
    files: &'a dyn Files,
    state: &'a mut State,
    complain: &'a mut Complain<'b>,
    /// The last serial of each type.
    last_serials: BTreeMap<&'static str, u64>,
    /// The serials of everything but releases.
    serials: BTreeSet<u64>,
    /// An entry could not be read, so the order of those after it cannot be told.
    gap: bool,
}

impl Reading<'_, '_> {
    fn entry(&mut self, index: u64, bytes: &[u8]) {
        let entry = match Entry::parse(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                self.gap = true;
                return (self.complain)(format!("log entry {index}"), error.to_string());
            }
        };
        self.state.entries.push(entry);
        let result = match entry {
            Entry::Root { version, json } => self.root(index, version, &json),
            Entry::Release { serial, note } => self.release(index, serial, &note),
            Entry::Withdraw(logged) | Entry::Directory(logged) | Entry::Heartbeat(logged) => self.other(index, &entry, logged),
        };
        if let Err((path, what)) = result {
            (self.complain)(path, what);
        }
    }

    fn root(&mut self, index: u64, version: u64, json: &Digest) -> Result<(), (String, String)> {
        let path = paths::root_json(version);
        let expected = self.state.root_indices.len() as u64 + 1;
        if version != expected {
            return Err((
                format!("log entry {index}"),
                format!("logs root {version} where root {expected} belongs: no version can be skipped"),
            ));
        }
        let link = self.state.chain.links().get(self.state.root_indices.len());
        self.state.root_indices.push(index);
        match link {
            None => Err((path, "logged, but missing or not valid".into())),
            Some(link) if link.digest != *json => Err((path, "not the root that was logged".into())),
            Some(_) => Ok(()),
        }
    }

    fn release(&mut self, index: u64, serial: u64, note: &Digest) -> Result<(), (String, String)> {
        let entry = |what: String| (format!("log entry {index}"), what);
        let expected = self.last_serials.get("release").map_or(1, |last| last + 1);
        if serial != expected && !(self.gap && serial > expected) {
            return Err(entry(format!("logs release {serial} where release {expected} belongs: a serial is logged once, in order")));
        }
        self.last_serials.insert("release", serial);
        let path = paths::release_note(serial);
        let (bytes, signed) = self.note(&path, note)?;
        let told = ReleaseNote::parse_text(signed.text()).map_err(|e| (path.clone(), e.to_string()))?;
        if told.origin != self.state.checkpoint.origin || told.serial != serial {
            return Err((path, format!("the note of release {} of {:?}", told.serial, told.origin)));
        }
        let link = self.state.root_in_force(index, &path)?;
        if told.root != link.digest {
            return Err((path, "names another root than the one in force when it was logged".into()));
        }
        self.state.chain.check_editors(link, &signed, index, link.root.editors.threshold).map_err(|e| (path, e.to_string()))?;
        self.state.last_sign = Some(SignOfLife { time: told.time, word: "release", index });
        self.state.releases.push(Release { note: told, note_bytes: bytes, index });
        Ok(())
    }

    /// What is logged beside releases is checked as far as all of it is alike: hash, first lines, signatures, and that it was signed for this archive,
    /// serial and root. Then each type by itself.
    fn other(&mut self, index: u64, entry: &Entry, logged: Logged) -> Result<(), (String, String)> {
        let word = entry.word();
        let rising = self.last_serials.get(word).is_none_or(|last| logged.serial > *last);
        if logged.serial == 0 || !rising || !self.serials.insert(logged.serial) {
            return Err((format!("log entry {index}"), format!("logs {word} {} out of order or twice", logged.serial)));
        }
        self.last_serials.insert(word, logged.serial);
        self.state.last_entry_serial = self.state.last_entry_serial.max(logged.serial);
        let path = paths::entry_note(logged.serial);
        let (bytes, note) = self.note(&path, &logged.note)?;
        let link = self.state.root_in_force(index, &path)?;
        let head = crate::head::head(word, &self.state.checkpoint.origin, logged.serial, &link.digest);
        if !note.text().starts_with(&head) {
            return Err((path, format!("not a {word} of this archive, serial and root")));
        }
        let needed = if word == "heartbeat" { 1 } else { link.root.editors.threshold };
        self.state.chain.check_editors(link, &note, index, needed).map_err(|e| (path.clone(), e.to_string()))?;
        let told = match entry {
            Entry::Withdraw(_) => self.state.take_withdrawal(index, note.text(), bytes),
            Entry::Heartbeat(_) => self.state.take_heartbeat(index, note.text()),
            Entry::Directory(_) => self.state.take_directory(index, note.text()),
            Entry::Root { .. } | Entry::Release { .. } => Ok(()),
        };
        told.map_err(|what| (path, what))
    }

    fn note(&self, path: &str, digest: &Digest) -> Result<(Vec<u8>, Note), (String, String)> {
        let read = || -> Result<(Vec<u8>, Note), String> {
            let bytes = self.files.read(path).map_err(|e| unreadable(&e))?;
            if Digest::of(&bytes) != *digest {
                return Err("not the note that was logged".into());
            }
            let note = Note::parse(&bytes).map_err(|e| e.to_string())?;
            Ok((bytes, note))
        };
        read().map_err(|what| (path.to_owned(), what))
    }
}

impl State {
    fn take_withdrawal(&mut self, index: u64, text: &str, note_bytes: Vec<u8>) -> Result<(), String> {
        let note = WithdrawNote::parse_text(text).map_err(|e| e.to_string())?;
        let time = note.time;
        let releases = &self.releases;
        // Serials are in order, but a release whose note is damaged is not among them.
        let release = |serial: u64| {
            let found = releases.binary_search_by_key(&serial, |release| release.note.serial).ok()?;
            Some((releases[found].note.collection.as_str(), releases[found].note.lines))
        };
        self.withdrawals.add(Withdrawal { note, note_bytes, index }, release)?;
        self.last_sign = Some(SignOfLife { time, word: "withdraw", index });
        Ok(())
    }

    fn take_heartbeat(&mut self, index: u64, text: &str) -> Result<(), String> {
        let note = HeartbeatNote::parse_text(text).map_err(|e| e.to_string())?;
        self.last_sign = Some(SignOfLife { time: note.time, word: "heartbeat", index });
        Ok(())
    }

    fn take_directory(&mut self, index: u64, text: &str) -> Result<(), String> {
        let note = DirectoryNote::parse_text(text).map_err(|e| e.to_string())?;
        self.last_sign = Some(SignOfLife { time: note.time, word: "directory", index });
        Ok(())
    }

    /// The root in force for the entry at `index`: the last one logged before it.
    fn root_in_force(&self, index: u64, path: &str) -> Result<&Link, (String, String)> {
        let logged = self.root_indices.iter().take_while(|at| **at < index).count();
        let link = logged.checked_sub(1).and_then(|last| self.chain.links().get(last));
        link.ok_or_else(|| (path.to_owned(), "no root was in force when it was logged".into()))
    }
}

/// The checkpoint must be signed by the log's key of the last root that the log has.
fn check_log_key(state: &State, signed: &[Key], path: &str, complain: &mut Complain<'_>) {
    if state.checkpoint.size > 0 && state.root_indices.first() != Some(&0) {
        complain("log entry 0".into(), "the first entry of a log is its first root".into());
    }
    if !signed.contains(&state.in_force().root.log) {
        complain(path.to_owned(), "not signed by the log's key that is in force".into());
    }
}
