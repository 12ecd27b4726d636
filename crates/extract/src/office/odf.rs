//! OpenDocument: odt, ods, odp (ISO/IEC 26300).

mod content;

use super::flow::Flow;
use super::{Family, part_xml, properties};
use crate::document::{Doc, Inside, found};
use crate::output::{Output, Problem};
use crate::zip::Package;
use content::Content;
use daylight_model::reading::{Input, Label, Stop};
use daylight_model::{FaultCode, Kind, Stage};

const TOOL: &str = "odf 1";

/// Reads a package of this family.
pub(super) fn read(
    out: &mut Output<'_>,
    doc: Doc,
    media: &str,
    family: Family,
    input: &(dyn Input + '_),
    package: Package<'_>,
    inside: &dyn Inside,
) -> Result<(), Stop> {
    let depth = doc.depth;
    let index = found(out, doc, Kind::File, media, "", input)?;
    let mut flow = Flow::new(out, index);
    let mut content = Content::new(family);
    for number in whole(&package, "content.xml") {
        part_xml(&mut flow, &package, number, TOOL, |flow, xml| content.read(flow, xml, Label::Body))?;
    }
    for number in whole(&package, "styles.xml") {
        part_xml(&mut flow, &package, number, TOOL, |flow, xml| content.read(flow, xml, Label::Margin))?;
    }
    flow.page(None)?;
    for number in whole(&package, "meta.xml") {
        part_xml(&mut flow, &package, number, TOOL, properties::read)?;
    }
    for link in content.links() {
        flow.whole_line(Label::Property, &format!("link: {link}"))?;
    }
    flow.flush()?;
    if package.find("content.xml").is_none() || package.torn {
        out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "parts of it are missing"))?;
    }
    let children: Vec<bool> =
        (0..package.names().len()).map(|number| !package.is_folder(number) && is_child(&package.names()[number])).collect();
    package.children(out, index, depth, inside, |number| children[number])
}

/// The parts of this name: the document's own first, then those of the objects in it.
fn whole(package: &Package<'_>, name: &str) -> Vec<usize> {
    let first = package.find(name);
    let nested = format!("/{name}");
    let others = (0..package.names().len()).filter(|number| package.names()[*number].ends_with(&nested));
    first.into_iter().chain(others).collect()
}

/// Whether a part is a document of its own: pictures, sound, objects of other programs, macros.
fn is_child(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let own = ["meta-inf/", "thumbnails/", "configurations2/", "fonts/"].iter().any(|folder| lower.starts_with(folder));
    let file = lower.rsplit('/').next().unwrap_or_default();
    let read = matches!(file, "content.xml" | "styles.xml" | "meta.xml" | "settings.xml" | "manifest.rdf" | "mimetype" | "layout-cache");
    !own && !read && !lower.starts_with("objectreplacements/")
}
