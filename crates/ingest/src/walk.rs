//! Finding the files of a trove: any depth, in the order of their names, never through a link.

use daylight_model::{Fault, FaultCode, Name, Stage};
use std::ffi::OsStr;
use std::fs;
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
    for path in paths {
        // A stack of folders, not recursion: a folder may be nested as deep as the file system allows.
        let mut open: Vec<Folder> = Vec::new();
        let mut next = Some(path.clone());
        while let Some(path) = next {
            if path != skip {
                match look(path) {
                    Ok(folder) => open.push(folder),
                    Err(root) => {
                        if !take(root) {
                            return;
                        }
                    }
                }
            }
            next = next_of(&mut open);
        }
    }
}

/// The next entry of the innermost folder that has one.
fn next_of(open: &mut Vec<Folder>) -> Option<PathBuf> {
    while let Some(folder) = open.last_mut() {
        if let Some(path) = folder.next() {
            return Some(path);
        }
        open.pop();
    }
    None
}

/// A folder's entries, or what is no folder.
fn look(path: PathBuf) -> Result<Folder, Root> {
    match fs::symlink_metadata(&path) {
        Ok(data) if data.is_dir() => match Folder::list(&path) {
            Ok(folder) => Ok(folder),
            Err(error) => Err(unreadable(path, &error)),
        },
        Ok(data) if data.is_file() => Err(Root { path, size: data.len(), fault: None }),
        Ok(data) => {
            let what = if data.is_symlink() { "a link, which is not followed" } else { "a device, socket or pipe" };
            Err(Root { path, size: 0, fault: Some(fault(FaultCode::NotAFile, what)) })
        }
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: PathBuf, error: &io::Error) -> Root {
    Root { path, size: 0, fault: Some(fault(FaultCode::Unreadable, error.kind().to_string())) }
}

/// The entries of a folder in the order of their names' bytes, so that a trove is always read in one order. All names are in memory for that, so they
/// stand one after the other in one block: a Maildir may have millions.
struct Folder {
    path: PathBuf,
    names: Vec<u8>,
    /// Where each name that is still to come begins, and its length; the next one last.
    left: Vec<(u32, u16)>,
}

impl Folder {
    fn list(path: &Path) -> io::Result<Self> {
        let (mut names, mut left) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(path)? {
            let name = entry?.file_name();
            let too_long = |_| io::Error::other("the names in it are too long");
            let length = u16::try_from(name.len()).map_err(too_long)?;
            left.push((u32::try_from(names.len()).map_err(too_long)?, length));
            names.extend_from_slice(name.as_bytes());
        }
        let name = |(start, length): &(u32, u16)| &names[*start as usize..*start as usize + usize::from(*length)];
        left.sort_unstable_by(|a, b| name(b).cmp(name(a)));
        Ok(Self { path: path.to_owned(), names, left })
    }

    fn next(&mut self) -> Option<PathBuf> {
        let (start, length) = self.left.pop()?;
        let name = &self.names[start as usize..start as usize + usize::from(length)];
        Some(self.path.join(OsStr::from_bytes(name)))
    }
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
