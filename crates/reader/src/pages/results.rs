//! The answer to a search: how many, in what order and what is missing above the first hit, what narrows it beside them.

use super::{lists, page, to_side};
use crate::library::Library;
use crate::limits;
use crate::search::{Answer, Hit};
use daylight_html::{Bar, Frame, Href, Markup, PageSpan, Side, SideAt, count, histogram, pager, share, thousands};
use daylight_index::Sort;
use daylight_index::query::{self, QueryError};
use maud::html;

/// How many hits a page shows, and how many pages deep one can go.
pub(crate) const PER_PAGE: u64 = 20;
pub(crate) const REACH: u64 = 100;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) query: String,
    pub(crate) sort: Sort,
    pub(crate) page: u64,
}

impl Asked {
    pub(crate) fn span(&self, total: u64) -> PageSpan {
        PageSpan { page: self.page, per_page: PER_PAGE, total, reach: REACH }
    }

    fn href(&self) -> Href {
        Href::new("/search").with("q", &self.query).with("sort", sort_word(self.sort))
    }
}

/// The word for an order in an address; none for the usual one.
pub(crate) fn sort_word(sort: Sort) -> &'static str {
    match sort {
        Sort::Relevance => "",
        Sort::Newest => "newest",
        Sort::Oldest => "oldest",
    }
}

/// A term of the search language, quoted where it must be: `from:"Ann Lee"`.
pub(crate) fn term(field: &str, value: &str) -> String {
    let plain =
        !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "@._-/".contains(c)) && value.starts_with(char::is_alphanumeric);
    if plain { format!("{field}:{value}") } else { format!("{field}:\"{}\"", value.replace(['"', '\\'], " ")) }
}

/// The page of an answer.
pub(crate) fn results(library: &Library, frame: &Frame, asked: &Asked, answer: &Answer) -> String {
    let span = asked.span(answer.total);
    let many = library.catalogue().shelves.len() > 1;
    let found = count(answer.total, "document", "documents");
    let main = html! {
        h1 { (found) }
        @if answer.total > 0 { (to_side("Narrow these results")) }
        (summary(asked, answer))
        @if answer.unreadable > 0 { (unreadable(answer.unreadable)) }
        @if answer.total == 0 { (nothing(asked)) }
        ol.hits start=(span.offset() + 1) { @for hit in &answer.hits { (item(library, hit, many)) } }
        (pager(span, &|page| asked.href().with("page", &if page > 1 { page.to_string() } else { String::new() })))
        @if span.page == span.pages() && span.pages() * PER_PAGE < answer.total {
            p.note { "Pages go no deeper than " (thousands(REACH * PER_PAGE)) " documents. Narrow the search, or take the whole result as CSV or JSON." }
        }
    };
    let side = (answer.total > 0).then(|| Side { label: "Narrow these results", at: SideAt::Left, body: facets(library, asked, answer) });
    let title = if asked.query.trim().is_empty() { format!("Search: {found}") } else { format!("{}: {found}", asked.query) };
    let mut page = page(&title, "Skip to the results", main, side);
    page.query = &asked.query;
    page.index = false;
    page.render(frame)
}

fn summary(asked: &Asked, answer: &Answer) -> Markup {
    let order = |words: &str, sort: Sort| {
        let href = Asked { sort, ..asked.clone() }.href();
        html! { @if asked.sort == sort { span aria-current="true" { b { (words) } } } @else { a href=(href) { (words) } } }
    };
    html! {
        div.summary {
            p.understood dir="auto" { (answer.understood) }
            @if answer.total > 0 {
                ul.inline aria-label="Order" {
                    li { (order("best first", Sort::Relevance)) } li { (order("newest first", Sort::Newest)) } li { (order("oldest first", Sort::Oldest)) }
                }
                ul.inline aria-label="The whole result" {
                    li { a href=(asked.href().with("format", "csv")) { "CSV" } } li { a href=(asked.href().with("format", "json")) { "JSON" } }
                }
            }
        }
    }
}

fn unreadable(number: u64) -> Markup {
    html! {
        p.note {
            (count(number, "document", "documents")) " in what was searched could not be fully read, and may be missing here. "
            a href=(Href::new("/search").with("q", "is:unreadable")) { "Which, and why" }
        }
    }
}

