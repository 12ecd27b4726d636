//! The serialisation of OpenTimestamps' detached proofs: a magic, a version, the digest of what was stamped, and a tree of operations that leads from
//! it to attestations. Read strictly and within bounds; what it says of blocks can be believed only by who has the blocks.

use super::MAX_PROOF;
use daylight_model::Digest;
use sha1::{Digest as _, Sha1};

const MAGIC: &[u8] = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94";

/// The one major version.
const VERSION: u64 = 1;

/// The longest message or argument of an operation, in bytes (the reference implementation's `MAX_RESULT_LENGTH`).
const MAX_MESSAGE: usize = 4_096;

/// The longest attestation, in bytes.
const MAX_PAYLOAD: usize = 8_192;

/// The longest address of a calendar, in bytes.
const MAX_URI: usize = 1_000;

/// How many operations may follow on each other.
const MAX_DEPTH: usize = 256;

/// How many operations and attestations there may be in all.
const MAX_NODES: usize = 20_000;

const SHA256: u8 = 0x08;

/// Why bytes are not a proof that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OtsError {
    /// No proof at all.
    #[error("not an OpenTimestamps proof (.ots)")]
    NoProof,
    /// A later version.
    #[error("an OpenTimestamps proof of version {0}, of which only version 1 is known")]
    Version(u64),
    /// Of a file that was hashed otherwise.
    #[error("an OpenTimestamps proof over another hash than SHA-256")]
    Hash,
    /// It ends too early, or goes on after its end.
    #[error("a damaged OpenTimestamps proof: {0}")]
    Damaged(&'static str),
}

/// Who attests that something existed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attestation {
    /// A block of Bitcoin has it: the block's height, and what its Merkle root must be, as explorers show it in hex; unknown where the path has an
    /// operation that is not calculated here.
    Bitcoin {
        /// The height.
        height: u64,
        /// The root, byte-reversed hex.
        root: Option<String>,
    },
    /// A block of Litecoin has it.
    Litecoin {
        /// The height.
        height: u64,
        /// The root, byte-reversed hex.
        root: Option<String>,
    },
    /// A calendar promised to have it put into a block: nothing is shown before `ots upgrade` got that.
    Pending {
        /// The calendar's address.
        uri: String,
    },
    /// Of a kind that is not known here.
    Other {
        /// Its tag in hex.
        tag: String,
    },
}

impl Attestation {
    /// Whether it names a block, so that it can be checked without asking a calendar.
    pub fn is_block(&self) -> bool {
        matches!(self, Attestation::Bitcoin { .. } | Attestation::Litecoin { .. })
    }
}

/// A proof that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    digest: Digest,
    attestations: Vec<Attestation>,
}

impl Proof {
    /// The SHA-256 of what was stamped.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Every attestation, in the order of the file.
    pub fn attestations(&self) -> &[Attestation] {
        &self.attestations
    }

    /// Reads a proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, OtsError> {
        let rest = bytes.strip_prefix(MAGIC).filter(|_| bytes.len() as u64 <= MAX_PROOF).ok_or(OtsError::NoProof)?;
        let mut reader = Reader { rest, nodes: 0, attestations: Vec::new() };
        match reader.number()? {
            VERSION => {}
            other => return Err(OtsError::Version(other)),
        }
        if reader.byte()? != SHA256 {
            return Err(OtsError::Hash);
        }
        let digest: [u8; 32] = reader.bytes(32)?.try_into().map_err(|_| ENDS)?;
        reader.timestamp(Some(digest.to_vec()), MAX_DEPTH)?;
        if !reader.rest.is_empty() {
            return Err(OtsError::Damaged("something follows its end"));
        }
        Ok(Self { digest: Digest(digest), attestations: reader.attestations })
    }
}

const ENDS: OtsError = OtsError::Damaged("it ends too early");

