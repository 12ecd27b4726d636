//! Storing what was read: the one thread that writes. Bytes, documents and the ledger's word that a file is done go into one transaction, so
//! that a crash leaves a file either read or to be read again, never half known as done.

use crate::assemble::{Bytes, Doc};
use crate::lease::{Opened, Piece};
use crate::progress::Progress;
use crate::source::{Held, Source};
use crate::walk::Root;
use crate::{Error, READER, READER_VERSION, Summary, verdicts};
use daylight_model::{Date, Digest, DocumentId, Fault, Kind, Name};
use daylight_store::{BlobId, CollectionId, Counted, NewDocument, Unit, UnitState, Writer};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// What is committed together: this many documents, bytes or this much time, whichever comes first.
const DOCUMENTS: u64 = 500;
const BYTES: u64 = 64 << 20;
const TIME: Duration = Duration::from_secs(1);

/// Writes pieces to the desk in groups.
pub(crate) struct Committer<'a> {
    writer: Writer<'a>,
    collection: CollectionId,
    collection_name: &'a str,
    progress: &'a Progress,
    summary: Summary,
    /// What is known of the roots whose last piece has not come yet, by their number.
    open: HashMap<u64, OpenRoot>,
    waiting: Waiting,
}

/// What was written since the last commit.
struct Waiting {
    since: Instant,
    documents: u64,
    bytes: u64,
}

#[derive(Default)]
struct OpenRoot {
    root: Option<(u64, BlobId)>,
    read: u64,
    failed: u64,
}

/// The documents of one piece by index: their number and blob.
type Known = HashMap<u32, (u64, BlobId)>;

impl<'a> Committer<'a> {
    pub(crate) fn new(writer: Writer<'a>, collection: CollectionId, collection_name: &'a str, progress: &'a Progress) -> Self {
        let waiting = Waiting { since: Instant::now(), documents: 0, bytes: 0 };
        Self { writer, collection, collection_name, progress, summary: Summary::default(), open: HashMap::new(), waiting }
    }

    /// Writes a piece. Some(change) says that everything up to that change is now durable.
    pub(crate) fn take(&mut self, piece: Piece) -> Result<Option<u64>, Error> {
        match piece {
            Piece::Unchanged { root } => {
                self.summary.unchanged += 1;
                self.summary.bytes += root.size;
                self.progress.file_done();
            }
            Piece::Unreadable { root, fault } => self.unreadable(&root, fault)?,
            Piece::Part { opened, docs, cursor } => {
                self.store(&opened, docs, Some(cursor))?;
            }
            Piece::Last { opened, docs } => {
                self.store(&opened, docs, None)?;
                self.open.remove(&opened.number);
                self.summary.bytes += opened.source.length();
                self.progress.file_done();
            }
        }
        let due = self.waiting.documents >= DOCUMENTS || self.waiting.bytes >= BYTES || self.waiting.since.elapsed() >= TIME;
        if due { self.commit().map(Some) } else { Ok(None) }
    }

    /// Commits what waits, and says the last change.
    pub(crate) fn commit(&mut self) -> Result<u64, Error> {
        self.waiting = Waiting { since: Instant::now(), documents: 0, bytes: 0 };
        Ok(self.writer.commit()?)
    }

    /// What came of it all, once the last commit is made.
    pub(crate) fn finish(self) -> Summary {
        self.summary
    }

