//! What was put upon the pages: annotations and what is filled into forms (sections 12.5 and 12.7).

use super::facts::{between_tags, catalogue, items, string};
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, ObjRef, Object, Stream, String as Bytes};
use hayro_interpret::hayro_syntax::page::Page;
use std::collections::HashSet;

/// Annotations and fields of a document beyond this many are not read.
pub(super) const MOST: usize = 100_000;
/// A field's name has parts up to this depth.
const DEEPEST: usize = 20;

/// Goes through the pages and remembers what must not be said twice.
#[derive(Default)]
pub(super) struct Marks<'a> {
    left: Option<usize>,
    fields: HashSet<ObjRef>,
    attached: Vec<Dict<'a>>,
}

impl<'a> Marks<'a> {
    /// The comments and the filled-in fields of a page, a line each.
    pub(super) fn on_page(&mut self, page: &Page<'a>) -> (String, String) {
        let (mut comments, mut form) = (String::new(), String::new());
        let Some(annotations) = page.raw().get::<Array<'a>>(b"Annots") else { return (comments, form) };
        for (reference, annotation) in items(&annotations, page.xref()) {
            if !self.take() {
                break;
            }
            let Some(annotation) = annotation.into_dict() else { continue };
            match annotation.get::<Name<'_>>(b"Subtype").as_deref() {
                Some(b"Widget") => {
                    self.fields.extend(reference.into_iter().chain(annotation.get_ref(b"Parent")));
                    form.extend(field(&annotation));
                }
                Some(b"Popup" | b"Link") | None => (),
                Some(kind) => {
                    comments.extend(comment(&annotation));
                    if kind == b"FileAttachment" {
                        self.attached.extend(annotation.get::<Dict<'a>>(b"FS"));
                    }
                }
            }
        }
        (comments, form)
    }

    /// Fields that no page shows, and the data of an XFA form.
    pub(super) fn fields_on_no_page(&mut self, pdf: &'a Pdf) -> String {
        let mut text = String::new();
        let Some(form) = catalogue(pdf).get::<Dict<'_>>(b"AcroForm") else { return text };
        let mut waiting: Vec<Dict<'_>> = Vec::new();
        let mut next = form.get::<Array<'_>>(b"Fields");
        loop {
            for (reference, kid) in next.iter().flat_map(|kids| items(kids, pdf.xref())) {
                let seen = reference.is_some_and(|reference| !self.fields.insert(reference));
                if !self.take() {
                    return text;
                }
                waiting.extend(kid.into_dict().filter(|_| !seen));
            }
            let Some(field_or_group) = waiting.pop() else { break };
            next = field_or_group.get::<Array<'_>>(b"Kids");
            text.extend(field(&field_or_group).filter(|_| field_or_group.contains_key(b"V")));
        }
        text + &xfa(&form)
    }

    /// The file specifications of annotations that hold a file.
    pub(super) fn attached(&self) -> &[Dict<'a>] {
        &self.attached
    }

    /// Whether there was more than is read.
    pub(super) fn cut(&self) -> bool {
        self.left == Some(0)
    }

    fn take(&mut self) -> bool {
        let left = self.left.unwrap_or(MOST);
        self.left = Some(left.saturating_sub(1));
        left > 0
    }
}

/// What an annotation says, and who says it.
fn comment(annotation: &Dict<'_>) -> Option<String> {
    let text = |key: &[u8]| annotation.get::<Bytes<'_>>(key).map(|text| string(text.as_bytes())).filter(|text| !text.trim().is_empty());
    let contents = text(b"Contents");
    let about = [text(b"T"), text(b"Subj")].into_iter().flatten().collect::<Vec<_>>().join(", ");
    match (contents, about.is_empty()) {
        (Some(contents), true) => Some(format!("{contents}\n")),
        (Some(contents), false) => Some(format!("{about}: {contents}\n")),
        (None, _) => None,
    }
}

/// A field's name, with those of the groups it is in, and its value.
fn field(field: &Dict<'_>) -> Option<String> {
    let (mut names, mut value) = (Vec::new(), None);
    let mut at = Some(field.clone());
    for _ in 0..DEEPEST {
        let Some(here) = at else { break };
        names.extend(here.get::<Bytes<'_>>(b"T").map(|name| string(name.as_bytes())));
        value = value.or_else(|| here.get::<Object<'_>>(b"V"));
        at = here.get::<Dict<'_>>(b"Parent");
    }
    names.reverse();
    let value = value_text(value?)?;
    Some(format!("{}: {}\n", names.join("."), value.trim()))
}

fn value_text(value: Object<'_>) -> Option<String> {
    let text = match value {
        Object::String(text) => string(text.as_bytes()),
        // A box that was not ticked.
        Object::Name(name) if name.as_ref() == b"Off" => return None,
        Object::Name(name) => name.as_str().to_owned(),
        Object::Array(values) => {
            let texts: Vec<String> = values.iter::<Bytes<'_>>().take(MOST).map(|text| string(text.as_bytes())).collect();
            texts.join(", ")
        }
        Object::Stream(stream) => string(&stream.decoded_data().ok()?),
        _ => return None,
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

/// What was filled into an XFA form: its packet `datasets`, or that part of the whole.
fn xfa(form: &Dict<'_>) -> String {
    let mut packet = form.get::<Stream<'_>>(b"XFA");
    if let Some(packets) = form.get::<Array<'_>>(b"XFA") {
        let mut is_next = false;
        for object in packets.iter::<Object<'_>>().take(100) {
            match object {
                Object::String(name) => is_next = name.as_bytes() == b"datasets",
                Object::Stream(stream) if is_next => packet = Some(stream),
                _ => (),
            }
        }
    }
    let Some(bytes) = packet.and_then(|packet| packet.decoded_data().ok()) else { return String::new() };
    let start = memchr::memmem::find(&bytes, b"<xfa:data").unwrap_or(bytes.len());
    let end = memchr::memmem::find(&bytes[start..], b"</xfa:datasets").map_or(bytes.len(), |length| start + length);
    between_tags(&bytes[start..end]).into_iter().flat_map(|value| [value, "\n".into()]).collect()
}
