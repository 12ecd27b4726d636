//! The sites that may have an archive. None of them is trusted: what one gives is checked by whoever asked, and who gave what is wrong, or gives
//! nothing, is named and not asked again, and the next one is.

use crate::address::Address;
use crate::http::{Answer, Client, HttpError, Part};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// While one waits, one looks this often whether one is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// The most refusals that are kept: a site that has nothing would fill the memory with what it does not have.
const MOST_REFUSALS: usize = 1000;

/// What a site did that it should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The site.
    pub site: Address,
    /// The file of the archive that was asked for.
    pub path: String,
    /// What was wrong.
    pub what: String,
    /// Whether that is a lie; otherwise it may be misfortune.
    pub lie: bool,
    /// Whether it only does not have the file.
    pub missing: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.site, self.path, self.what)
    }
}

/// Why something that was fetched cannot be used, as whoever fetches says it.
#[derive(Debug)]
pub enum Trouble {
    /// The site could not or would not give it.
    Http(HttpError),
    /// It is not what was signed.
    Wrong(String),
    /// Something here failed: the disk, say.
    Here(std::io::Error),
    /// Somebody wants us to stop.
    Stopped,
}

impl From<HttpError> for Trouble {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Here(error)
    }
}

/// Why a file was not got from any site.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// No site that is left has it as it should be.
    #[error("no site gave {0} as it was signed")]
    Nowhere(String),
    /// Something here failed.
    #[error(transparent)]
    Here(#[from] std::io::Error),
    /// Somebody wants us to stop.
    #[error("stopped")]
    Stopped,
}

/// What a site gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    /// Files or parts of files that were used.
    pub answers: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The sites, the first one preferred.
#[derive(Debug)]
pub struct Sites<'a> {
    client: &'a Client,
    stop: &'a AtomicBool,
    /// Whether even a liar is asked again, because all that is wrong is to be found.
    forgiving: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    sites: Vec<(Address, Standing)>,
    refusals: Vec<Refusal>,
    served: BTreeMap<Address, Served>,
}

impl Inner {
    fn note(&mut self, refusal: Refusal) {
        if self.refusals.len() < MOST_REFUSALS && !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Good,
    /// It gives nothing now.
    Gone,
    /// It lied, and is believed in nothing more.
    Liar,
}

impl<'a> Sites<'a> {
    /// One site to begin with. `stop` ends all waiting.
    pub fn new(client: &'a Client, first: Address, stop: &'a AtomicBool) -> Self {
        let inner = Inner { sites: vec![(first, Standing::Good)], ..Inner::default() };
        Self { client, stop, forgiving: false, inner: Mutex::new(inner) }
    }

    /// Asks whoever lied again all the same: for finding all that is wrong with one site.
    pub fn forgiving(self) -> Self {
        Self { forgiving: true, ..self }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds sites that the archive's root lists. What is no address, or needs a proxy that is not there, is left out.
    pub fn learn<'u>(&self, urls: impl IntoIterator<Item = &'u String>) {
        let mut inner = self.inner();
        for address in urls.into_iter().filter_map(|url| url.parse::<Address>().ok()) {
            let reachable = self.client.has_proxy() || !address.is_onion();
            if reachable && !inner.sites.iter().any(|(known, _)| *known == address) {
                inner.sites.push((address, Standing::Good));
            }
        }
    }

    /// Asks this site first from now on: what it says is the newest, the others may not have.
    pub fn prefer(&self, site: &Address) {
        let mut inner = self.inner();
        if let Some(place) = inner.sites.iter().position(|(known, _)| known == site) {
            let preferred = inner.sites.remove(place);
            inner.sites.insert(0, preferred);
        }
    }

    /// The client through which they are asked.
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// The sites that may still be asked, the preferred one first.
    pub fn good(&self) -> Vec<Address> {
        let inner = self.inner();
        inner.sites.iter().filter(|(_, standing)| *standing == Standing::Good).map(|(address, _)| address.clone()).collect()
    }

    /// What went wrong so far.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.inner().refusals.clone()
    }

    /// Who gave what was used.
    pub fn served(&self) -> BTreeMap<Address, Served> {
        self.inner().served.clone()
    }

    /// Whether somebody wants us to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Notes what a site did; a liar is not asked again.
    pub fn refuse(&self, site: &Address, path: &str, what: &str, lie: bool) {
        let refusal = Refusal { site: site.clone(), path: path.to_owned(), what: what.to_owned(), lie, missing: false };
        let mut inner = self.inner();
        inner.note(refusal);
        if lie
            && !self.forgiving
            && let Some((_, standing)) = inner.sites.iter_mut().find(|(address, _)| address == site)
        {
            *standing = Standing::Liar;
        }
    }

