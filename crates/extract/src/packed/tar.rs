//! Tar: v7, ustar and pax (POSIX.1-2017, pax, "ustar Interchange Format"), and what GNU tar adds. Read block by block, from a file or from a
//! stream that unpacks, so that one of any length takes the memory of its largest entry. Names are bytes. Links and devices are said, not followed.

mod header;

use super::{LONGEST_NAME, Stretch, Unpacking, read_with, unsafe_name};
use crate::document::{self, Doc, Inside, Resume, read_full};
use crate::output::{Output, Problem};
use daylight_model::reading::{Input, Place, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use header::{Header, Long, What};
use std::io::{self, Read};

pub(crate) const TOOL: &str = "tar 1";
/// The unit of everything in a tar.
const BLOCK: u64 = 512;
/// Entries beyond this many are not read.
const MOST: u64 = 1_000_000;
/// A record that describes the next entry may not be longer.
const LONGEST_RECORD: u64 = 1 << 20;
/// Of things that are no files so many are named one by one.
const NAMED: u64 = 100;

/// Whether a tar begins with these bytes: their checksum is right, which nothing else's is.
pub(crate) fn begins(head: &[u8]) -> bool {
    head.get(..512).is_some_and(|block| block[0] != 0 && header::checksum_holds(block))
}

/// Reads a tar from the entry with number `resume.start` on. Directories among the entries are passed over.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_), resume: Resume, inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = document::found(out, doc, Kind::Container, "application/x-tar", "", input)?;
    Tar::new(index, depth, Source::File { input, at: 0 }, inside).run(out, resume).map(drop)
}

/// Reads a tar from a stream. Its entries are children of `container`, which was found.
pub(crate) fn read_stream(
    out: &mut Output<'_>,
    container: u32,
    depth: u32,
    stream: &mut dyn Read,
    resume: Resume,
    inside: &dyn Inside,
) -> Result<(), Stop> {
    Tar::new(container, depth, Source::Stream { stream, at: 0 }, inside).run(out, resume).map(drop)
}

/// What a tar held that a program of the system made of another container.
pub(crate) struct Met {
    /// How many files there were.
    pub(crate) read: u64,
    /// How many of them could not be read at all.
    pub(crate) failed: u64,
    /// The budget did not hold all.
    pub(crate) spent_out: bool,
    /// The last of them was found before that.
    pub(crate) last_found: bool,
}

/// Whoever knows what a container holds that a program of the system unpacked: told the name and the length of each file in the tar, in order, it says what
/// there is to say against it, or that it is not to be read.
pub(crate) type Known<'a> = dyn FnMut(&[u8], u64) -> Option<Vec<Problem>> + 'a;

/// Reads a tar that a program of the system made of another container, whose children its entries are.
pub(crate) fn read_unpacked(
    out: &mut Output<'_>,
    (container, depth): (u32, u32),
    stream: &mut dyn Read,
    resume: Resume,
    (inside, known): (&dyn Inside, &mut Known<'_>),
) -> Result<Met, Stop> {
    let mut tar = Tar::new(container, depth, Source::Stream { stream, at: 0 }, inside);
    tar.known = Some(known);
    tar.run(out, resume)
}

enum Source<'a> {
    File { input: &'a (dyn Input + 'a), at: u64 },
    Stream { stream: &'a mut dyn Read, at: u64 },
}

impl Source<'_> {
    fn at(&self) -> u64 {
        match self {
            Source::File { at, .. } | Source::Stream { at, .. } => *at,
        }
    }

    /// Fills the buffer as far as the tar goes.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self {
            Source::File { input, at } => read_full(*input, *at, buffer)?,
            Source::Stream { stream, .. } => {
                let mut filled = 0;
                while filled < buffer.len() {
                    match stream.read(&mut buffer[filled..])? {
                        0 => break,
                        count => filled += count,
                    }
                }
                filled
            }
        };
        match self {
            Source::File { at, .. } | Source::Stream { at, .. } => *at += count as u64,
        }
        Ok(count)
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        match self {
            Source::File { at, .. } => *at = at.saturating_add(count),
            Source::Stream { stream, at } => *at += io::copy(&mut stream.take(count), &mut io::sink())?,
        }
        Ok(())
    }
}

struct Tar<'a> {
    depth: u32,
    source: Source<'a>,
    unpacking: Unpacking<'a>,
    number: u64,
    read: u64,
    others: u64,
    long: Long,
    last_found: bool,
    known: Option<&'a mut Known<'a>>,
}

