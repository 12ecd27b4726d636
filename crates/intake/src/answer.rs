//! Answers to requests: every one of them leaves through [`Answer::finish`], which sets the headers that cage it.

use crate::hatch::Hatch;
use daylight_html::policy;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What our pages may do: nothing but show themselves and send forms back here.
const PAGE: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The body of an answer.
pub(crate) enum Body {
    /// All of it, until it is sent.
    Full(Option<Bytes>),
    /// Nothing, in answer to a `HEAD` for something of this length.
    Head(u64),
    /// What the house passes on piece by piece, and how many bytes are still to come: what gets shorter meanwhile breaks the answer off.
    Read(Arc<Hatch>, u64),
}

impl Body {
    fn length(&self) -> u64 {
        match self {
            Self::Full(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::Head(length) | Self::Read(_, length) => *length,
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match self.get_mut() {
            Self::Full(bytes) => bytes.take().filter(|b| !b.is_empty()).map(|bytes| Ok(Frame::data(bytes))),
            Self::Head(_) | Self::Read(_, 0) => None,
            Self::Read(hatch, left) => {
                let piece = hatch.read();
                *left = left.saturating_sub(piece.len() as u64);
                Some(if piece.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Frame::data(piece.into())) })
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(None) | Self::Head(_) | Self::Read(_, 0))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Head(_) => SizeHint::default(),
            _ => SizeHint::with_exact(self.length()),
        }
    }
}

/// An answer in the making.
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    keep: bool,
    policy: &'static str,
    body: Body,
}

impl Answer {
    fn new(status: StatusCode, media_type: &str, policy: &'static str, body: Body) -> Self {
        Self { status, headers: vec![(header::CONTENT_TYPE, media_type.to_owned())], keep: false, policy, body }
    }

    /// A page.
    pub(crate) fn page(status: StatusCode, html: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", PAGE, Body::Full(Some(html.into())))
    }

    /// Bytes for a program.
    pub(crate) fn bytes(media_type: &str, body: Body) -> Self {
        Self::new(StatusCode::OK, media_type, policy::BYTES, body)
    }

    /// One line of JSON for a program.
    pub(crate) fn json(status: StatusCode, json: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json", policy::BYTES, Body::Full(Some(json.into())))
    }

    /// One line that says what is wrong.
    pub(crate) fn error(status: StatusCode, why: &str) -> Self {
        Self::json(status, serde_json::json!({ "error": why }).to_string())
    }

    /// Sends the browser on to a page.
    pub(crate) fn see(to: &str) -> Self {
        let answer = Self::new(StatusCode::SEE_OTHER, "text/plain", policy::BYTES, Body::Full(None));
        answer.with(header::LOCATION, to)
    }

    /// An answer that may be kept for good: its address changes when it does.
    pub(crate) fn kept(self) -> Self {
        Self { keep: true, ..self }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Whether it has this status.
    pub(crate) fn is(&self, status: StatusCode) -> bool {
        self.status == status
    }

    /// The connection ends after it, and with it the buffers that held the request.
    pub(crate) fn closing(self) -> Self {
        self.with(header::CONNECTION, "close")
    }

    /// The answer with all its headers. To `HEAD` it has no body, but the length that it would have.
    pub(crate) fn finish(self, method: &Method) -> Response<Body> {
        let length = self.body.length();
        let mut response = Response::new(if method == Method::HEAD { Body::Head(length) } else { self.body });
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in policy::ALWAYS {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        // Our own forms must be able to show that they come from here (Fetch, "append a request Origin header"); nothing else is ever told.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(self.policy));
        headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        let keep = if self.keep { "public, max-age=31536000, immutable" } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        for (name, value) in self.headers {
            // What no header may hold is left out: values are ours, so this is never more than a slip.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
