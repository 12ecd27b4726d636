//! What publishing promises, told with fabricated documents on a real desk, and checked by the archive's own verifier.

mod crashes;
mod keys;
mod releases;
mod requests;
mod roots;
mod seals;
mod withdrawals;
mod witnesses;

use crate::*;
use daylight_archive::{Archive, verify};
use daylight_model::reading::{Label, Segment};
use daylight_model::{Date, DateSource, Digest, DocumentId, Fault, FaultCode, Kind, MessageFacts, Name, Person, Precision, Role, Stage};
use daylight_review::{Selection, clear};
use daylight_sandbox::Reader;
use daylight_store::{NewDocument, Writer};
use std::collections::BTreeMap;
use std::fs;
use tempfile::TempDir;

const COUNCIL: &str = "council";
const NOW: u64 = 1_800_000_000;

/// A folder with a desk in `desk`, an editor's key in `ada.key`, and room for an archive in `archive`.
struct World {
    folder: PathBuf,
    site: PathBuf,
    log_key: PathBuf,
    /// Removes the folder at the end; none in a process that publishes in another's world.
    _kept: Option<TempDir>,
}

impl World {
    /// With a mailbox of three messages on the desk, all cleared: two share an attachment, the third answers the first and has a zip.
    fn new() -> Self {
        let world = Self::empty();
        Desk::init(&world.path("desk")).unwrap();
        SigningKeyFile::create(&world.path("ada.key"), "ada", None).unwrap();
        world.ingest(three_messages);
        world.clear_all();
        world
    }

    fn empty() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let world = Self::at(kept.path());
        Self { _kept: Some(kept), ..world }
    }

    fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), site: folder.join("archive"), log_key: folder.join("desk/log.key"), _kept: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn desk(&self) -> Desk {
        Desk::open(&self.path("desk")).unwrap()
    }

    fn ingest(&self, fill: impl FnOnce(&mut Trove<'_>)) {
        let mut desk = self.desk();
        let collection = desk.create_collection(COUNCIL).unwrap();
        let lease = desk.take_ingest_lease().unwrap();
        let mut trove = Trove { writer: desk.writer(&lease).unwrap(), collection: collection.id };
        fill(&mut trove);
        trove.writer.commit().unwrap();
        drop(trove);
        desk.rethread().unwrap();
    }

    fn clear_all(&self) -> daylight_review::Outcome {
        let nobody = Reader { program: "/nonexistent".into(), args: Vec::new() };
        clear(&mut self.desk(), &nobody, COUNCIL, Selection::All, "Lovelace", NOW).unwrap()
    }

    fn key(&self, name: &str) -> SigningKeyFile {
        SigningKeyFile::read(&self.path(name), &mut |_| None).unwrap()
    }

    fn publish(&self) -> Result<Outcome> {
        self.publish_with(&[self.key("ada.key")], |job| job)
    }

    fn publish_with<'a>(&'a self, editors: &'a [SigningKeyFile], change: impl FnOnce(Job<'a>) -> Job<'a>) -> Result<Outcome> {
        let job = Job {
            collection: COUNCIL,
            title: Some("Town council"),
            archive: &self.site,
            editors,
            threshold: None,
            log_key: &self.log_key,
            origin: None,
            witnessing: None,
            now: NOW,
        };
        publish(&mut self.desk(), &change(job), &mut |_| {})
    }

    fn published(&self) -> Published {
        self.publish().unwrap().published.unwrap()
    }

    fn archive(&self) -> Archive {
        Archive::open(&self.path("archive")).unwrap()
    }

    /// Every file of the archive is right, and the publisher is the one whose root is pinned.
    fn verify(&self) {
        let root = fs::read(self.path("archive/root/1.json")).unwrap();
        let report = verify(&self.path("archive"), Some(&root), &mut |_| {});
        assert!(report.ok() && report.anchored, "{}: {:?}", report.verdict(), report.problems);
    }

    /// Every file of the archive by its path.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.path("archive"))
    }
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(dir).unwrap().display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

