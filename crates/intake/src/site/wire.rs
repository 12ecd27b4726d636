//! The wire: what the source's tool and the newsroom's collector ask for. docs/drop.md describes it.

use super::form::read;
use super::receive::Pieces;
use super::{Head, Site};
use crate::answer::{Answer, Body};
use crate::circuits::Cost;
use crate::days::Mark;
use crate::pages::Stop;
use crate::session::same;
use crate::stack::apart_and_wiped;
use crate::store::{Kept, Kind, LONGEST_REPLY, Lookup, StoreError, UNACCEPTED_BYTES, list};
use crate::upload::{FILE, PART};
use daylight_archive::directory::MAX_FILE;
use daylight_envelope::envelope_length;
use daylight_model::Digest;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName};
use hyper::{Method, StatusCode};
use std::io::Write as _;
use std::sync::Arc;

/// How long every answer with replies is.
const REPLIES: usize = 256 << 10;
/// How many ids or lookups a collector may name at once: some hundred thousand.
const NAMES: usize = 8 << 20;
const BYTES: &str = "application/octet-stream";

type Told = Result<Answer, Answer>;

/// The shortest envelope: that of a short text.
fn shortest() -> u64 {
    envelope_length(0, &daylight_envelope::Kind::Text)
}

/// The longest envelope: that of a whole part of a file.
fn longest() -> u64 {
    envelope_length(PART, &daylight_envelope::Kind::File { file: [0; 16], part: 0, last: false })
}

fn refused(status: StatusCode, why: &str) -> Answer {
    Answer::error(status, why).closing()
}

fn stopped(stop: Stop) -> Answer {
    let why = match stop {
        Stop::Large => "longer than may be",
        Stop::Broke => "the request broke off, or came too slowly",
        Stop::Busy => "too much at once; wait a minute",
        Stop::Slowest => "others needed the place, and yours was the slowest line; send it again",
        _ => "the drop failed",
    };
    let answer = refused(stop.status(), why);
    if matches!(stop, Stop::Busy | Stop::Slowest) { answer.with(header::RETRY_AFTER, "60") } else { answer }
}