    fn unreadable(&mut self, root: &Root, fault: Fault) -> Result<(), Error> {
        let name = root.name();
        let known = self.writer.unit(self.collection, &name)?;
        self.progress.file_done();
        if known.as_ref().is_some_and(|unit| unit.digest.is_some()) {
            // It was read before, when it could be: what is on the desk stays, and the fault is told, not stored.
            self.summary.withheld += 1;
            return Ok(());
        }
        let title = root.file_name().to_string();
        let faults = [fault];
        let new = NewDocument {
            id: DocumentId::of_unreadable(self.collection_name, &name.0),
            kind: Kind::File,
            blob: None,
            length: 0,
            claims: "",
            media_type: "application/octet-stream",
            title: &title,
            date: None,
            message: None,
            faults: &faults,
            counted: None,
            texts: &[],
            step: "walk",
            version: 1,
        };
        let (seq, is_new) = self.writer.document(&new)?;
        self.count(&new, is_new, false);
        self.writer.member(self.collection, seq)?;
        let unit = Unit {
            collection: self.collection,
            path: name,
            state: UnitState::FailedWillRetry,
            cursor: 0,
            strikes: 0,
            seq: Some(seq),
            size: root.size,
            digest: None,
        };
        self.writer.put_unit(&unit)?;
        Ok(())
    }

    /// Stores the documents of a piece and says in the ledger how far the root is.
    fn store(&mut self, opened: &Opened, docs: Vec<Doc>, cursor: Option<u64>) -> Result<(), Error> {
        let mut known = Known::new();
        let mut open = self.open.remove(&opened.number).unwrap_or_default();
        if let Some(root) = open.root {
            known.insert(0, root);
        }
        let counted = docs.first().and_then(|doc| doc.counted);
        let parents: HashSet<u32> = docs.iter().filter_map(|doc| doc.parent).collect();
        let root_kind = docs.first().map_or(Kind::File, |doc| doc.kind);
        for doc in docs {
            if doc.parent == Some(0) {
                open.read += 1;
                open.failed += u64::from(
                    doc.faults.iter().any(|fault| fault.code.loses_text()) && doc.texts.is_empty() && !parents.contains(&doc.index),
                );
            }
            let again = doc.index == 0 && open.root.is_some();
            let attached = doc.parent.is_some_and(|parent| parent > 0 || root_kind == Kind::Message);
            let stored = self.document(opened, doc, &known, again, attached)?;
            known.insert(stored.0, (stored.1, stored.2));
        }
        let is_first = open.root.is_none();
        open.root = known.get(&0).copied();
        let Some((seq, _)) = open.root else { return Ok(()) };
        if let Some(old) = opened.stand_in.filter(|_| is_first) {
            // What could not be opened the last time has bytes now: the stand-in for it goes.
            self.writer.replace_unreadable(old, seq)?;
        }
        self.unit(opened, seq, cursor)?;
        if root_kind == Kind::Container && cursor.is_none() {
            self.count_container(opened, seq, counted, &open)?;
        }
        self.open.insert(opened.number, open);
        Ok(())
    }

    fn document(&mut self, opened: &Opened, doc: Doc, known: &Known, again: bool, attached: bool) -> Result<(u32, u64, BlobId), Error> {
        let blob = self.blob(opened, &doc, known)?;
        let title = title(&doc, &opened.root);
        let date = doc.message.as_ref().and_then(|message| best_date(&message.dates));
        let new = NewDocument {
            id: DocumentId::of(doc.kind, &doc.digest, &doc.claims),
            kind: doc.kind,
            blob: Some(blob),
            length: doc.length,
            claims: &doc.claims,
            media_type: &doc.media_type,
            title: &title,
            date,
            message: doc.message.as_deref(),
            faults: &doc.faults,
            counted: None,
            texts: &doc.texts,
            step: READER,
            version: READER_VERSION,
        };
        let (seq, is_new) = self.writer.document(&new)?;
        if let Some(message) = &doc.message {
            verdicts::judge(&mut self.writer, seq, message)?;
        }
        if !again || doc.words.is_some() {
            let (language, sketch) = doc.words.as_ref().map_or(("", None), |(language, sketch)| (language, sketch.as_deref()));
            self.writer.set_words(seq, language, sketch)?;
        }
        if again {
            self.writer.set_faults(seq, &doc.faults)?;
        } else {
            self.count(&new, is_new, attached);
        }
        match doc.parent.and_then(|parent| known.get(&parent)) {
            Some((parent, _)) => self.writer.occurrence(*parent, doc.ordinal, seq, doc.name.as_ref())?,
            None if doc.index == 0 => {}
            None => return Err(Error::Broken("a document whose parent was not stored")),
        }
        self.writer.member(self.collection, seq)?;
        Ok((doc.index, seq, blob))
    }

