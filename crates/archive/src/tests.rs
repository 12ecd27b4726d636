//! A small publisher for tests: it does by the shortest way what the `publish` crate does safely.

use crate::Archive;
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, Logged};
use crate::key::Signer;
use crate::log::{Builder, LogAppender, empty_root, leaf_hash};
use crate::manifest::PartWriter;
use crate::note::Note;
use crate::paths;
use crate::policy::Policy;
use crate::record::{FileRef, MAX_RECORD, Occurrence, Record, Role};
use crate::release::ReleaseNote;
use crate::root::{Quorum, Root};
use crate::volume::{ErasedMember, LOCAL_HEADER, Layout, Member, VolumeWriter};
use crate::withdraw::{Copies, WithdrawNote, WithdrawnDocument};
use daylight_model::{
    Caution, Date, DateDoubt, DateSource, Digest, Fault, FaultCode, KeySeen, Kind, Name, Outcome, Person, Precision, Stage, Verdict,
};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) const ORIGIN: &str = "archive.example/test";

pub(crate) fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

pub(crate) fn editor(i: u8) -> Signer {
    signer(&format!("editor{i}.example"), 10 + i)
}

pub(crate) fn recovery(i: u8) -> Signer {
    signer(&format!("recovery{i}.example"), 50 + i)
}

pub(crate) fn log_key() -> Signer {
    signer(ORIGIN, 1)
}

/// A root with `n` editors of which `k` sign, and two of three recovery keys.
pub(crate) fn root(version: u64, editors: &[u8], k: usize) -> Root {
    let keys = |signers: Vec<Signer>| signers.iter().map(Signer::key).collect();
    Root {
        version,
        origin: ORIGIN.into(),
        editors: Quorum { keys: keys(editors.iter().map(|i| editor(*i)).collect()), threshold: k },
        recovery: Quorum { keys: keys((1..=3).map(recovery).collect()), threshold: 2 },
        log: log_key().key(),
        retired: Vec::new(),
        witnesses: Policy::none(),
        mirrors: vec!["https://mirror.example/".into()],
        onions: Vec::new(),
    }
}

pub(crate) fn signed(note: Note, signers: &[Signer]) -> Vec<u8> {
    let mut note = note;
    signers.iter().for_each(|signer| note.sign(signer));
    note.to_bytes()
}

/// A document to publish.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) text: Vec<u8>,
    pub(crate) people: usize,
}

pub(crate) fn document(number: u64) -> Document {
    Document {
        number,
        title: format!("Água n.º {number} \u{1} \"quoted\""),
        raw: format!("Subject: {number}\r\n\r\nreservoir {number}\r\n").into_bytes(),
        text: format!("reservoir {number}\n").into_bytes(),
        people: 1,
    }
}

/// A record that has every field.
pub(crate) fn record(document: &Document, files: Vec<FileRef>) -> Record {
    Record {
        language: String::new(),
        number: document.number,
        kind: Kind::Message,
        title: document.title.clone(),
        media_type: "message/rfc822".into(),
        dates: vec![Date {
            seconds: 1_425_204_000,
            offset_minutes: Some(-90),
            precision: Precision::Second,
            source: DateSource::DateHeader,
            doubt: Some(DateDoubt::FarFromReceived),
        }],
        people: (0..document.people)
            .map(|i| Person { role: daylight_model::Role::To, name: format!("Ana {i}"), address: format!("ana{i}@town.example") })
            .collect(),
        occurrences: vec![Occurrence { parent: Some(1), ordinal: 0, name: Some(Name(b"caf\xe9.eml".to_vec())) }],
        thread: Some(1),
        answers: Some(1),
        verdicts: vec![Verdict {
            outcome: Outcome::Valid,
            domain: "town.example".into(),
            selector: "s1".into(),
            identity: "@town.example".into(),
            headers: vec!["from".into()],
            left_out: vec!["subject".into()],
            length: Some(9),
            instance: 2,
            time: Some(-1),
            expires: Some(5),
            cautions: Caution::ALL.to_vec(),
            key: Some(KeySeen { bits: 2048, fingerprint: "ab".repeat(32), source: "a zone".into(), seen: Some(1_425_204_000) }),
            detail: "d".into(),
            ..Verdict::unsigned()
        }],
        faults: vec![Fault {
            stage: Stage::Read,
            code: FaultCode::NoReader,
            tool: "mail 1".into(),
            detail: "d".into(),
            limit: Some(1),
            at: None,
        }],
        reason: String::new(),
        files,
    }
}

