//! Roots: who may publish. `root/<n>.json` says it, `root/<n>.sig` is the signed note that puts it in force.

use crate::checkpoint::check_origin;
use crate::json::{self, Fields, JsonError};
use crate::key::{Key, KeyType};
use crate::note::{Note, NoteError};
use crate::policy::{Policy, PolicyError};
use daylight_model::Digest;
use serde_json::{Value, json};
use std::collections::BTreeSet;

mod chain;

pub use chain::{Chain, Link, Succession, follow};

const FORMAT: &str = "daylight-root/v1";

/// The most keys that a root may list of one sort.
const MAX_KEYS: usize = 64;

/// Keys of which some must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// The keys.
    pub keys: Vec<Key>,
    /// How many distinct ones must sign.
    pub threshold: usize,
}

/// A key that an older root had and this one has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// The key.
    pub key: Key,
    /// The log size after which its signatures count no more: on the log's entries with this index and above.
    pub size: u64,
}

/// One version of the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// 1, 2, 3 …
    pub version: u64,
    /// The log's name, the same for ever.
    pub origin: String,
    /// The editors' keys and how many of them sign a release: one of one, or at least two and fewer than all.
    pub editors: Quorum,
    /// The keys that may put a new root in force when the editors' are lost; none where there is no recovery.
    pub recovery: Quorum,
    /// The key that signs checkpoints; its name is the origin.
    pub log: Key,
    /// The editors' keys of the root before that are no longer among the editors.
    pub retired: Vec<Retired>,
    /// Which witnesses must have cosigned a checkpoint (c2sp.org/tlog-policy).
    pub witnesses: Policy,
    /// Where else the archive is, as URLs.
    pub mirrors: Vec<String>,
    /// Its onion addresses, as URLs.
    pub onions: Vec<String>,
}

