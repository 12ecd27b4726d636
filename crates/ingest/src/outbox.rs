//! The way from one who reads to the one that stores: pieces go several at a time, since to wake the other side for each is dearer than to store it.

use crate::lease::{Halt, Piece};
use crate::room::{Room, Share};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// How many pieces go together, and how many bytes they may hold in memory.
const TOGETHER: usize = 16;
const BYTES_TOGETHER: u64 = 128 << 10;

/// Pieces on their way to be stored, with their share of the room there is for them, which is given back when they are; or why there are no more.
pub(crate) type Sent = Result<(Vec<Piece>, Share), Halt>;

/// What one thread has read and not yet given away.
pub(crate) struct Outbox {
    sent: SyncSender<Sent>,
    room: Arc<Room>,
    pieces: Vec<Piece>,
    bytes: u64,
}

impl Outbox {
    pub(crate) fn new(sent: SyncSender<Sent>, room: Arc<Room>) -> Self {
        Self { sent, room, pieces: Vec::new(), bytes: 0 }
    }

    /// Takes a piece, and gives all away once there is enough.
    pub(crate) fn put(&mut self, piece: Piece) -> Result<(), Halt> {
        self.bytes += piece.in_memory();
        self.pieces.push(piece);
        if self.pieces.len() < TOGETHER && self.bytes < BYTES_TOGETHER { Ok(()) } else { self.send() }
    }

    /// Gives away what there is, once there is room for it. To be called at the end of each lease: what was read must not wait for what comes.
    pub(crate) fn send(&mut self) -> Result<(), Halt> {
        if self.pieces.is_empty() {
            return Ok(());
        }
        let share = self.room.take(std::mem::take(&mut self.bytes));
        self.sent.send(Ok((std::mem::take(&mut self.pieces), share))).map_err(|_| Halt::Closed)
    }

    /// Says why there will be no more. Nobody listens any more only if the storing side has ended, and then it says why.
    pub(crate) fn end(mut self, halt: Halt) {
        let _ = self.send();
        let _ = self.sent.send(Err(halt));
    }
}
