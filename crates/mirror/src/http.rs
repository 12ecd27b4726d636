//! A client for HTTP/1.1 (RFC 9112) that believes nothing: every answer is bounded in bytes and in time, nothing is unpacked, no cookie is kept, and
//! nobody is followed to another host.
//!
//! Calls wait until there is an answer, and may come from any number of threads; together they hold at most so many connections as was said.

mod answer;
mod asking;
mod authorities;
mod connect;
mod exchange;
mod pace;

pub use answer::{Answer, Part};
pub use asking::{Method, Question};
pub use authorities::Authorities;
pub use connect::Proxy;
pub use exchange::Said;

use crate::address::Address;
use answer::{Sent, Session};
use pace::Pace;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// How this program names itself.
const USER_AGENT: &str = concat!("daylight-mirror/", env!("CARGO_PKG_VERSION"));

/// How many times one answer may send us elsewhere at the same place.
const REDIRECTS: usize = 3;

/// How long one waits for others, and how often one tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the head of an answer.
    pub answer: Duration,
    /// For the next bytes of a body.
    pub idle: Duration,
    /// After so much time a body must have come at `slowest` on average.
    pub grace: Duration,
    /// The least bytes a second.
    pub slowest: u64,
    /// How often something is tried that did not come.
    pub tries: u32,
    /// How long to wait before the second try; doubled each time, and shortened by chance so that many mirrors do not come back at once.
    pub first_wait: Duration,
    /// The longest wait, also where a site asks for more: then it is not asked again.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(60),
            answer: seconds(60),
            idle: seconds(60),
            grace: seconds(60),
            slowest: 1024,
            tries: 5,
            first_wait: seconds(1),
            longest_wait: seconds(120),
        }
    }
}

/// How to ask.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Everything goes through this SOCKS 5 proxy, which also looks names up.
    pub proxy: Option<Proxy>,
    /// The most bytes a second, over all connections.
    pub rate: Option<u64>,
    /// The most connections at a time; 0 for 4.
    pub connections: usize,
    /// How long to wait.
    pub patience: Patience,
    /// Whose certificates are believed.
    pub authorities: Authorities,
}

/// Why there is no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It does not have the file (404, 410).
    #[error("it does not have it (answer {0})")]
    Missing(u16),
    /// It wants to be left alone for so long (429, 503); in seconds, where it says.
    #[error("it is busy (answer {status}){}", .after.map(|after| format!(" and asks to come back in {after} seconds")).unwrap_or_default())]
    Busy {
        /// The answer's status.
        status: u16,
        /// For how long.
        after: Option<u64>,
    },
    /// It cannot be reached, broke off, or is too slow: another time may be better.
    #[error("{0}")]
    Gone(String),
    /// It will not answer this, now or later.
    #[error("{0}")]
    Refused(String),
    /// The answer is one that no honest site gives.
    #[error("{0}")]
    Lie(String),
}

/// A client.
pub struct Client {
    runtime: Runtime,
    config: Config,
    tls: tokio_rustls::TlsConnector,
    idle: Mutex<HashMap<(bool, String, u16), Vec<Session>>>,
    slots: Arc<Semaphore>,
    pace: Pace,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.config)
    }
}

impl Client {
    /// Makes a client, with a thread for its connections. Errors: the system gives none, or an authority is none.
    pub fn new(config: Config) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let connections = if config.connections == 0 { 4 } else { config.connections };
        Ok(Self {
            runtime,
            tls: config.authorities.connector()?,
            idle: Mutex::default(),
            slots: Arc::new(Semaphore::new(connections)),
            pace: Pace::new(config.rate),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            config,
        })
    }

    /// How long it waits.
    pub fn patience(&self) -> &Patience {
        &self.config.patience
    }

    /// How many connections it holds at most.
    pub fn connections(&self) -> usize {
        if self.config.connections == 0 { 4 } else { self.config.connections }
    }

    /// Whether it goes through a proxy, and so can reach onions.
    pub fn has_proxy(&self) -> bool {
        self.config.proxy.is_some()
    }

    /// How many requests were sent, and how many bytes of bodies came.
    pub fn used(&self) -> (u64, u64) {
        (self.requests.load(Relaxed), self.bytes.load(Relaxed))
    }

    /// Asks a site for a file of its archive, or for a part of it; see [`Part`]. `limit` is the most bytes that an honest answer has. One try.
    pub fn get(&self, site: &Address, file: &str, part: Part, limit: u64) -> Result<Answer<'_>, HttpError> {
        if site.is_onion() && self.config.proxy.is_none() {
            return Err(HttpError::Refused("an onion can only be reached through Tor: give --socks".into()));
        }
        let mut path = site.path_to(file);
        for _ in 0..=REDIRECTS {
            match self.ask(site, &path, part, limit)? {
                Ok(answer) => return Ok(answer),
                Err(moved) => path = moved,
            }
        }
        Err(HttpError::Refused("it sends us from one address to the next without end".into()))
    }

    /// One request. The inner error is where the site sends us to, on the same host.
    fn ask(&self, site: &Address, path: &str, part: Part, limit: u64) -> Result<Result<Answer<'_>, String>, HttpError> {
        let place = self.runtime.block_on(self.slots.clone().acquire_owned()).map_err(|e| HttpError::Gone(e.to_string()))?;
        let request = || self.request(site, path, part);
        // A connection that was kept may have been closed meanwhile, which only sending on it can tell.
        let kept = self.take_idle(site);
        let mut sent = None;
        if let Some(mut session) = kept {
            sent = self.runtime.block_on(session.send(request()?, self.config.patience.answer)).ok().map(|head| (session, head));
        }
        self.requests.fetch_add(1, Relaxed);
        let (session, head) = match sent {
            Some(sent) => sent,
            None => self.runtime.block_on(async {
                let mut session = connect::connect(site, &self.config, &self.tls).await?;
                let head = session.send(request()?, self.config.patience.answer).await?;
                Ok::<_, HttpError>((session, head))
            })?,
        };
        Answer::judge(self, site, part, limit, (session, head, place))
    }

    fn request(&self, site: &Address, path: &str, part: Part) -> Result<hyper::Request<Sent>, HttpError> {
        use hyper::header;
        let mut request = hyper::Request::builder()
            .uri(path)
            .header(header::HOST, site.authority())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::CACHE_CONTROL, "no-cache");
        if let Some(range) = part.header() {
            request = request.header(header::RANGE, range);
        }
        request.body(Sent(None)).map_err(|e| HttpError::Refused(format!("it cannot be asked for {path}: {e}")))
    }

    fn key(site: &Address) -> (bool, String, u16) {
        (site.secure, site.host.clone(), site.port)
    }

    fn take_idle(&self, site: &Address) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = idle.get_mut(&Self::key(site))?;
        loop {
            let session = sessions.pop()?;
            if session.is_usable() {
                return Some(session);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end.
    fn keep(&self, site: &Address, session: Session) {
        if session.is_usable() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).entry(Self::key(site)).or_default().push(session);
        }
    }
}
