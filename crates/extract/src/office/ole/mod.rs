//! The compound files of Office before 2007, and those of Outlook's messages.

mod art;
mod blips;
pub(super) mod build;
pub(super) mod cfb;
mod doc;
mod msg;
mod ppt;
mod publisher;
mod summary;
mod xls;

use super::flow::Flow;
use super::protected::{self, Opened};
use crate::document::{self, Doc, Inside, Memory};
use crate::office::bytes::{ansi, place_at, stretch};
use crate::output::{Output, Problem};
use cfb::Compound;
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use flate2::read::ZlibDecoder;
use std::io::Read;

pub(super) use doc::read_old as read_old_word;
pub(crate) use msg::html;

const TOOL: &str = "ole 1";
/// An embedded document that is packed is not unpacked beyond this many bytes.
const LARGEST: u64 = 64 << 20;

/// What a compound file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Word,
    Sheets,
    Slides,
    Outlook,
    /// A container around an encrypted file of the newer form.
    Encrypted,
    /// Something else, which may hold a file.
    Other,
}

/// Tells what a compound file is by its streams; `None` if it is none.
pub(crate) fn sort(bytes: &[u8]) -> Option<Sort> {
    let file = Compound::open(bytes)?;
    let known = [
        ("EncryptedPackage", Sort::Encrypted),
        ("EncryptionInfo", Sort::Encrypted),
        ("WordDocument", Sort::Word),
        ("Workbook", Sort::Sheets),
        ("Book", Sort::Sheets),
        ("PowerPoint Document", Sort::Slides),
        (ppt::FOUR, Sort::Slides),
        ("__properties_version1.0", Sort::Outlook),
    ];
    let found = known.into_iter().find(|(name, _)| file.find(Compound::ROOT, name).is_some());
    Some(found.map_or(Sort::Other, |(_, sort)| sort))
}

/// Reads a compound file.
pub(super) fn read(out: &mut Output<'_>, doc: Doc, media: &str, bytes: &[u8], inside: &dyn Inside) -> Result<(), Stop> {
    let depth = doc.depth;
    let (Some(sort), Some(file)) = (sort(bytes), Compound::open(bytes)) else {
        let why = Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "it is no compound file");
        return document::keep(out, doc, Kind::File, media, &Memory(bytes), why);
    };
    if sort == Sort::Outlook {
        return msg::read(out, doc, media, &file, bytes, inside);
    }
    let opened = protected::legacy(&mut out.keys, &file, sort);
    let index = document::found(out, doc, Kind::File, media, "", &Memory(bytes))?;
    let Opened { bytes: plain, property, problems } = match opened {
        Some(Ok(opened)) => opened,
        Some(Err(problem)) => {
            out.fault(index, problem)?;
            return summary_alone(out, index, &file);
        }
        None => Opened::default(),
    };
    if !out.spend(plain.len()) {
        let why = Problem::new(Stage::Read, FaultCode::TooLarge, TOOL, "without its password it is past the budget");
        return out.fault(index, why.limit(out.budget()));
    }
    let file = Compound::open(&plain).unwrap_or(file);
    let mut flow = Flow::new(out, index);
    let main = |name| file.top(name).unwrap_or_default();
    let publication = publisher::contents(&file);
    match sort {
        Sort::Word => doc::read(&mut flow, &file, &main("WordDocument"))?,
        Sort::Sheets => xls::read(&mut flow, &file)?,
        Sort::Slides => ppt::read(&mut flow, &file, &main("PowerPoint Document"))?,
        _ if publication.is_some() => publisher::read(&mut flow, &publication.unwrap_or_default())?,
        _ if packed_object(&file, Compound::ROOT).is_some() => (),
        _ => {
            let why = Problem::new(Stage::Read, FaultCode::NoReader, TOOL, "what it is made of is not read");
            flow.out.fault(index, why)?;
        }
    }
    flow.flush()?;
    summary::read(&mut flow, &file)?;
    if let Some(user) = ppt::last_user(&file) {
        flow.whole_line(Label::Property, &format!("last user: {user}"))?;
    }
    flow.whole_line(Label::Property, &property)?;
    flow.flush()?;
    let said = flow.said;
    problems.into_iter().try_for_each(|problem| out.fault(index, problem))?;
    let mut children = Children { out, index, depth, ordinal: 0, spent_out: false, inside };
    children.objects(&file)?;
    children.pictures(&file)?;
    let is_alone = children.ordinal == 0;
    say_short(out, index, &file)?;
    if !said && is_alone && !out.is_faulty(index) {
        let why = Problem::new(Stage::Read, FaultCode::NoReader, TOOL, "it has no text; what is drawn in it, if anything, is not read");
        return out.fault(index, why);
    }
    Ok(())
}

