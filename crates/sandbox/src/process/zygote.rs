//! A reader that was started and reads nothing: each lease is read by a copy of it.

use super::{Pid, Running};
use crate::copies;
use crate::lease::Reader;
use crate::worker::ZYGOTE;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Stdio;

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
        let pid = copies::ask(&self.control, &[1], [their_requests.as_fd(), their_answers.as_fd()])?;
        let pid = pid.ok_or_else(|| io::Error::other("it could not make a copy of itself"))?;
        Ok(Running::new(pid, requests, answers))
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        copies::end(self.pid);
    }
}
