//! One function for each target.

mod envelope;

use crate::make;
use daylight_archive::directory::{self, DirectoryFile, DirectoryNote, EPOCH_KEY};
use daylight_archive::log::{TilePath, parse_bundle};
use daylight_archive::note::Note;
use daylight_archive::policy::Policy;
use daylight_archive::release::ReleaseNote;
use daylight_archive::root::Root;
use daylight_archive::{Checkpoint, DocumentProof, Record, Signer, entry, json, manifest};
use daylight_dkim::import::{Provenance, import};
use daylight_envelope::{Codename, CodenameError};
use daylight_model::Name;
use daylight_model::reading::{Event, Input, LONGEST, Place, Request, Sink, Stop, Task};
use std::io;

/// Reads bytes, and panics if a rule is broken.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const ALL: &[(&str, Target)] = &[
    ("mail", |data| read("x.eml", data)),
    ("mbox", mbox),
    ("mime", mime),
    ("dates", |data| header("Date", data)),
    ("words", |data| header("Subject", data)),
    ("addresses", |data| header("To", data)),
    ("zip", |data| read("x.zip", &marked(b"PK\x03\x04", data))),
    ("tar", |data| read("x.tar", data)),
    ("gzip", |data| read("x.gz", &marked(b"\x1f\x8b\x08", data))),
    ("bzip2", |data| read("x.bz2", &marked(b"BZh", data))),
    ("seven", |data| read("x.7z", &marked(b"7z\xbc\xaf\x27\x1c", data))),
    ("rar", rar),
    ("pst", |data| read("x.pst", &marked(b"!BDN", data))),
    ("compound", |data| read("x.msg", &marked(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", data))),
    ("msg", |data| streams("x.msg", &["__properties_version1.0", "__substg1.0_1000001F", "__substg1.0_10090102"], data)),
    ("doc", |data| streams("x.doc", &["WordDocument", "1Table", "Data"], data)),
    ("xls", |data| streams("x.xls", &["Workbook"], data)),
    ("ppt", |data| streams("x.ppt", &["PowerPoint Document", "Current User", "Pictures"], data)),
    ("summary", |data| streams("x.xls", &["\u{5}SummaryInformation", "\u{5}DocumentSummaryInformation"], data)),
    ("tnef", |data| read("winmail.dat", &marked(b"\x78\x9f\x3e\x22", data))),
    ("rtf", |data| read("x.rtf", &marked(b"{\\rtf", data))),
    ("docx", |data| package("x.docx", "word/document.xml", data)),
    ("xlsx", |data| package("x.xlsx", "xl/worksheets/sheet1.xml", data)),
    ("pptx", |data| package("x.pptx", "ppt/slides/slide1.xml", data)),
    ("odt", open_document),
    ("xlsb", |data| package("x.xlsb", "xl/worksheets/sheet9.bin", data)),
    ("ppt95", |data| streams("x.ppt", &["PowerPoint Document"], &marked(b"\x03\0\0\0\xff\xff\0\0", data))),
    ("ppt4", |data| streams("x.ppt", &["PP40"], data)),
    ("word95", |data| streams("x.doc", &["WordDocument"], &marked(b"\xdc\xa5\x65\0", data))),
    ("emf", |data| read("x.emf", &marked(&EMF, data))),
    ("wmf", |data| read("x.wmf", &marked(b"\xd7\xcd\xc6\x9a", data))),
    ("word2", |data| read("x.doc", &marked(b"\xdb\xa5\x2d\0", data))),
    ("dbf", |data| read("x.dbf", data)),
    ("emlx", |data| read("x.emlx", data)),
    ("calendar", |data| read("x.ics", &marked(b"BEGIN:VCALENDAR\n", data))),
    ("pdf", |data| read("x.pdf", &marked(b"%PDF-", data))),
    ("page", page),
    ("picture", picture),
    ("html", |data| read("x.html", &marked(b"<html>", data))),
    ("view", view),
    ("text", |data| read("x.txt", data)),
    ("csv", |data| read("x.csv", data)),
    ("signatures", signatures),
    ("keys", keys),
    ("wire", daylight_sandbox::fuzzing::frames),
    ("query", query),
    ("note", note),
    ("archive", archive),
    ("directory", directory),
    ("hatch", daylight_intake::fuzzing::questions),
    ("multipart", multipart),
    ("stanza", envelope::stanza),
    ("sealed", envelope::sealed),
    ("submission", envelope::submission),
    ("reply", envelope::reply),
    ("codename", codename),
];

/// More than any seed unpacks to, and little enough that a bomb is no hang.
const BUDGET: u64 = 8 << 20;

/// What a reading said, as far as the rules of its events need it.
#[derive(Default)]
struct Heard {
    lengths: Vec<u64>,
    follows: Vec<bool>,
    cursor: Option<u64>,
    counted: u64,
}

impl Sink for Heard {
    fn event(&mut self, event: Event) -> Result<(), Stop> {
        let here = |index: u32, found: &[u64]| assert!((index as usize) < found.len(), "of a document that was not found");
        match event {
            Event::Found(found) => {
                assert_eq!(found.index as usize, self.lengths.len(), "numbers without gaps");
                assert!(found.parent.map_or(found.index == 0, |parent| parent < found.index), "a parent comes first");
                assert!(found.media_type.len() <= 255 && !found.media_type.contains(char::is_control), "{:?}", found.media_type);
                let length = match found.place {
                    Place::Whole => {
                        assert_eq!(found.index, 0);
                        self.counted
                    }
                    Place::Slice { of, offset, length } => {
                        assert!(of < found.index && offset + length <= self.lengths[of as usize], "a slice lies within its document");
                        length
                    }
                    Place::Follows => 0,
                };
                for date in found.message.iter().flat_map(|message| &message.dates) {
                    assert!((-10_000_000_000_000..=10_000_000_000_000).contains(&date.seconds), "a date that is stored: {date:?}");
                }
                self.follows.push(found.place == Place::Follows);
                self.lengths.push(length);
            }
            Event::Bytes { index, bytes } => {
                assert!(index as usize + 1 == self.lengths.len() && self.follows[index as usize] && bytes.len() <= LONGEST);
                self.lengths[index as usize] += bytes.len() as u64;
            }
            Event::Text { index, segment } => {
                here(index, &self.lengths);
                assert!(!segment.text.is_empty() && segment.text.len() <= LONGEST);
            }
            Event::Fault { index, fault } => {
                here(index, &self.lengths);
                assert!(fault.detail.len() <= 1000 && !fault.detail.contains(char::is_control), "{fault:?}");
            }
            Event::Counted { index, .. } | Event::Unlocked { index, .. } | Event::Words { index, .. } => here(index, &self.lengths),
            Event::Cursor(at) => self.cursor = self.cursor.or(Some(at)),
            Event::View(text) => assert!(text.len() <= LONGEST),
            Event::Unread { .. } | Event::Page { .. } => panic!("an answer to another question"),
        }
        Ok(())
    }
}

/// Bytes as a file has them, not all in memory.
struct OnDisk<'a>(&'a [u8]);

impl Input for OnDisk<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    fn in_memory(&self) -> Option<&[u8]> {
        None
    }
}

