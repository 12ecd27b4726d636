//! Pictures unpacked. How large one says it is is held against what is unpacked at all before a byte is reserved for it.

use super::exif;
use crate::document::Memory;
use crate::drawn::{self, Picture, Pixels};
use crate::output::{Output, Problem};
use daylight_model::FaultCode;
use daylight_model::reading::{Drawn, Stop};
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};
use std::borrow::Cow;
use std::io::Cursor;
use std::panic::{self, AssertUnwindSafe};

/// A picture of more pixels is not unpacked.
const LARGEST: u64 = 200_000_000;
/// What unpacking may reserve, in bytes.
const MEMORY: u64 = 800 << 20;

/// The format of a media type, if it is one that is unpacked.
pub(super) fn format(media: &str) -> Option<ImageFormat> {
    Some(match media {
        "image/jpeg" => ImageFormat::Jpeg,
        "image/png" => ImageFormat::Png,
        "image/gif" => ImageFormat::Gif,
        "image/tiff" => ImageFormat::Tiff,
        "image/webp" => ImageFormat::WebP,
        "image/bmp" => ImageFormat::Bmp,
        _ => return None,
    })
}

/// Draws pages of a picture. Only TIFF has more than one: of an animation the first picture is drawn.
pub(super) fn draw(out: &mut Output<'_>, format: ImageFormat, bytes: &[u8], numbers: &[u32], form: Drawn) -> Result<(), Stop> {
    let starts = if format == ImageFormat::Tiff { exif::page_starts(&Memory(bytes)) } else { vec![0] };
    for number in drawn::pages(out, numbers, starts.len(), form)? {
        let start = usize::try_from(*number).ok().and_then(|number| starts.get(number.checked_sub(1)?));
        let picture = match start {
            Some(start) => unpack(format, &beginning_at(format, bytes, *start), form),
            None => Err(drawn::problem(FaultCode::NoReader, format!("there is no such page; the last is {}", starts.len()))),
        };
        drawn::give(out, *number, picture, form)?;
    }
    Ok(())
}

/// A TIFF says at its byte 4 where its first page is: the library is shown each page as the first one.
fn beginning_at(format: ImageFormat, bytes: &[u8], start: u32) -> Cow<'_, [u8]> {
    let Some(first) = bytes.get(4..8).filter(|_| format == ImageFormat::Tiff) else { return Cow::Borrowed(bytes) };
    let start = if bytes.starts_with(b"MM") { start.to_be_bytes() } else { start.to_le_bytes() };
    if first == start {
        return Cow::Borrowed(bytes);
    }
    let mut changed = bytes.to_vec();
    changed[4..8].copy_from_slice(&start);
    Cow::Owned(changed)
}

fn unpack(format: ImageFormat, bytes: &[u8], form: Drawn) -> Result<Picture, Problem> {
    // The libraries are meant not to panic, and hold nothing afterwards if one does.
    let done = panic::catch_unwind(AssertUnwindSafe(|| decode(format, bytes)));
    let image = done.unwrap_or_else(|_| Err(drawn::problem(FaultCode::Malformed, "a picture that broke what unpacks it")))?;
    let (width, height) = (image.width(), image.height());
    let scale = drawn::fit(f64::from(width), f64::from(height), form);
    let image = if scale < 1.0 {
        image.thumbnail(((f64::from(width) * scale) as u32).max(1), ((f64::from(height) * scale) as u32).max(1))
    } else {
        image
    };
    Ok(Picture { width: image.width(), height: image.height(), dots_per_inch: 0, pixels: pixels(image) })
}

fn decode(format: ImageFormat, bytes: &[u8]) -> Result<DynamicImage, Problem> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(why)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > LARGEST || decoder.total_bytes() > MEMORY {
        let what = format!("a picture of {width} by {height} pixels, which is more than is unpacked");
        return Err(drawn::problem(FaultCode::TooLarge, what).limit(LARGEST));
    }
    // A picture that says nothing of how the camera was held, or says it wrongly, stands as it is.
    let orientation = decoder.orientation().ok();
    let mut image = DynamicImage::from_decoder(decoder).map_err(why)?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(image)
}

fn why(error: ImageError) -> Problem {
    match error {
        ImageError::Unsupported(_) => {
            drawn::problem(FaultCode::NoReader, "a picture whose packing or colours are not ones that are unpacked")
        }
        ImageError::Limits(_) => {
            drawn::problem(FaultCode::TooLarge, "a picture that takes more memory than there is for one").limit(MEMORY)
        }
        _ => drawn::problem(FaultCode::Malformed, "a picture that breaks its format's rules"),
    }
}

/// What can be seen through is white behind.
fn pixels(image: DynamicImage) -> Pixels {
    if image.color().has_alpha() {
        let four = image.into_rgba8().into_raw();
        let (four, _) = four.as_chunks::<4>();
        let over = |colour: u8, alpha: u8| ((u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255) as u8;
        return Pixels::Colour(four.iter().flat_map(|[r, g, b, alpha]| [over(*r, *alpha), over(*g, *alpha), over(*b, *alpha)]).collect());
    }
    if image.color().has_color() { Pixels::Colour(image.into_rgb8().into_raw()) } else { Pixels::Grey(image.into_luma8().into_raw()) }
}
