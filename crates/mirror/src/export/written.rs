use daylight_model::Digest;
use std::collections::BTreeMap;

/// The archive's folder inside a copy.
pub(super) const ARCHIVE: &str = "archive";

/// What a copy consists of: every file's digest and length, by its path.
#[derive(Default)]
pub(super) struct Written(BTreeMap<String, WrittenFile>);

/// A file of a copy.
pub(super) struct WrittenFile {
    pub(super) digest: Digest,
    pub(super) length: u64,
}

impl Written {
    pub(super) fn add(&mut self, path: &str, digest: Digest, length: u64) {
        self.0.insert(path.to_owned(), WrittenFile { digest, length });
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Every file, in the order of the paths' bytes.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &WrittenFile)> {
        self.0.iter().map(|(path, file)| (path.as_str(), file))
    }
}