pub(crate) fn request(name: &str, task: Task) -> Request {
    Request::new(task, Name::from(name), BUDGET)
}

/// Reads a root file from its beginning, and a container once more from its first cursor, as after a crash.
fn read(name: &str, data: &[u8]) {
    let mut heard = Heard { counted: data.len() as u64, ..Heard::default() };
    daylight_extract::read(&request(name, Task::Read { start: 0, skip_first: false }), &OnDisk(data), &mut heard).unwrap();
    assert!(!heard.lengths.is_empty(), "the root is always found");
    if let Some(start) = heard.cursor {
        let mut again = Heard { counted: data.len() as u64, ..Heard::default() };
        daylight_extract::read(&request(name, Task::Read { start, skip_first: start % 2 == 1 }), &OnDisk(data), &mut again).unwrap();
        assert!(!again.lengths.is_empty());
    }
}

/// The data behind a format's mark, so that it is the format's reader that gets it.
fn marked(mark: &[u8], data: &[u8]) -> Vec<u8> {
    let rest = if data.starts_with(mark) { &data[mark.len()..] } else { data };
    [mark, rest].concat()
}

/// A RAR of either version, and what a program unpacked of it, if anything stands before the divider. Checksums of version 5 are made to hold.
fn rar(data: &[u8]) {
    let (tar, rar) = match data.windows(4).position(|four| four == DIVIDER) {
        Some(at) => (&data[..at], &data[at + 4..]),
        None => (&data[..0], data),
    };
    let mut rar = marked(b"Rar!\x1a\x07", rar);
    if rar.get(6) == Some(&1) {
        seal(&mut rar);
    }
    if tar.is_empty() {
        return read("x.rar", &rar);
    }
    let mut heard = Heard { counted: rar.len() as u64, ..Heard::default() };
    let task = Task::Read { start: 0, skip_first: false };
    let request = Request { unpacked: Some(tar.len() as u64), ..request("x.rar", task) };
    daylight_extract::read(&request, &OnDisk(&[tar, &rar].concat()), &mut heard).unwrap();
    assert!(!heard.lengths.is_empty(), "the root is always found");
}

