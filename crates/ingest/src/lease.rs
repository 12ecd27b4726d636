//! Driving the readers: roots are leased to a worker's process in batches, what it says becomes documents, and what kills it is tried again
//! alone, then once more with larger limits, and then noted as unread, so that it never stands in the way of others.

use crate::assemble::{Assembler, Doc, Refused};
use crate::progress::Progress;
use crate::source::{ReadError, Source};
use crate::walk::{self, Root};
use daylight_model::reading::{Request, Stop, Task};
use daylight_model::{Fault, FaultCode, Name, Stage};
use daylight_sandbox::{Death, Ended, Item, Limits, Reader, Worker};
use daylight_store::{Error, Settings, Staging};
use std::sync::Arc;
use std::time::Duration;

/// How often one document may kill its reader.
const DEATHS: u32 = 3;

/// A root file that was opened.
pub(crate) struct Opened {
    pub(crate) number: u64,
    pub(crate) root: Root,
    pub(crate) source: Source,
    /// Where reading goes on, for a container that was partly read before.
    pub(crate) start: u64,
    /// The document that stood for it while it could not be opened.
    pub(crate) stand_in: Option<u64>,
}

/// What the reading threads tell the one that stores.
pub(crate) enum Piece {
    /// Documents of a root, complete up to a cursor; more follow.
    Part { opened: Arc<Opened>, docs: Vec<Doc>, cursor: u64 },
    /// The last documents of a root.
    Last { opened: Arc<Opened>, docs: Vec<Doc> },
    /// There is nothing to read: a link, or a file that the system does not give.
    Unreadable { root: Root, fault: Fault },
    /// It was read before and has not changed.
    Unchanged { root: Root },
}

impl Piece {
    /// About how many bytes it holds while it waits to be stored.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Piece::Part { docs, .. } | Piece::Last { docs, .. } => docs.iter().map(Doc::weight).sum(),
            Piece::Unreadable { .. } | Piece::Unchanged { .. } => 0,
        }
    }
}

/// Why reading had to end.
pub(crate) enum Halt {
    /// The storing side is gone; it knows why.
    Closed,
    /// The desk could not take what was read.
    Desk(Error),
    /// No reader can be started.
    Reader(String),
}

/// One reading thread's means.
pub(crate) struct Readers {
    usual: Worker,
    patient: Worker,
    budget: u64,
    staging: Staging,
    progress: Arc<Progress>,
}

/// What a reader may use, by the desk's settings.
fn usual_limits(settings: &Settings) -> Limits {
    Limits {
        wall_base: Duration::from_secs(settings.seconds),
        wall_per_mib: Duration::from_secs(1),
        // Text and decoded bytes are both told, so all that is told may be twice what is unpacked.
        output: settings.budget.saturating_mul(2),
        memory: settings.memory,
    }
}

/// What a document that killed two readers may use, once.
fn patient_limits(usual: Limits) -> Limits {
    Limits { wall_base: usual.wall_base * 4, wall_per_mib: usual.wall_per_mib * 4, output: usual.output, memory: usual.memory * 3 }
}

impl Readers {
    pub(crate) fn new(reader: &Reader, settings: &Settings, staging: Staging, progress: Arc<Progress>) -> Self {
        let usual = usual_limits(settings);
        Self {
            usual: Worker::new(reader.clone(), usual),
            patient: Worker::new(reader.clone(), patient_limits(usual)),
            budget: settings.budget,
            staging,
            progress,
        }
    }

    /// Opens a root, or says why not.
    pub(crate) fn open(&self, number: u64, root: Root) -> Result<Result<Opened, Piece>, Halt> {
        if let Some(fault) = root.fault.clone() {
            return Ok(Err(Piece::Unreadable { root, fault }));
        }
        match Source::read(&root.path, root.size, &self.staging, &|bytes| self.progress.bytes(bytes)) {
            Ok(source) => Ok(Ok(Opened { number, root, source, start: 0, stand_in: None })),
            Err(ReadError::Desk(error)) => Err(Halt::Desk(error)),
            Err(ReadError::Trove(error)) => {
                let fault = walk::fault(FaultCode::Unreadable, error.kind().to_string());
                Ok(Err(Piece::Unreadable { root, fault }))
            }
        }
    }

    /// Reads a lease of roots and hands on what they hold.
    pub(crate) fn read(&mut self, lease: Vec<Arc<Opened>>, hand_on: &mut dyn FnMut(Piece) -> Result<(), Halt>) -> Result<(), Halt> {
        let mut rest: &[Arc<Opened>] = &lease;
        while !rest.is_empty() {
            let attempts: Vec<Attempt> = rest.iter().map(|opened| Attempt::first(opened.start)).collect();
            let run = run(&mut self.usual, rest, &attempts, (self.budget, &self.staging), hand_on)?;
            let Some(failed) = run.failed else { return Ok(()) };
            self.insist(&rest[run.finished], failed, hand_on)?;
            rest = &rest[run.finished + 1..];
        }
        Ok(())
    }

