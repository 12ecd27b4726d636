//! Storing what was read: the one thread that writes. Bytes, documents and the ledger's word that a file is done go into one transaction, so
//! that a crash leaves a file either read or to be read again, never half known as done.

use crate::assemble::{Bytes, Doc};
use crate::lease::{Opened, Origin, Piece};
use crate::progress::Progress;
use crate::source::{Held, Source};
use crate::walk::Root;
use crate::{Error, Rereading, Summary, verdicts};
use daylight_model::{Date, Digest, DocumentId, Fault, FaultCode, Kind, Name, Stage};
use daylight_store::{BlobId, Collection, Counted, Forgotten, LongText, NewDocument, Unit, UnitState, Writer, parse_reader};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// What is committed together: this many documents, bytes or this much time, whichever comes first.
const DOCUMENTS: u64 = 2000;
const BYTES: u64 = 64 << 20;
const TIME: Duration = Duration::from_secs(1);

/// Writes pieces to the desk in groups.
pub(crate) struct Committer<'a> {
    pub(crate) writer: Writer<'a>,
    /// Where files of a trove go, if any are read.
    collection: Option<&'a Collection>,
    pub(crate) progress: &'a Progress,
    pub(crate) forgotten: &'a Forgotten,
    pub(crate) summary: Summary,
    pub(crate) again: Rereading,
    /// What is known of the roots whose last piece has not come yet, by their number.
    pub(crate) open: HashMap<u64, OpenRoot>,
    pub(crate) waiting: Waiting,
}

/// What was written since the last commit.
pub(crate) struct Waiting {
    since: Instant,
    pub(crate) documents: u64,
    pub(crate) bytes: u64,
}

#[derive(Default)]
pub(crate) struct OpenRoot {
    pub(crate) root: Option<(u64, BlobId)>,
    pub(crate) read: u64,
    pub(crate) failed: u64,
    /// What of the budget it took.
    pub(crate) spent: u64,
    /// Something in it waits to be read by itself.
    pub(crate) defers: bool,
    /// Of a document that is read again: what stood in it and in what it holds, and was not met again so far.
    pub(crate) unmet: HashMap<u64, HashSet<(u64, u64)>>,
    /// How much of it was encrypted before.
    pub(crate) encrypted: u64,
    /// Which passwords opened something in it.
    pub(crate) opened_by: HashSet<u32>,
    /// Something of it is other than before.
    pub(crate) changed: bool,
}

/// The documents of one piece by index: their number and blob.
pub(crate) type Known = HashMap<u32, (u64, BlobId)>;

impl<'a> Committer<'a> {
    pub(crate) fn new(writer: Writer<'a>, collection: Option<&'a Collection>, progress: &'a Progress, forgotten: &'a Forgotten) -> Self {
        let waiting = Waiting { since: Instant::now(), documents: 0, bytes: 0 };
        let (summary, again) = (Summary::default(), Rereading::default());
        Self { writer, collection, progress, forgotten, summary, again, open: HashMap::new(), waiting }
    }

