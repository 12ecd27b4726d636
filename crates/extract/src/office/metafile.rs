//! Drawings of Windows, EMF ([MS-EMF], with EMF+ in it, [MS-EMFPLUS]) and WMF ([MS-WMF]): diagrams, charts and tables that were pasted into documents. Their words
//! are read; what is drawn is not.

use super::bytes::{ansi, code_page, page_of_charset, place_at, stretch, u16_at, u32_at, utf16};
use super::flow::Flow;
use crate::document::{Doc, Memory, found};
use crate::output::{Output, Problem};
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Kind, Stage};

const TOOL: &str = "metafile 1";
/// A placeable WMF begins so.
const PLACEABLE: u32 = 0x9ac6_cdd7;
const PLACEABLE_HEAD: usize = 22;
/// Indices of a font's own shapes stand in place of characters.
const GLYPHS: u32 = 0x10;

/// The media type of a drawing that begins so.
pub(crate) fn by_mark(head: &[u8]) -> Option<&'static str> {
    if u32_at(head, 0) == 1 && head.get(40..44) == Some(b" EMF") {
        return Some("image/emf");
    }
    let plain =
        matches!(u16_at(head, 0), 1 | 2) && u16_at(head, 2) == 9 && matches!(u16_at(head, 4), 0x100 | 0x300) && u16_at(head, 16) == 0;
    (u32_at(head, 0) == PLACEABLE || plain && head.len() >= 18).then_some("image/wmf")
}

/// Reads the words of a drawing, in the order in which they are drawn.
pub(super) fn read(out: &mut Output<'_>, doc: Doc, media: &str, bytes: &[u8]) -> Result<(), Stop> {
    let index = found(out, doc, Kind::File, media, "", &Memory(bytes))?;
    let words = if media == "image/emf" { emf(bytes) } else { wmf(bytes) };
    let mut flow = Flow::new(out, index);
    for line in &words.lines.whole {
        flow.whole_line(Label::Body, line)?;
    }
    flow.flush()?;
    let said = flow.said;
    if let Some(at) = words.broken {
        let why = "its records break off; what stands behind is not read";
        out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, why).at(at as u64))?;
    }
    if words.glyphs {
        let why = "some of its words are drawn by the numbers of a font's shapes, and are not read";
        return out.fault(index, Problem::new(Stage::Read, FaultCode::NoReader, TOOL, why));
    }
    if !said && !out.is_faulty(index) {
        let why = "it has no text; what is drawn in it is not read";
        return out.fault(index, Problem::new(Stage::Read, FaultCode::NoReader, TOOL, why));
    }
    Ok(())
}

/// What was found in a drawing.
#[derive(Default)]
struct Words {
    lines: Lines,
    /// Some are drawn by the numbers of a font's shapes.
    glyphs: bool,
    /// Where its records stop following each other before the one that ends it.
    broken: Option<usize>,
}

/// Pieces of text on their way to lines: pieces at one height follow each other.
#[derive(Default)]
struct Lines {
    whole: Vec<String>,
    height: Option<i32>,
    /// How long the piece before was, in characters.
    before: usize,
}

impl Lines {
    fn piece(&mut self, height: Option<i32>, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let length = text.chars().count();
        let goes_on = height.is_some() && height == self.height;
        match self.whole.last_mut().filter(|_| goes_on) {
            // A program that sets each letter by itself sets its spaces as well, or leaves wide gaps that are not seen here.
            Some(line) => {
                if length > 1 || self.before > 1 {
                    line.push(' ');
                }
                line.push_str(text);
            }
            None => self.whole.push(text.to_owned()),
        }
        (self.height, self.before) = (height, length);
    }
}

