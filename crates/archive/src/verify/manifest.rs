use super::account::Account;
use crate::log::leaf_hash;
use crate::manifest::{MAX_LINE, PART_LINES, RawLine};
use crate::paths;
use crate::record::{Essentials, FileRef, MAX_RECORD_FILE};
use crate::store::{Opened, Store, unreadable};
use daylight_model::Digest;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// About how many bytes of lines are read at a time.
const BATCH: usize = 1 << 20;

/// Lines of one part, as they stand in its file.
pub(super) struct Batch {
    /// The first line, counted in the release.
    first: u64,
    bytes: Vec<u8>,
    /// Where each line begins in `bytes`, and where the last one ends.
    starts: Vec<usize>,
}

/// What a line says, or why it says nothing.
pub(super) struct ReadLine {
    pub(super) line: u64,
    /// How many bytes it has, with its newline.
    pub(super) length: u64,
    /// The data of its leaf.
    pub(super) data: Option<Digest>,
    pub(super) said: Result<Essentials, Unsaid>,
}

/// Why a line says nothing.
pub(super) enum Unsaid {
    /// The line itself is wrong.
    Line(String),
    /// It is erased.
    Erased,
    /// Its record is in a file of its own, and that is wrong: the path and what is wrong with it.
    Elsewhere(String, String),
}

/// Reads a manifest part by part, in batches, and checks the parts' offsets as it goes.
pub(super) struct Reader<'a> {
    serial: u64,
    lines: u64,
    next: u64,
    open: Option<BufReader<Box<dyn Opened + 'a>>>,
    offsets: Vec<u8>,
    offset: u32,
}

/// What comes next of a manifest.
pub(super) enum Next {
    Lines(Batch),
    /// These lines cannot be read, because their part is missing or damaged.
    Unreadable(std::ops::Range<u64>),
}

impl ReadLine {
    /// The hash of its leaf.
    pub(super) fn leaf(&self) -> Option<Digest> {
        self.data.map(|data| leaf_hash(&data.0))
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(serial: u64, lines: u64) -> Self {
        Self { serial, lines, next: 0, open: None, offsets: Vec::new(), offset: 0 }
    }

    /// The next lines; `None` at the end.
    pub(super) fn next(&mut self, account: &mut Account<'a>) -> Option<Next> {
        if self.next == self.lines {
            return None;
        }
        let part = self.next / PART_LINES;
        let path = paths::manifest_part(self.serial, part);
        let first = self.next;
        match self.read(part, &path, account) {
            Ok(batch) => Some(Next::Lines(batch)),
            Err(what) => {
                account.problem(&path, what);
                // Nothing more can be told of this part and of its offsets; the next part that is there stands by itself.
                account.claim(&paths::manifest_offsets(self.serial, part));
                self.next = self.next_part(part, account);
                Some(Next::Unreadable(first..self.next))
            }
        }
    }

    /// The first line of the next part that is there. Missing parts are not gone through one by one: a note may claim any number of lines.
    fn next_part(&self, part: u64, account: &Account<'a>) -> u64 {
        let prefix = format!("{}manifest/", paths::release_prefix(self.serial));
        let parts = account.unclaimed_under(&prefix).into_iter().filter_map(|path| path.strip_prefix(&prefix)?.parse::<u64>().ok());
        let next = parts.filter(|found| *found > part).min();
        next.and_then(|next| next.checked_mul(PART_LINES)).map_or(self.lines, |first| first.min(self.lines))
    }

    fn read(&mut self, part: u64, path: &str, account: &mut Account<'a>) -> Result<Batch, String> {
        if self.next.is_multiple_of(PART_LINES) {
            account.claim(path);
            self.open = Some(BufReader::with_capacity(BATCH, account.open(path, None).map_err(|e| unreadable(&e))?));
            (self.offsets, self.offset) = (Vec::new(), 0);
        }
        let file = self.open.as_mut().ok_or("cannot be read")?;
        let end = self.lines.min((part + 1) * PART_LINES);
        let mut batch = Batch { first: self.next, bytes: Vec::with_capacity(BATCH), starts: vec![0] };
        while self.next < end && batch.bytes.len() < BATCH {
            let read = file.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut batch.bytes).map_err(|e| unreadable(&e))?;
            if batch.bytes.last() != Some(&b'\n') || read == 0 {
                return Err(format!("line {} is missing or too long", self.next));
            }
            self.offsets.extend_from_slice(&self.offset.to_be_bytes());
            self.offset = self.offset.checked_add(read as u32).ok_or("longer than a part can be")?;
            batch.starts.push(batch.bytes.len());
            self.next += 1;
        }
        if self.next == end {
            if !file.fill_buf().map_err(|e| unreadable(&e))?.is_empty() {
                account.problem(path, "has more lines than were signed");
            }
            account.expect(&paths::manifest_offsets(self.serial, part), &self.offsets);
        }
        account.advance(batch.bytes.len() as u64);
        Ok(batch)
    }
}

impl Batch {
    /// Reads every line; `store` is the archive's, for records that are in files of their own.
    pub(super) fn read(&self, store: &dyn Store) -> Vec<ReadLine> {
        let lines = self.starts.windows(2).zip(self.first..);
        lines
            .map(|(range, line)| {
                let raw = RawLine::parse(&self.bytes[range[0]..range[1]]);
                let length = (range[1] - range[0]) as u64;
                ReadLine { line, length, data: raw.map(|raw| raw.leaf_data()), said: said(raw, store) }
            })
            .collect()
    }
}

fn said(raw: Option<RawLine<'_>>, store: &dyn Store) -> Result<Essentials, Unsaid> {
    let wrong = |e: crate::record::RecordError| Unsaid::Line(e.to_string());
    match raw {
        None => Err(Unsaid::Line("not of its form".into())),
        Some(RawLine::Erased { .. }) => Err(Unsaid::Erased),
        Some(RawLine::Published { record, .. }) => {
            let essentials = Essentials::parse(record).map_err(wrong)?;
            let Some(own) = essentials.own_file() else { return Ok(essentials) };
            let path = paths::volume(own.release, own.volume);
            let whole = own_record(own, store).map_err(|e| Unsaid::Elsewhere(path, unreadable(&e)))?;
            Essentials::unfold(record, own, &whole).map_err(wrong)
        }
    }
}

/// The bytes of a record that is in a file of its own, checked against the hash that its line states.
pub(crate) fn own_record(own: &FileRef, store: &dyn Store) -> io::Result<Vec<u8>> {
    let too_long = || io::Error::new(io::ErrorKind::InvalidData, "longer than a record can be");
    let end = own.offset.checked_add(own.length).filter(|_| own.length <= MAX_RECORD_FILE).ok_or_else(too_long)?;
    let mut file = store.open(&paths::volume(own.release, own.volume), Some(own.offset..end))?;
    file.seek(SeekFrom::Start(own.offset))?;
    let mut bytes = Vec::new();
    file.take(own.length).read_to_end(&mut bytes)?;
    let right = Digest::of(&bytes) == own.sha256;
    if right { Ok(bytes) } else { Err(io::Error::new(io::ErrorKind::InvalidData, format!("the bytes are not {}", own.sha256))) }
}
