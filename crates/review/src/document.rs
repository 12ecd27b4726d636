use daylight_model::{Date, Digest, Fault, Kind, Name, Person, Verdict};

/// What is published of one document: everything that the public will see of it, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its permanent number in its collection.
    pub number: u64,
    /// The salt of its line.
    pub salt: [u8; 32],
    /// What sort of thing it is.
    pub kind: Kind,
    /// A message's subject; for anything else the name it has in a published document, never its name in a trove.
    pub title: String,
    /// Its media type as found.
    pub media_type: String,
    /// The code of its language, empty if it is not known.
    pub language: String,
    /// Every date that it states, the best first.
    pub dates: Vec<Date>,
    /// Everybody it names.
    pub people: Vec<Person>,
    /// Where it stands in other published documents, by their number and ordinal.
    pub occurrences: Vec<Occurrence>,
    /// The smallest number in its conversation, for a message.
    pub thread: Option<u64>,
    /// The number of the message that it answers, if that is published too.
    pub answers: Option<u64>,
    /// What was found of the signatures in its header.
    pub verdicts: Vec<Verdict>,
    /// What of it could not be read.
    pub faults: Vec<Fault>,
    /// Why this replaces what was published under the same number; empty the first time.
    pub reason: String,
    /// What is published of its bytes.
    pub files: Vec<Rendition>,
}

/// Where a document stands in another published document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// That document's permanent number.
    pub parent: u64,
    /// The place among its children.
    pub ordinal: u64,
    /// The name it has there.
    pub name: Option<Name>,
}

/// What a published file is of its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The original bytes.
    Raw,
    /// Its text, UTF-8.
    Text,
    /// The sanitised view, HTML.
    View,
    /// The picture of a page; its media type says of which.
    Page,
}

impl Role {
    /// Every role, in the order in which a document's files are listed.
    pub const ALL: [Role; 4] = [Role::Raw, Role::Text, Role::View, Role::Page];
}

/// Bytes that are published of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// What they are of it.
    pub role: Role,
    /// Their digest.
    pub digest: Digest,
    /// How many there are.
    pub length: u64,
    /// Their media type.
    pub media_type: String,
}
