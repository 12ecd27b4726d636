//! Copies of a process that has read nothing: how one is asked for, and how it comes about. Starting a program costs some milliseconds, copying one that was started a
//! fraction of that.
//!
//! Who asks sends a few bytes with the descriptors that the copy is to have, and is told the copy's number.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, recvmsg, send,
    sendmsg,
};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How long a copy is waited for: on a machine that is busy, even this little can take its time.
const PATIENCE: Timespec = Timespec { tv_sec: 300, tv_nsec: 0 };

/// The most descriptors that a copy is given.
const ENDS: usize = 3;

/// Asks whoever is at the other end for a copy with these descriptors. It is a child of ours; `None` if none could be made. After an error nothing that comes on this line is to be
/// believed: it could be the number of a copy that somebody else asked for.
pub(crate) fn ask<const N: usize>(control: impl AsFd, first: &[u8], ends: [BorrowedFd<'_>; N]) -> io::Result<Option<Pid>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ENDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&ends)) {
        return Err(Errno::NOBUFS.into());
    }
    if sendmsg(&control, &[IoSlice::new(first)], &mut ancillary, SendFlags::NOSIGNAL)? != first.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    let mut number = [0; 4];
    hear(&control, &mut number)?;
    match i32::from_le_bytes(number) {
        number if number < 0 => Err(io::ErrorKind::InvalidData.into()),
        number => Ok(Pid::from_raw(number)),
    }
}

/// Fills a buffer with what the other end says, which is a program of ours that has read nothing.
pub(crate) fn hear(control: impl AsFd, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match poll(&mut [PollFd::new(&control, PollFlags::IN)], Some(&PATIENCE)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Err(Errno::INTR) => continue,
            ready => _ = ready?,
        }
        match recv(&control, &mut buffer[filled..], RecvFlags::empty()) {
            Ok((_, 0)) => return Err(io::Error::other("it makes no copy of itself")),
            Ok((_, count)) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until a copy is asked for. Gives its descriptors, and how many bytes of `first` came with them; `None` when no more are wanted.
pub(crate) fn next<const N: usize>(control: impl AsFd, first: &mut [u8]) -> io::Result<Option<(usize, [OwnedFd; N])>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ENDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(&control, &mut [IoSliceMut::new(first)], &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => break received.bytes,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if received == 0 {
        return Ok(None);
    }
    let ends = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(ends) => Some(ends),
        _ => None,
    });
    let ends: Vec<OwnedFd> = ends.flatten().collect();
    ends.try_into().map(|ends| Some((received, ends))).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Copies this process, whose only thread this must be, and tells who asked. The copy's parent is ours, who waits for it. Gives whether this is the copy.
pub(crate) fn copy(control: impl AsFd) -> io::Result<bool> {
    let flags = libc::c_ulong::from((libc::CLONE_PARENT | libc::SIGCHLD).unsigned_abs());
    // SAFETY: this process has one thread, so that no lock is held by a thread that the copy lacks, and no memory is shared with the copy. The call is made
    // by number because the library's own `fork` makes children of the caller alone.
    #[allow(unsafe_code)]
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if pid == 0 {
        return Ok(true);
    }
    let number = i32::try_from(pid).ok().filter(|pid| *pid >= 0).unwrap_or(0).to_le_bytes();
    if send(control, &number, SendFlags::NOSIGNAL)? != number.len() {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(false)
}

/// Has libraries ask the processor what it can do, once and not in every copy: under a hypervisor each such question costs as much as a page of text.
pub(crate) fn warm_up() {
    let _ = std::hint::black_box(daylight_model::Digest::of(b""));
    #[cfg(target_arch = "x86_64")]
    let _ = std::hint::black_box(std::arch::is_x86_feature_detected!("avx2"));
}

/// Ends a child of ours and reaps it; until then nobody else gets its number.
pub(crate) fn end(pid: Pid) {
    // It fails only when the process is gone already.
    let _ = kill_process(pid, Signal::KILL);
    while waitpid(Some(pid), WaitOptions::empty()).is_err_and(|error| error == Errno::INTR) {}
}
