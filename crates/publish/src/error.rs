use crate::key::KeyError;
use crate::request::RequestError;
use daylight_archive::ArchiveError;
use std::io;
use std::path::PathBuf;

/// What most functions here return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why nothing was published, or not to the end. What was interrupted is finished by publishing again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key's file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Decisions and drafts.
    #[error(transparent)]
    Review(#[from] daylight_review::Error),
    /// The archive as it is.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file could not be read or written.
    #[error("{path}: {source}; nothing is lost: publish again when there is room and right to write", path = .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else publishes.
    #[error("{0} is in use by another publish; wait until that has ended")]
    Busy(PathBuf),
    /// The folder has other things in it.
    #[error("{0} is not empty and not an archive; give an empty or new folder")]
    NotAnArchive(PathBuf),
    /// The log's key is for another archive.
    #[error("{archive} is the archive {found}, but the log's key is that of {wanted}: only the desk that began an archive can add to it")]
    OtherOrigin {
        /// The folder.
        archive: PathBuf,
        /// What it is.
        found: String,
        /// What the key is for.
        wanted: String,
    },
    /// Same name, other key.
    #[error("{0} belongs to another log key of the same name; use the key with which it was begun")]
    OtherLogKey(PathBuf),
    /// The archive has less than was signed.
    #[error(
        "{archive} has {found} log entries, but its key has signed {signed}: it is an old copy, or another archive was begun with this key; bring \
         back the newest copy, or give another --log-key to begin an archive"
    )]
    RolledBack {
        /// The folder.
        archive: PathBuf,
        /// What it has.
        found: u64,
        /// What was signed.
        signed: u64,
    },
    /// The archive has more than this desk signed.
    #[error(
        "{archive} has {found} log entries, but this desk has signed only {signed}: another publisher uses its key, or the desk was restored from an \
         old backup; a log must not fork, so nothing is signed here"
    )]
    Ahead {
        /// The folder.
        archive: PathBuf,
        /// What it has.
        found: u64,
        /// What was signed here.
        signed: u64,
    },
    /// The history is not the same.
    #[error("{0} has another history than the one its key has signed before; a log must not fork, so nothing is signed")]
    Forked(PathBuf),
    /// A release under this serial that is not the desk's own.
    #[error("release {serial} of {origin} is not the one that this desk drafted; nothing was published")]
    OtherRelease {
        /// Which.
        serial: u64,
        /// Of which archive.
        origin: String,
    },
    /// A key that the root does not have.
    #[error("{path} is not a key of an editor of {origin}: root {version} lists {editors}")]
    NotAnEditor {
        /// The key's file.
        path: PathBuf,
        /// The archive.
        origin: String,
        /// The root in force.
        version: u64,
        /// The names of its editors.
        editors: String,
    },
    /// There is no root, and nobody to make one.
    #[error("{0} has no root yet, which says who may publish: give editors' keys with --key, or begin with \"daylight root new\"")]
    NoRoot(PathBuf),
    /// There is nobody to cosign.
    #[error("the root of {0} names no witnesses; choose some with \"daylight witness policy\" and \"daylight root rotate\"")]
    NoWitnesses(String),
    /// Something that was interrupted came to its end first.
    #[error(
        "{archive}: what was interrupted before is finished now (log size {size}, root {version} in force); see `daylight root show`, and ask again if more is to change"
    )]
    Resumed {
        /// The folder.
        archive: PathBuf,
        /// The size of its log.
        size: u64,
        /// The root in force.
        version: u64,
    },
    /// A root that is asked for again.
    #[error("root {version} of {archive}, which came last, says just that already; nothing was done")]
    InForce {
        /// The folder.
        archive: PathBuf,
        /// The root.
        version: u64,
    },
    /// A root exists where the first was to be made.
    #[error("{0} has a root already; \"daylight root rotate\" changes it")]
    HasRoot(PathBuf),
    /// What editors are asked, and what of it they signed.
    #[error(transparent)]
    Asked(#[from] RequestError),
    /// A request of another kind than the command finishes.
    #[error("the request asks for a {0}, which another command finishes: see docs/signing.md")]
    OtherKind(&'static str),
    /// A document that cannot be withdrawn.
    #[error("{id} {why}")]
    NotWithdrawable {
        /// Which.
        id: String,
        /// Why, as the rest of a sentence.
        why: &'static str,
    },
    /// The archive is not where it was when signatures were asked for.
    #[error("{archive} has moved on since the signatures were asked for: {why}; ask for them anew")]
    MovedOn {
        /// The folder.
        archive: PathBuf,
        /// What is different.
        why: String,
    },
    /// Decisions changed after the editors were asked.
    #[error("something in release {0} was held or changed since it was drafted; publish the collection again and ask for new signatures")]
    NoLongerClear(u64),
    /// A request's file that is not one, or contradicts itself.
    #[error("{path}: {error}")]
    Request {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: RequestError,
    },
    /// A file that stands where a request is to be written.
    #[error(
        "{0} is there already and asks for something else, perhaps with signatures in it; give another name with --request or remove it"
    )]
    OtherRequest(PathBuf),
    /// A file that was named and cannot be read.
    #[error("cannot read {0}: {1}")]
    Unread(PathBuf, #[source] io::Error),
    /// Keys that cannot make a root.
    #[error("it cannot have such a root: {0}")]
    Root(String),
    /// The log's key has another name.
    #[error("the log's key {path} is named {found}; an archive named {wanted} needs a log key of its own, with --log-key")]
    OtherName {
        /// The key's file.
        path: PathBuf,
        /// Its name.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// Fewer editors approve than must.
    #[error(
        "a release of {origin} is sealed with the approval of {needed} of its editors, and {given} gave a key; ask the others by a request"
    )]
    TooFewKeys {
        /// The archive.
        origin: String,
        /// How many must approve.
        needed: usize,
        /// How many keys were given.
        given: usize,
    },
    /// What is to be made is there already.
    #[error("{0} exists already; nothing is ever written over it, so give another name")]
    Exists(PathBuf),
    /// A folder for what a seal holds that holds other things.
    #[error("{0} is not empty; give an empty or new folder")]
    NotEmpty(PathBuf),
    /// A sealed file that is not what it should be.
    #[error("{path}: {why}", path = .path.display())]
    Sealed {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A witness shows a checkpoint that the log's key signed and that the archive does not continue.
    #[error(
        "witness {witness} shows {seen} that this log's key signed, and {archive} has another of size {found}: the desk or the archive is an old copy, or \
         another publisher uses the key; bring back the newest copy of the archive from a mirror and publish with --recovered, or begin a new \
         archive with another --log-key (docs/witnessing.md)"
    )]
    SeenMore {
        /// The name of its key.
        witness: String,
        /// What it shows, in words.
        seen: String,
        /// The folder.
        archive: PathBuf,
        /// The size of the archive's log.
        found: u64,
    },
    /// A witness says so, and shows nothing.
    #[error(
        "witness {witness} says that it has cosigned {seen} of this log, and {archive} has one of size {found}: if the desk or the archive was ever \
         restored from a backup, stop here and read docs/witnessing.md; if you are sure that it was not, the witness is wrong: publish with \
         --without-witness {witness}"
    )]
    SaysMore {
        /// The name of its key.
        witness: String,
        /// What it says, in words.
        seen: String,
        /// The folder.
        archive: PathBuf,
        /// The size of the archive's log.
        found: u64,
    },
    /// Those who did not answer would be a quorum by themselves.
    #[error(
        "so few witnesses of {origin} answered that readers may have been shown a newer checkpoint than this desk knows: nothing was signed; publish again \
         when more of them can be reached ({why})"
    )]
    TooFewAnswered {
        /// The archive.
        origin: String,
        /// What came of asking the others.
        why: String,
    },
    /// The release is committed, and readers do not see it yet.
    #[error(
        "the release is signed and committed, but readers do not see it yet: log size {size} of {origin} needs the cosignatures of witnesses, {needed}; so far \
         it has: {have}; publish again to ask the others once more ({why})"
    )]
    Waiting {
        /// The archive.
        origin: String,
        /// The size of its log.
        size: u64,
        /// What the policy asks for, in words.
        needed: String,
        /// Who cosigned, in words.
        have: String,
        /// Why the others did not.
        why: String,
    },
    /// The policy needs witnesses, and whoever called did not say how to ask them.
    #[error(
        "what is published in {0} needs witnesses, and they are not asked here; something may wait for them: run `daylight publish` first"
    )]
    NobodyAsks(String),
    /// A witness was to be left out that the policy does not have.
    #[error("{origin} has no witness {name}; give its name as the policy in the root has it")]
    NoSuchWitness {
        /// The archive.
        origin: String,
        /// The name.
        name: String,
    },
    /// Something that the format does not allow.
    #[error("{0}")]
    Format(String),
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }

    pub(crate) fn format(error: impl ToString) -> Error {
        Error::Format(error.to_string())
    }
}
