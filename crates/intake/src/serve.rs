//! The server: connections, their limits, midnights, and an orderly end. It writes nothing anywhere about who asks for what.

use crate::attendant;
use crate::circuits::{Circuit, circuit};
use crate::house::{Counter, Hours, House, Orders};
use crate::lines::{Lines, Opened};
use crate::newsroom::{DropError, Home};
use crate::site::{Common, told};
use crate::store::today;
use daylight_sandbox::{Attendant, Attendants};
use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as Line;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::timeout;

/// How many threads compute or wait for the disk.
const THREADS: usize = 32;
/// How long a visitor may take to say anything at all.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a connection may last: the time that 2 GiB take at 1 Mbit/s.
const LIFE: Duration = Duration::from_secs(5 * 60 * 60);
/// How long connections may take to end when the server is told to.
const FAREWELL: Duration = Duration::from_secs(10);
/// How often an attendant is looked for that is to wipe its memory and leave, and after how long it is ended: sooner where somebody waits for its line.
const LOOK: Duration = Duration::from_millis(5);
const LEAVING: Duration = Duration::from_secs(2);
const CUT: Duration = Duration::from_millis(300);
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

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
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
    /// The version of Landlock that confines it to its folder, and its attendants to nothing; 0 if the kernel has none.
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
///
/// Whom visitors speak to are copies of this process as it is before it opens the drop.
pub fn serve(home: &Path, listen: &Listen, ready: &mut dyn FnMut(&Ready)) -> Result<(), ServeError> {
    Home::is_there(home)?;
    let (bound, address) = bind(listen).map_err(|e| ServeError::Listen(listen.to_string(), e))?;
    let guarded = daylight_sandbox::guard_secrets().map_err(|error| ServeError::Guard(error.to_string()))?;
    let landlock = daylight_sandbox::confine_to(home).map_err(ServeError::Guard)?;
    // Before anything of the folder is read: what stood in this memory would stand in theirs.
    let attendants = Attendants::start(Common::greeted, attendant::begin, attendant::attend);
    let attendants = attendants.map_err(|error| ServeError::Guard(error.to_string()))?;
    let lines = Lines::allowed();
    let house = Arc::new(House::open(home, lines.most)?);
    let greeting = Common::greeting(&house.home.newsroom(), &house.home.settings.title, &told(&house.home));
    let caged = attendants.greet(&greeting).map_err(ServeError::Guard)?;
    let landlock = landlock.min(caged.landlock);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().min(8)))
        .max_blocking_threads(THREADS)
        .enable_all()
        .build()
        .map_err(ServeError::Run)?;
    let served = runtime.block_on(async {
        let listener = bound.listen().map_err(ServeError::Run)?;
        let end = end().map_err(ServeError::Run)?;
        let (damaged, unused) = (house.damaged().to_vec(), house.unused_directory().map(str::to_owned));
        ready(&Ready { address, locked: guarded.locked, landlock, damaged, unused });
        tokio::spawn(keep_house(house.clone()));
        run(listener, lines, Arc::new(Front { house, attendants, over: Notify::new() }), end).await
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
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    async fn read_byte(&mut self) -> io::Result<u8> {
        match self {
            Self::Tcp(stream) => stream.read_u8().await,
            Self::Unix(stream) => stream.read_u8().await,
        }
    }

    /// What kind it is, and the descriptor, which is ours no more.
    fn into_descriptor(self) -> io::Result<(u8, OwnedFd)> {
        Ok(match self {
            Self::Tcp(stream) => (attendant::TCP, stream.into_std()?.into()),
            Self::Unix(stream) => (attendant::UNIX, stream.into_std()?.into()),
        })
    }
}

impl Listener {
    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

/// Does what is due every minute, and at the beginning of each day.
async fn keep_house(house: Arc<House>) {
    let mut day = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (house, now) = (house.clone(), today());
        let begun = tokio::task::spawn_blocking(move || {
            house.sweep();
            now == day || house.new_day(now).is_ok()
        });
        // A midnight that failed is tried again in a minute.
        if begun.await.unwrap_or(false) {
            day = now;
        }
    }
}

/// The house, and who comes to the door.
struct Front {
    house: Arc<House>,
    attendants: Attendants,
    /// Told when nobody can be called any more.
    over: Notify,
}

/// Takes connections until `end`, then lets those that are open finish what they are at. Errors: there are no attendants any more.
async fn run(listener: Listener, lines: Lines, front: Arc<Front>, end: impl Future<Output = ()>) -> Result<(), ServeError> {
    let (end_of_day, told) = watch::channel(Hours::Open);
    let (open, mut all_gone) = mpsc::channel::<()>(1);
    tokio::pin!(end);
    loop {
        let stream = tokio::select! {
            taken = listener.accept() => taken,
            () = &mut end => break,
            () = front.over.notified() => return Err(ServeError::Guard("the process that attendants are copied from has ended".into())),
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
        let (front, told, open) = (front.clone(), told.clone(), open.clone());
        tokio::spawn(async move {
            // A connection that fails is the visitor's business: there is nobody to tell.
            let _ = front.visit(stream, opened, told).await;
            drop(open);
        });
    }
    drop((listener, open));
    let _ = end_of_day.send(Hours::Closing);
    if timeout(FAREWELL, all_gone.recv()).await.is_err() {
        let _ = end_of_day.send(Hours::Closed);
        let _ = timeout(LEAVING + LEAVING, all_gone.recv()).await;
    }
    Ok(())
}

impl Front {
    /// Has a visitor attended to, once it has begun to say something: who is silent costs no process.
    async fn visit(self: &Arc<Self>, mut stream: Stream, opened: Opened, hours: watch::Receiver<Hours>) -> io::Result<()> {
        let line = opened.line.clone();
        let begin = async {
            let (front, circuit) = timeout(PATIENCE, beginning(&mut stream)).await??;
            line.is_of(circuit);
            let counted = self.house.connect(circuit).ok_or(io::ErrorKind::QuotaExceeded)?;
            let front = if front.is_empty() { vec![timeout(PATIENCE, stream.read_byte()).await??] } else { front };
            io::Result::Ok((front, counted))
        };
        let (front, _counted) = tokio::select! {
            begun = begin => begun?,
            () = line.is_cut() => return Ok(()),
        };
        let this = self.clone();
        let called = tokio::task::spawn_blocking(move || this.call(stream, &front));
        let (mut attendant, hatch, orders) = called.await.map_err(io::Error::other)??;
        let mut closed = hours.clone();
        let orders = Orders { line: UnixStream::from_std(orders)?, hours };
        let attended = Counter::new(self.house.clone(), line.clone()).attend(UnixStream::from_std(hatch)?, orders);
        let patience = tokio::select! {
            _ = timeout(LIFE, attended) => LEAVING,
            () = line.is_cut() => CUT,
            _ = closed.wait_for(|hours| *hours == Hours::Closed) => LEAVING,
        };
        // Its hatch and its orders are closed by now, so that it wipes its memory and leaves.
        let told = Instant::now();
        while !attendant.is_gone() && told.elapsed() < patience {
            tokio::time::sleep(LOOK).await;
        }
        let _ = tokio::task::spawn_blocking(move || drop(attendant)).await;
        Ok(())
    }

    /// Calls an attendant for a connection, which is not ours any more. Gives our ends of its hatch and of the line on which it is told things.
    fn call(&self, stream: Stream, front: &[u8]) -> io::Result<(Attendant, Line, Line)> {
        // Made here, on one of few threads, and not while a line waits for one: else many that come at once would take all files there are.
        let (hatch, their_hatch) = Line::pair()?;
        let (orders, their_orders) = Line::pair()?;
        for line in [&hatch, &orders, &their_orders] {
            line.set_nonblocking(true)?;
        }
        let (kind, stream) = stream.into_descriptor()?;
        let first = [&[kind], front].concat();
        let called = self.attendants.call(&first, [stream.as_fd(), their_hatch.as_fd(), their_orders.as_fd()]);
        if called.is_err() && self.attendants.are_over() {
            self.over.notify_one();
        }
        Ok((called?, hatch, orders))
    }
}

/// Reads until it is clear whether tor's line about the circuit stands before the request. What is not such a line is left for the attendant.
async fn beginning(stream: &mut Stream) -> io::Result<(Vec<u8>, Circuit)> {
    const WORD: &[u8] = b"PROXY ";
    let mut front = Vec::with_capacity(PROXY + 1);
    loop {
        front.push(stream.read_byte().await?);
        let begins = front.iter().zip(WORD).all(|(byte, wanted)| byte == wanted);
        match () {
            () if !begins => return Ok((front, None)),
            () if front.ends_with(b"\r\n") => break,
            () if front.len() > PROXY => return Err(io::ErrorKind::InvalidData.into()),
            () => {}
        }
    }
    let line = std::str::from_utf8(&front).map_err(|_| io::ErrorKind::InvalidData)?;
    let circuit = circuit(line).map_err(|()| io::ErrorKind::InvalidData)?;
    Ok((Vec::new(), circuit))
}

/// Ends when the process is told to.
fn end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}
