//! What the house answers to each question.

use super::{BURST, Counter, FASTEST, Paid, QUESTIONS, Reading};
use crate::circuits::Cost;
use crate::days::Mark;
use crate::hatch::{Flash, Held, Keeper, PIECE, Refusal};
use crate::session::same;
use crate::store::{Kind, LONGEST_REPLY, Lookup, UNACCEPTED_BYTES, Usage, list, today};
use crate::upload::{LONGEST_FORM, longest, shortest};
use daylight_model::Digest;
use std::io::{self, Read as _, Write as _};
use tokio::time::Instant;

impl Keeper for Counter {
    fn allows(&mut self, cost: u8) -> bool {
        let allowed = Cost::ALL.get(usize::from(cost)).is_some_and(|cost| self.house.circuits.allows(self.line.circuit(), *cost));
        if allowed {
            let dear = Cost::ALL.get(usize::from(cost)) == Some(&Cost::Mailbox);
            (self.left, self.paid) = (QUESTIONS, Paid { session: dear, replies: dear, forgetting: dear });
        }
        allowed
    }

    fn place(&mut self) -> bool {
        // It may have to be waited for, and so it is answered before any other question is looked at.
        false
    }

    fn leave(&mut self) {
        (self.place, self.incoming) = (None, None);
        self.left = self.left.min(QUESTIONS);
    }

    fn came(&mut self, bytes: u64) {
        if let Some(place) = &mut self.place {
            let most = BURST + FASTEST * place.heard.elapsed().as_secs_f64();
            place.heard = Instant::now();
            place.seat.came(bytes.min(most as u64));
        }
    }

    fn mark(&mut self, mark: u8) {
        if let Some(mark) = Mark::ALL.get(usize::from(mark)).filter(|mark| **mark != Mark::Collected) {
            self.house.note(*mark);
        }
    }

    fn visit(&mut self, name: [u8; 32]) -> Option<Held> {
        self.house.sessions.visit(&name)
    }

    fn begin_session(&mut self, name: [u8; 32], seed: [u8; 32], words: Option<[u8; 128]>, slip: bool) {
        if std::mem::take(&mut self.paid.session) {
            self.house.sessions.begin(name, seed, words, slip);
        }
    }

    fn words(&mut self, name: [u8; 32]) -> Option<[u8; 128]> {
        self.house.sessions.words(&name)
    }

    fn hide_words(&mut self, name: [u8; 32]) {
        self.house.sessions.hide_words(&name);
    }

    fn note(&mut self, name: [u8; 32], flash: Flash) {
        self.house.sessions.note(&name, flash);
    }

    fn flash(&mut self, name: [u8; 32]) -> Option<Flash> {
        self.house.sessions.flash(&name)
    }

    fn end_session(&mut self, name: [u8; 32]) {
        self.house.sessions.end(&name);
    }

    fn outer_forms(&mut self) -> (String, String) {
        let today = today();
        (self.house.sessions.outer_form(today), self.house.sessions.outer_form(today.saturating_sub(1)))
    }

    fn usage(&mut self, lookup: Lookup) -> Usage {
        self.house.store.usage(&lookup)
    }

    fn has_room(&mut self, length: u64) -> bool {
        // Whoever could ask as often as they like would see how the disk fills while others send.
        match &mut self.place {
            Some(place) if !place.asked && length <= LONGEST_FORM => {
                place.asked = true;
                self.house.store.has_room(length)
            }
            _ => false,
        }
    }

    fn begin(&mut self, lookup: Lookup) -> Result<(), Refusal> {
        self.incoming = None;
        let place = self.place.as_mut().ok_or(Refusal::Failed)?;
        if *place.of.get_or_insert(lookup) != lookup {
            return Err(Refusal::Failed);
        }
        place.envelopes = place.envelopes.checked_sub(1).ok_or(Refusal::Failed)?;
        let usage = self.house.store.usage(&lookup);
        let most = if usage.accepted { longest() } else { longest().min(UNACCEPTED_BYTES.saturating_sub(usage.bytes)) };
        self.incoming = Some((self.house.store.begin(Kind::Envelope, lookup)?, most));
        Ok(())
    }

    fn push(&mut self, bytes: Vec<u8>) -> Result<(), Refusal> {
        let (Some((incoming, room)), Some(place)) = (&mut self.incoming, &mut self.place) else { return Err(Refusal::Failed) };
        *room = room.checked_sub(bytes.len() as u64).ok_or(Refusal::Unaccepted)?;
        place.bytes = place.bytes.checked_sub(bytes.len() as u64).ok_or(Refusal::Failed)?;
        incoming.write_all(&bytes).map_err(|error| Refusal::of(&error))
    }

