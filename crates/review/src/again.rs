//! Renditions made anew of documents that were cleared before: with what this version makes and earlier ones did not.

use crate::clear::put_text;
use crate::standing::{Decisions, collection};
use crate::views::Views;
use crate::{Refusal, Result, pictures, search};
use daylight_durable::crash_point;
use daylight_model::Digest;
use daylight_sandbox::Reader;
use daylight_store::{Collection, Desk, RenditionRole, RenditionWriter, State};
use std::collections::BTreeSet;

/// Which documents of a collection are meant, and how much is made of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Renewal<'a> {
    /// Only those that answer this query.
    pub query: Option<&'a str>,
    /// Only these; all where there is none.
    pub these: &'a [u64],
    /// Whether also that is made which is there already, by today's steps.
    pub anew: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Documents that are cleared, and so were looked at.
    pub looked_at: u64,
    /// Of these: those that the next publish publishes otherwise than before, because something was made of them that they did not have.
    pub made: u64,
    /// Of these: those of which something could not be made; a fault says what.
    pub failed: u64,
    /// Documents that were not touched, for they are held, withdrawn or not decided on.
    pub passed_over: u64,
    /// Those of them that were named one by one, and those that a password opened since they were cleared; and why.
    pub refused: Vec<Refusal>,
}

/// How many documents are made durable together, and how many are asked for at once.
const TOGETHER: usize = 500;
const PAGE: usize = 10_000;

/// Makes the text, the view and the pictures of cleared documents where they are missing, were made by an earlier version of their step, or are no longer what
/// the desk has read. No decision is changed: what is cleared stays so as it was, and what is not is not touched; nor is what may have been shut by a password
/// when it was cleared, for its bytes do not show everybody what is in it.
///
/// A crash leaves the documents that were done as they are now, and all others as they were; each has all of its new pictures or none. The same again makes
/// the rest.
pub fn renew(desk: &Desk, reader: &Reader, name: &str, which: &Renewal<'_>) -> Result<Renewed> {
    let collection = collection(desk, name)?;
    let (cleared, mut renewed) = chosen(desk, &collection, which)?;
    let mut writer = desk.renditions_writer()?;
    for some in cleared.chunks(TOGETHER) {
        let before = some.iter().map(|seq| published(desk, *seq)).collect::<Result<Vec<_>>>()?;
        renewed.failed += make(desk, reader, some, which.anew, &mut writer)?;
        writer.commit()?;
        crash_point("review.renewed");
        for (seq, before) in some.iter().zip(before) {
            renewed.made += u64::from(published(desk, *seq)? != before);
        }
    }
    renewed.looked_at = cleared.len() as u64;
    Ok(renewed)
}

/// Those of the documents that are meant which are cleared, in rising order.
fn chosen(desk: &Desk, collection: &Collection, which: &Renewal<'_>) -> Result<(Vec<u64>, Renewed)> {
    let mut renewed = Renewed::default();
    let decisions = Decisions::looked_up(desk, collection)?;
    let hits = which.query.map(|query| search::all(desk, query)).transpose()?;
    let mut chosen = Vec::new();
    for_each(desk, collection, which.these, &mut |seq| {
        if hits.as_ref().is_some_and(|hits| !hits.contains(&seq)) {
            return Ok(());
        }
        let why = if !decisions.cleared.contains(seq) {
            (!which.these.is_empty()).then(|| stands(desk, collection, seq)).transpose()?
        } else if may_have_been_shut(desk, seq)? {
            Some("a password opened it, perhaps after it was cleared: `daylight clear --correct` publishes what is in it")
        } else {
            chosen.push(seq);
            return Ok(());
        };
        renewed.passed_over += 1;
        if let Some(why) = why {
            renewed.refused.push(Refusal { id: desk.short_id(seq)?, why: why.into() });
        }
        Ok(())
    })?;
    Ok((chosen, renewed))
}

/// Does something with each of these documents, or with every one of the collection where none is named; once, in rising order.
fn for_each(desk: &Desk, collection: &Collection, these: &[u64], with: &mut dyn FnMut(u64) -> Result<()>) -> Result<()> {
    if !these.is_empty() {
        return these.iter().copied().collect::<BTreeSet<u64>>().into_iter().try_for_each(with);
    }
    let mut last = 0;
    loop {
        let page = desk.members(collection.id, last, PAGE)?;
        let Some(end) = page.last() else { return Ok(()) };
        last = *end;
        page.into_iter().try_for_each(&mut *with)?;
    }
}

fn stands(desk: &Desk, collection: &Collection, seq: u64) -> Result<&'static str> {
    Ok(match desk.state(collection.id, seq)? {
        Some(State::Held) => "it is held",
        Some(State::Withdrawn) => "it was withdrawn",
        _ => "it is not cleared in this collection",
    })
}

/// Whether a document may have been cleared when nobody could look into it. Its bytes are published, encrypted, and what is in them is not: to make that public
/// is for an editor to decide.
fn may_have_been_shut(desk: &Desk, seq: u64) -> Result<bool> {
    if !desk.has_passwords()? {
        return Ok(false);
    }
    let Some(digest) = desk.document(seq)?.blob else { return Ok(false) };
    Ok(!desk.passwords_of(&digest, 1)?.is_empty() && desk.renditions(seq)?.is_empty())
}

/// What the next publish compares of what was made of a document.
fn published(desk: &Desk, seq: u64) -> Result<Vec<(RenditionRole, Digest)>> {
    Ok(desk.renditions(seq)?.into_iter().map(|made| (made.role, made.digest)).collect())
}

/// Makes what is to be made of some documents, and says of how many something could not be made.
fn make(desk: &Desk, reader: &Reader, seqs: &[u64], anew: bool, writer: &mut RenditionWriter) -> Result<u64> {
    let mut views = Views::new(desk, reader);
    for seq in seqs {
        // Always, for it costs no worker: what was recognised or read again since the clearance is in it.
        put_text(writer, *seq, &desk.text_parts(*seq)?)?;
        if anew || views.is_missing(*seq)? {
            views.add(writer, *seq)?;
        }
    }
    let without_view = views.finish(writer)?;
    // A document has HTML or pages, never both.
    Ok(without_view + pictures::make(desk, reader, seqs, anew, writer)?)
}
