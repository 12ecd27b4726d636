//! Asking the archive: the same for the page and for the command line.

use crate::cache::{PART, beginning, pages_before, stretch};
use crate::catalogue::Row;
use crate::library::{Library, Senders};
use crate::limits::PAGE;
use crate::route::document_id;
use daylight_archive::Record;
use daylight_archive::record::Role as FileRole;
use daylight_index::query::{self, Query, QueryError};
use daylight_index::{Facets, IndexError, Options, Relation, Snippet, Sort, snippet};
use daylight_model::reading::unmarked;
use daylight_model::{Date, Kind, Person};
use std::sync::PoisonError;

/// How much of a text is looked through for a snippet: at first, and where nothing of the query is in that.
const LOOK: [u64; 2] = [48 << 10, 1 << 20];

/// Pieces of text, and whether each answers the query.
type Runs = Vec<(String, bool)>;

/// What of an answer is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchOptions {
    /// How many hits, at most 10,000.
    pub limit: usize,
    /// How many hits to leave out before the first.
    pub offset: usize,
    /// In which order.
    pub sort: Sort,
    /// Whether to count facets.
    pub facets: bool,
    /// How long snippets are, in characters; 0 for none.
    pub snippets: usize,
    /// Whether hits say whom they name.
    pub people: bool,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { limit: 20, offset: 0, sort: Sort::Relevance, facets: false, snippets: 240, people: true }
    }
}

/// The answer to a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was understood, in words.
    pub understood: String,
    /// How many documents answer, exactly.
    pub total: u64,
    /// Those that were asked for, in order.
    pub hits: Vec<Hit>,
    /// How many documents in the collections that were searched could not be fully read, whether they answer or not.
    pub unreadable: u64,
    /// Counts over all that answer.
    pub facets: Facets,
}

/// A document that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The collection it is in.
    pub collection: String,
    /// Its permanent number there.
    pub number: u64,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// Its media type.
    pub media_type: String,
    /// Its best date.
    pub date: Option<Date>,
    /// Everybody it names.
    pub people: Vec<Person>,
    /// Where its text answers, cut into runs; those that answer are marked with `true`. Empty if there is no text.
    pub snippet: Vec<(String, bool)>,
    /// The page, slide or sheet on which that stands, from 1, where the text has pages.
    pub page: Option<u32>,
    /// The byte of the text at which it stands.
    pub(crate) at: u64,
    pub(crate) row: Row,
}

impl Hit {
    /// How it is cited: `collection/number`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.collection, self.number)
    }
}

