//! Searching a desk: the same answer for the command line and for whoever selects documents by a query.

use crate::{Error, Result};
use daylight_index::query::QueryError;
use daylight_index::query::{self, Query};
use daylight_index::{Found, Index, Options, Relation, Sort, snippet};
use daylight_model::{Date, Kind, Person};
use daylight_store::Desk;
use std::collections::{HashMap, HashSet};

/// How long a snippet is, in characters.
const SNIPPET: usize = 200;
/// How many hits are asked for at once where all are wanted.
const PAGE: usize = 10_000;

/// An answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was understood, in words.
    pub understood: String,
    /// How many documents answer, exactly.
    pub total: u64,
    /// How many documents in the collections that were searched could not be fully read, whether they answer or not.
    pub unreadable: u64,
    /// Those that were asked for, in order.
    pub hits: Vec<Hit>,
}

/// A document that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id, as short as it is unique on the desk.
    pub id: String,
    /// What sort of thing it is.
    pub kind: Kind,
    /// What it is called: its title or else one of its names.
    pub title: String,
    /// The best of its dates.
    pub date: Option<Date>,
    /// Everybody it names.
    pub people: Vec<Person>,
    /// Where its text answers, cut into runs; those that answer are marked with `true`.
    pub snippet: Vec<(String, bool)>,
    /// The page, slide or sheet on which that stands, from 1.
    pub page: Option<u32>,
}

/// Answers a query with at most `limit` hits.
pub fn search(desk: &Desk, index: &Index, text: &str, limit: usize, sort: Sort) -> Result<Answer> {
    let query = query::parse(text)?;
    let found = ask(desk, index, &query, Options { limit: limit.min(PAGE), offset: 0, sort, facets: false })?;
    let hits = found.hits.iter().map(|hit| shown(desk, index, &query, hit.seq)).collect::<Result<_>>()?;
    Ok(Answer { understood: query.explain(), total: found.total, unreadable: found.unreadable_in_scope, hits })
}

/// The numbers of all documents that answer.
pub(crate) fn all(desk: &Desk, text: &str) -> Result<HashSet<u64>> {
    let query = query::parse(text)?;
    let index = Index::open(&desk.index_dir())?;
    let (mut hits, mut offset) = (HashSet::new(), 0);
    loop {
        let found = ask(desk, &index, &query, Options { limit: PAGE, offset, sort: Sort::Oldest, facets: false })?.hits;
        if found.is_empty() {
            return Ok(hits);
        }
        hits.extend(found.iter().map(|hit| hit.seq));
        offset += found.len();
    }
}

fn ask(desk: &Desk, index: &Index, query: &Query, options: Options) -> Result<Found> {
    let mut near = HashMap::new();
    for (id, at) in query.near() {
        let seq = desk.resolve(id).map_err(|error| QueryError { message: format!("near: {error}"), at })?;
        // The document itself is not what is looked for.
        near.insert(id, desk.near(seq)?.documents.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>());
    }
    // `thread:` names a conversation by the id of any message in it.
    let related = |relation: Relation, id: &str| match relation {
        Relation::Thread => desk.resolve(id).ok().and_then(|seq| conversation(desk, seq).ok()),
        Relation::Near => near.get(id).cloned(),
    };
    Ok(index.search(query, &options, &related)?)
}

/// Every message of the conversation that a message is in.
fn conversation(desk: &Desk, seq: u64) -> Result<Vec<u64>> {
    let Some(thread) = desk.thread_of(seq)? else {
        return Ok(Vec::new());
    };
    Ok(desk.thread_members(thread)?.into_iter().map(|node| node.seq).collect())
}

fn shown(desk: &Desk, index: &Index, query: &Query, seq: u64) -> Result<Hit> {
    let document = desk.document(seq)?;
    let parts = desk.text_parts(seq).map_err(Error::from)?;
    // Of a long text the index knows which part answers.
    let part = if parts.count() > 1 { index.best_part(query, seq)?.unwrap_or(0) } else { 0 };
    let texts = parts.searched(part).map_err(Error::from)?;
    // The first segment that answers is shown; a document whose name or people answer shows its beginning.
    let pieces = texts.iter().map(|segment| (segment, snippet(query, &segment.text, SNIPPET)));
    let found = pieces.clone().find(|(_, piece)| piece.at.is_some()).or(pieces.clone().next());
    let page = found.as_ref().and_then(|(segment, piece)| segment.page.filter(|_| piece.at.is_some()));
    let snippet = found.map_or_else(Vec::new, |(_, piece)| piece.runs);
    let name = document.names.first().map(ToString::to_string);
    let title = if document.title.is_empty() { name.unwrap_or_default() } else { document.title };
    let people = document.message.map(|message| message.people).unwrap_or_default();
    Ok(Hit { id: desk.short_id(seq)?, kind: document.kind, title, date: document.date, people, snippet, page })
}
