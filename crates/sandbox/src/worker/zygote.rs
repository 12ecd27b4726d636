//! The worker that reads nothing and is copied for each lease.

use crate::cage;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};
use rustix::stdio::{dup2_stdin, dup2_stdout, stdin};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// Serves as a zygote until nobody asks for copies any more: then it is `None`. In each copy it returns what layers of the cage the copy is in already, with the lease's
/// ends as descriptors 0 and 1; everything else that the zygote had is closed.
///
/// It enters those layers that are the same for every lease: an empty network and no rights, and no path. It reads nothing that is anybody's, and one copy leaves nothing in it
/// for the next: what a copy changes is its own.
pub(super) fn serve(prepare: fn()) -> io::Result<Option<cage::Shared>> {
    super::die_with_parent().map_err(io::Error::other)?;
    let shared = cage::enter_shared().map_err(io::Error::other)?;
    warm_up();
    prepare();
    while let Some((requests, answers)) = next()? {
        let copy = fork();
        if copy == Ok(0) {
            dup2_stdin(&requests)?;
            dup2_stdout(&answers)?;
            return Ok(Some(shared));
        }
        drop((requests, answers));
        let number = copy.unwrap_or(0).to_le_bytes();
        if send(stdin(), &number, SendFlags::NOSIGNAL)? != number.len() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
    Ok(None)
}

/// Has libraries ask the processor what it can do, once and not in every copy: under a hypervisor each such question costs as much as a page of text.
fn warm_up() {
    let _ = std::hint::black_box(daylight_model::Digest::of(b""));
    #[cfg(target_arch = "x86_64")]
    let _ = std::hint::black_box(std::arch::is_x86_feature_detected!("avx2"));
}

/// The two ends of the next lease; `None` when there are no more.
fn next() -> io::Result<Option<(OwnedFd, OwnedFd)>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(stdin(), &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => break received.bytes,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if received == 0 {
        return Ok(None);
    }
    let mut ends = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(ends) => Some(ends),
        _ => None,
    });
    let mut ends = ends.next().into_iter().flatten();
    match (ends.next(), ends.next()) {
        (Some(requests), Some(answers)) => Ok(Some((requests, answers))),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Copies this process. The copy's parent is ours, who waits for it; 0 is what the copy itself gets.
fn fork() -> Result<i32, Errno> {
    let flags = libc::c_ulong::from((libc::CLONE_PARENT | libc::SIGCHLD).unsigned_abs());
    // SAFETY: this process has one thread, so that no lock is held by a thread that the copy lacks, and no memory is shared with the copy. The call is made
    // by number because the library's own `fork` makes children of the caller alone.
    #[allow(unsafe_code)]
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    i32::try_from(pid).ok().filter(|pid| *pid >= 0).ok_or(Errno::AGAIN)
}
