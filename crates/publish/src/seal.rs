//! Sealing: a complete release of what is cleared, encrypted so that mirrors can keep it before anybody may read it, its key split among trustees.
//!
//! On the desk, in `sealing/`, the release is written as the only one of an archive of its own, with a note in which k editors approve it for the archive that it is
//! meant for. Both are then one encrypted file. `docs/envelope.md` has the format, [`crate::unseal()`] the way back.

use crate::approval::{check_approval, parse_seal_text, seal_text, sign_with};
use crate::content::Content;
use crate::earlier::Earlier;
use crate::key::SigningKeyFile;
use crate::{Error, Progress, Result, release};
use daylight_archive::note::Note;
use daylight_archive::release::ReleaseNote;
use daylight_archive::{Archive, verify};
use daylight_durable::{Lock, crash_point, sync_dir};
use daylight_envelope::SealKey;
use daylight_envelope::slip39::Share;
use daylight_model::Digest;
use daylight_review::{Desk, Draft, Refusal, Target, draft_seal, open_drafts, sealed_origin};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

mod inner;
mod pack;

/// What is to be sealed, for whom.
#[derive(Clone, Copy)]
pub struct SealJob<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// Its title; `None` keeps the one it has in the archive, or takes the name where it has none.
    pub title: Option<&'a str>,
    /// The archive that the release is meant for. Nothing in it is changed.
    pub archive: &'a Path,
    /// How many trustees can open it.
    pub threshold: u8,
    /// How many trustees there are.
    pub trustees: u8,
    /// The sealed file, which must not exist.
    pub to: &'a Path,
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// How the editors approve a release to be sealed.
pub enum Approval<'a> {
    /// With their keys, here and now.
    Keys(&'a [SigningKeyFile]),
    /// They signed what was drafted before, on machines of their own.
    Signed(&'a Note),
}

/// What came of it.
pub struct SealOutcome {
    /// The seal, unless there was nothing to seal.
    pub sealed: Option<Sealed>,
    /// Documents that are cleared but were not sealed because of what they contain.
    pub withheld: Vec<Refusal>,
}

/// A release that is sealed, but not yet under the name it was to have: first its shares must be with those who keep them, for they are nowhere else.
/// Unless [`Sealed::finish`] is called, dropping this removes what was sealed, which nobody could ever open.
pub struct Sealed {
    /// A share for each trustee.
    pub shares: Vec<Share>,
    /// The SHA-256 of the sealed file.
    pub sha256: Digest,
    /// How many bytes it has.
    pub length: u64,
    /// How many documents are in it.
    pub documents: u64,
    /// What the editors approved.
    pub approved: ReleaseNote,
    /// The names of the editors who did.
    pub editors: Vec<String>,
    part: Part,
    draft: Option<Draft>,
    stage: Stage,
}

/// Seals what is cleared in a collection and not in the archive yet. The sealed file is opened again for a test, with the first shares, before this says so.
///
/// A crash leaves the desk's `sealing/`, which the next seal removes, and a file `TO.part` that nobody can open.
pub fn seal(desk: &mut Desk, job: &SealJob<'_>, approval: &Approval<'_>, progress: &mut dyn FnMut(Progress)) -> Result<SealOutcome> {
    let archive = Archive::open(job.archive)?;
    check_place(job)?;
    let stage = Stage::take(desk.path())?;
    let (draft, withheld) = match approval {
        Approval::Keys(_) => drafted(desk, job, &archive)?,
        Approval::Signed(note) => (Some(taken_up(desk, job, &archive, note)?), Vec::new()),
    };
    let Some(draft) = draft else { return Ok(SealOutcome { sealed: None, withheld }) };
    let told = stage.write(&draft, &archive, progress)?;
    let note = approve(&archive, &told, approval)?;
    let editors = check_approval(in_force(&archive)?, archive.chain(), &note).map_err(|error| Error::Format(format!("the approval: {error}")))?;
    let editors = editors.into_iter().map(str::to_owned).collect();
    fs::write(stage.path.join(pack::APPROVAL), note.to_bytes()).map_err(Error::io(&stage.path))?;
    inner::complete(&stage.archive(), &draft, &told)?;
    check_whole(&stage.archive())?;
    // A crash here leaves the release in plain on the desk, where its documents are anyway.
    crash_point("seal.staged");
    let key = SealKey::new().map_err(Error::format)?;
    let shares = key.split(job.threshold, job.trustees).map_err(Error::format)?;
    let part = Part::beside(job.to);
    let (sha256, length) = pack::seal(&stage.path, &key, &part.path)?;
    drop(key);
    // A crash here leaves a file that nobody can open.
    crash_point("seal.part");
    pack::try_shares(&part.path, &shares[..usize::from(job.threshold)])?;
    let documents = Content::len(&draft);
    Ok(SealOutcome {
        sealed: Some(Sealed { shares, sha256, length, documents, approved: told, editors, part, draft: Some(draft), stage }),
        withheld,
    })
}

/// Drafts a release to be sealed and says what the editors are to sign: the text, and the folder in which the release can be looked at until it is sealed or
/// another is drafted. `None` where there is nothing to seal.
pub fn draft_for_approval(desk: &mut Desk, job: &SealJob<'_>, progress: &mut dyn FnMut(Progress)) -> Result<(Option<(ReleaseNote, PathBuf)>, Vec<Refusal>)> {
    let archive = Archive::open(job.archive)?;
    check_place(job)?;
    let mut stage = Stage::take(desk.path())?;
    let (draft, withheld) = drafted(desk, job, &archive)?;
    let Some(draft) = draft else { return Ok((None, withheld)) };
    let told = stage.write(&draft, &archive, progress)?;
    stage.kept = true;
    Ok((Some((told, stage.archive())), withheld))
}

impl Sealed {
    /// Gives the sealed file its name. Call it when the shares are where they are to be.
    pub fn finish(mut self) -> Result<()> {
        // A crash here leaves the sealed file under its other name, and shares that open it.
        crash_point("seal.shared");
        self.part.name()?;
        // A crash here leaves the seal, and a draft that the next one gives up.
        crash_point("seal.named");
        self.draft.take().map_or(Ok(()), Draft::finish)?;
        crash_point("seal.finished");
        self.stage.remove()
    }
}

/// The file that has no name yet: removed when dropped.
struct Part {
    path: PathBuf,
    to: PathBuf,
}

impl Part {
    fn beside(to: &Path) -> Self {
        let mut path = to.as_os_str().to_owned();
        path.push(".part");
        Self { path: path.into(), to: to.to_owned() }
    }

    fn name(&self) -> Result<()> {
        // Unlike renaming, this replaces nothing.
        fs::hard_link(&self.path, &self.to).map_err(Error::io(&self.to))?;
        fs::remove_file(&self.path).map_err(Error::io(&self.path))?;
        let folder = folder_of(&self.to);
        sync_dir(folder).map_err(Error::io(folder))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Where it has its name there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}

/// The folder on the desk in which a release is written before it is sealed. Whatever stands there is removed when it is dropped, unless it is kept.
struct Stage {
    path: PathBuf,
    kept: bool,
    _lock: Lock,
}

impl Stage {
    fn take(desk: &Path) -> Result<Self> {
        let lock = Lock::take(&desk.join("seal.lease"), "seal").map_err(Error::format)?;
        let stage = Self { path: desk.join("sealing"), kept: false, _lock: lock };
        stage.remove()?;
        DirBuilder::new().mode(0o700).create(&stage.path).map_err(Error::io(&stage.path))?;
        Ok(stage)
    }

    fn archive(&self) -> PathBuf {
        self.path.join(pack::ARCHIVE)
    }

    /// Writes the release, and says what is to be approved of it.
    fn write(&self, draft: &Draft, archive: &Archive, progress: &mut dyn FnMut(Progress)) -> Result<ReleaseNote> {
        let dir = self.archive();
        fs::create_dir(&dir).map_err(Error::io(&dir))?;
        let written = release::write_into(&dir, draft, Earlier::default(), progress)?;
        Ok(Content::note(draft, archive.origin(), archive.root_digest(), written.manifest))
    }

    fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&self.path)(error)),
            _ => Ok(()),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.kept {
            let _ = self.remove();
        }
    }
}

