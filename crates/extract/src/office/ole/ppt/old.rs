//! ppt of PowerPoint 95. Its records have heads of 16 bytes: kind, whether there are records in it, length, place. Nothing was published of it; this was seen in its
//! files and in what later versions kept.

use super::Slide;
use crate::office::bytes::{ansi, place_at, stretch, u32_at};

const HEAD: usize = 16;
const HOLDS_RECORDS: u32 = 0xffff;
const SLIDE: u32 = 0x3ee;
const NOTES: u32 = 0x3f0;
const MASTER: u32 = 0x3f8;
const HANDOUT: u32 = 0xfc9;
const PLACEHOLDER: u32 = 0xbc2;
/// What holds a text with how it looks, and the text in it.
const STYLED: u32 = 0xfe0;
const STRING: u32 = 0x7ee;

/// Whether a presentation begins as these do.
pub(super) fn is_old(bytes: &[u8]) -> bool {
    u32_at(bytes, 0) == 3 && u32_at(bytes, 4) == HOLDS_RECORDS
}

/// Slides with their notes, and what masters show on each.
pub(super) fn read(bytes: &[u8], page: u32) -> (Vec<Slide>, Vec<String>) {
    let mut found = Found { slides: Vec::new(), margins: Vec::new(), page };
    found.walk(bytes, At::default(), 0);
    (found.slides, found.margins)
}

/// Where in a presentation a record stands.
#[derive(Clone, Copy, Default)]
struct At {
    slide: bool,
    notes: bool,
    placeholder: bool,
    styled: bool,
}

struct Found {
    slides: Vec<Slide>,
    margins: Vec<String>,
    page: u32,
}

impl Found {
    fn walk(&mut self, bytes: &[u8], at: At, depth: usize) {
        let mut place = 0;
        while let Some(head) = bytes.get(place..place + HEAD) {
            let (kind, data) = (u32_at(head, 0), stretch(bytes, place + HEAD, place_at(head, 8)));
            place += HEAD + data.len();
            if kind == STRING && at.styled {
                self.text(at, &ansi(data, self.page));
            }
            if u32_at(head, 4) != HOLDS_RECORDS || depth >= super::DEEPEST {
                continue;
            }
            let mut inner = At { styled: kind == STYLED, ..at };
            match kind {
                SLIDE if !at.slide => {
                    self.slides.push(Slide::default());
                    inner.slide = true;
                }
                NOTES => inner.notes = true,
                MASTER | HANDOUT => inner.slide = false,
                PLACEHOLDER => inner.placeholder = true,
                _ => (),
            }
            self.walk(data, inner, depth + 1);
        }
    }

    fn text(&mut self, at: At, text: &str) {
        let text = text.replace(['\r', '\u{b}'], "\n");
        if text.trim().is_empty() || text.trim() == "*" {
            return;
        }
        match (self.slides.last_mut().filter(|_| at.slide), at.notes) {
            (Some(slide), true) => slide.notes.push(text),
            (Some(slide), false) => slide.texts.push(text),
            // The placeholders of masters say what to write there.
            (None, _) if !at.placeholder => self.margins.push(text),
            (None, _) => (),
        }
    }
}