struct Reader<'a> {
    rest: &'a [u8],
    nodes: usize,
    attestations: Vec<Attestation>,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8, OtsError> {
        let (first, rest) = self.rest.split_first().ok_or(ENDS)?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], OtsError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(ENDS)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number in groups of seven bits, the lowest first.
    fn number(&mut self) -> Result<u64, OtsError> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(OtsError::Damaged("a number is too large"))
    }

    fn counted(&mut self, least: usize, most: usize) -> Result<&'a [u8], OtsError> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if length < least || length > most { Err(OtsError::Damaged("something is too long or too short")) } else { self.bytes(length) }
    }

    /// A timestamp of a message: any number of branches, all but the last after 0xff. `None` for the message where it cannot be calculated here.
    fn timestamp(&mut self, message: Option<Vec<u8>>, depth: usize) -> Result<(), OtsError> {
        if depth == 0 {
            return Err(OtsError::Damaged("too many operations follow on each other"));
        }
        loop {
            let mut tag = self.byte()?;
            let goes_on = tag == 0xff;
            if goes_on {
                tag = self.byte()?;
            }
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                return Err(OtsError::Damaged("too many operations"));
            }
            if tag == 0 {
                self.attestation(message.as_deref())?;
            } else {
                let result = self.operation(tag, message.as_deref())?;
                self.timestamp(result, depth - 1)?;
            }
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// What an operation makes of a message.
    fn operation(&mut self, tag: u8, message: Option<&[u8]>) -> Result<Option<Vec<u8>>, OtsError> {
        let argument = if matches!(tag, 0xf0 | 0xf1) { self.counted(1, MAX_MESSAGE)? } else { &[] };
        if !matches!(tag, 0xf0..=0xf3 | 0x02 | 0x03 | SHA256 | 0x67) {
            return Err(OtsError::Damaged("it has an operation that is not known"));
        }
        let Some(message) = message else { return Ok(None) };
        let result = match tag {
            0xf0 => [message, argument].concat(),
            0xf1 => [argument, message].concat(),
            0xf2 => message.iter().rev().copied().collect(),
            0xf3 => hex(message).into_bytes(),
            0x02 => Sha1::digest(message).to_vec(),
            SHA256 => Digest::of(message).0.to_vec(),
            // RIPEMD-160 and Keccak-256 are not calculated: no calendar uses them on the way to a block.
            _ => return Ok(None),
        };
        if result.len() > MAX_MESSAGE { Err(OtsError::Damaged("a message is too long")) } else { Ok(Some(result)) }
    }

    fn attestation(&mut self, message: Option<&[u8]>) -> Result<(), OtsError> {
        let tag = self.bytes(8)?;
        let payload = self.counted(0, MAX_PAYLOAD)?;
        let mut inner = Reader { rest: payload, nodes: 0, attestations: Vec::new() };
        let attestation = match tag {
            [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01] => {
                Attestation::Bitcoin { height: inner.number()?, root: block_root(message)? }
            }
            [0x06, 0x86, 0x9a, 0x0d, 0x73, 0xd7, 0x1b, 0x45] => {
                Attestation::Litecoin { height: inner.number()?, root: block_root(message)? }
            }
            [0x83, 0xdf, 0xe3, 0x0d, 0x2e, 0xf9, 0x0c, 0x8e] => Attestation::Pending { uri: uri(inner.counted(0, MAX_URI)?)? },
            other => {
                self.attestations.push(Attestation::Other { tag: hex(other) });
                return Ok(());
            }
        };
        if !inner.rest.is_empty() {
            return Err(OtsError::Damaged("an attestation has something behind its end"));
        }
        self.attestations.push(attestation);
        Ok(())
    }
}

/// A block's Merkle root is what its attestation must end in.
fn block_root(message: Option<&[u8]>) -> Result<Option<String>, OtsError> {
    match message {
        None => Ok(None),
        Some(message) if message.len() == 32 => Ok(Some(hex(&message.iter().rev().copied().collect::<Vec<_>>()))),
        Some(_) => Err(OtsError::Damaged("it leads to no block's Merkle root")),
    }
}

/// A calendar's address has only these characters, so that it can do no harm where it is shown.
fn uri(bytes: &[u8]) -> Result<String, OtsError> {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._/:".contains(b);
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.as_bytes().iter().all(allowed));
    text.map(str::to_owned).ok_or(OtsError::Damaged("a calendar's address has characters that are not allowed"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
