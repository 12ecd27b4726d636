//! From a plain file to one that is sealed under the TPM and back, and what a crash left of either.

use super::disk::{MARK, NEW, OLD, alone, erase, erase_beside, folder, remove, replace};
use super::wrapped::{self, Wrapped};
use super::{Kept, Secrets, plain};
use crate::error::random;
use crate::tpm::Tpm;
use crate::{Error, Result};
use daylight_durable::{crash_point, sync_dir};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

/// Seals a plain file under a key in the TPM. Gives whether it was plain. Whoever does holds the inbox.
pub(crate) fn protect(path: &Path, tpm: &Tpm) -> Result<bool> {
    let _alone = alone(path)?;
    let plain = Secrets::open(path, tpm)?;
    if plain.is_wrapped() {
        return Ok(false);
    }
    let old = path.with_extension(OLD);
    remove(&old)?;
    let bytes = first_key(path, tpm)?.seal(&plain.heading, &plain.places)?;
    // A crash here leaves a key that seals nothing, whose mark is noted.
    crash_point("inbox.key-kept");
    // The old file keeps a name, so that it can be written over also after a crash.
    fs::hard_link(path, &old).map_err(Error::io(&old))?;
    replace(path, &bytes)?;
    // A crash here leaves the old file, which whoever opens the inbox next writes over.
    crash_point("inbox.secrets-sealed");
    erase(&old)?;
    unnote(path)?;
    Ok(true)
}

/// Writes a sealed file as a plain one, and removes its key. Gives whether it was sealed. Whoever does holds the inbox.
pub(crate) fn unprotect(path: &Path, tpm: &Tpm) -> Result<bool> {
    let _alone = alone(path)?;
    let sealed = Secrets::open(path, tpm)?;
    let Kept::Wrapped(wrapped, _) = &sealed.kept else { return Ok(false) };
    note(path, &wrapped.slot.mark)?;
    replace(path, &plain(&sealed.heading, &sealed.places))?;
    // A crash here leaves a key under which old copies open, whose mark is noted.
    crash_point("inbox.secrets-plain");
    tpm.destroy(wrapped.slot.handle, &wrapped.slot.mark)?;
    unnote(path)?;
    Ok(true)
}

/// The first key of a file that does not name one yet. Its mark is drawn, so that no copy of a desk takes another's keys for its own, and noted beside the file, so that the key is known if a crash leaves it.
pub(super) fn first_key(path: &Path, tpm: &Tpm) -> Result<Wrapped> {
    if let Some(mark) = noted(path)? {
        forget(tpm, &tpm.ours()?, &[mark], None)?;
    }
    let mark = random()?;
    note(path, &mark)?;
    // A crash here leaves a note of a key that is not there.
    crash_point("inbox.mark-noted");
    Wrapped::new(tpm, &mark)
}

/// Notes beside a file the mark of a key that the file does not name yet, or not any more.
fn note(path: &Path, mark: &[u8; 32]) -> Result<()> {
    let beside = path.with_extension(MARK);
    remove(&beside)?;
    let mut file = File::create_new(&beside).map_err(Error::io(&beside))?;
    file.write_all(mark).and_then(|()| file.sync_all()).map_err(Error::io(&beside))?;
    sync_dir(folder(path)).map_err(Error::io(&beside))
}

/// The mark that is noted beside a file. What was torn was noted before there was a key.
fn noted(path: &Path) -> Result<Option<[u8; 32]>> {
    let beside = path.with_extension(MARK);
    match fs::read(&beside) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => Ok(read.map_err(Error::io(&beside))?.try_into().ok()),
    }
}

/// The file names its key, or the key is gone.
pub(super) fn unnote(path: &Path) -> Result<()> {
    remove(&path.with_extension(MARK))?;
    sync_dir(folder(path)).map_err(Error::io(path))
}

/// Whether a file is sealed under a key in the TPM.
pub(crate) fn is_wrapped(path: &Path) -> Result<bool> {
    let mut start = [0; wrapped::FORMAT.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map_err(Error::io(path)).map(|()| start == *wrapped::FORMAT),
    }
}

/// Finishes what a crash interrupted: what stood beside the file is written over and removed, and so is every key of `ours` with the mark that the file has, or that is noted beside it, but
/// the one under which it is sealed now. Only once that one was seen to open the file, so that an older copy of it takes nobody's key. Whoever does holds the inbox.
pub(crate) fn settle(path: &Path, tpm: &Tpm, ours: &[(u32, [u8; 32])]) -> Result<()> {
    let _alone = alone(path)?;
    erase_beside(path, NEW)?;
    erase_beside(path, OLD)?;
    let named = match path.exists().then(|| Secrets::open(path, tpm)).transpose()? {
        Some(Secrets { kept: Kept::Wrapped(wrapped, _), .. }) => Some(wrapped.slot),
        _ => None,
    };
    let marks: Vec<[u8; 32]> = named.iter().map(|slot| slot.mark).chain(noted(path)?).collect();
    forget(tpm, ours, &marks, named.map(|slot| slot.handle))?;
    if path.with_extension(MARK).exists() { unnote(path) } else { Ok(()) }
}

/// Removes the keys with these marks, but for the one under which a file is sealed.
fn forget(tpm: &Tpm, ours: &[(u32, [u8; 32])], marks: &[[u8; 32]], named: Option<u32>) -> Result<()> {
    let left = ours.iter().filter(|(handle, mark)| marks.contains(mark) && named != Some(*handle));
    left.into_iter().try_for_each(|(handle, mark)| Ok(tpm.destroy(*handle, mark)?))
}