impl<'a> Tar<'a> {
    fn new(container: u32, depth: u32, source: Source<'a>, inside: &'a dyn Inside) -> Self {
        let unpacking = Unpacking::new(container, TOOL, inside);
        Self { depth, source, unpacking, number: 0, read: 0, others: 0, long: Long::default(), last_found: true, known: None }
    }

    fn run(mut self, out: &mut Output<'_>, resume: Resume) -> Result<Met, Stop> {
        if let Err(error) = self.entries(out, resume)? {
            let streamed = matches!(self.source, Source::Stream { .. });
            let code = if streamed { FaultCode::Truncated } else { FaultCode::Unreadable };
            let why = Problem::new(Stage::Split, code, TOOL, format!("it cannot be read beyond here: {error}"));
            self.say(out, why.at(self.source.at()))?;
        }
        if self.others > NAMED {
            let why = format!("{} more links and devices are not followed", self.others - NAMED);
            self.say(out, Problem::new(Stage::Split, FaultCode::NotAFile, TOOL, why))?;
        }
        let Unpacking { container, failed, spent_out, .. } = self.unpacking;
        let met = Met { read: self.read, failed, spent_out, last_found: self.last_found };
        out.counted(container, None, met.read, met.failed)?;
        Ok(met)
    }

    fn say(&self, out: &mut Output<'_>, problem: Problem) -> Result<(), Stop> {
        out.fault(self.unpacking.container, problem)
    }

    /// The outer error is the listener's, the inner one the input's.
    fn entries(&mut self, out: &mut Output<'_>, resume: Resume) -> Result<io::Result<()>, Stop> {
        let mut block = [0; BLOCK as usize];
        let (mut zeros, mut astray) = (0, false);
        loop {
            let at = self.source.at();
            match self.source.fill(&mut block) {
                Ok(0) if zeros > 0 => return Ok(Ok(())),
                Ok(count) if count < block.len() => {
                    // What is shorter than a block and zero is the end of a last, short record.
                    if zeros == 0 || block[..count].iter().any(|b| *b != 0) {
                        let why = Problem::new(Stage::Split, FaultCode::Truncated, TOOL, "it ends without its closing blocks");
                        self.say(out, why.at(at))?;
                    }
                    return Ok(Ok(()));
                }
                Ok(_) => (),
                Err(error) => return Ok(Err(error)),
            }
            if block.iter().all(|b| *b == 0) {
                (zeros, astray) = (zeros + 1, false);
                continue;
            }
            if !header::checksum_holds(&block) {
                // Whatever stands here, the next block that is a header begins an entry again.
                if !astray {
                    let why = Problem::new(Stage::Split, FaultCode::Malformed, TOOL, "bytes that are no entry are passed over");
                    self.say(out, why.at(at))?;
                }
                astray = true;
                if matches!(self.source, Source::Stream { .. }) && !self.unpacking.pass(out, BLOCK)? {
                    return Ok(Ok(()));
                }
                continue;
            }
            (zeros, astray) = (0, false);
            if let Err(error) = self.header(out, &Header::parse(&block), at, resume)? {
                return Ok(Err(error));
            }
            if self.unpacking.spent_out {
                return Ok(Ok(()));
            }
            if self.number >= MOST {
                self.say(out, Problem::new(Stage::Split, FaultCode::TooMany, TOOL, "further entries are not read").limit(MOST))?;
                return Ok(Ok(()));
            }
        }
    }

