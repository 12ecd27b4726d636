//! pptx (ECMA-376 part 1, section 19): slides in their order, each with its notes and comments.

use super::drawing::{self, Which};
use super::{Parts, Relation};
use crate::office::flow::Flow;
use crate::office::xml::{Node, Xml};
use daylight_model::reading::{Label, Stop};
use std::collections::HashMap;

/// Authors of comments beyond this many have no names.
const MOST_AUTHORS: usize = 10_000;

pub(super) fn read(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<(), Stop> {
    let authors = authors(flow, parts)?;
    let mut slides = in_order(flow, parts)?;
    let mut known = vec![false; parts.types.len()];
    slides.iter().for_each(|number| known[*number] = true);
    // What the presentation does not list is a slide nobody is shown.
    let listed = slides.len();
    let all = parts.of_type(&["presentationml.slide+xml"], |name| name.starts_with("ppt/slides/slide"));
    slides.extend(all.into_iter().filter(|number| !known[*number]));
    for (place, number) in slides.into_iter().enumerate() {
        flow.page(u32::try_from(place + 1).ok())?;
        slide(flow, parts, number, place >= listed, &authors)?;
    }
    flow.page(None)?;
    let margins = ["slidemaster+xml", "slidelayout+xml", "notesmaster+xml", "handoutmaster+xml"];
    for number in parts.of_type(&margins, |_| false) {
        parts.xml(flow, number, |flow, xml| drawing::read(flow, xml, Label::Margin, Which::NoPlaceholders))?;
    }
    let rest = ["notesslide+xml", "diagramdata+xml", "drawingml.chart+xml", "comments+xml"];
    for number in parts.of_type(&rest, |name| name.starts_with("ppt/notesslides/notes")) {
        if !parts.read[number] {
            part(flow, parts, number, "", Label::Hidden, &authors)?;
        }
    }
    Ok(())
}

/// The numbers of the slides as the presentation lists them.
fn in_order(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<Vec<usize>, Stop> {
    let mut slides = Vec::new();
    for number in
        parts.of_type(&["presentation.main+xml", "slideshow.main+xml", "template.main+xml"], |name| name == "ppt/presentation.xml")
    {
        let relations = parts.relations(flow, number)?;
        let relations: HashMap<&str, &Relation> = relations.iter().map(|relation| (relation.id.as_str(), relation)).collect();
        let mut ids = Vec::new();
        parts.xml(flow, number, |_, xml| {
            while let Some(node) = xml.next() {
                if node == Node::Start && xml.name() == "sldId" && ids.len() < super::MOST {
                    ids.extend(xml.full_attribute("r:id"));
                }
            }
            Ok(())
        })?;
        slides.extend(ids.iter().filter_map(|id| parts.target(relations.get(id.as_str())?)));
    }
    let mut seen = vec![false; parts.types.len()];
    slides.retain(|number| !std::mem::replace(&mut seen[*number], true));
    Ok(slides)
}

fn slide(
    flow: &mut Flow<'_, '_>,
    parts: &mut Parts<'_>,
    number: usize,
    unlisted: bool,
    authors: &HashMap<String, String>,
) -> Result<(), Stop> {
    let relations = parts.relations(flow, number)?;
    let mut label = if unlisted { Label::Hidden } else { Label::Body };
    parts.xml(flow, number, |flow, xml| {
        if xml.next() == Some(Node::Start) && xml.attribute("show").is_some_and(|show| matches!(show.as_str(), "0" | "false")) {
            label = Label::Hidden;
        }
        drawing::read(flow, xml, label, Which::All)
    })?;
    for relation in relations {
        if let Some(target) = parts.target(&relation).filter(|target| !parts.read[*target]) {
            part(flow, parts, target, &relation.kind, label, authors)?;
        }
    }
    Ok(())
}

/// A part that belongs to a slide.
fn part(
    flow: &mut Flow<'_, '_>,
    parts: &mut Parts<'_>,
    number: usize,
    relation: &str,
    label: Label,
    authors: &HashMap<String, String>,
) -> Result<(), Stop> {
    let kind = parts.types[number].clone();
    match () {
        () if relation == "notesSlide" || kind.ends_with("notesslide+xml") => {
            parts.xml(flow, number, |flow, xml| drawing::read(flow, xml, Label::Note, Which::All))
        }
        () if kind.ends_with("comments+xml") || relation == "comments" => parts.xml(flow, number, |flow, xml| comments(flow, xml, authors)),
        () if matches!(relation, "diagramData" | "chart") || kind.ends_with("diagramdata+xml") || kind.ends_with("chart+xml") => {
            parts.xml(flow, number, |flow, xml| drawing::read(flow, xml, label, Which::All))
        }
        () => Ok(()),
    }
}

fn authors(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<HashMap<String, String>, Stop> {
    let mut authors = HashMap::new();
    for number in parts.of_type(&["commentauthors+xml", "powerpoint.authors+xml"], |name| name == "ppt/commentauthors.xml") {
        parts.xml(flow, number, |_, xml| {
            while let Some(node) = xml.next() {
                if node == Node::Start && matches!(xml.name(), "cmAuthor" | "author") && authors.len() < MOST_AUTHORS {
                    authors.insert(xml.attribute("id").unwrap_or_default(), xml.attribute("name").unwrap_or_default());
                }
            }
            Ok(())
        })?;
    }
    Ok(authors)
}

fn comments(flow: &mut Flow<'_, '_>, xml: &mut Xml<'_>, authors: &HashMap<String, String>) -> Result<(), Stop> {
    let mut in_text = false;
    while let Some(node) = xml.next() {
        match (node, xml.name()) {
            (Node::Start, "cm" | "reply") => {
                let author = xml.attribute("authorId").and_then(|id| authors.get(&id)).map_or("", String::as_str);
                let date = xml.attribute("dt").or_else(|| xml.attribute("created")).unwrap_or_default();
                flow.whole_line(Label::Comment, &format!("{author} {date}:"))?;
            }
            (Node::Start, "text" | "t") => in_text = true,
            (Node::End, "text" | "t") => in_text = false,
            (Node::End, "p" | "cm") => flow.line()?,
            (Node::Text, _) if in_text => flow.text(Label::Comment, xml.text())?,
            _ => (),
        }
    }
    flow.line()
}
