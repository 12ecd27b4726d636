//! Driving the readers: roots are leased to a worker's process in batches, what it says becomes documents, and what kills it is tried again
//! alone, then once more with larger limits, and then noted as unread, so that it never stands in the way of others.

use crate::assemble::{self, Assembler, Doc, Refused};
use crate::progress::Progress;
use crate::source::{ReadError, Source};
use crate::unpack::{self, Unpacked, Unpacker};
use crate::walk::{self, Root};
use daylight_model::reading::{Request, Standing, Stop, Task};
use daylight_model::{Digest, Fault, FaultCode, Name, Stage};
use daylight_sandbox::{Death, Ended, Item, ItemInput, Limits, Reader, Worker};
use daylight_store::{CollectionId, Desk, Error, Settings, Staging};
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

/// How often one document may kill its reader.
const DEATHS: u32 = 3;

/// How many of the passwords that opened a document before it is given when it is read again: making a key of a password may take a second. Nothing else
/// is given them, for a reader that was taken over could write them into the text of its own document.
pub(crate) const PASSWORDS: usize = 32;

/// A root that was opened.
pub(crate) struct Opened {
    pub(crate) number: u64,
    pub(crate) origin: Origin,
    pub(crate) source: Source,
    /// What it may unpack to, and give as text.
    pub(crate) budget: u64,
    /// The passwords to try.
    pub(crate) passwords: Arc<[String]>,
    /// Where reading goes on, for a container that was partly read before.
    pub(crate) start: u64,
    /// The document that stood for it while it could not be opened.
    pub(crate) stand_in: Option<u64>,
    /// What a program of the system unpacked of it, where no reader does.
    pub(crate) unpacked: Option<Unpacked>,
}

/// A document of the desk that is to be read again.
pub(crate) enum Stored {
    /// It is gone by now.
    Gone,
    /// It can be read.
    Open(Opened),
    /// It cannot be read here.
    Shut(Opened, Fault),
}

/// Where a root comes from.
pub(crate) enum Origin {
    /// A file of a trove.
    Trove(Root),
    /// A document of the desk, which is read again.
    Desk(Again),
}

/// A document that is read again, by itself.
pub(crate) struct Again {
    pub(crate) seq: u64,
    pub(crate) name: Name,
    pub(crate) standing: Standing,
    pub(crate) in_message: bool,
    pub(crate) collections: Vec<CollectionId>,
    /// The file of a trove that it is, or that holds it.
    pub(crate) file: Option<(CollectionId, Name)>,
    /// It waited to be read by itself.
    pub(crate) deferred: bool,
    /// How many of the passwords are tried on it for the first time; they come first.
    pub(crate) tried: usize,
}

impl Opened {
    pub(crate) fn file_name(&self) -> Name {
        match &self.origin {
            Origin::Trove(root) => root.file_name(),
            Origin::Desk(again) => again.name.clone(),
        }
    }

    /// How a worker is given it.
    fn input(&self) -> ItemInput<'_> {
        self.unpacked.as_ref().map_or_else(|| self.source.input(), |unpacked| ItemInput::File(&unpacked.file))
    }
}

/// What is to be read again.
pub(crate) struct Target {
    pub(crate) seq: u64,
    /// Passwords to try before those that are known.
    pub(crate) passwords: Arc<[String]>,
    /// It waits to be read by itself: where to begin, and from how much of its file's budget.
    pub(crate) deferred: Option<(u64, u64)>,
}

/// What the reading threads tell the one that stores.
pub(crate) enum Piece {
    /// Documents of a root, complete up to a cursor; more follow.
    Part { opened: Arc<Opened>, docs: Vec<Doc>, cursor: u64 },
    /// The last documents of a root.
    Last { opened: Arc<Opened>, docs: Vec<Doc> },
    /// A document of the desk did not let any reader live.
    GaveUp { opened: Arc<Opened>, fault: Fault },
    /// There is nothing to read: a link, or a file that the system does not give.
    Unreadable { root: Root, fault: Fault },
    /// Its bytes were forgotten here, or hold what was: they are not taken again.
    Forgotten { size: u64, digest: Digest, why: String },
    /// It was read before and has not changed.
    Unchanged { size: u64 },
}

