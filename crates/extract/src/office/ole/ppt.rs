//! ppt, PowerPoint 97 to 2003 ([MS-PPT]): a tree of records. A file that was saved many times holds earlier slides as well.

mod four;
mod old;

use super::art::{Art, TABLES};
use super::cfb::Compound;
use crate::office::bytes::{ansi, place_at, stretch, u16_at, u32_at, utf16};
use crate::office::flow::Flow;
use crate::output::Problem;
use daylight_model::reading::{Label, Stop};
use daylight_model::{FaultCode, Stage};
use std::collections::{HashMap, HashSet};

const TOOL: &str = "ppt 1";
/// The stream of PowerPoint 4.
pub(super) const FOUR: &str = "PP40";
/// Records within records are not looked into below this depth.
const DEEPEST: usize = 32;
const DOCUMENT: u16 = 0x3e8;
const SLIDE: u16 = 0x3ee;
const NOTES: u16 = 0x3f0;
const MASTER: u16 = 0x3f8;
/// A shape with all that belongs to it, and what says that it only keeps a place.
const SHAPE: u16 = 0xf004;
const PLACEHOLDER: u16 = 0xbc3;

pub(super) fn read(flow: &mut Flow<'_, '_>, file: &Compound<'_>, bytes: &[u8]) -> Result<(), Stop> {
    if let (true, Some(bytes)) = (bytes.is_empty(), file.top(FOUR)) {
        let why = "it is of PowerPoint 4: its texts are read as they stand in the file, those of notes and masters among them, none with its slide";
        flow.out.fault(flow.index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, why))?;
        return four::read(&bytes).iter().try_for_each(|text| flow.whole_line(Label::Body, text));
    }
    if old::is_old(bytes) {
        let (slides, margins) = old::read(bytes, 1252);
        return Show { slides, margins, ..Show::default() }.give(flow);
    }
    let user = file.top("Current User").unwrap_or_default();
    let live = live(bytes, place_at(&user, 16));
    let mut show = Show::default();
    let mut unseen = live.clone();
    for (at, record) in records(bytes, 0) {
        let persist = unseen.remove(&at);
        // Without a table of what is live everything is.
        if persist.is_some() || live.is_empty() {
            show.take(persist, &record);
        } else {
            show.earlier.extend(texts(&record));
        }
    }
    // Records need not follow each other. What the last save counts is where it says.
    let mut unseen: Vec<(usize, u32)> = unseen.into_iter().collect();
    unseen.sort_unstable();
    for (at, persist) in unseen {
        if let Some((_, record)) = records(bytes, at).next().filter(|(place, _)| *place == at) {
            show.take(Some(persist), &record);
        }
    }
    show.give(flow)
}

struct Record<'a> {
    head: u16,
    kind: u16,
    instance: u16,
    container: bool,
    data: &'a [u8],
}

/// The records in `bytes` with their places.
fn records(bytes: &[u8], from: usize) -> impl Iterator<Item = (usize, Record<'_>)> {
    let mut at = from;
    std::iter::from_fn(move || {
        // Zeros between records are none.
        if bytes.get(at..at + 8)? == [0; 8] {
            at += bytes[at..].iter().take_while(|byte| **byte == 0).count();
        }
        let head = bytes.get(at..at + 8)?;
        let data = stretch(bytes, at + 8, place_at(head, 4));
        let first = u16_at(head, 0);
        let record = Record { head: first, kind: u16_at(head, 2), instance: first >> 4, container: first & 15 == 15, data };
        let place = at;
        at += 8 + data.len();
        Some((place, record))
    })
}

/// Where the records are that the last save counts (section 2.3.6), with their numbers.
fn live(bytes: &[u8], last_edit: usize) -> HashMap<usize, u32> {
    let (mut places, mut edit, mut seen) = (HashMap::new(), last_edit, HashSet::new());
    while edit != 0 && seen.insert(edit) && u16_at(bytes, edit.saturating_add(2)) == 0xff5 && seen.len() < 10_000 {
        let table = place_at(bytes, edit + 20);
        let data = stretch(bytes, table.saturating_add(8), place_at(bytes, table.saturating_add(4)));
        let mut at = 0;
        while at + 4 <= data.len() {
            let (first, count) = (u32_at(data, at) & 0xf_ffff, u32_at(data, at) >> 20);
            for n in 0..count.min(u32::try_from(data.len() / 4).unwrap_or(0)) {
                at += 4;
                places.entry(first + n).or_insert_with(|| place_at(data, at));
            }
            at += 4;
        }
        edit = place_at(bytes, edit + 16);
    }
    places.into_iter().map(|(persist, place)| (place, persist)).collect()
}

