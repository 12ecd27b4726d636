//! Makes small archives by the shortest way: what the `publish` crate does safely.

use daylight_archive::checkpoint::Checkpoint;
use daylight_archive::entry::{Entry, Logged};
use daylight_archive::heartbeat::HeartbeatNote;
use daylight_archive::log::{Builder, LogAppender, empty_root, leaf_hash};
use daylight_archive::manifest::PartWriter;
use daylight_archive::policy::Policy;
use daylight_archive::record::{FileRef, MAX_RECORD, Record, Role};
use daylight_archive::release::ReleaseNote;
use daylight_archive::root::{Quorum, Root};
use daylight_archive::volume::{Layout, Member, VolumeWriter};
use daylight_archive::withdraw::{Copies, WithdrawNote, WithdrawnDocument};
use daylight_archive::{Archive, Signer, paths};
use daylight_model::{Digest, Kind, Person};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) const ORIGIN: &str = "archive.example/test";

pub(crate) fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

pub(crate) fn log_key(seed: u8) -> Signer {
    signer(ORIGIN, seed)
}

/// A document: its number, its bytes (none: it has no files), and how many people it names.
#[derive(Clone)]
pub(crate) struct Doc {
    pub(crate) number: u64,
    pub(crate) raw: Vec<u8>,
    pub(crate) people: usize,
}

pub(crate) fn doc(number: u64) -> Doc {
    Doc { number, raw: format!("document {number}\n").repeat(20).into_bytes(), people: 0 }
}

pub(crate) struct Publisher {
    home: tempfile::TempDir,
    pub(crate) editor: Signer,
    pub(crate) log: Signer,
    pub(crate) root: Root,
    serial: u64,
    pub(crate) size: u64,
    head: Digest,
    known: BTreeMap<Digest, FileRef>,
}

impl Publisher {
    pub(crate) fn new() -> Self {
        Self::listing(&[])
    }

    /// An archive whose root lists these mirrors.
    pub(crate) fn listing(mirrors: &[String]) -> Self {
        let mut made = Self::without_entries(mirrors, 7);
        made.enact(made.root.clone());
        made
    }

    /// An archive of the editor and the log with this key.
    pub(crate) fn by(seed: u8) -> Self {
        let mut made = Self::without_entries(&[], seed);
        made.enact(made.root.clone());
        made
    }

