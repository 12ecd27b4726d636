//! Daylight's log, checkpoints and cosignatures beside PyPI's aics-tlog, another implementation of c2sp.org/tlog-tiles, tlog-checkpoint, signed-note and
//! tlog-cosignature: each reads, proves and refuses what the other made.

use crate::go_cross_check::{SIZES, write, write_tree};
use crate::support::{Server, daylight, get, python_script, workplace};
use crate::witnessing::Town;
use daylight_archive::log::{
    LogAppender, TILE_WIDTH, TilePath, Tree, empty_root, leaf_hash, parse_bundle, verify_consistency, verify_inclusion,
};
use daylight_archive::note::{Note, Signature};
use daylight_archive::{Checkpoint, Key, Signer};
use daylight_model::Digest;
use ed25519_dalek::SigningKey;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn aics_makes_the_same_trees_bundles_and_proofs_and_finds_a_changed_byte() {
    let dir = workplace();
    for size in SIZES {
        let folder = dir.path().join(size.to_string());
        write_tree(&folder, size);
        let none = BTreeMap::new();
        let mut log = LogAppender::load(&none, 0, &empty_root()).unwrap();
        (0..size).for_each(|i| assert_eq!(log.push(format!("entry {i}").as_bytes()).unwrap(), i));
        log.finish().files.iter().for_each(|(path, bytes)| write(&folder.join(path), bytes));
        let Some(said) = python_script("tlog.py", ["trees".as_ref(), folder.as_os_str(), size.to_string().as_ref()]) else { return };
        assert!(said.code(0).text().ends_with("proofs agree\n"));
    }
}

#[test]
fn aics_verifies_a_served_archive_with_its_releases_and_witnesses() {
    let town = Town::new();
    town.publish("").code(0);
    let archive = town.at("archive");
    fs::copy(archive.join("checkpoint"), town.at("before")).unwrap();
    town.letter("second");
    town.publish("").code(0);
    let root: Value = serde_json::from_slice(&fs::read(archive.join("root/1.json")).unwrap()).unwrap();
    let witnesses = (1..=4).map(|i| fs::read_to_string(town.at(&format!("w{i}.key.pub"))).unwrap().trim_end().to_owned());
    let keys: Vec<String> = std::iter::once(root["log"].as_str().unwrap().to_owned()).chain(witnesses).collect();
    fs::write(town.at("keys"), keys.join("\n")).unwrap();

    let server = Server::start(&archive);
    let copy = town.at("copy");
    daylight(["mirror", &server.origin, copy.to_str().unwrap(), "--root", archive.join("root/1.json").to_str().unwrap()]).code(0);
    let served = Server::start(&copy);
    let arguments =
        ["archive".as_ref(), town.at("keys").into_os_string().as_os_str(), town.at("before").as_os_str()].map(ToOwned::to_owned);
    let places = [archive.clone().into(), server.origin.clone().into(), copy.clone().into(), served.origin.clone().into()];
    let Some(said) = python_script("tlog.py", arguments.into_iter().chain(places)) else { return };
    assert_eq!(said.code(0).text(), "3 entries from 2 on, 2 documents in 2 releases, 4 witnesses\n".repeat(4));
    // A copy that begins now has no tiles of the log's earlier sizes, but wider ones with the same beginnings.
    assert!(archive.join("tile/0/000.p/2").exists() && !copy.join("tile/0/000.p/2").exists());
    // What c2sp.org/tlog-tiles says of answers, which this client does not look at.
    for (path, media_type, kept) in
        [("/checkpoint", "text/plain; charset=utf-8", "no-store"), ("/tile/entries/000.p/3", "application/octet-stream", "immutable")]
    {
        let answer = get(&server.at(path), &[]);
        assert_eq!((answer.status, answer.header("content-type")), (200, media_type));
        assert!(answer.header("cache-control").contains(kept), "{answer:?}");
    }
    // Theirs refused the checkpoint with any byte changed; so do we.
    let keys: Vec<Key> = keys.iter().map(|key| key.parse().unwrap()).collect();
    every_byte_counts(&fs::read(archive.join("checkpoint")).unwrap(), &keys);
}

