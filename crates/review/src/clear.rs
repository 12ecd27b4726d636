use crate::pictures;
use crate::rule::Standing;
use crate::search;
use crate::seqs::Seqs;
use crate::standing::{Decisions, Packaging, collection, refusal};
use crate::views::Views;
use crate::{Error, Refusal, Result};
use daylight_durable::crash_point;
use daylight_model::reading::{Label, PlainText};
use daylight_sandbox::Reader;
use daylight_store::{Collection, Desk, RenditionRole, RenditionWriter, State, TextParts};

/// Which documents of a collection are meant.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// Every document.
    All,
    /// Those that answer a query, and nothing that is inside them unless it answers too.
    Query(&'a str),
}

/// What became of a selection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Cleared now.
    pub cleared: u64,
    /// Cleared before.
    pub already: u64,
    /// Not cleared, and why.
    pub refused: Vec<Refusal>,
    /// Withdrawn before: only [`crate::correct()`] publishes such a document again.
    pub withdrawn: u64,
    /// Documents without bytes, because they could not be opened: nobody can have read them, so they are never cleared.
    pub unreadable: u64,
    /// Mailboxes and zip files that were only the trove's packaging: they are never published.
    pub packaging: u64,
    /// Cleared now, but no view could be made: `daylight faults` says why.
    pub without_view: u64,
    /// Cleared now, but of some pages no picture could be made: `daylight faults` says why.
    pub without_pictures: u64,
    /// Cleared now, with properties in their bytes that no published text shows: who wrote it, on what, where a picture was taken.
    pub with_properties: u64,
}

/// The media type of published text.
const TEXT: &str = "text/plain; charset=utf-8";
/// The text step of renditions and its version.
const TEXT_STEP: (&str, u32) = ("text", 2);
/// How many bytes of renditions are gathered before they are made durable.
const GATHERED: u64 = 64 << 20;

/// Records an editor's decision that the selected documents may be published, and makes their renditions: text, and a sanitised view where there is
/// HTML, and pictures of pages. A document that contains something held, unread or unreadable is refused, for its bytes would publish that too.
///
/// A crash before the last step leaves renditions that nobody refers to; clearing again makes them again.
pub fn clear(desk: &mut Desk, reader: &Reader, name: &str, selection: Selection<'_>, editor: &str, now: u64) -> Result<Outcome> {
    check_editor(editor)?;
    let collection = collection(desk, name)?;
    let mut decisions = Decisions::looked_up(desk, &collection)?;
    let (candidates, mut outcome) = candidates(desk, &collection, &decisions, selection)?;
    decisions.chosen = candidates.iter().copied().collect();
    let blocked = decisions.blocked(&candidates)?;
    let mut clear = Vec::new();
    for seq in candidates {
        match (decisions.standing(seq)?, blocked.get(&seq)) {
            (Standing::Held, _) => outcome.refused.push(Refusal { id: desk.short_id(seq)?, why: "it is held".into() }),
            (_, Some(inner)) => outcome.refused.push(refusal(desk, seq, *inner)?),
            (_, None) => clear.push(seq),
        }
    }
    let made = make_renditions(desk, reader, &clear, false)?;
    (outcome.without_view, outcome.without_pictures, outcome.with_properties) = made;
    crash_point("review.renditions-stored");
    let note = match selection {
        Selection::All => "all".to_owned(),
        Selection::Query(query) => format!("query: {query}"),
    };
    desk.decide(&collection, &clear, State::Cleared, editor, &note, now)?;
    crash_point("review.decided");
    outcome.cleared = clear.len() as u64;
    Ok(outcome)
}

/// Makes what is published of these documents again: their text, their view and the pictures of their pages.
pub fn render_again(desk: &Desk, reader: &Reader, seqs: &[u64]) -> Result<()> {
    make_renditions(desk, reader, seqs, true)?;
    Ok(())
}

/// Records an editor's decision that these documents must not be published for now, whatever was decided before.
pub fn hold(desk: &mut Desk, name: &str, seqs: &[u64], editor: &str, note: &str, now: u64) -> Result<()> {
    check_editor(editor)?;
    let collection = collection(desk, name)?;
    Ok(desk.decide(&collection, seqs, State::Held, editor, note, now)?)
}

