//! The zip packages of Office since 2007 (ECMA-376): docx, xlsx, pptx and their kin.
//!
//! A part is read by its content type, not by who refers to it: what no relationship leads to is read as well.

mod binary;
mod drawing;
mod sheet;
mod sheets;
mod slides;
mod styles;
mod word;

pub(super) use sheet::without_codes;

use super::flow::Flow;
use super::xml::{Node, Xml};
use super::{Family, properties};
use crate::document::Doc;
use crate::document::{Inside, found};
use crate::output::{Output, Problem};
use crate::zip::Package;
use daylight_model::reading::{Input, Label, Stop};
use daylight_model::{FaultCode, Kind, Stage};
use std::collections::HashMap;

const TOOL: &str = "ooxml 1";
/// Relationships and content types beyond this many are not looked at.
const MOST: usize = 200_000;

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
    let mut parts = Parts::new(package, &mut flow)?;
    match family {
        Family::Word => word::read(&mut flow, &mut parts)?,
        Family::Sheets => sheets::read(&mut flow, &mut parts)?,
        Family::Slides => slides::read(&mut flow, &mut parts)?,
    }
    parts.read_properties(&mut flow)?;
    flow.flush()?;
    if parts.package.torn {
        flow.out.fault(index, Problem::new(Stage::Split, FaultCode::Malformed, TOOL, "its list of parts breaks off"))?;
    }
    if parts.package.names().iter().any(|name| name.ends_with("vbaProject.bin")) {
        flow.out.fault(index, Problem::new(Stage::Read, FaultCode::NoReader, TOOL, "it holds macros, which are kept and not run"))?;
    }
    let children: Vec<bool> = (0..parts.types.len()).map(|number| parts.is_child(number)).collect();
    parts.package.children(out, index, depth, inside, |number| children[number])
}

/// The parts of a package with what is known of them.
pub(super) struct Parts<'a> {
    package: Package<'a>,
    /// The last words of each part's content type, empty if it has none.
    types: Vec<String>,
    read: Vec<bool>,
}

/// A way from one part to another or to a place outside.
struct Relation {
    id: String,
    /// The last word of its type.
    kind: String,
    target: String,
    external: bool,
}

impl<'a> Parts<'a> {
    fn new(package: Package<'a>, flow: &mut Flow<'_, '_>) -> Result<Self, Stop> {
        let count = package.names().len();
        let mut parts = Self { package, types: vec![String::new(); count], read: vec![false; count] };
        let Some(number) = parts.package.find("[Content_Types].xml") else { return Ok(parts) };
        let (mut defaults, mut overrides) = (HashMap::new(), HashMap::new());
        parts.xml(flow, number, |_, xml| {
            while let Some(node) = xml.next() {
                if node != Node::Start || overrides.len() + defaults.len() > MOST {
                    continue;
                }
                let kind = xml.attribute("ContentType").unwrap_or_default().to_ascii_lowercase();
                match xml.name() {
                    "Default" => drop(defaults.insert(xml.attribute("Extension").unwrap_or_default().to_ascii_lowercase(), kind)),
                    "Override" => {
                        let name = xml.attribute("PartName").unwrap_or_default().to_ascii_lowercase();
                        overrides.insert(name.trim_start_matches('/').to_owned(), kind);
                    }
                    _ => (),
                }
            }
            Ok(())
        })?;
        for (number, name) in parts.package.names().iter().enumerate() {
            let name = name.to_ascii_lowercase();
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            parts.types[number] = overrides.get(&name).or_else(|| defaults.get(extension)).cloned().unwrap_or_default();
        }
        Ok(parts)
    }

    /// The numbers of the parts whose content type ends in one of these, or, where it has none, whose name says so.
    fn of_type(&self, ends: &[&str], named: impl Fn(&str) -> bool) -> Vec<usize> {
        let is = |number: &usize| {
            let kind = &self.types[*number];
            let typed = ends.iter().any(|end| kind.ends_with(end));
            let untyped = kind.is_empty() || kind.ends_with("/xml");
            typed || untyped && named(&self.package.names()[*number].to_ascii_lowercase())
        };
        (0..self.types.len()).filter(is).collect()
    }

