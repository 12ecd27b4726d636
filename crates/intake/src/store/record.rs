//! The header of every file of the store: 64 bytes.

use daylight_model::Digest;
use std::fmt;
use std::str::FromStr;

/// How long the header is, in bytes.
pub(super) const HEADER: usize = 64;
const MAGIC: &[u8; 16] = b"daylight-drop/1\n";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// What a source sent, sealed to the newsroom.
    Envelope,
    /// What a newsroom answered, sealed to a source.
    Reply,
    /// That an editor accepted a source; it has no bytes of its own.
    Source,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Envelope, Self::Reply, Self::Source];

    pub(super) fn folder(self) -> &'static str {
        match self {
            Kind::Envelope => "envelope",
            Kind::Reply => "reply",
            Kind::Source => "source",
        }
    }

    fn letter(self) -> u8 {
        match self {
            Kind::Envelope => b'E',
            Kind::Reply => b'R',
            Kind::Source => b'A',
        }
    }
}

/// The name by which a source is looked up: what its codename gives, and nothing that leads back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lookup(pub [u8; 32]);

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}

impl FromStr for Lookup {
    type Err = daylight_model::ParseDigestError;

    /// Reads 64 lowercase hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Digest>().map(|digest| Self(digest.0))
    }
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: Kind,
    /// Whether it was not yet written anew at the end of its day.
    pub(super) fresh: bool,
    /// The day on which it came, since 1970-01-01 (UTC).
    pub(super) day: u32,
    /// The day on which it goes.
    pub(super) until: u32,
    pub(super) lookup: Lookup,
}

impl Record {
    pub(super) fn to_bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..16].copy_from_slice(MAGIC);
        bytes[16] = self.kind.letter();
        bytes[17] = u8::from(self.fresh);
        bytes[20..24].copy_from_slice(&self.day.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.until.to_le_bytes());
        bytes[32..].copy_from_slice(&self.lookup.0);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; HEADER]) -> Option<Self> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.letter() == bytes[16])?;
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let mut lookup = Lookup([0; 32]);
        lookup.0.copy_from_slice(&bytes[32..]);
        let record = Self { kind, fresh: bytes[17] == 1, day: number(20), until: number(24), lookup };
        (record.to_bytes() == *bytes).then_some(record)
    }
}
