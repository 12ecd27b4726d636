use crate::lease::Death;
use crate::wire::{Answer, Garbled, HEADER, get_answer, header};
use std::io::{ErrorKind, Read};

/// How many bytes are asked of the pipe at once.
const CHUNK: usize = 256 << 10;

/// What has arrived from a worker and was not yet understood. It grows only as bytes arrive, whatever a header announces.
#[derive(Default)]
pub(super) struct Inflow {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// Whether there may be more to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fill {
    More,
    End,
}

impl Inflow {
    /// The next answer and its size on the wire, if all of it has arrived. An answer larger than `allowed` is not waited for.
    pub(super) fn next(&mut self, allowed: u64) -> Result<Option<(Answer, u64)>, Death> {
        let garbled = |Garbled(why)| Death::Garbled(why.into());
        let arrived = &self.buffer[self.start..self.end];
        let Some((kind, length)) = header(arrived).map_err(garbled)? else { return Ok(None) };
        let size = HEADER + length;
        if size as u64 > allowed {
            return Err(Death::TooMuch(allowed));
        }
        let Some(frame) = arrived.get(..size) else { return Ok(None) };
        let answer = get_answer(kind, &frame[HEADER..]).map_err(garbled)?;
        self.start += size;
        Ok(Some((answer, size as u64)))
    }

    /// Takes in what the pipe has. A pipe that cannot be read has ended.
    pub(super) fn fill(&mut self, pipe: &mut impl Read) -> Fill {
        self.make_room();
        loop {
            match pipe.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Fill::End,
                Ok(count) => {
                    self.end += count;
                    return Fill::More;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Fill::End,
            }
        }
    }

    /// Moves what is left to the front where that makes room, and grows otherwise.
    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.end == self.buffer.len() && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).max(CHUNK), 0);
        }
    }
}
