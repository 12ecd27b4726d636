use crate::atomic::{folder_of, sync_dir};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("it is in use by {by}; wait until that has ended")]
    Held {
        /// Who, in words: `process 123 (ingest) since 2026-01-01T10:00:00Z`.
        by: String,
    },
    /// The file system refused.
    #[error("cannot lock {}: {source}", path.display())]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// An exclusive lock on a file (`flock`), held until it is dropped or the process ends in whatever way.
///
/// The file says in words who has it, for the one who comes second. The words decide nothing: what a process that was killed left there is
/// written over by the next holder. The file itself stays, because removing it would let two processes hold two files of one name.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock at `path`, whose file is created if need be, without waiting; `what` says in a word what for.
    pub fn take(path: &Path, what: &str) -> Result<Self, LockError> {
        let refused = |source| LockError::Io { path: path.to_owned(), source };
        let mut file = open(path).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { by: holder(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        let line = format!("process {} ({what}) since {}\n", std::process::id(), utc(SystemTime::now()));
        file.set_len(0).and_then(|()| file.write_all(line.as_bytes())).map_err(refused)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    /// Gives the lock back itself: closing would not as long as a process that was started a moment ago, and is not another program yet, has the file open too.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.clone().create_new(true).open(path) {
        Ok(new) => sync_dir(folder_of(path)).map(|()| new),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

/// Whether somebody has the lock at `path`. Nobody has one whose file is not there. It is taken for a moment, together with whoever else asks; who wants to have it in this very moment
/// is refused.
pub fn is_held(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The first line of the file, as far as it can be shown; a holder that has not written it yet has no name.
fn holder(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // Nobody's name is no reason to fail: that the lock is held is known already.
    let _ = file.take(300).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let line: String = text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    if line.is_empty() { "another process".to_owned() } else { line }
}

/// The time in UTC to the second, as RFC 3339 writes it.
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Year, month and day of a number of days since 1970-01-01. Years are counted from March, so that a leap day is the last of its year, in eras
/// of 400 years, which have 146,097 days (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{Lock, LockError, is_held, utc};
    use std::fs;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn the_second_comer_is_told_who_has_the_lock_and_gets_it_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ingest.lock");
        fs::write(&path, "process 1 (killed long ago, and with a longer line than any) since 1999-01-01T00:00:00Z\nmore\n").unwrap();
        let first = Lock::take(&path, "ingest").unwrap();
        let Err(LockError::Held { by }) = Lock::take(&path, "ingest") else { panic!("held twice") };
        assert!(by.starts_with(&format!("process {} (ingest) since 2", std::process::id())), "{by}");
        assert!(by.ends_with('Z'), "{by}");
        assert!(is_held(&path).unwrap() && !is_held(&folder.path().join("none")).unwrap());
        drop(first);
        assert!(!is_held(&path).unwrap());
        Lock::take(&path, "ingest").unwrap();
    }

    #[test]
    fn a_holder_without_a_readable_name_is_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ingest.lock");
        let _held = Lock::take(&path, "ingest").unwrap();
        fs::write(&path, "").unwrap();
        let error = Lock::take(&path, "ingest").unwrap_err().to_string();
        assert_eq!(error, "it is in use by another process; wait until that has ended");
        fs::write(&path, b"\x1b[2Jprocess \xff\n").unwrap();
        let error = Lock::take(&path, "ingest").unwrap_err().to_string();
        assert_eq!(error, "it is in use by [2Jprocess \u{fffd}; wait until that has ended");
        let missing = Lock::take(&folder.path().join("none/x.lock"), "ingest").unwrap_err().to_string();
        assert!(missing.starts_with("cannot lock ") && missing.contains("none/x.lock: "), "{missing}");
    }

    #[test]
    fn times_are_right_on_the_days_where_calendars_go_wrong() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
