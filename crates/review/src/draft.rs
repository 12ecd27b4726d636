use crate::codec;
use crate::document::{Document, Occurrence, Rendition, Role};
use crate::order::{Item, in_order};
use crate::standing::{Packaging, blocked, collection, refusal};
use crate::{Cleared, Error, Refusal, Result};
use daylight_durable::crash_point;
use daylight_model::{Digest, DocumentId, Hasher, Kind, Stage, Verdict};
use daylight_store::{Collection, Desk, LinesAside, NewDraft, NewLine, Published, RenditionRole, State};
use std::collections::{BTreeMap, HashMap, HashSet};
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
    let (mut eligible, mut withheld) = eligible(desk, &collection)?;
    let corrections = Corrections::of(desk, &collection, &target.origin)?;
    refuse_withdrawn(desk, &collection, target, &corrections, &mut eligible, &mut withheld)?;
    if let Some(open) = desk.open_draft(collection.id, &target.origin)? {
        if open.serial == target.serial && (target.signed || still_clear(desk, open.id, &eligible)?) {
            return Ok(Drafted { draft: Some(Draft::new(desk, name, open)?), resumed: true, withheld });
        }
        desk.discard_draft(open.id)?;
        crash_point("review.draft-discarded");
    }
    let lines = Drafting::new(desk, &collection, target, eligible, corrections)?.lines()?;
    if lines.is_empty() {
        return Ok(Drafted { draft: None, resumed: false, withheld });
    }
    let audit_head = desk.audit_head()?;
    let new =
        NewDraft { collection: collection.id, origin: &target.origin, serial: target.serial, time: now, title: &target.title, audit_head };
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
    let (mut eligible, mut withheld) = eligible(desk, &collection)?;
    let corrections = Corrections::of(desk, &collection, &target.origin)?;
    refuse_withdrawn(desk, &collection, target, &corrections, &mut eligible, &mut withheld)?;
    let mut lines = Drafting::new(desk, &collection, target, eligible, corrections)?.lines()?;
    if lines.is_empty() {
        return Ok(Drafted { draft: None, resumed: false, withheld });
    }
    desk.reserve_numbers(collection.id, &target.origin, &lines.numbers()?)?;
    // A crash here leaves numbers that are given to documents and not used yet.
    crash_point("review.numbers-reserved");
    let audit_head = desk.audit_head()?;
    let new = NewDraft { collection: collection.id, origin: &origin, serial: target.serial, time: now, title: &target.title, audit_head };
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
    let (eligible, _) = eligible(desk, &collection(desk, &draft.collection)?)?;
    still_clear(desk, draft.inner.id, &eligible)
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

/// What is held of every document that may be published; the rest is read when its line is made.
struct Eligible {
    id: DocumentId,
    date: Option<i64>,
}

/// What is cleared in the collection and holds nothing that is not, by its number on the desk; and what is withheld because it does.
fn eligible(desk: &Desk, collection: &Collection) -> Result<(BTreeMap<u64, Eligible>, Vec<Refusal>)> {
    let cleared = desk.publishable(collection.id)?;
    let blocked = blocked(desk, collection, &cleared, &HashSet::new())?;
    let (mut eligible, mut withheld, mut packaging) = (BTreeMap::new(), Vec::new(), Packaging::default());
    for seq in cleared {
        if let Some(inner) = blocked.get(&seq) {
            withheld.push(refusal(desk, seq, *inner)?);
            continue;
        }
        let document = desk.document(seq)?;
        if document.blob.is_some() && !packaging.is(desk, seq, document.kind)? {
            eligible.insert(seq, Eligible { id: document.id, date: document.date.map(|date| date.seconds) });
        }
    }
    Ok((eligible, withheld))
}

/// Why documents are published anew, by document: those corrections that no finished release has yet, with the time of the decision.
struct Corrections(BTreeMap<u64, (String, u64)>);

impl Corrections {
    fn of(desk: &Desk, collection: &Collection, origin: &str) -> Result<Self> {
        let mut new = BTreeMap::new();
        for seq in desk.decided(collection.id, State::Corrected)? {
            let Some(decision) = desk.decision(collection.id, seq)? else { continue };
            if decision.audit > desk.published_after(collection.id, origin, seq)? {
                new.insert(seq, (decision.note, decision.time));
            }
        }
        Ok(Self(new))
    }
}

