//! The archive that is added to: locked, brought out of whatever an interrupted publish left, and checked to be the one its key knows.

use crate::files::Folder;
use crate::promise::{Locked, LogKey, Promise, lock};
use crate::witness::{before_signing, complete, signed_alone};
use crate::{Error, Result};
use daylight_archive::archive::Standing;
use daylight_archive::log::{LogAppender, Tree, empty_root, verify_consistency};
use daylight_archive::note::Note;
use daylight_archive::release::ReleaseNote;
use daylight_archive::{Archive, Checkpoint, paths};
use daylight_durable::{sync_dir, write_atomic};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An archive's folder, held against other publishers.
pub(crate) struct Site {
    dir: PathBuf,
    origin: String,
    /// `None` before the first release.
    archive: Option<Archive>,
    /// Whether something that had been interrupted was brought to its end.
    resumed: bool,
    _lock: Locked,
}

/// Whose log's key the publisher has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// That of the root in force.
    Same,
    /// Perhaps another, which a new root is to put in its place.
    Any,
}

impl Site {
    /// Opens or makes the folder. A `checkpoint.pending` that this key signed is put in its place once enough witnesses cosigned it; anything else that
    /// contradicts what the key signed before, as it is known here or as witnesses have seen it, is refused.
    pub(crate) fn open(dir: &Path, log_key: &mut LogKey, holder: Holder) -> Result<Self> {
        let new = !dir.exists();
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let held = lock(dir)?;
        let dir = fs::canonicalize(dir).map_err(Error::io(dir))?;
        if let Some(parent) = dir.parent().filter(|_| new) {
            sync_dir(parent).map_err(Error::io(parent))?;
        }
        restore_pending(&dir, log_key)?;
        let finished = finish_pending(&dir, log_key)?;
        let mut resumed = finished || log_key.succeeded();
        let mut archive = if dir.join(paths::CHECKPOINT).exists() { Some(Archive::open(&dir)?) } else { None };
        match &archive {
            Some(opened) => {
                if log_key.next_key().is_some_and(|next| next == opened.root().log) {
                    log_key.succeed()?;
                    resumed = true;
                }
                check_known(opened, log_key, holder)?;
                // Who was asked about a pending checkpoint a moment ago has nothing to add.
                if !finished && log_key.witnessing().is_some() {
                    before_signing(opened, log_key)?;
                    adopt_recovered(opened, log_key)?;
                }
                if log_key.promised_size() <= opened.head() && remove_unlogged_roots(opened)? {
                    archive = Some(Archive::open(&dir)?);
                }
            }
            None => check_empty(&dir)?,
        }
        Ok(Self { dir, origin: log_key.origin().to_owned(), archive, resumed, _lock: held })
    }

