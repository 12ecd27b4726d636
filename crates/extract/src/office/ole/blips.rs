//! Pictures in the drawings of the old forms ([MS-ODRAW] section 2.2.23), found wherever they stand.

use crate::office::bytes::{place_at, u16_at};
use std::ops::Range;

/// Pictures beyond this many in one stream are not looked for.
const MOST: usize = 10_000;

/// Where the pictures are that need no unpacking: JPEG, PNG and TIFF.
pub(super) fn find(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in memchr::memchr_iter(0xf0, bytes) {
        let Some(start) = at.checked_sub(3) else { continue };
        let (kind, length) = (u16_at(bytes, start + 2), place_at(bytes, start + 4));
        let end = (start + 8).saturating_add(length);
        if !matches!(kind, 0xf01d | 0xf01e | 0xf029 | 0xf02a) || end > bytes.len() || found.last().is_some_and(|last| last.end > start) {
            continue;
        }
        // One or two digests of 16 bytes and a tag stand before the picture.
        let picture = [17, 33].map(|skip| start + 8 + skip).into_iter().find(|picture| {
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
