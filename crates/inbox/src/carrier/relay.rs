//! A carrier in a process of its own, which has the network and no key, so that the process with the keys has no network. Each question and each answer is a frame:
//!
//! ```text
//! what (one byte) ‖ length (u32 big-endian) ‖ bytes
//! ```
//! An envelope comes as pieces, and a yes after the last. The desk's end believes nothing: frames are bounded, and after one that is not of its form nothing more is asked.

use super::{Carrier, Lookup, MAX_LIST, Waiting};
use crate::{Error, Result};
use daylight_model::Digest;
use std::io::{self, Read, Write};

const DIRECTORY: u8 = b'd';
const PUT_DIRECTORY: u8 = b'p';
const LIST: u8 = b'l';
const FETCH: u8 = b'f';
const DONE: u8 = b't';
const REPLY: u8 = b'r';
const ACCEPT: u8 = b'a';
const FORGET: u8 = b'g';

const YES: u8 = b'+';
const NO: u8 = b'-';
const PIECE: u8 = b'.';
const FAILED: u8 = b'!';

/// The bytes of an envelope that is listed: id, mailbox, day, length.
const LISTED: usize = 76;

/// The desk's end: asks over a pipe.
pub struct Relayed<R, W> {
    from: R,
    to: W,
    broken: bool,
}

impl<R: Read, W: Write> Relayed<R, W> {
    /// Over the output and the input of the process that runs [`relay`].
    pub fn new(from: R, to: W) -> Self {
        Self { from, to, broken: false }
    }

    fn say(&mut self, what: u8, parts: &[&[u8]]) -> Result<()> {
        if self.broken {
            return Err(gone());
        }
        write_frame(&mut self.to, what, parts).and_then(|()| self.to.flush()).map_err(|_| self.breaks())
    }

    fn hear(&mut self) -> Result<(u8, Vec<u8>)> {
        read_frame(&mut self.from).ok().flatten().ok_or_else(|| self.breaks())
    }

    fn breaks(&mut self) -> Error {
        self.broken = true;
        gone()
    }

    /// A question that is answered with one frame; `None` for a no.
    fn ask(&mut self, what: u8, parts: &[&[u8]]) -> Result<Option<Vec<u8>>> {
        self.say(what, parts)?;
        match self.hear()? {
            (YES, bytes) => Ok(Some(bytes)),
            (NO, _) => Ok(None),
            (FAILED, words) => Err(failed(&words)),
            _ => Err(self.breaks()),
        }
    }
}

fn gone() -> Error {
    Error::Carrier("the process that carries to it ended early, or said what it should not".into())
}

fn failed(words: &[u8]) -> Error {
    Error::Carrier(String::from_utf8_lossy(&words[..words.len().min(1000)]).into_owned())
}

impl<R: Read, W: Write> Carrier for Relayed<R, W> {
    fn directory(&mut self) -> Result<Option<Vec<u8>>> {
        self.ask(DIRECTORY, &[])
    }

    fn put_directory(&mut self, file: &[u8]) -> Result<bool> {
        Ok(self.ask(PUT_DIRECTORY, &[file])?.is_some())
    }

    fn list(&mut self) -> Result<Vec<Waiting>> {
        let listed = self.ask(LIST, &[])?.unwrap_or_default();
        listed.chunks(LISTED).map(|one| from_bytes(one).ok_or_else(|| self.breaks())).collect()
    }

    fn fetch(&mut self, waiting: &Waiting, to: &mut dyn Write) -> Result<bool> {
        self.say(FETCH, &[&to_bytes(waiting)])?;
        loop {
            match self.hear()? {
                // What goes beyond an envelope's length ends here, and so does whoever sends it.
                (PIECE, bytes) => to.write_all(&bytes).map_err(|error| {
                    self.broken = true;
                    Error::Carrier(error.to_string())
                })?,
                (YES, _) => return Ok(true),
                (NO, _) => return Ok(false),
                (FAILED, words) => return Err(failed(&words)),
                _ => return Err(self.breaks()),
            }
        }
    }

    fn done(&mut self, ids: &[Digest]) -> Result<()> {
        self.ask(DONE, &ids.iter().map(|id| &id.0[..]).collect::<Vec<_>>()).map(drop)
    }

    fn reply(&mut self, lookup: &Lookup, sealed: &[u8]) -> Result<()> {
        self.ask(REPLY, &[lookup, sealed]).map(drop)
    }

