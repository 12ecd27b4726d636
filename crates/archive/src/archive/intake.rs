use super::Archive;
use crate::directory::{Directory, DirectoryError};
use crate::entry::{Entry, Logged};

impl Archive {
    /// The newest directory of intake keys in the log.
    pub fn newest_directory(&self) -> Option<Logged> {
        let directories = self.state.entries.iter().filter_map(|entry| match entry {
            Entry::Directory(logged) => Some(*logged),
            _ => None,
        });
        directories.max_by_key(|logged| logged.serial)
    }

    /// Checks that a directory's file is the newest that this archive's log has, see [`Directory::verify`].
    pub fn check_directory(&self, file: &[u8]) -> Result<Directory, DirectoryError> {
        Directory::verify(file, &self.state.chain, &self.state.entries)
    }
}