/// Whether a checkpoint is the log's, which is the first key, and all others cosigned it.
fn is_good(checkpoint: &[u8], keys: &[Key]) -> bool {
    Checkpoint::open(checkpoint, &keys[0]).is_ok_and(|(_, note)| note.require(&keys[1..], keys.len() - 1).is_ok())
}

fn every_byte_counts(checkpoint: &[u8], keys: &[Key]) {
    assert!(is_good(checkpoint, keys));
    for place in 0..checkpoint.len() {
        let mut bad = checkpoint.to_vec();
        bad[place] ^= 1;
        assert!(!is_good(&bad, keys), "byte {place}");
    }
}

#[test]
fn we_read_prove_and_refuse_a_log_that_aics_wrote() {
    let dir = workplace();
    let folder = dir.path().join("log");
    let Some(said) = python_script("tlog.py", ["write".as_ref(), folder.as_os_str()]) else { return };
    said.code(0);
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let keys: Vec<Key> = text("keys").lines().map(|key| key.parse().unwrap()).collect();
    assert_eq!(keys.iter().map(|key| format!("{key}\n")).collect::<String>(), text("keys"));
    let bytes = fs::read(folder.join("checkpoint")).unwrap();
    let (checkpoint, note) = Checkpoint::open(&bytes, &keys[0]).unwrap();
    let times: Vec<Option<u64>> = note.require(&keys[1..], 2).unwrap().iter().map(|signed| signed.time).collect();
    assert_eq!(times, [Some(1_795_372_835), Some(1_795_372_836)]);
    assert_eq!((checkpoint.origin.as_str(), note.to_bytes()), ("log.example/theirs", bytes.clone()));
    every_byte_counts(&bytes, &keys);

    let tree = Tree::new(&folder, "", checkpoint.size);
    assert_eq!((checkpoint.size, tree.root().unwrap()), (70_000, checkpoint.root));
    for path in TilePath::tiles(checkpoint.size) {
        tree.tile(path.level.unwrap(), path.index).unwrap();
    }
    for path in TilePath::bundles(checkpoint.size) {
        let bundle = fs::read(folder.join(path.to_string())).unwrap();
        let hashes: Vec<Digest> = parse_bundle(&bundle).unwrap().into_iter().map(leaf_hash).collect();
        assert_eq!(hashes, tree.tile(0, path.index).unwrap(), "{path}");
        let place = path.index as usize * 7 % hashes.len();
        is_proven(&tree, &checkpoint, path.index * TILE_WIDTH + place as u64, hashes[place]);
    }
    // Every size that their log had, from the tiles of the last one, as they leave no others.
    for line in text("roots").lines() {
        let (size, old) = line.split_once(' ').unwrap();
        let (size, old): (u64, Digest) = (size.parse().unwrap(), old.parse().unwrap());
        let path = tree.consistency(size).unwrap();
        verify_consistency(size, &old, checkpoint.size, &checkpoint.root, &path).unwrap();
        assert!(verify_consistency(size, &flipped(old), checkpoint.size, &checkpoint.root, &path).is_err());
    }
    damage_is_found(&folder, &checkpoint);
    // Our writer goes on where theirs stopped.
    let mut log = LogAppender::load(&folder, checkpoint.size, &checkpoint.root).unwrap();
    log.push(b"entry 70000").unwrap();
    assert_eq!(log.finish().size, 70_001);
}

fn flipped(mut hash: Digest) -> Digest {
    hash.0[31] ^= 1;
    hash
}

