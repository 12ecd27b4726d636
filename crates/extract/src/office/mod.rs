//! Documents of office programs: what people wrote, calculated and showed, and what they did not mean to give away with it: comments, changes,
//! what is hidden, who wrote it.

mod flow;
mod grid;
mod number;
mod odf;
mod ooxml;
mod properties;
mod xml;

use crate::document::{Doc, Inside, found, keep};
use crate::output::{Output, Problem};
use crate::zip::Package;
use daylight_model::reading::{Input, Stop};
use daylight_model::{FaultCode, Kind, Stage};
use flow::Flow;
use xml::Xml;

const TOOL: &str = "office 1";

/// What sort of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Word,
    Sheets,
    Slides,
}

/// The form that a document is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Office {
    /// docx, xlsx, pptx.
    Open(Family),
    /// odt, ods, odp.
    OpenDocument(Family),
}

/// The form that a zip of this media type is, if it is an office document.
pub(crate) fn by_media(media: &str) -> Option<Office> {
    let open = media.strip_prefix("application/vnd.openxmlformats-officedocument.");
    let document = media.strip_prefix("application/vnd.oasis.opendocument.");
    Some(match (open, document) {
        (Some("wordprocessingml.document"), _) => Office::Open(Family::Word),
        (Some("spreadsheetml.sheet"), _) => Office::Open(Family::Sheets),
        (Some("presentationml.presentation"), _) => Office::Open(Family::Slides),
        (_, Some(kind)) if kind.starts_with("spreadsheet") => Office::OpenDocument(Family::Sheets),
        (_, Some(kind)) if kind.starts_with("presentation") || kind.starts_with("graphics") => Office::OpenDocument(Family::Slides),
        (_, Some(_)) => Office::OpenDocument(Family::Word),
        _ => return None,
    })
}

/// Reads a document, and has all that is embedded in it read.
pub(crate) fn read(
    out: &mut Output<'_>,
    doc: Doc,
    media: &str,
    office: Office,
    input: &(dyn Input + '_),
    inside: &dyn Inside,
) -> Result<(), Stop> {
    match office {
        Office::Open(family) | Office::OpenDocument(family) => {
            let package = match Package::open(input) {
                Ok(Some(package)) => package,
                Ok(None) => {
                    let why = Problem::new(Stage::Read, FaultCode::Truncated, TOOL, "its central directory is missing");
                    return keep(out, doc, Kind::File, media, input, why);
                }
                Err(error) => {
                    let why = Problem::new(Stage::Read, FaultCode::Unreadable, TOOL, error.kind().to_string());
                    return keep(out, doc, Kind::File, media, input, why);
                }
            };
            let read = if matches!(office, Office::Open(_)) { ooxml::read } else { odf::read };
            read(out, doc, media, family, input, package, inside)
        }
    }
}

/// Reads the XML of a part. What breaks it, or is left of it, is a fault.
fn part_xml(
    flow: &mut Flow<'_, '_>,
    package: &Package<'_>,
    number: usize,
    tool: &str,
    read: impl FnOnce(&mut Flow<'_, '_>, &mut Xml<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let fault = |code, why: &str| Problem::new(Stage::Read, code, tool, format!("part {number}: {why}"));
    let source = match package.part(number) {
        Ok(source) => source,
        Err(error) => return flow.out.fault(flow.index, fault(FaultCode::Malformed, &error.to_string())),
    };
    let allowed = flow.out.left();
    let mut xml = Xml::new(source, allowed);
    read(flow, &mut xml)?;
    let (spent, broken) = (xml.spent(), xml.broken.take());
    flow.out.spend(usize::try_from(spent.min(flow.out.left())).unwrap_or(0));
    match broken {
        Some(why) if spent > allowed => flow.out.fault(flow.index, fault(FaultCode::TooLarge, &why).limit(flow.out.budget())),
        Some(why) => flow.out.fault(flow.index, fault(FaultCode::Malformed, &why).at(spent)),
        None => Ok(()),
    }
}
