use crate::cache::{self, Progress};
use crate::catalogue::Catalogue;
use crate::error::ReaderError;
use daylight_archive::archive::Standing;
use daylight_archive::release::ReleaseNote;
use daylight_archive::{Archive, ArchiveError, Line, Withdrawal};
use daylight_index::Index;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Mutex;

/// An archive with what makes it quick to search: the whole of what the site and `daylight search ARCHIVE` read. It shows one state of the archive;
/// open it again to see a later one.
pub struct Library {
    archive: Archive,
    catalogue: Catalogue,
    index: Index,
    releases: Vec<ReleaseNote>,
    titles: BTreeMap<String, String>,
    /// By collection: the numbers that are withdrawn.
    withdrawn: BTreeMap<String, Vec<u64>>,
    name: String,
    signed: String,
    /// Who wrote most, by collection, once it was asked for.
    pub(crate) senders: Mutex<HashMap<String, Senders>>,
}

/// Addresses, and how often each wrote.
pub(crate) type Senders = std::sync::Arc<Vec<(String, u64)>>;

impl Library {
    /// Opens an archive, and makes or updates its cache where that must be, see [`crate::build_index`].
    pub fn open(archive_dir: &Path, cache_dir: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Self, ReaderError> {
        let archive = Archive::open(archive_dir)?;
        let (mut catalogue, index, _) = cache::prepare(&archive, cache_dir, progress)?;
        let mut withdrawn = BTreeMap::new();
        for collection in archive.collections()? {
            withdrawn.insert(collection.name.clone(), archive.withdrawn_numbers(&collection.name)?);
            // One of which everything is withdrawn has a page too.
            catalogue.shelves.entry(collection.name).or_default();
        }
        let releases: Vec<ReleaseNote> = archive.releases().iter().map(|release| release.note.clone()).collect();
        let titles: BTreeMap<String, String> = releases.iter().map(|note| (note.collection.clone(), note.title.clone())).collect();
        // A site of one collection is known by it; one of many by where it comes from.
        let name = if titles.len() == 1 { titles.values().next().cloned() } else { None };
        let name = name.unwrap_or_else(|| archive.origin().to_owned());
        let editors = &archive.root().editors;
        let signed = match (editors.threshold, editors.keys.len()) {
            (1, 1) => "one editor".to_owned(),
            (k, n) => format!("at least {k} of {n} editors"),
        };
        Ok(Self { archive, catalogue, index, releases, titles, withdrawn, name, signed, senders: Mutex::default() })
    }

    /// The archive.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// A document's line by its permanent number: the newest that was published. `None` if there is no such number.
    pub fn document(&self, collection: &str, number: u64) -> Result<Option<Line>, ArchiveError> {
        let row = self.catalogue.row(collection, number);
        row.map(|row| self.archive.record(row.place.serial, row.place.line)).transpose()
    }

    /// How many documents there are.
    pub fn count(&self) -> u64 {
        self.catalogue.count()
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    pub(crate) fn releases(&self) -> &[ReleaseNote] {
        &self.releases
    }

    /// The site's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn origin(&self) -> &str {
        self.archive.origin()
    }

    /// A collection's title; its name where it has none.
    pub(crate) fn title<'a>(&'a self, collection: &'a str) -> &'a str {
        self.titles.get(collection).map_or(collection, String::as_str)
    }

    /// The numbers of a collection that are withdrawn, rising.
    pub(crate) fn withdrawn(&self, collection: &str) -> &[u64] {
        self.withdrawn.get(collection).map_or(&[], Vec::as_slice)
    }

    /// The withdrawal of a document, if it is withdrawn.
    pub(crate) fn withdrawal(&self, collection: &str, number: u64) -> Option<&Withdrawal> {
        self.withdrawn(collection).binary_search(&number).ok()?;
        match self.archive.standing(collection, number) {
            Ok(Some(Standing::Withdrawn(by))) => Some(by),
            _ => None,
        }
    }

    /// By whom releases are signed, in words.
    pub(crate) fn signed(&self) -> &str {
        &self.signed
    }

    /// Whether a release is not in this copy.
    pub(crate) fn is_absent(&self, serial: u64) -> bool {
        self.archive.is_absent(serial)
    }

    /// Where this is a partial copy: how many releases are here.
    pub(crate) fn partial(&self) -> Option<usize> {
        let absent = self.archive.absent().len();
        (absent > 0).then(|| self.releases.len() - absent)
    }

    pub(crate) fn size(&self) -> u64 {
        self.archive.head()
    }

    pub(crate) fn head(&self) -> String {
        self.archive.checkpoint().root.to_string()
    }

    pub(crate) fn root_version(&self) -> u64 {
        self.archive.root().version
    }

    pub(crate) fn root_digest(&self) -> String {
        self.archive.root_digest().to_string()
    }
}
