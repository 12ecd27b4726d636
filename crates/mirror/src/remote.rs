//! An archive on sites, read as if it were a folder: small files whole, large ones range by range. For what is needed before the whole is here, and
//! for verifying without keeping.

use crate::http::Part;
use crate::sites::{Sites, Trouble, Unavailable};
use daylight_archive::log::Files;
use daylight_archive::paths::{self, Name};
use daylight_archive::store::{Odd, Opened, Store};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// How many bytes of a large file are asked for at a time, where it is not known how many will be read.
const BLOCK: u64 = 64 << 10;
/// And where it is.
const STRETCH: u64 = 4 << 20;
/// Where a site gives whole files only, one that is longer is put on disk.
const WORTH: u64 = 256 << 10;
/// How many bytes of small files are remembered.
const REMEMBERED: usize = 32 << 20;
/// How many volumes are kept in files while they are read, where a site gives whole files only.
const SPOOLED: usize = 2;

/// The most bytes of a small file: none of them is longer.
pub fn limit_of(path: &str) -> u64 {
    match Name::parse(path) {
        Some(Name::Tile(tile)) if tile.level.is_none() => 256 * (2 + daylight_archive::entry::MAX_ENTRY as u64),
        Some(Name::Tile(_) | Name::ReleaseTile(..)) => 256 * 32,
        Some(Name::Offsets(..)) => 4 * daylight_archive::manifest::PART_LINES,
        Some(Name::Part(..)) => daylight_archive::manifest::PART_LINES * daylight_archive::manifest::MAX_LINE as u64,
        _ => 1 << 20,
    }
}

/// The archive on some sites.
pub struct Remote<'a> {
    sites: &'a Sites<'a>,
    /// The longest a volume may be.
    longest: u64,
    /// Where whole files are kept while they are read in parts; `None` if they are not to be.
    spool: Option<PathBuf>,
    small: Mutex<Small>,
    /// How long files are, as far as that is known.
    lengths: Mutex<BTreeMap<String, u64>>,
    spooled: Mutex<VecDeque<(String, PathBuf)>>,
}

#[derive(Default)]
struct Small {
    files: BTreeMap<String, Vec<u8>>,
    order: VecDeque<String>,
    bytes: usize,
}

impl<'a> Remote<'a> {
    /// The archive on these sites. Where a site gives whole files only, volumes are put into `spool` while they are read, two at a time.
    pub fn new(sites: &'a Sites<'a>, longest: u64, spool: Option<PathBuf>) -> Self {
        Self { sites, longest, spool, small: Mutex::default(), lengths: Mutex::default(), spooled: Mutex::default() }
    }

    fn limit(&self, path: &str) -> u64 {
        if matches!(Name::parse(path), Some(Name::Volume(..))) { self.longest } else { limit_of(path) }
    }

    fn remembered(&self, path: &str) -> Option<Vec<u8>> {
        self.small.lock().unwrap_or_else(PoisonError::into_inner).files.get(path).cloned()
    }

    fn remember(&self, path: &str, bytes: &[u8]) {
        let small = &mut *self.small.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.len() > REMEMBERED / 8 || small.files.contains_key(path) {
            return;
        }
        small.bytes += bytes.len();
        small.files.insert(path.to_owned(), bytes.to_vec());
        small.order.push_back(path.to_owned());
        while small.bytes > REMEMBERED
            && let Some(oldest) = small.order.pop_front()
        {
            small.bytes -= small.files.remove(&oldest).map_or(0, |bytes| bytes.len());
        }
    }

    /// Some bytes of a file and its length. At the end of the file there may be fewer.
    fn part(&self, path: &str, from: u64, length: u64) -> io::Result<(Vec<u8>, u64)> {
        let limit = self.limit(path);
        let mut whole_only = false;
        let got = self.sites.first(path, |site| {
            let part = Part::Range { from, length: length.max(1) };
            let answer = self.sites.open(site, path, part, limit)?;
            let total = answer.total();
            if answer.is_whole() && self.spool.is_some() && total.is_none_or(|total| total > WORTH) {
                whole_only = true;
                return Ok((Vec::new(), 0));
            }
            let bytes = answer.bytes()?;
            self.sites.used(site, bytes.len() as u64);
            let total = total.unwrap_or(from + bytes.len() as u64);
            Ok((bytes, total))
        });
        match got {
            Ok(_) if whole_only => {
                let mut file = self.spool(path, limit)?;
                let total = file.seek(SeekFrom::End(0))?;
                file.seek(SeekFrom::Start(from.min(total)))?;
                let mut bytes = Vec::new();
                file.take(length).read_to_end(&mut bytes)?;
                Ok((bytes, total))
            }
            Ok((got, _)) => Ok(got),
            Err(unavailable) => Err(self.not_got(path, unavailable)),
        }
    }

