//! What a page is once it is drawn: plain pixels, or a PNG file that was made here. No byte of the document reaches whoever is given the picture.
//! A picture that is to be published is given as pixels, so that no file that is published was made by what read the document.

use crate::output::{Output, Problem};
use daylight_model::reading::{Drawn, MOST_PIXELS, Stop};
use daylight_model::{FaultCode, Stage};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

const TOOL: &str = "pages 1";
/// No side is longer than so many pixels: tools count them in 15 bits.
const LONGEST_SIDE: f64 = 32_000.0;
/// A page that had to be drawn with fewer dots an inch has lost its small letters.
const COARSE: u32 = 100;

/// Pixels, row by row from the top.
pub(crate) enum Pixels {
    Grey(Vec<u8>),
    Colour(Vec<u8>),
}

/// A page as a picture.
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 0 if it is not known.
    pub(crate) dots_per_inch: u32,
    pub(crate) pixels: Pixels,
}

pub(crate) fn problem(code: FaultCode, detail: impl Into<String>) -> Problem {
    Problem::new(Stage::Read, code, TOOL, detail)
}

/// What a page of this size is scaled by so that it stays within the bounds of its form.
pub(crate) fn fit(width: f64, height: f64, form: Drawn) -> f64 {
    let by_area = (form.most_pixels() as f64 / (width * height)).sqrt();
    by_area.min(LONGEST_SIDE / width).min(LONGEST_SIDE / height).min(1.0)
}

/// Which pages are drawn of those that are asked for, when there are so many: where they are to be shown, those that there are, and how many are there is said.
pub(crate) fn pages<'a>(out: &mut Output<'_>, asked: &'a [u32], count: usize, form: Drawn) -> Result<&'a [u32], Stop> {
    if form != Drawn::Shown {
        return Ok(asked);
    }
    out.counted(0, Some(count as u64), 0, 0)?;
    let there = asked.iter().take_while(|number| **number as usize <= count).count();
    Ok(&asked[..there])
}

/// Gives a page, and says that it was given.
pub(crate) fn give(out: &mut Output<'_>, number: u32, picture: Result<Picture, Problem>, form: Drawn) -> Result<(), Stop> {
    match picture {
        Ok(picture) => {
            if (1..COARSE).contains(&picture.dots_per_inch) && form != Drawn::Shown {
                let why = format!(
                    "a page so large that it is drawn with {} dots an inch, in which small letters are lost",
                    picture.dots_per_inch
                );
                out.fault(0, problem(FaultCode::TooLarge, why).limit(MOST_PIXELS))?;
            }
            send(out, picture, form)?;
        }
        Err(problem) => out.fault(0, problem)?,
    }
    out.cursor(0, u64::from(number))
}

fn send(out: &mut Output<'_>, picture: Picture, form: Drawn) -> Result<(), Stop> {
    let Picture { width, height, dots_per_inch, pixels } = picture;
    let bytes = match (form, pixels) {
        (Drawn::Grey | Drawn::Shown, Pixels::Grey(grey)) => grey,
        (Drawn::Shown, Pixels::Colour(colour)) => colour,
        (Drawn::Grey, Pixels::Colour(colour)) => grey(&colour),
        (Drawn::Png, pixels) => match png(width, height, &pixels) {
            Ok(file) => file,
            Err(_) => return out.fault(0, problem(FaultCode::TooLarge, "its picture could not be packed")),
        },
    };
    out.page(width, height, dots_per_inch)?;
    out.bytes(0, &bytes)
}

/// How bright three colours are together (ITU-R BT.601).
fn grey(colour: &[u8]) -> Vec<u8> {
    let (pixels, _) = colour.as_chunks::<3>();
    pixels.iter().map(|[r, g, b]| ((u32::from(*r) * 299 + u32::from(*g) * 587 + u32::from(*b) * 114 + 500) / 1000) as u8).collect()
}

fn png(width: u32, height: u32, pixels: &Pixels) -> image::ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive);
    match pixels {
        Pixels::Grey(grey) => encoder.write_image(grey, width, height, ExtendedColorType::L8)?,
        Pixels::Colour(colour) => encoder.write_image(colour, width, height, ExtendedColorType::Rgb8)?,
    }
    Ok(file)
}
