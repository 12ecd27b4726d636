//! A visitor's attendant: a process of its own that reads the requests of one connection, opens and seals what they are about, answers, and is gone. It has the connection, the
//! hatch to the house, and nothing else: no path, no network, no other visitor ([`daylight_sandbox::Attendants`]).
//!
//! It leaves after the first answer to a request that showed or brought a secret, and wipes its memory before.

use crate::hatch::{FAREWELL, GIVE_WAY, Hatch};
use crate::site::{Common, Site};
use crate::stack::wiped;
use daylight_sandbox::Visit;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::runtime::Runtime;

/// The longest head of a request, and how much of a body is read at once, in bytes.
const HEAD: usize = 64 << 10;
/// How long a visitor may take to send the head of a request, or keep a connection without one.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a visitor may take nothing of an answer.
const STALLED: Duration = Duration::from_secs(60);

/// What a connection is.
pub(crate) const TCP: u8 = b't';
pub(crate) const UNIX: u8 = b'u';

/// What an attendant makes before it can make nothing more. It has one thread: there is one request at a time.
pub(crate) fn begin() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Attends to one visitor.
pub(crate) fn attend(common: Common, runtime: Runtime, visit: Visit) {
    wiped(move || {
        // A connection that fails is the visitor's business: there is nobody to tell. Where the house has closed this unwinds, and the stack is wiped all the same.
        let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(serve(common, visit))));
    });
}

async fn serve(common: Common, visit: Visit) -> io::Result<()> {
    let [line, hatch, orders] = visit.ends;
    let (kind, front) = visit.first.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let stream = open(*kind, line)?;
    let stream = Fronted { front: front.to_vec(), at: 0, stream, stalled: None };
    let mut orders = tokio::net::UnixStream::from_std(orders.into())?;
    let site = Arc::new(Site::new(common, Hatch::new(hatch.into())));
    let gives_way = site.gives_way.clone();
    let service = service_fn(move |request| {
        let site = site.clone();
        async move { Ok::<_, Infallible>(site.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        // The clock of a machine tells it from others.
        .auto_date_header(false)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    loop {
        let mut order = [0];
        tokio::select! {
            served = &mut connection => return served.map_err(io::Error::other),
            read = orders.read(&mut order) => match (read, order) {
                (Ok(1), [GIVE_WAY]) => gives_way.notify_one(),
                (Ok(1), [FAREWELL]) => connection.as_mut().graceful_shutdown(),
                // The house has closed.
                _ => return Ok(()),
            },
        }
    }
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

fn open(kind: u8, line: OwnedFd) -> io::Result<Box<dyn Stream>> {
    match kind {
        TCP => Ok(Box::new(tokio::net::TcpStream::from_std(line.into())?)),
        UNIX => Ok(Box::new(tokio::net::UnixStream::from_std(line.into())?)),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// A connection of which the beginning was read, to see whether it is tor's line about the circuit.
struct Fronted {
    front: Vec<u8>,
    at: usize,
    stream: Box<dyn Stream>,
    /// Runs while the visitor takes nothing of an answer.
    stalled: Option<Pin<Box<tokio::time::Sleep>>>,
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
