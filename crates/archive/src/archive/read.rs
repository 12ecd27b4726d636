use super::{Archive, ArchiveError, Line, damaged};
use crate::log::{TILE_WIDTH, TilePath, leaf_hash};
use crate::manifest::{MAX_LINE, PART_LINES, RawLine};
use crate::paths;
use crate::record::{FileRef, MAX_RECORD_FILE, Record, RecordError};
use crate::store::unreadable;
use daylight_model::{Digest, Hasher};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Take};

impl Archive {
    /// The line's bytes without its newline, found by its part's offsets.
    pub(super) fn raw_line(&self, serial: u64, line: u64) -> Result<Vec<u8>, ArchiveError> {
        let (path, start, size) = self.extent(serial, line)?;
        let mut bytes = vec![0; size as usize];
        self.read_at(&path, start, &mut bytes)?;
        match bytes.pop() {
            Some(b'\n') if !bytes.contains(&b'\n') => Ok(bytes),
            _ => Err(damaged(path, format!("line {line} is not one line"))),
        }
    }

    /// Where the line stands, by its part's offsets: the part's path, the first byte, and how many bytes with the newline.
    pub(super) fn extent(&self, serial: u64, line: u64) -> Result<(String, u64, u64), ArchiveError> {
        let lines = self.release(serial).map_or(0, |release| release.note.lines);
        if line >= lines {
            return Err(ArchiveError::NoSuchLine { serial, line });
        }
        let (part, place) = (line / PART_LINES, line % PART_LINES);
        let offsets_path = paths::manifest_offsets(serial, part);
        let last = place + 1 == (lines - part * PART_LINES).min(PART_LINES);
        let mut offsets = [0; 8];
        let wanted = if last { &mut offsets[..4] } else { &mut offsets[..] };
        self.read_at(&offsets_path, 4 * place, wanted)?;
        let [a, b, c, d, e, f, g, h] = offsets;
        let start = u64::from(u32::from_be_bytes([a, b, c, d]));
        let path = paths::manifest_part(serial, part);
        let length = self.dir.join(&path).metadata().map_err(|e| damaged(&path, unreadable(&e)))?.len();
        let end = if last { length } else { u64::from(u32::from_be_bytes([e, f, g, h])) };
        let size = end.checked_sub(start).filter(|size| *size >= 1 && *size <= MAX_LINE as u64 && end <= length);
        let size = size.ok_or_else(|| damaged(offsets_path, "an offset does not lead to a line"))?;
        Ok((path, start, size))
    }

    /// Compares a line with the hash of its leaf in the release's tree.
    pub(super) fn check_leaf(&self, serial: u64, line: u64, raw: &[u8]) -> Result<(), ArchiveError> {
        let leaf = self.leaf_at(serial, line)?;
        let parsed = RawLine::parse(raw).filter(|parsed| leaf_hash(&parsed.leaf_data().0) == leaf);
        parsed
            .map(|_| ())
            .ok_or_else(|| damaged(paths::manifest_part(serial, line / PART_LINES), format!("line {line} is not the one that was signed")))
    }

    /// The hash of a line's leaf, as the release's tree has it here.
    pub fn leaf_at(&self, serial: u64, line: u64) -> Result<Digest, ArchiveError> {
        let lines = self.release(serial).map_or(0, |release| release.note.lines);
        let tile = TilePath::widest(Some(0), line / TILE_WIDTH, lines).ok_or(ArchiveError::NoSuchLine { serial, line })?;
        let mut leaf = [0; 32];
        self.read_at(&format!("{}{tile}", paths::release_prefix(serial)), 32 * (line % TILE_WIDTH), &mut leaf)?;
        Ok(Digest(leaf))
    }

    pub(super) fn read_line(&self, serial: u64, line: u64, raw: &[u8]) -> Result<Line, ArchiveError> {
        let path = || paths::manifest_part(serial, line / PART_LINES);
        match RawLine::parse(raw) {
            None => Err(damaged(path(), format!("line {line} is not of its form"))),
            Some(RawLine::Erased { .. }) => Err(ArchiveError::Withdrawn { serial, line }),
            Some(RawLine::Published { salt, record: json }) => {
                let bad = |e: RecordError| damaged(path(), format!("line {line}: {e}"));
                let mut record = Record::parse(json).map_err(bad)?;
                if let Some(file) = record.own_file() {
                    if file.length > MAX_RECORD_FILE {
                        return Err(damaged(path(), format!("line {line}: its record is too long")));
                    }
                    record = record.unfold(&self.bytes(file)?).map_err(bad)?;
                }
                Ok(Line { serial, line, salt, json: json.to_vec(), record })
            }
        }
    }

    pub(super) fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<(), ArchiveError> {
        let read = || {
            let mut file = File::open(self.dir.join(path))?;
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(buffer)
        };
        let mut read = read;
        read().map_err(|e| damaged(path, unreadable(&e)))
    }

    pub(super) fn file_at(&self, file: &FileRef) -> Result<(Take<File>, String), ArchiveError> {
        let path = paths::volume(file.release, file.volume);
        let open = || {
            let mut opened = File::open(self.dir.join(&path))?;
            let end = file.offset.checked_add(file.length);
            if end.is_none_or(|end| opened.metadata().map_or(true, |metadata| metadata.len() < end)) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            opened.seek(SeekFrom::Start(file.offset))?;
            Ok(opened.take(file.length))
        };
        let opened = open().map_err(|e: io::Error| damaged(&path, unreadable(&e)))?;
        Ok((opened, path))
    }
}

/// A published file being read, see [`Archive::open_file`].
pub struct FileReader {
    reader: Take<File>,
    hasher: Option<Hasher>,
    expected: Digest,
}

impl FileReader {
    pub(super) fn new(reader: Take<File>, expected: Digest) -> Self {
        Self { reader, hasher: Some(Hasher::default()), expected }
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..read]);
        }
        let at_end = self.reader.limit() == 0 || (read == 0 && !buffer.is_empty());
        if at_end && self.hasher.take().is_some_and(|hasher| hasher.finish() != self.expected) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("the bytes are not {}", self.expected)));
        }
        Ok(read)
    }
}
