//! Copies of an archive to carry away: a folder or a tar file that explains itself, a bag for libraries (BagIt), and torrents.
//!
//! Whatever is written is a function of the archive and of what was asked for: no clock and no chance, so that two people who export the same
//! archive get the same bytes. A run that was killed is started again and goes on; what is there already is compared, not believed.

mod bag;
mod content;
mod error;
mod folder;
mod place;
mod readme;
mod ro_crate;
mod sink;
mod source;
mod tar;
mod torrent;
mod written;

use crate::timestamp;
use content::Content;
use daylight_archive::{Progress, paths, verify};
use daylight_durable::crash_point;
pub use error::ExportError;
use error::Result;
use folder::{Folder, forget_cached};
use sink::Sink;
use source::Source;
use std::path::Path;
use tar::Tar;
pub use torrent::Torrent;
use written::{ARCHIVE, Written};

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The archive, and beside it what a stranger needs to read and check it; described as an RO-Crate.
    Copy,
    /// The same as the payload of a bag (RFC 8493).
    Bag,
    /// A torrent for each release.
    Torrent,
}

/// What is to be exported, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The archive's folder.
    pub archive: &'a Path,
    /// A folder, or a file that ends in `.tar`.
    pub to: &'a Path,
    /// As what.
    pub format: Format,
    /// The JSON of a root that the caller trusts: the archive must follow from it, and the copy says so.
    pub pinned: Option<&'a [u8]>,
    /// Where the archive's folder is on the web, for torrents; where there are none, the mirrors that the root names.
    pub web_seeds: &'a [String],
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The archive's name.
    pub origin: String,
    /// The size of its log.
    pub size: u64,
    /// Whether it was checked against a root that was given.
    pub anchored: bool,
    /// How many files the export has, and how many bytes.
    pub files: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many files were written now.
    pub written_files: u64,
    /// How many bytes were written now.
    pub written_bytes: u64,
    /// How many timestamps went with it.
    pub timestamps: u64,
    /// The torrents, one a release, where they were asked for.
    pub torrents: Vec<Torrent>,
}

/// Exports an archive. It is verified first, and refused where anything is damaged; a copy is verified again from the disk it was written to.
/// `progress` is told how many bytes of how many are done.
pub fn export(job: &Job<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<Exported> {
    place::check_outside(job.to, job.archive)?;
    let to_file = place::is_file(job.to)?;
    if to_file && job.format == Format::Torrent {
        return Err(ExportError::place(job.to, "torrents are files themselves; name a folder for them"));
    }
    let passes = if job.format == Format::Torrent || to_file { 2 } else { 3 };
    let source = Source::open(job.archive, job.pinned, &mut |done, total| progress(done, passes * total))?;
    let mut pass = Pass { done: source.bytes, total: passes * source.bytes, progress };
    let exported = Exported {
        origin: source.archive.origin().to_owned(),
        size: source.archive.head(),
        anchored: source.anchored,
        files: 0,
        bytes: 0,
        written_files: 0,
        written_bytes: 0,
        timestamps: 0,
        torrents: Vec::new(),
    };
    match (job.format, to_file) {
        (Format::Torrent, _) => torrents(job, &source, exported, &mut pass),
        (_, true) => to_tar(job, &source, exported, &mut pass),
        (_, false) => to_folder(job, &source, exported, &mut pass),
    }
}

/// How far all passes over the bytes have come.
struct Pass<'a> {
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Pass<'_> {
    fn tick(&mut self, bytes: u64) {
        self.done += bytes;
        (self.progress)(self.done.min(self.total), self.total);
    }
}

fn to_folder(job: &Job<'_>, source: &Source, exported: Exported, pass: &mut Pass<'_>) -> Result<Exported> {
    let prefix = prefix(job.format);
    let copy = format!("{prefix}{ARCHIVE}");
    let names: Vec<&str> = match job.format {
        Format::Bag => bag::NAMES.into_iter().chain([bag::PAYLOAD]).collect(),
        _ => readme::NAMES.into_iter().chain([ro_crate::NAME]).collect(),
    };
    let mut folder = Folder::new(job.to)?;
    let earlier = place::examine(job.to, &copy, &names, source)?;
    for path in &earlier.leftovers {
        folder.remove(path)?;
    }
    let mut written = Written::default();
    let timestamps = put_copy(job, source, &mut folder, &mut written, pass)?;
    if earlier.stale_pending {
        folder.remove(&format!("{copy}/{}", paths::CHECKPOINT_PENDING))?;
    }
    folder.settle()?;
    // A crash here leaves a whole copy whose description, if it has one, is of an earlier state.
    crash_point("export.copied");
    if job.format == Format::Bag {
        add_unlisted(job, &mut written)?;
    }
    put_descriptions(job, source, &mut folder, &mut written)?;
    folder.settle()?;
    check_copy(&job.to.join(copy), source, job.pinned, pass)?;
    Ok(told(exported, &written, timestamps, folder.written()))
}

