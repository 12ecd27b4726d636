//! The server: connections, their limits, and an orderly end. It writes nothing anywhere about who asks for what.

use crate::body::Body;
use crate::cache::Progress;
use crate::error::ReaderError;
use crate::limits;
use crate::site::{Request, Site};
use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct Serve {
    /// The archive's folder; only read.
    pub archive: PathBuf,
    /// The cache's folder, outside of it.
    pub cache: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// Serves an archive until the process is told to end (SIGINT or SIGTERM). First makes or updates the cache, telling `progress`; then calls `ready`
/// with the address at which it listens.
pub fn serve(what: Serve, progress: &mut dyn FnMut(Progress), ready: &mut dyn FnMut(SocketAddr)) -> Result<(), ReaderError> {
    let Serve { archive, cache, listen } = what;
    let site = Arc::new(Site::open(archive, cache, progress)?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(limits::READERS).build().map_err(ReaderError::Run)?;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(listen).await.map_err(|e| ReaderError::Listen(listen, e))?;
        let end = end().map_err(ReaderError::Run)?;
        ready(listener.local_addr().map_err(ReaderError::Run)?);
        run(listener, site, end).await;
        Ok(())
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// Takes connections until `end`, then lets those that are open finish what they are at.
pub(crate) async fn run(listener: TcpListener, site: Arc<Site>, end: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(limits::CONNECTIONS));
    let farewell = GracefulShutdown::new();
    tokio::pin!(end);
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { break };
        let stream = tokio::select! {
            taken = listener.accept() => taken,
            () = &mut end => break,
        };
        let Ok((stream, _)) = stream else {
            // No more files can be opened, say: wait for some to be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let connection = farewell.watch(connection(stream, site.clone()));
        tokio::spawn(async move {
            // A connection that fails is the visitor's business: there is nobody to tell.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(limits::FAREWELL, farewell.shutdown()).await;
}

fn connection(stream: TcpStream, site: Arc<Site>) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let site = site.clone();
        async move {
            // A body, if there is one, is never read: the answer does not depend on it.
            let (head, _) = request.into_parts();
            let request = Request { method: head.method, uri: head.uri, headers: head.headers };
            Ok::<Response<Body>, Infallible>(site.answer(request).await)
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::PATIENCE)
        .max_buf_size(limits::HEAD)
        .serve_connection(TokioIo::new(stream), service)
}

/// Ends when the process is told to.
fn end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}
