//! Zip files (PKWARE APPNOTE.TXT 6.3.10). The central directory is read entry by entry with constant memory, and nothing is looked up by name:
//! two entries of one name are two documents.
//!
//! Nothing in a zip can make this run away: entries that overlap, nest or inflate without end all come out of the one budget of the root.

mod directory;
mod package;

use crate::document::{self, Doc, Inside, Memory, Resume, read_full};
use crate::output::{CHUNK, Output, Problem};
use daylight_model::reading::{Input, Place, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use directory::{Directory, Entry, Packing};
use flate2::read::DeflateDecoder;
pub(crate) use package::Package;
use std::io::{self, Read};

const TOOL: &str = "zip 1";
/// Entries beyond this many are not read.
const MOST: u64 = 1_000_000;
/// An entry that is longer unpacked is kept, but not read.
const LARGEST: u64 = 64 << 20;
/// A name longer than this is cut.
const LONGEST_NAME: usize = 4096;

/// Whether a zip without its mark at the beginning ends here: one that unpacks itself, say.
pub(crate) fn is_appended(input: &(dyn Input + '_)) -> io::Result<bool> {
    Ok(Directory::find(input)?.is_some_and(|directory| directory.entries > 0))
}

/// The media type of a zip that is an office document or a book, whose entries are not documents of their own.
pub(crate) fn office_type(input: &(dyn Input + '_)) -> io::Result<Option<String>> {
    const OPEN: &str = "application/vnd.openxmlformats-officedocument.";
    let Some(mut directory) = Directory::find(input)? else { return Ok(None) };
    let (mut is_open, mut open) = (false, None);
    for _ in 0..2000 {
        let Ok(Some(entry)) = directory.next(input) else { break };
        match entry.name.as_slice() {
            b"mimetype" => return opendocument_type(input, &directory, &entry),
            b"[Content_Types].xml" => is_open = true,
            name if name.starts_with(b"word/") => open = open.or(Some("wordprocessingml.document")),
            name if name.starts_with(b"xl/") => open = open.or(Some("spreadsheetml.sheet")),
            name if name.starts_with(b"ppt/") => open = open.or(Some("presentationml.presentation")),
            _ => (),
        }
    }
    Ok(open.filter(|_| is_open).map(|open| format!("{OPEN}{open}")))
}

/// OpenDocument and EPUB state their type in their first entry, stored as it is.
fn opendocument_type(input: &(dyn Input + '_), directory: &Directory, entry: &Entry) -> io::Result<Option<String>> {
    let Ok(Some(at)) = directory.data(input, entry) else { return Ok(None) };
    let mut bytes = vec![0; usize::try_from(entry.packed.min(100)).unwrap_or(0)];
    let count = read_full(input, at, &mut bytes)?;
    let stated = String::from_utf8_lossy(bytes[..count].trim_ascii()).to_ascii_lowercase();
    let known = stated.starts_with("application/vnd.oasis.opendocument.") || stated == "application/epub+zip";
    Ok(Some(stated).filter(|_| known && entry.packing == Packing::Stored))
}

/// Reads a zip from the entry with number `resume.start` on. Directories among the entries are passed over.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_), resume: Resume, inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = document::found(out, doc, Kind::Container, "application/zip", "", input)?;
    let mut reading = Zip { index, depth, input, inside, counts: Counts::default(), spent_out: false };
    let result = match Directory::find(input) {
        Ok(Some(directory)) => reading.run(out, directory, resume)?,
        Ok(None) => {
            let why =
                Problem::new(Stage::Split, FaultCode::Truncated, TOOL, "its central directory is missing, so its entries are not known");
            return out.fault(index, why);
        }
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        let code = if error.kind() == io::ErrorKind::InvalidData { FaultCode::Malformed } else { FaultCode::Unreadable };
        out.fault(index, Problem::new(Stage::Split, code, TOOL, error.to_string()))?;
    }
    let Counts { stated, directories, read, failed } = reading.counts;
    out.counted(index, Some(stated.saturating_sub(directories)), read, failed)
}

#[derive(Default)]
struct Counts {
    stated: u64,
    directories: u64,
    read: u64,
    failed: u64,
}

struct Zip<'a> {
    index: u32,
    depth: u32,
    input: &'a (dyn Input + 'a),
    inside: &'a dyn Inside,
    counts: Counts,
    spent_out: bool,
}

/// The bytes of the root between two places, as an input of their own.
struct Stretch<'a> {
    input: &'a (dyn Input + 'a),
    start: u64,
    length: u64,
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
struct Packed<'a> {
    stretch: Stretch<'a>,
    at: u64,
}