/// Of a document that is not opened the properties may stand open beside it.
fn summary_alone(out: &mut Output<'_>, index: u32, file: &Compound<'_>) -> Result<(), Stop> {
    let mut flow = Flow::new(out, index);
    summary::read(&mut flow, file)?;
    flow.flush()
}

/// What is not all there is said, whatever could be made of it.
fn say_short(out: &mut Output<'_>, index: u32, file: &Compound<'_>) -> Result<(), Stop> {
    if !file.is_short() {
        return Ok(());
    }
    out.fault(index, Problem::new(Stage::Read, FaultCode::Truncated, TOOL, "a stream of it is shorter than it should be"))
}

/// Documents in a document, numbered as they are found.
struct Children<'a, 'o> {
    out: &'a mut Output<'o>,
    index: u32,
    depth: u32,
    ordinal: u64,
    spent_out: bool,
    inside: &'a dyn Inside,
}

impl Children<'_, '_> {
    /// Embedded documents and macros.
    fn objects(&mut self, file: &Compound<'_>) -> Result<(), Stop> {
        let is_publication = publisher::contents(file).is_some();
        // A publication has a stream of that name which holds its pages.
        if let Some((name, bytes)) = packed_object(file, Compound::ROOT).filter(|_| !is_publication) {
            self.give(name, &bytes)?;
        }
        let is_of_publisher = |name: &str| publisher::OWN.iter().any(|own| own.eq_ignore_ascii_case(name));
        for storage in file.children(Compound::ROOT).iter().copied().filter(|entry| file.is_storage(*entry)) {
            let name = file.name(storage).to_ascii_lowercase();
            if name == "objectpool" {
                for object in file.children(storage).iter().copied().filter(|entry| file.is_storage(*entry)) {
                    self.object(file, object)?;
                }
            } else if name == "macros" || name.contains("vba") {
                let why = Problem::new(Stage::Read, FaultCode::NoReader, TOOL, "it holds macros, which are kept and not run");
                self.out.fault(self.index, why)?;
                self.object(file, storage)?;
            } else if name != "msodatastore" && !name.starts_with('\u{6}') && !(is_publication && is_of_publisher(&name)) {
                self.object(file, storage)?;
            }
        }
        for name in ["PowerPoint Document"] {
            let Some(stream) = file.top(name) else { continue };
            packed_storages(&stream, &mut |bytes| self.give(None, &bytes))?;
        }
        Ok(())
    }

