//! Bodies that may be long, as they arrive: a page's form and a program's envelope. What comes too slowly ends, and what is refused is read for a while, so that the
//! browser hears why.

use super::form::next;
use super::{Head, Site, lookup_of};
use crate::answer::Answer;
use crate::days::Mark;
use crate::hatch::{Flash, Hatch};
use crate::multipart::boundary;
use crate::pages::Stop;
use crate::store::UNACCEPTED_BYTES;
use crate::upload::{Ended, LONGEST_FORM, Sender, Sent, Upload};
use daylight_envelope::{Newsroom, Recipient};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long nothing at all may come, in the beginning and later.
const FIRST: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(40);
/// From when on at least this many bytes must have come by the second, so that nobody holds a place for nothing.
const GRACE: Duration = Duration::from_secs(20);
const SLOWEST: u64 = 4 << 10;
/// How much of what is refused is read, and for how long.
const DRAINED: u64 = 8 << 20;
const DRAINING: Duration = Duration::from_secs(20);

/// How many bytes a key of the directory has.
const RECIPIENT: usize = 1216;
/// After how many bytes, or how long, the house is told what has come.
const TOLD_BYTES: u64 = 256 << 10;
const TOLD: Duration = Duration::from_secs(1);

/// A body's pieces, none of which comes too late.
pub(super) struct Pieces {
    body: Incoming,
    began: Instant,
    come: u64,
}

impl Pieces {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, began: Instant::now(), come: 0 }
    }

    /// The next piece, unless its place is needed by somebody else; nothing at the end.
    pub(super) async fn next(&mut self, mut place: Option<&mut Place>) -> Result<Option<Bytes>, Stop> {
        // What has come whole is kept, whoever waits.
        place = place.filter(|_| !self.body.is_end_stream());
        let needed = async {
            match &place {
                Some(place) => place.needed().await,
                None => std::future::pending().await,
            }
        };
        let piece = timeout(if self.come == 0 { FIRST } else { SILENCE }, next(&mut self.body));
        let piece = tokio::select! {
            biased;
            () = needed => return Err(Stop::Slowest),
            piece = piece => piece.map_err(|_| Stop::Broke)?,
        };
        let Some(piece) = piece.transpose().map_err(|_| Stop::Broke)? else { return Ok(None) };
        self.come += piece.len() as u64;
        if let Some(place) = place {
            place.came(piece.len() as u64);
        }
        let elapsed = self.began.elapsed();
        if elapsed > GRACE && self.come / elapsed.as_secs().max(1) < SLOWEST {
            return Err(Stop::Broke);
        }
        Ok(Some(piece))
    }

    /// Reads on for a while without keeping anything.
    pub(super) async fn drain(mut self) {
        let until = self.come + DRAINED;
        let _ = timeout(DRAINING, async { while self.come < until && matches!(self.next(None).await, Ok(Some(_))) {} }).await;
    }
}

impl Site {
    /// A page's form with a text and files.
    pub(super) async fn send(self: &Arc<Self>, head: &Head, body: Incoming) -> Result<Answer, Stop> {
        let mut pieces = Pieces::new(body);
        let sent = match self.begin(head) {
            Ok((cookie, upload, mut place)) => {
                let (sent, stop) = receive(upload, &mut pieces, &mut place).await;
                self.hatch.hide_words(cookie.name());
                let note = |flash| self.hatch.note(cookie.name(), flash);
                match stop {
                    None if sent == Sent::default() => note(Flash::Nothing),
                    None => note(Flash::Sent { texts: sent.texts, files: sent.files }),
                    Some(_) if sent.parts > 0 => note(Flash::Broke(sent.parts)),
                    Some(_) if sent.texts + sent.files > 0 => note(Flash::Sent { texts: sent.texts, files: sent.files }),
                    Some(_) => {}
                }
                stop.map_or(Ok(()), Err)
            }
            Err(stop) => Err(stop),
        };
        if sent == Err(Stop::Full) {
            self.mark(Mark::Full);
        }
        if sent.is_err() {
            pieces.drain().await;
        }
        sent.map(|()| Answer::see(&head.at("/mailbox")).closing())
    }

