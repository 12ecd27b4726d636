//! Daylight's log and notes beside Go's: `golang.org/x/mod/sumdb/tlog` and `sumdb/note` (Debian: golang, golang-golang-x-mod-dev, GOPATH mode).

use daylight_archive::key::{Key, Signer};
use daylight_archive::log::{Builder, Tree, leaf_hash};
use daylight_archive::note::Note;
use daylight_model::Digest;
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

/// The sizes at which a tree has one leaf, ends a tile, or goes over its edge.
pub(crate) const SIZES: [u64; 5] = [1, 255, 256, 257, 70_000];

/// Where Debian puts the sources of Go's libraries.
const GOPATH: &str = "/usr/share/gocode";

#[test]
fn go_computes_the_same_roots_tiles_and_proofs() {
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = build("tlog", dir.path()) else { return };
    for size in SIZES {
        let folder = dir.path().join(size.to_string());
        write_tree(&folder, size);
        let said = run(Command::new(&program).arg(&folder).arg(size.to_string()));
        assert!(said.contains("agree"), "{said}");
    }
}

/// Writes a tree of ours of `size` leaves, leaf i being the text "entry i": its tiles, its root in hex, and proofs of what may go wrong.
pub(crate) fn write_tree(folder: &Path, size: u64) {
    let leaves: Vec<Digest> = (0..size).map(|i| leaf_hash(format!("entry {i}").as_bytes())).collect();
    let root_of = |size: u64| {
        let mut tree = Builder::new();
        leaves[..size as usize].iter().for_each(|leaf| tree.push(*leaf));
        tree
    };
    let mut tree = root_of(size);
    let files: BTreeMap<String, Vec<u8>> = tree.take_full().into_iter().chain(tree.partial()).collect();
    files.iter().for_each(|(path, bytes)| write(&folder.join(path), bytes));
    write(&folder.join("root"), tree.root().to_string().as_bytes());

    let tiles = Tree::new(&files, "", size);
    let mut proofs = String::new();
    for index in [0, 1, 254, 255, 256, 65_535, 65_536, 69_887, 69_999].into_iter().chain([size - 1]).filter(|index| *index < size) {
        let path = tiles.inclusion(index).unwrap().iter().fold(String::new(), |text, hash| text + &format!(" {hash}"));
        writeln!(proofs, "inclusion {index}{path}").unwrap();
    }
    for old in [1, 2, 3, 255, 256, 257, 65_536, 69_999, 70_000].into_iter().filter(|old| *old <= size) {
        let path = tiles.consistency(old).unwrap().iter().fold(String::new(), |text, hash| text + &format!(" {hash}"));
        writeln!(proofs, "consistency {old} {}{path}", root_of(old).root()).unwrap();
    }
    write(&folder.join("proofs"), proofs.as_bytes());
}

#[test]
fn go_verifies_our_notes_and_we_verify_those_of_go() {
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = build("note", dir.path()) else { return };
    let signer = Signer::new("archive.example/test", SigningKey::from_bytes(&[7; 32])).unwrap();
    let mut note = Note::new("archive.example/test\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n").unwrap();
    note.sign(&signer);
    write(&dir.path().join("note"), &note.to_bytes());
    write(&dir.path().join("vkey"), signer.key().to_string().as_bytes());
    write(&dir.path().join("skey"), signer.to_text().as_bytes());
    assert_eq!(run(Command::new(&program).arg(dir.path())), "notes agree\n");

    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let theirs: Key = read("go.vkey").parse().unwrap();
    let both = Note::parse(read("go.note").as_bytes()).unwrap();
    assert_eq!(both.require(&[theirs.clone(), signer.key()], 2).unwrap().len(), 2);
    let their_signer = Signer::from_text(&read("go.skey")).unwrap();
    assert_eq!(their_signer.key(), theirs);
    let mut again = Note::new(note.text()).unwrap();
    [&their_signer, &signer].into_iter().for_each(|signer| again.sign(signer));
    assert_eq!(again.to_bytes(), both.to_bytes());
}

#[test]
fn go_verifies_what_our_witnesses_cosigned() {
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = build("cosigned", dir.path()) else { return };
    let signer = |name: &str, seed: u8| Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap();
    let (log, one, two) = (signer("archive.example/test", 7), signer("w1.example", 8), signer("w2.example", 9));
    let mut checkpoint = Note::new("archive.example/test\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n").unwrap();
    checkpoint.sign(&log);
    checkpoint.cosign(&one, 1_795_372_835);
    checkpoint.cosign(&two, 1);
    write(&dir.path().join("log.vkey"), log.key().to_string().as_bytes());
    write(&dir.path().join("witnesses.vkeys"), format!("{}\n{}\n", one.cosigner_key(), two.cosigner_key()).as_bytes());
    write(&dir.path().join("checkpoint"), &checkpoint.to_bytes());
    assert_eq!(run(Command::new(&program).arg(dir.path())), "2 cosigned\nw1.example 1795372835\nw2.example 1\n");
    let mut line = checkpoint.signatures()[1].clone();
    line.bytes[7] ^= 1;
    checkpoint.replace_signature(line);
    write(&dir.path().join("checkpoint"), &checkpoint.to_bytes());
    assert!(!Command::new(&program).arg(dir.path()).status().unwrap().success(), "another time than the one that was signed");
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Builds a Go program of `tests/go`. Where Go is not installed the test is skipped, unless DAYLIGHT_TESTS_REQUIRE_TOOLS=1 forbids it.
fn build(name: &str, dir: &Path) -> Option<std::path::PathBuf> {
    let library = Path::new(GOPATH).join("src/golang.org/x/mod/sumdb");
    let found = library.is_dir() && Command::new("go").arg("version").output().is_ok_and(|out| out.status.success());
    if !found {
        assert!(std::env::var_os("DAYLIGHT_TESTS_REQUIRE_TOOLS").is_none_or(|v| v != "1"), "go or golang-golang-x-mod-dev is missing");
        println!("skipped: no go (Debian: apt install golang-go golang-golang-x-mod-dev)");
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go").join(format!("{name}.go"));
    let program = dir.join(format!("{name}.program"));
    let mut command = Command::new("go");
    command.env("GO111MODULE", "off").env("GOPATH", GOPATH).env("GOFLAGS", "").env("GOCACHE", dir.join("cache")).env("CGO_ENABLED", "0");
    run(command.args(["build", "-o"]).arg(&program).arg(source));
    Some(program)
}

fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).into_owned()
}