/// An archive in a temporary folder, and what its publisher knows.
pub(crate) struct TestArchive {
    dir: tempfile::TempDir,
    pub(crate) editors: Vec<Signer>,
    pub(crate) root: Root,
    size: u64,
    log_root: Digest,
    serial: u64,
    known: BTreeMap<Digest, FileRef>,
}

impl TestArchive {
    /// An archive with a root of one editor, logged, and no release.
    pub(crate) fn new() -> Self {
        Self::with_root(root(1, &[1], 1), vec![editor(1)])
    }

    pub(crate) fn with_root(root: Root, editors: Vec<Signer>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut archive = Self { dir, editors, root, size: 0, log_root: empty_root(), serial: 0, known: BTreeMap::new() };
        let signers = archive.editors.clone();
        archive.enact(archive.root.clone(), &signers);
        archive
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.dir().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.dir().join(path)).unwrap()
    }

    /// Puts a root in force.
    pub(crate) fn enact(&mut self, root: Root, signers: &[Signer]) {
        let json = root.to_json().unwrap();
        self.write(&paths::root_json(root.version), &json);
        self.write(&paths::root_sig(root.version), &signed(root.note().unwrap(), signers));
        self.root = root;
        self.log(&Entry::Root { version: self.root.version, json: Digest::of(&json) });
    }

    /// Logs an entry and signs the new checkpoint.
    pub(crate) fn log(&mut self, entry: &Entry) {
        let mut appender = LogAppender::load(&self.dir().to_path_buf(), self.size, &self.log_root).unwrap();
        appender.push(&entry.to_json().unwrap()).unwrap();
        let appended = appender.finish();
        appended.files.iter().for_each(|(path, bytes)| self.write(path, bytes));
        (self.size, self.log_root) = (appended.size, appended.root);
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: self.size, root: self.log_root };
        self.write(paths::CHECKPOINT, &checkpoint.sign(&log_key()).unwrap().to_bytes());
    }

    /// Publishes documents as the next release.
    pub(crate) fn publish(&mut self, collection: &str, documents: &[Document]) {
        let note = self.write_release(collection, documents);
        let bytes = signed(note.note().unwrap(), &self.editors);
        self.write(&paths::release_note(self.serial), &bytes);
        self.log(&Entry::Release { serial: self.serial, note: Digest::of(&bytes) });
    }

    /// Writes everything of the next release but its note.
    pub(crate) fn write_release(&mut self, collection: &str, documents: &[Document]) -> ReleaseNote {
        self.serial += 1;
        let mut volumes = Volumes { layout: Layout::new(), writers: BTreeMap::new() };
        let mut tree = Builder::new();
        let mut part = PartWriter::new(Vec::new());
        let mut parts = 0;
        for document in documents {
            let files = [(Role::Raw, &document.raw, "message/rfc822"), (Role::Text, &document.text, "text/plain; charset=utf-8")];
            let files =
                files.map(|(role, bytes, media_type)| FileRef { role, media_type: media_type.into(), ..self.place(&mut volumes, bytes) });
            let mut record = record(document, files.to_vec());
            let mut json = record.to_json().unwrap();
            if json.len() > MAX_RECORD {
                record = record.stub(FileRef { media_type: "application/json".into(), ..self.place(&mut volumes, &json) });
                json = record.to_json().unwrap();
            }
            if part.is_full() {
                self.end_part(parts, std::mem::replace(&mut part, PartWriter::new(Vec::new())));
                parts += 1;
            }
            let salt = Digest::of(format!("salt {} {}", self.serial, document.number).as_bytes()).0;
            tree.push(leaf_hash(&part.push(&salt, &json).unwrap().0));
        }
        self.end_part(parts, part);
        for (volume, writer) in volumes.writers {
            self.write(&paths::volume(self.serial, volume), &writer.finish().unwrap());
        }
        for (path, bytes) in tree.take_full().into_iter().chain(tree.partial()) {
            self.write(&format!("{}{path}", paths::release_prefix(self.serial)), &bytes);
        }
        ReleaseNote {
            origin: ORIGIN.into(),
            serial: self.serial,
            root: Digest::of(&self.root.to_json().unwrap()),
            collection: collection.into(),
            lines: documents.len() as u64,
            manifest: tree.root(),
            audit: Digest::of(b"audit"),
            time: 1_795_372_835,
            title: "Town council".into(),
        }
    }

    /// Withdraws documents, every line of each, and logs that.
    pub(crate) fn withdraw(&mut self, collection: &str, numbers: &[u64], copies: Copies) {
        let note = self.withdrawal(collection, numbers, copies);
        self.log_withdrawal(&note);
    }

    /// The note of a withdrawal of every line of these documents.
    pub(crate) fn withdrawal(&self, collection: &str, numbers: &[u64], copies: Copies) -> WithdrawNote {
        let archive = Archive::open(self.dir()).unwrap();
        let document = |number: &u64| {
            let places = archive.history(collection, *number).unwrap();
            let lines = places.iter().map(|(serial, line)| archive.to_withdraw(*serial, &[*line].into()).unwrap().remove(line).unwrap());
            WithdrawnDocument { number: *number, lines: lines.collect() }
        };
        WithdrawNote {
            origin: ORIGIN.into(),
            serial: archive.next_entry_serial(),
            root: Digest::of(&self.root.to_json().unwrap()),
            time: 1_795_372_900,
            collection: collection.into(),
            copies,
            successor: None,
            reason: "it names a child".into(),
            documents: numbers.iter().map(document).collect(),
        }
    }

    pub(crate) fn log_withdrawal(&mut self, note: &WithdrawNote) {
        let bytes = signed(note.note().unwrap(), &self.editors);
        self.write(&paths::entry_note(note.serial), &bytes);
        self.log(&Entry::Withdraw(Logged { serial: note.serial, note: Digest::of(&bytes) }));
    }

    /// Erases by the shortest way every line that is to be erased, and these members that stand first in them.
    pub(crate) fn erase(&self, lines: impl Fn(u64, u64) -> bool, members: impl Fn(u64, u64) -> bool) {
        let archive = Archive::open(self.dir()).unwrap();
        for place in archive.withdrawn_lines().filter(|place| place.erase) {
            for member in place.line.members.iter().filter(|member| members(place.line.release, member.offset)) {
                let path = paths::volume(place.line.release, member.volume);
                let mut volume = self.read(&path);
                let erased = ErasedMember { offset: member.offset, length: member.length };
                let (at, end) = ((member.offset - LOCAL_HEADER) as usize, (member.offset + member.length) as usize);
                let header_at = (member.offset - LOCAL_HEADER).to_le_bytes();
                let directory = (end..volume.len())
                    .find(|start| volume[*start..].starts_with(b"PK\x01\x02") && volume.get(start + 130..start + 138) == Some(&header_at));
                let directory = directory.unwrap();
                volume[at..member.offset as usize].copy_from_slice(&erased.local_header());
                volume[member.offset as usize..end].fill(0);
                volume[directory..directory + 138].copy_from_slice(&erased.directory_header());
                self.write(&path, &volume);
            }
            if lines(place.line.release, place.line.line) {
                let stands = archive.line_place(place.line.release, place.line.line).unwrap();
                let mut part = self.read(&stands.path);
                let erased = crate::manifest::RawLine::Erased { leaf: place.line.leaf, length: place.line.length as usize };
                part[stands.offset as usize..][..stands.bytes.len()].copy_from_slice(&erased.to_bytes());
                self.write(&stands.path, &part);
            }
        }
    }

    fn end_part(&self, part: u64, writer: PartWriter<Vec<u8>>) {
        let (bytes, offsets) = writer.finish();
        self.write(&paths::manifest_part(self.serial, part), &bytes);
        self.write(&paths::manifest_offsets(self.serial, part), &offsets);
    }

    fn place(&mut self, volumes: &mut Volumes, bytes: &[u8]) -> FileRef {
        let member = Member::of(bytes);
        let serial = self.serial;
        let place = || {
            let place = volumes.layout.place(member.length).unwrap();
            let writer = volumes.writers.entry(place.volume).or_insert_with(|| VolumeWriter::new(Vec::new()));
            assert_eq!(writer.add(&member, &mut &bytes[..]).unwrap(), place.offset);
            let (release, volume, offset) = (serial, place.volume, place.offset);
            FileRef { role: Role::Record, release, volume, offset, length: member.length, sha256: member.sha256, media_type: String::new() }
        };
        self.known.entry(member.sha256).or_insert_with(place).clone()
    }

    /// Every file, by its path.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        fn walk(base: &Path, dir: PathBuf, files: &mut BTreeMap<String, Vec<u8>>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(base, path, files);
                } else {
                    files.insert(path.strip_prefix(base).unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(self.dir(), self.dir().to_owned(), &mut files);
        files
    }
}

struct Volumes {
    layout: Layout,
    writers: BTreeMap<u32, VolumeWriter<Vec<u8>>>,
}
