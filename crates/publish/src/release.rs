//! Writes the files of a release: volumes, manifest and tree. Nothing refers to them before its note is logged, so whatever an interrupted publish
//! left of them is removed and written again.

use crate::earlier::Earlier;
use crate::files::{Folder, Open, finish};
use crate::site::Site;
use crate::{Error, Progress, Result};
use daylight_archive::log::{Builder, leaf_hash};
use daylight_archive::manifest::PartWriter;
use daylight_archive::record::{MAX_RECORD, Occurrence, Role};
use daylight_archive::volume::{Layout, Member, Place, VolumeWriter};
use daylight_archive::{FileRef, Record, paths};
use daylight_durable::crash_point;
use daylight_model::Digest;
use daylight_review::{Cleared, Document, Draft, Rendition};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::path::PathBuf;

/// What was written.
pub(crate) struct Written {
    /// The root of the manifest's tree.
    pub(crate) manifest: Digest,
    /// How many bytes of documents.
    pub(crate) bytes: u64,
}

/// How many bytes of a file are held in memory; what is longer is read twice.
const IN_MEMORY: u64 = 1 << 20;
/// After how many documents the progress is told.
const TELL: u64 = 256;

/// Writes the release that was drafted. In the order of the documents, a document's bytes come before its line.
pub(crate) fn write(site: &Site, draft: &Draft, progress: &mut dyn FnMut(Progress)) -> Result<Written> {
    remove_leftovers(site, draft.serial())?;
    let earlier = Earlier::find(site, draft)?;
    let mut writing = Writing::new(site, draft, earlier);
    for (done, document) in (1..).zip(draft.documents()) {
        writing.document(&document?)?;
        if done % TELL == 0 || done == draft.len() {
            progress(Progress { documents: done, of: draft.len() });
        }
    }
    writing.finish()
}

