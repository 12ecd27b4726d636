//! The wire: what the source's tool and the newsroom's collector ask for. docs/drop.md describes it.

use super::form::read;
use super::receive::Pieces;
use super::{Head, Site};
use crate::answer::{Answer, Body};
use crate::circuits::Cost;
use crate::days::Mark;
use crate::hatch::Refusal;
use crate::newsroom::Home;
use crate::outgoing::Outgoing;
use crate::pages::Stop;
use crate::store::{LONGEST_REPLY, Lookup, UNACCEPTED_BYTES};
use crate::upload::{FILE, PART, longest, shortest};
use daylight_archive::directory::MAX_FILE;
use daylight_model::Digest;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName};
use hyper::{Method, StatusCode};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How long every answer with replies is.
const REPLIES: usize = 256 << 10;
/// How many ids or lookups a collector may name at once: some hundred thousand.
const NAMES: usize = 8 << 20;
/// How many characters the collector's token has.
const TOKEN: usize = 64;
const BYTES: &str = "application/octet-stream";

/// What a tool is told of the newsroom.
pub(crate) fn told(home: &Home) -> Vec<u8> {
    home.told(longest(), PART, FILE, 64 << 20)
}

type Told = Result<Answer, Answer>;

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

fn not_stored(refusal: Refusal) -> Answer {
    let status = match refusal {
        Refusal::Full => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Unaccepted => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Others => StatusCode::CONFLICT,
        Refusal::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let answer = refused(status, &refusal.to_string());
    if refusal == Refusal::Full { answer.with(header::RETRY_AFTER, "86400") } else { answer }
}

fn created(id: Digest) -> Answer {
    Answer::json(StatusCode::CREATED, format!("{{\"id\":\"{id}\"}}"))
}

fn carried_out(asked: Result<(), Refusal>) -> Told {
    asked.map(|()| done()).map_err(not_stored)
}

fn done() -> Answer {
    Answer::json(StatusCode::OK, "{}")
}

impl Site {
    pub(super) async fn wire(self: &Arc<Self>, head: &Head, body: Incoming) -> Answer {
        let cost = if matches!(head.path.as_str(), "/replies" | "/forget" | "/envelope") { Cost::Mailbox } else { Cost::Page };
        // Who has the token fetches hundreds of envelopes one after the other. Without it these paths cost what others do.
        let collects = head.path.starts_with("/collect/") && self.is_collector(head);
        if !collects && !self.allows(cost) {
            return stopped(Stop::Busy);
        }
        let answer = match (head.method.as_str(), head.path.as_str()) {
            ("GET" | "HEAD", "/newsroom") => Ok(Answer::json(StatusCode::OK, self.common.told.clone())),
            ("GET" | "HEAD", "/directory") => self.directory(),
            ("POST", "/envelope") => self.envelope(head, body).await,
            ("POST", "/replies") => self.replies(body).await,
            ("POST", "/forget") => self.forget(body).await,
            (_, path) => match path.strip_prefix("/collect/") {
                Some(what) if collects => self.collect(head, what, body).await,
                Some(_) => Err(refused(StatusCode::UNAUTHORIZED, "this is for the newsroom's collector: show its token")),
                None => Err(refused(StatusCode::NOT_FOUND, "there is no such page")),
            },
        };
        answer.unwrap_or_else(|refused| refused)
    }

    fn directory(&self) -> Told {
        let directory = self.hatch.directory().ok_or_else(|| refused(StatusCode::NOT_FOUND, "no directory has been brought yet"))?;
        Ok(Answer::bytes(BYTES, Body::Full(Some(directory.into()))))
    }

    fn is_collector(&self, head: &Head) -> bool {
        let token = head.text(header::AUTHORIZATION).strip_prefix("Daylight ").filter(|token| token.len() == TOKEN);
        let is = token.is_some_and(|token| self.hatch.is_collector(token.to_owned()));
        self.collects.store(is, Ordering::Relaxed);
        is
    }

    /// Takes a sealed envelope; it is durable before this answers.
    async fn envelope(&self, head: &Head, body: Incoming) -> Told {
        let mut pieces = Pieces::new(body);
        let taken = self.take(head, &mut pieces).await;
        if taken.as_ref().is_err_and(|answer| answer.is(StatusCode::SERVICE_UNAVAILABLE)) {
            self.mark(Mark::Full);
        }
        if taken.is_err() {
            pieces.drain().await;
        }
        taken
    }

    async fn take(&self, head: &Head, pieces: &mut Pieces) -> Told {
        let lookup = lookup(head)?;
        let length = head.length().ok_or_else(|| refused(StatusCode::LENGTH_REQUIRED, "say its length (Content-Length)"))?;
        if length > longest() {
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, "longer than an envelope may be: send the file in parts"));
        }
        // What cannot be one would only make the newsroom's list longer.
        if length < shortest() {
            return Err(refused(StatusCode::BAD_REQUEST, "shorter than any envelope is"));
        }
        let usage = self.hatch.usage(lookup);
        if !usage.accepted && usage.bytes + length > UNACCEPTED_BYTES {
            return Err(not_stored(Refusal::Unaccepted));
        }
        let mut place = self.place().ok_or_else(|| stopped(Stop::Busy))?;
        if !self.hatch.has_room(length) {
            return Err(not_stored(Refusal::Full));
        }
        let mut outgoing = Outgoing::begin(&self.hatch, lookup).map_err(not_stored)?;
        while let Some(piece) = pieces.next(Some(&mut place)).await.map_err(stopped)? {
            if outgoing.length() + piece.len() as u64 > length {
                return Err(stopped(Stop::Large));
            }
            outgoing.write_all(&piece).map_err(|error| not_stored(Refusal::of(&error)))?;
        }
        if outgoing.length() != length || length == 0 {
            return Err(stopped(Stop::Broke));
        }
        outgoing.keep().map(created).map_err(not_stored)
    }

    /// The replies to a source, in an answer that is as long whether there are any or not.
    async fn replies(&self, body: Incoming) -> Told {
        let body = read(body, 200).await.map_err(stopped)?;
        let text = std::str::from_utf8(&body).unwrap_or("");
        let (lookup, skip) = text.trim_end().split_once('\n').unwrap_or((text.trim_end(), "0"));
        let malformed = || refused(StatusCode::BAD_REQUEST, "a lookup id is 64 hexadecimal digits");
        let lookup: Lookup = lookup.parse().map_err(|_| malformed())?;
        let skip: usize = skip.parse().map_err(|_| malformed())?;
        let replies = self.hatch.replies(lookup);
        let left = replies.get(skip..).unwrap_or_default();
        let mut frame = vec![0; REPLIES];
        getrandom::fill(&mut frame).map_err(|_| not_stored(Refusal::Failed))?;
        let (mut at, mut count) = (8, 0u32);
        for (id, length) in left {
            let length = usize::try_from(*length).unwrap_or(usize::MAX);
            if length.saturating_add(4) > REPLIES - at {
                break;
            }
            let sealed = self.hatch.reply(*id).map_err(not_stored)?;
            frame[at..at + 4].copy_from_slice(&(sealed.len() as u32).to_be_bytes());
            frame[at + 4..at + 4 + sealed.len()].copy_from_slice(&sealed);
            at += 4 + sealed.len();
            count += 1;
        }
        frame[..4].copy_from_slice(&count.to_be_bytes());
        frame[4..8].copy_from_slice(&(left.len() as u32 - count).to_be_bytes());
        Ok(Answer::bytes(BYTES, Body::Full(Some(frame.into()))))
    }

    async fn forget(&self, body: Incoming) -> Told {
        let names = names::<Lookup>(body, 66).await?;
        let [lookup] = names[..] else { return Err(refused(StatusCode::BAD_REQUEST, "a lookup id is 64 hexadecimal digits")) };
        carried_out(self.hatch.forget(lookup))
    }

    async fn collect(self: &Arc<Self>, head: &Head, what: &str, body: Incoming) -> Told {
        match (&head.method, what) {
            (&Method::POST, "list") => {
                let length = self.hatch.open_list().map_err(not_stored)?;
                Ok(Answer::bytes("application/json", Body::Read(self.hatch.clone(), length)))
            }
            (&Method::POST, "done") => carried_out(self.hatch.done(names(body, NAMES).await?)),
            (&Method::POST, "accept") => carried_out(self.hatch.accept(names(body, NAMES).await?)),
            (&Method::POST, "forget") => carried_out(self.hatch.forget_answers(names(body, NAMES).await?)),
            (&Method::PUT, "reply") => {
                let lookup = lookup(head)?;
                let sealed = read(body, LONGEST_REPLY).await.map_err(stopped)?;
                self.hatch.put_reply(lookup, sealed.to_vec()).map(created).map_err(not_stored)
            }
            (&Method::PUT, "directory") => {
                let bytes = read(body, MAX_FILE).await.map_err(stopped)?;
                match self.hatch.put_directory(bytes.to_vec()) {
                    None => Ok(done()),
                    Some(why) => Err(refused(StatusCode::BAD_REQUEST, &why)),
                }
            }
            (&Method::GET, id) => {
                let missing = || refused(StatusCode::NOT_FOUND, "there is no such envelope");
                let id: Digest = id.parse().map_err(|_| missing())?;
                let length = self.hatch.open_envelope(id).map_err(not_stored)?.ok_or_else(missing)?;
                Ok(Answer::bytes(BYTES, Body::Read(self.hatch.clone(), length)))
            }
            _ => Err(refused(StatusCode::NOT_FOUND, "a collector asks for nothing of that name")),
        }
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
