//! What trustees opened: the release that was sealed, laid out in a folder, and the evidence that k editors approved it, with which it can be published.

use crate::approval::{check_approval, inner_origin, parse_seal_text};
use crate::content::{Content, Published, Wanted};
use crate::files::{Folder, finish};
use crate::promise::lock;
use crate::{Error, Result, tar};
use daylight_archive::note::Note;
use daylight_archive::release::ReleaseNote;
use daylight_archive::archive::Standing;
use daylight_archive::{Archive, FileRef, Line, Record, paths, verify};
use daylight_durable::{crash_point, sync_dir};
use daylight_envelope::SealKey;
use daylight_model::Digest;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What the editors signed, in the folder and in the sealed file.
const APPROVAL: &str = "seal";
/// The release as an archive of its own, in the folder and in the sealed file.
const ARCHIVE: &str = "archive";

/// More than any checkpoint has, in bytes.
const LONGEST_CHECKPOINT: u64 = 1 << 20;

/// A release that was sealed, laid out in a folder: `seal` is what the editors approved, `archive` the release as an archive of its own, which can be read, searched and
/// served as any other.
pub struct Unsealed {
    dir: PathBuf,
    archive: Archive,
    note: Note,
    told: ReleaseNote,
}

/// Opens a sealed file into a folder, which is made or must be empty, and checks every byte of what is in it. Nothing is written outside of the folder. On an
/// error what was written is removed; after a crash it is removed when this is done again.
pub fn unseal(sealed: &Path, key: &SealKey, to: &Path) -> Result<Unsealed> {
    let file = File::open(sealed).map_err(Error::io(sealed))?;
    let why = |why: String| Error::Sealed { path: sealed.to_owned(), why };
    let opener = key.open(BufReader::with_capacity(1 << 18, file)).map_err(|error| why(error.to_string()))?;
    let new = !to.exists();
    if new {
        DirBuilder::new().mode(0o700).recursive(true).create(to).map_err(Error::io(to))?;
    }
    let _held = lock(to)?;
    clear_leftovers(to)?;
    let laid = lay_out(opener, sealed, to).and_then(|()| check_whole(to));
    if let Err(error) = laid {
        remove(to)?;
        return Err(error);
    }
    Unsealed::open(to)
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
        File::open(&path).and_then(|file| file.take(1 << 20).read_to_end(&mut bytes)).map_err(Error::io(&path))?;
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

/// A document that is not published with the others, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its number.
    pub number: u64,
    /// Why.
    pub why: &'static str,
}

/// Evidence that k editors approved a sealed release for an archive, and which of its documents are to be published there now. It is made in one place, after
/// the signatures were checked against the archive's own roots.
pub struct Approved<'a> {
    unsealed: &'a Unsealed,
    serial: u64,
    version: u64,
    editors: Vec<String>,
    /// Lines of the sealed release's manifest, in their order.
    lines: Vec<u64>,
    skipped: Vec<Skipped>,
}

impl<'a> Approved<'a> {
    /// What was decided after sealing prevails: a number that a later release has, or that was withdrawn, is left as it is, and so is what holds such a document,
    /// for its bytes would publish that too.
    fn select(unsealed: &'a Unsealed, target: &Archive, version: u64, editors: Vec<String>) -> Result<Self> {
        let serial = target.releases().len() as u64 + 1;
        let mut documents = BTreeMap::new();
        for line in 0..unsealed.told.lines {
            let sealed = unsealed.archive.record(1, line)?;
            let parents = sealed.record.occurrences.iter().filter_map(|occurrence| occurrence.parent).collect();
            let why = already(&sealed, &unsealed.told, target)?;
            documents.insert(sealed.record.number, Sealed { line, parents, why });
        }
        leave_out_holders(&mut documents);
        let mut approved = Self { unsealed, serial, version, editors, lines: Vec::new(), skipped: Vec::new() };
        for (number, document) in documents {
            match document.why {
                Some(why) => approved.skipped.push(Skipped { number, why }),
                None => approved.lines.push(document.line),
            }
        }
        Ok(approved)
    }

    /// The version of the root whose editors approved it.
    pub fn root_version(&self) -> u64 {
        self.version
    }

    /// The names of those who did.
    pub fn editors(&self) -> &[String] {
        &self.editors
    }