/// Takes out what the archive says is withdrawn, unless it was corrected since: a desk that was restored from a backup may not know.
fn refuse_withdrawn(
    desk: &Desk,
    collection: &Collection,
    target: &Target,
    corrections: &Corrections,
    eligible: &mut BTreeMap<u64, Eligible>,
    withheld: &mut Vec<Refusal>,
) -> Result<()> {
    if target.withdrawn.is_empty() {
        return Ok(());
    }
    for (seq, number) in desk.numbers(collection.id, &target.origin)? {
        let Some(time) = target.withdrawn.get(&number) else { continue };
        let corrected = corrections.0.get(&seq).is_some_and(|(_, decided)| i64::try_from(*decided).is_ok_and(|decided| decided >= *time));
        if !corrected && eligible.remove(&seq).is_some() {
            let why = format!("it was withdrawn as {}/{number}; `daylight clear --correct` publishes it anew", collection.name);
            withheld.push(Refusal { id: desk.short_id(seq)?, why });
        }
    }
    Ok(())
}

fn still_clear(desk: &Desk, draft: u64, eligible: &BTreeMap<u64, Eligible>) -> Result<bool> {
    let mut last = None;
    loop {
        let lines = desk.draft_lines(draft, last, PAGE)?;
        let Some(line) = lines.last() else { return Ok(true) };
        last = Some(line.position);
        if lines.iter().any(|line| !eligible.contains_key(&line.line.seq)) {
            return Ok(false);
        }
    }
}

/// Makes the lines of a new draft.
struct Drafting<'a> {
    desk: &'a Desk,
    eligible: BTreeMap<u64, Eligible>,
    published: BTreeMap<u64, Published>,
    corrections: Corrections,
    /// Permanent numbers, those given before and those given now.
    numbers: BTreeMap<u64, u64>,
    /// The smallest number in each thread.
    threads: HashMap<u64, u64>,
}

impl<'a> Drafting<'a> {
    fn new(
        desk: &'a Desk,
        collection: &Collection,
        target: &Target,
        eligible: BTreeMap<u64, Eligible>,
        corrections: Corrections,
    ) -> Result<Self> {
        let published = desk.published(collection.id, &target.origin)?;
        let numbers = desk.numbers(collection.id, &target.origin)?;
        let mut drafting = Self { desk, eligible, published, corrections, numbers, threads: HashMap::new() };
        drafting.give_numbers(target.highest)?;
        drafting.find_threads()?;
        Ok(drafting)
    }

    /// Gives the next numbers to those that have none. One that was drafted but never published has its number already, and keeps it.
    fn give_numbers(&mut self, highest: u64) -> Result<()> {
        let mut items = Vec::new();
        for (seq, document) in self.eligible.iter().filter(|(seq, _)| !self.numbers.contains_key(seq)) {
            let parents = self.desk.parents(*seq)?.into_iter().map(|occurrence| (occurrence.parent, occurrence.ordinal));
            let parents = parents.filter(|(parent, _)| self.eligible.contains_key(parent)).collect();
            items.push(Item { seq: *seq, date: document.date, id: document.id, parents });
        }
        let mut next = self.numbers.values().copied().max().unwrap_or(0).max(highest);
        for seq in in_order(items) {
            next += 1;
            self.numbers.insert(seq, next);
        }
        Ok(())
    }

    /// Whether the public knows, or is about to know, this document under a number.
    fn public_number(&self, seq: u64) -> Option<u64> {
        let public = self.eligible.contains_key(&seq) || self.published.contains_key(&seq);
        self.numbers.get(&seq).copied().filter(|_| public)
    }

    fn find_threads(&mut self) -> Result<()> {
        for seq in self.eligible.keys().chain(self.published.keys()) {
            if let (Some(thread), Some(number)) = (self.desk.thread_of(*seq)?, self.public_number(*seq)) {
                let smallest = self.threads.entry(thread).or_insert(number);
                *smallest = number.min(*smallest);
            }
        }
        Ok(())
    }

    /// One line for each document that is new or not as it was published last, in the order of the numbers.
    fn lines(&self) -> Result<LinesAside> {
        let numbered = |seq: &u64| Some((*self.numbers.get(seq)?, *seq));
        let mut order: Vec<(u64, u64)> = self.eligible.keys().filter_map(numbered).collect();
        order.sort_unstable();
        let mut lines = self.desk.lines_aside()?;
        for (number, seq) in order {
            if let Some(line) = self.line(seq, number)? {
                lines.push(&line)?;
            }
        }
        Ok(lines)
    }

