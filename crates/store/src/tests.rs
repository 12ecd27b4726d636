//! What the desk promises, told through its public face alone, except where a test has to damage what is on disk.

mod bytes;
mod care;
mod deciding;
mod documents;
mod making;
mod texts;
mod words;

use crate::*;
use daylight_model::reading::{Label, Segment};
use daylight_model::{Date, DateSource, Digest, DocumentId, Fault, FaultCode, Kind, MessageFacts, Name, Person, Precision, Role, Stage};
use tempfile::TempDir;

/// A desk in a folder that goes with it.
fn desk() -> (TempDir, Desk) {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::init(&folder.path().join("desk")).unwrap();
    (folder, desk)
}

/// Bytes that no two seeds share and that do not repeat.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let blocks = (0..length as u64 / 32 + 1).flat_map(|block| Digest::of(&[seed.to_be_bytes(), block.to_be_bytes()].concat()).0);
    blocks.take(length).collect()
}

/// A fault of this code.
fn fault(code: FaultCode) -> Fault {
    Fault { stage: Stage::Read, code, tool: "mail 1".to_owned(), detail: "because".to_owned(), limit: Some(7), at: Some(9) }
}

/// A file with these bytes, no text and no faults.
fn file(bytes: &[u8]) -> NewDocument<'_> {
    NewDocument {
        id: DocumentId::of(Kind::File, &Digest::of(bytes), ""),
        kind: Kind::File,
        blob: None,
        length: bytes.len() as u64,
        claims: "",
        media_type: "application/octet-stream",
        title: "",
        date: None,
        message: None,
        faults: &[],
        counted: None,
        texts: &[],
        step: "none",
        version: 1,
    }
}

/// Stores a file and says its number.
fn put_file(writer: &mut Writer<'_>, bytes: &[u8]) -> u64 {
    let blob = writer.blob(&Digest::of(bytes), bytes).unwrap();
    writer.document(&NewDocument { blob: Some(blob), ..file(bytes) }).unwrap().0
}

/// Stores a message that says this of itself and says its number.
fn put_message(writer: &mut Writer<'_>, bytes: &[u8], facts: &MessageFacts) -> u64 {
    let digest = Digest::of(bytes);
    let blob = writer.blob(&digest, bytes).unwrap();
    let id = DocumentId::of(Kind::Message, &digest, "");
    let date = facts.dates.first().copied();
    let new = NewDocument {
        id,
        kind: Kind::Message,
        blob: Some(blob),
        title: &facts.subject,
        date,
        message: Some(facts),
        step: "mail",
        ..file(bytes)
    };
    writer.document(&new).unwrap().0
}

/// The facts of a message of this day.
fn facts(day: i64, message_id: &str, references: &[&str]) -> MessageFacts {
    let seconds = day * 86_400;
    let date = Date { seconds, offset_minutes: Some(120), precision: Precision::Second, source: DateSource::DateHeader, doubt: None };
    MessageFacts {
        subject: format!("About {message_id}"),
        people: vec![Person { role: Role::From, name: "Ann".to_owned(), address: "ann@example.org".to_owned() }],
        dates: vec![date],
        message_id: message_id.to_owned(),
        references: references.iter().map(|id| (*id).to_owned()).collect(),
        ..MessageFacts::default()
    }
}

/// Every change since the beginning, as numbers of documents; a deleted one is negative.
fn changed(desk: &Desk, after: u64) -> Vec<i64> {
    let number = |change: &Change| match change {
        Change::Document(row) => row.seq as i64,
        Change::Deleted { seq, .. } => -(*seq as i64),
    };
    desk.changed_since(after, 1000).unwrap().iter().map(number).collect()
}
