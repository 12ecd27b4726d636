//! The parent's side: starts a worker for a lease, feeds it and hears it in one thread that never blocks on one of the two alone, and ends it.

mod clock;
mod inflow;
mod outbox;
mod trial;
mod zygote;

use crate::copies;
use crate::lease::{Death, Ended, Item, ItemInput, LEASE, Limits, Reader, Said};
use crate::wire::{Answer, Terms, VERSION};
use clock::{Clock, processor_seconds};
use daylight_model::Untrusted;
use daylight_model::reading::{Event, Stop};
use inflow::{Fill, Inflow};
use outbox::Outbox;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;
use zygote::Zygote;

pub use trial::{Finding, Outcome, Report, examine};

/// Reads leases, each in a process of its own. It is for one thread: with the thread that first read by it, what it started ends.
#[derive(Debug)]
pub struct Worker {
    source: Copies,
    limits: Limits,
}

/// Who hears what is said of which item.
type Listener<'a> = dyn FnMut(usize, Untrusted<Said>) -> Result<(), Stop> + 'a;

/// Why a lease ended before its last item was done.
enum End {
    Stopped,
    Died(Death),
}

impl From<Death> for End {
    fn from(how: Death) -> Self {
        End::Died(how)
    }
}

impl Worker {
    /// A worker that starts `reader` whenever there is a lease, and holds each item to `limits`.
    pub fn new(reader: Reader, limits: Limits) -> Self {
        Self { source: Copies { reader, zygote: None }, limits }
    }

