//! Pages of a PDF drawn as pictures, by the renderer that belongs to the library which reads them.

use super::caught;
use crate::drawn::{self, Picture, Pixels};
use crate::output::{Output, Problem};
use daylight_model::FaultCode;
use daylight_model::reading::{Drawn, Stop};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::page::Page;

/// Dots an inch of a page's own measure.
const POINTS: f64 = 72.0;

/// Draws pages one after the other; what one that breaks the library leaves behind is not used for the next.
pub(super) fn draw(out: &mut Output<'_>, pdf: &Pdf, numbers: &[u32], dots_per_inch: u32, form: Drawn) -> Result<(), Stop> {
    let pages = pdf.pages();
    let mut cache = RenderCache::new();
    for number in drawn::pages(out, numbers, pages.len(), form)? {
        let page = usize::try_from(*number).ok().and_then(|number| pages.get(number.checked_sub(1)?));
        let picture = match page.map(|page| caught(|| picture(page, &cache, dots_per_inch, form))) {
            Some(Some(picture)) => Ok(picture),
            Some(None) => {
                cache = RenderCache::new();
                Err(drawn::problem(FaultCode::Malformed, "a page that broke what draws it"))
            }
            None => Err(no_such_page(pages.len())),
        };
        drawn::give(out, *number, picture, form)?;
    }
    Ok(())
}

fn no_such_page(count: usize) -> Problem {
    drawn::problem(FaultCode::NoReader, format!("there is no such page; the last is {count}"))
}

fn picture<'a>(page: &'a Page<'a>, cache: &RenderCache<'a>, dots_per_inch: u32, form: Drawn) -> Picture {
    let (width, height) = page.render_dimensions();
    // A page without a size, or with none that is a number, is one dot.
    let side = |length: f32| if length.is_finite() { f64::from(length).clamp(1.0, 1e7) } else { 1.0 };
    let wanted = f64::from(dots_per_inch) / POINTS;
    let (width, height) = (side(width), side(height));
    let scale = wanted * drawn::fit(width * wanted, height * wanted, form);
    let settings = PixmapSettings {
        // A page so thin that nothing would be left of it is given one dot.
        x_scale: scale.max(1.0 / width) as f32,
        y_scale: scale.max(1.0 / height) as f32,
        bg_color: WHITE,
    };
    let pixmap = hayro::render(page, cache, &InterpreterSettings::default(), &RenderSettings::default(), &settings);
    let (width, height) = (u32::from(pixmap.width()), u32::from(pixmap.height()));
    Picture { width, height, dots_per_inch: (scale * POINTS).round() as u32, pixels: pixels(pixmap.data_as_u8_slice()) }
}

/// On white nothing is seen through, so that the fourth byte of each pixel says nothing.
fn pixels(four: &[u8]) -> Pixels {
    let (four, _) = four.as_chunks::<4>();
    if four.iter().all(|[r, g, b, _]| r == g && g == b) {
        Pixels::Grey(four.iter().map(|[grey, ..]| *grey).collect())
    } else {
        Pixels::Colour(four.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect())
    }
}
