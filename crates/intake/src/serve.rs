//! The server: connections, their limits, midnights, and an orderly end. It writes nothing anywhere about who asks for what.

use crate::answer::Body;
use crate::circuits::{Circuit, circuit};
use crate::lines::{Line, Lines};
use crate::newsroom::DropError;
use crate::site::Site;
use crate::stack::Wiped;
use crate::store::today;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::timeout;

/// How many threads compute or wait for the disk.
const THREADS: usize = 32;
/// The longest head of a request, and how much of a body is read at once, in bytes.
const HEAD: usize = 64 << 10;
/// How long a visitor may take to send the head of a request, or keep a connection without one.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a visitor may take nothing of an answer.
const STALLED: Duration = Duration::from_secs(60);
/// How long a connection may last: the time that 2 GiB take at 1 Mbit/s.
const LIFE: Duration = Duration::from_secs(5 * 60 * 60);
/// How long connections may take to end when the server is told to.
const FAREWELL: Duration = Duration::from_secs(10);
/// The longest line that tor sends before a request (PROXY protocol, section 2.1).
const PROXY: usize = 107;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address of this machine; port 0 takes a free one.
    Tcp(std::net::SocketAddr),
    /// A socket in the file system, which its owner and group may use.
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("unix:") {
            Some("") => Err("unix: needs the path of a socket"),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| "an address with a port, such as 127.0.0.1:8096, or unix:PATH"),
        }
    }
}

/// Why a drop does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot be opened.
    #[error(transparent)]
    Drop(#[from] DropError),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(String, #[source] io::Error),
    /// The process cannot be guarded or confined as one must be that hears codenames.
    #[error("the system does not let this process be guarded: {0}")]
    Guard(String),
    /// The system gives no threads, timers or signals.
    #[error("cannot run a server: {0}")]
    Run(#[source] io::Error),
}

/// What is said once the drop listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Where: `http://127.0.0.1:8096/` or `unix:PATH`.
    pub address: String,
    /// Whether no page of the process can be written to swap.
    pub locked: bool,
    /// The version of Landlock that confines it to its folder; 0 if the kernel has none.
    pub landlock: u8,
    /// Files of the store that are not of its form, and were left alone.
    pub damaged: Vec<PathBuf>,
    /// Why the directory that lies there is not used, so that the drop is closed until another is brought.
    pub unused: Option<String>,
}

enum Bound {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

/// Serves a drop until the process is told to end (SIGINT or SIGTERM). Before anything is heard the process gives up what it does not need: core files, debuggers, every folder but
/// the drop's. It must have no other thread yet.
pub fn serve(home: &Path, listen: &Listen, ready: &mut dyn FnMut(&Ready)) -> Result<(), ServeError> {
    let (bound, address) = bind(listen).map_err(|e| ServeError::Listen(format!("{listen:?}"), e))?;
    let site = Arc::new(Site::open(home)?);
    let guarded = daylight_sandbox::guard_secrets().map_err(|error| ServeError::Guard(error.to_string()))?;
    let landlock = daylight_sandbox::confine_to(home).map_err(ServeError::Guard)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().min(8)))
        .max_blocking_threads(THREADS)
        .enable_all()
        .build()
        .map_err(ServeError::Run)?;
    let served = runtime.block_on(async {
        let listener = bound.listen().map_err(ServeError::Run)?;
        let end = end().map_err(ServeError::Run)?;
        let (damaged, unused) = (site.damaged().to_vec(), site.unused_directory().map(str::to_owned));
        ready(&Ready { address, locked: guarded.locked, landlock, damaged, unused });
        tokio::spawn(keep_house(site.clone()));
        run(listener, site, end).await;
        Ok(())
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// Begins to listen. A socket file that nobody listens on any more is replaced; ours stays when we end, for then its folder is out of reach.
fn bind(listen: &Listen) -> io::Result<(Bound, String)> {
    match listen {
        Listen::Tcp(address) => {
            let listener = std::net::TcpListener::bind(address)?;
            let said = format!("http://{}/", listener.local_addr()?);
            Ok((Bound::Tcp(listener), said))
        }
        Listen::Unix(path) => {
            let is_socket = path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_socket());
            if is_socket && std::os::unix::net::UnixStream::connect(path).is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused) {
                std::fs::remove_file(path)?;
            }
            let listener = std::os::unix::net::UnixListener::bind(path)?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
            Ok((Bound::Unix(listener), format!("unix:{}", path.display())))
        }
    }
}

