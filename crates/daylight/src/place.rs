//! What a path leads to, and where things are kept that are in neither desk nor archive.

use anyhow::{Context, Result, bail};
use daylight_archive::Archive;
use daylight_ingest::{Machine, Unpacker};
use daylight_sandbox::Reader;
use std::path::{Path, PathBuf};

/// What a command was pointed at.
pub(crate) enum Place {
    /// A desk.
    Desk,
    /// An archive.
    Archive,
}

impl Place {
    /// Looks at a folder.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        if path.join("daylight.toml").exists() {
            return Ok(Self::Desk);
        }
        if path.join("checkpoint").exists() {
            return Ok(Self::Archive);
        }
        if !path.exists() {
            bail!("{} does not exist; name a desk or an archive", path.display());
        }
        bail!("{} is neither a desk nor an archive; make a desk with `daylight init`", path.display())
    }
}

/// Our own program in the part of the reader of hostile bytes.
pub(crate) fn reader() -> Result<Reader> {
    let program = std::env::current_exe().context("cannot find the daylight program itself, which also reads documents")?;
    Ok(Reader { program, args: vec![crate::WORKER.into()] })
}

/// Tesseract as it is installed here, asked for these languages; or why it cannot be used.
pub(crate) fn recogniser(languages: &[String]) -> std::result::Result<Machine, String> {
    #[expect(clippy::disallowed_methods, reason = "it is asked its version there, and gets nothing of any desk")]
    let folder = std::env::temp_dir();
    Machine::find(languages, &folder)
}

/// bsdtar as it is installed here; or why it cannot be used.
pub(crate) fn unpacker() -> std::result::Result<Unpacker, String> {
    #[expect(clippy::disallowed_methods, reason = "it is asked its version there, and gets nothing of any desk")]
    let folder = std::env::temp_dir();
    Unpacker::find(&folder)
}

/// The folder for an archive's index: the one that was named, or one in the user's cache folder.
pub(crate) fn cache(archive: &Path, named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(named) => Ok(named.to_owned()),
        None => Ok(daylight_reader::default_cache(&Archive::open(archive)?)?),
    }
}