fn is_proven(tree: &Tree<'_>, checkpoint: &Checkpoint, index: u64, leaf: Digest) {
    let path = tree.inclusion(index).unwrap();
    verify_inclusion(&leaf, index, checkpoint.size, &checkpoint.root, &path).unwrap();
    assert!(verify_inclusion(&flipped(leaf), index, checkpoint.size, &checkpoint.root, &path).is_err());
}

/// A byte changed in a tile or a bundle of the log's edge keeps its writer from going on, and in a full tile a proof from being one.
fn damage_is_found(folder: &Path, checkpoint: &Checkpoint) {
    for name in ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112", "tile/0/000", "tile/1/000"] {
        let (file, good) = (folder.join(name), fs::read(folder.join(name)).unwrap());
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        fs::write(&file, &bad).unwrap();
        let found = if name.contains(".p/") {
            LogAppender::load(&folder.to_owned(), checkpoint.size, &checkpoint.root).is_err()
        } else {
            let files = folder.to_owned();
            let path = Tree::new(&files, "", checkpoint.size).inclusion(3).unwrap();
            verify_inclusion(&leaf_hash(b"entry 3"), 3, checkpoint.size, &checkpoint.root, &path).is_err()
        };
        assert!(found, "{name}");
        fs::write(&file, &good).unwrap();
    }
}

const ORIGIN: &str = "archive.example/test";

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

/// A note that the log signed and its witness cosigned, whatever its text.
fn signed(text: &str, time: u64) -> Note {
    let mut note = Note::new(text).unwrap();
    note.sign(&signer(text.lines().next().unwrap(), 7));
    note.cosign(&signer("w1.example", 8), time);
    note
}

/// A text of a checkpoint, with these lines behind the origin.
fn text(lines: &str) -> String {
    format!("{ORIGIN}\n{lines}\n")
}

const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/// Notes with what we and what theirs say of them: first those of which both say the same, then those of which they do not. docs/archive-format.md ("Narrower
/// than c2sp.org") has what the specifications say of each; the one in which theirs is narrower is the same line twice, which it refuses by AICS-1 section 6.2.
fn cases() -> Vec<(&'static str, Vec<u8>, bool, bool)> {
    let good = text(&format!("0\n{EMPTY}"));
    let note = signed(&good, 1_795_372_835);
    let plain = String::from_utf8(note.to_bytes()).unwrap();
    let lines: Vec<String> = note.signatures().iter().map(Signature::line).collect();
    let (log, witness) = (&lines[0], &lines[1]);
    let resigned = |text: &str| signed(text, 1).to_bytes();
    let with = |line: &str| format!("{plain}{line}").into_bytes();
    let stranger = |note: &Note| note.signatures()[0].line();
    let mut others = Note::new(&good).unwrap();
    others.sign(&signer("w1.example", 9));
    let mut as_note = Note::new(&good).unwrap();
    as_note.sign(&signer(ORIGIN, 7));
    as_note.sign(&signer("w1.example", 8));
    let unknown = |count: usize| (0..count).map(|i| format!("— x{i} AAAAAAAA\n")).collect::<String>();
    vec![
        ("as it is", plain.clone().into_bytes(), true, true),
        ("a witness's name with another key", with(&stranger(&others)), true, true),
        ("16 lines", with(&unknown(14)), true, true),
        ("the log's name without its key", format!("{good}\n{witness}").into_bytes(), false, false),
        ("no witness", format!("{good}\n{log}").into_bytes(), false, false),
        ("a witness that signed as a log does", as_note.to_bytes(), false, false),
        ("another's cosignature under a known key", plain.replace("\n0\n", "\n1\n").into_bytes(), false, false),
        ("leading zeros", resigned(&text(&format!("00\n{EMPTY}"))), false, false),
        ("a sign", resigned(&text(&format!("+0\n{EMPTY}"))), false, false),
        ("digits of another script", resigned(&text(&format!("\u{663}\n{EMPTY}"))), false, false),
        ("a root that is not canonical", resigned(&text(&format!("0\n{}", EMPTY.replace("U=", "V=")))), false, false),
        ("a short root", resigned(&text("0\nAAAA")), false, false),
        ("two lines", resigned(&text("0")), false, false),
        ("an empty line in the text", resigned(&text(&format!("0\n\n{EMPTY}"))), false, false),
        ("two lines between text and signatures", plain.replace("\n\n", "\n\n\n").into_bytes(), false, false),
        ("an empty line at the end", with("\n"), false, false),
        ("a carriage return", plain.replace("\n\n", "\r\n\n").into_bytes(), false, false),
        ("a hyphen for a dash", plain.replace('—', "-").into_bytes(), false, false),
        ("two spaces", plain.replace("— w1.example ", "— w1.example  ").into_bytes(), false, false),
        ("a space of another kind in a name", with("— a\u{3000}b AAAAAAAA\n"), false, false),
        ("no base64", with("— x AAAA*AAA\n"), false, false),
        ("not UTF-8", [plain.as_bytes(), b"\xff"].concat(), false, false),
        ("nothing", Vec::new(), false, false),
        // From here on they differ.
        ("an extension line", resigned(&text(&format!("0\n{EMPTY}\nmore"))), false, true),
        ("no newline at the end", plain.trim_end().as_bytes().to_vec(), false, true),
        ("the log's line twice", with(log), true, false),
        ("the witness's line twice", with(witness), true, false),
        ("101 lines", with(&unknown(99)), false, true),
        ("DEL in an unknown name", with("— a\u{7f}b AAAAAAAA\n"), false, true),
        ("an unknown signature of no bytes", with("— x AAAAAA==\n"), false, true),
        ("a time of 2^63", signed(&good, 1 << 63).to_bytes(), false, true),
    ]
}

