//! What our readers make of a file.

use daylight_model::reading::{Event, Found, Input, Label, Place, Request, Sink, Stop, Task};
use daylight_model::{DateSource, Fault, MessageFacts, Name, Role};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

/// A folder or file of the corpora; `None` with a word about it where they are missing.
pub fn corpus(path: &str) -> Option<PathBuf> {
    let corpora = std::env::var_os("DAYLIGHT_CORPORA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora")), PathBuf::from);
    let path = corpora.join(path);
    if !path.exists() {
        println!("skipped: no corpora");
        return None;
    }
    Some(path)
}

/// Every file under a folder whose name ends so, in order.
pub fn files(folder: PathBuf, ending: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Everything that a reading said.
#[derive(Default)]
pub struct Reading {
    pub found: Vec<Found>,
    bytes: BTreeMap<u32, Vec<u8>>,
    pub texts: Vec<(u32, Label, String)>,
    pub faults: Vec<(u32, Fault)>,
    root: Vec<u8>,
}

impl Sink for Reading {
    fn event(&mut self, event: Event) -> Result<(), Stop> {
        match event {
            Event::Found(found) => self.found.push(found),
            Event::Bytes { index, bytes } => self.bytes.entry(index).or_default().extend(bytes),
            Event::Text { index, segment } => self.texts.push((index, segment.label, segment.text)),
            Event::Fault { index, fault } => self.faults.push((index, fault)),
            _ => {}
        }
        Ok(())
    }
}

struct Memory<'a>(&'a [u8]);

impl Input for Memory<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self.0)
    }
}

/// Reads a file of this name.
pub fn read(name: &str, bytes: &[u8]) -> Reading {
    let mut reading = Reading { root: bytes.to_vec(), ..Reading::default() };
    let task = Task::Read { start: 0, skip_first: false };
    let request = Request::new(task, Name::from(name), 4 << 30);
    daylight_extract::read(&request, &Memory(bytes), &mut reading).unwrap();
    reading
}

impl Reading {
    /// The original bytes of a document.
    pub fn original(&self, index: u32) -> &[u8] {
        match self.found[index as usize].place {
            Place::Whole => &self.root,
            Place::Slice { of, offset, length } => &self.original(of)[offset as usize..][..length as usize],
            Place::Follows => self.bytes.get(&index).map_or(&[], Vec::as_slice),
        }
    }

    /// The text of a document with this label.
    pub fn text(&self, index: u32, wanted: Label) -> String {
        let texts = self.texts.iter().filter(|(of, label, _)| *of == index && *label == wanted);
        texts.map(|(.., text)| text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The documents that stand in another.
    pub fn children(&self, index: u32) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(move |found| found.parent == Some(index))
    }
}

/// A message as we read it.
#[derive(Debug)]
pub struct Message {
    pub subject: String,
    /// Role, name and address.
    pub people: Vec<(Role, String, String)>,
    /// What the Date field says, in seconds since 1970.
    pub date: Option<i64>,
    pub id: String,
    pub references: Vec<String>,
    /// The words of its text that anybody sees.
    pub words: Vec<String>,
    pub attachments: Vec<Attachment>,
}

/// What stands in a message.
#[derive(Debug)]
pub struct Attachment {
    pub name: Option<String>,
    pub claimed: String,
    pub bytes: Vec<u8>,
    /// Its text, where it is text.
    pub words: Vec<String>,
    pub message: Option<Box<Message>>,
}

/// The words of a text.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The words of an HTML text that anybody sees.
pub fn html_words(html: &str) -> Vec<String> {
    // The mark at its beginning says that it is UTF-8, whatever it says itself.
    words(&read("x.html", format!("\u{feff}{html}").as_bytes()).text(0, Label::Body))
}

/// A document of a reading, if it is a message.
pub fn message(reading: &Reading, index: u32) -> Option<Message> {
    let facts: &MessageFacts = reading.found[index as usize].message.as_deref()?;
    let attachments = reading.children(index).map(|child| Attachment {
        name: child.name.as_ref().map(|name| String::from_utf8_lossy(&name.0).into_owned()),
        claimed: child.standing.claimed_type.clone(),
        bytes: reading.original(child.index).to_vec(),
        words: words(&reading.text(child.index, Label::Body)),
        message: message(reading, child.index).map(Box::new),
    });
    Some(Message {
        subject: facts.subject.clone(),
        people: facts.people.iter().map(|person| (person.role, person.name.clone(), person.address.clone())).collect(),
        date: facts.dates.iter().find(|date| date.source == DateSource::DateHeader).map(|date| date.seconds),
        id: facts.message_id.clone(),
        references: facts.references.clone(),
        words: words(&reading.text(index, Label::Body)),
        attachments: attachments.collect(),
    })
}
