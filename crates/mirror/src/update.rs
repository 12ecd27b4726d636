//! One update of a copy: from the roots that are trusted over the checkpoint and the log to the last byte of the last volume, and then all of it into
//! the copy.

use crate::address::Address;
use crate::damaged::Damaged;
use crate::home::{Home, HomeError};
use crate::http::{Client, HttpError};
use crate::log::{Log, MAX_LOG, evidence};
use crate::meter::Meter;
use crate::overlay::Overlay;
use crate::report::Report;
use crate::sites::{Sites, Trouble, Unavailable};
use crate::state::{Asked, State};
use crate::words::in_words;
use daylight_archive::evidence::Evidence;
use daylight_archive::log::Files;
use daylight_archive::note::Note;
use daylight_archive::root::Chain;
use daylight_archive::store::Folder;
use daylight_archive::{Checkpoint, Outline, paths, verify};
use daylight_durable::crash_point;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

mod compare;
mod releases;
mod repair;
mod roots;

/// What is to be copied, from where to where.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The site that is asked first. Others are those that the archive's root lists.
    pub from: &'a Address,
    /// The folder of the copy, made where there is none.
    pub to: &'a Path,
    /// The JSON of a root that is trusted, from elsewhere. Without it the first root that is seen is pinned.
    pub root: Option<&'a [u8]>,
    /// The collections to copy: empty for all; `None` for those that the copy was made of.
    pub only: Option<&'a [String]>,
    /// Checks every file of the copy first, and fetches anew what is damaged.
    pub repair: bool,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// Set when it is to stop.
    pub stop: &'a AtomicBool,
    /// Told how far it has come.
    pub meter: &'a Meter,
}

/// Why an update is not done.
enum Ended {
    /// In a line.
    Failed(String),
    /// No site that is left gives this file; another site's state may do without it.
    Nowhere(String),
    Home(HomeError),
    /// The disk, where what is fetched is kept.
    Here(io::Error),
    Stopped,
}

impl From<HomeError> for Ended {
    fn from(error: HomeError) -> Self {
        Self::Home(error)
    }
}

impl From<Unavailable> for Ended {
    fn from(error: Unavailable) -> Self {
        match error {
            Unavailable::Stopped => Self::Stopped,
            Unavailable::Nowhere(path) => Self::Nowhere(path),
            Unavailable::Here(error) => Self::Here(error),
        }
    }
}

fn failed(what: impl Into<String>) -> Ended {
    Ended::Failed(what.into())
}

/// Brings a copy up to date, or makes it. What went wrong elsewhere is told in the report; errors are about the folders here. Whatever ends it, the
/// copy is a whole archive, the old one or the new one, and doing it again goes on from where it was.
pub fn update(client: &Client, job: Job<'_>) -> Result<Report, HomeError> {
    let home = Home::open(job.to)?;
    let sites = Sites::new(client, job.from.clone(), job.stop);
    let before = client.used();
    let (state, damaged) = (home.state()?, Arc::default());
    let mut update = Update { home: &home, sites: &sites, job, state, known: None, damaged, report: Report::default() };
    let ended = if job.repair { update.repair() } else { update.run() };
    let mut report = update.report;
    match ended {
        Ok(()) => {}
        Err(Ended::Failed(what)) => report.failure = Some(what),
        Err(Ended::Nowhere(path)) => report.failure = Some(Unavailable::Nowhere(path).to_string()),
        Err(Ended::Stopped) => (report.stopped, report.failure) = (true, Some("stopped before it was done".into())),
        Err(Ended::Here(error)) => report.failure = Some(format!("{}: {}", home.beside().display(), in_words(&error))),
        Err(Ended::Home(error)) => return Err(error),
    }
    let used = client.used();
    (report.requests, report.received) = (used.0 - before.0, used.1 - before.1);
    (report.served, report.refused) = (sites.served().into_iter().collect(), sites.refusals());
    if let Some(state) = &mut update.state {
        state.asked = asked(&report, job.now);
        // What went wrong first says why: a disk that is full, say, which keeps this too from being written.
        home.remember(state).or_else(|error| if report.ok() { Err(error) } else { Ok(()) })?;
    }
    Ok(report)
}

/// Who was asked, and what came of it.
fn asked(report: &Report, now: u64) -> Vec<Asked> {
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    for (site, served) in &report.served {
        said.insert(site.to_string(), format!("gave {} files", served.answers));
    }
    for refusal in report.refused.iter().filter(|refusal| !refusal.missing) {
        said.insert(refusal.site.to_string(), format!("{}: {}", refusal.path, refusal.what));
    }
    said.into_iter().map(|(site, said)| Asked { site, time: now, said }).collect()
}

