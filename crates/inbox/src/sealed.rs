//! Messages on the desk, each in a file sealed under its conversation's storage key.
//!
//! ```text
//! age file with the passphrase = storage key in hex: length of the heading (u32 big-endian) ‖ heading (JSON) ‖ body
//! ```

use crate::error::random;
use crate::{Error, Result};
use daylight_durable::sync_dir;
use daylight_envelope::{Head, Kind, Opener, SealKey, SealedBy, Sealer};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The longest heading, in bytes: a name and a media type are bounded by the envelope.
const MAX_HEADING: u32 = 1 << 20;

/// What stands before a message's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Where the source says that it was sealed: on the page (in the drop's memory) or by its own tool.
    pub by_tool: bool,
    /// The number that it has in its conversation, as the source says.
    pub counter: u64,
    /// What it is.
    pub what: What,
    /// The name of a file, as the source says: any bytes.
    pub name: Vec<u8>,
    /// The media type, as the source says.
    pub media_type: String,
    /// Who wrote it, for an answer.
    pub editor: String,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Words.
    Text,
    /// A part of a file.
    Part {
        /// Which file.
        file: [u8; 16],
        /// Which part, from 0.
        part: u32,
        /// Whether it is the last one.
        last: bool,
    },
}

impl Heading {
    pub(crate) fn of(head: &Head) -> Self {
        let what = match head.kind {
            Kind::Text => What::Text,
            Kind::File { file, part, last } => What::Part { file, part, last },
        };
        let by_tool = matches!(head.sealed_by, SealedBy::Tool);
        Self { by_tool, counter: head.counter, what, name: head.name.clone(), media_type: head.media_type.clone(), editor: String::new() }
    }

    fn to_json(&self) -> Value {
        let (file, part, last) = match self.what {
            What::Text => (None, 0, false),
            What::Part { file, part, last } => (Some(hex(&file)), part, last),
        };
        json!({"by_tool": self.by_tool, "counter": self.counter, "editor": self.editor, "file": file, "last": last,
            "media_type": self.media_type, "name": hex(&self.name), "part": part})
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let what = match value.get("file")?.as_str() {
            None => What::Text,
            Some(file) => What::Part {
                file: unhex(file)?.try_into().ok()?,
                part: u32::try_from(value.get("part")?.as_u64()?).ok()?,
                last: value.get("last")?.as_bool()?,
            },
        };
        Some(Self {
            by_tool: value.get("by_tool")?.as_bool()?,
            counter: value.get("counter")?.as_u64()?,
            what,
            name: unhex(&text("name")?)?,
            media_type: text("media_type")?,
            editor: text("editor")?,
        })
    }
}

/// A message being written.
pub(crate) struct Writing {
    pub(crate) name: String,
    path: PathBuf,
    sealer: Sealer<BufWriter<File>>,
}

impl Writing {
    pub(crate) fn begin(root: &Path, key: &[u8; 32], heading: &Heading) -> Result<Self> {
        let name = hex(&random::<16>()?);
        let path = root.join("sealed").join(&name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(Error::io(&path))?;
        let mut sealer = seal_key(key).seal(BufWriter::new(file)).map_err(Error::io(&path))?;
        let heading = Zeroizing::new(heading.to_json().to_string());
        let begun = sealer.write_all(&(heading.len() as u32).to_be_bytes()).and_then(|()| sealer.write_all(heading.as_bytes()));
        begun.map_err(Error::io(&path))?;
        Ok(Self { name, path, sealer })
    }

    /// Makes it durable.
    pub(crate) fn finish(self) -> Result<String> {
        let path = self.path.clone();
        let (name, file) = self.end()?;
        file.sync_all().map_err(Error::io(&path))?;
        let folder = path.parent().unwrap_or(&path);
        sync_dir(folder).map_err(Error::io(folder))?;
        Ok(name)
    }

    /// Ends it without making it durable: the next [`sync_all`] does.
    pub(crate) fn finish_later(self) -> Result<String> {
        self.end().map(|(name, _)| name)
    }

    fn end(self) -> Result<(String, File)> {
        let written = self.sealer.finish().and_then(|out| out.into_inner().map_err(std::io::IntoInnerError::into_error));
        Ok((self.name, written.map_err(Error::io(&self.path))?))
    }

    /// Takes it back.
    pub(crate) fn abandon(self) -> Result<()> {
        drop(self.sealer);
        std::fs::remove_file(&self.path).map_err(Error::io(&self.path))
    }
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sealer.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sealer.flush()
    }
}

/// Makes durable every message that was ended, with its name: the whole file system at once, since syncing some hundred files one by one waits as often for the disk.
pub(crate) fn sync_all(root: &Path) -> Result<()> {
    let folder = root.join("sealed");
    let open = File::open(&folder).map_err(Error::io(&folder))?;
    rustix::fs::syncfs(&open).map_err(|error| Error::io(&folder)(error.into()))
}

/// A message as it is read: its heading, and then its body.
pub(crate) struct Reading {
    pub(crate) heading: Heading,
    pub(crate) body: Opener<BufReader<File>>,
}

pub(crate) fn read(root: &Path, key: &[u8; 32], name: &str) -> Result<Reading> {
    let path = root.join("sealed").join(name);
    let file = File::open(&path).map_err(Error::io(&path))?;
    let mut body = seal_key(key).open(BufReader::new(file)).map_err(|error| Error::damaged(&path, error.to_string()))?;
    let mut length = [0; 4];
    body.read_exact(&mut length).map_err(Error::io(&path))?;
    let length = u32::from_be_bytes(length);
    if length > MAX_HEADING {
        return Err(Error::damaged(&path, "its heading is too long"));
    }
    let mut heading = Zeroizing::new(vec![0; length as usize]);
    body.read_exact(&mut heading).map_err(Error::io(&path))?;
    let value: Option<Value> = serde_json::from_slice(&heading).ok();
    let heading = value.as_ref().and_then(Heading::from_json).ok_or_else(|| Error::damaged(&path, "its heading is not of its form"))?;
    Ok(Reading { heading, body })
}

/// Seals a few bytes for the database.
pub(crate) fn seal_bytes(key: &[u8; 32], bytes: &[u8]) -> Result<Vec<u8>> {
    let sealed = seal_key(key).seal(Vec::new()).and_then(|mut sealer| sealer.write_all(bytes).and_then(|()| sealer.finish()));
    sealed.map_err(|error| Error::Refused(format!("cannot seal: {error}")))
}

/// Opens them.
pub(crate) fn open_bytes(key: &[u8; 32], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(sealed.len()));
    seal_key(key).open(sealed).ok()?.take(1 << 20).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn seal_key(key: &[u8; 32]) -> SealKey {
    SealKey::from_bytes(Zeroizing::new(*key))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if digits.len().is_multiple_of(2) { digits.chunks(2).map(byte).collect() } else { None }
}
