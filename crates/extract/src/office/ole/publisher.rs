//! pub, Publisher 98 and later: its text stands in one stream of chunks. Nothing was published of the format; this is as others found it (Apache POI, libmspub).

use super::cfb::Compound;
use crate::office::bytes::{place_at, stretch, u16_at, utf16};
use crate::office::flow::Flow;
use daylight_model::reading::{Label, Stop};

/// The storages of a publication that are no documents of their own.
pub(super) const OWN: [&str; 3] = ["Quill", "Escher", "Envelope"];
/// Where the list of chunks begins, how long an entry is, and how many there are at most.
const LIST: usize = 0x20;
const ENTRY: usize = 24;
const MOST: usize = 20;

/// The stream that has the text, where there is one.
pub(super) fn contents(file: &Compound<'_>) -> Option<Vec<u8>> {
    let inner = file.find(file.find(Compound::ROOT, "Quill")?, "QuillSub")?;
    file.find(inner, "CONTENTS").map(|stream| file.stream(stream)).filter(|bytes| bytes.starts_with(b"CHNKINK "))
}

/// Gives the text: each story follows the one before.
pub(super) fn read(flow: &mut Flow<'_, '_>, bytes: &[u8]) -> Result<(), Stop> {
    for number in 0..MOST {
        let entry = stretch(bytes, LIST + number * ENTRY, ENTRY);
        if u16_at(entry, 0) != 0x18 || entry.get(12..16) != Some(b"TEXT") {
            continue;
        }
        let text = utf16(stretch(bytes, place_at(entry, 16), place_at(entry, 20)));
        for line in text.split(['\r', '\n', '\u{b}', '\u{c}', '\u{e}']) {
            flow.whole_line(Label::Body, &line.replace(|c: char| c.is_control() && c != '\t', " "))?;
        }
    }
    Ok(())
}