/// Why a search was not answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The query was not understood.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The index did not answer.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Library {
    /// Answers a query in the search language.
    pub fn search(&self, query: &str, options: &SearchOptions) -> Result<Answer, SearchError> {
        let query = query::parse(query)?;
        let wanted = Options { limit: options.limit.min(10_000), offset: options.offset, sort: options.sort, facets: options.facets };
        if let Some((_, at)) = query.near().into_iter().next() {
            // Sketches are made where documents are read, and that is not here.
            let message = "near: is answered on a desk, not in an archive".to_owned();
            return Err(SearchError::Query(QueryError { message, at }));
        }
        let related = |relation: Relation, id: &str| if relation == Relation::Thread { self.conversation(id) } else { None };
        let found = self.index().search(&query, &wanted, &related)?;
        let hits = found.hits.iter().filter_map(|hit| self.hit(&query, hit, options)).collect();
        Ok(Answer { understood: query.explain(), total: found.total, hits, unreadable: found.unreadable_in_scope, facets: found.facets })
    }

    /// Who wrote most in a collection. Counted once for each state of the archive.
    pub(crate) fn senders(&self, collection: &str) -> Senders {
        let known = self.senders.lock().unwrap_or_else(PoisonError::into_inner).get(collection).cloned();
        if let Some(known) = known {
            return known;
        }
        let options = SearchOptions { limit: 1, snippets: 0, people: false, facets: true, ..SearchOptions::default() };
        let counted = self.search(&format!("collection:{collection}"), &options).map(|answer| answer.facets.senders).unwrap_or_default();
        let counted = Senders::new(counted);
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).insert(collection.to_owned(), counted.clone());
        counted
    }

    /// The documents of a conversation, named by any of them.
    fn conversation(&self, id: &str) -> Option<Vec<u64>> {
        let (collection, number) = document_id(id)?;
        let shelf = self.catalogue().shelf(&collection)?;
        let row = shelf.row(number)?;
        Some(row.thread.map_or_else(|| vec![row.seq], |thread| shelf.thread(thread).map(|member| member.seq).collect()))
    }

    /// What is shown of a hit. A hit whose line cannot be read is still shown, with what the catalogue knows of it.
    fn hit(&self, query: &Query, found: &daylight_index::Hit, options: &SearchOptions) -> Option<Hit> {
        let (collection, number) = document_id(std::str::from_utf8(&found.locator).ok()?)?;
        let row = self.catalogue().row(&collection, number)?.clone();
        let wanted = options.people || options.snippets > 0;
        let record = if wanted { self.archive().record(row.place.serial, row.place.line).ok().map(|line| line.record) } else { None };
        let (snippet, at) =
            record.as_ref().map_or_else(Default::default, |record| self.snippet(query, found.seq, record, options.snippets));
        Some(Hit {
            number,
            kind: row.kind,
            title: row.title.clone(),
            media_type: row.media_type.clone(),
            date: row.date,
            snippet,
            page: at.and_then(|(_, page)| page),
            at: at.map_or(0, |(at, _)| at),
            people: record.map_or_else(Vec::new, |record| record.people),
            collection,
            row,
        })
    }

    /// Where a text answers: the piece, its first byte and its page.
    fn snippet(&self, query: &Query, seq: u64, record: &Record, width: usize) -> (Runs, Option<(u64, Option<u32>)>) {
        let Some(file) = record.file(&FileRole::Text).filter(|_| width > 0) else { return Default::default() };
        let mut best = Vec::new();
        // Of a long text the index knows which part answers.
        if file.length > PART
            && let Ok(Some(part)) = self.index().best_part(query, seq)
            && part > 0
        {
            let text = stretch(self.archive(), file, part, PART).unwrap_or_default();
            let (runs, at) = answering(query, &text, width);
            if let Some(at) = at {
                let before = if text.contains(PAGE) { pages_before(self.archive(), file, part) } else { None };
                let page = before.map(|before| before + page_of(&text, at).unwrap_or(1));
                return (runs, Some((part + at as u64, page)));
            }
            best = runs;
        }
        for limit in LOOK {
            let Some(text) = beginning(self.archive(), file, limit) else { break };
            let (runs, at) = answering(query, &text, width);
            if let Some(at) = at {
                return (runs, Some((at as u64, page_of(&text, at))));
            }
            best = runs;
            if file.length <= limit || query.is_everything() {
                break;
            }
        }
        (best, None)
    }
}

/// The first piece of a text that answers, and the byte at which it does; the first of all if none does. Marks are nobody's words: they are in no
/// snippet.
fn answering(query: &Query, text: &str, width: usize) -> (Runs, Option<usize>) {
    let mut pieces = unmarked(text).into_iter().map(|(from, piece)| (from, snippet(query, piece, width)));
    let first = pieces.next();
    let found = first.clone().filter(|(_, piece)| piece.at.is_some()).or_else(|| pieces.find(|(_, piece)| piece.at.is_some()));
    match found {
        Some((from, Snippet { runs, at: Some(at) })) => (runs, Some(from + at)),
        _ => (first.map_or_else(Vec::new, |(_, piece)| piece.runs), None),
    }
}

/// The page on which a byte of a text stands; `None` if there are no pages in it.
fn page_of(text: &str, at: usize) -> Option<u32> {
    text.contains(PAGE).then(|| text[..at].matches(PAGE).count() as u32 + 1)
}
