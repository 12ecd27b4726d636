//! The witness's sockets: where it listens, and how many connections it has at once.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

/// Where to listen: `127.0.0.1:8095`, or `unix:PATH` for a proxy on the same machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address and port; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("unix:") {
            Some("") => Err("unix: needs the path of a socket"),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| "an address with a port, such as 127.0.0.1:8095, or unix:PATH"),
        }
    }
}

/// A connection of either kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What is listened on.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Begins to listen, and says where: `http://127.0.0.1:8095/` or `unix:PATH`. A socket file that nobody listens on any more is replaced.
    pub(super) async fn bind(listen: &Listen) -> io::Result<(Self, String)> {
        match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                let said = format!("http://{}/", listener.local_addr()?);
                Ok((Self::Tcp(listener), said))
            }
            Listen::Unix(path) => {
                remove_stale(path)?;
                Ok((Self::Unix(UnixListener::bind(path)?), format!("unix:{}", path.display())))
            }
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
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

/// Removes the socket that a server left behind which was killed; one that answers, and what is no socket, stays.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_socket());
    match is_socket.then(|| std::os::unix::net::UnixStream::connect(path)) {
        Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Ok(()),
    }
}
