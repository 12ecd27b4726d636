//! Storing what came of reading something again: it takes the place of what was read before, and what is not met any more gives way, unless somebody
//! decided on it. What says less than was known is not taken.
//!
//! The document itself is written with the last of what stands in it, in one transaction: killed before that, it still has the fault for which it
//! was to be read again.

use crate::Error;
use crate::assemble::Doc;
use crate::commit::{Committer, Known, OpenRoot, is_deferred, new_document, settle_text, title};
use crate::lease::{Again, Opened, Origin};
use daylight_model::{Fault, FaultCode, Kind, Stage};
use daylight_store::{BlobId, Counted, LongText, NewDocument, Reread, parse_reader};
use std::collections::HashSet;

impl Committer<'_> {
    /// Stores the documents of a piece of something that is read again.
    pub(crate) fn store_again(&mut self, opened: &Opened, again: &Again, docs: Vec<Doc>, cursor: Option<u64>) -> Result<(), Error> {
        // It may have given way to another since it was opened.
        let Some(blob) = self.writer.blob_of(again.seq)? else { return Ok(()) };
        let mut open = match self.open.remove(&opened.number) {
            Some(open) => open,
            None => OpenRoot { encrypted: self.encrypted(again, again.seq)?, ..OpenRoot::default() },
        };
        let mut docs = docs.into_iter();
        let Some(mut root) = docs.next() else { return Ok(()) };
        self.keep_what_parents_said(again.seq, &mut root)?;
        root.faults.extend(opened.unpacked.as_ref().and_then(|unpacked| unpacked.fault.clone()));
        let docs: Vec<Doc> = docs.collect();
        let holds = !docs.is_empty() || open.root.is_some();
        if let Some(number) = root.password {
            open.opened_by.insert(number);
        }
        let long = settle_text(&mut root)?;
        let name = title(&root, &again.name);
        let new = new_document(&root, blob, &name);
        if cursor.is_none() && long.is_none() && self.writer.says_less(again.seq, &new, holds)? {
            self.again.worse += 1;
            return self.conclude(opened, again, &open, again.seq);
        }
        let seq = self.root_of(again, (&new, long.as_ref()), &mut open, (cursor, holds))?;
        open.root = Some((seq, blob));
        let mut known = Known::from([(0, (seq, blob))]);
        let parents: HashSet<u32> = docs.iter().filter_map(|doc| doc.parent).collect();
        let mut containers = Vec::new();
        for doc in docs {
            let counted = doc.counted.filter(|_| doc.kind == Kind::Container);
            let attached = doc.parent.is_some_and(|parent| parent > 0 || root.kind == Kind::Message) || again.in_message;
            let holds = parents.contains(&doc.index);
            let (index, seq, blob) = self.document_again(opened, again, doc, &known, &mut open, (holds, attached))?;
            containers.extend(counted.map(|counted| (seq, counted)));
            known.insert(index, (seq, blob));
        }
        if cursor.is_none() {
            self.judge(&root, seq)?;
            self.note_words(&root, seq)?;
            self.give_way(again, &mut open, seq)?;
            containers.extend(root.counted.filter(|_| root.kind == Kind::Container).map(|counted| (seq, counted)));
        }
        for (seq, (expected, _, _)) in containers {
            let (read, failed) = self.writer.count_children(seq)?;
            self.writer.set_counted(seq, Counted { expected, read, failed })?;
        }
        match cursor {
            None => self.conclude(opened, again, &open, seq)?,
            Some(cursor) => {
                self.spend(opened, again, &open)?;
                self.writer.set_deferred(again.seq, again.deferred.then_some(cursor))?;
            }
        }
        self.open.insert(opened.number, open);
        Ok(())
    }

    /// No reader survived it: what was read before stays, and where there was nothing, that is said anew.
    pub(crate) fn gave_up(&mut self, opened: &Opened, fault: Fault) -> Result<(), Error> {
        let Origin::Desk(again) = &opened.origin else { return Ok(()) };
        if !self.writer.exists(again.seq)? {
            return Ok(());
        }
        let open = self.open.remove(&opened.number).unwrap_or_default();
        let before = self.writer.reading_faults(again.seq)?;
        let is_unread = |code| matches!(code, FaultCode::Deferred | FaultCode::ReaderDied | FaultCode::TooSlow | FaultCode::NoProgram);
        // What was never read, because it waited or because its reader died, has this to say of it now.
        if before.iter().any(|fault| is_unread(fault.code)) {
            self.writer.set_faults(again.seq, &[fault])?;
            self.summary.faults += u64::from(again.deferred);
        } else {
            self.again.worse += 1;
        }
        self.conclude(opened, again, &open, again.seq)
    }

    /// The row of the document itself: written when all of it is there, and before only where it is of another kind than it was, so that what stands in it
    /// has something to stand in.
    fn root_of(
        &mut self,
        again: &Again,
        (new, long): (&NewDocument<'_>, Option<&LongText>),
        open: &mut OpenRoot,
        (cursor, holds): (Option<u64>, bool),
    ) -> Result<u64, Error> {
        let old = self.writer.known(&new.id)?;
        if old.is_some_and(|seq| !open.unmet.contains_key(&seq)) && open.root.is_none() && !again.deferred {
            let seq = old.unwrap_or(again.seq);
            let unmet = self.writer.places_in(seq)?;
            open.unmet.insert(seq, unmet);
        }
        if cursor.is_some() {
            return Ok(match old {
                Some(seq) => seq,
                None => {
                    self.again.documents += 1;
                    self.writer.document_with(new, long)?.0
                }
            });
        }
        let (seq, became) = self.writer.document_again(new, long, holds)?;
        open.changed |= !matches!(became, Reread::Same);
        self.again.documents += u64::from(became == Reread::New);
        if again.deferred {
            self.summary.faults += new.faults.len() as u64;
            self.progress.stored(0, new.faults.len() as u64);
        }
        for collection in &again.collections {
            self.writer.member(*collection, seq)?;
        }
        Ok(seq)
    }

    fn document_again(
        &mut self,
        opened: &Opened,
        again: &Again,
        mut doc: Doc,
        known: &Known,
        open: &mut OpenRoot,
        (holds, attached): (bool, bool),
    ) -> Result<(u32, u64, BlobId), Error> {
        open.spent += doc.cost();
        let blob = self.blob(opened, &doc, known)?;
        let long = settle_text(&mut doc)?;
        let name = title(&doc, &again.name);
        let new = new_document(&doc, blob, &name);
        let (seq, became) = self.writer.document_again(&new, long.as_ref(), holds)?;
        self.again.documents += u64::from(became == Reread::New);
        if became == Reread::New || again.deferred {
            self.count(&new, became == Reread::New, attached);
        }
        if let Some(number) = doc.password {
            open.opened_by.insert(number);
        }
        open.changed |= matches!(became, Reread::New | Reread::Replaced);
        if matches!(became, Reread::Same | Reread::Replaced) && !open.unmet.contains_key(&seq) {
            let unmet = self.writer.places_in(seq)?;
            open.unmet.insert(seq, unmet);
        }
        if became == Reread::New {
            self.forget_again(&doc, seq)?;
        }
        if became != Reread::Worse {
            self.judge(&doc, seq)?;
            self.note_words(&doc, seq)?;
        }
        if let Some((parent, _)) = doc.parent.and_then(|parent| known.get(&parent))
            && let Some(unmet) = open.unmet.get_mut(parent)
        {
            unmet.remove(&(doc.ordinal, seq));
        }
        self.place(&doc, seq, known)?;
        for collection in &again.collections {
            self.writer.member(*collection, seq)?;
        }
        // What waits in what waited is read by itself in its turn; what is the same as what it stands in would wait for ever.
        if is_deferred(&doc)
            && seq != again.seq
            && became != Reread::Worse
            && let Some((collection, path)) = &again.file
        {
            self.writer.defer(seq, *collection, path)?;
            open.defers = true;
        }
        Ok((doc.index, seq, blob))
    }

    /// What stood there and was not met again goes, and so does the document itself if it turned out to be another.
    fn give_way(&mut self, again: &Again, open: &mut OpenRoot, seq: u64) -> Result<(), Error> {
        let mut moved = (0, 0);
        for (parent, places) in std::mem::take(&mut open.unmet) {
            for (ordinal, child) in places {
                let (went, stayed) = self.writer.remove_place(parent, ordinal, child)?;
                moved = (moved.0 + went, moved.1 + stayed);
            }
        }
        if seq != again.seq {
            let (went, stayed) = self.writer.supersede(again.seq, seq)?;
            moved = (moved.0 + went, moved.1 + stayed);
            open.changed = true;
        }
        open.changed |= moved.0 > 0;
        self.again.gone += moved.0;
        self.again.kept += moved.1;
        Ok(())
    }

    /// The reading of a document is over: what holds it is counted anew, it waits no more, and the passwords that opened it are kept.
    fn conclude(&mut self, opened: &Opened, again: &Again, open: &OpenRoot, seq: u64) -> Result<(), Error> {
        self.spend(opened, again, open)?;
        self.writer.set_deferred(again.seq, None)?;
        self.writer.count_again_above(seq)?;
        self.again.documents_read += 1;
        self.again.changed += u64::from(open.changed);
        for number in &open.opened_by {
            if let Some(password) = opened.passwords.get(*number as usize) {
                self.writer.keep_password(seq, password)?;
            }
        }
        if open.encrypted > self.encrypted(again, seq)? {
            self.again.unlocked += 1;
            // A reader that does not say which password it was leaves all that were tried.
            if open.opened_by.is_empty() {
                for password in &opened.passwords[..again.tried] {
                    self.writer.keep_password(seq, password)?;
                }
            }
        }
        Ok(())
    }

    /// How much of a document is encrypted, where passwords are tried on it.
    fn encrypted(&self, again: &Again, seq: u64) -> Result<u64, Error> {
        Ok(if again.tried > 0 { self.writer.encrypted_within(seq)? } else { 0 })
    }

    /// What is left of a file's budget after what waited of it was read, or if something of it waits now.
    fn spend(&mut self, opened: &Opened, again: &Again, open: &OpenRoot) -> Result<(), Error> {
        if let Some((collection, path)) = again.file.as_ref().filter(|_| again.deferred || open.defers) {
            self.writer.set_remaining(*collection, path, opened.budget.saturating_sub(open.spent))?;
        }
        Ok(())
    }

    /// What was said of a document by what holds it holds still: a name that climbs out, an end that is missing.
    fn keep_what_parents_said(&mut self, seq: u64, root: &mut Doc) -> Result<(), Error> {
        let own = parse_reader(root.tool).map_or(root.tool, |(name, _)| name);
        let parents = self.writer.readers_above(seq)?;
        for fault in self.writer.reading_faults(seq)? {
            let name = parse_reader(&fault.tool).map_or(fault.tool.as_str(), |(name, _)| name);
            // Where both have one reader, what the parent said is told by its own words for that alone.
            let by_parent = match name.strip_prefix("in ") {
                Some(parent) => parents.iter().any(|one| one == parent),
                None => fault.stage == Stage::Split && name != own && parents.iter().any(|parent| parent == name),
            };
            if (by_parent || fault.code == FaultCode::UnsafeName) && !root.faults.contains(&fault) {
                root.faults.push(fault);
            }
        }
        Ok(())
    }
}
