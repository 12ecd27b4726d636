//! Makes small archives in a temporary folder, with the archive's own parts, as a publisher would.

use daylight_archive::checkpoint::Checkpoint;
use daylight_archive::entry::{Entry, Logged};
use daylight_archive::log::{Builder, LogAppender, leaf_hash};
use daylight_archive::manifest::PartWriter;
use daylight_archive::policy::Policy;
use daylight_archive::record::{FileRef, Occurrence, Record, Role};
use daylight_archive::release::ReleaseNote;
use daylight_archive::root::{Quorum, Root};
use daylight_archive::volume::{Layout, Member, VolumeWriter};
use daylight_archive::withdraw::{Copies, WithdrawNote, WithdrawnDocument};
use daylight_archive::{Archive, Signer, paths};
use daylight_model::{Date, DateSource, Digest, Kind, Person, Precision};
use ed25519_dalek::SigningKey;
use std::fs;
use std::path::PathBuf;

/// A document to be published.
pub(super) struct Doc {
    pub(super) record: Record,
    files: Vec<(Role, &'static str, Vec<u8>)>,
}

/// A message with this title and text.
pub(super) fn message(number: u64, title: &str, text: &str) -> Doc {
    let date = Date {
        seconds: 1_397_000_000 + number as i64 * 86_400,
        offset_minutes: Some(120),
        precision: Precision::Second,
        source: DateSource::DateHeader,
        doubt: None,
    };
    let people = vec![
        person(daylight_model::Role::From, "Dara Okafor", "d.okafor@harbour.example"),
        person(daylight_model::Role::To, "", "works@harbour.example"),
    ];
    let raw = format!("Subject: {title}\r\n\r\n{text}").into_bytes();
    let record = Record { dates: vec![date], people, media_type: "message/rfc822".into(), ..empty(number, Kind::Message, title) };
    Doc { record, files: vec![(Role::Raw, "message/rfc822", raw), (Role::Text, "text/plain; charset=utf-8", text.as_bytes().to_vec())] }
}

/// A file with these bytes, standing in another document.
pub(super) fn attachment(number: u64, name: &str, parent: u64, media_type: &'static str, bytes: &[u8]) -> Doc {
    let occurrence = Occurrence { parent: Some(parent), ordinal: 0, name: Some(daylight_model::Name(name.as_bytes().to_vec())) };
    let record = Record { media_type: media_type.into(), occurrences: vec![occurrence], ..empty(number, Kind::File, name) };
    Doc { record, files: vec![(Role::Raw, media_type, bytes.to_vec())] }
}

pub(super) fn person(role: daylight_model::Role, name: &str, address: &str) -> Person {
    Person { role, name: name.into(), address: address.into() }
}

fn empty(number: u64, kind: Kind, title: &str) -> Record {
    let title = title.to_owned();
    Record {
        language: String::new(),
        number,
        kind,
        title,
        media_type: String::new(),
        dates: vec![],
        people: vec![],
        occurrences: vec![],
        thread: None,
        answers: None,
        verdicts: vec![],
        faults: vec![],
        reason: String::new(),
        files: vec![],
    }
}

impl Doc {
    pub(super) fn with(mut self, change: impl FnOnce(&mut Record)) -> Self {
        change(&mut self.record);
        self
    }

    pub(super) fn view(mut self, html: &str) -> Self {
        self.files.push((Role::View, "text/html; charset=utf-8", html.as_bytes().to_vec()));
        self
    }
}

/// An archive in a temporary folder, and room for a cache beside it.
pub(super) struct Publisher {
    pub(super) home: tempfile::TempDir,
    editor: Signer,
    log: Signer,
    root: Digest,
    serial: u64,
    size: u64,
    head: Digest,
    /// Who cosigns each checkpoint, and when.
    witnesses: Vec<(Signer, u64)>,
}

const ORIGIN: &str = "archive.example/harbour";

impl Publisher {
    pub(super) fn new() -> Self {
        Self::watched(Policy::none(), Vec::new())
    }

