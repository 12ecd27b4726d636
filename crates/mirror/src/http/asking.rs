//! Asking what needs a method, fields of its own and a longer answer than is held in memory: the wire of a drop.

use super::answer::Sent;
use super::{Client, HttpError, USER_AGENT, connect};
use crate::address::Address;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::{Request, header};
use std::io::Write;
use std::pin::Pin;
use std::time::Duration;

pub use hyper::Method;

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// How.
    pub method: Method,
    /// The path below the address.
    pub path: &'a str,
    /// Fields beside those that every request has.
    pub fields: &'a [(&'a str, &'a str)],
    /// What is sent along.
    pub body: Option<Bytes>,
}

impl Client {
    /// Asks, and writes the body of the answer to `out`, at most `limit` bytes of it. Gives the status, of any sort: nobody is followed elsewhere. One try, over
    /// a connection of its own; the head must come within `patience`, and then something of the body within each minute.
    pub fn query(
        &self,
        site: &Address,
        question: Question<'_>,
        limit: u64,
        patience: Duration,
        out: &mut dyn Write,
    ) -> Result<u16, HttpError> {
        if site.is_onion() && !self.has_proxy() {
            return Err(HttpError::Refused("an onion can only be reached through Tor: give --socks".into()));
        }
        let mut request = Request::builder()
            .method(question.method)
            .uri(site.path_to(question.path))
            .header(header::HOST, site.authority())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::CONNECTION, "close");
        for (name, value) in question.fields {
            request = request.header(*name, *value);
        }
        let body = Sent(Some(question.body.unwrap_or_default()));
        let request = request.body(body).map_err(|e| HttpError::Refused(format!("it cannot be asked: {e}")))?;
        let idle = self.patience().idle;
        self.runtime.block_on(async {
            let connected = tokio::time::timeout(patience, connect::connect(site, &self.config, &self.tls));
            let mut session = connected.await.map_err(|_| HttpError::Gone("it cannot be reached".into()))??;
            let (head, body) = session.send(request, patience).await?.into_parts();
            copy(body, limit, idle, out).await?;
            Ok(head.status.as_u16())
        })
    }
}

async fn copy(mut body: Incoming, limit: u64, idle: Duration, out: &mut dyn Write) -> Result<(), HttpError> {
    let mut length = 0;
    loop {
        let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame = tokio::time::timeout(idle, next).await.map_err(|_| HttpError::Gone("its answer stopped coming".into()))?;
        let Some(frame) = frame else { return Ok(()) };
        let frame = frame.map_err(|error| HttpError::Gone(format!("its answer broke off: {error}")))?;
        let data = frame.into_data().unwrap_or_default();
        length += data.len() as u64;
        if length > limit {
            return Err(HttpError::Lie(format!("its answer is longer than {limit} bytes")));
        }
        out.write_all(&data).map_err(|error| HttpError::Refused(format!("cannot keep what came: {error}")))?;
    }
}
