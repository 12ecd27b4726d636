//! A file of secrets, each in a place of its own, so that one can be destroyed without the others.
//!
//! ```text
//! daylight-secrets/v1 LF ‖ length of the heading (u32 big-endian) ‖ heading ‖ places, each a tag (u32 big-endian) ‖ 32 bytes
//! daylight-secrets/v2 LF ‖ length of the heading ‖ heading ‖ where its key is in the TPM ‖ nonce ‖ places, sealed
//! ```
//! A place of zeros is free. In the first form a secret is destroyed where it stands, by writing zeros over it and syncing. On a spinning disk that is the end of it; a flash disk may
//! keep the old block out of everybody's sight but a laboratory's, so without a disk that is encrypted under a key which is destroyed too, this is
//! *logical* deletion, and the newsroom is told so.
//!
//! In the second form, where the machine has a TPM and somebody asked for it ([`protect`]), the file is written anew under a new key, and then the old key is removed from the chip:
//! whatever old blocks a disk keeps are sealed under keys that nobody has.

mod convert;
mod disk;
mod parse;
mod wrapped;

#[cfg(test)]
mod tests;

use crate::tpm::Tpm;
use crate::{Error, Result};
pub(crate) use convert::{is_wrapped, protect, settle, unprotect};
use daylight_durable::{crash_point, sync_dir};
use disk::{alone, folder, read, replace, write_beside};
use parse::Rest;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use wrapped::{Opened, Wrapped};
use zeroize::Zeroizing;

const FORMAT: &[u8] = b"daylight-secrets/v1\n";

/// A place: tag and secret.
const PLACE: usize = 36;

/// A file that others renew at the same moment is read again so often.
const TRIES: u32 = 10;

/// The file, open. Whoever adds to it holds the inbox's lock.
pub(crate) struct Secrets {
    path: PathBuf,
    heading: Vec<u8>,
    places: Zeroizing<Vec<u8>>,
    kept: Kept,
}

enum Kept {
    /// As they are, in this file.
    Plain(File),
    /// Sealed; whether something was added since.
    Wrapped(Wrapped, bool),
}

impl Secrets {
    /// Makes the file with its heading, sealed under a new key where a TPM is given. It must not exist.
    pub(crate) fn create(path: &Path, heading: &[u8], tpm: Option<&Tpm>) -> Result<Self> {
        let _alone = alone(path)?;
        let bytes = match tpm {
            None => plain(heading, &[]).to_vec(),
            // Before anything is asked of the chip: never over another, there may be keys in it.
            Some(_) if path.exists() => return Err(Error::io(path)(ErrorKind::AlreadyExists.into())),
            Some(tpm) => convert::first_key(path, tpm)?.seal(heading, &[])?,
        };
        let beside = write_beside(path, &bytes)?;
        fs::hard_link(&beside, path).map_err(Error::io(path))?;
        fs::remove_file(&beside).map_err(Error::io(&beside))?;
        sync_dir(folder(path)).map_err(Error::io(path))?;
        if let Some(tpm) = tpm {
            convert::unnote(path)?;
            return Self::open(path, tpm);
        }
        let (file, bytes) = read(path)?;
        Self::open_plain(path, file, &bytes)
    }

    /// Opens the file. What a crash tore at the end of a plain one was never told to anybody, and is free.
    pub(crate) fn open(path: &Path, tpm: &Tpm) -> Result<Self> {
        let mut before = Zeroizing::new(Vec::new());
        for _ in 0..TRIES {
            let (file, bytes) = read(path)?;
            if !bytes.starts_with(wrapped::FORMAT) {
                return Self::open_plain(path, file, &bytes);
            }
            if let Some(Opened { heading, places, wrapped }) = Wrapped::open(path, &bytes, tpm)? {
                return Ok(Self { path: path.to_owned(), heading, places, kept: Kept::Wrapped(wrapped, false) });
            }
            // Its key may have been renewed between the two readings.
            if bytes == before {
                break;
            }
            before = bytes;
        }
        let what = "the TPM of this machine has no key for it: it was cleared, or is not the one under which the file was sealed, or the file is an older copy";
        let then = "nothing else opens it: where the right machine or file is gone, move it away and make new keys";
        Err(Error::Refused(format!("{}: {what}; {then}", path.display())))
    }

    fn open_plain(path: &Path, file: File, bytes: &[u8]) -> Result<Self> {
        let mut rest = Rest::of(path, bytes, FORMAT)?;
        let (heading, places) = (rest.heading()?.to_vec(), rest.all());
        let whole = places.len() / PLACE * PLACE;
        Ok(Self { path: path.to_owned(), heading, places: Zeroizing::new(places[..whole].to_vec()), kept: Kept::Plain(file) })
    }

    /// What it was made with.
    pub(crate) fn heading(&self) -> &[u8] {
        &self.heading
    }

