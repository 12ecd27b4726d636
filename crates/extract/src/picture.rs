//! Pictures: how large they are, and what a camera or a program wrote into them. Reading unpacks no pixel, so that a picture which would be too large to
//! hold costs as little as any. The words in a picture are for those who recognise them, who are given its pixels.
//!
//! What is found is text with [`Label::Property`], which is searched on the desk and never published.

mod draw;
mod exif;
mod forms;

use crate::document::{self, Doc, read_full};
use crate::output::{Output, Problem};
use daylight_model::reading::{Drawn, Input, Label, Stop};
use daylight_model::{FaultCode, Kind, Stage};
use std::io;

pub(crate) const TOOL: &str = "picture 2";
/// No property is longer.
const LONGEST: usize = 64 << 10;
/// Properties beyond this many are left out.
const MOST: usize = 500;
/// With fewer pixels, or a side of fewer than the second number, a picture is an icon, a line or a mark that counts who looks: no words fit in it.
const SMALL: u64 = 6_000;
const THIN: u32 = 16;

/// Whether this is a media type that is read here.
pub(crate) fn is_read(media: &str) -> bool {
    matches!(media, "image/jpeg" | "image/png" | "image/gif" | "image/tiff" | "image/webp" | "image/heic" | "image/avif" | "image/bmp")
}

/// Reads what a picture says of itself.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, media: &str, input: &(dyn Input + '_)) -> Result<(), Stop> {
    let index = document::found(out, doc, Kind::File, media, "", input)?;
    let mut seen = Seen::default();
    let result = forms::read(media, input, &mut seen);
    let mut lines = String::new();
    if let Some((width, height)) = seen.size {
        // Said here, since a fault for each icon of each message would bury those that matter.
        let small = if is_small(width, height) { ", too small to hold words" } else { "" };
        lines.push_str(&format!("size: {width} x {height}{small}\n"));
    }
    if seen.pages > 1 {
        lines.push_str(&format!("pages: {}\n", seen.pages));
    }
    for (name, value) in &seen.properties {
        lines.push_str(&format!("{name}: {value}\n"));
    }
    out.text(index, Label::Property, lines)?;
    if seen.left_out {
        out.fault(index, Problem::new(Stage::Read, FaultCode::TooMany, TOOL, "further properties are left out").limit(MOST as u64))?;
    }
    let broken = match &result {
        Err(error) if error.kind() != io::ErrorKind::InvalidData && error.kind() != io::ErrorKind::UnexpectedEof => {
            return out.fault(index, Problem::new(Stage::Read, FaultCode::Unreadable, TOOL, error.kind().to_string()));
        }
        result => result.is_err() || seen.size.is_none(),
    };
    if broken {
        let why = "a picture that breaks off or breaks its format's rules";
        out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, why))?;
    }
    match seen.size {
        Some((width, height)) if is_small(width, height) => Ok(()),
        Some(_) if is_drawn(media) => out
            .fault(index, Problem::new(Stage::Read, FaultCode::NeedsRecognition, TOOL, "a picture: it has no text until it is recognised")),
        Some(_) => out.fault(
            index,
            Problem::new(Stage::Read, FaultCode::NoReader, TOOL, "a picture of a format that is not unpacked: its words are not read"),
        ),
        None => Ok(()),
    }
}

/// Whether no words fit in a picture of this size.
fn is_small(width: u32, height: u32) -> bool {
    u64::from(width) * u64::from(height) < SMALL || width < THIN || height < THIN
}

/// Whether pictures of this media type are drawn.
pub(crate) fn is_drawn(media: &str) -> bool {
    draw::format(media).is_some()
}

/// How many pages a picture has that may hold words.
pub(crate) fn pages(media: &str, input: &(dyn Input + '_)) -> u32 {
    if media == "image/tiff" { exif::page_starts(input).len() as u32 } else { 1 }
}

/// Draws pages of a picture.
pub(crate) fn draw(out: &mut Output<'_>, media: &str, bytes: &[u8], numbers: &[u32], form: Drawn) -> Result<(), Stop> {
    draw::format(media).map_or(Ok(()), |format| draw::draw(out, format, bytes, numbers, form))
}

/// What was seen of a picture.
#[derive(Default)]
struct Seen {
    size: Option<(u32, u32)>,
    pages: u32,
    properties: Vec<(String, String)>,
    left_out: bool,
}

impl Seen {
    /// The first statement of a size is the picture's; others are those of its thumbnails.
    fn size(&mut self, width: u32, height: u32) {
        self.size.get_or_insert((width, height));
    }

    fn say(&mut self, name: &str, value: &str) {
        let value = value.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        if value.is_empty() || self.properties.iter().any(|(known, said)| known == name && said == value) {
            return;
        }
        if self.properties.len() >= MOST {
            self.left_out = true;
            return;
        }
        let cut = value.floor_char_boundary(LONGEST);
        self.left_out |= cut < value.len();
        self.properties.push((name.to_owned(), value[..cut].replace(|c: char| c.is_control(), " ")));
    }
}

/// As many bytes as there are, at most `length`.
fn bytes(input: &(dyn Input + '_), at: u64, length: usize) -> io::Result<Vec<u8>> {
    let there = usize::try_from(input.length().saturating_sub(at)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length.min(there)];
    let count = read_full(input, at, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

#[cfg(test)]
mod tests;
