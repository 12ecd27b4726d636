//! Where each format of pictures keeps its size and what else it says.

use super::{LONGEST, Seen, bytes, exif};
use daylight_model::reading::Input;
use std::io::{self, Read};

/// Pieces of a file beyond this many are not looked at.
const MOST: usize = 20_000;
/// Camera data is not longer.
const LONGEST_EXIF: usize = 4 << 20;

pub(super) fn read(media: &str, input: &(dyn Input + '_), seen: &mut Seen) -> io::Result<()> {
    match media {
        "image/jpeg" => jpeg(input, seen),
        "image/png" => png(input, seen),
        "image/gif" => gif(input, seen),
        "image/webp" => webp(input, seen),
        "image/bmp" => bmp(input, seen),
        "image/tiff" => exif::read_tiff(input, seen),
        _ => heic(input, seen),
    }
}

fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// ITU-T T.81, annex B: segments, each with a mark and a length, up to the picture's data.
fn jpeg(input: &(dyn Input + '_), seen: &mut Seen) -> io::Result<()> {
    let mut at = 2;
    for _ in 0..MOST {
        let head = bytes(input, at, 4)?;
        let &[0xff, mark, high, low] = &head[..] else { return Err(broken()) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        match mark {
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            0xd9 | 0xda => return Ok(()),
            _ => {
                let body = bytes(input, at + 4, length.saturating_sub(2))?;
                match mark {
                    0xc0..=0xcf if !matches!(mark, 0xc4 | 0xc8 | 0xcc) && body.len() >= 5 => {
                        seen.size(be16(&body, 3), be16(&body, 1));
                    }
                    0xe1 => {
                        if let Some(tiff) = body.strip_prefix(b"Exif\0\0") {
                            exif::read(tiff, seen);
                        }
                    }
                    0xfe => seen.say("comment", &String::from_utf8_lossy(&body)),
                    _ => (),
                }
                at += 2 + length.max(2) as u64;
            }
        }
    }
    Err(broken())
}

/// PNG, third edition: chunks with a length before and a checksum behind.
fn png(input: &(dyn Input + '_), seen: &mut Seen) -> io::Result<()> {
    let mut at = 8;
    for _ in 0..MOST {
        let head = bytes(input, at, 8)?;
        if head.len() < 8 {
            return Err(broken());
        }
        let length = be32(&head, 0);
        let body = |most: usize| bytes(input, at + 8, most.min(usize::try_from(length).unwrap_or(0)));
        match &head[4..8] {
            b"IHDR" => {
                let body = body(8)?;
                seen.size(be32(&body, 0), be32(&body, 4));
            }
            b"eXIf" => exif::read(&body(LONGEST_EXIF)?, seen),
            b"tEXt" | b"zTXt" | b"iTXt" => png_text(&head[4..8], &body(LONGEST)?, seen),
            b"IEND" => return Ok(()),
            _ => (),
        }
        at += 12 + u64::from(length);
    }
    Err(broken())
}

/// A keyword, a zero, and a text that may be deflated; in `iTXt` two flags and two more zero-ended strings stand before it.
fn png_text(kind: &[u8], body: &[u8], seen: &mut Seen) {
    let Some((keyword, rest)) = split(body) else { return };
    let name = latin(&keyword[..keyword.len().min(79)]);
    let text = match kind {
        b"tEXt" => Some(latin(rest)),
        b"zTXt" => rest.get(1..).map(|packed| latin(&inflated(packed))),
        _ => rest.get(2..).and_then(split).and_then(|(_, rest)| split(rest)).map(|(_, text)| {
            let text = if rest[0] == 1 { inflated(text) } else { text.to_vec() };
            String::from_utf8_lossy(&text).into_owned()
        }),
    };
    seen.say(&name, &text.unwrap_or_default());
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = memchr::memchr(0, bytes)?;
    Some((&bytes[..zero], &bytes[zero + 1..]))
}

fn inflated(packed: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    // What is broken gives what stands before the break.
    let _ = flate2::read::ZlibDecoder::new(packed).take(LONGEST as u64 + 4).read_to_end(&mut text);
    text
}

/// GIF89a: blocks, whose data stands in pieces of up to 255 bytes.
fn gif(input: &(dyn Input + '_), seen: &mut Seen) -> io::Result<()> {
    let head = bytes(input, 6, 7)?;
    if head.len() < 7 {
        return Err(broken());
    }
    seen.size(u32::from(le16(&head, 0)), u32::from(le16(&head, 2)));
    let table = |flags: u8| if flags & 0x80 != 0 { 3u64 << ((flags & 7) + 1) } else { 0 };
    let mut at = 13 + table(head[4]);
    for _ in 0..MOST {
        let block = bytes(input, at, 10)?;
        let comment = match block.first() {
            Some(0x21) => {
                at += 2;
                block.get(1) == Some(&0xfe)
            }
            Some(0x2c) if block.len() == 10 => {
                at += 11 + table(block[9]);
                seen.pages += 1;
                false
            }
            Some(0x3b) => return Ok(()),
            _ => return Err(broken()),
        };
        let mut text = Vec::new();
        loop {
            let length = *bytes(input, at, 1)?.first().ok_or_else(broken)?;
            if comment && text.len() < LONGEST {
                text.extend(bytes(input, at + 1, length.into())?);
            }
            at += 1 + u64::from(length);
            if length == 0 {
                break;
            }
        }
        seen.say("comment", &String::from_utf8_lossy(&text));
    }
    Ok(())
}

/// WebP's container: chunks as RIFF has them.
fn webp(input: &(dyn Input + '_), seen: &mut Seen) -> io::Result<()> {
    let mut at = 12;
    for _ in 0..MOST {
        let head = bytes(input, at, 8)?;
        if head.is_empty() {
            return Ok(());
        }
        if head.len() < 8 {
            return Err(broken());
        }
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let body = |most: usize| bytes(input, at + 8, most.min(usize::try_from(length).unwrap_or(0)));
        match &head[..4] {
            b"VP8X" if length >= 10 => {
                let body = body(10)?;
                let three = |at: usize| body.get(at..at + 3).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], 0]) + 1);
                seen.size(three(4), three(7));
            }
            b"VP8 " => {
                let body = body(10)?;
                seen.size(u32::from(le16(&body, 6) & 0x3fff), u32::from(le16(&body, 8) & 0x3fff));
            }
            b"VP8L" => {
                let body = body(5)?;
                let bits = u32::from(le16(&body, 1)) | u32::from(le16(&body, 3)) << 16;
                seen.size((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
            }
            b"EXIF" => {
                let body = body(LONGEST_EXIF)?;
                exif::read(body.strip_prefix(b"Exif\0\0").unwrap_or(&body), seen);
            }
            _ => (),
        }
        at += 8 + u64::from(length) + u64::from(length & 1);
    }
    Err(broken())
}

fn bmp(input: &(dyn Input + '_), seen: &mut Seen) -> io::Result<()> {
    let head = bytes(input, 14, 12)?;
    let at = |at: usize| u32::from(le16(&head, at)) | u32::from(le16(&head, at + 2)) << 16;
    if head.len() == 12 {
        // A negative height says that the top row comes first.
        seen.size(at(4), at(8).cast_signed().unsigned_abs());
    }
    Ok(())
}

/// HEIF (ISO/IEC 23008-12): the size stands in the first `ispe` box of the `meta` box; where the camera data is takes a table of places to say, so
/// it is looked for by its mark.
fn heic(input: &(dyn Input + '_), seen: &mut Seen) -> io::Result<()> {
    let head = bytes(input, 0, LONGEST_EXIF)?;
    let mut largest = None;
    for place in memchr::memmem::find_iter(&head, b"ispe").take(1000) {
        if let Some(size) = head.get(place + 8..place + 16) {
            largest = largest.max(Some((be32(size, 0), be32(size, 4))));
        }
    }
    if let Some((width, height)) = largest {
        seen.size(width, height);
    }
    for mark in [&b"Exif\0\0MM\0*"[..], b"Exif\0\0II*\0"] {
        if let Some(place) = memchr::memmem::find(&head, mark) {
            exif::read(&head[place + 6..], seen);
        }
    }
    Ok(())
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

fn be16(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 2).map_or(0, |b| u32::from(u16::from_be_bytes([b[0], b[1]])))
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    be16(bytes, at) << 16 | be16(bytes, at + 2)
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}
