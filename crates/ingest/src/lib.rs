//! From a trove to the desk: finding files, having them read by processes that may die, storing what was read, and keeping the index up to it.
//!
//! ```text
//! walk ──► reading threads, each driving a worker's process ──► the one that stores ──► the one that indexes what was committed
//! ```
//! The parent never parses: what a file is and holds is said by the worker, and checked here before it is believed.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assemble;
mod commit;
mod gate;
mod indexing;
mod lease;
mod progress;
mod source;
mod verdicts;
mod walk;

pub use indexing::{complete_index, open_index};
pub use progress::{Moment, Progress};
pub use verdicts::{Imported, import_keys};

use commit::Committer;
use daylight_sandbox::{LEASE, Reader};
use daylight_store::{Collection, Desk, IngestLease, Unit, UnitState};
use gate::Gate;
use lease::{Halt, Opened, Piece, Readers};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use walk::Root;

/// The reader whose outcome is stored, and its version: raising the version has everything read again that an older one read.
pub(crate) const READER: &str = "mail";
pub(crate) const READER_VERSION: u32 = 2;

/// A file above this size is read alone; smaller ones share a lease of at most so many bytes.
const LEASE_BYTES: u64 = 4 << 20;
/// How many files the walk may be ahead of the reading.
const WALK_AHEAD: usize = 4096;
/// How many pieces may wait to be stored; how large they may be together says [`Gate`].
const PIECES: usize = 64;

/// What to ingest, and how.
pub struct Plan<'a> {
    /// Files and folders.
    pub paths: &'a [PathBuf],
    /// The name of the collection; made if there is none.
    pub collection: &'a str,
    /// How many readers to run at once.
    pub jobs: NonZeroUsize,
    /// The program that reads.
    pub reader: &'a Reader,
}

/// What an ingest did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Documents that are new to the desk.
    pub documents: u64,
    /// How many of them are messages.
    pub messages: u64,
    /// How many of them stand in a message: attachments, and what is inside attachments.
    pub attachments: u64,
    /// Documents found that were on the desk already.
    pub duplicates: u64,
    /// Faults of the new documents.
    pub faults: u64,
    /// Bytes of the trove that were looked at.
    pub bytes: u64,
    /// Files that were read by an earlier ingest and have not changed.
    pub unchanged: u64,
    /// Files that an earlier ingest read and that the system now refuses to give; what is on the desk stays.
    pub withheld: u64,
}

