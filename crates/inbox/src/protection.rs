//! An inbox's files of secrets, sealed under keys in the machine's TPM where somebody asked for it.

use crate::inbox::{Held, Inbox};
use crate::secrets;
use crate::tpm::{Tpm, TpmError};
use crate::{Error, Result};
use daylight_durable::crash_point;
use std::path::PathBuf;

/// The setting that says that new files are sealed: the last day on which there were plain ones (u32, big-endian), 0 if there never were.
const SETTING: &str = "tpm";

/// Whether what is destroyed here is worthless also in old copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Files of secrets are plain.
    No,
    /// Some are plain: protecting was interrupted, or a keyring came from elsewhere.
    Partly,
    /// All are sealed under keys in the TPM, and so are new ones.
    Yes {
        /// The last day on which some were plain, if there was one: what was in them then a disk may have kept.
        plain_until: Option<u32>,
    },
}

impl Inbox {
    /// Seals every file of secrets under a key in the TPM, and each new one from now on. Gives how many were plain, and notes `today` if some
    /// were. It may be done again.
    pub fn protect(&mut self, _held: &Held, today: u32) -> Result<usize> {
        // Whoever has no TPM, or may not use it, is told so before anything is written.
        self.tpm.maker()?;
        let plain = self.sealed()?.contains(&false);
        let until = if plain { today } else { self.plain_until()?.unwrap_or(0) };
        self.set(SETTING, &until.to_be_bytes())?;
        // A crash here, or between two files, leaves plain ones: the same command goes on with them.
        crash_point("inbox.protect-begun");
        let mut sealed = 0;
        for path in self.secret_files()? {
            sealed += usize::from(secrets::protect(&path, &self.tpm)?);
        }
        Ok(sealed)
    }

    /// Writes every file of secrets as a plain one again, to be moved to another machine, and removes the keys from the TPM. Gives how many were sealed.
    pub fn unprotect(&mut self, held: &Held) -> Result<usize> {
        let mut plain = 0;
        for path in self.secret_files()? {
            plain += usize::from(secrets::unprotect(&path, &self.tpm)?);
        }
        // And what a crash left before.
        self.settle(held)?;
        self.unset(SETTING)?;
        Ok(plain)
    }

    /// Whether the files of secrets are sealed under keys in the TPM.
    pub fn protection(&self) -> Result<Protection> {
        let sealed = self.sealed()?;
        Ok(match (self.plain_until()?, sealed.contains(&true), sealed.contains(&false)) {
            (Some(until), _, false) => Protection::Yes { plain_until: Some(until).filter(|day| *day > 0) },
            (None, false, _) => Protection::No,
            _ => Protection::Partly,
        })
    }

    fn plain_until(&self) -> Result<Option<u32>> {
        let day = |bytes: Vec<u8>| bytes.try_into().map(u32::from_be_bytes);
        let day = self.setting(SETTING)?.map(day).transpose();
        day.map_err(|_| Error::damaged(self.root.join("inbox.sqlite"), "the setting of the TPM"))
    }

    /// The TPM under which new files of secrets are sealed, if somebody asked for that.
    pub fn seals_under(&self) -> Result<Option<&Tpm>> {
        Ok(self.setting(SETTING)?.map(|_| &self.tpm))
    }

    /// The TPM.
    pub fn tpm(&self) -> &Tpm {
        &self.tpm
    }

    /// Connects to the TPM, if it is needed here: a process that gives up network and paths cannot do so afterwards.
    pub fn reach_tpm(&self) -> Result<()> {
        if self.protection()? != Protection::No {
            self.tpm.maker().map_err(Error::Sealed)?;
        }
        Ok(())
    }

    /// Which files of secrets are sealed.
    fn sealed(&self) -> Result<Vec<bool>> {
        self.secret_files()?.iter().map(|path| secrets::is_wrapped(path)).collect()
    }

    fn secret_files(&self) -> Result<Vec<PathBuf>> {
        let storage = Some(self.storage_file()).filter(|path| path.exists());
        Ok(self.keyring_files()?.into_iter().chain(storage).collect())
    }

    /// Finishes what was interrupted of sealing files and renewing their keys.
    pub(crate) fn settle(&self, _held: &Held) -> Result<()> {
        if self.protection()? == Protection::No {
            return Ok(());
        }
        let mut files: Vec<PathBuf> = self.in_keyring()?.into_iter().map(|path| path.with_extension("keys")).collect();
        files.dedup();
        files.push(self.storage_file());
        let ours = match self.tpm.ours() {
            // A desk that was moved while `unprotect` had one step left: there is nothing here for which a TPM is needed.
            Err(TpmError::None(_)) if !self.sealed()?.contains(&true) => return Ok(()),
            ours => ours.map_err(Error::Sealed)?,
        };
        files.iter().try_for_each(|path| secrets::settle(path, &self.tpm, &ours))
    }
}
