//! A door for fuzzing: what nobody gets past a cipher to. A key exchange takes a thousand times as long as anything else that is read of an envelope, so each layer has a door of its own:
//! one stanza with its key exchange ([`Stanzas`]), and the rest in files whose key is known.

use crate::file::{self, OpenError, Opener};
use crate::hybrid::{self, Identity, Opening, Recipient};
use crate::newsroom::Newsroom;
use crate::reply::{self, Reply, ReplyError};
use crate::submission::{self, Head, Submission, SubmissionError};
use age::DecryptError;
use age_core::format::{FileKey, Stanza};
use age_core::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::io::Write;

/// The key of every file whose key is known.
const KEY: [u8; 16] = [7; 16];
/// The stanza that gives it.
pub const STANZA: &str = "-> known\n\n";

/// Opens the files whose key is known.
struct Known;

impl age::Identity for Known {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        (stanza.tag == "known").then(|| Ok(FileKey::init_with_mut(|key| key.copy_from_slice(&KEY))))
    }
}

/// A file with these lines for stanzas that holds these bytes, under the known key.
pub fn file(stanzas: &str, plain: &[u8]) -> Vec<u8> {
    let mut stream = hybrid::Stream::begin(&KEY, hybrid::header(stanzas, &KEY).into_bytes()).expect("written to memory");
    stream.write_all(plain).expect("written to memory");
    stream.finish().expect("written to memory")
}

/// Opens a file, by the known key alone.
pub fn open(file: &[u8]) -> Result<Opener<&[u8]>, OpenError> {
    file::open(&[&Known], file)
}

/// A submission's bytes before they are sealed.
pub fn plain_submission(head: &Head, body: &[u8]) -> Vec<u8> {
    let stream = hybrid::Stream::begin(&KEY, hybrid::header(STANZA, &KEY).into_bytes()).expect("written to memory");
    let mut sealer = submission::seal_into(head, stream).expect("a head that can be written");
    sealer.write_all(body).expect("not too long");
    let (file, mut plain) = (sealer.finish().expect("written to memory"), Vec::new());
    std::io::Read::read_to_end(&mut open(&file).expect("the known key"), &mut plain).expect("it is whole");
    plain
}

/// Opens a submission in a file whose key is known.
pub fn open_submission<'a>(newsroom: &Newsroom, file: &'a [u8]) -> Result<Submission<&'a [u8]>, SubmissionError> {
    submission::read(open(file)?, newsroom)
}

/// Reads a reply that was opened.
pub fn read_reply(recipient: &Recipient, newsroom: &Newsroom, editors: &[[u8; 32]], plain: &[u8]) -> Result<Reply, ReplyError> {
    reply::read(recipient, newsroom, editors, plain)
}

/// A key, and a stanza that was sealed to it.
pub struct Stanzas {
    opening: Opening,
    encapsulated: Vec<u8>,
    body: Vec<u8>,
    key: [u8; 16],
}

impl Stanzas {
    /// Makes both, for files of one stanza.
    pub fn new(identity: &Identity) -> Self {
        let mut stream = hybrid::seal(&[identity.recipient()], 1, Vec::new()).expect("one recipient");
        stream.write_all(b"x").expect("written to memory");
        let file = stream.finish().expect("written to memory");
        let line = |at: usize| String::from_utf8_lossy(file.split(|byte| *byte == b'\n').nth(at).expect("a line")).into_owned();
        let decoded = |text: &str| STANDARD_NO_PAD.decode(text).expect("base64");
        let encapsulated = decoded(line(1).rsplit(' ').next().expect("an argument"));
        let mut made = Self { opening: Opening::new(identity, 1), encapsulated, body: decoded(&line(2)), key: [0; 16] };
        made.key = made.opens(&made.encapsulated.clone(), &made.body.clone(), 1).expect("its own stanza");
        made
    }

    /// What was sealed: the encapsulated key and the body.
    pub fn sealed(&self) -> (&[u8], &[u8]) {
        (&self.encapsulated, &self.body)
    }

    /// The key that the stanza gives.
    pub fn key(&self) -> [u8; 16] {
        self.key
    }

    /// The key that this stanza, so many times, gives, if it gives one.
    pub fn opens(&self, encapsulated: &[u8], body: &[u8], times: usize) -> Option<[u8; 16]> {
        self.opens_as("mlkem768x25519", &[STANDARD_NO_PAD.encode(encapsulated)], body, times)
    }

    /// The same for any tag and arguments.
    pub fn opens_as(&self, tag: &str, args: &[String], body: &[u8], times: usize) -> Option<[u8; 16]> {
        let stanza = || Stanza { tag: tag.into(), args: args.to_vec(), body: body.to_vec() };
        let stanzas: Vec<Stanza> = (0..times).map(|_| stanza()).collect();
        let opened = age::Identity::unwrap_stanzas(&self.opening, &stanzas)?.ok()?;
        Some(*opened.expose_secret())
    }
}