/// The words of an EMF.
fn emf(bytes: &[u8]) -> Words {
    let (mut words, mut plus) = (Words::default(), Lines::default());
    let mut at = 0;
    words.broken = Some(at);
    while let Some(head) = bytes.get(at..at + 8) {
        let length = place_at(head, 4);
        let record = stretch(bytes, at, length);
        if length < 8 || record.len() < length {
            break;
        }
        match u32_at(head, 0) {
            // ExtTextOutA and ExtTextOutW (sections 2.3.5.7 and 2.3.5.8): what they draw is in an object of 40 bytes from 36 on.
            kind @ (83 | 84) => {
                let (count, from, options) = (place_at(record, 44), place_at(record, 48), u32_at(record, 52));
                words.glyphs |= options & GLYPHS != 0 && count > 0;
                if options & GLYPHS == 0 {
                    words.lines.piece(Some(u32_at(record, 40).cast_signed()), &string(record, from, count, kind == 84));
                }
            }
            // SmallTextOut (section 2.3.5.32).
            108 => {
                let (count, options) = (place_at(record, 16), u32_at(record, 20));
                let from = if options & 0x100 == 0 { 52 } else { 36 };
                words.glyphs |= options & GLYPHS != 0 && count > 0;
                if options & GLYPHS == 0 {
                    words.lines.piece(Some(u32_at(record, 12).cast_signed()), &string(record, from, count, options & 0x200 == 0));
                }
            }
            // What ends it (section 2.3.4.1).
            14 => {
                words.broken = None;
                break;
            }
            70 if record.get(12..16) == Some(b"EMF+") => emf_plus(stretch(record, 16, place_at(record, 8).saturating_sub(4)), &mut plus),
            _ => (),
        }
        at += length;
        words.broken = Some(at);
    }
    // Most have everything twice, for programs that know the newer form and for those that do not.
    if words.lines.whole.is_empty() && !plus.whole.is_empty() { Words { lines: plus, glyphs: false, ..words } } else { words }
}

fn string(record: &[u8], from: usize, count: usize, wide: bool) -> String {
    if wide { utf16(stretch(record, from, count.saturating_mul(2))) } else { ansi(stretch(record, from, count), 1252) }
}

/// DrawString and DrawDriverString ([MS-EMFPLUS] sections 2.3.4.14 and 2.3.4.6).
fn emf_plus(records: &[u8], lines: &mut Lines) {
    let mut at = 0;
    while let Some(head) = records.get(at..at + 12) {
        let length = place_at(head, 4);
        let record = stretch(records, at, length);
        if length < 12 || record.len() < length {
            break;
        }
        match u16_at(head, 0) {
            0x401c => lines.piece(None, &utf16(stretch(record, 40, place_at(record, 20).saturating_mul(2)))),
            // Only where they are characters and not a font's shapes.
            0x4036 if u32_at(record, 16) & 1 == 1 => lines.piece(None, &utf16(stretch(record, 28, place_at(record, 24).saturating_mul(2)))),
            _ => (),
        }
        at += length;
    }
}

/// The words of a WMF.
fn wmf(bytes: &[u8]) -> Words {
    let mut words = Words::default();
    let mut at = if u32_at(bytes, 0) == PLACEABLE { PLACEABLE_HEAD } else { 0 };
    at += 18;
    let mut objects = Objects::default();
    words.broken = Some(at);
    while let Some(head) = bytes.get(at..at + 6) {
        let length = place_at(head, 0).saturating_mul(2);
        let record = stretch(bytes, at, length);
        if length < 6 || record.len() < length {
            break;
        }
        let shown = |from: usize, count: usize| {
            let text = stretch(record, from, count);
            code_page(objects.page()).decode_without_bom_handling(text).0.into_owned()
        };
        match u16_at(head, 4) {
            // TextOut (section 2.3.3.20): the text has an even length, its place follows it.
            0x0521 => {
                let count = usize::from(u16_at(record, 6));
                words.lines.piece(Some(i32::from(u16_at(record, 8 + count + (count & 1)).cast_signed())), &shown(8, count));
            }
            // ExtTextOut (section 2.3.3.5): a rectangle may stand before the text.
            0x0a32 => {
                let (count, options) = (usize::from(u16_at(record, 10)), u32::from(u16_at(record, 12)));
                words.glyphs |= options & GLYPHS != 0 && count > 0;
                if options & GLYPHS == 0 {
                    let from = if options & 6 == 0 { 14 } else { 22 };
                    words.lines.piece(Some(i32::from(u16_at(record, 6).cast_signed())), &shown(from, count));
                }
            }
            // What ends it (section 2.3.2.1).
            0 => {
                words.broken = None;
                break;
            }
            kind => objects.take(kind, record),
        }
        at += length;
        words.broken = Some(at);
    }
    words
}

/// The fonts of a WMF, which say of what code page its text is.
#[derive(Default)]
struct Objects {
    /// What was made, by its number: the code page of a font, or something else.
    made: Vec<Option<Option<u32>>>,
    chosen: Option<u32>,
}

impl Objects {
    const MOST: usize = 65_536;

