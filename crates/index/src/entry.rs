use daylight_model::{Digest, Kind, Person};

/// What is known of one document, for finding it.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its number in the caller's own counting, unique in an index. Hits carry it.
    pub seq: u64,
    /// The name by which it is looked up: `COLLECTION/N` in an archive; empty on a desk, where the catalogue knows the ids.
    pub key: &'a str,
    /// Bytes of the caller's own, given back with every hit: where the document is to be found.
    pub locator: &'a [u8],
    /// What sort of thing it is.
    pub kind: Kind,
    /// The names of the collections it belongs to.
    pub collections: &'a [&'a str],
    /// Its title: a message's subject, a file's name.
    pub title: &'a str,
    /// The code of its language (ISO 639), empty if it is not known.
    pub language: &'a str,
    /// Everybody it names, the first `From` being its sender.
    pub people: &'a [Person],
    /// The file names it goes by.
    pub names: &'a [String],
    /// Its media type, lower case without parameters.
    pub media_type: &'a str,
    /// The digest of its bytes.
    pub digest: Option<Digest>,
    /// Its best date, in seconds since 1970-01-01T00:00:00Z.
    pub date: Option<i64>,
    /// Its text, in segments. A word never runs on from one segment into the next.
    pub texts: Vec<String>,
    /// Whether something is attached to it.
    pub has_attachment: bool,
    /// Whether some of its words may be missing because it could not be fully read.
    pub unreadable: bool,
    /// The words that `dkim:` finds it by.
    pub signatures: &'a [String],
    /// The conversation it belongs to.
    pub thread: Option<&'a str>,
    /// The key of the document it is a part of.
    pub parent: Option<&'a str>,
}
