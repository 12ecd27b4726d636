//! Sealing: a complete release of what is cleared, encrypted so that mirrors can keep it before anybody may read it, its key split among trustees.
//!
//! On the desk, in `sealing/`, the release is written as the only one of an archive of its own, with a note in which k editors approve it for the
//! archive that it is meant for. Both are then one encrypted file. `docs/envelope.md` has the format, [`crate::unseal()`] the way back.

use crate::approval::{check_approval, seal_text};
use crate::content::Content;
use crate::editors::Editors;
use crate::key::SigningKeyFile;
use crate::request::{Request, Statement};
use crate::site::withdrawn_in;
use crate::staged::first_lines;
use crate::{Error, Progress, Result};
use daylight_archive::note::Note;
use daylight_archive::release::ReleaseNote;
use daylight_archive::{Archive, verify};
use daylight_durable::crash_point;
use daylight_envelope::SealKey;
use daylight_envelope::slip39::Share;
use daylight_model::Digest;
use daylight_review::{Desk, Draft, Refusal, Target, draft_seal, is_still_clear, open_drafts, sealed_origin};
use std::fs;
use std::path::{Path, PathBuf};

mod inner;
mod pack;
mod stage;

pub use stage::remove_staged;

use stage::{Part, Stage, folder_of};

/// What is to be sealed, and who approves it.
#[derive(Clone, Copy)]
pub struct ToSeal<'a> {
    /// The collection's name.
    pub collection: &'a str,
    /// Its title; `None` keeps the one it has in the archive, or takes the name where it has none.
    pub title: Option<&'a str>,
    /// The archive that the release is meant for. Nothing in it is changed.
    pub archive: &'a Path,
    /// The keys of the editors who approve it here and now.
    pub editors: &'a [SigningKeyFile],
    /// The time, in seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// Among whom the key is split, and where the sealed file comes to stand.
#[derive(Debug, Clone, Copy)]
pub struct SealTo<'a> {
    /// How many trustees can open it.
    pub threshold: u8,
    /// How many trustees there are.
    pub trustees: u8,
    /// The sealed file, which must not exist.
    pub file: &'a Path,
}

/// What came of sealing.
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
    /// What the editors approved.
    pub approved: ReleaseNote,
    /// The names of the editors who did.
    pub editors: Vec<String>,
    part: Part,
    draft: Draft,
    stage: Stage,
}

/// What came of asking for approval.
pub struct AskedToSeal {
    /// What the editors are asked, and the folder on the desk in which the release can be looked at; `None` where there was nothing to seal.
    pub waiting: Option<(Request, PathBuf)>,
    /// Documents that are cleared but would not be sealed because of what they contain.
    pub withheld: Vec<Refusal>,
}

/// Seals what is cleared in a collection and not in the archive yet, approved by editors whose keys are given, all k. The sealed file is opened
/// again for a test, with the first shares, before this says so.
///
/// A crash leaves the desk's `sealing/`, which the next seal removes, and a file `FILE.part` that nobody can open.
pub fn seal(desk: &mut Desk, what: &ToSeal<'_>, to: &SealTo<'_>, progress: &mut dyn FnMut(Progress)) -> Result<SealOutcome> {
    let archive = Archive::open(what.archive)?;
    check_place(to.file, what.archive)?;
    let editors = Editors::in_force(&archive, what.editors)?;
    if !editors.enough {
        let (needed, given) = (archive.root().editors.threshold, what.editors.len());
        return Err(Error::TooFewKeys { origin: archive.origin().to_owned(), needed, given });
    }
    let stage = Stage::take(desk.path())?;
    let (draft, withheld) = drafted(desk, what, &archive)?;
    let Some(draft) = draft else { return Ok(SealOutcome { sealed: None, withheld }) };
    let told = stage.write(&draft, &archive, progress)?;
    let note = editors.sign(Note::new(&seal_text(&told).map_err(Error::format)?).map_err(Error::format)?);
    let sealed = encrypt(stage, draft, &archive, told, &note, to)?;
    Ok(SealOutcome { sealed: Some(sealed), withheld })
}

/// Drafts a release to be sealed and asks for the editors' approval; those whose keys are given approve it at once. It stands on the desk, in
/// `sealing/archive`, until it is sealed or another is drafted.
pub fn ask_to_seal(desk: &mut Desk, what: &ToSeal<'_>, progress: &mut dyn FnMut(Progress)) -> Result<AskedToSeal> {
    let archive = Archive::open(what.archive)?;
    Editors::in_force(&archive, what.editors)?;
    let mut stage = Stage::take(desk.path())?;
    let (draft, withheld) = drafted(desk, what, &archive)?;
    let Some(draft) = draft else { return Ok(AskedToSeal { waiting: None, withheld }) };
    let told = stage.write(&draft, &archive, progress)?;
    let mut request = Request::seal(archive.chain(), &told, &first_lines(&stage.archive(), &told)?)?;
    for key in what.editors {
        request.sign(key.signer())?;
    }
    stage.kept = true;
    Ok(AskedToSeal { waiting: Some((request, stage.archive())), withheld })
}

