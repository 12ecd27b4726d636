//! The house's end of one attendant's hatch. Whoever captures an attendant speaks here, so nothing is given that its visitor could not ask for by the wire or with its own cookie,
//! and nothing is done more often than the visitor's circuit may have it done.

use super::House;
use crate::circuits::{self, Cost, Open};
use crate::days::Mark;
use crate::hatch::{self, FAREWELL, Flash, GIVE_WAY, Held, Keeper, LONGEST, LONGEST_OF_COLLECTOR, PIECE, PLACE, Refusal};
use crate::lines::{Line, Spared};
use crate::places::{LEAVING, Seat};
use crate::session::same;
use crate::store::{Incoming, Kind, LONGEST_REPLY, Lookup, UNACCEPTED_BYTES, Usage, list, today};
use crate::upload::{FILE, FILES, LONGEST_FORM, PART, longest, shortest};
use daylight_model::Digest;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::Instant;

/// How many envelopes one form makes at most (a text; of each file a part that is not whole and an empty last one; whole parts), and how many sealed bytes they have: padding adds an eighth.
const MOST_ENVELOPES: u64 = 1 + 2 * FILES as u64 + FILE / PART;
const MOST_BYTES: u64 = FILE / 8 * 9 + (16 << 20);
/// More than this does not come on a line, in bytes a second and at once.
const FASTEST: f64 = 4e6;
const BURST: f64 = 1e6;

/// How many questions an attendant may ask for each thing that its circuit was allowed: more than any page needs.
const QUESTIONS: u32 = 300;
/// How many before anything was allowed: as many as it takes to say that it was not.
const FIRST: u32 = 4;
/// How many while a place is held: pieces of the longest form, and what is said of their coming.
const PIECES: u32 = 200_000;

/// One attendant, as the house knows it.
pub(crate) struct Counter {
    house: Arc<House>,
    line: Arc<Line>,
    /// How many questions are still answered.
    left: u32,
    /// What the circuit has paid for and not had.
    paid: Paid,
    collects: bool,
    place: Option<Taken>,
    /// What is being received, and how many more bytes of it are taken.
    incoming: Option<(Incoming, u64)>,
    /// What is read piece by piece, and how much is left of it.
    reading: Option<(Reading, u64)>,
}

/// What is dear: each is had once for what it costs to open a mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Paid {
    session: bool,
    replies: bool,
    forgetting: bool,
}

type Reading = Box<dyn io::Read + Send>;

/// A place for an upload, as long as it is held.
struct Taken {
    _ours: circuits::Place,
    _spared: Spared,
    seat: Seat,
    /// Since when it is to be given back.
    told: Option<Instant>,
    /// For whom it is, once that was said: one form is of one source.
    of: Option<Lookup>,
    /// How many envelopes more, and how many bytes in them.
    envelopes: u64,
    bytes: u64,
    /// Whether room was asked for.
    asked: bool,
    /// When it was said last how much came, so that nobody says that more did than a line carries.
    heard: Instant,
}

impl Taken {
    fn new(ours: circuits::Place, spared: Spared, seat: Seat) -> Self {
        let (told, of, asked, heard) = (None, None, false, Instant::now());
        Self { _ours: ours, _spared: spared, seat, told, of, envelopes: MOST_ENVELOPES, bytes: MOST_BYTES, asked, heard }
    }
}

/// Whether the house takes visitors, lets those who are there finish, or has sent them away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hours {
    Open,
    Closing,
    Closed,
}

/// The line on which the house speaks by itself, and what it says when it is about to end.
pub(crate) struct Orders {
    pub(crate) line: UnixStream,
    pub(crate) hours: watch::Receiver<Hours>,
}

impl Counter {
    pub(crate) fn new(house: Arc<House>, line: Arc<Line>) -> Self {
        Self { house, line, left: FIRST, paid: Paid::default(), collects: false, place: None, incoming: None, reading: None }
    }

