//! Reading again what is on the desk, from the desk alone: what waits because it is too long to be read with what holds it, what an older reader read,
//! what somebody asks for, and what a password may open.

use crate::lease::{Halt, Piece, Readers, Stored, Target};
use crate::outbox::Outbox;
use crate::{Error, LEASE_BYTES, Means, Plan, Progress, Running, flow, hints, ingest, open_index, unpack};
use daylight_model::{FaultCode, Name};
use daylight_sandbox::{LEASE, Reader};
use daylight_store::{Collection, CollectionId, Desk, IngestLease};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// How many passwords that opened something else on the desk are tried.
const KNOWN: usize = 256;
/// How many passwords are tried in one reading.
const TOGETHER: usize = 32;

/// What reading again did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rereading {
    /// Documents that were read again.
    pub documents_read: u64,
    /// Those of which something is other than before.
    pub changed: u64,
    /// Those that gave less than before, of which what was known stays.
    pub worse: u64,
    /// Those of which less is encrypted than before.
    pub unlocked: u64,
    /// Documents that are new to the desk.
    pub documents: u64,
    /// Documents that gave way: they turned out to be others, or are no more in what held them.
    pub gone: u64,
    /// Documents that would have given way, had nobody decided on them.
    pub kept: u64,
}

/// What to read again.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// What has a fault of this code; without one, a fault that may be worth another try.
    Faulty(Option<FaultCode>),
    /// What an older version of its reader read.
    Outdated,
    /// These documents.
    These(&'a [u64]),
}

/// What to read again, and how.
pub struct Retry<'a> {
    /// What.
    pub which: Wanted<'a>,
    /// Only of this collection.
    pub collection: Option<&'a Collection>,
    /// How many readers to run at once.
    pub jobs: NonZeroUsize,
    /// The program that reads.
    pub reader: &'a Reader,
    /// The readers in it, with their versions.
    pub readers: &'static [&'static str],
}

/// What a retry did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retried {
    /// Documents that were to be read again.
    pub asked: u64,
    /// How many of them no longer have the fault for which they were, or any that loses text where none was named.
    pub solved: u64,
    /// Files that could not be opened when they were read, and cannot now.
    pub missing: u64,
    /// Files that could not be opened then, and were now.
    pub opened: u64,
    /// What reading the desk's own bytes did.
    pub again: Rereading,
}

/// What trying passwords did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unlocked {
    /// Documents that were encrypted.
    pub asked: u64,
    /// How many of them are not any more.
    pub opened: u64,
    /// How many passwords were tried.
    pub passwords: u64,
    /// What reading the desk's own bytes did.
    pub again: Rereading,
}

/// Reads documents of a desk again.
pub fn retry(desk: &mut Desk, lease: &IngestLease, retry: &Retry<'_>, progress: &Arc<Progress>) -> Result<Retried, Error> {
    let index = open_index(desk)?;
    let within = retry.collection.map(|collection| collection.id);
    let asked = match retry.which {
        Wanted::Faulty(code) => desk.faulty(code, within)?,
        Wanted::Outdated => desk.outdated(retry.readers, within)?,
        Wanted::These(seqs) => seqs.to_vec(),
    };
    let mut retried = Retried { asked: asked.len() as u64, ..Retried::default() };
    let files = without_bytes(desk, &asked)?;
    let means = Means { reader: retry.reader, readers: retry.readers, jobs: retry.jobs, progress };
    retried.again = flow(desk, lease, &means, None, &index, &mut |running| {
        running.read_again(desk, targets(desk, &asked, &[])?)?;
        running.read_what_waits(desk)
    })?
    .1;
    drop(index);
    for (collection, paths) in files {
        let (there, missing): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(is_file_still);
        retried.missing += missing.len() as u64;
        if there.is_empty() {
            continue;
        }
        let plan = Plan { paths: &there, collection: &collection, jobs: retry.jobs, reader: retry.reader, readers: retry.readers };
        ingest(desk, lease, &plan, progress)?;
        let still = without_bytes(desk, &asked)?.remove(&collection).unwrap_or_default();
        let still = there.iter().filter(|path| still.contains(path)).count() as u64;
        retried.missing += still;
        retried.opened += there.len() as u64 - still;
    }
    let outdated = if let Wanted::Outdated = retry.which { desk.outdated(retry.readers, within)? } else { Vec::new() };
    for seq in asked {
        let unsolved = match retry.which {
            Wanted::Faulty(Some(code)) => has_fault(desk, seq, code)?,
            Wanted::Faulty(None) | Wanted::These(_) => any_fault(desk, seq, FaultCode::loses_text)?,
            Wanted::Outdated => outdated.binary_search(&seq).is_ok(),
        };
        retried.solved += u64::from(!unsolved);
    }
    Ok(retried)
}

