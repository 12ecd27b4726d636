//! From the events of a reader to documents that can be stored. A reader may be in an enemy's hands, so every event is checked here: numbers
//! must rise, a slice must lie within its parent, bytes must belong to the document that is open. What is held and what is hashed for one file is
//! bounded, and nothing that could command a terminal passes. What it says of the contents is its own affair; it can falsify what it was given to
//! read and nothing else.

mod measure;

use crate::source::{Held, Source};
use daylight_model::reading::{Event, Found, Place, Segment};
use daylight_model::{Digest, Fault, FaultCode, Kind, MessageFacts, Name, Stage, Untrusted};
use daylight_sandbox::Said;
use daylight_store::Staging;
use measure::{Measure, clean_fault, weight_of};

/// How many of a container's documents are handed on together.
const HAND_ON: usize = 256;
/// So many faults of one document are told.
const MOST_FAULTS: usize = 100_000;
/// So many pieces of text a container itself may have.
const MOST_WORDS: usize = 16;
/// Documents nested deeper than any reader opens them are refused.
const DEEPEST: u32 = 64;

/// A document as read, with its bytes or the way to them.
pub(crate) struct Doc {
    pub(crate) index: u32,
    pub(crate) parent: Option<u32>,
    pub(crate) ordinal: u64,
    pub(crate) name: Option<Name>,
    pub(crate) kind: Kind,
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
    pub(crate) length: u64,
    pub(crate) claims: String,
    pub(crate) media_type: String,
    pub(crate) message: Option<Box<MessageFacts>>,
    pub(crate) texts: Vec<Segment>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) counted: Option<(Option<u64>, u64, u64)>,
    /// In how many others it stands.
    depth: u32,
}

/// Where a document's bytes are.
pub(crate) enum Bytes {
    /// It is the root file itself.
    Root,
    /// A part of another document of the same root.
    Slice { of: u32, offset: u64 },
    /// Held by itself.
    Own(Held),
}

/// Why a reader's word was refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It broke the rules of the stream.
    Broken(&'static str),
    /// Its bytes could not be kept.
    Disk(daylight_store::Error),
}

/// Collects the documents of one root file.
pub(crate) struct Assembler<'a> {
    root: &'a Source,
    staging: &'a Staging,
    docs: Vec<Doc>,
    /// The highest index that was handed on: `docs` holds number 0 and then those above it.
    base: u32,
    next_index: u32,
    /// How many of `docs` stand before the last cursor, and that cursor.
    safe: Option<(usize, u64)>,
    /// Whether the last document is complete and has its digest.
    closed: bool,
    measure: Measure,
}

impl<'a> Assembler<'a> {
    pub(crate) fn new(root: &'a Source, staging: &'a Staging) -> Self {
        let measure = Measure::of(root.length());
        Self { root, staging, docs: Vec::new(), base: 0, next_index: 0, safe: None, closed: true, measure }
    }

    /// Takes one thing a reader said. True means that it is finished.
    pub(crate) fn take(&mut self, said: Untrusted<Said>) -> Result<bool, Refused> {
        said.check(|said| match said {
            // A file of which nothing is said would be lost without a word.
            Said::Done if self.docs.is_empty() => Err(Refused::Broken("an end before a beginning")),
            Said::Done => self.close_last().map(|()| true),
            Said::Event(event) => self.event(event).map(|()| false),
        })
    }

    fn event(&mut self, event: Event) -> Result<(), Refused> {
        match event {
            Event::Found(found) => self.found(found),
            Event::Bytes { index, bytes } => self.bytes(index, &bytes),
            Event::Text { index, segment } => self.text(index, segment),
            Event::Fault { index, fault } => self.fault(index, clean_fault(fault)),
            Event::Counted { index, expected, read, failed } => {
                self.doc(index)?.counted = Some((expected, read, failed));
                Ok(())
            }
            Event::Cursor(at) => {
                self.close_last()?;
                self.safe = Some((self.docs.len(), at));
                Ok(())
            }
            Event::View(_) => Err(Refused::Broken("a view that nobody asked for")),
        }
    }