fn to_tar(job: &Job<'_>, source: &Source, exported: Exported, pass: &mut Pass<'_>) -> Result<Exported> {
    let mut tar = Tar::new(job.to)?;
    let mut written = Written::default();
    let timestamps = put_copy(job, source, &mut tar, &mut written, pass)?;
    put_descriptions(job, source, &mut tar, &mut written)?;
    let numbers = tar.finish()?;
    Ok(told(exported, &written, timestamps, numbers))
}

fn torrents(job: &Job<'_>, source: &Source, exported: Exported, pass: &mut Pass<'_>) -> Result<Exported> {
    let mut folder = Folder::new(job.to)?;
    let torrents = torrent::write(source, job.web_seeds, &mut folder, &mut |bytes| pass.tick(bytes))?;
    folder.settle()?;
    let (written_files, written_bytes) = folder.written();
    let bytes = torrents.iter().map(|torrent| torrent.length).sum();
    Ok(Exported { files: torrents.len() as u64, bytes, written_files, written_bytes, torrents, ..exported })
}

fn told(exported: Exported, written: &Written, timestamps: u64, (written_files, written_bytes): (u64, u64)) -> Exported {
    let bytes = written.files().map(|(_, file)| file.length).sum();
    Exported { files: written.files().count() as u64, bytes, written_files, written_bytes, timestamps, ..exported }
}

fn prefix(format: Format) -> String {
    if format == Format::Bag { format!("{}/", bag::PAYLOAD) } else { String::new() }
}

/// Puts the archive and what lies beside it, the checkpoint last. Gives how many timestamps there were.
fn put_copy(job: &Job<'_>, source: &Source, sink: &mut dyn Sink, written: &mut Written, pass: &mut Pass<'_>) -> Result<u64> {
    let prefix = prefix(job.format);
    let mut put = |path: &str, content: Content, sink: &mut dyn Sink, tick: &mut dyn FnMut(u64)| -> Result<()> {
        let digest = sink.put(&format!("{prefix}{path}"), &content, tick)?;
        written.add(path, digest, content.length());
        Ok(())
    };
    let timestamps = timestamp::attached(&source.archive)?;
    let count = timestamps.len() as u64;
    for (place, file) in source.files.iter().enumerate() {
        if file.path == paths::CHECKPOINT {
            // All else is on the disk before the checkpoint speaks of it.
            sink.settle()?;
        }
        let content = Content::File(source.archive.dir().join(&file.path), file.length);
        put(&format!("{ARCHIVE}/{}", file.path), content, sink, &mut |bytes| pass.tick(bytes))?;
        if place > 0 {
            continue;
        }
        // The first root is there: from here on the folder is known to be this archive's.
        sink.settle()?;
        for (name, bytes) in readme::files(&source.archive, job.pinned) {
            put(name, Content::Bytes(bytes), sink, &mut |_| {})?;
        }
        for attached in &timestamps {
            let name = format!("{ARCHIVE}{}/{}", timestamp::ENDING, attached.name());
            put(&name, Content::Bytes(attached.bytes().to_vec()), sink, &mut |_| {})?;
        }
    }
    Ok(count)
}

/// Puts what says what was put: the RO-Crate's description, and a bag's own files.
fn put_descriptions(job: &Job<'_>, source: &Source, sink: &mut dyn Sink, written: &mut Written) -> Result<()> {
    let content = Content::Bytes(ro_crate::describe(&source.archive, written));
    let digest = sink.put(&format!("{}{}", prefix(job.format), ro_crate::NAME), &content, &mut |_| {})?;
    written.add(ro_crate::NAME, digest, content.length());
    if job.format == Format::Bag {
        for (name, bytes) in bag::files(&source.archive, written) {
            sink.put(name, &Content::Bytes(bytes), &mut |_| {})?;
        }
    }
    Ok(())
}

/// A bag lists whatever is in it: tiles of earlier sizes that the archive has no more, and timestamps that others put there.
fn add_unlisted(job: &Job<'_>, written: &mut Written) -> Result<()> {
    let payload = job.to.join(bag::PAYLOAD);
    for file in source::list(&payload)? {
        if !written.has(&file.path) && file.path != ro_crate::NAME {
            let content = Content::File(payload.join(&file.path), file.length);
            let digest = folder::copy(&payload.join(&file.path), &content, &mut std::io::sink(), &mut |_| {})?;
            written.add(&file.path, digest, file.length);
        }
    }
    Ok(())
}

/// Verifies the copy from the disk, as anybody will who gets it.
fn check_copy(copy: &Path, source: &Source, pinned: Option<&[u8]>, pass: &mut Pass<'_>) -> Result<()> {
    source.files.iter().for_each(|file| forget_cached(&copy.join(&file.path)));
    let before = pass.done;
    let report = verify(copy, pinned, &mut |Progress { bytes, .. }| {
        let already = pass.done - before;
        pass.tick(bytes.saturating_sub(already));
    });
    match report.problems.into_iter().next() {
        Some(first) => Err(ExportError::Unreliable { path: copy.join(first.path).display().to_string(), what: first.what }),
        None => Ok(()),
    }
}
