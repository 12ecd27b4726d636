//! Who signs a release here and now: some of the editors of the root in force, or, where there is no root yet, those who make the first.

use crate::key::SigningKeyFile;
use crate::promise::LogKey;
use crate::release::Written;
use crate::request::Request;
use crate::site::Site;
use crate::staged::first_lines;
use crate::{Error, Job, Result, Waiting};
use daylight_archive::note::Note;
use daylight_archive::policy::Policy;
use daylight_archive::release::ReleaseNote;
use daylight_archive::root::{Quorum, Root};
use daylight_archive::{Key, Signer, paths};
use daylight_model::Digest;
use std::collections::BTreeSet;

/// Who signs, and the root under which they do.
pub(crate) struct Editors<'a> {
    signers: Vec<&'a Signer>,
    /// SHA-256 of the JSON of the root in force, or of the first.
    pub(crate) root: Digest,
    /// Its editors, in whose order their signatures stand.
    keys: Vec<Key>,
    /// The root that is to be put in force first, where the archive has none: its JSON and its signed note.
    pub(crate) first_root: Option<(Vec<u8>, Vec<u8>)>,
    /// Whether they are as many as must sign.
    pub(crate) enough: bool,
}

impl<'a> Editors<'a> {
    /// All keys given must be editors' keys of the root in force; where there is no root yet they make the first.
    pub(crate) fn of(site: &Site, job: &Job<'a>, log_key: &LogKey) -> Result<Self> {
        let signers: Vec<&Signer> = job.editors.iter().map(SigningKeyFile::signer).collect();
        let Some(archive) = site.archive() else { return Self::beginning(&first_root(site, job, log_key)?, signers) };
        let root = archive.root();
        if let Some(stranger) = job.editors.iter().find(|file| !root.editors.keys.contains(&file.key())) {
            return Err(not_an_editor(stranger, root));
        }
        let given: BTreeSet<[u8; 32]> = signers.iter().map(|signer| *signer.key().public()).collect();
        let (keys, enough) = (root.editors.keys.clone(), given.len() >= root.editors.threshold);
        Ok(Self { signers, root: archive.root_digest(), keys, first_root: None, enough })
    }

    fn beginning(root: &Root, signers: Vec<&'a Signer>) -> Result<Self> {
        // Written once to see that it keeps the rules, before anything is on disk.
        let json = root.to_json().map_err(|error| Error::Root(error.to_string()))?;
        let mut editors = Self { signers, root: Digest::of(&json), keys: root.editors.keys.clone(), first_root: None, enough: true };
        let sig = editors.sign(root.note().map_err(Error::format)?).to_bytes();
        editors.first_root = Some((json, sig));
        Ok(editors)
    }

    /// Signs with every key that was given. The lines stand in the order of the root's editors, whoever signed first.
    pub(crate) fn sign(&self, note: Note) -> Note {
        let mut note = note;
        self.signers.iter().for_each(|signer| note.sign(signer));
        note.order_by(&self.keys);
        note
    }

    /// Asks the others for their signatures of a release that is staged.
    pub(crate) fn ask(&self, site: &Site, note: &ReleaseNote, written: &Written) -> Result<Waiting> {
        let chain = site.archive().ok_or_else(|| Error::NoRoot(site.dir().to_owned()))?.chain();
        let mut request = Request::release(chain, note, &first_lines(site.dir(), note)?).map_err(Error::format)?;
        for signer in &self.signers {
            request.sign(signer).map_err(Error::format)?;
        }
        let staged = site.path(&paths::release_prefix(note.serial));
        Ok(Waiting { request, serial: note.serial, documents: note.lines, bytes: written.bytes, staged })
    }
}

fn not_an_editor(file: &SigningKeyFile, root: &Root) -> Error {
    let editors: Vec<&str> = root.editors.keys.iter().map(Key::name).collect();
    Error::NotAnEditor { path: file.path().to_owned(), origin: root.origin.clone(), version: root.version, editors: editors.join(", ") }
}

/// One of one; else at least two and fewer than all, by default more than half.
fn first_root(site: &Site, job: &Job<'_>, log_key: &LogKey) -> Result<Root> {
    let keys: Vec<_> = job.editors.iter().map(SigningKeyFile::key).collect();
    if keys.is_empty() {
        return Err(Error::NoRoot(site.dir().to_owned()));
    }
    let threshold = job.threshold.unwrap_or_else(|| default_threshold(keys.len()));
    Ok(Root {
        version: 1,
        origin: site.origin().to_owned(),
        editors: Quorum { keys, threshold },
        recovery: Quorum { keys: Vec::new(), threshold: 0 },
        log: log_key.key(),
        retired: Vec::new(),
        witnesses: Policy::none(),
        mirrors: Vec::new(),
        onions: Vec::new(),
    })
}

/// How many of so many editors sign where nobody says: more than half.
pub(crate) fn default_threshold(editors: usize) -> usize {
    if editors == 1 { 1 } else { (editors / 2 + 1).max(2) }
}
