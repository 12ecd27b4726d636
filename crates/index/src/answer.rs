/// How documents belong to one that a query names by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// They are of one conversation.
    Thread,
    /// They are nearly the same text.
    Near,
}

/// In which order hits come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The best answers first, then the newest.
    #[default]
    Relevance,
    /// The newest first; what has no date comes last.
    Newest,
    /// The oldest first; what has no date comes last.
    Oldest,
}

/// What of an answer is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many hits, at most 10,000.
    pub limit: usize,
    /// How many hits to leave out before the first.
    pub offset: usize,
    /// In which order.
    pub sort: Sort,
    /// Whether to count facets.
    pub facets: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { limit: 20, offset: 0, sort: Sort::Relevance, facets: false }
    }
}

/// A document that answers a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its number.
    pub seq: u64,
    /// How well it answers, to be compared within one answer only; 0 where hits are sorted by date.
    pub score: f32,
    /// The bytes its [`crate::Entry`] came with.
    pub locator: Vec<u8>,
}

/// How many of all the documents that answer have each value, the most frequent first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facets {
    /// Families of types; each value can be asked for with `type:`.
    pub types: Vec<(String, u64)>,
    /// Addresses of senders (a name where there is no address), at most 50; each value can be asked for with `from:`.
    pub senders: Vec<(String, u64)>,
    /// Years in UTC, the newest first; each value can be asked for with `date:`.
    pub years: Vec<(String, u64)>,
    /// Collections; each value can be asked for with `collection:`.
    pub collections: Vec<(String, u64)>,
    /// Whether the numbers are estimates from a sample, because there are more than 10,000 hits.
    pub about: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// How many documents answer, exactly.
    pub total: u64,
    /// Those that were asked for, in order.
    pub hits: Vec<Hit>,
    /// How many documents could not be fully read in the collections that the query looks in, whether they answer or not.
    pub unreadable_in_scope: u64,
    /// Counts over all that answer; empty if they were not asked for.
    pub facets: Facets,
}
