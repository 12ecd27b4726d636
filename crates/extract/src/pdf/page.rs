//! One page: what it draws, sorted by who can see it, and whether that is its text.

use super::bomb;
use super::facts::items;
use super::glyphs::{Drawing, Glyph, TooMuch};
use super::order;
use hayro_interpret::hayro_syntax::content::TypedIter;
use hayro_interpret::hayro_syntax::object::{Array, Object, Stream};
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, RenderContent, TransformExt, interpret, interpret_page};
use std::borrow::Cow;
use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};

/// A page's content is not read beyond so many bytes.
const LONGEST: usize = 64 << 20;
/// A thing drawn costs as much as so many bytes of content.
const COST: u64 = 32;
/// A page with fewer characters than this has no text worth the name if a picture covers more than half of it: a stamp on a scan, say.
const STAMP: usize = 200;
/// With fewer than this it has none in any case.
const NOTHING: usize = 10;
/// So many paths and no text are letters that were drawn as shapes.
const SHAPES: usize = 200;
/// Letters are judged as a language from this many on.
const LETTERS: usize = 200;

/// Whether a page's text is all there is to read on it. What is not text is for a recogniser, which is given the page as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Text,
    Blank,
    /// No text, or next to none, but pictures or shapes.
    Pictures,
    /// There is text, but not that which one sees: the font does not say what its glyphs stand for, or says it wrongly.
    Gibberish,
}

/// A page as it was drawn.
pub(super) struct Drawn {
    pub(super) body: String,
    /// Invisible text over a picture of the page: a recogniser left it there.
    pub(super) recognised: String,
    /// Other invisible text, and what stands outside the page.
    pub(super) hidden: String,
    /// What annotations show of themselves.
    pub(super) on_top: String,
    pub(super) verdict: Verdict,
    /// The library panicked.
    pub(super) broken: bool,
    /// There was more than is read.
    pub(super) cut: bool,
    /// Some of its content could not be unpacked.
    pub(super) missing: bool,
    /// How much it took, see [`super::WORK`].
    pub(super) work: u64,
}

/// Draws a page and judges it.
pub(super) fn draw<'a>(page: &Page<'a>, cache: &InterpreterCache<'a>) -> Drawn {
    let mut content = Content::default();
    let loaded = super::caught(|| content.load(page));
    let mut drawing = Drawing::default();
    let ended = run(|| {
        let resources = page.resources();
        interpret(TypedIter::new(&content.bytes), resources, &mut context(page, cache, RenderContent::PAGE), &mut drawing);
    });
    let mut on_top = Drawing::default();
    let on_top_ended = run(|| interpret_page(page, &mut context(page, cache, RenderContent::ANNOTATIONS), &mut on_top));
    let (width, height) = page.render_dimensions();
    let shown = Rect::new(0.0, 0.0, width.into(), height.into());
    let is_scan = drawing.picture_area > 0.5 * shown.area();
    let text = |drawing: &Drawing, wanted: &dyn Fn(&Glyph) -> bool| {
        super::caught(|| order::read(&drawing.text, drawing.glyphs.iter().filter(|glyph| wanted(glyph)))).unwrap_or_default()
    };
    let inside = |glyph: &Glyph| is_inside(glyph, shown);
    let verdict = verdict(&drawing, is_scan);
    // Glyphs without a meaning are marked among others, but alone they say nothing.
    let known =
        |text: String| if text.chars().any(|c| !c.is_whitespace() && c != char::REPLACEMENT_CHARACTER) { text } else { String::new() };
    Drawn {
        body: known(text(&drawing, &|glyph| !glyph.invisible && inside(glyph))),
        recognised: known(text(&drawing, &|glyph| is_scan && glyph.invisible && inside(glyph))),
        hidden: known(text(&drawing, &|glyph| !inside(glyph) || !is_scan && glyph.invisible)),
        on_top: known(text(&on_top, &|glyph| inside(glyph))),
        verdict,
        broken: ended == Ended::Broken || on_top_ended == Ended::Broken || loaded.is_none(),
        cut: ended == Ended::TooMuch || on_top_ended == Ended::TooMuch || content.cut,
        missing: content.missing,
        work: content.bytes.len() as u64 + COST * (drawing.calls + on_top.calls) as u64 + COST,
    }
}

