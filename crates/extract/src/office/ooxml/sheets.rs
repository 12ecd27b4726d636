//! xlsx (ECMA-376 part 1, section 18): sheets in their order, each with its comments and drawings, then what a workbook keeps out of sight.

use super::binary;
use super::drawing::{self, Which};
use super::sheet::{self, Book};
use super::{Parts, Relation, TOOL, styles};
use crate::office::flow::Flow;
use crate::office::xml::{Node, Xml};
use crate::output::Problem;
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Stage};
use std::collections::{HashMap, HashSet};

/// All shared strings of a workbook, in bytes.
const MOST_SHARED: usize = 256 << 20;

pub(super) fn read(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<(), Stop> {
    let mut book = Book { formats: styles::read(flow, parts)?, shared: shared(flow, parts)?, ..Book::default() };
    let persons = persons(flow, parts)?;
    let mut page = 0;
    let mut listed = listed(flow, parts, &mut book)?;
    let known: HashSet<usize> = listed.iter().map(|sheet| sheet.part).collect();
    for number in parts.of_type(SHEETS, |name| name.starts_with("xl/worksheets/sheet")) {
        if !known.contains(&number) {
            listed.push(Sheet { name: String::new(), hidden: true, part: number });
        }
    }
    for sheet in listed {
        page += 1;
        flow.page(Some(page))?;
        let label = if sheet.hidden { Label::Hidden } else { Label::Body };
        flow.whole_line(label, &sheet.name)?;
        let relations = parts.relations(flow, sheet.part)?;
        if is_binary(parts, sheet.part) {
            binary::sheet(flow, parts, sheet.part, &book, sheet.hidden)?;
        } else {
            parts.xml(flow, sheet.part, |flow, xml| sheet::read(flow, xml, &book, sheet.hidden))?;
        }
        beside(flow, parts, relations, label, &persons)?;
    }
    flow.page(None)?;
    out_of_sight(flow, parts)
}

/// How the content types of sheets end: of those in markup, then of those in records.
const SHEETS: &[&str] = &[
    "worksheet+xml",
    "chartsheet+xml",
    "dialogsheet+xml",
    "macrosheet+xml",
    "ms-excel.worksheet",
    "ms-excel.chartsheet",
    "ms-excel.dialogsheet",
    "ms-excel.macrosheet",
    "ms-excel.intlmacrosheet",
];

/// Whether a part is made of records, as in xlsb.
fn is_binary(parts: &Parts<'_>, number: usize) -> bool {
    parts.name(number).to_ascii_lowercase().ends_with(".bin")
}

struct Sheet {
    name: String,
    hidden: bool,
    part: usize,
}

/// How the content types of workbooks end.
const WORKBOOKS: &[&str] = &["sheet.main+xml", "template.main+xml", "addin.macroenabled.main+xml", "sheet.binary.macroenabled.main"];

/// The sheets as the workbook lists them, and how it counts days.
fn listed(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>, book: &mut Book) -> Result<Vec<Sheet>, Stop> {
    let mut sheets: Vec<Sheet> = Vec::new();
    let mut taken = vec![false; parts.types.len()];
    for number in parts.of_type(WORKBOOKS, |name| name == "xl/workbook.xml" || name == "xl/workbook.bin") {
        let relations = parts.relations(flow, number)?;
        let relations: HashMap<&str, &Relation> = relations.iter().map(|relation| (relation.id.as_str(), relation)).collect();
        let mut found = Vec::new();
        if is_binary(parts, number) {
            found = binary::workbook(flow, parts, number, book)?;
        } else {
            parts.xml(flow, number, |flow, xml| {
                while let Some(node) = xml.next() {
                    match (node, xml.name()) {
                        (Node::Start, "workbookPr") => book.since_1904 |= xml.flag("date1904"),
                        (Node::Start, "sheet") if found.len() < super::MOST => {
                            let hidden = xml.attribute("state").is_some_and(|state| state != "visible");
                            found.push((xml.attribute("name").unwrap_or_default(), hidden, xml.full_attribute("r:id").unwrap_or_default()));
                        }
                        (Node::Start, "definedName") => {
                            let name = xml.attribute("name").unwrap_or_default();
                            let value = xml.inner_text();
                            flow.whole_line(Label::Property, &format!("name {name}: {value}"))?;
                        }
                        _ => (),
                    }
                }
                Ok(())
            })?;
        }
        for (name, hidden, id) in found {
            let part = relations.get(id.as_str()).and_then(|relation| parts.target(relation));
            match part.filter(|part| !std::mem::replace(&mut taken[*part], true)) {
                Some(part) => sheets.push(Sheet { name, hidden, part }),
                None => {
                    let why = "a sheet that it lists is not there";
                    flow.out.fault(flow.index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, why))?;
                }
            }
        }
    }
    Ok(sheets)
}