    /// A root killed its reader: reads it alone until it is through or was given up.
    fn insist(&mut self, opened: &Arc<Opened>, first: Failed, hand_on: &mut dyn FnMut(Piece) -> Result<(), Halt>) -> Result<(), Halt> {
        let mut attempt = Attempt { start: first.cursor.unwrap_or(opened.start), skip_first: false };
        let mut deaths = 1;
        loop {
            let worker = if deaths + 1 < DEATHS { &mut self.usual } else { &mut self.patient };
            let run = run(worker, std::slice::from_ref(opened), &[attempt], (self.budget, &self.staging), hand_on)?;
            let Some(failed) = run.failed else { return Ok(()) };
            match failed.cursor {
                Some(cursor) => (attempt, deaths) = (Attempt { start: cursor, skip_first: false }, 1),
                None => deaths += 1,
            }
            if deaths < DEATHS {
                continue;
            }
            // A container goes on behind the child that cannot be read. One that dies even so, and a single document, are given up.
            if !attempt.skip_first {
                (attempt.skip_first, deaths) = (true, DEATHS - 1);
                continue;
            }
            let docs = vec![Doc::unread(&opened.source, death_fault(&failed.why))];
            return hand_on(Piece::Last { opened: Arc::clone(opened), docs });
        }
    }
}

/// How a root is to be read this time.
#[derive(Clone, Copy)]
struct Attempt {
    start: u64,
    skip_first: bool,
}

impl Attempt {
    fn first(start: u64) -> Self {
        Self { start, skip_first: false }
    }

    fn request(self, opened: &Opened, budget: u64) -> Request {
        let file_name: Name = opened.root.file_name();
        // A gigabyte, or a hundred times the root, whichever is more, but never more than the desk allows: what a bomb may unpack to.
        let budget = (1 << 30).max(opened.source.length().saturating_mul(100)).min(budget);
        Request { task: Task::Read { start: self.start, skip_first: self.skip_first }, name: file_name, budget, passwords: Vec::new() }
    }
}

/// How a lease went.
struct Run {
    /// How many of its items are complete.
    finished: usize,
    /// Why the next one is not.
    failed: Option<Failed>,
}

struct Failed {
    /// What of it was handed on reaches to here.
    cursor: Option<u64>,
    why: Death,
}

fn run(
    worker: &mut Worker,
    lease: &[Arc<Opened>],
    attempts: &[Attempt],
    (budget, staging): (u64, &Staging),
    hand_on: &mut dyn FnMut(Piece) -> Result<(), Halt>,
) -> Result<Run, Halt> {
    let items: Vec<Item<'_>> = lease
        .iter()
        .zip(attempts)
        .map(|(opened, attempt)| Item { request: attempt.request(opened, budget), input: opened.source.input() })
        .collect();
    let mut current = 0;
    let mut assembler = lease.first().map(|opened| Assembler::new(&opened.source, staging));
    let mut cursor = None;
    let mut halt = None;
    let mut refused = None;
    let ended = worker.read(&items, &mut |item, said| {
        let Some(open) = assembler.as_mut().filter(|_| item == current) else {
            refused = Some("an item out of order");
            return Err(Stop);
        };
        let result = match open.take(said) {
            Ok(true) => {
                let docs = assembler.take().map(Assembler::take_all).unwrap_or_default();
                let piece = Piece::Last { opened: Arc::clone(&lease[current]), docs };
                current += 1;
                cursor = None;
                assembler = lease.get(current).map(|opened| Assembler::new(&opened.source, staging));
                hand_on(piece)
            }
            Ok(false) if open.is_due() => hand_on_part(open, &lease[current], &mut cursor, hand_on),
            Ok(false) => Ok(()),
            Err(Refused::Broken(why)) => {
                refused = Some(why);
                return Err(Stop);
            }
            Err(Refused::Disk(error)) => Err(Halt::Desk(error)),
        };
        result.map_err(|why| {
            halt = Some(why);
            Stop
        })
    });
    if let Some(halt) = halt {
        return Err(halt);
    }
    let why = match (ended, refused) {
        (_, Some(why)) => Death::Garbled(why.into()),
        (Ended::Died { how: Death::NotStarted(why), .. }, _) => {
            return Err(Halt::Reader(why));
        }
        (Ended::Died { how, .. }, None) => how,
        (Ended::Done | Ended::Stopped, None) => return Ok(Run { finished: lease.len(), failed: None }),
    };
    if let (Some(open), Some(opened)) = (assembler.as_mut(), lease.get(current)) {
        hand_on_part(open, opened, &mut cursor, hand_on)?;
    }
    Ok(Run { finished: current, failed: Some(Failed { cursor, why }) })
}

/// Hands on what stands before the last cursor, if there is any.
fn hand_on_part(
    open: &mut Assembler<'_>,
    opened: &Arc<Opened>,
    cursor: &mut Option<u64>,
    hand_on: &mut dyn FnMut(Piece) -> Result<(), Halt>,
) -> Result<(), Halt> {
    let Some((docs, at)) = open.take_safe() else { return Ok(()) };
    *cursor = Some(at);
    hand_on(Piece::Part { opened: Arc::clone(opened), docs, cursor: at })
}

/// The fault of a document that no reader survived.
fn death_fault(why: &Death) -> Fault {
    let detail = format!("tried {DEATHS} times: {why}");
    Fault { stage: Stage::Read, code: why.fault_code(), tool: "sandbox 2".into(), detail, limit: why.limit(), at: None }
}