    pub(crate) fn collection(&self) -> Result<&'a Collection, Error> {
        self.collection.ok_or(Error::Broken("a file of a trove where only the desk is read"))
    }

    /// Writes a piece. Some(change) says that everything up to that change is now durable.
    pub(crate) fn take(&mut self, piece: Piece) -> Result<Option<u64>, Error> {
        match piece {
            Piece::Unchanged { size } => {
                self.summary.unchanged += 1;
                self.summary.bytes += size;
                self.progress.file_done();
            }
            Piece::Unreadable { root, fault } => self.unreadable(&root, fault)?,
            Piece::Forgotten { size, digest, why } => self.withhold(size, &digest, why)?,
            Piece::Part { opened, docs, cursor } => self.store(&opened, docs, Some(cursor))?,
            Piece::Last { opened, docs } => {
                self.store(&opened, docs, None)?;
                self.open.remove(&opened.number);
                self.summary.bytes += if let Origin::Trove(_) = opened.origin { opened.source.length() } else { 0 };
                self.progress.file_done();
            }
            Piece::GaveUp { opened, fault } => {
                self.gave_up(&opened, fault)?;
                self.open.remove(&opened.number);
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
    pub(crate) fn finish(self) -> (Summary, Rereading) {
        (self.summary, self.again)
    }

    fn unreadable(&mut self, root: &Root, fault: Fault) -> Result<(), Error> {
        let (name, collection) = (root.name(), self.collection()?);
        let known = self.writer.unit(collection.id, &name)?;
        self.progress.file_done();
        if known.as_ref().is_some_and(|unit| unit.digest.is_some()) {
            // It was read before, when it could be: what is on the desk stays, and the fault is told, not stored.
            self.summary.withheld += 1;
            return Ok(());
        }
        let seq = self.stand_in(&name.0, &root.file_name().to_string(), fault)?;
        let unit = Unit {
            collection: collection.id,
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

    /// Notes that bytes which were forgotten here came again and were not taken. Neither their name nor where they were found is kept.
    fn withhold(&mut self, size: u64, digest: &Digest, why: String) -> Result<(), Error> {
        self.progress.file_done();
        self.summary.bytes += size;
        self.summary.forgotten += 1;
        let fault = Fault { stage: Stage::Walk, code: FaultCode::Forgotten, tool: "walk 1".into(), detail: why, limit: None, at: None };
        // The digest is hashed once more for the id, so that it does not stand there either.
        self.stand_in(&Digest::of(&digest.0).0, "withheld", fault)?;
        Ok(())
    }

    /// A document that has nothing but a fault, for what could not or must not be read.
    fn stand_in(&mut self, place: &[u8], title: &str, fault: Fault) -> Result<u64, Error> {
        let (collection, faults) = (self.collection()?, [fault]);
        let new = NewDocument {
            id: DocumentId::of_unreadable(&collection.name, place),
            kind: Kind::File,
            blob: None,
            length: 0,
            claims: "",
            media_type: "application/octet-stream",
            title,
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
        self.writer.member(collection.id, seq)?;
        Ok(seq)
    }

    /// Stores the documents of a piece and says in the ledger how far the root is.
    fn store(&mut self, opened: &Opened, docs: Vec<Doc>, cursor: Option<u64>) -> Result<(), Error> {
        let root = match &opened.origin {
            Origin::Trove(root) => root,
            Origin::Desk(again) => return self.store_again(opened, again, docs, cursor),
        };
        let mut known = Known::new();
        let mut open = self.open.remove(&opened.number).unwrap_or_default();
        if let Some(root) = open.root {
            known.insert(0, root);
        }
        let counted = docs.first().and_then(|doc| doc.counted);
        let parents: HashSet<u32> = docs.iter().filter_map(|doc| doc.parent).collect();
        let root_kind = docs.first().map_or(Kind::File, |doc| doc.kind);
        let mut containers = Vec::new();
        for doc in docs {
            open.spent += doc.cost();
            open.defers |= is_deferred(&doc);
            let nested = doc.counted.filter(|_| doc.index > 0 && doc.kind == Kind::Container);
            if doc.parent == Some(0) {
                open.read += 1;
                open.failed += u64::from(doc.faults.iter().any(Fault::loses_text) && !doc.has_text() && !parents.contains(&doc.index));
            }
            let again = doc.index == 0 && open.root.is_some();
            let attached = doc.parent.is_some_and(|parent| parent > 0 || root_kind == Kind::Message);
            let stored = self.document(opened, root, doc, &known, again, attached)?;
            containers.extend(nested.map(|counted| (stored.1, counted)));
            known.insert(stored.0, (stored.1, stored.2));
        }
        let is_first = open.root.is_none();
        open.root = known.get(&0).copied();
        let Some((seq, _)) = open.root else { return Ok(()) };
        if let Some(old) = opened.stand_in.filter(|_| is_first) {
            // What could not be opened the last time has bytes now: the stand-in for it goes.
            self.writer.replace_unreadable(old, seq)?;
        }
        self.unit(opened, root, seq, cursor)?;
        if open.defers {
            self.writer.set_remaining(self.collection()?.id, &root.name(), opened.budget.saturating_sub(open.spent))?;
        }
        for (seq, (expected, _, _)) in containers {
            let (read, failed) = self.writer.count_children(seq)?;
            self.writer.set_counted(seq, Counted { expected, read, failed })?;
        }
        if root_kind == Kind::Container && cursor.is_none() {
            self.count_container(opened, seq, counted, &open)?;
        }
        self.open.insert(opened.number, open);
        Ok(())
    }

    fn document(
        &mut self,
        opened: &Opened,
        root: &Root,
        mut doc: Doc,
        known: &Known,
        again: bool,
        attached: bool,
    ) -> Result<(u32, u64, BlobId), Error> {
        let blob = self.blob(opened, &doc, known)?;
        let long = settle_text(&mut doc)?;
        self.waiting.bytes += long.as_ref().map_or(0, LongText::bytes);
        let title = title(&doc, &root.file_name());
        let new = new_document(&doc, blob, &title);
        let (seq, is_new) = self.writer.document_with(&new, long.as_ref())?;
        self.forget_again(&doc, seq)?;
        self.judge(&doc, seq)?;
        // A container that is gone on with has said what there is to say of its words, or says it with its last piece.
        if !again || doc.words.is_some() {
            self.note_words(&doc, seq)?;
        }
        if again {
            self.writer.set_faults(seq, &doc.faults)?;
        } else {
            self.count(&new, is_new, attached);
        }
        self.place(&doc, seq, known)?;
        self.writer.member(self.collection()?.id, seq)?;
        if is_deferred(&doc) && self.writer.reading_faults(seq)? == doc.faults {
            self.writer.defer(seq, self.collection()?.id, &root.name())?;
        }
        if let Some(password) = doc.password.and_then(|number| opened.passwords.get(number as usize)) {
            self.writer.keep_password(seq, password)?;
        }
        Ok((doc.index, seq, blob))
    }

    /// What was forgotten and came again inside of something goes again, with the bytes of what it stands in, when the ingest ends or the desk is opened next.
    pub(crate) fn forget_again(&mut self, doc: &Doc, seq: u64) -> Result<(), Error> {
        if self.forgotten.has(&doc.digest) {
            self.writer.forget_again(seq)?;
            self.summary.forgotten += 1;
        }
        Ok(())
    }

    pub(crate) fn judge(&mut self, doc: &Doc, seq: u64) -> Result<(), Error> {
        if let Some(message) = &doc.message {
            verdicts::judge(&mut self.writer, seq, message)?;
        }
        Ok(())
    }

    /// Notes where a document stands in another of the same root.
    pub(crate) fn place(&mut self, doc: &Doc, seq: u64, known: &Known) -> Result<(), Error> {
        match doc.parent.and_then(|parent| known.get(&parent)) {
            Some((parent, _)) => Ok(self.writer.occurrence(*parent, doc.ordinal, seq, doc.name.as_ref(), &doc.standing)?),
            None if doc.index == 0 => Ok(()),
            None => Err(Error::Broken("a document whose parent was not stored")),
        }
    }

    pub(crate) fn blob(&mut self, opened: &Opened, doc: &Doc, known: &Known) -> Result<BlobId, Error> {
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
            Source::Staged(staged, _) => self.writer.adopt(staged)?,
            Source::Stored { .. } => return Err(Error::Broken("a document of the desk that the desk has not")),
        })
    }

    fn unit(&mut self, opened: &Opened, root: &Root, seq: u64, cursor: Option<u64>) -> Result<(), Error> {
        let path: Name = root.name();
        let digest: Digest = opened.source.digest();
        let (state, cursor) = match cursor {
            Some(cursor) => (UnitState::Partial, cursor),
            None => (UnitState::Done, 0),
        };
        let unit = Unit {
            collection: self.collection()?.id,
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

    /// Notes what is known of a document's words. What waits to be read says nothing of them, even where it was read before.
    pub(crate) fn note_words(&mut self, doc: &Doc, seq: u64) -> Result<(), Error> {
        match &doc.words {
            Some((language, sketch)) => Ok(self.writer.set_words(seq, language, sketch.as_deref())?),
            None if is_deferred(doc) => Ok(()),
            None => Ok(self.writer.set_words(seq, "", None)?),
        }
    }

    pub(crate) fn count(&mut self, new: &NewDocument<'_>, is_new: bool, attached: bool) {
        self.waiting.documents += 1;
        self.waiting.bytes += new.texts.iter().map(|segment| segment.text.len() as u64).sum::<u64>();
        if !is_new {
            // The same bytes in a second place: one document, two occurrences.
            self.summary.duplicates += u64::from(new.kind != Kind::Container);
            return;
        }
        // What waits is counted when it is read.
        let faults = new.faults.iter().filter(|fault| fault.code != FaultCode::Deferred).count() as u64;
        self.summary.documents += 1;
        self.summary.messages += u64::from(new.kind == Kind::Message);
        self.summary.attachments += u64::from(attached);
        self.summary.faults += faults;
        self.progress.stored(1, faults);
    }
}

/// The text of a document that is long. What was put aside only because much else waited is short after all, and is held again.
pub(crate) fn settle_text(doc: &mut Doc) -> Result<Option<LongText>, Error> {
    let mut long = doc.long.take();
    if let Some(short) = long.as_mut().map(LongText::end).transpose()?.flatten() {
        (doc.texts, long) = (short, None);
    }
    Ok(long)
}

/// What the catalogue is to know of a document.
pub(crate) fn new_document<'a>(doc: &'a Doc, blob: BlobId, title: &'a str) -> NewDocument<'a> {
    let (step, version) = parse_reader(doc.tool).unwrap_or((doc.tool, 0));
    NewDocument {
        id: DocumentId::of(doc.kind, &doc.digest, &doc.claims),
        kind: doc.kind,
        blob: Some(blob),
        length: doc.length,
        claims: &doc.claims,
        media_type: &doc.media_type,
        title,
        date: doc.message.as_ref().and_then(|message| best_date(&message.dates)),
        message: doc.message.as_deref(),
        faults: &doc.faults,
        counted: None,
        texts: &doc.texts,
        step,
        version,
    }
}

pub(crate) fn is_deferred(doc: &Doc) -> bool {
    doc.faults.iter().any(|fault| fault.code == FaultCode::Deferred)
}

/// A message is called by its subject, anything else by its name.
pub(crate) fn title(doc: &Doc, root: &Name) -> String {
    match (&doc.message, &doc.name) {
        (Some(message), _) => message.subject.clone(),
        (None, Some(name)) => name.to_string(),
        (None, None) if doc.index == 0 => root.to_string(),
        (None, None) => String::new(),
    }
}

/// The first date that nothing speaks against, or else the first.
fn best_date(dates: &[Date]) -> Option<Date> {
    dates.iter().find(|date| date.doubt.is_none()).or(dates.first()).copied()
}
