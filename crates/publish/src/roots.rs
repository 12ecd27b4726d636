//! Who may publish, changed by command: the first root, its successors, and what readers are told of them. A root is proposed as a [`Request`], signed by
//! those who must, and put in force by [`enact`].

use crate::commit::{Addition, append};
use crate::editors::default_threshold;
use crate::promise::LogKey;
use crate::request::{Request, Statement};
use crate::site::{Holder, Site};
use crate::{Error, Result, Witnessing};
use daylight_archive::Archive;
use daylight_archive::policy::Policy;
use daylight_archive::root::{Chain, Quorum, Retired, Root, Succession};
use daylight_model::Digest;
use std::path::{Path, PathBuf};

mod changes;

pub use changes::Changes;

/// What is to be proposed.
#[derive(Debug, Clone)]
pub struct Proposal<'a> {
    /// The archive's folder; for the first root it may not exist yet.
    pub archive: &'a Path,
    /// The file of the log's key, made for the first root if there is none. A new log key waits beside it until its root is in the log.
    pub log_key: &'a Path,
    /// What the root says.
    pub changes: Changes,
}

/// A root that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enacted {
    /// The archive's name.
    pub origin: String,
    /// Which root.
    pub version: u64,
    /// The size of the log.
    pub size: u64,
    /// Its file.
    pub root: PathBuf,
    /// How it came to be in force.
    pub succession: Succession,
    /// Whether it was so before: nothing was done.
    pub already: bool,
    /// Whether the log has another key by it.
    pub log_key_changed: bool,
    /// What the user should know of witnesses.
    pub warnings: Vec<String>,
}

/// Asks for signatures of an archive's first root. `origin` is the archive's name if it is to be another than one made of the log's key.
pub fn begin(proposal: &Proposal<'_>, origin: Option<&str>) -> Result<Request> {
    let mut log_key = LogKey::open(proposal.log_key, origin)?;
    let site = Site::open(proposal.archive, &mut log_key, Holder::Same)?;
    let nobody = || Quorum { keys: Vec::new(), threshold: 0 };
    let blank = Root {
        version: 1,
        origin: site.origin().to_owned(),
        editors: nobody(),
        recovery: nobody(),
        log: log_key.key(),
        retired: Vec::new(),
        witnesses: Policy::none(),
        mirrors: Vec::new(),
        onions: Vec::new(),
    };
    let mut root = proposal.changes.apply(&blank)?;
    let editors = root.editors.keys.len();
    root.editors.threshold = proposal.changes.threshold.unwrap_or_else(|| default_threshold(editors));
    // The very root that is in force already may be asked for again: whoever was killed asks twice.
    match site.archive().map(|archive| &archive.chain().links()[0].root) {
        Some(first) if *first != root => Err(Error::HasRoot(site.dir().to_owned())),
        _ => asked(None, &root),
    }
}

/// Asks for signatures of the root that is to follow the one in force: those of both roots' editors, or the recovery keys'.
///
/// Whoever has lost the log's key, or must not trust it any longer, gives a new file for it and asks for the change: what the old key signed is not known
/// then, and it is upon the caller that the archive's copy is the newest.
pub fn change(proposal: &Proposal<'_>) -> Result<Request> {
    let (mut log_key, site) = open(proposal.archive, proposal.log_key, proposal.changes.change_log_key, None)?;
    let archive = site.archive().ok_or_else(|| Error::NoRoot(site.dir().to_owned()))?;
    let old = archive.root();
    if site.resumed() {
        return Err(Error::Resumed { archive: site.dir().to_owned(), size: archive.head(), version: old.version });
    }
    if let Some(version) = done_last(archive, &proposal.changes) {
        return Err(Error::InForce { archive: site.dir().to_owned(), version });
    }
    let mut root = changed(&proposal.changes, old)?;
    if !proposal.changes.change_log_key && log_key.key() != old.log {
        return Err(Error::OtherLogKey(site.dir().to_owned()));
    }
    if proposal.changes.change_log_key {
        root.log = if log_key.key() == old.log { log_key.make_next()? } else { log_key.key() };
    }
    let dropped = old.editors.keys.iter().filter(|key| !root.editors.keys.iter().any(|kept| kept.public() == key.public()));
    root.retired = dropped.map(|key| Retired { key: key.clone(), size: archive.head() }).collect();
    if (Root { version: old.version, retired: old.retired.clone(), ..root.clone() }) == *old {
        return Err(Error::Root("nothing in it would be different".into()));
    }
    asked(Some(archive.chain()), &root)
}

/// The root after this one, but for its log key and what it retires.
fn changed(changes: &Changes, old: &Root) -> Result<Root> {
    let mut root = changes.apply(old)?;
    root.version = old.version + 1;
    if changes.editors.is_some() && changes.threshold.is_none() {
        root.editors.threshold = threshold_for(root.editors.keys.len(), old.editors.threshold);
    }
    Ok(root)
}

