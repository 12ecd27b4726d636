//! What this archive is.

use super::{lists, page, seen};
use crate::catalogue::Shelf;
use crate::library::Library;
use crate::when::{self, Civil};
use daylight_html::{Bar, Frame, Href, Markup, count, histogram, thousands};
use maud::html;

/// How many releases are listed.
const RELEASES: usize = 12;

/// From how many days of silence on it is set apart.
const SILENT: i64 = 90;

/// `today` is the number of days since 1970-01-01, in UTC.
pub(crate) fn home(library: &Library, frame: &Frame, today: i64) -> String {
    let catalogue = library.catalogue();
    let unread: u64 = catalogue.shelves.values().map(|shelf| shelf.unread().0).sum();
    let main = html! {
        h1 dir="auto" { (library.name()) }
        p.lead {
            "An archive of " (count(catalogue.count(), "document", "documents")) " in " (count(catalogue.shelves.len() as u64, "collection", "collections"))
            @if unread > 0 { ", of which " (thousands(unread)) " could not be fully read" }
            ". Anyone may search it, check every piece of it, and copy the whole."
        }
        (partial(library))
        h2 #collections { "Collections" }
        @if catalogue.shelves.is_empty() { p { "Nothing has been published here yet." } }
        ul.cards { @for (collection, shelf) in &catalogue.shelves { (card(library, collection, shelf)) } }
        (releases(library))
        (life(library, today))
        h2 { "Check it, copy it" }
        p { "Every document carries a hash; the hashes of a release make a tree whose root the editors signed; and every release stands in a log that can only grow. "
            "Whoever changes, adds or removes anything cannot hide it from you." }
        p { (seen::sentence(library)) }
        p { "The archive is a folder of plain files. Any copy of it is as good as this one, and is checked by" }
        pre.commands { "daylight verify FOLDER" }
        p { a href="/verify" { "How to check with tools that are not ours, and how to copy" } }
    };
    let mut page = page(&frame.name, "Skip to the collections", main, None);
    page.canonical = Some(Href::new("/"));
    page.render(frame)
}

/// What a copy of some collections says of itself.
pub(super) fn partial(library: &Library) -> Markup {
    html! {
        @if let Some(here) = library.partial() {
            p.note { "This is a partial copy of " span.mono { (library.origin()) } ": " (thousands(here as u64)) " of "
                (count(library.releases().len() as u64, "release", "releases")) " are here. What is here is whole; the rest is where this was copied from." }
        }
    }
}

/// When the editors were last heard of. Age is no fault: an archive outlives its operator.
fn life(library: &Library, today: i64) -> Markup {
    let Some(sign) = library.archive().last_sign_of_life() else { return html! {} };
    let silent = today.saturating_sub(sign.time.div_euclid(86_400));
    let what = match sign.word {
        "heartbeat" => "a heartbeat that an editor signed",
        "withdraw" => "a withdrawal",
        _ => "a release",
    };
    html! {
        p class=(if silent > SILENT { "said" } else { "note" }) {
            "Last sign of life: " (Civil::of(sign.time).words()) ", " (what) " (by its signers' clock)"
            @match silent {
                ..0 => ". It is dated in the future.",
                0 => ". The archive is not silent for a day.",
                days => { "; silent since " (count(days.unsigned_abs(), "day", "days")) "." },
            }
            @if silent > SILENT { " What is here can be checked all the same; it may not be the newest." }
        }
    }
}

fn card(library: &Library, collection: &str, shelf: &Shelf) -> Markup {
    let years = years(collection, shelf);
    let (unread, _) = shelf.unread();
    html! {
        li {
            h3 { a href={ "/c/" (collection) } dir="auto" { (library.title(collection)) } }
            p.small.quiet { span.mono { (collection) } " · " (count(shelf.rows().len() as u64, "document", "documents")) (span(shelf)) }
            @if unread > 0 { p.small { a href={ "/c/" (collection) } { (thousands(unread)) " of these could not be fully read" } } }
            @let withdrawn = library.withdrawn(collection).len() as u64;
            @if withdrawn > 0 { p.small.quiet { (count(withdrawn, "more was", "more were")) " withdrawn" } }
            @if years.len() > 1 { (histogram(&years)) }
        }
    }
}

/// `, 3 March 2014 to 9 June 2015`: the first and last date that is not in doubt.
pub(super) fn span(shelf: &Shelf) -> Markup {
    let mut dated = shelf.standing().filter_map(|row| row.date.as_ref()).filter(|date| date.doubt.is_none());
    let first = dated.next();
    let last = shelf.standing().rev().filter_map(|row| row.date.as_ref()).find(|date| date.doubt.is_none());
    html! {
        @if let (Some(first), Some(last)) = (first, last) {
            ", " (lists::date(first)) @if when::short(first) != when::short(last) { " to " (lists::date(last)) }
        }
    }
}

/// The years of a collection, without gaps where there are not too many: what stands by itself and has a date that is not absurd.
pub(super) fn years(collection: &str, shelf: &Shelf) -> Vec<Bar> {
    let mut counts = std::collections::BTreeMap::new();
    for row in shelf.standing() {
        if let Some(date) = row.date.as_ref().filter(|date| date.doubt != Some(daylight_model::DateDoubt::Absurd)) {
            *counts.entry(Civil::of(date.seconds).year).or_insert(0u64) += 1;
        }
    }
    let (Some(first), Some(last)) = (counts.keys().next().copied(), counts.keys().next_back().copied()) else { return vec![] };
    let whole = last.saturating_sub(first) < 120;
    let all: Vec<i64> = if whole { (first..=last).collect() } else { counts.keys().copied().collect() };
    all.into_iter().map(|year| bar(collection, &year.to_string(), year.to_string(), counts.get(&year).copied().unwrap_or(0))).collect()
}

/// A bar that leads to the search for its time.
pub(super) fn bar(collection: &str, time: &str, label: String, count: u64) -> Bar {
    Bar { label, count, href: Href::new("/search").with("q", &format!("collection:{collection} date:{time}")).with("sort", "oldest") }
}

fn releases(library: &Library) -> Markup {
    let all = library.releases();
    html! {
        @if !all.is_empty() {
            h2 { "Releases" }
            table {
                thead { tr { th scope="col" { "Release" } th scope="col" { "Published" } th scope="col" { "Collection" } th.n scope="col" { "Documents" } } }
                tbody {
                    @for release in all.iter().rev().take(RELEASES) {
                        tr {
                            td { (release.serial) }
                            td { (Civil::of(release.time).words()) }
                            @if library.is_absent(release.serial) {
                                td { span dir="auto" { (release.title) } ", not in this copy" }
                            } @else {
                                td { a href={ "/c/" (release.collection) } dir="auto" { (release.title) } }
                            }
                            td.n { (thousands(release.lines)) }
                        }
                    }
                }
            }
            @if all.len() > RELEASES { p.note { "and " (count((all.len() - RELEASES) as u64, "earlier release", "earlier releases")) } }
        }
    }
}
