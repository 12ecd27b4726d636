//! Torrents of releases: hybrid, for clients of version 1 (BEP 3, with the padding files of BEP 47) and of version 2 (BEP 52), with web seeds (BEP 19).
//!
//! One has the note, the manifest and the volumes of one release under the name `release`, with the paths that they have in the archive: what is
//! downloaded lies as it does there, and a web seed is the address of any archive's folder. Tiles are left out: they are many small files that follow
//! from the manifest, and torrents of very many files are refused by clients.

mod bencode;
mod pieces;

use super::content::Content;
use super::error::{ExportError, Result};
use super::folder::Folder;
use super::sink::Sink;
use super::source::{Found, Source};
use bencode::Value;
use daylight_archive::paths;
use daylight_model::Digest;
use pieces::{FileHashes, piece_length};
use sha1::{Digest as _, Sha1};
use std::collections::BTreeMap;

/// The folder in which clients put what they get, and the one that web seeds have it in.
const NAME: &str = "release";

/// The longest torrent that common clients read (libtorrent's `load_torrent_limits::max_buffer_size`).
const MAX_TORRENT: usize = 10_000_000;

/// The longest address of a web seed.
const MAX_URL: usize = 2_048;

/// A torrent of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torrent {
    /// The release.
    pub serial: u64,
    /// The file's name.
    pub file: String,
    /// How many bytes the release's files have.
    pub length: u64,
    /// The info hash of version 1 (BEP 3), in hex.
    pub v1: String,
    /// The info hash of version 2 (BEP 52).
    pub v2: Digest,
}

/// A file of a torrent with its path's parts below [`NAME`].
struct Member {
    parts: Vec<String>,
    length: u64,
    hashes: FileHashes,
}

/// Writes the torrent of every release into a folder.
pub(super) fn write(source: &Source, web_seeds: &[String], folder: &mut Folder, tick: &mut dyn FnMut(u64)) -> Result<Vec<Torrent>> {
    let seeds = if web_seeds.is_empty() { &source.archive.root().mirrors } else { web_seeds };
    let seeds = seeds.iter().map(|url| seed(url)).collect::<Result<Vec<_>>>()?;
    let mut torrents = Vec::new();
    for release in source.archive.releases() {
        let (torrent, bytes) = of_release(source, release.note.serial, &release.note.title, &seeds, tick)?;
        folder.put(&torrent.file, &Content::Bytes(bytes), &mut |_| {})?;
        torrents.push(torrent);
    }
    Ok(torrents)
}

/// A web seed's address as BEP 19 wants it for several files: with a slash at its end.
fn seed(url: &str) -> Result<String> {
    let known = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    if !known || url.len() > MAX_URL || !url.chars().all(|c| c.is_ascii_graphic()) || url.contains(['?', '#']) {
        return Err(ExportError::place(
            url.as_ref(),
            "is no address of an archive on the web: name one that begins with http:// or https://",
        ));
    }
    Ok(if url.ends_with('/') { url.to_owned() } else { format!("{url}/") })
}

fn of_release(source: &Source, serial: u64, title: &str, seeds: &[String], tick: &mut dyn FnMut(u64)) -> Result<(Torrent, Vec<u8>)> {
    let files = files_of(source, serial);
    let length = files.iter().map(|(_, file)| file.length).sum();
    let piece = piece_length(length);
    let mut members = Vec::new();
    for (place, (parts, file)) in files.iter().enumerate() {
        let content = Content::File(source.archive.dir().join(&file.path), file.length);
        let is_last = place + 1 == files.len();
        let hashes = FileHashes::of(&content, piece, is_last, tick).map_err(ExportError::io(file.path.as_ref()))?;
        let hashes = hashes.ok_or_else(|| ExportError::Changed(file.path.clone()))?;
        members.push(Member { parts: parts.clone(), length: file.length, hashes });
    }
    let info = Value::Dict(BTreeMap::from([
        ("file tree".into(), tree(&members)),
        ("files".into(), list(&members, piece)),
        ("meta version".into(), Value::Int(2)),
        ("name".into(), Value::text(NAME)),
        ("piece length".into(), Value::Int(piece)),
        ("pieces".into(), Value::Bytes(members.iter().flat_map(|member| member.hashes.v1.iter().flatten().copied()).collect())),
    ]));
    let encoded = info.encode();
    let (v1, v2) = (Sha1::digest(&encoded), Digest::of(&encoded));
    let comment = format!("Release {serial} of the archive {}: {title}", source.archive.origin());
    let layers = members.iter().filter(|member| !member.hashes.layer.is_empty());
    let layers =
        layers.map(|member| (member.hashes.root.0.to_vec(), Value::Bytes(member.hashes.layer.iter().flat_map(|hash| hash.0).collect())));
    let mut whole = BTreeMap::from([
        ("comment".into(), Value::text(&comment)),
        ("info".into(), info),
        ("piece layers".into(), Value::Dict(layers.collect())),
    ]);
    if !seeds.is_empty() {
        whole.insert("url-list".into(), Value::List(seeds.iter().map(|url| Value::text(url)).collect()));
    }
    let bytes = Value::Dict(whole).encode();
    if bytes.len() > MAX_TORRENT {
        return Err(ExportError::Torrent {
            serial,
            why: "it would be larger than common clients read; publish in smaller releases".into(),
        });
    }
    let v1 = v1.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((Torrent { serial, file: file_name(source.archive.origin(), serial), length, v1, v2 }, bytes))
}

