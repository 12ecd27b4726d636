//! What a release is written from: documents that editors cleared on a desk, or those of a sealed release that k editors approved. There is no third:
//! whatever implements this holds the evidence.

use crate::{Error, Result};
use daylight_archive::record::{Occurrence, Role};
use daylight_archive::release::ReleaseNote;
use daylight_archive::{FileRef, Record};
use daylight_model::Digest;
use daylight_review::{Cleared, Document, Draft};
use std::io::Read;

/// A release whose documents, order, numbers, salts and times are fixed, so that whatever is written of it twice has the same bytes.
pub(crate) trait Content {
    /// Its serial.
    fn serial(&self) -> u64;
    /// How many documents it has.
    fn len(&self) -> u64;
    /// Its documents, in the order of their numbers.
    fn documents(&self) -> Box<dyn Iterator<Item = Result<Box<dyn Published + '_>>> + '_>;
    /// Its note, for this archive, root and manifest.
    fn note(&self, origin: &str, root: Digest, manifest: Digest) -> ReleaseNote;
}

/// A document that is published.
pub(crate) trait Published {
    /// The salt of its line.
    fn salt(&self) -> &[u8; 32];
    /// Its files, in their order.
    fn files(&self) -> Vec<Wanted>;
    /// What is published of it, its files being at these places.
    fn record(&self, files: Vec<FileRef>) -> Record;
    /// The bytes of one of its files.
    fn open(&self, file: &Wanted) -> Result<Box<dyn Read + Send + '_>>;
}

/// A file that is to be in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) role: Role,
    pub(crate) digest: Digest,
    pub(crate) length: u64,
    pub(crate) media_type: String,
}

impl Content for Draft {
    fn serial(&self) -> u64 {
        Draft::serial(self)
    }

    fn len(&self) -> u64 {
        Draft::len(self)
    }

    fn documents(&self) -> Box<dyn Iterator<Item = Result<Box<dyn Published + '_>>> + '_> {
        let drafted = |document| -> Result<Box<dyn Published + '_>> { Ok(Box::new(Drafted { draft: self, document: document? })) };
        Box::new(Draft::documents(self).map(move |document| drafted(document.map_err(Error::from))))
    }

    fn note(&self, origin: &str, root: Digest, manifest: Digest) -> ReleaseNote {
        ReleaseNote {
            origin: origin.to_owned(),
            serial: Draft::serial(self),
            root,
            collection: self.collection().to_owned(),
            lines: Draft::len(self),
            manifest,
            audit: self.audit_head(),
            time: i64::try_from(self.time()).unwrap_or(i64::MAX),
            title: self.title().to_owned(),
        }
    }
}

/// A document of a desk's draft.
struct Drafted<'a> {
    draft: &'a Draft,
    document: Cleared<Document>,
}

impl Published for Drafted<'_> {
    fn salt(&self) -> &[u8; 32] {
        &self.document.salt
    }

    fn files(&self) -> Vec<Wanted> {
        let wanted = |file: &daylight_review::Rendition| Wanted {
            role: role(file.role),
            digest: file.digest,
            length: file.length,
            media_type: file.media_type.clone(),
        };
        self.document.files.iter().map(wanted).collect()
    }

    fn record(&self, files: Vec<FileRef>) -> Record {
        let document = &self.document;
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

    fn open(&self, file: &Wanted) -> Result<Box<dyn Read + Send + '_>> {
        let gone = || Error::Format(format!("the bytes {} of the draft are not on the desk", file.digest));
        let same = |one: &&daylight_review::Rendition| role(one.role) == file.role && one.digest == file.digest;
        let of = self.document.files.iter().find(same).ok_or_else(gone)?;
        self.draft.open(&self.document, of)?.ok_or_else(gone)
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

/// How a digest begins, which tells as much as all of it to nearly everybody.
pub(crate) fn beginning(digest: &Digest) -> u64 {
    digest.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
