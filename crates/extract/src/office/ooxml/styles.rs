//! The number formats of a workbook's cells (ECMA-376 part 1, section 18.8).

use super::{Parts, binary};
use crate::office::flow::Flow;
use crate::office::number::{self, Format};
use crate::office::xml::Node;
use daylight_model::reading::Stop;
use std::collections::HashMap;

/// Excel has 65,490 cell formats at most.
const MOST: usize = 65_536;

/// The format of each cell style, by its number.
pub(super) fn read(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<Vec<Format>, Stop> {
    let (mut codes, mut formats) = (HashMap::new(), Vec::new());
    for number in parts.of_type(&["spreadsheetml.styles+xml", "ms-excel.styles"], |name| name == "xl/styles.xml") {
        if parts.name(number).to_ascii_lowercase().ends_with(".bin") {
            return binary::styles(flow, parts, number);
        }
        let mut in_cells = false;
        parts.xml(flow, number, |_, xml| {
            while let Some(node) = xml.next() {
                let id = |xml: &crate::office::xml::Xml<'_>| xml.attribute("numFmtId").and_then(|id| id.parse::<u32>().ok()).unwrap_or(0);
                match (node, xml.name()) {
                    (Node::Start, "numFmt") if codes.len() < MOST => {
                        let code = xml.attribute("formatCode").unwrap_or_default();
                        codes.insert(id(xml), number::parse(&code));
                    }
                    (Node::Start, "cellXfs") => in_cells = true,
                    (Node::End, "cellXfs") => in_cells = false,
                    (Node::Start, "xf") if in_cells && formats.len() < MOST => formats.push(id(xml)),
                    _ => (),
                }
            }
            Ok(())
        })?;
    }
    Ok(formats.into_iter().map(|id| codes.get(&id).cloned().unwrap_or_else(|| number::builtin(id))).collect())
}