    /// Answers until the attendant is gone, or asks what no attendant asks.
    pub(crate) async fn attend(self, mut hatch: UnixStream, mut orders: Orders) -> io::Result<()> {
        let mut counter = Box::new(self);
        while let Some(question) = counter.next(&mut hatch, &mut orders).await? {
            let answer = match question.first() {
                Some(&PLACE) => {
                    let placed = counter.take_place().await;
                    vec![u8::from(placed)]
                }
                _ if hatch::waits_for_disk(&question) => {
                    let asked = tokio::task::spawn_blocking(move || {
                        let answer = hatch::answer(&mut *counter, &question);
                        (counter, answer)
                    });
                    let (returned, answer) = asked.await.map_err(io::Error::other)?;
                    counter = returned;
                    answer.ok_or(io::ErrorKind::InvalidData)?
                }
                _ => hatch::answer(&mut *counter, &question).ok_or(io::ErrorKind::InvalidData)?,
            };
            let mut framed = Vec::with_capacity(4 + answer.len());
            framed.extend((answer.len() as u32).to_le_bytes());
            framed.extend(answer);
            hatch.write_all(&framed).await?;
        }
        Ok(())
    }

    /// The next question. Meanwhile the attendant is told what it must hear of.
    async fn next(&mut self, hatch: &mut UnixStream, orders: &mut Orders) -> io::Result<Option<Vec<u8>>> {
        let longest = if self.collects { LONGEST_OF_COLLECTOR } else { LONGEST };
        let question = question(hatch, longest);
        tokio::pin!(question);
        let question = loop {
            let needed = async {
                match &self.place {
                    Some(Taken { seat, told: None, .. }) => seat.needed().await,
                    // Whoever keeps it is no attendant of ours any more.
                    Some(Taken { told: Some(since), .. }) => tokio::time::sleep_until(*since + LEAVING).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                question = &mut question => break question?,
                () = needed => match &mut self.place {
                    Some(place) if place.told.is_none() => {
                        place.told = Some(Instant::now());
                        orders.line.write_all(&[GIVE_WAY]).await?;
                    }
                    _ => return Err(io::ErrorKind::TimedOut.into()),
                },
                Ok(()) = orders.hours.changed() => orders.line.write_all(&[FAREWELL]).await?,
            }
        };
        // A captured attendant that asks without end is not answered.
        if question.is_some() && !self.collects {
            self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::PermissionDenied)?;
        }
        Ok(question)
    }

    async fn take_place(&mut self) -> bool {
        let house = self.house.clone();
        (self.place, self.incoming) = (None, None);
        let circuit = self.line.circuit();
        let Some(ours) = house.circuits.open(circuit, Open::Upload) else { return false };
        if house.places.are_taken() {
            let house = house.clone();
            let _ = tokio::task::spawn_blocking(move || house.note(Mark::Crowded)).await;
        }
        let Some(seat) = house.places.take(&house.circuits, circuit).await else { return false };
        self.place = Some(Taken::new(ours, self.line.spare(), seat));
        self.left = PIECES;
        true
    }

    /// For the newsroom's collector alone.
    fn collector(&self) -> Result<(), Refusal> {
        if self.collects { Ok(()) } else { Err(Refusal::Failed) }
    }
}

