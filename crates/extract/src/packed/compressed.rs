//! Files compressed with gzip, bzip2, xz or zstd. Each is a container of one child; a tar in it is read as it unpacks, its entries as children of
//! the compressed file, so that one of any length takes little memory.

use super::stream::{self, Method};
use super::{LONGEST_NAME, Packed, Stretch, Unpacking, tar, unsafe_name};
use crate::document::{self, Doc, Inside, Resume, read_full};
use crate::output::{Output, Problem};
use daylight_model::reading::{Input, Place, Stop};
use daylight_model::{FaultCode, Kind, Name, Stage};
use std::io::Read;

pub(crate) const TOOL: &str = "compressed 1";

impl Method {
    pub(crate) fn media(self) -> &'static str {
        match self {
            Method::Gzip => "application/gzip",
            Method::Bzip2 => "application/x-bzip2",
            Method::Xz => "application/x-xz",
            Method::Zstd => "application/zstd",
        }
    }

    pub(crate) fn of(media: &str) -> Option<Self> {
        [Method::Gzip, Method::Bzip2, Method::Xz, Method::Zstd].into_iter().find(|method| method.media() == media)
    }
}

/// Reads a compressed file.
pub(crate) fn read(
    out: &mut Output<'_>,
    doc: Doc,
    method: Method,
    input: &(dyn Input + '_),
    resume: Resume,
    inside: &dyn Inside,
) -> Result<(), Stop> {
    let depth = doc.depth;
    let name = child_name(doc.name.as_ref(), method, input);
    let index = document::found(out, doc, Kind::Container, method.media(), "", input)?;
    let mut unpacked = stream::open(method, Box::new(Packed { stretch: Stretch::whole(input), at: 0 }));
    let mut head = Vec::new();
    // What goes wrong so early goes wrong again when the stream is begun anew for its one child.
    let _ = unpacked.by_ref().take(512).read_to_end(&mut head);
    if tar::begins(&head) {
        return tar::read_stream(out, index, depth, &mut head.chain(unpacked), resume, inside);
    }
    if resume.start > 0 {
        return out.counted(index, Some(1), 1, 0);
    }
    let mut unpacking = Unpacking::new(index, TOOL, inside);
    let mut doc = Doc::child(index, 0, depth + 1);
    let problems = name.as_ref().and_then(|name| unsafe_name(&name.0, TOOL)).into_iter().collect();
    doc.name = name;
    if resume.skip_first {
        doc.place = Place::Slice { of: index, offset: 0, length: input.length() };
        let why = Problem::new(Stage::Split, FaultCode::ReaderDied, TOOL, "it is kept as it stands packed");
        document::keep(out, doc, Kind::File, "application/octet-stream", input, why)?;
        unpacking.failed = 1;
    } else {
        let mut again = stream::open(method, Box::new(Packed { stretch: Stretch::whole(input), at: 0 }));
        unpacking.child(out, doc, &mut again, problems)?;
    }
    out.counted(index, Some(1), 1, unpacking.failed)?;
    out.cursor(index, 1)
}

/// The name that gzip's header gives, or the file's own without the ending that says how it is packed.
fn child_name(name: Option<&Name>, method: Method, input: &(dyn Input + '_)) -> Option<Name> {
    if let Some(name) = gzip_name(input).filter(|_| method == Method::Gzip) {
        return Some(name);
    }
    let name = name?;
    let file = name.0.rsplit(|b| *b == b'/').next().unwrap_or(&name.0);
    let dot = file.iter().rposition(|b| *b == b'.').filter(|dot| *dot > 0)?;
    let ending = match name.extension()?.as_str() {
        "gz" | "gzip" | "bz2" | "bz" | "xz" | "zst" | "zstd" => "",
        "tgz" | "tbz" | "tbz2" | "txz" | "tzst" => ".tar",
        "svgz" => ".svg",
        _ => return None,
    };
    Some(Name([&file[..dot], ending.as_bytes()].concat()))
}

/// RFC 1952, section 2.3.1: a name stands behind the extra field, in Latin-1, before a zero.
fn gzip_name(input: &(dyn Input + '_)) -> Option<Name> {
    let mut head = vec![0; 12 + 65_536 + LONGEST_NAME];
    let count = read_full(input, 0, &mut head).ok()?;
    let head = &head[..count];
    let flags = *head.get(3)?;
    let extra = if flags & 4 != 0 { 2 + usize::from(u16::from_le_bytes([*head.get(10)?, *head.get(11)?])) } else { 0 };
    let rest = head.get(10 + extra..).filter(|_| flags & 8 != 0)?;
    let name = &rest[..memchr::memchr(0, rest)?.min(LONGEST_NAME)];
    (!name.is_empty()).then(|| Name(name.iter().map(|b| char::from(*b)).collect::<String>().into_bytes()))
}
