//! What stands packed in another file: the readers of compressed files, of tar and of 7z, and what they share with that of zip. Whatever is
//! unpacked comes out of the one budget of the root, and is held in memory up to [`Request::apart`](daylight_model::reading::Request::apart) alone: what is longer is given as it unpacks, to be read by itself.

mod bzip2;
pub(crate) mod compressed;
pub(crate) mod seven;
pub(crate) mod stream;
pub(crate) mod tar;

use crate::document::{self, Doc, Inside, Memory};
use crate::output::{CHUNK, Output, Problem};
use daylight_model::reading::{Input, Stop};
use daylight_model::{FaultCode, Stage};
use std::io::{self, Read};

/// A name longer than this is cut.
pub(crate) const LONGEST_NAME: usize = 4096;

/// The bytes of an input between two places, as an input of their own.
pub(crate) struct Stretch<'a> {
    pub(crate) input: &'a (dyn Input + 'a),
    pub(crate) start: u64,
    pub(crate) length: u64,
}

impl<'a> Stretch<'a> {
    pub(crate) fn whole(input: &'a (dyn Input + 'a)) -> Self {
        Self { input, start: 0, length: input.length() }
    }
}

impl Input for Stretch<'_> {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        self.input.read_at(self.start + offset, &mut buffer[..count])
    }

    fn in_memory(&self) -> Option<&[u8]> {
        let whole = self.input.in_memory()?;
        let start = usize::try_from(self.start).ok()?;
        whole.get(start..start.checked_add(usize::try_from(self.length).ok()?)?)
    }
}

/// The same bytes as a stream.
pub(crate) struct Packed<'a> {
    pub(crate) stretch: Stretch<'a>,
    pub(crate) at: u64,
}

impl Read for Packed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stretch.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// How the children of one container are unpacked.
pub(crate) struct Unpacking<'a> {
    /// The container, of which it is said that the budget ended.
    pub(crate) container: u32,
    /// The container's reader, who says what is wrong.
    pub(crate) tool: &'static str,
    pub(crate) inside: &'a dyn Inside,
    /// How many children could not be read at all.
    pub(crate) failed: u64,
    /// Nothing more can be unpacked.
    pub(crate) spent_out: bool,
}

impl<'a> Unpacking<'a> {
    pub(crate) fn new(container: u32, tool: &'static str, inside: &'a dyn Inside) -> Self {
        Self { container, tool, inside, failed: 0, spent_out: false }
    }

    /// Reads a child whose bytes a stream gives, in memory if it fits there. `problems` are said of it besides its own.
    pub(crate) fn child(&mut self, out: &mut Output<'_>, doc: Doc, stream: &mut dyn Read, mut problems: Vec<Problem>) -> Result<(), Stop> {
        let allowed = out.left().min(out.apart);
        let mut bytes = Vec::new();
        let result = stream.take(allowed + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > allowed {
            return if allowed < out.apart { self.past_budget(out) } else { self.large(out, doc, &bytes, stream, problems) };
        }
        out.spend(bytes.len());
        if let Err(error) = result {
            self.failed += u64::from(bytes.is_empty());
            problems.push(self.torn(&error).at(bytes.len() as u64));
        }
        read_with(out, doc, &Memory(&bytes), self.inside, problems)
    }

    /// Takes what is unpacked only to be passed over from the budget; says whether there was enough.
    pub(crate) fn pass(&mut self, out: &mut Output<'_>, count: u64) -> Result<bool, Stop> {
        if out.spend(usize::try_from(count).unwrap_or(usize::MAX)) {
            return Ok(true);
        }
        self.past_budget(out).map(|()| false)
    }

    fn torn(&self, error: &io::Error) -> Problem {
        let code = if error.kind() == io::ErrorKind::Unsupported { FaultCode::NoReader } else { FaultCode::Truncated };
        Problem::new(Stage::Split, code, self.tool, format!("it does not unpack to its end: {error}"))
    }

    fn past_budget(&mut self, out: &mut Output<'_>) -> Result<(), Stop> {
        self.spent_out = true;
        self.failed += 1;
        let why = Problem::new(Stage::Split, FaultCode::TooLarge, self.tool, "the entries from here on unpack to more than the budget");
        out.fault(self.container, why.limit(out.budget()))
    }

    /// Passes on a child that is too long to be read here. Its beginning is in memory already.
    fn large(&mut self, out: &mut Output<'_>, doc: Doc, head: &[u8], rest: &mut dyn Read, problems: Vec<Problem>) -> Result<(), Stop> {
        out.spend(head.len());
        let (kind, media) = self.inside.kind_and_media(&doc, head);
        let index = document::found(out, doc, kind, &media, "", &Memory(head))?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match rest.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    out.fault(index, self.torn(&error).by_holder())?;
                    break;
                }
            };
            if !out.spend(count) {
                self.spent_out = true;
                let why = Problem::new(Stage::Split, FaultCode::TooLarge, self.tool, "the rest of it is past the budget");
                out.fault(index, why.by_holder().limit(out.budget()))?;
                break;
            }
            out.bytes(index, &buffer[..count])?;
        }
        let why = Problem::new(Stage::Read, FaultCode::Deferred, self.tool, "it is too long to be read with what holds it");
        out.fault(index, why.limit(out.apart))?;
        say_in(out, index, problems)
    }
}

/// Has a document read and then says what its container has against it, in the container's name.
pub(crate) fn read_with(
    out: &mut Output<'_>,
    doc: Doc,
    input: &(dyn Input + '_),
    inside: &dyn Inside,
    problems: Vec<Problem>,
) -> Result<(), Stop> {
    let index = out.next_index();
    inside.read(out, doc, input)?;
    say_in(out, index, problems)
}

fn say_in(out: &mut Output<'_>, index: u32, problems: Vec<Problem>) -> Result<(), Stop> {
    say(out, index, problems.into_iter().map(Problem::by_holder).collect())
}

pub(crate) fn say(out: &mut Output<'_>, index: u32, problems: Vec<Problem>) -> Result<(), Stop> {
    problems.into_iter().try_for_each(|problem| out.fault(index, problem))
}

/// What is wrong with an entry's name: it could lead out of the folder that somebody unpacks it to.
pub(crate) fn unsafe_name(name: &[u8], tool: &str) -> Option<Problem> {
    let drive = matches!(name, [letter, b':', ..] if letter.is_ascii_alphabetic());
    let up = name.split(|b| matches!(b, b'/' | b'\\')).any(|piece| piece == b"..");
    let unsafe_one = up || drive || name.contains(&0) || matches!(name.first(), Some(b'/' | b'\\'));
    unsafe_one.then(|| Problem::new(Stage::Split, FaultCode::UnsafeName, tool, "it could lead out of its container"))
}

/// Whether a file's mode on Unix says that it is a symbolic link.
pub(crate) fn is_link(mode: u32) -> bool {
    mode & 0o17_0000 == 0o12_0000
}

#[cfg(test)]
pub(crate) mod tests;
