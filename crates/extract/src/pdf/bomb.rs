//! Streams that unpack to more than is read. The library unpacks a stream whole and without a limit, so each is unpacked once before, into
//! nothing, and what is too long is emptied in the copy that the library gets.
//!
//! Streams are found by their keyword and not by their dictionaries, which a file can disguise in many ways. Not seen are streams that are
//! encrypted, or packed by something else than Flate before: for those the limit on the process's memory must do.

use flate2::read::{DeflateDecoder, ZlibDecoder};
use std::io::Read;

/// A stream that is longer unpacked is not read.
pub(super) const LONGEST: u64 = 128 << 20;
/// All streams together may unpack to this many times the file's length, or to the second number where that is more.
const RATIO: u64 = 64;
const RATIO_FLOOR: u64 = 1 << 30;
/// Flate within Flate is followed so deep.
const DEEPEST: usize = 4;
/// A whole zlib stream that holds nothing.
const NOTHING: [u8; 8] = [0x78, 0x9c, 3, 0, 0, 0, 0, 1];

/// Where a stream was emptied.
pub(super) struct Emptied {
    pub(super) at: u64,
}

/// Empties every stream that unpacks to too much.
pub(super) fn defuse(bytes: &mut [u8]) -> Vec<Emptied> {
    let mut emptied = Vec::new();
    let mut left = (bytes.len() as u64).saturating_mul(RATIO).max(RATIO_FLOOR);
    let starts: Vec<usize> = memchr::memmem::find_iter(bytes, b"stream").map(|at| at + 6).collect();
    for keyword in starts {
        let start = keyword + bytes[keyword..].iter().take(2).take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if start == keyword || bytes.len() - start < NOTHING.len() {
            continue;
        }
        let length = unpacked_length(&bytes[start..], LONGEST.min(left));
        if length > LONGEST.min(left) {
            bytes[start..start + NOTHING.len()].copy_from_slice(&NOTHING);
            emptied.push(Emptied { at: start as u64 });
        }
        left = left.saturating_sub(length);
    }
    emptied
}

/// How many bytes these unpack to at any depth; counted to just past `most`. What is not Flate unpacks to nothing.
pub(super) fn unpacked_length(bytes: &[u8], most: u64) -> u64 {
    let mut longest = 0;
    for depth in 1..=DEEPEST {
        let mut reader: Box<dyn Read + '_> =
            if is_zlib(bytes) { Box::new(ZlibDecoder::new(bytes)) } else { Box::new(DeflateDecoder::new(bytes)) };
        for _ in 1..depth {
            reader = Box::new(ZlibDecoder::new(reader));
        }
        let (length, again) = count(&mut *reader, most);
        longest = longest.max(length);
        if longest > most || !again {
            break;
        }
    }
    longest
}

/// How much there is to read, and whether it could be unpacked once more.
fn count(reader: &mut dyn Read, most: u64) -> (u64, bool) {
    let mut buffer = [0; 32 << 10];
    let (mut length, mut again) = (0, false);
    while length <= most {
        match reader.read(&mut buffer) {
            Ok(count @ 1..) => {
                again |= length == 0 && is_zlib(&buffer[..count]);
                length += count as u64;
            }
            Ok(0) | Err(_) => break,
        }
    }
    (length, again)
}

/// RFC 1950 section 2.2: Deflate, and the check of the header.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [method, flags, ..] if method & 15 == 8 && (u32::from(*method) << 8 | u32::from(*flags)).is_multiple_of(31))
}
