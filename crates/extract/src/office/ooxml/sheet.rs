use super::sheets::rich_text;
use crate::office::flow::Flow;
use crate::office::grid::{self, Grid};
use crate::office::number::{self, Format};
use crate::office::xml::{Node, Xml};
use daylight_model::reading::{Label, Stop};
use std::collections::HashMap;

/// What the sheets of a workbook share.
#[derive(Default)]
pub(super) struct Book {
    pub(super) formats: Vec<Format>,
    pub(super) shared: Vec<String>,
    pub(super) since_1904: bool,
}

#[derive(Default)]
struct Cell {
    kind: String,
    column: u32,
    style: usize,
    value: String,
}

/// Reads the cells of a sheet.
pub(super) fn read(flow: &mut Flow<'_, '_>, xml: &mut Xml<'_>, book: &Book, hidden: bool) -> Result<(), Stop> {
    let mut grid = Grid::new(hidden);
    let (mut columns, mut row_hidden, mut next, mut cell) = (grid::HiddenColumns::default(), false, 0, Cell::default());
    let mut margin = false;
    while let Some(node) = xml.next() {
        match (node, xml.name()) {
            (Node::Start, "col") if xml.flag("hidden") => {
                let number = |name| xml.attribute(name).and_then(|n| n.parse::<u32>().ok()).unwrap_or(0).saturating_sub(1);
                columns.hide(number("min"), number("max"));
            }
            (Node::Start, "row") => (row_hidden, next) = (xml.flag("hidden"), 0),
            (Node::End, "row") => grid.end_row(flow)?,
            (Node::Start, "c") => {
                let column = xml.attribute("r").and_then(|reference| grid::column(&reference)).unwrap_or(next);
                let style = xml.attribute("s").and_then(|style| style.parse().ok()).unwrap_or(0);
                next = column.saturating_add(1);
                cell = Cell { kind: xml.attribute("t").unwrap_or_default(), column, style, value: String::new() };
            }
            (Node::Start, "v") => cell.value = xml.inner_text(),
            (Node::Start, "is") => cell.value = rich_text(xml, "is"),
            (Node::End, "c") => {
                let hidden = row_hidden || columns.is_hidden(cell.column);
                grid.cell(cell.column, &shown(&cell, book), hidden);
                if grid.is_long() {
                    grid.end_row(flow)?;
                }
                if flow.is_full() {
                    break;
                }
            }
            (Node::Start, "headerFooter") => margin = true,
            (Node::End, "headerFooter") => margin = false,
            (Node::Start, _) if margin => {
                let text = without_codes(&xml.inner_text());
                flow.whole_line(Label::Margin, &text)?;
            }
            _ => (),
        }
    }
    grid.end(flow)
}

fn shown<'a>(cell: &'a Cell, book: &'a Book) -> std::borrow::Cow<'a, str> {
    match cell.kind.as_str() {
        "s" => cell.value.trim().parse().ok().and_then(|number: usize| book.shared.get(number)).map_or("", String::as_str).into(),
        "b" => if cell.value.trim() == "1" { "TRUE" } else { "FALSE" }.into(),
        "" | "n" => match (cell.value.trim().parse(), book.formats.get(cell.style)) {
            (Ok(value), Some(format)) => number::show(value, format, book.since_1904).into(),
            (Ok(value), None) => number::show(value, &Format::General, book.since_1904).into(),
            _ => cell.value.as_str().into(),
        },
        _ => cell.value.as_str().into(),
    }
}

/// The text of a header or footer without the codes in it (section 18.3.1.46).
pub(in crate::office) fn without_codes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '&' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('&') => plain.push('&'),
            Some('"') => characters.by_ref().take_while(|c| *c != '"').for_each(drop),
            Some('K') => {
                for _ in 0..6 {
                    characters.next_if(char::is_ascii_hexdigit);
                }
            }
            Some('0'..='9') => while characters.next_if(char::is_ascii_digit).is_some() {},
            Some('L' | 'C' | 'R') => plain.push(' '),
            _ => (),
        }
    }
    plain
}

/// Reads comments of either sort: notes with their authors, and conversations.
pub(super) fn comments(flow: &mut Flow<'_, '_>, xml: &mut Xml<'_>, persons: &HashMap<String, String>) -> Result<(), Stop> {
    let mut authors = Vec::new();
    while let Some(node) = xml.next() {
        if node != Node::Start {
            continue;
        }
        match xml.name() {
            "author" if authors.len() < 10_000 => authors.push(xml.inner_text()),
            "comment" => {
                let cell = xml.attribute("ref").unwrap_or_default();
                let author = xml.attribute("authorId").and_then(|id| id.parse::<usize>().ok()).and_then(|id| authors.get(id));
                let head = format!("{cell} {}: ", author.map_or("", String::as_str));
                let text = rich_text(xml, "comment");
                flow.whole_line(Label::Comment, &(head + &text))?;
            }
            "threadedComment" => {
                let [cell, date, person] = ["ref", "dT", "personId"].map(|name| xml.attribute(name).unwrap_or_default());
                let text = xml.inner_text();
                flow.whole_line(Label::Comment, &format!("{cell} {} {date}: {text}", persons.get(&person).map_or("", String::as_str)))?;
            }
            _ => (),
        }
    }
    Ok(())
}