/// The strings that cells share.
fn shared(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<Vec<String>, Stop> {
    let (mut strings, mut bytes) = (Vec::new(), 0);
    for number in parts.of_type(&["sharedstrings+xml", "ms-excel.sharedstrings"], |name| name == "xl/sharedstrings.xml") {
        if is_binary(parts, number) {
            if binary::shared(flow, parts, number, &mut strings, MOST_SHARED)? {
                bytes = MOST_SHARED;
            }
            continue;
        }
        parts.xml(flow, number, |_, xml| {
            while let Some(node) = xml.next() {
                if node == Node::Start && xml.name() == "si" && bytes < MOST_SHARED {
                    let string = rich_text(xml, "si");
                    bytes += string.len() + size_of::<String>();
                    strings.push(string);
                }
            }
            Ok(())
        })?;
    }
    if bytes >= MOST_SHARED {
        let why = "the strings that its cells share are more than are kept";
        flow.out.fault(flow.index, Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, why).limit(MOST_SHARED as u64))?;
    }
    Ok(strings)
}

/// The text of a string with formats in it, up to its end, without how it is pronounced.
pub(super) fn rich_text(xml: &mut Xml<'_>, end: &str) -> String {
    let (mut text, mut in_text, mut phonetic) = (String::new(), false, false);
    while let Some(node) = xml.next() {
        match (node, xml.name()) {
            (Node::Start, "t") => in_text = true,
            (Node::End, "t") => in_text = false,
            (Node::Start, "rPh") => phonetic = true,
            (Node::End, "rPh") => phonetic = false,
            (Node::Text, _) if in_text && !phonetic => text.push_str(xml.text()),
            (Node::End, name) if name == end => break,
            _ => (),
        }
    }
    text
}

fn persons(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<HashMap<String, String>, Stop> {
    let mut persons = HashMap::new();
    for number in parts.of_type(&["ms-excel.person+xml"], |name| name.starts_with("xl/persons/")) {
        parts.xml(flow, number, |_, xml| {
            while let Some(node) = xml.next() {
                if node == Node::Start && xml.name() == "person" && persons.len() < 10_000 {
                    persons.insert(xml.attribute("id").unwrap_or_default(), xml.attribute("displayName").unwrap_or_default());
                }
            }
            Ok(())
        })?;
    }
    Ok(persons)
}

/// Comments and drawings of a sheet.
fn beside(
    flow: &mut Flow<'_, '_>,
    parts: &mut Parts<'_>,
    relations: Vec<Relation>,
    label: Label,
    persons: &HashMap<String, String>,
) -> Result<(), Stop> {
    for relation in relations {
        let Some(number) = parts.target(&relation).filter(|number| !parts.read[*number]) else { continue };
        match relation.kind.as_str() {
            "comments" if is_binary(parts, number) => binary::comments(flow, parts, number)?,
            "comments" | "threadedComment" => parts.xml(flow, number, |flow, xml| sheet::comments(flow, xml, persons))?,
            "drawing" => {
                let charts = parts.relations(flow, number)?;
                parts.xml(flow, number, |flow, xml| drawing::read(flow, xml, label, Which::All))?;
                for chart in charts.iter().filter(|chart| matches!(chart.kind.as_str(), "chart" | "diagramData")) {
                    if let Some(number) = parts.target(chart).filter(|number| !parts.read[*number]) {
                        parts.xml(flow, number, |flow, xml| drawing::read(flow, xml, label, Which::All))?;
                    }
                }
            }
            _ => (),
        }
    }
    Ok(())
}

/// Data that a workbook holds without showing it: the rows behind pivot tables, values of other workbooks, where data came from.
fn out_of_sight(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<(), Stop> {
    for number in parts.of_type(&["pivotcachedefinition+xml", "pivotcacherecords+xml"], |name| name.starts_with("xl/pivotcache/pivot")) {
        parts.xml(flow, number, |flow, xml| {
            while let Some(node) = xml.next() {
                match (node, xml.name()) {
                    (Node::Start, "s" | "n" | "d" | "e") => {
                        flow.text(Label::Hidden, &xml.attribute("v").unwrap_or_default())?;
                        flow.cell();
                    }
                    (Node::Start, "cacheField") => flow.whole_line(Label::Hidden, &xml.attribute("name").unwrap_or_default())?,
                    (Node::End, "r" | "sharedItems") => flow.row()?,
                    _ => (),
                }
            }
            flow.line()
        })?;
    }
    for number in parts.of_type(&["externallink+xml"], |name| name.starts_with("xl/externallinks/externallink")) {
        parts.xml(flow, number, |flow, xml| {
            while let Some(node) = xml.next() {
                if node == Node::Start && xml.name() == "v" {
                    let value = xml.inner_text();
                    flow.whole_line(Label::Hidden, &value)?;
                }
            }
            Ok(())
        })?;
    }
    for number in parts.of_type(&["spreadsheetml.connections+xml"], |name| name == "xl/connections.xml") {
        parts.xml(flow, number, |flow, xml| {
            while let Some(node) = xml.next() {
                for name in ["connection", "command", "url", "sourceFile"] {
                    if let Some(value) = Some(()).filter(|()| node == Node::Start).and_then(|()| xml.attribute(name)) {
                        flow.whole_line(Label::Property, &format!("{name}: {value}"))?;
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}
