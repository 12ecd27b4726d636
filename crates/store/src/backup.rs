//! Copying a desk while it is in use, and making a desk of the copy again.
//!
//! ```text
//! TO/BACKUP            says in words what this is
//! TO/manifest          what the backup consists of, with digests; replaced as the last step, so that a killed backup leaves the earlier one
//! TO/state/<n>/        the catalogue, the settings and the keys of the n-th backup
//! TO/pack/<n>          as on the desk, up to the length that the manifest says
//! TO/blob/ab/<64 hex>  as on the desk
//! ```
//! `inbox/` is never copied: a copy of a key that is destroyed here would keep what it opens. The catalogue is copied first, as it is at one moment; what it names was durable before and is never changed, so it can be copied while others go
//! on. What an earlier backup has already is not copied again, and what the desk has forgotten since is removed once the manifest does not name it.

mod manifest;
mod restore;

use crate::blobs::file_path;
use crate::codec::uint;
use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::leftovers::unnamed_files;
use crate::records::pack_lengths;
use daylight_durable::{AppendFile, Lock, crash_point, sync_dir, write_atomic};
use daylight_model::{Digest, Hasher};
use manifest::{Manifest, Piece, StateFile};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const WORDS: &str = "A backup of a Daylight desk. It holds everything that the desk does but its inbox, unpublished documents and keys among it: keep it as safe.\n\
                     Make a desk of it again with: daylight restore THIS-FOLDER NEW-DESK\n";
/// Files of the desk's folder that are copied as they are.
const FILES: [&str; 5] = ["daylight.toml", "log.key", "log.key.signed", "log.key.next", "log.key.next.signed"];
/// How much of the end of a pack is compared to see that it is the same pack.
const TAIL: u64 = 64 << 10;
const BUFFER: usize = 1 << 20;

/// What a backup did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Documents that the desk has.
    pub documents: u64,
    /// Bytes that the backup consists of.
    pub bytes: u64,
    /// Bytes that were copied this time.
    pub copied: u64,
    /// Files of earlier backups that were removed, because the desk has forgotten what they held or they are out of date.
    pub removed: u64,
    /// Large files that are damaged or gone on the desk, and not in the backup either.
    pub missing: Vec<Digest>,
}

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made, in seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// Bytes that were copied, every one of them checked.
    pub bytes: u64,
    /// Large files that were damaged when the backup was made.
    pub missing: Vec<Digest>,
}

impl Desk {
    /// Copies the desk to a folder that is new, empty, or an earlier backup of this desk. `now` is seconds since 1970-01-01T00:00:00Z.
    pub fn backup(&self, to: &Path, now: u64, progress: &mut dyn FnMut(u64, u64)) -> Result<BackedUp> {
        let _whole = Lock::take(&self.root.join("backup.lease"), "backup").map_err(Error::lock)?;
        let to = prepare(&self.root, to)?;
        let _alone = Lock::take(&to.join("backup.lock"), "backup").map_err(Error::lock)?;
        let earlier = Manifest::read(&to)?;
        if let Some(earlier) = &earlier {
            self.must_be_of_this_desk(earlier, &to)?;
        }
        let mut backup = Backup { desk: self, to: &to, done: BackedUp::default(), total: 0, progress };
        let state = earlier.as_ref().map_or(0, |earlier| earlier.state) + 1;
        let (files, copy) = backup.state(state, earlier.as_ref())?;
        crash_point("backup.state");
        let mut manifest = Manifest { time: now, state, files, ..Manifest::default() };
        backup.total = total(&copy)?;
        backup.packs(&copy, earlier.as_ref(), &mut manifest)?;
        crash_point("backup.packs");
        backup.blobs(&copy, &mut manifest)?;
        crash_point("backup.blobs");
        let path = to.join("manifest");
        write_atomic(&path, manifest.to_text().as_bytes()).map_err(Error::io(&path))?;
        crash_point("backup.manifest");
        backup.clean(state, &copy)?;
        crash_point("backup.cleaned");
        let mut done = backup.done;
        done.documents = uint(copy.query_row("SELECT COUNT(*) FROM document", [], |row| row.get(0))?);
        done.missing = manifest.missing;
        Ok(done)
    }
}

impl Desk {
    /// Refuses to go on with a backup whose packs are not the beginnings of this desk's: it is another's, or this one was restored from an earlier backup.
    fn must_be_of_this_desk(&self, earlier: &Manifest, to: &Path) -> Result<()> {
        let lengths = pack_lengths(&self.connection)?;
        for pieces in earlier.pieces.chunk_by(|a, b| a.pack == b.pack) {
            let Some(last) = pieces.last() else { continue };
            let have = last.offset + last.length;
            // One that is gone from the desk was forgotten in: the next manifest does not name it.
            let Some(length) = lengths.get(&last.pack) else { continue };
            let copy = to.join("pack").join(last.pack.to_string());
            if *length < have || !same_tail(&*self.packs.file(last.pack)?, &copy, have)? {
                let what = "holds a backup of another desk, or of another course of this one: choose another folder";
                return Err(Error::Refused(format!("{} {what}", to.display())));
            }
        }
        Ok(())
    }
}

