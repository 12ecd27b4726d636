//! The rest of an update: notes, manifests and volumes of what is new, and then all of it into the copy, `checkpoint` last.

use super::{Ended, Target, Update, failed};
use crate::erase::erase_withdrawn_after;
use crate::fetch::Fetch;
use crate::log::Log;
use crate::overlay::Overlay;
use crate::sites::Unavailable;
use daylight_archive::archive::Release;
use daylight_archive::entry::Entry;
use daylight_archive::log::{Files, TilePath};
use daylight_archive::manifest::PART_LINES;
use daylight_archive::paths::{self, Name};
use daylight_archive::plan::{Plan, erased_lines};
use daylight_archive::store::Folder;
use daylight_archive::{Outline, Problem, check_releases};
use daylight_durable::crash_point;
use daylight_model::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The most bytes of a note.
const NOTE: u64 = 1 << 20;

/// How often what proved wrong only when all was there is fetched anew.
const ANEW: usize = 16;

impl<'a> Update<'a> {
    fn fetch(&self) -> Fetch<'a> {
        Fetch::new(self.sites, self.home.fetching(), self.home.copy().to_owned(), self.job.meter).passing_over(&self.damaged)
    }

    /// Fetches the notes that the log names and that are not here. Each is known by its hash.
    pub(super) fn notes(&self, log: &Log) -> Result<(), Ended> {
        self.job.meter.step("reading the notes");
        let overlay = Overlay::new(&self.home.fetching(), self.home.copy());
        let is_here = |path: &str, digest: &Digest| overlay.read(path).is_ok_and(|bytes| Digest::of(&bytes) == *digest);
        let missing: Vec<_> = log.notes().into_iter().filter(|(path, digest)| !is_here(path, digest)).collect();
        let fetch = self.fetch();
        self.each(&missing, |(path, digest)| {
            // What was fetched for another release under this serial is worth nothing for this one.
            if let Some(Name::ReleaseNote(serial)) = Name::parse(path) {
                remove_folder(&self.home.fetching().join(paths::release_prefix(serial)))?;
            }
            let check = |bytes: Vec<u8>| if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err("not the note that was logged".into()) };
            let (bytes, _) = self.sites.file(path, NOTE, check)?;
            fetch.put(path, &bytes)?;
            crash_point("mirror.note-fetched");
            Ok(())
        })?;
        Ok(())
    }

    /// Fetches what is wanted and not in the copy, checks it, and makes the copy what the target says.
    pub(super) fn releases(&mut self, target: Target) -> Result<(), Ended> {
        let fetch = self.fetch();
        let (plans, new) = self.fetched(&target.outline, &fetch)?;
        self.check(&target.outline, &fetch, &plans, &new)?;
        self.job.meter.step("putting it in place");
        self.commit(&target, &plans, &new)?;
        self.honour(&target.outline, &|serial| new.contains(&serial))?;
        // What was repaired is not new.
        let fresh = new.into_iter().filter(|serial| !self.damaged.is_in(*serial)).collect();
        self.tell(&target.outline, fresh);
        self.known = Some(target.outline);
        self.forget_fetched()
    }

    /// Erases in the copy what its log withdraws, also what a run that was broken off left.
    pub(super) fn honour(&mut self, outline: &Outline, fresh: &dyn Fn(u64) -> bool) -> Result<(), Ended> {
        let withdraws = |entry: &&Entry| matches!(entry, Entry::Withdraw(_));
        self.report.withdrawals = outline.entries().iter().filter(withdraws).count() as u64;
        if outline.withdrawn_lines().any(|place| place.erase) {
            self.job.meter.step("erasing what was withdrawn");
            let copy = self.home.copy();
            let erased = erase_withdrawn_after(copy, fresh).map_err(|e| failed(e.to_string()))?;
            self.report.erased = erased.lines;
        }
        Ok(())
    }

    /// Takes away what was fetched and is not needed any more.
    pub(super) fn forget_fetched(&self) -> Result<(), Ended> {
        remove_folder(&self.home.fetching()).map_err(Ended::Here)
    }

    /// Fetches manifests and volumes, and says what of the releases is new. A release whose files stand partly in another one's volumes needs that one
    /// too, whole.
    fn fetched(&self, outline: &Outline, fetch: &Fetch<'_>) -> Result<(BTreeMap<u64, Plan>, Vec<u64>), Ended> {
        let all = outline.releases();
        let mut wanted: BTreeSet<u64> = self.missing(outline).into_iter().map(|release| release.note.serial).collect();
        let plans = Mutex::new(BTreeMap::new());
        loop {
            let known: BTreeSet<u64> = lock(&plans).keys().copied().collect();
            let is_new = |release: &&Release| wanted.contains(&release.note.serial) && !known.contains(&release.note.serial);
            let missing: Vec<&Release> = all.iter().filter(is_new).filter(|release| !self.is_here(release)).collect();
            if missing.is_empty() {
                break;
            }
            self.job.meter.step("reading manifests");
            self.each(&missing, |release| {
                let plan = fetch.manifest(release, &erased_lines(outline, release.note.serial))?;
                lock(&plans).insert(release.note.serial, plan);
                Ok(())
            })?;
            self.volumes(fetch, &lock(&plans).clone())?;
            // Records that stand in volumes could perhaps not be read before.
            for release in &missing {
                let hidden = lock(&plans).get(&release.note.serial).is_some_and(|plan| plan.volumes.contains(&None));
                if hidden {
                    let plan = fetch.manifest(release, &erased_lines(outline, release.note.serial))?;
                    lock(&plans).insert(release.note.serial, plan);
                }
            }
            let refers = lock(&plans).values().flat_map(|plan| plan.refers.clone()).collect::<BTreeSet<u64>>();
            wanted.extend(refers);
        }
        let plans = plans.into_inner().unwrap_or_else(PoisonError::into_inner);
        let new = plans.keys().copied().collect();
        Ok((plans, new))
    }

    /// The releases that are wanted and not in the copy.
    pub(super) fn missing<'o>(&self, outline: &'o Outline) -> Vec<&'o Release> {
        let only = &self.report.only;
        let is_wanted = |release: &&Release| only.is_empty() || only.contains(&release.note.collection);
        outline.releases().iter().filter(is_wanted).filter(|release| !self.is_here(release)).collect()
    }

    fn volumes(&self, fetch: &Fetch<'_>, plans: &BTreeMap<u64, Plan>) -> Result<(), Ended> {
        self.job.meter.step("fetching volumes");
        let jobs: Vec<(String, Option<u64>, bool)> = plans
            .iter()
            .flat_map(|(serial, plan)| {
                let volumes = plan.volumes.iter().zip(0u32..);
                volumes.map(|(length, volume)| (paths::volume(*serial, volume), *length, plan.erased))
            })
            .filter(|(path, ..)| !fetch.has(path))
            .collect();
        self.job.meter.expect(jobs.iter().map(|(_, length, _)| length.unwrap_or(0)).sum());
        Ok(self.each(&jobs, |(path, length, erased)| fetch.volume(path, *length, *erased))?)
    }

    /// Checks what came as `daylight verify` does. A volume that is whole in itself but not the one that was signed is fetched again, elsewhere.
    fn check(&self, outline: &Outline, fetch: &Fetch<'_>, plans: &BTreeMap<u64, Plan>, new: &[u64]) -> Result<(), Ended> {
        for _ in 0..ANEW {
            self.job.meter.step("checking what came");
            let overlay = Overlay::new(&self.home.fetching(), self.home.copy());
            let problems = check_releases(&overlay, outline, new, &mut |_| {});
            let Some(first) = problems.first() else { return Ok(()) };
            let mut again = false;
            for Problem { path, what } in &problems {
                if matches!(Name::parse(path), Some(Name::Volume(..))) {
                    again |= fetch.reject(path, what).map_err(Ended::Here)?;
                }
            }
            if !again {
                return Err(failed(format!(
                    "what the editors of {} signed is not valid: {}: {}",
                    self.report.origin, first.path, first.what
                )));
            }
            self.volumes(fetch, plans)?;
        }
        Err(failed("what came is not what was signed, from whichever site"))
    }

    /// Whether all of a release is in the copy: its manifest's first part is moved there last.
    fn is_here(&self, release: &Release) -> bool {
        let serial = release.note.serial;
        let copy = self.home.copy();
        fs::read(copy.join(paths::release_note(serial))).is_ok_and(|note| note == release.note_bytes)
            && copy.join(paths::manifest_part(serial, 0)).is_file()
            && !self.damaged.is_in(serial)
    }

    /// Moves everything into the copy.
    fn commit(&self, target: &Target, plans: &BTreeMap<u64, Plan>, new: &[u64]) -> Result<(), Ended> {
        let mut moving = self.home.moving();
        for (path, bytes) in target.small.iter().filter(|(path, _)| *path != paths::CHECKPOINT) {
            moving.write(path, bytes)?;
        }
        for (path, digest) in target.log.notes() {
            let there = fs::read(self.home.copy().join(&path)).is_ok_and(|bytes| Digest::of(&bytes) == digest);
            if !there {
                moving.take(&path)?;
            }
        }
        crash_point("mirror.notes-placed");
        let by_serial = |serial: &u64| target.outline.releases().iter().find(|release| release.note.serial == *serial);
        for (release, plan) in new.iter().filter_map(|serial| Some((by_serial(serial)?, plans.get(serial)?))) {
            for path in files(release, plan) {
                moving.take(&path)?;
                crash_point("mirror.file-placed");
            }
        }
        let copy = Folder::new(self.home.copy());
        for (path, bytes) in target.log.files(&copy) {
            moving.write(&path, &bytes)?;
        }
        moving.sync()?;
        // Until here the copy is the archive that it was; from here on it is the new one.
        crash_point("mirror.log-placed");
        if let Some(checkpoint) = target.small.get(paths::CHECKPOINT) {
            moving.write(paths::CHECKPOINT, checkpoint)?;
        }
        moving.sync()?;
        crash_point("mirror.checkpoint-placed");
        Ok(())
    }

    /// Says what the copy has.
    pub(super) fn tell(&mut self, outline: &Outline, new: Vec<u64>) {
        let report = &mut self.report;
        report.sizes.1 = outline.checkpoint().size;
        report.documents += outline.releases().iter().filter(|r| new.contains(&r.note.serial)).map(|r| r.note.lines).sum::<u64>();
        report.releases.extend(new);
        report.newest = outline.releases().last().map(|release| release.note.time);
        let absent =
            outline.releases().iter().filter(|release| !self.home.copy().join(paths::manifest_part(release.note.serial, 0)).is_file());
        self.report.absent = absent.count() as u64;
    }

    /// Does the work for every item on as many threads as there may be connections, and ends at the first failure.
    fn each<T: Sync>(&self, items: &[T], work: impl Fn(&T) -> Result<(), Unavailable> + Sync) -> Result<(), Unavailable> {
        let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
        std::thread::scope(|scope| {
            for _ in 0..self.sites.client().connections().min(items.len()) {
                scope.spawn(|| {
                    while lock(&failure).is_none()
                        && let Some(item) = items.get(next.fetch_add(1, Relaxed))
                    {
                        if let Err(error) = work(item) {
                            lock(&failure).get_or_insert(error);
                        }
                    }
                });
            }
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// The files of a release besides its note, in the order in which they are moved: the manifest's first part comes last, and says that all is there.
fn files(release: &Release, plan: &Plan) -> Vec<String> {
    let (serial, lines) = (release.note.serial, release.note.lines);
    let prefix = paths::release_prefix(serial);
    let volumes = (0u32..).zip(&plan.volumes).map(|(volume, _)| paths::volume(serial, volume));
    let tiles = TilePath::tiles(lines).map(|tile| format!("{prefix}{tile}"));
    let parts = (0..lines.div_ceil(PART_LINES)).rev();
    let parts = parts.flat_map(|part| [paths::manifest_offsets(serial, part), paths::manifest_part(serial, part)]);
    volumes.chain(tiles).chain(parts).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove_folder(folder: &std::path::Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
