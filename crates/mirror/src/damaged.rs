//! Files of a copy that are not what was signed. While a copy is repaired they count as not there, so they are fetched, checked and only then replaced.

use daylight_archive::Problem;
use daylight_archive::paths::{self, Name};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What nobody can repair by fetching: what is there and should not be.
const ADDED: &str = "added";

/// Whether a file is only there and should not be. Where the log is damaged every file seems to be that.
pub(crate) fn is_added(problem: &Problem) -> bool {
    problem.what.starts_with(ADDED)
}

/// The damaged files of a copy, by their paths in the archive.
#[derive(Debug, Default)]
pub(crate) struct Damaged {
    /// Whether the copy is repaired at all.
    repairing: bool,
    paths: Mutex<BTreeSet<String>>,
}

impl Damaged {
    /// What verifying found.
    pub(crate) fn of(problems: &[Problem]) -> Self {
        let found = problems.iter().filter(|problem| !is_added(problem)).map(|problem| problem.path.clone());
        Self { repairing: true, paths: Mutex::new(found.collect()) }
    }

    fn paths(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths().is_empty()
    }

    /// Whether a file is damaged. Where nobody can tell which part of a manifest is wrong, all are.
    pub(crate) fn has(&self, path: &str) -> bool {
        let paths = self.paths();
        let manifest = |serial| paths.contains(&format!("{}manifest", paths::release_prefix(serial)));
        paths.contains(path) || matches!(Name::parse(path), Some(Name::Part(serial, _)) if manifest(serial))
    }

    /// Whether any file of a release is damaged.
    pub(crate) fn is_in(&self, serial: u64) -> bool {
        let prefix = paths::release_prefix(serial);
        self.paths().range(prefix.clone()..).next().is_some_and(|path| path.starts_with(&prefix))
    }

    /// Counts another file as damaged, where the copy is repaired. Gives whether it did not count as that before.
    pub(crate) fn add(&self, path: &str) -> bool {
        self.repairing && self.paths().insert(path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_counts_as_not_there_and_what_was_added_is_no_damage() {
        let problem = |path: &str, what: &str| Problem { path: path.into(), what: what.into() };
        let damaged = Damaged::of(&[
            problem("release/2/manifest", "neither its lines nor its tiles have the root"),
            problem("release/4/volume/0.zip", "missing"),
            problem("release/5/extra", "added: nothing signed accounts for it"),
        ]);
        assert!(damaged.has("release/2/manifest/0") && damaged.has("release/4/volume/0.zip"));
        assert!(!damaged.has("release/2/volume/0.zip") && !damaged.has("release/5/extra"));
        assert_eq!([1, 2, 3, 4, 5, 20].map(|serial| damaged.is_in(serial)), [false, true, false, true, false, false]);
        assert!(damaged.add("release/1/volume/0.zip") && !damaged.add("release/1/volume/0.zip") && damaged.is_in(1));
        let nothing = Damaged::default();
        assert!(!nothing.add("release/1/volume/0.zip") && nothing.is_empty());
    }
}
