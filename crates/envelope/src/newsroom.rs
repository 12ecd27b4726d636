use daylight_model::Digest;
use std::fmt;

/// The newsroom that something is meant for: SHA-256 of the bytes of its archive's first root (`root/1.json`). It is bound into everything sealed, so
/// that nothing can be taken to another newsroom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Newsroom(pub [u8; 32]);

impl fmt::Display for Newsroom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}

/// What a drop files a conversation under: a pseudonym that only the codename and the newsroom together give. It is written as 64 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LookupId(pub [u8; 32]);

impl LookupId {
    /// From 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<Digest>().ok().map(|digest| Self(digest.0))
    }
}

impl fmt::Display for LookupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}
