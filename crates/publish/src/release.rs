//! Writes the files of a release: volumes, manifest and tree. Nothing refers to them before its note is logged, so whatever an interrupted publish
//! left of them is removed and written again.

use crate::content::{Content, Published, Wanted, beginning};
use crate::earlier::Earlier;
use crate::files::{Folder, Open, finish};
use crate::site::Site;
use crate::{Error, Progress, Result};
use daylight_archive::log::{Builder, leaf_hash};
use daylight_archive::manifest::PartWriter;
use daylight_archive::record::{MAX_RECORD, Role};
use daylight_archive::volume::{Layout, Member, Place, VolumeWriter};
use daylight_archive::{FileRef, paths};
use daylight_durable::crash_point;
use daylight_model::Digest;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

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

/// Writes a release that is fixed. In the order of the documents, a document's bytes come before its line.
pub(crate) fn write(site: &Site, content: &dyn Content, progress: &mut dyn FnMut(Progress)) -> Result<Written> {
    let earlier = Earlier::find(site, content)?;
    write_into(site.dir(), content, earlier, progress)
}

/// Writes a release into a folder, whatever that is.
pub(crate) fn write_into(dir: &Path, content: &dyn Content, earlier: Earlier, progress: &mut dyn FnMut(Progress)) -> Result<Written> {
    remove_leftovers(dir, content.serial())?;
    let mut writing = Writing::new(dir, content.serial(), earlier, repeated(content)?);
    let mut done = 0;
    for document in content.documents() {
        writing.document(&*document?)?;
        done += 1;
        if done % TELL == 0 || done == content.len() {
            progress(Progress { documents: done, of: content.len() });
        }
    }
    if done != content.len() {
        return Err(Error::Format(format!(
            "the release has {done} of its {} documents: was something in it forgotten meanwhile?",
            content.len()
        )));
    }
    writing.finish()
}

/// How the digests begin of the files that a release has more than once, with a few of a hundred of the others: to remember where each of millions of
/// files is would take more memory than all else, and so would their digests.
fn repeated(content: &dyn Content) -> Result<HashSet<u64>> {
    let mut filter = Filter::default();
    let mut repeated = HashSet::new();
    for document in content.documents() {
        for file in document?.files() {
            let beginning = beginning(&file.digest);
            if filter.insert(beginning) {
                repeated.insert(beginning);
            }
        }
    }
    Ok(repeated)
}

/// Says of what is put in whether it may have been put in before (a Bloom filter of one hash, which digests are already, in pieces each twice as long as the
/// one before). It never says no when it was, and errs for some of a hundred at most.
#[derive(Default)]
struct Filter {
    pieces: Vec<Vec<u64>>,
    /// How many more the last piece takes.
    left: usize,
}

impl Filter {
    /// The bits of the first piece, and how many there are for each that is put in.
    const FIRST: usize = 1 << 16;
    const BITS: usize = 32;

    fn insert(&mut self, hash: u64) -> bool {
        let place = |piece: &[u64]| {
            let bit = usize::try_from(hash).unwrap_or_default() & (piece.len() * 64 - 1);
            (bit / 64, 1 << (bit % 64))
        };
        let is_in = |piece: &Vec<u64>| {
            let (word, mask) = place(piece);
            piece[word] & mask != 0
        };
        if self.pieces.iter().any(is_in) {
            return true;
        }
        if self.left == 0 {
            let bits = Self::FIRST << self.pieces.len().min(40);
            self.pieces.push(vec![0; bits / 64]);
            self.left = bits / Self::BITS;
        }
        if let Some(last) = self.pieces.last_mut() {
            let (word, mask) = place(last);
            last[word] |= mask;
        }
        self.left -= 1;
        false
    }
}

/// What stands under a serial that no note was logged for is not part of the archive.
pub(crate) fn remove_leftovers(dir: &Path, serial: u64) -> Result<()> {
    let path = dir.join(paths::release_prefix(serial));
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

struct Writing {
    serial: u64,
    folder: Folder,
    layout: Layout,
    volume: Option<(u32, VolumeWriter<BufWriter<File>>, PathBuf)>,
    /// Where the bytes with this digest are, of those that this release may want again.
    placed: HashMap<Digest, Place>,
    repeated: HashSet<u64>,
    earlier: Earlier,
    part: Option<(PartWriter<BufWriter<File>>, PathBuf)>,
    parts: u64,
    tree: Builder,
    bytes: u64,
}

impl Writing {
    fn new(dir: &Path, serial: u64, earlier: Earlier, repeated: HashSet<u64>) -> Self {
        Self {
            serial,
            folder: Folder::new(dir),
            layout: Layout::new(),
            volume: None,
            placed: HashMap::new(),
            repeated,
            earlier,
            part: None,
            parts: 0,
            tree: Builder::new(),
            bytes: 0,
        }
    }

    fn document(&mut self, document: &dyn Published) -> Result<()> {
        let wanted = document.files();
        let mut files = Vec::with_capacity(wanted.len());
        for file in &wanted {
            files.push(self.file(document, file)?);
        }
        let record = document.record(files);
        let json = record.to_json().map_err(Error::format)?;
        if json.len() <= MAX_RECORD {
            return self.line(document.salt(), &json);
        }
        // Too long for a line, as with 50,000 recipients: the whole record is a file like any other, and the line names it.
        // Its number is in it, so that no two are the same.
        let digest = Digest::of(&json);
        let place = self.member(&Member::of(&json), Bytes::Whole(&json))?;
        let own = self.file_ref(Role::Record, place, json.len() as u64, digest, "application/json");
        let stub = record.stub(own).to_json().map_err(Error::format)?;
        self.line(document.salt(), &stub)
    }

    /// Where one of a document's files is, after it was written if it was nowhere yet.
    fn file(&mut self, document: &dyn Published, file: &Wanted) -> Result<FileRef> {
        let role = file.role.clone();
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
    fn write_file(&mut self, document: &dyn Published, file: &Wanted) -> Result<Place> {
        let mut bytes = document.open(file)?;
        let unread = |error| Error::Io { path: PathBuf::from(format!("the bytes {}", file.digest)), source: error };
        if file.length > IN_MEMORY {
            let member = Member::measure(&mut BufReader::with_capacity(1 << 18, &mut bytes)).map_err(unread)?;
            let mut again = document.open(file)?;
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
        if self.repeated.contains(&beginning(&member.sha256)) {
            self.placed.insert(member.sha256, place);
        }
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

/// The bytes must be those that were fixed.
fn expected(member: Member, file: &Wanted) -> Result<Member> {
    let same = member.sha256 == file.digest && member.length == file.length;
    if same { Ok(member) } else { Err(Error::Format(format!("the bytes {} are not those that the release was drafted with", file.digest))) }
}