impl Piece {
    /// About how many bytes it holds in memory.
    pub(crate) fn in_memory(&self) -> u64 {
        match self {
            Piece::Part { docs, .. } => docs.iter().map(Doc::weight).sum(),
            Piece::Last { opened, docs } => opened.source.in_memory() + docs.iter().map(Doc::weight).sum::<u64>(),
            Piece::GaveUp { .. } | Piece::Unreadable { .. } | Piece::Forgotten { .. } | Piece::Unchanged { .. } => 0,
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
    apart: u64,
    /// Whether any password is known on the desk at all.
    has_passwords: bool,
    staging: Staging,
    readers: assemble::Readers,
    progress: Arc<Progress>,
    /// The program that unpacks what no reader does, once something was to be unpacked; or why there is none.
    unpacker: OnceCell<Result<Unpacker, String>>,
    /// How long it may take for what is small.
    seconds: u64,
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
    pub(crate) fn new(
        (reader, readers): (&Reader, assemble::Readers),
        desk: &Desk,
        staging: Staging,
        progress: Arc<Progress>,
    ) -> Result<Self, Error> {
        let settings = desk.settings();
        let usual = usual_limits(settings);
        Ok(Self {
            usual: Worker::new(reader.clone(), usual),
            patient: Worker::new(reader.clone(), patient_limits(usual)),
            budget: settings.budget,
            apart: settings.apart,
            has_passwords: desk.has_passwords()?,
            staging,
            readers,
            progress,
            unpacker: OnceCell::new(),
            seconds: settings.seconds,
        })
    }

    /// Opens a root, or says why not.
    pub(crate) fn open(&self, number: u64, root: Root, desk: &Desk) -> Result<Result<Opened, Piece>, Halt> {
        if let Some(fault) = root.fault.clone() {
            return Ok(Err(Piece::Unreadable { root, fault }));
        }
        match Source::read(&root.path, root.size, &self.staging, &|bytes| self.progress.bytes(bytes)) {
            Ok(source) => {
                let budget = self.budget_of(source.length());
                let passwords = self.known(desk, &source.digest()).map_err(Halt::Desk)?.into();
                Ok(Ok(Opened { number, origin: Origin::Trove(root), source, budget, passwords, start: 0, stand_in: None, unpacked: None }))
            }
            Err(ReadError::Desk(error)) => Err(Halt::Desk(error)),
            Err(ReadError::Trove(error)) => {
                let fault = walk::fault(FaultCode::Unreadable, error.kind().to_string());
                Ok(Err(Piece::Unreadable { root, fault }))
            }
        }
    }

    /// Opens a document of the desk.
    pub(crate) fn open_stored(&self, number: u64, desk: &Desk, target: &Target) -> Result<Stored, Halt> {
        let document = match desk.document(target.seq) {
            Err(Error::NoDocument(_)) => return Ok(Stored::Gone),
            result => result.map_err(Halt::Desk)?,
        };
        let source = Source::stored(desk, &document, &self.staging).map_err(Halt::Desk)?;
        let stands = desk.stands_at(target.seq).map_err(Halt::Desk)?;
        let collections = desk.member_of(target.seq).map_err(Halt::Desk)?.into_iter().map(|collection| collection.id).collect();
        let known = self.known(desk, &source.digest()).map_err(Halt::Desk)?;
        let known = known.into_iter().filter(|password| !target.passwords.contains(password));
        let passwords: Vec<String> = target.passwords.iter().cloned().chain(known).collect();
        let (start, budget) = target.deferred.unwrap_or_else(|| (0, self.budget_of(source.length())));
        let again = Again {
            seq: target.seq,
            name: stands.name.unwrap_or_else(|| Name(Vec::new())),
            standing: stands.standing,
            in_message: stands.in_message,
            collections,
            file: stands.file,
            deferred: target.deferred.is_some(),
            tried: target.passwords.len(),
        };
        self.progress.bytes(source.length());
        let (origin, passwords) = (Origin::Desk(again), passwords.into());
        let opened = Opened { number, origin, source, budget, passwords, start, stand_in: None, unpacked: None };
        if unpack::is_for(&document.media_type) { self.unpack(opened) } else { Ok(Stored::Open(opened)) }
    }

    /// Has a document unpacked before it is read.
    fn unpack(&self, opened: Opened) -> Result<Stored, Halt> {
        let find = || self.staging.scratch().map_err(|error| error.to_string()).and_then(|scratch| Unpacker::find(&scratch));
        let length = opened.source.length();
        let wall = Duration::from_secs(4 * self.seconds + (length >> 20).saturating_mul(4));
        let unpacked = match self.unpacker.get_or_init(find) {
            Ok(unpacker) => unpacker.unpack(&opened.source, opened.budget, wall).map_err(Halt::Desk)?,
            Err(why) => Err(why.clone()),
        };
        Ok(match unpacked {
            Ok(unpacked) => Stored::Open(Opened { unpacked: Some(unpacked), ..opened }),
            Err(why) => Stored::Shut(opened, unpack::missing(&why)),
        })
    }

    /// The passwords that opened these very bytes before.
    fn known(&self, desk: &Desk, digest: &Digest) -> Result<Vec<String>, Error> {
        if self.has_passwords { desk.passwords_of(digest, PASSWORDS) } else { Ok(Vec::new()) }
    }

    /// A gigabyte, or a hundred times the root, whichever is more, but never more than the desk allows: what a bomb may unpack to.
    fn budget_of(&self, length: u64) -> u64 {
        (1 << 30).max(length.saturating_mul(100)).min(self.budget)
    }

    /// Reads a lease of roots and hands on what they hold.
    pub(crate) fn read(&mut self, lease: Vec<Arc<Opened>>, hand_on: &mut dyn FnMut(Piece) -> Result<(), Halt>) -> Result<(), Halt> {
        let mut rest: &[Arc<Opened>] = &lease;
        while !rest.is_empty() {
            let attempts: Vec<Attempt> = rest.iter().map(|opened| Attempt::first(opened.start)).collect();
            let run = run(&mut self.usual, rest, &attempts, (self.apart, &self.staging, self.readers), hand_on)?;
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
            let run = run(worker, std::slice::from_ref(opened), &[attempt], (self.apart, &self.staging, self.readers), hand_on)?;
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
            let fault = death_fault(&failed.why);
            if let Origin::Desk(_) = opened.origin {
                return hand_on(Piece::GaveUp { opened: Arc::clone(opened), fault });
            }
            let docs = vec![Doc::unread(&opened.source, self.readers, fault)];
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

    fn request(self, opened: &Opened, apart: u64) -> Request {
        let standing = if let Origin::Desk(again) = &opened.origin { again.standing.clone() } else { Standing::default() };
        Request {
            task: Task::Read { start: self.start, skip_first: self.skip_first },
            name: opened.file_name(),
            budget: opened.budget,
            passwords: opened.passwords.to_vec(),
            standing,
            apart,
            unpacked: opened.unpacked.as_ref().map(|unpacked| unpacked.tar),
        }
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
    (apart, staging, readers): (u64, &Staging, assemble::Readers),
    hand_on: &mut dyn FnMut(Piece) -> Result<(), Halt>,
) -> Result<Run, Halt> {
    let items: Vec<Item<'_>> = lease
        .iter()
        .zip(attempts)
        .map(|(opened, attempt)| Item { request: attempt.request(opened, apart), input: opened.input() })
        .collect();
    let mut current = 0;
    let mut assembler = lease.first().map(|opened| Assembler::new(&opened.source, staging, readers));
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
                assembler = lease.get(current).map(|opened| Assembler::new(&opened.source, staging, readers));
                hand_on(piece)
            }
            Ok(false) if open.is_ready() => hand_on_part(open, &lease[current], &mut cursor, hand_on),
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
