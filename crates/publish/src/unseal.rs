//! What trustees opened: the release that was sealed, laid out in a folder, and the evidence that k editors approved it, with which it can be
//! published.

use crate::approval::{check_approval, inner_origin, parse_seal_text};
use crate::files::{Folder, finish};
use crate::promise::lock;
use crate::{Error, Result, tar};
use daylight_archive::note::Note;
use daylight_archive::release::ReleaseNote;
use daylight_archive::{Archive, paths, verify};
use daylight_durable::{crash_point, sync_dir, write_atomic};
use daylight_envelope::SealKey;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

mod approved;

pub use approved::{Approved, Skipped};

/// What the editors signed, in the folder and in the sealed file.
const APPROVAL: &str = "seal";
/// The release as an archive of its own, in the folder and in the sealed file.
const ARCHIVE: &str = "archive";

/// When the release was first to be published, in seconds since 1970-01-01T00:00:00Z: beside the others in the folder, and not in the sealed file.
const DRAFTED: &str = "drafted";

/// More than any checkpoint has, in bytes.
const LONGEST_CHECKPOINT: u64 = 1 << 20;

/// A release that was sealed, laid out in a folder: `seal` is what the editors approved, `archive` the release as an archive of its own, which
/// can be read, searched and served as any other.
pub struct Unsealed {
    dir: PathBuf,
    archive: Archive,
    note: Note,
    told: ReleaseNote,
}

/// Opens a sealed file into a folder, which is made or must be empty, and checks every byte of what is in it. Nothing is written outside of the
/// folder. On an error what was written is removed; after a crash it is removed when this is done again.
pub fn unseal(sealed: &Path, key: &SealKey, to: &Path) -> Result<Unsealed> {
    let file = File::open(sealed).map_err(|error| Error::Unread(sealed.to_owned(), error))?;
    let why = |why: String| Error::Sealed { path: sealed.to_owned(), why };
    let opener = key.open(BufReader::with_capacity(1 << 18, file)).map_err(|error| why(error.to_string()))?;
    let new = !to.exists();
    if new {
        DirBuilder::new().mode(0o700).recursive(true).create(to).map_err(Error::io(to))?;
    }
    let _held = lock(to)?;
    clear_leftovers(to)?;
    let laid = lay_out(opener, sealed, to).and_then(|()| check_whole(to)).and_then(|()| Unsealed::open(to));
    if laid.is_err() {
        remove(to)?;
    }
    laid
}

/// Nothing but what a killed `unseal` left may be in the folder, which has no checkpoint then: that is written last.
fn clear_leftovers(dir: &Path) -> Result<()> {
    let ours = |name: &str| name == APPROVAL || name == ARCHIVE;
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let name = entry.map_err(Error::io(dir))?.file_name();
        if !ours(&name.to_string_lossy()) || dir.join(ARCHIVE).join(paths::CHECKPOINT).exists() {
            return Err(Error::NotEmpty(dir.to_owned()));
        }
    }
    remove(dir)
}

fn remove(dir: &Path) -> Result<()> {
    let gone = |result: io::Result<()>| result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) });
    gone(fs::remove_dir_all(dir.join(ARCHIVE))).and_then(|()| gone(fs::remove_file(dir.join(APPROVAL)))).map_err(Error::io(dir))
}

