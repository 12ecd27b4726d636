//! What a file is: by its bytes first, by its name and claim where those do not tell.

use crate::document::{load, read_full};
use crate::mail::Fields;
use crate::office::{self, Office, Sort};
use crate::packed::{stream::Method, tar};
use crate::{dbf, emlx, mbox, media, picture, rar, zip};
use daylight_model::reading::Input;
use daylight_model::{FaultCode, Kind, Name};
use std::io;

/// How much of the beginning is looked at.
const HEAD: usize = 64 << 10;
/// Of so many bytes at most one may be a control character in a text.
const CONTROLS: usize = 100;
const PDF: &str = "application/pdf";
const ZIP: &str = "application/zip";
/// A book: a zip of its chapters.
const EPUB: &str = "application/epub+zip";
const PGP: &str = "application/pgp-encrypted";
/// What is said of a message that only those can read to whom it was sent.
const TO_KEYS: &str =
    "it is encrypted for those who have its key, and no password is tried on it: have them decrypt it, and bring in what comes of it";

/// What others say that a file is.
pub(crate) struct Claims<'a> {
    pub(crate) name: Option<&'a Name>,
    /// A media type, empty if none.
    pub(crate) claimed: &'a str,
}

/// Which reader a file is for.
pub(crate) enum Format {
    Message,
    Mailbox,
    /// One message of Apple Mail's.
    AppleMessage,
    /// A zip, or a book in one, by its media type.
    Zip(&'static str),
    Tar,
    Seven,
    Rar,
    /// Outlook's, PST or OST.
    MailStore,
    /// One file, packed.
    Compressed(Method),
    /// A picture of this media type.
    Picture(&'static str),
    /// A document of an office program, with its media type.
    Office(Office, String),
    Pdf,
    /// A table of dBASE.
    Table,
    /// Text of this media type.
    Text(String),
    /// None: what it is, and why it is not read.
    Opaque {
        media: String,
        code: FaultCode,
        why: &'static str,
    },
}

impl Format {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Format::Message => Kind::Message,
            Format::Mailbox
            | Format::AppleMessage
            | Format::Zip(_)
            | Format::Tar
            | Format::Seven
            | Format::Rar
            | Format::MailStore
            | Format::Compressed(_) => Kind::Container,
            Format::Office(office, _) => office.kind(),
            Format::Pdf | Format::Table | Format::Picture(_) | Format::Text(_) | Format::Opaque { .. } => Kind::File,
        }
    }

    pub(crate) fn media(&self) -> &str {
        match self {
            Format::Message => "message/rfc822",
            Format::Mailbox => "application/mbox",
            Format::AppleMessage => emlx::MEDIA,
            Format::Table => dbf::MEDIA,
            Format::Zip(media) => media,
            Format::Pdf => "application/pdf",
            Format::Tar => "application/x-tar",
            Format::Seven => "application/x-7z-compressed",
            Format::Rar => rar::MEDIA,
            Format::MailStore => "application/vnd.ms-outlook-pst",
            Format::Compressed(method) => method.media(),
            Format::Picture(media) => media,
            Format::Office(_, media) | Format::Text(media) | Format::Opaque { media, .. } => media,
        }
    }

    /// Whether a document of this format that gives nothing has nothing: a container says what it holds, a message has its header, a picture its size.
    pub(crate) fn is_read_for_words(&self) -> bool {
        match self {
            // What a drawing shows may be no words.
            Format::Office(Office::Metafile, _) => false,
            Format::Office(office, _) => office.kind() == Kind::File,
            Format::Pdf | Format::Text(_) => true,
            _ => false,
        }
    }

    /// Whether it holds documents of any kind.
    pub(crate) fn nests(&self) -> bool {
        matches!(self, Format::Message | Format::Office(..) | Format::Pdf) || self.kind() == Kind::Container
    }

    fn opaque(media: impl Into<String>) -> Self {
        Format::Opaque { media: media.into(), code: FaultCode::NoReader, why: "" }
    }

    fn encrypted(media: &str, why: &'static str) -> Self {
        Format::Opaque { media: media.into(), code: FaultCode::Encrypted, why }
    }
}

