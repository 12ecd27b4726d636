use crate::Result;
use daylight_archive::Archive;
use daylight_archive::record::{Record, Role};
use daylight_model::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What stays published although documents are withdrawn, and has to do with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Documents in which a withdrawn one stands, so that their bytes hold it.
    pub holders: BTreeSet<u64>,
    /// Documents that stand in a withdrawn one.
    pub parts: BTreeSet<u64>,
    /// Documents whose original bytes are those of a withdrawn one, as collection and number.
    pub same: BTreeSet<(String, u64)>,
}

/// Everything that stands in these documents, at any depth, in their collection, and is not withdrawn: numbers with titles, without the documents themselves.
pub fn parts_within(archive: &Path, collection: &str, numbers: &BTreeSet<u64>) -> Result<BTreeMap<u64, String>> {
    let archive = Archive::open(archive)?;
    let (mut inside, mut titles): (BTreeMap<u64, BTreeSet<u64>>, _) = (BTreeMap::new(), BTreeMap::new());
    for release in archive.releases().iter().filter(|release| release.note.collection == collection) {
        for line in archive.lines(release.note.serial)? {
            let record = line?.record;
            for parent in record.occurrences.iter().filter_map(|occurrence| occurrence.parent) {
                inside.entry(parent).or_default().insert(record.number);
            }
            titles.insert(record.number, record.title);
        }
    }
    let (mut found, mut next) = (BTreeMap::new(), numbers.iter().copied().collect::<Vec<_>>());
    while let Some(number) = next.pop() {
        for part in inside.remove(&number).unwrap_or_default().into_iter().filter(|part| !numbers.contains(part)) {
            if let Some(title) = titles.remove(&part) {
                found.insert(part, title);
                next.push(part);
            }
        }
    }
    Ok(found)
}

/// Looks through the lines that are not withdrawn for what else has to do with these documents. It is not withdrawn with them unless it is named.
pub fn touched(archive: &Path, collection: &str, numbers: &BTreeSet<u64>) -> Result<Touched> {
    let archive = Archive::open(archive)?;
    let (mut parents, mut digests) = (BTreeSet::new(), BTreeMap::new());
    for number in numbers {
        let Some((serial, line)) = archive.find(collection, *number)? else { continue };
        let record = archive.record(serial, line)?.record;
        parents.extend(record.occurrences.iter().filter_map(|occurrence| occurrence.parent));
        digests.extend(record.file(&Role::Raw).filter(|raw| raw.length > 0).map(|raw| (raw.sha256, *number)));
    }
    let mut touched = Touched::default();
    for release in archive.releases() {
        let here = release.note.collection == collection;
        for line in archive.lines(release.note.serial)? {
            let record = line?.record;
            if here && !numbers.contains(&record.number) {
                touched.take(&record, &parents, numbers);
            }
            if (!here || !numbers.contains(&record.number)) && shares(&record, &digests) {
                touched.same.insert((release.note.collection.clone(), record.number));
            }
        }
    }
    Ok(touched)
}

fn shares(record: &Record, digests: &BTreeMap<Digest, u64>) -> bool {
    record.file(&Role::Raw).is_some_and(|raw| digests.contains_key(&raw.sha256))
}

impl Touched {
    fn take(&mut self, record: &Record, parents: &BTreeSet<u64>, numbers: &BTreeSet<u64>) {
        if parents.contains(&record.number) {
            self.holders.insert(record.number);
        }
        if record.occurrences.iter().any(|occurrence| occurrence.parent.is_some_and(|parent| numbers.contains(&parent))) {
            self.parts.insert(record.number);
        }
    }
}