/// Nothing was found: what to try, each of it a link that works.
fn nothing(asked: &Asked) -> Markup {
    let words: Vec<&str> = asked.query.split_whitespace().collect();
    let without =
        |at: usize| words.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
    // Half a phrase or one side of an OR is no query.
    let fewer: Vec<String> = (0..words.len()).map(without).filter(|query| query::parse(query).is_ok()).collect();
    html! {
        div.said {
            p { b { "Nothing was found." } " Every word must be in a document for it to be found." }
            @if (2..=8).contains(&words.len()) && !fewer.is_empty() {
                p { "Without one of them:" }
                ul { @for fewer in &fewer {
                    li { a href=(Href::new("/search").with("q", fewer)) dir="auto" { (fewer) } }
                } }
            }
            @if let [word] = words[..] { @if word.chars().all(char::is_alphanumeric) {
                p { "Spelled otherwise: " a href=(Href::new("/search").with("q", &format!("{word}~1"))) dir="auto" { (word) "~1" }
                    ", or only its beginning: " a href=(Href::new("/search").with("q", &format!("{word}*"))) dir="auto" { (word) "*" } }
            } }
            p { a href="/help" { "What can be asked, with examples" } }
        }
    }
}

fn item(library: &Library, hit: &Hit, many: bool) -> Markup {
    let shelf = library.catalogue().shelf(&hit.collection);
    let snippet = html! {
        @if let Some(page) = hit.page { p.small { a href=(page_address(hit, page)) { "On " (lists::page_word(&hit.media_type)) " " (page) } } }
        @if !hit.snippet.is_empty() { p.snip dir="auto" { @for (piece, marked) in &hit.snippet { @if *marked { mark { (piece) } } @else { (piece) } } } }
    };
    lists::item(&hit.collection, shelf, &hit.row, lists::Under::Page, many.then(|| library.title(&hit.collection)), snippet)
}

/// Where a hit's page is shown: with the beginning of the text, if it is near enough to that.
fn page_address(hit: &Hit, page: u32) -> Href {
    let far = hit.at >= limits::SHOWN;
    let from = if far { page.to_string() } else { String::new() };
    Href::new(&lists::address(&hit.collection, hit.number)).with("page", &from).at(&format!("page-{page}"))
}

fn facets(library: &Library, asked: &Asked, answer: &Answer) -> Markup {
    let facets = &answer.facets;
    let years: Vec<Bar> = filled(&facets.years)
        .into_iter()
        .map(|(year, n)| Bar { href: narrowed(asked, &format!("date:{year}")), label: year, count: n })
        .collect();
    html! {
        @if years.len() > 1 {
            section { h2 { "When" }
                (histogram(&years))
                details { summary { "By year" } ul.facet { @for bar in years.iter().rev().filter(|bar| bar.count > 0) {
                    li { a href=(bar.href) { span { (bar.label) } span.n { (thousands(bar.count)) } } }
                } } }
            }
        }
        @if facets.collections.len() > 1 {
            (facet("Collection", asked, answer.total, facets.collections.iter().map(|(name, n)| (library.title(name).to_owned(), term("collection", name), *n))))
        }
        (facet("Type", asked, answer.total, facets.types.iter().map(|(name, n)| (name.clone(), term("type", name), *n))))
        (facet("From", asked, answer.total, facets.senders.iter().map(|(name, n)| (name.clone(), term("from", name), *n))))
        @if facets.about { p.small.quiet { "Counted on a sample, so about." } }
    }
}

/// How many values of a facet are shown before the others are folded away.
const SHOWN: usize = 8;

fn facet(title: &str, asked: &Asked, total: u64, values: impl Iterator<Item = (String, String, u64)>) -> Markup {
    let values: Vec<_> = values.collect();
    let (shown, folded) = values.split_at(values.len().min(SHOWN));
    let line = |(name, term, n): &(String, String, u64)| match widened(asked, term) {
        Some(without) => {
            html! { li { a.on href=(without) { span { (lists::breakable(name)) " ×" span.unseen { " take this away" } } span.n { (thousands(*n)) } } } }
        }
        None => html! { li { a href=(narrowed(asked, term)) { (lists::breakable(name)) span.n { (thousands(*n)) } } (share(*n, total)) } },
    };
    html! {
        @if !values.is_empty() {
            section {
                h2 { (title) }
                ul.facet { @for value in shown { (line(value)) } }
                @if !folded.is_empty() { details { summary { (thousands(folded.len() as u64)) " more" } ul.facet { @for value in folded { (line(value)) } } } }
            }
        }
    }
}