/// Tells what `input` is.
pub(crate) fn format(claims: &Claims<'_>, input: &(dyn Input + '_)) -> io::Result<Format> {
    let mut buffer = Vec::new();
    let head = match input.in_memory() {
        Some(bytes) => &bytes[..bytes.len().min(HEAD)],
        None => {
            buffer.resize(HEAD.min(usize::try_from(input.length()).unwrap_or(HEAD)), 0);
            let count = read_full(input, 0, &mut buffer)?;
            &buffer[..count]
        }
    };
    let extension = claims.name.and_then(Name::extension).unwrap_or_default();
    let named = media::by_extension(&extension);
    if head.is_empty() {
        let media = named.or(media::says_something(claims.claimed).then_some(claims.claimed)).unwrap_or("application/octet-stream");
        return Ok(Format::Opaque { media: media.into(), code: FaultCode::Empty, why: "" });
    }
    if let Some(format) = by_mark(head, named, claims, input)? {
        return Ok(format);
    }
    let claimed_message = matches!(claims.claimed, "message/rfc822" | "message/global" | "message/news");
    // A .msg that is no compound file, which was seen above, is a message as it stands.
    let called_message =
        claimed_message || matches!(extension.as_str(), "eml" | "msg" | "mht" | "mhtml") || claims.name.is_some_and(is_maildir_name);
    let single = called_message && memchr::memmem::find(head, b"\n\nFrom ").is_none();
    if single && is_message(head, true) {
        return Ok(Format::Message);
    }
    if is_git_patch(head) {
        return Ok(Format::Text("text/x-patch".into()));
    }
    if mbox::begins(head) {
        return Ok(Format::Mailbox);
    }
    if emlx::begins(head) {
        return Ok(Format::AppleMessage);
    }
    if is_message(head, called_message) {
        return Ok(Format::Message);
    }
    if named == Some(dbf::MEDIA) && dbf::begins(head) {
        return Ok(Format::Table);
    }
    if is_text(head) || media::is_text(claims.claimed) && !head.contains(&0) {
        return Ok(Format::Text(text_type(head, named, claims.claimed)));
    }
    if zip::is_appended(input)? {
        return Ok(Format::Zip(ZIP));
    }
    Ok(opaque(head, named, claims.claimed))
}

fn by_mark(head: &[u8], named: Option<&'static str>, claims: &Claims<'_>, input: &(dyn Input + '_)) -> io::Result<Option<Format>> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        let Some(media) = zip::office_type(input)? else { return Ok(Some(Format::Zip(ZIP))) };
        return Ok(Some(match office::by_media(&media) {
            Some(office) => Format::Office(office, media),
            None if media == EPUB => Format::Zip(EPUB),
            None => Format::opaque(media),
        }));
    }
    if tar::begins(head) {
        return Ok(Some(Format::Tar));
    }
    if let Some(media) = office::drawing_by_mark(head) {
        return Ok(Some(Format::Office(Office::Metafile, media.into())));
    }
    let mark = media::by_mark(without_lines_before_armour(head));
    if mark == Some(PDF) || mark.is_none() && (named == Some(PDF) || claims.claimed == PDF) && begins_late(head) {
        return Ok(Some(Format::Pdf));
    }
    if let Some(method) = mark.and_then(Method::of) {
        return Ok(Some(Format::Compressed(method)));
    }
    let program = matches!(mark, Some("application/vnd.microsoft.portable-executable" | "application/x-elf"));
    if program && zip::is_appended(input)? {
        return Ok(Some(Format::Zip(ZIP)));
    }
    if mark == Some(media::OLE) {
        let narrowed = media::narrowed(media::OLE, named, claims.claimed);
        match load(input).map(|bytes| office::sort(&bytes)) {
            Ok(Some(sort)) => return Ok(Some(compound(sort, narrowed, named))),
            Ok(None) => {
                let why = "it begins as a compound file of Office does, and its directory cannot be read: most likely it breaks off";
                return Ok(Some(Format::Opaque { media: narrowed, code: FaultCode::Malformed, why }));
            }
            // Its reader says what hinders it: that it is too large, most likely.
            Err(_) => return Ok(Some(Format::Office(Office::Compound, narrowed))),
        }
    }
    Ok(mark.map(|mark| match mark {
        "application/rtf" => Format::Office(Office::Rtf, mark.into()),
        media::WORD_2 => Format::Office(Office::Word2, "application/msword".into()),
        "application/vnd.ms-tnef" => Format::Office(Office::Tnef, mark.into()),
        "application/pgp-encrypted" | "application/x-age" => Format::encrypted(mark, TO_KEYS),
        "application/x-7z-compressed" => Format::Seven,
        mark if picture::is_read(mark) => Format::Picture(mark),
        "application/vnd.ms-outlook-pst" => Format::MailStore,
        rar::MEDIA => Format::Rar,
        mark => Format::opaque(media::narrowed(mark, named, claims.claimed)),
    }))
}

/// A compound file of this sort. Of those that are not told by their streams the name tells.
fn compound(sort: Sort, narrowed: String, named: Option<&'static str>) -> Format {
    match sort {
        Sort::Word => Format::Office(Office::Compound, "application/msword".into()),
        Sort::Sheets => Format::Office(Office::Compound, "application/vnd.ms-excel".into()),
        Sort::Slides => Format::Office(Office::Compound, "application/vnd.ms-powerpoint".into()),
        Sort::Outlook => Format::Office(Office::Outlook, "application/vnd.ms-outlook".into()),
        Sort::Encrypted => {
            let media = named.filter(|media| media.contains("openxmlformats")).unwrap_or(&narrowed);
            Format::Office(Office::Protected, media.into())
        }
        Sort::Other => Format::Office(Office::Compound, narrowed),
    }
}

/// Programs that open PDFs let other bytes stand before their mark, up to the first thousand.
fn begins_late(head: &[u8]) -> bool {
    memchr::memmem::find(&head[..head.len().min(1024)], b"%PDF-").is_some()
}

