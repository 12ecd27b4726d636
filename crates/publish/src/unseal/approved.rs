//! Which documents of a sealed release are to be published now, as evidence that editors approved them.

use super::Unsealed;
use crate::content::{Content, Published, Wanted};
use crate::{Error, Result};
use daylight_archive::archive::Standing;
use daylight_archive::release::ReleaseNote;
use daylight_archive::{Archive, FileRef, Line, Record};
use daylight_model::Digest;
use std::collections::BTreeMap;
use std::io::Read;

/// A document that is not published with the others, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its number.
    pub number: u64,
    /// Why.
    pub why: &'static str,
}

/// Evidence that k editors approved a sealed release for an archive, and which of its documents are to be published there now. It is made in one
/// place, after the signatures were checked against the archive's own roots.
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
    /// What was decided after sealing prevails: a number that a later release has, or that was withdrawn, is left as it is, and so is what holds
    /// such a document, for its bytes would publish that too.
    pub(super) fn select(unsealed: &'a Unsealed, target: &Archive, version: u64, editors: Vec<String>) -> Result<Self> {
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
        let wanted = |file: &FileRef| Wanted {
            role: file.role.clone(),
            digest: file.sha256,
            length: file.length,
            media_type: file.media_type.clone(),
        };
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
