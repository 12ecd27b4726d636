//! One document: what its parent knows of it, and how it is said that it was found.

use crate::output::{Output, Problem};
use daylight_model::reading::{Found, Input, Place, Standing, Stop};
use daylight_model::{Date, FaultCode, Kind, MessageFacts, Name, Stage};
use std::borrow::Cow;
use std::io;

/// What must be in memory to be read may not be longer than this.
pub(crate) const LARGEST: u64 = 512 << 20;

pub(crate) const TOOL: &str = "document 1";

/// Bytes in memory as an input: a slice cannot be made an object itself.
pub(crate) struct Memory<'a>(pub(crate) &'a [u8]);

impl Input for Memory<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self.0)
    }
}

/// Where in the root a reading begins.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Resume {
    pub(crate) start: u64,
    pub(crate) skip_first: bool,
}

/// A document that is about to be found: what its parent knows of it.
pub(crate) struct Doc {
    pub(crate) parent: Option<u32>,
    pub(crate) ordinal: u64,
    pub(crate) name: Option<Name>,
    pub(crate) place: Place,
    pub(crate) claimed_type: String,
    pub(crate) charset: Option<String>,
    pub(crate) mailbox_date: Option<Date>,
    /// It stands in what holds messages.
    pub(crate) is_message: bool,
    pub(crate) depth: u32,
    /// Who reads it.
    pub(crate) tool: &'static str,
    /// What the container has to say against it; said once it is found.
    pub(crate) problem: Option<Problem>,
}

impl Doc {
    pub(crate) fn child(parent: u32, ordinal: u64, depth: u32) -> Self {
        let place = Place::Follows;
        Self {
            parent: Some(parent),
            ordinal,
            name: None,
            place,
            claimed_type: String::new(),
            charset: None,
            mailbox_date: None,
            is_message: false,
            depth,
            tool: TOOL,
            problem: None,
        }
    }

    pub(crate) fn root(name: &Name, standing: &Standing) -> Self {
        let Standing { depth, claimed_type, charset, mailbox_date, is_message } = standing.clone();
        let name = Some(name.clone()).filter(|name| !name.0.is_empty());
        let child = Self::child(0, 0, depth);
        Self { parent: None, name, place: Place::Whole, claimed_type, charset, mailbox_date, is_message, ..child }
    }

    pub(crate) fn found(self, kind: Kind, media_type: String, claims: String, message: Option<Box<MessageFacts>>) -> Found {
        let Self { parent, ordinal, name, place, claimed_type, charset, mailbox_date, is_message, depth, tool, .. } = self;
        let standing = Box::new(Standing { depth, claimed_type, charset, mailbox_date, is_message });
        Found { index: 0, parent, ordinal, name, kind, place, standing, tool: tool.into(), media_type, claims, message }
    }
}

/// Who reads what stands in a document that holds others. The readers of such documents know no more of other readers than this.
pub(crate) trait Inside {
    /// Reads a document, whatever it is. If its bytes are not all in memory they must stand in the input: its place is not `Follows`.
    fn read(&self, out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_)) -> Result<(), Stop>;

    /// Reads what a mailbox holds: a message if there is but one field in it, whatever else it may look like.
    fn message(&self, out: &mut Output<'_>, doc: Doc, bytes: &[u8]) -> Result<(), Stop>;

    /// The kind and the media type of a document that is too long to be read, by its beginning.
    fn kind_and_media(&self, doc: &Doc, head: &[u8]) -> (Kind, String);
}

/// Keeps a document that is not read, and says why it is not.
pub(crate) fn keep(out: &mut Output<'_>, doc: Doc, kind: Kind, media: &str, input: &(dyn Input + '_), why: Problem) -> Result<(), Stop> {
    let index = found(out, doc, kind, media, "", input)?;
    out.fault(index, why)
}

/// Says that a document was found, and gives its bytes where they are not a slice of something.
pub(crate) fn found(out: &mut Output<'_>, doc: Doc, kind: Kind, media: &str, claims: &str, input: &(dyn Input + '_)) -> Result<u32, Stop> {
    let follows = doc.place == Place::Follows;
    let index = out.found(doc.found(kind, media.into(), claims.into(), None))?;
    if follows && let Some(bytes) = input.in_memory() {
        out.bytes(index, bytes)?;
    }
    Ok(index)
}

/// All of an input, or why it cannot be had.
pub(crate) fn load<'a>(input: &'a (dyn Input + '_)) -> Result<Cow<'a, [u8]>, Problem> {
    if let Some(bytes) = input.in_memory() {
        return Ok(Cow::Borrowed(bytes));
    }
    if input.length() > LARGEST {
        let why = format!("its {} bytes are more than are read into memory", input.length());
        return Err(Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, why).limit(LARGEST));
    }
    let mut bytes = vec![0; usize::try_from(input.length()).unwrap_or(0)];
    let mut filled = 0;
    while filled < bytes.len() {
        match input.read_at(filled as u64, &mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) => return Err(Problem::new(Stage::Read, FaultCode::Unreadable, TOOL, error.kind().to_string()).at(filled as u64)),
        }
    }
    bytes.truncate(filled);
    Ok(Cow::Owned(bytes))
}

/// Reads until the buffer is full or the input ends.
pub(crate) fn read_full(input: &(dyn Input + '_), at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read_at(at + filled as u64, &mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
