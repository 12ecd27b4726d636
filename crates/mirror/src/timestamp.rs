//! Timestamps of checkpoints by others (OpenTimestamps), which may be attached to an archive and are never needed.
//!
//! What is stamped is a checkpoint's text without its signatures: it follows from the log's entries, so that it can be written again at any time, and
//! it commits to everything before it. Proofs are kept beside the archive and not in it, in a folder of the archive's name with `.timestamps` behind:
//! in an archive every bit is covered by what editors or the log signed, and a proof's bytes are nobody's. Exports carry them along.

mod ots;

use daylight_archive::{Archive, Checkpoint};
use daylight_durable::write_atomic;
use daylight_model::Digest;
pub use ots::{Attestation, OtsError, Proof};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What the name of the folder with an archive's timestamps has behind the name of the archive's.
pub const ENDING: &str = ".timestamps";

/// The longest proof that is read, in bytes; real ones have a few thousand.
pub const MAX_PROOF: u64 = 1 << 20;

/// How many proofs are read at most.
const MAX_PROOFS: usize = 100_000;

/// Why a timestamp is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TimestampError {
    /// Not a proof, or of another hash.
    #[error("{}: {source}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: OtsError,
    },
    /// It is of something else.
    #[error("{}: not of a checkpoint of {origin}: the digest {digest} is that of no state of its log", path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// The archive.
        origin: String,
        /// What it is a timestamp of.
        digest: Digest,
    },
    /// What is there says more.
    #[error("{} names blocks already, which this proof does not; it stays", .0.display())]
    Better(PathBuf),
    /// The log never had that size.
    #[error("the log has {size} entries, so there is no checkpoint of size {asked}")]
    NoSuchSize {
        /// What was asked for.
        asked: u64,
        /// The log's size.
        size: u64,
    },
    /// The archive has no name of its own to put a folder beside.
    #[error("{}: name the archive's folder by its name, so that a folder can be made beside it", .0.display())]
    NoName(PathBuf),
    /// The disk or file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

type Result<T> = std::result::Result<T, TimestampError>;

/// A proof that was checked to be of a checkpoint of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    size: u64,
    proof: Proof,
    bytes: Vec<u8>,
}

impl Attached {
    /// The size of the log at the checkpoint.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Who attests to it.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The proof's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name of its file.
    pub fn name(&self) -> String {
        format!("{}.ots", self.size)
    }
}

/// The checkpoint that is to be stamped: the present one, or the one of an earlier size. Its text is the bytes of the file to stamp.
pub fn to_stamp(archive: &Archive, size: Option<u64>) -> Result<Checkpoint> {
    let asked = size.unwrap_or_else(|| archive.head());
    archive.checkpoint_at(asked).ok_or_else(|| TimestampError::NoSuchSize { asked, size: archive.head() })
}

/// The folder in which an archive's timestamps are kept.
pub fn folder(archive: &Path) -> Result<PathBuf> {
    let full = archive.canonicalize().map_err(|source| TimestampError::Io { path: archive.to_owned(), source })?;
    let Some(name) = full.file_name() else { return Err(TimestampError::NoName(archive.to_owned())) };
    let mut name: OsString = name.to_owned();
    name.push(ENDING);
    Ok(full.with_file_name(name))
}

/// Checks a proof and keeps it beside the archive. One that names blocks takes the place of one that does not, never the other way round.
pub fn attach(archive: &Archive, path: &Path) -> Result<Attached> {
    let attached = check(archive, path)?;
    let folder = folder(archive.dir())?;
    let at = folder.join(attached.name());
    let names_blocks = |proof: &Proof| proof.attestations().iter().any(Attestation::is_block);
    if let Ok(there) = check(archive, &at)
        && names_blocks(there.proof())
        && !names_blocks(attached.proof())
    {
        return Err(TimestampError::Better(at));
    }
    fs::create_dir_all(&folder).map_err(|source| TimestampError::Io { path: folder, source })?;
    write_atomic(&at, &attached.bytes).map_err(|source| TimestampError::Io { path: at, source })?;
    Ok(attached)
}

/// The proofs that are kept beside an archive, in the order of their sizes. Errors: one of them is none, or of something else, for then the folder is
/// not what it seems.
pub fn attached(archive: &Archive) -> Result<Vec<Attached>> {
    let folder = folder(archive.dir())?;
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(TimestampError::Io { path: folder, source }),
    };
    let mut found = Vec::new();
    for entry in entries.take(MAX_PROOFS) {
        let entry = entry.map_err(|source| TimestampError::Io { path: folder.clone(), source })?;
        if entry.path().extension().is_some_and(|ending| ending == "ots") {
            found.push(check(archive, &entry.path())?);
        }
    }
    found.sort_by_key(Attached::size);
    found.dedup_by_key(|attached| attached.size);
    Ok(found)
}

/// Reads a proof and finds the checkpoint that it is of.
fn check(archive: &Archive, path: &Path) -> Result<Attached> {
    let io = |source| TimestampError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    if !path.metadata().map_err(io)?.is_file() {
        return Err(io(io::Error::new(io::ErrorKind::InvalidInput, "is no plain file")));
    }
    let io = |source| TimestampError::Io { path: path.to_owned(), source };
    File::open(path).and_then(|file| file.take(MAX_PROOF + 1).read_to_end(&mut bytes)).map_err(io)?;
    let form = |source| TimestampError::Form { path: path.to_owned(), source };
    let proof = Proof::parse(&bytes).map_err(form)?;
    let digest = proof.digest();
    match archive.checkpoints().find(|checkpoint| Digest::of(checkpoint.text().as_bytes()) == digest) {
        Some(checkpoint) => Ok(Attached { size: checkpoint.size, proof, bytes }),
        None => Err(TimestampError::Stranger { path: path.to_owned(), origin: archive.origin().to_owned(), digest }),
    }
}