fn not_stored(error: &StoreError) -> Answer {
    match error {
        StoreError::Full => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()).with(header::RETRY_AFTER, "86400"),
        StoreError::Unaccepted => refused(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string()),
        StoreError::Others => refused(StatusCode::CONFLICT, &error.to_string()),
        // What is wrong with the disk is not the sender's business.
        _ => refused(StatusCode::INTERNAL_SERVER_ERROR, "the drop failed"),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, Answer> {
    let done = apart_and_wiped(work).await;
    (*done.ok_or_else(|| stopped(Stop::Failed))?).map_err(|error| not_stored(&error))
}

fn created(kept: Kept) -> Answer {
    Answer::json(StatusCode::CREATED, format!("{{\"id\":\"{}\"}}", kept.id))
}

fn done() -> Answer {
    Answer::json(StatusCode::OK, "{}")
}

impl Site {
    pub(super) async fn wire(self: &Arc<Self>, head: &Head, body: Incoming) -> Answer {
        let cost = if matches!(head.path.as_str(), "/replies" | "/forget" | "/envelope") { Cost::Mailbox } else { Cost::Page };
        // Who has the token fetches hundreds of envelopes one after the other. Without it these paths cost what others do.
        let collects = head.path.starts_with("/collect/") && self.is_collector(head);
        if collects {
            head.line.spare_for_good();
        }
        if !collects && !self.circuits.allows(head.circuit, cost) {
            return stopped(Stop::Busy);
        }
        let answer = match (head.method.as_str(), head.path.as_str()) {
            ("GET" | "HEAD", "/newsroom") => Ok(Answer::json(StatusCode::OK, self.home.told(longest(), PART, FILE, 64 << 20))),
            ("GET" | "HEAD", "/directory") => self.directory(),
            ("POST", "/envelope") => self.envelope(head, body).await,
            ("POST", "/replies") => self.replies(body).await,
            ("POST", "/forget") => self.forget(body).await,
            (_, path) => match path.strip_prefix("/collect/") {
                Some(what) if self.is_collector(head) => self.collect(head, what, body).await,
                Some(_) => Err(refused(StatusCode::UNAUTHORIZED, "this is for the newsroom's collector: show its token")),
                None => Err(refused(StatusCode::NOT_FOUND, "there is no such page")),
            },
        };
        answer.unwrap_or_else(|refused| refused)
    }

    fn directory(&self) -> Told {
        let keys = self.home.keys().ok_or_else(|| refused(StatusCode::NOT_FOUND, "no directory has been brought yet"))?;
        Ok(Answer::bytes(BYTES, Body::Full(Some(keys.bytes.clone().into()))))
    }

    /// Compared by the hash, so that the time it takes says nothing of the token.
    fn is_collector(&self, head: &Head) -> bool {
        let token = head.text(header::AUTHORIZATION).strip_prefix("Daylight ").unwrap_or("");
        same(&Digest::of(token.as_bytes()).to_string(), &self.home.collector.to_string())
    }

    /// Takes a sealed envelope; it is durable before this answers.
    async fn envelope(self: &Arc<Self>, head: &Head, body: Incoming) -> Told {
        let mut pieces = Pieces::new(body);
        let taken = self.take(head, &mut pieces).await;
        if taken.as_ref().is_err_and(|answer| answer.is(StatusCode::SERVICE_UNAVAILABLE)) {
            self.mark(Mark::Full).await;
        }
        if taken.is_err() {
            pieces.drain().await;
        }
        taken
    }

    async fn take(self: &Arc<Self>, head: &Head, pieces: &mut Pieces) -> Told {
        let lookup = lookup(head)?;
        let length = head.length().ok_or_else(|| refused(StatusCode::LENGTH_REQUIRED, "say its length (Content-Length)"))?;
        if length > longest() {
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, "longer than an envelope may be: send the file in parts"));
        }
        // What cannot be one would only make the newsroom's list longer.
        if length < shortest() {
            return Err(refused(StatusCode::BAD_REQUEST, "shorter than any envelope is"));
        }
        let usage = self.store.usage(&lookup);
        if !usage.accepted && usage.bytes + length > UNACCEPTED_BYTES {
            return Err(not_stored(&StoreError::Unaccepted));
        }
        if !self.store.has_room(length) {
            return Err(not_stored(&StoreError::Full));
        }
        let place = self.place(head).await.ok_or_else(|| stopped(Stop::Busy))?;
        let store = self.store.clone();
        let mut incoming = blocking(move || store.begin(Kind::Envelope, lookup)).await?;
        while let Some(piece) = pieces.next(Some(&place)).await.map_err(stopped)? {
            if incoming.length() + piece.len() as u64 > length {
                return Err(stopped(Stop::Large));
            }
            incoming = blocking(move || incoming.push(&piece).map(|()| incoming)).await?;
        }
        if incoming.length() != length || length == 0 {
            return Err(stopped(Stop::Broke));
        }
        let store = self.store.clone();
        blocking(move || store.keep(incoming)).await.map(created)
    }

    /// The replies to a source, in an answer that is as long whether there are any or not.
    async fn replies(self: &Arc<Self>, body: Incoming) -> Told {
        let body = read(body, 200).await.map_err(stopped)?;
        let text = std::str::from_utf8(&body).unwrap_or("");
        let (lookup, skip) = text.trim_end().split_once('\n').unwrap_or((text.trim_end(), "0"));
        let malformed = || refused(StatusCode::BAD_REQUEST, "a lookup id is 64 hexadecimal digits");
        let lookup: Lookup = lookup.parse().map_err(|_| malformed())?;
        let skip: usize = skip.parse().map_err(|_| malformed())?;
        let store = self.store.clone();
        let frame = blocking(move || {
            let replies = store.replies(&lookup);
            let left = replies.get(skip..).unwrap_or_default();
            let mut room = REPLIES - 8;
            let fitting = left.iter().take_while(|(_, length)| {
                let needed = usize::try_from(*length).unwrap_or(usize::MAX).saturating_add(4);
                let fits = needed <= room;
                room = room.saturating_sub(needed);
                fits
            });
            let mut sealed = Vec::new();
            for (id, _) in fitting {
                sealed.push(store.reply(id)?);
            }
            let mut frame = vec![0; REPLIES];
            getrandom::fill(&mut frame).map_err(|_| crate::NoRandomness)?;
            let mut at = 0;
            let mut put = |bytes: &[u8]| {
                frame[at..at + bytes.len()].copy_from_slice(bytes);
                at += bytes.len();
            };
            put(&(sealed.len() as u32).to_be_bytes());
            put(&((left.len() - sealed.len()) as u32).to_be_bytes());
            for reply in &sealed {
                put(&(reply.len() as u32).to_be_bytes());
                put(reply);
            }
            Ok(frame)
        });
        Ok(Answer::bytes(BYTES, Body::Full(Some(frame.await?.into()))))
    }

    async fn forget(self: &Arc<Self>, body: Incoming) -> Told {
        let names = names::<Lookup>(body, 66).await?;
        let [lookup] = names[..] else { return Err(refused(StatusCode::BAD_REQUEST, "a lookup id is 64 hexadecimal digits")) };
        let store = self.store.clone();
        blocking(move || store.forget(&lookup)).await.map(|()| done())
    }

    async fn collect(self: &Arc<Self>, head: &Head, what: &str, body: Incoming) -> Told {
        let store = self.store.clone();
        match (&head.method, what) {
            (&Method::POST, "list") => {
                self.mark(Mark::Collected).await;
                Ok(Answer::json(StatusCode::OK, list(&store.envelopes())))
            }
            (&Method::POST, "done") => {
                let ids = names::<Digest>(body, NAMES).await?;
                blocking(move || store.done(&ids)).await.map(|()| done())
            }
            (&Method::POST, "accept") => {
                let lookups = names::<Lookup>(body, NAMES).await?;
                blocking(move || lookups.into_iter().try_for_each(|lookup| store.accept(lookup))).await.map(|()| done())
            }
            (&Method::POST, "forget") => {
                let lookups = names::<Lookup>(body, NAMES).await?;
                blocking(move || lookups.iter().try_for_each(|lookup| store.forget_answers(lookup))).await.map(|()| done())
            }
            (&Method::PUT, "reply") => {
                let lookup = lookup(head)?;
                let sealed = read(body, LONGEST_REPLY).await.map_err(stopped)?;
                blocking(move || store.put_reply(lookup, &sealed)).await.map(created)
            }
            (&Method::PUT, "directory") => {
                let bytes = read(body, MAX_FILE).await.map_err(stopped)?;
                let site = self.clone();
                let put = tokio::task::spawn_blocking(move || site.put_directory(&bytes)).await.map_err(|_| stopped(Stop::Failed))?;
                put.map(|()| done()).map_err(|why| refused(StatusCode::BAD_REQUEST, &why))
            }
            (&Method::GET, id) => {
                let missing = || refused(StatusCode::NOT_FOUND, "there is no such envelope");
                let id: Digest = id.parse().map_err(|_| missing())?;
                let (file, length) = blocking(move || store.envelope(&id)).await?.ok_or_else(missing)?;
                Ok(Answer::bytes(BYTES, Body::file(file, length)))
            }
            _ => Err(refused(StatusCode::NOT_FOUND, "a collector asks for nothing of that name")),
        }
    }

    fn put_directory(&self, bytes: &[u8]) -> Result<(), String> {
        self.home.put_directory(bytes).map_err(|error| error.to_string())?;
        if let Some(keys) = self.home.keys() {
            keys.prepare(crate::store::today());
        }
        Ok(())
    }
}

fn lookup(head: &Head) -> Result<Lookup, Answer> {
    let text = head.text(HeaderName::from_static("daylight-lookup"));
    text.parse().map_err(|_| refused(StatusCode::BAD_REQUEST, "the header Daylight-Lookup has 64 hexadecimal digits"))
}

/// Names of 64 hexadecimal digits, one a line.
async fn names<T: std::str::FromStr>(body: Incoming, longest: usize) -> Result<Vec<T>, Answer> {
    let body = read(body, longest).await.map_err(stopped)?;
    let text = std::str::from_utf8(&body).unwrap_or("?");
    let names: Result<Vec<T>, _> = text.lines().map(str::parse).collect();
    names.map_err(|_| refused(StatusCode::BAD_REQUEST, "a name is 64 hexadecimal digits, one a line"))
}

impl crate::store::Incoming {
    fn push(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_all(bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
            _ => StoreError::Disk { what: "receiving".into(), source: error },
        })
    }
}
