//! Roots and checkpoints as a site offers them: whose they are, before anything else is asked.

use super::{Ended, Stated, Update, failed};
use crate::address::Address;
use crate::http::HttpError;
use crate::log::Log;
use crate::sites::Trouble;
use crate::state::{Pinned, Trust};
use daylight_archive::note::{Note, NoteError};
use daylight_archive::root::{Chain, Root, RootError};
use daylight_archive::{Checkpoint, Key, paths};
use daylight_model::Digest;

/// The most bytes of a root, of its signatures, of a checkpoint.
const SMALL: u64 = 1 << 20;

impl Update<'_> {
    /// The roots: those of the copy, or for the first time a site's, which must follow from what is trusted.
    pub(super) fn chain(&self, site: &Address) -> Result<Option<Chain>, Ended> {
        let path = paths::root_json(1);
        let mut chain = match &self.known {
            Some(known) => known.chain().clone(),
            None => {
                let first = self.root_files(site, 1).and_then(|(json, sig)| Chain::begin(&json, &sig).map_err(|e| wrong(&e)));
                match self.noted(site, &path, first)? {
                    Some(chain) => chain,
                    None => return Ok(None),
                }
            }
        };
        let version = self.trusted_version()?;
        while chain.last().root.version < version {
            let path = paths::root_json(chain.last().root.version + 1);
            let next = self.next_root(site, &mut chain);
            if self.noted(site, &path, next)?.is_none() {
                return Ok(None);
            }
        }
        match self.distrusted(&chain)? {
            None => Ok(Some(chain)),
            Some(what) if self.known.is_some() => Err(failed(format!("{} holds another archive: {what}", self.home.copy().display()))),
            Some(what) => self.refuse(site, &path, &what, true),
        }
    }

    /// The version of the root that is trusted; 0 where none is.
    fn trusted_version(&self) -> Result<u64, Ended> {
        let given = self.job.root.map(Root::parse).transpose();
        let given = given.map_err(|e| failed(format!("the root that was given is none: {e}")))?;
        Ok(given.map(|root| root.version).max(self.state.as_ref().map(|state| state.pinned.version)).unwrap_or(0))
    }

    /// Why roots do not follow from what is trusted, if they do not.
    fn distrusted(&self, chain: &Chain) -> Result<Option<String>, Ended> {
        if self.job.root.is_some_and(|given| !chain.is_anchored_by(given)) {
            return Ok(Some("none of its roots is the one that was given: it is another publisher's archive".into()));
        }
        let pinned = self.state.as_ref().map(|state| state.pinned);
        if pinned.is_some_and(|pinned| chain.by_digest(&pinned.sha256).is_none()) {
            return Ok(Some("none of its roots is the one that is pinned: it is another publisher's archive".into()));
        }
        Ok(None)
    }

    fn root_files(&self, site: &Address, version: u64) -> Result<(Vec<u8>, Vec<u8>), Trouble> {
        let json = self.sites.whole(site, &paths::root_json(version), SMALL)?;
        let sig = self.sites.whole(site, &paths::root_sig(version), SMALL)?;
        [&json, &sig].into_iter().for_each(|file| self.sites.used(site, file.len() as u64));
        Ok((json, sig))
    }

    fn next_root(&self, site: &Address, chain: &mut Chain) -> Result<(), Trouble> {
        let (json, sig) = self.root_files(site, chain.last().root.version + 1)?;
        chain.extend(&json, &sig).map_err(|e| wrong(&e))
    }

    /// The checkpoint that a site has, if this log signed it. Where a root that is not known here may have changed the log's key, that is looked for.
    pub(super) fn offered(&self, site: &Address, chain: &mut Chain) -> Result<Option<Stated>, Ended> {
        let path = paths::CHECKPOINT;
        let bytes = self.sites.whole(site, path, SMALL);
        let Some(bytes) = self.noted(site, path, bytes)? else { return Ok(None) };
        loop {
            match read(&bytes, chain) {
                Ok(checkpoint) => {
                    self.sites.used(site, bytes.len() as u64);
                    return Ok(Some(Stated { checkpoint, bytes }));
                }
                Err(Unread::Unsigned) => {
                    let next = self.next_root(site, chain);
                    match next {
                        Ok(()) => {}
                        Err(Trouble::Http(HttpError::Missing(_))) => return self.refuse(site, path, "not signed by the log's key", true),
                        Err(trouble) => return self.noted(site, &paths::root_json(chain.last().root.version + 1), Err(trouble)),
                    }
                }
                Err(Unread::Wrong(what)) => return self.refuse(site, path, &what, true),
            }
        }
    }

    /// Makes the chain as long as the log says it is. Gives whether that could be done.
    pub(super) fn roots_of(&self, log: &Log, chain: &mut Chain) -> Result<bool, Ended> {
        while chain.last().root.version < log.roots() {
            let version = chain.last().root.version + 1;
            let before = chain.clone();
            let got = self.sites.first(&paths::root_json(version), |site| {
                *chain = before.clone();
                self.next_root(site, chain)
            });
            got?;
        }
        let distrusted = self.distrusted(chain)?;
        distrusted.map_or(Ok(true), |what| Err(failed(what)))
    }

    /// Says which root is pinned, and since when.
    pub(super) fn pin(&mut self, chain: &Chain) -> Result<(), Ended> {
        let first = &chain.links()[0];
        self.report.origin.clone_from(&first.root.origin);
        let pinned = self.state.as_ref().map(|state| state.pinned);
        let now = |version, sha256, trust| Pinned { version, sha256, trust, since: self.job.now };
        let pinned = match (self.job.root, pinned) {
            // One that somebody gives is better than one that just was there.
            (Some(given), Some(Pinned { trust: Trust::FirstUse, .. }) | None) => {
                let version = Root::parse(given).map_err(|e| failed(e.to_string()))?.version;
                now(version, Digest::of(given), Trust::Given)
            }
            (_, Some(pinned)) => pinned,
            (None, None) => {
                self.report.first_use = true;
                now(1, first.digest, Trust::FirstUse)
            }
        };
        if let Some(link) = chain.by_digest(&pinned.sha256) {
            self.home.keep_root(&link.json)?;
        }
        self.report.pinned = Some(pinned);
        Ok(())
    }
}

pub(super) enum Unread {
    /// None of the keys that are known signed it.
    Unsigned,
    Wrong(String),
}

/// Reads a checkpoint that some log's key of these roots signed.
pub(super) fn read(bytes: &[u8], chain: &Chain) -> Result<Checkpoint, Unread> {
    let wrong = |what: &dyn ToString| Unread::Wrong(what.to_string());
    let note = Note::parse(bytes).map_err(|e| wrong(&e))?;
    let mut keys: Vec<Key> = Vec::new();
    for link in chain.links() {
        if !keys.contains(&link.root.log) {
            keys.push(link.root.log.clone());
        }
    }
    match note.require(&keys, 1) {
        Ok(_) => {}
        Err(NoteError::TooFew { .. }) => return Err(Unread::Unsigned),
        Err(error) => return Err(wrong(&error)),
    }
    let checkpoint = Checkpoint::parse_text(note.text()).map_err(|e| wrong(&e))?;
    let origin = &chain.last().root.origin;
    if checkpoint.origin == *origin {
        Ok(checkpoint)
    } else {
        Err(Unread::Wrong(format!("it is of {:?}, not of {origin:?}", checkpoint.origin)))
    }
}

fn wrong(error: &RootError) -> Trouble {
    Trouble::Wrong(error.to_string())
}
