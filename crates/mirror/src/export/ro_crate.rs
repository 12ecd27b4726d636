//! What the copy is, for programs: RO-Crate 1.2 (https://w3id.org/ro/crate/1.2), which is JSON-LD.

use super::written::{ARCHIVE, Written};
use daylight_archive::Archive;
use daylight_archive::release::format_time;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The name that the specification gives the file.
pub(super) const NAME: &str = "ro-crate-metadata.json";

const CONTEXT: &str = "https://w3id.org/ro/crate/1.2/context";
const PROFILE: &str = "https://w3id.org/ro/crate/1.2";

/// Nobody asked those who wrote the documents.
const LICENCE: &str = "The documents come from many hands, and nothing is known of what their authors permit. Whoever publishes them claims that \
    the public has an interest in them, and grants no rights that they do not have.";

/// The file's bytes: the same for the same copy.
pub(super) fn describe(archive: &Archive, written: &Written) -> Vec<u8> {
    let mut sets: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut graph = Vec::new();
    for (path, file) in written.files() {
        // Tiles are many and small, and follow from the rest: their folder is described, not each of them.
        if let Some((folder, _)) = path.split_once("/tile/") {
            sets.entry(format!("{folder}/tile/")).or_default();
            continue;
        }
        sets.entry(set_of(path)).or_default().push(json!({"@id": path}));
        graph.push(json!({"@id": path, "@type": "File", "name": name(path), "contentSize": file.length.to_string(),
            "encodingFormat": media_type(path), "sha256": file.digest.to_string()}));
    }
    for path in sets.keys().filter(|path| *path != "./").cloned().collect::<Vec<_>>() {
        sets.entry(parent(&path)).or_default().push(json!({"@id": path}));
    }
    for (path, parts) in &sets {
        graph.push(set(archive, path, parts));
    }
    graph.extend(context(archive));
    graph.sort_by_key(|entity| entity["@id"].as_str().map(str::to_owned));
    let whole = json!({"@context": CONTEXT, "@graph": graph});
    // Values that were made here can all be written.
    let mut text = serde_json::to_vec_pretty(&whole).unwrap_or_default();
    text.push(b'\n');
    text
}

/// The dataset in which a file is described: its release, or the archive, or the whole copy.
fn set_of(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        [ARCHIVE, kind @ ("release" | "entry"), serial, _, ..] => format!("{ARCHIVE}/{kind}/{serial}/"),
        [folder, _, ..] => format!("{folder}/"),
        _ => "./".into(),
    }
}

/// The dataset of which another is a part.
fn parent(set: &str) -> String {
    match set.strip_suffix("tile/") {
        Some(above) => above.to_owned(),
        None if set.matches('/').count() > 1 => format!("{ARCHIVE}/"),
        None => "./".into(),
    }
}

fn set(archive: &Archive, path: &str, parts: &[Value]) -> Value {
    let mut entity = Map::new();
    let mut say = |key: &str, value: Value| _ = entity.insert(key.into(), value);
    say("@id", path.into());
    say("@type", "Dataset".into());
    say("hasPart", parts.into());
    let release = path.strip_prefix("archive/release/").and_then(|rest| archive.release(rest.strip_suffix('/')?.parse().ok()?));
    if let Some(release) = release {
        let note = &release.note;
        let description = format!("Release {} of the collection {}: {} documents.", note.serial, note.collection, note.lines);
        say("name", note.title.as_str().into());
        say("description", description.into());
        say("datePublished", format_time(note.time).unwrap_or_default().into());
        say("license", json!({"@id": "#licence"}));
        return entity.into();
    }
    if path == "./" {
        let newest = archive.releases().last().and_then(|release| format_time(release.note.time));
        let about =
            "A copy of an archive of published documents, with what is needed to check that every byte of it is as its editors signed it.";
        say("name", format!("Archive {}, log size {}", archive.origin(), archive.head()).into());
        say("description", about.into());
        say("datePublished", newest.unwrap_or_else(|| "1970-01-01T00:00:00Z".into()).into());
        say("license", json!({"@id": "#licence"}));
        say("publisher", json!({"@id": "#publisher"}));
        say("identifier", archive.origin().into());
        say("version", archive.head().to_string().into());
        return entity.into();
    }
    let (name, description) = match path {
        "archive/" => ("The archive", "A folder of plain files, described byte by byte in archive-format.md."),
        "archive.timestamps/" => ("Timestamps", "Proofs by OpenTimestamps that states of the archive existed at a time."),
        _ if path.ends_with("/tile/") => ("Tiles", "A Merkle tree (c2sp.org/tlog-tiles): many small files that follow from the rest."),
        _ => ("An entry", "A note that editors signed, and that the log names."),
    };
    say("name", name.into());
    say("description", description.into());
    entity.into()
}

/// What stands for itself: the description, who publishes, and what is permitted.
fn context(archive: &Archive) -> [Value; 3] {
    let keys = archive.root().editors.keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(", ");
    let known = format!("Known by keys alone: root {} with SHA-256 {}, editors {keys}.", archive.root().version, archive.root_digest());
    [
        json!({"@id": NAME, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": PROFILE}}),
        json!({"@id": "#publisher", "@type": "Organization", "name": format!("The editors of {}", archive.origin()), "description": known}),
        json!({"@id": "#licence", "@type": "CreativeWork", "name": "No licence is known", "description": LICENCE}),
    ]
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("zip") => "application/zip",
        Some("json") => "application/json",
        Some("html") => "text/html",
        Some("md") => "text/markdown",
        Some("py") => "text/x-python",
        Some("offsets" | "ots") => "application/octet-stream",
        _ => "text/plain",
    }
}