    fn leave(&self, site: &Address, path: &str, what: &str) {
        self.refuse(site, path, what, false);
        let mut inner = self.inner();
        if let Some((_, standing)) = inner.sites.iter_mut().find(|(address, _)| address == site).filter(|(_, s)| *s == Standing::Good) {
            *standing = Standing::Gone;
        }
    }

    /// Counts what was used of a site.
    pub fn used(&self, site: &Address, bytes: u64) {
        let mut inner = self.inner();
        let served = inner.served.entry(site.clone()).or_default();
        served.answers += 1;
        served.bytes += bytes;
    }

    /// Has `fetch` try one site after the other until one gives what it should, and gives that with the site. What a site did wrong is noted.
    pub fn first<T>(&self, path: &str, mut fetch: impl FnMut(&Address) -> Result<T, Trouble>) -> Result<(T, Address), Unavailable> {
        for site in self.good() {
            if self.is_stopped() {
                return Err(Unavailable::Stopped);
            }
            match fetch(&site) {
                Ok(got) => return Ok((got, site)),
                Err(Trouble::Wrong(what) | Trouble::Http(HttpError::Lie(what))) => self.refuse(&site, path, &what, true),
                // Not having one file says nothing about the others: it may be a partial copy, or not be up to date.
                Err(Trouble::Http(error @ HttpError::Missing(_))) => {
                    let (path, what) = (path.to_owned(), error.to_string());
                    self.inner().note(Refusal { site, path, what, lie: false, missing: true });
                }
                Err(Trouble::Http(error)) => self.leave(&site, path, &error.to_string()),
                Err(Trouble::Here(error)) => return Err(Unavailable::Here(error)),
                Err(Trouble::Stopped) => return Err(Unavailable::Stopped),
            }
        }
        Err(Unavailable::Nowhere(path.to_owned()))
    }

    /// A small file, from whichever site gives it so that `check` finds it right.
    pub fn file<T>(
        &self,
        path: &str,
        limit: u64,
        mut check: impl FnMut(Vec<u8>) -> Result<T, String>,
    ) -> Result<(T, Address), Unavailable> {
        self.first(path, |site| {
            let bytes = self.whole(site, path, limit)?;
            let length = bytes.len() as u64;
            let checked = check(bytes).map_err(Trouble::Wrong)?;
            self.used(site, length);
            Ok(checked)
        })
    }

    /// All bytes of a small file from one site, tried again with patience where that may help.
    pub fn whole(&self, site: &Address, path: &str, limit: u64) -> Result<Vec<u8>, Trouble> {
        self.patiently(|| self.client.get(site, path, Part::Whole, limit)?.bytes().map_err(Trouble::Http))
    }

    /// An answer whose head is good, tried for with patience where that may help.
    pub fn open(&self, site: &Address, path: &str, part: Part, limit: u64) -> Result<Answer<'a>, Trouble> {
        self.patiently(|| self.client.get(site, path, part, limit).map_err(Trouble::Http))
    }

    /// Tries again what failed for a reason that may pass: after a growing wait, or the one that was asked for.
    pub fn patiently<T>(&self, mut attempt: impl FnMut() -> Result<T, Trouble>) -> Result<T, Trouble> {
        let patience = *self.client.patience();
        let mut tried = 0;
        loop {
            if self.is_stopped() {
                return Err(Trouble::Stopped);
            }
            let error = match attempt() {
                Err(Trouble::Http(error @ (HttpError::Gone(_) | HttpError::Busy { .. }))) => error,
                other => return other,
            };
            tried += 1;
            let wait = match &error {
                HttpError::Busy { after: Some(after), .. } => Duration::from_secs(*after).max(patience.wait(tried - 1)),
                _ => patience.wait(tried - 1),
            };
            if tried >= patience.tries || wait > patience.longest_wait {
                return Err(Trouble::Http(error));
            }
            self.sleep(wait)?;
        }
    }

    fn sleep(&self, wait: Duration) -> Result<(), Trouble> {
        let until = Instant::now() + wait;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if self.is_stopped() {
                return Err(Trouble::Stopped);
            }
            std::thread::sleep(left.min(LOOK));
        }
        Ok(())
    }
}
