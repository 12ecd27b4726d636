//! How to prove that a document was published, in words and with tools that are not ours.

use super::document::raw_name;
use super::{lists, page};
use crate::library::Library;
use crate::route::proof_name;
use crate::when::Civil;
use daylight_archive::archive::Release;
use daylight_archive::entry::Entry;
use daylight_archive::manifest::PART_LINES;
use daylight_archive::note::Note;
use daylight_archive::record::Role;
use daylight_archive::{DocumentProof, Key, Line, paths};
use daylight_html::{Frame, Markup, thousands};
use daylight_model::Digest;
use maud::html;

pub(crate) fn proof(library: &Library, frame: &Frame, collection: &str, line: &Line) -> String {
    let record = &line.record;
    let title = lists::title(&record.title, record.kind);
    let number = record.number;
    let stem = format!("{collection}-{number}");
    let release = library.archive().release(line.serial);
    let proof = library.archive().proof(line.serial, line.line).ok();
    let main = html! {
        p.crumbs { a href={ "/c/" (collection) } { bdi { (library.title(collection)) } } " › " a.mono href=(lists::address(collection, number)) { (collection) "/" (number) } " › proof" }
        h1 { "Proof of " (collection) "/" (number) }
        p.lead dir="auto" { (title) }
        p { "What follows shows that these bytes were published by those who sign for " span.mono { (library.origin()) } ", in this form, as of log size "
            (thousands(library.size())) ". Whether the document was withdrawn since needs a newer checkpoint. It does not show that what the document says is true." }
        p { a href={ "/c/" (collection) "/" (number) "/" (proof_name(collection, number)) } { "Save the proof as one file" }
            " — it holds everything below, and is checked without this site and without the archive:" }
        pre.commands.shown { "daylight prove --check " (proof_name(collection, number)) " --root ROOT.json" }
        p { "Or check it step by step, with programs that everybody has: " code { "sha256sum" } ", " code { "openssl" } ", and " code { "xxd" }
            " to make bytes of hexadecimal digits. Type the commands in a copy of the archive's folder; each must print what stands below it." }
        (bytes(collection, line, &stem))
        (leaf(line))
        @if let Some(release) = release {
            (signed(library, release, line, proof.as_ref()))
            (log(library, release, proof.as_ref()))
        }
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
    let salt = hex(&line.salt);
    let leaf = Digest::of(&[line.salt.as_slice(), &line.json].concat());
    let json = String::from_utf8_lossy(&line.json);
    html! {
        h2 { "2. The hash stands in the document's record" }
        p { "The record is one line of the release's manifest, behind a salt that lets it be erased without breaking any proof. The two together have the hash that is the leaf of the release's tree:" }
        pre.commands {
            "f=" (paths::manifest_part(line.serial, line.line / PART_LINES)) "\n"
            "sed -n " (line.line % PART_LINES + 1) "p $f | cut -d' ' -f3- | tr -d '\\n' > record\n"
            "(printf " (salt) " | xxd -r -p; cat record) | sha256sum\n\n" (leaf)
        }
        details { summary { "The record" } pre.commands.shown dir="ltr" { (json) } }
    }
}

fn signed(library: &Library, release: &Release, line: &Line, proof: Option<&DocumentProof>) -> Markup {
    let note = &release.note;
    let file = paths::release_note(note.serial);
    let leaf = Digest::of(&[line.salt.as_slice(), &line.json].concat());
    let root = library.archive().chain().by_digest(&note.root);
    html! {
        h2 { "3. The record stands in release " (note.serial) }
        p { "It is line " (thousands(line.line + 1)) " of " (thousands(note.lines)) ". The lines are the leaves of a Merkle tree (RFC 6962), whose root is the one in the note that the editors signed on "
            (Civil::of(note.time).words()) ". These few hashes lead from leaf to root:" }
        @if let Some(proof) = proof {
            pre.commands {
                "h=$(printf 00" (leaf) " | xxd -r -p | sha256sum | cut -c-64)\n"
                (upwards(&proof.path_in_release(note.lines)))
                "echo $h; sed -n 's/^manifest //p' " (file) "\n\n" (note.manifest)
            }
        }
        p { "This is the note:" }
        pre.commands.shown { (String::from_utf8_lossy(&release.note_bytes)) }
        @if let Some(root) = root {
            p { "The editors' keys are those of root " (root.root.version) ", of whom " (root.root.editors.threshold) " must sign. Each signature is checked so:" }
            @for key in &root.root.editors.keys { (signature(&file, &release.note_bytes, key)) }
            p { "And the note names the root by its hash:" }
            pre.commands { "sha256sum " (paths::root_json(root.root.version)) "\n\n" (root.digest) }
        }
    }
}

fn log(library: &Library, release: &Release, proof: Option<&DocumentProof>) -> Markup {
    let archive = library.archive();
    let (note, checkpoint) = (Digest::of(&release.note_bytes), archive.checkpoint());
    let entry = Entry::Release { serial: release.note.serial, note }.to_json().unwrap_or_default();
    let state = checkpoint.text();
    html! {
        h2 { "4. The release stands in the log" }
        p { "The log can only grow: each signed checkpoint contains all before it, and tools for C2SP's tlog-tiles check that it does. The release's entry has the hash of the note:" }
        pre.commands { "sha256sum " (paths::release_note(release.note.serial)) "\n\n" (note) }
        p { "and these hashes lead from the entry to the checkpoint:" }
        @if let Some(proof) = proof {
            pre.commands {
                "e='" (String::from_utf8_lossy(&entry)) "'\n"
                "h=$( (printf '\\000'; printf %s \"$e\") | sha256sum | cut -c-64)\n"
                (upwards(&proof.path_in_log(checkpoint.size)))
                "echo $h | xxd -r -p | base64; sed -n 3p " (paths::CHECKPOINT) "\n\n" (state.lines().nth(2).unwrap_or_default())
            }
        }
        p { "This is the checkpoint, and how the log's signature is checked:" }
        pre.commands.shown { (String::from_utf8_lossy(&archive.checkpoint_note().to_bytes())) }
        (signature(paths::CHECKPOINT, &archive.checkpoint_note().to_bytes(), &archive.root().log))
        p { "Who the editors are is said by the root, version " (library.root_version()) ", whose SHA-256 is " span.hash { (library.root_digest()) }
            ". Compare it with one from a second place that you trust: without that, all of this is only consistent with itself." }
        p { a href="/verify" { "How to check the whole archive" } }
    }
}

/// Commands that take a hash up a Merkle tree: a node is the SHA-256 of 01 and its two children.
fn upwards(path: &[(bool, Digest)]) -> String {
    if path.is_empty() {
        return String::new();
    }
    let mut text = String::from("up() { h=$(printf 01$1 | xxd -r -p | sha256sum | cut -c-64); }\n");
    for (is_left, hash) in path {
        text += &if *is_left { format!("up {hash}$h\n") } else { format!("up ${{h}}{hash}\n") };
    }
    text
}

/// Commands that check a key's signature under a note (c2sp.org/signed-note); nothing where it did not sign.
fn signature(file: &str, note: &[u8], key: &Key) -> Markup {
    let signatures = Note::parse(note).map(|note| note.signatures().to_vec()).unwrap_or_default();
    let place = signatures.iter().position(|signature| signature.name == key.name() && signature.key_id == key.id());
    html! {
        @if let Some(place) = place {
            pre.commands {
                "# " (key.name()) "\n"
                "sed '/^$/,$d' " (file) " > text\n"
                "grep '^— ' " (file) " | sed -n " (place + 1) "p | cut -d' ' -f3 | base64 -d | tail -c +5 > sig\n"
                // RFC 8410: what stands before an Ed25519 key in DER.
                "printf 302a300506032b6570032100" (hex(key.public())) " | xxd -r -p > key\n"
                "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile sig\n\nSignature Verified Successfully"
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
