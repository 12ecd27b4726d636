//! Files in the folders of a desk that no row of its catalogue names.

use crate::blobs::file_path;
use crate::error::{Error, Result};
use daylight_model::Digest;
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};

/// The packs and the files of large blobs that no row names. Whoever asks holds the leases, else they may be another's that is about to name them.
pub(crate) fn unnamed_files(root: &Path, connection: &Connection) -> Result<Vec<PathBuf>> {
    let mut unnamed = Vec::new();
    let mut pack = connection.prepare("SELECT 1 FROM pack WHERE number = ?1")?;
    for (name, path) in entries(&root.join("pack"))? {
        let number = name.parse::<i64>().ok().filter(|number| number.to_string() == name);
        if !number.map_or(Ok(false), |number| pack.exists([number]))? {
            unnamed.push(path);
        }
    }
    let mut blob = connection.prepare("SELECT 1 FROM blob WHERE digest = ?1 AND pack IS NULL AND of IS NULL")?;
    for (folder, path) in entries(&root.join("blob"))? {
        if folder == "tmp" {
            continue;
        }
        if !path.is_dir() {
            unnamed.push(path);
            continue;
        }
        for (name, file) in entries(&path)? {
            let digest = name.parse::<Digest>().ok().filter(|digest| file_path(root, digest) == file);
            if !digest.map_or(Ok(false), |digest| blob.exists([digest.0]))? {
                unnamed.push(file);
            }
        }
    }
    unnamed.sort();
    Ok(unnamed)
}

/// What stands in a folder: names, as far as they are text, and paths.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    Ok(entries)
}
