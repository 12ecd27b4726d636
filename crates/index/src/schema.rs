//! The fields of the index, and how an entry becomes their values.

use crate::words::{ADDRESS, Also, Words};
use crate::{Entry, family};
use daylight_model::{Kind, Name, Person, Role};
use tantivy::schema::document::{Document, ReferenceValue, ReferenceValueLeaf, Value};
use tantivy::schema::{BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{RawTokenizer, TextAnalyzer, TokenizerManager};

/// The number of this layout: indexes of another are built anew.
pub(crate) const VERSION: &str = "daylight-index 4\n";

pub(crate) const DATE: &str = "date";
pub(crate) const SEQ: &str = "seq";
pub(crate) const LOCATOR: &str = "locator";
pub(crate) const FAMILY: &str = "family";
pub(crate) const SENDER: &str = "sender";
pub(crate) const COLLECTION: &str = "collection";

/// What stands in `flags`.
pub(crate) const ATTACHMENT: &str = "attachment";
pub(crate) const UNREADABLE: &str = "unreadable";
/// A further part of a document's text, which stands for nothing by itself.
pub(crate) const PART: &str = "part";
/// Before each word about signatures.
pub(crate) const SIGNATURE: &str = "dkim:";
/// Before the code of the language.
pub(crate) const LANGUAGE: &str = "lang:";

const PLAIN: &str = "words";
const WHOLE: &str = "words-whole";
const PEOPLE: &str = "words-address";
const RAW: &str = "raw";

/// The longest name, key or address that is kept for asking by it as a whole.
const LONGEST_RAW: usize = 1024;
/// The columns of a digest: its first 64 bits and the next. 128 bits tell documents apart. They stand in columns, which are looked through from end
/// to end when somebody asks for one (a second for a thousand million documents), because a dictionary of random strings is the dearest part of an
/// index to write.
pub(crate) const DIGEST: [&str; 2] = ["sha256", "sha256-next"];

/// The fields that are asked by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) body: Field,
    pub(crate) title: Field,
    pub(crate) from: Field,
    pub(crate) to: Field,
    pub(crate) cc: Field,
    /// Everybody, in whatever role.
    pub(crate) reply: Field,
    pub(crate) file: Field,
    pub(crate) kind: Field,
    pub(crate) flags: Field,
    pub(crate) collection: Field,
    digest: [Field; 2],
    pub(crate) key: Field,
    pub(crate) thread: Field,
    pub(crate) parent: Field,
    pub(crate) seq: Field,
    pub(crate) date: Field,
    locator: Field,
    family: Field,
    sender: Field,
}

impl Fields {
    /// The layout, always the same.
    pub(crate) fn new() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let words = |tokenizer| {
            let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(IndexRecordOption::WithFreqsAndPositions);
            TextOptions::default().set_indexing_options(indexing)
        };
        let raw = || {
            let indexing = TextFieldIndexing::default().set_tokenizer(RAW).set_index_option(IndexRecordOption::Basic).set_fieldnorms(false);
            TextOptions::default().set_indexing_options(indexing)
        };
        let fields = Self {
            body: schema.add_text_field("body", words(PLAIN)),
            title: schema.add_text_field("title", words(PLAIN)),
            from: schema.add_text_field("from", words(PEOPLE)),
            to: schema.add_text_field("to", words(PEOPLE)),
            cc: schema.add_text_field("cc", words(PEOPLE)),
            reply: schema.add_text_field("reply", words(PEOPLE)),
            file: schema.add_text_field("file", words(WHOLE)),
            kind: schema.add_text_field("type", raw()),
            flags: schema.add_text_field("flags", raw()),
            collection: schema.add_text_field(COLLECTION, raw().set_fast(RAW)),
            digest: DIGEST.map(|name| schema.add_u64_field(name, NumericOptions::default().set_fast())),
            key: schema.add_text_field("key", raw()),
            thread: schema.add_text_field("thread", raw()),
            parent: schema.add_text_field("parent", raw()),
            seq: schema.add_u64_field(SEQ, NumericOptions::default().set_indexed().set_fast()),
            date: schema.add_i64_field(DATE, NumericOptions::default().set_fast()),
            locator: schema.add_bytes_field(LOCATOR, BytesOptions::default().set_fast()),
            family: schema.add_text_field(FAMILY, TextOptions::default().set_fast(RAW)),
            sender: schema.add_text_field(SENDER, TextOptions::default().set_fast(RAW)),
        };
        (schema.build(), fields)
    }
}

/// The tokenizers that the layout names.
pub(crate) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::new();
    tokenizers.register(PLAIN, TextAnalyzer::builder(Words::and(Also::Nothing)).build());
    tokenizers.register(WHOLE, TextAnalyzer::builder(Words::and(Also::Whole)).build());
    tokenizers.register(PEOPLE, TextAnalyzer::builder(Words::and(Also::Address)).build());
    tokenizers.register(RAW, RawTokenizer::default());
    // The engine looks this one up for fields that have no words.
    tokenizers.register("default", RawTokenizer::default());
    tokenizers
}

/// A value on its way into the index.
#[derive(Debug)]
pub(crate) enum Cell {
    Text(String),
    Bytes(Vec<u8>),
    Number(u64),
    Signed(i64),
}

impl<'a> Value<'a> for &'a Cell {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match self {
            Cell::Text(text) => ReferenceValueLeaf::Str(text),
            Cell::Bytes(bytes) => ReferenceValueLeaf::Bytes(bytes),
            Cell::Number(number) => ReferenceValueLeaf::U64(*number),
            Cell::Signed(number) => ReferenceValueLeaf::I64(*number),
        })
    }
}

