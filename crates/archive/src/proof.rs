//! The proof of one document, as a file that is checked without the archive: line → release's tree → note → roots → c2sp.org/tlog-proof. Of a document
//! that is withdrawn it shows that it was published, and that it was withdrawn: the data of its leaf stands for its line, and the withdrawal's note
//! comes with its own way to the log.

mod withdrawn;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::entry::{Entry, EntryError};
use crate::head::EntryNoteError;
use crate::json::{self, Fields, JsonError};
use crate::log::{self, Builder, leaf_hash};
use crate::manifest::{ERASED_LINE, RawLine};
use crate::note::{Note, NoteError};
use crate::record::{Record, RecordError};
use crate::release::{ReleaseError, ReleaseNote};
use crate::root::{Chain, RootError, Succession};
use crate::state::{Release, State};
use crate::withdraw::WithdrawNote;
use crate::withdrawals::Withdrawal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daylight_model::Digest;
use serde_json::{Value, json};
use std::fmt::Write as _;
use withdrawn::Withdrawn;

const FORMAT: &str = "daylight-proof/v1";
/// The proof of what is withdrawn: a program that knows only the first version must not take it for anything else.
const WITHDRAWN_FORMAT: &str = "daylight-proof/v2";
const TLOG_FORMAT: &str = "c2sp.org/tlog-proof@v1";

/// The longest proof that is read, in bytes.
pub const MAX_PROOF: usize = 256 << 20;

/// The most hashes on the way from a leaf to a root.
const MAX_PATH: usize = 64;