/// The version of the root in force, if it is the last thing that was logged and says just what these changes make of the one before: whoever was killed
/// after that asks again, and must not change the log's key twice.
fn done_last(archive: &Archive, changes: &Changes) -> Option<u64> {
    let last = archive.root();
    let before = archive.chain().links().iter().find(|link| link.root.version + 1 == last.version)?;
    let made = changed(changes, &before.root).ok()?;
    let log = if changes.change_log_key { last.log != before.root.log } else { last.log == before.root.log };
    let same = Root { log: last.log.clone(), retired: last.retired.clone(), ..made } == *last;
    (same && log && archive.root_index(last.version)? + 1 == archive.head()).then_some(last.version)
}

/// How many of so many new editors must sign: as many as before where that can be.
fn threshold_for(editors: usize, before: usize) -> usize {
    if (2..editors).contains(&before) { before } else { default_threshold(editors) }
}

fn asked(chain: Option<&Chain>, root: &Root) -> Result<Request> {
    // The rules are told in the words of who proposes, before it is a matter of requests.
    root.to_json().map_err(|error| Error::Root(error.to_string()))?;
    Ok(Request::root(chain, root)?)
}

/// Puts a root in force that enough have signed. Killed at any instant and called again, it ends the same bytes.
///
/// The order is: the root's signatures; the root; the log's entry and tiles; what the log's key of that root signs, beside the key; `checkpoint.pending`,
/// which commits; the cosignatures of the witnesses that the root asks for; `checkpoint`; where the log's key changes, the new one in place of the old.
pub fn enact(archive: &Path, log_key: &Path, request: &Request, witnessing: Option<&Witnessing>) -> Result<Enacted> {
    let Statement::Root(root) = request.statement() else { return Err(Error::OtherKind(request.kind().word())) };
    let json = root.to_json().map_err(Error::format)?;
    let (mut log_key, site) = match request.chain() {
        Some(_) => open(archive, log_key, false, witnessing)?,
        None => {
            let mut log_key = LogKey::open(existing(log_key)?, Some(&root.origin))?.asking(witnessing);
            let site = Site::open(archive, &mut log_key, Holder::Same)?;
            (log_key, site)
        }
    };
    let enacted = |size, succession, already| Enacted {
        origin: root.origin.clone(),
        version: root.version,
        size,
        root: site.path(&daylight_archive::paths::root_json(root.version)),
        succession,
        already,
        log_key_changed: request.chain().is_some_and(|chain| chain.last().root.log != root.log),
        warnings: Vec::new(),
    };
    let logged = |archive: &Archive| {
        archive.chain().by_digest(&Digest::of(&json)).filter(|link| archive.root_index(link.root.version).is_some()).cloned()
    };
    if let Some(link) = site.archive().and_then(logged) {
        return Ok(Enacted { warnings: log_key.heard(), ..enacted(site.size(), link.succession, true) });
    }
    let sig = request.note().to_bytes();
    let succession = check_next(&site, request, &json, &sig, &log_key)?;
    let size = append(&site, &[Addition::root(root.version, json, sig)], &log_key, &root.log)?;
    if log_key.next_key().is_some_and(|next| next == root.log) {
        log_key.succeed()?;
    }
    Ok(Enacted { warnings: log_key.heard(), ..enacted(size, succession, false) })
}

/// The archive must be where it was when the request was made, and all that it has must stay valid.
fn check_next(site: &Site, request: &Request, json: &[u8], sig: &[u8], log_key: &LogKey) -> Result<Succession> {
    let dir = site.dir().to_owned();
    if log_key.promised_size() > site.size() {
        return Err(site.rolled_back(log_key.promised_size()));
    }
    let Statement::Root(root) = request.statement() else { return Err(Error::OtherKind(request.kind().word())) };
    if root.log != log_key.key() && log_key.next_key().is_none_or(|next| root.log != next) {
        return Err(Error::OtherLogKey(dir));
    }
    match (site.archive(), request.chain()) {
        (None, None) => {
            request.require_complete()?;
            Chain::begin(json, sig).map_err(Error::format).map(|chain| chain.last().succession)
        }
        (Some(_), None) => Err(Error::HasRoot(dir)),
        (None, Some(_)) => Err(Error::NoRoot(dir)),
        (Some(archive), Some(chain)) if chain.last().digest != archive.root_digest() => {
            Err(Error::MovedOn { archive: dir, why: format!("root {} is in force by now", archive.root().version) })
        }
        (Some(archive), Some(_)) => {
            request.require_complete()?;
            archive.check_next_root(json, sig).map_err(|error| Error::MovedOn { archive: dir, why: error.to_string() })
        }
    }
}

/// Opens an archive that exists, with a log key that exists, or that is to be made for a change.
fn open(archive: &Path, log_key: &Path, make: bool, witnessing: Option<&Witnessing>) -> Result<(LogKey, Site)> {
    let origin = Archive::open(archive)?.origin().to_owned();
    let mut log_key = LogKey::open(if make { log_key } else { existing(log_key)? }, Some(&origin))?.asking(witnessing);
    let site = Site::open(archive, &mut log_key, Holder::Any)?;
    Ok((log_key, site))
}

fn existing(log_key: &Path) -> Result<&Path> {
    match log_key.metadata() {
        Ok(_) => Ok(log_key),
        Err(error) => Err(Error::Unread(log_key.to_owned(), error)),
    }
}
