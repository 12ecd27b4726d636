//! Camera data (Exif 2.32, on TIFF 6.0): directories of fields, one of which points to those of the camera and one to those of the place.

use super::{LONGEST, Seen, bytes};
use crate::document::Memory;
use daylight_model::reading::Input;
use std::io;

/// A directory has not so many fields, a file not so many pages.
const MOST_FIELDS: u16 = 4096;
const MOST_PAGES: u32 = 20_000;

/// Fields that are text.
const TEXTS: [(u16, &str); 17] = [
    (0x010d, "document"),
    (0x010e, "description"),
    (0x010f, "maker"),
    (0x0110, "model"),
    (0x0131, "software"),
    (0x0132, "changed"),
    (0x013b, "artist"),
    (0x013c, "computer"),
    (0x8298, "copyright"),
    (0x9003, "taken"),
    (0x9004, "digitised"),
    (0x9011, "zone"),
    (0x9286, "comment"),
    (0xa430, "owner"),
    (0xa431, "serial number"),
    (0xa434, "lens"),
    (0xa435, "lens serial number"),
];

/// Fields that Windows adds, in UTF-16.
const WIDE: [(u16, &str); 5] = [(0x9c9b, "title"), (0x9c9c, "comment"), (0x9c9d, "author"), (0x9c9e, "keywords"), (0x9c9f, "subject")];

/// Reads camera data that stands in a picture of another format.
pub(super) fn read(tiff: &[u8], seen: &mut Seen) {
    // The picture's own format says how large it is and whether it is whole.
    let size = seen.size;
    let mut inner = Seen { size: Some((0, 0)), ..Seen::default() };
    let _ = read_tiff(&Memory(tiff), &mut inner);
    for (name, value) in inner.properties {
        seen.say(&name, &value);
    }
    seen.size = size;
}

