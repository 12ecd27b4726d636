//! What a source sends, sealed for the newsroom: a head of constant size, the body, zeros, and at the end what is known only there.

use crate::codename::ConversationKey;
use crate::file::OpenError;
use crate::hybrid::{Recipient, sealed_length};
use crate::newsroom::Newsroom;
use crate::padding::{padded_file, padded_text};
use daylight_model::Digest;
use std::io;

mod head;
mod open;
mod seal;

pub use head::{LONGEST_NAME, LONGEST_TYPE};
pub use open::{Submission, open_submission};
pub use seal::{SubmissionSealer, seal_submission};
#[cfg(fuzzing)]
pub(crate) use {open::read, seal::seal_into};

/// How many stanzas every envelope has, and so the most recipients.
pub const STANZAS: usize = 16;

/// The longest text, in bytes; what is longer is sent as a file.
pub const LONGEST_TEXT: u64 = 128 << 10;

/// What stands after the zeros: an HMAC, and the body's length.
const TAIL: u64 = 32 + 8;

/// What the HMAC of a later message is told to be for.
const MAC_LABEL: &[u8] = b"daylight-submission/v1 mac\n";

/// Which side sealed an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedBy {
    /// The drop's server, as it arrived from a page: whoever held the running server could read it.
    Page,
    /// The source's own machine.
    Tool,
}

/// What an envelope holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text for people, of at most [`LONGEST_TEXT`] bytes.
    Text,
    /// A file, or a part of one.
    File {
        /// The same random bytes in all parts of one file.
        file: [u8; 16],
        /// The part, counted from 0.
        part: u32,
        /// Whether it is the last part.
        last: bool,
    },
}

/// What is sealed about a body, in front of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Head {
    /// Whom it is meant for.
    pub newsroom: Newsroom,
    /// The epoch of the keys that it is sealed to: a day, counted from 1970-01-01.
    pub epoch: u32,
    /// The key of the conversation.
    pub conversation: ConversationKey,
    /// What replies are sealed to.
    pub reply: Recipient,
    /// Which side sealed it.
    pub sealed_by: SealedBy,
    /// Differs between the messages of a conversation, so that the same one twice is noticed. It may be random.
    pub counter: u64,
    /// What the body is.
    pub kind: Kind,
    /// The file's name as its bytes are, at most [`LONGEST_NAME`] of them; nothing is to be believed of it. Empty for a text.
    pub name: Vec<u8>,
    /// The file's media type as the sender says, at most [`LONGEST_TYPE`] printable ASCII characters; empty for a text.
    pub media_type: String,
    /// Whether it is the first of its conversation, which carries no HMAC.
    pub first: bool,
}

/// Whether an envelope comes from whoever began the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authenticated {
    /// It begins the conversation.
    First,
    /// Whoever made it has the conversation's key.
    Yes,
    /// It may be somebody else's.
    No,
}

/// What is known once an envelope was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The body's length in bytes.
    pub length: u64,
    /// The body's SHA-256.
    pub sha256: Digest,
    /// Whose it is.
    pub authenticated: Authenticated,
}

/// Why an envelope was not opened.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    /// The file around it was not opened.
    #[error(transparent)]
    File(#[from] OpenError),
    /// It was sealed for another newsroom, whoever brought it here.
    #[error("it is meant for another newsroom")]
    OtherNewsroom,
    /// It was sealed by a program that does not keep to the format.
    #[error("not a submission of version 1: {0}")]
    Malformed(&'static str),
    /// It is damaged, altered or cut off, or could not be read.
    #[error(transparent)]
    Read(io::Error),
    /// Its body could not be written.
    #[error("its contents could not be written: {0}")]
    Write(io::Error),
}

/// How long the envelope of a body of this length is. Nothing but this of all that is sealed shows in it.
pub fn envelope_length(body: u64, kind: &Kind) -> u64 {
    // 2^50 bytes and more are nobody's.
    sealed_length(STANZAS as u64, head::LENGTH as u64 + padded(body.min(1 << 50), kind) + TAIL)
}

/// What a body is filled up to. A text that is too long is not sealed at all.
fn padded(body: u64, kind: &Kind) -> u64 {
    match kind {
        Kind::Text => padded_text(body),
        Kind::File { .. } => padded_file(body),
    }
}

#[cfg(test)]
mod tests;
