use crate::wire::{Garbled, HEADER, Order, Terms, get_order, get_terms, header};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSliceMut, Stdin};
use std::mem::MaybeUninit;
use std::os::fd::AsFd as _;

/// How many bytes are asked of the socket at once.
const CHUNK: usize = 64 << 10;

/// A buffer larger than this is given back after the item that needed it.
const KEPT: usize = 8 << 20;

/// What the parent has sent and was not yet taken.
pub(super) struct Inbox {
    socket: Stdin,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Files in the order of their requests. The kernel ends a read behind the bytes that a file came with, so at most one is ahead.
    files: VecDeque<File>,
}

fn garbled(garbled: Garbled) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, garbled)
}

fn cut_off() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

impl Inbox {
    pub(super) fn new(socket: Stdin) -> Self {
        Self { socket, buffer: Vec::new(), start: 0, end: 0, files: VecDeque::new() }
    }

    /// The first thing that is sent.
    pub(super) fn terms(&mut self) -> io::Result<Terms> {
        let (kind, payload) = self.frame()?.ok_or_else(cut_off)?;
        get_terms(kind, payload).map_err(garbled)
    }

    /// The next request, `None` if there are no more.
    pub(super) fn order(&mut self) -> io::Result<Option<Order>> {
        self.give_back();
        let Some((kind, payload)) = self.frame()? else { return Ok(None) };
        get_order(kind, payload).map(Some).map_err(garbled)
    }

    /// The bytes that follow the request.
    pub(super) fn body(&mut self, length: u64) -> io::Result<&[u8]> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        if !self.gather(length)? {
            return Err(cut_off());
        }
        self.start += length;
        Ok(&self.buffer[self.start - length..self.start])
    }

    /// The file that came with the request.
    pub(super) fn file(&mut self) -> io::Result<File> {
        self.files.pop_front().ok_or_else(cut_off)
    }

    fn frame(&mut self) -> io::Result<Option<(u8, &[u8])>> {
        if !self.gather(HEADER)? {
            return if self.start == self.end { Ok(None) } else { Err(cut_off()) };
        }
        let (kind, length) = header(&self.buffer[self.start..self.end]).map_err(garbled)?.ok_or_else(cut_off)?;
        if !self.gather(HEADER + length)? {
            return Err(cut_off());
        }
        self.start += HEADER + length;
        Ok(Some((kind, &self.buffer[self.start - length..self.start])))
    }

    /// Reads until so many bytes stand together in the buffer; `false` if there are no more.
    fn gather(&mut self, length: usize) -> io::Result<bool> {
        while self.end - self.start < length {
            self.make_room(length);
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut room = [IoSliceMut::new(&mut self.buffer[self.end..])];
            let received = match recvmsg(self.socket.as_fd(), &mut room, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Ok(received) => received.bytes,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(files) = message {
                    self.files.extend(files.map(File::from));
                }
            }
            if received == 0 {
                return Ok(false);
            }
            self.end += received;
        }
        Ok(true)
    }

    /// Makes room to receive, and enough in the end for `length` bytes together; a long body doubles the buffer as it arrives.
    fn make_room(&mut self, length: usize) {
        if self.start > 0 && (self.start == self.end || self.start + length > self.buffer.len()) {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            let larger = (self.buffer.len() * 2).min(length.max(CHUNK)).max(self.end + CHUNK);
            self.buffer.resize(larger, 0);
        }
    }

    fn give_back(&mut self) {
        if self.buffer.len() > KEPT && self.end - self.start <= CHUNK {
            self.buffer = self.buffer[self.start..self.end].to_vec();
            (self.start, self.end) = (0, self.buffer.len());
        }
    }
}
