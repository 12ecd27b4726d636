//! Verifying an archive: every byte of every file is re-hashed, held against a signature, or written anew and compared.

mod account;
mod log;
mod manifest;
mod parallel;
mod release;
mod volume;

use crate::paths;
use crate::policy::Standing;
use crate::root::Succession;
use crate::state::{State, load};
use account::Account;
use std::path::Path;

/// How far verifying has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes checked.
    pub bytes: u64,
    /// Bytes in all.
    pub total: u64,
    /// Problems found so far.
    pub problems: u64,
}

/// Something wrong with an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the archive, or the log entry.
    pub path: String,
    /// What is wrong with it: the first thing found, and how many more there are.
    pub what: String,
}

/// What verifying found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether the publisher was checked: a root was pinned, and the archive's roots follow from it.
    pub anchored: bool,
    /// The archive's name; empty where not even that could be read.
    pub origin: String,
    /// The size of the log.
    pub size: u64,
    /// The version of the root in force.
    pub root_version: u64,
    /// The roots that were put in force by recovery keys, which readers should know.
    pub recovered: Vec<u64>,
    /// The log's size in `checkpoint.pending`, where a publication is not finished: everything was checked under that.
    pub pending: Option<u64>,
    /// Who of the witnesses has seen the archive as readers see it, at which size of the log.
    pub standing: Standing,
    /// That size.
    pub shown: u64,
    /// How many releases were checked.
    pub releases: u64,
    /// How many lines of manifests were checked.
    pub lines: u64,
    /// How many files there are.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// What is wrong: one for each file, in an order that is the same at every run. Empty where all is well.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn ok(&self) -> bool {
        self.problems.is_empty()
    }

    /// The result in one line.
    pub fn verdict(&self) -> String {
        match (self.problems.first(), self.anchored) {
            (Some(first), _) => format!("{} damaged, missing or added; the first: {}: {}", self.problems.len(), first.path, first.what),
            (None, true) => "complete, unchanged and signed by the publisher whose root was given".into(),
            (None, false) => "consistent with itself; publisher not checked".into(),
        }
    }
}

/// Verifies the archive in `dir`. `pinned_root` is the JSON of a root that the caller trusts, from elsewhere than this archive. Nothing is written,
/// so it can be stopped at any moment; links are not followed; memory does not grow with the number of documents.
pub fn verify(dir: &Path, pinned_root: Option<&[u8]>, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut account = Account::take(dir, progress);
    let mut report = Report { files: account.files(), bytes: account.total(), ..Report::default() };
    if let Some(state) = load_state(&mut account, &mut report) {
        describe(&state, pinned_root, &mut account, &mut report);
        log::check(&state, &mut account);
        for release in &state.releases {
            report.lines += release::check(release, &mut account);
            report.releases += 1;
        }
        account.refuse_added();
    }
    report.problems = account.into_problems();
    report.anchored &= report.problems.is_empty();
    report
}

/// Reads the small files under the newest checkpoint, which is `checkpoint.pending` while a publication is not finished.
fn load_state(account: &mut Account<'_>, report: &mut Report) -> Option<State> {
    let files = account.reader();
    let mut problems = Vec::new();
    let mut complain = |path: String, what: String| problems.push((path, what));
    let current = load(&files, paths::CHECKPOINT, &mut complain);
    if let Some(current) = &current {
        report.shown = current.checkpoint.size;
        match current.standing(true) {
            Ok(standing) => report.standing = standing,
            Err(what) => complain(paths::CHECKPOINT.into(), what),
        }
    }
    let mut newest = current;
    if account.has(paths::CHECKPOINT_PENDING) {
        let pending = load(&files, paths::CHECKPOINT_PENDING, &mut complain);
        if let (Some(pending), Some(current)) = (&pending, &newest)
            && (pending.leaves.len() < current.leaves.len() || pending.leaves[..current.leaves.len()] != current.leaves)
        {
            complain(paths::CHECKPOINT_PENDING.into(), "does not continue the log of the checkpoint".into());
        }
        // Witnesses are asked after it is written: as long as it is pending, none need have cosigned it.
        if let Some(Err(what)) = pending.as_ref().map(|pending| pending.standing(false)) {
            complain(paths::CHECKPOINT_PENDING.into(), what);
        }
        account.claim(paths::CHECKPOINT_PENDING);
        report.pending = pending.as_ref().map(|pending| pending.checkpoint.size);
        newest = pending.or(newest);
    }
    account.claim(paths::CHECKPOINT);
    // Where a root is bad, those after it cannot be judged.
    if problems.iter().any(|(path, _)| path.starts_with("root/")) {
        account.unclaimed_under("root/").iter().for_each(|path| _ = account.claim(path));
    }
    for (path, what) in problems {
        account.problem(path, what);
    }
    newest
}

fn describe(state: &State, pinned_root: Option<&[u8]>, account: &mut Account<'_>, report: &mut Report) {
    report.origin.clone_from(&state.checkpoint.origin);
    report.size = state.checkpoint.size;
    report.root_version = state.in_force().root.version;
    for (place, link) in state.chain.links().iter().enumerate() {
        let path = paths::root_json(link.root.version);
        account.claim(&path);
        account.claim(&paths::root_sig(link.root.version));
        if place >= state.root_indices.len() {
            account.problem(path, "not in the log");
        } else if link.succession == Succession::Recovery {
            report.recovered.push(link.root.version);
        }
    }
    match pinned_root {
        Some(pinned) if state.chain.is_anchored_by(pinned) => report.anchored = true,
        Some(_) => {
            account.problem(paths::root_json(1), "the root that you trust is none of this archive's roots: it is another publisher's")
        }
        None => {}
    }
}

#[cfg(test)]
mod tests;
