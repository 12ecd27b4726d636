//! Text in drawings (DrawingML): slides, charts, diagrams and the shapes on a sheet.

use crate::office::flow::Flow;
use crate::office::xml::{Node, Xml};
use daylight_model::reading::{Label, Stop};

/// What of a drawing is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Everything.
    All,
    /// Without the placeholders that only say what to write there: of a layout or master.
    NoPlaceholders,
}

/// Reads the paragraphs of a drawing, cells of its tables, a chart's values, and what is said of its pictures for those who cannot see.
pub(super) fn read(flow: &mut Flow<'_, '_>, xml: &mut Xml<'_>, label: Label, which: Which) -> Result<(), Stop> {
    let (mut in_text, mut placeholder, mut fallback) = (false, false, 0_usize);
    while let Some(node) = xml.next() {
        match (node, xml.name()) {
            (Node::Start, _) if fallback > 0 => fallback += 1,
            (Node::Start, "Fallback") => fallback += 1,
            (Node::End, _) if fallback > 0 => fallback -= 1,
            (Node::Text, _) if fallback > 0 => (),
            (Node::Start, "sp") => placeholder = false,
            (Node::Start, "ph") => placeholder = which == Which::NoPlaceholders,
            (Node::Start, "t" | "v" | "text") => in_text = true,
            (Node::Start, "br") => flow.line()?,
            (Node::Start, "cNvPr" | "docPr") => {
                if let Some(told) = xml.attribute("descr").filter(|_| which == Which::All) {
                    flow.whole_line(Label::Hidden, &told)?;
                }
            }
            (Node::End, "v" | "text") => {
                in_text = false;
                flow.line()?;
            }
            (Node::End, "t") => in_text = false,
            (Node::End, "p") => flow.line()?,
            (Node::End, "tc") => flow.cell(),
            (Node::End, "tr") => flow.row()?,
            (Node::Text, _) if in_text && !placeholder => flow.text(label, xml.text())?,
            _ => (),
        }
    }
    flow.line()
}