impl Read for Packed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stretch.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Zip<'_> {
    /// The outer error is the listener's, the inner one the input's.
    fn run(&mut self, out: &mut Output<'_>, mut directory: Directory, resume: Resume) -> Result<io::Result<()>, Stop> {
        self.counts.stated = directory.entries;
        let mut number = 0;
        loop {
            let entry = match directory.next(self.input) {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => return Ok(Err(error)),
            };
            if number >= MOST {
                out.fault(self.index, Problem::new(Stage::Split, FaultCode::TooMany, TOOL, "further entries are not read").limit(MOST))?;
                break;
            }
            let is_directory = entry.name.ends_with(b"/") && entry.packed == 0;
            self.counts.directories += u64::from(is_directory);
            self.counts.read += u64::from(!is_directory);
            if !is_directory && number >= resume.start {
                self.entry(out, &directory, entry, number, resume.skip_first && number == resume.start)?;
                if self.spent_out {
                    break;
                }
                out.cursor(self.index, number + 1)?;
            }
            number += 1;
        }
        // What is found counts if the zip states fewer than it holds.
        self.counts.stated = self.counts.stated.max(number);
        Ok(Ok(()))
    }

    fn entry(&mut self, out: &mut Output<'_>, directory: &Directory, entry: Entry, number: u64, skip: bool) -> Result<(), Stop> {
        let mut doc = Doc::child(self.index, number, self.depth + 1);
        doc.problem = unsafe_name(&entry.name);
        let start = match directory.data(self.input, &entry) {
            Ok(Some(start)) if start.checked_add(entry.packed).is_some_and(|end| end <= self.input.length()) => start,
            Ok(_) => return self.lost(out, doc, &entry, number, FaultCode::Truncated, "its bytes are not where the zip says"),
            Err(_) => return self.lost(out, doc, &entry, number, FaultCode::Unreadable, "its bytes could not be read"),
        };
        doc.name = Some(Name(entry.name));
        doc.place = Place::Slice { of: self.index, offset: start, length: entry.packed };
        let stretch = Stretch { input: self.input, start, length: entry.packed };
        let why = match entry.packing {
            _ if entry.encrypted => Some((FaultCode::Encrypted, "it is kept as it stands in the zip")),
            _ if skip => Some((FaultCode::ReaderDied, "it is kept as it stands in the zip")),
            Packing::Other(_) => Some((FaultCode::NoReader, "its compression is not one that is read; it is kept as it stands in the zip")),
            Packing::Stored | Packing::Deflated => None,
        };
        if let Some((code, why)) = why {
            self.counts.failed += 1;
            return self.keep(out, doc, &stretch, Problem::new(Stage::Split, code, TOOL, why));
        }
        if entry.packing == Packing::Stored {
            return self.inside.read(out, doc, &stretch);
        }
        doc.place = Place::Follows;
        self.unpack(out, doc, stretch)
    }

    /// Keeps an entry as it stands packed in the zip.
    fn keep(&mut self, out: &mut Output<'_>, mut doc: Doc, stretch: &Stretch<'_>, why: Problem) -> Result<(), Stop> {
        let index = out.next_index();
        let name = doc.problem.take();
        document::keep(out, doc, Kind::File, "application/octet-stream", stretch, why)?;
        name.map_or(Ok(()), |name| out.fault(index, name))
    }

    /// An entry without bytes is said of the zip: a document must have some to be one.
    fn lost(&mut self, out: &mut Output<'_>, doc: Doc, entry: &Entry, number: u64, code: FaultCode, why: &str) -> Result<(), Stop> {
        self.counts.failed += 1;
        drop(doc);
        out.fault(self.index, Problem::new(Stage::Split, code, TOOL, format!("entry {number}: {why}")).at(entry.header))
    }

    /// Inflates an entry, into memory if it fits there.
    fn unpack(&mut self, out: &mut Output<'_>, mut doc: Doc, stretch: Stretch<'_>) -> Result<(), Stop> {
        let allowed = out.left().min(LARGEST);
        let mut inflating = DeflateDecoder::new(Packed { stretch, at: 0 });
        let mut bytes = Vec::new();
        let result = (&mut inflating).take(allowed + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > allowed {
            return if allowed < LARGEST { self.past_budget(out, doc) } else { self.unpack_large(out, doc, &bytes, &mut inflating) };
        }
        out.spend(bytes.len());
        let torn = result.err().map(|error| {
            self.counts.failed += u64::from(bytes.is_empty());
            Problem::new(Stage::Split, FaultCode::Truncated, TOOL, format!("it does not unpack to its end: {error}")).at(bytes.len() as u64)
        });
        // Of two things to say of one entry the name's is said here, since only one can wait.
        let (index, name) = (out.next_index(), doc.problem.take());
        doc.problem = torn;
        self.inside.read(out, doc, &Memory(&bytes))?;
        name.map_or(Ok(()), |name| out.fault(index, name))
    }

    fn past_budget(&mut self, out: &mut Output<'_>, doc: Doc) -> Result<(), Stop> {
        drop(doc);
        self.spent_out = true;
        self.counts.failed += 1;
        let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "the entries from here on unpack to more than the budget");
        out.fault(self.index, why.limit(out.budget()))
    }

    /// Passes an entry on that is too long to be read. Its beginning is in memory already.
    fn unpack_large(&mut self, out: &mut Output<'_>, mut doc: Doc, head: &[u8], rest: &mut dyn Read) -> Result<(), Stop> {
        self.counts.failed += 1;
        let (index, name) = (out.next_index(), doc.problem.take());
        let why = Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, "it is kept but not read").limit(LARGEST);
        out.spend(head.len());
        let media = self.inside.media(&doc, head);
        document::found(out, doc, Kind::File, &media, "", &Memory(head))?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match rest.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    out.fault(
                        index,
                        Problem::new(Stage::Split, FaultCode::Truncated, TOOL, format!("it does not unpack to its end: {error}")),
                    )?;
                    break;
                }
            };
            if !out.spend(count) {
                self.spent_out = true;
                let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "the rest of it is past the budget");
                out.fault(index, why.limit(out.budget()))?;
                break;
            }
            out.bytes(index, &buffer[..count])?;
        }
        out.fault(index, why)?;
        name.map_or(Ok(()), |name| out.fault(index, name))
    }
}

/// What is wrong with an entry's name: it could lead out of the folder that somebody unpacks it to.
fn unsafe_name(name: &[u8]) -> Option<Problem> {
    let drive = matches!(name, [letter, b':', ..] if letter.is_ascii_alphabetic());
    let up = name.split(|b| matches!(b, b'/' | b'\\')).any(|piece| piece == b"..");
    let unsafe_one = up || drive || name.contains(&0) || matches!(name.first(), Some(b'/' | b'\\'));
    unsafe_one.then(|| Problem::new(Stage::Split, FaultCode::UnsafeName, TOOL, "it could lead out of its container"))
}

#[cfg(test)]
pub(crate) mod tests;
