//! Starting a tool in its cage, feeding and hearing it in one thread, and ending it.

use super::{PrivateFolder, Tool, ToolDeath, ToolInput, ToolLimits};
use crate::cage::{Limit, Paths, limit, seccomp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Resource, Signal, kill_process_group, set_parent_process_death_signal};
use seccompiler::BpfProgram;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often the folder is measured.
const MEASURED: Duration = Duration::from_millis(100);
/// How much of what a tool complains about is kept.
const COMPLAINTS: usize = 4096;

/// Runs it, and gives what it wrote to its two outputs. Its standard output goes to a file where there is one for it.
pub(super) fn run(
    tool: &Tool,
    paths: Paths,
    folder: &PrivateFolder,
    (input, output): (ToolInput<'_>, Option<File>),
    limits: &ToolLimits,
) -> Result<(Vec<u8>, Vec<u8>), ToolDeath> {
    let child = start(tool, paths, folder, (input, output), limits).map_err(|error| tool.not_run(error))?;
    let left = if let ToolInput::Bytes(bytes) = input { bytes } else { &[] };
    let mut running = Running { child, stdin: None, left, stdout: Vec::new(), stderr: Vec::new() };
    let status = running.hear(folder, limits)?;
    let (stdout, stderr) = (std::mem::take(&mut running.stdout), std::mem::take(&mut running.stderr));
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok((stdout, stderr)),
        (_, Some(libc::SIGXCPU)) => Err(ToolDeath::TooSlow(limits.wall)),
        (_, Some(libc::SIGXFSZ)) => Err(ToolDeath::FolderFull(limits.folder)),
        (_, Some(signal)) => Err(ToolDeath::Signal(signal)),
        (code, None) => Err(ToolDeath::Exit(code.unwrap_or(-1), String::from_utf8_lossy(&stderr).trim().into())),
    }
}

fn start(
    tool: &Tool,
    paths: Paths,
    folder: &PrivateFolder,
    (input, output): (ToolInput<'_>, Option<File>),
    limits: &ToolLimits,
) -> io::Result<Child> {
    let cage = Cage {
        rules: paths.into_rules().ok_or_else(|| io::Error::other("this kernel has no Landlock"))?,
        calls: seccomp::tool_programs().map_err(io::Error::other)?,
        limits: [
            (Resource::As, limits.memory),
            (Resource::Cpu, limits.wall.as_secs().saturating_add(1)),
            (Resource::Core, 0),
            (Resource::Fsize, limits.folder),
            (Resource::Nofile, 256),
        ],
    };
    let mut command = Command::new(&tool.program);
    command.args(&tool.args).current_dir(folder.path()).process_group(0).env_clear();
    command.env("OMP_THREAD_LIMIT", "1").env("LC_ALL", "C.UTF-8").env("TMPDIR", folder.path()).env("HOME", folder.path());
    command.stdout(output.map_or_else(Stdio::piped, Stdio::from)).stderr(Stdio::piped()).stdin(match input {
        ToolInput::Bytes(_) => Stdio::piped(),
        ToolInput::File(file) => Stdio::from(from_its_beginning(file)?),
    });
    // SAFETY: between `fork` and `exec` this makes system calls alone, on what was made before: it allocates nothing and takes no lock.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(move || cage.enter());
    }
    command.spawn()
}

/// The same file, opened anew so that its position is not shared with anybody.
fn from_its_beginning(file: &File) -> io::Result<File> {
    if fcntl_getfl(file)? & OFlags::ACCMODE != OFlags::RDONLY || !file.metadata()?.is_file() {
        return Err(io::Error::other("its input is not a regular file open for reading only"));
    }
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// The second profile.
struct Cage {
    rules: OwnedFd,
    calls: Vec<BpfProgram>,
    limits: [Limit; 5],
}

impl Cage {
    /// Enters it, in a new process that is about to become the tool. An error here ends that process before it does.
    fn enter(&self) -> io::Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // Descriptors of ours close by themselves as the tool starts; one that somebody left open to us would not.
        // SAFETY: it only marks them, and the standard library's own pipe to its parent is marked so already.
        #[allow(unsafe_code)]
        let marked = unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        if marked != 0 {
            return Err(io::Error::last_os_error());
        }
        limit(&self.limits).map_err(|(_, error)| error)?;
        rustix::thread::set_no_new_privs(true)?;
        // SAFETY: it passes a descriptor that we hold, and no memory.
        #[allow(unsafe_code)]
        let restricted = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.rules.as_raw_fd(), 0u32) };
        if restricted != 0 {
            return Err(io::Error::last_os_error());
        }
        seccomp::apply(&self.calls).map_err(|_| io::ErrorKind::PermissionDenied.into())
    }
}

