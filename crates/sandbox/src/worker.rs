//! The worker's side: enters its cage, then reads what it is given until there is no more.

mod inbox;
mod zygote;

use crate::cage::{self, Allowance, Layers};
use crate::probe::{self, Outside};
use crate::wire::{Terms, Trial, VERSION, put_done, put_event, put_ready, put_refused, put_tried};
use daylight_model::reading::{Event, Input, Request, Sink, Stop};
use inbox::Inbox;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::fs::{self, File};
use std::io;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::process::ExitCode;

/// A reader of formats: reads the input as asked and gives what it finds to the sink, until done or told to stop.
pub type ReadFn = fn(&Request, &dyn Input, &mut dyn Sink) -> Result<(), Stop>;

/// How many bytes of events are gathered before they are written.
const GATHERED: usize = 256 << 10;

/// Plays the worker: takes requests from descriptor 0 until there are no more, reads each with `read`, and writes what it says to descriptor 1.
/// It must be called before the process has started a thread or opened anything.
///
/// What `prepare` makes is there for every `read`; where a process is copied for each lease it is made once, before it is copied.
pub fn worker_main(prepare: fn(), read: ReadFn) -> ExitCode {
    crate::allocator::keep_freed_memory();
    // A panic ends the process with code 101, which says enough: its message could carry words of the document.
    std::panic::set_hook(Box::new(|_| {}));
    match serve(prepare, read) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What a program is told, behind the arguments of its reader, that is to be copied for each lease.
pub(crate) const ZYGOTE: &str = "zygote";

/// Every error here means that the parent is gone or is no parent of ours: there is nobody to tell.
fn serve(prepare: fn(), read: ReadFn) -> io::Result<()> {
    let closed = close_inherited();
    let shared = if std::env::args_os().next_back().is_some_and(|last| last == ZYGOTE) {
        closed.clone().map_err(io::Error::other)?;
        let Some(shared) = zygote::serve(prepare)? else { return Ok(()) };
        Some(shared)
    } else {
        None
    };
    let mut inbox = Inbox::new(io::stdin());
    let mut outlet = Outlet { gathered: Vec::new() };
    let terms = inbox.terms()?;
    // The file of a trial is our own program, which is there.
    let (program, parent) = (std::env::args_os().next().map(PathBuf::from).unwrap_or_default(), getppid());
    match closed.and_then(|()| enter(&terms, shared)) {
        Ok(caged) => put_ready(&mut outlet.gathered, caged),
        Err(why) => {
            put_refused(&mut outlet.gathered, &why);
            outlet.flush()?;
            return Err(io::Error::other(why));
        }
    }
    outlet.flush()?;
    if let Some(Trial { probe, .. }) = terms.trial {
        let parent = parent.ok_or(io::ErrorKind::NotFound)?;
        let tried = probe::attempt(probe, &Outside { program: &program, parent, memory: terms.memory });
        put_tried(&mut outlet.gathered, tried.err().map(|error| error.raw_os_error().unwrap_or_default().unsigned_abs()));
        return outlet.flush();
    }
    serve_orders(read, inbox, outlet)
}

fn serve_orders(read: ReadFn, mut inbox: Inbox, mut outlet: Outlet) -> io::Result<()> {
    while let Some(order) = inbox.order()? {
        let read = match order.inline {
            Some(length) => read(&order.request, &Memory(inbox.body(length)?), &mut outlet),
            None => read(&order.request, &Descriptor::new(inbox.file()?)?, &mut outlet),
        };
        read.map_err(|Stop| io::ErrorKind::BrokenPipe)?;
        // What is known of this item must have arrived before the next one can kill us.
        put_done(&mut outlet.gathered);
        outlet.flush()?;
    }
    Ok(())
}

/// Closes every descriptor but the first three. Our own are closed as the worker starts, but whoever started us may have left some open, and
/// they could lead anywhere.
fn close_inherited() -> Result<(), String> {
    let list = || -> io::Result<Vec<RawFd>> {
        let names = fs::read_dir("/proc/self/fd")?.map(|entry| Ok(entry?.file_name()));
        let names = names.collect::<io::Result<Vec<_>>>()?;
        Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).filter(|number| *number > 2).collect())
    };
    let listed = list().map_err(|error| format!("/proc/self/fd cannot be listed: {error}"))?;
    // The list itself was open while it was made, and is closed by now.
    let open = listed.into_iter().filter(|number| fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok());
    for number in open {
        // SAFETY: this is the first thing that the process does, in its only thread, so that nothing in it owns these descriptors.
        #[allow(unsafe_code)]
        unsafe {
            rustix::io::close(number);
        }
    }
    Ok(())
}

/// Enters the cage. An error means that nothing may be read.
fn enter(terms: &Terms, shared: Option<cage::Shared>) -> Result<cage::Caged, String> {
    if terms.version != VERSION {
        return Err("this worker is of another version of daylight: start daylight again".into());
    }
    die_with_parent()?;
    let layers = terms.trial.map_or(Layers::ALL, |trial| trial.layers);
    cage::enter(layers, shared, Allowance { memory: terms.memory, seconds: terms.seconds })
}

/// The thread that started us waits for us as long as we live, so its death is that of our parent.
fn die_with_parent() -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| format!("it cannot be bound to its parent: {error}"))?;
    let stdin = io::stdin();
    let mut ends = [PollFd::new(&stdin, PollFlags::empty())];
    let gone = poll(&mut ends, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).map_err(|error| error.to_string())?;
    if gone == 0 { Ok(()) } else { Err("its parent is gone".into()) }
}

/// Where events go.
struct Outlet {
    gathered: Vec<u8>,
}

impl Outlet {
    /// Writes to descriptor 1 itself: it is the only one that may be written to.
    fn flush(&mut self) -> io::Result<()> {
        let mut left = self.gathered.as_slice();
        while !left.is_empty() {
            match rustix::io::write(rustix::stdio::stdout(), left) {
                Ok(count) => left = &left[count..],
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.gathered.clear();
        Ok(())
    }
}

impl Sink for Outlet {
    /// A cursor is sent at once: if the next child kills us, the parent must know how far we came.
    fn event(&mut self, event: Event) -> Result<(), Stop> {
        put_event(&mut self.gathered, &event);
        if self.gathered.len() >= GATHERED || matches!(event, Event::Cursor(_)) {
            self.flush().map_err(|_| Stop)?;
        }
        Ok(())
    }
}

/// Input that came with its request.
struct Memory<'a>(&'a [u8]);

impl Input for Memory<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self.0)
    }
}

/// Input that is read from a descriptor, always at a stated offset: its position is shared with the parent.
struct Descriptor {
    file: File,
    length: u64,
}

impl Descriptor {
    fn new(file: File) -> io::Result<Self> {
        // The call of the standard library would also take a path, so the cage has none of it.
        let length = rustix::fs::fstat(&file)?.st_size;
        Ok(Self { file, length: u64::try_from(length).unwrap_or_default() })
    }
}

impl Input for Descriptor {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        None
    }
}
