use super::{Head, Kind, LONGEST_TEXT, STANZAS, head, padded};
use crate::hybrid::{self, Recipient, Stream};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::io::{self, Read, Write};

/// An envelope being sealed: write the body, then [`SubmissionSealer::finish`] it. Dropped before that, what was written is cut off and nobody opens it.
pub struct SubmissionSealer<W: Write> {
    stream: Stream<W>,
    kind: Kind,
    /// None in a first message.
    mac: Option<Hmac<Sha256>>,
    length: u64,
}

/// Begins an envelope for 1 to [`STANZAS`] recipients. It is written as the body is, in chunks of 64 KiB, and nothing of it need be known before.
///
/// A name or a media type that is too long is an error of the kind [`io::ErrorKind::InvalidInput`].
pub fn seal_submission<W: Write>(head: &Head, recipients: &[Recipient], out: W) -> io::Result<SubmissionSealer<W>> {
    let bytes: head::Bytes = head.to_bytes()?;
    begin(head, &bytes, hybrid::seal(recipients, STANZAS, out)?)
}

/// Begins an envelope in a file whose key is known.
#[cfg(fuzzing)]
pub(crate) fn seal_into<W: Write>(head: &Head, stream: Stream<W>) -> io::Result<SubmissionSealer<W>> {
    begin(head, &head.to_bytes()?, stream)
}

/// Begins an envelope in a file whose header is written.
fn begin<W: Write>(head: &Head, bytes: &head::Bytes, mut stream: Stream<W>) -> io::Result<SubmissionSealer<W>> {
    stream.write_all(bytes.as_slice())?;
    let mac = (!head.first).then(|| super::open::mac(&head.conversation, bytes)).transpose()?;
    Ok(SubmissionSealer { stream, kind: head.kind, mac, length: 0 })
}

impl<W: Write> SubmissionSealer<W> {
    /// How many bytes of the body were written.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fills up with zeros, writes the HMAC and the length, and gives the writer back. Nothing is sealed before this has returned.
    pub fn finish(mut self) -> io::Result<W> {
        let zeros = padded(self.length, &self.kind) - self.length;
        io::copy(&mut io::repeat(0).take(zeros), &mut self.stream)?;
        let length = self.length.to_be_bytes();
        let mac: [u8; 32] = match self.mac {
            None => [0; 32],
            Some(mac) => mac.chain_update(length).finalize().into_bytes().into(),
        };
        self.stream.write_all(&mac)?;
        self.stream.write_all(&length)?;
        self.stream.finish()
    }
}

impl<W: Write> Write for SubmissionSealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.kind == Kind::Text && self.length + bytes.len() as u64 > LONGEST_TEXT {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a text has at most 128 KiB: send it as a file"));
        }
        let written = self.stream.write(bytes)?;
        self.length += written as u64;
        if let Some(mac) = &mut self.mac {
            mac.update(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
