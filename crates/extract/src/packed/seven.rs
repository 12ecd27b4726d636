//! 7z, by sevenz-rust2: LZMA, LZMA2, copies and the filters for programs. Its entries stand packed together in blocks, and one block that
//! cannot be read does not keep the others from being read. A block that wants more memory than [`DICTIONARY`] is not unpacked.

use super::stream::DICTIONARY;
use super::{LONGEST_NAME, Unpacking, unsafe_name};
use crate::document::{self, Doc, Inside, Resume};
use crate::output::{Output, Problem};
use daylight_model::reading::{Input, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, Error, Password};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

pub(crate) const TOOL: &str = "7z 1";
/// Of things that are no files so many are named one by one.
const NAMED: u64 = 100;
const MEMORY_KB: usize = (DICTIONARY >> 10) as usize;

/// Reads a 7z from the entry with number `resume.start` on. Directories among the entries are passed over.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_), resume: Resume, inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let first_volume = doc.name.as_ref().is_some_and(|name| name.0.ends_with(b".001"));
    let index = document::found(out, doc, Kind::Container, "application/x-7z-compressed", "", input)?;
    let mut place = Place { input, at: 0 };
    let archive = match Archive::read_with_memory_limit(&mut place, &Password::empty(), MEMORY_KB) {
        Ok(archive) => archive,
        Err(error) => {
            let why = if first_volume { "it is the first of several files: bring them in as one" } else { "its directory cannot be read" };
            out.fault(index, problem(&error, why))?;
            return out.counted(index, None, 0, 0);
        }
    };
    let mut reading = Seven { depth, archive: &archive, resume, read: 0, links: 0, unpacking: Unpacking::new(index, TOOL, inside) };
    reading.run(out, &mut place)?;
    let expected = archive.files.iter().filter(|file| is_file(file)).count() as u64;
    out.counted(index, Some(expected), reading.read, reading.unpacking.failed)
}

/// An input as the library wants to have it.
struct Place<'a> {
    input: &'a (dyn Input + 'a),
    at: u64,
}

impl Read for Place<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Place<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.input.length().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

struct Seven<'a> {
    depth: u32,
    archive: &'a Archive,
    resume: Resume,
    read: u64,
    links: u64,
    unpacking: Unpacking<'a>,
}

impl Seven<'_> {
    fn run(&mut self, out: &mut Output<'_>, place: &mut Place<'_>) -> Result<(), Stop> {
        let files = self.archive.files.len();
        let mut next = 0;
        // Empty files stand in no block, or between the files of one.
        while next < files && !self.unpacking.spent_out {
            match self.archive.stream_map.file_block_index.get(next).copied().flatten() {
                None => {
                    self.entry(out, next, &mut io::empty())?;
                    next += 1;
                }
                Some(block) => {
                    let end = (next..files).find(|n| self.archive.stream_map.file_block_index.get(*n) != Some(&Some(block)));
                    let range = next..end.unwrap_or(files);
                    next = range.end;
                    self.block(out, place, block, range)?;
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, out: &mut Output<'_>, place: &mut Place<'_>, block: usize, range: Range<usize>) -> Result<(), Stop> {
        if (range.end as u64) <= self.resume.start {
            self.read += self.count(range);
            return Ok(());
        }
        let mut next = range.start;
        let mut stopped = None;
        let password = Password::empty();
        let decoder = BlockDecoder::new_with_memory_limit(1, MEMORY_KB, block, self.archive, &password, place);
        let result = decoder.for_each_entries(&mut |_, reader| {
            let (number, done) = (next, next >= range.end);
            next += 1;
            if done || self.unpacking.spent_out {
                return Ok(false);
            }
            stopped = self.entry(out, number, reader).err();
            Ok(stopped.is_none() && !self.unpacking.spent_out)
        });
        if stopped.is_some() {
            return Err(Stop);
        }
        let Err(error) = result else { return Ok(()) };
        // The block ended in the middle of an entry, which said so itself, or between two.
        let lost = self.count(next.min(range.end)..range.end);
        self.read += lost;
        self.unpacking.failed += lost;
        let encrypted = self.archive.is_file_encrypted(range.start);
        let why = format!("{lost} entries from number {next} on cannot be unpacked");
        let why = if encrypted { Problem::new(Stage::Split, FaultCode::Encrypted, TOOL, why) } else { problem(&error, &why) };
        out.fault(self.unpacking.container, why)
    }

    fn count(&self, range: Range<usize>) -> u64 {
        self.archive.files[range].iter().filter(|file| is_file(file)).count() as u64
    }

    fn entry(&mut self, out: &mut Output<'_>, number: usize, reader: &mut dyn Read) -> Result<(), Stop> {
        let file = &self.archive.files[number];
        if !is_file(file) {
            return Ok(());
        }
        self.read += 1;
        let ordinal = number as u64;
        if ordinal < self.resume.start || self.resume.skip_first && ordinal == self.resume.start {
            if ordinal == self.resume.start {
                self.unpacking.failed += 1;
                let why = "an entry that ended its readers is passed over";
                out.fault(self.unpacking.container, Problem::new(Stage::Split, FaultCode::ReaderDied, TOOL, why))?;
            }
            return self.unpacking.pass(out, file.size).map(|_| ());
        }
        if is_link(file) {
            self.links += 1;
            let why = format!("entry {number} is a symbolic link: it is not followed");
            if self.links <= NAMED {
                out.fault(self.unpacking.container, Problem::new(Stage::Split, FaultCode::NotAFile, TOOL, why))?;
            }
            return self.unpacking.pass(out, file.size).map(|_| ());
        }
        let mut doc = Doc::child(self.unpacking.container, ordinal, self.depth + 1);
        let mut name = file.name.clone().into_bytes();
        let problems = unsafe_name(&name, TOOL).into_iter().collect();
        name.truncate(LONGEST_NAME);
        doc.name = Some(Name(name));
        self.unpacking.child(out, doc, reader, problems)?;
        if self.unpacking.spent_out { Ok(()) } else { out.cursor(self.unpacking.container, ordinal + 1) }
    }
}

fn is_file(file: &ArchiveEntry) -> bool {
    !file.is_directory && !file.is_anti_item
}

/// Packers on Unix keep a file's mode in the upper half of Windows' attributes, and set a bit below to say so.
fn is_link(file: &ArchiveEntry) -> bool {
    file.has_windows_attributes && file.windows_attributes & 0x8000 != 0 && super::is_link(file.windows_attributes >> 16)
}

fn problem(error: &Error, what: &str) -> Problem {
    let (code, why) = match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => (FaultCode::Encrypted, "it wants a password".to_owned()),
        Error::UnsupportedCompressionMethod(method) if method.contains("AES") => (FaultCode::Encrypted, "it wants a password".to_owned()),
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) | Error::ExternalUnsupported | Error::UnsupportedVersion { .. } => {
            (FaultCode::NoReader, "its compression is not one that is read".to_owned())
        }
        Error::MaxMemLimited { .. } => (FaultCode::TooLarge, format!("it wants more than {MEMORY_KB} KiB of memory")),
        Error::Io(error, _) => (FaultCode::Truncated, error.to_string()),
        _ => (FaultCode::Malformed, "it breaks the rules of 7z".to_owned()),
    };
    Problem::new(Stage::Split, code, TOOL, format!("{what}: {why}"))
}