/// Writes the checksum of each header, as far as they can be followed.
fn seal(rar: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = rar.get(at + 4).map(|byte| usize::from(*byte)) {
        let (start, end) = (at + 4, at + 5 + length);
        let Some(sealed) = rar.get(start..end).filter(|_| (2..0x80).contains(&length)) else { return };
        let (sum, has_data) = (make::crc32(sealed), sealed.get(2).is_some_and(|flags| flags & 2 != 0));
        let at_length = if sealed.get(2).is_some_and(|flags| flags & 1 != 0) { 4 } else { 3 };
        let data = if has_data { sealed.get(at_length).map_or(0, |byte| usize::from(*byte & 0x7f)) } else { 0 };
        rar[at..start].copy_from_slice(&sum.to_le_bytes());
        at = end + data;
    }
}

fn mbox(data: &[u8]) {
    read("x.mbox", &[b"From a@b Mon Jan  3 10:00:00 2005\n", data].concat());
}

fn mime(data: &[u8]) {
    let head = b"From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n";
    read("x.eml", &[head, data].concat());
}

fn header(field: &str, data: &[u8]) {
    read("x.eml", &[b"From: a@b\n", field.as_bytes(), b": ", data, b"\n\nx\n"].concat());
}

/// Streams of a compound file, divided by a mark that no format has.
fn streams(file: &str, names: &[&str], data: &[u8]) {
    let mut parts = Vec::new();
    let mut rest = data;
    for name in names {
        let end = rest.windows(4).position(|four| four == DIVIDER).unwrap_or(rest.len());
        parts.push((*name, &rest[..end]));
        rest = rest.get(end + 4..).unwrap_or_default();
    }
    read(file, &make::compound(&parts));
}

/// How an EMF begins.
pub const EMF: [u8; 44] = {
    let mut head = [0; 44];
    head[0] = 1;
    head[4] = 44;
    (head[40], head[41], head[42], head[43]) = (b' ', b'E', b'M', b'F');
    head
};

/// What stands between two streams in a seed.
pub const DIVIDER: &[u8] = b"\xde\xad\xbe\xef";

/// The parts that an Office document needs beside the one that is fuzzed.
const PARTS: &[(&str, &str)] = &[
    ("[Content_Types].xml", "<Types><Default Extension='xml' ContentType='application/xml'/></Types>"),
    ("xl/workbook.xml", "<workbook><sheets><sheet name='One' r:id='r1'/></sheets></workbook>"),
    (
        "xl/_rels/workbook.xml.rels",
        "<Relationships><Relationship Id='r1' Type='x/worksheet' Target='worksheets/sheet1.xml'/></Relationships>",
    ),
    ("xl/sharedStrings.xml", "<sst><si><r><t>sha</t></r><r><t>red</t></r></si></sst>"),
    ("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>"),
    ("ppt/presentation.xml", "<p:presentation><p:sldIdLst><p:sldId r:id='a'/></p:sldIdLst></p:presentation>"),
    ("ppt/_rels/presentation.xml.rels", "<Relationships><Relationship Id='a' Type='x/slide' Target='slides/slide1.xml'/></Relationships>"),
];

fn package(file: &str, part: &str, data: &[u8]) {
    let folder = &part[..part.find('/').unwrap_or(0)];
    let mut parts: Vec<(&str, &[u8])> = PARTS
        .iter()
        .filter(|(name, _)| name.starts_with(folder) || name.starts_with('['))
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    parts.push((part, data));
    read(file, &make::zip(&parts));
}

fn open_document(data: &[u8]) {
    let media = ["application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet"];
    let media = media[usize::from(data.first().is_some_and(|first| first % 2 == 1))];
    read("x.odt", &make::zip(&[("mimetype", media.as_bytes()), ("content.xml", data)]));
}

