//! From a trove to the desk: finding files, having them read by processes that may die, storing what was read, and keeping the index up to it.
//!
//! ```text
//! walk ──► reading threads, each driving a worker's process ──► the one that stores ──► the one that indexes what was committed
//! ```
//! The parent never parses: what a file is and holds is said by the worker, and checked here before it is believed.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assemble;
mod care;
mod commit;
mod hints;
mod indexing;
mod lease;
mod outbox;
mod progress;
mod recognise;
mod reconcile;
mod rereading;
mod room;
mod source;
mod unpack;
mod verdicts;
mod walk;

pub use care::{check_index, forget, open_desk};
pub use indexing::{complete_index, open_index};
pub use progress::{Moment, Progress};
pub use recognise::{Machine, Recognition, Which, count_waiting, page_picture, recognise};
pub use rereading::{Rereading, Retried, Retry, Unlocked, Wanted, retry, unlock};
pub use unpack::Unpacker;
pub use verdicts::{Imported, import_keys};

use commit::Committer;
use daylight_sandbox::{LEASE, Reader};
use daylight_store::{Collection, Desk, Forgotten, IngestLease, Staging, Unit, UnitState};
use lease::{Halt, Opened, Piece, Readers, Target};
use outbox::{Outbox, Sent};
use room::Room;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use walk::Root;

/// A file above this size is read alone; smaller ones share a lease of at most so many bytes.
const LEASE_BYTES: u64 = 4 << 20;
/// How many files the walk may be ahead of the reading.
const WALK_AHEAD: usize = 4096;
/// How many times pieces may have been given to the one that stores and wait, and how many bytes they may hold in memory.
const WAITING: usize = 8;
const WAITING_BYTES: u64 = 4 << 20;

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
    /// The readers in it, with their versions: what an older one read is read again.
    pub readers: &'static [&'static str],
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
    /// Documents that were read again because there is a newer version of their reader.
    pub outdated: u64,
    /// Files that an earlier ingest read and that the system now refuses to give; what is on the desk stays.
    pub withheld: u64,
    /// Documents that were forgotten here before, or held what was, and were not taken again.
    pub forgotten: u64,
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
    /// The program that recognises text cannot be started any more. The pages that were done are kept.
    #[error("text recognition stopped: {0}; start it again with `daylight recognise`, it goes on where it was")]
    Recogniser(String),
    /// A page cannot be shown as a picture.
    #[error("the page cannot be drawn: {0}")]
    Page(String),
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
    let means = Means { reader: plan.reader, readers: plan.readers, jobs: plan.jobs, progress };
    let mut outdated = 0;
    let (summary, _) = flow(desk, lease, &means, Some(&collection), &index, &mut |running| {
        running.read_trove(desk, &paths)?;
        running.read_what_waits(desk)?;
        if running.committer.summary.unchanged > 0 {
            let before = running.committer.again.documents_read;
            running.read_again(desk, rereading::targets(desk, &desk.outdated(plan.readers, Some(collection.id))?, &[])?)?;
            running.read_what_waits(desk)?;
            outdated = running.committer.again.documents_read - before;
        }
        Ok(())
    })?;
    drop(index);
    if desk.is_forgetting()? {
        care::finish_forgetting(desk, lease)?;
        complete_index(desk)?;
    }
    Ok(Summary { outdated, ..summary })
}

/// The paths as the ledger keeps them, links at their very end followed, since whoever named them meant what they lead to.
fn absolute(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let one = |path: &PathBuf| path.canonicalize().map_err(|source| Error::Path { path: path.clone(), source });
    paths.iter().map(one).collect()
}

/// What reading takes.
pub(crate) struct Means<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) readers: &'static [&'static str],
    pub(crate) jobs: NonZeroUsize,
    pub(crate) progress: &'a Arc<Progress>,
}

/// Reading, with the one that stores and the way to the one that indexes.
pub(crate) struct Running<'a> {
    pub(crate) means: &'a Means<'a>,
    pub(crate) committer: Committer<'a>,
    staging: Staging,
    changes: mpsc::Sender<u64>,
}