/// An entry on its way into the index. `T` is dropped with it.
#[derive(Debug)]
pub(crate) struct Row<T> {
    cells: Vec<(Field, Cell)>,
    _ticket: T,
}

type Borrowed<'a> = fn(&'a (Field, Cell)) -> (Field, &'a Cell);

impl<T: Send + Sync + 'static> Document for Row<T> {
    type Value<'a> = &'a Cell;
    type FieldsValuesIter<'a> = std::iter::Map<std::slice::Iter<'a, (Field, Cell)>, Borrowed<'a>>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        self.cells.iter().map(|(field, cell)| (*field, cell))
    }
}

/// The values of an entry. The ticket is dropped once they have been indexed.
pub(crate) fn row<T>(fields: &Fields, mut entry: Entry<'_>, ticket: T) -> Row<T> {
    let mut cells = Vec::with_capacity(24 + entry.texts.len() + 2 * entry.people.len());
    cells.extend(std::mem::take(&mut entry.texts).into_iter().map(|piece| (fields.body, Cell::Text(piece))));
    let entry = &entry;
    let mut text = |field, text: &str| cells.push((field, Cell::Text(text.to_owned())));
    text(fields.title, entry.title);
    for name in entry.names {
        text(fields.file, name);
    }
    for collection in entry.collections {
        text(fields.collection, raw(collection));
    }
    if !entry.key.is_empty() {
        text(fields.key, raw(entry.key));
    }
    text(fields.family, family::of(entry.kind, entry.media_type));
    let singles = [(fields.thread, entry.thread), (fields.parent, entry.parent)];
    singles.into_iter().filter_map(|(f, value)| Some((f, value?))).for_each(|(f, value)| text(f, raw(value)));
    for (flag, set) in [(ATTACHMENT, entry.has_attachment), (UNREADABLE, entry.unreadable)] {
        if set {
            text(fields.flags, flag);
        }
    }
    if !entry.language.is_empty() {
        text(fields.flags, raw(&format!("{LANGUAGE}{}", entry.language)));
    }
    for word in entry.signatures {
        text(fields.flags, raw(&format!("{SIGNATURE}{word}")));
    }
    if let Some(sender) = sender(entry.people) {
        text(fields.sender, &sender);
    }
    cells.extend(types(entry).into_iter().map(|word| (fields.kind, Cell::Text(word))));
    people(fields, entry.people, &mut cells);
    cells.push((fields.seq, Cell::Number(entry.seq)));
    if let Some(digest) = &entry.digest {
        let words = digest.0.as_chunks::<8>().0;
        cells.extend(fields.digest.into_iter().zip(words).map(|(field, word)| (field, Cell::Number(u64::from_be_bytes(*word)))));
    }
    cells.extend(entry.date.map(|date| (fields.date, Cell::Signed(date))));
    cells.push((fields.locator, Cell::Bytes(entry.locator.to_vec())));
    Row { cells, _ticket: ticket }
}

/// The values of a further part of a document's text: what finds it, and which part it is.
pub(crate) fn part_row<T>(fields: &Fields, seq: u64, part: u64, texts: Vec<String>, ticket: T) -> Row<T> {
    let mut cells: Vec<_> = texts.into_iter().map(|piece| (fields.body, Cell::Text(piece))).collect();
    cells.push((fields.flags, Cell::Text(PART.to_owned())));
    cells.push((fields.seq, Cell::Number(seq)));
    cells.push((fields.locator, Cell::Bytes(part.to_be_bytes().to_vec())));
    Row { cells, _ticket: ticket }
}

/// The beginning of a value that is asked for as a whole, the same here and in queries.
pub(crate) fn raw(text: &str) -> &str {
    if text.len() <= LONGEST_RAW { text } else { &text[..text.floor_char_boundary(LONGEST_RAW)] }
}

fn people(fields: &Fields, people: &[Person], cells: &mut Vec<(Field, Cell)>) {
    for person in people {
        let field = match person.role {
            Role::From | Role::Sender => fields.from,
            Role::To => fields.to,
            Role::Cc | Role::Bcc => fields.cc,
            Role::ReplyTo => fields.reply,
        };
        cells.push((field, Cell::Text(format!("{}{ADDRESS}{}", person.name, person.address))));
    }
}

/// Who wrote it, in the form that `from:` finds.
fn sender(people: &[Person]) -> Option<String> {
    let person = people.iter().find(|p| p.role == Role::From).or_else(|| people.iter().find(|p| p.role == Role::Sender))?;
    let name = if person.address.trim().is_empty() { person.name.trim().to_owned() } else { crate::words::whole(&person.address) };
    (!name.is_empty()).then(|| raw(&name).to_owned())
}

/// Everything that `type:` finds it by: what sort of thing it is, its media type whole and in halves, its family, the extensions of its names.
fn types(entry: &Entry<'_>) -> Vec<String> {
    let mut words = vec![entry.kind.word().to_owned(), family::of(entry.kind, entry.media_type).to_owned()];
    words.extend([entry.media_type].into_iter().chain(entry.media_type.split('/')).map(|part| raw(part).to_lowercase()));
    if entry.kind != Kind::Message {
        words.extend(entry.names.iter().filter_map(|name| Name::from(name.as_str()).extension()));
    }
    words.retain(|word| !word.is_empty());
    words.sort_unstable();
    words.dedup();
    words
}
