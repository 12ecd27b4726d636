//! The lines of a text that are somebody's words. What mail programs put around what they quote or forward is left out, so that a text is the same
//! text when it is quoted or passed on.

/// A signature (RFC 3676 section 4.3) has no more lines than these; what follows them is text again.
const SIGNATURE_LINES: usize = 12;
/// A line of a header or an announcement is not longer than this, in bytes.
const SHORT: usize = 200;

/// The fields with which programs begin what they forward or answer.
const FIELDS: [&str; 30] = [
    "from",
    "to",
    "cc",
    "bcc",
    "sent",
    "date",
    "subject",
    "reply-to",
    "importance",
    "attachments",
    "von",
    "an",
    "gesendet",
    "betreff",
    "datum",
    "de",
    "à",
    "envoyé",
    "objet",
    "para",
    "asunto",
    "enviado",
    "fecha",
    "da",
    "inviato",
    "oggetto",
    "aan",
    "onderwerp",
    "verzonden",
    "от",
];

/// Where in a text we are, kept from piece to piece.
#[derive(Default)]
pub(super) struct Lines {
    /// How many lines of a signature are still to be left out, and how deep it is quoted.
    signature: Option<(usize, usize)>,
}

impl Lines {
    /// Gives each line that counts to `sink`, without its quote marks, and says whether it had any.
    pub(super) fn own<'t>(&mut self, text: &'t str, sink: &mut impl FnMut(&'t str, bool)) {
        let mut next = Some(0);
        while let Some(start) = next {
            let line = line_at(text, start, &mut next);
            let (depth, inner) = unquoted(line);
            if self.in_signature(depth, inner) || is_around(inner) || announces(text, depth, inner, next) {
                continue;
            }
            sink(inner, depth > 0);
        }
    }

    fn in_signature(&mut self, depth: usize, line: &str) -> bool {
        if matches!(line, "-- " | "-- \r") {
            self.signature = Some((SIGNATURE_LINES, depth));
            return true;
        }
        self.signature = self.signature.filter(|(left, of)| *left > 0 && *of == depth).map(|(left, of)| (left - 1, of));
        self.signature.is_some()
    }
}

/// The line that begins here, and where the next one does.
#[inline]
fn line_at<'t>(text: &'t str, start: usize, next: &mut Option<usize>) -> &'t str {
    let length = memchr::memchr2(b'\n', 0x0c, &text.as_bytes()[start..]);
    *next = length.map(|length| start + length + 1);
    &text[start..length.map_or(text.len(), |length| start + length)]
}

/// Whether a line announces a quotation, as in "On Monday Ann Lee wrote:", which some programs break into two lines.
fn announces(text: &str, depth: usize, line: &str, next: Option<usize>) -> bool {
    let Some(next) = next.filter(|_| line.len() < SHORT) else { return false };
    let mut after = None;
    let (next_depth, next_line) = unquoted(line_at(text, next, &mut after));
    let ends = |line: &str| line.trim_ascii_end().ends_with(':');
    let wrote = next_depth == depth && next_line.len() < SHORT && ends(next_line) && !line.trim_ascii().is_empty();
    ends(line) && next_depth > depth
        || wrote
            && after.is_some_and(|after| unquoted(line_at(text, after, &mut None)).0 > depth)
            && (next_line.contains('@') || next_line.trim_ascii() == "wrote:")
}

/// How deep a line is quoted, and the line without the marks.
fn unquoted(line: &str) -> (usize, &str) {
    let (mut depth, mut rest) = (0, line);
    while let Some(after) = rest.strip_prefix('>').or_else(|| if depth > 0 { rest.strip_prefix(" >") } else { None }) {
        (depth, rest) = (depth + 1, after);
    }
    (depth, if depth > 0 { rest.strip_prefix(' ').unwrap_or(rest) } else { rest })
}

/// Whether the line is one that programs put before what they forward: a field, or a row of dashes with words in it.
fn is_around(line: &str) -> bool {
    if line.len() >= SHORT {
        return false;
    }
    let line = line.trim_ascii();
    if line.starts_with("-----") || line.starts_with("Begin forwarded message") {
        return true;
    }
    // The longest name of a field, in stars.
    let beginning = &line.as_bytes()[..line.len().min(16)];
    let Some(end) = memchr::memchr(b':', beginning) else { return false };
    let name = line[..end].trim_matches('*');
    FIELDS.iter().any(|field| name.len() == field.len() && name.eq_ignore_ascii_case(field))
        || !name.is_ascii() && FIELDS.contains(&name.to_lowercase().as_str())
}