    /// How a store says that a site does not have a file, or did not give it.
    fn not_got(&self, path: &str, unavailable: Unavailable) -> io::Error {
        let refusals = self.sites.refusals();
        let about: Vec<_> = refusals.iter().filter(|refusal| refusal.path == path).collect();
        let missing = !about.is_empty() && about.iter().all(|refusal| refusal.missing);
        match unavailable {
            Unavailable::Here(error) => error,
            _ if missing => io::ErrorKind::NotFound.into(),
            other => io::Error::other(about.last().map_or_else(|| other.to_string(), |refusal| refusal.what.clone())),
        }
    }

    /// A file of a site that gives whole ones only, put on disk while it is read.
    fn spool(&self, path: &str, limit: u64) -> io::Result<File> {
        let mut spooled = self.spooled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, file)) = spooled.iter().find(|(known, _)| known == path) {
            return File::open(file);
        }
        let folder = self.spool.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        while spooled.len() >= SPOOLED
            && let Some((_, old)) = spooled.pop_front()
        {
            std::fs::remove_file(old)?;
        }
        let to = folder.join(path.replace('/', "-"));
        let fetched = self.sites.first(path, |site| {
            self.sites.patiently(|| {
                let mut answer = self.sites.client().get(site, path, Part::Whole, limit)?;
                let mut file = File::create(&to)?;
                copy(&mut answer, &mut file)
            })
        });
        fetched.map_err(|unavailable| self.not_got(path, unavailable))?;
        spooled.push_back((path.to_owned(), to.clone()));
        File::open(to)
    }
}

fn copy(answer: &mut crate::http::Answer<'_>, file: &mut File) -> Result<(), Trouble> {
    let mut buffer = vec![0; 128 << 10];
    loop {
        match answer.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => file.write_all(&buffer[..count])?,
            Err(_) => return Err(Trouble::Http(answer.error())),
        }
    }
}

impl Files for Remote<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if let Some(bytes) = self.remembered(path) {
            return Ok(bytes);
        }
        let (bytes, _) = self.sites.file(path, self.limit(path), Ok).map_err(|unavailable| self.not_got(path, unavailable))?;
        self.remember(path, &bytes);
        Ok(bytes)
    }
}

impl Store for Remote<'_> {
    fn open(&self, path: &str, reach: Option<Range<u64>>) -> io::Result<Box<dyn Opened + '_>> {
        match Name::parse(path) {
            Some(Name::Volume(..) | Name::Part(..)) => {
                let total = self.lengths.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied();
                let mut file = Ranged { remote: self, path: path.to_owned(), at: 0, total, reach, start: 0, block: Vec::new() };
                // Whether it is there is asked now, as opening a file does.
                if total.is_none() {
                    file.fill()?;
                }
                Ok(Box::new(file))
            }
            _ => Ok(Box::new(io::Cursor::new(self.read(path)?))),
        }
    }

    fn has(&self, path: &str) -> bool {
        path != paths::CHECKPOINT_PENDING
    }

    fn list(&self) -> Option<(BTreeMap<String, u64>, Vec<Odd>)> {
        None
    }
}

/// A large file, of which one block at a time is here. It holds no connection while it is not asked for bytes.
struct Ranged<'a> {
    remote: &'a Remote<'a>,
    path: String,
    at: u64,
    total: Option<u64>,
    reach: Option<Range<u64>>,
    /// Where `block` begins.
    start: u64,
    block: Vec<u8>,
}

impl Ranged<'_> {
    /// Gets the block in which the next byte stands.
    fn fill(&mut self) -> io::Result<()> {
        let (from, length) = match &self.reach {
            Some(reach) if self.total.is_none() && self.at < reach.start => (reach.start, (reach.end - reach.start).min(STRETCH)),
            Some(reach) if reach.contains(&self.at) => (self.at, (reach.end - self.at).min(STRETCH)),
            // Blocks begin at multiples of their length, so that neighbours are not asked for twice.
            _ if matches!(Name::parse(&self.path), Some(Name::Part(..))) => (self.at, STRETCH),
            _ => (self.at - self.at % BLOCK, BLOCK),
        };
        let name = format!("{}@{from}+{length}", self.path);
        if let (Some(block), Some(_), BLOCK) = (self.remote.remembered(&name), self.total, length) {
            (self.start, self.block) = (from, block);
            return Ok(());
        }
        let (block, total) = self.remote.part(&self.path, from, length)?;
        if length == BLOCK {
            self.remote.remember(&name, &block);
        }
        self.remote.lengths.lock().unwrap_or_else(PoisonError::into_inner).insert(self.path.clone(), total);
        (self.start, self.block, self.total) = (from, block, Some(total));
        Ok(())
    }
}

impl Read for Ranged<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.total.is_some_and(|total| self.at >= total) {
            return Ok(0);
        }
        let here = self.start..self.start + self.block.len() as u64;
        if !here.contains(&self.at) {
            self.fill()?;
        }
        let skipped = usize::try_from(self.at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let rest = self.block.get(skipped..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Ranged<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.total.is_none() {
            self.fill()?;
        }
        let beyond = || io::Error::from(io::ErrorKind::InvalidInput);
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.checked_add_signed(by).ok_or_else(beyond)?,
            SeekFrom::End(by) => self.total.unwrap_or(0).checked_add_signed(by).ok_or_else(beyond)?,
        };
        Ok(self.at)
    }
}