    fn accept(&mut self, lookups: &[Lookup]) -> Result<()> {
        self.ask(ACCEPT, &lookups.iter().map(|lookup| &lookup[..]).collect::<Vec<_>>()).map(drop)
    }

    fn forget(&mut self, lookups: &[Lookup]) -> Result<()> {
        self.ask(FORGET, &lookups.iter().map(|lookup| &lookup[..]).collect::<Vec<_>>()).map(drop)
    }
}

/// The end with the network: does what is asked over `from` with a carrier, and says over `to` what came of it, until the desk's end is closed.
pub fn relay(carrier: &mut dyn Carrier, from: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
    while let Some((what, asked)) = read_frame(from)? {
        let answer = if what == FETCH { fetch(carrier, &asked, to) } else { answer(carrier, what, &asked) };
        match answer {
            Ok(Some(bytes)) => write_frame(to, YES, &[&bytes])?,
            Ok(None) => write_frame(to, NO, &[])?,
            Err(Error::Carrier(why)) => write_frame(to, FAILED, &[why.as_bytes()])?,
            Err(error) => write_frame(to, FAILED, &[error.to_string().as_bytes()])?,
        }
        to.flush()?;
    }
    Ok(())
}

fn answer(carrier: &mut dyn Carrier, what: u8, asked: &[u8]) -> Result<Option<Vec<u8>>> {
    let none = Some(Vec::new());
    let wrong = || Error::Carrier("asked for what nobody can do".into());
    match what {
        DIRECTORY => carrier.directory(),
        PUT_DIRECTORY => Ok(if carrier.put_directory(asked)? { none } else { None }),
        LIST => Ok(Some(carrier.list()?.iter().flat_map(to_bytes).collect())),
        DONE => carrier.done(&keys(asked).into_iter().map(Digest).collect::<Vec<_>>()).map(|()| none),
        REPLY => {
            let (lookup, sealed) = asked.split_first_chunk::<32>().ok_or_else(wrong)?;
            carrier.reply(lookup, sealed).map(|()| none)
        }
        ACCEPT => carrier.accept(&keys(asked)).map(|()| none),
        FORGET => carrier.forget(&keys(asked)).map(|()| none),
        _ => Err(wrong()),
    }
}

fn fetch(carrier: &mut dyn Carrier, asked: &[u8], to: &mut dyn Write) -> Result<Option<Vec<u8>>> {
    let waiting = from_bytes(asked).ok_or_else(|| Error::Carrier("asked for no envelope".into()))?;
    Ok(carrier.fetch(&waiting, &mut Pieces(to))?.then(Vec::new))
}

/// Writes each piece as a frame.
struct Pieces<'a>(&'a mut dyn Write);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(1 << 20)];
        write_frame(self.0, PIECE, &[piece])?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn keys(bytes: &[u8]) -> Vec<[u8; 32]> {
    bytes.as_chunks::<32>().0.to_vec()
}

fn to_bytes(one: &Waiting) -> [u8; LISTED] {
    let mut bytes = [0; LISTED];
    bytes[..32].copy_from_slice(&one.id.0);
    bytes[32..64].copy_from_slice(&one.lookup);
    bytes[64..68].copy_from_slice(&one.day.to_be_bytes());
    bytes[68..].copy_from_slice(&one.length.to_be_bytes());
    bytes
}

fn from_bytes(bytes: &[u8]) -> Option<Waiting> {
    let bytes: &[u8; LISTED] = bytes.try_into().ok()?;
    let (id, rest) = bytes.split_first_chunk::<32>()?;
    let (lookup, rest) = rest.split_first_chunk::<32>()?;
    let (day, length) = rest.split_first_chunk::<4>()?;
    Some(Waiting { id: Digest(*id), lookup: *lookup, day: u32::from_be_bytes(*day), length: u64::from_be_bytes(length.try_into().ok()?) })
}

fn write_frame(to: &mut dyn Write, what: u8, parts: &[&[u8]]) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length > MAX_LIST {
        return Err(io::Error::other("it is longer than anything that is carried"));
    }
    to.write_all(&[what])?;
    to.write_all(&(length as u32).to_be_bytes())?;
    parts.iter().try_for_each(|part| to.write_all(part))
}

/// The next frame; `None` where the other end was closed before one began.
fn read_frame(from: &mut dyn Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut begin = [0; 5];
    if from.read(&mut begin[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut begin[1..])?;
    let length = u32::from_be_bytes([begin[1], begin[2], begin[3], begin[4]]);
    if length as usize > MAX_LIST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // It grows with what comes, not with what is announced.
    let mut bytes = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((begin[0], bytes)))
}
