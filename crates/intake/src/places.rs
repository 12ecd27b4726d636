//! The places for uploads, of all circuits together. There is a number of them so that memory is bounded; who has one is settled by what comes.
//!
//! While a place is free, whoever asks gets it. When all are taken, the slowest upload gives way to a newcomer, whatever it was promised: else a few dozen circuits
//! that each send a byte now and then would close the drop to everybody. Three rules keep that from being a weapon itself:
//!
//! - whoever moves [`ENOUGH`] never gives way, and a newcomer counts as moving that for a moment, so that a line that is just being built is not the slowest;
//! - a circuit takes a place only from one that holds more than it does itself, so that whoever has many cannot push out who has one;
//! - it costs the circuit a good part of its purse.

use crate::circuits::{Circuit, Circuits, Cost};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many uploads there may be at once. Each has some hundred kilobytes in memory.
pub(crate) const PLACES: usize = 256;
/// Who moves as much, in bytes a second, never gives way: what a slow line through Tor carries.
const ENOUGH: f64 = 100_000.0;
/// A newcomer is taken to have moved [`ENOUGH`] for so long before it came.
const PROMISE: Duration = Duration::from_secs(4);
/// Speed is counted over the last one or two of these.
const WINDOW: Duration = Duration::from_secs(15);
/// How long whoever gives way may take to put down what it has in hand.
pub(crate) const LEAVING: Duration = Duration::from_secs(10);

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    room: Arc<Semaphore>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    by: HashMap<u64, Holder>,
}

#[derive(Debug)]
struct Holder {
    circuit: Circuit,
    speed: Speed,
    gives_way: Arc<Notify>,
    leaving: bool,
}

/// A place, held as long as an upload lasts.
#[derive(Debug)]
pub(crate) struct Seat {
    number: u64,
    held: Arc<Mutex<Held>>,
    gives_way: Arc<Notify>,
    _room: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(places: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(places)), held: Arc::default() }
    }

    /// Whether somebody who came now would have to wait for another to give way.
    pub(crate) fn are_taken(&self) -> bool {
        self.room.available_permits() == 0
    }

    /// Gives a place; if there is none, waits for the slowest to give way. `None` if nobody has to, or if nobody did in time.
    pub(crate) async fn take(&self, circuits: &Circuits, circuit: Circuit) -> Option<Seat> {
        let room = match self.room.clone().try_acquire_owned() {
            Ok(room) => room,
            Err(_) => {
                self.make_room(circuits, circuit)?;
                timeout(LEAVING, self.room.clone().acquire_owned()).await.ok()?.ok()?
            }
        };
        let mut held = locked(&self.held);
        let (number, gives_way) = (held.next, Arc::new(Notify::new()));
        held.next += 1;
        held.by.insert(number, Holder { circuit, speed: Speed::begin(Instant::now()), gives_way: gives_way.clone(), leaving: false });
        Some(Seat { number, held: self.held.clone(), gives_way, _room: room })
    }

    /// Tells the slowest to give way, if the newcomer's circuit may push it out and can pay for it.
    fn make_room(&self, circuits: &Circuits, circuit: Circuit) -> Option<()> {
        let mut held = locked(&self.held);
        let slowest = held.slowest(circuits.uploads(circuit), Instant::now())?;
        if !circuits.allows(circuit, Cost::Place) {
            return None;
        }
        let holder = held.by.get_mut(&slowest)?;
        holder.leaving = true;
        holder.gives_way.notify_one();
        Some(())
    }
}

impl Held {
    /// The slowest of those who move less than enough and whose circuit holds at least `ours` places: as many as the newcomer's will.
    fn slowest(&self, ours: u32, now: Instant) -> Option<u64> {
        let mut holding: HashMap<u32, u32> = HashMap::new();
        for circuit in self.staying().filter_map(|(_, holder)| holder.circuit) {
            *holding.entry(circuit).or_default() += 1;
        }
        // Without tor's line each is a visitor of its own.
        let holds = |circuit: Circuit| circuit.map_or(1, |circuit| holding.get(&circuit).copied().unwrap_or(0));
        let speeds =
            self.staying().filter(|(_, holder)| holds(holder.circuit) >= ours).map(|(number, holder)| (number, holder.speed.at(now)));
        let (number, _) = speeds.filter(|(_, speed)| *speed < ENOUGH).min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(*number)
    }

    fn staying(&self) -> impl Iterator<Item = (&u64, &Holder)> {
        self.by.iter().filter(|(_, holder)| !holder.leaving)
    }
}

impl Seat {
    /// So many bytes have come.
    pub(crate) fn came(&self, bytes: u64) {
        if let Some(holder) = locked(&self.held).by.get_mut(&self.number) {
            holder.speed.came(bytes, Instant::now());
        }
    }

    /// Waits until somebody else needs the place. Nothing is lost when this is given up and waited for again.
    pub(crate) async fn needed(&self) {
        self.gives_way.notified().await;
        // For whoever asks again: it is not taken back.
        self.gives_way.notify_one();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        locked(&self.held).by.remove(&self.number);
    }
}

fn locked(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes a second over the last windows.
#[derive(Debug)]
struct Speed {
    /// The window before this one: bytes, and how long it was.
    before: (f64, Duration),
    since: Instant,
    bytes: f64,
}

impl Speed {
    fn begin(now: Instant) -> Self {
        Self { before: (ENOUGH * PROMISE.as_secs_f64(), PROMISE), since: now, bytes: 0.0 }
    }

    fn came(&mut self, bytes: u64, now: Instant) {
        let elapsed = now.duration_since(self.since);
        if elapsed >= WINDOW {
            *self = Self { before: (self.bytes, elapsed), since: now, bytes: 0.0 };
        }
        self.bytes += bytes as f64;
    }

    fn at(&self, now: Instant) -> f64 {
        (self.before.0 + self.bytes) / (self.before.1 + now.duration_since(self.since)).as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
