use daylight_durable::LockError;
use daylight_model::DocumentId;
use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with a desk's disk. Each says the thing it is about and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is no desk.
    #[error("{} is not a desk: make one with `daylight init`", .0.display())]
    NotADesk(PathBuf),
    /// A desk was to be made where there is one.
    #[error("{} is a desk already", .0.display())]
    AlreadyADesk(PathBuf),
    /// A desk was to be made where other files are.
    #[error("{} is not empty and not a desk: choose an empty or new folder", .0.display())]
    NotEmpty(PathBuf),
    /// The desk's format is not known to this program.
    #[error("{} has desk format {desk}, this program knows formats up to {program}: use a newer daylight", .path.display())]
    Newer {
        /// The desk.
        path: PathBuf,
        /// The format it has.
        desk: i64,
        /// The newest format that this program knows.
        program: i64,
    },
    /// Somebody else holds what is asked for.
    #[error("the desk is in use by {0}; wait until that has ended")]
    Held(String),
    /// A collection's name is not a slug.
    #[error("`{0}` cannot name a collection: use 1 to 64 of a-z, 0-9 and -")]
    BadCollectionName(String),
    /// A document was asked for by something that is no prefix of an id.
    #[error("`{0}` is not a document id: use 4 to 64 hexadecimal digits")]
    BadId(String),
    /// There is no such document.
    #[error("no document {0}")]
    NoDocument(String),
    /// Several documents have ids that begin so.
    #[error("`{prefix}` begins {} ids, among them {}: give more digits", if *.more { "more than 8" } else { "several" }, list(.ids))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// At most 8 of them.
        ids: Vec<DocumentId>,
        /// Whether there are more.
        more: bool,
    },
    /// The document has no original bytes here, because they could never be read or were forgotten.
    #[error("document {0} has no bytes here: its faults say why")]
    NoBytes(u64),
    /// Something on disk is not what it was when it was written.
    #[error("damaged: {place}: {what}")]
    Damaged {
        /// Where: the file, and the place in it.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// `daylight.toml` cannot be understood.
    #[error("{}: {what}", .path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// What was asked contradicts what the catalogue holds.
    #[error("{0}")]
    Refused(String),
    /// The operating system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("catalogue: {0}")]
    Catalogue(#[from] rusqlite::Error),
}

/// What most functions here return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
        move |source| Error::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(place: impl Into<String>, what: impl Into<String>) -> Error {
        Error::Damaged { place: place.into(), what: what.into() }
    }

    pub(crate) fn lock(error: LockError) -> Error {
        match error {
            LockError::Held { by } => Error::Held(by),
            LockError::Io { path, source } => Error::Io { path, source },
        }
    }
}

fn list(ids: &[DocumentId]) -> String {
    ids.iter().map(|id| id.to_string()).collect::<Vec<_>>().join(", ")
}
