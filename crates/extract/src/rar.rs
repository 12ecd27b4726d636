//! RAR, versions 4 and 5 (RARLAB's technotes). Its headers are read here; what is packed is not, for there is no free reader of it that is written in a safe
//! language. A program of the system unpacks it in the cage of tools and writes a tar, which is read here like any other, and held against the headers: what
//! that program passed over is kept as it stands packed, with its reason.

mod headers;

use crate::document::{self, Doc, Inside, Resume};
use crate::output::{Output, Problem};
use crate::packed::{LONGEST_NAME, Packed, Stretch, tar, unsafe_name};
use daylight_model::reading::{Input, Place, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use headers::{Entry, Listing, What};
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};

pub(crate) const TOOL: &str = "rar 1";
pub(crate) const MEDIA: &str = "application/vnd.rar";
/// Of the entries that were not unpacked so many are kept one by one.
const KEPT: u64 = 100_000;
/// Documents that are kept as they stand packed come behind all that a tar may hold.
const BEHIND: u64 = 1 << 32;

/// Reads the headers of a RAR. What it holds waits for a program that unpacks it, unless it is known that none can.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_)) -> Result<(), Stop> {
    let depth = doc.depth;
    let listing = Listing::of(input);
    let index = document::found(out, doc, Kind::Container, MEDIA, "", input)?;
    let shut = listing.entries.iter().all(|entry| entry.secret || entry.what != What::File);
    if listing.secret || shut && listing.torn.is_none() {
        let links = listing.entries.iter().filter(|entry| entry.what == What::Link).count();
        if links > 0 {
            out.fault(index, Problem::new(Stage::Split, FaultCode::NotAFile, TOOL, format!("links in it that are not followed: {links}")))?;
        }
        return Rar { index, depth, input, listing: &listing, spent_out: false }.end(out, &Came::none(&listing), (0, 0));
    }
    let why = Problem::new(Stage::Split, FaultCode::Deferred, TOOL, "it waits for the program that unpacks it");
    out.fault(index, why)?;
    out.counted(index, Some(listing.files), 0, 0)
}

/// Reads what a program of the system unpacked of a RAR: the input is a tar of so many bytes, and behind it the RAR.
pub(crate) fn read_unpacked(
    out: &mut Output<'_>,
    mut doc: Doc,
    (input, tar): (&(dyn Input + '_), u64),
    resume: Resume,
    inside: &dyn Inside,
) -> Result<(), Stop> {
    let depth = doc.depth;
    let packed = Stretch { input, start: tar, length: input.length() - tar };
    let listing = Listing::of(&packed);
    doc.tool = TOOL;
    let index = document::found(out, doc, Kind::Container, MEDIA, "", &packed)?;
    let mut stream = Packed { stretch: Stretch { input, start: 0, length: tar }, at: 0 };
    let mut came = Came::none(&listing);
    let met = tar::read_unpacked(out, (index, depth), &mut stream, resume, (inside, &mut |name, size| came.take(&listing, name, size)))?;
    let mut counts = (met.read, met.failed);
    if !met.last_found {
        // What the budget did not hold is kept with what was not unpacked.
        came.take_back();
        counts = (met.read.saturating_sub(1), met.failed.saturating_sub(1));
    }
    Rar { index, depth, input: &packed, listing: &listing, spent_out: met.spent_out }.end(out, &came, counts)
}

/// Which entries came out of the program that unpacks.
struct Came {
    all: Vec<bool>,
    /// The entries of each name that did not come yet.
    waiting: HashMap<u64, VecDeque<usize>>,
    last: Option<usize>,
}

impl Came {
    fn none(listing: &Listing) -> Self {
        let mut waiting: HashMap<u64, VecDeque<usize>> = HashMap::new();
        for (number, entry) in listing.entries.iter().enumerate() {
            waiting.entry(key(&entry.name)).or_default().push_back(number);
        }
        Self { all: vec![false; listing.entries.len()], waiting, last: None }
    }

    /// A file came: what there is to say against it, or that it is none to be read. What is encrypted comes as it is, and is not words.
    fn take(&mut self, listing: &Listing, name: &[u8], size: u64) -> Option<Vec<Problem>> {
        self.last = None;
        let Some(waiting) = self.waiting.get_mut(&key(name)) else { return Some(Vec::new()) };
        while let Some(number) = waiting.pop_front() {
            let entry = &listing.entries[number];
            match entry.what {
                What::Directory | What::Link if size == 0 => return None,
                What::Directory | What::Link => continue,
                What::File if entry.secret => return None,
                What::File => {}
            }
            (self.all[number], self.last) = (true, Some(number));
            let parted = || Problem::new(Stage::Split, FaultCode::Truncated, TOOL, "only a part of it is in this file of the archive");
            return Some(entry.parted.then(parted).into_iter().collect());
        }
        Some(Vec::new())
    }

    fn take_back(&mut self) {
        if let Some(number) = self.last {
            self.all[number] = false;
        }
    }
}

/// A name in so few bytes that a million of them can be kept in mind.
fn key(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(&name[..name.len().min(LONGEST_NAME)]);
    hasher.finish()
}

struct Rar<'a> {
    index: u32,
    depth: u32,
    input: &'a (dyn Input + 'a),
    listing: &'a Listing,
    /// The budget did not hold all that was unpacked.
    spent_out: bool,
}

