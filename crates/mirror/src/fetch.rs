//! Fetching what belongs to releases: manifests, then volumes. Each file is written beside its place as `….part`, checked while it comes, synced, and
//! renamed. What came before a crash is checked again and gone on from.

use crate::address::Address;
use crate::damaged::Damaged;
use crate::http::{HttpError, Part};
use crate::meter::Meter;
use crate::overlay::Overlay;
use crate::remote::{Remote, limit_of};
use crate::sites::{Sites, Trouble, Unavailable};
use daylight_archive::archive::Release;
use daylight_archive::manifest::{PART_LINES, RawLine};
use daylight_archive::paths;
use daylight_archive::plan::{ErasedLines, Plan, PlanError, plan};
use daylight_archive::volume::{MAX_VOLUME, Scan};
use daylight_durable::{crash_point, sync_dir, write_atomic};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// How much is read and written at a time.
const PIECE: usize = 128 << 10;

/// How often a manifest is fetched anew because what came from several sites does not fit together.
const ANEW: usize = 16;

/// Fetches into a folder beside the copy.
pub(crate) struct Fetch<'a> {
    pub(crate) sites: &'a Sites<'a>,
    pub(crate) fetching: PathBuf,
    pub(crate) copy: PathBuf,
    /// Who gave which file in this run; what came in an earlier one is not here.
    givers: Mutex<BTreeMap<String, Address>>,
    pub(crate) meter: &'a Meter,
    damaged: Arc<Damaged>,
}

impl<'a> Fetch<'a> {
    pub(crate) fn new(sites: &'a Sites<'a>, fetching: PathBuf, copy: PathBuf, meter: &'a Meter) -> Self {
        Self { sites, fetching, copy, givers: Mutex::default(), meter, damaged: Arc::default() }
    }

    /// Fetches also what is in the copy and damaged.
    pub(crate) fn passing_over(self, damaged: &Arc<Damaged>) -> Self {
        Self { damaged: Arc::clone(damaged), ..self }
    }

