//! Verifying an archive: every byte of every file is re-hashed, held against a signature, or written anew and compared.

mod account;
mod log;
mod manifest;
mod parallel;
mod release;
mod volume;
mod withdrawn;

use crate::log::TilePath;
use crate::outline::Outline;
use crate::paths;
use crate::policy::Witnessed;
use crate::release::ReleaseNote;
use crate::root::Succession;
pub use crate::state::SignOfLife;
use crate::state::{Release, State, load};
use crate::store::{Folder, Store};
use crate::withdrawals::Withdrawals;
use account::Account;
pub(crate) use manifest::own_record;
use std::io;
use std::path::Path;
use withdrawn::Withdrawn;

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

/// What whoever verifies knows and wants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The JSON of a root that the caller trusts, from elsewhere than this archive.
    pub root: Option<&'a [u8]>,
    /// The collections that must be there; empty for all. Of a partial copy those that it was made of are asked for.
    pub only: &'a [String],
}

/// A release of which this copy has nothing but the note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Its serial.
    pub serial: u64,
    /// The collection that it adds to.
    pub collection: String,
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
    pub witnessed: Witnessed,
    /// That size.
    pub shown: u64,
    /// How many releases were checked.
    pub releases: u64,
    /// The releases that are not in this copy, where it is a partial one: their notes are here, and nothing else of them.
    pub absent: Vec<Absent>,
    /// How many lines of manifests were checked.
    pub lines: u64,
    /// How many documents are withdrawn and were not published again.
    pub withdrawn: u64,
    /// How many of them are erased here, line by line.
    pub erased: u64,
    /// How many lines are withdrawn of documents that have another line which counts: what corrections replaced.
    pub earlier_withdrawn: u64,
    /// How many lines are erased here in all.
    pub erased_lines: u64,
    /// The last entry of the log that editors signed and dated: age is no fault, but readers should know it.
    pub last_sign: Option<SignOfLife>,
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
        let of = |whole: &str| {
            let all = self.releases + self.absent.len() as u64;
            format!("partial copy of {}: {} of {all} releases are here, {whole}", self.origin, self.releases)
        };
        match (self.problems.first(), self.anchored, self.is_partial()) {
            (Some(first), ..) => format!("{} damaged, missing or added; the first: {}: {}", self.problems.len(), first.path, first.what),
            (None, true, false) => "complete, unchanged and signed by the publisher whose root was given".into(),
            (None, false, false) => "consistent with itself; publisher not checked".into(),
            (None, true, true) => of("unchanged and signed by the publisher whose root was given"),
            (None, false, true) => of("consistent with themselves; publisher not checked"),
        }
    }

    /// Whether some releases are not in this copy.
    pub fn is_partial(&self) -> bool {
        !self.absent.is_empty()
    }
}

/// Verifies the archive in `dir`. `pinned_root` is the JSON of a root that the caller trusts, from elsewhere than this archive. Nothing is written,
/// so it can be stopped at any moment; links are not followed; memory does not grow with the number of documents.
pub fn verify(dir: &Path, pinned_root: Option<&[u8]>, progress: &mut dyn FnMut(Progress)) -> Report {
    verify_from(&Folder::new(dir), Asked { root: pinned_root, only: &[] }, progress)
}

/// Verifies an archive that is read from anywhere. Where files cannot be listed, added ones are not seen and the report counts no files.
pub fn verify_from(store: &dyn Store, asked: Asked<'_>, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut account = Account::take(store, progress);
    let mut report = Report { files: account.files(), bytes: account.total(), ..Report::default() };
    if let Some(state) = load_state(&mut account, &mut report) {
        describe(&state, asked.root, &mut account, &mut report);
        log::check(&state, &mut account);
        let mut withdrawn = Withdrawn::new(&state.withdrawals);
        for release in &state.releases {
            if is_absent(release, &account) {
                absent(release, asked.only, &mut account, &mut report);
                // What its lines refer to is not known here.
                withdrawn.lose_track();
                continue;
            }
            report.lines += release::check(release, &mut withdrawn, &mut account);
            report.releases += 1;
        }
        withdrawn.end(&mut account, &mut report);
        account.refuse_added();
    }
    report.bytes = report.bytes.max(account.checked());
    report.problems = account.into_problems();
    report.anchored &= report.problems.is_empty();
    report
}

/// Checks some releases of an archive whose small files were read before: manifests, trees and volumes, against notes that were signed. Files are
/// not listed, so whoever put them there must know that there are no others.
pub fn check_releases(store: &dyn Store, outline: &Outline, serials: &[u64], progress: &mut dyn FnMut(Progress)) -> Vec<Problem> {
    let mut account = Account::unlisted(store, progress);
    let mut withdrawn = Withdrawn::new(outline.withdrawals());
    for release in outline.releases().iter().filter(|release| serials.contains(&release.note.serial)) {
        release::check(release, &mut withdrawn, &mut account);
    }
    account.into_problems()
}

/// Checks the files of a release whose note is not signed or not logged yet, every byte of them, against what that note would state: its lines, its tree
/// and its volumes, and that nothing else stands beside them.
pub fn verify_staged(dir: &Path, note: &ReleaseNote, progress: &mut dyn FnMut(Progress)) -> Vec<Problem> {
    let (store, withdrawals) = (Folder::new(dir), Withdrawals::default());
    let mut account = Account::take(&store, progress);
    let prefix = paths::release_prefix(note.serial);
    // What else is in the folder is another's question.
    account.keep_problems_under(&prefix);
    let release = Release { note: note.clone(), note_bytes: Vec::new(), index: 0 };
    // All of its lines count, so it may refer to nothing that is erased.
    release::check(&release, &mut Withdrawn::new(&withdrawals), &mut account);
    for path in account.unclaimed_under(&prefix) {
        if path != paths::release_note(note.serial) {
            account.problem(path, "added: nothing in the release accounts for it");
        }
    }
    account.into_problems()
}

/// Whether nothing of a release is here but its note: neither lines nor tree nor volumes.
fn is_absent(release: &Release, account: &Account<'_>) -> bool {
    let serial = release.note.serial;
    let prefix = paths::release_prefix(serial);
    account.is_bare(&prefix, &paths::release_note(serial)).unwrap_or_else(|| {
        let missing = |path: &str| account.open(path, None).is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
        let tile = TilePath::widest(Some(0), 0, release.note.lines);
        let tile = tile.is_none_or(|tile| missing(&format!("{prefix}{tile}")));
        tile && missing(&paths::manifest_part(serial, 0)) && missing(&paths::volume(serial, 0))
    })
}

fn absent(release: &Release, only: &[String], account: &mut Account<'_>, report: &mut Report) {
    let (serial, collection) = (release.note.serial, release.note.collection.clone());
    if only.contains(&collection) {
        account.problem(paths::release_prefix(serial), format!("missing: this copy has only the note of this release of {collection}"));
    }
    report.absent.push(Absent { serial, collection });
}

/// Reads the small files under the newest checkpoint, which is `checkpoint.pending` while a publication is not finished.
fn load_state(account: &mut Account<'_>, report: &mut Report) -> Option<State> {
    let files = account.reader();
    let mut problems = Vec::new();
    let mut complain = |path: String, what: String| problems.push((path, what));
    let current = load(&files, paths::CHECKPOINT, &mut complain);
    if let Some(current) = &current {
        report.shown = current.checkpoint.size;
        match current.witnessed(true) {
            Ok(witnessed) => report.witnessed = witnessed,
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
        if let Some(Err(what)) = pending.as_ref().map(|pending| pending.witnessed(false)) {
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
    report.last_sign = state.last_sign;
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