    pub(crate) fn resumed(&self) -> bool {
        self.resumed
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::new(&self.dir)
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn archive(&self) -> Option<&Archive> {
        self.archive.as_ref()
    }

    /// The size of the log.
    pub(crate) fn size(&self) -> u64 {
        self.archive.as_ref().map_or(0, Archive::head)
    }

    /// The serial that the next release has.
    pub(crate) fn next_serial(&self) -> u64 {
        self.archive.as_ref().map_or(0, |archive| archive.releases().len() as u64) + 1
    }

    /// What the note of a release says.
    pub(crate) fn release(&self, serial: u64) -> Option<&ReleaseNote> {
        self.archive.as_ref()?.release(serial).map(|release| &release.note)
    }

    /// The highest number in a collection, and its title.
    pub(crate) fn collection(&self, name: &str) -> Result<(u64, Option<String>)> {
        let Some(archive) = &self.archive else { return Ok((0, None)) };
        Ok(archive.collection(name)?.map_or((0, None), |collection| (collection.highest, Some(collection.title))))
    }

    /// The numbers of a collection that are withdrawn and were not published again, and when each was.
    pub(crate) fn withdrawn(&self, name: &str) -> Result<BTreeMap<u64, i64>> {
        self.archive.as_ref().map_or(Ok(BTreeMap::new()), |archive| withdrawn_in(archive, name))
    }

    /// What is said when the key has signed more than is here.
    pub(crate) fn rolled_back(&self, signed: u64) -> Error {
        Error::RolledBack { archive: self.dir.clone(), found: self.size(), signed }
    }

    /// Goes on with the log, whose right edge is checked against the checkpoint.
    pub(crate) fn log(&self) -> Result<LogAppender> {
        let (size, root) = match &self.archive {
            Some(archive) => (archive.head(), archive.checkpoint().root),
            None => (0, daylight_archive::log::empty_root()),
        };
        LogAppender::load(&self.dir, size, &root).map_err(|error| Error::Format(format!("{}: {error}", self.dir.display())))
    }
}

/// The numbers of a collection that are withdrawn, and when that was.
pub(crate) fn withdrawn_in(archive: &Archive, name: &str) -> Result<BTreeMap<u64, i64>> {
    let mut withdrawn = BTreeMap::new();
    for number in archive.withdrawn_numbers(name)? {
        if let Some(Standing::Withdrawn(by)) = archive.standing(name, number)? {
            withdrawn.insert(number, by.note.time);
        }
    }
    Ok(withdrawn)
}

/// Where the log's key has signed more than the archive's checkpoint says, and all of it is here, the publication was killed between the two: what the
/// key signed is laid down again as `checkpoint.pending`. Where it is not all here, this is an old copy, or a release that is to be written again.
fn restore_pending(dir: &Path, log_key: &LogKey) -> Result<()> {
    let Some(promise) = log_key.promise() else { return Ok(()) };
    let pending = dir.join(paths::CHECKPOINT_PENDING);
    if !pending.exists() && continues(dir, &promise.checkpoint)? && Archive::check_under(dir, &promise.bytes).is_ok() {
        write_atomic(&pending, &promise.bytes).map_err(Error::io(pending))?;
    }
    Ok(())
}

/// Whether a log that was promised goes on from the one that the folder's checkpoint states, and is larger. What that checkpoint says is not believed:
/// opening checks it.
fn continues(dir: &Path, promised: &Checkpoint) -> Result<bool> {
    let path = dir.join(paths::CHECKPOINT);
    let current = match fs::read(&path) {
        Ok(bytes) => Note::parse(&bytes).ok().and_then(|note| Checkpoint::parse_text(note.text()).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io(path)(error)),
    };
    let (size, root) = current.map_or((0, empty_root()), |current| (current.size, current.root));
    if size >= promised.size {
        return Ok(false);
    }
    let dir = dir.to_path_buf();
    let path = Tree::new(&dir, "", promised.size).consistency(size);
    Ok(path.is_ok_and(|path| verify_consistency(size, &root, promised.size, &promised.root, &path).is_ok()))
}

/// A root that no log names is what a killed rotation left before the log's key signed: it is not in force, and is to be signed for again. The JSON goes
/// first: a lone signature is passed over by readers, a lone root is not.
fn remove_unlogged_roots(archive: &Archive) -> Result<bool> {
    let folder = archive.dir().join("root");
    let in_force = archive.root().version;
    let mut left = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Error::io(&folder))? {
        let path = entry.map_err(Error::io(&folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beginning = name.starts_with('.') && name.ends_with(".tmp");
        let later = name.split_once('.').and_then(|(version, _)| version.parse::<u64>().ok()).is_some_and(|version| version > in_force);
        if beginning || later {
            left.push((!name.ends_with(".json"), path));
        }
    }
    left.sort();
    for (_, path) in &left {
        fs::remove_file(path).map_err(Error::io(path))?;
        sync_dir(&folder).map_err(Error::io(&folder))?;
    }
    Ok(!left.is_empty())
}

/// The last step of a publish that was killed after it had committed, or that had too few witnesses: its pending checkpoint becomes the checkpoint.
/// Says whether there was one.
fn finish_pending(dir: &Path, log_key: &LogKey) -> Result<bool> {
    let pending = dir.join(paths::CHECKPOINT_PENDING);
    let bytes = match fs::read(&pending) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io(pending)(error)),
    };
    // Lines of witnesses may stand there already, behind the log's own.
    let is_it = |promise: &&Promise| {
        let promised = Note::parse(&promise.bytes).ok();
        promised.is_some_and(|promised| {
            Note::parse(&bytes).is_ok_and(|note| signed_alone(&note, promised.signatures()) == Some(promised.clone()))
        })
    };
    let Some(promise) = log_key.promise().filter(is_it) else {
        return Err(Error::Format(format!(
            "{} was not signed by this desk; nothing is published here until it is gone",
            pending.display()
        )));
    };
    let checkpoint = &promise.checkpoint;
    LogAppender::load(&dir.to_path_buf(), checkpoint.size, &checkpoint.root)
        .map_err(|error| Error::Format(format!("{}: {error}", pending.display())))?;
    complete(dir, log_key)?;
    Ok(true)
}

/// After a desk was restored, what the archive has more than the desk knows counts as signed by it: witnesses had to cosign it, those who were asked
/// know nothing newer, and it continues what the desk knows.
fn adopt_recovered(archive: &Archive, log_key: &mut LogKey) -> Result<()> {
    if archive.root().log == log_key.key() { log_key.adopt(archive.checkpoint()) } else { Ok(()) }
}

/// Whether the archive is the one that this key signed, and has all that it signed or is about to get it.
fn check_known(archive: &Archive, log_key: &LogKey, holder: Holder) -> Result<()> {
    let dir = archive.dir().to_owned();
    if archive.origin() != log_key.origin() {
        return Err(Error::OtherOrigin { archive: dir, found: archive.origin().to_owned(), wanted: log_key.origin().to_owned() });
    }
    if archive.root().log != log_key.key() {
        // A key that never signed for this log cannot contradict itself; a new root may give it the log.
        let fresh = log_key.promise().is_none() && log_key.next_key().is_none();
        return if holder == Holder::Any && fresh { Ok(()) } else { Err(Error::OtherLogKey(dir)) };
    }
    let (found, signed) = (archive.head(), log_key.promised_size());
    let recovered = log_key.witnessing().is_some_and(|witnessing| witnessing.recovered) && archive.root().witnesses.needs_witnesses();
    if found > signed && !recovered {
        return Err(Error::Ahead { archive: dir, found, signed });
    }
    // What has less than was signed is a release to be finished or an old copy: the drafts tell.
    if found >= signed { log_key.check(&dir, &dir, archive.checkpoint()) } else { Ok(()) }
}

/// A folder without a checkpoint may hold what an interrupted first publish left, and nothing else.
fn check_empty(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let name = entry.map_err(Error::io(dir))?.file_name();
        let name = name.to_string_lossy();
        if !["root", "release", "tile", ".checkpoint.pending.tmp"].contains(&&*name) {
            return Err(Error::NotAnArchive(dir.to_owned()));
        }
    }
    Ok(())
}