    /// Whether a file is here already, whole.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.fetching.join(path).is_file() || (self.copy.join(path).is_file() && !self.damaged.has(path))
    }

    fn gave(&self, path: &str, site: Address) {
        self.givers.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), site);
    }

    fn giver(&self, path: &str) -> Option<Address> {
        self.givers.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// Writes a small file that was checked.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.make_room(path)?;
        write_atomic(&file, bytes)
    }

    fn make_room(&self, path: &str) -> io::Result<PathBuf> {
        let file = self.fetching.join(path);
        fs::create_dir_all(file.parent().unwrap_or(&self.fetching))?;
        Ok(file)
    }

    /// Says that a file that was fetched is not the one that was signed: whoever gave it is named, and it is fetched again. Gives whether anything
    /// was done, so that nobody tries for ever.
    pub(crate) fn reject(&self, path: &str, what: &str) -> io::Result<bool> {
        if let Some(site) = self.giver(path) {
            self.sites.refuse(&site, path, what, true);
            self.givers.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        }
        match fs::remove_file(self.fetching.join(path)) {
            Ok(()) => Ok(true),
            // It was in the copy, and nobody had seen yet that it is damaged.
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(self.damaged.add(path)),
            Err(e) => Err(e),
        }
    }

    /// Fetches a release's manifest, and writes what follows from it: offsets and tiles.
    pub(crate) fn manifest(&self, release: &Release, erased: &ErasedLines) -> Result<Plan, Unavailable> {
        let (serial, lines) = (release.note.serial, release.note.lines);
        let parts: Vec<(String, u64)> = (0..lines.div_ceil(PART_LINES))
            .map(|part| (paths::manifest_part(serial, part), (lines - part * PART_LINES).min(PART_LINES)))
            .collect();
        for _ in 0..ANEW {
            for (path, lines) in &parts {
                if !self.has(path) {
                    self.part(path, *lines)?;
                }
            }
            match self.plan(release, erased) {
                Ok(plan) => return Ok(plan),
                Err(PlanError::Write(error)) => return Err(error.into()),
                Err(PlanError::Wrong { path, what }) => self.reject_parts(&parts, &path, &what)?,
            }
        }
        Err(Unavailable::Nowhere(paths::manifest_part(serial, 0)))
    }

    fn plan(&self, release: &Release, erased: &ErasedLines) -> Result<Plan, PlanError> {
        let remote = Remote::new(self.sites, 1 << 53, None);
        let overlay = Overlay::new(&self.fetching, &self.copy).beyond(&remote);
        plan(&overlay, release, erased, &mut |path, bytes| self.put(path, bytes))
    }

    /// The parts together are not what was signed. Where one site gave them all it lied; where several did nobody can say who.
    fn reject_parts(&self, parts: &[(String, u64)], path: &str, what: &str) -> io::Result<()> {
        let mut givers: Vec<Option<Address>> = parts.iter().map(|(path, _)| self.giver(path)).collect();
        givers.sort();
        givers.dedup();
        if let [Some(liar)] = &givers[..] {
            self.sites.refuse(liar, path, what, true);
        }
        for (path, _) in parts {
            self.givers.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
            match fs::remove_file(self.fetching.join(path)) {
                Ok(()) => {}
                // It is the copy's, and nobody had seen yet that it is damaged.
                Err(e) if e.kind() == io::ErrorKind::NotFound => _ = self.damaged.add(path),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Fetches a part of a manifest. Its lines have the form of lines; whether they are those that were signed only the tree can tell.
    fn part(&self, path: &str, lines: u64) -> Result<(), Unavailable> {
        let file = self.make_room(path)?;
        let partial = beside(&file);
        let mut taken: Option<Address> = None;
        let ((), site) = self.sites.first(path, |site| {
            // What one site began another does not end: otherwise nobody could say whose line is wrong.
            if taken.as_ref().is_some_and(|before| before != site) {
                remove(&partial)?;
            }
            taken = Some(site.clone());
            self.persistently(|progress| self.part_from(site, path, &partial, lines, progress))
        })?;
        rename(&partial, &file)?;
        crash_point("mirror.part-renamed");
        self.gave(path, site);
        Ok(())
    }

    fn part_from(&self, site: &Address, path: &str, partial: &Path, lines: u64, progress: &AtomicU64) -> Result<(), Trouble> {
        let mut file = open(partial)?;
        let (mut count, good) = whole_lines(&mut file, lines)?;
        file.set_len(good)?;
        file.seek(SeekFrom::Start(good))?;
        if count < lines {
            let mut answer = self.sites.client().get(site, path, Part::From(good), limit_of(path))?;
            let mut line = Vec::new();
            let mut buffer = vec![0; PIECE];
            loop {
                let read = match answer.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(read) => read,
                    Err(_) => return Err(answer.error().into()),
                };
                if self.sites.is_stopped() {
                    return Err(Trouble::Stopped);
                }
                for piece in buffer[..read].split_inclusive(|b| *b == b'\n') {
                    line.extend_from_slice(piece);
                    if line.len() > daylight_archive::manifest::MAX_LINE {
                        return Err(Trouble::Wrong(format!("line {count} is longer than any")));
                    }
                    if line.last() == Some(&b'\n') {
                        if count == lines || RawLine::parse(&line).is_none() {
                            return Err(Trouble::Wrong(format!("what stands in line {count} is no line")));
                        }
                        file.write_all(&line)?;
                        progress.fetch_add(line.len() as u64, Relaxed);
                        line.clear();
                        count += 1;
                    }
                }
            }
            self.sites.used(site, progress.load(Relaxed));
            if !line.is_empty() || count < lines {
                return Err(Trouble::Wrong(format!("it ends in line {count} of {lines}")));
            }
        }
        file.sync_all()?;
        crash_point("mirror.part-synced");
        Ok(())
    }

    /// Fetches a volume of `length` bytes, where that is known. `erased` says that some of its members may have been erased.
    pub(crate) fn volume(&self, path: &str, length: Option<u64>, erased: bool) -> Result<(), Unavailable> {
        if self.has(path) {
            self.meter.came(length.unwrap_or(0));
            return Ok(());
        }
        let file = self.make_room(path)?;
        let partial = beside(&file);
        let mut coming = Coming::resume(&partial, length.unwrap_or(MAX_VOLUME), erased)?;
        self.meter.came(coming.scan.at());
        let ((), site) = self.sites.first(path, |site| {
            // Whatever is wrong from here on is this site's doing.
            coming.rewind(self.meter)?;
            self.persistently(|progress| self.volume_from(site, path, length, &mut coming, progress))
        })?;
        coming.file.sync_all()?;
        crash_point("mirror.volume-synced");
        rename(&partial, &file)?;
        crash_point("mirror.volume-renamed");
        self.gave(path, site);
        Ok(())
    }

    fn volume_from(
        &self,
        site: &Address,
        path: &str,
        length: Option<u64>,
        coming: &mut Coming,
        progress: &AtomicU64,
    ) -> Result<(), Trouble> {
        if length.is_some_and(|length| coming.scan.at() == length) {
            return coming.scan.finish().map_err(Trouble::Wrong);
        }
        let limit = length.unwrap_or(MAX_VOLUME);
        let mut answer = self.sites.client().get(site, path, Part::From(coming.scan.at()), limit)?;
        if let (Some(length), Some(total)) = (length, answer.total())
            && length != total
        {
            return Err(Trouble::Wrong(format!("it has {total} bytes where {length} were published")));
        }
        let mut buffer = vec![0; PIECE];
        let came = coming.scan.at();
        loop {
            match answer.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    coming.take(&buffer[..count])?;
                    self.meter.came(count as u64);
                    progress.fetch_add(count as u64, Relaxed);
                }
                Err(_) => return Err(answer.error().into()),
            }
            if self.sites.is_stopped() {
                return Err(Trouble::Stopped);
            }
        }
        self.sites.used(site, coming.scan.at() - came);
        match coming.scan.finish() {
            // Where no length was stated, the end of a connection cannot be told from the end of a file.
            Err(_) if answer.total().is_none() => Err(HttpError::Gone("it broke off".into()).into()),
            whole => whole.map_err(Trouble::Wrong),
        }
    }

    /// Tries again what broke off, as long as something comes each time.
    fn persistently(&self, mut attempt: impl FnMut(&AtomicU64) -> Result<(), Trouble>) -> Result<(), Trouble> {
        loop {
            let progress = AtomicU64::new(0);
            match self.sites.patiently(|| attempt(&progress)) {
                // Who gives next to nothing each time would be tried for ever.
                Err(Trouble::Http(HttpError::Gone(_))) if progress.load(Relaxed) > PIECE as u64 => {}
                other => return other,
            }
        }
    }
}

