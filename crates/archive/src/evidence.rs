//! Evidence that a log was split or rolled back under new entries: two of its signed checkpoints that cannot both be true, as a file that a stranger
//! checks without any archive. docs/archive-format.md describes it.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::json::{self, Fields, JsonError};
use crate::key::Key;
use crate::log::{ProofError, verify_consistency};
use crate::note::NoteError;
use crate::root::{Chain, RootError};
use daylight_model::Digest;
use serde_json::{Value, json};

const FORMAT: &str = "daylight-evidence/v1";

/// The longest evidence that is read, in bytes.
pub const MAX_EVIDENCE: u64 = 64 << 20;

/// The most hashes of a path, and the most roots.
const MAX_PATH: usize = 64;
const MAX_ROOTS: usize = 4096;

/// Two checkpoints of one log of which at most one is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Every root from the first: the JSON and the signatures of each. They say whose log it is.
    pub roots: Vec<(Vec<u8>, Vec<u8>)>,
    /// The checkpoint of the smaller log, with its signatures.
    pub smaller: Vec<u8>,
    /// The one of the larger log, or of one as large.
    pub larger: Vec<u8>,
    /// Where the sizes differ: the root that the larger log has at the size of the smaller, and the path that shows it (RFC 6962 section 2.1.2).
    /// Without it the two may still both be true.
    pub prefix: Option<(Digest, Vec<Digest>)>,
}

/// What evidence shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The log's name.
    pub origin: String,
    /// Whether one of the roots is the one that was pinned.
    pub anchored: bool,
    /// The size at which they contradict each other.
    pub size: u64,
    /// The root that the one states for that size.
    pub one: Digest,
    /// The root that follows from the other.
    pub other: Digest,
    /// The log's keys that signed the one and the other.
    pub keys: (Key, Key),
}

