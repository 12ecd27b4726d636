//! Asking what is no file of an archive: a question of a few bytes, and an answer of a few, whatever its status.

use super::answer::{Sent, shown};
use super::{Client, HttpError, USER_AGENT, connect};
use crate::address::Address;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::{Method, Request, header};
use std::pin::Pin;
use std::time::Duration;

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its status, of any sort: nobody is followed elsewhere.
    pub status: u16,
    /// Its media type, in lower case and without parameters; empty where it has none.
    pub media_type: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

impl Said {
    /// Its first line, as far as it can be shown.
    pub fn words(&self) -> String {
        shown(String::from_utf8_lossy(&self.body).lines().next().unwrap_or_default())
    }
}

impl Client {
    /// Sends a question (`POST`), or asks without one (`GET`), at a path below an address. The answer has at most `limit` bytes, and all of it, from
    /// the first byte on the way there, takes no longer than `patience`. One try, over a connection of its own.
    pub fn exchange(
        &self,
        site: &Address,
        path: &str,
        question: Option<Vec<u8>>,
        limit: usize,
        patience: Duration,
    ) -> Result<Said, HttpError> {
        if site.is_onion() && !self.has_proxy() {
            return Err(HttpError::Refused("an onion can only be reached through Tor: give --socks".into()));
        }
        let method = if question.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(site.path_to(path))
            .header(header::HOST, site.authority())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::CONNECTION, "close");
        if question.is_some() {
            request = request.header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        }
        let request = request.body(Sent(question.map(Bytes::from))).map_err(|e| HttpError::Refused(format!("it cannot be asked: {e}")))?;
        let exchange = async {
            let mut session = connect::connect(site, &self.config, &self.tls).await?;
            let (head, body) = session.send(request, patience).await?.into_parts();
            let media_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            Ok(Said { status: head.status.as_u16(), media_type, body: read(body, limit).await? })
        };
        let exchanged = self.runtime.block_on(async { tokio::time::timeout(patience, exchange).await });
        exchanged.map_err(|_| HttpError::Gone("it does not answer".into()))?
    }
}

async fn read(mut body: Incoming, limit: usize) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|error| HttpError::Gone(format!("its answer broke off: {error}")))?;
        let data = frame.into_data().unwrap_or_default();
        if bytes.len() + data.len() > limit {
            return Err(HttpError::Lie(format!("its answer is longer than {limit} bytes")));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
