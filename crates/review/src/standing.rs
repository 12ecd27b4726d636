//! How documents of a collection stand, looked up in the desk's decisions.

use crate::rule::{self, Standing};
use crate::{Error, Refusal, Result};
use daylight_model::Kind;
use daylight_store::{Collection, Desk, State};
use std::collections::{HashMap, HashSet};

/// How many documents are asked for at once.
const PAGE: usize = 10_000;

/// The collection of this name, which must exist.
pub(crate) fn collection(desk: &Desk, name: &str) -> Result<Collection> {
    desk.collection(name)?.ok_or_else(|| Error::NoCollection(name.to_owned()))
}

/// Every document of a collection, in rising order.
pub(crate) fn members(desk: &Desk, collection: &Collection) -> Result<Vec<u64>> {
    let mut members: Vec<u64> = Vec::new();
    loop {
        let page = desk.members(collection.id, members.last().copied().unwrap_or(0), PAGE)?;
        if page.is_empty() {
            return Ok(members);
        }
        members.extend(page);
    }
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
                    packaging &= desk.document(outer.parent)?.kind == Kind::Container;
                    stack.push(outer.parent);
                }
            }
        }
        self.known.insert(seq, packaging);
        Ok(packaging)
    }
}

/// How one document stands; `chosen` are being cleared now, or published again in spite of a withdrawal.
pub(crate) fn standing(desk: &Desk, collection: &Collection, chosen: &HashSet<u64>, seq: u64) -> Result<Standing> {
    Ok(match desk.state(collection.id, seq)? {
        Some(State::Held) => Standing::Held,
        Some(State::Withdrawn) if chosen.contains(&seq) => Standing::Chosen,
        Some(State::Withdrawn) => Standing::Withdrawn,
        Some(State::Cleared | State::Corrected) => Standing::Cleared,
        None if chosen.contains(&seq) => Standing::Chosen,
        None if desk.document(seq)?.blob.is_none() => Standing::NoBytes,
        None => Standing::Unread,
    })
}

/// Which of these documents, or of what is inside them, hold something that is not clear: see [`rule::blocked`].
pub(crate) fn blocked(
    desk: &Desk,
    collection: &Collection,
    candidates: &[u64],
    chosen: &HashSet<u64>,
) -> Result<HashMap<u64, (u64, Standing)>> {
    let children = |seq| Ok::<_, Error>(desk.children(seq)?.into_iter().map(|occurrence| occurrence.child).collect());
    rule::blocked(candidates, |seq| standing(desk, collection, chosen, seq), children)
}

/// Says why a document is refused that holds another which is not clear.
pub(crate) fn refusal(desk: &Desk, seq: u64, (inner, stands): (u64, Standing)) -> Result<Refusal> {
    let why = format!("it contains {}, which {}", desk.short_id(inner)?, stands.words());
    Ok(Refusal { id: desk.short_id(seq)?, why })
}
