//! What a mirror remembers beside its copy: whom it trusts, the newest checkpoint that it accepted, and who was asked. docs/mirroring.md describes
//! the file. It is written last, so it never speaks of what is not in the copy yet.

use daylight_archive::json::{self, Fields, JsonError};
use daylight_archive::release::is_slug;
use daylight_model::Digest;
use serde_json::{Value, json};

const FORMAT: &str = "daylight-mirror/v1";

/// The longest state that is read, in bytes: two notes and some addresses.
pub const MAX_STATE: u64 = 4 << 20;

/// The most sites that are remembered.
const MAX_ASKED: usize = 256;

/// How the root that is pinned came to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Somebody gave it.
    Given,
    /// It was the one that the first site had when it was first asked.
    FirstUse,
}

impl Trust {
    fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::FirstUse => "first-use",
        }
    }
}

/// The root that everything must follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned {
    /// Its version.
    pub version: u64,
    /// SHA-256 of its JSON.
    pub sha256: Digest,
    /// Why it is trusted.
    pub trust: Trust,
    /// Since when, in seconds since 1970 by the clock here.
    pub since: u64,
}

/// A site that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its address.
    pub site: String,
    /// When, in seconds since 1970 by the clock here.
    pub time: u64,
    /// What came of it, in words.
    pub said: String,
}

/// The state of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The archive's name.
    pub origin: String,
    /// The root that is trusted.
    pub pinned: Pinned,
    /// The collections that are copied; empty for all.
    pub only: Vec<String>,
    /// The newest checkpoint that was accepted, with its signatures; `None` before the first.
    pub checkpoint: Option<String>,
    /// The sites that were asked at the last try, in order.
    pub asked: Vec<Asked>,
}

impl State {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JsonError> {
        let mut value = json!({
            "asked": self.asked.iter().take(MAX_ASKED).map(|asked| json!({"said": asked.said, "site": asked.site, "time": asked.time}))
                .collect::<Vec<_>>(),
            "format": FORMAT,
            "only": self.only,
            "origin": self.origin,
            "pinned": {
                "sha256": self.pinned.sha256.to_string(),
                "since": self.pinned.since,
                "trust": self.pinned.trust.word(),
                "version": self.pinned.version,
            },
        });
        if let (Some(checkpoint), Value::Object(fields)) = (&self.checkpoint, &mut value) {
            fields.insert("checkpoint".into(), checkpoint.clone().into());
        }
        let mut bytes = json::write(&value)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a file that [`State::to_bytes`] wrote, and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let mut fields = Fields::read(bytes.strip_suffix(b"\n").unwrap_or(bytes))?;
        fields.format(FORMAT)?;
        let state = Self {
            origin: fields.string("origin")?,
            pinned: pinned(fields.value("pinned")?)?,
            only: fields.strings("only")?,
            checkpoint: fields.optional_string("checkpoint")?,
            asked: fields.array("asked")?.into_iter().map(asked).collect::<Result<_, _>>()?,
        };
        fields.end()?;
        let sound = state.only.iter().all(|name| is_slug(name)) && state.asked.len() <= MAX_ASKED;
        if sound { Ok(state) } else { Err(JsonError::Field("only")) }
    }
}

fn pinned(value: Value) -> Result<Pinned, JsonError> {
    let mut fields = Fields::of(value, "pinned")?;
    let trust = match fields.string("trust")?.as_str() {
        "given" => Trust::Given,
        "first-use" => Trust::FirstUse,
        _ => return Err(JsonError::Field("trust")),
    };
    let pinned = Pinned { version: fields.number("version")?, sha256: fields.digest("sha256")?, trust, since: fields.number("since")? };
    fields.end()?;
    Ok(pinned)
}

fn asked(value: Value) -> Result<Asked, JsonError> {
    let mut fields = Fields::of(value, "asked")?;
    let asked = Asked { site: fields.string("site")?, time: fields.number("time")?, said: fields.string("said")? };
    fields.end()?;
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            origin: "archive.example/a".into(),
            pinned: Pinned { version: 2, sha256: Digest::of(b"root"), trust: Trust::FirstUse, since: 1_800_000_000 },
            only: vec!["council".into()],
            checkpoint: Some("archive.example/a\n3\nx\n\n— a b\n".into()),
            asked: vec![Asked { site: "http://a.example/".into(), time: 1_800_000_000, said: "new: 3 releases".into() }],
        }
    }

    #[test]
    fn a_state_is_read_back_as_it_was_written() {
        for state in [state(), State { checkpoint: None, only: vec![], asked: vec![], ..state() }] {
            assert_eq!(State::parse(&state.to_bytes().unwrap()).unwrap(), state);
        }
    }

    #[test]
    fn nothing_else_is_read_and_nothing_panics() {
        let bytes = state().to_bytes().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        for wrong in [
            text.replace("/v1", "/v2"),
            text.replace("first-use", "found"),
            text.replace("council", "../council"),
            text.replace("\"origin\"", "\"origins\""),
            text.replace("\"only\"", "\"also\":1,\"only\""),
            text.replace(":2}", ":-2}"),
            format!(" {text}"),
            String::new(),
        ] {
            assert!(State::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let mut seed = 5u32;
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            changed[at] ^= (seed >> 24) as u8 | 1;
            // Whatever is still read is written as it was read.
            if let Ok(state) = State::parse(&changed) {
                assert_eq!(state.to_bytes().unwrap().trim_ascii_end(), changed.trim_ascii_end());
            }
            assert!(State::parse(&bytes[..at]).is_err() || at + 1 == bytes.len());
        }
    }
}