/// The content of a PDF's page.
fn page(data: &[u8]) {
    let content: String = data.iter().map(|byte| char::from(byte & 0x7f)).collect();
    let objects = [
        "<</Type /Catalog /Pages 2 0 R>>".to_owned(),
        "<</Type /Pages /Kids [4 0 R] /Count 1>>".to_owned(),
        "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>".to_owned(),
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources <</Font <</F 3 0 R>> /XObject <</X 5 0 R>>>> /Contents 5 0 R>>"
            .to_owned(),
        format!("<</Subtype /Form /Length {}>>\nstream\n{content}\nendstream", content.len()),
    ];
    read("x.pdf", &make::pdf(&objects));
}

fn picture(data: &[u8]) {
    let marks: [(&str, &[u8]); 7] = [
        ("x.jpg", b"\xff\xd8\xff"),
        ("x.png", b"\x89PNG\r\n\x1a\n"),
        ("x.gif", b"GIF89a"),
        ("x.tif", b"II*\0"),
        ("x.tif", b"MM\0*"),
        ("x.webp", b"RIFF"),
        ("x.bmp", b"BM"),
    ];
    if marks.iter().any(|(_, mark)| data.starts_with(mark)) {
        return read("x", data);
    }
    let (name, mark) = marks[usize::from(data.first().copied().unwrap_or(0)) % marks.len()];
    read(name, &marked(mark, data));
}

/// The sanitised view: whatever goes in, what comes out has no way to run, load or send anything.
fn view(data: &[u8]) {
    struct View(String);
    impl Sink for View {
        fn event(&mut self, event: Event) -> Result<(), Stop> {
            if let Event::View(text) = event {
                self.0.push_str(&text);
            }
            Ok(())
        }
    }
    let mut view = View(String::new());
    daylight_extract::read(&request("x.html", Task::View), &OnDisk(&marked(b"<html>", data)), &mut view).unwrap();
    crate::targets::check_view(&view.0);
}

/// Panics if a view has a tag or an attribute that none may have. It is looked at as plainly as can be: every `<` that is no text begins a tag.
pub fn check_view(view: &str) {
    for tag in view.split('<').skip(1) {
        let end = tag.find('>').expect("every tag ends");
        let inside = &tag[..end];
        let name: String = inside.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let bad = [
            "script", "style", "img", "svg", "math", "iframe", "object", "embed", "form", "input", "meta", "base", "link", "template",
            "noscript",
        ];
        assert!(!name.is_empty() && !bad.contains(&name.as_str()), "a tag {inside:?}");
        for attribute in inside[name.len()..].split('"').step_by(2) {
            let attribute = attribute.trim().trim_end_matches('=');
            let good = ["", "/", "href", "rel", "colspan", "rowspan", "start", "type", "span", "dir", "lang"];
            assert!(inside.starts_with('/') || good.contains(&attribute), "an attribute {attribute:?} in {inside:?}");
        }
        if let Some((_, href)) = inside.split_once("href=\"") {
            let scheme = href.to_ascii_lowercase();
            assert!(["http:", "https:", "mailto:"].iter().any(|good| scheme.starts_with(good)), "a link {href:?}");
        }
    }
}

fn signatures(data: &[u8]) {
    let read = daylight_dkim::read(data);
    let record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let key = |name: &str| daylight_model::SignatureKey {
        name: name.into(),
        record: record.into(),
        source: String::new(),
        seen: None,
        exposed: false,
    };
    for verdict in daylight_dkim::judge(&read.signatures, Some(1_600_000_000), &mut |name| vec![key(name)]) {
        assert!(!verdict.sentence().is_empty() && !verdict.sentence().contains(char::is_control));
    }
}

fn keys(data: &[u8]) {
    let imported = import("sel._domainkey.example.org.txt", data, &Provenance::default());
    for key in imported.keys.into_iter().take(20) {
        let message = b"From: a@b\r\nDKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=sel; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n\r\n";
        let read = daylight_dkim::read(message);
        assert_eq!(daylight_dkim::judge(&read.signatures, None, &mut |_| vec![key.clone()]).len(), 1);
    }
}

fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match daylight_index::query::parse(text) {
        Ok(query) => drop((query.explain(), query.is_everything())),
        Err(mistake) => assert!(mistake.at.start <= mistake.at.end && text.get(mistake.at.clone()).is_some(), "{mistake:?}"),
    }
}

