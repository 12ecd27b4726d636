mod due;
mod lines;

use crate::codec;
use crate::document::{Document, Rendition};
use crate::seqs::Seqs;
use crate::standing::{Decisions, collection};
use crate::{Cleared, Error, Refusal, Result};
use daylight_durable::crash_point;
use daylight_model::Digest;
use daylight_store::{Desk, NewDraft};
use due::{Due, eligible};
use lines::Drafting;
use std::collections::BTreeMap;
use std::io::Read;

/// What a release must follow on from: what its archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The archive's origin.
    pub origin: String,
    /// The serial that its next release has.
    pub serial: u64,
    /// The highest number that a document of the collection has there, 0 if none.
    pub highest: u64,
    /// The collection's title in the release.
    pub title: String,
    /// The numbers of the collection that are withdrawn there, and when that was, in seconds since 1970-01-01T00:00:00Z: they are published again only
    /// where somebody corrected them since.
    pub withdrawn: BTreeMap<u64, i64>,
    /// Whether the log's key has signed this release already, so that it must be finished as it was drafted, whatever was decided since.
    pub signed: bool,
}

/// What came of asking for a draft.
pub struct Drafted {
    /// The release, unless there is nothing new to publish.
    pub draft: Option<Draft>,
    /// Whether it had been drafted before and is taken up again.
    pub resumed: bool,
    /// Documents that are cleared but cannot be published because of what they contain now.
    pub withheld: Vec<Refusal>,
}

/// A release that is decided: everything that will be published, fixed in the catalogue before its first byte is written.
pub struct Draft {
    desk: Desk,
    collection: String,
    inner: daylight_store::Draft,
}

/// How many lines are read at once.
const PAGE: usize = 500;

/// Drafts the release of what is cleared in a collection and not yet published so in the archive, or takes up the draft that a killed publish left.
///
/// Every document is looked up in the decisions here and now, with what it contains. A draft that is taken up is looked through again, and given
/// up for a new one if anything in it is no longer cleared.
pub fn draft(desk: &mut Desk, name: &str, target: &Target, now: u64) -> Result<Drafted> {
    let collection = collection(desk, name)?;
    check_title(&target.title)?;
    if let Some(other) = open_drafts(desk, &target.origin)?.into_iter().find(|open| open.collection != name) {
        return Err(Error::OtherOpen { collection: other.collection, origin: target.origin.clone() });
    }
    if let Some(open) = desk.open_draft(collection.id, &target.origin)? {
        let lines = documents_of(desk, open.id)?;
        let due = Due::among(desk, &collection, target, &lines)?;
        if open.serial == target.serial && (target.signed || lines.iter().all(|seq| due.eligible.contains(seq))) {
            let withheld = Due::of(desk, &collection, target)?.withheld;
            return Ok(Drafted { draft: Some(Draft::new(desk, name, open)?), resumed: true, withheld });
        }
        desk.discard_draft(open.id)?;
        crash_point("review.draft-discarded");
    }
    let due = Due::of(desk, &collection, target)?;
    let (lines, Due { withheld, seen, again, .. }) = Drafting::new(desk, &collection, target, due)?.lines()?;
    if lines.is_empty() {
        return Ok(Drafted { draft: None, resumed: false, withheld });
    }
    let new = NewDraft {
        collection: collection.id,
        origin: &target.origin,
        serial: target.serial,
        time: now,
        title: &target.title,
        audit_head: desk.audit_head()?,
        seen,
        again: &again,
    };
    let open = desk.create_draft(&new, lines)?;
    crash_point("review.drafted");
    Ok(Drafted { draft: Some(Draft::new(desk, name, open)?), resumed: false, withheld })
}

/// Under which origin a desk keeps what was drafted to be sealed for an archive.
pub fn sealed_origin(origin: &str) -> String {
    format!("{origin}/sealed")
}

/// Drafts a release that is to be sealed and not yet published: what a publish to the archive of `target` would publish now, under the numbers it would
/// have there, which stay theirs. It stands in nobody's way: publishing goes on, and publishes these documents under these numbers when asked.
///
/// A draft to be sealed that was not finished is given up for it.
pub fn draft_seal(desk: &mut Desk, name: &str, target: &Target, now: u64) -> Result<Drafted> {
    let collection = collection(desk, name)?;
    check_title(&target.title)?;
    let origin = sealed_origin(&target.origin);
    for open in open_drafts(desk, &origin)? {
        desk.discard_draft(open.inner.id)?;
    }
    let due = Due::of(desk, &collection, target)?;
    let (mut lines, Due { withheld, .. }) = Drafting::new(desk, &collection, target, due)?.lines()?;
    if lines.is_empty() {
        return Ok(Drafted { draft: None, resumed: false, withheld });
    }
    desk.reserve_numbers(collection.id, &target.origin, &lines.numbers()?)?;
    // A crash here leaves numbers that are given to documents and not used yet.
    crash_point("review.numbers-reserved");
    let new = NewDraft {
        collection: collection.id,
        origin: &origin,
        serial: target.serial,
        time: now,
        title: &target.title,
        audit_head: desk.audit_head()?,
        // What is sealed is not published, and nobody asks what changed since.
        seen: None,
        again: &[],
    };
    let open = desk.create_draft(&new, lines)?;
    crash_point("review.seal-drafted");
    Ok(Drafted { draft: Some(Draft::new(desk, name, open)?), resumed: false, withheld })
}

