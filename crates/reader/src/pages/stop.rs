//! Pages that say why there is no page.

use super::page;
use daylight_html::Frame;
use hyper::StatusCode;
use maud::html;

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// No page has this address.
    NotFound,
    /// The collection has no document of this number.
    NoDocument,
    /// The document has no such rendition.
    NoRendition,
    /// It was published and then withdrawn.
    Withdrawn,
    /// The request makes no sense.
    BadRequest,
    /// Only reading is possible here.
    NotAllowed,
    /// The address is longer than any of ours.
    TooLong,
    /// There is no such page of a list.
    NoPage,
    /// Too many searches at once.
    Busy,
    /// The archive's files did not say what they should.
    Broken,
}

impl Stop {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoDocument | Self::NoRendition | Self::NoPage => StatusCode::NOT_FOUND,
            Self::Withdrawn => StatusCode::GONE,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLong => StatusCode::URI_TOO_LONG,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => (
                "There is no page here",
                "The address may be mistyped. Numbers of published documents never change, so a link to a document that worked once still works.",
            ),
            Self::NoDocument => (
                "There is no document with this number",
                "Numbers are given once and for all. This one has not been given yet, or only in a release that this copy of the archive does not have.",
            ),
            Self::NoRendition => (
                "This document has no such rendition",
                "Not every document has a text or a view beside its original. Its own page says what there is.",
            ),
            Self::Withdrawn => (
                "This document was withdrawn",
                "It was published and has been withdrawn since. The archive's log still proves that it was there, and when.",
            ),
            Self::BadRequest => ("This request makes no sense here", "Something in the address or in the form could not be understood."),
            Self::NotAllowed => ("This site can only be read", "Nothing can be sent to it. Search and pages are asked for with GET."),
            Self::TooLong => ("This address is too long", "A query may have 1,000 characters. Leave some words out."),
            Self::NoPage => (
                "There is no such page of this list",
                "The list is shorter than that, or lies deeper than pages reach. Narrow the search, or sort it the other way round.",
            ),
            Self::Busy => ("Too many searches at the moment", "Please try again in some seconds. Documents can be read meanwhile."),
            Self::Broken => (
                "The archive could not be read",
                "A file of this copy of the archive is missing or damaged. Whoever runs this site can find out which with: daylight verify.",
            ),
        }
    }
}

/// The page that says so.
pub(crate) fn stop(frame: &Frame, stop: Stop, query: &str) -> String {
    let (title, words) = stop.words();
    let main = html! {
        h1 { (title) }
        p.lead { (words) }
        ul { li { a href="/" { "What is in this archive" } } li { a href="/search" { "Search" } } li { a href="/help" { "Help" } } }
        p.small.quiet { "Answer " (stop.status().as_u16()) "." }
    };
    let mut page = page(title, "Skip to the explanation", main, None);
    page.query = query;
    page.index = false;
    page.render(frame)
}
