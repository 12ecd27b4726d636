use super::parts::{self, Part, Structure};
use super::{TOOL, facts};
use crate::charset;
use crate::document::{Doc, Inside, Memory};
use crate::html;
use crate::output::{Output, Problem};
use daylight_model::reading::{Label, Place, Stop};
use daylight_model::{FaultCode, Kind, MessageFacts, Name, Stage};
use std::borrow::Cow;

/// HTML text is added to the plain text of the same message only if it is this many times as long, and then some: the plain text then is but a
/// note that says to look at the HTML.
const MATERIALLY_MORE: (usize, usize) = (2, 200);

/// Reads a message, and has all that is attached to it read.
pub(crate) fn read(out: &mut Output<'_>, doc: Doc, message: &[u8], inside: &dyn Inside) -> Result<(), Stop> {
    let structure = parts::walk(message);
    let charset = structure.parts.iter().find_map(Part::charset);
    let (facts, cuts) = facts::read(message, charset.as_deref(), doc.mailbox_date);
    let bodies = bodies(&structure);
    let has_html = bodies.iter().any(|body| structure.parts[body.part].media == "text/html");
    let depth = doc.depth;
    let daylight_dkim::Read { signatures, cut } = daylight_dkim::read(message);
    let index = parse_found(out, doc, message, Some(MessageFacts { has_html, signatures: Some(signatures), ..facts }))?;
    if cut {
        let why = Problem::new(Stage::Read, FaultCode::TooMany, TOOL, "more signatures than are looked at");
        out.fault(index, why.limit(daylight_dkim::MOST as u64))?;
    }
    for (code, why, limit) in cuts {
        out.fault(index, Problem::new(Stage::Read, code, TOOL, why).limit(limit))?;
    }
    structure_faults(out, index, &structure, message)?;
    read_bodies(out, index, message, &structure, &bodies)?;
    read_outside(out, index, message, &structure, charset.as_deref())?;
    read_attachments(out, index, depth, message, &structure, &bodies, inside)
}

/// Says that a message was found and gives its bytes where they are not a slice of something.
pub(crate) fn parse_found(out: &mut Output<'_>, doc: Doc, message: &[u8], facts: Option<MessageFacts>) -> Result<u32, Stop> {
    let place = doc.place;
    let found = doc.found(Kind::Message, "message/rfc822".into(), String::new(), facts.map(Box::new));
    let index = out.found(found)?;
    if place == Place::Follows {
        out.bytes(index, message)?;
    }
    Ok(index)
}

fn structure_faults(out: &mut Output<'_>, index: u32, structure: &Structure, message: &[u8]) -> Result<(), Stop> {
    let split = |code, why: &str| Problem::new(Stage::Split, code, TOOL, why);
    if structure.unclosed {
        let why = split(FaultCode::Truncated, "the line that closes a multipart is missing");
        out.fault(index, why.at(message.len() as u64))?;
    }
    if structure.too_deep {
        out.fault(index, split(FaultCode::TooDeep, "multiparts within multiparts were left whole").limit(parts::DEEPEST as u64))?;
    }
    if structure.too_many {
        out.fault(index, split(FaultCode::TooMany, "the last parts were not read").limit(parts::MOST as u64))?;
    }
    Ok(())
}

/// A part that is the message's own text, and the alternatives that it is one of.
struct Body {
    part: usize,
    group: Option<usize>,
}

/// The parts that are read as the message's text: plain text and HTML without a file's name that nobody asked to save.
fn bodies(structure: &Structure) -> Vec<Body> {
    let mut bodies = Vec::new();
    for (number, part) in structure.parts.iter().enumerate() {
        let text =
            matches!(part.media.as_str(), "text/plain" | "text/html") || part.parent.is_none() && part.media.starts_with("multipart/");
        let attached = || part.disposition.value == "attachment" || part.file_name(None).is_some();
        if !part.multipart && text && (part.parent.is_none() || !attached()) {
            bodies.push(Body { part: number, group: alternatives(structure, part) });
        }
    }
    bodies
}

/// The outermost `multipart/alternative` around a part.
fn alternatives(structure: &Structure, part: &Part) -> Option<usize> {
    let mut found = None;
    let mut parent = part.parent;
    while let Some(number) = parent {
        let part = &structure.parts[number];
        if part.media == "multipart/alternative" {
            found = Some(number);
        }
        parent = part.parent;
    }
    found
}

/// A decoded body.
struct Read {
    group: Option<usize>,
    html: bool,
    body: String,
    hidden: String,
}

fn read_bodies(out: &mut Output<'_>, index: u32, message: &[u8], structure: &Structure, bodies: &[Body]) -> Result<(), Stop> {
    let mut reads = Vec::with_capacity(bodies.len());
    let mut guesses: Vec<String> = Vec::new();
    for body in bodies {
        let part = &structure.parts[body.part];
        let html = part.media == "text/html";
        let (text, guess) = decoded(out, Some(index), message, part, html)?;
        guesses.extend(guess.filter(|guess| !guesses.contains(guess)));
        let (body_text, hidden) = if html { html::text(&text) } else { (text, String::new()) };
        reads.push(Read { group: body.group, html, body: body_text, hidden });
    }
    let mut plain = std::collections::HashMap::new();
    for read in reads.iter().filter(|read| !read.html && read.group.is_some()) {
        *plain.entry(read.group).or_insert(0) += read.body.trim().len();
    }
    for read in reads {
        let told = if read.html && read.group.is_some() { plain.get(&read.group).copied().unwrap_or(0) } else { 0 };
        if told == 0 || read.body.len() > told * MATERIALLY_MORE.0 + MATERIALLY_MORE.1 {
            if memchr::memmem::find(read.body.as_bytes(), b"-----BEGIN PGP MESSAGE-----").is_some() {
                out.fault(
                    index,
                    Problem::new(
                        Stage::Read,
                        FaultCode::Encrypted,
                        TOOL,
                        "the text holds a PGP message, which only those can read who have its key",
                    ),
                )?;
            }
            out.text(index, Label::Body, read.body)?;
        }
        out.text(index, Label::Hidden, read.hidden)?;
    }
    out.text(index, Label::Property, guesses.concat())
}

