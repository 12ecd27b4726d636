//! How a drop is, for its operator: from its folder alone, in sums over all sources, and in days.

use crate::days::{self, LastDays};
use crate::newsroom::{DropError, Home};
use crate::serve::Listen;
use crate::store::{self, Lying, today};
use daylight_durable::is_held;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a drop may take for each step of an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest answer that is looked at, in bytes.
const LONGEST: u64 = 64 << 10;

/// How a drop is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What lies in its store.
    pub lying: Lying,
    /// How many bytes of its disk are free.
    pub free: u64,
    /// How many of them are to stay so.
    pub reserve: u64,
    /// Whether it takes nothing more: the reserve is all that is free, or the file system has no files left, or the store has as many things as it may.
    pub full: bool,
    /// The directory of keys that sources seal to.
    pub keys: Option<Keys>,
    /// Why the directory that lies there is not used, if it is not.
    pub unused: Option<String>,
    /// On which days something last was so.
    pub days: LastDays,
    /// Whether a process has the store: as a rule, `drop serve`.
    pub served: bool,
    /// Today, in days since 1970-01-01 (UTC).
    pub today: u32,
}

/// A directory in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// Its serial.
    pub serial: u64,
    /// The last day that it has keys for.
    pub last: u32,
    /// Whether it has keys for today.
    pub today: bool,
}

impl Status {
    /// Whether something that came now would be taken, as far as the folder says.
    pub fn is_open(&self) -> bool {
        self.served && !self.full && self.keys.is_some_and(|keys| keys.today)
    }
}

/// Looks at a drop, which may be running.
pub fn status(home: &Path) -> Result<Status, DropError> {
    let opened = Home::open(home)?;
    let today = today();
    let keys = opened.keys().map(|keys| Keys { serial: keys.serial(), last: keys.last(), today: !keys.recipients(today).is_empty() });
    let (free, reserve) = (store::free(home), opened.settings.reserve);
    let lying = store::lying(home)?;
    let lock = home.join("lock");
    let served = is_held(&lock).map_err(|source| DropError::File { path: lock, source })?;
    let full = store::is_full(home, reserve, &lying);
    Ok(Status { lying, free, reserve, full, keys, unused: opened.unused.clone(), days: days::read(home), served, today })
}

/// Whether a drop answers at this address: it is asked whose it is, as a source's tool asks.
pub fn answers(at: &Listen) -> io::Result<()> {
    match at {
        Listen::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            ask(stream)
        }
        Listen::Tcp(address) => {
            let stream = TcpStream::connect_timeout(address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            ask(stream)
        }
    }
}

fn ask(mut stream: impl Read + Write) -> io::Result<()> {
    stream.write_all(b"GET /newsroom HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let is_drop = text.starts_with("HTTP/1.1 200 ") && text.contains("\"daylight-drop/v1\"");
    if is_drop { Ok(()) } else { Err(io::Error::other("what answers there is no drop")) }
}