#[test]
fn where_aics_and_we_differ_is_known() {
    let (dir, cases) = (workplace(), cases());
    let keys = [signer(ORIGIN, 7).key(), signer("w1.example", 8).cosigner_key()];
    let Some(theirs) = judged(dir.path(), &keys, cases.iter().map(|case| case.1.as_slice())) else { return };
    for ((name, note, we, they), said) in cases.iter().zip(theirs) {
        assert_eq!((is_good(note, &keys), said), (*we, *they), "{name}");
    }
    // An origin that could be taken for the head of another note of ours.
    let dir = workplace();
    let keys = [signer("daylight-release/v1", 7).key(), keys[1].clone()];
    let note = signed(&format!("daylight-release/v1\n0\n{EMPTY}\n"), 1).to_bytes();
    assert_eq!((is_good(&note, &keys), judged(dir.path(), &keys, [note.as_slice()]).unwrap()), (false, vec![true]));
    // A signature that only who holds the key can make otherwise than RFC 8032 has it.
    let dir = workplace();
    python_script("tlog.py", ["write".as_ref(), dir.path().as_os_str()]).unwrap().code(0);
    let keys: Vec<Key> = fs::read_to_string(dir.path().join("keys")).unwrap().lines().map(|key| key.parse().unwrap()).collect();
    let notes = ["checkpoint", "small-order"].map(|name| fs::read(dir.path().join(name)).unwrap());
    let theirs = judged(dir.path(), &keys, notes.iter().map(Vec::as_slice)).unwrap();
    assert_eq!((notes.map(|note| is_good(&note, &keys)), theirs), ([true, false], vec![true, true]));
}

/// What theirs says of each note.
fn judged<'a>(folder: &Path, keys: &[Key], notes: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<bool>> {
    write(&folder.join("keys"), keys.iter().map(|key| format!("{key}\n")).collect::<String>().as_bytes());
    notes.into_iter().enumerate().for_each(|(number, note)| write(&folder.join(number.to_string()), note));
    let said = python_script("tlog.py", ["judge".as_ref(), folder.as_os_str()])?.code(0).text();
    Some(said.lines().map(|line| line == "yes").collect())
}
