//! The witness's server: `POST /add-checkpoint`, and `GET /<SHA-256 of the origin>/checkpoint` for the last checkpoint that was cosigned. It writes
//! nothing anywhere about who asked.

use super::connections::{Listen, Listener, Stream};
use super::state::{Refusal, State};
use daylight_archive::Signer;
use daylight_archive::witness::{MAX_REQUEST, SIZE_TYPE};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many connections are open at once.
const CONNECTIONS: usize = 256;
/// How many checkpoints are judged at once, each by a thread that may wait for the disk.
const JUDGES: usize = 16;
/// The longest head of a request, in bytes.
const HEAD: usize = 16 << 10;
/// How long a client may take to send the head of a request, and its body.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 5 } else { 20 });
/// How long one connection may last, however busy it is.
const LIFE: Duration = Duration::from_secs(300);
/// How long connections may take to end when the server is told to.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why a witness does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(String, #[source] io::Error),
    /// The system gives no threads, timers or signals.
    #[error("cannot run a server: {0}")]
    Run(#[source] io::Error),
}

/// Answers checkpoints until the process is told to end (SIGINT or SIGTERM). Calls `ready` with the address once it listens there.
pub fn serve(state: State, signer: Signer, listen: &Listen, ready: &mut dyn FnMut(&str)) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(JUDGES).build().map_err(ServeError::Run)?;
    let served = runtime.block_on(async {
        let (listener, said) = Listener::bind(listen).await.map_err(|e| ServeError::Listen(format!("{listen:?}"), e))?;
        let end = end().map_err(ServeError::Run)?;
        ready(&said);
        run(listener, Arc::new(Witness { state, signer }), end).await;
        Ok(())
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Listen::Unix(path) = listen {
        let _ = std::fs::remove_file(path);
    }
    served
}

/// What answers.
pub(super) struct Witness {
    pub(super) state: State,
    pub(super) signer: Signer,
}

/// Takes connections until `end`, then lets those that are open finish what they are at.
pub(super) async fn run(listener: Listener, witness: Arc<Witness>, end: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let farewell = GracefulShutdown::new();
    tokio::pin!(end);
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { break };
        let stream = tokio::select! {
            taken = listener.accept() => taken,
            () = &mut end => break,
        };
        let Ok(stream) = stream else {
            // No more files can be opened, say: wait for some to be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let connection = farewell.watch(connection(stream, witness.clone()));
        tokio::spawn(async move {
            // A connection that fails is the client's business: there is nobody to tell.
            let _ = timeout(LIFE, connection).await;
            drop(place);
        });
    }
    drop(listener);
    let _ = timeout(FAREWELL, farewell.shutdown()).await;
}

fn connection(
    stream: Box<dyn Stream>,
    witness: Arc<Witness>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let witness = witness.clone();
        async move { Ok::<_, Infallible>(witness.answer(request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD.max(8 << 10))
        .serve_connection(TokioIo::new(stream), service)
}

/// An answer, whole in memory.
type Answer = Response<Full>;

impl Witness {
    async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        let answer = match path.strip_prefix('/').map(|path| path.strip_suffix("/checkpoint").ok_or(path)) {
            Some(Err("add-checkpoint")) if head.method == Method::POST => return self.add_checkpoint(body).await,
            Some(Err("add-checkpoint")) => with(text(StatusCode::METHOD_NOT_ALLOWED, "a checkpoint is sent with POST"), ALLOW, "POST"),
            Some(Err("") | Ok(_)) if !reads => with(text(StatusCode::METHOD_NOT_ALLOWED, "this is only read"), ALLOW, "GET, HEAD"),
            Some(Err("")) => text(StatusCode::OK, &self.introduction()),
            Some(Ok(hash)) => self.last_checkpoint(hash.to_owned()).await,
            _ => text(StatusCode::NOT_FOUND, "a witness answers POST /add-checkpoint (c2sp.org/tlog-witness)"),
        };
        if head.method == Method::HEAD { answer.map(|_| Full(None)) } else { answer }
    }

    fn introduction(&self) -> String {
        format!("this is a witness (c2sp.org/tlog-witness); it cosigns with the key\n{}", self.signer.cosigner_key())
    }

    async fn add_checkpoint(self: &Arc<Self>, body: Incoming) -> Answer {
        let body = match timeout(PATIENCE, read(body)).await {
            Ok(Ok(body)) => body,
            Ok(Err(status)) => return closing(text(status, "the request is too long, or broke off")),
            Err(_) => return closing(text(StatusCode::REQUEST_TIMEOUT, "the request took too long")),
        };
        let witness = self.clone();
        let judged = tokio::task::spawn_blocking(move || witness.state.add_checkpoint(&body, &witness.signer, now())).await;
        match judged {
            Ok(Ok(cosigned)) => text(StatusCode::OK, cosigned.signature.line().trim_end()),
            Ok(Err(refusal)) => refused(&refusal),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed"),
        }
    }

    /// The last checkpoint of the log whose origin has this hash, with the log's signature and the witness's.
    async fn last_checkpoint(self: &Arc<Self>, hash: String) -> Answer {
        let witness = self.clone();
        let log = tokio::task::spawn_blocking(move || witness.state.log_by_hash(&hash)).await;
        match log {
            Ok(Ok(log)) => match log.and_then(|log| log.last) {
                Some((_, note)) => respond(StatusCode::OK, "text/plain; charset=utf-8", note.to_bytes()),
                None => text(StatusCode::NOT_FOUND, "no checkpoint of such a log was cosigned here"),
            },
            _ => text(StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot read what it stored"),
        }
    }
}

/// A refusal with its status, and with the size that is known where the status asks for it.
fn refused(refusal: &Refusal) -> Answer {
    let status = match refusal {
        Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
        Refusal::Untrusted => StatusCode::FORBIDDEN,
        Refusal::UnknownLog => StatusCode::NOT_FOUND,
        Refusal::Conflict(size) => return respond(StatusCode::CONFLICT, SIZE_TYPE, format!("{size}\n").into_bytes()),
        Refusal::Inconsistent => StatusCode::UNPROCESSABLE_ENTITY,
        // What is wrong with the disk is not the client's business.
        Refusal::State(_) => return text(StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot store the checkpoint"),
    };
    text(status, &refusal.to_string())
}

/// Reads a body that may not be too long. Errors: the status to answer with.
async fn read(mut body: Incoming) -> Result<Vec<u8>, StatusCode> {
    if body.size_hint().lower() > MAX_REQUEST as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let data = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data().unwrap_or_default();
        if bytes.len() + data.len() > MAX_REQUEST {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn text(status: StatusCode, words: &str) -> Answer {
    respond(status, "text/plain; charset=utf-8", format!("{words}\n").into_bytes())
}

fn respond(status: StatusCode, media_type: &'static str, bytes: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full(Some(bytes.into())));
    *answer.status_mut() = status;
    with(with(answer, CONTENT_TYPE, media_type), CACHE_CONTROL, "no-store")
}

fn with(mut answer: Answer, name: hyper::header::HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

/// An answer after which the connection ends: the rest of the request is not read.
fn closing(answer: Answer) -> Answer {
    with(answer, CONNECTION, "close")
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Ends when the process is told to.
fn end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}

/// A body in memory, until it is sent.
struct Full(Option<Bytes>);

impl hyper::body::Body for Full {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.take().map(|bytes| Ok(hyper::body::Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