/// Why an ingest could not be done. What was stored until then stays, and the next ingest goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The desk refused.
    #[error(transparent)]
    Store(#[from] daylight_store::Error),
    /// The index refused.
    #[error(transparent)]
    Index(#[from] daylight_index::IndexError),
    /// A path of the trove is not there.
    #[error("cannot read {}: {source}; name a file or folder that exists", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A reader's word passed the check and was wrong all the same.
    #[error("the reader's answer could not be stored: {0}; this is a bug in daylight, please report it")]
    Broken(&'static str),
    /// No reader can be started.
    #[error("no reader can be started: {0}")]
    Reader(String),
    /// A thread of our own died.
    #[error("a thread of the ingest died; this is a bug in daylight, please report it")]
    Thread,
}

/// Reads a trove onto a desk. The lease says that nobody else does so now.
pub fn ingest(desk: &mut Desk, lease: &IngestLease, plan: &Plan<'_>, progress: &Arc<Progress>) -> Result<Summary, Error> {
    let paths = absolute(plan.paths)?;
    let collection = desk.create_collection(plan.collection)?;
    // Before anything new: what an ingest that was killed has stored and not indexed.
    let index = open_index(desk)?;
    flow(desk, lease, plan, &collection, &paths, progress, &index)
}

/// The paths as the ledger keeps them, links at their very end followed, since whoever named them meant what they lead to.
fn absolute(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let one = |path: &PathBuf| path.canonicalize().map_err(|source| Error::Path { path: path.clone(), source });
    paths.iter().map(one).collect()
}

fn flow(
    desk: &Desk,
    lease: &IngestLease,
    plan: &Plan<'_>,
    collection: &Collection,
    paths: &[PathBuf],
    progress: &Arc<Progress>,
    index: &daylight_index::Index,
) -> Result<Summary, Error> {
    let writer = desk.writer(lease)?;
    let staging = writer.staging();
    let mut committer = Committer::new(writer, collection.id, &collection.name, progress);
    thread::scope(|scope| {
        let (roots_in, roots_out) = mpsc::sync_channel::<(u64, Root)>(WALK_AHEAD);
        let (pieces_in, pieces_out) = mpsc::sync_channel::<Result<Piece, Halt>>(PIECES);
        let gate = Arc::new(Gate::default());
        let (changes_in, changes_out) = mpsc::channel::<u64>();
        let skip: &Path = desk.path();
        scope.spawn(move || walk_all(paths, skip, progress, &roots_in));
        let roots_out = Arc::new(Mutex::new(roots_out));
        for _ in 0..plan.jobs.get() {
            let ledger = desk.reopen()?;
            let readers = Readers::new(plan.reader, desk.settings(), staging.clone(), Arc::clone(progress));
            let (roots, pieces, collection) = (Arc::clone(&roots_out), pieces_in.clone(), collection.clone());
            let gate = Arc::clone(&gate);
            scope.spawn(move || read_all(readers, &ledger, &collection, &roots, (&pieces, &gate)));
        }
        drop((pieces_in, roots_out));
        let source = desk.reopen()?;
        let indexing = scope.spawn(move || indexing::follow(&source, index, &changes_out));
        let stored = store_all(&mut committer, pieces_out, &gate, &changes_in);
        gate.open();
        drop(changes_in);
        // Threads are no matter of the index, which has enough to do until everything is in it.
        let threaded = stored.and_then(|()| Ok(desk.reopen()?.rethread()?));
        let indexed = indexing.join().map_err(|_| Error::Thread)?;
        threaded?;
        indexed?;
        Ok(committer.finish())
    })
}

fn walk_all(paths: &[PathBuf], skip: &Path, progress: &Progress, roots: &SyncSender<(u64, Root)>) {
    let mut number = 0;
    walk::walk(paths, skip, &mut |root| {
        progress.found(root.size);
        number += 1;
        roots.send((number, root)).is_ok()
    });
    progress.walk_is_over();
}

/// One reading thread: takes roots, reads them, gives what they hold to the one that stores.
fn read_all(
    mut readers: Readers,
    ledger: &Desk,
    collection: &Collection,
    roots: &Mutex<Receiver<(u64, Root)>>,
    (pieces, gate): (&SyncSender<Result<Piece, Halt>>, &Gate),
) {
    let mut hand_on = |piece: Piece| {
        gate.enter(piece.weight());
        pieces.send(Ok(piece)).map_err(|_| Halt::Closed)
    };
    let mut work = || -> Result<(), Halt> {
        loop {
            let batch = take_batch(roots);
            if batch.is_empty() {
                return Ok(());
            }
            let mut lease = Vec::with_capacity(batch.len());
            for (number, root) in batch {
                match open(&readers, ledger, collection, number, root)? {
                    Ok(opened) => lease.push(Arc::new(opened)),
                    Err(piece) => hand_on(piece)?,
                }
            }
            readers.read(lease, &mut hand_on)?;
        }
    };
    if let Err(halt) = work() {
        // Nobody listens any more only if the storing side has ended, and then it says why.
        let _ = pieces.send(Err(halt));
    }
}

/// A lease's worth of roots: none when the walk is over and all is taken.
fn take_batch(roots: &Mutex<Receiver<(u64, Root)>>) -> Vec<(u64, Root)> {
    let Ok(roots) = roots.lock() else { return Vec::new() };
    let mut batch = Vec::new();
    let mut bytes = 0;
    while batch.len() < LEASE && bytes < LEASE_BYTES {
        let next = if batch.is_empty() { roots.recv().ok() } else { roots.try_recv().ok() };
        let Some((number, root)) = next else { break };
        bytes += root.size;
        batch.push((number, root));
    }
    batch
}

/// Opens a root, unless the ledger says that these very bytes were read from this very place.
fn open(readers: &Readers, ledger: &Desk, collection: &Collection, number: u64, root: Root) -> Result<Result<Opened, Piece>, Halt> {
    let unit = ledger.unit(collection.id, &root.name()).map_err(Halt::Desk)?;
    let mut opened = match readers.open(number, root)? {
        Ok(opened) => opened,
        Err(piece) => return Ok(Err(piece)),
    };
    opened.stand_in = unit.as_ref().filter(|unit| unit.digest.is_none()).and_then(|unit| unit.seq);
    let same = |unit: &Unit| unit.digest == Some(opened.source.digest());
    match unit.filter(same) {
        Some(unit) if unit.state == UnitState::Done => return Ok(Err(Piece::Unchanged { root: opened.root })),
        Some(unit) if unit.state == UnitState::Partial => opened.start = unit.cursor,
        _ => {}
    }
    Ok(Ok(opened))
}

/// Stores all pieces, and tells the one that indexes about each commit.
fn store_all(
    committer: &mut Committer<'_>,
    pieces: Receiver<Result<Piece, Halt>>,
    gate: &Gate,
    changes: &mpsc::Sender<u64>,
) -> Result<(), Error> {
    // If the indexing thread has ended, its own error is told when it is joined.
    let tell = |change| changes.send(change).map_err(|_| Error::Thread);
    for piece in pieces {
        match piece {
            Ok(piece) => {
                let weight = piece.weight();
                committer.take(piece)?.map_or(Ok(()), tell)?;
                gate.leave(weight);
            }
            Err(Halt::Desk(error)) => return Err(error.into()),
            Err(Halt::Reader(why)) => return Err(Error::Reader(why)),
            Err(Halt::Closed) => return Err(Error::Thread),
        }
    }
    tell(committer.commit()?)
}
