//! Numbers and lines of a new draft.

use super::due::Due;
use super::{Result, Target};
use crate::Error;
use crate::codec;
use crate::document::{Document, Occurrence, Rendition, Role};
use crate::order::{Item, in_order};
use crate::seqs::Seqs;
use daylight_model::{Digest, Hasher, Kind, Stage, Verdict};
use daylight_store::{Collection, CollectionId, Desk, LinesAside, NewLine, RenditionRole};
use std::collections::HashMap;

/// Makes the lines of a new draft. Of each document it holds a few bytes.
pub(super) struct Drafting<'a> {
    desk: &'a Desk,
    collection: CollectionId,
    origin: &'a str,
    due: Due,
    /// The numbers that are given now, by document.
    given: Vec<(u64, u64)>,
    /// The smallest public number in each thread of more than one message that was asked for.
    threads: HashMap<u64, Option<u64>>,
}

impl<'a> Drafting<'a> {
    pub(super) fn new(desk: &'a Desk, collection: &Collection, target: &'a Target, due: Due) -> Result<Self> {
        let mut drafting =
            Self { desk, collection: collection.id, origin: &target.origin, due, given: Vec::new(), threads: HashMap::new() };
        drafting.give_numbers(target.highest)?;
        Ok(drafting)
    }

    /// Gives the next numbers to those that have none. One that was drafted but never published has its number already, and keeps it.
    fn give_numbers(&mut self, highest: u64) -> Result<()> {
        let mut new = Seqs::default();
        for seq in self.due.eligible.iter() {
            if self.desk.number(self.collection, self.origin, seq)?.is_none() {
                new.insert(seq);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut next = self.desk.highest_number(self.collection, self.origin)?.max(highest);
        let mut items = Vec::with_capacity(usize::try_from(new.len()).unwrap_or_default());
        for seq in new.iter() {
            let outline = self.desk.outline(seq)?;
            let inside = self.desk.parents(seq)?.iter().any(|occurrence| occurrence.parent != seq && new.contains(occurrence.parent));
            items.push(Item { seq, date: outline.date, id: outline.id.into(), inside });
        }
        let mut given = Vec::with_capacity(items.len());
        in_order(
            items,
            |seq| self.inside(seq, &new),
            |seq| {
                next += 1;
                given.push((seq, next));
            },
        )?;
        given.sort_unstable();
        self.given = given;
        Ok(())
    }

    /// Which of these documents stand in a document, in their order there.
    fn inside(&self, seq: u64, of: &Seqs) -> Result<Vec<u64>> {
        let mut children = Vec::new();
        for occurrence in self.desk.children(seq)?.into_iter().filter(|occurrence| of.contains(occurrence.child)) {
            children.push((occurrence.ordinal, occurrence.child));
        }
        // Two at one place are rare, and are then told apart by what does not depend on the desk.
        if children.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            let mut keyed = Vec::with_capacity(children.len());
            for (ordinal, child) in children {
                let outline = self.desk.outline(child)?;
                keyed.push(((ordinal, outline.date.is_none(), outline.date, outline.id), child));
            }
            keyed.sort_unstable();
            return Ok(keyed.into_iter().map(|(_, child)| child).collect());
        }
        Ok(children.into_iter().map(|(_, child)| child).collect())
    }

    /// The number of a document, given before or now.
    fn number(&self, seq: u64) -> Result<Option<u64>> {
        match self.given.binary_search_by_key(&seq, |(seq, _)| *seq) {
            Ok(at) => Ok(Some(self.given[at].1)),
            Err(_) => Ok(self.desk.number(self.collection, self.origin, seq)?),
        }
    }

    /// Under which number the public knows, or is about to know, this document.
    fn public_number(&self, seq: u64) -> Result<Option<u64>> {
        let public = self.due.eligible.contains(seq) || self.due.published.contains(seq);
        if public { self.number(seq) } else { Ok(None) }
    }

    /// The smallest public number in a message's thread.
    fn thread(&mut self, seq: u64) -> Result<Option<u64>> {
        let Some(thread) = self.desk.thread_of(seq)? else { return Ok(None) };
        if let Some(known) = self.threads.get(&thread) {
            return Ok(*known);
        }
        let members = self.desk.thread_members(thread)?;
        let mut smallest: Option<u64> = None;
        for member in &members {
            let number = self.public_number(member.seq)?;
            smallest = smallest.into_iter().chain(number).min();
        }
        // Most are threads of one, and are not asked for again.
        if members.len() > 1 {
            self.threads.insert(thread, smallest);
        }
        Ok(smallest)
    }

    /// One line for each document that is new or not as it was published last, in the order of the numbers, and what else is to be known of a draft of them.
    pub(super) fn lines(mut self) -> Result<(LinesAside, Due)> {
        let mut order = Vec::with_capacity(usize::try_from(self.due.eligible.len()).unwrap_or_default());
        for seq in self.due.eligible.iter() {
            order.extend(self.number(seq)?.map(|number| (number, seq)));
        }
        order.sort_unstable();
        let mut lines = self.desk.lines_aside()?;
        for (number, seq) in order {
            if let Some(line) = self.line(seq, number)? {
                lines.push(&line)?;
            }
        }
        #[cfg(debug_assertions)]
        self.check_the_rest()?;
        Ok((lines, self.due))
    }

    /// What was not looked at must be as it was published. This looks at all of it, and only in a build for tests.
    #[cfg(debug_assertions)]
    fn check_the_rest(&mut self) -> Result<()> {
        let mut packaging = crate::standing::Packaging::default();
        let rest: Vec<u64> = self.due.published.iter().filter(|seq| !self.due.eligible.contains(*seq)).collect();
        for seq in rest {
            let (Ok(outline), Some(number)) = (self.desk.outline(seq), self.number(seq)?) else { continue };
            let withheld = self.due.withheld.iter().any(|refusal| outline.id.to_string().starts_with(&refusal.id));
            let cleared = self.desk.state(self.collection, seq)?.is_some_and(daylight_store::State::may_be_published);
            if cleared
                && !withheld
                && outline.has_bytes
                && !packaging.is(self.desk, seq, outline.kind)?
                && self.line(seq, number)?.is_some()
            {
                // Somebody may have written since this began; then it is looked at the next time.
                let since = self.due.seen.zip(self.desk.seen().ok()).is_some_and(|(then, now)| then == now);
                assert!(!since, "document {seq} is not as it was published, and nobody noted that");
            }
        }
        Ok(())
    }

    /// The line of a document, unless it was published like this.
    fn line(&mut self, seq: u64, number: u64) -> Result<Option<NewLine>> {
        let from = self.desk.document(seq)?;
        let Some(digest) = from.blob else { return Ok(None) };
        let raw = Rendition { role: Role::Raw, digest, length: from.length, media_type: from.media_type.clone() };
        let (occurrences, files) = (self.occurrences(seq)?, self.files(seq, raw)?);
        let fingerprint = fingerprint(&occurrences, &files, &signatures(&from.verdicts));
        let before = if self.due.published.contains(seq) { self.desk.published(self.collection, self.origin, seq)? } else { None };
        let corrected = self.due.corrections.0.get(&seq);
        if corrected.is_none() && before.is_some_and(|before| before.fingerprint == fingerprint) {
            return Ok(None);
        }
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| Error::NoRandomness(error.to_string()))?;
        let reason = match (before, corrected) {
            (None, _) => "",
            (_, Some((reason, _))) => reason.as_str(),
            (Some(_), None) => {
                "its text, its view, its pictures, its place in other documents or what is known of its signatures is not as it was"
            }
        };
        let reason = reason.to_owned();
        let document = self.document(from, Document { reason, occurrences, files, ..blank(number, salt) })?;
        let parent = document.occurrences.first().map(|occurrence| occurrence.parent);
        let (thread, payload) = (document.thread, codec::encode(&document));
        Ok(Some(NewLine { seq, number, salt, parent, thread, fingerprint, payload }))
    }

    /// Fills in what the desk knows of a document.
    fn document(&mut self, from: daylight_store::Document, drafted: Document) -> Result<Document> {
        let seq = from.seq;
        let verdicts = from.all_verdicts();
        let message = from.message.unwrap_or_default();
        // What something else than a message is called on the desk may come from the trove's own file names.
        let given = drafted.occurrences.iter().find_map(|occurrence| occurrence.name.as_ref()).map(ToString::to_string);
        let thread = self.thread(seq)?;
        let answered = self.desk.thread_node(seq)?.and_then(|node| node.parent);
        let answers = answered.map(|answered| self.public_number(answered)).transpose()?.flatten();
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
        let mut public = Vec::new();
        for occurrence in self.desk.parents(seq)?.into_iter().filter(|occurrence| occurrence.parent != seq) {
            if let Some(parent) = self.public_number(occurrence.parent)? {
                public.push(Occurrence { parent, ordinal: occurrence.ordinal, name: occurrence.name });
            }
        }
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
