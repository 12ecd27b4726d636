//! Sealing and sending, a part at a time, so that the memory it takes does not depend on what is sent.

use super::line::{Drop, Stop};
use crate::random;
use daylight_archive::directory::Directory;
use daylight_envelope::{Head, Kind, LONGEST_NAME, Newsroom, Recipient, SealedBy, SourceKeys, envelope_length, seal_submission};
use daylight_model::{Digest, Hasher};
use hmac::{Hmac, KeyInit, Mac};
use hyper::body::Bytes;
use sha2::Sha256;
use std::io::{self, Read, Seek, SeekFrom, Write};
use zeroize::Zeroizing;

/// How many bytes of a file one envelope holds.
pub const PART: u64 = 64 << 20;

/// A part of a file that is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The part, counted from 0.
    pub part: u32,
    /// How many parts the file has.
    pub of: u32,
    /// How long the sealed envelope is.
    pub sealed: u64,
}

/// What was sent of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The ids of the envelopes, by which the drop knows them.
    pub envelopes: Vec<Digest>,
    /// The file's length.
    pub length: u64,
    /// The file's SHA-256.
    pub sha256: Digest,
}

/// A source sending to a newsroom.
pub struct Sending<'a> {
    /// The drop.
    pub drop: &'a Drop<'a>,
    /// The newsroom that everything is bound to.
    pub newsroom: Newsroom,
    /// To whom is sealed; checked against the archive's log.
    pub directory: &'a Directory,
    /// The source's keys.
    pub keys: &'a SourceKeys,
    /// Whether nothing of this conversation was sent before.
    pub first: bool,
    /// The time, in seconds since 1970; asked before each envelope, for the day's keys.
    pub now: &'a dyn Fn() -> u64,
}

impl Sending<'_> {
    /// Sends a text of at most 128 KiB.
    pub fn text(&mut self, text: &str) -> Result<Digest, Stop> {
        self.seal_and_send(Kind::Text, &[], &mut text.as_bytes(), text.len() as u64)
    }

    /// Sends a file, part by part, from this part on: what a broken line left of it. It is read twice, first for its SHA-256, which binds its parts
    /// together. `begins` is told of each part.
    pub fn file(&mut self, name: &[u8], file: &mut (impl Read + Seek), from: u32, begins: &mut dyn FnMut(Slice)) -> Result<Sent, Stop> {
        let name = &name[name.len().saturating_sub(LONGEST_NAME)..];
        let (length, sha256) = measured(file)?;
        let of = u32::try_from(length.div_ceil(PART).max(1)).map_err(|_| io::Error::other("the file is too long"))?;
        let id = self.file_id(name, length, &sha256);
        file.seek(SeekFrom::Start(u64::from(from) * PART))?;
        let (mut hasher, mut envelopes) = (Hasher::default(), Vec::new());
        for part in from..of {
            let expected = (length - u64::from(part) * PART).min(PART);
            let kind = Kind::File { file: id, part, last: part + 1 == of };
            begins(Slice { part, of, sealed: envelope_length(expected, &kind) });
            let mut counted = Hashing { from: file.take(expected), hasher: &mut hasher, read: 0 };
            envelopes.push(self.seal_and_send(kind, name, &mut counted, expected)?);
            if counted.read != expected {
                return Err(Stop::Changed);
            }
        }
        if from == 0 && hasher.finish() != sha256 {
            return Err(Stop::Changed);
        }
        Ok(Sent { envelopes, length, sha256 })
    }

    /// The same for the same file in the same conversation, so that a part that is sent again is known for what it is.
    fn file_id(&self, name: &[u8], length: u64, sha256: &Digest) -> [u8; 16] {
        let mut id = [0; 16];
        if let Ok(mac) = Hmac::<Sha256>::new_from_slice(self.keys.conversation.as_bytes()) {
            let mac = mac.chain_update(b"daylight-tool/v1 file\n").chain_update(length.to_be_bytes()).chain_update(sha256.0);
            id.copy_from_slice(&mac.chain_update(name).finalize().into_bytes()[..16]);
        }
        id
    }

    fn seal_and_send(&mut self, kind: Kind, name: &[u8], body: &mut dyn Read, length: u64) -> Result<Digest, Stop> {
        let epoch = u32::try_from((self.now)() / 86_400).unwrap_or(u32::MAX);
        let head = Head {
            newsroom: self.newsroom,
            epoch,
            conversation: self.keys.conversation.clone(),
            reply: self.keys.reply.recipient(),
            sealed_by: SealedBy::Tool,
            counter: counter(epoch)?,
            kind,
            name: name.to_vec(),
            media_type: String::new(),
            first: self.first,
        };
        // As long as it will get: 65 MiB at most, of which there is one.
        let sealed = Vec::with_capacity(usize::try_from(envelope_length(length, &kind)).unwrap_or(0));
        let mut sealer = seal_submission(&head, &self.recipients(epoch)?, sealed)?;
        let mut buffer = Zeroizing::new(vec![0; 64 << 10]);
        loop {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => sealer.write_all(&buffer[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let id = self.drop.send(self.keys.lookup, Bytes::from(sealer.finish()?))?;
        self.first = false;
        Ok(id)
    }

    /// The keys of a day; all of them, for whoever is left out cannot read.
    fn recipients(&self, epoch: u32) -> Result<Vec<Recipient>, Stop> {
        let keys = self.directory.recipients(epoch);
        let recipients: Vec<Recipient> = keys.iter().filter_map(|key| Recipient::from_bytes(key).ok()).collect();
        if recipients.is_empty() || recipients.len() != keys.len() { Err(Stop::NoKeys) } else { Ok(recipients) }
    }
}

/// A number that no other message has. It grows by the day, and says no more of the time than the day.
fn counter(epoch: u32) -> Result<u64, Stop> {
    let drawn: [u8; 4] = random::bytes().map_err(io::Error::other)?;
    Ok(u64::from(epoch) << 32 | u64::from(u32::from_be_bytes(drawn)))
}

/// The length of a file and its SHA-256.
fn measured(file: &mut (impl Read + Seek)) -> io::Result<(u64, Digest)> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Hasher::default();
    let length = io::copy(&mut Hashing { from: file, hasher: &mut hasher, read: 0 }, &mut io::sink())?;
    Ok((length, hasher.finish()))
}

/// Bytes that are counted and hashed as they are read.
struct Hashing<'a, R> {
    from: R,
    hasher: &'a mut Hasher,
    read: u64,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.read += read as u64;
        Ok(read)
    }
}
