use crate::crash_point;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Gives `path` these bytes, whole or not at all, whenever the process or the machine stops; once it returns they stay.
///
/// They are written to `.NAME.tmp` in the same folder, synced, and renamed over `path`, and then the folder is synced. What a crash left under that
/// name is overwritten by the next attempt, so there must be only one writer of a path at a time: callers hold the lock of what they write to.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path)?;
    let written = write_synced(&beside, bytes).and_then(|()| {
        crash_point("durable.file-synced");
        fs::rename(&beside, path)
    });
    if let Err(error) = written {
        // The first error is the one that says why; a file left behind does no harm.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    crash_point("durable.file-renamed");
    sync_dir(folder_of(path))
}

/// Makes the names in a folder durable: files created, renamed or removed in it before stay so.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The folder in which `path` stands.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{} names no file", path.display())))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".tmp");
    Ok(path.with_file_name(hidden))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::write_atomic;
    use std::fs;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        write_atomic(&path, b"first, and longer").unwrap();
        fs::write(folder.path().join(".checkpoint.tmp"), "left by a crash").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_replacement_keeps_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("inside"), "kept").unwrap();
        assert!(write_atomic(&taken, b"new").is_err());
        assert_eq!(fs::read(taken.join("inside")).unwrap(), b"kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_atomic(&folder.path().join("missing/file"), b"new").is_err());
        assert!(write_atomic("/".as_ref(), b"new").is_err());
    }
}
