//! The way between the desk and the drop, whichever it is: the drop's wire (docs/drop.md), or a stick.

mod relay;
mod stick;

pub use relay::{Relayed, relay};
pub use stick::Stick;

use crate::{Error, Result};
use daylight_archive::json;
use daylight_model::Digest;
use serde_json::Value;
use std::io::Write;

/// The longest list of what waits that is read, in bytes: some 400,000 envelopes.
pub const MAX_LIST: usize = 80 << 20;

/// The longest envelope that is taken, in bytes: a part of 64 MiB, padded and sealed, has less than 76 MiB.
pub const MAX_ENVELOPE: u64 = 80 << 20;

/// A source's mailbox at the drop.
pub type Lookup = [u8; 32];

/// An envelope that waits at the drop. Nothing of this is believed: the drop says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// SHA-256 of its bytes.
    pub id: Digest,
    /// In which mailbox.
    pub lookup: Lookup,
    /// On which day it came.
    pub day: u32,
    /// How many bytes it has.
    pub length: u64,
}

/// Carries between desk and drop. Whatever is done twice must be as if it were done once.
pub trait Carrier {
    /// The directory that the drop shows; `None` if it has none.
    fn directory(&mut self) -> Result<Option<Vec<u8>>>;
    /// Gives the drop the directory to show. Gives whether it has it now, and not only once somebody has carried it there.
    fn put_directory(&mut self, file: &[u8]) -> Result<bool>;
    /// What waits there.
    fn list(&mut self) -> Result<Vec<Waiting>>;
    /// Writes an envelope to `to`. Gives whether it was still there.
    fn fetch(&mut self, waiting: &Waiting, to: &mut dyn Write) -> Result<bool>;
    /// Says that these are durable on the desk: the drop deletes them.
    fn done(&mut self, ids: &[Digest]) -> Result<()>;
    /// Puts a sealed reply into a mailbox.
    fn reply(&mut self, lookup: &Lookup, sealed: &[u8]) -> Result<()>;
    /// Lets these sources send more.
    fn accept(&mut self, lookups: &[Lookup]) -> Result<()>;
    /// Deletes what the newsroom put into these mailboxes: replies, and that a source was accepted. What a source sent and nobody fetched stays.
    fn forget(&mut self, lookups: &[Lookup]) -> Result<()>;
}

/// Reads the drop's list: canonical JSON `{"envelopes":[{"day":…,"id":…,"length":…,"lookup":…},…]}`.
pub fn parse_list(bytes: &[u8]) -> Result<Vec<Waiting>> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let wrong = || Error::Carrier("its list of what waits is not of its form".into());
    let mut fields = json::read_object(bytes).map_err(|_| wrong())?;
    let Some(Value::Array(envelopes)) = fields.remove("envelopes") else { return Err(wrong()) };
    envelopes.iter().map(|one| waiting(one).ok_or_else(wrong)).collect()
}

fn waiting(value: &Value) -> Option<Waiting> {
    let digest = |name: &str| value.get(name)?.as_str()?.parse::<Digest>().ok();
    let number = |name: &str| value.get(name)?.as_u64();
    Some(Waiting { id: digest("id")?, lookup: digest("lookup")?.0, day: u32::try_from(number("day")?).ok()?, length: number("length")? })
}
