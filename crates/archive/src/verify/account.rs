use super::{Problem, Progress};
use crate::log::Files;
use crate::state::unreadable;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The deepest folder that is looked into; no file of an archive stands deeper.
const MAX_DEPTH: usize = 16;

/// Every file of an archive, which of them are accounted for, and what is wrong.
pub(super) struct Account<'a> {
    dir: PathBuf,
    /// Path and length of every plain file.
    present: BTreeMap<String, u64>,
    unclaimed: BTreeSet<String>,
    problems: Vec<Problem>,
    /// By path: its place in `problems`, and how many more things are wrong with it.
    by_path: BTreeMap<String, (usize, u64)>,
    checked: u64,
    total: u64,
    progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Account<'a> {
    /// Lists the folder. Links and special files are problems and are not followed.
    pub(super) fn take(dir: &Path, progress: &'a mut dyn FnMut(Progress)) -> Self {
        let mut account = Self {
            dir: dir.to_owned(),
            present: BTreeMap::new(),
            unclaimed: BTreeSet::new(),
            problems: Vec::new(),
            by_path: BTreeMap::new(),
            checked: 0,
            total: 0,
            progress,
        };
        let mut found = Vec::new();
        account.walk(dir, "", 0, &mut found);
        found.sort();
        for (path, what) in found {
            account.problem(path, what);
        }
        account.unclaimed = account.present.keys().cloned().collect();
        account.total = account.present.values().sum();
        account
    }

    fn walk(&mut self, dir: &Path, prefix: &str, depth: usize, odd: &mut Vec<(String, String)>) {
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
                odd.push((
                    format!("{prefix}{}", entry.file_name().to_string_lossy()),
                    "added: its name is not one that an archive has".into(),
                ));
                continue;
            };
            let path = format!("{prefix}{name}");
            match entry.path().symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => self.walk(&entry.path(), &format!("{path}/"), depth + 1, odd),
                Ok(metadata) if metadata.is_file() => {
                    self.present.insert(path, metadata.len());
                }
                Ok(_) => odd.push((path, "a link or special file; an archive has plain files only".into())),
                Err(e) => odd.push((path, unreadable(&e))),
            }
        }
    }

    pub(super) fn files(&self) -> u64 {
        self.present.len() as u64
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// A reader of plain files of the archive, and of nothing else.
    pub(super) fn reader(&self) -> Plain {
        Plain { dir: self.dir.clone(), present: self.present.keys().cloned().collect() }
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.present.contains_key(path)
    }

    pub(super) fn length(&self, path: &str) -> Option<u64> {
        self.present.get(path).copied()
    }

    /// Says that a file belongs to the archive and is checked; where it is missing, that is a problem. Gives whether it is there.
    pub(super) fn claim(&mut self, path: &str) -> bool {
        if !self.has(path) {
            if !self.by_path.contains_key(path) {
                self.problem(path, "missing");
            }
            return false;
        }
        self.unclaimed.remove(path);
        true
    }

    /// Claims a small file whose bytes must be these.
    pub(super) fn expect(&mut self, path: &str, bytes: &[u8]) {
        if !self.claim(path) {
            return;
        }
        match std::fs::read(self.dir.join(path)) {
            Ok(found) if found == bytes => {}
            Ok(found) => {
                let at = found.iter().zip(bytes).position(|(a, b)| a != b).unwrap_or(found.len().min(bytes.len()));
                self.problem(path, format!("damaged: it is not what follows from the rest of the archive, from byte {at} on"));
            }
            Err(e) => self.problem(path, unreadable(&e)),
        }
        self.advance(bytes.len() as u64);
    }

    pub(super) fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.dir.join(path))
    }

    pub(super) fn open(&self, path: &str) -> io::Result<File> {
        if self.has(path) { File::open(self.dir.join(path)) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Paths that nothing has claimed yet and that begin so.
    pub(super) fn unclaimed_under(&self, prefix: &str) -> Vec<String> {
        self.unclaimed.range(prefix.to_owned()..).take_while(|path| path.starts_with(prefix)).cloned().collect()
    }

    /// Every file that nothing has claimed was added, or is left over from a publication that was broken off.
    pub(super) fn refuse_added(&mut self) {
        for path in std::mem::take(&mut self.unclaimed) {
            if !self.by_path.contains_key(&path) {
                self.problem(path, "added: nothing signed accounts for it (a release that waits for signatures has such files, and so has one that was broken off: finish it)");
            }
        }
    }

    /// Notes a problem. A file has one entry, however much is wrong with it.
    pub(super) fn problem(&mut self, path: impl Into<String>, what: impl ToString) {
        let (path, what) = (path.into(), what.to_string());
        if let Some((place, more)) = self.by_path.get_mut(&path) {
            *more += u64::from(self.problems[*place].what != what);
            return;
        }
        self.by_path.insert(path.clone(), (self.problems.len(), 0));
        self.problems.push(Problem { path, what });
    }

    /// Forgets what is wrong elsewhere.
    pub(super) fn keep_problems_under(&mut self, prefix: &str) {
        self.problems.retain(|problem| problem.path.starts_with(prefix));
        self.by_path = self.problems.iter().enumerate().map(|(place, problem)| (problem.path.clone(), (place, 0))).collect();
    }

    pub(super) fn advance(&mut self, bytes: u64) {
        self.checked += bytes;
        let checked = self.checked.min(self.total);
        (self.progress)(Progress { bytes: checked, total: self.total, problems: self.problems.len() as u64 });
    }

    /// Ends the progress, of which the smallest files are no part, and gives what is wrong.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.checked = self.total;
        self.advance(0);
        for (place, more) in self.by_path.into_values().filter(|(_, more)| *more > 0) {
            self.problems[place].what += &format!(" (and {more} more in this file)");
        }
        self.problems
    }
}

/// Reads plain files that were there when the folder was listed.
pub(super) struct Plain {
    dir: PathBuf,
    present: BTreeSet<String>,
}

impl Files for Plain {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if self.present.contains(path) { std::fs::read(self.dir.join(path)) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}