    /// Every secret with its place and its tag.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, u32, &[u8; 32])> {
        let places = (0u32..).zip(self.places.chunks_exact(PLACE)).filter(|(_, place)| place[4..] != [0; 32]);
        places.filter_map(|(number, place)| {
            let (tag, secret) = place.split_first_chunk::<4>()?;
            Some((number, u32::from_be_bytes(*tag), secret.try_into().ok()?))
        })
    }

    /// The secret at a place.
    pub(crate) fn get(&self, place: u32) -> Option<&[u8; 32]> {
        let at = place as usize * PLACE;
        let secret: &[u8; 32] = self.places.get(at + 4..at + PLACE)?.try_into().ok()?;
        (*secret != [0; 32]).then_some(secret)
    }

    /// Whether it is sealed under a key in the TPM.
    pub(crate) fn is_wrapped(&self) -> bool {
        matches!(self.kept, Kept::Wrapped(..))
    }

    /// Keeps a secret, which is durable after the next [`sync`](Self::sync), and gives its place.
    pub(crate) fn add_later(&mut self, tag: u32, secret: &[u8; 32]) -> Result<u32> {
        let free = self.places.chunks_exact(PLACE).position(|place| place[4..] == [0; 32]);
        let place = free.unwrap_or(self.places.len() / PLACE);
        let mut bytes = Zeroizing::new([0; PLACE]);
        bytes[..4].copy_from_slice(&tag.to_be_bytes());
        bytes[4..].copy_from_slice(secret);
        self.write(place as u32, &bytes)?;
        Ok(place as u32)
    }

    /// Makes durable what was added. A sealed file is written anew under the key that it has: old copies of it hold nothing that was destroyed.
    pub(crate) fn sync(&mut self) -> Result<()> {
        match &mut self.kept {
            Kept::Plain(file) => file.sync_all().map_err(Error::io(&self.path)),
            Kept::Wrapped(_, false) => Ok(()),
            Kept::Wrapped(wrapped, changed) => {
                let _alone = alone(&self.path)?;
                let (_, bytes) = read(&self.path)?;
                if !bytes.starts_with(wrapped::FORMAT) || wrapped::head(&self.path, &bytes)?.2 != wrapped.nonce {
                    let what = "was changed by another process meanwhile; nothing was added to it: do it again";
                    return Err(Error::Refused(format!("{} {what}", self.path.display())));
                }
                replace(&self.path, &wrapped.seal(&self.heading, &self.places)?)?;
                *changed = false;
                Ok(())
            }
        }
    }

    /// Destroys the secrets at these places, all of them at once. Twice does no harm.
    pub(crate) fn destroy(&mut self, places: &[u32]) -> Result<()> {
        let there: Vec<u32> = places.iter().copied().filter(|place| self.get(*place).is_some()).collect();
        if there.is_empty() {
            return Ok(());
        }
        match &self.kept {
            Kept::Plain(_) => {
                // A crash between two leaves some destroyed; the rest are by whoever opens it next.
                there.iter().try_for_each(|place| self.write(*place, &[0; PLACE]))?;
                self.sync()?;
            }
            Kept::Wrapped(wrapped, _) => {
                let tpm = wrapped.tpm.clone();
                self.sync()?;
                self.renew(&there, &tpm)?;
            }
        }
        // A crash here leaves a secret destroyed that something still names: whoever opens the inbox next finishes what was begun.
        crash_point("inbox.secret-destroyed");
        Ok(())
    }

    /// Writes the file anew without these secrets, under a new key, and then removes the old key: from then on what the disk keeps of the file as it was is worthless.
    fn renew(&mut self, without: &[u32], tpm: &Tpm) -> Result<()> {
        let _alone = alone(&self.path)?;
        // As it is now: somebody else may have destroyed what was due, too.
        let mut now = Self::open(&self.path, tpm)?;
        for place in without {
            if now.place(*place) == self.place(*place) {
                now.put(*place, &[0; PLACE]);
            }
        }
        let Kept::Wrapped(old, _) = &now.kept else {
            return Err(Error::Refused(format!("{} was changed by another process meanwhile: do it again", self.path.display())));
        };
        let mut new = Wrapped::new(tpm, &old.slot.mark)?;
        // A crash up to here leaves the file as it was, and a key that seals nothing: whoever opens the inbox next removes it.
        crash_point("inbox.key-kept");
        replace(&self.path, &new.seal(&now.heading, &now.places)?)?;
        // A crash here leaves the new file, and the old key, under which old copies still open: whoever opens the inbox next removes it before anything else.
        crash_point("inbox.secrets-replaced");
        tpm.destroy(old.slot.handle, &old.slot.mark)?;
        now.kept = Kept::Wrapped(new, false);
        *self = now;
        Ok(())
    }

    fn place(&self, place: u32) -> Option<&[u8]> {
        let at = place as usize * PLACE;
        self.places.get(at..at + PLACE)
    }

    fn write(&mut self, place: u32, bytes: &[u8; PLACE]) -> Result<()> {
        match &mut self.kept {
            Kept::Plain(file) => {
                let begin = FORMAT.len() + 4 + self.heading.len() + place as usize * PLACE;
                file.write_all_at(bytes, begin as u64).map_err(Error::io(&self.path))?;
            }
            Kept::Wrapped(_, changed) => *changed = true,
        }
        self.put(place, bytes);
        Ok(())
    }

    fn put(&mut self, place: u32, bytes: &[u8; PLACE]) {
        let at = place as usize * PLACE;
        if at == self.places.len() {
            let mut longer = Zeroizing::new(Vec::with_capacity(at + PLACE));
            longer.extend_from_slice(&self.places);
            longer.extend_from_slice(bytes);
            self.places = longer;
        } else {
            self.places[at..at + PLACE].copy_from_slice(bytes);
        }
    }
}

fn plain(heading: &[u8], places: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(FORMAT.len() + 4 + heading.len() + places.len()));
    bytes.extend_from_slice(FORMAT);
    bytes.extend_from_slice(&(heading.len() as u32).to_be_bytes());
    bytes.extend_from_slice(heading);
    bytes.extend_from_slice(places);
    bytes
}