/// Reads a question; nothing where the attendant has gone.
async fn question(hatch: &mut UnixStream, longest: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match hatch.read_exact(&mut length).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let length = u32::from_le_bytes(length) as usize;
    if length == 0 || length > longest {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut question = vec![0; length];
    hatch.read_exact(&mut question).await?;
    Ok(Some(question))
}

impl Keeper for Counter {
    fn allows(&mut self, cost: u8) -> bool {
        let allowed = Cost::ALL.get(usize::from(cost)).is_some_and(|cost| self.house.circuits.allows(self.line.circuit(), *cost));
        if allowed {
            let dear = Cost::ALL.get(usize::from(cost)) == Some(&Cost::Mailbox);
            (self.left, self.paid) = (QUESTIONS, Paid { session: dear, replies: dear, forgetting: dear });
        }
        allowed
    }

    fn place(&mut self) -> bool {
        // It may have to be waited for, and so it is answered before any other question is looked at.
        false
    }

    fn leave(&mut self) {
        (self.place, self.incoming) = (None, None);
        self.left = self.left.min(QUESTIONS);
    }

    fn came(&mut self, bytes: u64) {
        if let Some(place) = &mut self.place {
            let most = BURST + FASTEST * place.heard.elapsed().as_secs_f64();
            place.heard = Instant::now();
            place.seat.came(bytes.min(most as u64));
        }
    }

    fn mark(&mut self, mark: u8) {
        if let Some(mark) = Mark::ALL.get(usize::from(mark)).filter(|mark| **mark != Mark::Collected) {
            self.house.note(*mark);
        }
    }

    fn visit(&mut self, name: [u8; 32]) -> Option<Held> {
        self.house.sessions.visit(&name)
    }

    fn begin_session(&mut self, name: [u8; 32], seed: [u8; 32], words: Option<[u8; 128]>, slip: bool) {
        if std::mem::take(&mut self.paid.session) {
            self.house.sessions.begin(name, seed, words, slip);
        }
    }

    fn words(&mut self, name: [u8; 32]) -> Option<[u8; 128]> {
        self.house.sessions.words(&name)
    }

    fn hide_words(&mut self, name: [u8; 32]) {
        self.house.sessions.hide_words(&name);
    }

    fn note(&mut self, name: [u8; 32], flash: Flash) {
        self.house.sessions.note(&name, flash);
    }

    fn flash(&mut self, name: [u8; 32]) -> Option<Flash> {
        self.house.sessions.flash(&name)
    }

    fn end_session(&mut self, name: [u8; 32]) {
        self.house.sessions.end(&name);
    }

    fn outer_forms(&mut self) -> (String, String) {
        let today = today();
        (self.house.sessions.outer_form(today), self.house.sessions.outer_form(today.saturating_sub(1)))
    }

    fn usage(&mut self, lookup: Lookup) -> Usage {
        self.house.store.usage(&lookup)
    }

    fn has_room(&mut self, length: u64) -> bool {
        // Whoever could ask as often as they like would see how the disk fills while others send.
        match &mut self.place {
            Some(place) if !place.asked && length <= LONGEST_FORM => {
                place.asked = true;
                self.house.store.has_room(length)
            }
            _ => false,
        }
    }

    fn begin(&mut self, lookup: Lookup) -> Result<(), Refusal> {
        self.incoming = None;
        let place = self.place.as_mut().ok_or(Refusal::Failed)?;
        if *place.of.get_or_insert(lookup) != lookup {
            return Err(Refusal::Failed);
        }
        place.envelopes = place.envelopes.checked_sub(1).ok_or(Refusal::Failed)?;
        let usage = self.house.store.usage(&lookup);
        let most = if usage.accepted { longest() } else { longest().min(UNACCEPTED_BYTES.saturating_sub(usage.bytes)) };
        self.incoming = Some((self.house.store.begin(Kind::Envelope, lookup)?, most));
        Ok(())
    }

    fn push(&mut self, bytes: Vec<u8>) -> Result<(), Refusal> {
        let (Some((incoming, room)), Some(place)) = (&mut self.incoming, &mut self.place) else { return Err(Refusal::Failed) };
        *room = room.checked_sub(bytes.len() as u64).ok_or(Refusal::Unaccepted)?;
        place.bytes = place.bytes.checked_sub(bytes.len() as u64).ok_or(Refusal::Failed)?;
        incoming.write_all(&bytes).map_err(|error| Refusal::of(&error))
    }

    fn keep(&mut self) -> Result<Digest, Refusal> {
        let incoming = self.incoming.take().filter(|_| self.place.is_some());
        let (incoming, _) = incoming.ok_or(Refusal::Failed)?;
        // What cannot be an envelope would only make the newsroom's list longer.
        if incoming.length() < shortest() {
            return Err(Refusal::Failed);
        }
        Ok(self.house.store.keep(incoming)?.id)
    }

    fn abandon(&mut self) {
        self.incoming = None;
    }

    fn replies(&mut self, lookup: Lookup) -> Vec<(Digest, u64)> {
        if !std::mem::take(&mut self.paid.replies) {
            return Vec::new();
        }
        self.house.store.replies(&lookup)
    }

    fn reply(&mut self, id: Digest) -> Result<Vec<u8>, Refusal> {
        Ok(self.house.store.reply(&id)?)
    }

    fn read_in_vain(&mut self) -> Vec<u8> {
        self.house.store.read_in_vain();
        // As much as a reply of the usual length is passed on, and means nothing to whoever gets it.
        vec![0; usize::try_from(daylight_envelope::reply_length(0)).unwrap_or_default()]
    }

    fn forget(&mut self, lookup: Lookup) -> Result<(), Refusal> {
        if !std::mem::take(&mut self.paid.forgetting) {
            return Err(Refusal::Failed);
        }
        Ok(self.house.store.forget(&lookup)?)
    }

    fn recipients(&mut self) -> (u32, Vec<u8>) {
        let today = today();
        let recipients = self.house.home.keys().map(|keys| keys.recipients(today)).unwrap_or_default();
        (today, recipients.iter().flat_map(|recipient| recipient.to_bytes()).collect())
    }

    fn editors(&mut self) -> Vec<[u8; 32]> {
        self.house.home.keys().map(|keys| keys.editors.clone()).unwrap_or_default()
    }

    fn directory(&mut self) -> Option<Vec<u8>> {
        self.house.home.keys().map(|keys| keys.bytes.clone())
    }

    fn is_collector(&mut self, token: String) -> bool {
        // Compared by the hash, so that the time it takes says nothing of the token.
        let is = same(&Digest::of(token.as_bytes()).to_string(), &self.house.home.collector.to_string());
        if is && !self.collects {
            self.collects = true;
            self.line.spare_for_good();
        }
        is
    }

    fn open_list(&mut self) -> Result<u64, Refusal> {
        self.collector()?;
        self.house.note(Mark::Collected);
        let list = list(&self.house.store.envelopes());
        let length = list.len() as u64;
        self.reading = Some((Box::new(io::Cursor::new(list)), length));
        Ok(length)
    }

    fn done(&mut self, ids: Vec<Digest>) -> Result<(), Refusal> {
        self.collector()?;
        Ok(self.house.store.done(&ids)?)
    }

    fn accept(&mut self, lookups: Vec<Lookup>) -> Result<(), Refusal> {
        self.collector()?;
        Ok(lookups.into_iter().try_for_each(|lookup| self.house.store.accept(lookup))?)
    }

    fn forget_answers(&mut self, lookups: Vec<Lookup>) -> Result<(), Refusal> {
        self.collector()?;
        Ok(lookups.iter().try_for_each(|lookup| self.house.store.forget_answers(lookup))?)
    }

    fn put_reply(&mut self, lookup: Lookup, sealed: Vec<u8>) -> Result<Digest, Refusal> {
        self.collector()?;
        if sealed.len() > LONGEST_REPLY {
            return Err(Refusal::Failed);
        }
        Ok(self.house.store.put_reply(lookup, &sealed)?.id)
    }

    fn put_directory(&mut self, bytes: Vec<u8>) -> Option<String> {
        if !self.collects {
            return Some(Refusal::Failed.to_string());
        }
        if let Err(why) = self.house.home.put_directory(&bytes) {
            return Some(why.to_string());
        }
        if let Some(keys) = self.house.home.keys() {
            keys.prepare(today());
        }
        None
    }

    fn open_envelope(&mut self, id: Digest) -> Result<Option<u64>, Refusal> {
        self.collector()?;
        self.reading = self.house.store.envelope(&id)?.map(|(file, length)| (Box::new(file) as Reading, length));
        Ok(self.reading.as_ref().map(|(_, length)| *length))
    }

    fn read(&mut self) -> Vec<u8> {
        let Some((from, left)) = &mut self.reading else { return Vec::new() };
        let mut piece = vec![0; PIECE.min(usize::try_from(*left).unwrap_or(PIECE))];
        if from.read_exact(&mut piece).is_err() {
            piece.clear();
        }
        *left -= piece.len() as u64;
        piece
    }
}

#[cfg(test)]
mod tests;
