//! Finding the files of a trove: any depth, in the order of their names, never through a link.

use daylight_model::{Fault, FaultCode, Name, Stage};
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One thing that a trove holds.
pub(crate) struct Root {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its size when it was found; 0 for what is not a file.
    pub(crate) size: u64,
    /// Why it cannot be read, where that is known before opening it.
    pub(crate) fault: Option<Fault>,
}

impl Root {
    /// Its absolute path as the ledger keeps it.
    pub(crate) fn name(&self) -> Name {
        Name(self.path.as_os_str().as_bytes().to_vec())
    }

    /// The last part of its path, which a reader may guess a type from.
    pub(crate) fn file_name(&self) -> Name {
        Name(self.path.file_name().unwrap_or_default().as_bytes().to_vec())
    }
}

/// A fault met while walking.
pub(crate) fn fault(code: FaultCode, detail: impl Into<String>) -> Fault {
    Fault { stage: Stage::Walk, code, tool: "walk 1".into(), detail: detail.into(), limit: None, at: None }
}

/// Gives every file under `paths` to `take`, until it returns false. `skip` (the desk itself) is not entered.
pub(crate) fn walk(paths: &[PathBuf], skip: &Path, take: &mut dyn FnMut(Root) -> bool) {
    // A stack of entries, not recursion: a folder may be nested as deep as the file system allows.
    let mut waiting: Vec<PathBuf> = paths.iter().rev().cloned().collect();
    while let Some(path) = waiting.pop() {
        if path == skip {
            continue;
        }
        let root = match fs::symlink_metadata(&path) {
            Ok(data) if data.is_dir() => match entries(&path) {
                Ok(mut inside) => {
                    inside.reverse();
                    waiting.append(&mut inside);
                    continue;
                }
                Err(error) => unreadable(path, &error),
            },
            Ok(data) if data.is_file() => Root { path, size: data.len(), fault: None },
            Ok(data) => {
                let what = if data.is_symlink() { "a link, which is not followed" } else { "a device, socket or pipe" };
                Root { path, size: 0, fault: Some(fault(FaultCode::NotAFile, what)) }
            }
            Err(error) => unreadable(path, &error),
        };
        if !take(root) {
            return;
        }
    }
}

fn unreadable(path: PathBuf, error: &io::Error) -> Root {
    Root { path, size: 0, fault: Some(fault(FaultCode::Unreadable, error.kind().to_string())) }
}

/// The entries of a folder in the order of their names' bytes, so that a trove is always read in one order.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<DirEntry> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries.iter().map(DirEntry::path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(folder: &Path, skip: &Path) -> Vec<(String, Option<FaultCode>)> {
        let mut seen = Vec::new();
        walk(&[folder.to_path_buf()], skip, &mut |root| {
            let name = root.path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            seen.push((name, root.fault.map(|fault| fault.code)));
            true
        });
        seen
    }

    #[test]
    fn files_come_in_order_and_a_loop_of_links_is_listed_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        fs::create_dir(at("desk")).unwrap();
        fs::write(at("desk/catalogue.sqlite"), "x").unwrap();
        fs::write(at("b/deep/2"), "two").unwrap();
        fs::write(at("a"), "one").unwrap();
        std::os::unix::fs::symlink(folder.path(), at("b/deep/loop")).unwrap();
        let expected = [("a", None), ("b/deep/2", None), ("b/deep/loop", Some(FaultCode::NotAFile))];
        assert_eq!(walked(folder.path(), &at("desk")), expected.map(|(name, code)| (name.to_owned(), code)));
    }
}
