//! Apple Mail's files: the length of a message in a line of its own, the message, and what the program remembers of it as a property list.

use crate::document::{self, Doc, Inside, load};
use crate::html;
use crate::mail::Fields;
use crate::output::{Output, Problem};
use daylight_model::reading::{Input, Label, Place, Stop};
use daylight_model::{FaultCode, Kind, Stage};

pub(crate) const MEDIA: &str = "application/x-apple-emlx";
pub(crate) const TOOL: &str = "emlx 1";
/// The line with the length is no longer.
const LONGEST_LINE: usize = 40;

/// Whether a file begins with a length and then a field.
pub(crate) fn begins(head: &[u8]) -> bool {
    first_line(head).is_some_and(|(_, start)| Fields::new(&head[start..], 0).next().is_some())
}

/// The length that the first line states, and where the message begins.
fn first_line(head: &[u8]) -> Option<(usize, usize)> {
    let end = head.iter().take(LONGEST_LINE).position(|b| *b == b'\n')?;
    let digits = head[..end].trim_ascii_end();
    let number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let length = std::str::from_utf8(digits).ok().filter(|_| number)?.parse().ok()?;
    Some((length, end + 1))
}

/// Reads the message as the one that this file holds.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, input: &(dyn Input + '_), inside: &dyn Inside) -> Result<(), Stop> {
    let bytes = match load(input) {
        Ok(bytes) => bytes,
        Err(problem) => return document::keep(out, doc, Kind::Container, MEDIA, input, problem),
    };
    let depth = doc.depth;
    let index = document::found(out, doc, Kind::Container, MEDIA, "", input)?;
    let (length, start) = first_line(&bytes).unwrap_or((bytes.len(), 0));
    let end = start.saturating_add(length).min(bytes.len());
    if end - start < length {
        let why = Problem::new(Stage::Split, FaultCode::Truncated, TOOL, "it ends before the message's length");
        out.fault(index, why.at(bytes.len() as u64))?;
    }
    let place = Place::Slice { of: index, offset: start as u64, length: (end - start) as u64 };
    inside.message(out, Doc { place, ..Doc::child(index, 0, depth + 1) }, &bytes[start..end])?;
    let (remembered, _) = html::text(&String::from_utf8_lossy(&bytes[end..]));
    out.text(index, Label::Property, remembered)?;
    out.counted(index, Some(1), 1, 0)
}

#[cfg(test)]
mod tests {
    use crate::tests::hear;
    use daylight_model::reading::{Label, Place};
    use daylight_model::{FaultCode, Kind};

    #[test]
    fn the_message_is_what_the_first_line_counts() {
        let message = "Subject: Kahn\nFrom: a@b.c\n\nbody\n";
        let file = format!("{}   \n{message}<?xml version=\"1.0\"?><plist><key>flags</key><integer>7</integer></plist>", message.len());
        let heard = hear("x.emlx", file.as_bytes());
        assert_eq!((heard.found[0].kind, heard.found[0].media_type.as_str()), (Kind::Container, super::MEDIA));
        assert_eq!(heard.found[1].message.as_ref().unwrap().subject, "Kahn");
        assert_eq!(heard.text(1, Label::Body), "body\n");
        assert!(matches!(heard.found[1].place, Place::Slice { of: 0, .. }));
        assert_eq!(heard.original(file.as_bytes(), 1), message.as_bytes());
        assert!(heard.text(0, Label::Property).contains("flags"));
        assert_eq!(hear("x", format!("99\n{message}").as_bytes()).codes(0), [FaultCode::Truncated]);
        assert_eq!(hear("x", b"99\nno field\n").found[0].media_type, "text/plain");
    }
}
