//! Bodies that may be long, as they arrive: a page's form and a program's envelope. What comes too slowly ends, and what is refused is read for a while, so that the
//! browser hears why.

use super::form::next;
use super::{Head, Site, blocking, lookup_of};
use crate::answer::Answer;
use crate::circuits::{self, Open};
use crate::days::Mark;
use crate::lines::Spared;
use crate::multipart::boundary;
use crate::pages::{Flash, Stop};
use crate::places::Seat;
use crate::store::{UNACCEPTED_BYTES, today};
use crate::upload::{Ended, FILE, Sender, Sent, Upload};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long nothing at all may come, in the beginning and later.
const FIRST: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(40);
/// From when on at least this many bytes must have come by the second, so that nobody holds a place for nothing.
const GRACE: Duration = Duration::from_secs(20);
const SLOWEST: u64 = 4 << 10;
/// What may stand in a form beside a file.
const BESIDE: u64 = 1 << 20;
/// How much of what is refused is read, and for how long.
const DRAINED: u64 = 8 << 20;
const DRAINING: Duration = Duration::from_secs(20);

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
    pub(super) async fn next(&mut self, place: Option<&Place>) -> Result<Option<Bytes>, Stop> {
        // What has come whole is kept, whoever waits.
        let place = place.filter(|_| !self.body.is_end_stream());
        let needed = async {
            match place {
                Some(place) => place.seat.needed().await,
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
            place.seat.came(piece.len() as u64);
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
        let sent = match self.begin(head).await {
            Ok((cookie, upload, place)) => {
                let (sent, stop) = receive(upload, &mut pieces, &place).await;
                self.sessions.hide_words(&cookie);
                match stop {
                    None if sent == Sent::default() => self.sessions.note(&cookie, Flash::Nothing),
                    None => self.sessions.note(&cookie, Flash::Sent { texts: sent.texts, files: sent.files }),
                    Some(_) if sent.parts > 0 => self.sessions.note(&cookie, Flash::Broke(sent.parts)),
                    Some(_) if sent.texts + sent.files > 0 => {
                        self.sessions.note(&cookie, Flash::Sent { texts: sent.texts, files: sent.files });
                    }
                    Some(_) => {}
                }
                stop.map_or(Ok(()), Err)
            }
            Err(stop) => Err(stop),
        };
        if sent == Err(Stop::Full) {
            self.mark(Mark::Full).await;
        }
        if sent.is_err() {
            pieces.drain().await;
        }
        sent.map(|()| Answer::see(&head.at("/mailbox")).closing())
    }

    async fn begin(self: &Arc<Self>, head: &Head) -> Result<(crate::session::Cookie, Upload, Place), Stop> {
        let (cookie, visit) = self.visit(head)?;
        if visit.slip {
            return Err(Stop::Expired);
        }
        if !head.is_from_here() {
            return Err(Stop::Stale);
        }
        let boundary = boundary(head.text(header::CONTENT_TYPE)).map_err(|_| Stop::Broke)?;
        let length = head.length().ok_or(Stop::Broke)?;
        if length > FILE + BESIDE {
            return Err(Stop::Large);
        }
        let place = self.place(head).await.ok_or(Stop::Busy)?;
        let (keys, lookup) = lookup_of(&visit.seed);
        let usage = self.store.usage(&lookup);
        if !usage.accepted && usage.bytes + length > UNACCEPTED_BYTES {
            return Err(Stop::Unaccepted);
        }
        if !self.store.has_room(length) {
            return Err(Stop::Full);
        }
        let epoch = today();
        let recipients = self.home.keys().map(|keys| keys.recipients(epoch)).filter(|recipients| !recipients.is_empty());
        let sender = Sender {
            keys,
            newsroom: self.home.newsroom(),
            epoch,
            recipients: recipients.ok_or(Stop::Closed)?,
            first: visit.fresh && usage.envelopes == 0 && usage.replies == 0 && !usage.accepted,
            accepted: usage.accepted,
            may_tell: usage.accepted || !visit.told,
        };
        Ok((cookie, Upload::new(self.store.clone(), sender, &boundary, visit.form, length), place))
    }

    /// A place among the uploads of all, and of this circuit.
    pub(super) async fn place(self: &Arc<Self>, head: &Head) -> Option<Place> {
        let ours = self.circuits.open(head.circuit, Open::Upload)?;
        if self.places.are_taken() {
            self.mark(Mark::Crowded).await;
        }
        let seat = self.places.take(&self.circuits, head.circuit).await?;
        Some(Place { _ours: ours, _spared: head.line.spare(), seat })
    }
}

/// Held as long as an upload lasts.
pub(super) struct Place {
    _ours: circuits::Place,
    _spared: Spared,
    seat: Seat,
}

/// Pushes what comes into a form, each piece on a thread that may wait for the disk, so that no thread waits for the line. Says what was kept, and why not all.
async fn receive(upload: Upload, pieces: &mut Pieces, place: &Place) -> (Sent, Option<Stop>) {
    // In a box, so that what hashes hold of the text is not copied with every move.
    let mut upload = Box::new(upload);
    let mut kept = Sent::default();
    let stop = loop {
        let piece = match pieces.next(Some(place)).await {
            Ok(piece) => piece,
            Err(stop) => break Some(stop),
        };
        let last = piece.is_none();
        let pushed = blocking(move || {
            let result = match piece {
                Some(piece) => upload.push(&piece),
                None => upload.finish().map(|_| ()),
            };
            Ok((upload, result))
        });
        match pushed.await {
            Ok((returned, result)) => {
                upload = returned;
                kept = upload.sent();
                match result {
                    Ok(()) if last => break None,
                    Ok(()) => {}
                    Err(Ended(stop)) => break Some(stop),
                }
            }
            Err(stop) => return (kept, Some(stop)),
        }
    };
    (kept, stop)
}
