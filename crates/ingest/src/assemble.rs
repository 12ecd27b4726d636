//! From the events of a reader to documents that can be stored. A reader may be in an enemy's hands, so every event is checked here: numbers
//! must rise, a slice must lie within its parent, bytes must belong to the document that is open. What is held and what is hashed for one file is
//! bounded, and nothing that could command a terminal passes. What it says of the contents is its own affair; it can falsify what it was given to
//! read and nothing else.

mod measure;

use crate::source::{Held, Source};
use daylight_model::reading::{Event, Found, Place, Segment, Standing};
use daylight_model::{Digest, Fault, FaultCode, Kind, MessageFacts, Name, Sketch, Untrusted, is_language_code};
use daylight_sandbox::Said;
use daylight_store::{LongText, Staging, WHOLE_TEXT};
pub(crate) use measure::clean_fault;
use measure::{Measure, weight_of};

/// So many faults of one document are told.
const MOST_FAULTS: usize = 100_000;
/// So many pieces of text of a container itself are held.
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
    pub(crate) standing: Box<Standing>,
    /// The reader that read it and its version, one of those that are known.
    pub(crate) tool: &'static str,
    /// Which of the passwords that were given opened it.
    pub(crate) password: Option<u32>,
    pub(crate) message: Option<Box<MessageFacts>>,
    pub(crate) texts: Vec<Segment>,
    /// Its text where that is long, or where much waits already; then `texts` is empty.
    pub(crate) long: Option<LongText>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) counted: Option<(Option<u64>, u64, u64)>,
    /// Its language and the sketch of its text.
    pub(crate) words: Option<(String, Option<Box<Sketch>>)>,
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

/// Readers with their versions, such as `pdf 1`.
pub(crate) type Readers = &'static [&'static str];

/// Collects the documents of one root file.
pub(crate) struct Assembler<'a> {
    root: &'a Source,
    staging: &'a Staging,
    /// The readers there are.
    readers: Readers,
    docs: Vec<Doc>,
    /// The highest index that was handed on: `docs` holds number 0 and then those above it.
    base: u32,
    next_index: u32,
    /// How many of `docs` stand before the last cursor, and that cursor.
    safe: Option<(usize, u64)>,
    /// How many bytes of text and of documents are held in memory.
    held: u64,
    /// The document whose long text was added to last.
    adding: Option<u32>,
    /// Whether the last document is complete and has its digest.
    closed: bool,
    measure: Measure,
}

/// From so many bytes on, what is held is handed on at the next cursor.
const HAND_ON_BYTES: u64 = 1 << 20;
/// How many documents are handed on together.
const HAND_ON: usize = 256;
/// More is not held: what comes after goes to files beside the desk's, however much stands before the next cursor.
const MOST_HELD: u64 = 8 << 20;