struct Backup<'a> {
    desk: &'a Desk,
    to: &'a Path,
    done: BackedUp,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Backup<'_> {
    fn has(&mut self, bytes: u64) {
        self.done.bytes += bytes;
        (self.progress)(self.done.bytes, self.total);
    }

    /// The catalogue at one moment, the settings and the keys, into a folder of their own.
    fn state(&mut self, state: u64, earlier: Option<&Manifest>) -> Result<(Vec<StateFile>, Connection)> {
        let all = self.to.join("state");
        // What a killed backup left.
        self.done.removed += remove_states(&all, earlier.map_or(0, |earlier| earlier.state))?;
        let folder = all.join(state.to_string());
        make_folder(&folder)?;
        let catalogue = folder.join("catalogue.sqlite");
        let name = catalogue
            .to_str()
            .ok_or_else(|| Error::Refused(format!("{} cannot be named to SQLite: choose a path of plain text", self.to.display())))?;
        self.desk.connection.execute("VACUUM INTO ?1", [name])?;
        let copy = Connection::open_with_flags(&catalogue, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // So that nothing is ever left beside it.
        copy.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")?;
        let mut files = vec![seal(&catalogue, "catalogue.sqlite", 0o600)?];
        for name in FILES {
            let from = self.desk.root.join(name);
            let bytes = match fs::read(&from) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(&from)(error)),
            };
            let mode = fs::metadata(&from).map_err(Error::io(&from))?.permissions().mode() & 0o777;
            let path = folder.join(name);
            create(&path, mode)?.write_all(&bytes).map_err(Error::io(&path))?;
            files.push(seal(&path, name, mode)?);
        }
        for folder in [&folder, &all] {
            sync_dir(folder).map_err(Error::io(folder))?;
        }
        let bytes = files.iter().map(|file| file.length).sum();
        self.done.copied += bytes;
        self.has(bytes);
        Ok((files, copy))
    }

    fn packs(&mut self, copy: &Connection, earlier: Option<&Manifest>, manifest: &mut Manifest) -> Result<()> {
        let mut statement = copy.prepare("SELECT number, length FROM pack WHERE length > 0 ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (number, length) = (uint(row.get(0)?), uint(row.get(1)?));
            let mut pieces: Vec<Piece> = earlier.map(|earlier| earlier.pieces_of(number)).unwrap_or_default();
            let have = pieces.last().map_or(0, |piece| piece.offset + piece.length);
            let file = self.desk.packs.file(number)?;
            let path = self.to.join("pack").join(number.to_string());
            let mut target = AppendFile::open(&path).map_err(Error::io(&path))?;
            target
                .truncate_to(have)
                .map_err(|error| Error::damaged(path.display().to_string(), format!("{error}; make a backup into another folder")))?;
            // The desk's packs only grow: where it has no more, it has the same.
            if length > have {
                let mut hasher = Hasher::default();
                copy_range(&file, have, length - have, &mut |bytes| {
                    hasher.update(bytes);
                    target.append(bytes).map(|_| ())
                })
                .map_err(|error| {
                    Error::damaged(self.desk.root.join("pack").join(number.to_string()).display().to_string(), error.to_string())
                })?;
                target.sync().map_err(Error::io(&path))?;
                pieces.push(Piece { pack: number, offset: have, length: length - have, digest: hasher.finish() });
                self.done.copied += length - have;
                crash_point("backup.pack");
            }
            manifest.pieces.extend(pieces);
            self.has(length);
        }
        let folder = self.to.join("pack");
        sync_dir(&folder).map_err(Error::io(&folder))
    }

    fn blobs(&mut self, copy: &Connection, manifest: &mut Manifest) -> Result<()> {
        let mut statement = copy.prepare("SELECT digest, length FROM blob WHERE pack IS NULL AND of IS NULL ORDER BY digest")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (digest, length) = (Digest(row.get(0)?), uint(row.get(1)?));
            let path = file_path(self.to, &digest);
            // A file gets its name when it is whole.
            if fs::metadata(&path).is_ok_and(|about| about.len() == length) || self.blob(&digest, length, &path)? {
                manifest.blobs.push((digest, length));
                self.has(length);
            } else {
                manifest.missing.push(digest);
            }
        }
        let folder = self.to.join("blob");
        sync_dir(&folder).map_err(Error::io(&folder))
    }

    /// Copies a large file; false if the desk has not the bytes that it should have.
    fn blob(&mut self, digest: &Digest, length: u64, path: &Path) -> Result<bool> {
        let Ok(from) = File::open(file_path(&self.desk.root, digest)) else { return Ok(false) };
        let part = self.to.join("blob/tmp/part");
        let mut file = create(&part, 0o600)?;
        let mut hasher = Hasher::default();
        let mut failed = None;
        let copied = copy_range(&from, 0, length, &mut |bytes| {
            hasher.update(bytes);
            file.write_all(bytes).inspect_err(|error| failed = Some(error.kind()))
        });
        if let (Err(error), true) = (&copied, failed.is_some()) {
            return Err(Error::io(&part)(io::Error::new(error.kind(), error.to_string())));
        }
        if copied.is_err() || hasher.finish() != *digest {
            fs::remove_file(&part).map_err(Error::io(&part))?;
            return Ok(false);
        }
        file.sync_all().map_err(Error::io(&part))?;
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
            fs::rename(&part, path).map_err(Error::io(path))?;
            sync_dir(folder).map_err(Error::io(folder))?;
        }
        self.done.copied += length;
        crash_point("backup.blob");
        Ok(true)
    }

    /// Removes what the manifest does not name: the earlier state, and what the desk has forgotten since.
    fn clean(&mut self, state: u64, copy: &Connection) -> Result<()> {
        for path in unnamed_files(self.to, copy)? {
            fs::remove_file(&path).map_err(Error::io(&path))?;
            self.done.removed += 1;
        }
        self.done.removed += remove_states(&self.to.join("state"), state)?;
        let part = self.to.join("blob/tmp/part");
        if part.exists() {
            fs::remove_file(&part).map_err(Error::io(&part))?;
        }
        Ok(())
    }
}

