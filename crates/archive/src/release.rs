//! The note of a release: what k editors sign.

use crate::checkpoint::check_origin;
use crate::json::MAX_NUMBER;
use crate::note::{Note, NoteError};
pub use crate::time::format_time;
use crate::time::parse_time;
use daylight_model::Digest;

const FORMAT: &str = "daylight-release/v1";

/// The longest title of a release, in bytes.
pub const MAX_TITLE: usize = 1024;

/// What a release's note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseNote {
    /// The archive for which it was signed.
    pub origin: String,
    /// Which release of that archive: 1, 2, 3 … without a gap, in the log's order. A serial is logged once.
    pub serial: u64,
    /// SHA-256 of the JSON of the root in force.
    pub root: Digest,
    /// The collection that it adds to.
    pub collection: String,
    /// How many lines its manifest has, 1 or more.
    pub lines: u64,
    /// The root of the manifest's tree (RFC 6962).
    pub manifest: Digest,
    /// The head of the desk's audit log when the release was drafted.
    pub audit: Digest,
    /// When it was drafted, by the desk's clock: seconds since 1970-01-01T00:00:00Z. Claimed, not proved.
    pub time: i64,
    /// The collection's title.
    pub title: String,
}

/// Why a text is not a release's note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// Not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not the lines of a release's note.
    #[error("not the text of a release ({FORMAT})")]
    Form,
    /// A value that a release cannot have.
    #[error("{0}")]
    Rule(&'static str),
}

impl ReleaseNote {
    /// The text that is signed, after checking that every value can be one.
    pub fn text(&self) -> Result<String, ReleaseError> {
        self.check()?;
        let Self { origin, serial, root, collection, lines, manifest, audit, title, .. } = self;
        let time = format_time(self.time).ok_or(ReleaseError::Rule("the time is out of range"))?;
        Ok(format!(
            "{FORMAT}\norigin {origin}\nserial {serial}\nroot {root}\ncollection {collection}\nlines {lines}\nmanifest {manifest}\naudit {audit}\n\
             time {time}\ntitle {title}\n"
        ))
    }

    /// The note to be signed.
    pub fn note(&self) -> Result<Note, ReleaseError> {
        Ok(Note::new(&self.text()?)?)
    }

    /// Reads the text of a release's note; there is one way to write it.
    pub fn parse_text(text: &str) -> Result<Self, ReleaseError> {
        let parsed = Self::parse_lines(text).ok_or(ReleaseError::Form)?;
        if parsed.text()? == text { Ok(parsed) } else { Err(ReleaseError::Form) }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != FORMAT {
            return None;
        }
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        Some(Self {
            origin: value("origin")?,
            serial: value("serial")?.parse().ok()?,
            root: value("root")?.parse().ok()?,
            collection: value("collection")?,
            lines: value("lines")?.parse().ok()?,
            manifest: value("manifest")?.parse().ok()?,
            audit: value("audit")?.parse().ok()?,
            time: parse_time(&value("time")?)?,
            title: value("title")?,
        })
    }

    /// Its time as the note has it, RFC 3339 in UTC.
    pub fn time_text(&self) -> String {
        format_time(self.time).unwrap_or_else(|| self.time.to_string())
    }

    fn check(&self) -> Result<(), ReleaseError> {
        let title = !self.title.is_empty() && self.title.len() <= MAX_TITLE && !self.title.contains(char::is_control);
        let rules = [
            (check_origin(&self.origin), "the origin is a name without spaces, plus sign or control characters"),
            (self.serial >= 1 && self.serial <= MAX_NUMBER, "a serial is 1 or more"),
            (self.lines >= 1 && self.lines <= MAX_NUMBER, "a release has at least one line"),
            (is_slug(&self.collection), "a collection's name is 1 to 64 of a-z, 0-9 and -"),
            (title, "a title is one line of at most 1,024 bytes"),
        ];
        match rules.iter().find(|(kept, _)| !kept) {
            Some((_, rule)) => Err(ReleaseError::Rule(rule)),
            None => Ok(()),
        }
    }
}

/// Whether a text can be the name of a collection: `[a-z0-9-]{1,64}`.
pub fn is_slug(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_written_in_one_way_and_read_back() {
        let note = ReleaseNote {
            origin: "archive.example/a".into(),
            serial: 7,
            root: Digest::of(b"root"),
            collection: "town-council".into(),
            lines: 66_920,
            manifest: Digest::of(b"manifest"),
            audit: Digest::of(b"audit"),
            time: 1_795_372_835,
            title: "Town council e-mails 2014–2016".into(),
        };
        let text = note.text().unwrap();
        let (root, manifest, audit) = (note.root, note.manifest, note.audit);
        let expected = format!(
            "daylight-release/v1\norigin archive.example/a\nserial 7\nroot {root}\ncollection town-council\nlines 66920\nmanifest {manifest}\n\
             audit {audit}\ntime 2026-11-22T18:40:35Z\ntitle Town council e-mails 2014–2016\n"
        );
        assert_eq!(text, expected);
        assert_eq!(ReleaseNote::parse_text(&text).unwrap(), note);
        let wrong = [
            text.replace("serial 7", "serial 07"),
            text.replace("serial 7", "serial +7"),
            text.replace("lines 66920", "lines 0"),
            text.replace("35Z", "35.0Z"),
            text.replace("35Z", "35+00:00"),
            text.replace("town-council", "Town"),
            text.replace("/v1", "/v2"),
            format!("{text}more\n"),
        ];
        for wrong in &wrong {
            assert!(ReleaseNote::parse_text(wrong).is_err(), "{wrong}");
        }
        assert!(ReleaseNote { title: "two\nlines".into(), ..note }.text().is_err());
    }
}
