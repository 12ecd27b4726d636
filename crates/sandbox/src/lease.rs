//! What is asked of a worker, and how that can end.

use daylight_model::FaultCode;
use daylight_model::reading::{Event, Request};
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

/// The most items that one process reads.
pub const LEASE: usize = 64;

/// The program that plays the worker: one that calls [`worker_main`](crate::worker_main) when it gets these arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Its absolute path, since it is started in `/`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What one item may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long to wait for any item, however small. Only waiting counts, not what the caller does with the events.
    pub wall_base: Duration,
    /// How much longer for each MiB of the item, up to 1 GiB of it. The wait begins anew when an item begins and whenever a container reports a
    /// [`Event::Cursor`] higher than the last; all of an item may take [`WHOLE`](Self::WHOLE) such waits.
    pub wall_per_mib: Duration,
    /// The most bytes of events, as framed.
    pub output: u64,
    /// The most address space of the process (`RLIMIT_AS`), in bytes. The program itself takes a part of it.
    pub memory: u64,
}

impl Limits {
    /// How many times the longest wait between two signs of progress an item may take in all.
    pub const WHOLE: u32 = 64;

    /// The longest wait between two signs of progress in an item of this many bytes.
    pub(crate) fn patience(&self, size: u64) -> Duration {
        let mib = size.min(1 << 30).div_ceil(1 << 20);
        self.wall_base.saturating_add(self.wall_per_mib.saturating_mul(mib as u32))
    }
}

/// One thing to read.
#[derive(Debug)]
pub struct Item<'a> {
    /// What to do with it.
    pub request: Request,
    /// Its bytes.
    pub input: ItemInput<'a>,
}

/// The bytes of an item.
#[derive(Debug, Clone, Copy)]
pub enum ItemInput<'a> {
    /// Bytes in memory, which are copied to the worker: for messages and other small things.
    Bytes(&'a [u8]),
    /// A regular file, open for reading only, which the worker gets as a descriptor and reads at random: for anything large.
    File(&'a File),
}

/// What a worker says of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// Something it read.
    Event(Event),
    /// There is no more: the next event is about the next item.
    Done,
}

/// How a lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Every item was read.
    Done,
    /// The caller stopped it.
    Stopped,
    /// The worker died, or was killed for breaking a limit. All items before `item` are done; those after it were not begun.
    Died {
        /// The item that was being read.
        item: usize,
        /// Of what.
        how: Death,
    },
}

/// What a worker died of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Death {
    /// A signal ended it. Running out of memory is signal 6.
    Signal(i32),
    /// It ended by itself before it was done. A panic is code 101.
    Exit(i32),
    /// It tried something that its cage forbids.
    Forbidden,
    /// It went over its time, which was this much.
    TooSlow(Duration),
    /// It said more than the item may yield, which was this many bytes.
    TooMuch(u64),
    /// What it said was not in the form agreed on.
    Garbled(String),
    /// It could not be started or caged, or the item could not be given to it: nothing was read.
    NotStarted(String),
}

/// The signal of a process that used up its processor time.
const SIGXCPU: i32 = 24;
/// The signal of a process that made a system call which its cage forbids.
const SIGSYS: i32 = 31;

impl Death {
    /// What a signal that ended a worker means.
    pub(crate) fn by_signal(number: i32) -> Self {
        if number == SIGSYS { Death::Forbidden } else { Death::Signal(number) }
    }

    /// The limit that was met: seconds for [`Death::TooSlow`], bytes for [`Death::TooMuch`].
    pub fn limit(&self) -> Option<u64> {
        match self {
            Death::TooSlow(most) => Some(most.as_secs()),
            Death::TooMuch(most) => Some(*most),
            _ => None,
        }
    }

    /// The code of the fault that a document gets whose reader died so.
    pub fn fault_code(&self) -> FaultCode {
        match self {
            Death::TooSlow(_) | Death::Signal(SIGXCPU) => FaultCode::TooSlow,
            Death::TooMuch(_) => FaultCode::TooLarge,
            Death::Forbidden | Death::Signal(_) | Death::Exit(_) | Death::Garbled(_) | Death::NotStarted(_) => FaultCode::ReaderDied,
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Death::Signal(6) => f.write_str("the reader gave up with signal 6, which is often a lack of memory"),
            Death::Signal(11) => f.write_str("the reader crashed with signal 11, an access to memory that it does not have"),
            Death::Signal(SIGXCPU) => f.write_str("the reader used more processor time than its lease may and was ended"),
            Death::Signal(number) => write!(f, "the reader was ended by signal {number}"),
            Death::Exit(101) => f.write_str("the reader panicked"),
            Death::Exit(code) => write!(f, "the reader ended early with exit code {code}"),
            Death::Forbidden => {
                f.write_str("the reader tried something that its cage forbids and was ended: the document may be an attack")
            }
            Death::TooSlow(most) => write!(f, "the reader took longer than {} s and was ended", most.as_secs_f64()),
            Death::TooMuch(most) => write!(f, "the reader gave more than {most} bytes of output and was ended"),
            Death::Garbled(why) => write!(f, "the reader sent {why} and was ended"),
            Death::NotStarted(why) => write!(f, "the reader could not start: {why}"),
        }
    }
}