    /// An archive whose root has this policy, and whose checkpoints these witnesses cosign, each at this time.
    pub(super) fn watched(policy: Policy, witnesses: Vec<(Signer, u64)>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let editor = Signer::new("editor.example", SigningKey::from_bytes(&[7; 32])).unwrap();
        let log = Signer::new(ORIGIN, SigningKey::from_bytes(&[8; 32])).unwrap();
        let quorum = |keys: Vec<_>| Quorum { threshold: keys.len(), keys };
        let (editors, recovery, key) = (quorum(vec![editor.key()]), quorum(vec![]), log.key());
        let root = Root {
            version: 1,
            origin: ORIGIN.into(),
            editors,
            recovery,
            log: key,
            retired: vec![],
            witnesses: policy,
            mirrors: vec![],
            onions: vec![],
        };
        let json = root.to_json().unwrap();
        let mut note = root.note().unwrap();
        note.sign(&editor);
        let mut made = Self { home, editor, log, root: Digest::of(&json), serial: 0, size: 0, head: Builder::new().root(), witnesses };
        made.put(&paths::root_json(1), &json);
        made.put(&paths::root_sig(1), &note.to_bytes());
        made.log(&Entry::Root { version: 1, json: made.root });
        made
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.home.path().join("archive")
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.dir().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn log(&mut self, entry: &Entry) {
        let mut appender = LogAppender::load(&self.dir(), self.size, &self.head).unwrap();
        appender.push(&entry.to_json().unwrap()).unwrap();
        let appended = appender.finish();
        appended.files.iter().for_each(|(path, bytes)| self.put(path, bytes));
        (self.size, self.head) = (appended.size, appended.root);
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size: self.size, root: self.head };
        let mut note = checkpoint.sign(&self.log).unwrap();
        self.witnesses.iter().for_each(|(witness, time)| note.cosign(witness, *time));
        self.put(paths::CHECKPOINT, &note.to_bytes());
    }

    /// Publishes a release.
    pub(super) fn release(&mut self, collection: &str, title: &str, mut docs: Vec<Doc>) {
        self.serial += 1;
        docs.sort_by_key(|doc| doc.record.number);
        self.volumes(&mut docs);
        let (mut part, mut tree) = (PartWriter::new(Vec::new()), Builder::new());
        for doc in &docs {
            let salt = Digest::of(&doc.record.number.to_be_bytes()).0;
            let mut record = doc.record.clone();
            record.files.sort_by(|a, b| a.role.cmp(&b.role));
            tree.push(leaf_hash(&part.push(&salt, &record.to_json().unwrap()).unwrap().0));
        }
        let (lines, offsets) = part.finish();
        self.put(&paths::manifest_part(self.serial, 0), &lines);
        self.put(&paths::manifest_offsets(self.serial, 0), &offsets);
        for (path, bytes) in tree.take_full().into_iter().chain(tree.partial()) {
            self.put(&format!("{}{path}", paths::release_prefix(self.serial)), &bytes);
        }
        let note = ReleaseNote {
            origin: ORIGIN.into(),
            serial: self.serial,
            root: self.root,
            collection: collection.into(),
            lines: docs.len() as u64,
            manifest: tree.root(),
            audit: Digest::of(b"audit"),
            time: 1_772_409_600 + self.serial as i64 * 86_400,
            title: title.into(),
        };
        let mut signed = note.note().unwrap();
        signed.sign(&self.editor);
        let bytes = signed.to_bytes();
        self.put(&paths::release_note(self.serial), &bytes);
        self.log(&Entry::Release { serial: self.serial, note: Digest::of(&bytes) });
    }

    /// Withdraws documents, every line of each.
    pub(super) fn withdraw(&mut self, collection: &str, numbers: &[u64], change: impl FnOnce(&mut WithdrawNote)) {
        let archive = Archive::open(&self.dir()).unwrap();
        let document = |number: &u64| {
            let places = archive.history(collection, *number).unwrap();
            let lines = places.iter().map(|(serial, line)| archive.to_withdraw(*serial, &[*line].into()).unwrap().remove(line).unwrap());
            WithdrawnDocument { number: *number, lines: lines.collect() }
        };
        let mut note = WithdrawNote {
            origin: ORIGIN.into(),
            serial: archive.next_entry_serial(),
            root: self.root,
            time: 1_773_000_000,
            collection: collection.into(),
            copies: Copies::Erase,
            successor: None,
            reason: "it names a child".into(),
            documents: numbers.iter().map(document).collect(),
        };
        change(&mut note);
        let mut signed = note.note().unwrap();
        signed.sign(&self.editor);
        self.put(&paths::entry_note(note.serial), &signed.to_bytes());
        self.log(&Entry::Withdraw(Logged { serial: note.serial, note: Digest::of(&signed.to_bytes()) }));
    }

    fn volumes(&self, docs: &mut [Doc]) {
        let (mut layout, mut volume) = (Layout::new(), VolumeWriter::new(Vec::new()));
        for doc in docs {
            for (role, media_type, bytes) in &doc.files {
                let member = Member::of(bytes);
                let place = layout.place(member.length).unwrap();
                assert_eq!(volume.add(&member, &mut bytes.as_slice()).unwrap(), place.offset);
                doc.record.files.push(FileRef {
                    role: role.clone(),
                    release: self.serial,
                    volume: place.volume,
                    offset: place.offset,
                    length: member.length,
                    sha256: member.sha256,
                    media_type: (*media_type).into(),
                });
            }
        }
        self.put(&paths::volume(self.serial, 0), &volume.finish().unwrap());
    }
}
