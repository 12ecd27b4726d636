//! What a witness remembers: for each log that it was told of, by whose key its checkpoints are signed, and the last one that it cosigned.
//!
//! ```text
//! STATE/log/<SHA-256 of the origin>/root.json    the root that was pinned; its log key is the one that counts
//!                                   key          instead, for a log that is no Daylight archive: its key
//!                                   checkpoint   the last checkpoint that was cosigned, with the log's signature and the witness's
//!                                   fork         two signed checkpoints of one size with two roots, once that was seen
//!                                   lock         locked while the checkpoint is compared and replaced
//! ```
//!
//! Nothing of it is kept in memory between requests, so that threads and processes (a server and a mirror) can share it.

use crate::words::in_words;
use daylight_archive::log::{empty_root, verify_consistency};
use daylight_archive::note::{Note, Signature};
use daylight_archive::root::Root;
use daylight_archive::witness::AddCheckpoint;
use daylight_archive::{Checkpoint, Key, Signer};
use daylight_durable::{crash_point, write_atomic};
use daylight_model::Digest;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// For how long a cosignature answers for the same checkpoint again, in seconds: so that asking a hundred times does not write a hundred times.
const FRESH: u64 = 60;

/// A witness's folder.
#[derive(Debug, Clone)]
pub struct State {
    dir: PathBuf,
}

/// A log that the witness was told of, and what it last saw of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The key that signs its checkpoints; its name is the log's origin.
    pub key: Key,
    /// The version of the pinned root; `None` for a log that is no Daylight archive.
    pub root_version: Option<u64>,
    /// The last checkpoint that was cosigned, with its signatures.
    pub last: Option<(Checkpoint, Note)>,
    /// Whether two checkpoints were seen that cannot both be true.
    pub forked: bool,
}

/// Why a checkpoint was not cosigned. Each has its status in c2sp.org/tlog-witness.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// 400: not of its form.
    #[error("{0}")]
    Malformed(&'static str),
    /// 403: not signed by the key that was pinned for its origin.
    #[error("the checkpoint is not signed by the key that this witness knows for its log")]
    Untrusted,
    /// 404: nobody told the witness of this log.
    #[error("this witness does not know the log of the checkpoint")]
    UnknownLog,
    /// 409: the old size is not that of the last checkpoint that was cosigned, which is this.
    #[error("the last checkpoint that this witness cosigned has size {0}")]
    Conflict(u64),
    /// 422: it contradicts the last checkpoint that was cosigned, or the proof does not show that it continues it.
    #[error("the checkpoint is not shown to continue the one that this witness cosigned last")]
    Inconsistent,
    /// 500: the witness's disk.
    #[error(transparent)]
    State(#[from] StateError),
}

/// What is wrong with a witness's folder.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There is none.
    #[error(
        "{0} holds no witness's state; make it with `daylight witness add`, and never anew where there was one: a witness that forgot must not go on"
    )]
    Missing(PathBuf),
    /// A file could not be read or written.
    #[error("{}: {}", .0.display(), in_words(.1))]
    Io(PathBuf, io::Error),
    /// A file is not what was written there.
    #[error("{0} is damaged; nothing is cosigned for this log until it is put right")]
    Damaged(PathBuf),
}

/// A checkpoint that the witness has cosigned, now or a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The witness's signature.
    pub signature: Signature,
}

impl State {
    /// Opens a witness's folder.
    pub fn open(dir: &Path) -> Result<Self, StateError> {
        if dir.join("log").is_dir() { Ok(Self { dir: dir.to_owned() }) } else { Err(StateError::Missing(dir.to_owned())) }
    }

