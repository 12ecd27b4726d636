//! The whole result of a search as CSV or JSON, written while it is sent.

use crate::body::{Body, Pipe};
use crate::library::Library;
use crate::search::{Hit, SearchError, SearchOptions};
use crate::when;
use daylight_index::Sort;
use serde_json::json;
use std::io;

/// How many documents are asked for at a time.
const BATCH: usize = 1000;

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }

    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::Csv => "search.csv",
            Self::Json => "search.json",
        }
    }
}

/// Where the whole result will be written, and the body that sends it.
pub(crate) fn body() -> (Pipe, Body) {
    Body::stream(None)
}

/// Writes the whole result. A failure breaks the answer off, so that nobody takes a part for the whole.
pub(crate) fn write(library: &Library, query: &str, sort: Sort, format: Format, pipe: Pipe) {
    if try_write(library, query, sort, format, &pipe).is_ok() {
        pipe.done();
    }
}

fn try_write(library: &Library, query: &str, sort: Sort, format: Format, pipe: &Pipe) -> io::Result<()> {
    let mut offset = 0;
    loop {
        let options = SearchOptions { limit: BATCH, offset, sort, facets: false, snippets: 0, people: true };
        let answer = library.search(query, &options).map_err(|e: SearchError| io::Error::other(e.to_string()))?;
        let mut out = String::new();
        if offset == 0 {
            out.push_str(&head(format, query, &answer.understood, answer.total));
        }
        for (at, hit) in answer.hits.iter().enumerate() {
            match format {
                Format::Csv => out.push_str(&csv_line(hit)),
                Format::Json => {
                    out.push_str(if offset + at == 0 { "\n" } else { ",\n" });
                    out.push_str(&json_hit(hit).to_string());
                }
            }
        }
        offset += BATCH;
        let done = offset as u64 >= answer.total;
        if done && format == Format::Json {
            out.push_str("\n]}\n");
        }
        pipe.send(out.into_bytes())?;
        if done {
            return Ok(());
        }
    }
}

fn head(format: Format, query: &str, understood: &str, total: u64) -> String {
    match format {
        Format::Csv => "id,kind,title,date,from,to,media_type,bytes,path\r\n".to_owned(),
        Format::Json => {
            let (query, understood) = (json!(query), json!(understood));
            format!("{{\"query\":{query},\"understood\":{understood},\"total\":{total},\"hits\":[")
        }
    }
}

fn json_hit(hit: &Hit) -> serde_json::Value {
    let people: Vec<_> = hit.people.iter().map(|p| json!({"role": p.role.word(), "name": p.name, "address": p.address})).collect();
    json!({
        "id": hit.id(),
        "kind": hit.kind.word(),
        "title": hit.title,
        "date": hit.date.as_ref().and_then(when::machine),
        "people": people,
        "media_type": hit.media_type,
        "bytes": hit.row.length,
        "path": format!("/c/{}/{}", hit.collection, hit.number),
    })
}

fn csv_line(hit: &Hit) -> String {
    let people = |role: daylight_model::Role| {
        let named = hit.people.iter().filter(|person| person.role == role);
        named
            .map(|person| if person.address.is_empty() { person.name.as_str() } else { person.address.as_str() })
            .collect::<Vec<_>>()
            .join("; ")
    };
    let cells = [
        hit.id(),
        hit.kind.word().to_owned(),
        hit.title.clone(),
        hit.date.as_ref().and_then(when::machine).unwrap_or_default(),
        people(daylight_model::Role::From),
        people(daylight_model::Role::To),
        hit.media_type.clone(),
        hit.row.length.to_string(),
        format!("/c/{}/{}", hit.collection, hit.number),
    ];
    cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A cell of RFC 4180. What a spreadsheet would take for a formula is made text with an apostrophe; control characters become spaces.
fn csv_cell(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let formula = flat.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", flat.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_breaks_out_of_its_place() {
        assert_eq!(csv_cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(csv_cell(" \t@SUM"), "\"'  @SUM\"");
        assert_eq!(csv_cell("a,b\r\nc"), "\"a,b  c\"");
    }
}
