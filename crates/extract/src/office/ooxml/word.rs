//! docx (ECMA-376 part 1, section 17).

use super::Parts;
use crate::office::flow::Flow;
use crate::office::xml::{Node, Xml};
use daylight_model::reading::{Label, Stop};
use std::collections::HashSet;

/// Reads the text of all parts: the body first, then what stands at its edges.
pub(super) fn read(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<(), Stop> {
    let hidden = hidden_styles(flow, parts)?;
    let rounds: [(&[&str], &[&str], Label); 6] = [
        (&["main+xml"], &["word/document"], Label::Body),
        (&["diagramdata+xml", "drawingml.chart+xml"], &["word/diagrams/data", "word/charts/chart"], Label::Body),
        (&[".header+xml", ".footer+xml"], &["word/header", "word/footer"], Label::Margin),
        (&["footnotes+xml", "endnotes+xml"], &["word/footnotes", "word/endnotes"], Label::Note),
        (&[".comments+xml"], &["word/comments.", "word/comments1"], Label::Comment),
        (&["document.glossary+xml"], &["word/glossary/document"], Label::Hidden),
    ];
    for (types, names, label) in rounds {
        for number in parts.of_type(types, |name| names.iter().any(|start| name.starts_with(start) && name.ends_with(".xml"))) {
            if !parts.read[number] {
                parts.xml(flow, number, |flow, xml| Story::new(label, &hidden).read(flow, xml))?;
                flow.line()?;
            }
        }
    }
    Ok(())
}

/// The character and paragraph styles whose text is hidden.
fn hidden_styles(flow: &mut Flow<'_, '_>, parts: &mut Parts<'_>) -> Result<HashSet<String>, Stop> {
    let mut hidden = HashSet::new();
    for number in parts.of_type(&["wordprocessingml.styles+xml"], |name| name == "word/styles.xml") {
        let mut style = String::new();
        parts.xml(flow, number, |_, xml| {
            while let Some(node) = xml.next() {
                match (node, xml.name()) {
                    (Node::Start, "style") => style = xml.attribute("styleId").unwrap_or_default(),
                    (Node::Start, "vanish") if is_on(xml) && !style.is_empty() => drop(hidden.insert(style.clone())),
                    (Node::End, "style") => style.clear(),
                    _ => (),
                }
            }
            Ok(())
        })?;
    }
    Ok(hidden)
}

/// Whether a property that is on by standing there is not switched off again.
fn is_on(xml: &Xml<'_>) -> bool {
    !xml.attribute("val").is_some_and(|value| matches!(value.as_str(), "0" | "false" | "off"))
}

/// One flow of paragraphs and tables.
struct Story<'a> {
    label: Label,
    hidden_styles: &'a HashSet<String>,
    inserted: usize,
    deleted: usize,
    in_text: bool,
    in_value: bool,
    in_run: bool,
    run_hidden: bool,
    paragraph_hidden: bool,
    in_field: bool,
    field: String,
    /// How deep in what only repeats an alternative that was read.
    fallback: usize,
}

impl<'a> Story<'a> {
    fn new(label: Label, hidden_styles: &'a HashSet<String>) -> Self {
        Self {
            label,
            hidden_styles,
            inserted: 0,
            deleted: 0,
            in_text: false,
            in_value: false,
            in_run: false,
            run_hidden: false,
            paragraph_hidden: false,
            in_field: false,
            field: String::new(),
            fallback: 0,
        }
    }

    fn read(mut self, flow: &mut Flow<'_, '_>, xml: &mut Xml<'_>) -> Result<(), Stop> {
        while let Some(node) = xml.next() {
            match node {
                Node::Start if self.fallback > 0 || xml.name() == "Fallback" => self.fallback += 1,
                Node::End if self.fallback > 0 => self.fallback -= 1,
                Node::Text if self.fallback > 0 => (),
                Node::Start => self.start(flow, xml)?,
                Node::End => self.end(flow, xml)?,
                Node::Text if self.in_field => self.field.push_str(xml.text()),
                Node::Text if self.in_text || self.in_value => flow.text(self.current(), xml.text())?,
                Node::Text => (),
            }
        }
        Ok(())
    }

