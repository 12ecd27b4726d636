//! Files that no row names, and the keys.

use super::{Check, CheckOutcome, was};
use crate::error::{Error, Result};
use crate::leftovers::unnamed_files;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

impl Check<'_, '_> {
    /// Packs and large files that no row names. They are left alone: a killed ingest leaves some, but so does a catalogue that is older than they are.
    pub(super) fn leftovers(&mut self) -> Result<()> {
        let root = self.desk.root.clone();
        for path in unnamed_files(&root, &self.care)? {
            let what = "no row names it: an interrupted ingest leaves such files, and so does a catalogue that is older than its files. \
                        It is left alone; the next `forget` removes it";
            self.find(CheckOutcome::Noted, path.display().to_string(), what, None);
        }
        let aside = root.join("blob/tmp");
        let waiting = fs::read_dir(&aside).map_err(Error::io(&aside))?.count();
        if waiting > 0 {
            self.find(
                CheckOutcome::Noted,
                aside.display().to_string(),
                format!("{waiting} unfinished files: the next ingest removes them"),
                None,
            );
        }
        Ok(())
    }

    /// The key of the archive's log: it must be there if it ever signed, and be nobody else's to read.
    pub(super) fn keys(&mut self) -> Result<()> {
        let root = self.desk.root.clone();
        let key = root.join("log.key");
        let place = key.display().to_string();
        if root.join("log.key.signed").exists() && !key.exists() {
            self.damaged(&place, "it signed an archive's log and is gone: without it no release can follow; restore it from a backup");
        }
        let origins: i64 = self.care.query_row("SELECT COUNT(DISTINCT origin) FROM draft WHERE state = 1", [], |row| row.get(0))?;
        if origins > 0 && !key.exists() && !root.join("log.key.signed").exists() {
            self.find(
                CheckOutcome::Noted,
                &place,
                "releases were published, and their log's key is not on the desk: see that --log-key's file is safe",
                None,
            );
        }
        self.private(&key, 0o600)?;
        self.private(&root.join("log.key.next"), 0o600)?;
        self.private(&root, 0o700)
    }

    fn private(&mut self, path: &Path, mode: u32) -> Result<()> {
        let Ok(about) = fs::metadata(path) else { return Ok(()) };
        if about.permissions().mode() & 0o077 != 0 {
            if self.repairs() {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Error::io(path))?;
            }
            let what = format!("others on this machine can read it: it {} made private again", was(self.repair));
            self.repaired(path.display().to_string(), what, None);
        }
        Ok(())
    }
}
