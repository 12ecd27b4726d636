//! Records: what is published of one document, as canonical JSON.
//!
//! A field whose value is empty or unknown is absent. A reader skips fields that it does not know: their bytes are covered by the line's hash all
//! the same.

mod read;
mod write;

pub(crate) use read::Essentials;

use crate::json::JsonError;
use daylight_model::{Date, Digest, Fault, Kind, Name, PagePicture, Person, Verdict};

/// The longest record that stands in a manifest line, in bytes.
pub const MAX_RECORD: usize = 16 * 1024;

/// The longest record at all; what is longer than [`MAX_RECORD`] is in a file of its own.
pub const MAX_RECORD_FILE: u64 = 64 << 20;

/// The longest title in the line of a record that is in a file of its own, in bytes.
const MAX_STUB_TITLE: usize = 1024;

/// What is published of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its permanent number in its collection, 1 or more.
    pub number: u64,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Its title; a message's subject.
    pub title: String,
    /// The type of what it is, lower case without parameters; empty if unknown.
    pub media_type: String,
    /// The code of its language (ISO 639), empty if it is not known.
    pub language: String,
    /// Every date that it states, the best first.
    pub dates: Vec<Date>,
    /// Everybody it names.
    pub people: Vec<Person>,
    /// Where it stood inside of other published documents, and under which names.
    pub occurrences: Vec<Occurrence>,
    /// The number of the first document of its conversation, if it is in one.
    pub thread: Option<u64>,
    /// The number of the message that it answers, if that is published.
    pub answers: Option<u64>,
    /// What the publisher found of the signatures in its header, by the keys that it names; none where nobody looked.
    pub verdicts: Vec<Verdict>,
    /// What of it could not be read.
    pub faults: Vec<Fault>,
    /// Why this line replaces an earlier one for the same number; empty on the first.
    pub reason: String,
    /// What is published: the bytes, the text, the view.
    pub files: Vec<FileRef>,
}

/// Where a document stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The number of the document it stood in; `None` at the top, where only its name is known.
    pub parent: Option<u64>,
    /// Its place among that document's children, from 0.
    pub ordinal: u64,
    /// The name it had there.
    pub name: Option<Name>,
}

/// A published file: where its bytes are, and what they must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileRef {
    /// What it is of the document.
    pub role: Role,
    /// The serial of the release whose volume has it; older than the record's own where the bytes were published before.
    pub release: u64,
    /// Which volume of that release, from 0.
    pub volume: u32,
    /// Where in the volume its bytes begin (past the member's header).
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// Their type, lower case; parameters such as `; charset=utf-8` may follow.
    pub media_type: String,
}

/// What a published file is of its document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The original bytes, or the redacted ones in their stead.
    Raw,
    /// The text, UTF-8.
    Text,
    /// The sanitised view, HTML.
    View,
    /// The picture of a page.
    Page,
    /// The whole record, where it is too long for its line.
    Record,
    /// One that a newer version writes.
    Other(String),
}

impl Role {
    /// The word for it.
    pub fn word(&self) -> &str {
        match self {
            Role::Raw => "raw",
            Role::Text => "text",
            Role::View => "view",
            Role::Page => "page",
            Role::Record => "record",
            Role::Other(word) => word,
        }
    }

    /// The role of this word.
    pub fn of(word: &str) -> Self {
        match word {
            "raw" => Role::Raw,
            "text" => Role::Text,
            "view" => Role::View,
            "page" => Role::Page,
            "record" => Role::Record,
            other => Role::Other(other.to_owned()),
        }
    }
}

/// Why something is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not canonical JSON of this form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A value that no record can have.
    #[error("{0}")]
    Rule(&'static str),
    /// The record stands in a file of its own that does not fit to its line.
    #[error("the record's own file does not fit to its line in the manifest")]
    Stub,
}

impl Record {
    /// The canonical JSON. If it is longer than [`MAX_RECORD`], publish it as a file with role `record` and give [`Record::stub`] to the manifest.
    pub fn to_json(&self) -> Result<Vec<u8>, RecordError> {
        write::record(self)
    }

    /// Reads a record, from a line or from its own file.
    pub fn parse(json: &[u8]) -> Result<Self, RecordError> {
        read::record(json)
    }

    /// What stands in the line of a record that is too long for it: number, kind, the beginning of the title, and the file that has the rest.
    pub fn stub(&self, file: FileRef) -> Record {
        Record {
            number: self.number,
            kind: self.kind,
            title: stub_title(&self.title).to_owned(),
            media_type: String::new(),
            language: String::new(),
            dates: Vec::new(),
            people: Vec::new(),
            occurrences: Vec::new(),
            thread: None,
            answers: None,
            verdicts: Vec::new(),
            faults: Vec::new(),
            reason: String::new(),
            files: vec![FileRef { role: Role::Record, ..file }],
        }
    }

    /// The file that has the whole record, if this is a stub.
    pub fn own_file(&self) -> Option<&FileRef> {
        match self.files.as_slice() {
            [file] if file.role == Role::Record => Some(file),
            _ => None,
        }
    }

    /// The whole record behind this stub, read from the bytes of [`Record::own_file`]. Errors: they are not the record of this line.
    pub fn unfold(&self, json: &[u8]) -> Result<Record, RecordError> {
        let file = self.own_file().ok_or(RecordError::Stub)?;
        let whole = Record::parse(json)?;
        let fits = json.len() > MAX_RECORD && whole.files.iter().all(|f| f.role != Role::Record) && whole.stub(file.clone()) == *self;
        if fits { Ok(whole) } else { Err(RecordError::Stub) }
    }

    /// The first published file with this role.
    pub fn file(&self, role: &Role) -> Option<&FileRef> {
        self.files.iter().find(|file| file.role == *role)
    }

    /// The pictures of its pages, in the order of the pages, each page once.
    pub fn pages(&self) -> Vec<(PagePicture, &FileRef)> {
        let pictures = self.files.iter().filter(|file| file.role == Role::Page);
        let mut pages: Vec<_> = pictures.filter_map(|file| Some((PagePicture::parse(&file.media_type)?, file))).collect();
        pages.sort_by_key(|(picture, _)| picture.page);
        pages.dedup_by_key(|(picture, _)| picture.page);
        pages
    }

    /// The first document it stands in, if any.
    pub fn parent(&self) -> Option<u64> {
        self.occurrences.iter().find_map(|occurrence| occurrence.parent)
    }

    /// The best date, if any.
    pub fn date(&self) -> Option<&Date> {
        self.dates.first()
    }

    /// Every name it had, the first one first.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.occurrences.iter().filter_map(|occurrence| occurrence.name.as_ref())
    }
}

/// As many whole characters of a title as fit into the line of a stub.
fn stub_title(title: &str) -> &str {
    let mut end = title.len().min(MAX_STUB_TITLE);
    while !title.is_char_boundary(end) {
        end -= 1;
    }
    &title[..end]
}

#[cfg(test)]
mod tests;
