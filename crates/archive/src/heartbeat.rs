//! The note of a heartbeat: one editor says that the archive lives.

use crate::head::{EntryNoteError, Reading, check_head, head};
use crate::note::Note;
use crate::time::{format_time, parse_time};
use daylight_model::Digest;

const WORD: &str = "heartbeat";

/// What a heartbeat's note says. One editor signs it, so that whoever seized the log's key alone cannot keep it beating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatNote {
    /// The archive for which it was signed.
    pub origin: String,
    /// Its serial among withdrawals, directories and heartbeats.
    pub serial: u64,
    /// SHA-256 of the JSON of the root in force.
    pub root: Digest,
    /// When, by the signer's clock: seconds since 1970-01-01T00:00:00Z. Claimed, not proved.
    pub time: i64,
}

impl HeartbeatNote {
    /// The text that is signed, after checking that every value can be one.
    pub fn text(&self) -> Result<String, EntryNoteError> {
        check_head(&self.origin, self.serial)?;
        let time = format_time(self.time).ok_or(EntryNoteError::Rule("the time is out of range"))?;
        Ok(format!("{}time {time}\n", head(WORD, &self.origin, self.serial, &self.root)))
    }

    /// The note to be signed.
    pub fn note(&self) -> Result<Note, EntryNoteError> {
        Ok(Note::new(&self.text()?)?)
    }

    /// Reads the text of a heartbeat's note; there is one way to write it.
    pub fn parse_text(text: &str) -> Result<Self, EntryNoteError> {
        let parsed = Self::parse_lines(text).ok_or(EntryNoteError::Form(WORD))?;
        if parsed.text()? == text { Ok(parsed) } else { Err(EntryNoteError::Form(WORD)) }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let mut lines = Reading::begin(text, WORD)?;
        let note = Self {
            origin: lines.value("origin")?.to_owned(),
            serial: lines.value("serial")?.parse().ok()?,
            root: lines.value("root")?.parse().ok()?,
            time: parse_time(lines.value("time")?)?,
        };
        lines.is_done().then_some(note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_written_in_one_way_and_read_back() {
        let note = HeartbeatNote { origin: "archive.example/a".into(), serial: 3, root: Digest::of(b"root"), time: 1_795_372_835 };
        let text = note.text().unwrap();
        let expected =
            format!("daylight-heartbeat/v1\norigin archive.example/a\nserial 3\nroot {}\ntime 2026-11-22T18:40:35Z\n", Digest::of(b"root"));
        assert_eq!(text, expected);
        assert_eq!(HeartbeatNote::parse_text(&text).unwrap(), note);
        let wrong = [
            text.replace("serial 3", "serial 0"),
            text.replace("serial 3", "serial 03"),
            text.replace("35Z", "35.5Z"),
            text.replace("/v1", "/v2"),
            text.replace("heartbeat", "withdraw"),
            text.replace("time ", "time  "),
            format!("{text}more\n"),
            text.trim_end().to_owned(),
        ];
        wrong.iter().for_each(|wrong| assert!(HeartbeatNote::parse_text(wrong).is_err(), "{wrong}"));
    }
}