impl<'a> Assembler<'a> {
    pub(crate) fn new(root: &'a Source, staging: &'a Staging, readers: Readers) -> Self {
        let measure = Measure::of(root.length());
        let (docs, base, next_index) = (Vec::new(), 0, 0);
        Self { root, staging, readers, docs, base, next_index, safe: None, held: 0, adding: None, closed: true, measure }
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
            Event::Unlocked { index, password } => {
                self.doc(index)?.password = Some(password);
                Ok(())
            }
            Event::Words { index, language, sketch } => {
                if !language.is_empty() && !is_language_code(&language) {
                    return Err(Refused::Broken("a language that is none"));
                }
                self.doc(index)?.words = Some((language, sketch));
                Ok(())
            }
            Event::Cursor(at) => {
                self.close_last()?;
                self.safe = Some((self.docs.len(), at));
                Ok(())
            }
            Event::View(_) | Event::Unread { .. } | Event::Page { .. } => Err(Refused::Broken("an answer to another question")),
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
        let tool = self.readers.iter().find(|reader| **reader == found.tool).ok_or(Refused::Broken("a reader that there is not"))?;
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
            standing: found.standing,
            tool,
            password: None,
            message: found.message,
            texts: Vec::new(),
            long: None,
            faults: Vec::new(),
            counted: None,
            words: None,
            depth,
        });
        Ok(())
    }

    /// Text that is long, or that comes when much waits already, goes to a file. So does what follows the first words of a container, which are copied
    /// whenever a part of it is handed on.
    fn text(&mut self, index: u32, segment: Segment) -> Result<(), Refused> {
        if self.adding != Some(index) {
            self.put_aside()?;
        }
        let (staging, length, full) = (self.staging, held_by(&segment), self.held >= MOST_HELD);
        let doc = self.doc(index)?;
        if let Some(long) = &mut doc.long {
            long.push(segment).map_err(Refused::Disk)?;
            self.adding = Some(index);
            return Ok(());
        }
        let before: u64 = doc.texts.iter().map(held_by).sum();
        let many = doc.kind == Kind::Container && doc.texts.len() >= MOST_WORDS;
        doc.texts.push(segment);
        if !full && !many && before + length <= WHOLE_TEXT {
            self.held += length;
            return Ok(());
        }
        let mut long = staging.begin_text().map_err(Refused::Disk)?;
        doc.texts.drain(..).try_for_each(|segment| long.push(segment)).map_err(Refused::Disk)?;
        doc.long = Some(long);
        self.adding = Some(index);
        self.held = self.held.saturating_sub(before);
        Ok(())
    }

    /// Puts what of a long text is still held into its file: there may be many of them.
    fn put_aside(&mut self) -> Result<(), Refused> {
        let Some(index) = self.adding.take() else { return Ok(()) };
        match self.doc(index) {
            Ok(Doc { long: Some(long), .. }) => long.put_aside().map_err(Refused::Disk),
            _ => Ok(()),
        }
    }

    fn bytes(&mut self, index: u32, bytes: &[u8]) -> Result<(), Refused> {
        if index.checked_add(1) != Some(self.next_index) || self.closed {
            return Err(Refused::Broken("bytes of a document that is closed"));
        }
        self.measure.came(bytes.len());
        let (staging, most) = (self.staging, MOST_HELD.saturating_sub(self.held));
        let doc = self.doc(index)?;
        let Bytes::Own(held) = &mut doc.bytes else { return Err(Refused::Broken("bytes of a document that has its own")) };
        doc.length += bytes.len() as u64;
        let before = held.in_memory();
        held.push(bytes, most, staging).map_err(Refused::Disk)?;
        let after = held.in_memory();
        self.held = (self.held + after).saturating_sub(before);
        Ok(())
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

    /// Whether so much stands before the last cursor that it should be handed on.
    pub(crate) fn is_ready(&self) -> bool {
        self.safe.is_some_and(|(count, _)| count >= HAND_ON || self.held >= HAND_ON_BYTES || self.measure.is_much())
    }

    /// The documents before the last cursor, and that cursor. Number 0 stays known, so that later documents may stand in it.
    pub(crate) fn take_safe(&mut self) -> Option<(Vec<Doc>, u64)> {
        let (count, cursor) = self.safe.take()?;
        let rest = self.docs.split_off(count);
        let done = std::mem::replace(&mut self.docs, rest);
        self.keep_root(&done, count);
        self.held = self.docs.iter().map(Doc::in_memory).sum();
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

/// How many bytes a piece of text takes in memory.
fn held_by(segment: &Segment) -> u64 {
    (segment.text.len() + size_of::<Segment>()) as u64
}

impl Doc {
    /// Whether it has text.
    pub(crate) fn has_text(&self) -> bool {
        self.long.is_some() || !self.texts.is_empty()
    }

    /// How many bytes of text and of its own it holds in memory.
    pub(crate) fn in_memory(&self) -> u64 {
        let own = if let Bytes::Own(held) = &self.bytes { held.in_memory() } else { 0 };
        own + self.texts.iter().map(held_by).sum::<u64>()
    }

    /// About what it takes in memory while it waits to be stored, with what is said of it.
    pub(crate) fn weight(&self) -> u64 {
        self.in_memory() + measure::facts_of(self) as u64
    }

    /// What of a root's budget it took: bytes that stand nowhere else, and text.
    pub(crate) fn cost(&self) -> u64 {
        let own = if let Bytes::Own(_) = self.bytes { self.length } else { 0 };
        let texts: u64 = self.texts.iter().map(|segment| segment.text.len() as u64).sum();
        own + texts + self.long.as_ref().map_or(0, LongText::bytes)
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
            standing: self.standing.clone(),
            tool: self.tool,
            password: self.password,
            message: self.message.clone(),
            texts: self.texts.clone(),
            long: None,
            faults: self.faults.clone(),
            counted: self.counted,
            words: None,
            depth: 0,
        }
    }

    /// A document of a root file that no reader survived, in the name of the reader that tells what a document is.
    pub(crate) fn unread(root: &Source, readers: Readers, fault: Fault) -> Doc {
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
            standing: Box::default(),
            tool: readers.first().copied().unwrap_or_default(),
            password: None,
            message: None,
            texts: Vec::new(),
            long: None,
            faults: vec![fault],
            counted: None,
            words: None,
            depth: 0,
        }
    }
}

#[cfg(test)]
mod tests;