/// Why a proof shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum DocumentProofError {
    /// Too long, or not of its form.
    #[error("not a proof of a document ({FORMAT}): {0}")]
    Form(#[from] JsonError),
    /// The withdrawal's note is not valid.
    #[error("withdrawal: {0}")]
    Withdrawal(#[from] EntryNoteError),
    /// The withdrawal is of something else.
    #[error("the withdrawal does not name this line")]
    OtherLine,
    /// Something in it is not of its form.
    #[error("the proof's {0} is not of its form")]
    Part(&'static str),
    /// The roots do not follow from one another.
    #[error("root: {0}")]
    Root(#[from] RootError),
    /// None of its roots is the one that was pinned.
    #[error("it does not begin at the root that you trust")]
    NotAnchored,
    /// The checkpoint is not signed by the log.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Too few witnesses saw the checkpoint.
    #[error("the checkpoint was not cosigned by the witnesses that the root asks for")]
    Witnesses,
    /// The release's note is not valid.
    #[error("release: {0}")]
    Release(#[from] ReleaseError),
    /// Not signed by enough editors.
    #[error("{0}")]
    Editors(NoteError),
    /// A note names a root that was not in force when it was logged.
    #[error("a note names a root that was not in force when it was logged")]
    NotInForce,
    /// A path does not lead to its root.
    #[error("{0}: {1}")]
    Path(&'static str, log::ProofError),
    /// The record is not valid.
    #[error("record: {0}")]
    Record(#[from] RecordError),
    /// An entry cannot be written.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

/// A path from a leaf to a root.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    index: u64,
    hashes: Vec<Digest>,
}

/// A proof as built or read: nothing in it is believed before [`DocumentProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProof {
    line: String,
    record: Option<String>,
    in_release: Path,
    note: String,
    roots: Vec<ProvenRoot>,
    in_log: Path,
    checkpoint: String,
    withdrawn: Option<Withdrawn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ProvenRoot {
    json: String,
    sig: String,
    in_log: Path,
}

/// What a proof shows. Only [`DocumentProof::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    anchored: bool,
    checkpoint: Checkpoint,
    release: ReleaseNote,
    line: u64,
    leaf: Digest,
    record: Option<Record>,
    withdrawn: Option<WithdrawNote>,
    signers: Vec<String>,
    recovered: Vec<u64>,
}

impl Proven {
    /// Whether the publisher was checked against a root that the caller trusts.
    pub fn anchored(&self) -> bool {
        self.anchored
    }

    /// The state of the log at which it was published: whether it was withdrawn since needs a newer checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The release.
    pub fn release(&self) -> &ReleaseNote {
        &self.release
    }

    /// Which line of the release, from 0.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The record, with the SHA-256 of every published file; `None` where the document is withdrawn.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// The withdrawal, if the proof is of what is withdrawn.
    pub fn withdrawn(&self) -> Option<&WithdrawNote> {
        self.withdrawn.as_ref()
    }

    /// The names of the editors who signed the release.
    pub fn signers(&self) -> &[String] {
        &self.signers
    }

    /// The roots that were put in force by recovery keys, which readers should know.
    pub fn recovered(&self) -> &[u64] {
        &self.recovered
    }
}

impl DocumentProof {
    /// Builds the proof of a line from what an archive says of it.
    pub(crate) fn build(
        state: &State,
        release: &Release,
        line: u64,
        raw: &[u8],
        record: Option<Vec<u8>>,
        hashes: Vec<Digest>,
        withdrawal: Option<&Withdrawal>,
    ) -> Result<Self, DocumentProofError> {
        let tiles = LogTiles::of(&state.leaves);
        let tree = log::Tree::new(&tiles, "", state.checkpoint.size);
        let path = |index| tree.inclusion(index).map(|hashes| Path { index, hashes }).map_err(|_| DocumentProofError::Part("log"));
        let mut roots = Vec::new();
        for (link, index) in state.chain.links().iter().zip(&state.root_indices) {
            roots.push(ProvenRoot { json: utf8(&link.json, "root")?, sig: utf8(&link.sig, "root")?, in_log: path(*index)? });
        }
        Ok(Self {
            line: utf8(raw, "line")?,
            record: record.map(|json| utf8(&json, "record")).transpose()?,
            in_release: Path { index: line, hashes },
            note: utf8(&release.note_bytes, "note")?,
            roots,
            in_log: path(release.index)?,
            checkpoint: utf8(&state.checkpoint_bytes, "checkpoint")?,
            withdrawn: withdrawal
                .map(|one| Ok::<_, DocumentProofError>(Withdrawn { note: utf8(&one.note_bytes, "note")?, in_log: path(one.index)? }))
                .transpose()?,
        })
    }

    /// The bytes of a `.daylight-proof` file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DocumentProofError> {
        let roots = self
            .roots
            .iter()
            .map(|root| json!({"hashes": hexes(&root.in_log.hashes), "index": root.in_log.index, "json": root.json, "sig": root.sig}));
        let mut value = json!({
            "format": if self.withdrawn.is_some() { WITHDRAWN_FORMAT } else { FORMAT },
            "hashes": hexes(&self.in_release.hashes),
            "index": self.in_release.index,
            "line": self.line,
            "note": self.note,
            "roots": roots.collect::<Vec<Value>>(),
            "tlog": self.tlog_proof(),
        });
        if let (Some(record), Some(object)) = (&self.record, value.as_object_mut()) {
            object.insert("record".into(), record.as_str().into());
        }
        if let (Some(withdrawn), Some(object)) = (&self.withdrawn, value.as_object_mut()) {
            object.insert("withdrawn".into(), withdrawn.to_value());
        }
        Ok(json::write(&value)?)
    }

    /// The proof that the release is in the log, in the form of c2sp.org/tlog-proof.
    pub fn tlog_proof(&self) -> String {
        let mut text = format!("{TLOG_FORMAT}\nindex {}\n", self.in_log.index);
        for hash in &self.in_log.hashes {
            let _ = writeln!(text, "{}", STANDARD.encode(hash.0));
        }
        text + "\n" + &self.checkpoint
    }

    /// The way from the line's leaf to the root of its release of so many lines: each hash with whether it stands on the left.
    pub fn path_in_release(&self, lines: u64) -> Vec<(bool, Digest)> {
        log::sides(self.in_release.index, lines).into_iter().zip(self.in_release.hashes.iter().copied()).collect()
    }

    /// The way from the release's entry to the root of the log of this size.
    pub fn path_in_log(&self, size: u64) -> Vec<(bool, Digest)> {
        log::sides(self.in_log.index, size).into_iter().zip(self.in_log.hashes.iter().copied()).collect()
    }

    /// Reads a `.daylight-proof` file.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentProofError> {
        if bytes.len() > MAX_PROOF {
            return Err(DocumentProofError::Part("length"));
        }
        let mut fields = Fields::read(bytes)?;
        // The one has no such field, the other must have it.
        let withdrawn = fields.0.remove("withdrawn").map(Withdrawn::parse).transpose()?;
        fields.format(if withdrawn.is_some() { WITHDRAWN_FORMAT } else { FORMAT })?;
        let (in_log, checkpoint) = parse_tlog(&fields.string("tlog")?).ok_or(DocumentProofError::Part("tlog"))?;
        let proof = Self {
            line: fields.string("line")?,
            record: fields.optional_string("record")?,
            in_release: path(&mut fields)?,
            note: fields.string("note")?,
            roots: fields.array("roots")?.into_iter().map(root).collect::<Result<_, _>>()?,
            in_log,
            checkpoint,
            withdrawn,
        };
        fields.end()?;
        Ok(proof)
    }

    /// Checks every step. `pinned` is the JSON of a root that the caller trusts; without one the proof is consistent with itself, and the publisher
    /// is not checked.
    pub fn verify(&self, pinned: Option<&[u8]>) -> Result<Proven, DocumentProofError> {
        let chain = self.chain()?;
        if pinned.is_some_and(|pinned| !chain.is_anchored_by(pinned)) {
            return Err(DocumentProofError::NotAnchored);
        }
        let newest = &chain.last().root;
        let (checkpoint, cosigned) = Checkpoint::open(self.checkpoint.as_bytes(), &newest.log)?;
        if !newest.witnesses.is_met(&cosigned).map_err(CheckpointError::Note)? {
            return Err(DocumentProofError::Witnesses);
        }
        self.check_roots(&chain, &checkpoint)?;
        let (release, signers) = self.check_release(&chain, &checkpoint)?;
        let withdrawn = self.withdrawn.as_ref().map(|one| self.check_withdrawal(one, &chain, &checkpoint)).transpose()?;
        let (leaf, record) = self.check_line(&release)?;
        let recovered = chain.links().iter().filter(|link| link.succession == Succession::Recovery).map(|link| link.root.version).collect();
        let (anchored, line) = (pinned.is_some(), self.in_release.index);
        let proven = Proven { anchored, checkpoint, release, line, leaf, record, withdrawn, signers, recovered };
        if proven.withdrawn.as_ref().is_some_and(|note| proven.named_in(note).is_none()) {
            Err(DocumentProofError::OtherLine)
        } else {
            Ok(proven)
        }
    }

    fn chain(&self) -> Result<Chain, DocumentProofError> {
        let mut roots = self.roots.iter();
        let first = roots.next().ok_or(DocumentProofError::Part("roots"))?;
        let mut chain = Chain::begin(first.json.as_bytes(), first.sig.as_bytes())?;
        for root in roots {
            chain.extend(root.json.as_bytes(), root.sig.as_bytes())?;
        }
        Ok(chain)
    }

    fn check_roots(&self, chain: &Chain, checkpoint: &Checkpoint) -> Result<(), DocumentProofError> {
        for (link, proven) in chain.links().iter().zip(&self.roots) {
            let entry = Entry::Root { version: link.root.version, json: link.digest };
            in_log(&entry, &proven.in_log, checkpoint)?;
        }
        let rising = self.roots.windows(2).all(|pair| pair[0].in_log.index < pair[1].in_log.index);
        if rising { Ok(()) } else { Err(DocumentProofError::NotInForce) }
    }

    fn check_release(&self, chain: &Chain, checkpoint: &Checkpoint) -> Result<(ReleaseNote, Vec<String>), DocumentProofError> {
        let note = Note::parse(self.note.as_bytes()).map_err(ReleaseError::Note)?;
        let release = ReleaseNote::parse_text(note.text())?;
        let entry = Entry::Release { serial: release.serial, note: Digest::of(self.note.as_bytes()) };
        in_log(&entry, &self.in_log, checkpoint)?;
        let signers = self.check_signed(&note, (&release.origin, &release.root), self.in_log.index, chain, checkpoint)?;
        Ok((release, signers))
    }

    /// A note that was logged at `index` must be of this archive, name the root then in force, and be signed by as many of its editors as it asks for.
    /// Gives the names of those who signed.
    fn check_signed(
        &self,
        note: &Note,
        (origin, root): (&str, &Digest),
        index: u64,
        chain: &Chain,
        checkpoint: &Checkpoint,
    ) -> Result<Vec<String>, DocumentProofError> {
        let before = self.roots.iter().filter(|root| root.in_log.index < index).count();
        let in_force = before.checked_sub(1).and_then(|last| chain.links().get(last));
        let link = in_force.filter(|link| link.digest == *root && origin == checkpoint.origin);
        let link = link.ok_or(DocumentProofError::NotInForce)?;
        chain.check_editors(link, note, index, link.root.editors.threshold).map_err(DocumentProofError::Editors)?;
        chain.counting_editors(link, note, index).map_err(DocumentProofError::Editors)
    }

    /// The data of the line's leaf, and its record where it is not withdrawn.
    fn check_line(&self, release: &ReleaseNote) -> Result<(Digest, Option<Record>), DocumentProofError> {
        let raw = RawLine::parse(self.line.as_bytes()).filter(|_| !self.line.contains('\n')).ok_or(DocumentProofError::Part("line"))?;
        let path = &self.in_release;
        let data = raw.leaf_data();
        log::verify_inclusion(&leaf_hash(&data.0), path.index, release.lines, &release.manifest, &path.hashes)
            .map_err(|e| DocumentProofError::Path("the line in its release", e))?;
        match (raw, &self.withdrawn) {
            (RawLine::Published { record, .. }, None) => Ok((data, Some(self.check_record(record)?))),
            (RawLine::Erased { length: ERASED_LINE, .. }, Some(_)) if self.record.is_none() => Ok((data, None)),
            _ => Err(DocumentProofError::Part("line")),
        }
    }

    fn check_record(&self, record: &[u8]) -> Result<Record, DocumentProofError> {
        let in_line = Record::parse(record)?;
        match (in_line.own_file(), &self.record) {
            (None, None) => Ok(in_line),
            (Some(file), Some(json)) if file.sha256 == Digest::of(json.as_bytes()) && file.length == json.len() as u64 => {
                Ok(in_line.unfold(json.as_bytes())?)
            }
            _ => Err(DocumentProofError::Part("record")),
        }
    }
}

fn in_log(entry: &Entry, path: &Path, checkpoint: &Checkpoint) -> Result<(), DocumentProofError> {
    let leaf = leaf_hash(&entry.to_json()?);
    log::verify_inclusion(&leaf, path.index, checkpoint.size, &checkpoint.root, &path.hashes)
        .map_err(|e| DocumentProofError::Path("an entry in the log", e))
}

fn utf8(bytes: &[u8], part: &'static str) -> Result<String, DocumentProofError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| DocumentProofError::Part(part))
}

fn hexes(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(Digest::to_string).collect()
}

fn path(fields: &mut Fields) -> Result<Path, JsonError> {
    let hashes = fields.strings("hashes")?;
    let hashes = hashes.iter().map(|hash| hash.parse().map_err(|_| JsonError::Field("hashes"))).collect::<Result<Vec<_>, _>>()?;
    if hashes.len() > MAX_PATH { Err(JsonError::Field("hashes")) } else { Ok(Path { index: fields.number("index")?, hashes }) }
}

fn root(value: Value) -> Result<ProvenRoot, JsonError> {
    let mut fields = Fields::of(value, "roots")?;
    let root = ProvenRoot { json: fields.string("json")?, sig: fields.string("sig")?, in_log: path(&mut fields)? };
    fields.end()?;
    Ok(root)
}

/// Takes a tlog-proof apart: the path and the checkpoint. We write no `extra` line and refuse one: it would be checked by nothing.
fn parse_tlog(text: &str) -> Option<(Path, String)> {
    let (head, checkpoint) = text.split_once("\n\n")?;
    let mut lines = head.split('\n');
    if lines.next()? != TLOG_FORMAT {
        return None;
    }
    let digits = lines.next()?.strip_prefix("index ")?;
    let index: u64 = digits.parse().ok().filter(|index: &u64| index.to_string() == digits)?;
    let mut hashes = Vec::new();
    for line in lines {
        hashes.push(Digest(STANDARD.decode(line).ok()?.try_into().ok()?));
    }
    (hashes.len() <= MAX_PATH).then(|| (Path { index, hashes }, checkpoint.to_owned()))
}

/// The log's tiles, made anew from its leaves.
struct LogTiles(std::collections::BTreeMap<String, Vec<u8>>);

impl LogTiles {
    fn of(leaves: &[Digest]) -> Self {
        let mut tree = Builder::new();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        let mut tiles = tree.take_full();
        tiles.extend(tree.partial());
        Self(tiles.into_iter().collect())
    }
}

impl log::Files for LogTiles {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        self.0.read(path)
    }
}

#[cfg(test)]
mod tests;
