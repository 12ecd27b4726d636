//! Answers: judged by their heads before a byte of their bodies is read, and read no further than an honest one goes.

use super::{Client, HttpError};
use crate::address::Address;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{self, HeaderMap};
use hyper::{Request, Response, StatusCode};
use std::convert::Infallible;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// The longest head of an answer, in bytes, and the most fields in it.
const HEAD: usize = 32 << 10;
const FIELDS: usize = 64;
/// What follows a status that is no success is read to this length, so that the connection can be kept.
const DRAINED: u64 = 64 << 10;

/// Which bytes of a file to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    Whole,
    /// From one byte on to the end.
    From(u64),
    /// So many, from one byte on.
    Range {
        /// The first byte.
        from: u64,
        /// How many.
        length: u64,
    },
}

impl Part {
    /// The first byte.
    fn first(self) -> u64 {
        match self {
            Self::Whole => 0,
            Self::From(from) | Self::Range { from, .. } => from,
        }
    }

    /// The value of the `Range` field (RFC 9110 section 14.2).
    pub(super) fn header(self) -> Option<String> {
        match self {
            Self::Whole | Self::From(0) => None,
            Self::From(from) => Some(format!("bytes={from}-")),
            Self::Range { from, length } => Some(format!("bytes={from}-{}", from.saturating_add(length).saturating_sub(1))),
        }
    }
}

/// The body of a request: none, or bytes until they are sent.
#[derive(Debug)]
pub(super) struct Sent(pub(super) Option<Bytes>);

impl Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// A connection on which one request after the other is sent.
#[derive(Debug)]
pub(super) struct Session(SendRequest<Sent>);

impl Session {
    pub(super) fn new(sender: SendRequest<Sent>) -> Self {
        Self(sender)
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(&mut self, request: Request<Sent>, patience: Duration) -> Result<Response<Incoming>, HttpError> {
        let answered = async {
            self.0.ready().await?;
            self.0.send_request(request).await
        };
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_parse() || error.is_parse_too_large() => Err(HttpError::Lie("what it answers is no HTTP".into())),
            Ok(Err(error)) => Err(HttpError::Gone(format!("it broke off: {error}"))),
            Err(_) => Err(HttpError::Gone("it does not answer".into())),
        }
    }
}

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.max_buf_size(HEAD).max_headers(FIELDS);
    builder
}

/// The body of an answer, from the byte on that was asked for. Reading it is an error where it is longer than it may be, breaks off, or comes too
/// slowly; [`Answer::error`] then says which.
pub struct Answer<'c> {
    client: &'c Client,
    site: Address,
    /// Given back to the client when the body was read to its end.
    session: Option<Session>,
    incoming: Incoming,
    _place: OwnedSemaphorePermit,
    piece: Bytes,
    /// Bytes that come before the first that was asked for, from a server that gives only whole files.
    skip: u64,
    /// How many more bytes were asked for; `None` to the end.
    wanted: Option<u64>,
    total: Option<u64>,
    whole: bool,
    came: u64,
    limit: u64,
    waited: Duration,
    error: Option<HttpError>,
    ended: bool,
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} of {:?})", self.site, self.came, self.total)
    }
}

impl<'c> Answer<'c> {
    /// Judges an answer by its head. The inner error is another path of the same site.
    pub(super) fn judge(
        client: &'c Client,
        site: &Address,
        part: Part,
        limit: u64,
        (session, response, place): (Session, Response<Incoming>, OwnedSemaphorePermit),
    ) -> Result<Result<Self, String>, HttpError> {
        let (head, incoming) = response.into_parts();
        let mut answer = Self {
            client,
            site: site.clone(),
            session: Some(session),
            incoming,
            _place: place,
            piece: Bytes::new(),
            skip: 0,
            wanted: None,
            total: None,
            whole: true,
            came: 0,
            limit,
            waited: Duration::ZERO,
            error: None,
            ended: false,
        };
        match head.status {
            StatusCode::OK => answer.take_whole(part, &head.headers)?,
            StatusCode::PARTIAL_CONTENT => answer.take_part(part, &head.headers)?,
            status if status.is_redirection() => {
                answer.drain();
                return redirect(site, &head.headers).map(Err);
            }
            status => {
                answer.drain();
                return Err(failure(status, &head.headers));
            }
        }
        check_form(&head.headers)?;
        Ok(Ok(answer))
    }

