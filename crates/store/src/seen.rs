//! What was recognised on a document's pages, as it joins the text that was read.

use crate::codec::{self, int, uint};
use crate::desk::Desk;
use crate::error::Result;
use crate::flags::RECOGNISED;
use crate::pack::At;
use daylight_model::reading::{Label, Segment};
use std::collections::HashSet;

impl Desk {
    /// Adds to the segments that were read of a document those that were recognised on its pages.
    pub(crate) fn with_recognised(&self, seq: u64, flags: i64, mut read: Vec<Segment>) -> Result<Vec<Segment>> {
        if flags & RECOGNISED == 0 {
            return Ok(read);
        }
        let seen = self.recognised_in(seq)?;
        read.retain(|segment| !seen.replaces(segment));
        Ok(joined(read, seen.added))
    }

    /// What was recognised on the pages of a document that says so.
    pub(crate) fn recognised_in(&self, seq: u64) -> Result<Seen> {
        let sql = "SELECT page, replaces, pack, offset, length FROM recognised WHERE seq = ?1 AND pack IS NOT NULL ORDER BY page";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([int(seq)])?;
        let (mut added, mut replaced) = (Vec::new(), HashSet::new());
        while let Some(row) = rows.next()? {
            let page: u32 = row.get(0)?;
            if row.get(1)? {
                replaced.insert(page);
            }
            let at = At { pack: uint(row.get(2)?), offset: uint(row.get(3)?) };
            added.extend(codec::decode_text(&self.packs.read(at, None, uint(row.get(4)?))?)?.into_iter().map(|segment| (page, segment)));
        }
        Ok(Seen { added, replaced })
    }
}

/// What was recognised on a document's pages.
#[derive(Default)]
pub(crate) struct Seen {
    /// The words, with their page.
    pub(crate) added: Vec<(u32, Segment)>,
    /// The pages on which they stand in the place of what was read.
    replaced: HashSet<u32>,
}

impl Seen {
    /// Whether a segment that was read gives way to what was recognised.
    pub(crate) fn replaces(&self, segment: &Segment) -> bool {
        segment.label == Label::Body && segment.page.is_some_and(|page| self.replaced.contains(&page))
    }
}

/// Each recognised segment stands after what was read on its page and the pages before.
fn joined(read: Vec<Segment>, recognised: Vec<(u32, Segment)>) -> Vec<Segment> {
    let mut all = Vec::with_capacity(read.len() + recognised.len());
    let mut recognised = recognised.into_iter().peekable();
    for segment in read {
        let after = segment.page.unwrap_or(0);
        while let Some((_, before)) = recognised.next_if(|(page, _)| *page < after) {
            all.push(before);
        }
        all.push(segment);
    }
    all.extend(recognised.map(|(_, segment)| segment));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recognised_stands_on_its_page() {
        let on = |page: u32, text: &str| Segment { label: Label::Body, page: Some(page), text: text.into() };
        let read = vec![Segment::new(Label::Property, "title"), on(2, "two"), on(4, "four"), Segment::new(Label::Form, "form")];
        let recognised = [1, 2, 3, 5].map(|page| (page, on(page, "seen"))).to_vec();
        let texts: Vec<(Option<u32>, String)> = joined(read, recognised).into_iter().map(|one| (one.page, one.text)).collect();
        let told: Vec<(u32, &str)> = texts.iter().map(|(page, text)| (page.unwrap_or(0), text.as_str())).collect();
        assert_eq!(told, [(0, "title"), (1, "seen"), (2, "two"), (2, "seen"), (3, "seen"), (4, "four"), (0, "form"), (5, "seen")]);
    }
}
