//! Lines of a draft that are made and not fixed yet. They wait in a file without a name, since a release of millions of documents does not fit into memory,
//! and making them takes longer than others should wait for the catalogue.

use super::NewLine;
use crate::error::{Error, Result};
use daylight_model::Digest;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Lines on their way into a draft. Dropped, they are forgotten.
pub struct LinesAside {
    file: BufWriter<File>,
    folder: PathBuf,
    count: u64,
}

impl LinesAside {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // A crash between these two leaves a file that the next one to open the desk for reviewing removes.
        let path = folder.join(format!("review-lines-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed)));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(Error::io(&path))?;
        // From here on it has no name: whatever ends the process frees it.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io(&path)(error)),
            _ => {}
        }
        Ok(Self { file: BufWriter::with_capacity(1 << 18, file), folder: folder.to_owned(), count: 0 })
    }

    /// Adds a line behind the others.
    pub fn push(&mut self, line: &NewLine) -> Result<()> {
        self.count += 1;
        put(&mut self.file, line).map_err(Error::io(&self.folder))
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The documents with their numbers, in the order of the lines.
    pub fn numbers(&mut self) -> Result<Vec<(u64, u64)>> {
        let mut lines = self.again()?;
        let mut numbers = Vec::new();
        while let Some(line) = lines.next()? {
            numbers.push((line.seq, line.number));
        }
        // Writing goes on behind the last.
        self.file.get_mut().seek(io::SeekFrom::End(0)).map_err(Error::io(&self.folder))?;
        Ok(numbers)
    }

    pub(super) fn read(mut self) -> Result<Lines> {
        self.again()
    }

    fn again(&mut self) -> Result<Lines> {
        let io = Error::io(&self.folder);
        let open = |writer: &mut BufWriter<File>| {
            writer.flush()?;
            writer.get_mut().rewind()?;
            writer.get_ref().try_clone()
        };
        let file = open(&mut self.file).map_err(io)?;
        Ok(Lines { file: BufReader::with_capacity(1 << 18, file), folder: self.folder.clone(), left: self.count })
    }
}

/// Lines that were put aside, one after the other.
pub(super) struct Lines {
    file: BufReader<File>,
    folder: PathBuf,
    left: u64,
}

impl Lines {
    pub(super) fn next(&mut self) -> Result<Option<NewLine>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        take(&mut self.file).map(Some).map_err(Error::io(&self.folder))
    }
}

/// A line is its numbers, its salt and fingerprint, and its payload behind its length. 0 stands for no parent and no thread, since numbers begin at 1.
fn put(file: &mut impl Write, line: &NewLine) -> io::Result<()> {
    for number in [line.seq, line.number, line.parent.unwrap_or(0), line.thread.unwrap_or(0), line.payload.len() as u64] {
        file.write_all(&number.to_le_bytes())?;
    }
    file.write_all(&line.salt)?;
    file.write_all(&line.fingerprint.0)?;
    file.write_all(&line.payload)
}

fn take(file: &mut impl Read) -> io::Result<NewLine> {
    let mut number = || -> io::Result<u64> {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    };
    let [seq, own, parent, thread, length] = [number()?, number()?, number()?, number()?, number()?];
    let (mut salt, mut fingerprint) = ([0; 32], [0; 32]);
    file.read_exact(&mut salt)?;
    file.read_exact(&mut fingerprint)?;
    let mut payload = vec![0; usize::try_from(length).map_err(|_| io::Error::from(ErrorKind::InvalidData))?];
    file.read_exact(&mut payload)?;
    let some = |number| (number > 0).then_some(number);
    Ok(NewLine { seq, number: own, salt, parent: some(parent), thread: some(thread), fingerprint: Digest(fingerprint), payload })
}
