//! A file of secrets, each in a place of its own, so that one can be destroyed where it stands without writing the others anew.
//!
//! ```text
//! daylight-secrets/v1 LF ‖ length of the heading (u32 big-endian) ‖ heading ‖ places, each a tag (u32 big-endian) ‖ 32 bytes
//! ```
//! A place of zeros is free. A secret is destroyed by writing zeros over it and syncing. On a spinning disk that is the end of it; a flash disk may
//! keep the old block out of everybody's sight but a laboratory's, so without a disk that is encrypted under a key which is destroyed too, this is
//! *logical* deletion, and the newsroom is told so.

use crate::{Error, Result};
use daylight_durable::{crash_point, sync_dir};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const FORMAT: &[u8] = b"daylight-secrets/v1\n";

/// A place: tag and secret.
const PLACE: usize = 36;

/// The longest heading, and the longest file, in bytes: 1,000,000 places.
const MAX_HEADING: usize = 4096;
const MAX_FILE: u64 = 36_000_000 + 8192;

/// The file, open. Whoever changes it holds the inbox's lock.
pub(crate) struct Secrets {
    path: PathBuf,
    file: File,
    heading: Vec<u8>,
    places: Zeroizing<Vec<u8>>,
}

impl Secrets {
    /// Makes the file with its heading. It must not exist.
    pub(crate) fn create(path: &Path, heading: &[u8]) -> Result<Self> {
        let beside = path.with_extension("new");
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&beside)(error)),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(Error::io(&beside))?;
        let bytes = [FORMAT, &(heading.len() as u32).to_be_bytes(), heading].concat();
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(Error::io(&beside))?;
        // Never over another: there may be keys in it.
        std::fs::hard_link(&beside, path).map_err(Error::io(path))?;
        std::fs::remove_file(&beside).map_err(Error::io(&beside))?;
        sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(Error::io(path))?;
        Self::open(path)
    }

    /// Opens the file. What a crash tore at its end was never told to anybody, and is free.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(Error::io(path))?;
        let length = file.metadata().map_err(Error::io(path))?.len();
        if length > MAX_FILE {
            return Err(Error::damaged(path, "it is longer than any such file"));
        }
        // As long as it will get: a buffer that grows leaves copies of secrets behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize + 1));
        (&file).take(length).read_to_end(&mut bytes).map_err(Error::io(path))?;
        let rest = bytes.strip_prefix(FORMAT).ok_or_else(|| Error::damaged(path, "it is no file of secrets"))?;
        let (heading_length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| Error::damaged(path, "it is cut off"))?;
        let heading_length = u32::from_be_bytes(*heading_length) as usize;
        if heading_length > MAX_HEADING || heading_length > rest.len() {
            return Err(Error::damaged(path, "its heading is cut off"));
        }
        let (heading, places) = rest.split_at(heading_length);
        let whole = places.len() / PLACE * PLACE;
        Ok(Self { path: path.to_owned(), file, heading: heading.to_vec(), places: Zeroizing::new(places[..whole].to_vec()) })
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

    /// Keeps a secret, and gives its place once it is durable.
    pub(crate) fn add(&mut self, tag: u32, secret: &[u8; 32]) -> Result<u32> {
        let place = self.add_later(tag, secret)?;
        self.sync()?;
        Ok(place)
    }

    /// Makes durable what was added.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(Error::io(&self.path))
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

    /// Destroys the secret at a place: zeros are written over it and synced. Twice does no harm.
    pub(crate) fn destroy(&mut self, place: u32) -> Result<()> {
        if self.get(place).is_none() {
            return Ok(());
        }
        self.write(place, &[0; PLACE])?;
        self.sync()?;
        // A crash here leaves a secret destroyed that something still names: whoever opens the inbox next finishes what was begun.
        crash_point("inbox.secret-destroyed");
        Ok(())
    }

    fn write(&mut self, place: u32, bytes: &[u8; PLACE]) -> Result<()> {
        let at = place as usize * PLACE;
        let begin = FORMAT.len() + 4 + self.heading.len();
        self.file.write_all_at(bytes, (begin + at) as u64).map_err(Error::io(&self.path))?;
        if at == self.places.len() {
            let mut longer = Zeroizing::new(Vec::with_capacity(at + PLACE));
            longer.extend_from_slice(&self.places);
            longer.extend_from_slice(bytes);
            self.places = longer;
        } else {
            self.places[at..at + PLACE].copy_from_slice(bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_destroyed_where_it_stands_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.keys");
        let mut secrets = Secrets::create(&path, b"heading").unwrap();
        for tag in 0..5 {
            assert_eq!(secrets.add(100 + tag, &[tag as u8 + 1; 32]).unwrap(), tag);
        }
        secrets.destroy(2).unwrap();
        secrets.destroy(2).unwrap();
        let again = Secrets::open(&path).unwrap();
        assert_eq!((again.heading(), again.all().count(), again.get(2), again.get(9)), (&b"heading"[..], 4, None, None));
        assert_eq!(again.get(4), Some(&[5; 32]));
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(32).any(|window| window == [3; 32]), "nothing of it is left in the file");
        assert_eq!(secrets.add(7, &[9; 32]).unwrap(), 2, "its place is taken again");
        assert!(Secrets::create(&path, b"other").is_err(), "never over another");
    }

    #[test]
    fn what_a_crash_tore_is_free_and_what_is_no_such_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.keys");
        let mut secrets = Secrets::create(&path, b"h").unwrap();
        secrets.add(1, &[1; 32]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [whole.as_slice(), &[7; 20]].concat()).unwrap();
        let mut torn = Secrets::open(&path).unwrap();
        assert_eq!(torn.add(2, &[2; 32]).unwrap(), 1);
        assert_eq!(Secrets::open(&path).unwrap().get(1), Some(&[2; 32]));
        for length in 0..25 {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(Secrets::open(&path).is_err(), "{length}");
        }
    }
}