    /// An archive with a root and a signed log that has nothing in it.
    pub(crate) fn without_entries(mirrors: &[String], seed: u8) -> Self {
        let (editor, log) = (signer("editor.example", seed), log_key(seed + 1));
        let root = Root {
            version: 1,
            origin: ORIGIN.into(),
            editors: Quorum { keys: vec![editor.key()], threshold: 1 },
            recovery: Quorum { keys: vec![], threshold: 0 },
            log: log.key(),
            retired: vec![],
            witnesses: Policy::none(),
            mirrors: mirrors.to_vec(),
            onions: vec![],
        };
        let home = tempfile::tempdir().unwrap();
        let made = Self { home, editor, log, root, serial: 0, size: 0, head: empty_root(), known: BTreeMap::new() };
        made.write_root();
        made.sign(0, made.head);
        made
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.home.path().join("archive")
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.dir().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.dir().join(path)).unwrap()
    }

    /// A copy of all of it, which goes its own way from here on.
    pub(crate) fn split(&self) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (path, bytes) in files(&self.dir()) {
            let path = home.path().join("archive").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        Self {
            home,
            editor: self.editor.clone(),
            log: self.log.clone(),
            root: self.root.clone(),
            known: self.known.clone(),
            serial: self.serial,
            size: self.size,
            head: self.head,
        }
    }

    fn write_root(&self) {
        let mut note = self.root.note().unwrap();
        note.sign(&self.editor);
        self.put(&paths::root_json(self.root.version), &self.root.to_json().unwrap());
        self.put(&paths::root_sig(self.root.version), &note.to_bytes());
    }

    /// Puts a root in force.
    pub(crate) fn enact(&mut self, root: Root) {
        self.root = root;
        self.write_root();
        self.log(&Entry::Root { version: self.root.version, json: Digest::of(&self.root.to_json().unwrap()) });
    }

    pub(crate) fn sign(&self, size: u64, root: Digest) {
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size, root };
        self.put(paths::CHECKPOINT, &checkpoint.sign(&self.log).unwrap().to_bytes());
    }

    pub(crate) fn log(&mut self, entry: &Entry) {
        let mut appender = LogAppender::load(&self.dir(), self.size, &self.head).unwrap();
        appender.push(&entry.to_json().unwrap()).unwrap();
        let appended = appender.finish();
        appended.files.iter().for_each(|(path, bytes)| self.put(path, bytes));
        (self.size, self.head) = (appended.size, appended.root);
        self.sign(self.size, self.head);
    }

    /// Logs a heartbeat, the smallest entry with a note.
    pub(crate) fn beat(&mut self, serial: u64, word: &str) {
        let root = Digest::of(&self.root.to_json().unwrap());
        let time = 1_700_000_000 + i64::from(word.as_bytes()[0]);
        let mut note = HeartbeatNote { origin: ORIGIN.into(), serial, root, time }.note().unwrap();
        note.sign(&self.editor);
        self.put(&paths::entry_note(serial), &note.to_bytes());
        self.log(&Entry::Heartbeat(Logged { serial, note: Digest::of(&note.to_bytes()) }));
    }

    /// Withdraws documents, with the request to erase them.
    pub(crate) fn withdraw(&mut self, serial: u64, collection: &str, numbers: &[u64]) {
        let archive = Archive::open(&self.dir()).unwrap();
        let document = |number: &u64| {
            let places = archive.history(collection, *number).unwrap();
            let lines = places.iter().map(|(serial, line)| archive.to_withdraw(*serial, &[*line].into()).unwrap().remove(line).unwrap());
            WithdrawnDocument { number: *number, lines: lines.collect() }
        };
        let documents = numbers.iter().map(document).collect();
        let note = WithdrawNote {
            origin: ORIGIN.into(),
            serial,
            root: Digest::of(&self.root.to_json().unwrap()),
            time: 1_772_500_000,
            collection: collection.into(),
            copies: Copies::Erase,
            successor: None,
            reason: "a private person".into(),
            documents,
        };
        let mut signed = note.note().unwrap();
        signed.sign(&self.editor);
        self.put(&paths::entry_note(serial), &signed.to_bytes());
        self.log(&Entry::Withdraw(Logged { serial, note: Digest::of(&signed.to_bytes()) }));
    }

    /// Publishes a release of these documents.
    pub(crate) fn release(&mut self, collection: &str, docs: &[Doc]) {
        self.serial += 1;
        let mut volumes = Volumes { layout: Layout::new(), writers: BTreeMap::new() };
        let (mut tree, mut part, mut parts) = (Builder::new(), PartWriter::new(Vec::new()), 0);
        for doc in docs {
            let mut record = record(doc);
            if !doc.raw.is_empty() {
                record.files = vec![FileRef { role: Role::Raw, media_type: "text/plain".into(), ..self.place(&mut volumes, &doc.raw) }];
            }
            let mut json = record.to_json().unwrap();
            if json.len() > MAX_RECORD {
                record = record.stub(FileRef { media_type: "application/json".into(), ..self.place(&mut volumes, &json) });
                json = record.to_json().unwrap();
            }
            if part.is_full() {
                self.end_part(parts, std::mem::replace(&mut part, PartWriter::new(Vec::new())));
                parts += 1;
            }
            let salt = Digest::of(&doc.number.to_be_bytes()).0;
            tree.push(leaf_hash(&part.push(&salt, &json).unwrap().0));
        }
        self.end_part(parts, part);
        for (volume, writer) in volumes.writers {
            self.put(&paths::volume(self.serial, volume), &writer.finish().unwrap());
        }
        for (path, bytes) in tree.take_full().into_iter().chain(tree.partial()) {
            self.put(&format!("{}{path}", paths::release_prefix(self.serial)), &bytes);
        }
        self.sign_release(collection, docs.len() as u64, tree.root());
    }

    fn sign_release(&mut self, collection: &str, lines: u64, manifest: Digest) {
        let note = ReleaseNote {
            origin: ORIGIN.into(),
            serial: self.serial,
            root: Digest::of(&self.root.to_json().unwrap()),
            collection: collection.into(),
            lines,
            manifest,
            audit: Digest::of(b"audit"),
            time: 1_772_409_600,
            title: "Papers".into(),
        };
        let mut signed = note.note().unwrap();
        signed.sign(&self.editor);
        self.put(&paths::release_note(self.serial), &signed.to_bytes());
        self.log(&Entry::Release { serial: self.serial, note: Digest::of(&signed.to_bytes()) });
    }

    fn end_part(&self, part: u64, writer: PartWriter<Vec<u8>>) {
        let (bytes, offsets) = writer.finish();
        self.put(&paths::manifest_part(self.serial, part), &bytes);
        self.put(&paths::manifest_offsets(self.serial, part), &offsets);
    }

    fn place(&mut self, volumes: &mut Volumes, bytes: &[u8]) -> FileRef {
        let (member, release) = (Member::of(bytes), self.serial);
        let place = || {
            let place = volumes.layout.place(member.length).unwrap();
            let writer = volumes.writers.entry(place.volume).or_insert_with(|| VolumeWriter::new(Vec::new()));
            writer.add(&member, &mut &bytes[..]).unwrap();
            let (volume, offset, media_type) = (place.volume, place.offset, String::new());
            FileRef { role: Role::Record, release, volume, offset, length: member.length, sha256: member.sha256, media_type }
        };
        self.known.entry(member.sha256).or_insert_with(place).clone()
    }
}

struct Volumes {
    layout: Layout,
    writers: BTreeMap<u32, VolumeWriter<Vec<u8>>>,
}

fn record(doc: &Doc) -> Record {
    let person = |i| Person { role: daylight_model::Role::To, name: format!("Somebody {i}"), address: format!("p{i}@town.example") };
    Record {
        number: doc.number,
        kind: Kind::File,
        title: format!("document {}", doc.number),
        media_type: String::new(),
        language: String::new(),
        dates: vec![],
        people: (0..doc.people).map(person).collect(),
        occurrences: vec![],
        thread: None,
        answers: None,
        verdicts: vec![],
        faults: vec![],
        reason: String::new(),
        files: vec![],
    }
}

/// Every file below a folder, by its path.
pub(crate) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(dir: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().map(Result::unwrap) {
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{path}/"), found);
            } else {
                found.insert(path, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, "", &mut found);
    found
}