    fn found(&mut self, found: Found) -> Result<(), Refused> {
        self.close_last()?;
        if found.index != self.next_index || (found.index == 0) != found.parent.is_none() {
            return Err(Refused::Broken("a document out of order"));
        }
        let depth = match found.parent {
            Some(parent) => self.docs[self.position(parent)?].depth + 1,
            None => 0,
        };
        if depth > DEEPEST {
            return Err(Refused::Broken("documents nested beyond all measure"));
        }
        measure::check(&found).map_err(Refused::Broken)?;
        self.measure.hold(weight_of(&found)).map_err(Refused::Broken)?;
        let (bytes, length) = match found.place {
            Place::Whole if found.index == 0 => (Bytes::Root, self.root.length()),
            Place::Slice { of, offset, length } if found.index > 0 => {
                let end = offset.checked_add(length).ok_or(Refused::Broken("a slice beyond numbers"))?;
                if end > self.docs[self.position(of)?].length {
                    return Err(Refused::Broken("a slice outside its document"));
                }
                (Bytes::Slice { of, offset }, length)
            }
            Place::Follows if found.index > 0 => (Bytes::Own(Held::new()), 0),
            _ => return Err(Refused::Broken("a document in no place")),
        };
        self.next_index = self.next_index.checked_add(1).ok_or(Refused::Broken("more documents than there are numbers"))?;
        self.closed = false;
        self.docs.push(Doc {
            index: found.index,
            parent: found.parent,
            ordinal: found.ordinal,
            name: found.name,
            kind: found.kind,
            bytes,
            digest: Digest([0; 32]),
            length,
            claims: found.claims,
            media_type: if found.media_type.is_empty() { "application/octet-stream".into() } else { found.media_type },
            message: found.message,
            texts: Vec::new(),
            faults: Vec::new(),
            counted: None,
            depth,
        });
        Ok(())
    }

    fn bytes(&mut self, index: u32, bytes: &[u8]) -> Result<(), Refused> {
        if index.checked_add(1) != Some(self.next_index) || self.closed {
            return Err(Refused::Broken("bytes of a document that is closed"));
        }
        let (staging, in_memory) = (self.staging, self.measure.takes_bytes(bytes.len()));
        let doc = self.doc(index)?;
        let Bytes::Own(held) = &mut doc.bytes else { return Err(Refused::Broken("bytes of a document that has its own")) };
        doc.length += bytes.len() as u64;
        held.push(bytes, in_memory, staging).map_err(Refused::Disk)
    }

    /// Text that is more than is held of one file at once is left out, which is said once of each document.
    fn text(&mut self, index: u32, segment: Segment) -> Result<(), Refused> {
        let position = self.position(index)?;
        // A container's own words are copied whenever a part of it is handed on.
        let short = self.docs[position].kind != Kind::Container || self.docs[position].texts.len() < MOST_WORDS;
        if short && self.measure.takes_text(&segment) {
            self.docs[position].texts.push(segment);
            return Ok(());
        }
        if !self.measure.say_cut(index) {
            return Ok(());
        }
        let detail =
            "of this and what stands beside it in one file more text was read than is held at once: the rest is not searched".into();
        let (stage, code, limit) = (Stage::Read, FaultCode::TooLarge, Some(measure::MOST_TEXT as u64));
        self.fault(index, Fault { stage, code, tool: "ingest 2".into(), detail, limit, at: None })
    }

    fn fault(&mut self, index: u32, fault: Fault) -> Result<(), Refused> {
        let position = self.position(index)?;
        let faults = &mut self.docs[position].faults;
        if faults.len() > MOST_FAULTS {
            return Ok(());
        }
        self.measure.hold(size_of::<Fault>() + fault.tool.len() + fault.detail.len()).map_err(Refused::Broken)?;
        if faults.len() == MOST_FAULTS {
            let (code, detail, limit) = (FaultCode::TooMany, "further faults are not told".into(), Some(MOST_FAULTS as u64));
            faults.push(Fault { code, detail, limit, at: None, ..fault });
        } else {
            faults.push(fault);
        }
        Ok(())
    }

    /// Where in `docs` a document stands, if it is still here.
    fn position(&self, index: u32) -> Result<usize, Refused> {
        let gone = Refused::Broken("a document that is not here");
        let position = match index {
            0 => 0,
            index if index <= self.base => return Err(gone),
            index => (index - self.base) as usize,
        };
        if position < self.docs.len() { Ok(position) } else { Err(gone) }
    }

    fn doc(&mut self, index: u32) -> Result<&mut Doc, Refused> {
        let position = self.position(index)?;
        Ok(&mut self.docs[position])
    }

