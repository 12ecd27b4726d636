use daylight_index::IndexError;
use daylight_index::query::QueryError;

/// What most functions here return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be decided or drafted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The desk's disk.
    #[error(transparent)]
    Store(#[from] daylight_store::Error),
    /// The index, which a selection by query needs.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The query cannot be understood.
    #[error("query: {0}")]
    Query(#[from] QueryError),
    /// The collection does not exist.
    #[error("there is no collection `{0}` on this desk; `daylight status` lists those there are")]
    NoCollection(String),
    /// The editor's name is not one.
    #[error("an editor's name is 1 to 100 characters on one line")]
    BadEditor,
    /// The process that makes views cannot work at all.
    #[error("views cannot be made: {0}")]
    NoReader(String),
    /// Another collection's release to the same archive is under way.
    #[error(
        "a release of `{collection}` to the archive {origin} was interrupted or waits for signatures; finish that one first, by publishing its collection again"
    )]
    OtherOpen {
        /// The collection whose release is open.
        collection: String,
        /// The archive.
        origin: String,
    },
    /// No randomness was to be had from the operating system.
    #[error("the operating system gave no random bytes: {0}")]
    NoRandomness(String),
    /// What the catalogue keeps of a draft is damaged.
    #[error("the draft of release {0} is damaged in the catalogue")]
    DamagedDraft(u64),
    /// A reason that nobody can be told.
    #[error("a reason is 1 to 1,024 bytes on one line, without spaces at its ends")]
    BadReason,
    /// It is in no archive under this number.
    #[error("{id} was not published from this desk in {origin}")]
    NotPublished {
        /// The document.
        id: String,
        /// The archive.
        origin: String,
    },
    /// The collection is in several archives.
    #[error("`{collection}` is in several archives; name one with --origin: {origins}")]
    SeveralArchives {
        /// The collection.
        collection: String,
        /// The archives.
        origins: String,
    },
    /// A title that a release cannot have.
    #[error("a title is 1 to 1,024 bytes on one line")]
    BadTitle,
}

/// A document that was not cleared, or not published, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The shortest unambiguous beginning of its id.
    pub id: String,
    /// Why, in words.
    pub why: String,
}
