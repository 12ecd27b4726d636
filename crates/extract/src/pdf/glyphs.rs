//! What a page draws: its glyphs with their places, and how much of it is pictures.

use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Vec2};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};
use std::panic;

/// A page may draw so many things: what draws itself again and again would else never end.
pub(super) const MOST: usize = 2_000_000;
/// A page's text may be so long; one glyph can stand for many characters.
const LONGEST: usize = 16 << 20;
/// A glyph's space has so many units to the font's size.
const UNITS: f64 = 1000.0;
/// How far the next glyph of a font is that does not say.
const USUAL_ADVANCE: f32 = 500.0;

/// A glyph, in points from the page's upper left corner as it is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    /// Where in [`Drawing::text`] what it stands for begins and ends.
    pub(super) text: (u32, u32),
    pub(super) at: Point,
    /// To where the next one stands.
    pub(super) advance: Vec2,
    pub(super) size: f64,
    pub(super) space: bool,
    /// Drawn with neither fill nor stroke, as text is that a recogniser laid over a picture.
    pub(super) invisible: bool,
}

/// All that a page draws.
#[derive(Default)]
pub(super) struct Drawing {
    pub(super) text: String,
    pub(super) glyphs: Vec<Glyph>,
    /// How many glyphs nothing says what they stand for.
    pub(super) unknown: usize,
    /// In square points.
    pub(super) picture_area: f64,
    pub(super) paths: usize,
    /// How many things were drawn, whatever they are.
    pub(super) calls: usize,
    /// Where the last run of glyphs begins: among the glyphs and on the page.
    run: Option<(usize, Point)>,
}

/// Why the drawing of a page ended early. It is thrown, because the library asks nobody whether to go on.
pub(super) struct TooMuch;

impl Drawing {
    fn call(&mut self) {
        self.calls += 1;
        if self.calls > MOST || self.text.len() > LONGEST {
            panic::resume_unwind(Box::new(TooMuch));
        }
    }

    fn glyph(&mut self, glyph: &Drawn<'_>, place: Affine, mode: &DrawMode, vertical: bool) {
        let start = self.text.len();
        match glyph.as_unicode() {
            Some(BfString::Char(c)) => self.push(c),
            Some(BfString::String(string)) => string.chars().for_each(|c| self.push(c)),
            None => {
                self.unknown += 1;
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        let wide = match glyph {
            Drawn::Outline(outline) => outline.advance_width(),
            Drawn::Type3(drawn) => drawn.advance_width(),
        };
        let [a, b, c, d, ..] = place.as_coeffs();
        let along = f64::from(wide.unwrap_or(USUAL_ADVANCE));
        let advance = if vertical { Vec2::new(-c, -d) * UNITS } else { Vec2::new(a, b) * along };
        let (at, size) = (place * Point::ZERO, c.hypot(d) * UNITS);
        if !(at.is_finite() && advance.is_finite() && size.is_finite()) || self.text.len() == start {
            return self.text.truncate(start);
        }
        let space = self.text[start..].chars().all(char::is_whitespace);
        // Both numbers are below the limit on a page's text.
        let text = (start as u32, self.text.len() as u32);
        self.glyphs.push(Glyph { text, at, advance, size, space, invisible: matches!(mode, DrawMode::Invisible) });
    }

    /// Ligatures are drawn as one but are searched for as letters.
    fn push(&mut self, c: char) {
        match c {
            '\u{fb00}' => self.text.push_str("ff"),
            '\u{fb01}' => self.text.push_str("fi"),
            '\u{fb02}' => self.text.push_str("fl"),
            '\u{fb03}' => self.text.push_str("ffi"),
            '\u{fb04}' => self.text.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => self.text.push_str("st"),
            c if c.is_control() || c == '\u{feff}' => self.text.push(' '),
            c => self.text.push(c),
        }
    }

    /// Whether this run was just filled and is now stroked: it is drawn once, though it is told twice.
    fn is_outline_of_last(&self, run: &GlyphRun<'_, '_>, first: Option<Point>, mode: &DrawMode) -> bool {
        let same = |(start, at)| self.glyphs.len() - start == run.glyphs().len() && Some(at) == first;
        matches!(mode, DrawMode::Stroke(_)) && self.run.is_some_and(same)
    }
}

impl<'a> Device<'a> for Drawing {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        self.call();
        let first = run.glyphs().first().map(|glyph| props.transform * glyph.transform() * Point::ZERO);
        if self.is_outline_of_last(run, first, mode) {
            return;
        }
        self.run = first.map(|at| (self.glyphs.len(), at));
        for glyph in run.glyphs() {
            self.call();
            self.glyph(glyph, props.transform * glyph.transform(), mode, run.writing_mode() == WritingMode::Vertical);
        }
    }

    /// The space of a picture has a unit for each of its pixels.
    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.call();
        let area = props.transform.determinant().abs() * f64::from(image.width()) * f64::from(image.height());
        self.picture_area += if area.is_finite() { area } else { 0.0 };
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.call();
        self.paths += 1;
    }

    fn draw_rect(&mut self, _: &Rect, _: DrawProps<'a>, _: &DrawMode) {
        self.call();
        self.paths += 1;
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.call();
    }

    fn push_clip_rect(&mut self, _: &Rect) {
        self.call();
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.call();
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}