/// Tries passwords on what is encrypted: on these documents, or on all of a collection or of the desk. Those that open something are kept. Besides
/// those that are given, words of the trove itself may be tried that stand behind a word for a password, in what is near the document. Those that opened
/// something else here are tried too: now that somebody asks for it, and at no other time.
pub fn unlock(
    desk: &Desk,
    lease: &IngestLease,
    retry: &Retry<'_>,
    (given, from_trove): (&[String], bool),
    progress: &Arc<Progress>,
) -> Result<Unlocked, Error> {
    let index = open_index(desk)?;
    let asked = match retry.which {
        Wanted::These(seqs) => seqs.to_vec(),
        _ => desk.faulty(Some(FaultCode::Encrypted), retry.collection.map(|collection| collection.id))?,
    };
    let mut unlocked = Unlocked { asked: asked.len() as u64, ..Unlocked::default() };
    let known = desk.passwords(KNOWN)?;
    let mut tried = HashSet::new();
    let means = Means { reader: retry.reader, readers: retry.readers, jobs: retry.jobs, progress };
    let (_, again) = flow(desk, lease, &means, None, &index, &mut |running| {
        let mut left = Vec::new();
        for seq in read_within(desk, &asked)? {
            // No password is tried on what a program of the system unpacks.
            if unpack::is_for(&desk.document(seq)?.media_type) {
                continue;
            }
            let mut passwords = given.to_vec();
            if from_trove {
                passwords.extend(hints::of(desk, seq)?);
            }
            passwords.extend(known.iter().cloned());
            let mut met = HashSet::new();
            passwords.retain(|password| met.insert(password.clone()));
            tried.extend(passwords.iter().cloned());
            left.push((seq, VecDeque::from(passwords)));
        }
        // A few passwords at a time, so that a long list ends for what the first of them opened.
        loop {
            let mut groups = Vec::new();
            for (seq, passwords) in &mut left {
                let some: Vec<String> = passwords.drain(..passwords.len().min(TOGETHER)).collect();
                if !some.is_empty() && is_locked(desk, *seq)? {
                    groups.push(vec![Target { seq: *seq, passwords: some.into(), deferred: None }]);
                }
            }
            if groups.is_empty() {
                return running.read_what_waits(desk);
            }
            running.read_again(desk, groups)?;
        }
    })?;
    for seq in &asked {
        unlocked.opened += u64::from(!has_fault(desk, *seq, FaultCode::Encrypted)?);
    }
    (unlocked.passwords, unlocked.again) = (tried.len() as u64, again);
    Ok(unlocked)
}

impl Running<'_> {
    /// Reads what waits to be read by itself, until nothing does.
    pub(crate) fn read_what_waits(&mut self, desk: &Desk) -> Result<(), Error> {
        let mut met = HashSet::new();
        loop {
            // What uses one file's budget is read one after the other.
            let mut files: BTreeMap<(CollectionId, Name), Vec<Target>> = BTreeMap::new();
            for waiting in desk.deferred()? {
                if met.insert(waiting.seq) {
                    let deferred = Some((waiting.cursor, waiting.remaining));
                    let target = Target { seq: waiting.seq, passwords: Arc::default(), deferred };
                    files.entry((waiting.collection, waiting.path)).or_default().push(target);
                }
            }
            if files.is_empty() {
                return Ok(());
            }
            self.read_again(desk, files.into_values().collect())?;
        }
    }
}

/// What is to be read so that these documents are read again, each once, in groups that a worker can be leased for.
pub(crate) fn targets(desk: &Desk, seqs: &[u64], passwords: &[String]) -> Result<Vec<Vec<Target>>, Error> {
    let passwords: Arc<[String]> = passwords.into();
    let (mut groups, mut group, mut bytes) = (Vec::new(), Vec::new(), 0);
    for seq in read_within(desk, seqs)? {
        bytes += desk.document(seq)?.length;
        group.push(Target { seq, passwords: Arc::clone(&passwords), deferred: None });
        if group.len() >= LEASE || bytes >= LEASE_BYTES {
            groups.push(std::mem::take(&mut group));
            bytes = 0;
        }
    }
    groups.push(group);
    Ok(groups)
}