/// A tool at work. Dropping it ends it and leaves no zombie.
struct Running<'a> {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What it was not told yet.
    left: &'a [u8],
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Running<'_> {
    /// Feeds and hears it until it has ended.
    fn hear(&mut self, folder: &PrivateFolder, limits: &ToolLimits) -> Result<ExitStatus, ToolDeath> {
        let started = Instant::now();
        let broken = |error: io::Error| ToolDeath::NotRun(format!("it cannot be heard: {error}"));
        self.stdin = self.child.stdin.take();
        let (mut stdout, mut stderr) = (self.child.stdout.take(), self.child.stderr.take());
        if let Some(stdin) = &self.stdin {
            fcntl_setfl(stdin, OFlags::NONBLOCK).map_err(|error| broken(error.into()))?;
        }
        loop {
            let elapsed = started.elapsed();
            if elapsed >= limits.wall {
                return Err(ToolDeath::TooSlow(limits.wall));
            }
            self.feed();
            // Both outputs ended, or it ended with a pipe held open by nobody we know.
            let ended = self.child.try_wait().map_err(broken)?;
            if stdout.is_none() && stderr.is_none() && ended.is_some() {
                break;
            }
            wait(&self.stdin, &stdout, &stderr, MEASURED.min(limits.wall - elapsed)).map_err(|error| broken(error.into()))?;
            take(&mut stdout, &mut self.stdout).map_err(broken)?;
            take(&mut stderr, &mut self.stderr).map_err(broken)?;
            self.stderr.drain(..self.stderr.len().saturating_sub(COMPLAINTS));
            if self.stdout.len() > limits.output {
                return Err(ToolDeath::TooMuch(limits.output));
            }
            if folder.size(limits.folder) > limits.folder {
                return Err(ToolDeath::FolderFull(limits.folder));
            }
        }
        if folder.size(limits.folder) > limits.folder {
            return Err(ToolDeath::FolderFull(limits.folder));
        }
        self.child.wait().map_err(broken)
    }

    /// Writes what the pipe takes; a tool that reads no more is told no more.
    fn feed(&mut self) {
        while let Some(stdin) = &mut self.stdin {
            match stdin.write(self.left) {
                _ if self.left.is_empty() => self.stdin = None,
                Ok(count) => self.left = &self.left[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.stdin = None,
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // All fail only when the process is gone and reaped already. It could start no other, but a group costs nothing.
        if let Some(group) = rustix::process::Pid::from_raw(self.child.id() as i32)
            && self.child.try_wait().is_ok_and(|ended| ended.is_none())
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until one of the ends turns, for at most so long.
fn wait(
    stdin: &Option<ChildStdin>,
    stdout: &Option<std::process::ChildStdout>,
    stderr: &Option<std::process::ChildStderr>,
    most: Duration,
) -> Result<(), Errno> {
    let mut ends = Vec::with_capacity(3);
    ends.extend(stdin.as_ref().map(|end| PollFd::new(end, PollFlags::OUT)));
    ends.extend(stdout.as_ref().map(|end| PollFd::new(end, PollFlags::IN)));
    ends.extend(stderr.as_ref().map(|end| PollFd::new(end, PollFlags::IN)));
    let most = Timespec::try_from(if ends.is_empty() { Duration::from_millis(1) } else { most }).map_err(|_| Errno::INVAL)?;
    match poll(&mut ends, Some(&most)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes what an output has, without waiting; `None` once it has ended.
fn take(end: &mut Option<impl Read + std::os::fd::AsFd>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(pipe) = end else { return Ok(()) };
    let mut ready = [PollFd::new(pipe, PollFlags::IN)];
    if poll(&mut ready, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? == 0 {
        return Ok(());
    }
    let mut piece = [0; 64 << 10];
    match pipe.read(&mut piece) {
        Ok(0) => *end = None,
        Ok(count) => into.extend_from_slice(&piece[..count]),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
