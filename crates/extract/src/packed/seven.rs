//! 7z, by sevenz-rust2: LZMA, LZMA2, copies, the filters for programs, and AES-256. Its entries stand packed together in blocks, and one block that
//! cannot be read does not keep the others from being read. A block that wants more memory than [`DICTIONARY`] is not unpacked.

use super::stream::DICTIONARY;
use super::{LONGEST_NAME, Unpacking, unsafe_name};
use crate::document::{self, Doc, Inside, Resume, read_full};
use crate::keys::{By, Locked, Work};
use crate::output::{Output, Problem};
use daylight_model::reading::{Input, Label, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use sevenz_rust2::{Archive, ArchiveEntry, Block, BlockDecoder, EncoderMethod, Error, Password};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

pub(crate) const TOOL: &str = "7z 1";
/// Of things that are no files so many are named one by one.
const NAMED: u64 = 100;
const MEMORY_KB: usize = (DICTIONARY >> 10) as usize;
const METHOD: &str = "AES-256 (7z)";
/// Of a directory that is packed or encrypted the part that says so is not longer than this.
const LONGEST_HEAD: usize = 64 << 10;

/// Reads a 7z from the entry with number `resume.start` on. Directories among the entries are passed over.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_), resume: Resume, inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let first_volume = doc.name.as_ref().is_some_and(|name| name.0.ends_with(b".001"));
    let index = document::found(out, doc, Kind::Container, "application/x-7z-compressed", "", input)?;
    let mut place = Place { input, at: 0 };
    let mut opened = Vec::new();
    let mut archive = Archive::read_with_memory_limit(&mut place, &Password::empty(), MEMORY_KB);
    if archive.as_ref().is_err_and(wants_password) {
        // A directory is not taken for one before its checksum holds.
        let found = out.keys.open(&[], directory_cost(input), |password, _| {
            Archive::read_with_memory_limit(&mut place, &Password::from(password), MEMORY_KB).ok()
        });
        archive = match found {
            Ok((found, by)) => {
                opened.push(by);
                Ok(found)
            }
            Err(locked) => {
                let why = format!("its directory cannot be read: {}", locked.detail(METHOD));
                out.fault(index, Problem::new(Stage::Split, FaultCode::Encrypted, TOOL, why))?;
                return out.counted(index, None, 0, 0);
            }
        };
    }
    let archive = match archive {
        Ok(archive) => archive,
        Err(error) => {
            let why = if first_volume { "it is the first of several files: bring them in as one" } else { "its directory cannot be read" };
            out.fault(index, problem(&error, why))?;
            return out.counted(index, None, 0, 0);
        }
    };
    let mut reading =
        Seven { depth, archive: &archive, resume, read: 0, links: 0, opened, locked: None, unpacking: Unpacking::new(index, TOOL, inside) };
    reading.run(out, &mut place)?;
    if let Some((lost, locked)) = reading.locked {
        let why = format!("{lost} entries cannot be unpacked: {}", locked.detail(METHOD));
        out.fault(index, Problem::new(Stage::Split, FaultCode::Encrypted, TOOL, why))?;
    }
    if let Some(by) = reading.opened.last() {
        out.text(index, Label::Property, by.property(METHOD) + "\n")?;
    }
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
    /// For whom what was encrypted could be opened.
    opened: Vec<By>,
    /// How many entries no password opened, and what was tried on the block on which least was.
    locked: Option<(u64, Locked)>,
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
        let password = match cost(&self.archive.blocks[block]) {
            None => Password::empty(),
            Some(cost) => {
                let most = out.left();
                let tried = out.keys.open(&[], cost, |password, work| {
                    let password = Password::from(password);
                    self.is_right(place, block, &password, most, work).then_some(password)
                });
                match tried {
                    Ok((password, by)) => {
                        self.opened.push(by);
                        password
                    }
                    Err(locked) => {
                        let lost = self.count(range);
                        self.read += lost;
                        self.unpacking.failed += lost;
                        let (all, worst) = self.locked.unwrap_or((0, locked));
                        self.locked = Some((all + lost, if locked.untried > worst.untried { locked } else { worst }));
                        return Ok(());
                    }
                }
            }
        };
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
        let why = format!("{lost} entries from number {next} on cannot be unpacked");
        out.fault(self.unpacking.container, problem(&error, &why))
    }

    /// Whether a password opens a block: the first entry that has a checksum unpacks to what has it.
    fn is_right(&self, place: &mut Place<'_>, block: usize, password: &Password, most: u64, work: &mut Work<'_>) -> bool {
        let (mut right, mut left) = (false, most);
        let decoder = BlockDecoder::new_with_memory_limit(1, MEMORY_KB, block, self.archive, password, place);
        let result = decoder.for_each_entries(&mut |entry, reader| {
            if !entry.has_stream {
                return Ok(true);
            }
            if entry.size > left || !work.spend(entry.size / 64) {
                return Ok(false);
            }
            left -= entry.size;
            let length = io::copy(reader, &mut io::sink())?;
            right = entry.has_crc && length == entry.size;
            Ok(length == entry.size && !right)
        });
        right && result.is_ok()
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

/// What it costs to try a password on a block; `None` if it is not encrypted.
fn cost(block: &Block) -> Option<u64> {
    let sealed = block.coders.iter().filter(|coder| coder.encoder_method_id() == EncoderMethod::ID_AES256_SHA256);
    sealed.map(|coder| rounds(coder.properties().first().copied().unwrap_or(0))).max()
}

/// The same for the directory, whose own description stands at the end of the file (7zFormat.txt).
fn directory_cost(input: &(dyn Input + '_)) -> u64 {
    let mut start = [0; 32];
    let mut head = vec![0; LONGEST_HEAD];
    let found = read_full(input, 0, &mut start).and_then(|_| {
        let number = |at: usize| start[at..at + 8].iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        let length = usize::try_from(number(20)).unwrap_or(LONGEST_HEAD).min(LONGEST_HEAD);
        read_full(input, number(12).saturating_add(32), &mut head[..length])
    });
    head.truncate(found.unwrap_or(0));
    let coders = memchr::memmem::find_iter(&head, EncoderMethod::ID_AES256_SHA256);
    coders.map(|at| rounds(head.get(at + 5).copied().unwrap_or(0))).max().unwrap_or(1 << 19)
}

/// The rounds that the first of the cipher's properties asks for. Each hashes the password and a number, less than a block.
fn rounds(property: u8) -> u64 {
    match property & 63 {
        power @ 0..=24 => 1 << power,
        // Of more the library will not hear, and 63 stands for none.
        _ => 1,
    }
}

fn wants_password(error: &Error) -> bool {
    matches!(error, Error::PasswordRequired | Error::MaybeBadPassword(_))
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
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) | Error::ExternalUnsupported | Error::UnsupportedVersion { .. } => {
            (FaultCode::NoReader, "its compression is not one that is read".to_owned())
        }
        Error::MaxMemLimited { .. } => (FaultCode::TooLarge, format!("it wants more than {MEMORY_KB} KiB of memory")),
        Error::Io(error, _) => (FaultCode::Truncated, error.to_string()),
        _ => (FaultCode::Malformed, "it breaks the rules of 7z".to_owned()),
    };
    Problem::new(Stage::Split, code, TOOL, format!("{what}: {why}"))
}