/// Seals what k editors approved on request. The release is written again from its draft, so that what is sealed is what they approved.
pub fn finish_seal(
    desk: &mut Desk,
    archive: &Path,
    request: &Request,
    to: &SealTo<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Sealed> {
    let Statement::Seal { note: told, .. } = request.statement() else { return Err(Error::OtherKind(request.kind().word())) };
    check_place(to.file, archive)?;
    let archive = Archive::open(archive)?;
    if archive.origin() != told.origin || archive.chain().by_digest(&told.root).is_none() {
        let why = "it is not the archive that the approval names".to_owned();
        return Err(Error::MovedOn { archive: archive.dir().to_owned(), why });
    }
    request.require_complete()?;
    let is_it = |draft: &Draft| Content::note(draft, &told.origin, told.root, told.manifest) == *told;
    let found = open_drafts(desk, &sealed_origin(&told.origin))?.into_iter().find(is_it);
    let draft = found.ok_or_else(|| Error::OtherRelease { serial: 1, origin: sealed_origin(&told.origin) })?;
    if !is_still_clear(desk, &draft)? {
        return Err(Error::NoLongerClear(1));
    }
    let stage = Stage::take(desk.path())?;
    if stage.write(&draft, &archive, progress)?.manifest != told.manifest {
        return Err(Error::OtherRelease { serial: 1, origin: sealed_origin(&told.origin) });
    }
    encrypt(stage, draft, &archive, told.clone(), request.note(), to)
}

/// Encrypts what is staged and approved, and splits the key.
fn encrypt(stage: Stage, draft: Draft, archive: &Archive, told: ReleaseNote, note: &Note, to: &SealTo<'_>) -> Result<Sealed> {
    let link = archive.chain().by_digest(&told.root).ok_or_else(|| Error::NoRoot(archive.dir().to_owned()))?;
    let editors = check_approval(link, archive.chain(), note).map_err(Error::format)?.into_iter().map(str::to_owned).collect();
    let path = stage.path.join(pack::APPROVAL);
    fs::write(&path, note.to_bytes()).map_err(Error::io(&path))?;
    check_whole(&stage.archive())?;
    // A crash here leaves the release in plain on the desk, where its documents are anyway.
    crash_point("seal.staged");
    let key = SealKey::new().map_err(Error::format)?;
    let shares = key.split(to.threshold, to.trustees).map_err(Error::format)?;
    let part = Part::beside(to.file);
    let (sha256, length) = pack::seal(&stage.path, &key, &part.path)?;
    // From here on the key is nowhere but in the shares.
    drop(key);
    // A crash here leaves a file that nobody can open.
    crash_point("seal.part");
    pack::try_shares(&part.path, &shares[..usize::from(to.threshold)])?;
    Ok(Sealed { shares, sha256, length, approved: told, editors, part, draft, stage })
}

impl Sealed {
    /// Gives the sealed file its name. Call it when the shares are where they are to be.
    pub fn finish(self) -> Result<()> {
        // A crash here leaves the sealed file under its other name, and shares that open it.
        crash_point("seal.shared");
        self.part.name()?;
        // A crash here leaves the seal, and a draft that the next one gives up.
        crash_point("seal.named");
        self.draft.finish()?;
        crash_point("seal.finished");
        self.stage.remove()
    }
}

/// The sealed file must be a new one, and no part of the archive, in which it would be a stranger.
fn check_place(file: &Path, archive: &Path) -> Result<()> {
    if file.symlink_metadata().is_ok() {
        return Err(Error::Exists(file.to_owned()));
    }
    let folder = fs::canonicalize(folder_of(file)).map_err(|error| Error::Unread(folder_of(file).to_owned(), error))?;
    let archive = fs::canonicalize(archive).map_err(Error::io(archive))?;
    if folder.starts_with(&archive) {
        return Err(Error::Format(format!("{} is in the archive, of which it is no part; give it another place", file.display())));
    }
    Ok(())
}

fn drafted(desk: &mut Desk, what: &ToSeal<'_>, archive: &Archive) -> Result<(Option<Draft>, Vec<Refusal>)> {
    let known = archive.collection(what.collection)?;
    let (highest, title) = known.map_or((0, None), |known| (known.highest, Some(known.title)));
    let title = what.title.map(str::to_owned).or(title).unwrap_or_else(|| what.collection.to_owned());
    let withdrawn = withdrawn_in(archive, what.collection)?;
    let target = Target { origin: archive.origin().to_owned(), serial: 1, highest, title, withdrawn, signed: false };
    let drafted = draft_seal(desk, what.collection, &target, what.now)?;
    Ok((drafted.draft, drafted.withheld))
}

/// What trustees will open, nobody can look at before them; so it is looked at now.
fn check_whole(dir: &Path) -> Result<()> {
    let report = verify(dir, None, &mut |_| {});
    if report.ok() { Ok(()) } else { Err(Error::Format(format!("what was to be sealed is not whole: {}", report.verdict()))) }
}