impl Bound {
    fn listen(self) -> io::Result<Listener> {
        match self {
            Self::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                tokio::net::TcpListener::from_std(listener).map(Listener::Tcp)
            }
            Self::Unix(listener) => {
                listener.set_nonblocking(true)?;
                tokio::net::UnixListener::from_std(listener).map(Listener::Unix)
            }
        }
    }
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

/// Does what is due every minute, and at the beginning of each day.
async fn keep_house(site: Arc<Site>) {
    let mut day = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (site, now) = (site.clone(), today());
        let begun = tokio::task::spawn_blocking(move || {
            site.sweep();
            now == day || site.new_day(now).is_ok()
        });
        // A midnight that failed is tried again in a minute.
        if begun.await.unwrap_or(false) {
            day = now;
        }
    }
}

/// Takes connections until `end`, then lets those that are open finish what they are at.
async fn run(listener: Listener, site: Arc<Site>, end: impl Future<Output = ()>) {
    let lines = Lines::allowed();
    let farewell = Arc::new(GracefulShutdown::new());
    tokio::pin!(end);
    loop {
        let stream = tokio::select! {
            taken = listener.accept() => taken,
            () = &mut end => break,
        };
        let Ok(stream) = stream else {
            // No more files can be opened, say: wait for some to be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let opened = tokio::select! {
            opened = lines.open() => opened,
            () = &mut end => break,
        };
        let Some(opened) = opened else { break };
        let (site, watcher) = (site.clone(), farewell.watcher());
        let visit = async move {
            let line = opened.line.clone();
            let visited = async {
                if let Ok(Ok((stream, circuit))) = timeout(PATIENCE, Fronted::read(stream)).await
                    && let Some(_counted) = site.connect(circuit)
                {
                    line.is_of(circuit);
                    // A connection that fails is the visitor's business: there is nobody to tell.
                    let _ = timeout(LIFE, watcher.watch(connection(stream, line.clone(), site))).await;
                }
            };
            tokio::select! { () = visited => {}, () = line.is_cut() => {} }
        };
        tokio::spawn(Wiped(Box::pin(visit)));
    }
    drop(listener);
    if let Some(farewell) = Arc::into_inner(farewell) {
        let _ = timeout(FAREWELL, farewell.shutdown()).await;
    }
}

fn connection(
    stream: Fronted,
    line: Arc<Line>,
    site: Arc<Site>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let (site, line) = (site.clone(), line.clone());
        async move { Ok::<Response<Body>, Infallible>(site.answer(line, request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        // The clock of a machine tells it from others.
        .auto_date_header(false)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service)
}

/// A connection of which the beginning was read, to see whether it is tor's line about the circuit.
struct Fronted {
    front: Vec<u8>,
    at: usize,
    stream: Box<dyn Stream>,
    /// Runs while the visitor takes nothing of an answer.
    stalled: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Fronted {
    /// Reads until it is clear whether there is such a line; what is not one is left for the server.
    async fn read(mut stream: Box<dyn Stream>) -> io::Result<(Self, Circuit)> {
        const WORD: &[u8] = b"PROXY ";
        let mut front = Vec::with_capacity(PROXY);
        let end = loop {
            let mut byte = [0];
            if stream.read(&mut byte).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            front.push(byte[0]);
            let begins = front.iter().zip(WORD).all(|(byte, wanted)| byte == wanted);
            match () {
                () if !begins => return Ok((Self { front, at: 0, stream, stalled: None }, None)),
                () if front.ends_with(b"\r\n") => break front.len(),
                () if front.len() > PROXY => return Err(io::ErrorKind::InvalidData.into()),
                () => {}
            }
        };
        let line = std::str::from_utf8(&front).map_err(|_| io::ErrorKind::InvalidData)?;
        let circuit = circuit(line).map_err(|()| io::ErrorKind::InvalidData)?;
        Ok((Self { at: end, front, stream, stalled: None }, circuit))
    }
}

impl AsyncRead for Fronted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.at < self.front.len() {
            let end = self.front.len().min(self.at + buffer.remaining());
            buffer.put_slice(&self.front[self.at..end]);
            self.at = end;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Fronted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => {
                let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(STALLED)));
                stalled.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
            written => {
                self.stalled = None;
                written
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Ends when the process is told to.
fn end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}
