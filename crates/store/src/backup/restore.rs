//! Making a desk of a backup, every byte of which is checked on the way.

use super::manifest::{Manifest, Piece, StateFile};
use super::{Restored, copy_range, create, make_folder};
use crate::blobs::file_path;
use crate::desk::Desk;
use crate::error::{Error, Result};
use daylight_durable::{Lock, crash_point, sync_dir, write_atomic};
use daylight_model::{Digest, Hasher};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// A folder in which a restore was begun and not finished has this file.
const BEGUN: &str = "RESTORING";

impl Desk {
    /// Makes a desk in a folder that is empty or does not exist of the backup in another. `daylight.toml` is written last: until then there is no desk,
    /// and a restore that was killed is begun anew.
    pub fn restore(from: &Path, root: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(Self, Restored)> {
        let none = || Error::Refused(format!("{} holds no finished backup: name the folder that `daylight backup` wrote", from.display()));
        if !from.join("BACKUP").exists() {
            return Err(none());
        }
        let _alone = Lock::take(&from.join("backup.lock"), "restore").map_err(Error::lock)?;
        let manifest = Manifest::read(from)?.ok_or_else(none)?;
        begin(root)?;
        let mut restore =
            Restore { from, root, done: Restored { time: manifest.time, ..Restored::default() }, total: total(&manifest), progress };
        for pieces in manifest.pieces.chunk_by(|a, b| a.pack == b.pack) {
            restore.pack(pieces)?;
            crash_point("restore.pack");
        }
        for (digest, length) in &manifest.blobs {
            restore.blob(digest, *length)?;
            crash_point("restore.blob");
        }
        for folder in ["pack", "blob"] {
            let folder = root.join(folder);
            sync_dir(&folder).map_err(Error::io(&folder))?;
        }
        let state = from.join("state").join(manifest.state.to_string());
        for file in manifest.files.iter().filter(|file| file.name != "daylight.toml") {
            restore.file(&state, file)?;
        }
        sync_dir(root).map_err(Error::io(root))?;
        crash_point("restore.state");
        let settings = manifest.files.iter().find(|file| file.name == "daylight.toml").ok_or_else(none)?;
        let (source, path) = (state.join(&settings.name), root.join("daylight.toml"));
        let bytes = fs::read(&source).map_err(Error::io(&source))?;
        if Digest::of(&bytes) != settings.digest {
            return Err(differs(&source));
        }
        write_atomic(&path, &bytes).map_err(Error::io(&path))?;
        crash_point("restore.settings");
        let begun = root.join(BEGUN);
        fs::remove_file(&begun).map_err(Error::io(&begun))?;
        restore.done.missing = manifest.missing;
        Ok((Self::open(root)?, restore.done))
    }
}

fn begin(root: &Path) -> Result<()> {
    if root.join("daylight.toml").exists() {
        return Err(Error::AlreadyADesk(root.to_owned()));
    }
    make_folder(root)?;
    let begun = root.join(BEGUN);
    if !begun.exists() {
        for entry in fs::read_dir(root).map_err(Error::io(root))? {
            if entry.map_err(Error::io(root))?.file_name() != *format!(".{BEGUN}.tmp") {
                return Err(Error::NotEmpty(root.to_owned()));
            }
        }
        write_atomic(&begun, b"A restore that was begun here has not ended: run it again, or delete this folder.\n")
            .map_err(Error::io(&begun))?;
    }
    ["pack", "blob", "blob/tmp", "index"].iter().try_for_each(|folder| make_folder(&root.join(folder)))
}

fn total(manifest: &Manifest) -> u64 {
    let sizes = manifest.pieces.iter().map(|piece| piece.length).chain(manifest.blobs.iter().map(|(_, length)| *length));
    sizes.chain(manifest.files.iter().map(|file| file.length)).sum()
}

fn differs(path: &Path) -> Error {
    Error::damaged(path.display().to_string(), "its bytes are not those that the backup's manifest names: use another backup")
}

struct Restore<'a> {
    from: &'a Path,
    root: &'a Path,
    done: Restored,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Restore<'_> {
    fn pack(&mut self, pieces: &[Piece]) -> Result<()> {
        let Some(first) = pieces.first() else { return Ok(()) };
        let name = format!("pack/{}", first.pack);
        let source = self.from.join(&name);
        let from = File::open(&source).map_err(Error::io(&source))?;
        let path = self.root.join(&name);
        let mut to = create(&path, 0o600)?;
        for piece in pieces {
            self.part(&source, &from, &mut to, (piece.offset, piece.length), &piece.digest)?;
        }
        to.sync_all().map_err(Error::io(&path))
    }

    fn blob(&mut self, digest: &Digest, length: u64) -> Result<()> {
        let (source, path) = (file_path(self.from, digest), file_path(self.root, digest));
        let from = File::open(&source).map_err(Error::io(&source))?;
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let mut to = create(&path, 0o600)?;
        self.part(&source, &from, &mut to, (0, length), digest)?;
        to.sync_all().map_err(Error::io(&path))
    }

    fn file(&mut self, state: &Path, file: &StateFile) -> Result<()> {
        let (source, path) = (state.join(&file.name), self.root.join(&file.name));
        let from = File::open(&source).map_err(Error::io(&source))?;
        let mut to = create(&path, file.mode)?;
        self.part(&source, &from, &mut to, (0, file.length), &file.digest)?;
        to.sync_all().map_err(Error::io(&path))
    }

    /// Copies a range, and checks that it was what the manifest says.
    fn part(&mut self, source: &Path, from: &File, to: &mut File, (offset, length): (u64, u64), digest: &Digest) -> Result<()> {
        let mut hasher = Hasher::default();
        let mut failed = None;
        let copied = copy_range(from, offset, length, &mut |bytes| {
            hasher.update(bytes);
            to.write_all(bytes).inspect_err(|error| failed = Some(std::io::Error::new(error.kind(), error.to_string())))
        });
        if let Some(error) = failed {
            return Err(Error::io(self.root)(error));
        }
        if copied.is_err() || hasher.finish() != *digest {
            return Err(differs(source));
        }
        self.done.bytes += length;
        (self.progress)(self.done.bytes, self.total);
        Ok(())
    }
}