/// The sealed file must be a new one, and no part of the archive, in which it would be a stranger.
fn check_place(job: &SealJob<'_>) -> Result<()> {
    if job.to.symlink_metadata().is_ok() {
        return Err(Error::Exists(job.to.to_owned()));
    }
    let folder = fs::canonicalize(folder_of(job.to)).map_err(Error::io(folder_of(job.to)))?;
    let archive = fs::canonicalize(job.archive).map_err(Error::io(job.archive))?;
    if folder.starts_with(&archive) {
        return Err(Error::Format(format!("{} is in the archive, of which it is no part; give it another place", job.to.display())));
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn drafted(desk: &mut Desk, job: &SealJob<'_>, archive: &Archive) -> Result<(Option<Draft>, Vec<Refusal>)> {
    let known = archive.collection(job.collection)?;
    let (highest, title) = known.map_or((0, None), |known| (known.highest, Some(known.title)));
    let title = job.title.map(str::to_owned).or(title).unwrap_or_else(|| job.collection.to_owned());
    let target = Target { origin: archive.origin().to_owned(), serial: 1, highest, title, signed: false };
    let drafted = draft_seal(desk, job.collection, &target, job.now)?;
    Ok((drafted.draft, drafted.withheld))
}

/// The draft that editors have signed.
fn taken_up(desk: &Desk, job: &SealJob<'_>, archive: &Archive, note: &Note) -> Result<Draft> {
    let told = parse_seal_text(note.text()).map_err(Error::format)?;
    let fits = |draft: &Draft| draft.collection() == job.collection && Content::note(draft, archive.origin(), told.root, told.manifest) == told;
    let found = open_drafts(desk, &sealed_origin(archive.origin()))?.into_iter().find(fits);
    found.ok_or_else(|| Error::Format("what was signed is not what this desk drafted last to be sealed; draft it anew and have that signed".into()))
}

/// The link of the root in force.
fn in_force(archive: &Archive) -> Result<&daylight_archive::root::Link> {
    archive.chain().by_digest(&archive.root_digest()).ok_or_else(|| Error::Format("the archive has no root in force".into()))
}

/// The note that editors signed, or sign now: k of the root in force.
fn approve(archive: &Archive, told: &ReleaseNote, approval: &Approval<'_>) -> Result<Note> {
    let text = seal_text(told).map_err(Error::format)?;
    let keys = match approval {
        Approval::Signed(note) if note.text() == text => return Ok((*note).clone()),
        Approval::Signed(_) => return Err(Error::Format("what was signed is another release, or for another root: have it signed anew".into())),
        Approval::Keys(keys) => *keys,
    };
    sign_with(archive.root(), keys, &text)
}

/// What trustees will open, nobody can look at before them; so it is looked at now.
fn check_whole(dir: &Path) -> Result<()> {
    let report = verify(dir, None, &mut |_| {});
    if report.ok() { Ok(()) } else { Err(Error::Format(format!("what was to be sealed is not whole: {}", report.verdict()))) }
}
