//! A collection's page: its time, its people, its documents.

use super::home::{bar, span, years};
use super::{lists, page, to_side};
use crate::catalogue::{Row, Shelf};
use crate::library::Library;
use crate::when::{Civil, month_name};
use daylight_html::{Bar, Frame, Href, Markup, PageSpan, Side, SideAt, count, histogram, pager, share, thousands};
use daylight_model::Kind;
use maud::html;
use std::collections::BTreeMap;

/// How many documents a page lists.
pub(crate) const PER_PAGE: u64 = 50;
/// Up to how many years a timeline goes by months.
const BY_MONTH: usize = 3;

/// What of a collection is listed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) page: u64,
    /// Whether the newest come first.
    pub(crate) newest: bool,
    /// Whether parts of messages and containers are listed too, by number.
    pub(crate) all: bool,
}

/// The page of a collection. `None` if there is no such page of its list.
pub(crate) fn collection(library: &Library, frame: &Frame, name: &str, listing: Listing, senders: &[(String, u64)]) -> Option<String> {
    let shelf = library.catalogue().shelf(name)?;
    let total = if listing.all { shelf.rows().len() } else { shelf.standing().len() } as u64;
    let span_ = PageSpan { page: listing.page, per_page: PER_PAGE, total, reach: u64::MAX };
    if !span_.exists() {
        return None;
    }
    let title = library.title(name);
    let main = html! {
        p.crumbs { a href="/" { "Collections" } " › " span.mono { (name) } }
        h1 dir="auto" { (title) }
        p.lead { (count(shelf.rows().len() as u64, "document", "documents")) (span(shelf)) "." (kinds(shelf)) }
        @if !shelf.rows().is_empty() { (unread(name, shelf)) }
        (withdrawn(library, name))
        @if !senders.is_empty() { (to_side("Who wrote most")) }
        @if listing.page == 1 { (timeline(name, shelf)) }
        h2 #documents { "Documents" }
        (orders(name, listing, shelf))
        ol.hits.short { @for row in rows(shelf, listing, span_.offset()) { (lists::item(name, Some(shelf), row, lists::Under::Section, None, html! {})) } }
        @if total == 0 { p { "There is nothing in this list." } }
        (pager(span_, &|page| address(name, Listing { page, ..listing })))
    };
    let side = (!senders.is_empty()).then(|| Side { label: "People of this collection", at: SideAt::Right, body: people(name, senders) });
    Some(page(title, "Skip to the collection", main, side).render(frame))
}

fn rows(shelf: &Shelf, listing: Listing, offset: u64) -> Vec<&Row> {
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let take = PER_PAGE as usize;
    match (listing.all, listing.newest) {
        (true, false) => shelf.rows().iter().skip(skip).take(take).collect(),
        (true, true) => shelf.rows().iter().rev().skip(skip).take(take).collect(),
        (false, false) => shelf.standing().skip(skip).take(take).collect(),
        (false, true) => shelf.standing().rev().skip(skip).take(take).collect(),
    }
}

fn address(name: &str, listing: Listing) -> Href {
    Href::new(&format!("/c/{name}"))
        .with("order", if listing.newest { "newest" } else { "" })
        .with("show", if listing.all { "all" } else { "" })
        .with("page", &if listing.page > 1 { listing.page.to_string() } else { String::new() })
}

fn orders(name: &str, listing: Listing, shelf: &Shelf) -> Markup {
    let first = Listing { page: 1, ..listing };
    let link = |words: &str, to: Listing| html! { a href=(address(name, to)) aria-current=[(to == first).then_some("true")] { (words) } };
    let (standing, all) = (shelf.standing().len() as u64, shelf.rows().len() as u64);
    html! {
        div.summary {
            ul.inline aria-label="Order" {
                li { (link(if listing.all { "by number" } else { "oldest first" }, Listing { newest: false, ..first })) }
                li { (link(if listing.all { "by number, last first" } else { "newest first" }, Listing { newest: true, ..first })) }
            }
            @if standing != all {
                ul.inline aria-label="What is listed" {
                    li { (link(&format!("{} on their own", thousands(standing)), Listing { all: false, ..first })) }
                    li { (link(&format!("all {}, attachments too", thousands(all)), Listing { all: true, ..first })) }
                }
            }
        }
    }
}

