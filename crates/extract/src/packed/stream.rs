//! Compressed bytes as a stream of what they unpack to.
//!
//! | form | by | memory at most |
//! |---|---|---|
//! | gzip (RFC 1952), deflate (RFC 1951) | flate2 on miniz_oxide | 64 KiB |
//! | bzip2 | our own: what there is binds C, or is C turned into unsafe Rust | 4 MiB |
//! | xz 1.2.1, LZMA | lzma-rust2; two spots of unsafe in its range decoder, which 7z switches on | [`DICTIONARY`] |
//! | zstd (RFC 8878) | ruzstd | [`DICTIONARY`] |

use super::bzip2::Bzip2;
use flate2::bufread::GzDecoder;
use lzma_rust2::{LzmaReader, XzReader};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, BufReader, Read};

/// A stream that wants more bytes than this to look back on is not unpacked.
pub(super) const DICTIONARY: u64 = 128 << 20;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// Unpacks a compressed file, all of its members one after the other.
pub(crate) fn open<'a>(method: Method, packed: Box<dyn Read + 'a>) -> Box<dyn Read + 'a> {
    let source = BufReader::new(packed);
    match method {
        Method::Xz => Box::new(XzReader::new_mem_limit(source, true, (DICTIONARY >> 10) as u32)),
        _ => Box::new(Members { method, state: State::Between(source), begun: false }),
    }
}

/// Unpacks raw deflate.
pub(crate) fn deflated<'a>(packed: Box<dyn Read + 'a>) -> Box<dyn Read + 'a> {
    Box::new(flate2::read::DeflateDecoder::new(packed))
}

/// Unpacks LZMA as it stands in a zip (APPNOTE.TXT 5.8.8): a version, the length of the properties, the properties, and the stream, which
/// either has an end mark or ends where `length` says.
pub(crate) fn lzma_of_zip<'a>(packed: Box<dyn Read + 'a>, length: Option<u64>) -> io::Result<Box<dyn Read + 'a>> {
    let mut source = BufReader::new(packed);
    let mut head = [0; 9];
    source.read_exact(&mut head)?;
    let dictionary = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
    if head[2..4] != [5, 0] {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its properties are not those of LZMA"));
    }
    if u64::from(dictionary) > DICTIONARY {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "it looks back on more than is held in memory"));
    }
    Ok(Box::new(LzmaReader::new_with_props(source, length.unwrap_or(u64::MAX), head[4], dictionary, None)?))
}

/// A file of members, each of which unpacks on its own.
struct Members<'a> {
    method: Method,
    state: State<'a>,
    begun: bool,
}

type Source<'a> = BufReader<Box<dyn Read + 'a>>;

enum State<'a> {
    Between(Source<'a>),
    Gzip(GzDecoder<Source<'a>>),
    Bzip2(Bzip2<Source<'a>>),
    Zstd(Box<FrameDecoder>, Source<'a>),
    Ended,
}

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = match &mut self.state {
                State::Ended => return Ok(0),
                State::Between(_) => 0,
                State::Gzip(member) => member.read(buffer)?,
                State::Bzip2(member) => member.read(buffer)?,
                State::Zstd(frame, source) => read_frame(frame, source, buffer)?,
            };
            if count > 0 {
                return Ok(count);
            }
            self.next_member()?;
        }
    }
}

impl<'a> Members<'a> {
    fn next_member(&mut self) -> io::Result<()> {
        let mut source = match std::mem::replace(&mut self.state, State::Ended) {
            State::Between(source) => source,
            State::Gzip(member) => member.into_inner(),
            State::Bzip2(member) => member.into_inner(),
            State::Zstd(frame, source) => {
                check_frame(&frame)?;
                source
            }
            State::Ended => return Ok(()),
        };
        // Tapes and disks are filled up with zeros.
        let first = loop {
            match source.fill_buf()?.first() {
                Some(0) if self.begun => source.consume(1),
                first => break first.copied(),
            }
        };
        let Some(first) = first else { return Ok(()) };
        self.state = match self.method {
            Method::Gzip if first == 0x1f => State::Gzip(GzDecoder::new(source)),
            Method::Bzip2 if first == b'B' => State::Bzip2(Bzip2::new(source)),
            Method::Zstd if first == 0x28 || first & 0xf0 == 0x50 => begin_frame(source)?,
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "other bytes stand behind its end")),
        };
        self.begun = true;
        Ok(())
    }
}

/// Begins a frame, or passes over one that only holds what others may skip (RFC 8878, section 3.1.2).
fn begin_frame(mut source: Source<'_>) -> io::Result<State<'_>> {
    let mut frame = Box::new(FrameDecoder::new());
    frame.set_max_window_size(DICTIONARY);
    match frame.init(&mut source) {
        Ok(()) => Ok(State::Zstd(frame, source)),
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
            io::copy(&mut source.by_ref().take(length.into()), &mut io::sink())?;
            Ok(State::Between(source))
        }
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
    }
}

fn read_frame(frame: &mut FrameDecoder, source: &mut Source<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    while frame.can_collect() == 0 && !frame.is_finished() {
        frame
            .decode_blocks(&mut *source, BlockDecodingStrategy::UptoBlocks(1))
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    }
    if frame.can_collect() == 0 { Ok(0) } else { frame.read(buffer) }
}

fn check_frame(frame: &FrameDecoder) -> io::Result<()> {
    match (frame.get_checksum_from_data(), frame.get_calculated_checksum()) {
        (Some(stated), Some(found)) if stated != found => Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is another")),
        _ => Ok(()),
    }
}