/// What stands under a serial that no note was logged for is not part of the archive.
pub(crate) fn remove_leftovers(site: &Site, serial: u64) -> Result<()> {
    let path = site.path(&paths::release_prefix(serial));
    match std::fs::remove_dir_all(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}

/// A member's bytes: those that were just measured, or to be read and measured again.
enum Bytes<'a> {
    Whole(&'a [u8]),
    Stream(&'a mut dyn Read),
}

struct Writing<'a> {
    draft: &'a Draft,
    serial: u64,
    folder: Folder,
    layout: Layout,
    volume: Option<(u32, VolumeWriter<BufWriter<File>>, PathBuf)>,
    /// Where the bytes with this digest are: in this release, or in an earlier one.
    placed: HashMap<Digest, Place>,
    earlier: Earlier,
    part: Option<(PartWriter<BufWriter<File>>, PathBuf)>,
    parts: u64,
    tree: Builder,
    bytes: u64,
}

impl<'a> Writing<'a> {
    fn new(site: &Site, draft: &'a Draft, earlier: Earlier) -> Self {
        Self {
            draft,
            serial: draft.serial(),
            folder: site.folder(),
            layout: Layout::new(),
            volume: None,
            placed: HashMap::new(),
            earlier,
            part: None,
            parts: 0,
            tree: Builder::new(),
            bytes: 0,
        }
    }

    fn document(&mut self, document: &Cleared<Document>) -> Result<()> {
        let mut files = Vec::with_capacity(document.files.len());
        for file in &document.files {
            let place = self.file(document, file)?;
            files.push(place);
        }
        let record = record(document, files);
        let json = record.to_json().map_err(Error::format)?;
        if json.len() <= MAX_RECORD {
            return self.line(&document.salt, &json);
        }
        // Too long for a line, as with 50,000 recipients: the whole record is a file like any other, and the line names it.
        let digest = Digest::of(&json);
        let place = match self.placed.get(&digest) {
            Some(place) => *place,
            None => self.member(&Member::of(&json), Bytes::Whole(&json))?,
        };
        let own = self.file_ref(Role::Record, place, json.len() as u64, digest, "application/json");
        let stub = record.stub(own).to_json().map_err(Error::format)?;
        self.line(&document.salt, &stub)
    }

    /// Where one of a document's files is, after it was written if it was nowhere yet.
    fn file(&mut self, document: &Cleared<Document>, file: &Rendition) -> Result<FileRef> {
        let role = role(file.role);
        if let Some(known) = self.earlier.get(&file.digest) {
            return Ok(FileRef { role, media_type: file.media_type.clone(), ..known.clone() });
        }
        let place = match self.placed.get(&file.digest) {
            Some(place) => *place,
            None => self.write_file(document, file)?,
        };
        Ok(self.file_ref(role, place, file.length, file.digest, &file.media_type))
    }

    fn file_ref(&self, role: Role, place: Place, length: u64, sha256: Digest, media_type: &str) -> FileRef {
        FileRef {
            role,
            release: self.serial,
            volume: place.volume,
            offset: place.offset,
            length,
            sha256,
            media_type: media_type.to_owned(),
        }
    }

    /// The header before a member has its checksum, so what does not fit into memory is read twice.
    fn write_file(&mut self, document: &Cleared<Document>, file: &Rendition) -> Result<Place> {
        let gone = || Error::Format(format!("the bytes {} of the draft are not on the desk", file.digest));
        let mut bytes = self.draft.open(document, file)?.ok_or_else(gone)?;
        let unread = |error| Error::Io { path: PathBuf::from(format!("desk: {}", file.digest)), source: error };
        if file.length > IN_MEMORY {
            let member = Member::measure(&mut BufReader::with_capacity(1 << 18, &mut bytes)).map_err(unread)?;
            let mut again = self.draft.open(document, file)?.ok_or_else(gone)?;
            return self.member(&expected(member, file)?, Bytes::Stream(&mut again));
        }
        let mut memory = Vec::with_capacity(file.length as usize);
        bytes.read_to_end(&mut memory).map_err(unread)?;
        self.member(&expected(Member::of(&memory), file)?, Bytes::Whole(&memory))
    }

    fn member(&mut self, member: &Member, bytes: Bytes<'_>) -> Result<Place> {
        let place = self.layout.place(member.length).ok_or_else(|| Error::Format("a release has too many volumes".into()))?;
        if self.volume.as_ref().is_none_or(|(number, ..)| *number != place.volume) {
            self.end_volume()?;
            let file = self.folder.create(&paths::volume(self.serial, place.volume))?;
            let path = file.path().to_owned();
            self.volume = Some((place.volume, VolumeWriter::new(file.out), path));
        }
        let Some((_, volume, path)) = &mut self.volume else {
            return Err(Error::Format("no volume is open".into()));
        };
        let added = match bytes {
            Bytes::Whole(bytes) => volume.add_whole(member, bytes),
            Bytes::Stream(bytes) => volume.add(member, bytes),
        };
        let offset = added.map_err(Error::io(path.as_path()))?;
        if offset != place.offset {
            return Err(Error::Format(format!("{}: its members do not stand where they were to stand", path.display())));
        }
        self.placed.insert(member.sha256, place);
        self.bytes += member.length;
        Ok(place)
    }

    fn end_volume(&mut self) -> Result<()> {
        let Some((_, volume, path)) = self.volume.take() else { return Ok(()) };
        finish(volume.finish().map_err(Error::io(path.as_path()))?, &path)?;
        // A crash here leaves volumes of a serial that nobody knows; the next publish writes them again.
        crash_point("publish.volume");
        Ok(())
    }

    fn line(&mut self, salt: &[u8; 32], json: &[u8]) -> Result<()> {
        if self.part.as_ref().is_some_and(|(part, _)| part.is_full()) {
            self.end_part()?;
        }
        let (part, path) = match &mut self.part {
            Some(part) => part,
            empty => {
                let file: Open = self.folder.create(&paths::manifest_part(self.serial, self.parts))?;
                let path = file.path().to_owned();
                empty.insert((PartWriter::new(file.out), path))
            }
        };
        let leaf = part.push(salt, json).map_err(Error::io(path.as_path()))?;
        self.tree.push(leaf_hash(&leaf.0));
        self.put_tiles(false)
    }

    fn end_part(&mut self) -> Result<()> {
        let Some((part, path)) = self.part.take() else { return Ok(()) };
        let (out, offsets) = part.finish();
        finish(out, &path)?;
        self.folder.put(&paths::manifest_offsets(self.serial, self.parts), &offsets)?;
        self.parts += 1;
        // A crash here leaves a manifest that no note names.
        crash_point("publish.manifest");
        Ok(())
    }

    fn put_tiles(&mut self, last: bool) -> Result<()> {
        let full = self.tree.take_full();
        let partial = if last { self.tree.partial() } else { Vec::new() };
        for (path, bytes) in full.into_iter().chain(partial) {
            self.folder.put(&format!("{}{path}", paths::release_prefix(self.serial)), &bytes)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Written> {
        self.end_volume()?;
        self.end_part()?;
        self.put_tiles(true)?;
        self.folder.sync()?;
        // A crash here leaves a whole release without a note.
        crash_point("publish.tree");
        Ok(Written { manifest: self.tree.root(), bytes: self.bytes })
    }
}

/// The desk's bytes must be those that were drafted.
fn expected(member: Member, file: &Rendition) -> Result<Member> {
    let same = member.sha256 == file.digest && member.length == file.length;
    if same { Ok(member) } else { Err(Error::Format(format!("the bytes {} on the desk are not those that were drafted", file.digest))) }
}

fn record(document: &Cleared<Document>, files: Vec<FileRef>) -> Record {
    let occurrence =
        |from: &daylight_review::Occurrence| Occurrence { parent: Some(from.parent), ordinal: from.ordinal, name: from.name.clone() };
    Record {
        number: document.number,
        kind: document.kind,
        title: document.title.clone(),
        media_type: document.media_type.clone(),
        language: document.language.clone(),
        dates: document.dates.clone(),
        people: document.people.clone(),
        occurrences: document.occurrences.iter().map(occurrence).collect(),
        thread: document.thread,
        answers: document.answers,
        verdicts: document.verdicts.clone(),
        faults: document.faults.clone(),
        reason: document.reason.clone(),
        files,
    }
}

fn role(role: daylight_review::Role) -> Role {
    match role {
        daylight_review::Role::Raw => Role::Raw,
        daylight_review::Role::Text => Role::Text,
        daylight_review::Role::View => Role::View,
        daylight_review::Role::Page => Role::Page,
    }
}