    /// The bytes of the last document are complete: gives it its digest.
    fn close_last(&mut self) -> Result<(), Refused> {
        let Some(last) = self.docs.last().filter(|_| !self.closed) else { return Ok(()) };
        let digest = match &last.bytes {
            Bytes::Root => self.root.digest(),
            Bytes::Own(_) => {
                let Some(Doc { bytes: Bytes::Own(held), .. }) = self.docs.last_mut() else { return Ok(()) };
                held.finish().map_err(Refused::Disk)?
            }
            Bytes::Slice { of, offset } => {
                let (of, offset, length) = (*of, *offset, last.length);
                self.measure.hash(length).map_err(Refused::Broken)?;
                self.digest_of_slice(of, offset, length)?
            }
        };
        self.closed = true;
        if let Some(last) = self.docs.last_mut() {
            last.digest = digest;
            self.measure.note_staged(last);
        }
        Ok(())
    }

    fn digest_of_slice(&self, of: u32, offset: u64, length: u64) -> Result<Digest, Refused> {
        let (mut of, mut offset) = (of, offset);
        // A slice of a slice of …: each step leads to an earlier document.
        for _ in 0..DEEPEST {
            match &self.docs[self.position(of)?].bytes {
                Bytes::Root => return self.root.digest_at(offset, length).map_err(Refused::Disk),
                Bytes::Own(held) => return held.digest_at(offset, length).map_err(Refused::Disk),
                Bytes::Slice { of: next, offset: add } => {
                    if *next >= of {
                        return Err(Refused::Broken("a slice of itself"));
                    }
                    (of, offset) = (*next, offset + add);
                }
            }
        }
        Err(Refused::Broken("slices of slices beyond all measure"))
    }

    /// Whether so much waits before the last cursor that it should be handed on.
    pub(crate) fn is_due(&self) -> bool {
        self.safe.is_some_and(|(count, _)| count >= HAND_ON || self.measure.is_much())
    }

    /// The documents before the last cursor, and that cursor. Number 0 stays known, so that later documents may stand in it.
    pub(crate) fn take_safe(&mut self) -> Option<(Vec<Doc>, u64)> {
        let (count, cursor) = self.safe.take()?;
        let rest = self.docs.split_off(count);
        let done = std::mem::replace(&mut self.docs, rest);
        self.keep_root(&done, count);
        self.measure.release(&self.docs);
        Some((done, cursor))
    }

    fn keep_root(&mut self, done: &[Doc], count: usize) {
        let Some(first) = done.first().filter(|doc| doc.index == 0) else { return };
        // Position 0 stands for the root from now on; the others follow it with their index less `base`.
        self.docs.insert(0, first.stand_in());
        self.base = self.docs.get(1).map_or(self.next_index, |doc| doc.index).saturating_sub(1);
        debug_assert!(count >= 1);
    }

    /// Everything, once the reader is finished.
    pub(crate) fn take_all(self) -> Vec<Doc> {
        self.docs
    }
}

impl Doc {
    /// About what it takes of the parent while it waits, in bytes; an open file counts for as much as is held in memory at most.
    pub(crate) fn weight(&self) -> usize {
        measure::weight_of_doc(self)
    }

    /// The root again, without what was already handed on: what is learnt of it later (its count, its faults) is added to the copy.
    fn stand_in(&self) -> Doc {
        Doc {
            index: 0,
            parent: None,
            ordinal: self.ordinal,
            name: self.name.clone(),
            kind: self.kind,
            bytes: Bytes::Root,
            digest: self.digest,
            length: self.length,
            claims: self.claims.clone(),
            media_type: self.media_type.clone(),
            message: self.message.clone(),
            texts: self.texts.clone(),
            faults: self.faults.clone(),
            counted: self.counted,
            depth: 0,
        }
    }

    /// A document of a root file that no reader survived.
    pub(crate) fn unread(root: &Source, fault: Fault) -> Doc {
        Doc {
            index: 0,
            parent: None,
            ordinal: 0,
            name: None,
            kind: Kind::File,
            bytes: Bytes::Root,
            digest: root.digest(),
            length: root.length(),
            claims: String::new(),
            media_type: "application/octet-stream".into(),
            message: None,
            texts: Vec::new(),
            faults: vec![fault],
            counted: None,
            depth: 0,
        }
    }
}

#[cfg(test)]
mod tests;