    /// All of the file, whatever was asked for.
    fn take_whole(&mut self, part: Part, headers: &HeaderMap) -> Result<(), HttpError> {
        let length = length(headers)?;
        if length.is_some_and(|length| length > self.limit) {
            return Err(HttpError::Lie(format!("it has {} bytes where at most {} belong", length.unwrap_or(0), self.limit)));
        }
        (self.total, self.skip) = (length, part.first());
        if length.is_some_and(|length| length < self.skip) {
            return Err(HttpError::Lie(format!("it has {} bytes, fewer than were there before", length.unwrap_or(0))));
        }
        if let Part::Range { length, .. } = part {
            self.wanted = Some(length);
        }
        Ok(())
    }

    /// A part, which must be just the one that was asked for.
    fn take_part(&mut self, part: Part, headers: &HeaderMap) -> Result<(), HttpError> {
        let lie = || HttpError::Lie("it answers with another part of the file than was asked for".into());
        let (first, last, total) =
            headers.get(header::CONTENT_RANGE).and_then(|value| content_range(value.to_str().ok()?)).ok_or_else(lie)?;
        let expected = match part {
            Part::Whole | Part::From(0) => return Err(lie()),
            Part::From(from) => (from, total.checked_sub(1).ok_or_else(lie)?),
            Part::Range { from, length } => {
                let end = from.saturating_add(length).min(total);
                (from, end.checked_sub(1).ok_or_else(lie)?)
            }
        };
        if (first, last) != expected || first > last || last >= total {
            return Err(lie());
        }
        if total > self.limit {
            return Err(HttpError::Lie(format!("it has {total} bytes where at most {} belong", self.limit)));
        }
        let count = last - first + 1;
        if length(headers)?.is_some_and(|length| length != count) {
            return Err(lie());
        }
        (self.total, self.wanted, self.whole) = (Some(total), Some(count), false);
        Ok(())
    }

    /// How long the whole file is, where the answer says.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether the server gave the whole file, though a part was asked for.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Where the answer came from.
    pub fn site(&self) -> &Address {
        &self.site
    }

    /// Why reading failed, if it did.
    pub fn error(&mut self) -> HttpError {
        self.error.take().unwrap_or_else(|| HttpError::Gone("it broke off".into()))
    }

    /// Reads all that was asked for.
    pub fn bytes(mut self) -> Result<Vec<u8>, HttpError> {
        let mut bytes = Vec::new();
        match self.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(_) => Err(self.error()),
        }
    }

    /// The next piece of the body; `None` at its end.
    fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let patience = self.client.config.patience;
        let began = Instant::now();
        let frame = self.client.runtime.block_on(async {
            let next = std::future::poll_fn(|context| Pin::new(&mut self.incoming).poll_frame(context));
            tokio::time::timeout(patience.idle, next).await
        });
        self.waited += began.elapsed();
        let data = match frame {
            Err(_) => return Err(HttpError::Gone("it stopped in the middle".into())),
            Ok(Some(Err(error))) => return Err(HttpError::Gone(format!("it broke off: {error}"))),
            Ok(None) => return Ok(None),
            // Trailers say nothing that is asked here.
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        self.came += data.len() as u64;
        self.client.bytes.fetch_add(data.len() as u64, Relaxed);
        // A server that drips is as bad as one that is silent.
        let allowed = patience.grace + Duration::from_secs(self.came / patience.slowest.max(1));
        if self.waited > allowed {
            return Err(HttpError::Gone(format!("it gives less than {} bytes a second", patience.slowest)));
        }
        let wait = self.client.pace.wait_for(data.len() as u64);
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        Ok(Some(data))
    }

    /// The next bytes that were asked for; empty at their end.
    fn advance(&mut self) -> Result<Bytes, HttpError> {
        loop {
            if self.ended || self.wanted == Some(0) {
                self.end();
                return Ok(Bytes::new());
            }
            let Some(mut data) = self.next()? else {
                self.ended = true;
                if self.wanted.is_some_and(|wanted| wanted > 0 && !self.whole) || self.skip > 0 {
                    return Err(HttpError::Gone("it broke off".into()));
                }
                continue;
            };
            if self.came > self.limit.min(self.total.unwrap_or(u64::MAX)) {
                return Err(HttpError::Lie(format!("it goes on after the {} bytes that belong there", self.limit)));
            }
            let skipped = self.skip.min(data.len() as u64);
            self.skip -= skipped;
            let _ = data.split_to(skipped as usize);
            if let Some(wanted) = &mut self.wanted {
                data.truncate(usize::try_from(*wanted).unwrap_or(usize::MAX));
                *wanted -= data.len() as u64;
            }
            if !data.is_empty() {
                return Ok(data);
            }
        }
    }

    /// Gives the connection back, if nothing more will come on it for this answer.
    fn end(&mut self) {
        if !self.incoming.is_end_stream() && !self.ended {
            return;
        }
        if let Some(session) = self.session.take() {
            self.client.keep(&self.site, session);
        }
    }

    /// Reads what comes with a failure, if that is not much, for the sake of the connection.
    fn drain(&mut self) {
        while self.came < DRAINED {
            match self.next() {
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.ended = true;
                    return self.end();
                }
                Err(_) => return,
            }
        }
    }
}