/// What programs write before the first part for those that cannot read parts; these lines, in lower case and without the dots at their
/// end, say nothing of the message.
const NOTICES: [&str; 7] = [
    "this is a multi-part message in mime format",
    "this is a multipart message in mime format",
    "this is a mime-encapsulated message",
    "this is a cryptographically signed message in mime format",
    "this is an s/mime signed message",
    "this is an openpgp/mime signed message (rfc 4880 and 3156)",
    "this is an openpgp/mime encrypted message (rfc 4880 and 3156)",
];

/// Text that stands in no part is hidden: programs that read mail show nothing of it.
fn read_outside(out: &mut Output<'_>, index: u32, message: &[u8], structure: &Structure, charset: Option<&str>) -> Result<(), Stop> {
    for range in structure.outside() {
        let text = charset::decode(&message[range], charset).text;
        let lines = text.lines().filter(|line| !NOTICES.contains(&line.trim().trim_end_matches('.').to_ascii_lowercase().as_str()));
        let kept = lines.collect::<Vec<_>>().join("\n");
        if kept.contains(char::is_alphanumeric) {
            out.text(index, Label::Hidden, kept)?;
        }
    }
    Ok(())
}

/// The text of a part, its transfer encoding and character set undone, and what is to be noted of a guess at the latter. With a document, what went
/// wrong is said of it.
fn decoded(out: &mut Output<'_>, index: Option<u32>, message: &[u8], part: &Part, html: bool) -> Result<(String, Option<String>), Stop> {
    let (bytes, broken) = part.transfer.decode(&message[part.body.clone()]);
    let stated = part.charset().or_else(|| html.then(|| html::stated_charset(&bytes)).flatten());
    let text = charset::decode(&bytes, stated.as_deref());
    if let Some(index) = index {
        let at = part.body.start as u64;
        if broken {
            out.fault(index, Problem::new(Stage::Read, FaultCode::Malformed, TOOL, "the transfer encoding of a part is broken").at(at))?;
        }
        if text.replaced {
            let why = format!("some bytes of a text are not {}", text.encoding.name());
            out.fault(index, Problem::new(Stage::Read, FaultCode::BadCharset, TOOL, why).at(at))?;
        }
    }
    Ok((text.text.into_owned(), text.guess))
}

fn read_attachments(
    out: &mut Output<'_>,
    parent: u32,
    depth: u32,
    message: &[u8],
    structure: &Structure,
    bodies: &[Body],
    inside: &dyn Inside,
) -> Result<(), Stop> {
    let charset = structure.parts.iter().find_map(Part::charset);
    let mut next_body = bodies.iter().map(|body| body.part).peekable();
    let mut ordinal = 0;
    for (number, part) in structure.parts.iter().enumerate() {
        if part.multipart || next_body.next_if_eq(&number).is_some() {
            continue;
        }
        let raw = &message[part.body.clone()];
        let (bytes, broken) = part.transfer.decode(raw);
        let place = match &bytes {
            Cow::Borrowed(_) => Place::Slice { of: parent, offset: part.body.start as u64, length: raw.len() as u64 },
            Cow::Owned(_) => Place::Follows,
        };
        if place == Place::Follows && !out.spend(bytes.len()) {
            let why = Problem::new(Stage::Split, FaultCode::TooLarge, TOOL, "the attachments from here on are past the budget");
            return out.fault(parent, why.limit(out.budget()).at(part.body.start as u64));
        }
        if broken {
            let why =
                Problem::new(Stage::Split, FaultCode::Malformed, TOOL, format!("the transfer encoding of attachment {ordinal} is broken"));
            out.fault(parent, why.at(part.body.start as u64))?;
        }
        let name = part.file_name(charset.as_deref()).map(|name| Name(name.into_bytes()));
        let claimed = if part.content_type.value.is_empty() { String::new() } else { part.media.clone() };
        let doc = Doc { name, place, claimed_type: claimed, charset: part.charset(), ..Doc::child(parent, ordinal, depth + 1) };
        inside.read(out, doc, &Memory(bytes.as_ref()))?;
        ordinal += 1;
    }
    Ok(())
}

/// A body as a view of the message shows it.
pub(crate) enum Shown {
    Html(String),
    Plain(String),
}

/// The bodies that a view shows, if any of them is HTML: in their order, plain text only where no HTML says the same.
pub(crate) fn shown(out: &mut Output<'_>, message: &[u8]) -> Result<Vec<Shown>, Stop> {
    let structure = parts::walk(message);
    let bodies = bodies(&structure);
    let html = |body: &&Body| structure.parts[body.part].media == "text/html";
    let groups: Vec<Option<usize>> = bodies.iter().filter(html).map(|body| body.group).collect();
    let mut shown = Vec::new();
    for body in bodies.iter().filter(|body| html(body) || !groups.is_empty() && (body.group.is_none() || !groups.contains(&body.group))) {
        let part = &structure.parts[body.part];
        let (text, _) = decoded(out, None, message, part, html(&body))?;
        shown.push(if html(&body) { Shown::Html(text) } else { Shown::Plain(text) });
    }
    Ok(shown)
}
