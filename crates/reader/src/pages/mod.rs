//! The pages: each is a function from what the archive says to markup. They read no request and set no header.

mod collection;
mod document;
mod help;
mod home;
mod lists;
mod proof;
mod results;
mod seen;
mod stop;
mod thread;
mod withdrawn;

pub(crate) use collection::{Listing, collection};
pub(crate) use document::{Reading, document, raw_name, view};
pub(crate) use help::{about, help, verify};
pub(crate) use home::home;
pub(crate) use proof::proof;
pub(crate) use results::{Asked, empty, mistaken, results};
pub(crate) use stop::{Stop, stop};
pub(crate) use thread::thread;
pub(crate) use withdrawn::{withdrawn, withdrawn_proof};

use crate::library::Library;
use daylight_html::{Frame, Markup, Page, Side, count};
use maud::html;

/// What is the same on every page of this archive.
pub(crate) fn frame(library: &Library) -> Frame {
    let nav = vec![("/#collections", "Collections"), ("/verify", "Check & copy"), ("/help", "Help")];
    Frame { name: library.name().to_owned(), nav, foot: foot(library) }
}

fn foot(library: &Library) -> Markup {
    let signed = library.signed();
    html! {
        p {
            "Archive " span.mono { (library.origin()) } " · "
            @if let Some(last) = library.releases().last() {
                "release " (last.serial) ", signed by " (signed) " · "
            }
            (count(library.size(), "log entry", "log entries")) " · "
            a href="/verify" { "check this archive" } " · " a href="/about" { "about this site" }
        }
        p { "This page sets no cookie, runs no script, asks nothing of anybody else, and no record is kept of your visit." }
    }
}

/// A page with these parts and no surprises.
fn page<'a>(title: &'a str, skip: &'a str, main: Markup, side: Option<Side>) -> Page<'a> {
    Page { title, query: "", skip, main, side, canonical: None, index: true }
}

/// The link on a narrow screen to what stands beside what is read on a wide one.
fn to_side(words: &str) -> Markup {
    html! { a.to-side.small href="#side" { (words) } }
}
