use crate::office::Family;
use crate::office::flow::Flow;
use crate::office::grid::{Grid, HiddenColumns};
use crate::office::xml::{Node, Xml};
use daylight_model::reading::{Label, Stop};
use std::collections::{BTreeSet, HashSet};

/// Styles, changes and links beyond this many are not remembered.
const MOST: usize = 200_000;
/// A cell that is repeated is shown this many times at most.
const MOST_REPEATS: u32 = 64;

/// The content of a document, its parts read one after the other.
pub(super) struct Content {
    family: Family,
    hidden_styles: HashSet<String>,
    insertions: HashSet<String>,
    links: BTreeSet<String>,
    style: String,
    region: String,
    page: u32,
    inserting: bool,
    frames: Vec<Frame>,
    table: Option<Table>,
}

/// An element that is open.
#[derive(Clone, Copy)]
struct Frame {
    label: Label,
    /// Its text is text of the document.
    text: bool,
}

/// A sheet of a workbook.
struct Table {
    depth: usize,
    grid: Grid,
    columns: HiddenColumns,
    column: u32,
    row_hidden: bool,
    cell: String,
    date: Option<String>,
    repeats: u32,
}

impl Content {
    pub(super) fn new(family: Family) -> Self {
        Self {
            family,
            hidden_styles: HashSet::new(),
            insertions: HashSet::new(),
            links: BTreeSet::new(),
            style: String::new(),
            region: String::new(),
            page: 0,
            inserting: false,
            frames: Vec::new(),
            table: None,
        }
    }

    /// The addresses that the document leads to.
    pub(super) fn links(&self) -> impl Iterator<Item = &str> {
        self.links.iter().map(String::as_str)
    }

    /// Reads a part whose text is `label` where nothing says otherwise.
    pub(super) fn read(&mut self, flow: &mut Flow<'_, '_>, xml: &mut Xml<'_>, label: Label) -> Result<(), Stop> {
        (self.frames, self.table) = (vec![Frame { label, text: false }], None);
        if label != Label::Body {
            flow.page(None)?;
        }
        while let Some(node) = xml.next().filter(|_| !flow.is_full()) {
            let frame = self.frames.last().copied().unwrap_or(Frame { label, text: false });
            match node {
                Node::Start => {
                    let frame = self.start(flow, xml, frame)?;
                    self.frames.push(frame);
                }
                Node::End => {
                    self.frames.pop();
                    self.end(flow, xml.full_name(), frame)?;
                }
                Node::Text if frame.text => self.text(flow, frame, xml.text())?,
                Node::Text => (),
            }
        }
        if let Some(table) = self.table.take() {
            table.grid.end(flow)?;
        }
        flow.line()
    }

    fn text(&mut self, flow: &mut Flow<'_, '_>, frame: Frame, text: &str) -> Result<(), Stop> {
        match &mut self.table {
            Some(table) if frame.label == Label::Body => {
                table.cell.push_str(text);
                Ok(())
            }
            _ if frame.label == Label::Body && self.inserting => flow.text(Label::Inserted, text),
            _ => flow.text(frame.label, text),
        }
    }

    fn start(&mut self, flow: &mut Flow<'_, '_>, xml: &Xml<'_>, frame: Frame) -> Result<Frame, Stop> {
        let labelled = |label| Frame { label, text: false };
        let shown = frame.label == Label::Body;
        Ok(match xml.full_name() {
            "text:p" | "text:h" => Frame { text: true, ..self.styled(xml, frame) },
            "text:span" => self.styled(xml, frame),
            "text:section" if shown && xml.attribute("display").is_some_and(|display| display == "none") => labelled(Label::Hidden),
            "text:s" => {
                let count = xml.attribute("c").and_then(|count| count.parse().ok()).unwrap_or(1_usize);
                self.text(flow, frame, &" ".repeat(count.min(100)))?;
                frame
            }
            "text:tab" => {
                self.text(flow, frame, "\t")?;
                frame
            }
            "text:line-break" => {
                self.text(flow, frame, "\n")?;
                frame
            }
            "text:note-body" => labelled(Label::Note),
            "text:note-citation" | "office:change-info" => Frame { text: false, ..frame },
            "office:annotation" => labelled(Label::Comment),
            "dc:creator" | "dc:date" if frame.label == Label::Comment => Frame { text: true, ..frame },
            "text:deletion" => labelled(Label::Deleted),
            "presentation:notes" => labelled(Label::Note),
            "svg:title" | "svg:desc" => Frame { label: Label::Hidden, text: true },
            "draw:page" => {
                self.page += 1;
                flow.page(Some(self.page))?;
                self.styled(xml, frame)
            }
            name if name.starts_with("table:") => {
                self.start_table(flow, xml, frame)?;
                frame
            }
            _ => {
                self.start_other(flow, xml)?;
                frame
            }
        })
    }

    /// An element whose style may hide it.
    fn styled(&self, xml: &Xml<'_>, frame: Frame) -> Frame {
        let hidden = frame.label == Label::Body && !self.hidden_styles.is_empty();
        let hidden = hidden && xml.attribute("style-name").is_some_and(|style| self.hidden_styles.contains(&style));
        if hidden { Frame { label: Label::Hidden, ..frame } } else { frame }
    }

