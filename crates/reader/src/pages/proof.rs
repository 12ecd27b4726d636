//! How to prove that a document was published, in words and with tools that are not ours.

use super::document::raw_name;
use super::{lists, page};
use crate::library::Library;
use crate::route::proof_name;
use crate::when::Civil;
use daylight_archive::record::Role;
use daylight_archive::{Line, paths};
use daylight_html::{Frame, Markup, thousands};
use daylight_model::Digest;
use maud::html;

pub(crate) fn proof(library: &Library, frame: &Frame, collection: &str, line: &Line) -> String {
    let record = &line.record;
    let title = lists::title(&record.title, record.kind);
    let number = record.number;
    let stem = format!("{collection}-{number}");
    let release = library.archive().release(line.serial);
    let main = html! {
        p.crumbs { a href={ "/c/" (collection) } { bdi { (library.title(collection)) } } " › " a.mono href=(lists::address(collection, number)) { (collection) "/" (number) } " › proof" }
        h1 { "Proof of " (collection) "/" (number) }
        p.lead dir="auto" { (title) }
        p { "What follows shows that these bytes were published by those who sign for " span.mono { (library.origin()) } ", in this form, as of log size "
            (thousands(library.size())) ". Whether the document was withdrawn since needs a newer checkpoint. It does not show that what the document says is true." }
        p { a href={ "/c/" (collection) "/" (number) "/" (proof_name(collection, number)) } { "Save the proof as one file" }
            " — it holds everything below, and is checked without this site and without the archive." }
        (bytes(collection, line, &stem))
        (leaf(line))
        @if let Some(release) = release { (signed(&release.note, &release.note_bytes, line)) }
        (log(library))
    };
    let full = format!("Proof of {collection}/{number}");
    page(&full, "Skip to the proof", main, None).render(frame)
}

fn bytes(collection: &str, line: &Line, stem: &str) -> Markup {
    let raw = line.record.file(&Role::Raw);
    html! {
        h2 { "1. The bytes have this hash" }
        @if let Some(raw) = raw {
            p { a href={ "/c/" (collection) "/" (line.record.number) "/raw" } { "Save the original" } ", or take it out of the archive's folder. Either way it must have this SHA-256:" }
            pre.commands {
                "sha256sum " (raw_name(stem, raw)) "\n"
                "unzip -p " (paths::volume(raw.release, raw.volume)) " " (raw.sha256) " | sha256sum\n\n" (raw.sha256)
            }
        } @else { p { "No original is published for this document, only what is said of it." } }
        @if line.record.files.len() > 1 {
            table {
                thead { tr { th scope="col" { "Rendition" } th scope="col" { "SHA-256" } } }
                tbody { @for file in line.record.files.iter().take(50) { tr { td { (words(&file.role)) } td.hash { (file.sha256) } } } }
            }
        }
    }
}

fn words(role: &Role) -> &str {
    match role {
        Role::Raw => "original",
        Role::Text => "text",
        Role::View => "view",
        Role::Page => "picture of a page",
        Role::Record => "record",
        Role::Other(other) => other,
    }
}

fn leaf(line: &Line) -> Markup {
    let salt: String = line.salt.iter().map(|byte| format!("{byte:02x}")).collect();
    let leaf = Digest::of(&[line.salt.as_slice(), &line.json].concat());
    let json = String::from_utf8_lossy(&line.json);
    html! {
        h2 { "2. The hash stands in the document's record" }
        p { "The record is one line of the release's manifest, behind a salt that lets it be erased without breaking any proof. The two together have the hash that is the leaf of the release's tree:" }
        pre.commands {
            "f=" (paths::manifest_part(line.serial, line.line / daylight_archive::manifest::PART_LINES)) "\n"
            "sed -n " (line.line % daylight_archive::manifest::PART_LINES + 1) "p $f | cut -d' ' -f3- | tr -d '\\n' > record\n"
            "(printf " (salt) " | xxd -r -p; cat record) | sha256sum\n\n" (leaf)
        }
        details { summary { "The record" } pre.commands dir="ltr" { (json) } }
    }
}

fn signed(note: &daylight_archive::release::ReleaseNote, bytes: &[u8], line: &Line) -> Markup {
    html! {
        h2 { "3. The record stands in release " (note.serial) }
        p { "It is line " (thousands(line.line + 1)) " of " (thousands(note.lines)) ". The lines are the leaves of a Merkle tree (RFC 6962), whose root is the one in the note that the editors signed on "
            (Civil::of(note.time).words()) ". The proof's file has the few hashes that lead from leaf to root." }
        pre.commands { (String::from_utf8_lossy(bytes)) }
    }
}

fn log(library: &Library) -> Markup {
    let note = library.archive().checkpoint_note().to_bytes();
    html! {
        h2 { "4. The release stands in the log" }
        p { "The log can only grow: each signed checkpoint contains all before it, and tools for C2SP's tlog-tiles check that it does. This is the one the proof leads to:" }
        pre.commands { (String::from_utf8_lossy(&note)) }
        p { "Who the editors are is said by the root, version " (library.root_version()) ", whose SHA-256 is " span.hash { (library.root_digest()) }
            ". Compare it with one from a second place that you trust: without that, all of this is only consistent with itself." }
        p { a href="/verify" { "How to check the whole archive" } }
    }
}
