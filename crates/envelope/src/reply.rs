//! What a newsroom answers: sealed to the key that came in the conversation's first envelope, and signed inside by an editor.

use crate::file::{self, OpenError};
use crate::hybrid::{self, Identity, Opening, Recipient, sealed_length};
use crate::newsroom::Newsroom;
use ed25519_dalek::{Signature, VerifyingKey};
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

/// What a reply and what is signed of it begin with.
const FORMAT: &[u8] = b"daylight-reply/v1\n";
/// Newsroom, counter, editor's key, signature.
const HEAD: usize = FORMAT.len() + 32 + 8 + 32 + 64;
/// The lengths that the text is filled up to.
const SIZES: [usize; 2] = [4 << 10, 32 << 10];

/// The longest text of a reply, in bytes.
pub const LONGEST_REPLY: usize = SIZES[1];

/// A reply that an editor of the directory signed for this conversation.
pub struct Reply {
    /// Counts the replies of a conversation. One that was shown before is shown no second time, which is for the caller to see to.
    pub counter: u64,
    /// The text.
    pub body: Zeroizing<String>,
    /// The Ed25519 key of the editor.
    pub editor: [u8; 32],
}

/// Why a reply is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// It was not opened: sealed to another, damaged, cut off, or nothing of ours.
    #[error(transparent)]
    File(#[from] OpenError),
    /// It was sealed by a program that does not keep to the format.
    #[error("not a reply of version 1: {0}")]
    Malformed(&'static str),
    /// It was written for another newsroom's source.
    #[error("it comes from another newsroom")]
    OtherNewsroom,
    /// The key that it says it was signed with is no editor's.
    #[error("it is signed with a key that is no editor's in the newsroom's directory")]
    UnknownEditor,
    /// The signature is not the editor's, or was made for another conversation or text.
    #[error("its signature is forged, or was made for another conversation or text")]
    Forged,
}

/// How long the sealed reply of a text of this length is.
pub fn reply_length(body: usize) -> u64 {
    let padded = if body <= SIZES[0] { SIZES[0] } else { SIZES[1] };
    sealed_length(1, (HEAD + padded + 8) as u64)
}

/// Seals a reply of at most [`LONGEST_REPLY`] bytes. `sign` is given what the editor with this Ed25519 key signs; that binds the reply to the newsroom, the
/// conversation, the counter and the text.
pub fn seal_reply(
    reply: &Recipient,
    newsroom: &Newsroom,
    counter: u64,
    body: &str,
    editor: &[u8; 32],
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> io::Result<Vec<u8>> {
    if body.len() > LONGEST_REPLY {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a reply has at most 32 KiB"));
    }
    let signature = sign(&signed(reply, newsroom, counter, body));
    let mut stream = hybrid::seal(std::slice::from_ref(reply), 1, Vec::with_capacity(reply_length(body.len()) as usize))?;
    let counter = counter.to_be_bytes();
    for part in [FORMAT, &newsroom.0, &counter, editor, &signature, body.as_bytes()] {
        stream.write_all(part)?;
    }
    let padded = if body.len() <= SIZES[0] { SIZES[0] } else { SIZES[1] };
    io::copy(&mut io::repeat(0).take((padded - body.len()) as u64), &mut stream)?;
    stream.write_all(&(body.len() as u64).to_be_bytes())?;
    stream.finish()
}

/// Opens a reply; it is given only if one of these editors signed it for this newsroom and this very key.
pub fn open_reply(identity: &Identity, newsroom: &Newsroom, editors: &[[u8; 32]], sealed: &[u8]) -> Result<Reply, ReplyError> {
    if sealed.len() as u64 > reply_length(LONGEST_REPLY) {
        return Err(ReplyError::Malformed("it is too long"));
    }
    let mut opener = file::open(&[&Opening::new(identity, 1)], sealed)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    opener.read_to_end(&mut plain).map_err(OpenError::Io)?;
    read(&identity.recipient(), newsroom, editors, &plain)
}

/// Reads what is in an opened file.
pub(crate) fn read(recipient: &Recipient, newsroom: &Newsroom, editors: &[[u8; 32]], plain: &[u8]) -> Result<Reply, ReplyError> {
    let (head, padded) = plain.split_at_checked(HEAD).ok_or(ReplyError::Malformed("it is too short"))?;
    let (format, head) = head.split_at(FORMAT.len());
    let (for_newsroom, head) = head.split_at(32);
    let (counter, head) = head.split_at(8);
    let (editor, signature) = head.split_at(32);
    match () {
        () if format != FORMAT => return Err(ReplyError::Malformed("it begins otherwise")),
        () if for_newsroom != newsroom.0 => return Err(ReplyError::OtherNewsroom),
        () => {}
    }
    let editor = editors.iter().find(|known| editor == known.as_slice()).ok_or(ReplyError::UnknownEditor)?;
    let body = text(padded)?;
    let counter = counter.try_into().map(u64::from_be_bytes).map_err(|_| ReplyError::Malformed("it is too short"))?;
    let signature = Signature::from_slice(signature).map_err(|_| ReplyError::Forged)?;
    let message = signed(recipient, newsroom, counter, body);
    let key = VerifyingKey::from_bytes(editor).map_err(|_| ReplyError::UnknownEditor)?;
    key.verify_strict(&message, &signature).map_err(|_| ReplyError::Forged)?;
    Ok(Reply { counter, body: Zeroizing::new(body.to_owned()), editor: *editor })
}

/// The text before the zeros, of which the last eight bytes give the length.
fn text(padded: &[u8]) -> Result<&str, ReplyError> {
    let wrong = ReplyError::Malformed("it is not filled up as replies are");
    let Some((padded, length)) = padded.split_last_chunk::<8>() else { return Err(wrong) };
    let length = usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let size = SIZES.into_iter().find(|size| length <= *size);
    match padded.split_at_checked(length) {
        Some((body, zeros)) if Some(padded.len()) == size && zeros.iter().all(|byte| *byte == 0) => {
            std::str::from_utf8(body).map_err(|_| ReplyError::Malformed("its text is not UTF-8"))
        }
        _ => Err(wrong),
    }
}

/// What an editor signs.
fn signed(reply: &Recipient, newsroom: &Newsroom, counter: u64, body: &str) -> Zeroizing<Vec<u8>> {
    let (reply, counter, length) = (reply.to_bytes(), counter.to_be_bytes(), (body.len() as u64).to_be_bytes());
    let parts: [&[u8]; 6] = [FORMAT, &newsroom.0, &reply, &counter, &length, body.as_bytes()];
    let mut message = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| message.extend_from_slice(part));
    message
}

#[cfg(test)]
mod tests;
