//! How documents of a collection stand, looked up in the desk's decisions.

use crate::rule::{self, Standing};
use crate::seqs::Seqs;
use crate::{Error, Refusal, Result};
use daylight_model::Kind;
use daylight_store::{Collection, Desk, State};
use std::collections::{HashMap, HashSet};

/// The collection of this name, which must exist.
pub(crate) fn collection(desk: &Desk, name: &str) -> Result<Collection> {
    desk.collection(name)?.ok_or_else(|| Error::NoCollection(name.to_owned()))
}

/// Tells packaging from documents: a container that stands in nothing but containers up to the trove's root is how the trove came, not part of
/// what it says. One that is attached to a message is a document like any other.
#[derive(Default)]
pub(crate) struct Packaging {
    known: HashMap<u64, bool>,
}

impl Packaging {
    pub(crate) fn is(&mut self, desk: &Desk, seq: u64, kind: Kind) -> Result<bool> {
        if kind != Kind::Container {
            return Ok(false);
        }
        if let Some(known) = self.known.get(&seq) {
            return Ok(*known);
        }
        // Every ancestor must be a container; each is looked at once, for one may stand in itself.
        let mut seen = HashSet::from([seq]);
        let mut stack = vec![seq];
        let mut packaging = true;
        while let Some(inner) = stack.pop() {
            for outer in desk.parents(inner)? {
                if seen.insert(outer.parent) {
                    packaging &= desk.outline(outer.parent)?.kind == Kind::Container;
                    stack.push(outer.parent);
                }
            }
        }
        self.known.insert(seq, packaging);
        Ok(packaging)
    }
}

/// What was decided in a collection, and what is about to be.
pub(crate) struct Decisions<'a> {
    desk: &'a Desk,
    collection: &'a Collection,
    /// What may be published, as far as it was looked up already.
    pub(crate) cleared: Seqs,
    /// What is being cleared now, or published again in spite of a withdrawal.
    pub(crate) chosen: Seqs,
}

impl<'a> Decisions<'a> {
    /// Each is looked up when it is asked for.
    pub(crate) fn of(desk: &'a Desk, collection: &'a Collection) -> Self {
        Self { desk, collection, cleared: Seqs::default(), chosen: Seqs::default() }
    }

    /// What may be published is looked up at once.
    pub(crate) fn looked_up(desk: &'a Desk, collection: &'a Collection) -> Result<Self> {
        let mut decisions = Self::of(desk, collection);
        desk.each_decided(collection.id, &mut |seq, state| {
            if state.may_be_published() {
                decisions.cleared.insert(seq);
            }
        })?;
        Ok(decisions)
    }

    /// How one document stands.
    pub(crate) fn standing(&self, seq: u64) -> Result<Standing> {
        if self.cleared.contains(seq) {
            return Ok(Standing::Cleared);
        }
        let chosen = self.chosen.contains(seq);
        Ok(match self.desk.state(self.collection.id, seq)? {
            Some(State::Held) => Standing::Held,
            Some(State::Withdrawn) if chosen => Standing::Chosen,
            Some(State::Withdrawn) => Standing::Withdrawn,
            Some(State::Cleared | State::Corrected) => Standing::Cleared,
            None if chosen => Standing::Chosen,
            None if !self.desk.outline(seq)?.has_bytes => Standing::NoBytes,
            None => Standing::Unread,
        })
    }

    /// Which of these documents, or of what is inside them, hold something that is not clear: see [`rule::blocked`].
    pub(crate) fn blocked(&self, candidates: &[u64]) -> Result<HashMap<u64, (u64, Standing)>> {
        let children = |seq| Ok::<_, Error>(self.desk.children(seq)?.into_iter().map(|occurrence| occurrence.child).collect());
        rule::blocked(candidates, |seq| self.standing(seq), children)
    }
}

/// Says why a document is refused that holds another which is not clear.
pub(crate) fn refusal(desk: &Desk, seq: u64, (inner, stands): (u64, Standing)) -> Result<Refusal> {
    let why = format!("it contains {}, which {}", desk.short_id(inner)?, stands.words());
    Ok(Refusal { id: desk.short_id(seq)?, why })
}