    /// Opens a witness's folder or makes it.
    pub fn open_or_create(dir: &Path) -> Result<Self, StateError> {
        fs::create_dir_all(dir.join("log")).map_err(|e| StateError::Io(dir.to_owned(), e))?;
        daylight_durable::sync_dir(dir).map_err(|e| StateError::Io(dir.to_owned(), e))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Every log that it was told of, in the order of their origins.
    pub fn logs(&self) -> Result<Vec<Log>, StateError> {
        let folder = self.dir.join("log");
        let mut logs = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|e| StateError::Io(folder.clone(), e))? {
            let entry = entry.map_err(|e| StateError::Io(folder.clone(), e))?;
            logs.extend(entry.file_name().to_str().map(|name| self.log_by_hash(name)).transpose()?.flatten());
        }
        logs.sort_by(|a, b| a.key.name().cmp(b.key.name()));
        Ok(logs)
    }

    /// The log whose origin has this SHA-256, in lower-case hex; `None` for any other text and for one that was never pinned.
    pub fn log_by_hash(&self, hash: &str) -> Result<Option<Log>, StateError> {
        if hash.parse::<Digest>().is_ok_and(|digest| digest.to_string() == hash) {
            read_log(&self.dir.join("log").join(hash))
        } else {
            Ok(None)
        }
    }

    /// Answers an `add-checkpoint` request, in the order of the checks of c2sp.org/tlog-witness. What it cosigns is stored before it returns.
    pub fn add_checkpoint(&self, body: &[u8], signer: &Signer, now: u64) -> Result<Cosigned, Refusal> {
        let request = AddCheckpoint::parse(body).map_err(Refusal::Malformed)?;
        let signed = self.signed_by_its_log(&request.checkpoint)?;
        if request.old > signed.checkpoint.size {
            return Err(Refusal::Malformed("the old size is larger than the checkpoint's"));
        }
        signed.cosign(signer, now, |size| if size == request.old { Ok(request.proof) } else { Err(Refusal::Conflict(size)) })
    }

    /// Cosigns a checkpoint of a log of which the caller has the whole tree and has verified it: for a mirror, after it verified a copy. `prove` gives
    /// the consistency proof from a size. A checkpoint smaller than the last one is a conflict. The cosignature is stored, and served with the
    /// checkpoint by [`super::serve()`] over the same folder.
    pub fn cosign_seen(
        &self,
        checkpoint: &Note,
        signer: &Signer,
        now: u64,
        prove: &dyn Fn(u64) -> Option<Vec<Digest>>,
    ) -> Result<Cosigned, Refusal> {
        let signed = self.signed_by_its_log(checkpoint)?;
        let new = signed.checkpoint.size;
        signed.cosign(signer, now, |size| match size {
            0 => Ok(Vec::new()),
            size if size > new => Err(Refusal::Conflict(size)),
            size => prove(size).ok_or(Refusal::Inconsistent),
        })
    }

    /// Whether the note is a checkpoint that its log's key signed, as far as the witness knows the log.
    fn signed_by_its_log(&self, note: &Note) -> Result<Signed, Refusal> {
        let malformed = Refusal::Malformed("the note is not a checkpoint");
        let Ok(checkpoint) = Checkpoint::parse_extended(note.text()) else { return Err(malformed) };
        let folder = self.folder_of(&checkpoint.origin);
        let key = read_log(&folder)?.ok_or(Refusal::UnknownLog)?.key;
        note.require(std::slice::from_ref(&key), 1).map_err(|_| Refusal::Untrusted)?;
        // Only the log's own lines are kept: anyone can add others, and they would be served on.
        let mut alone = Note::new(note.text()).map_err(|_| malformed)?;
        note.signatures().iter().filter(|signature| signature.is_by(&key)).for_each(|signature| alone.replace_signature(signature.clone()));
        Ok(Signed { folder, checkpoint, note: alone })
    }

    /// The folder of a log.
    pub(crate) fn folder_of(&self, origin: &str) -> PathBuf {
        self.dir.join("log").join(Digest::of(origin.as_bytes()).to_string())
    }
}

/// A checkpoint that its log's key signed, with that signature alone.
struct Signed {
    folder: PathBuf,
    checkpoint: Checkpoint,
    note: Note,
}

