use super::{Problem, Progress};
use crate::log::Files;
use crate::store::{Opened, Store, unreadable};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;

/// Every file of an archive, which of them are accounted for, and what is wrong.
pub(super) struct Account<'a> {
    store: &'a dyn Store,
    /// Path and length of every plain file, where files can be listed.
    present: Option<BTreeMap<String, u64>>,
    unclaimed: BTreeSet<String>,
    problems: Vec<Problem>,
    /// By path: its place in `problems`, and how many more things are wrong with it.
    by_path: BTreeMap<String, (usize, u64)>,
    checked: u64,
    total: u64,
    progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Account<'a> {
    /// Lists the files. Links and special files are problems and are not followed.
    pub(super) fn take(store: &'a dyn Store, progress: &'a mut dyn FnMut(Progress)) -> Self {
        let mut account = Self::unlisted(store, progress);
        if let Some((present, odd)) = store.list() {
            for (path, what) in odd {
                account.problem(path, what);
            }
            account.unclaimed = present.keys().cloned().collect();
            account.total = present.values().sum();
            account.present = Some(present);
        }
        account
    }

    /// Lists nothing: what is there is known when it is read, and what was added is not seen.
    pub(super) fn unlisted(store: &'a dyn Store, progress: &'a mut dyn FnMut(Progress)) -> Self {
        Self {
            store,
            present: None,
            unclaimed: BTreeSet::new(),
            problems: Vec::new(),
            by_path: BTreeMap::new(),
            checked: 0,
            total: 0,
            progress,
        }
    }

    pub(super) fn files(&self) -> u64 {
        self.present.as_ref().map_or(0, |present| present.len() as u64)
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// How many bytes were checked so far.
    pub(super) fn checked(&self) -> u64 {
        self.checked
    }

    /// A reader of plain files of the archive, and of nothing else.
    pub(super) fn reader(&self) -> Plain<'a> {
        Plain { store: self.store, present: self.present.as_ref().map(|present| present.keys().cloned().collect()) }
    }

    /// Whether the file is there; where files cannot be listed, whether it may be.
    pub(super) fn has(&self, path: &str) -> bool {
        self.present.as_ref().map_or_else(|| self.store.has(path), |present| present.contains_key(path))
    }

    pub(super) fn length(&self, path: &str) -> Option<u64> {
        self.present.as_ref()?.get(path).copied()
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
        match self.store.read(path) {
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
        if self.has(path) { self.store.read(path) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    pub(super) fn open(&self, path: &str, reach: Option<Range<u64>>) -> io::Result<Box<dyn Opened + 'a>> {
        if self.has(path) { self.store.open(path, reach) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    pub(super) fn store(&self) -> &'a dyn Store {
        self.store
    }

    /// Whether nothing of these paths is there: not one under the first that is not also the second.
    pub(super) fn is_bare(&self, prefix: &str, but: &str) -> Option<bool> {
        let present = self.present.as_ref()?;
        let mut under = present.range(prefix.to_owned()..).take_while(|(path, _)| path.starts_with(prefix));
        Some(under.all(|(path, _)| path == but))
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
        // Where files cannot be listed nobody knows how many bytes there are.
        let (checked, total) =
            if self.present.is_some() { (self.checked.min(self.total), self.total) } else { (self.checked, self.checked) };
        (self.progress)(Progress { bytes: checked, total, problems: self.problems.len() as u64 });
    }

    /// Ends the progress, of which the smallest files are no part, and gives what is wrong.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.checked = self.checked.max(self.total);
        self.advance(0);
        for (place, more) in self.by_path.into_values().filter(|(_, more)| *more > 0) {
            self.problems[place].what += &format!(" (and {more} more in this file)");
        }
        self.problems
    }
}

/// Reads plain files that were there when they were listed.
pub(super) struct Plain<'a> {
    store: &'a dyn Store,
    present: Option<BTreeSet<String>>,
}

impl Files for Plain<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let there = self.present.as_ref().is_none_or(|present| present.contains(path));
        if there { self.store.read(path) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}
