use crate::{Date, Digest, Hasher, Person, Signature};
use std::fmt;

/// What sort of thing a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An e-mail message (RFC 5322).
    Message,
    /// A file, alone or attached.
    File,
    /// Something that only holds other documents: a mailbox or an archive of files such as a zip.
    Container,
}

impl Kind {
    /// Every kind, in the order of its number on disk and on the wire.
    pub const ALL: [Kind; 3] = [Kind::Message, Kind::File, Kind::Container];

    /// The word for it in JSON, in an archive and in `type:`.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Message => "message",
            Kind::File => "file",
            Kind::Container => "container",
        }
    }
}

/// A document's identity on a desk: the same bytes read in the same way are the same document, wherever they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId(pub Digest);

impl DocumentId {
    /// SHA-256 over `daylight-document/v1\n`, the kind's word, `\n`, the blob's digest in hex, `\n` and the reading-relevant claims: how the
    /// bytes were asked to be read where that changes what is read (a stated character set, say), empty otherwise.
    pub fn of(kind: Kind, blob: &Digest, claims: &str) -> Self {
        let mut hasher = Hasher::default();
        for piece in ["daylight-document/v1\n", kind.word(), "\n", &blob.to_string(), "\n", claims] {
            hasher.update(piece.as_bytes());
        }
        Self(hasher.finish())
    }

    /// The identity of a file that could not be opened, of which only its place in the trove is known.
    pub fn of_unreadable(collection: &str, path: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(b"daylight-unreadable/v1\n");
        hasher.update(collection.as_bytes());
        hasher.update(b"\n");
        hasher.update(path);
        Self(hasher.finish())
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the header of a message says, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFacts {
    /// The subject as decoded, empty if there is none.
    pub subject: String,
    /// Everybody named, in the order of the header.
    pub people: Vec<Person>,
    /// Every date found, the best first.
    pub dates: Vec<Date>,
    /// The Message-ID without its angle brackets, empty if there is none.
    pub message_id: String,
    /// The Message-IDs that `In-Reply-To` names, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// The Message-IDs that `References` names, oldest first.
    pub references: Vec<String>,
    /// Whether there is an HTML body, of which a sanitised view can be made.
    pub has_html: bool,
    /// The signatures in its header, none if it has none; `None` where nobody looked for them, or where the bytes are not the message's own.
    pub signatures: Option<Vec<Signature>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_kind_bytes_and_claims_alone() {
        let blob = Digest::of(b"x");
        let id = DocumentId::of(Kind::File, &blob, "");
        assert_eq!(id, DocumentId::of(Kind::File, &blob, ""));
        assert_ne!(id, DocumentId::of(Kind::Message, &blob, ""));
        assert_ne!(id, DocumentId::of(Kind::File, &blob, "text/plain; charset=koi8-r"));
    }
}
