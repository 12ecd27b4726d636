//! Where a codename comes from: a file that the source named, the terminal, or a new one.

use anyhow::{Context, Result, anyhow, bail};
use daylight_envelope::Codename;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The longest codename's file, in bytes.
const LONGEST: u64 = 2_000;

/// The codename to submit with.
pub(super) enum Kept {
    /// The file had one.
    Old(Codename),
    /// It is new; and where it was written, if anywhere.
    New(Codename, Option<PathBuf>),
}

/// The codename in a file; or a new one, which is written there if a file was named.
pub(super) fn kept(file: Option<&Path>) -> Result<Kept> {
    let Some(path) = file else { return Ok(Kept::New(Codename::generate()?, None)) };
    match File::open(path) {
        Ok(file) => Ok(Kept::Old(read(file, path)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let codename = Codename::generate()?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let written = file.as_mut().map_err(|error| anyhow!("{error}")).and_then(|file| {
                file.write_all(codename.words().as_bytes())?;
                file.write_all(b"\n")?;
                Ok(file.sync_all()?)
            });
            written.with_context(|| format!("cannot write the codename to {}", path.display()))?;
            Ok(Kept::New(codename, Some(path.to_owned())))
        }
        Err(error) => Err(error).with_context(|| format!("cannot read the codename from {}", path.display())),
    }
}

/// A codename that there is: from the file, from the terminal without showing it, or the first line of standard input.
pub(super) fn known(file: Option<&Path>) -> Result<Codename> {
    if let Some(path) = file {
        return read(File::open(path).with_context(|| format!("cannot read the codename from {}", path.display()))?, path);
    }
    let typed = if std::io::stdin().is_terminal() {
        Zeroizing::new(rpassword::prompt_password("your codename (it is not shown): ")?)
    } else {
        let mut line = Zeroizing::new(String::new());
        std::io::stdin().lock().take(LONGEST).read_line(&mut line)?;
        line
    };
    if typed.trim().is_empty() {
        bail!("no codename was given: type it, or name its file with --codename-file");
    }
    Ok(Codename::parse(&typed)?)
}

fn read(file: File, path: &Path) -> Result<Codename> {
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST).read_to_string(&mut text).with_context(|| format!("cannot read the codename from {}", path.display()))?;
    Codename::parse(&text).with_context(|| format!("{} holds no codename", path.display()))
}