impl Rar<'_> {
    /// Keeps what was not unpacked, and says what is wrong with the RAR.
    fn end(&self, out: &mut Output<'_>, came: &Came, (mut read, mut failed): (u64, u64)) -> Result<(), Stop> {
        let (mut secret, mut others) = (0u64, 0u64);
        for (number, entry) in self.listing.entries.iter().enumerate() {
            if entry.what != What::File || came.all[number] {
                continue;
            }
            (read, failed) = (read + 1, failed + 1);
            *(if entry.secret { &mut secret } else { &mut others }) += 1;
            if secret + others <= KEPT {
                self.keep(out, entry, number as u64)?;
            }
        }
        let mut say = |code, why: String| out.fault(self.index, Problem::new(Stage::Split, code, TOOL, why));
        let way_out = "unpack it with the program that made it, and bring in what it holds";
        if self.listing.secret {
            say(FaultCode::Encrypted, format!("it is protected by RAR's own encryption, its names too: {way_out}"))?;
        } else if secret > 0 {
            say(FaultCode::Encrypted, format!("entries protected by RAR's own encryption: {secret}; {way_out}"))?;
        }
        if others > 0 && !self.spent_out {
            say(FaultCode::NoReader, format!("entries that were not unpacked: {others}; {way_out}"))?;
        }
        if let Some(volume) = self.listing.volume {
            let number = volume.map_or("one".to_owned(), |number| format!("number {}", number + 1));
            let why = format!("it is {number} of several files of one archive: unpack them together, and bring in what they hold");
            say(FaultCode::Truncated, why)?;
        }
        if let Some((at, why)) = self.listing.torn {
            out.fault(self.index, Problem::new(Stage::Split, FaultCode::Truncated, TOOL, why).at(at))?;
        }
        out.counted(self.index, Some(self.listing.files), read, failed)
    }

    fn keep(&self, out: &mut Output<'_>, entry: &Entry, number: u64) -> Result<(), Stop> {
        let (code, why) = match entry {
            Entry { secret: true, .. } => (FaultCode::Encrypted, "it is protected by RAR's own encryption; it is kept as it stands packed"),
            Entry { parted: true, .. } => {
                (FaultCode::NoReader, "only a part of it is in this file of the archive; it is kept as it stands packed")
            }
            _ if self.spent_out => (FaultCode::TooLarge, "it unpacks to more than the budget; it is kept as it stands packed"),
            _ => (FaultCode::NoReader, "it was not unpacked; it is kept as it stands packed"),
        };
        let mut doc = Doc::child(self.index, BEHIND + number, self.depth + 1);
        doc.name = Some(Name(entry.name.clone()));
        doc.place = Place::Slice { of: self.index, offset: entry.at, length: entry.packed };
        let index = out.next_index();
        let stretch = Stretch { input: self.input, start: entry.at, length: entry.packed };
        document::keep(out, doc, Kind::File, "application/octet-stream", &stretch, Problem::new(Stage::Split, code, TOOL, why))?;
        unsafe_name(&entry.name, TOOL).map_or(Ok(()), |problem| out.fault(index, problem))
    }
}

#[cfg(test)]
pub(crate) mod tests;