fn note(data: &[u8]) {
    let signer = Signer::from_text("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").unwrap();
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_bytes(), data, "what was read is what is written");
        let _ = (note.require(&[signer.key()], 1), note.refuse_stray(&[signer.key()]));
        let _ = (Checkpoint::parse_text(note.text()), ReleaseNote::parse_text(note.text()));
    }
}

/// The keys of a directory that is made here: by their numbers, so that whoever has the number has the key.
pub(crate) fn epoch_key(number: u8) -> Vec<u8> {
    vec![number; EPOCH_KEY]
}

/// A directory's file as it is, and one whose note is the input: its keys are found by their hashes, so that a fuzzer need not guess those.
fn directory(data: &[u8]) {
    if let Ok(file) = directory::parse(data) {
        whole(&file, data);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(told) = DirectoryNote::parse_text(text) {
        assert_eq!(told.text().unwrap(), text, "what was read is what is written");
    }
    let Ok(note) = Note::parse(data) else { return };
    let Ok(told) = DirectoryNote::parse_text(note.text()) else { return };
    let known: Vec<(daylight_model::Digest, Vec<u8>)> =
        (0..=255).map(|number| (daylight_model::Digest::of(&epoch_key(number)), epoch_key(number))).collect();
    let key = |digest| known.iter().find(|(known, _)| known == digest).map_or(vec![0; EPOCH_KEY], |(_, key)| key.clone());
    let keys: Vec<u8> = told.epochs.iter().flatten().flat_map(key).collect();
    if let Ok(file) = DirectoryFile::new(note, keys) {
        let bytes = file.to_bytes();
        whole(&directory::parse(&bytes).unwrap(), &bytes);
    }
}

fn whole(file: &DirectoryFile, bytes: &[u8]) {
    assert_eq!(file.to_bytes(), bytes, "what was read is what is written");
    let (first, last) = (file.told.first, file.told.last());
    assert!((first..=last).all(|day| file.keys(day).len() == file.told.members.len()));
    assert!(file.keys(last + 1).is_empty() && file.keys(first.wrapping_sub(1)).is_empty());
}

fn archive(data: &[u8]) {
    let _ = (Root::parse(data), DocumentProof::parse(data), entry::Entry::parse(data), parse_bundle(data), Record::parse(data));
    if let Ok(object) = json::read_object(data) {
        assert_eq!(json::write(&object.into()).unwrap(), data, "canonical JSON is one form");
    }
    if let Some(line) = manifest::RawLine::parse(data) {
        assert_eq!(line.to_bytes().trim_ascii_end(), data.trim_ascii_end());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = (Checkpoint::parse_text(text), ReleaseNote::parse_text(text), Policy::parse(text), TilePath::parse(text));
        let _ = text.parse::<daylight_archive::Key>();
    }
}

/// A form of a source's page: read alike in whatever pieces it comes, and no field ends without having begun.
fn multipart(data: &[u8]) {
    let Some((piece, form)) = data.split_first() else { return };
    let whole = read_form(form, form.len());
    assert_eq!(read_form(form, usize::from(*piece) + 1), whole);
}

type Fields = Vec<(daylight_intake::multipart::Field, Vec<u8>)>;

fn read_form(form: &[u8], piece: usize) -> Result<Fields, daylight_intake::multipart::FormError> {
    use daylight_intake::multipart::{Event, FormError, Multipart};
    let mut reader = Multipart::new("b");
    let (mut fields, mut open) = (Fields::new(), false);
    for piece in form.chunks(piece.max(1)) {
        reader.push(piece, |event| {
            match event {
                Event::Field(field) => {
                    assert!(!std::mem::replace(&mut open, true));
                    fields.push((field, Vec::new()));
                }
                Event::Data(bytes) => {
                    assert!(open && !bytes.is_empty());
                    fields.last_mut().unwrap().1.extend_from_slice(bytes);
                }
                Event::End => assert!(std::mem::replace(&mut open, false)),
            }
            Ok::<_, FormError>(())
        })?;
    }
    reader.finish().map(|()| fields)
}

fn codename(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Codename::parse(&text) {
        Ok(codename) => {
            let words = codename.words();
            assert_eq!(*Codename::parse(&words).expect("its own words").words(), *words);
        }
        Err(CodenameError::Unknown(places) | CodenameError::Slip(places)) => {
            assert!(!places.is_empty() && places.iter().all(|place| (1..=10).contains(place)));
        }
        Err(CodenameError::Count(_) | CodenameError::Checksum) => {}
    }
}