impl Read for Answer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            self.piece = self.advance().map_err(|error| {
                let said = io::Error::other(error.to_string());
                self.error = Some(error);
                said
            })?;
        }
        let count = self.piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// `bytes FIRST-LAST/TOTAL` (RFC 9110 section 14.4).
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    Some((number(first)?, number(last)?, number(total)?))
}

fn length(headers: &HeaderMap) -> Result<Option<u64>, HttpError> {
    let lie = || HttpError::Lie("it states a length that is none".into());
    headers.get(header::CONTENT_LENGTH).map(|value| value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(lie)).transpose()
}

/// An archive has no pages and nothing packed for the way: whoever sends such a thing sends something else.
fn check_form(headers: &HeaderMap) -> Result<(), HttpError> {
    let text = |name| headers.get(name).map(|value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    if let Some(encoding) = text(header::CONTENT_ENCODING).filter(|encoding| encoding.trim() != "identity") {
        return Err(HttpError::Lie(format!("it sends it packed ({}), which nobody asked for", shown(&encoding))));
    }
    let media_type = text(header::CONTENT_TYPE).unwrap_or_default();
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    if ["text/html", "application/xhtml+xml", "multipart/byteranges"].contains(&bare) {
        return Err(HttpError::Lie(format!("it answers with a page or with something else that an archive does not have ({bare})")));
    }
    Ok(())
}

fn redirect(site: &Address, headers: &HeaderMap) -> Result<String, HttpError> {
    let to = headers.get(header::LOCATION).map(|value| shown(&String::from_utf8_lossy(value.as_bytes()))).unwrap_or_default();
    let elsewhere = || HttpError::Refused(format!("it sends us to {to:?}; if you trust that address, name it"));
    let fits = |path: &str| path.bytes().all(|b| b.is_ascii_graphic()) && path.len() <= 2048 && !path.contains('#');
    if to.starts_with('/') && !to.starts_with("//") && fits(&to) {
        return Ok(to);
    }
    let (scheme, rest) = to.split_once("://").ok_or_else(elsewhere)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let there: Address = format!("{scheme}://{authority}/").parse().map_err(|_| elsewhere())?;
    if there.is_beside(site) && fits(path) { Ok(format!("/{path}")) } else { Err(elsewhere()) }
}

fn failure(status: StatusCode, headers: &HeaderMap) -> HttpError {
    let status = status.as_u16();
    let retry_after = || retry_after(headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim());
    match status {
        404 | 410 => HttpError::Missing(status),
        429 | 503 => HttpError::Busy { status, after: retry_after() },
        // Not there, for a server that was asked for bytes past the end of what it has.
        416 => HttpError::Lie("it has fewer bytes than were there before".into()),
        500..=599 => HttpError::Gone(format!("it failed (answer {status})")),
        _ => HttpError::Refused(format!("it will not give it (answer {status})")),
    }
}

/// A number of seconds, or a time from which there may be an answer (RFC 9110 section 10.2.3).
fn retry_after(text: &str) -> Option<u64> {
    let until = |time: std::time::SystemTime| time.duration_since(std::time::SystemTime::now()).map_or(0, |wait| wait.as_secs() + 1);
    text.parse().ok().or_else(|| httpdate::parse_http_date(text).ok().map(until))
}

/// What others wrote, so that it can stand in a line.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
