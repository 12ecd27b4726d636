//! One document: what it is, who reads it, and what is said when nobody can.

use crate::detect::{self, Claims, Format};
use crate::output::{Output, Problem};
use crate::{mail, mbox, text, zip};
use daylight_model::reading::{Found, Input, Place, Stop};
use daylight_model::{Date, FaultCode, Kind, MessageFacts, Name, Stage};
use std::borrow::Cow;
use std::io;

/// Documents that hold documents are not opened below this depth.
pub(crate) const DEEPEST: u32 = 20;
/// What must be in memory to be read may not be longer than this.
pub(crate) const LARGEST: u64 = 512 << 20;

const TOOL: &str = "document 1";

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
    pub(crate) depth: u32,
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
            depth,
            problem: None,
        }
    }

    fn root(name: &Name) -> Self {
        Self { parent: None, name: Some(name.clone()).filter(|name| !name.0.is_empty()), place: Place::Whole, ..Self::child(0, 0, 0) }
    }

    pub(crate) fn found(self, kind: Kind, media_type: String, claims: String, message: Option<Box<MessageFacts>>) -> Found {
        let Self { parent, ordinal, name, place, claimed_type, .. } = self;
        Found { index: 0, parent, ordinal, name, kind, place, claimed_type, media_type, claims, message }
    }
}

/// Reads the root, from where an earlier reading of it came to.
pub(crate) fn read_root(out: &mut Output<'_>, name: &Name, input: &(dyn Input + '_), resume: Resume) -> Result<(), Stop> {
    dispatch(out, Doc::root(name), input, resume)
}

/// Reads a document within another.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, bytes: &[u8]) -> Result<(), Stop> {
    dispatch(out, doc, &Memory(bytes), Resume::default())
}

/// Like [`read`], of bytes that are not all in memory. They must stand in the input: the document's place is not `Follows`.
pub(crate) fn read_input(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_)) -> Result<(), Stop> {
    dispatch(out, doc, input, Resume::default())
}

fn dispatch(out: &mut Output<'_>, mut doc: Doc, input: &(dyn Input + '_), resume: Resume) -> Result<(), Stop> {
    let index = out.next_index();
    let problem = doc.problem.take();
    let claims = Claims { name: doc.name.as_ref(), claimed: &doc.claimed_type };
    let format = match detect::format(&claims, input) {
        Ok(format) => format,
        Err(error) => {
            let why = Problem::new(Stage::Read, FaultCode::Unreadable, TOOL, error.kind().to_string());
            return keep(out, doc, Kind::File, "application/octet-stream", input, why);
        }
    };
    let nests = matches!(format, Format::Message | Format::Mailbox | Format::Zip);
    if nests && doc.depth >= DEEPEST {
        let why = Problem::new(Stage::Read, FaultCode::TooDeep, TOOL, "it is kept but not opened").limit(u64::from(DEEPEST));
        keep(out, doc, format.kind(), format.media(), input, why)?;
    } else if resume.skip_first && !matches!(format, Format::Mailbox | Format::Zip) {
        let found = doc.found(format.kind(), format.media().into(), String::new(), None);
        out.found(found)?;
    } else {
        open(out, doc, &format, input, resume)?;
    }
    problem.map_or(Ok(()), |problem| out.fault(index, problem))
}

fn open(out: &mut Output<'_>, doc: Doc, format: &Format, input: &(dyn Input + '_), resume: Resume) -> Result<(), Stop> {
    match format {
        Format::Message => match load(input) {
            Ok(message) => mail::read(out, doc, &message),
            Err(problem) => keep(out, doc, Kind::Message, format.media(), input, problem),
        },
        Format::Mailbox => mbox::read(out, doc, input, resume),
        Format::Zip => zip::read(out, doc, input, resume),
        Format::Text(media) => text::read(out, doc, media, input),
        Format::Opaque { media, code, why } => {
            let problem = Problem::new(Stage::Read, *code, TOOL, *why);
            keep(out, doc, Kind::File, media, input, problem)
        }
    }
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

/// Reads what a mailbox holds: a message if there is but one field in it, whatever else it may look like.
pub(crate) fn read_message(out: &mut Output<'_>, mut doc: Doc, bytes: &[u8]) -> Result<(), Stop> {
    if doc.depth >= DEEPEST || mail::Fields::new(bytes, 0).next().is_none() {
        return read(out, doc, bytes);
    }
    let index = out.next_index();
    let problem = doc.problem.take();
    mail::read(out, doc, bytes)?;
    problem.map_or(Ok(()), |problem| out.fault(index, problem))
}

/// Keeps a document that is too long to be read, of which only the beginning is in memory; the rest of its bytes is the caller's to give.
pub(crate) fn keep_begun(out: &mut Output<'_>, doc: Doc, head: &[u8]) -> Result<u32, Stop> {
    let claims = Claims { name: doc.name.as_ref(), claimed: &doc.claimed_type };
    let media =
        detect::format(&claims, &Memory(head)).map_or_else(|_| "application/octet-stream".into(), |format| format.media().to_owned());
    found(out, doc, Kind::File, &media, "", &Memory(head))
}