struct Update<'a> {
    home: &'a Home,
    sites: &'a Sites<'a>,
    job: Job<'a>,
    state: Option<State>,
    /// The copy as it is.
    known: Option<Outline>,
    /// What of it is to be fetched anew.
    damaged: Arc<Damaged>,
    report: Report,
}

/// A state of the archive that was accepted once, or is on offer.
#[derive(Debug, Clone)]
struct Stated {
    checkpoint: Checkpoint,
    /// With its signatures.
    bytes: Vec<u8>,
}

/// What is to become the copy.
struct Target {
    outline: Outline,
    log: Log,
    /// Roots that the copy does not have, and the checkpoint: path and bytes.
    small: BTreeMap<String, Vec<u8>>,
}

impl Update<'_> {
    fn run(&mut self) -> Result<(), Ended> {
        self.know()?;
        self.job.meter.step("asking for the checkpoint");
        let mut tried: Vec<Address> = Vec::new();
        // The roots may list sites that were not known before, so the list is looked at anew each time.
        let mut missing = None;
        while let Some(site) = self.sites.good().into_iter().find(|site| !tried.contains(site)) {
            tried.push(site.clone());
            match self.bring(&site) {
                Ok(true) => return self.compare(&tried),
                Ok(false) => {}
                Err(Ended::Nowhere(path)) => missing = Some(path),
                Err(ended) => return Err(ended),
            }
        }
        let why = "no site gave a state of the archive that can be accepted";
        Err(missing.map_or_else(|| failed(why), Ended::Nowhere))
    }

    /// Takes what a site says is the newest state, if it can be accepted.
    fn bring(&mut self, site: &Address) -> Result<bool, Ended> {
        self.sites.prefer(site);
        let Some(mut chain) = self.chain(site)? else { return Ok(false) };
        let root = &chain.last().root;
        self.sites.learn(root.mirrors.iter().chain(&root.onions));
        let Some(offered) = self.offered(site, &mut chain)? else { return Ok(false) };
        if !self.may_follow(site, &chain, &offered)? {
            return Ok(false);
        }
        if self.is_done(&chain, &offered)? {
            return Ok(true);
        }
        let Some(target) = self.target(site, chain, offered)? else { return Ok(false) };
        self.pin(target.outline.chain())?;
        // From here on the folder is known to be a mirror's, whatever a crash leaves in it.
        self.save()?;
        self.releases(target)?;
        self.save()?;
        Ok(true)
    }

    /// Whether the copy has all of what is on offer already.
    fn is_done(&mut self, chain: &Chain, offered: &Stated) -> Result<bool, Ended> {
        let Some(known) = self.known.as_ref().filter(|known| *known.checkpoint() == offered.checkpoint) else { return Ok(false) };
        let done = self.state.is_some()
            && self.damaged.is_empty()
            && self.missing(known).is_empty()
            && self.fuller(chain, offered) == stated(known).bytes;
        if done && let Some(known) = self.known.take() {
            self.pin(known.chain())?;
            self.tell(&known, Vec::new());
            // What was fetched is taken away last: while it is there, a run was broken off that may have erased less than all.
            let broken_off = self.home.fetching().exists();
            self.honour(&known, &|_| broken_off)?;
            self.known = Some(known);
            self.save()?;
            self.forget_fetched()?;
        }
        Ok(done)
    }

    /// What a site gave, if it gave it; otherwise that is noted.
    fn noted<T>(&self, site: &Address, path: &str, got: Result<T, Trouble>) -> Result<Option<T>, Ended> {
        match got {
            Ok(got) => Ok(Some(got)),
            Err(Trouble::Here(error)) => Err(Ended::Here(error)),
            Err(Trouble::Stopped) => Err(Ended::Stopped),
            Err(Trouble::Wrong(what) | Trouble::Http(HttpError::Lie(what))) => self.refuse(site, path, &what, true),
            Err(Trouble::Http(error)) => self.refuse(site, path, &error.to_string(), false),
        }
    }

    fn refuse<T>(&self, site: &Address, path: &str, what: &str, lie: bool) -> Result<Option<T>, Ended> {
        self.sites.refuse(site, path, what, lie);
        Ok(None)
    }

    /// What the copy is, and what was accepted before.
    fn know(&mut self) -> Result<(), Ended> {
        let copy = self.home.copy();
        let is_archive = copy.join(paths::CHECKPOINT).is_file();
        if self.state.is_none() && !self.home.is_empty()? {
            if !is_archive {
                return Err(HomeError::NotAMirror(copy.to_owned()).into());
            }
            // A copy that came another way, on a stick say, is gone on with once all of it was checked.
            self.job.meter.step("checking the archive that is there");
            let report = verify(copy, self.job.root, &mut |_| {});
            if !report.ok() {
                return Err(failed(format!("{} is an archive, but not a good one: {}", copy.display(), report.verdict())));
            }
        }
        if is_archive {
            let outline = Outline::read(&Folder::new(copy), paths::CHECKPOINT);
            match outline {
                Ok(outline) => {
                    self.report.sizes = (outline.checkpoint().size, outline.checkpoint().size);
                    self.report.origin.clone_from(&outline.checkpoint().origin);
                    self.known = Some(outline);
                }
                // Then only what is remembered counts: whose log it is, and how long it must be at least.
                Err(_) if self.job.repair && self.state.is_some() => self.known = None,
                Err(error) => return Err(failed(format!("the copy itself is damaged: {error}; run it again with --repair"))),
            }
        }
        self.report.only = match (self.job.only, &self.state) {
            (Some(only), _) => only.to_vec(),
            (None, Some(state)) => state.only.clone(),
            (None, None) => Vec::new(),
        };
        Ok(())
    }

    /// The newest state that was accepted: the copy's, or one that it is to have.
    fn accepted(&self) -> Option<Stated> {
        let of = |bytes: Vec<u8>| {
            let text = Note::parse(&bytes).ok()?.text().to_owned();
            Some(Stated { checkpoint: Checkpoint::parse_text(&text).ok()?, bytes })
        };
        let saved = self.state.as_ref().and_then(|state| of(state.checkpoint.clone()?.into_bytes()));
        let known = self.known.as_ref().and_then(|known| of(known.checkpoint_note().to_bytes()));
        [saved, known].into_iter().flatten().max_by_key(|stated| stated.checkpoint.size)
    }

    /// Whether what is on offer may be newer than, or the same as, what was accepted. What contradicts that is kept as evidence.
    fn may_follow(&mut self, site: &Address, chain: &Chain, offered: &Stated) -> Result<bool, Ended> {
        let path = paths::CHECKPOINT;
        let size = offered.checkpoint.size;
        if size > MAX_LOG {
            let what =
                format!("it claims a log of {size} entries, far beyond any: whoever believed it would believe nothing that comes later");
            self.sites.refuse(site, path, &what, true);
            return Ok(false);
        }
        if size == 0 {
            self.sites.refuse(site, path, "its log is empty: nothing has been published yet", false);
            return Ok(false);
        }
        let Some(accepted) = self.accepted() else { return Ok(true) };
        if size > accepted.checkpoint.size || offered.checkpoint == accepted.checkpoint {
            return Ok(true);
        }
        if size < accepted.checkpoint.size {
            let known = self.known.as_ref().filter(|known| known.checkpoint().size == accepted.checkpoint.size);
            let ours = known.and_then(|known| known.root_at(size));
            if ours.is_none_or(|root| root == offered.checkpoint.root) {
                let what = format!("a rollback: its log has {size} entries, and {} were accepted before", accepted.checkpoint.size);
                self.sites.refuse(site, path, &what, false);
                return Ok(false);
            }
            let leaves = known.map(|known| known.leaves().to_vec()).unwrap_or_default();
            let log = Log { leaves, ..Log::default() };
            let found = log.contradiction(chain, (&offered.checkpoint, &offered.bytes), &accepted.bytes);
            self.contradicted(site, found)?;
            return Ok(false);
        }
        self.contradicted(site, Some(evidence(chain, &accepted.bytes, &offered.bytes)))?;
        Ok(false)
    }

    /// The log signed two states that cannot both be true: that is kept for all to see, and nothing of it is believed.
    fn contradicted(&mut self, site: &Address, found: Option<Evidence>) -> Result<(), Ended> {
        let mut what = "a fork: the log signed two states that cannot both be true".to_owned();
        if let Some(found) = found.filter(|found| found.check(None).is_ok()) {
            let bytes = found.to_bytes().map_err(|e| failed(e.to_string()))?;
            let kept = self.home.keep_evidence(&bytes)?;
            what = format!("{what}; the evidence is kept in {}", kept.display());
            self.report.evidence.push(kept);
        }
        self.sites.refuse(site, paths::CHECKPOINT, &what, true);
        Ok(())
    }

    /// Everything small of the state that is on offer, checked together.
    fn target(&mut self, site: &Address, mut chain: Chain, offered: Stated) -> Result<Option<Target>, Ended> {
        self.job.meter.step("reading the log");
        let Some(log) = self.log(site, &chain, &offered)? else { return Ok(None) };
        if !self.roots_of(&log, &mut chain)? {
            return Ok(None);
        }
        let mut small = BTreeMap::from([(paths::CHECKPOINT.to_owned(), self.fuller(&chain, &offered))]);
        for link in &chain.links()[..usize::try_from(log.roots()).unwrap_or(usize::MAX).min(chain.links().len())] {
            small.insert(paths::root_json(link.root.version), link.json.clone());
            small.insert(paths::root_sig(link.root.version), link.sig.clone());
        }
        self.notes(&log)?;
        let all: BTreeMap<_, _> = small.iter().chain(&log.fetched).map(|(path, bytes)| (path.clone(), bytes.clone())).collect();
        let overlay = Overlay::new(&self.home.fetching(), self.home.copy()).with(all);
        // Whatever is wrong now is under the log's own signature, so no other site can give it better.
        let outline = Outline::read(&overlay, paths::CHECKPOINT)
            .map_err(|e| failed(format!("what the log of {} signed is not valid: {e}", offered.checkpoint.origin)))?;
        match outline.in_force().root.witnesses.is_met(outline.checkpoint_note()) {
            Ok(true) => Ok(Some(Target { outline, log, small })),
            Ok(false) => self.refuse(site, paths::CHECKPOINT, "not cosigned by the witnesses that the root asks for", false),
            Err(error) => self.refuse(site, paths::CHECKPOINT, &error.to_string(), true),
        }
    }

    /// The log that is on offer, if it is the one that was signed and goes on from what was accepted.
    fn log(&mut self, site: &Address, chain: &Chain, offered: &Stated) -> Result<Option<Log>, Ended> {
        let copy = Folder::new(self.home.copy());
        let nothing = BTreeMap::new();
        let here: &dyn Files = if self.known.is_some() { &copy } else { &nothing };
        let mut log = Log::fetch(self.sites, here, &offered.checkpoint)?;
        if !log.fits(&offered.checkpoint) && self.known.is_some() {
            // Perhaps what is here is not the beginning of it.
            log = Log::fetch(self.sites, &nothing, &offered.checkpoint)?;
        }
        if !log.fits(&offered.checkpoint) {
            return self.refuse(site, "tile/entries/", "the log's entries do not have the root that its checkpoint states", true);
        }
        let before = [self.accepted(), self.known.as_ref().map(stated)];
        let Some(older) = before.into_iter().flatten().find(|older| !log.continues(&older.checkpoint)) else { return Ok(Some(log)) };
        let found = log.contradiction(chain, (&older.checkpoint, &older.bytes), &offered.bytes);
        self.contradicted(site, found)?;
        Ok(None)
    }

    /// Of two notes on the same state the one that more witnesses cosigned.
    fn fuller(&self, chain: &Chain, offered: &Stated) -> Vec<u8> {
        let keys: Vec<_> = chain.links().iter().flat_map(|link| link.root.witnesses.witnesses().to_vec()).collect();
        let count = |bytes: &[u8]| Note::parse(bytes).and_then(|note| note.signed_by(&keys)).map_or(0, |signed| signed.len());
        match self.known.as_ref().map(stated).filter(|known| known.checkpoint == offered.checkpoint) {
            Some(known) if count(&known.bytes) >= count(&offered.bytes) => known.bytes,
            _ => offered.bytes.clone(),
        }
    }

    /// Saves what is trusted and what the copy has now.
    fn save(&mut self) -> Result<(), Ended> {
        let Some(pinned) = self.report.pinned else { return Ok(()) };
        let checkpoint = self.accepted().map(|stated| String::from_utf8_lossy(&stated.bytes).into_owned());
        let asked = self.state.take().map(|state| state.asked).unwrap_or_default();
        let state = State { origin: self.report.origin.clone(), pinned, only: self.report.only.clone(), checkpoint, asked };
        self.home.remember(&state)?;
        crash_point("mirror.state-saved");
        self.state = Some(state);
        Ok(())
    }
}

fn stated(outline: &Outline) -> Stated {
    Stated { checkpoint: outline.checkpoint().clone(), bytes: outline.checkpoint_note().to_bytes() }
}