    fn begin(self: &Arc<Self>, head: &Head) -> Result<(crate::session::Cookie, Upload, Place), Stop> {
        let (cookie, visit) = self.visit(head)?;
        if visit.slip {
            return Err(Stop::Expired);
        }
        if !head.is_from_here() {
            return Err(Stop::Stale);
        }
        let boundary = boundary(head.text(header::CONTENT_TYPE)).map_err(|_| Stop::Broke)?;
        let length = head.length().ok_or(Stop::Broke)?;
        if length > LONGEST_FORM {
            return Err(Stop::Large);
        }
        let place = self.place().ok_or(Stop::Busy)?;
        let (keys, lookup) = lookup_of(&visit.seed);
        let usage = self.hatch.usage(lookup);
        if !usage.accepted && usage.bytes + length > UNACCEPTED_BYTES {
            return Err(Stop::Unaccepted);
        }
        if !self.hatch.has_room(length) {
            return Err(Stop::Full);
        }
        let (epoch, recipients) = self.hatch.recipients();
        let key = |key: &[u8]| Recipient::from_bytes(key.try_into().ok()?).ok();
        // Whoever would be left out could not open what comes: then nobody is sealed to.
        let recipients: Option<Vec<Recipient>> = recipients.chunks(RECIPIENT).map(key).collect();
        let sender = Sender {
            keys,
            newsroom: Newsroom(self.common.newsroom.0),
            epoch,
            recipients: recipients.filter(|recipients| !recipients.is_empty()).ok_or(Stop::Closed)?,
            first: visit.fresh && usage.envelopes == 0 && usage.replies == 0 && !usage.accepted,
            accepted: usage.accepted,
            may_tell: usage.accepted || !visit.told,
        };
        Ok((cookie, Upload::new(self.hatch.clone(), sender, &boundary, visit.form, length), place))
    }

    /// A place among the uploads of all, and of this circuit. It may be waited for: nothing else is to be done meanwhile.
    pub(super) fn place(&self) -> Option<Place> {
        let place = Place { hatch: self.hatch.clone(), gives_way: self.gives_way.clone(), come: 0, told: Instant::now() };
        self.hatch.place().then_some(place)
    }
}

/// Held as long as an upload lasts.
pub(super) struct Place {
    hatch: Arc<Hatch>,
    gives_way: Arc<Notify>,
    /// How many bytes have come that the house was not told of, and when it was told last.
    come: u64,
    told: Instant,
}

impl Place {
    /// So many bytes have come.
    fn came(&mut self, bytes: u64) {
        self.come += bytes;
        if self.come >= TOLD_BYTES || self.told.elapsed() >= TOLD {
            self.hatch.came(self.come);
            (self.come, self.told) = (0, Instant::now());
        }
    }

    /// Waits until somebody else needs the place. Nothing is lost when this is given up and waited for again.
    async fn needed(&self) {
        self.gives_way.notified().await;
        // For whoever asks again: it is not taken back.
        self.gives_way.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Where this unwinds the house has closed.
        if !std::thread::panicking() {
            self.hatch.leave();
        }
    }
}

/// Pushes what comes into a form. Says what was kept, and why not all.
async fn receive(upload: Upload, pieces: &mut Pieces, place: &mut Place) -> (Sent, Option<Stop>) {
    // In a box, so that what hashes hold of the text is not copied with every move.
    let mut upload = Box::new(upload);
    let stop = loop {
        let pushed = match pieces.next(Some(place)).await {
            Ok(Some(piece)) => upload.push(&piece).map(|()| false),
            Ok(None) => upload.finish().map(|_| true),
            Err(stop) => break Some(stop),
        };
        match pushed {
            Ok(true) => break None,
            Ok(false) => {}
            Err(Ended(stop)) => break Some(stop),
        }
    };
    (upload.sent(), stop)
}