    fn name(&self, number: usize) -> &str {
        &self.package.names()[number]
    }

    /// Reads a part's XML. What breaks it, or is left of it, is a fault.
    fn xml(
        &mut self,
        flow: &mut Flow<'_, '_>,
        number: usize,
        read: impl FnOnce(&mut Flow<'_, '_>, &mut Xml<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.read[number] = true;
        super::part_xml(flow, &self.package, number, TOOL, read)
    }

    /// Where a part's relationships lead, the names of parts made whole.
    fn relations(&mut self, flow: &mut Flow<'_, '_>, number: usize) -> Result<Vec<Relation>, Stop> {
        let name = self.name(number).to_owned();
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
        let slash = if folder.is_empty() { "" } else { "/" };
        let mut relations = Vec::new();
        let Some(number) = self.package.find(&format!("{folder}{slash}_rels/{file}.rels")) else { return Ok(relations) };
        let folder = folder.to_owned();
        self.xml(flow, number, |_, xml| {
            while let Some(node) = xml.next() {
                if node == Node::Start && xml.name() == "Relationship" && relations.len() < MOST {
                    let kind = xml.attribute("Type").unwrap_or_default();
                    let external = xml.attribute("TargetMode").is_some_and(|mode| mode.eq_ignore_ascii_case("external"));
                    let target = xml.attribute("Target").unwrap_or_default();
                    let target = if external { target } else { resolve(&folder, &target) };
                    let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                    relations.push(Relation { id: xml.attribute("Id").unwrap_or_default(), kind, target, external });
                }
            }
            Ok(())
        })?;
        Ok(relations)
    }

    /// The number of the part that a relation leads to.
    fn target(&self, relation: &Relation) -> Option<usize> {
        self.package.find(&relation.target).filter(|_| !relation.external)
    }

    /// Properties, and the addresses outside that the document names.
    fn read_properties(&mut self, flow: &mut Flow<'_, '_>) -> Result<(), Stop> {
        flow.page(None)?;
        for number in 0..self.types.len() {
            if self.name(number).to_ascii_lowercase().starts_with("docprops/") && self.name(number).ends_with(".xml") {
                self.xml(flow, number, properties::read)?;
            }
        }
        let mut seen = std::collections::HashSet::new();
        for number in 0..self.types.len() {
            if !self.name(number).ends_with(".rels") {
                continue;
            }
            self.xml(flow, number, |flow, xml| {
                while let Some(node) = xml.next() {
                    if node == Node::Start && xml.attribute("TargetMode").is_some_and(|mode| mode.eq_ignore_ascii_case("external")) {
                        let target = xml.attribute("Target").unwrap_or_default();
                        if seen.len() < MOST && seen.insert(target.clone()) {
                            flow.whole_line(Label::Property, &format!("link: {target}"))?;
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Whether a part is a document of its own: whatever is not markup of this one.
    fn is_child(&self, number: usize) -> bool {
        let name = self.name(number).to_ascii_lowercase();
        let kind = &self.types[number];
        let markup = name.ends_with(".rels") || name == "[content_types].xml" || kind.ends_with("+xml") || name.ends_with(".vml");
        let data = name.starts_with("customxml/item") && !name.starts_with("customxml/itemprops") && name.ends_with(".xml");
        let plumbing = name.contains("printersettings") || name.ends_with(".odttf") || name.ends_with(".fntdata");
        let other_xml = name.ends_with(".xml") && !data;
        !(self.read[number] || self.package.is_folder(number) || markup && !data || other_xml || plumbing)
    }
}

/// The name of a part that is written as seen from a folder.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut pieces: Vec<&str> = folder.split('/').filter(|piece| !piece.is_empty()).collect();
    for piece in target.split('/') {
        match piece {
            ".." => drop(pieces.pop()),
            "." | "" => (),
            piece => pieces.push(piece),
        }
    }
    pieces.join("/")
}