static BLANK: std::sync::LazyLock<MessageFacts> = std::sync::LazyLock::new(MessageFacts::default);

/// What goes onto a desk.
struct Trove<'a> {
    writer: Writer<'a>,
    collection: daylight_store::CollectionId,
}

impl Trove<'_> {
    fn put<'a>(&mut self, kind: Kind, bytes: &'a [u8], change: impl FnOnce(NewDocument<'a>) -> NewDocument<'a>) -> u64 {
        let digest = Digest::of(bytes);
        let blob = self.writer.blob(&digest, bytes).unwrap();
        let new = NewDocument {
            id: DocumentId::of(kind, &digest, ""),
            kind,
            blob: Some(blob),
            length: bytes.len() as u64,
            claims: "",
            media_type: "application/octet-stream",
            title: "secret-name-in-trove.bin",
            date: None,
            message: (kind == Kind::Message).then(|| &*BLANK),
            faults: &[],
            counted: None,
            texts: &[],
            step: "test",
            version: 1,
        };
        let seq = self.writer.document(&change(new)).unwrap().0;
        self.writer.member(self.collection, seq).unwrap();
        seq
    }

    fn message(&mut self, day: i64, id: &str, answers: &[&str]) -> u64 {
        let date = Date {
            seconds: day * 86_400,
            offset_minutes: Some(60),
            precision: Precision::Second,
            source: DateSource::DateHeader,
            doubt: None,
        };
        let facts = MessageFacts {
            subject: format!("About {id}"),
            people: vec![Person { role: Role::From, name: "Ann".into(), address: "ann@example.org".into() }],
            dates: vec![date],
            message_id: format!("{id}@example.org"),
            references: answers.iter().map(|id| format!("{id}@example.org")).collect(),
            ..MessageFacts::default()
        };
        let bytes = format!("Subject: About {id}\r\n\r\nThe words of {id}.\r\n");
        let texts = [Segment::new(Label::Body, format!("The words of {id}.")), Segment::new(Label::Hidden, "between the lines")];
        let walk = Fault {
            stage: Stage::Walk,
            code: FaultCode::Changed,
            tool: "walk 1".into(),
            detail: "secret-folder".into(),
            limit: None,
            at: None,
        };
        let faults = [walk, Fault { stage: Stage::Read, code: FaultCode::BadCharset, detail: "three bytes".into(), ..fault() }];
        self.put(Kind::Message, bytes.as_bytes(), |new| NewDocument {
            media_type: "message/rfc822",
            title: &facts.subject,
            date: Some(date),
            message: Some(&facts),
            texts: &texts,
            faults: &faults,
            ..new
        })
    }

    fn file(&mut self, bytes: &[u8]) -> u64 {
        self.put(Kind::File, bytes, |new| new)
    }

    fn inside(&mut self, parent: u64, ordinal: u64, child: u64, name: &str) {
        self.writer.occurrence(parent, ordinal, child, Some(&Name::from(name)), &Default::default()).unwrap();
    }
}

fn fault() -> Fault {
    Fault { stage: Stage::Read, code: FaultCode::NoReader, tool: "test 1".into(), detail: String::new(), limit: None, at: None }
}

fn three_messages(trove: &mut Trove<'_>) {
    let mailbox = trove.put(Kind::Container, b"the whole secret mailbox", |new| new);
    let [first, second, third] =
        [(10, "one", &[][..]), (20, "two", &[]), (30, "three", &["one"])].map(|(day, id, to)| trove.message(day, id, to));
    for (ordinal, message) in [first, second, third].into_iter().enumerate() {
        trove.writer.occurrence(mailbox, ordinal as u64, message, None, &Default::default()).unwrap();
    }
    let plan = trove.file(b"a plan");
    trove.inside(first, 0, plan, "plan.pdf");
    trove.inside(second, 4, plan, "the same plan.pdf");
    let zip = trove.put(Kind::Container, b"a zip", |new| new);
    let inner = trove.file(&vec![7; 5 << 18]);
    trove.inside(third, 0, zip, "files.zip");
    trove.inside(zip, 0, inner, "dir/large.bin");
}