/// The same question with one more condition.
fn narrowed(asked: &Asked, term: &str) -> Href {
    let query = if asked.query.trim().is_empty() { term.to_owned() } else { format!("{} {term}", asked.query.trim()) };
    Asked { query, page: 1, sort: asked.sort }.href()
}

/// The same question without this condition, if it ends with it or has it among its words.
fn widened(asked: &Asked, term: &str) -> Option<Href> {
    let padded = format!(" {} ", asked.query.trim());
    let at = padded.find(&format!(" {term} "))?;
    let query = format!("{}{}", &padded[..at], &padded[at + term.len() + 1..]);
    Some(Asked { query: query.trim().to_owned(), page: 1, sort: asked.sort }.href())
}

/// Years rising without gaps, where that makes no more than 120.
fn filled(years: &[(String, u64)]) -> Vec<(String, u64)> {
    let mut known: Vec<(i64, u64)> = years.iter().filter_map(|(year, n)| Some((year.parse().ok()?, *n))).collect();
    known.sort_unstable();
    let (Some((first, _)), Some((last, _))) = (known.first().copied(), known.last().copied()) else { return vec![] };
    if last.saturating_sub(first) >= 120 {
        return known.into_iter().map(|(year, n)| (year.to_string(), n)).collect();
    }
    (first..=last).map(|year| (year.to_string(), known.iter().find(|(y, _)| *y == year).map_or(0, |(_, n)| *n))).collect()
}

/// The page for a question that was not understood: where the mistake is, and what would be understood.
pub(crate) fn mistaken(frame: &Frame, query: &str, error: &QueryError) -> String {
    let (start, end) = marked(query, error);
    let plain: String = query.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let plain = plain.split_whitespace().filter(|word| !matches!(*word, "OR" | "AND" | "NOT")).collect::<Vec<_>>().join(" ");
    let main = html! {
        h1 { "This search was not understood" }
        div.said role="alert" {
            p { (sentence(&error.message)) }
            p.query dir="auto" { (query[..start]) em { @if start == end { "␣" } (query[start..end]) } (query[end..]) }
        }
        @if !plain.is_empty() { p { "Search for the plain words instead: " a href=(Href::new("/search").with("q", &plain)) dir="auto" { (plain) } } }
        (examples())
    };
    let mut page = page("This search was not understood", "Skip to what is wrong", main, None);
    page.query = query;
    page.index = false;
    page.render(frame)
}

/// An error's line as a sentence.
fn sentence(line: &str) -> String {
    let mut rest = line.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).chain((!line.ends_with('.')).then_some('.')).collect())
}

/// The bytes to mark, moved out to the characters they lie in.
fn marked(query: &str, error: &QueryError) -> (usize, usize) {
    let floor = |mut at: usize| {
        at = at.min(query.len());
        while !query.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(error.at.start);
    let mut end = error.at.end.min(query.len()).max(start);
    while !query.is_char_boundary(end) {
        end += 1;
    }
    (start, end)
}

/// The page before anything was asked.
pub(crate) fn empty(library: &Library, frame: &Frame) -> String {
    let main = html! {
        h1 { "Search " (count(library.catalogue().count(), "document", "documents")) }
        p.lead { "Words are looked for in texts, titles, names and file names. Accents and capitals do not matter." }
        p { a href=(Href::new("/search").with("sort", "newest")) { "Everything, newest first" } }
        (examples())
    };
    page("Search", "Skip to what can be asked", main, None).render(frame)
}

fn examples() -> Markup {
    html! {
        h2 { "What can be asked" }
        (super::help::table(&super::help::LANGUAGE[..7]))
        p { a href="/help" { "All of it" } }
    }
}