/// The files of a release that its torrent has, in the order of its file tree: by the bytes of their names, folder by folder.
fn files_of(source: &Source, serial: u64) -> Vec<(Vec<String>, &Found)> {
    let prefix = paths::release_prefix(serial);
    let mut files = Vec::new();
    for file in &source.files {
        let Some(rest) = file.path.strip_prefix(&prefix) else { continue };
        if rest == "note" || rest.starts_with("manifest/") || rest.starts_with("volume/") {
            files.push(([&serial.to_string()].into_iter().cloned().chain(rest.split('/').map(str::to_owned)).collect(), file));
        }
    }
    files.sort_by(|(a, _): &(Vec<String>, _), (b, _)| a.cmp(b));
    files
}

/// The files as BEP 52 has them: folders in folders, each file with the root of its own Merkle tree.
fn tree(members: &[Member]) -> Value {
    let mut top = BTreeMap::new();
    for member in members {
        let mut facts = BTreeMap::from([("length".into(), Value::Int(member.length))]);
        if member.length > 0 {
            facts.insert("pieces root".into(), Value::Bytes(member.hashes.root.0.to_vec()));
        }
        let file = Value::Dict(BTreeMap::from([(Vec::new(), Value::Dict(facts))]));
        plant(&mut top, &member.parts, file);
    }
    Value::Dict(top)
}

fn plant(folder: &mut BTreeMap<Vec<u8>, Value>, parts: &[String], file: Value) {
    match parts {
        [] => {}
        [name] => _ = folder.insert(name.as_bytes().to_vec(), file),
        [name, rest @ ..] => {
            let inner = folder.entry(name.as_bytes().to_vec()).or_insert_with(|| Value::Dict(BTreeMap::new()));
            if let Value::Dict(inner) = inner {
                plant(inner, rest, file);
            }
        }
    }
}

/// The same files as BEP 3 has them. Between them stand padding files (BEP 47), so that each begins with a piece, as it does in version 2.
fn list(members: &[Member], piece: u64) -> Value {
    let mut files = Vec::new();
    for (place, member) in members.iter().enumerate() {
        let parts = member.parts.iter().map(|part| Value::text(part)).collect();
        files.push(Value::Dict(BTreeMap::from([("length".into(), Value::Int(member.length)), ("path".into(), Value::List(parts))])));
        let padding = member.length.next_multiple_of(piece) - member.length;
        if padding > 0 && place + 1 < members.len() {
            let path = [".pad".to_owned(), padding.to_string()].iter().map(|part| Value::text(part)).collect();
            files.push(Value::Dict(BTreeMap::from([
                ("attr".into(), Value::text("p")),
                ("length".into(), Value::Int(padding)),
                ("path".into(), Value::List(path)),
            ])));
        }
    }
    Value::List(files)
}

/// A name that says whose release it is, in characters that every file system has.
fn file_name(origin: &str, serial: u64) -> String {
    let plain: String = origin.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '-' }).take(100).collect();
    format!("{plain}-release-{serial}.torrent")
}