/// All texts in a record, in their order, those that are drawn as WordArt among them.
fn texts(record: &Record<'_>) -> Vec<String> {
    words(record).shown
}

/// All texts in a record, and what is said of its pictures.
fn words(record: &Record<'_>) -> Art {
    let mut found = Art::default();
    walk(record, 0, &mut |record| {
        found.shown.extend(text(record));
        if TABLES.contains(&record.kind) {
            found.take(record.head, record.data);
        }
        true
    });
    found
}

/// What a master shows on each slide: the texts of its shapes, without those which only say what to write there.
fn shown_by(master: &Record<'_>) -> Art {
    let mut found = Art::default();
    walk(master, 0, &mut |record| {
        if record.kind != SHAPE {
            return true;
        }
        let mut keeps_place = false;
        walk(record, 0, &mut |inner| {
            keeps_place |= inner.kind == PLACEHOLDER;
            true
        });
        if !keeps_place {
            let Art { shown, told } = words(record);
            found.shown.extend(shown);
            found.told.extend(told);
        }
        false
    });
    found
}

/// Looks at a record and those in it as long as `look` wants to.
fn walk<'a>(record: &Record<'a>, depth: usize, look: &mut impl FnMut(&Record<'a>) -> bool) {
    if look(record) && record.container && depth < DEEPEST {
        for (_, inner) in records(record.data, 0) {
            walk(&inner, depth + 1, look);
        }
    }
}

fn text(record: &Record<'_>) -> Option<String> {
    let text = match record.kind {
        0xfa0 => utf16(record.data),
        // One byte a character: the lower half of UTF-16.
        0xfa8 => record.data.iter().map(|b| char::from(*b)).collect(),
        _ => return None,
    };
    Some(text.replace(['\r', '\u{b}'], "\n").replace('*', if text.trim() == "*" { "" } else { "*" }))
}

#[derive(Default)]
struct Slide {
    persist: u32,
    id: u32,
    hidden: bool,
    texts: Vec<String>,
    notes: Vec<String>,
    comments: Vec<String>,
    told: Vec<String>,
}

#[derive(Default)]
struct Show {
    slides: Vec<Slide>,
    /// Slides and notes with their numbers, to be given their places once the list of slides is known.
    loose: Vec<Loose>,
    margins: Vec<String>,
    told: Vec<String>,
    earlier: Vec<String>,
}

struct Loose {
    persist: Option<u32>,
    /// The slide that notes are for.
    of: Option<u32>,
    hidden: bool,
    texts: Vec<String>,
    comments: Vec<String>,
    told: Vec<String>,
}

impl Show {
    fn take(&mut self, persist: Option<u32>, record: &Record<'_>) {
        match record.kind {
            DOCUMENT => self.document(record),
            SLIDE | NOTES => {
                let Art { shown: texts, told } = words(record);
                let mut loose = Loose { persist, of: None, hidden: false, texts, comments: Vec::new(), told };
                walk(record, 0, &mut |record| {
                    match record.kind {
                        0x3f1 => loose.of = Some(u32_at(record.data, 0)),
                        0x3f9 => loose.hidden = u16_at(record.data, 10) & 4 != 0,
                        0x2ee0 => loose.comments.push(comment(record)),
                        // What stands at the edges of this slide alone.
                        0xfd9 => {
                            for (_, inner) in records(record.data, 0).filter(|(_, inner)| inner.kind == 0xfba) {
                                self.margins.push(utf16(inner.data));
                            }
                        }
                        _ => (),
                    }
                    true
                });
                if record.kind == SLIDE {
                    loose.of = None;
                }
                self.loose.push(loose);
            }
            MASTER => {
                let Art { shown, told } = shown_by(record);
                self.margins.extend(shown);
                self.told.extend(told);
            }
            _ => (),
        }
    }

