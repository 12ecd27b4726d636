//! A reader that was started and reads nothing: each lease is read by a copy of it. Starting a program costs some milliseconds, of which most go to loading it and to
//! asking the processor what it can do; copying a process that has done so costs a fraction of that.

use super::{Pid, Running};
use crate::lease::Reader;
use crate::worker::ZYGOTE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recv, sendmsg, socketpair,
};
use rustix::pipe::{PipeFlags, pipe_with};
use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Stdio;

/// How long a copy is waited for: on a machine that is busy, even this little can take its time.
const PATIENCE: Timespec = Timespec { tv_sec: 300, tv_nsec: 0 };

/// The started reader. It belongs to the thread that started it: when that ends, so does it. Dropping it ends it; its copies live on.
#[derive(Debug)]
pub(super) struct Zygote {
    pid: Pid,
    control: OwnedFd,
}

impl Zygote {
    pub(super) fn start(reader: &Reader) -> io::Result<Self> {
        let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let pid = super::spawn(reader, Some(OsStr::new(ZYGOTE)), theirs, Stdio::null())?;
        Ok(Self { pid, control })
    }

    /// Has it make a copy of itself, which is a child of ours as the zygote is, and has nothing but its own two ends.
    pub(super) fn copy(&self) -> io::Result<Running> {
        let (requests, their_requests) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let (answers, their_answers) = pipe_with(PipeFlags::CLOEXEC)?;
        let ends = [their_requests.as_fd(), their_answers.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&ends)) {
            return Err(Errno::NOBUFS.into());
        }
        sendmsg(&self.control, &[IoSlice::new(&[1])], &mut control, SendFlags::NOSIGNAL)?;
        let pid = self.answer()?;
        Ok(Running::new(pid, requests, answers))
    }

    /// The number of the copy that was made. What answers is a program of ours that has read nothing.
    fn answer(&self) -> io::Result<Pid> {
        let mut number = [0; 4];
        let mut filled = 0;
        while filled < number.len() {
            if poll(&mut [PollFd::new(&self.control, PollFlags::IN)], Some(&PATIENCE))? == 0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match recv(&self.control, &mut number[filled..], RecvFlags::empty()) {
                Ok((_, 0)) => return Err(io::Error::other("it makes no copy of itself")),
                Ok((_, count)) => filled += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Pid::from_raw(i32::from_le_bytes(number)).ok_or_else(|| io::Error::other("it could not make a copy of itself"))
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        super::end(self.pid);
    }
}
