//! `search`: the same question to a desk or to an archive.

use crate::args::{self, Order};
use crate::output::{self, count, say};
use crate::place::{self, Place};
use crate::when;
use anyhow::Result;
use daylight_index::Sort;
use daylight_index::query::QueryError;
use daylight_ingest::{open_desk, open_index};
use daylight_model::{Date, Name, Person, Role};
use daylight_reader::{Library, SearchError, SearchOptions};
use serde_json::{Value, json};
use std::process::ExitCode;

/// An answer, whichever place gave it.
struct Answer {
    understood: String,
    total: u64,
    unreadable: u64,
    hits: Vec<Hit>,
}

struct Hit {
    id: String,
    title: String,
    kind: &'static str,
    date: Option<Date>,
    people: Vec<Person>,
    snippet: Vec<(String, bool)>,
    /// The page, slide or sheet on which that stands.
    page: Option<u32>,
}

pub(crate) fn search(args: &args::Search) -> Result<ExitCode> {
    let query = args.query.join(" ");
    let sort = match args.sort {
        Order::Best => Sort::Relevance,
        Order::Newest => Sort::Newest,
        Order::Oldest => Sort::Oldest,
    };
    let answer = match Place::of(&args.place)? {
        Place::Desk => in_desk(args, &query, sort)?,
        Place::Archive => in_archive(args, &query, sort)?,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(mistake) => {
            output::remark(format_args!("{}", place_of(&query, &mistake)));
            return Ok(ExitCode::from(2));
        }
    };
    if args.json {
        output::json(&in_json(&answer))?
    } else {
        in_words(&answer)?
    }
    // As grep does: the answer to "is there any?" is no.
    Ok(if answer.total == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn in_desk(args: &args::Search, query: &str, sort: Sort) -> Result<Result<Answer, QueryError>> {
    let desk = open_desk(&args.place)?;
    let index = open_index(&desk)?;
    let found = match daylight_review::search(&desk, &index, query, args.limit, sort) {
        Err(daylight_review::Error::Query(mistake)) => return Ok(Err(mistake)),
        found => found?,
    };
    let hits = found.hits.into_iter().map(|hit| Hit {
        id: hit.id,
        title: hit.title,
        kind: hit.kind.word(),
        date: hit.date,
        people: hit.people,
        snippet: hit.snippet,
        page: hit.page,
    });
    Ok(Ok(Answer { understood: found.understood, total: found.total, unreadable: found.unreadable, hits: hits.collect() }))
}

fn in_archive(args: &args::Search, query: &str, sort: Sort) -> Result<Result<Answer, QueryError>> {
    let cache = place::cache(&args.place, args.cache.as_deref())?;
    let library = Library::open(&args.place, &cache, &mut |_| {})?;
    let options = SearchOptions { limit: args.limit, sort, ..SearchOptions::default() };
    let found = match library.search(query, &options) {
        Err(SearchError::Query(mistake)) => return Ok(Err(mistake)),
        found => found?,
    };
    let hits = found.hits.into_iter().map(|hit| Hit {
        id: hit.id(),
        title: hit.title,
        kind: hit.kind.word(),
        date: hit.date,
        people: hit.people,
        snippet: hit.snippet,
        page: hit.page,
    });
    Ok(Ok(Answer { understood: found.understood, total: found.total, unreadable: found.unreadable, hits: hits.collect() }))
}

/// The mistake and where it is, counted in characters from 1.
fn place_of(query: &str, mistake: &QueryError) -> String {
    let characters = |bytes: usize| query.get(..bytes).map_or(0, |text| text.chars().count());
    let (start, end) = (characters(mistake.at.start) + 1, characters(mistake.at.end));
    let part = query.get(mistake.at.clone()).unwrap_or_default();
    match (part.is_empty(), end > start) {
        (true, _) => format!("query: {} (at character {start})", mistake.message),
        (false, false) => format!("query: {} (at character {start}: `{part}`)", mistake.message),
        (false, true) => format!("query: {} (at characters {start} to {end}: `{part}`)", mistake.message),
    }
}

fn in_json(answer: &Answer) -> Value {
    let hits = answer.hits.iter().map(|hit| {
        json!({
            "id": hit.id,
            "title": hit.title,
            "kind": hit.kind,
            "date": hit.date.as_ref().map(when::machine),
            "people": people(&hit.people),
            "page": hit.page,
            "snippet": hit.snippet.iter().map(|(text, _)| text.as_str()).collect::<String>(),
            "marked": hit.snippet.iter().filter(|(_, marked)| *marked).map(|(text, _)| text).collect::<Vec<_>>(),
        })
    });
    let hits: Vec<Value> = hits.collect();
    json!({"total": answer.total, "understood": answer.understood, "not_fully_read_in_scope": answer.unreadable, "hits": hits})
}

/// People as JSON shows them.
pub(crate) fn people(people: &[Person]) -> Vec<Value> {
    people.iter().map(|one| json!({"role": one.role.word(), "name": one.name, "address": one.address})).collect()
}

fn in_words(answer: &Answer) -> Result<()> {
    say!("{} · {}", count(answer.total, "document"), answer.understood)?;
    if answer.unreadable > 0 {
        say!("{} here could not be fully read and may be missing: search is:unreadable", count(answer.unreadable, "document"))?;
    }
    for hit in &answer.hits {
        say!("\n{}  {}", hit.id, plain(&hit.title))?;
        let from =
            hit.people.iter().find(|one| one.role == Role::From).map(|one| if one.name.is_empty() { &one.address } else { &one.name });
        let date = hit.date.as_ref().map(when::words);
        let parts: Vec<String> = [from.map(|text| plain(text)), date, Some(hit.kind.into())].into_iter().flatten().collect();
        say!("    {}", parts.join(" · "))?;
        let snippet: String = hit.snippet.iter().map(|(text, marked)| if *marked { format!("*{text}*") } else { text.clone() }).collect();
        if !snippet.is_empty() {
            let page = hit.page.map(|page| format!("page {page}: ")).unwrap_or_default();
            say!("    {page}{}", plain(&snippet))?;
        }
    }
    Ok(())
}

/// Words of a document in a line on a terminal: without the characters that could command it, or turn round what stands beside them.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c != '\\' && Name::must_escape(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_title_commands_no_terminal_and_turns_nothing_round() {
        assert_eq!(plain("a\u{1b}]0;b\u{7}\u{9b}1m\n\u{202e}cod.exe\u{2066}\\ añ"), "a ]0;b  1m  cod.exe \\ añ");
    }
}
