use crate::clear::check_editor;
use crate::rule::Standing;
use crate::standing::{Decisions, collection, refusal};
use crate::{Error, Refusal, Result, render_again};
use daylight_durable::crash_point;
use daylight_sandbox::Reader;
use daylight_store::{Collection, Desk, State};

/// The longest reason, in bytes.
const MAX_REASON: usize = 1024;

/// What is to be published anew, and why.
#[derive(Debug, Clone, Copy)]
pub struct Correction<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// The document's permanent number in it.
    pub number: u64,
    /// The archive, by its origin; `None` where the collection is in one alone.
    pub origin: Option<&'a str>,
    /// The editor who decides.
    pub editor: &'a str,
    /// Why, in words for everybody.
    pub reason: &'a str,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// The shortest unambiguous beginning of the document's id.
    pub id: String,
    /// The archive.
    pub origin: String,
    /// Whether it had been withdrawn.
    pub withdrawn: bool,
    /// Why it may not be published, if it may not; then nothing was decided.
    pub refused: Option<Refusal>,
}

/// Records an editor's decision that a published document is published anew under its number, as it is on the desk now, and makes its renditions again.
/// The next publish adds the line with the reason, even if nothing else of it changed, and even if it was withdrawn.
///
/// It is refused while the document is held or contains what is not clear. A crash before the last step leaves renditions that nobody refers to yet.
pub fn correct(desk: &mut Desk, reader: &Reader, what: &Correction<'_>) -> Result<Corrected> {
    check_editor(what.editor)?;
    check_reason(what.reason)?;
    let collection = collection(desk, what.collection)?;
    let origin = origin(desk, &collection, what)?;
    let seq = published(desk, &collection, &origin, what.number)?
        .ok_or_else(|| Error::NotPublished { id: format!("{}/{}", what.collection, what.number), origin: origin.clone() })?;
    let id = desk.short_id(seq)?;
    let withdrawn = desk.state(collection.id, seq)? == Some(State::Withdrawn);
    let mut decisions = Decisions::of(desk, &collection);
    decisions.chosen.insert(seq);
    let refused = match (decisions.standing(seq)?, decisions.blocked(&[seq])?.get(&seq)) {
        (Standing::Held | Standing::NoBytes, _) => Some(Refusal { id: id.clone(), why: "it is held, or has no bytes".into() }),
        (_, Some(inner)) => Some(refusal(desk, seq, *inner)?),
        (_, None) => None,
    };
    if refused.is_none() {
        render_again(desk, reader, &[seq])?;
        crash_point("review.corrected-renditions");
        desk.decide(&collection, &[seq], State::Corrected, what.editor, what.reason, what.now)?;
    }
    Ok(Corrected { id, origin, withdrawn, refused })
}

/// Records that documents were withdrawn from an archive: they are not published there or elsewhere in this collection until somebody corrects them.
/// Numbers that this desk did not give are passed over, as are those that are withdrawn already. Gives how many were recorded.
pub fn withdraw(desk: &mut Desk, name: &str, origin: &str, numbers: &[u64], editor: &str, reason: &str, now: u64) -> Result<u64> {
    check_editor(editor)?;
    check_reason(reason)?;
    let collection = collection(desk, name)?;
    let mut seqs = Vec::new();
    for number in numbers {
        let Some(seq) = desk.numbered(collection.id, origin, *number)? else { continue };
        if desk.state(collection.id, seq)? != Some(State::Withdrawn) {
            seqs.push(seq);
        }
    }
    desk.decide(&collection, &seqs, State::Withdrawn, editor, reason, now)?;
    Ok(seqs.len() as u64)
}

fn check_reason(reason: &str) -> Result<()> {
    let fits = (1..=MAX_REASON).contains(&reason.len()) && !reason.contains(char::is_control) && reason.trim() == reason;
    if fits { Ok(()) } else { Err(Error::BadReason) }
}

/// The archive that is meant.
fn origin(desk: &Desk, collection: &Collection, what: &Correction<'_>) -> Result<String> {
    let mut origins = desk.origins(collection.id)?;
    origins.retain(|origin| what.origin.is_none_or(|wanted| wanted == origin));
    match origins.len() {
        1 => Ok(origins.remove(0)),
        0 => Err(Error::NotPublished {
            id: format!("{}/{}", what.collection, what.number),
            origin: what.origin.unwrap_or("any archive").to_owned(),
        }),
        _ => Err(Error::SeveralArchives { collection: collection.name.clone(), origins: origins.join(", ") }),
    }
}

/// The document that is published under a number in an archive.
fn published(desk: &Desk, collection: &Collection, origin: &str, number: u64) -> Result<Option<u64>> {
    let Some(seq) = desk.numbered(collection.id, origin, number)? else { return Ok(None) };
    Ok(desk.published(collection.id, origin, seq)?.map(|_| seq))
}