/// Reads a TIFF: its size is that of its first page.
pub(super) fn read_tiff(input: &(dyn Input + '_), seen: &mut Seen) -> io::Result<()> {
    let head = bytes(input, 0, 8)?;
    let big = match head.get(..4) {
        Some(b"II*\0") => false,
        Some(b"MM\0*") => true,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let tiff = Tiff { input, big };
    let mut next = tiff.u32(&head, 4);
    let mut visited = std::collections::HashSet::new();
    while next != 0 && visited.insert(next) && seen.pages < MOST_PAGES {
        next = tiff.page(next, seen)?;
        seen.pages += 1;
    }
    Ok(())
}

/// Where the pages of a TIFF begin, in their order.
pub(super) fn page_starts(input: &(dyn Input + '_)) -> Vec<u32> {
    let mut starts = Vec::new();
    let Ok(head) = bytes(input, 0, 8) else { return starts };
    let tiff = Tiff { input, big: head.starts_with(b"MM") };
    let mut next = tiff.u32(&head, 4);
    let mut visited = std::collections::HashSet::new();
    while next != 0 && starts.len() < MOST_PAGES as usize && visited.insert(next) {
        let Ok((_, after)) = tiff.directory(next) else { break };
        starts.push(next);
        next = after;
    }
    starts
}

struct Tiff<'a> {
    input: &'a (dyn Input + 'a),
    big: bool,
}

struct Field {
    tag: u16,
    kind: u16,
    count: u32,
    /// The value, or where it is.
    value: [u8; 4],
}

/// A place's parts: of latitude or longitude its sign, degrees, minutes and seconds.
#[derive(Default)]
struct Place {
    signs: [Option<u8>; 2],
    angles: [Option<f64>; 2],
}

impl Tiff<'_> {
    /// Reads a page and says where the next one is.
    fn page(&self, at: u32, seen: &mut Seen) -> io::Result<u32> {
        let (fields, next) = self.directory(at)?;
        let first = seen.pages == 0;
        let number = |tag: u16| fields.iter().find(|field| field.tag == tag).map(|field| self.number(field));
        if let (true, Some(width), Some(height)) = (first, number(0x0100), number(0x0101)) {
            seen.size(width, height);
        }
        if first || seen.pages < 16 {
            self.say(&fields, seen)?;
            if let Some(exif) = number(0x8769) {
                self.say(&self.directory(exif)?.0, seen)?;
            }
            if let Some(place) = number(0x8825) {
                self.place(&self.directory(place)?.0, seen)?;
            }
        }
        Ok(next)
    }

    fn directory(&self, at: u32) -> io::Result<(Vec<Field>, u32)> {
        let at = u64::from(at);
        let head = bytes(self.input, at, 2)?;
        let count = self.u16(&head, 0);
        if head.len() < 2 || count > MOST_FIELDS {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let body = bytes(self.input, at + 2, usize::from(count) * 12 + 4)?;
        if body.len() < usize::from(count) * 12 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let fields = body.chunks_exact(12).take(count.into()).map(|field| Field {
            tag: self.u16(field, 0),
            kind: self.u16(field, 2),
            count: self.u32(field, 4),
            value: [field[8], field[9], field[10], field[11]],
        });
        Ok((fields.collect(), self.u32(&body, usize::from(count) * 12)))
    }

    fn say(&self, fields: &[Field], seen: &mut Seen) -> io::Result<()> {
        for field in fields {
            if let Some((_, name)) = TEXTS.iter().find(|(tag, _)| *tag == field.tag) {
                let value = self.value(field)?;
                // A comment says in its first eight bytes how it is written.
                let value = if field.tag == 0x9286 { comment(&value, self.big) } else { String::from_utf8_lossy(&value).into_owned() };
                seen.say(name, value.split('\0').next().unwrap_or_default());
            } else if let Some((_, name)) = WIDE.iter().find(|(tag, _)| *tag == field.tag) {
                let value = self.value(field)?;
                seen.say(name, &encoding_rs::UTF_16LE.decode_without_bom_handling(&value).0);
            }
        }
        Ok(())
    }

    /// Latitude and longitude in degrees, altitude in metres, and when.
    fn place(&self, fields: &[Field], seen: &mut Seen) -> io::Result<()> {
        let mut place = Place::default();
        for field in fields {
            match field.tag {
                1 => place.signs[0] = Some(field.value[0]),
                3 => place.signs[1] = Some(field.value[0]),
                2 | 4 => {
                    let value = self.value(field)?;
                    let parts = [0, 8, 16].map(|at| self.ratio(&value, at).unwrap_or(0.0));
                    place.angles[usize::from(field.tag == 4)] = Some(parts[0] + parts[1] / 60.0 + parts[2] / 3600.0);
                }
                6 => {
                    if let Some(metres) = self.ratio(&self.value(field)?, 0) {
                        seen.say("altitude", &format!("{metres:.1} m"));
                    }
                }
                0x1d => seen.say("place taken on", &String::from_utf8_lossy(&self.value(field)?)),
                _ => (),
            }
        }
        if let [Some(latitude), Some(longitude)] = place.angles {
            let south = if place.signs[0] == Some(b'S') { -1.0 } else { 1.0 };
            let west = if place.signs[1] == Some(b'W') { -1.0 } else { 1.0 };
            if latitude.is_finite() && longitude.is_finite() && (latitude, longitude) != (0.0, 0.0) {
                seen.say("place", &format!("{:.6}, {:.6}", south * latitude, west * longitude));
            }
        }
        Ok(())
    }

    /// A field's bytes, which stand in it if they fit there (TIFF 6.0, section 2).
    fn value(&self, field: &Field) -> io::Result<Vec<u8>> {
        let width = match field.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            5 | 10 | 12 => 8,
            _ => 4,
        };
        let length = usize::try_from(field.count).unwrap_or(usize::MAX).saturating_mul(width).min(LONGEST + 4);
        if length <= 4 {
            return Ok(field.value[..length].to_vec());
        }
        bytes(self.input, u64::from(self.u32(&field.value, 0)), length)
    }

    fn number(&self, field: &Field) -> u32 {
        if field.kind == 3 { u32::from(self.u16(&field.value, 0)) } else { self.u32(&field.value, 0) }
    }

    fn ratio(&self, bytes: &[u8], at: usize) -> Option<f64> {
        let below = self.u32(bytes, at + 4);
        (below != 0 && bytes.len() >= at + 8).then(|| f64::from(self.u32(bytes, at)) / f64::from(below))
    }

    fn u16(&self, bytes: &[u8], at: usize) -> u16 {
        let two = bytes.get(at..at + 2).map_or([0; 2], |b| [b[0], b[1]]);
        if self.big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
    }

    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        let four = bytes.get(at..at + 4).map_or([0; 4], |b| [b[0], b[1], b[2], b[3]]);
        if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }
}

fn comment(value: &[u8], big: bool) -> String {
    let Some((kind, text)) = value.split_at_checked(8) else { return String::new() };
    match kind {
        b"UNICODE\0" if big => encoding_rs::UTF_16BE.decode_without_bom_handling(text).0.into_owned(),
        b"UNICODE\0" => encoding_rs::UTF_16LE.decode_without_bom_handling(text).0.into_owned(),
        _ => String::from_utf8_lossy(text).into_owned(),
    }
}
