//! The sanitised view of HTML: what a reader may see of it, and nothing that asks anybody for anything.
//!
//! It is made twice over. First the page is written anew from its tags: a short list of elements and attributes, every element closed, nesting
//! bounded. That alone would do; but who trusts one wall? ammonia, which parses as browsers do, then has the last word, and it is given
//! only pages on which its parser takes time in proportion to their length.

mod rewrite;

use crate::detect::{self, Claims, Format};
use crate::document;
use crate::mail::{self, Shown};
use crate::office::{Office, outlook_html};
use crate::output::Output;
use crate::{charset, html, text};
use daylight_model::Name;
use daylight_model::reading::{Input, Stop};

/// A longer page is cut, and says so.
const LARGEST: usize = 16 << 20;
const CUT: &str = "<p>[The rest is too long for a view.]</p>";

/// Makes the view of a message with an HTML body, or of an HTML file. Of anything else there is none.
pub(crate) fn read(out: &mut Output<'_>, name: &Name, input: &(dyn Input + '_)) -> Result<(), Stop> {
    let Ok(format) = detect::format(&Claims { name: Some(name), claimed: "" }, input) else { return Ok(()) };
    if matches!(format, Format::Office(Office::Outlook, _)) {
        let Ok(bytes) = document::load(input) else { return Ok(()) };
        return outlook_html(&bytes).map_or(Ok(()), |html| out.view(&sanitise(&html)));
    }
    let message = matches!(format, Format::Message);
    if !message && !matches!(&format, Format::Text(media) if text::is_html(media)) {
        return Ok(());
    }
    let Ok(bytes) = document::load(input) else { return Ok(()) };
    let shown = if message { mail::shown(out, &bytes)? } else { vec![Shown::Html(page(&bytes))] };
    for body in shown {
        out.view(&match body {
            Shown::Html(html) => sanitise(&html),
            Shown::Plain(text) => format!("<pre>{}</pre>", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")),
        })?;
    }
    Ok(())
}

fn page(bytes: &[u8]) -> String {
    charset::decode(bytes, html::stated_charset(bytes).as_deref()).text.into_owned()
}

/// A fragment of HTML that loads nothing, runs nothing and sends nothing.
pub(crate) fn sanitise(page: &str) -> String {
    let whole = &page[..page.floor_char_boundary(LARGEST)];
    let mut written = rewrite::rewrite(whole);
    if whole.len() < page.len() {
        written.push_str(CUT);
    }
    rewrite::cleaner().clean(&written).to_string()
}

#[cfg(test)]
mod tests;