/// Why a file shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Not of its form.
    #[error("not evidence about a log ({FORMAT}): {0}")]
    Form(#[from] JsonError),
    /// Something in it is not of its form.
    #[error("the evidence's {0} is not of its form")]
    Part(&'static str),
    /// The roots do not follow from one another.
    #[error("root: {0}")]
    Root(#[from] RootError),
    /// None of the roots is the one that was pinned.
    #[error("it is about another publisher's log than the one whose root you trust")]
    NotAnchored,
    /// A checkpoint is not of this log, or not signed by it.
    #[error("the {0} checkpoint: {1}")]
    Checkpoint(&'static str, CheckpointError),
    /// The path leads nowhere.
    #[error("the path does not show what the larger log began with: {0}")]
    Path(ProofError),
    /// Both can be true.
    #[error("the two checkpoints do not contradict each other")]
    NoContradiction,
    /// Nobody showed the log behind the larger checkpoint.
    #[error(
        "both are signed by the log, but nothing here shows that they contradict each other: the log behind the larger one was never shown"
    )]
    Unshown,
}

impl Evidence {
    /// Whether this is evidence, and of what. `pinned` is the JSON of a root that is trusted.
    pub fn check(&self, pinned: Option<&[u8]>) -> Result<Shown, EvidenceError> {
        let chain = self.chain()?;
        let anchored = pinned.is_some_and(|pinned| chain.is_anchored_by(pinned));
        if pinned.is_some() && !anchored {
            return Err(EvidenceError::NotAnchored);
        }
        let (smaller, first) = open(&self.smaller, &chain).map_err(|e| EvidenceError::Checkpoint("smaller", e))?;
        let (larger, second) = open(&self.larger, &chain).map_err(|e| EvidenceError::Checkpoint("larger", e))?;
        if smaller.size > larger.size {
            return Err(EvidenceError::Part("order of checkpoints"));
        }
        let other = match &self.prefix {
            None if smaller.size == larger.size => larger.root,
            None => return Err(EvidenceError::Unshown),
            Some((root, path)) => {
                verify_consistency(smaller.size, root, larger.size, &larger.root, path).map_err(EvidenceError::Path)?;
                *root
            }
        };
        if smaller.root == other {
            return Err(EvidenceError::NoContradiction);
        }
        let origin = smaller.origin;
        Ok(Shown { origin, anchored, size: smaller.size, one: smaller.root, other, keys: (first, second) })
    }

    fn chain(&self) -> Result<Chain, EvidenceError> {
        let mut roots = self.roots.iter();
        let (json, sig) = roots.next().ok_or(EvidenceError::Part("list of roots"))?;
        let mut chain = Chain::begin(json, sig)?;
        roots.try_for_each(|(json, sig)| chain.extend(json, sig))?;
        Ok(chain)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EvidenceError> {
        let text = |bytes: &[u8], what| String::from_utf8(bytes.to_vec()).map_err(|_| EvidenceError::Part(what));
        let roots = self.roots.iter().map(|(json, sig)| Ok(json!({"json": text(json, "root")?, "sig": text(sig, "root")?})));
        let mut value = json!({
            "format": FORMAT,
            "larger": text(&self.larger, "larger checkpoint")?,
            "roots": roots.collect::<Result<Vec<Value>, EvidenceError>>()?,
            "smaller": text(&self.smaller, "smaller checkpoint")?,
        });
        if let (Some((root, path)), Value::Object(fields)) = (&self.prefix, &mut value) {
            fields.insert("prefix".into(), root.to_string().into());
            fields.insert("path".into(), path.iter().map(Digest::to_string).collect::<Vec<_>>().into());
        }
        Ok([json::write(&value)?, b"\n".to_vec()].concat())
    }

    /// Reads the file. Nothing in it is believed before [`Evidence::check`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        if bytes.len() as u64 > MAX_EVIDENCE {
            return Err(EvidenceError::Part("length"));
        }
        let mut fields = Fields::read(bytes.strip_suffix(b"\n").unwrap_or(bytes))?;
        fields.format(FORMAT)?;
        let roots = fields.array("roots")?;
        if roots.len() > MAX_ROOTS {
            return Err(EvidenceError::Part("list of roots"));
        }
        let roots = roots.into_iter().map(root).collect::<Result<_, _>>()?;
        let (smaller, larger) = (fields.string("smaller")?.into_bytes(), fields.string("larger")?.into_bytes());
        let path = fields.strings("path")?;
        if path.len() > MAX_PATH {
            return Err(EvidenceError::Part("path"));
        }
        let path = path.iter().map(|hash| hash.parse().map_err(|_| EvidenceError::Part("path"))).collect::<Result<Vec<Digest>, _>>()?;
        let prefix = match fields.optional_string("prefix")? {
            Some(root) => Some((root.parse().map_err(|_| EvidenceError::Part("prefix"))?, path)),
            None if path.is_empty() => None,
            None => return Err(EvidenceError::Part("prefix")),
        };
        fields.end()?;
        Ok(Self { roots, smaller, larger, prefix })
    }
}

fn root(value: Value) -> Result<(Vec<u8>, Vec<u8>), EvidenceError> {
    let mut fields = Fields::of(value, "roots")?;
    let (json, sig) = (fields.string("json")?.into_bytes(), fields.string("sig")?.into_bytes());
    fields.end()?;
    Ok((json, sig))
}

/// Reads a checkpoint that a log's key of one of the roots signed, and says which.
fn open(bytes: &[u8], chain: &Chain) -> Result<(Checkpoint, Key), CheckpointError> {
    let mut error = CheckpointError::Note(NoteError::TooFew { found: 0, needed: 1 });
    for link in chain.links() {
        match Checkpoint::open(bytes, &link.root.log) {
            Ok((checkpoint, _)) => return Ok((checkpoint, link.root.log.clone())),
            Err(e) => error = e,
        }
    }
    Err(error)
}

#[cfg(test)]
mod tests;
