//! The house's end of one attendant's hatch. Whoever captures an attendant speaks here, so nothing is given that its visitor could not ask for by the wire or with its own cookie,
//! and nothing is done more often than the visitor's circuit may have it done.

mod keeper;

use super::House;
use crate::circuits::{self, Open};
use crate::days::Mark;
use crate::hatch::{self, FAREWELL, GIVE_WAY, LONGEST, LONGEST_OF_COLLECTOR, PLACE, Refusal};
use crate::lines::{Line, Spared};
use crate::places::{LEAVING, Seat};
use crate::store::{Incoming, Lookup};
use crate::upload::{FILE, FILES, PART};
use std::io;
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

#[cfg(test)]
mod tests;
