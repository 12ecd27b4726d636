use crate::{Error, Result};
use std::path::Path;

/// The longest heading, in bytes.
const MAX_HEADING: usize = 4096;

/// What is still to be read of a file of secrets.
pub(super) struct Rest<'p, 'a> {
    path: &'p Path,
    bytes: &'a [u8],
}

impl<'p, 'a> Rest<'p, 'a> {
    /// What follows the line that says the format.
    pub(super) fn of(path: &'p Path, bytes: &'a [u8], format: &[u8]) -> Result<Self> {
        let bytes = bytes.strip_prefix(format).ok_or_else(|| Error::damaged(path, "it is no file of secrets"))?;
        Ok(Self { path, bytes })
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (array, rest) = self.bytes.split_first_chunk::<N>().ok_or_else(|| Error::damaged(self.path, "it is cut off"))?;
        self.bytes = rest;
        Ok(*array)
    }

    pub(super) fn heading(&mut self) -> Result<&'a [u8]> {
        let length = u32::from_be_bytes(self.array()?) as usize;
        if length > MAX_HEADING || length > self.bytes.len() {
            return Err(Error::damaged(self.path, "its heading is cut off"));
        }
        let (heading, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        Ok(heading)
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    /// All that is left.
    pub(super) fn all(self) -> &'a [u8] {
        self.bytes
    }
}