    /// The documents that are not published, because the archive has them, or something newer.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

/// A document of a sealed release, on the way to be published or not.
struct Sealed {
    line: u64,
    /// The numbers of those in which it stands.
    parents: Vec<u64>,
    /// Why it is not published.
    why: Option<&'static str>,
}

const PUBLISHED: &str = "it is published already";
const REPLACED: &str = "something else was published under its number after it was sealed";
const WITHDRAWN: &str = "it was withdrawn after it was sealed";
const HOLDER: &str = "it holds a document that was withdrawn or replaced after it was sealed";

/// Leaves out every document that holds one that was withdrawn or replaced, at whatever depth.
fn leave_out_holders(documents: &mut BTreeMap<u64, Sealed>) {
    let bars = |document: &Sealed| document.why.is_some_and(|why| why != PUBLISHED);
    let mut barred: Vec<u64> = documents.iter().filter(|(_, document)| bars(document)).map(|(number, _)| *number).collect();
    while let Some(number) = barred.pop() {
        for parent in documents.get(&number).map_or(Vec::new(), |document| document.parents.clone()) {
            if let Some(holder) = documents.get_mut(&parent).filter(|holder| holder.why.is_none()) {
                holder.why = Some(HOLDER);
                barred.push(parent);
            }
        }
    }
}

/// Why a sealed document is not published, if the archive has something under its number that is the same or newer.
fn already(sealed: &Line, told: &ReleaseNote, target: &Archive) -> Result<Option<&'static str>> {
    let (serial, line) = match target.standing(&told.collection, sealed.record.number)? {
        Some(Standing::Published { serial, line }) => (serial, line),
        // What was sealed after that was sealed as a correction of it.
        Some(Standing::Withdrawn(by)) if by.note.time < told.time => return Ok(None),
        Some(Standing::Withdrawn(_)) => return Ok(Some(WITHDRAWN)),
        None => return Ok(None),
    };
    let newer = target.release(serial).is_some_and(|release| release.note.time >= told.time);
    match target.record(serial, line)? {
        known if same(&known.record, &sealed.record) => Ok(Some(PUBLISHED)),
        _ if newer => Ok(Some(REPLACED)),
        _ => Ok(None),
    }
}

/// Whether two records publish the same bytes of a document.
fn same(one: &Record, other: &Record) -> bool {
    let files = |record: &Record| record.files.iter().map(|file| (file.role.clone(), file.sha256)).collect::<Vec<_>>();
    files(one) == files(other)
}

impl Content for Approved<'_> {
    fn serial(&self) -> u64 {
        self.serial
    }

    fn len(&self) -> u64 {
        self.lines.len() as u64
    }

    fn documents(&self) -> Box<dyn Iterator<Item = Result<Box<dyn Published + '_>>> + '_> {
        let archive = &self.unsealed.archive;
        Box::new(self.lines.iter().map(move |line| {
            let line = archive.record(1, *line)?;
            Ok(Box::new(OfSeal { archive, line }) as Box<dyn Published + '_>)
        }))
    }

    fn note(&self, origin: &str, root: Digest, manifest: Digest) -> ReleaseNote {
        let told = &self.unsealed.told;
        ReleaseNote { origin: origin.to_owned(), serial: self.serial, root, lines: self.len(), manifest, ..told.clone() }
    }
}

/// A document of a sealed release.
struct OfSeal<'a> {
    archive: &'a Archive,
    line: Line,
}

impl Published for OfSeal<'_> {
    fn salt(&self) -> &[u8; 32] {
        &self.line.salt
    }

    fn files(&self) -> Vec<Wanted> {
        let wanted =
            |file: &FileRef| Wanted { role: file.role.clone(), digest: file.sha256, length: file.length, media_type: file.media_type.clone() };
        self.line.record.files.iter().map(wanted).collect()
    }

    fn record(&self, files: Vec<FileRef>) -> Record {
        Record { files, ..self.line.record.clone() }
    }

    fn open(&self, file: &Wanted) -> Result<Box<dyn Read + Send + '_>> {
        let known = self.line.record.files.iter().find(|known| known.role == file.role && known.sha256 == file.digest);
        let known = known.ok_or_else(|| Error::Format(format!("the bytes {} are not in the sealed release", file.digest)))?;
        Ok(Box::new(self.archive.open_file(known)?))
    }
}