    fn object(&mut self, file: &Compound<'_>, storage: usize) -> Result<(), Stop> {
        if self.spent_out {
            return Ok(());
        }
        if let Some((name, bytes)) = packed_object(file, storage) {
            return self.give(name, &bytes);
        }
        match build::build(file, storage, None, |_, data| data) {
            Some(bytes) => self.give(Some(file.name(storage).to_owned()), &bytes),
            None => {
                let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "an embedded document is too large to be taken out");
                self.out.fault(self.index, why)
            }
        }
    }

    fn pictures(&mut self, file: &Compound<'_>) -> Result<(), Stop> {
        for name in ["Pictures", "Data", "Workbook"] {
            let Some(stream) = file.top(name) else { continue };
            for picture in blips::pictures(&stream) {
                self.give(None, &picture)?;
            }
        }
        Ok(())
    }

    /// Has a document read.
    fn give(&mut self, name: Option<String>, bytes: &[u8]) -> Result<(), Stop> {
        if self.spent_out {
            return Ok(());
        }
        if !self.out.spend(bytes.len()) {
            self.spent_out = true;
            let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "the embedded documents from here on are past the budget");
            return self.out.fault(self.index, why.limit(self.out.budget()));
        }
        let name = name.map(|name| Name(name.into_bytes()));
        let doc = Doc { name, ..Doc::child(self.index, self.ordinal, self.depth + 1) };
        self.ordinal += 1;
        self.inside.read(self.out, doc, &Memory(bytes))
    }
}

/// The file that a storage wraps, where it is only that, with its name.
fn packed_object(file: &Compound<'_>, storage: usize) -> Option<(Option<String>, Vec<u8>)> {
    if let Some(native) = file.find(storage, "\u{1}Ole10Native") {
        return Some(native_file(&file.stream(native)));
    }
    let whole = ["Package", "CONTENTS"].into_iter().find_map(|name| file.find(storage, name))?;
    Some((None, file.stream(whole)))
}

/// A file as the packager wraps it: its label, its path, its bytes. Of other programs' data all is given.
pub(super) fn native_file(stream: &[u8]) -> (Option<String>, Vec<u8>) {
    let rest = |at: usize| stream.get(at..).unwrap_or_default();
    let string = |at: usize| memchr::memchr(0, rest(at)).map(|length| (ansi(&rest(at)[..length], 1252), at + length + 1));
    let wrapped = || {
        let (label, at) = string(6)?;
        let (_, at) = string(at)?;
        let at = at + 8 + place_at(stream, at + 4);
        let length = place_at(stream, at);
        let bytes = stretch(stream, at + 4, length);
        (length > 0 && bytes.len() == length).then(|| (Some(label).filter(|label| !label.is_empty()), bytes.to_vec()))
    };
    wrapped().unwrap_or_else(|| (None, stretch(stream, 4, place_at(stream, 0)).to_vec()))
}

/// The document in an object as RTF holds it ([MS-OLEDS] section 2.2.5): behind three names of its class, topic and item.
pub(super) fn legacy_object(bytes: &[u8]) -> (Option<String>, Vec<u8>) {
    let mut at = 8_usize;
    let package = stretch(bytes, 12, place_at(bytes, 8)).eq_ignore_ascii_case(b"package\0");
    for _ in 0..3 {
        at = at.saturating_add(4).saturating_add(place_at(bytes, at));
    }
    let length = place_at(bytes, at);
    let data = stretch(bytes, at.saturating_add(4), length);
    if data.is_empty() || data.len() < length {
        return (None, bytes.to_vec());
    }
    if package { native_file(&[&bytes[at..at + 4], data].concat()) } else { (None, data.to_vec()) }
}

/// The embedded documents in a presentation's records, unpacked one at a time ([MS-PPT] section 2.10.34).
fn packed_storages(stream: &[u8], each: &mut dyn FnMut(Vec<u8>) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut at = 0;
    while let Some(head) = stream.get(at..at + 8) {
        let data = stretch(stream, at + 8, place_at(head, 4));
        if head[2..4] == [0x11, 0x10] {
            let mut bytes = Vec::new();
            if head[0] & 0xf0 == 0x10 {
                // What breaks off is given as far as it goes.
                let _ =
                    ZlibDecoder::new(data.get(4..).unwrap_or_default()).take(LARGEST.min(stream.len() as u64 * 20)).read_to_end(&mut bytes);
            } else {
                bytes.extend_from_slice(data);
            }
            each(bytes)?;
        }
        at += 8 + data.len();
    }
    Ok(())
}
