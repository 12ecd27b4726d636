//! Documents of office programs: what people wrote, calculated and showed, and what they did not mean to give away with it: comments, changes,
//! what is hidden, who wrote it.

mod bytes;
mod flow;
mod grid;
mod mapi;
mod metafile;
mod number;
mod odf;
mod ole;
mod ooxml;
mod properties;
mod protected;
mod rtf;
mod tnef;
mod xml;

use crate::document::{Doc, Inside, Memory, found, keep, load};
use crate::output::{Output, Problem};
use crate::zip::{self, Package};
use daylight_model::reading::{Input, Label, Stop};
use daylight_model::{FaultCode, Kind, Stage};
use flow::Flow;
use ole::cfb::Compound;
use protected::Opened;
use xml::Xml;

pub(crate) const TOOL: &str = "office 3";

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
    /// doc, xls, ppt, and what is embedded in them.
    Compound,
    /// A package under a password, in a compound file around it.
    Protected,
    /// Outlook's .msg.
    Outlook,
    Rtf,
    /// doc as Word 2 wrote it, which is no compound file.
    Word2,
    /// winmail.dat.
    Tnef,
    /// A drawing of Windows, EMF or WMF.
    Metafile,
}

impl Office {
    pub(crate) fn kind(self) -> Kind {
        if self == Office::Outlook { Kind::Message } else { Kind::File }
    }
}

pub(crate) use metafile::by_mark as drawing_by_mark;
pub(crate) use ole::{Sort, html as outlook_html, sort};

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
            if matches!(office, Office::OpenDocument(_)) && protected::is_odf_protected(&package) {
                let left = out.left();
                let opened = protected::odf(&mut out.keys, &package, left);
                return read_opened(out, doc, media, office, input, opened, inside);
            }
            read_package(out, doc, media, office, family, input, package, inside)
        }
        Office::Protected => {
            let bytes = match load(input) {
                Ok(bytes) => bytes,
                Err(problem) => return keep(out, doc, Kind::File, media, input, problem),
            };
            let Some(file) = Compound::open(&bytes) else {
                let why = Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "it is no compound file");
                return keep(out, doc, Kind::File, media, input, why);
            };
            let opened = protected::package(&mut out.keys, &file);
            read_opened(out, doc, media, office, input, opened, inside)
        }
        Office::Compound | Office::Outlook | Office::Rtf | Office::Word2 | Office::Tnef | Office::Metafile => {
            let bytes = match load(input) {
                Ok(bytes) => bytes,
                Err(problem) => return keep(out, doc, office.kind(), media, input, problem),
            };
            match office {
                Office::Rtf => read_rtf(out, doc, media, &bytes, inside),
                Office::Word2 => read_word_2(out, doc, media, &bytes),
                Office::Tnef => tnef::read(out, doc, media, &bytes, inside),
                Office::Metafile => metafile::read(out, doc, media, &bytes),
                _ => ole::read(out, doc, media, &bytes, inside),
            }
        }
    }
}

#[expect(clippy::too_many_arguments)]
fn read_package(
    out: &mut Output<'_>,
    doc: Doc,
    media: &str,
    office: Office,
    family: Family,
    input: &(dyn Input + '_),
    package: Package<'_>,
    inside: &dyn Inside,
) -> Result<(), Stop> {
    let read = if matches!(office, Office::Open(_)) { ooxml::read } else { odf::read };
    read(out, doc, media, family, input, package, inside)
}

/// Reads a document that was opened with a password as what it is without, or says why it was not opened. Its own bytes are those of `input`.
fn read_opened(
    out: &mut Output<'_>,
    doc: Doc,
    media: &str,
    office: Office,
    input: &(dyn Input + '_),
    opened: Result<Opened, Problem>,
    inside: &dyn Inside,
) -> Result<(), Stop> {
    let Opened { bytes, property, problems } = match opened {
        Ok(opened) => opened,
        Err(problem) => return keep(out, doc, Kind::File, media, input, problem),
    };
    if !out.spend(bytes.len()) {
        let why = Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, "without its password it is past the budget");
        return keep(out, doc, Kind::File, media, input, why.limit(out.budget()));
    }
    let index = out.next_index();
    let plain = Memory(&bytes);
    let found = zip::office_type(&plain).ok().flatten();
    let form = found.as_deref().and_then(by_media).or(matches!(office, Office::OpenDocument(_)).then_some(office));
    match (form, Package::open(&plain)) {
        (Some(office @ (Office::Open(family) | Office::OpenDocument(family))), Ok(Some(package))) => {
            let media = found.as_deref().unwrap_or(media);
            read_package(out, doc, media, office, family, input, package.apart(), inside)?;
        }
        _ => {
            let why = Problem::new(Stage::Read, FaultCode::NoReader, TOOL, "its password is right, but what it is made of is not read");
            keep(out, doc, Kind::File, media, input, why)?;
        }
    }
    out.text(index, Label::Property, property)?;
    problems.into_iter().try_for_each(|problem| out.fault(index, problem))
}

fn read_word_2(out: &mut Output<'_>, doc: Doc, media: &str, bytes: &[u8]) -> Result<(), Stop> {
    let index = found(out, doc, Kind::File, media, "", &Memory(bytes))?;
    let mut flow = Flow::new(out, index);
    ole::read_old_word(&mut flow, bytes)?;
    flow.flush()
}

fn read_rtf(out: &mut Output<'_>, doc: Doc, media: &str, bytes: &[u8], inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = found(out, doc, Kind::File, media, "", &Memory(bytes))?;
    let rtf::Read { pieces, pictures, objects, html, cut } = rtf::read(bytes);
    if cut {
        let why = Problem::new(Stage::Read, FaultCode::Truncated, TOOL, "it ends before its groups do");
        out.fault(index, why.at(bytes.len() as u64))?;
    }
    let mut flow = Flow::new(out, index);
    if let Some(html) = html {
        let (body, hidden) = crate::html::text(&html);
        flow.whole_line(Label::Body, &body)?;
        flow.whole_line(Label::Hidden, &hidden)?;
    } else {
        for piece in pieces {
            match piece {
                rtf::Piece::Text(label, text) => flow.text(label, &text)?,
                rtf::Piece::Line => flow.line()?,
                rtf::Piece::Cell => flow.cell(),
                rtf::Piece::Row => flow.row()?,
            }
        }
    }
    flow.flush()?;
    let objects = objects.iter().map(|object| ole::legacy_object(object));
    for (ordinal, (name, bytes)) in pictures.into_iter().map(|picture| (None, picture)).chain(objects).enumerate() {
        if !out.spend(bytes.len()) {
            let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "an embedded document is past the budget");
            return out.fault(index, why.limit(out.budget()));
        }
        let name = name.map(|name: String| daylight_model::Name(name.into_bytes()));
        inside.read(out, Doc { name, ..Doc::child(index, ordinal as u64, depth + 1) }, &Memory(&bytes))?;
    }
    Ok(())
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

#[cfg(test)]
mod tests;
