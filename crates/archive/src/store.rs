//! Where an archive's bytes are read from: a folder here, a site elsewhere, or the one beside the other.

use crate::log::Files;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The deepest folder that is looked into; no file of an archive stands deeper.
const MAX_DEPTH: usize = 16;

/// A file that can be read from any place in it.
pub trait Opened: Read + Seek + Send {}

impl<T: Read + Seek + Send> Opened for T {}

/// What is under the path of something that is no file of an archive, and why it is none.
pub type Odd = (String, String);

/// Where an archive's files are read from, by their path in it with `/` between its parts. Nothing that comes from it is believed.
pub trait Store: Files + Sync {
    /// Opens a file. `reach` is the part of it that will be read, where that is known: a store that fetches bytes from elsewhere fetches those and
    /// no others. Errors: [`io::ErrorKind::NotFound`] where there is no such plain file.
    fn open(&self, path: &str, reach: Option<Range<u64>>) -> io::Result<Box<dyn Opened + '_>>;

    /// Whether there may be such a file: `false` only where it is known that there is none.
    fn has(&self, path: &str) -> bool;

    /// Every plain file with its length, and whatever is no plain file with what it is; `None` where files cannot be listed, as on a web server.
    fn list(&self) -> Option<(BTreeMap<String, u64>, Vec<Odd>)>;
}

/// A folder. Links and special files in it are not followed.
#[derive(Debug, Clone)]
pub struct Folder {
    dir: PathBuf,
}

impl Folder {
    /// The archive, or the part of one, in this folder.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The file at a path of the archive, if it is a plain one.
    fn plain(&self, path: &str) -> io::Result<PathBuf> {
        let file = self.dir.join(path);
        // A pipe in its place would be waited for without end.
        if file.symlink_metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.plain(path)?)
    }
}

impl Store for Folder {
    fn open(&self, path: &str, _: Option<Range<u64>>) -> io::Result<Box<dyn Opened + '_>> {
        Ok(Box::new(File::open(self.plain(path)?)?))
    }

    fn has(&self, path: &str) -> bool {
        self.plain(path).is_ok()
    }

    fn list(&self) -> Option<(BTreeMap<String, u64>, Vec<Odd>)> {
        let (mut files, mut odd) = (BTreeMap::new(), Vec::new());
        walk(&self.dir, "", 0, &mut files, &mut odd);
        odd.sort();
        Some((files, odd))
    }
}

fn walk(dir: &Path, prefix: &str, depth: usize, files: &mut BTreeMap<String, u64>, odd: &mut Vec<Odd>) {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) if depth < MAX_DEPTH => entries,
        Ok(_) => return odd.push((prefix.to_owned(), "a folder deeper than any of an archive".into())),
        Err(e) => return odd.push((prefix.to_owned(), unreadable(&e))),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                odd.push((prefix.to_owned(), unreadable(&e)));
                continue;
            }
        };
        let Ok(name) = entry.file_name().into_string() else {
            let name = entry.file_name();
            odd.push((format!("{prefix}{}", name.to_string_lossy()), "added: its name is not one that an archive has".into()));
            continue;
        };
        let path = format!("{prefix}{name}");
        match entry.path().symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => walk(&entry.path(), &format!("{path}/"), depth + 1, files, odd),
            Ok(metadata) if metadata.is_file() => {
                files.insert(path, metadata.len());
            }
            Ok(_) => odd.push((path, "a link or special file; an archive has plain files only".into())),
            Err(e) => odd.push((path, unreadable(&e))),
        }
    }
}

/// Why a file cannot be read, in words.
pub(crate) fn unreadable(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound { "missing".into() } else { format!("cannot be read: {error}") }
}
