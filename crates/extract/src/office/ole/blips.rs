//! Pictures in the drawings of the old forms ([MS-ODRAW] section 2.2.23), found wherever they stand.

use crate::office::bytes::{place_at, stretch, u16_at};
use flate2::read::ZlibDecoder;
use std::borrow::Cow;
use std::io::Read as _;
use std::ops::Range;

/// Pictures beyond this many in one stream are not looked for.
const MOST: usize = 10_000;

/// A drawing is not unpacked beyond this many bytes.
const LARGEST: u64 = 64 << 20;

/// The pictures: JPEG, PNG and TIFF as they stand, drawings (EMF and WMF) without their packing.
pub(super) fn pictures(bytes: &[u8]) -> impl Iterator<Item = Cow<'_, [u8]>> {
    find(bytes).into_iter().filter_map(|place| match &bytes[place] {
        drawing if is_drawing(drawing) => unpacked(drawing).map(Cow::Owned),
        picture => Some(Cow::Borrowed(picture)),
    })
}

/// Whether these bytes are a packed drawing and not a picture: sizes and how it is packed, 0 for zlib, stand before it (section 2.2.31).
fn is_drawing(bytes: &[u8]) -> bool {
    bytes.len() > 34 && bytes[32] == 0 && bytes[33] == 0xfe && bytes[34] == 0x78
}

fn unpacked(drawing: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = LARGEST.min(place_at(drawing, 0) as u64);
    // What breaks off is given as far as it goes.
    let _ = ZlibDecoder::new(&drawing[34..]).take(most).read_to_end(&mut bytes);
    (!bytes.is_empty()).then_some(bytes)
}

/// Where the pictures are.
fn find(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in memchr::memchr_iter(0xf0, bytes) {
        let Some(start) = at.checked_sub(3) else { continue };
        let (kind, length) = (u16_at(bytes, start + 2), place_at(bytes, start + 4));
        let end = (start + 8).saturating_add(length);
        let drawn = matches!(kind, 0xf01a | 0xf01b);
        if !(drawn || matches!(kind, 0xf01d | 0xf01e | 0xf029 | 0xf02a))
            || end > bytes.len()
            || found.last().is_some_and(|last| last.end > start)
        {
            continue;
        }
        // One or two digests of 16 bytes and a tag stand before the picture.
        // Before a drawing stands no tag.
        let skips = if drawn { [16, 32] } else { [17, 33] };
        let picture = skips.map(|skip| start + 8 + skip).into_iter().find(|picture| {
            if drawn {
                return *picture < end && is_drawing(stretch(bytes, *picture, end - *picture));
            }
            let marks: [&[u8]; 4] = [b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*"];
            *picture < end && marks.iter().any(|mark| bytes[*picture..end].starts_with(mark))
        });
        found.extend(picture.map(|picture| picture..end));
        if found.len() >= MOST {
            break;
        }
    }
    found
}
