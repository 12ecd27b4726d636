use crate::lease::{Item, ItemInput};
use crate::wire::{Terms, put_order, put_terms};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::fs::File;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};

/// What a worker has not been told yet.
pub(super) struct Outbox<'a> {
    items: &'a [Item<'a>],
    /// The frame being sent, and how much of it is.
    head: Vec<u8>,
    sent: usize,
    /// The bytes that follow it.
    body: &'a [u8],
    /// The file that goes with it.
    file: Option<&'a File>,
}

impl<'a> Outbox<'a> {
    pub(super) fn new(items: &'a [Item<'a>], terms: &Terms) -> Self {
        let mut head = Vec::new();
        put_terms(&mut head, terms);
        Self { items, head, sent: 0, body: &[], file: None }
    }

    /// Whether everything is sent.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.frame_is_sent()
    }

    fn frame_is_sent(&self) -> bool {
        self.sent == self.head.len() && self.body.is_empty()
    }

    /// Sends as much as the socket takes at once. A worker that no longer takes anything is left to be found dead by its silence.
    pub(super) fn send(&mut self, socket: &OwnedFd) {
        while !self.is_empty() {
            if self.frame_is_sent() {
                self.load_next();
            }
            match self.send_some(socket) {
                Ok(count) => self.forget(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    *self = Self { items: &[], head: Vec::new(), sent: 0, body: &[], file: None };
                    return;
                }
            }
        }
    }

    fn load_next(&mut self) {
        let Some((item, rest)) = self.items.split_first() else { return };
        self.items = rest;
        self.head.clear();
        self.sent = 0;
        match item.input {
            ItemInput::Bytes(bytes) => {
                self.body = bytes;
                put_order(&mut self.head, &item.request, Some(bytes.len() as u64));
            }
            ItemInput::File(file) => {
                self.file = Some(file);
                put_order(&mut self.head, &item.request, None);
            }
        }
    }

    fn send_some(&self, socket: &OwnedFd) -> rustix::io::Result<usize> {
        let descriptors = self.file.map(|file| [file.as_fd()]);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if let Some(descriptors) = &descriptors
            && !control.push(SendAncillaryMessage::ScmRights(descriptors))
        {
            return Err(Errno::NOBUFS);
        }
        let pieces = [IoSlice::new(&self.head[self.sent..]), IoSlice::new(self.body)];
        sendmsg(socket, &pieces, &mut control, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
    }

    /// Forgets what was sent. A file goes with the first byte of its frame.
    fn forget(&mut self, count: usize) {
        self.file = None;
        let of_head = count.min(self.head.len() - self.sent);
        self.sent += of_head;
        self.body = &self.body[count - of_head..];
    }
}
