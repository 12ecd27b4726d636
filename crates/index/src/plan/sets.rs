//! Questions that the engine has no answer to of its own. Each is worked out as the set of documents of one segment.

use crate::schema::DIGEST;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use tantivy::postings::Postings;
use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet, Score, SegmentReader, TERMINATED, Term};

/// Something that is true of some documents of a segment.
pub(super) trait Members: Debug + Clone + Send + Sync + 'static {
    /// Puts them into `set`.
    fn collect(&self, segment: &SegmentReader, set: &mut BitSet) -> tantivy::Result<()>;
}

/// Documents of which something is true; each scores one.
#[derive(Debug, Clone)]
pub(super) struct Where<M>(pub(super) M);

impl<M: Members> Query for Where<M> {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(Where(self.0.clone())))
    }
}

impl<M: Members> Weight for Where<M> {
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut set = BitSet::with_max_value(segment.max_doc());
        self.0.collect(segment, &mut set)?;
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(set), boost)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new_with_string(format!("{:?}", self.0), 1.0))
    }
}

/// Any term of these fields that begins so. Its cost is bounded by the size of the index alone.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    pub(super) fields: Vec<Field>,
    pub(super) with: String,
}

impl Members for Beginning {
    fn collect(&self, segment: &SegmentReader, set: &mut BitSet) -> tantivy::Result<()> {
        for field in &self.fields {
            let inverted = segment.inverted_index(*field)?;
            let mut range = inverted.terms().range().ge(&self.with);
            if let Some(end) = after_all_with(&self.with) {
                range = range.lt(end);
            }
            let mut terms = range.without_keys().into_stream()?;
            // One reader for all terms of a field: most stand in one document, and making a reader costs more than reading that.
            let mut reader = None;
            while terms.advance() {
                let postings = match &mut reader {
                    Some(postings) => {
                        inverted.reset_block_postings_from_terminfo(terms.value(), postings)?;
                        postings
                    }
                    none => none.insert(inverted.read_block_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?),
                };
                while !postings.docs().is_empty() {
                    postings.docs().iter().for_each(|doc| {
                        set.insert(*doc);
                    });
                    postings.advance();
                }
            }
        }
        Ok(())
    }
}

/// The least string of bytes after all those that begin so.
fn after_all_with(beginning: &str) -> Option<Vec<u8>> {
    let mut end = beginning.as_bytes().to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

/// All of these terms in any order, so that from the first to the last there are at most `span` steps.
#[derive(Debug, Clone)]
pub(super) struct Near {
    /// Of one field, without repeats.
    pub(super) terms: Vec<Term>,
    pub(super) span: u32,
}

impl Members for Near {
    fn collect(&self, segment: &SegmentReader, set: &mut BitSet) -> tantivy::Result<()> {
        let mut all = Vec::new();
        for term in &self.terms {
            let inverted = segment.inverted_index(term.field())?;
            match inverted.read_postings(term, IndexRecordOption::WithFreqsAndPositions)? {
                Some(postings) => all.push(postings),
                None => return Ok(()),
            }
        }
        let mut positions: Vec<Vec<u32>> = vec![Vec::new(); all.len()];
        let mut doc = all.first().map_or(TERMINATED, DocSet::doc);
        while doc != TERMINATED {
            match all.iter_mut().map(|postings| if postings.doc() < doc { postings.seek(doc) } else { postings.doc() }).max() {
                Some(latest) if latest == doc => {
                    all.iter_mut().zip(&mut positions).for_each(|(postings, at)| postings.positions(at));
                    if fits(&positions, self.span) {
                        set.insert(doc);
                    }
                    doc = all.first_mut().map_or(TERMINATED, DocSet::advance);
                }
                latest => doc = latest.unwrap_or(TERMINATED),
            }
        }
        Ok(())
    }
}

/// Whether one position of each list can be chosen so that they all lie within `span` steps.
fn fits(lists: &[Vec<u32>], span: u32) -> bool {
    let mut next = vec![0; lists.len()];
    loop {
        let (mut first, mut last, mut earliest) = (u32::MAX, 0, 0);
        for (list, positions) in lists.iter().enumerate() {
            let Some(at) = positions.get(next[list]) else { return false };
            last = last.max(*at);
            if *at < first {
                (first, earliest) = (*at, list);
            }
        }
        if last - first <= span {
            return true;
        }
        next[earliest] += 1;
    }
}

/// Documents with one of these numbers.
#[derive(Debug, Clone)]
pub(super) struct Numbered {
    pub(super) field: Field,
    pub(super) seqs: Vec<u64>,
}

impl Members for Numbered {
    fn collect(&self, segment: &SegmentReader, set: &mut BitSet) -> tantivy::Result<()> {
        let inverted = segment.inverted_index(self.field)?;
        for seq in &self.seqs {
            let term = Term::from_field_u64(self.field, *seq);
            let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic)? else { continue };
            while postings.doc() != TERMINATED {
                set.insert(postings.doc());
                postings.advance();
            }
        }
        Ok(())
    }
}

/// Documents whose digest begins so.
#[derive(Debug, Clone)]
pub(super) struct Digested {
    /// Of each column the least and the greatest value.
    ranges: [RangeInclusive<u64>; 2],
}

impl Digested {
    /// `hex` is hexadecimal digits, of which those past the columns say nothing more.
    pub(super) fn beginning(hex: &str) -> Self {
        let word = |at: usize| {
            let digits = hex.get(at..hex.len().min(at + 16)).unwrap_or_default();
            let fill = |with: &str| u64::from_str_radix(&format!("{digits}{}", with.repeat(16 - digits.len())), 16).unwrap_or_default();
            fill("0")..=fill("f")
        };
        Self { ranges: [word(0), word(16)] }
    }
}

impl Members for Digested {
    fn collect(&self, segment: &SegmentReader, set: &mut BitSet) -> tantivy::Result<()> {
        let columns = [segment.fast_fields().u64(DIGEST[0])?, segment.fast_fields().u64(DIGEST[1])?];
        let mut found = Vec::new();
        columns[0].get_docids_for_value_range(self.ranges[0].clone(), 0..segment.max_doc(), &mut found);
        found.retain(|doc| columns[1].first(*doc).is_some_and(|value| self.ranges[1].contains(&value)));
        found.into_iter().for_each(|doc| {
            set.insert(doc);
        });
        Ok(())
    }
}
