//! The staged release as one encrypted file: a tar file, filled up with zeros, sealed as it is written. In plain it is nowhere but in the stage.

use crate::files::finish;
use crate::tar;
use crate::{Error, Result};
use daylight_archive::paths;
use daylight_envelope::slip39::Share;
use daylight_envelope::{SealKey, padded};
use daylight_model::{Digest, Hasher};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

/// What the editors signed, in the stage and in the tar file.
pub(crate) const APPROVAL: &str = "seal";
/// The archive of its own, in the stage and in the tar file.
pub(crate) const ARCHIVE: &str = "archive";

/// Seals what is staged, and gives the SHA-256 of the sealed file and its length.
pub(super) fn seal(stage: &Path, key: &SealKey, to: &Path) -> Result<(Digest, u64)> {
    let file = File::create(to).map_err(Error::io(to))?;
    let hashing = Hashing { out: BufWriter::with_capacity(1 << 20, file), hasher: Hasher::default(), length: 0 };
    let mut sealer = key.seal(hashing).map_err(Error::io(to))?;
    for path in listed(stage)? {
        let source = stage.join(&path);
        let mut file = File::open(&source).map_err(Error::io(&source))?;
        let length = file.metadata().map_err(Error::io(&source))?.len();
        let entry = tar::Entry::new(&path, length).ok_or_else(|| Error::Format(format!("{path} is no file of an archive")))?;
        tar::append(&mut sealer, &entry, &mut file).map_err(Error::io(to))?;
    }
    tar::end(&mut sealer).map_err(Error::io(to))?;
    // Its length is all that a sealed file shows, so most of that is taken away.
    let full = padded(sealer.length());
    sealer.fill_to(full).map_err(Error::io(to))?;
    let hashing = sealer.finish().map_err(Error::io(to))?;
    finish(hashing.out, to)?;
    Ok((hashing.hasher.finish(), hashing.length))
}

/// Opens the sealed file to its end with the key that shares give: so it is known that they can, while there is still somebody to try again.
pub(super) fn try_shares(sealed: &Path, shares: &[Share]) -> Result<()> {
    let (key, _) = SealKey::from_shares(shares).map_err(Error::format)?;
    let file = File::open(sealed).map_err(Error::io(sealed))?;
    let opener = key.open(BufReader::new(file)).map_err(|error| Error::Format(format!("{}: {error}", sealed.display())))?;
    let mut tar = tar::Reader::new(opener);
    while let Some(entry) = tar.next().map_err(Error::io(sealed))? {
        tar.copy(&entry, &mut io::sink()).map_err(Error::io(sealed))?;
    }
    Ok(())
}

/// Every file of the stage: the approval first, then the archive's in the order of their names, its checkpoint last.
fn listed(stage: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut folders = vec![ARCHIVE.to_owned()];
    while let Some(folder) = folders.pop() {
        let path = stage.join(&folder);
        for entry in fs::read_dir(&path).map_err(Error::io(&path))? {
            let entry = entry.map_err(Error::io(&path))?;
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(Error::io(&path))?.is_dir() { folders.push(name) } else { files.push(name) }
        }
    }
    let checkpoint = format!("{ARCHIVE}/{}", paths::CHECKPOINT);
    files.retain(|file| *file != checkpoint);
    files.sort();
    Ok([APPROVAL.to_owned()].into_iter().chain(files).chain([checkpoint]).collect())
}

struct Hashing<W> {
    out: W,
    hasher: Hasher,
    length: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