/// The lines of `text` that do not stand in `seen` already.
pub(super) fn without(text: &str, seen: &str) -> String {
    let seen: HashSet<&str> = seen.lines().flat_map(|line| line.split("  ")).flat_map(|line| [line, after_name(line)]).collect();
    let new = text.lines().filter(|line| !line.trim().is_empty() && !seen.contains(line.trim()));
    new.flat_map(|line| [line, "\n"]).collect()
}

/// What follows `name: `.
fn after_name(line: &str) -> &str {
    line.split_once(": ").map_or(line, |(_, value)| value)
}

#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    cut: bool,
    missing: bool,
}

impl Content {
    /// The content of a page is one stream or many that are read as one.
    fn load(&mut self, page: &Page<'_>) {
        if let Some(stream) = page.raw().get::<Stream<'_>>(b"Contents") {
            self.add(&stream);
        } else if let Some(streams) = page.raw().get::<Array<'_>>(b"Contents") {
            for (_, part) in items(&streams, page.xref()) {
                match part {
                    Object::Stream(stream) => self.add(&stream),
                    _ => self.missing = true,
                }
            }
        }
    }

    fn add(&mut self, stream: &Stream<'_>) {
        let bomb = match stream.raw_data() {
            Cow::Owned(decrypted) => bomb::unpacked_length(&decrypted, LONGEST as u64) > LONGEST as u64,
            // What is not encrypted was looked at before.
            Cow::Borrowed(_) => false,
        };
        self.cut |= bomb;
        if self.cut {
            return;
        }
        let Ok(bytes) = stream.decoded_data() else {
            self.missing = true;
            return;
        };
        self.cut = self.bytes.len() + bytes.len() > LONGEST;
        if !self.cut {
            self.bytes.extend_from_slice(&bytes);
            self.bytes.push(b' ');
        }
    }
}

fn context<'a>(page: &Page<'a>, cache: &InterpreterCache<'a>, what: RenderContent) -> Context<'a> {
    let settings = InterpreterSettings { render_content: what, ..InterpreterSettings::default() };
    let (width, height) = page.render_dimensions();
    let shown = Rect::new(0.0, 0.0, width.into(), height.into());
    Context::new(page.initial_transform(true).to_kurbo(), shown, cache, page.xref(), settings)
}

#[derive(PartialEq)]
enum Ended {
    Whole,
    TooMuch,
    Broken,
}

fn run(work: impl FnOnce()) -> Ended {
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(()) => Ended::Whole,
        Err(thrown) if thrown.is::<TooMuch>() => Ended::TooMuch,
        Err(_) => Ended::Broken,
    }
}

fn is_inside(glyph: &Glyph, page: Rect) -> bool {
    page.inflate(glyph.size, glyph.size).contains(glyph.at)
}

fn verdict(drawing: &Drawing, is_scan: bool) -> Verdict {
    let text = |glyph: &Glyph| drawing.text.get(glyph.text.0 as usize..glyph.text.1 as usize).unwrap_or_default();
    let drawn = drawing.glyphs.iter().filter(|glyph| !glyph.space);
    let (mut glyphs, mut strange, mut characters, mut covered) = (0, 0, 0, 0);
    let (mut letters, mut vowels) = (0, 0);
    for glyph in drawn {
        glyphs += 1;
        let text = text(glyph);
        strange += usize::from(text.chars().any(is_strange));
        characters += text.chars().filter(|c| c.is_alphanumeric()).count();
        letters += text.chars().filter(char::is_ascii_alphabetic).count();
        vowels += text.chars().filter(|c| "aeiouyAEIOUY".contains(*c)).count();
        covered += usize::from(glyph.invisible);
    }
    let not_a_language = letters >= LETTERS && letters * 2 > characters && !(letters / 8..=letters * 3 / 4).contains(&vowels);
    if glyphs >= NOTHING && strange * 10 > glyphs * 3 || not_a_language {
        Verdict::Gibberish
    } else if is_scan && characters < STAMP && covered < NOTHING
        || characters < NOTHING && (drawing.picture_area > 0.0 || drawing.paths >= SHAPES)
    {
        Verdict::Pictures
    } else if glyphs == 0 {
        Verdict::Blank
    } else {
        Verdict::Text
    }
}

/// Characters that no text has many of.
fn is_strange(c: char) -> bool {
    c == char::REPLACEMENT_CHARACTER || matches!(u32::from(c), 0xe000..=0xf8ff | 0xf0000..)
}