/// Writes every file, the checkpoint last, and only when the sealed file was read to its end.
fn lay_out(opener: impl Read, sealed: &Path, to: &Path) -> Result<()> {
    let why = |error: io::Error| Error::Sealed { path: sealed.to_owned(), why: error.to_string() };
    let (mut reader, mut folder, mut checkpoint) = (tar::Reader::new(opener), Folder::new(to), None);
    let last = format!("{ARCHIVE}/{}", paths::CHECKPOINT);
    while let Some(entry) = reader.next().map_err(why)? {
        let fits = entry.path == APPROVAL || entry.path.starts_with(&format!("{ARCHIVE}/"));
        if !fits || to.join(&entry.path).exists() || checkpoint.is_some() {
            return Err(why(io::Error::other("it is not the tar file of a sealed release")));
        }
        if entry.path == last {
            let mut bytes = Vec::new();
            if entry.length > LONGEST_CHECKPOINT {
                return Err(why(io::Error::other("its checkpoint is too long")));
            }
            reader.copy(&entry, &mut bytes).map_err(why)?;
            checkpoint = Some(bytes);
            continue;
        }
        let mut file = folder.create(&entry.path)?;
        reader.copy(&entry, &mut file.out).map_err(why)?;
        let path = file.path().to_owned();
        finish(file.out, &path)?;
        // A crash here leaves a part of the release in the folder, which the next try removes.
        crash_point("unseal.file");
    }
    let checkpoint = checkpoint.ok_or_else(|| why(io::Error::other("it has no checkpoint")))?;
    folder.sync()?;
    folder.put(&last, &checkpoint)?;
    folder.sync()?;
    crash_point("unseal.checkpoint");
    sync_dir(to).map_err(Error::io(to))
}

fn check_whole(dir: &Path) -> Result<()> {
    let archive = dir.join(ARCHIVE);
    let report = verify(&archive, None, &mut |_| {});
    if report.ok() { Ok(()) } else { Err(Error::Sealed { path: archive, why: report.verdict() }) }
}

impl Unsealed {
    /// Opens the folder that [`unseal`] made, and checks that its parts belong together. Who approved it is for [`Unsealed::approved`].
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(APPROVAL);
        let why = |why: String| Error::Sealed { path: path.clone(), why };
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(1 << 20).read_to_end(&mut bytes))
            .map_err(|error| Error::Unread(path.clone(), error))?;
        let note = Note::parse(&bytes).map_err(|error| why(error.to_string()))?;
        let told = parse_seal_text(note.text()).map_err(|error| why(error.to_string()))?;
        let archive = Archive::open(&dir.join(ARCHIVE))?;
        let [release] = archive.releases() else { return Err(why("there is not one release beside it".into())) };
        let within = &release.note;
        let same = ReleaseNote { origin: within.origin.clone(), root: within.root, ..told.clone() } == *within;
        if !same || archive.origin() != inner_origin(&told) {
            return Err(why("it approves another release than the one beside it".into()));
        }
        Ok(Self { dir: dir.to_owned(), archive, note, told })
    }

    /// The folder of the release as an archive of its own.
    pub fn archive_dir(&self) -> &Path {
        self.archive.dir()
    }

    /// What was approved: the archive that it is meant for, the collection, how many documents, when.
    pub fn told(&self) -> &ReleaseNote {
        &self.told
    }

    /// When the release was first to be published, which is fixed in the folder then, so that a publish that is killed and done again writes the same bytes.
    pub(crate) fn drafted(&self, now: u64) -> Result<i64> {
        let path = self.dir.join(DRAFTED);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let why = "it does not say when the release was drafted; remove it and publish anew".to_owned();
                text.strip_suffix('\n').and_then(|text| text.parse().ok()).ok_or(Error::Sealed { path, why })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let time = i64::try_from(now).unwrap_or(i64::MAX);
                write_atomic(&path, format!("{time}\n").as_bytes()).map_err(Error::io(&path))?;
                // A crash here leaves the time of a release of which nothing is written.
                crash_point("unseal.drafted");
                Ok(time)
            }
            Err(error) => Err(Error::Unread(path, error)),
        }
    }

    /// The evidence that k editors of a root of this archive approved it.
    pub fn approved(&self, target: &Archive) -> Result<Approved<'_>> {
        let why = |why: String| Error::Sealed { path: self.dir.clone(), why };
        if target.origin() != self.told.origin {
            return Err(why(format!("it was sealed for the archive {}, not for {}", self.told.origin, target.origin())));
        }
        let link = target.chain().by_digest(&self.told.root);
        let link = link.ok_or_else(|| why(format!("it names a root that {} never had", target.origin())))?;
        let editors = check_approval(link, target.chain(), &self.note);
        let editors = editors.map_err(|error| why(format!("its editors: {error}")))?.into_iter().map(str::to_owned).collect();
        Approved::select(self, target, link.root.version, editors)
    }
}
