//! Zip files (PKWARE APPNOTE.TXT 6.3.10). The central directory is read entry by entry with constant memory, and nothing is looked up by name:
//! two entries of one name are two documents.
//!
//! Nothing in a zip can make this run away: entries that overlap, nest or inflate without end all come out of the one budget of the root.

mod directory;
mod package;
mod secret;

use crate::document::{self, Doc, Inside, Resume, read_full};
use crate::keys::By;
use crate::output::{Output, Problem};
use crate::packed::stream;
use crate::packed::{Packed, Stretch, Unpacking, unsafe_name};
use daylight_model::reading::{Input, Label, Place, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use directory::{Directory, Entry, Packing};
pub(crate) use package::Package;
use secret::{Secret, Shut};
use std::io::{self, Read};

pub(crate) const TOOL: &str = "zip 1";
/// Entries beyond this many are not read.
const MOST: u64 = 1_000_000;

/// What overlaps is taken from the budget with at least so many bytes an entry, since even a document without any costs something.
const LEAST: u64 = 16 << 10;

/// Of links so many are named one by one.
const NAMED: u64 = 100;

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
pub(crate) fn read(
    out: &mut Output<'_>,
    doc: Doc,
    media: &str,
    input: &(dyn Input + '_),
    resume: Resume,
    inside: &dyn Inside,
) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = document::found(out, doc, Kind::Container, media, "", input)?;
    let mut reading = Zip {
        index,
        depth,
        apart: false,
        input,
        counts: Counts::default(),
        links: 0,
        opened: Vec::new(),
        claimed: 0,
        unpacking: Unpacking::new(index, TOOL, inside),
    };
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
    for (secret, by) in &reading.opened {
        out.text(index, Label::Property, by.property(secret.method()) + "\n")?;
    }
    let Counts { stated, directories, read } = reading.counts;
    out.counted(index, Some(stated.saturating_sub(directories)), read, reading.unpacking.failed)
}

#[derive(Default)]
struct Counts {
    stated: u64,
    directories: u64,
    read: u64,
}

struct Zip<'a> {
    index: u32,
    depth: u32,
    /// The zip does not stand in a document as it is: no entry is a slice of it.
    apart: bool,
    input: &'a (dyn Input + 'a),
    unpacking: Unpacking<'a>,
    counts: Counts,
    links: u64,
    /// How entries were encrypted that were opened, each way once.
    opened: Vec<(Secret, By)>,
    /// How many bytes all entries so far say are theirs.
    claimed: u64,
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
            let is_directory = entry.name.ends_with(b"/") && entry.packed == 0 || entry.link;
            if entry.link && number >= resume.start {
                self.link(out, &entry, number)?;
            }
            self.counts.directories += u64::from(is_directory);
            self.counts.read += u64::from(!is_directory);
            if !is_directory && number >= resume.start {
                self.entry(out, &directory, entry, number, resume.skip_first && number == resume.start)?;
                if self.unpacking.spent_out {
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

    /// A link is said, not followed.
    fn link(&mut self, out: &mut Output<'_>, entry: &Entry, number: u64) -> Result<(), Stop> {
        self.links += 1;
        if self.links > NAMED {
            return Ok(());
        }
        let why = format!("entry {number} is a symbolic link: it is not followed");
        out.fault(self.index, Problem::new(Stage::Split, FaultCode::NotAFile, TOOL, why).at(entry.header))
    }

    fn entry(&mut self, out: &mut Output<'_>, directory: &Directory, mut entry: Entry, number: u64, skip: bool) -> Result<(), Stop> {
        let mut doc = Doc::child(self.index, number, self.depth + 1);
        doc.problem = unsafe_name(&entry.name, TOOL);
        let start = match directory.data(self.input, &entry) {
            Ok(Some(start)) if start.checked_add(entry.packed).is_some_and(|end| end <= self.input.length()) => start,
            Ok(_) => return self.lost(out, doc, &entry, number, FaultCode::Truncated, "its bytes are not where the zip says"),
            Err(_) => return self.lost(out, doc, &entry, number, FaultCode::Unreadable, "its bytes could not be read"),
        };
        if !self.claim(out, entry.packed)? {
            return Ok(());
        }
        doc.name = Some(Name(std::mem::take(&mut entry.name)));
        if !self.apart {
            doc.place = Place::Slice { of: self.index, offset: start, length: entry.packed };
        }
        let stretch = Stretch { input: self.input, start, length: entry.packed };
        if let Some(secret) = entry.secret.filter(|_| !skip) {
            return self.secret(out, doc, secret, &entry, &stretch);
        }
        let why = match entry.packing {
            _ if skip => Some((FaultCode::ReaderDied, "it is kept as it stands in the zip")),
            Packing::Other(_) => Some((FaultCode::NoReader, "its compression is not one that is read; it is kept as it stands in the zip")),
            _ => None,
        };
        if let Some((code, why)) = why {
            self.unpacking.failed += 1;
            return self.keep(out, doc, &stretch, Problem::new(Stage::Split, code, TOOL, why));
        }
        if entry.packing == Packing::Stored && !self.apart {
            return self.unpacking.inside.read(out, doc, &stretch);
        }
        doc.place = Place::Follows;
        let problems = doc.problem.take().into_iter().collect();
        self.unpacking.child(out, doc, &mut unpacked(entry.packing, entry.unpacked, Box::new(Packed { stretch, at: 0 })), problems)
    }

    /// An encrypted entry: opened as if it were not, or kept.
    fn secret(&mut self, out: &mut Output<'_>, mut doc: Doc, secret: Secret, entry: &Entry, stretch: &Stretch<'_>) -> Result<(), Stop> {
        let kept = "; it is kept as it stands in the zip";
        let why = if secret == Secret::Other || matches!(entry.packing, Packing::Other(_)) {
            format!("it is protected by {}, and packed in a way that is not read{kept}", secret.method())
        } else if entry.unpacked > out.left() {
            let why =
                format!("it is protected by {}, and no password is tried, for it unpacks to more than the budget{kept}", secret.method());
            self.unpacking.failed += 1;
            return self.keep(out, doc, stretch, Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, why).limit(out.budget()));
        } else {
            let most = out.left();
            match secret::open(&mut out.keys, secret, entry, stretch, most) {
                Ok((key, by)) => {
                    if !self.opened.iter().any(|(other, who)| other.method() == secret.method() && *who == by) {
                        self.opened.push((secret, by));
                    }
                    doc.place = Place::Follows;
                    let problems = doc.problem.take().into_iter().collect();
                    let mut stream = unpacked(entry.packing, entry.unpacked, secret::decrypted(&key, stretch));
                    return self.unpacking.child(out, doc, &mut stream, problems);
                }
                Err(Shut::Locked(locked)) => locked.detail(secret.method()) + kept,
                Err(Shut::Damaged) => {
                    format!(
                        "it is protected by {}, and a password fits, but its bytes are not those that were sealed{kept}",
                        secret.method()
                    )
                }
            }
        };
        self.unpacking.failed += 1;
        self.keep(out, doc, stretch, Problem::new(Stage::Split, FaultCode::Encrypted, TOOL, why))
    }

    /// Entries that together have more bytes than the zip overlap: what is read more than once comes out of the budget, or a zip of stored zips of
    /// one place would never end.
    fn claim(&mut self, out: &mut Output<'_>, packed: u64) -> Result<bool, Stop> {
        let before = self.claimed;
        self.claimed = before.saturating_add(packed);
        if self.claimed <= self.input.length() {
            return Ok(true);
        }
        if before <= self.input.length() {
            let why = "its entries have more bytes than it has: they overlap, and are read as long as the budget lasts";
            out.fault(self.index, Problem::new(Stage::Split, FaultCode::Malformed, TOOL, why))?;
        }
        self.unpacking.pass(out, packed.max(LEAST))
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
        self.unpacking.failed += 1;
        drop(doc);
        out.fault(self.index, Problem::new(Stage::Split, code, TOOL, format!("entry {number}: {why}")).at(entry.header))
    }
}

/// An entry's bytes as they unpack.
fn unpacked<'a>(packing: Packing, length: u64, packed: Box<dyn Read + 'a>) -> Box<dyn Read + 'a> {
    match packing {
        Packing::Stored | Packing::Other(_) => packed,
        Packing::Deflated => stream::deflated(packed),
        Packing::Lzma { ended } => match stream::lzma_of_zip(packed, (!ended).then_some(length)) {
            Ok(unpacked) => unpacked,
            Err(error) => Box::new(Broken(Some(error))),
        },
        Packing::As(method) => stream::open(method, packed),
    }
}

/// A stream that could not be begun.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
pub(crate) mod tests;
