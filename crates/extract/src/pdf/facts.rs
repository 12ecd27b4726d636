//! What a PDF says of itself: its information dictionary, its XMP packet and its outline. And how its strings are read.

use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Array, DateTime, Dict, MaybeRef, ObjRef, Object, Stream, String as Bytes};
use hayro_interpret::hayro_syntax::xref::XRef;
use std::collections::HashSet;

/// An XMP packet that is longer is not read.
const LONGEST_PACKET: usize = 1 << 20;
/// Entries of the outline beyond this many are not read.
const MOST_ENTRIES: usize = 10_000;

/// What the document says of itself, a line each, with a name before it; and whether there is more than is read.
pub(super) fn properties(pdf: &Pdf) -> (String, bool) {
    let said = pdf.metadata();
    let mut lines = Vec::new();
    for (name, value) in [
        ("title", &said.title),
        ("author", &said.author),
        ("subject", &said.subject),
        ("keywords", &said.keywords),
        ("creator", &said.creator),
        ("producer", &said.producer),
    ] {
        let value = value.as_deref().map(string).unwrap_or_default();
        if !value.trim().is_empty() {
            lines.push(format!("{name}: {}", value.trim()));
        }
    }
    for (name, value) in [("created", &said.creation_date), ("modified", &said.modification_date)] {
        lines.extend(value.as_ref().map(|value| format!("{name}: {}", date(value))));
    }
    let catalogue = catalogue(pdf);
    let seen: HashSet<String> = lines.iter().filter_map(|line| Some(line.split_once(": ")?.1.to_owned())).collect();
    let mut cut = false;
    if let Some(packet) = catalogue.get::<Stream<'_>>(b"Metadata").and_then(|stream| stream.decoded_data().ok()) {
        cut = packet.len() > LONGEST_PACKET;
        let values = between_tags(&packet[..packet.len().min(LONGEST_PACKET)]);
        lines.extend(values.into_iter().filter(|value| !seen.contains(value)).map(|value| format!("xmp: {value}")));
    }
    let titles = outline(&catalogue);
    cut |= titles.len() >= MOST_ENTRIES;
    lines.extend(titles.into_iter().map(|title| format!("outline: {title}")));
    (lines.join("\n"), cut)
}

/// The root of all that is not a page.
pub(super) fn catalogue(pdf: &Pdf) -> Dict<'_> {
    pdf.xref().get(pdf.xref().root_id()).unwrap_or_default()
}

/// The items of an array, looked up where they are references. The library's own way ends at the first that is not as expected.
pub(super) fn items<'a>(array: &Array<'a>, table: &'a XRef) -> impl Iterator<Item = (Option<ObjRef>, Object<'a>)> {
    array.raw_iter().filter_map(move |item| match item {
        MaybeRef::Ref(reference) => Some((Some(reference), table.get(reference.into())?)),
        MaybeRef::NotRef(object) => Some((None, object)),
    })
}

fn date(date: &DateTime) -> String {
    let DateTime { year, month, day, hour, minute, second, utc_offset_hour, utc_offset_minute } = date;
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} {utc_offset_hour:+03}:{utc_offset_minute:02}")
}

/// A text string (section 7.9.2.2): UTF-16 or UTF-8 with their marks, and else PDFDocEncoding, which is Latin-1 but for a few.
pub(super) fn string(bytes: &[u8]) -> String {
    let text = match bytes {
        [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        [0xff, 0xfe, rest @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => bytes.iter().map(|b| document_character(*b)).collect(),
    };
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

/// Annex D.3, where it is not Latin-1.
fn document_character(byte: u8) -> char {
    const ACCENTS: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
    const MARKS: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ', 'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž',
        'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    match byte {
        0x18..=0x1f => ACCENTS[usize::from(byte - 0x18)],
        0x80..=0xa0 => MARKS[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

/// The text between the tags of XML, each piece once. Who wrote what is not told: what is asked is whether a word is there at all.
pub(super) fn between_tags(xml: &[u8]) -> Vec<String> {
    let xml = match xml {
        [0xfe | 0xff, 0xfe | 0xff, ..] => string(xml),
        xml => String::from_utf8_lossy(xml).into_owned(),
    };
    let (mut values, mut seen) = (Vec::new(), HashSet::new());
    for piece in xml.split('<') {
        let Some((_, value)) = piece.split_once('>') else { continue };
        let value =
            value.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&");
        if !value.is_empty() && seen.insert(value.clone()) {
            values.push(value);
        }
    }
    values
}

/// The titles of the outline, in order: each entry, then those in it, then the next.
fn outline(catalogue: &Dict<'_>) -> Vec<String> {
    let (mut titles, mut seen) = (Vec::new(), HashSet::<ObjRef>::new());
    let Some(outlines) = catalogue.get::<Dict<'_>>(b"Outlines") else { return titles };
    let mut waiting = vec![(outlines, "First")];
    while let Some((entry, way)) = waiting.pop() {
        if titles.len() >= MOST_ENTRIES || entry.get_ref(way).is_some_and(|to| !seen.insert(to)) {
            continue;
        }
        let Some(next) = entry.get::<Dict<'_>>(way) else { continue };
        titles.extend(next.get::<Bytes<'_>>(b"Title").map(|title| string(title.as_bytes())));
        waiting.push((next.clone(), "Next"));
        waiting.push((next, "First"));
    }
    titles
}
