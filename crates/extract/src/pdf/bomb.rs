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

/// What was seen of a file's streams.
#[derive(Default)]
pub(super) struct Seen {
    /// Where those stand that were emptied.
    pub(super) emptied: Vec<u64>,
    /// How many do not unpack to their end, and where the first of them is.
    pub(super) torn: u64,
    pub(super) first_torn: u64,
}

/// Empties every stream that unpacks to too much.
pub(super) fn defuse(bytes: &mut [u8]) -> Seen {
    let mut seen = Seen::default();
    let mut left = (bytes.len() as u64).saturating_mul(RATIO).max(RATIO_FLOOR);
    let starts: Vec<usize> = memchr::memmem::find_iter(bytes, b"stream").map(|at| at + 6).collect();
    for keyword in starts {
        let start = keyword + bytes[keyword..].iter().take(2).take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if start == keyword || bytes.len() - start < NOTHING.len() {
            continue;
        }
        let (length, whole) = unpacked(&bytes[start..], LONGEST.min(left));
        if length > LONGEST.min(left) {
            bytes[start..start + NOTHING.len()].copy_from_slice(&NOTHING);
            seen.emptied.push(start as u64);
        } else if !whole && is_zlib(&bytes[start..]) {
            seen.first_torn = if seen.torn == 0 { start as u64 } else { seen.first_torn };
            seen.torn += 1;
        }
        left = left.saturating_sub(length);
    }
    seen
}

/// How many bytes these unpack to at any depth; counted to just past `most`. What is not Flate unpacks to nothing.
pub(super) fn unpacked_length(bytes: &[u8], most: u64) -> u64 {
    unpacked(bytes, most).0
}

/// The same, and whether the outermost Flate comes to its end; the check behind it is not looked at, many a program writes none.
fn unpacked(bytes: &[u8], most: u64) -> (u64, bool) {
    let (mut longest, mut whole) = (0, true);
    for depth in 1..=DEEPEST {
        let mut reader: Box<dyn Read + '_> = Box::new(DeflateDecoder::new(if is_zlib(bytes) { &bytes[2..] } else { bytes }));
        for _ in 1..depth {
            reader = Box::new(ZlibDecoder::new(reader));
        }
        let (length, again, torn) = count(&mut *reader, most);
        longest = longest.max(length);
        whole &= depth > 1 || !torn;
        if longest > most || !again {
            break;
        }
    }
    (longest, whole)
}

/// How much there is to read, whether it could be unpacked once more, and whether it breaks off.
fn count(reader: &mut dyn Read, most: u64) -> (u64, bool, bool) {
    let mut buffer = [0; 32 << 10];
    let (mut length, mut again, mut torn) = (0, false, false);
    while length <= most {
        match reader.read(&mut buffer) {
            Ok(count @ 1..) => {
                again |= length == 0 && is_zlib(&buffer[..count]);
                length += count as u64;
            }
            Ok(0) => break,
            Err(_) => {
                torn = true;
                break;
            }
        }
    }
    (length, again, torn)
}

/// RFC 1950 section 2.2: Deflate, and the check of the header.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [method, flags, ..] if method & 15 == 8 && (u32::from(*method) << 8 | u32::from(*flags)).is_multiple_of(31))
}