/// Does some reading while what it commits is indexed, and then threads the messages.
pub(crate) fn flow(
    desk: &Desk,
    lease: &IngestLease,
    means: &Means<'_>,
    collection: Option<&Collection>,
    index: &daylight_index::Index,
    work: &mut dyn FnMut(&mut Running<'_>) -> Result<(), Error>,
) -> Result<(Summary, Rereading), Error> {
    let writer = desk.writer(lease)?;
    let staging = writer.staging();
    let forgotten = desk.forgotten()?;
    let committer = Committer::new(writer, collection, means.progress, &forgotten);
    thread::scope(|scope| {
        let (changes_in, changes_out) = mpsc::channel::<u64>();
        let source = desk.reopen()?;
        let indexing = scope.spawn(move || indexing::follow(&source, index, &changes_out));
        let mut running = Running { means, committer, staging, changes: changes_in };
        let worked = work(&mut running);
        let Running { committer, changes, .. } = running;
        drop(changes);
        // Threads are no matter of the index, which has enough to do until everything is in it.
        let threaded = worked.and_then(|()| {
            let mut desk = desk.reopen()?;
            desk.rethread()?;
            desk.relate()?;
            // Otherwise it waits for the last connection to be closed, and the index then waits no more.
            Ok(desk.checkpoint()?)
        });
        let indexed = indexing.join().map_err(|_| Error::Thread)?;
        threaded?;
        indexed?;
        Ok(committer.finish())
    })
}

impl Running<'_> {
    /// Reads every file under these paths.
    fn read_trove(&mut self, desk: &Desk, paths: &[PathBuf]) -> Result<(), Error> {
        let Self { means, committer, staging, changes } = self;
        let (progress, collection, forgotten) = (means.progress, committer.collection()?, committer.forgotten);
        thread::scope(|scope| {
            let (roots_in, roots_out) = mpsc::sync_channel::<(u64, Root)>(WALK_AHEAD);
            let (pieces_in, pieces_out) = mpsc::sync_channel::<Sent>(WAITING);
            let room = Arc::new(Room::new(WAITING_BYTES));
            let skip: &Path = desk.path();
            scope.spawn(move || walk_all(paths, skip, progress, &roots_in));
            let roots_out = Arc::new(Mutex::new(roots_out));
            for _ in 0..means.jobs.get() {
                let ledger = desk.reopen()?;
                let readers = Readers::new((means.reader, means.readers), &ledger, staging.clone(), Arc::clone(progress))?;
                let known = Known { ledger, collection, forgotten };
                let (roots, outbox) = (Arc::clone(&roots_out), Outbox::new(pieces_in.clone(), Arc::clone(&room)));
                scope.spawn(move || read_all(readers, &known, &roots, outbox));
            }
            drop((pieces_in, roots_out));
            store_all(committer, pieces_out, changes)
        })
    }

    /// Reads what is on the desk again; each group in its order, by one thread.
    pub(crate) fn read_again(&mut self, desk: &Desk, groups: Vec<Vec<Target>>) -> Result<(), Error> {
        let Self { means, committer, staging, changes } = self;
        let groups = Mutex::new(groups.into_iter().zip(0..).collect::<VecDeque<_>>());
        thread::scope(|scope| {
            let (pieces_in, pieces_out) = mpsc::sync_channel::<Sent>(WAITING);
            let room = Arc::new(Room::new(WAITING_BYTES));
            for _ in 0..means.jobs.get() {
                let source = desk.reopen()?;
                let readers = Readers::new((means.reader, means.readers), &source, staging.clone(), Arc::clone(means.progress))?;
                let (groups, outbox) = (&groups, Outbox::new(pieces_in.clone(), Arc::clone(&room)));
                scope.spawn(move || rereading::read_all(readers, &source, groups, outbox));
            }
            drop(pieces_in);
            store_all(committer, pieces_out, changes)
        })
    }
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

/// What a reading thread asks before it has a file read.
struct Known<'a> {
    ledger: Desk,
    collection: &'a Collection,
    forgotten: &'a Forgotten,
}

/// One reading thread: takes roots, reads them, gives what they hold to the one that stores.
fn read_all(mut readers: Readers, known: &Known<'_>, roots: &Mutex<Receiver<(u64, Root)>>, mut outbox: Outbox) {
    let mut work = || -> Result<(), Halt> {
        loop {
            let batch = take_batch(roots);
            if batch.is_empty() {
                return Ok(());
            }
            let mut lease = Vec::with_capacity(batch.len());
            for (number, root) in batch {
                match open(&readers, known, number, root)? {
                    Ok(opened) => lease.push(Arc::new(opened)),
                    Err(piece) => outbox.put(piece)?,
                }
            }
            readers.read(lease, &mut |piece| outbox.put(piece))?;
            outbox.send()?;
        }
    };
    if let Err(halt) = work() {
        outbox.end(halt);
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

/// Opens a root, unless the ledger says that these very bytes were read from this very place, or they were forgotten here.
fn open(readers: &Readers, known: &Known<'_>, number: u64, root: Root) -> Result<Result<Opened, Piece>, Halt> {
    let unit = known.ledger.unit(known.collection.id, &root.name()).map_err(Halt::Desk)?;
    let mut opened = match readers.open(number, root, &known.ledger)? {
        Ok(opened) => opened,
        Err(piece) => return Ok(Err(piece)),
    };
    opened.stand_in = unit.as_ref().filter(|unit| unit.digest.is_none()).and_then(|unit| unit.seq);
    let same = |unit: &Unit| unit.digest == Some(opened.source.digest());
    match unit.filter(same) {
        Some(unit) if unit.state == UnitState::Done => return Ok(Err(Piece::Unchanged { size: unit.size })),
        Some(unit) if unit.state == UnitState::Partial => opened.start = unit.cursor,
        _ => {}
    }
    let digest = opened.source.digest();
    if let Some(why) = known.forgotten.why(&digest) {
        return Ok(Err(Piece::Forgotten { size: opened.source.length(), digest, why }));
    }
    Ok(Ok(opened))
}

/// Stores all pieces, and tells the one that indexes about each commit.
fn store_all(committer: &mut Committer<'_>, pieces: Receiver<Sent>, changes: &mpsc::Sender<u64>) -> Result<(), Error> {
    // If the indexing thread has ended, its own error is told when it is joined.
    let tell = |change| changes.send(change).map_err(|_| Error::Thread);
    for sent in pieces {
        match sent {
            Ok((pieces, _share)) => {
                pieces.into_iter().try_for_each(|piece| committer.take(piece)?.map_or(Ok(()), tell))?;
            }
            Err(Halt::Desk(error)) => return Err(error.into()),
            Err(Halt::Reader(why)) => return Err(Error::Reader(why)),
            Err(Halt::Closed) => return Err(Error::Thread),
        }
    }
    tell(committer.commit()?)
}