    fn start_other(&mut self, flow: &mut Flow<'_, '_>, xml: &Xml<'_>) -> Result<(), Stop> {
        match xml.full_name() {
            "style:style" => self.style = xml.attribute("name").unwrap_or_default(),
            "style:text-properties" | "style:table-properties" | "style:drawing-page-properties" => {
                let hides = xml.full_attribute("text:display").is_some_and(|display| display == "none")
                    || xml.full_attribute("table:display").is_some_and(|display| display == "false")
                    || xml.full_attribute("presentation:visibility").is_some_and(|visibility| visibility == "hidden");
                if hides && self.hidden_styles.len() < MOST {
                    self.hidden_styles.insert(self.style.clone());
                }
            }
            "text:changed-region" => self.region = xml.full_attribute("text:id").or_else(|| xml.attribute("id")).unwrap_or_default(),
            "text:insertion" if self.insertions.len() < MOST => drop(self.insertions.insert(self.region.clone())),
            "text:change-start" => self.inserting = xml.attribute("change-id").is_some_and(|id| self.insertions.contains(&id)),
            "text:change-end" => self.inserting = false,
            "text:hidden-text" => flow.whole_line(Label::Hidden, &xml.attribute("string-value").unwrap_or_default())?,
            "text:a" if self.links.len() < MOST => self.links.extend(xml.attribute("href").filter(|href| !href.starts_with('#'))),
            name if name.starts_with("form:") => {
                let value = xml.attribute("current-value").or_else(|| xml.full_attribute("form:value")).unwrap_or_default();
                flow.whole_line(Label::Form, &value)?;
            }
            _ => (),
        }
        Ok(())
    }

    fn start_table(&mut self, flow: &mut Flow<'_, '_>, xml: &Xml<'_>, frame: Frame) -> Result<(), Stop> {
        let repeats = |name| xml.attribute(name).and_then(|count| count.parse::<u32>().ok()).unwrap_or(1);
        let hidden = || xml.attribute("visibility").is_some_and(|visibility| visibility != "visible");
        let depth = self.frames.len();
        match (xml.name(), &mut self.table) {
            ("table", None) if self.family == Family::Sheets && frame.label == Label::Body => {
                self.page += 1;
                let hidden = self.styled(xml, frame).label == Label::Hidden;
                flow.page(Some(self.page))?;
                flow.whole_line(if hidden { Label::Hidden } else { Label::Body }, &xml.attribute("name").unwrap_or_default())?;
                let (grid, columns) = (Grid::new(hidden), HiddenColumns::default());
                self.table =
                    Some(Table { depth, grid, columns, column: 0, row_hidden: false, cell: String::new(), date: None, repeats: 1 });
            }
            ("table-column", Some(table)) => {
                let first = table.column;
                table.column = first.saturating_add(repeats("number-columns-repeated"));
                if hidden() {
                    table.columns.hide(first, table.column.saturating_sub(1));
                }
            }
            ("table-row", Some(table)) => (table.column, table.row_hidden) = (0, hidden()),
            ("table-cell" | "covered-table-cell", Some(table)) => {
                table.repeats = repeats("number-columns-repeated");
                table.date = xml.full_attribute("office:date-value");
            }
            _ => (),
        }
        Ok(())
    }

    fn end(&mut self, flow: &mut Flow<'_, '_>, name: &str, frame: Frame) -> Result<(), Stop> {
        match (name, &mut self.table) {
            ("text:p" | "text:h", Some(table)) if frame.label == Label::Body => table.cell.push('\n'),
            ("text:p" | "text:h" | "svg:title" | "svg:desc", _) => flow.line()?,
            ("dc:creator" | "dc:date", _) if frame.text => flow.text(frame.label, " ")?,
            ("table:table-cell" | "table:covered-table-cell", Some(table)) => {
                let cell = std::mem::take(&mut table.cell);
                let text = table.date.take().filter(|_| !cell.trim().is_empty()).map(|date| date.replace("T00:00:00", "")).unwrap_or(cell);
                for _ in 0..table.repeats.min(MOST_REPEATS) {
                    let hidden = table.row_hidden || table.columns.is_hidden(table.column);
                    table.grid.cell(table.column, &text, hidden);
                    if table.grid.is_long() {
                        table.grid.end_row(flow)?;
                    }
                    table.column = table.column.saturating_add(1);
                }
                table.column = table.column.saturating_add(table.repeats.saturating_sub(MOST_REPEATS));
            }
            ("table:table-row", Some(table)) => table.grid.end_row(flow)?,
            ("table:table", Some(table)) if self.frames.len() <= table.depth => {
                if let Some(table) = self.table.take() {
                    table.grid.end(flow)?;
                }
            }
            ("table:table-cell" | "table:covered-table-cell", None) => flow.cell(),
            ("table:table-row", None) => flow.row()?,
            _ => (),
        }
        Ok(())
    }
}