    fn header(&mut self, out: &mut Output<'_>, header: &Header, at: u64, resume: Resume) -> Result<io::Result<()>, Stop> {
        match header.what {
            What::Record(_) if header.size > LONGEST_RECORD => {
                let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "what describes an entry is passed over");
                self.say(out, why.limit(LONGEST_RECORD).at(at))?;
                self.pass(out, header.size)
            }
            What::Record(kind) => {
                let mut record = vec![0; usize::try_from(header.size).unwrap_or(0)];
                Ok(self.source.fill(&mut record).and_then(|count| {
                    self.long.take(kind, &record[..count]);
                    self.source.skip(padding(header.size))
                }))
            }
            What::Aside => self.pass(out, header.size),
            _ => {
                let long = std::mem::take(&mut self.long);
                let number = self.number;
                self.number += 1;
                self.entry(out, header, long, number, at, resume)
            }
        }
    }

    fn entry(
        &mut self,
        out: &mut Output<'_>,
        header: &Header,
        long: Long,
        number: u64,
        at: u64,
        resume: Resume,
    ) -> Result<io::Result<()>, Stop> {
        let size = long.size.unwrap_or(header.size);
        let mut name = long.name.unwrap_or_else(|| header.name.clone());
        match header.what {
            What::Directory => return self.pass(out, size),
            What::Other(word) => {
                self.others += 1;
                if self.others <= NAMED && number >= resume.start {
                    let why = format!("entry {number} is a {word}: it is not followed");
                    self.say(out, Problem::new(Stage::Split, FaultCode::NotAFile, TOOL, why).at(at))?;
                }
                // A hard link may carry its bytes besides, in what pax writes.
                return self.pass(out, size);
            }
            _ if name.ends_with(b"/") && size == 0 => return Ok(Ok(())),
            _ => (),
        }
        let Some(known) = self.known.as_mut().map_or_else(|| Some(Vec::new()), |known| known(&name, size)) else {
            return self.pass(out, size);
        };
        self.read += 1;
        if number < resume.start {
            return self.pass(out, size);
        }
        let before = out.next_index();
        let mut doc = Doc::child(self.unpacking.container, number, self.depth + 1);
        let mut problems: Vec<Problem> = unsafe_name(&name, TOOL).into_iter().chain(known).collect();
        name.truncate(LONGEST_NAME);
        doc.name = Some(Name(name));
        if header.what == What::Sparse || long.sparse {
            let why = "it has holes, which are left out: it is read as it is stored";
            problems.push(Problem::new(Stage::Split, FaultCode::Malformed, TOOL, why));
            for _ in 0..header.sparse_blocks {
                if let Err(error) = self.sparse_map() {
                    return Ok(Err(error));
                }
            }
        }
        let done = self.file(out, doc, size, problems, resume.skip_first && number == resume.start)?;
        self.last_found = out.next_index() > before;
        if done.is_ok() && !self.unpacking.spent_out {
            out.cursor(self.unpacking.container, number + 1)?;
        }
        Ok(done)
    }

    /// GNU's map of a sparse file goes on in blocks of its own, each of which says whether one more follows.
    fn sparse_map(&mut self) -> io::Result<()> {
        let mut block = [0; BLOCK as usize];
        while self.source.fill(&mut block)? == block.len() && block[504] != 0 {}
        Ok(())
    }

    fn file(
        &mut self,
        out: &mut Output<'_>,
        mut doc: Doc,
        size: u64,
        mut problems: Vec<Problem>,
        skip: bool,
    ) -> Result<io::Result<()>, Stop> {
        let died = Problem::new(Stage::Split, FaultCode::ReaderDied, TOOL, "it is kept but not read");
        match &mut self.source {
            Source::File { input, at } => {
                let length = size.min(input.length().saturating_sub(*at));
                if length < size {
                    let why = Problem::new(Stage::Split, FaultCode::Truncated, TOOL, "the tar ends before it does");
                    problems.push(why.at(length));
                }
                doc.place = Place::Slice { of: self.unpacking.container, offset: *at, length };
                let stretch = Stretch { input: *input, start: *at, length };
                *at = at.saturating_add(size).saturating_add(padding(size));
                if skip {
                    self.unpacking.failed += 1;
                    document::keep(out, doc, Kind::File, "application/octet-stream", &stretch, died)?;
                } else {
                    read_with(out, doc, &stretch, self.unpacking.inside, problems)?;
                }
                Ok(Ok(()))
            }
            Source::Stream { .. } if skip => {
                self.unpacking.failed += 1;
                let why = "an entry that ended its readers is passed over";
                self.say(out, Problem::new(Stage::Split, FaultCode::ReaderDied, TOOL, why))?;
                self.pass(out, size)
            }
            Source::Stream { stream, at } => {
                let mut body = Body { stream: *stream, left: size };
                self.unpacking.child(out, doc, &mut body, problems)?;
                let left = body.left;
                *at += size - left;
                // Nothing follows what is torn, and what the budget does not hold is not read.
                if self.unpacking.spent_out { Ok(Ok(())) } else { Ok(self.source.skip(left + padding(size))) }
            }
        }
    }

    /// Passes over an entry's bytes. What a stream unpacks costs, even if it is not looked at.
    fn pass(&mut self, out: &mut Output<'_>, size: u64) -> Result<io::Result<()>, Stop> {
        let streamed = matches!(self.source, Source::Stream { .. });
        if streamed && !self.unpacking.pass(out, size)? {
            return Ok(Ok(()));
        }
        Ok(self.source.skip(size.saturating_add(padding(size))))
    }
}

/// What fills an entry's last block.
fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

/// An entry's bytes in a stream, which may end too early.
struct Body<'a> {
    stream: &'a mut dyn Read,
    left: u64,
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.stream.read(&mut buffer[..wanted])?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the tar ends before it does"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}
