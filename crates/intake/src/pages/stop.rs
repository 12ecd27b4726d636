//! Pages that say why something was not done, and what to do.

use super::Frame;
use daylight_html::html;
use hyper::StatusCode;

/// Why a request is not answered as was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// There is no such page.
    Missing,
    /// Nobody is logged in.
    Expired,
    /// The form is not one that we gave out lately.
    Stale,
    /// Too much at once from one visitor.
    Busy,
    /// All places were taken, and this upload was the slowest when somebody else came.
    Slowest,
    /// The disk is as full as it may get.
    Full,
    /// Longer than may be.
    Large,
    /// More than may be taken before an editor accepts the source.
    Unaccepted,
    /// It broke off, or was no form.
    Broke,
    /// There are no keys for today.
    Closed,
    /// Something failed here.
    Failed,
}

impl Stop {
    /// The status to answer with.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Stop::Missing => StatusCode::NOT_FOUND,
            Stop::Expired | Stop::Stale => StatusCode::FORBIDDEN,
            Stop::Busy | Stop::Slowest => StatusCode::TOO_MANY_REQUESTS,
            Stop::Full | Stop::Closed => StatusCode::SERVICE_UNAVAILABLE,
            Stop::Large | Stop::Unaccepted => StatusCode::PAYLOAD_TOO_LARGE,
            Stop::Broke => StatusCode::BAD_REQUEST,
            Stop::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Stop::Missing => ("stop-missing-title", "stop-missing"),
            Stop::Expired => ("stop-expired-title", "stop-expired"),
            Stop::Stale => ("stop-stale-title", "stop-stale"),
            Stop::Busy => ("stop-busy-title", "stop-busy"),
            Stop::Slowest => ("stop-slowest-title", "stop-slowest"),
            Stop::Full => ("stop-full-title", "stop-full"),
            Stop::Large => ("stop-large-title", "stop-large"),
            Stop::Unaccepted => ("stop-unaccepted-title", "stop-unaccepted"),
            Stop::Broke => ("stop-broke-title", "stop-broke"),
            Stop::Closed => ("stop-closed-title", "stop-closed"),
            Stop::Failed => ("stop-failed-title", "stop-failed"),
        }
    }
}

/// The page.
pub(crate) fn stop(frame: &Frame<'_>, stop: Stop) -> String {
    let (title, words) = stop.words();
    let main = html! {
        h1 { (frame.say(title)) }
        p { (frame.say(words)) }
        @if frame.inside { p { a.button href=(frame.at("/mailbox")) { (frame.say("nav-mailbox")) } } }
        @else { p { a.button href=(frame.at("/login")) { (frame.say("nav-return")) } } }
    };
    frame.page(frame.language.say(title), main)
}
