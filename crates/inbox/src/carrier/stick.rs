use super::{Carrier, Lookup, MAX_ENVELOPE, MAX_LIST, Waiting, parse_list};
use crate::{Error, Result};
use daylight_durable::{sync_dir, write_atomic};
use daylight_model::Digest;
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

/// A stick: `outbox` was written by `daylight drop export` at the drop, and what is to be done there goes into `inbox`, for `daylight drop apply`.
///
/// What was written on the stick counts as carried. A stick that is lost on the way has lost the answers on it, not what was collected: what is not told to the
/// drop as done stays there, and is exported again.
pub struct Stick {
    from: PathBuf,
    to: PathBuf,
}

impl Stick {
    /// Takes from one folder and gives to another, which may be the same.
    pub fn new(from: &Path, to: &Path) -> Result<Self> {
        let list = from.join("outbox/list");
        if !list.is_file() {
            let what = format!("there is no {}: on the drop's machine run `daylight drop export STORE DIR`", list.display());
            return Err(Error::Carrier(what));
        }
        Ok(Self { from: from.join("outbox"), to: to.join("inbox") })
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.to.join(path);
        let folder = path.parent().unwrap_or(&self.to);
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        write_atomic(&path, bytes).map_err(Error::io(&path))?;
        sync_dir(&self.to).map_err(Error::io(&self.to))
    }

    /// Adds lines to a file, each once.
    fn add_lines(&self, path: &str, lines: impl Iterator<Item = String>) -> Result<()> {
        let file = self.to.join(path);
        let mut all = match fs::read_to_string(&file) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::collections::BTreeSet::new(),
            Err(error) => return Err(Error::io(&file)(error)),
        };
        let before = all.len();
        all.extend(lines);
        if all.len() == before {
            return Ok(());
        }
        let text: String = all.iter().map(|line| format!("{line}\n")).collect();
        self.put(path, text.as_bytes())
    }
}

impl Carrier for Stick {
    fn directory(&mut self) -> Result<Option<Vec<u8>>> {
        // What the drop shows is not on a stick that was written by an older drop.
        let path = self.from.join("directory");
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(&path)(error)),
        }
    }

    fn put_directory(&mut self, file: &[u8]) -> Result<bool> {
        self.put("directory", file).map(|()| false)
    }

    fn list(&mut self) -> Result<Vec<Waiting>> {
        let path = self.from.join("list");
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(Error::io(&path))?;
        file.take(MAX_LIST as u64 + 1).read_to_end(&mut bytes).map_err(Error::io(&path))?;
        if bytes.len() > MAX_LIST {
            return Err(Error::Carrier("its list of what waits is too long".into()));
        }
        parse_list(&bytes)
    }

    fn fetch(&mut self, waiting: &Waiting, to: &mut dyn Write) -> Result<bool> {
        let path = self.from.join(waiting.id.to_string());
        let about = match fs::symlink_metadata(&path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io(&path)(error)),
        };
        if !about.is_file() {
            return Err(Error::Carrier(format!("{} is no file", path.display())));
        }
        let file = File::open(&path).map_err(Error::io(&path))?;
        io::copy(&mut file.take(MAX_ENVELOPE + 1), to).map_err(Error::io(&path))?;
        Ok(true)
    }

    fn done(&mut self, ids: &[Digest]) -> Result<()> {
        self.add_lines("done", ids.iter().map(Digest::to_string))
    }

    fn reply(&mut self, lookup: &Lookup, sealed: &[u8]) -> Result<()> {
        self.put(&format!("reply/{}.{}", Digest(*lookup), Digest::of(sealed)), sealed)
    }

    fn accept(&mut self, lookups: &[Lookup]) -> Result<()> {
        self.add_lines("accept", lookups.iter().map(|lookup| Digest(*lookup).to_string()))
    }

    fn forget(&mut self, lookups: &[Lookup]) -> Result<()> {
        self.add_lines("forget", lookups.iter().map(|lookup| Digest(*lookup).to_string()))
    }
}