    fn blob(&mut self, opened: &Opened, doc: &Doc, known: &Known) -> Result<BlobId, Error> {
        Ok(match &doc.bytes {
            Bytes::Root => match known.get(&0) {
                Some((_, blob)) => *blob,
                None => self.root_blob(&opened.source)?,
            },
            Bytes::Slice { of, offset } => {
                let (_, of) = *known.get(of).ok_or(Error::Broken("a slice of a document that was not stored"))?;
                self.writer.slice(&doc.digest, of, *offset, doc.length)?
            }
            Bytes::Own(held) => {
                self.waiting.bytes += doc.length;
                match held {
                    Held::Memory(bytes) => self.writer.blob(&doc.digest, bytes)?,
                    Held::Staged(staged) => self.writer.adopt(staged)?,
                    Held::Arriving(_) | Held::Nothing => return Err(Error::Broken("a document without its bytes")),
                }
            }
        })
    }

    fn root_blob(&mut self, source: &Source) -> Result<BlobId, Error> {
        self.waiting.bytes += source.length();
        Ok(match source {
            Source::Memory { bytes, digest } => self.writer.blob(digest, bytes)?,
            Source::Staged(staged) => self.writer.adopt(staged)?,
        })
    }

    fn unit(&mut self, opened: &Opened, seq: u64, cursor: Option<u64>) -> Result<(), Error> {
        let path: Name = opened.root.name();
        let digest: Digest = opened.source.digest();
        let (state, cursor) = match cursor {
            Some(cursor) => (UnitState::Partial, cursor),
            None => (UnitState::Done, 0),
        };
        let unit = Unit {
            collection: self.collection,
            path,
            state,
            cursor,
            strikes: 0,
            seq: Some(seq),
            size: opened.source.length(),
            digest: Some(digest),
        };
        Ok(self.writer.put_unit(&unit)?)
    }

    /// What a container says of its children is believed only as far as it was seen: read and failed are our own count, unless the reading
    /// was taken up where another ingest had been killed; then the children that are stored are counted.
    fn count_container(&mut self, opened: &Opened, seq: u64, said: Option<(Option<u64>, u64, u64)>, open: &OpenRoot) -> Result<(), Error> {
        let expected = said.and_then(|(expected, _, _)| expected);
        let (read, failed) = if opened.start > 0 { self.writer.count_children(seq)? } else { (open.read, open.failed) };
        Ok(self.writer.set_counted(seq, Counted { expected, read, failed })?)
    }

    fn count(&mut self, new: &NewDocument<'_>, is_new: bool, attached: bool) {
        self.waiting.documents += 1;
        self.waiting.bytes += new.texts.iter().map(|segment| segment.text.len() as u64).sum::<u64>();
        if !is_new {
            // The same bytes in a second place: one document, two occurrences.
            self.summary.duplicates += u64::from(new.kind != Kind::Container);
            return;
        }
        let faults = new.faults.len() as u64;
        self.summary.documents += 1;
        self.summary.messages += u64::from(new.kind == Kind::Message);
        self.summary.attachments += u64::from(attached);
        self.summary.faults += faults;
        self.progress.stored(1, faults);
    }
}

/// A message is called by its subject, anything else by its name.
fn title(doc: &Doc, root: &Root) -> String {
    match (&doc.message, &doc.name) {
        (Some(message), _) => message.subject.clone(),
        (None, Some(name)) => name.to_string(),
        (None, None) if doc.index == 0 => root.file_name().to_string(),
        (None, None) => String::new(),
    }
}

/// The first date that nothing speaks against, or else the first.
fn best_date(dates: &[Date]) -> Option<Date> {
    dates.iter().find(|date| date.doubt.is_none()).or(dates.first()).copied()
}
