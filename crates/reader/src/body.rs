//! The body of an answer: bytes in memory, or bytes that a thread reads while they are sent.

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, error::TrySendError};

/// How many bytes of a stream are read at a time.
pub(crate) const PIECE: usize = 64 << 10;
/// How long a reader may take nothing at all.
const STALLED: Duration = Duration::from_secs(60);
/// How many pieces wait for a slow reader.
const AHEAD: usize = 4;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it, until it is sent.
    Full(Option<Bytes>),
    /// Nothing, in answer to a `HEAD` for something of this length.
    Head(Option<u64>),
    /// Pieces as they are read, and how long they are in all where that is known.
    Stream(mpsc::Receiver<Bytes>, Option<u64>, Whole),
}

/// Set once all of a streamed body was written. Without it the answer is broken off, so that nobody takes a part for the whole.
type Whole = Arc<AtomicBool>;

/// Where a thread writes a streamed body.
pub(crate) struct Pipe(mpsc::Sender<Bytes>, Whole);

impl Body {
    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Self::Full(Some(bytes.into()))
    }

    pub(crate) fn empty() -> Self {
        Self::full(Bytes::new())
    }

    pub(crate) fn head(length: Option<u64>) -> Self {
        Self::Head(length)
    }

    /// A body that a thread writes into the pipe.
    pub(crate) fn stream(length: Option<u64>) -> (Pipe, Self) {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let whole = Whole::default();
        (Pipe(sender, whole.clone()), Self::Stream(receiver, length, whole))
    }

    /// How long it is, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Full(bytes) => Some(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Head(length) | Self::Stream(_, length, _) => *length,
        }
    }
}

impl Pipe {
    /// Hands on the next piece. Waits for a slow reader, but not for one who takes nothing at all.
    pub(crate) fn send(&self, bytes: Vec<u8>) -> io::Result<()> {
        let mut bytes = Bytes::from(bytes);
        let began = Instant::now();
        loop {
            bytes = match self.0.try_send(bytes) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(_)) => return Err(io::ErrorKind::BrokenPipe.into()),
                Err(TrySendError::Full(_)) if began.elapsed() > STALLED => return Err(io::ErrorKind::TimedOut.into()),
                Err(TrySendError::Full(bytes)) => bytes,
            };
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Says that this was all.
    pub(crate) fn done(self) {
        self.1.store(true, Ordering::Release);
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(bytes.take().filter(|b| !b.is_empty()).map(|bytes| Ok(Frame::data(bytes)))),
            Self::Head(_) => Poll::Ready(None),
            Self::Stream(pieces, _, whole) => pieces.poll_recv(context).map(|piece| match piece {
                Some(bytes) => Some(Ok(Frame::data(bytes))),
                None if whole.load(Ordering::Acquire) => None,
                None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Head(_) => true,
            Self::Stream(..) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Head(_) | Self::Stream(..) => SizeHint::default(),
        }
    }
}
