use crate::columns::{Columns, Named};
use crate::{Facets, Found, IndexError, Options, Sort, query};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use tantivy::query::{EnableScoring, Query};

/// The most hits that one answer holds.
const MOST_HITS: usize = 10_000;

/// Above so many documents facets are counted on a sample of them.
const SAMPLE: usize = 10_000;

/// The most senders that are counted.
const MOST_SENDERS: usize = 50;

/// A document that answers, and what it is sorted by.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    score: f32,
    date: i64,
    seq: u64,
    segment: u32,
    doc: u32,
}

/// Stands for no date, which sorts as the last in either order.
const UNDATED: i64 = i64::MIN;

/// Answers `query`: one pass over all that match, keeping the best, then one over the matches for their facets.
pub(crate) fn run(columns: &Columns, query: &dyn Query, options: &Options) -> Result<Found, IndexError> {
    let scoring = options.sort == Sort::Relevance && options.limit > 0;
    let searcher = &columns.searcher;
    let weight = query.weight(if scoring {
        EnableScoring::enabled_from_searcher(searcher)
    } else {
        EnableScoring::disabled_from_searcher(searcher)
    })?;
    let limit = options.limit.min(MOST_HITS);
    let mut best = Best::new(options.offset.saturating_add(limit).min(searcher.num_docs() as usize), options.sort);
    let mut matches: Vec<Vec<u32>> = Vec::with_capacity(columns.segments.len());
    for (number, segment) in columns.segments.iter().enumerate() {
        let mut docs = Vec::new();
        let mut take = |doc: u32, score: f32| {
            if segment.is_alive(doc) {
                docs.push(doc);
                let place = Candidate { score, date: UNDATED, seq: 0, segment: number as u32, doc };
                if best.may_take(score) {
                    best.take(Candidate {
                        date: segment.date.first(doc).unwrap_or(UNDATED),
                        seq: segment.seq.first(doc).unwrap_or_default(),
                        ..place
                    });
                }
            }
        };
        if scoring {
            weight.for_each(&segment.reader, &mut take)?;
        } else {
            weight.for_each_no_score(&segment.reader, &mut |block| block.iter().for_each(|doc| take(*doc, 0.0)))?;
        }
        matches.push(docs);
    }
    let total = matches.iter().map(Vec::len).sum::<usize>();
    let facets = if options.facets { count(columns, &matches, total)? } else { Facets::default() };
    let hits = best.sorted().into_iter().skip(options.offset).take(limit);
    let hits = hits.map(|c| columns.segments[c.segment as usize].hit(c.doc, c.score)).collect::<Result<_, _>>()?;
    Ok(Found { total: total as u64, hits, unreadable_in_scope: 0, facets })
}

/// The best candidates so far.
struct Best {
    room: usize,
    sort: Sort,
    kept: Vec<Candidate>,
    /// What a score must at least be, once there are enough.
    threshold: f32,
}

impl Best {
    fn new(room: usize, sort: Sort) -> Self {
        Self { room, sort, kept: Vec::new(), threshold: f32::NEG_INFINITY }
    }

    /// Whether a document with this score can be among the best, as far as the score tells.
    #[inline]
    fn may_take(&self, score: f32) -> bool {
        self.room > 0 && score >= self.threshold
    }

    fn take(&mut self, candidate: Candidate) {
        self.kept.push(candidate);
        if self.kept.len() >= 2 * self.room + 64 {
            self.prune();
        }
    }

    fn prune(&mut self) {
        if self.room < self.kept.len() {
            let sort = self.sort;
            let (_, last, _) = self.kept.select_nth_unstable_by(self.room - 1, |a, b| order(sort, a, b));
            if sort == Sort::Relevance {
                self.threshold = last.score;
            }
            self.kept.truncate(self.room);
        }
    }

    fn sorted(mut self) -> Vec<Candidate> {
        let sort = self.sort;
        self.kept.sort_unstable_by(|a, b| order(sort, a, b));
        self.kept
    }
}

/// Which of two comes first.
fn order(sort: Sort, a: &Candidate, b: &Candidate) -> Ordering {
    let newest = || b.date.cmp(&a.date);
    let first = match sort {
        Sort::Relevance => b.score.total_cmp(&a.score).then_with(newest),
        Sort::Newest => newest(),
        Sort::Oldest => (a.date == UNDATED, a.date).cmp(&(b.date == UNDATED, b.date)),
    };
    first.then_with(|| a.seq.cmp(&b.seq))
}

/// Counts facets over the matches, or over every n-th of them and then times n.
fn count(columns: &Columns, matches: &[Vec<u32>], total: usize) -> Result<Facets, IndexError> {
    let facets = columns.facets()?;
    let step = total.div_ceil(SAMPLE).max(1);
    let mut counts = [&facets.families, &facets.senders, &facets.collections].map(|named| (named, vec![0u64; named.names.len()]));
    let mut years: BTreeMap<i64, u64> = BTreeMap::new();
    let mut skip = 0;
    for (number, docs) in matches.iter().enumerate() {
        for doc in docs.iter().skip(skip).step_by(step) {
            for (named, count) in &mut counts {
                named.of(number, *doc).for_each(|name| count[name] += step as u64);
            }
            if let Some(date) = columns.segments[number].date.first(*doc) {
                *years.entry(query::year(date)).or_default() += step as u64;
            }
        }
        // The stride goes on across segments.
        skip = (skip + step - docs.len() % step) % step;
    }
    let [types, mut senders, collections] = counts.map(|(named, counts)| ranked(named, &counts));
    senders.truncate(MOST_SENDERS);
    let years = years.into_iter().rev().map(|(year, count)| (year.to_string(), count)).collect();
    Ok(Facets { types, senders, years, collections, about: step > 1 })
}

/// Names with their counts, the most frequent first, those as frequent by name.
fn ranked(named: &Named, counts: &[u64]) -> Vec<(String, u64)> {
    let mut ranked: Vec<(&String, u64)> = named.names.iter().zip(counts.iter().copied()).filter(|(_, count)| *count > 0).collect();
    ranked.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    ranked.into_iter().map(|(name, count)| (name.clone(), count)).collect()
}
