//! What lists of documents share.

use crate::catalogue::{Row, Shelf};
use crate::when;
use daylight_html::{Markup, size};
use daylight_model::{Date, Kind};
use maud::html;

/// The address of a document's page.
pub(super) fn address(collection: &str, number: u64) -> String {
    format!("/c/{collection}/{number}")
}

/// A title, or words for there being none.
pub(super) fn title(title: &str, kind: Kind) -> &str {
    match (title.trim().is_empty(), kind) {
        (false, _) => title,
        (true, Kind::Message) => "(message without a subject)",
        (true, Kind::File) => "(file without a name)",
        (true, Kind::Container) => "(container without a name)",
    }
}

/// What a document is, in a word or two.
pub(super) fn sort(kind: Kind, media_type: &str) -> String {
    let word = match (kind, media_type) {
        (Kind::Message, _) => "message",
        (Kind::Container, "application/mbox") => "mailbox",
        (Kind::Container, _) => "container",
        (_, "application/pdf") => "PDF",
        (_, "text/plain") => "plain text",
        (_, "text/html") => "web page",
        (_, "text/csv") => "table (CSV)",
        (_, "application/octet-stream" | "") => "file",
        (_, "application/zip") => "zip file",
        (_, "application/msword" | "application/rtf") => "text document",
        (_, "application/vnd.ms-excel") => "spreadsheet",
        (_, "application/vnd.ms-powerpoint") => "presentation",
        (_, "application/pgp-signature" | "application/pkcs7-signature" | "application/x-pkcs7-signature") => "signature",
        (_, "text/x-patch" | "text/x-diff") => "patch",
        (_, office) if office.contains("wordprocessing") || office.ends_with("document.text") => "text document",
        (_, office) if office.contains("spreadsheet") => "spreadsheet",
        (_, office) if office.contains("presentation") => "presentation",
        (_, other) => match other.split_once('/') {
            Some(("image", kind)) => return format!("picture ({kind})"),
            Some(("audio", kind)) => return format!("sound ({kind})"),
            Some(("video", kind)) => return format!("video ({kind})"),
            _ => other,
        },
    };
    word.to_owned()
}

/// What a page of such a document is called.
pub(super) fn page_word(media_type: &str) -> &'static str {
    match media_type {
        sheets if sheets.contains("spreadsheet") || sheets.contains("ms-excel") => "sheet",
        slides if slides.contains("presentation") || slides.contains("ms-powerpoint") => "slide",
        _ => "page",
    }
}

/// A title as the page's heading, smaller where it is long.
pub(super) fn heading(words: &str) -> Markup {
    let long = words.chars().nth(72).is_some();
    html! { h1 class=[long.then_some("long")] dir="auto" { (words) } }
}

/// An address or another word that may be broken before its `@`, so that a narrow column breaks it nowhere else.
pub(super) fn breakable(word: &str) -> Markup {
    let at = word.find('@').unwrap_or(word.len());
    html! { bdi { (word[..at]) wbr; (word[at..]) } }
}

/// A short date in a `time` element, with a mark where it is in doubt.
pub(super) fn date(date: &Date) -> Markup {
    html! {
        @if let Some(machine) = when::machine(date) { time datetime=(machine) { (when::short(date)) } } @else { (when::short(date)) }
        @if let Some(doubt) = date.doubt { " " abbr title=(when::doubt(doubt)) { "(doubtful)" } }
    }
}

/// How a list stands on its page: right under the page's heading or under one of its sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    Page,
    Section,
}

/// One document of a list: its title, and under it who, when, what.
pub(super) fn item(
    collection: &str,
    shelf: Option<&Shelf>,
    row: &Row,
    under: Under,
    show_collection: Option<&str>,
    snippet: Markup,
) -> Markup {
    let holder = shelf
        .and_then(|shelf| row.parents.iter().filter_map(|(parent, _)| shelf.row(*parent)).find(|parent| parent.kind != Kind::Container));
    let parts = shelf.map_or(0, |shelf| if row.kind == Kind::Message { shelf.parts(row.number).take(100).count() } else { 0 });
    html! {
        li {
            @let link = html! { a href=(address(collection, row.number)) dir="auto" { (title(&row.title, row.kind)) } };
            @if under == Under::Page { h2 { (link) } } @else { h3 { (link) } }
            p.by {
                @if !row.who.is_empty() { bdi { (row.who) } " · " }
                @if let Some(when) = &row.date { (date(when)) " · " }
                (sort(row.kind, &row.media_type))
                @if parts > 0 { " with " (parts) @if parts == 1 { " attachment" } @else { " attachments" } }
                @if row.kind != Kind::Message && row.length > 0 { ", " (size(row.length)) }
                @if let Some(holder) = holder { " · attached to " a href=(address(collection, holder.number)) dir="auto" { (title(&holder.title, holder.kind)) } }
                @if let Some(name) = show_collection { " · " bdi { (name) } }
                @if row.unreadable { " · " span.doubt { "not fully readable" } }
            }
            (snippet)
        }
    }
}