    /// Reads the items in order, and gives each event and the end of each item to `on`, which ends the lease by returning [`Stop`].
    ///
    /// Each [`LEASE`] items get a process of their own. What was said of an item that was not done when the worker died is incomplete: up to its last
    /// [`Event::Cursor`] it holds, what came after is to be forgotten.
    pub fn read(&mut self, lease: &[Item<'_>], on: &mut Listener<'_>) -> Ended {
        let unfit = lease.iter().position(|item| !is_fit(item.input));
        let fit = &lease[..unfit.unwrap_or(lease.len())];
        // A cage that was not seen to hold is none.
        if let (false, Err(how)) = (fit.is_empty(), trial::prove(&mut self.source)) {
            return Ended::Died { item: 0, how };
        }
        for (number, part) in fit.chunks(LEASE).enumerate() {
            let first = number * LEASE;
            let ended = self.read_part(part, &mut |item, said| on(first + item, said));
            match ended {
                Ended::Done => {}
                Ended::Stopped => return Ended::Stopped,
                Ended::Died { item, how } => return Ended::Died { item: first + item, how },
            }
        }
        match unfit {
            None => Ended::Done,
            Some(item) => Ended::Died { item, how: Death::NotStarted("its input is not a regular file open for reading only".into()) },
        }
    }

    /// Reads at most [`LEASE`] items in one process, which is gone when this returns.
    fn read_part(&mut self, part: &[Item<'_>], on: &mut Listener<'_>) -> Ended {
        let mut running = match self.source.next() {
            Ok(running) => running,
            Err(why) => return Ended::Died { item: 0, how: Death::NotStarted(why) },
        };
        let mut hearing = Hearing::new(&self.limits, part);
        match hearing.hear_all(&mut running, on) {
            Ok(()) => Ended::Done,
            Err(End::Stopped) => Ended::Stopped,
            Err(End::Died(how)) => Ended::Died { item: hearing.item, how: hearing.blame(how) },
        }
    }
}

/// A worker must not be handed a way to write, or a folder to look around in.
fn is_fit(input: ItemInput<'_>) -> bool {
    let read_only = |file: &File| fcntl_getfl(file).is_ok_and(|flags| flags & OFlags::ACCMODE == OFlags::RDONLY);
    match input {
        ItemInput::Bytes(_) => true,
        ItemInput::File(file) => read_only(file) && file.metadata().is_ok_and(|metadata| metadata.is_file()),
    }
}

/// Where processes come from: copies of one that was started.
#[derive(Debug)]
struct Copies {
    reader: Reader,
    zygote: Option<Zygote>,
}

impl Copies {
    /// A process that has read nothing. A zygote that died is replaced once: whoever kills it cannot be one of its copies, but may be the system.
    fn next(&mut self) -> Result<Running, String> {
        if let Some(copy) = self.zygote.as_ref().and_then(|zygote| zygote.copy().ok()) {
            return Ok(copy);
        }
        // The old one first: a thread has one at a time.
        self.zygote = None;
        let fresh = Zygote::start(&self.reader).and_then(|zygote| self.zygote.insert(zygote).copy());
        fresh.map_err(|error| not_started(&self.reader, &error))
    }
}

/// A started process with both ends of it. Dropping it ends the process and leaves no zombie.
struct Running {
    pid: Pid,
    /// Whether it is gone and was waited for, so that its number may be another's by now.
    reaped: bool,
    requests: OwnedFd,
    answers: File,
}

impl Running {
    fn new(pid: Pid, requests: OwnedFd, answers: OwnedFd) -> Self {
        // A larger pipe means fewer turns between two processes; where the system refuses, the usual one does.
        let _ = rustix::pipe::fcntl_setpipe_size(&answers, 1 << 20);
        Self { pid, reaped: false, requests, answers: File::from(answers) }
    }

    /// Starts a process for one lease, without a zygote.
    fn start(reader: &Reader) -> io::Result<Self> {
        let (requests, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let (answers, their_answers) = pipe_with(PipeFlags::CLOEXEC)?;
        let pid = spawn(reader, None, theirs, Stdio::from(their_answers))?;
        Ok(Self::new(pid, requests, answers))
    }

    /// What it died of, once its output has ended. Closing one's output and living on is not agreed behaviour.
    fn cause_of_death(&mut self) -> Death {
        for _ in 0..1000 {
            match waitpid(Some(self.pid), WaitOptions::NOHANG) {
                Ok(Some((_, status))) => {
                    self.reaped = true;
                    return died_of(status);
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Err(_) => break,
            }
        }
        Death::Garbled("an early end of its output".into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            copies::end(self.pid);
        }
    }
}

/// Why a reader could not be started, naming it.
fn not_started(reader: &Reader, error: &io::Error) -> String {
    format!("{}: {error}", reader.program.display())
}

/// Starts the program. The process gets a group of its own, so that the Ctrl-C which a person means for us is not taken for a document that kills readers.
fn spawn(reader: &Reader, more: Option<&OsStr>, stdin: OwnedFd, stdout: Stdio) -> io::Result<Pid> {
    let mut command = Command::new(&reader.program);
    command.args(&reader.args).args(more).env_clear().current_dir("/").process_group(0);
    let child = command.stdin(Stdio::from(stdin)).stdout(stdout).stderr(Stdio::null()).spawn()?;
    Ok(Pid::from_child(&child))
}

fn died_of(status: WaitStatus) -> Death {
    status.terminating_signal().map_or_else(|| Death::Exit(status.exit_status().unwrap_or(-1)), Death::by_signal)
}

/// One lease being read.
struct Hearing<'a> {
    limits: &'a Limits,
    part: &'a [Item<'a>],
    outbox: Outbox<'a>,
    inflow: Inflow,
    /// The item in hand: the first that is not done.
    item: usize,
    clock: Clock,
    /// How many bytes of events the item in hand may still yield.
    output_left: u64,
    /// The highest cursor of the item in hand.
    cursor: Option<u64>,
    /// Whether the worker has said that it is caged and ready.
    ready: bool,
}

impl<'a> Hearing<'a> {
    fn new(limits: &'a Limits, part: &'a [Item<'a>]) -> Self {
        let clock = Clock::new(limits, part.first());
        let terms = Terms { version: VERSION, memory: limits.memory, seconds: processor_seconds(limits, part), trial: None };
        let (outbox, inflow) = (Outbox::new(part, &terms), Inflow::default());
        Self { limits, part, outbox, inflow, item: 0, clock, output_left: limits.output, cursor: None, ready: false }
    }

    fn hear_all(&mut self, running: &mut Running, on: &mut Listener<'_>) -> Result<(), End> {
        while self.item < self.part.len() {
            if let Some((answer, size)) = self.inflow.next(self.output_left).map_err(|how| self.whole_limit(how))? {
                self.output_left -= size;
                self.hear(answer, on)?;
                continue;
            }
            self.outbox.send(&running.requests);
            if self.wait(running)? && self.inflow.fill(&mut running.answers) == Fill::End {
                return Err(running.cause_of_death().into());
            }
        }
        Ok(())
    }

    /// Waits until the worker says something (then it is true) or can be told more.
    fn wait(&mut self, running: &Running) -> Result<bool, Death> {
        let mut ends = [PollFd::new(&running.answers, PollFlags::IN), PollFd::new(&running.requests, PollFlags::OUT)];
        let watched = if self.outbox.is_empty() { &mut ends[..1] } else { &mut ends[..] };
        let turned = self.clock.count(|left| poll(watched, Some(left)))?;
        match turned {
            Ok(0) => Err(self.clock.too_slow()),
            Ok(_) => Ok(!ends[0].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(Death::NotStarted(format!("it cannot be waited for: {error}"))),
        }
    }

    fn hear(&mut self, answer: Answer, on: &mut Listener<'_>) -> Result<(), End> {
        match answer {
            Answer::Ready(VERSION, _) if !self.ready => {
                self.ready = true;
                self.begin_item();
                Ok(())
            }
            Answer::Ready(..) => Err(Death::Garbled("a greeting of another version".into()).into()),
            // Once it reads, it may be in an enemy's hands: that must end neither the ingest nor, with words of the enemy's, on a terminal.
            Answer::Refused(_) if self.ready => Err(Death::Garbled("a refusal to begin after it had begun".into()).into()),
            Answer::Refused(why) => Err(Death::NotStarted(why).into()),
            Answer::Event(_) | Answer::Done if !self.ready => Err(Death::Garbled("something before its greeting".into()).into()),
            Answer::Tried(_) => Err(Death::Garbled("an answer to another question".into()).into()),
            Answer::Event(event) => {
                self.note_progress(&event);
                on(self.item, Untrusted::new(Said::Event(event))).map_err(|Stop| End::Stopped)
            }
            Answer::Done => {
                let done = self.item;
                self.item += 1;
                self.begin_item();
                on(done, Untrusted::new(Said::Done)).map_err(|Stop| End::Stopped)
            }
        }
    }

    fn begin_item(&mut self) {
        self.clock = Clock::new(self.limits, self.part.get(self.item));
        self.output_left = self.limits.output;
        self.cursor = None;
    }

    fn note_progress(&mut self, event: &Event) {
        if let Event::Cursor(position) = event
            && self.cursor.is_none_or(|last| *position > last)
        {
            self.cursor = Some(*position);
            self.clock.progress();
        }
    }

    /// What was left of the limit is no news to anybody.
    fn whole_limit(&self, how: Death) -> Death {
        if let Death::TooMuch(_) = how { Death::TooMuch(self.limits.output) } else { how }
    }

    /// Before the greeting no document was touched, so none is to blame.
    fn blame(&self, how: Death) -> Death {
        match how {
            Death::NotStarted(_) => how,
            _ if self.ready => how,
            early => Death::NotStarted(format!("the program is no worker, or has too little memory: {early}")),
        }
    }
}
