//! Which documents a release may have, and which need not be looked at.

use super::Target;
use crate::rule::Standing;
use crate::seqs::Seqs;
use crate::standing::{Decisions, Packaging, refusal};
use crate::{Refusal, Result};
use daylight_store::{Collection, Desk, Seen, State};
use std::collections::BTreeMap;

/// What is due: documents that may be published, and are not or perhaps not as they are now.
pub(super) struct Due {
    /// Cleared, without anything inside that is not, and to be looked at.
    pub(super) eligible: Seqs,
    /// What was published before, in whatever release.
    pub(super) published: Seqs,
    pub(super) corrections: Corrections,
    /// Cleared, and not to be published because of what they contain now.
    pub(super) withheld: Vec<Refusal>,
    /// Published, perhaps not as they are now, and not eligible: whenever they are again, they are to be looked at.
    pub(super) again: Vec<u64>,
    /// The moment before all this was looked up.
    pub(super) seen: Option<Seen>,
}

impl Due {
    /// Looks through what was cleared and not published yet, and through what may not be as it was published. A collection of millions, of which most was
    /// published, costs what is new in it.
    pub(super) fn of(desk: &Desk, collection: &Collection, target: &Target) -> Result<Self> {
        let seen = desk.seen()?;
        let decisions = Decisions::looked_up(desk, collection)?;
        let published = published(desk, collection, target)?;
        let corrections = Corrections::of(desk, collection, &target.origin)?;
        let (mut candidates, mut changed) = (Seqs::default(), Seqs::default());
        match desk.stale(collection.id, &target.origin)? {
            Some(stale) => {
                candidates = unpublished(desk, &decisions.cleared, &published)?;
                changed = stale.into_iter().filter(|seq| published.contains(*seq)).collect();
                let again = changed.iter().chain(corrections.0.keys().copied());
                again.filter(|seq| decisions.cleared.contains(*seq)).for_each(|seq| {
                    candidates.insert(seq);
                });
            }
            None => candidates.clone_from(&decisions.cleared),
        }
        let mut due = Self::look(desk, collection, target, &decisions, &candidates, corrections)?;
        due.seen = Some(seen);
        let left = |seq: &u64| published.contains(*seq) && !due.eligible.contains(*seq);
        due.again = changed.iter().chain(candidates.iter()).filter(left).collect();
        due.published = published;
        Ok(due)
    }

    /// Looks through these documents alone.
    pub(super) fn among(desk: &Desk, collection: &Collection, target: &Target, documents: &Seqs) -> Result<Self> {
        let decisions = Decisions::looked_up(desk, collection)?;
        let corrections = Corrections::of(desk, collection, &target.origin)?;
        Self::look(desk, collection, target, &decisions, documents, corrections)
    }

    fn look(
        desk: &Desk,
        collection: &Collection,
        target: &Target,
        decisions: &Decisions<'_>,
        candidates: &Seqs,
        corrections: Corrections,
    ) -> Result<Self> {
        let (eligible, blocked) = eligible(desk, decisions, candidates)?;
        let withheld = blocked.iter().map(|(seq, inner)| refusal(desk, *seq, *inner)).collect::<Result<_>>()?;
        let blocked = blocked.into_iter().map(|(seq, _)| seq).collect();
        let mut due = Self { eligible, published: Seqs::default(), corrections, withheld, again: Vec::new(), seen: None };
        due.refuse_withdrawn(desk, collection, target, decisions, &blocked)?;
        Ok(due)
    }

    /// Takes out what the archive says is withdrawn, unless it was corrected since: a desk that was restored from a backup may not know.
    fn refuse_withdrawn(
        &mut self,
        desk: &Desk,
        collection: &Collection,
        target: &Target,
        decisions: &Decisions<'_>,
        blocked: &Seqs,
    ) -> Result<()> {
        for (number, time) in &target.withdrawn {
            let Some(seq) = desk.numbered(collection.id, &target.origin, *number)? else { continue };
            let corrected = self.corrections.0.get(&seq).is_some_and(|(_, decided)| i64::try_from(*decided).is_ok_and(|at| at >= *time));
            if !corrected && (self.eligible.remove(seq) || decisions.cleared.contains(seq) && !blocked.contains(seq)) {
                let why = format!("it was withdrawn as {}/{number}; `daylight clear --correct` publishes it anew", collection.name);
                self.withheld.push(Refusal { id: desk.short_id(seq)?, why });
            }
        }
        Ok(())
    }
}

/// A document that is withheld, because of what stands inside it and how that stands.
type Blocked = (u64, (u64, Standing));

/// Which of these documents are cleared and hold nothing that is not, and what is withheld because it does.
pub(super) fn eligible(desk: &Desk, decisions: &Decisions<'_>, candidates: &Seqs) -> Result<(Seqs, Vec<Blocked>)> {
    let cleared: Vec<u64> = candidates.iter().filter(|seq| decisions.cleared.contains(*seq)).collect();
    let blocked = decisions.blocked(&cleared)?;
    let (mut eligible, mut withheld, mut packaging) = (Seqs::default(), Vec::new(), Packaging::default());
    for seq in cleared {
        if let Some(inner) = blocked.get(&seq) {
            withheld.push((seq, *inner));
            continue;
        }
        let document = desk.outline(seq)?;
        if document.has_bytes && !packaging.is(desk, seq, document.kind)? {
            eligible.insert(seq);
        }
    }
    Ok((eligible, withheld))
}

fn published(desk: &Desk, collection: &Collection, target: &Target) -> Result<Seqs> {
    let mut published = Seqs::default();
    desk.each_published(collection.id, &target.origin, &mut |seq| {
        published.insert(seq);
    })?;
    Ok(published)
}

/// What is cleared and was never published, and what stands in it and was: that has one more place.
fn unpublished(desk: &Desk, cleared: &Seqs, published: &Seqs) -> Result<Seqs> {
    let mut new = Seqs::default();
    for seq in cleared.iter().filter(|seq| !published.contains(*seq)) {
        new.insert(seq);
        if !published.is_empty() {
            let children = desk.children(seq)?.into_iter().map(|occurrence| occurrence.child);
            children.filter(|child| cleared.contains(*child)).for_each(|child| {
                new.insert(child);
            });
        }
    }
    Ok(new)
}

/// Why documents are published anew, by document: those corrections that no finished release has yet, with the time of the decision.
pub(super) struct Corrections(pub(super) BTreeMap<u64, (String, u64)>);

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