    /// The line of a document, unless it was published like this.
    fn line(&self, seq: u64, number: u64) -> Result<Option<NewLine>> {
        let from = self.desk.document(seq)?;
        let Some(digest) = from.blob else { return Ok(None) };
        let raw = Rendition { role: Role::Raw, digest, length: from.length, media_type: from.media_type.clone() };
        let (occurrences, files) = (self.occurrences(seq)?, self.files(seq, raw)?);
        let fingerprint = fingerprint(&occurrences, &files, &signatures(&from.verdicts));
        let (before, corrected) = (self.published.get(&seq), self.corrections.0.get(&seq));
        if corrected.is_none() && before.is_some_and(|before| before.fingerprint == fingerprint) {
            return Ok(None);
        }
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| Error::NoRandomness(error.to_string()))?;
        let reason = match (before, corrected) {
            (None, _) => "",
            (_, Some((reason, _))) => reason,
            (Some(_), None) => {
                "its text, its view, its pictures, its place in other documents or what is known of its signatures is not as it was"
            }
        };
        let document = self.document(from, Document { reason: reason.to_owned(), occurrences, files, ..blank(number, salt) })?;
        let parent = document.occurrences.first().map(|occurrence| occurrence.parent);
        let (thread, payload) = (document.thread, codec::encode(&document));
        Ok(Some(NewLine { seq, number, salt, parent, thread, fingerprint, payload }))
    }

    /// Fills in what the desk knows of a document.
    fn document(&self, from: daylight_store::Document, drafted: Document) -> Result<Document> {
        let seq = from.seq;
        let verdicts = from.all_verdicts();
        let message = from.message.unwrap_or_default();
        // What something else than a message is called on the desk may come from the trove's own file names.
        let given = drafted.occurrences.iter().find_map(|occurrence| occurrence.name.as_ref()).map(ToString::to_string);
        let thread = self.desk.thread_of(seq)?.and_then(|thread| self.threads.get(&thread).copied());
        let answers = self.desk.thread_node(seq)?.and_then(|node| self.public_number(node.parent?));
        let is_message = from.kind == Kind::Message;
        Ok(Document {
            kind: from.kind,
            title: if is_message { message.subject } else { given.unwrap_or_default() },
            media_type: from.media_type,
            language: from.language,
            dates: if is_message { message.dates } else { from.date.into_iter().collect() },
            people: message.people,
            verdicts,
            thread,
            answers,
            // What the walk met speaks of the trove's folders, which are nobody's business.
            faults: from.faults.into_iter().filter(|fault| fault.stage != Stage::Walk).collect(),
            ..drafted
        })
    }

    /// Where a document stands in others that are public.
    fn occurrences(&self, seq: u64) -> Result<Vec<Occurrence>> {
        let all = self.desk.parents(seq)?.into_iter();
        let public = all.filter(|occurrence| occurrence.parent != seq).filter_map(|occurrence| {
            let parent = self.public_number(occurrence.parent)?;
            Some(Occurrence { parent, ordinal: occurrence.ordinal, name: occurrence.name })
        });
        let mut public: Vec<Occurrence> = public.collect();
        public.sort_by_key(|occurrence| (occurrence.parent, occurrence.ordinal));
        Ok(public)
    }

    fn files(&self, seq: u64, raw: Rendition) -> Result<Vec<Rendition>> {
        let made = self.desk.renditions(seq)?.into_iter().map(|made| {
            let role = match made.role {
                RenditionRole::Text => Role::Text,
                RenditionRole::View => Role::View,
                RenditionRole::Page => Role::Page,
            };
            Rendition { role, digest: made.digest, length: made.length, media_type: made.media_type }
        });
        let mut files: Vec<Rendition> = std::iter::once(raw).chain(made).collect();
        files.sort_by_key(|file| file.role);
        Ok(files)
    }
}

/// A document of which nothing is known yet but number and salt.
fn blank(number: u64, salt: [u8; 32]) -> Document {
    Document {
        number,
        salt,
        kind: Kind::File,
        title: String::new(),
        media_type: String::new(),
        language: String::new(),
        dates: Vec::new(),
        people: Vec::new(),
        occurrences: Vec::new(),
        thread: None,
        answers: None,
        verdicts: Vec::new(),
        faults: Vec::new(),
        reason: String::new(),
        files: Vec::new(),
    }
}

/// What the next publish compares: the published bytes, the places in other published documents, and what was found of signatures.
fn fingerprint(occurrences: &[Occurrence], files: &[Rendition], signatures: &str) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(b"daylight-fingerprint/v1\n");
    for file in files {
        hasher.update(&[file.role as u8]);
        hasher.update(&file.digest.0);
    }
    for occurrence in occurrences {
        hasher.update(&occurrence.parent.to_be_bytes());
        hasher.update(&occurrence.ordinal.to_be_bytes());
        let name = occurrence.name.as_ref().map(|name| Digest::of(&name.0));
        hasher.update(&name.unwrap_or(Digest([0; 32])).0);
    }
    // Nothing is added where there is no signature, so that what was published before there were verdicts is as it was.
    hasher.update(signatures.as_bytes());
    hasher.finish()
}

/// What was found of signatures, as far as another finding is worth another publication.
fn signatures(verdicts: &[Verdict]) -> String {
    verdicts.iter().map(|verdict| format!("{}\n{}\n", verdict.key_name(), verdict.words().join(" "))).collect()
}