/// PGP's armour may have empty lines before it; other marks stand at their place or not at all.
fn without_lines_before_armour(head: &[u8]) -> &[u8] {
    let trimmed = head.trim_ascii_start();
    if trimmed.starts_with(b"-----BEGIN PGP ") { trimmed } else { head }
}

/// `1234.M1P2.host:2,S`: seconds, a unique piece, a host, and after a colon (`;` or `!` where colons are not allowed) the flags. Before a
/// message is seen it has no flags.
fn is_maildir_name(name: &Name) -> bool {
    let file = name.0.rsplit(|b| *b == b'/').next().unwrap_or(&name.0);
    let base =
        memchr::memmem::find(file, b"2,").filter(|n| *n > 0 && matches!(file[n - 1], b':' | b';' | b'!')).map_or(file, |n| &file[..n - 1]);
    let mut pieces = base.splitn(3, |b| *b == b'.');
    let seconds = pieces.next().is_some_and(|piece| piece.len() >= 4 && piece.iter().all(u8::is_ascii_digit));
    let unique = pieces.next().is_some_and(|piece| piece.iter().any(u8::is_ascii_digit));
    seconds && unique && pieces.next().is_some_and(|host| !host.is_empty())
}

/// Whether a message begins here: one field will do for what is called a message, two that only messages have for what is not.
fn is_message(head: &[u8], called: bool) -> bool {
    const KNOWN: [&str; 18] = [
        "From",
        "To",
        "Cc",
        "Date",
        "Subject",
        "Received",
        "Message-ID",
        "Return-Path",
        "Reply-To",
        "Delivered-To",
        "MIME-Version",
        "Content-Type",
        "In-Reply-To",
        "References",
        "DKIM-Signature",
        "X-Mailer",
        "Sender",
        "List-ID",
    ];
    let mut fields = Fields::new(head, 0).take(200);
    if called {
        return fields.next().is_some();
    }
    let mut seen = [false; KNOWN.len()];
    for field in fields {
        if let Some(known) = KNOWN.iter().position(|known| field.is(known)) {
            seen[known] = true;
        }
    }
    let count = seen.iter().filter(|seen| **seen).count();
    // A subject and a date may head any note; a message also says from whom, to whom or by which way.
    count >= 3 || count == 2 && (seen[0] || seen[5] || seen[6] || seen[7] || seen[14])
}

/// Whether this is what `git format-patch` writes, which has the form of a mailbox but the use of a text.
fn is_git_patch(head: &[u8]) -> bool {
    let Some(line) = head.strip_prefix(b"From ").and_then(|rest| rest.split(|b| *b == b'\n').next()) else { return false };
    let hash = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    hash >= 40 && line[hash..].trim_ascii() == b"Mon Sep 17 00:00:00 2001"
}

/// Whether these bytes are text in some character set.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.starts_with(b"\xef\xbb\xbf") {
        return true;
    }
    let control = |b: &&u8| matches!(b, 1..=7 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    !head.contains(&0) && head.iter().filter(control).count() <= head.len() / CONTROLS
}

fn text_type(head: &[u8], named: Option<&'static str>, claimed: &str) -> String {
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |mark: &str| start.get(..mark.len()).is_some_and(|b| b.eq_ignore_ascii_case(mark.as_bytes()));
    if ["<!doctype html", "<html", "<head>", "<body"].iter().any(|mark| begins(mark)) {
        return "text/html".into();
    }
    let named = named.filter(|media| media::is_text(media));
    let claimed = Some(claimed).filter(|media| media::says_something(media) && media::is_text(media));
    // Mailers claim plain text of all that is text; a name says more than that.
    let specific = claimed.filter(|media| *media != "text/plain");
    let xml = begins("<?xml").then_some("application/xml");
    specific.or(named).or(xml).or(claimed).unwrap_or("text/plain").into()
}

/// What is neither text nor known by a mark.
fn opaque(head: &[u8], named: Option<&'static str>, claimed: &str) -> Format {
    const ENVELOPED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
    const SIGNED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    const SEALED: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17";
    let early = &head[..head.len().min(64)];
    if memchr::memmem::find(early, ENVELOPED).or(memchr::memmem::find(early, SEALED)).is_some() {
        return Format::encrypted("application/pkcs7-mime", TO_KEYS);
    }
    // Packets that begin a message under a key or a password (RFC 9580 section 4.3).
    let packets = matches!(head.first(), Some(0x84..=0x86 | 0x8c..=0x8e | 0xc1 | 0xc3 | 0xd2));
    if packets && (named == Some(PGP) || claimed == PGP) {
        return Format::encrypted(PGP, TO_KEYS);
    }
    let claimed = Some(claimed).filter(|media| media::says_something(media) && !media.starts_with("text/"));
    let signed = memchr::memmem::find(early, SIGNED).map(|_| "application/pkcs7-signature");
    let named = named.filter(|media| !media::is_text(media));
    Format::opaque(claimed.or(named).or(signed).unwrap_or("application/octet-stream"))
}