fn kinds(shelf: &Shelf) -> Markup {
    let of = |kind: Kind| shelf.rows().iter().filter(|row| row.kind == kind).count() as u64;
    let (messages, files) = (of(Kind::Message), of(Kind::File));
    html! {
        @if messages > 0 { " " (count(messages, "message", "messages")) @if files > 0 { " and " (count(files, "file", "files")) } "." }
    }
}

/// So many withdrawn documents are named.
const WITHDRAWN: usize = 200;

/// How many documents of it were withdrawn, and which.
fn withdrawn(library: &Library, name: &str) -> Markup {
    let numbers = library.withdrawn(name);
    html! {
        @if !numbers.is_empty() {
            details {
                summary { (count(numbers.len() as u64, "document was", "documents were")) " withdrawn" }
                p { @for (at, number) in numbers.iter().take(WITHDRAWN).enumerate() { @if at > 0 { ", " } a.mono href=(lists::address(name, *number)) { (name) "/" (number) } } "." }
                @if numbers.len() > WITHDRAWN { p.quiet { "and " (thousands((numbers.len() - WITHDRAWN) as u64)) " more" } }
            }
        }
    }
}

/// How many documents of it could not be fully read, and why.
fn unread(name: &str, shelf: &Shelf) -> Markup {
    let (unread, reasons) = shelf.unread();
    let share = unread as f64 * 100.0 / shelf.rows().len().max(1) as f64;
    html! {
        @if unread > 0 {
            p.note {
                "Of these " a href=(Href::new("/search").with("q", &format!("collection:{name} is:unreadable"))) { (thousands(unread)) " could not be fully read" }
                " (" (format!("{share:.1}")) " %), so words of theirs may be missing from search: "
                @for (at, (code, count)) in reasons.iter().enumerate() { @if at > 0 { ", " } (thousands(*count)) " " (code.words()) }
                ". The page of each says why."
            }
        } @else { p.note { "All of them could be fully read." } }
    }
}

/// The collection over time: by month where it is short, else by year, with the same figures as a table.
fn timeline(name: &str, shelf: &Shelf) -> Markup {
    let years = years(name, shelf);
    let bars = if years.len() <= BY_MONTH { months(name, shelf) } else { years };
    let undated = shelf.standing().filter(|row| row.date.is_none()).count() as u64;
    html! {
        @if bars.len() > 1 {
            h2 { "When" }
            div.wide { (histogram(&bars)) }
            details {
                summary { "As a table" }
                ul.years { @for bar in bars.iter().filter(|bar| bar.count > 0) { li { a href=(bar.href) { (bar.label) } span.quiet { (thousands(bar.count)) } } } }
            }
        }
        @if undated > 0 { p.note { (count(undated, "document has no date", "documents have no date")) "." } }
    }
}

fn months(name: &str, shelf: &Shelf) -> Vec<Bar> {
    let mut counts = BTreeMap::new();
    for row in shelf.standing() {
        if let Some(date) = row.date.as_ref().filter(|date| date.doubt != Some(daylight_model::DateDoubt::Absurd)) {
            let day = Civil::of(date.seconds);
            *counts.entry((day.year, day.month)).or_insert(0u64) += 1;
        }
    }
    let (Some(first), Some(last)) = (counts.keys().next().copied(), counts.keys().next_back().copied()) else { return vec![] };
    let all = (first.0..=last.0).flat_map(|year| (1..=12u8).map(move |month| (year, month))).filter(|at| (first..=last).contains(at));
    all.map(|(year, month)| {
        let count = counts.get(&(year, month)).copied().unwrap_or(0);
        bar(name, &format!("{year:04}-{month:02}"), format!("{} {year}", month_name(month)), count)
    })
    .collect()
}

fn people(name: &str, senders: &[(String, u64)]) -> Markup {
    let most = senders.iter().map(|(_, n)| *n).max().unwrap_or(1);
    html! {
        h2 { "Who wrote most" }
        ul.facet {
            @for (who, n) in senders.iter().take(25) {
                @let query = format!("collection:{name} {}", super::results::term("from", who));
                li { a href=(Href::new("/search").with("q", &query)) { (lists::breakable(who)) span.n { (thousands(*n)) } } (share(*n, most)) }
            }
        }
    }
}
