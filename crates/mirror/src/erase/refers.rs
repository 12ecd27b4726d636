use daylight_archive::withdraw::MemberPlace;
use daylight_archive::{Archive, ArchiveError, FileRef, Record};
use std::collections::BTreeSet;

/// Which of some members lines that count refer to.
pub(super) struct Needed(BTreeSet<(u64, MemberPlace)>);

impl Needed {
    /// Reads through every line of the archive that is not withdrawn.
    pub(super) fn by_lines_that_count(archive: &Archive, of: &BTreeSet<(u64, MemberPlace)>) -> Result<Self, ArchiveError> {
        let mut needed = BTreeSet::new();
        let mut take = |file: &FileRef| {
            let place = (file.release, MemberPlace { volume: file.volume, offset: file.offset, length: file.length });
            if of.contains(&place) {
                needed.insert(place);
            }
        };
        for release in archive.releases() {
            for line in archive.lines(release.note.serial)? {
                let line = line?;
                line.record.files.iter().for_each(&mut take);
                // The record of a line may be bytes like any others.
                Record::parse(&line.json).ok().as_ref().and_then(Record::own_file).into_iter().for_each(&mut take);
            }
        }
        Ok(Self(needed))
    }

    pub(super) fn has(&self, release: u64, member: &MemberPlace) -> bool {
        self.0.contains(&(release, *member))
    }
}
