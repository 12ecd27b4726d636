//! The way to a drop, and the questions that its wire knows (docs/drop.md).

use daylight_archive::directory::MAX_FILE;
use daylight_archive::json::Fields;
use daylight_envelope::{LookupId, Newsroom};
use daylight_model::Digest;
use hyper::body::Bytes;
use std::time::Duration;

/// The most bytes of a short answer.
const SHORT: usize = 64 << 10;
/// How long every answer with replies is.
pub(super) const REPLIES: usize = 256 << 10;

/// What a drop is asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The path, without a slash in front.
    pub path: &'a str,
    /// The header `Daylight-Lookup`.
    pub lookup: Option<LookupId>,
    /// What is sent (`POST`); without it something is asked for (`GET`). Sending it again copies nothing.
    pub body: Option<Bytes>,
    /// The most bytes of an honest answer.
    pub limit: usize,
}

/// What a drop answered, in one piece.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The line broke, or nobody answered: another time may be better.
    #[error("{0}")]
    Broken(String),
    /// It will be no better another time.
    #[error("{0}")]
    Never(String),
}

/// A way to a drop: through Tor, as a rule.
pub trait Line {
    /// Asks once.
    fn ask(&self, question: &Question<'_>) -> Result<Answered, LineError>;
}

/// How a broken line is borne.
pub struct Patience<'a> {
    /// How often something is tried.
    pub tries: u32,
    /// Waits so long, and may tell the user why.
    pub wait: &'a dyn Fn(Duration, &str),
}

/// Why the tool stopped.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The line.
    #[error("the drop cannot be reached: {0}")]
    Line(#[from] LineError),
    /// What the drop answered is no drop's answer.
    #[error("what answers there is no drop, or a broken one: {0}")]
    Answer(String),
    /// It is another newsroom's.
    #[error("this drop is another newsroom's than the root that you gave")]
    OtherNewsroom,
    /// It takes nothing more now.
    #[error("the drop is full: nothing of this was lost, come back in a day or two")]
    Full,
    /// It takes no more from this source before an editor accepted.
    #[error(
        "the drop takes no more from you before somebody in the newsroom has looked: come back with `daylight check`, then send the rest"
    )]
    Unaccepted,
    /// It refuses.
    #[error("the drop refuses this: {0}")]
    Refused(String),
    /// Nothing can be sealed.
    #[error(transparent)]
    Seal(#[from] std::io::Error),
    /// The directory has no keys for today.
    #[error("the newsroom's directory has no keys for today: it was not renewed, so nothing can be sealed for it")]
    NoKeys,
    /// A file is another than it was a moment ago.
    #[error("the file changed while it was read: send it again when nobody writes to it")]
    Changed,
}

/// What a drop says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The newsroom's name, as the drop says. Nobody signed it.
    pub title: String,
    /// Whose drop it is.
    pub newsroom: Newsroom,
}

/// A drop at the end of a line.
pub struct Drop<'a> {
    line: &'a dyn Line,
    patience: Patience<'a>,
}

impl<'a> Drop<'a> {
    /// The drop at the end of this line.
    pub fn new(line: &'a dyn Line, patience: Patience<'a>) -> Self {
        Self { line, patience }
    }

    /// What it says of itself, if it is the drop of this newsroom.
    pub fn newsroom(&self, expected: &Newsroom) -> Result<Told, Stop> {
        let answer = self.patiently(&get("newsroom", SHORT))?;
        let odd = |_| Stop::Answer("what it says of its newsroom has another form".into());
        let mut fields = Fields::read(&answer.body).map_err(odd)?;
        fields.format("daylight-drop/v1").map_err(odd)?;
        let newsroom = Newsroom(fields.digest("first_root").map_err(odd)?.0);
        let title: String = fields.string("title").map_err(odd)?.chars().filter(|c| !c.is_control()).take(100).collect();
        if newsroom == *expected { Ok(Told { title, newsroom }) } else { Err(Stop::OtherNewsroom) }
    }

    /// The directory's file; it is believed in nothing.
    pub fn directory(&self) -> Result<Vec<u8>, Stop> {
        Ok(self.patiently(&get("directory", MAX_FILE))?.body)
    }

    /// Sends one sealed envelope, if need be again and again: the same bytes, so that the drop keeps one.
    pub fn send(&self, lookup: LookupId, envelope: Bytes) -> Result<Digest, Stop> {
        let id = Digest::of(&envelope);
        let answer = self.patiently(&Question { path: "envelope", lookup: Some(lookup), body: Some(envelope), limit: SHORT })?;
        let told = Fields::read(&answer.body).and_then(|mut fields| fields.digest("id"));
        if told.is_ok_and(|told| told == id) { Ok(id) } else { Err(Stop::Answer("it kept something else than was sent".into())) }
    }

    /// One frame of replies, those after the first `skip`.
    pub fn replies(&self, lookup: LookupId, skip: usize) -> Result<Vec<u8>, Stop> {
        let body = format!("{lookup}\n{skip}");
        let question = Question { path: "replies", lookup: None, body: Some(body.into()), limit: REPLIES };
        Ok(self.patiently(&question)?.body)
    }

    /// Has everything of this source deleted.
    pub fn forget(&self, lookup: LookupId) -> Result<(), Stop> {
        let question = Question { path: "forget", lookup: None, body: Some(lookup.to_string().into()), limit: SHORT };
        self.patiently(&question).map(drop)
    }

    /// Asks until there is an answer that says yes or no for good.
    fn patiently(&self, question: &Question<'_>) -> Result<Answered, Stop> {
        let mut wait = Duration::from_secs(1);
        let mut tried = 0;
        loop {
            tried += 1;
            let why = match self.line.ask(question) {
                Ok(answer) => match judge(answer)? {
                    Ok(answer) => return Ok(answer),
                    Err(busy) => LineError::Broken(busy),
                },
                Err(error) => error,
            };
            match why {
                LineError::Broken(why) if tried < self.patience.tries => (self.patience.wait)(wait, &why),
                why => return Err(why.into()),
            }
            wait = (wait * 2).min(Duration::from_secs(60));
        }
    }
}

fn get(path: &str, limit: usize) -> Question<'_> {
    Question { path, lookup: None, body: None, limit }
}

/// What an answer means; the inner error is one that passes.
fn judge(answer: Answered) -> Result<Result<Answered, String>, Stop> {
    match answer.status {
        200 | 201 => Ok(Ok(answer)),
        // No part is longer than an envelope may be, so that this is about how much there is already.
        413 if !said(&answer).contains("longer") => Err(Stop::Unaccepted),
        429 => Ok(Err("it is busy".into())),
        503 => Err(Stop::Full),
        500 | 502 | 504 => Ok(Err("it failed".into())),
        404 => Err(Stop::Answer(format!("it has no such thing ({})", said(&answer)))),
        _ => Err(Stop::Refused(said(&answer))),
    }
}

/// The line that a drop says why, as far as it can be shown.
fn said(answer: &Answered) -> String {
    let told = Fields::read(&answer.body).and_then(|mut fields| fields.string("error"));
    let told = told.unwrap_or_else(|_| format!("status {}", answer.status));
    told.chars().filter(|c| !c.is_control()).take(200).collect()
}