    fn in_hidden_style(&self, xml: &Xml<'_>) -> bool {
        xml.attribute("val").is_some_and(|style| self.hidden_styles.contains(&style))
    }

    fn current(&self) -> Label {
        match self {
            _ if self.deleted > 0 => Label::Deleted,
            _ if self.inserted > 0 => Label::Inserted,
            _ if (self.run_hidden || self.paragraph_hidden) && self.label == Label::Body => Label::Hidden,
            _ => self.label,
        }
    }

    fn start(&mut self, flow: &mut Flow<'_, '_>, xml: &Xml<'_>) -> Result<(), Stop> {
        match xml.name() {
            "t" | "delText" => self.in_text = true,
            // A chart's values.
            "v" if xml.full_name() == "c:v" => self.in_value = true,
            "instrText" | "delInstrText" => self.in_field = true,
            "fldSimple" => {
                self.field = xml.attribute("instr").unwrap_or_default();
                self.end_field(flow)?;
            }
            "r" => self.in_run = true,
            "rStyle" if self.in_run => self.run_hidden |= self.in_hidden_style(xml),
            "pStyle" => self.paragraph_hidden = self.in_hidden_style(xml),
            "vanish" if self.in_run => self.run_hidden = is_on(xml),
            "ins" | "moveTo" => self.inserted += 1,
            "del" | "moveFrom" => self.deleted += 1,
            "tab" if self.in_run => flow.text(self.current(), "\t")?,
            "br" | "cr" => flow.line()?,
            "noBreakHyphen" => flow.text(self.current(), "-")?,
            "sym" => {
                let code = xml.attribute("char").and_then(|hex| u32::from_str_radix(&hex, 16).ok()).and_then(char::from_u32);
                flow.text(self.current(), &code.map(String::from).unwrap_or_default())?;
            }
            "comment" => {
                let author = xml.attribute("author").unwrap_or_default();
                let date = xml.attribute("date").unwrap_or_default();
                flow.whole_line(Label::Comment, &format!("{author} {date}:"))?;
            }
            "docPr" => {
                if let Some(told) = xml.attribute("descr") {
                    flow.whole_line(Label::Hidden, &told)?;
                }
            }
            _ => (),
        }
        Ok(())
    }

    fn end(&mut self, flow: &mut Flow<'_, '_>, xml: &Xml<'_>) -> Result<(), Stop> {
        match xml.name() {
            "t" | "delText" => self.in_text = false,
            "v" if self.in_value => {
                self.in_value = false;
                flow.line()?;
            }
            "instrText" | "delInstrText" => {
                self.in_field = false;
            }
            "r" => (self.in_run, self.run_hidden) = (false, false),
            "ins" | "moveTo" => self.inserted = self.inserted.saturating_sub(1),
            "del" | "moveFrom" => self.deleted = self.deleted.saturating_sub(1),
            "p" => {
                self.end_field(flow)?;
                self.paragraph_hidden = false;
                flow.line()?;
            }
            "tc" => flow.cell(),
            "tr" => flow.row()?,
            _ => (),
        }
        Ok(())
    }

    /// A field's instruction is not shown, but may name a file or an address.
    fn end_field(&mut self, flow: &mut Flow<'_, '_>) -> Result<(), Stop> {
        let field = std::mem::take(&mut self.field);
        let word = field.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        if matches!(word.as_str(), "HYPERLINK" | "INCLUDETEXT" | "INCLUDEPICTURE" | "LINK" | "DDE" | "DDEAUTO") && field.contains('"') {
            flow.whole_line(Label::Hidden, &field)?;
        }
        Ok(())
    }
}
