//! Property sets ([MS-OLEPS]): who wrote a document, when, with what.

use super::cfb::Compound;
use crate::office::bytes::{ansi, place_at, stretch, u16_at, u32_at, u64_at, utf16};
use crate::office::flow::Flow;
use crate::office::number::{from_filetime, iso};
use daylight_model::reading::{Label, Stop};

const SUMMARY: &[(u32, &str)] = &[
    (2, "title"),
    (3, "subject"),
    (4, "author"),
    (5, "keywords"),
    (6, "comments"),
    (7, "template"),
    (8, "last author"),
    (9, "revision"),
    (11, "printed"),
    (12, "created"),
    (13, "saved"),
    (18, "application"),
];
const DOCUMENT: &[(u32, &str)] = &[(2, "category"), (3, "presentation format"), (14, "manager"), (15, "company")];

/// Gives the properties of a document.
pub(super) fn read(flow: &mut Flow<'_, '_>, file: &Compound<'_>) -> Result<(), Stop> {
    flow.page(None)?;
    for (name, known) in [("\u{5}SummaryInformation", SUMMARY), ("\u{5}DocumentSummaryInformation", DOCUMENT)] {
        if let Some(bytes) = file.top(name) {
            section(flow, &bytes, known)?;
        }
    }
    Ok(())
}

fn section(flow: &mut Flow<'_, '_>, bytes: &[u8], known: &[(u32, &str)]) -> Result<(), Stop> {
    let section = bytes.get(place_at(bytes, 44)..).unwrap_or_default();
    let find = |wanted| {
        (0..place_at(section, 4).min(1000)).map(|n| 8 + n * 8).find(|at| u32_at(section, *at) == wanted).map(|at| place_at(section, at + 4))
    };
    let page = find(1).map_or(1252, |at| u32::from(u16_at(section, at + 4)));
    for (id, name) in known {
        let Some(at) = find(*id) else { continue };
        let value = stretch(section, at.saturating_add(8), place_at(section, at.saturating_add(4)));
        let text = match u16_at(section, at) {
            0x1e if page == 1200 => utf16(value),
            0x1e => ansi(value, page),
            0x1f => utf16(stretch(section, at.saturating_add(8), place_at(section, at.saturating_add(4)).saturating_mul(2))),
            0x40 => from_filetime(u64_at(section, at.saturating_add(4))).map(iso).unwrap_or_default(),
            _ => continue,
        };
        if !text.trim().is_empty() {
            flow.whole_line(Label::Property, &format!("{name}: {}", text.trim()))?;
        }
    }
    Ok(())
}
