//! Files attached to a PDF (section 7.11.4): those of the document, by name, and those of annotations.

use super::facts::{catalogue, items, string};
use super::{TOOL, bomb, caught};
use crate::document::{Doc, Inside, Memory};
use crate::output::{Output, Problem};
use daylight_model::reading::Stop;
use daylight_model::{FaultCode, Name, Stage};
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name as Word, ObjRef, Object, Stream, String as Bytes};
use std::borrow::Cow;
use std::collections::HashSet;

/// Files beyond this many are not read.
const MOST: usize = 10_000;
/// A file that is longer is not read.
const LONGEST: u64 = bomb::LONGEST;

/// All files that are attached.
#[derive(Default)]
pub(super) struct Files<'a> {
    found: Vec<Dict<'a>>,
    cut: bool,
}

/// Collects the files of the name tree, then those of annotations; each once.
pub(super) fn files<'a>(pdf: &'a Pdf, annotated: &[Dict<'a>]) -> Files<'a> {
    let mut files = Files::default();
    let root = catalogue(pdf).get::<Dict<'_>>(b"Names").and_then(|names| names.get::<Dict<'_>>(b"EmbeddedFiles"));
    let (mut waiting, mut nodes, mut seen) = (Vec::from_iter(root), HashSet::<ObjRef>::new(), HashSet::<ObjRef>::new());
    while let Some(node) = waiting.pop() {
        // Names and files by turns.
        for (_, item) in node.get::<Array<'_>>(b"Names").iter().flat_map(|names| items(names, pdf.xref())) {
            if let Object::Dict(file) = item {
                files.add(file, &mut seen);
            }
        }
        let kids = node.get::<Array<'_>>(b"Kids");
        let new = kids.iter().flat_map(Array::raw_iter).filter_map(|kid| kid.as_obj_ref()).filter(|kid| nodes.insert(*kid));
        let mut new: Vec<Dict<'_>> = new.take(MOST).filter_map(|kid| pdf.xref().get(kid.into())).collect();
        // The last is looked at first.
        new.reverse();
        waiting.extend(new);
    }
    for file in annotated {
        files.add(file.clone(), &mut seen);
    }
    files
}

impl<'a> Files<'a> {
    fn add(&mut self, file: Dict<'a>, seen: &mut HashSet<ObjRef>) {
        let again = embedded_reference(&file).is_some_and(|reference| !seen.insert(reference));
        if self.found.len() >= MOST {
            self.cut = true;
        } else if !again && file.contains_key(b"EF") {
            self.found.push(file);
        }
    }
}

/// Has all files read, whatever they are.
pub(super) fn read(out: &mut Output<'_>, index: u32, depth: u32, files: &Files<'_>, inside: &dyn Inside) -> Result<(), Stop> {
    for (ordinal, file) in (0..).zip(&files.found) {
        let mut doc = Doc::child(index, ordinal, depth + 1);
        doc.name = caught(|| name(file)).flatten();
        let stream = caught(|| embedded(file)).flatten();
        doc.claimed_type = stream.as_ref().and_then(|stream| caught(|| claimed_type(stream))).unwrap_or_default();
        let Some(bytes) = stream.and_then(|stream| caught(|| unpacked(&stream))).flatten() else {
            let why = format!("attached file {ordinal} does not unpack");
            out.fault(index, Problem::new(Stage::Split, FaultCode::Malformed, TOOL, why))?;
            continue;
        };
        if !out.spend(bytes.len()) {
            let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "the attached files from here on are past the budget");
            return out.fault(index, why.limit(out.budget()));
        }
        inside.read(out, doc, &Memory(&bytes))?;
    }
    if files.cut {
        let why = Problem::new(Stage::Split, FaultCode::TooMany, TOOL, "further attached files are not read");
        out.fault(index, why.limit(MOST as u64))?;
    }
    Ok(())
}

const KEYS: [&[u8]; 5] = [b"UF", b"F", b"Unix", b"DOS", b"Mac"];

fn embedded<'a>(file: &Dict<'a>) -> Option<Stream<'a>> {
    let streams = file.get::<Dict<'_>>(b"EF")?;
    KEYS.iter().find_map(|key| streams.get::<Stream<'_>>(key))
}

fn embedded_reference(file: &Dict<'_>) -> Option<ObjRef> {
    let streams = file.get::<Dict<'_>>(b"EF")?;
    KEYS.iter().find_map(|key| streams.get_ref(key))
}

fn name(file: &Dict<'_>) -> Option<Name> {
    let name = KEYS.iter().find_map(|key| file.get::<Bytes<'_>>(key))?;
    Some(Name(string(name.as_bytes()).into_bytes())).filter(|name| !name.0.is_empty())
}

fn claimed_type(stream: &Stream<'_>) -> String {
    let stated = stream.dict().get::<Word<'_>>(b"Subtype").map(|stated| stated.as_str().to_ascii_lowercase());
    stated.filter(|stated| stated.contains('/')).unwrap_or_default()
}

fn unpacked(stream: &Stream<'_>) -> Option<Vec<u8>> {
    if let Cow::Owned(decrypted) = stream.raw_data()
        && bomb::unpacked_length(&decrypted, LONGEST) > LONGEST
    {
        return None;
    }
    stream.decoded().ok().map(Cow::into_owned)
}
