//! What the source's tool believes: a root that the source has from elsewhere, what follows from it, and a log that witnesses saw not long ago.

use daylight_archive::directory::{Directory, DirectoryError};
use daylight_archive::entry::Entry;
use daylight_archive::log::{Files, TilePath, leaf_hash, parse_bundle, root_of};
use daylight_archive::note::Note;
use daylight_archive::root::{Chain, Link};
use daylight_archive::{Checkpoint, Key, paths};
use daylight_envelope::Newsroom;
use daylight_model::Digest;
use std::collections::BTreeSet;
use std::io;

/// How old a witness's cosignature may be, in seconds: two days.
pub const OLDEST: u64 = 48 * 3600;
/// How far a witness's clock may be ahead of ours, in seconds.
const CLOCKS_DIFFER: u64 = 3600;
/// The most roots and the most entries that are read.
const MOST_ROOTS: u64 = 10_000;
const MOST_ENTRIES: u64 = 1 << 20;

/// The root that a source trusts, as it was told elsewhere than by the drop: SHA-256 of the bytes of a `root/<n>.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor(pub Digest);

/// Why nothing is sealed to anybody.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file of the archive was not got.
    #[error("the newsroom's archive cannot be read: {path}: {source}")]
    Archive {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The archive contradicts itself.
    #[error("the newsroom's archive is not as it was signed: {path}: {what}")]
    Damaged {
        /// Where.
        path: String,
        /// How.
        what: String,
    },
    /// None of its roots is the one that is trusted.
    #[error("this is another newsroom's archive, or a forged one: none of its roots is the one that you gave")]
    Stranger,
    /// Too few witnesses saw it lately.
    #[error(
        "only {fresh} of {all} witnesses saw this archive in the last 48 hours, and {needed} must have: it may be an old or a forged state"
    )]
    Unseen {
        /// How many did.
        fresh: usize,
        /// How many there are.
        all: usize,
        /// What the root asks for, in words.
        needed: String,
    },
    /// Its root names no witnesses.
    #[error(
        "the newsroom's archive names no witnesses, so nobody vouches that you are shown the same keys as everybody else: ask it to choose some, or take its word with --without-witnesses"
    )]
    NoWitnesses,
    /// The directory that the drop gave.
    #[error("the drop's keys are refused: {0}")]
    Directory(#[from] DirectoryError),
}

/// A newsroom's archive as far as a source needs it: its roots and the entries of its log, up to a checkpoint that the log signed.
#[derive(Debug)]
pub struct Watched {
    chain: Chain,
    entries: Vec<Entry>,
}

impl Watched {
    /// Reads the roots and the log of an archive, which may be any copy, and checks all of it: the roots follow from each other, the one in
    /// force is the trusted one or follows from it, the log has the entries that its checkpoint signs, and enough of its witnesses cosigned that checkpoint since `now` − 48 h.
    ///
    /// `witnesses` says whether the last is asked for; without it one takes the log's word alone.
    pub fn read(files: &dyn Files, anchor: Anchor, now: u64, witnesses: bool) -> Result<Self, TrustError> {
        let chain = chain(files)?;
        let trusted = chain.by_digest(&anchor.0).ok_or(TrustError::Stranger)?.root.version;
        let bytes = read(files, paths::CHECKPOINT)?;
        let (checkpoint, note, key) = checkpoint(&bytes, &chain).map_err(|what| damaged(paths::CHECKPOINT, what))?;
        let entries = entries(files, &checkpoint)?;
        let link = in_force(&chain, &entries).map_err(|what| damaged("root", what))?;
        // What is in force must be the trusted root or follow from it: one that only lies behind it could have been put before it by anybody whom an
        // earlier root of theirs allows to.
        if link.root.version < trusted {
            return Err(TrustError::Stranger);
        }
        if link.root.log != key {
            return Err(damaged(paths::CHECKPOINT, "it is signed with a key that is not the log's in the root in force"));
        }
        if witnesses {
            seen(link, &note, now)?;
        }
        Ok(Self { chain, entries })
    }

    /// Who the newsroom is: the SHA-256 of its first root.
    pub fn newsroom(&self) -> Newsroom {
        Newsroom(self.chain.links()[0].digest.0)
    }

    /// The directory that a drop gave, if it is the newest one in the log.
    pub fn directory(&self, file: &[u8]) -> Result<Directory, TrustError> {
        Ok(Directory::verify(file, &self.chain, &self.entries)?)
    }
}