impl Signed {
    /// Compares it with the last checkpoint, stores it and cosigns it. `proof` is given the size of the last one, 0 for none, and gives the proof that
    /// it is continued, or refuses that size.
    fn cosign(mut self, signer: &Signer, now: u64, proof: impl FnOnce(u64) -> Result<Vec<Digest>, Refusal>) -> Result<Cosigned, Refusal> {
        let _held = lock(&self.folder)?;
        let last = read_log(&self.folder)?.ok_or(Refusal::UnknownLog)?.last;
        let (size, root) = last.as_ref().map_or((0, empty_root()), |(last, _)| (last.size, last.root));
        let new = &self.checkpoint;
        if verify_consistency(size, &root, new.size, &new.root, &proof(size)?).is_err() {
            if let Some((_, last)) = last.filter(|_| size == new.size && root != new.root) {
                keep_fork(&self.folder, &last, &self.note)?;
            }
            return Err(Refusal::Inconsistent);
        }
        if let Some(signature) = last.and_then(|(_, last)| fresh(&last, &self.note, signer, now)) {
            return Ok(Cosigned { checkpoint: self.checkpoint, signature });
        }
        // No cosignature is without a time (c2sp.org/tlog-witness).
        let signature = self.note.cosignature(signer, now.max(1));
        self.note.replace_signature(signature.clone());
        write(&self.folder.join("checkpoint"), &self.note.to_bytes())?;
        // A crash here leaves a checkpoint stored and its cosignature not given out: whoever asks again gets it.
        crash_point("witness.stored");
        Ok(Cosigned { checkpoint: self.checkpoint, signature })
    }
}

/// Our signature of this very checkpoint, if it is a moment old.
fn fresh(last: &Note, note: &Note, signer: &Signer, now: u64) -> Option<Signature> {
    let key = signer.cosigner_key();
    let time = last.signed_by(std::slice::from_ref(&key)).ok()?.first()?.time?;
    let is_fresh = last.text() == note.text() && time <= now && now - time < FRESH;
    last.signatures().iter().find(|signature| is_fresh && signature.is_by(&key)).cloned()
}

/// Two checkpoints that the log signed and that cannot both be true: kept once, for whoever wants to see it.
fn keep_fork(folder: &Path, known: &Note, other: &Note) -> Result<(), StateError> {
    let path = folder.join("fork");
    if path.exists() { Ok(()) } else { write(&path, &[known.to_bytes(), b"\n".to_vec(), other.to_bytes()].concat()) }
}

/// Excludes every other thread and process from this log until the result is dropped.
fn lock(folder: &Path) -> Result<File, StateError> {
    let path = folder.join("lock");
    let open = || {
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|e| StateError::Io(path.clone(), e))
}

/// Reads what is known of a log; `None` where none was pinned in this folder.
pub(super) fn read_log(folder: &Path) -> Result<Option<Log>, StateError> {
    let (key, root_version) = match read(&folder.join("root.json"))? {
        Some(json) => {
            let root = Root::parse(&json).map_err(|_| StateError::Damaged(folder.join("root.json")))?;
            (root.log, Some(root.version))
        }
        None => match read(&folder.join("key"))? {
            Some(text) => (parse_key(&text).ok_or_else(|| StateError::Damaged(folder.join("key")))?, None),
            None => return Ok(None),
        },
    };
    let path = folder.join("checkpoint");
    let last = read(&path)?.map(|bytes| {
        let note = Note::parse(&bytes).ok()?;
        let checkpoint = Checkpoint::parse_extended(note.text()).ok().filter(|checkpoint| checkpoint.origin == key.name())?;
        Some((checkpoint, note))
    });
    let last = last.map(|last| last.ok_or(StateError::Damaged(path))).transpose()?;
    Ok(Some(Log { key, root_version, last, forked: folder.join("fork").exists() }))
}

fn parse_key(text: &[u8]) -> Option<Key> {
    std::str::from_utf8(text).ok()?.trim_end().parse().ok()
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::Io(path.to_owned(), error)),
    }
}

/// Writes a file so that it lasts.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    write_atomic(path, bytes).map_err(|e| StateError::Io(path.to_owned(), e))
}
