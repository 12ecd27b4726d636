use super::{Authenticated, Finished, Head, MAC_LABEL, STANZAS, SubmissionError, TAIL, head, padded};
use crate::codename::ConversationKey;
use crate::file::{self, Opener};
use crate::hybrid::{Identity, Opening};
use crate::newsroom::Newsroom;
use daylight_model::Hasher;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::{self, BufRead, Read, Write};
use zeroize::Zeroizing;

/// An envelope that was opened: its head was read, its body not yet.
pub struct Submission<R> {
    opener: Opener<R>,
    head: Head,
    bytes: head::Bytes,
}

/// Opens an envelope with whichever of these identities fits, and reads its head. What comes from it is the sender's word, whoever that is.
pub fn open_submission<R: BufRead>(identities: &[&Identity], newsroom: &Newsroom, input: R) -> Result<Submission<R>, SubmissionError> {
    let openings: Vec<Opening> = identities.iter().map(|identity| Opening::new(identity, STANZAS)).collect();
    let openings: Vec<&dyn age::Identity> = openings.iter().map(|opening| opening as &dyn age::Identity).collect();
    read(file::open(&openings, input)?, newsroom)
}

/// Reads the head of what is in an opened file.
pub(crate) fn read<R: Read>(mut opener: Opener<R>, newsroom: &Newsroom) -> Result<Submission<R>, SubmissionError> {
    let mut bytes: head::Bytes = Box::new(Zeroizing::new([0; head::LENGTH]));
    opener.read_exact(bytes.as_mut_slice()).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => SubmissionError::Malformed("it is too short, or cut off"),
        _ => SubmissionError::Read(error),
    })?;
    let head = Head::from_bytes(&bytes)?;
    if head.newsroom != *newsroom {
        return Err(SubmissionError::OtherNewsroom);
    }
    Ok(Submission { opener, head, bytes })
}

impl<R: Read> Submission<R> {
    /// What stands in front of the body.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Writes the body, and says at the end what it was. Until then nothing is known of what was written: not that it is whole, nor whose it is, nor even
    /// that those bytes are the body. On an error all of it must be thrown away.
    ///
    /// `known` is the key of the conversation that the envelope arrived in, as its first message said. Without one, an envelope that is no first one is
    /// held to the key that it names itself: then it comes from whoever has that key.
    pub fn copy_to(mut self, out: &mut impl Write, known: Option<&ConversationKey>) -> Result<Finished, SubmissionError> {
        let key = known.unwrap_or(&self.head.conversation);
        let mac = mac(key, &self.bytes).map_err(SubmissionError::Write)?;
        let mut body = Body { out, mac, hasher: Hasher::default(), given: 0, zeros: 0 };
        let tail = body.copy(&mut self.opener)?;
        let (mac, length) = tail.split_at(32);
        let length = u64::from_be_bytes(length.try_into().map_err(|_| SubmissionError::Malformed("it has no end"))?);
        let sealed = body.given + body.zeros;
        if length < body.given || length > sealed || padded(length, &self.head.kind) != sealed {
            return Err(SubmissionError::Malformed("its length is not the body's, or it is padded otherwise"));
        }
        body.give_zeros(length - body.given)?;
        let authenticated = match self.head.first {
            true if mac != [0; 32] => return Err(SubmissionError::Malformed("it is a first message and has an HMAC")),
            true if *key == self.head.conversation => Authenticated::First,
            true => Authenticated::No,
            false if *key == self.head.conversation && body.mac.chain_update(length.to_be_bytes()).verify_slice(mac).is_ok() => {
                Authenticated::Yes
            }
            false => Authenticated::No,
        };
        Ok(Finished { length, sha256: body.hasher.finish(), authenticated })
    }
}

/// The HMAC of a later message, over its head so far.
pub(super) fn mac(key: &ConversationKey, head: &head::Bytes) -> io::Result<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(io::Error::other)?;
    Ok(mac.chain_update(MAC_LABEL).chain_update(head.as_slice()))
}

/// A body on its way out. Where it ends is said only after the zeros that follow it, so zeros are counted until something comes after them.
struct Body<'a, W> {
    out: &'a mut W,
    mac: Hmac<Sha256>,
    hasher: Hasher,
    given: u64,
    zeros: u64,
}

impl<W: Write> Body<'_, W> {
    /// Takes everything but the tail, which is given back.
    fn copy(&mut self, from: &mut impl Read) -> Result<Zeroizing<Vec<u8>>, SubmissionError> {
        let tail = TAIL as usize;
        let mut buffer = Zeroizing::new(vec![0; tail + (64 << 10)]);
        let mut held = 0;
        loop {
            let read = match from.read(&mut buffer[held..]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SubmissionError::Read(error)),
            };
            let end = held + read;
            let ready = end.saturating_sub(tail);
            self.take(&buffer[..ready])?;
            buffer.copy_within(ready..end, 0);
            held = end - ready;
        }
        buffer.truncate(held);
        if held < tail { Err(SubmissionError::Malformed("it has no end")) } else { Ok(buffer) }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), SubmissionError> {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if end > 0 {
            self.give_zeros(self.zeros)?;
            self.zeros = 0;
            self.give(&bytes[..end])?;
        }
        self.zeros += (bytes.len() - end) as u64;
        Ok(())
    }

    fn give_zeros(&mut self, mut count: u64) -> Result<(), SubmissionError> {
        const ZEROS: [u8; 4_096] = [0; 4_096];
        while count > 0 {
            let now = count.min(ZEROS.len() as u64);
            self.give(&ZEROS[..now as usize])?;
            count -= now;
        }
        Ok(())
    }

    fn give(&mut self, bytes: &[u8]) -> Result<(), SubmissionError> {
        self.out.write_all(bytes).map_err(SubmissionError::Write)?;
        self.mac.update(bytes);
        self.hasher.update(bytes);
        self.given += bytes.len() as u64;
        Ok(())
    }
}