    fn keep(&mut self) -> Result<Digest, Refusal> {
        let incoming = self.incoming.take().filter(|_| self.place.is_some());
        let (incoming, _) = incoming.ok_or(Refusal::Failed)?;
        // What cannot be an envelope would only make the newsroom's list longer.
        if incoming.length() < shortest() {
            return Err(Refusal::Failed);
        }
        Ok(self.house.store.keep(incoming)?.id)
    }

    fn abandon(&mut self) {
        self.incoming = None;
    }

    fn replies(&mut self, lookup: Lookup) -> Vec<(Digest, u64)> {
        if !std::mem::take(&mut self.paid.replies) {
            return Vec::new();
        }
        self.house.store.replies(&lookup)
    }

    fn reply(&mut self, id: Digest) -> Result<Vec<u8>, Refusal> {
        Ok(self.house.store.reply(&id)?)
    }

    fn read_in_vain(&mut self) -> Vec<u8> {
        self.house.store.read_in_vain();
        // As much as a reply of the usual length is passed on, and means nothing to whoever gets it.
        vec![0; usize::try_from(daylight_envelope::reply_length(0)).unwrap_or_default()]
    }

    fn forget(&mut self, lookup: Lookup) -> Result<(), Refusal> {
        if !std::mem::take(&mut self.paid.forgetting) {
            return Err(Refusal::Failed);
        }
        Ok(self.house.store.forget(&lookup)?)
    }

    fn recipients(&mut self) -> (u32, Vec<u8>) {
        let today = today();
        let recipients = self.house.home.keys().map(|keys| keys.recipients(today)).unwrap_or_default();
        (today, recipients.iter().flat_map(|recipient| recipient.to_bytes()).collect())
    }

    fn editors(&mut self) -> Vec<[u8; 32]> {
        self.house.home.keys().map(|keys| keys.editors.clone()).unwrap_or_default()
    }

    fn directory(&mut self) -> Option<Vec<u8>> {
        self.house.home.keys().map(|keys| keys.bytes.clone())
    }

    fn is_collector(&mut self, token: String) -> bool {
        // Compared by the hash, so that the time it takes says nothing of the token.
        let is = same(&Digest::of(token.as_bytes()).to_string(), &self.house.home.collector.to_string());
        if is && !self.collects {
            self.collects = true;
            self.line.spare_for_good();
        }
        is
    }

    fn open_list(&mut self) -> Result<u64, Refusal> {
        self.collector()?;
        self.house.note(Mark::Collected);
        let list = list(&self.house.store.envelopes());
        let length = list.len() as u64;
        self.reading = Some((Box::new(io::Cursor::new(list)), length));
        Ok(length)
    }

    fn done(&mut self, ids: Vec<Digest>) -> Result<(), Refusal> {
        self.collector()?;
        Ok(self.house.store.done(&ids)?)
    }

    fn accept(&mut self, lookups: Vec<Lookup>) -> Result<(), Refusal> {
        self.collector()?;
        Ok(lookups.into_iter().try_for_each(|lookup| self.house.store.accept(lookup))?)
    }

    fn forget_answers(&mut self, lookups: Vec<Lookup>) -> Result<(), Refusal> {
        self.collector()?;
        Ok(lookups.iter().try_for_each(|lookup| self.house.store.forget_answers(lookup))?)
    }

    fn put_reply(&mut self, lookup: Lookup, sealed: Vec<u8>) -> Result<Digest, Refusal> {
        self.collector()?;
        if sealed.len() > LONGEST_REPLY {
            return Err(Refusal::Failed);
        }
        Ok(self.house.store.put_reply(lookup, &sealed)?.id)
    }

    fn put_directory(&mut self, bytes: Vec<u8>) -> Option<String> {
        if !self.collects {
            return Some(Refusal::Failed.to_string());
        }
        if let Err(why) = self.house.home.put_directory(&bytes) {
            return Some(why.to_string());
        }
        if let Some(keys) = self.house.home.keys() {
            keys.prepare(today());
        }
        None
    }

    fn open_envelope(&mut self, id: Digest) -> Result<Option<u64>, Refusal> {
        self.collector()?;
        self.reading = self.house.store.envelope(&id)?.map(|(file, length)| (Box::new(file) as Reading, length));
        Ok(self.reading.as_ref().map(|(_, length)| *length))
    }

    fn read(&mut self) -> Vec<u8> {
        let Some((from, left)) = &mut self.reading else { return Vec::new() };
        let mut piece = vec![0; PIECE.min(usize::try_from(*left).unwrap_or(PIECE))];
        if from.read_exact(&mut piece).is_err() {
            piece.clear();
        }
        *left -= piece.len() as u64;
        piece
    }
}