/// A volume that is coming.
struct Coming {
    file: File,
    scan: Scan,
}

impl Coming {
    /// Opens what came before, and checks it again.
    fn resume(partial: &Path, limit: u64, erased: bool) -> io::Result<Self> {
        let mut coming = Self { file: open(partial)?, scan: Scan::new(limit, erased) };
        let mut buffer = vec![0; PIECE];
        loop {
            let count = coming.file.read(&mut buffer)?;
            if count == 0 || coming.scan.feed(&buffer[..count]).is_err() {
                break;
            }
        }
        coming.cut()?;
        Ok(coming)
    }

    /// Goes back to the last byte that is known to be right.
    fn cut(&mut self) -> io::Result<()> {
        self.scan.rewind();
        self.file.set_len(self.scan.at())?;
        self.file.seek(SeekFrom::Start(self.scan.at())).map(|_| ())
    }

    fn rewind(&mut self, meter: &Meter) -> io::Result<()> {
        meter.lost(self.scan.at() - self.scan.good());
        self.cut()
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        // Written first: what is right of these bytes is kept, and the rest is cut off again.
        self.file.write_all(bytes)?;
        self.scan.feed(bytes).map_err(Trouble::Wrong)
    }
}

/// Where a file stands until it is whole.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_dir(to.parent().unwrap_or(Path::new(".")))
}

/// How many whole lines a file begins with, at most so many, and where they end.
fn whole_lines(file: &mut File, most: u64) -> io::Result<(u64, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = io::BufReader::with_capacity(PIECE, file);
    let (mut count, mut end, mut line) = (0, 0, Vec::new());
    while count < most {
        line.clear();
        let read = reader.by_ref().take(daylight_archive::manifest::MAX_LINE as u64).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') || RawLine::parse(&line).is_none() {
            break;
        }
        count += 1;
        end += read as u64;
    }
    Ok((count, end))
}
