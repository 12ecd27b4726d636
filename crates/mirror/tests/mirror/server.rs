//! A web server on a loopback address that gives out a folder, and lies as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Without the slash before it.
    pub(crate) path: String,
    /// The first byte asked for, and the last.
    pub(crate) range: Option<(u64, Option<u64>)>,
    pub(crate) head: String,
}

/// What to answer instead of the truth.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, fields, body; its length is stated unless a field does.
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Just these bytes, and then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, and then zeros for ever.
    Endless(Vec<u8>),
    /// These bytes, and then one byte at a time.
    Drip(Vec<u8>),
    /// Nothing at all, for as long as the other side waits.
    Silence,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Http(200, vec![], body.into())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Http(status, vec![], vec![])
    }
}

type Lie = dyn Fn(&Request) -> Option<Reply> + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    most: Arc<AtomicUsize>,
}

struct Inner {
    dir: PathBuf,
    lie: Box<Lie>,
    requests: Arc<Mutex<Vec<Request>>>,
    open: AtomicUsize,
    most: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn honest(dir: &Path) -> Self {
        Self::lying(dir, |_| None)
    }

    /// Serves a folder; where `lie` gives something, that is what is answered.
    pub(crate) fn lying(dir: &Path, lie: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::on(listener, dir, lie)
    }

    pub(crate) fn on(listener: TcpListener, dir: &Path, lie: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let (requests, most) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let inner =
            Inner { dir: dir.to_owned(), lie: Box::new(lie), requests: requests.clone(), open: AtomicUsize::new(0), most: most.clone() };
        let inner = Arc::new(inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let inner = inner.clone();
                std::thread::spawn(move || {
                    inner.most.fetch_max(inner.open.fetch_add(1, SeqCst) + 1, SeqCst);
                    let _ = inner.converse(&stream);
                    inner.open.fetch_sub(1, SeqCst);
                });
            }
        });
        Self { address, requests, most }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What was asked since this was asked last.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// The most connections that were open at once.
    pub(crate) fn most(&self) -> usize {
        self.most.load(SeqCst)
    }
}

impl Inner {
    fn converse(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = read(&mut reader)? {
            self.requests.lock().unwrap().push(request.clone());
            let reply = (self.lie)(&request).unwrap_or_else(|| self.truth(&request));
            if !answer(stream, reply)? {
                break;
            }
        }
        Ok(())
    }

    fn truth(&self, request: &Request) -> Reply {
        let Ok(bytes) = std::fs::read(self.dir.join(&request.path)) else { return Reply::status(404) };
        let length = bytes.len() as u64;
        match request.range {
            None => Reply::ok(bytes),
            Some((first, _)) if first >= length => Reply::Http(416, vec![("content-range", format!("bytes */{length}"))], vec![]),
            Some((first, last)) => {
                let last = last.unwrap_or(length - 1).min(length - 1);
                part(&bytes, first, last)
            }
        }
    }
}

/// A right answer to a request for a part.
pub(crate) fn part(bytes: &[u8], first: u64, last: u64) -> Reply {
    let range = format!("bytes {first}-{last}/{}", bytes.len());
    Reply::Http(206, vec![("content-range", range)], bytes[first as usize..=last as usize].to_vec())
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        if &head[before..] == "\r\n" {
            break;
        }
    }
    let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    let field = |name: &str| head.lines().find_map(|line| line.to_lowercase().strip_prefix(&format!("{name}: ")).map(str::to_owned));
    let range = field("range").map(|range| {
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        (first.parse().unwrap(), last.parse().ok())
    });
    Ok(Some(Request { path, range, head }))
}

/// Writes an answer, and says whether the connection may be used again.
fn answer(mut stream: &TcpStream, reply: Reply) -> std::io::Result<bool> {
    match reply {
        Reply::Http(status, fields, body) => {
            let stated = fields.iter().any(|(name, _)| ["content-length", "transfer-encoding"].contains(name));
            let mut head = format!("HTTP/1.1 {status} X\r\n");
            fields.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
            if !stated {
                head += &format!("content-length: {}\r\n", body.len());
            }
            stream.write_all(format!("{head}\r\n").as_bytes())?;
            stream.write_all(&body)?;
            Ok(!stated)
        }
        Reply::Raw(bytes) => stream.write_all(&bytes).map(|()| false),
        Reply::Endless(bytes) => {
            stream.write_all(&bytes)?;
            loop {
                stream.write_all(&[0; 4096])?;
            }
        }
        Reply::Drip(bytes) => {
            stream.write_all(&bytes)?;
            loop {
                stream.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Reply::Silence => {
            let mut nothing = [0; 1];
            let _ = stream.read(&mut nothing);
            Ok(false)
        }
    }
}