fn damaged(path: &str, what: impl ToString) -> TrustError {
    TrustError::Damaged { path: path.to_owned(), what: what.to_string() }
}

fn read(files: &dyn Files, path: &str) -> Result<Vec<u8>, TrustError> {
    files.read(path).map_err(|source| TrustError::Archive { path: path.to_owned(), source })
}

fn chain(files: &dyn Files) -> Result<Chain, TrustError> {
    let (json, sig) = (paths::root_json(1), paths::root_sig(1));
    let mut chain = Chain::begin(&read(files, &json)?, &read(files, &sig)?).map_err(|error| damaged(&json, error))?;
    for version in 2..MOST_ROOTS {
        let (json, sig) = (paths::root_json(version), paths::root_sig(version));
        match read(files, &json) {
            Err(TrustError::Archive { source, .. }) if source.kind() == io::ErrorKind::NotFound => break,
            text => chain.extend(&text?, &read(files, &sig)?).map_err(|error| damaged(&json, error))?,
        }
    }
    Ok(chain)
}

/// The checkpoint, its note, and the newest log key that signed it.
fn checkpoint(bytes: &[u8], chain: &Chain) -> Result<(Checkpoint, Note, Key), String> {
    let mut refused = "no key of the log signed it".to_owned();
    for link in chain.links().iter().rev() {
        match Checkpoint::open(bytes, &link.root.log) {
            Ok((checkpoint, note)) if checkpoint.origin == link.root.origin => return Ok((checkpoint, note, link.root.log.clone())),
            Ok(_) => return Err("it is of another archive".into()),
            Err(error) => refused = error.to_string(),
        }
    }
    Err(refused)
}

/// All entries of the log, which are those that the checkpoint signs.
fn entries(files: &dyn Files, checkpoint: &Checkpoint) -> Result<Vec<Entry>, TrustError> {
    if checkpoint.size > MOST_ENTRIES {
        return Err(damaged(paths::CHECKPOINT, "it claims more entries than any archive has"));
    }
    let (mut entries, mut leaves) = (Vec::new(), Vec::new());
    for bundle in TilePath::bundles(checkpoint.size) {
        let path = bundle.to_string();
        let bytes = read(files, &path)?;
        let found = parse_bundle(&bytes).filter(|found| found.len() == usize::from(bundle.width));
        for entry in found.ok_or_else(|| damaged(&path, "not as many entries as it should have"))? {
            leaves.push(leaf_hash(entry));
            entries.push(Entry::parse(entry).map_err(|error| damaged(&path, error))?);
        }
    }
    if root_of(&leaves) == checkpoint.root {
        Ok(entries)
    } else {
        Err(damaged(paths::CHECKPOINT, "the log's entries are not those that it signs: something was left out or exchanged"))
    }
}

/// The root that was logged last. Every root that is logged must be the one of the chain.
fn in_force<'a>(chain: &'a Chain, entries: &[Entry]) -> Result<&'a Link, String> {
    let mut last = None;
    let logged = entries.iter().filter_map(|entry| match entry {
        Entry::Root { version, json } => Some((*version, *json)),
        _ => None,
    });
    for (place, (version, json)) in logged.enumerate() {
        let link = chain.links().get(place).filter(|link| link.root.version == version && link.digest == json);
        last = Some(link.ok_or_else(|| format!("root {version} of the log is not the archive's"))?);
    }
    last.ok_or_else(|| "the log has no root".into())
}

/// Whether enough witnesses cosigned the checkpoint lately, by the policy of the root in force.
fn seen(link: &Link, note: &Note, now: u64) -> Result<(), TrustError> {
    let policy = &link.root.witnesses;
    if !policy.needs_witnesses() {
        return Err(TrustError::NoWitnesses);
    }
    let witnessed = policy.witnessed(note).map_err(|error| damaged(paths::CHECKPOINT, error))?;
    let lately = now.saturating_sub(OLDEST)..=now.saturating_add(CLOCKS_DIFFER);
    let seen = witnessed.witnesses.iter().enumerate();
    let fresh: BTreeSet<usize> =
        seen.filter(|(_, seen)| seen.time.is_some_and(|time| lately.contains(&time))).map(|(place, _)| place).collect();
    if policy.is_met_by(&fresh) {
        return Ok(());
    }
    Err(TrustError::Unseen { fresh: fresh.len(), all: witnessed.witnesses.len(), needed: witnessed.needed })
}
