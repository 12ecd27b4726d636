//! What a path leads to, and where things are kept that are in neither desk nor archive.

use anyhow::{Context, Result, bail};
use daylight_archive::Archive;
use daylight_inbox::Tpm;
use daylight_ingest::{Machine, Unpacker};
use daylight_mirror::http::Authorities;
use daylight_sandbox::Reader;
use std::fs::File;
use std::io::Read;
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

/// What names another TPM than the kernel's first: a device, or the socket of one in software. In the surroundings and no flag, for whatever opens an inbox needs it.
const TPM: &str = "DAYLIGHT_TPM";
/// The kernel's, which several may use at a time.
const KERNELS_TPM: &str = "/dev/tpmrm0";

/// The machine's TPM, whether it has one or not.
pub(crate) fn tpm() -> Tpm {
    let named = std::env::var_os(TPM).filter(|path| !path.is_empty());
    Tpm::at(Path::new(&named.unwrap_or_else(|| KERNELS_TPM.into())))
}

/// What names a file with the certificates of the authorities that are trusted instead of the web's, as it does for OpenSSL, curl and Go.
const AUTHORITIES: &str = "SSL_CERT_FILE";
/// No such file is longer, in bytes.
const LARGEST_AUTHORITIES: u64 = 16 << 20;

/// The file with the authorities that are trusted for TLS, where one is named.
pub(crate) fn authorities_file() -> Option<PathBuf> {
    std::env::var_os(AUTHORITIES).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The authorities that are trusted for TLS: those in this file, or the web's where there is none.
pub(crate) fn authorities(file: Option<&Path>) -> Result<Authorities> {
    let Some(path) = file else { return Ok(Authorities::OfTheWeb) };
    let named = || format!("{AUTHORITIES} names {}, which is no file of authorities", path.display());
    let mut pem = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST_AUTHORITIES + 1).read_to_end(&mut pem)).with_context(named)?;
    if pem.len() as u64 > LARGEST_AUTHORITIES {
        bail!("{}: it has more than {LARGEST_AUTHORITIES} bytes", named());
    }
    Authorities::from_pem(&pem).with_context(named)
}

/// The folder for an archive's index: the one that was named, or one in the user's cache folder.
pub(crate) fn cache(archive: &Path, named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(named) => Ok(named.to_owned()),
        None => Ok(daylight_reader::default_cache(&Archive::open(archive)?)?),
    }
}