/// The drafts to an archive that are not finished: at most one, unless the desk was tampered with.
pub fn open_drafts(desk: &Desk, origin: &str) -> Result<Vec<Draft>> {
    let mut drafts = Vec::new();
    for collection in desk.collections()? {
        if let Some(open) = desk.open_draft(collection.id, origin)? {
            drafts.push(Draft::new(desk, &collection.name, open)?);
        }
    }
    Ok(drafts)
}

/// Whether everything in a draft is still cleared, and holds nothing that is not.
pub fn is_still_clear(desk: &Desk, draft: &Draft) -> Result<bool> {
    let collection = collection(desk, &draft.collection)?;
    let decisions = Decisions::looked_up(desk, &collection)?;
    let documents = documents_of(desk, draft.inner.id)?;
    let (eligible, _) = eligible(desk, &decisions, &documents)?;
    Ok(documents == eligible)
}

fn documents_of(desk: &Desk, draft: u64) -> Result<Seqs> {
    let mut documents = Seqs::default();
    desk.each_drafted(draft, &mut |seq| {
        documents.insert(seq);
    })?;
    Ok(documents)
}

/// Whether the release with this serial was given up because something in it was forgotten, and none took its place.
pub fn gave_up(desk: &Desk, origin: &str, serial: u64) -> Result<bool> {
    Ok(desk.gave_up(origin, serial)?)
}

impl Draft {
    fn new(desk: &Desk, collection: &str, inner: daylight_store::Draft) -> Result<Self> {
        Ok(Self { desk: desk.reopen()?, collection: collection.to_owned(), inner })
    }

    /// The name of the collection.
    pub fn collection(&self) -> &str {
        &self.collection
    }

    /// The archive's origin.
    pub fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// The release's serial.
    pub fn serial(&self) -> u64 {
        self.inner.serial
    }

    /// When it was drafted, in seconds since 1970-01-01T00:00:00Z.
    pub fn time(&self) -> u64 {
        self.inner.time
    }

    /// The collection's title.
    pub fn title(&self) -> &str {
        &self.inner.title
    }

    /// The head of the desk's audit log that the release states.
    pub fn audit_head(&self) -> Digest {
        self.inner.audit_head
    }

    /// How many documents it has.
    pub fn len(&self) -> u64 {
        self.inner.lines
    }

    /// Whether it has none; no such draft is made.
    pub fn is_empty(&self) -> bool {
        self.inner.lines == 0
    }

    /// Its documents, in the order of their numbers.
    pub fn documents(&self) -> impl Iterator<Item = Result<Cleared<Document>>> + '_ {
        let mut last = None;
        let mut page = Vec::new().into_iter();
        std::iter::from_fn(move || {
            if page.len() == 0 {
                match self.desk.draft_lines(self.inner.id, last, PAGE) {
                    Ok(lines) => page = lines.into_iter(),
                    Err(error) => return Some(Err(error.into())),
                }
            }
            let line = page.next()?;
            last = Some(line.position);
            let document = codec::decode(line.line.number, line.line.salt, &line.line.payload);
            // Cleared: [`draft`] looked each of them up when it fixed them.
            Some(document.map(Cleared::new).ok_or(Error::DamagedDraft(self.inner.serial)))
        })
    }

    /// The bytes of one of a cleared document's files, as a stream that ends in an error if they are not those that were drafted.
    pub fn open(&self, document: &Cleared<Document>, file: &Rendition) -> Result<Option<Box<dyn Read + Send>>> {
        let file = document.files.iter().find(|one| *one == file);
        Ok(file.map(|file| self.desk.open_blob(&file.digest)).transpose()?)
    }

    /// Gives the draft up. Its new numbers stay with their documents.
    pub fn discard(mut self) -> Result<()> {
        Ok(self.desk.discard_draft(self.inner.id)?)
    }

    /// Notes that the release is in the archive.
    pub fn finish(mut self) -> Result<()> {
        Ok(self.desk.finish_draft(self.inner.id)?)
    }
}

fn check_title(title: &str) -> Result<()> {
    let fits = (1..=1024).contains(&title.len()) && !title.contains(char::is_control);
    if fits { Ok(()) } else { Err(Error::BadTitle) }
}
