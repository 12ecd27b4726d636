//! The drop's side of a USB stick: sealed envelopes written to `outbox/`, and what a newsroom wrote into `inbox/`, applied to a store that nobody serves meanwhile.

use crate::days::{Days, Mark};
use crate::newsroom::{DropError, Home};
use crate::store::{self, Exported, LONGEST_REPLY, Lookup, Store, today};
use daylight_model::Digest;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// What was applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Whether a directory was brought.
    pub directory: bool,
    /// How many replies.
    pub replies: usize,
    /// How many envelopes the desk has, which are deleted here.
    pub done: usize,
    /// How many sources were accepted.
    pub accepted: usize,
    /// How many sources were forgotten.
    pub forgotten: usize,
}

/// Copies the sealed envelopes of a drop, which may be running, to `to/outbox`.
pub fn export(home: &Path, to: &Path) -> Result<Exported, DropError> {
    Home::open(home)?;
    Ok(store::export(home, to)?)
}

/// Applies what stands in `from/inbox` to a drop, and takes it off the stick once it is durable here: an order that stayed would be carried out again with the next
/// stick, on what has come since. What is not there is nothing. After a crash it is applied again.
pub fn apply(home: &Path, from: &Path) -> Result<Applied, DropError> {
    let inbox = from.join("inbox");
    let drop = Home::open(home)?;
    let store = Arc::new(Store::open(home, drop.settings.reserve)?);
    let mut applied = Applied::default();
    // First of all: what is brought with it is newer.
    let forgotten: Vec<Lookup> = names(&inbox.join("forget"))?;
    forgotten.iter().try_for_each(|lookup| store.forget_answers(lookup))?;
    taken(&inbox.join("forget"))?;
    if let Some(bytes) = read(&inbox.join("directory"))? {
        drop.put_directory(&bytes)?;
        applied.directory = true;
        taken(&inbox.join("directory"))?;
    }
    let folder = inbox.join("reply");
    for (lookup, sealed) in replies(&folder)? {
        store.put_reply(lookup, &sealed)?;
        applied.replies += 1;
        taken(&folder.join(format!("{lookup}.{}", Digest::of(&sealed))))?;
    }
    let done: Vec<Digest> = names(&inbox.join("done"))?;
    store.done(&done)?;
    taken(&inbox.join("done"))?;
    let accepted: Vec<Lookup> = names(&inbox.join("accept"))?;
    accepted.iter().try_for_each(|lookup| store.accept(*lookup))?;
    taken(&inbox.join("accept"))?;
    Days::open(home).note(Mark::Collected, today());
    Ok(Applied { done: done.len(), accepted: accepted.len(), forgotten: forgotten.len(), ..applied })
}

/// Removes what was carried out from the stick.
fn taken(path: &Path) -> Result<(), DropError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            let why =
                format!("it was carried out, and cannot be taken off the stick: mount that so that this user may write to it ({source})");
            Err(error(path, io::Error::new(source.kind(), why)))
        }
        _ => Ok(()),
    }
}

fn error(path: &Path, source: io::Error) -> DropError {
    DropError::File { path: path.to_owned(), source }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, DropError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(error(path, source)),
    }
}

fn malformed(path: &Path, what: &str) -> DropError {
    error(path, io::Error::new(io::ErrorKind::InvalidData, what))
}

/// Names of 64 hexadecimal digits, one a line.
fn names<T: FromStr>(path: &Path) -> Result<Vec<T>, DropError> {
    let bytes = read(path)?.unwrap_or_default();
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed(path, "not text"))?;
    text.lines().map(|line| line.parse().map_err(|_| malformed(path, "a name is 64 hexadecimal digits, one a line"))).collect()
}

/// Sealed replies under `<lookup>.<SHA-256 of the bytes>`: one that is not whole was not written to its end.
fn replies(folder: &Path) -> Result<Vec<(Lookup, Vec<u8>)>, DropError> {
    let mut replies = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(replies),
        entries => entries.map_err(|source| error(folder, source))?,
    };
    for entry in entries {
        let path = entry.map_err(|source| error(folder, source))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let (lookup, digest) = name.split_once('.').unwrap_or((name, ""));
        let (Ok(lookup), Ok(digest)) = (lookup.parse::<Lookup>(), digest.parse::<Digest>()) else {
            return Err(malformed(&path, "a reply's file is named LOOKUP.SHA-256"));
        };
        let sealed = read(&path)?.unwrap_or_default();
        if sealed.len() > LONGEST_REPLY || Digest::of(&sealed) != digest {
            return Err(malformed(&path, "the reply is not the one that its name says"));
        }
        replies.push((lookup, sealed));
    }
    Ok(replies)
}
