//! RAR, versions 4 and 5 (RARLAB's technotes). Its headers are read here; what is packed is not, for there is no free reader of it that is written in a safe
//! language. A program of the system unpacks it in the cage of tools and writes a tar, which is read here like any other, and held against the headers: what
//! that program passed over is kept as it stands packed, with its reason.

mod headers;

use crate::document::{self, Doc, Inside, Resume};
use crate::output::{Output, Problem};
use crate::packed::{Packed, Stretch, tar, unsafe_name};
use daylight_model::reading::{Input, Place, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use headers::{Entry, Listing, What};
use std::collections::HashMap;

pub(crate) const TOOL: &str = "rar 1";
pub(crate) const MEDIA: &str = "application/vnd.rar";
/// Of the entries that were not unpacked so many are kept one by one.
const KEPT: usize = 100_000;
/// Documents that are kept as they stand packed come behind all that a tar may hold.
const BEHIND: u64 = 1 << 32;

/// Reads the headers of a RAR. What it holds waits for a program that unpacks it, unless it is known that none can.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_)) -> Result<(), Stop> {
    let depth = doc.depth;
    let listing = Listing::of(input);
    let index = document::found(out, doc, Kind::Container, MEDIA, "", input)?;
    let shut = listing.entries.iter().all(|entry| entry.secret || entry.what != What::File);
    if listing.secret || shut && !listing.is_torn() {
        let links = listing.entries.iter().filter(|entry| entry.what == What::Link).count();
        if links > 0 {
            out.fault(index, Problem::new(Stage::Split, FaultCode::NotAFile, TOOL, format!("links in it that are not followed: {links}")))?;
        }
        return Rar { index, depth, input, listing: &listing, spent_out: false }.end(out, &mut HashMap::new(), (0, 0));
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
    let mut met = tar::read_unpacked(out, (index, depth), &mut stream, resume, inside)?;
    // What the budget did not hold is counted with what was not unpacked.
    let given: u64 = met.names.values().map(|count| u64::from(*count)).sum();
    let counts = (given, met.failed.saturating_sub(met.read - given));
    Rar { index, depth, input: &packed, listing: &listing, spent_out: met.spent_out }.end(out, &mut met.names, counts)
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
    /// Keeps what was not unpacked, and says what is wrong with the RAR. `met` has what was unpacked, by [`tar::key`] of its name.
    fn end(&self, out: &mut Output<'_>, met: &mut HashMap<u64, u32>, (mut read, mut failed): (u64, u64)) -> Result<(), Stop> {
        let (mut secret, mut others) = (0u64, 0u64);
        for (number, entry) in (0..).zip(&self.listing.entries).filter(|(_, entry)| entry.what == What::File) {
            if let Some(left) = met.get_mut(&tar::key(&entry.name)).filter(|left| **left > 0) {
                *left -= 1;
                continue;
            }
            (read, failed) = (read + 1, failed + 1);
            *(if entry.secret { &mut secret } else { &mut others }) += 1;
            if secret + others <= KEPT as u64 {
                self.keep(out, entry, number)?;
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
            say(
                FaultCode::Truncated,
                format!("it is {number} of several files of one archive: unpack them together, and bring in what they hold"),
            )?;
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
