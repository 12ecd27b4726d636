//! How to search, how to check and copy, and what this site is.

use super::{home, page, seen};
use crate::library::Library;
use daylight_html::{Frame, Href, Markup};
use maud::html;

/// The search language: an example and what it finds.
pub(super) const LANGUAGE: [(&str, &str); 24] = [
    ("reservoir wall", "documents with both words, anywhere"),
    ("\"retaining wall\"", "the phrase, just so"),
    ("reservoir OR dam", "either word"),
    ("wall -garden", "the first word, but not the second"),
    ("reserv*", "words that begin so"),
    ("from:ann", "messages whose sender has this word in name or address"),
    ("date:2015-03..2015-05", "from March to May 2015, both included"),
    ("wall (reservoir OR dam)", "parentheses group"),
    ("resevoir~1", "words spelled so, or with one letter wrong"),
    ("\"wall crack\"~5", "both words, with at most five others between them"),
    ("to:works@harbour.example", "messages to this address"),
    ("cc:ann", "messages of which a copy went to this person"),
    ("person:okafor", "messages from, to or about this person, in any role"),
    ("subject:survey", "the word in the title"),
    ("body:survey", "the word in the text"),
    ("file:invoice", "the word in a file's name"),
    ("type:pdf", "documents of this type: message, pdf, picture, text …"),
    ("lang:de", "documents that seem to be in this language, by its code: en, de, fr, ar, zh …"),
    ("has:attachment", "messages with something attached"),
    ("is:unreadable", "documents that could not be fully read"),
    (
        "dkim:valid",
        "messages that a domain signed and that did not change since, as the publisher found; also dkim:example.org, dkim:unsigned, dkim:weak",
    ),
    ("after:2015-03-14 before:2016", "later than the one day and before the other year, neither included"),
    ("collection:town-council", "only this collection"),
    ("thread:town-council/12", "the conversation to which this document belongs"),
];

/// Examples as a table, each a link that tries it.
pub(super) fn table(examples: &[(&str, &str)]) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { "You write" } th scope="col" { "You find" } } }
            tbody { @for (example, finds) in examples {
                tr { td { a href=(Href::new("/search").with("q", example)) { code { (example) } } } td { (finds) } }
            } }
        }
    }
}

pub(crate) fn help(frame: &Frame) -> String {
    let main = html! {
        h1 { "How to search" }
        p.lead { "Write words; documents that have them all are found, the best first. Everything else is for when that is not enough." }
        (table(&LANGUAGE))
        h2 { "What is folded and what is not" }
        p { "Capitals and accents do not matter: " code { "manana" } " finds “mañana”, but the exact form comes first. Chinese, Japanese, Korean, Thai and Arabic words are found. "
            "All conditions are joined: each must hold. " code { "OR" } " stands between two of them and is written in capitals. Dates are UTC." }
        h2 { "Addresses that explain themselves" }
        table { tbody {
            tr { td { code { "/c/town-council/12" } } td { "document 12 of a collection: for ever this document" } }
            tr { td { code { "/c/town-council/12?page=7#page-7" } } td { "its text from page, slide or sheet 7 on, where it has such" } }
            tr { td { code { "/c/town-council/12/raw" } } td { "its published bytes" } }
            tr { td { code { "/c/town-council/12/text" } } td { "its text" } }
            tr { td { code { "/c/town-council/12/proof" } } td { "how to prove that it was published" } }
            tr { td { code { "/thread/town-council/12" } } td { "its conversation" } }
            tr { td { code { "/search?q=wall&format=json" } } td { "the whole result of a search; " code { "format=csv" } " too" } }
        } }
    };
    page("How to search", "Skip to the help", main, None).render(frame)
}

/// `now` is the time in seconds since 1970, by which the age of what witnesses say is told.
pub(crate) fn verify(library: &Library, frame: &Frame, now: u64) -> String {
    let main = html! {
        h1 { "Check it, copy it" }
        p.lead { "You need not trust this site, nor whoever runs it. The archive is a folder of plain files, and every byte of it that matters is under a hash that is under a signature." }
        (home::partial(library))
        h2 { "One document" }
        p { "Save the original from the document's page and compare its SHA-256 with the one shown there. The page called “Proof” then leads from that hash, step by step, to the signatures." }
        pre.commands { "sha256sum FILE" }
        h2 { "The whole archive" }
        p { "With the folder on your disk, this reads and hashes everything, and names whatever is damaged, missing or added:" }
        pre.commands { "daylight verify FOLDER --root ROOT.json" }
        p { "The root says who may publish. Get it, or its SHA-256, from a second place that you trust: without it the answer can only be that the archive is consistent with itself." }
        dl.facts {
            dt { "Origin" } dd.mono { (library.origin()) }
            dt { "Log" } dd { (library.size()) " entries, tree head " span.hash { (library.head()) } }
            dt { "Root in force" } dd { "version " (library.root_version()) ", SHA-256 " span.hash { (library.root_digest()) } }
            dt { "Signed by" } dd { (library.signed()) }
        }
        (seen::section(library, now))
        h2 { "Others' tools" }
        p { "The log is C2SP's tlog-tiles with signed checkpoints (c2sp.org/tlog-tiles, c2sp.org/signed-note), so tools written by others check it. A release's bytes are in ordinary zip files in which nothing is compressed; each member is named by its SHA-256:" }
        pre.commands { "unzip -p FOLDER/release/1/volume/0.zip HASH | sha256sum" }
        h2 { "Copy" }
        p { "With the address of this site, Daylight copies the archive, checks it on the way, and later fetches only what is new:" }
        pre.commands { "daylight mirror ADDRESS FOLDER --root ROOT.json" }
        p { "Or copy the folder with whatever you have: a USB stick, rsync, a torrent. The copy is as good as the original, may be read-only, and is served by" }
        pre.commands { "daylight serve FOLDER" }
        p { "What cannot be promised: that a copy can be called back, that a copy which was cut off is the newest, or that a document tells the truth." }
    };
    page("Check it, copy it", "Skip to the explanation", main, None).render(frame)
}

pub(crate) fn about(library: &Library, frame: &Frame) -> String {
    let main = html! {
        h1 { "About this site" }
        p.lead { "This site shows the archive " span.mono { (library.origin()) } ". It was made with Daylight from the archive's folder alone: it holds no key, no original that is not published, and nothing else worth taking." }
        h2 { "Your visit" }
        p { "No record is kept of who reads what. There is no cookie and no script, and no page loads anything from anybody else. A link in a document that leads elsewhere is only followed when you follow it, and then the other side is not told where you came from." }
        h2 { "What is published" }
        p { "What stands here was cleared by editors, who may have redacted parts of it. A redaction is a bar, and a document's page says what was redacted and why. What could not be read is said too, on the document's page and above every search it may be missing from." }
        p { "A document's number never changes its meaning. What is withdrawn later is said to be withdrawn, and the log still proves that it had been there." }
        h2 { "Reading it your way" }
        p { "Every page can be read without style, in a text browser, by a screen reader, on a small screen and on paper. It follows your browser's choice of light or dark." }
        p { a href="/verify" { "How to check and copy the archive" } " · " a href="/help" { "How to search" } }
    };
    page("About this site", "Skip to the text", main, None).render(frame)
}
