//! What the texts of notes at `entry/<serial>/note` have in common: their first four lines, and lines of `name value`.

use crate::checkpoint::check_origin;
use crate::json::MAX_NUMBER;
use crate::note::NoteError;
use daylight_model::Digest;

/// Why a text is not that of a note of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryNoteError {
    /// Not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not the lines of such a note, or not written in the one way.
    #[error("not the text of a {0} (daylight-{0}/v1)")]
    Form(&'static str),
    /// A value that it cannot have.
    #[error("{0}")]
    Rule(&'static str),
}

/// The first four lines.
pub(crate) fn head(word: &str, origin: &str, serial: u64, root: &Digest) -> String {
    format!("daylight-{word}/v1\norigin {origin}\nserial {serial}\nroot {root}\n")
}

/// Whether origin and serial can be those of a note.
pub(crate) fn check_head(origin: &str, serial: u64) -> Result<(), EntryNoteError> {
    if !check_origin(origin) {
        return Err(EntryNoteError::Rule("the origin is a name without spaces, plus sign or control characters"));
    }
    let fits = (1..=MAX_NUMBER).contains(&serial);
    if fits { Ok(()) } else { Err(EntryNoteError::Rule("a serial is 1 or more")) }
}

/// The lines of a text, taken one after the other.
pub(crate) struct Reading<'a>(std::iter::Peekable<std::str::Split<'a, char>>);

impl<'a> Reading<'a> {
    /// Begins after the first line, which must say the type; `None` if it does not, or if the text does not end in LF.
    pub(crate) fn begin(text: &'a str, word: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n').peekable();
        let first = lines.next()?;
        (first.strip_prefix("daylight-")?.strip_suffix("/v1")? == word).then_some(Self(lines))
    }

    /// The value of the next line, which must have this name.
    pub(crate) fn value(&mut self, name: &str) -> Option<&'a str> {
        of(self.0.next()?, name)
    }

    /// The value of the next line, if it has this name; otherwise the line stays.
    pub(crate) fn optional(&mut self, name: &str) -> Option<&'a str> {
        let value = of(self.0.peek()?, name)?;
        self.0.next();
        Some(value)
    }

    /// Whether there is no line left.
    pub(crate) fn is_done(&mut self) -> bool {
        self.0.peek().is_none()
    }
}

fn of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix(name)?.strip_prefix(' ')
}
