//! What a caged process tries, to see that the cage holds. All of it is tried from inside, by the same program and in the same cage as a reader.

use rustix::process::Pid;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::time::Duration;

/// Something that no reader may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Open a file and read it.
    File,
    /// List a folder.
    Folder,
    /// Open a file to write to it.
    Write,
    /// Learn whether a file exists.
    Look,
    /// Connect over TCP.
    Connect,
    /// Send over UDP.
    Send,
    /// Start a process.
    Process,
    /// Become another program.
    Program,
    /// Signal its parent.
    Signal,
    /// Trace its parent, which would be to take it over.
    Trace,
    /// Get memory that can be written and run.
    Code,
    /// Use more memory than it may.
    Memory,
    /// Use more processor time than it may.
    Time,
}

impl Probe {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::File,
        Self::Folder,
        Self::Write,
        Self::Look,
        Self::Connect,
        Self::Send,
        Self::Process,
        Self::Program,
        Self::Signal,
        Self::Trace,
        Self::Code,
        Self::Memory,
        Self::Time,
    ];

    /// What is tried, after "a reader may not".
    pub fn words(self) -> &'static str {
        match self {
            Probe::File => "read a file",
            Probe::Folder => "list a folder",
            Probe::Write => "write a file",
            Probe::Look => "see whether a file exists",
            Probe::Connect => "connect over TCP",
            Probe::Send => "send over UDP",
            Probe::Process => "start a process",
            Probe::Program => "become another program",
            Probe::Signal => "signal its parent",
            Probe::Trace => "trace its parent",
            Probe::Code => "make memory to run",
            Probe::Memory => "use too much memory",
            Probe::Time => "use too much processor time",
        }
    }

    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// What must be known before the cage closes.
pub(crate) struct Outside<'a> {
    /// A file that exists and that we may read: our own program.
    pub(crate) program: &'a Path,
    pub(crate) parent: Pid,
    /// More memory than is allowed.
    pub(crate) memory: u64,
}

/// Tries it. Success means that the cage has a hole there; an error is what refused it. Some are not even refused: the process is ended.
pub(crate) fn attempt(probe: Probe, outside: &Outside<'_>) -> io::Result<()> {
    match probe {
        Probe::File => File::open(outside.program).and_then(|mut file| io::Read::read_exact(&mut file, &mut [0; 4])),
        Probe::Folder => fs::read_dir("/").map(drop),
        Probe::Write => OpenOptions::new().write(true).open("/dev/null").and_then(|mut file| io::Write::write_all(&mut file, b"x")),
        Probe::Look => fs::metadata(outside.program).map(drop),
        Probe::Connect => TcpStream::connect_timeout(&nobody(), Duration::from_secs(1)).map(drop).or_else(answered),
        Probe::Send => UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", nobody()).map(drop)).or_else(answered),
        Probe::Process => fork(),
        Probe::Program => become_another(),
        Probe::Signal => Ok(rustix::process::test_kill_process(outside.parent)?),
        Probe::Trace => trace(outside.parent),
        Probe::Code => memory_to_run(),
        Probe::Memory => too_much(outside.memory),
        Probe::Time => loop {
            std::hint::black_box(0);
        },
    }
}

/// A port of this machine where usually nobody listens.
fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

/// To be told that nobody listens is to have reached the network.
fn answered(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::ConnectionRefused { Ok(()) } else { Err(error) }
}

fn fork() -> io::Result<()> {
    // SAFETY: the process has one thread, and its child does nothing but end.
    #[allow(unsafe_code)]
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: it ends the child, and runs nothing of ours on the way.
        #[allow(unsafe_code)]
        0 => unsafe { libc::_exit(0) },
        _ => Ok(()),
    }
}

/// Names a program that does not exist: to be told so is to have been let.
fn become_another() -> io::Result<()> {
    let nothing: [*const libc::c_char; 1] = [std::ptr::null()];
    // SAFETY: the path ends in a zero, both lists end in a null pointer, and all of them outlive the call.
    #[allow(unsafe_code)]
    let _ = unsafe { libc::execve(c"/no/such/program".as_ptr(), nothing.as_ptr(), nothing.as_ptr()) };
    let error = io::Error::last_os_error();
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn trace(other: Pid) -> io::Result<()> {
    const SEIZE: libc::c_uint = 0x4206;
    // SAFETY: nothing of our memory is passed. A parent that were traced after all is set free when we end, which is at once.
    #[allow(unsafe_code)]
    let result = unsafe { libc::ptrace(SEIZE, other.as_raw_nonzero().get(), 0, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn memory_to_run() -> io::Result<()> {
    let all = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    // SAFETY: a new mapping at a place of the kernel's choice touches no memory that is in use.
    #[allow(unsafe_code)]
    let mapped = unsafe { libc::mmap(std::ptr::null_mut(), 4096, all, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn too_much(memory: u64) -> io::Result<()> {
    let mut all: Vec<u8> = Vec::new();
    let length = usize::try_from(memory).map_err(|_| ErrorKind::OutOfMemory)?;
    all.try_reserve_exact(length).map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
    std::hint::black_box(&all);
    Ok(())
}