/// Makes the folder, or sees that it is a backup; and that neither lies in the other.
fn prepare(desk: &Path, to: &Path) -> Result<PathBuf> {
    make_folder(to)?;
    let to = fs::canonicalize(to).map_err(Error::io(to))?;
    if to.starts_with(desk) || desk.starts_with(&to) {
        return Err(Error::Refused(format!(
            "{} lies in the desk, or the desk in it: choose another folder, best on another disk",
            to.display()
        )));
    }
    let words = to.join("BACKUP");
    if !words.exists() {
        let mut entries = fs::read_dir(&to).map_err(Error::io(&to))?.collect::<io::Result<Vec<_>>>().map_err(Error::io(&to))?;
        entries.retain(|entry| entry.file_name() != ".BACKUP.tmp");
        if !entries.is_empty() {
            return Err(Error::Refused(format!("{} is not empty and no backup: choose an empty or new folder", to.display())));
        }
        fs::set_permissions(&to, fs::Permissions::from_mode(0o700)).map_err(Error::io(&to))?;
        write_atomic(&words, WORDS.as_bytes()).map_err(Error::io(&words))?;
    }
    for folder in ["pack", "blob", "blob/tmp", "state"] {
        make_folder(&to.join(folder))?;
    }
    Ok(to)
}

fn total(copy: &Connection) -> Result<u64> {
    let sql = "SELECT COALESCE((SELECT SUM(length) FROM pack), 0) + COALESCE((SELECT SUM(length) FROM blob WHERE pack IS NULL AND of IS NULL), 0)";
    Ok(uint(copy.query_row(sql, [], |row| row.get(0))?))
}

/// Removes all states but one.
fn remove_states(folder: &Path, keep: u64) -> Result<u64> {
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.file_name().is_none_or(|name| *name != *keep.to_string()) {
            fs::remove_dir_all(&path).map_err(Error::io(&path))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether the copy of a pack ends as the pack does at that place.
fn same_tail(pack: &File, copy: &Path, end: u64) -> Result<bool> {
    let length = end.min(TAIL);
    let copy = File::open(copy).map_err(Error::io(copy))?;
    let read = |file: &File| {
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, end - length).map(|()| bytes)
    };
    Ok(matches!((read(pack), read(&copy)), (Ok(one), Ok(other)) if one == other))
}

fn copy_range(from: &File, mut offset: u64, length: u64, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let end = offset + length;
    let mut buffer = vec![0; BUFFER.min(usize::try_from(length).unwrap_or(BUFFER))];
    while offset < end {
        let count = buffer.len().min(usize::try_from(end - offset).unwrap_or(usize::MAX));
        from.read_exact_at(&mut buffer[..count], offset)?;
        take(&buffer[..count])?;
        offset += count as u64;
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io(path))
}

/// A new file with this mode, whatever was there before.
fn create(path: &Path, mode: u32) -> Result<File> {
    let file = File::options().write(true).create(true).truncate(true).mode(mode).open(path).map_err(Error::io(path))?;
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(Error::io(path))?;
    Ok(file)
}

/// Makes a file durable and says what it is.
fn seal(path: &Path, name: &str, mode: u32) -> Result<StateFile> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    file.sync_all().map_err(Error::io(path))?;
    let (mut hasher, mut length, mut buffer) = (Hasher::default(), 0, vec![0; BUFFER]);
    loop {
        let count = file.read(&mut buffer).map_err(Error::io(path))?;
        if count == 0 {
            return Ok(StateFile { name: name.to_owned(), mode, length, digest: hasher.finish() });
        }
        hasher.update(&buffer[..count]);
        length += count as u64;
    }
}
