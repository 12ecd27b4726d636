//! The lines that are open, of all circuits together. There is a number of them so that memory and files are bounded; a few dozen circuits that keep theirs open, asking for a
//! page now and then or taking an answer byte by byte, must not close the drop to everybody.
//!
//! So somebody new is always let in: where there is no room, a line of the circuit with the most lines is cut, the one that was opened first. Uploads that have a
//! place are spared, for places have rules of their own ([`crate::places`]), and so is the newsroom's collector.

use crate::circuits::Circuit;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How many lines are open at once, where the system gives that many files. Each whose visitor has begun to say something has a process, which takes some 400 kilobytes.
const MOST: u64 = 768;
/// How many files a line takes: the two on which its attendant is spoken to.
const EACH: u64 = 2;
/// How many files are for other things: uploads, answers, the store, lines that have no attendant yet.
const FILES: u64 = 600;
/// At least so many lines there are.
const LEAST: u64 = 32;

/// All lines.
#[derive(Debug)]
pub(crate) struct Lines {
    /// How many there are at most.
    pub(crate) most: usize,
    room: Arc<Semaphore>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// Rises with each line, so that a lower number was opened earlier.
    next: u64,
    by: HashMap<u64, Arc<Line>>,
}

/// A line.
#[derive(Debug, Default)]
pub(crate) struct Line {
    circuit: OnceLock<Circuit>,
    /// For how many reasons it is spared.
    spared: AtomicU32,
    cut: Notify,
}

/// A line for as long as it is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) line: Arc<Line>,
    number: u64,
    held: Arc<Mutex<Held>>,
    _room: OwnedSemaphorePermit,
}

/// While there is one of these, its line is spared.
#[derive(Debug)]
pub(crate) struct Spared(Arc<Line>);

impl Lines {
    /// As many as the system's limit of open files allows, which is raised as far as it may be.
    pub(crate) fn allowed() -> Self {
        Self::new(allowed_by(raise_files()))
    }

    fn new(lines: usize) -> Self {
        Self { most: lines, room: Arc::new(Semaphore::new(lines)), held: Arc::default() }
    }

    /// Lets a new line in. If there is no room one is cut, and this waits until it is gone.
    pub(crate) async fn open(&self) -> Option<Opened> {
        let room = match self.room.clone().try_acquire_owned() {
            Ok(room) => room,
            Err(_) => {
                locked(&self.held).cut_one();
                self.room.clone().acquire_owned().await.ok()?
            }
        };
        let (line, mut held) = (Arc::new(Line::default()), locked(&self.held));
        let number = held.next;
        held.next += 1;
        held.by.insert(number, line.clone());
        Some(Opened { line, number, held: self.held.clone(), _room: room })
    }
}

impl Held {
    fn cut_one(&mut self) {
        // It leaves the list now, so that it is not cut twice, and its room when it is gone.
        if let Some(line) = self.to_be_cut().and_then(|number| self.by.remove(&number)) {
            line.cut.notify_one();
        }
    }

    /// The first line of the circuit that has the most; without tor's word each line is a visitor's of its own.
    fn to_be_cut(&self) -> Option<u64> {
        let mut lines: HashMap<u32, u32> = HashMap::new();
        let circuit = |line: &Line| line.circuit.get().copied().flatten();
        self.by.values().filter_map(|line| circuit(line)).for_each(|circuit| *lines.entry(circuit).or_default() += 1);
        let of = |line: &Line| circuit(line).and_then(|circuit| lines.get(&circuit).copied()).unwrap_or(1);
        let open = self.by.iter().filter(|(_, line)| line.spared.load(Ordering::Relaxed) == 0);
        open.max_by_key(|(number, line)| (of(line), std::cmp::Reverse(**number))).map(|(number, _)| *number)
    }
}

impl Line {
    /// Says which circuit it is of, once tor has said so.
    pub(crate) fn is_of(&self, circuit: Circuit) {
        let _ = self.circuit.set(circuit);
    }

    /// The circuit that tor named, if it did.
    pub(crate) fn circuit(&self) -> Circuit {
        self.circuit.get().copied().flatten()
    }

    /// Waits until it is cut.
    pub(crate) async fn is_cut(&self) {
        self.cut.notified().await;
    }

    /// Has it spared for a while.
    pub(crate) fn spare(self: &Arc<Self>) -> Spared {
        self.spared.fetch_add(1, Ordering::Relaxed);
        Spared(self.clone())
    }

    /// Has it spared for good: it is the newsroom's.
    pub(crate) fn spare_for_good(&self) {
        self.spared.fetch_max(1 << 16, Ordering::Relaxed);
    }
}

impl Drop for Spared {
    fn drop(&mut self) {
        self.0.spared.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        locked(&self.held).by.remove(&self.number);
    }
}

fn locked(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Raises the limit of open files to what the drop needs or may have, and says what it is.
fn raise_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(EACH * MOST + FILES);
    let soft = limit.current.unwrap_or(u64::MAX);
    let raised = soft < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).is_ok();
    if raised { wanted } else { soft }
}

fn allowed_by(files: u64) -> usize {
    (files.saturating_sub(FILES) / EACH).clamp(LEAST, MOST) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn opened(lines: &Lines, circuits: &[u32]) -> Vec<Opened> {
        let mut all = Vec::new();
        for circuit in circuits {
            let one = lines.open().await.unwrap();
            one.line.is_of(Some(*circuit));
            all.push(one);
        }
        all
    }

    #[tokio::test]
    async fn the_circuit_with_the_most_lines_gives_its_first_one() {
        let lines = Arc::new(Lines::new(6));
        let open = opened(&lines, &[1, 2, 2, 3, 2, 3]).await;
        assert_eq!(locked(&lines.held).to_be_cut(), Some(1));
        let newcomer = tokio::spawn({
            let lines = lines.clone();
            async move { lines.open().await }
        });
        open[1].line.is_cut().await;
        assert!(!newcomer.is_finished(), "there are never more lines than there may be");
        drop(open);
        assert!(newcomer.await.unwrap().is_some());
    }

    #[tokio::test]
    async fn uploads_with_a_place_and_the_collector_are_spared() {
        let lines = Lines::new(4);
        let open = opened(&lines, &[7, 7, 7, 8]).await;
        let upload = open[0].line.spare();
        assert_eq!(locked(&lines.held).to_be_cut(), Some(1));
        open[1].line.spare_for_good();
        open[2].line.spare_for_good();
        drop(open[1].line.spare());
        assert_eq!(locked(&lines.held).to_be_cut(), Some(3));
        drop(upload);
        assert_eq!(locked(&lines.held).to_be_cut(), Some(0));
        // Nobody is cut twice.
        locked(&lines.held).cut_one();
        assert_eq!(locked(&lines.held).to_be_cut(), Some(3));
    }

    #[test]
    fn there_are_as_many_lines_as_files_allow() {
        assert_eq!([0, 300, 700, 1024, 8192, u64::MAX].map(allowed_by), [32, 32, 50, 212, 768, 768]);
    }
}
