//! What is said of a document that was withdrawn: when, why, what to read instead, and what still proves that it was there.

use super::{lists, page};
use crate::library::Library;
use crate::route::proof_name;
use crate::when::Civil;
use daylight_archive::withdraw::{Copies, WithdrawNote};
use daylight_archive::{Withdrawal, paths};
use daylight_html::{Frame, Markup, thousands};
use maud::html;

/// The page of a document that was withdrawn.
pub(crate) fn withdrawn(library: &Library, frame: &Frame, collection: &str, number: u64, by: &Withdrawal) -> String {
    let note = &by.note;
    let main = html! {
        p.crumbs { a href={ "/c/" (collection) } { bdi { (library.title(collection)) } } " › " span.mono { (collection) "/" (number) } }
        h1 { "This document was withdrawn" }
        p.lead { "It was withdrawn on " (Civil::of(note.time).words()) ", because: " bdi { (note.reason) } }
        (instead(library, note))
        p { @match note.copies {
            Copies::Erase => { "Copies of this archive were asked to erase it. What was published cannot be called back from those who do not." },
            Copies::Keep => { "Copies of this archive were asked to show it as withdrawn." },
        } }
        h2 { "That it was published" }
        (published(library, collection, number))
        p { "Its number is permanent: it will never mean another document. " a href={ "/c/" (collection) "/" (number) "/proof" } { "The proof" }
            " shows that it was published, and that it was withdrawn." }
        p.small.quiet { "Answer 410." }
    };
    let mut page = page("This document was withdrawn", "Skip to the explanation", main, None);
    page.index = false;
    page.render(frame)
}

/// What to read in its stead.
fn instead(library: &Library, note: &WithdrawNote) -> Markup {
    html! {
        @if let Some((collection, number)) = &note.successor {
            @let row = library.catalogue().row(collection, *number);
            p.said { "Read instead: " a href=(lists::address(collection, *number)) dir="auto" {
                @match row { Some(row) => (lists::title(&row.title, row.kind)), None => { (collection) "/" (number) } }
            } }
        }
    }
}

/// The releases that had it.
fn published(library: &Library, collection: &str, number: u64) -> Markup {
    let history = library.archive().history(collection, number).unwrap_or_default();
    let releases = history.iter().filter_map(|(serial, _)| library.archive().release(*serial));
    html! {
        ul { @for release in releases.take(20) {
            li { "Release " (release.note.serial) ", " (Civil::of(release.note.time).words()) ", log entry " (thousands(release.index)) }
        } }
    }
}

/// The page of the proof that a document was published and withdrawn.
pub(crate) fn withdrawn_proof(library: &Library, frame: &Frame, collection: &str, number: u64, by: &Withdrawal) -> String {
    let main = html! {
        p.crumbs { a href={ "/c/" (collection) } { bdi { (library.title(collection)) } } " › " a.mono href=(lists::address(collection, number)) { (collection) "/" (number) } " › proof" }
        h1 { "Proof of " (collection) "/" (number) }
        p.lead { "It was published, and it was withdrawn: not missing." }
        p { "What follows shows that a document stood under this number, signed by those who sign for " span.mono { (library.origin()) } ", and that they withdrew it, as of log size "
            (thousands(library.size())) ". What it was cannot be told from it." }
        p { a href={ "/c/" (collection) "/" (number) "/" (proof_name(collection, number)) } { "Save the proof as one file" }
            " — it is checked without this site and without the archive:" }
        pre.commands { "daylight prove --check " (proof_name(collection, number)) }
        h2 { "1. Its leaf stands in a release" }
        p { "The line was erased, or may be; the data of its leaf remains, and the release's tree has the root that was signed. Without the line and its salt nothing can be guessed from it." }
        @for place in library.archive().history(collection, number).unwrap_or_default().into_iter().filter_map(|(serial, line)| library.archive().withdrawn_line(serial, line)).take(20) {
            pre.commands { "release " (place.line.release) ", line " (thousands(place.line.line + 1)) "\n" (place.line.leaf) }
        }
        h2 { "2. The editors withdrew it" }
        p { "Their note is " span.mono { (paths::entry_note(by.note.serial)) } ", and the log has it as entry " (thousands(by.index)) ":" }
        pre.commands { (short(&String::from_utf8_lossy(&by.note_bytes))) }
        p { a href="/verify" { "How to check the whole archive" } }
    };
    page(&format!("Proof of {collection}/{number}"), "Skip to the proof", main, None).render(frame)
}

/// How much of a note is shown: one that withdraws thousands of documents is long.
const SHOWN: usize = 4000;

fn short(note: &str) -> String {
    if note.len() <= SHOWN {
        return note.to_owned();
    }
    let (head, tail) = (note.floor_char_boundary(SHOWN), note.rfind("\n\n").unwrap_or(note.len()));
    format!("{}\n…{}", &note[..head], &note[tail.max(head)..])
}