pub(crate) fn check_editor(name: &str) -> Result<()> {
    let fits = (1..=100).contains(&name.chars().count()) && !name.contains(char::is_control) && name.trim() == name;
    if fits { Ok(()) } else { Err(Error::BadEditor) }
}

/// How many documents are asked for at once.
const PAGE: usize = 10_000;

/// The documents that the selection means and that are to be cleared, in rising order, and the count of those that need not be or never can.
fn candidates(desk: &Desk, collection: &Collection, decisions: &Decisions<'_>, selection: Selection<'_>) -> Result<(Vec<u64>, Outcome)> {
    let hits = match selection {
        Selection::All => None,
        Selection::Query(query) => Some(search::all(desk, query)?),
    };
    let withdrawn: Seqs = desk.decided(collection.id, State::Withdrawn)?.into_iter().collect();
    let (mut candidates, mut outcome, mut packaging) = (Vec::new(), Outcome::default(), Packaging::default());
    let mut last = 0;
    loop {
        let page = desk.members(collection.id, last, PAGE)?;
        let Some(end) = page.last() else { return Ok((candidates, outcome)) };
        last = *end;
        for seq in page.into_iter().filter(|seq| hits.as_ref().is_none_or(|hits| hits.contains(seq))) {
            // What was decided is not asked for again: of a large collection most was, before little is added to it.
            if decisions.cleared.contains(seq) {
                outcome.already += 1;
                continue;
            }
            let document = desk.outline(seq)?;
            if packaging.is(desk, seq, document.kind)? {
                outcome.packaging += 1;
            } else if !document.has_bytes {
                outcome.unreadable += 1;
            } else if withdrawn.contains(seq) {
                outcome.withdrawn += 1;
            } else {
                candidates.push(seq);
            }
        }
    }
}

/// Stores the text, the view and the pictures of each document, and says how many should have a view but have none, of how many some picture is missing, and
/// how many have properties in their bytes.
fn make_renditions(desk: &Desk, reader: &Reader, seqs: &[u64], again: bool) -> Result<(u64, u64, u64)> {
    if seqs.is_empty() {
        return Ok((0, 0, 0));
    }
    let mut writer = desk.renditions_writer()?;
    let mut views = Views::new(desk, reader);
    let (mut gathered, mut with_properties) = (0, 0);
    for seq in seqs {
        let (bytes, properties) = put_text(&mut writer, *seq, &desk.text_parts(*seq)?)?;
        with_properties += u64::from(properties && has_own_properties(&desk.document(*seq)?.media_type));
        gathered += bytes;
        gathered += views.add(&mut writer, *seq)?;
        if gathered >= GATHERED {
            writer.commit()?;
            gathered = 0;
        }
    }
    let without_view = views.finish(&mut writer)?;
    let without_pictures = pictures::make(desk, reader, seqs, again, &mut writer)?;
    writer.commit()?;
    Ok((without_view, without_pictures, with_properties))
}

/// What a reader notes of a plain text or a message, its character set as guessed for one, is no property that anybody wrote into it.
fn has_own_properties(media_type: &str) -> bool {
    !media_type.starts_with("text/") && media_type != "message/rfc822"
}

/// Text that a reader of the document would not see is published too, for it is in the bytes, but marked; properties are not. Says how many bytes
/// were stored, and whether there were properties.
pub(crate) fn put_text(writer: &mut RenditionWriter, seq: u64, parts: &TextParts) -> Result<(u64, bool)> {
    let (mut text, mut properties, mut bytes) = (PlainText::published(), false, 0);
    let mut long = if parts.count() > 1 { Some(writer.staging().begin()?) } else { None };
    for number in 0..parts.count() {
        let segments = parts.part(number)?;
        properties |= segments.iter().any(|segment| segment.label == Label::Property);
        segments.iter().for_each(|segment| text.add(segment));
        if let Some(long) = &mut long {
            long.add(text.take().as_bytes())?;
        }
    }
    text.end();
    let rest = text.take();
    let (role, (step, version)) = (RenditionRole::Text, TEXT_STEP);
    if let Some(mut long) = long {
        long.add(rest.as_bytes())?;
        bytes = long.length();
        if bytes > 0 {
            writer.put_staged(seq, role, step, version, TEXT, &long.seal()?)?;
        }
    } else if !rest.is_empty() {
        bytes = rest.len() as u64;
        writer.put(seq, role, step, version, TEXT, rest.as_bytes())?;
    }
    Ok((bytes, properties))
}
