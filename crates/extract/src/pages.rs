//! Pages as pictures: which of them somebody must look at to read them, and what they look like. A page of a PDF is drawn, a picture is unpacked.

use crate::detect::{self, Claims, Format};
use crate::document::load;
use crate::drawn::problem;
use crate::output::{Output, Problem};
use crate::{pdf, picture};
use daylight_model::reading::{Drawn, Input, Stop};
use daylight_model::{FaultCode, Name};

/// Says which pages of a PDF or a picture have no text that can be read.
pub(crate) fn unread(out: &mut Output<'_>, name: &Name, input: &(dyn Input + '_)) -> Result<(), Stop> {
    match format(name, input) {
        Some(Format::Pdf) => match load(input) {
            Ok(bytes) => pdf::unread(out, &bytes),
            Err(problem) => out.fault(0, problem),
        },
        Some(Format::Picture(media)) if picture::is_drawn(media) => {
            (1..=picture::pages(media, input)).try_for_each(|page| out.unread(page, false))
        }
        _ => out.fault(0, neither()),
    }
}

/// Draws pages, each as one picture.
pub(crate) fn draw(
    out: &mut Output<'_>,
    name: &Name,
    input: &(dyn Input + '_),
    (pages, dots_per_inch, form): (&[u32], u32, Drawn),
) -> Result<(), Stop> {
    match format(name, input) {
        Some(Format::Pdf) => match load(input) {
            Ok(bytes) => pdf::draw(out, &bytes, pages, dots_per_inch, form),
            Err(problem) => out.fault(0, problem),
        },
        Some(Format::Picture(media)) if picture::is_drawn(media) => match load(input) {
            Ok(bytes) => picture::draw(out, media, &bytes, pages, form),
            Err(problem) => out.fault(0, problem),
        },
        _ => out.fault(0, neither()),
    }
}

fn format(name: &Name, input: &(dyn Input + '_)) -> Option<Format> {
    detect::format(&Claims { name: Some(name), claimed: "" }, input).ok()
}

fn neither() -> Problem {
    problem(FaultCode::NoReader, "it has no pages that can be drawn: that is done with PDFs and with pictures")
}

#[cfg(test)]
mod tests;
