//! An envelope on its way to the house, a piece at a time.

use crate::hatch::{Hatch, PIECE, Refusal};
use crate::store::Lookup;
use daylight_model::Digest;
use std::io::{self, Write};
use std::sync::Arc;

/// One that was begun. Unless it is [kept](Self::keep), nothing of it is.
pub(crate) struct Outgoing {
    hatch: Arc<Hatch>,
    gathered: Vec<u8>,
    length: u64,
    kept: bool,
}

impl Outgoing {
    pub(crate) fn begin(hatch: &Arc<Hatch>, lookup: Lookup) -> Result<Self, Refusal> {
        hatch.begin(lookup)?;
        Ok(Self { hatch: hatch.clone(), gathered: Vec::with_capacity(PIECE), length: 0, kept: false })
    }

    /// How many sealed bytes it has so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Has it kept: then it is durable. Gives its id.
    pub(crate) fn keep(mut self) -> Result<Digest, Refusal> {
        self.pass_on()?;
        // Whatever comes of it, it is the house's now.
        self.kept = true;
        self.hatch.keep()
    }

    fn pass_on(&mut self) -> Result<(), Refusal> {
        let piece = std::mem::replace(&mut self.gathered, Vec::with_capacity(PIECE));
        if piece.is_empty() { Ok(()) } else { self.hatch.push(piece) }
    }
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let now = bytes.len().min(PIECE - self.gathered.len());
        self.gathered.extend_from_slice(&bytes[..now]);
        self.length += now as u64;
        if self.gathered.len() == PIECE {
            self.flush()?;
        }
        Ok(now)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on().map_err(|refusal| match refusal {
            Refusal::Full => io::ErrorKind::StorageFull.into(),
            refusal => io::Error::other(refusal),
        })
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // Where this unwinds the house has closed.
        if !self.kept && !std::thread::panicking() {
            self.hatch.abandon();
        }
    }
}