    fn take(&mut self, kind: u16, record: &[u8]) {
        match kind {
            // CreateFontIndirect (section 2.3.4.7): the character set is the fourteenth byte of the font.
            0x02fb => self.make(Some(page_of_charset(i32::from(record.get(6 + 13).copied().unwrap_or(0))).unwrap_or(1252))),
            // Pens, brushes, patterns, palettes and regions.
            0x02fa | 0x02fc | 0x00f7 | 0x01f9 | 0x0142 | 0x06ff => self.make(None),
            // SelectObject and DeleteObject.
            0x012d => {
                if let Some(Some(Some(page))) = self.made.get(usize::from(u16_at(record, 6))) {
                    self.chosen = Some(*page);
                }
            }
            0x01f0 => {
                if let Some(place) = self.made.get_mut(usize::from(u16_at(record, 6))) {
                    *place = None;
                }
            }
            _ => (),
        }
    }

    /// A new object has the lowest number that is free.
    fn make(&mut self, object: Option<u32>) {
        match self.made.iter().position(Option::is_none) {
            Some(place) => self.made[place] = Some(object),
            None if self.made.len() < Self::MOST => self.made.push(Some(object)),
            None => (),
        }
    }

    fn page(&self) -> u32 {
        self.chosen.unwrap_or(1252)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u32, body: &[u8]) -> Vec<u8> {
        let mut record = kind.to_le_bytes().to_vec();
        record.extend((body.len() as u32 + 8).to_le_bytes());
        record.extend(body);
        record
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// ExtTextOutW at a height.
    fn text_out(height: u32, options: u32, text: &str) -> Vec<u8> {
        let mut body = vec![0; 28];
        for number in [0, height, text.encode_utf16().count() as u32, 76, options] {
            body.extend(number.to_le_bytes());
        }
        body.resize(68, 0);
        body.extend(wide(text));
        record(84, &body)
    }

    #[test]
    fn words_of_an_emf_stand_in_lines() {
        let mut bytes = text_out(10, 0, "The wall");
        bytes.extend(text_out(10, 0, "is wet"));
        for letter in ["E", "a", "s", "t"] {
            bytes.extend(text_out(30, 0, letter));
        }
        let words = emf(&bytes);
        assert_eq!((words.lines.whole, words.glyphs), (vec!["The wall is wet".to_owned(), "East".to_owned()], false));
        assert_eq!((words.broken, emf(&[bytes.clone(), record(14, &[0; 12])].concat()).broken), (Some(bytes.len()), None));
        bytes.extend(text_out(50, GLYPHS, "%&("));
        bytes.truncate(bytes.len() - 1);
        assert!(!emf(&bytes).glyphs, "it breaks off");
        bytes.push(0);
        assert!(emf(&bytes).glyphs);
    }

    #[test]
    fn words_of_an_emf_plus_count_where_there_are_no_others() {
        let mut string = vec![0x1c, 0x40, 0, 0];
        string.extend(52_u32.to_le_bytes());
        string.extend([0; 12]);
        string.extend(6_u32.to_le_bytes());
        string.extend([0; 16]);
        string.extend(wide("gauges"));
        let mut body = (string.len() as u32 + 4).to_le_bytes().to_vec();
        body.extend(b"EMF+");
        body.extend(&string);
        let mut bytes = record(70, &body);
        assert_eq!(emf(&bytes).lines.whole, ["gauges"]);
        bytes.extend(text_out(1, 0, "the same"));
        assert_eq!(emf(&bytes).lines.whole, ["the same"]);
    }

    #[test]
    fn words_of_a_wmf_are_in_the_code_page_of_their_font() {
        let record = |kind: u16, body: &[u8]| {
            let mut record = ((body.len() as u32 + 7) / 2).to_le_bytes().to_vec();
            record.extend(kind.to_le_bytes());
            record.extend(body);
            record.resize(record.len().next_multiple_of(2), 0);
            record
        };
        let mut font = vec![0; 18];
        font[13] = 204;
        let mut bytes = vec![0; 18];
        bytes.extend(record(0x02fa, &[0; 10]));
        bytes.extend(record(0x02fb, &font));
        bytes.extend(record(0x012d, &1_u16.to_le_bytes()));
        bytes.extend(record(0x0521, b"\x04\0\xd1\xf2\xe5\xed\x07\0\0\0"));
        bytes.extend(record(0x0a32, b"\x07\0\0\0\x01\0\0\0\xe0"));
        let words = wmf(&bytes);
        assert_eq!((words.lines.whole, words.broken), (vec!["Стен а".to_owned()], Some(bytes.len())));
        bytes.extend(record(0, &[]));
        assert_eq!(wmf(&bytes).broken, None);
        let drawing = [&[1, 0, 9, 0, 0, 3][..], &[0; 12]].concat();
        assert_eq!((by_mark(&drawing), by_mark(b"\x01\0\x09\0\0\x03")), (Some("image/wmf"), None));
    }
}