/// What has bytes and must be read for these documents to be read again.
fn read_within(desk: &Desk, seqs: &[u64]) -> Result<BTreeSet<u64>, Error> {
    let mut within = BTreeSet::new();
    for seq in seqs {
        if desk.document(*seq)?.blob.is_some() {
            within.extend(desk.read_within(*seq)?);
        }
    }
    Ok(within)
}

/// The files of a trove that could not be opened and are known by these documents, by collection.
fn without_bytes(desk: &Desk, seqs: &[u64]) -> Result<BTreeMap<String, Vec<PathBuf>>, Error> {
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for seq in seqs {
        match desk.document(*seq) {
            Ok(document) if document.blob.is_none() => {
                for (collection, path) in desk.roots(*seq)? {
                    files.entry(collection).or_default().push(OsStr::from_bytes(&path.0).into());
                }
            }
            Ok(_) | Err(daylight_store::Error::NoDocument(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(files)
}

/// Whether a file stands where it stood, and no link has been put in its way.
fn is_file_still(path: &PathBuf) -> bool {
    path.symlink_metadata().is_ok_and(|about| about.is_file()) && path.canonicalize().is_ok_and(|real| real == *path)
}

fn has_fault(desk: &Desk, seq: u64, code: FaultCode) -> Result<bool, Error> {
    any_fault(desk, seq, |one| one == code)
}

/// Whether a document has such a fault. One that has given way to another has none.
fn any_fault(desk: &Desk, seq: u64, such: impl Fn(FaultCode) -> bool) -> Result<bool, Error> {
    match desk.document(seq) {
        Ok(document) => Ok(document.faults.iter().any(|fault| such(fault.code))),
        Err(daylight_store::Error::NoDocument(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether anything of a document is still encrypted.
fn is_locked(desk: &Desk, seq: u64) -> Result<bool, Error> {
    if has_fault(desk, seq, FaultCode::Encrypted)? {
        return Ok(true);
    }
    for child in desk.children(seq)? {
        if has_fault(desk, child.child, FaultCode::Encrypted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One reading thread: takes groups, reads what is in them, gives what it found to the one that stores.
pub(crate) fn read_all(mut readers: Readers, desk: &Desk, groups: &Mutex<VecDeque<(Vec<Target>, u64)>>, mut outbox: Outbox) {
    let mut work = || -> Result<(), Halt> {
        loop {
            let next = groups.lock().ok().and_then(|mut groups| groups.pop_front());
            let Some((group, number)) = next else { return Ok(()) };
            read_group(&mut readers, desk, group, number << 32, &mut outbox)?;
            outbox.send()?;
        }
    };
    if let Err(halt) = work() {
        outbox.end(halt);
    }
}

/// What waited shares one budget and is read one after the other; the rest is one lease.
fn read_group(readers: &mut Readers, desk: &Desk, group: Vec<Target>, first: u64, outbox: &mut Outbox) -> Result<(), Halt> {
    let mut spent = 0;
    let mut lease = Vec::new();
    for (number, mut target) in (first..).zip(group) {
        let waited = target.deferred.is_some();
        if let Some((_, left)) = &mut target.deferred {
            *left = left.saturating_sub(spent);
        }
        match readers.open_stored(number, desk, &target)? {
            Stored::Gone => {}
            Stored::Open(opened) => lease.push(Arc::new(opened)),
            Stored::Shut(opened, fault) => outbox.put(Piece::GaveUp { opened: Arc::new(opened), fault })?,
        }
        if waited {
            let mut spending = |piece: Piece| {
                if let Piece::Part { docs, .. } | Piece::Last { docs, .. } = &piece {
                    spent += docs.iter().map(|doc| doc.cost()).sum::<u64>();
                }
                outbox.put(piece)
            };
            readers.read(std::mem::take(&mut lease), &mut spending)?;
        }
    }
    readers.read(lease, &mut |piece| outbox.put(piece))
}
