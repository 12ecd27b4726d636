//! Processes that each attend to one visitor and are gone when the visitor is: copies of one that was copied from ours before ours had anything to hide.
//!
//! | layer | of an attendant | where it is missing |
//! |---|---|---|
//! | its own memory | nothing but what stood in the first copy, and its visitor | – |
//! | limits | no file written, no process, 32 descriptors, memory and processor time | nothing is attended to |
//! | namespaces | an empty network, no right over the machine | reported |
//! | Landlock | no path, no TCP, no signal to others | reported |
//! | seccomp | what is open can be read, written and waited for, and nothing else | nothing is attended to |
//!
//! None of them leaves a core file, can be debugged or is written to swap, as [`guard_secrets`](crate::guard_secrets) has it, for they are copies of a process that called it.

use crate::cage::{self, Caged, limit, seccomp};
use crate::copies;
use crate::memory::lock_memory;
use crate::offline::any_socket;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use rustix::process::{Pid, Resource, Signal, WaitOptions, set_parent_process_death_signal, waitpid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stderr, stdin};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The longest greeting, and the most bytes that come with a visitor.
const LONGEST_GREETING: usize = 1 << 20;
const LONGEST_FIRST: usize = 256;

/// What one attendant may use: memory that it can write to, in bytes, and processor time, in seconds.
const MEMORY: u64 = 64 << 20;
const TIME: u64 = 3600;
const DESCRIPTORS: u64 = 32;

/// Where attendants come from.
#[derive(Debug)]
pub struct Attendants {
    pid: Pid,
    gone: AtomicBool,
    /// Whether nobody knows any more whose attendant would be named next.
    broken: AtomicBool,
    control: Mutex<OwnedFd>,
}

/// One that was called. Dropping it ends it, and waits until it is gone.
#[derive(Debug)]
pub struct Attendant {
    pid: Pid,
    gone: bool,
}

/// What an attendant is given.
#[derive(Debug)]
pub struct Visit {
    /// A few bytes, as whoever called it wrote them.
    pub first: Vec<u8>,
    /// Three descriptors, in the order in which they were given.
    pub ends: [OwnedFd; 3],
}