    /// The document's own record lists the slides, with the text of their outlines.
    fn document(&mut self, record: &Record<'_>) {
        for (_, list) in records(record.data, 0) {
            match (list.kind, list.instance) {
                (0xff0, 0) => {
                    for (_, item) in records(list.data, 0) {
                        if item.kind == 0x3f3 {
                            self.slides.push(Slide { persist: u32_at(item.data, 0), id: u32_at(item.data, 12), ..Slide::default() });
                        } else if let (Some(slide), Some(text)) = (self.slides.last_mut(), text(&item)) {
                            slide.texts.push(text);
                        }
                    }
                }
                (0xfd9, _) => walk(&list, 0, &mut |record| {
                    if record.kind == 0xfba {
                        self.margins.push(utf16(record.data));
                    }
                    true
                }),
                _ => (),
            }
        }
    }

    fn settle(&mut self) {
        let by_persist: HashMap<u32, usize> = self.slides.iter().enumerate().map(|(n, slide)| (slide.persist, n)).collect();
        let by_id: HashMap<u32, usize> = self.slides.iter().enumerate().map(|(n, slide)| (slide.id, n)).collect();
        for loose in std::mem::take(&mut self.loose) {
            let slide = match loose.of {
                Some(id) => by_id.get(&id),
                None => loose.persist.and_then(|persist| by_persist.get(&persist)),
            };
            match (slide.copied(), loose.of) {
                (Some(slide), Some(_)) => {
                    self.slides[slide].notes.extend(loose.texts);
                    self.slides[slide].told.extend(loose.told);
                }
                (Some(slide), None) => {
                    let slide = &mut self.slides[slide];
                    slide.texts.extend(loose.texts);
                    slide.comments.extend(loose.comments);
                    slide.told.extend(loose.told);
                    slide.hidden |= loose.hidden;
                }
                (None, Some(_)) => self.slides.push(Slide { notes: loose.texts, told: loose.told, ..Slide::default() }),
                (None, None) => {
                    self.slides.push(Slide { texts: loose.texts, comments: loose.comments, told: loose.told, ..Slide::default() })
                }
            }
        }
    }

    fn give(mut self, flow: &mut Flow<'_, '_>) -> Result<(), Stop> {
        self.settle();
        let mut told = HashSet::new();
        for (number, slide) in self.slides.iter().enumerate() {
            flow.page(u32::try_from(number + 1).ok())?;
            let label = if slide.hidden { Label::Hidden } else { Label::Body };
            let said =
                [(label, &slide.texts), (Label::Note, &slide.notes), (Label::Comment, &slide.comments), (Label::Hidden, &slide.told)];
            for (label, texts) in said {
                for text in texts {
                    flow.whole_line(label, text)?;
                    told.insert(text.as_str());
                }
            }
        }
        flow.page(None)?;
        for text in &self.margins {
            flow.whole_line(Label::Margin, text)?;
            told.insert(text);
        }
        for text in &self.told {
            flow.whole_line(Label::Hidden, text)?;
        }
        // What an earlier state of the file held and the last one does not.
        for text in &self.earlier {
            if told.insert(text) {
                flow.whole_line(Label::Hidden, text)?;
            }
        }
        Ok(())
    }
}

fn comment(record: &Record<'_>) -> String {
    let mut pieces = [String::new(), String::new(), String::new()];
    for (_, inner) in records(record.data, 0) {
        if inner.kind == 0xfba
            && let Some(piece) = pieces.get_mut(usize::from(inner.instance))
        {
            *piece = utf16(inner.data);
        }
    }
    format!("{}: {}", pieces[0], pieces[1])
}

/// The author of the last save, whom the file names beside the slides.
pub(super) fn last_user(file: &Compound<'_>) -> Option<String> {
    let user = file.top("Current User")?;
    let name = ansi(stretch(&user, 28, usize::from(u16_at(&user, 20))), 1252);
    Some(name).filter(|name| !name.trim().is_empty())
}