/// Why a root is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// Not canonical JSON of this form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not signed as it must be.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A witness policy that cannot be read.
    #[error("witness policy: {0}")]
    Policy(#[from] PolicyError),
    /// The contents break a rule.
    #[error("{0}")]
    Rule(&'static str),
    /// The signatures are right, but for another root.
    #[error("it is not the root that its .sig file signs")]
    OtherText,
    /// The text is not about this root, and not what its keys signed either.
    #[error("not the text that this root's keys signed")]
    Text,
    /// The version does not follow the one before, or is not the one that its file's name says.
    #[error("root {found} stands where root {wanted} belongs: no version can be skipped")]
    Version {
        /// What it says.
        found: u64,
        /// What belongs there.
        wanted: u64,
    },
}

impl Root {
    /// The bytes of `root/<version>.json`, after checking the rules that every root keeps.
    pub fn to_json(&self) -> Result<Vec<u8>, RootError> {
        self.check()?;
        let texts = |keys: &[Key]| keys.iter().map(Key::to_string).collect::<Vec<_>>();
        let retired = self.retired.iter().map(|r| json!({"key": r.key.to_string(), "size": r.size}));
        Ok(json::write(&json!({
            "editors": texts(&self.editors.keys),
            "format": FORMAT,
            "log": self.log.to_string(),
            "mirrors": self.mirrors,
            "onions": self.onions,
            "origin": self.origin,
            "recovery": texts(&self.recovery.keys),
            "recovery_threshold": self.recovery.threshold,
            "retired": retired.collect::<Vec<Value>>(),
            "threshold": self.editors.threshold,
            "version": self.version,
            "witnesses": self.witnesses.text(),
        }))?)
    }

    /// Reads `root/<version>.json`. Every field must be there, and no other.
    pub fn parse(bytes: &[u8]) -> Result<Self, RootError> {
        let mut fields = Fields::read(bytes)?;
        fields.format(FORMAT)?;
        let root = Self {
            version: fields.number("version")?,
            origin: fields.string("origin")?,
            editors: quorum(&mut fields, "editors", "threshold")?,
            recovery: quorum(&mut fields, "recovery", "recovery_threshold")?,
            log: key(&fields.string("log")?)?,
            retired: retired(fields.array("retired")?)?,
            witnesses: Policy::parse(&fields.string("witnesses")?)?,
            mirrors: fields.strings("mirrors")?,
            onions: fields.strings("onions")?,
        };
        fields.end()?;
        // An absent list reads as an empty one; only what `to_json` writes is a root.
        if root.to_json()? == bytes { Ok(root) } else { Err(RootError::Rule("every field of a root must be there, in its one form")) }
    }

    /// The text that editors (or recovery keys) sign to put the root with this JSON in force.
    pub fn signed_text(&self) -> Result<String, RootError> {
        let digest = Digest::of(&self.to_json()?);
        Ok(format!("{FORMAT}\nroot {digest}\norigin {}\nversion {}\n", self.origin, self.version))
    }

    /// The note to be signed, see [`Root::signed_text`].
    pub fn note(&self) -> Result<Note, RootError> {
        Ok(Note::new(&self.signed_text()?)?)
    }

    fn check(&self) -> Result<(), RootError> {
        let (n, k) = (self.editors.keys.len(), self.editors.threshold);
        let (t, m) = (self.recovery.keys.len(), self.recovery.threshold);
        let all = || self.editors.keys.iter().chain(&self.recovery.keys);
        let distinct: BTreeSet<&[u8; 32]> = all().map(Key::public).collect();
        let names: BTreeSet<&str> = all().map(Key::name).collect();
        let few = |list: &[String]| list.iter().collect::<BTreeSet<_>>().len() == list.len() && list.len() <= MAX_KEYS;
        let rules = [
            (self.version >= 1 && self.version <= json::MAX_NUMBER, "a root's version is 1 or more"),
            (check_origin(&self.origin), "the origin is a name without spaces, plus sign or control characters"),
            (self.log.name() == self.origin, "the log key's name is the origin"),
            ((n == 1 && k == 1) || (k >= 2 && k < n), "the threshold is 1 of 1, or at least 2 and less than the number of editors"),
            ((t == 0 && m == 0) || (m >= 1 && m <= t), "the recovery threshold is at least 1 and at most the number of recovery keys"),
            (n <= MAX_KEYS && t <= MAX_KEYS && self.retired.len() <= MAX_KEYS, "a root lists at most 64 keys of a sort"),
            (distinct.len() == n + t, "one key stands twice, perhaps under two names"),
            (names.len() == n + t, "one name stands for two keys"),
            (k == 1 || all().all(|key| key.public() != self.log.public()), "the log's key is an editor's or a recovery key"),
            (all().chain([&self.log]).all(|key| key.kind() == KeyType::Note), "editors, recovery and log have keys of type 0x01"),
            (few(&self.mirrors) && few(&self.onions), "a mirror is listed twice, or more than 64 are"),
            (self.mirrors.iter().chain(&self.onions).all(|url| is_url(url)), "a mirror is a URL without spaces, of at most 1,024 bytes"),
        ];
        match rules.iter().find(|(kept, _)| !kept) {
            Some((_, rule)) => Err(RootError::Rule(rule)),
            None => Ok(()),
        }
    }
}

fn is_url(text: &str) -> bool {
    text.contains("://") && text.len() <= 1024 && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn key(text: &str) -> Result<Key, RootError> {
    text.parse().map_err(|_| RootError::Rule("a key is not of its form"))
}

fn quorum(fields: &mut Fields, keys: &'static str, threshold: &'static str) -> Result<Quorum, RootError> {
    let keys = fields.strings(keys)?.iter().map(|text| key(text)).collect::<Result<_, _>>()?;
    let threshold = usize::try_from(fields.number(threshold)?).map_err(|_| JsonError::Field(threshold))?;
    Ok(Quorum { keys, threshold })
}

fn retired(items: Vec<Value>) -> Result<Vec<Retired>, RootError> {
    let read = |item| {
        let mut fields = Fields::of(item, "retired")?;
        let retired = Retired { key: key(&fields.string("key")?)?, size: fields.number("size")? };
        fields.end()?;
        Ok(retired)
    };
    items.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