impl Attendants {
    /// Copies this process as it is now, whose only thread this must be and which should hold nothing that an attendant may not know. The copy closes all that is open here, and
    /// waits to be [greeted](Self::greet).
    ///
    /// In it, `prepare` makes of the greeting what all attendants need; `begin` makes what each needs before it can make nothing more, and `serve` attends. What the two of them
    /// do is done in the copies alone, and neither returns to the caller there.
    pub fn start<T, R>(
        prepare: impl FnOnce(&[u8]) -> Result<T, String>,
        begin: impl Fn() -> io::Result<R>,
        serve: impl FnOnce(T, R, Visit),
    ) -> io::Result<Self> {
        // Whoever started us may have had the system wait for our children, whose numbers could then be another's before we knew.
        // SAFETY: no handler is installed, and this is the only thread.
        #[allow(unsafe_code)]
        let _ = unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // SAFETY: this process has one thread, so that no lock is held by a thread that the copy lacks.
        #[allow(unsafe_code)]
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // Whatever goes wrong in it, nothing above this may run a second time: not even what would tidy up.
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| live(theirs, prepare, begin, serve)));
            leave(if matches!(ended, Ok(Ok(()))) { 0 } else { 1 });
        }
        let pid = child(pid)?;
        Ok(Self { pid, gone: AtomicBool::new(false), broken: AtomicBool::new(false), control: Mutex::new(control) })
    }

    /// Tells it what all attendants may know. Gives what layers it is in that a kernel may lack. Errors: it could not be caged, or not prepare.
    pub fn greet(&self, greeting: &[u8]) -> Result<Caged, String> {
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let talk = || -> io::Result<(Caged, Vec<u8>)> {
            let mut line = UnixStream::from(control.try_clone()?);
            line.write_all(&(greeting.len() as u32).to_le_bytes())?;
            line.write_all(greeting)?;
            let mut answer = [0; 6];
            copies::hear(&line, &mut answer)?;
            let [landlock, namespaces, length @ ..] = answer;
            let mut why = vec![0; u32::from_le_bytes(length) as usize];
            copies::hear(&line, &mut why)?;
            Ok((Caged { landlock, namespaces: namespaces == 1 }, why))
        };
        match talk() {
            Ok((caged, why)) if why.is_empty() => Ok(caged),
            Ok((_, why)) => Err(String::from_utf8_lossy(&why).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Calls an attendant, which gets these bytes, no more than 256 and at least one, and these descriptors.
    pub fn call(&self, first: &[u8], ends: [BorrowedFd<'_>; 3]) -> io::Result<Attendant> {
        if first.is_empty() || first.len() > LONGEST_FIRST {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        match copies::ask(&*control, first, ends) {
            Ok(Some(pid)) => Ok(Attendant { pid, gone: false }),
            Ok(None) => Err(io::Error::other("no attendant could be copied")),
            Err(error) => {
                self.broken.store(true, Relaxed);
                Err(error)
            }
        }
    }
}

impl Attendants {
    /// Whether nobody can be called any more: the copy has ended, or something went wrong in speaking to it.
    pub fn are_over(&self) -> bool {
        if self.broken.load(Relaxed) {
            return true;
        }
        self.is_gone()
    }

    fn is_gone(&self) -> bool {
        // Once it was waited for, its number may be another's: nobody else asks meanwhile.
        let _control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = self.gone.load(Relaxed) || has_left(self.pid);
        self.gone.store(gone, Relaxed);
        gone
    }
}

impl Drop for Attendants {
    fn drop(&mut self) {
        if !self.is_gone() {
            copies::end(self.pid);
        }
    }
}

/// Whether a child has ended, which is then waited for.
fn has_left(pid: Pid) -> bool {
    match waitpid(Some(pid), WaitOptions::NOHANG) {
        Ok(left) => left.is_some(),
        Err(error) => error == Errno::CHILD,
    }
}

impl Attendant {
    /// Whether it has left.
    pub fn is_gone(&mut self) -> bool {
        // Once it was waited for, its number may be another's.
        self.gone = self.gone || has_left(self.pid);
        self.gone
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        if !self.is_gone() {
            copies::end(self.pid);
        }
    }
}

/// The child that was made, if one was.
fn child(number: i32) -> io::Result<Pid> {
    if number > 0 { Pid::from_raw(number).ok_or_else(|| io::ErrorKind::InvalidData.into()) } else { Err(io::Error::last_os_error()) }
}

/// What becomes of the first copy, and of each copy of it.
fn live<T, R>(
    control: OwnedFd,
    prepare: impl FnOnce(&[u8]) -> Result<T, String>,
    begin: impl Fn() -> io::Result<R>,
    serve: impl FnOnce(T, R, Visit),
) -> io::Result<()> {
    // A panic's message could carry a visitor's words.
    std::panic::set_hook(Box::new(|_| {}));
    hear_no_signals();
    keep_alone(control)?;
    let (caged, made) = match cage::enter_shared() {
        Ok(shared) => {
            (shared.caged(), bind_to_parent().and_then(|()| Ok(prepare(&greeting()?).and_then(|made| try_cage(&begin).map(|()| made)))))
        }
        Err(why) => (Caged { landlock: 0, namespaces: false }, Ok(Err(why))),
    };
    let (made, why) = match made? {
        Ok(made) => (Some(made), String::new()),
        Err(why) => (None, why),
    };
    let mut answer = vec![caged.landlock, u8::from(caged.namespaces)];
    answer.extend((why.len() as u32).to_le_bytes());
    answer.extend(why.as_bytes());
    if send(stdin(), &answer, SendFlags::NOSIGNAL)? != answer.len() {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    let Some(made) = made else { return Ok(()) };
    copies::warm_up();
    let mut first = [0; LONGEST_FIRST];
    while let Some((length, ends)) = copies::next(stdin(), &mut first)? {
        if copies::copy(stdin())? {
            let visit = Visit { first: first[..length].to_vec(), ends };
            let begun = enter(&begin)?;
            serve(made, begun, visit);
            return Ok(());
        }
    }
    Ok(())
}

/// Who tells all processes of a group or a service to end means the house, which lets visitors finish what they are at, and ends us.
fn hear_no_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: no handler is installed, and nothing else in this process, whose only thread this is, deals with signals.
        #[allow(unsafe_code)]
        let _ = unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Closes everything but `control`, which becomes descriptor 0; what is written to descriptors 1 and 2 goes nowhere.
fn keep_alone(control: OwnedFd) -> io::Result<()> {
    let (_, nowhere) = rustix::pipe::pipe()?;
    dup2_stdin(&control)?;
    dup2_stdout(&nowhere)?;
    dup2_stderr(&nowhere)?;
    // What owned them lives in a process that never comes back to it.
    std::mem::forget((control, nowhere));
    // SAFETY: nothing here uses a descriptor above these three any more.
    #[allow(unsafe_code)]
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if closed == 0 {
        return Ok(());
    }
    // A kernel before 5.9.
    let most = rustix::process::getrlimit(Resource::Nofile).current.unwrap_or(1 << 20).min(1 << 20);
    for descriptor in 3..i32::try_from(most).unwrap_or(1 << 20) {
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe {
            rustix::io::close(descriptor);
        }
    }
    Ok(())
}

/// Ends with the thread that started us.
fn bind_to_parent() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

fn greeting() -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    copies::hear(stdin(), &mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_GREETING {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut greeting = vec![0; length];
    copies::hear(stdin(), &mut greeting)?;
    Ok(greeting)
}

/// Has a copy become an attendant and try what none may do, before there is a visitor. Errors: it could not become one, or can do something of that.
fn try_cage<R>(begin: impl Fn() -> io::Result<R>) -> Result<(), String> {
    const WELL: &str = "well";
    let (mut told, said) = io::pipe().map_err(|error| error.to_string())?;
    // SAFETY: this process has one thread, so that no lock is held by a thread that the copy lacks.
    #[allow(unsafe_code)]
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let tried = enter(begin).map_err(|error| error.to_string()).and_then(|_| possible().map_or(Ok(()), Err));
        let _ = (&said).write_all(tried.err().unwrap_or_else(|| WELL.to_owned()).as_bytes());
        leave(0);
    }
    let pid = child(pid).map_err(|error| error.to_string())?;
    drop(said);
    let mut what = String::new();
    let read = told.read_to_string(&mut what);
    copies::end(pid);
    match (read, what.as_str()) {
        (Ok(_), WELL) => Ok(()),
        (Ok(_), why) if !why.is_empty() => Err(format!("an attendant cannot be caged: {why}")),
        _ => Err("an attendant cannot be caged: it ended early".into()),
    }
}

/// What an attendant can do and should not, if anything.
fn possible() -> Option<String> {
    let opened = std::fs::File::open("/").is_ok().then(|| "a path can be opened".to_owned());
    let started = std::thread::Builder::new().spawn(|| ()).is_ok().then(|| "a thread can be started".to_owned());
    opened.or(started).or_else(|| any_socket().map(|what| format!("{what} can be made")))
}

/// Makes an attendant of a copy.
fn enter<R>(begin: impl Fn() -> io::Result<R>) -> io::Result<R> {
    bind_to_parent()?;
    // It is not to hear of other visitors, nor to be taken for the one who is copied.
    dup2_stdin(stderr())?;
    let limits = [
        (Resource::Data, MEMORY),
        (Resource::Cpu, TIME),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Nofile, DESCRIPTORS),
    ];
    limit(&limits).map_err(|(_, error): (_, Errno)| error)?;
    // A lock is not inherited.
    lock_memory();
    let begun = begin()?;
    seccomp::enter_attendant().map_err(io::Error::other)?;
    Ok(begun)
}

/// Ends the process without a further step.
fn leave(code: i32) -> ! {
    // SAFETY: it ends the process; nothing that others see is left undone, for a copy has nothing that others see.
    #[allow(unsafe_code)]
    unsafe {
        libc::_exit(code)
    }
}
