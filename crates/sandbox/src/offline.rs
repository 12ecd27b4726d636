//! A process that gives up the network for good before it opens what hostile hands sealed, and the one beside it that has the network and nothing else.
//!
//! | layer | of the one that opens | where it is missing |
//! |---|---|---|
//! | seccomp | no socket of any family, no other process or program; the list is that of system tools | nothing is opened |
//! | namespaces | an empty network, no capability | reported |
//! | Landlock | no path but the folders named, no TCP, no signal to others | reported |
//!
//! The one that has the network can start no process and no program, change no file, watch or signal no other and hear from nobody whom it did not call: seccomp, which must be there, and
//! Landlock where the kernel has it.
//!
//! That no socket can be made is tried in the process itself before it goes on, in every family that the kernel may know.

use crate::cage::{Caged, Paths, namespaces, online_only, seccomp};
use crate::lease::Reader;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// More than the highest family of sockets that Linux has.
const FAMILIES: i32 = 64;

/// Leaves this process without network for good, and with no path but these folders, in which it may make, change and remove what it likes. What is open stays open.
/// It must be called in the only thread. Errors: a layer that must be there is not, or a socket could still be made; then nothing may be opened.
pub fn go_offline(folders: &[&Path]) -> Result<Caged, String> {
    // What can fail for another reason than the kernel's comes first.
    let (calls, paths) = (seccomp::tool_programs()?, Paths::changing(folders)?);
    let namespaces = namespaces::enter()?;
    let landlock = paths.enter()?;
    seccomp::apply(&calls).map_err(|error| format!("seccomp cannot be set up: {error}"))?;
    match any_socket() {
        None => Ok(Caged { landlock, namespaces }),
        Some(what) => Err(format!("the network was given up, and {what} can still be made")),
    }
}

/// What kind of socket can be made here, if any can: sockets of every family and kind, and pairs.
pub fn any_socket() -> Option<String> {
    let kinds = [libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_RAW, libc::SOCK_SEQPACKET];
    let made = (0..FAMILIES).flat_map(|family| kinds.map(|kind| (family, kind))).find(|(family, kind)| {
        // SAFETY: it passes no memory, and what comes of it is a descriptor that nobody else has.
        #[allow(unsafe_code)]
        let socket = unsafe { libc::socket(*family, *kind, 0) };
        close(socket)
    });
    let mut ends = [-1; 2];
    // SAFETY: the array has room for both descriptors.
    #[allow(unsafe_code)]
    let paired = unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, ends.as_mut_ptr()) } == 0;
    ends.into_iter().for_each(|end| _ = close(end));
    made.map(|(family, kind)| format!("a socket of family {family} and kind {kind}")).or(paired.then(|| "a pair of sockets".into()))
}

/// Closes a descriptor that was just made. Gives whether it was one.
fn close(descriptor: i32) -> bool {
    if descriptor < 0 {
        return false;
    }
    // SAFETY: it was made a moment ago, and nobody else knows of it.
    #[allow(unsafe_code)]
    let _ = unsafe { libc::close(descriptor) };
    true
}

/// Starts a program that is to have the network in our place: with an empty environment, speaking to us over its standard input and output, and ended with us. Before it
/// speaks to others it should call [`only_network`].
pub fn start_beside(program: &Reader) -> io::Result<Child> {
    let mut command = Command::new(&program.program);
    command.args(&program.args).env_clear().current_dir("/").process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
    // SAFETY: between `fork` and `exec` this makes one system call: it allocates nothing and takes no lock.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
    command.spawn()
}

/// Leaves this process the network, as far as it calls others, and no file but what the system has for all to read: its libraries, certificates, and how names are looked up. It can write no file,
/// start nothing and watch nobody. Gives the version of Landlock that sees to the files; 0 if the kernel has none. It must be called before other threads start. Errors: a layer that must be there is
/// not, or something that was given up can still be done; then nobody may be spoken to.
pub fn only_network() -> Result<u8, String> {
    let calls = seccomp::online_programs()?;
    let landlock = online_only(&["/etc", "/usr", "/lib", "/lib64", "/run", "/dev"].map(Path::new))?;
    seccomp::apply(&calls).map_err(|error| format!("seccomp cannot be set up: {error}"))?;
    match kept() {
        None => Ok(landlock),
        Some(what) => Err(format!("all but the network was given up, and {what} can still be done")),
    }
}

/// What a process with nothing but the network can do and should not, if anything.
fn kept() -> Option<&'static str> {
    let refused = |result: i64| result == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
    let nothing = [std::ptr::null::<libc::c_char>()];
    // SAFETY: the path and both lists end in zeros and live as long as the call, and there is no such program: where it is not refused it fails otherwise.
    #[allow(unsafe_code)]
    let run = unsafe { libc::execve(c"/nonexistent".as_ptr(), nothing.as_ptr(), nothing.as_ptr()) };
    let run = !refused(run.into());
    // SAFETY: it passes no memory. Where it is not refused the process is traced by its parent from here on, and ends with an error.
    #[allow(unsafe_code)]
    let traced = !refused(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) });
    let written = std::fs::OpenOptions::new().write(true).open("/dev/null").is_ok();
    [(run, "running a program"), (traced, "tracing"), (written, "writing a file")].into_iter().find(|(can, _)| *can).map(|(_, what)| what)
}
