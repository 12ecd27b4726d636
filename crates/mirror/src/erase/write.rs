use super::{EraseError, erased_line};
use daylight_archive::volume::{DIRECTORY_HEADER, END, ErasedMember, LOCAL_HEADER};
use daylight_archive::withdraw::{MemberPlace, WithdrawnLine};
use daylight_archive::{Archive, paths};
use daylight_durable::crash_point;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// How many zeros are written at a time.
const PIECE: usize = 1 << 20;

/// Writes over what is erased, one file after the other. Each is synced before the next is begun.
pub(super) struct Writing<'a> {
    archive: &'a Archive,
    open: Option<(PathBuf, File)>,
}

impl<'a> Writing<'a> {
    pub(super) fn new(archive: &'a Archive) -> Self {
        Self { archive, open: None }
    }

    /// Erases a member, and gives how many bytes it had if it was not erased already.
    pub(super) fn member(&mut self, release: u64, member: &MemberPlace) -> Result<u64, EraseError> {
        let name = paths::volume(release, member.volume);
        let path = self.archive.dir().join(&name);
        if self.open.as_ref().is_none_or(|(open, _)| *open != path) {
            self.finish("erase.volume")?;
        }
        let file = self.file(&path)?;
        let found = find(file, member).map_err(EraseError::io(&path))?;
        let no_member = || EraseError::NoMember { path: name.clone(), offset: member.offset, length: member.length };
        let (record_at, record) = found.ok_or_else(no_member)?;
        let erased = ErasedMember { offset: member.offset, length: member.length };
        if record == erased.directory_header() && is_done(file, &erased).map_err(EraseError::io(&path))? {
            return Ok(0);
        }
        zero(file, member).map_err(EraseError::io(&path))?;
        // A crash here leaves a member that is neither whole nor erased; nothing published refers to it, and erasing again writes it whole.
        crash_point("erase.zeros");
        let headers = [(member.offset - LOCAL_HEADER, erased.local_header().to_vec()), (record_at, erased.directory_header().to_vec())];
        for (at, bytes) in headers {
            file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(&bytes)).map_err(EraseError::io(&path))?;
            crash_point("erase.header");
        }
        Ok(member.length)
    }

    /// Makes the volumes last. From here on the bytes are gone; a crash leaves lines that still say what they were.
    pub(super) fn finish_volumes(&mut self) -> Result<(), EraseError> {
        self.finish("erase.volume")
    }

    /// Writes over a line.
    pub(super) fn line(&mut self, line: &WithdrawnLine) -> Result<(), EraseError> {
        let stands = self.archive.line_place(line.release, line.line)?;
        let path = self.archive.dir().join(&stands.path);
        if self.open.as_ref().is_none_or(|(open, _)| *open != path) {
            self.finish("erase.part")?;
        }
        let file = self.file(&path)?;
        file.seek(SeekFrom::Start(stands.offset)).and_then(|_| file.write_all(&erased_line(line))).map_err(EraseError::io(&path))?;
        // A line that is torn here is written whole from the withdrawal.
        crash_point("erase.line");
        Ok(())
    }

    /// Makes the manifests last.
    pub(super) fn finish_parts(&mut self) -> Result<(), EraseError> {
        self.finish("erase.part")
    }

    fn file(&mut self, path: &PathBuf) -> Result<&mut File, EraseError> {
        let opened = match self.open.take().filter(|(open, _)| open == path) {
            Some(open) => open,
            None => (path.clone(), open_plain(path).map_err(EraseError::io(path))?),
        };
        Ok(&mut self.open.insert(opened).1)
    }

    fn finish(&mut self, point: &'static str) -> Result<(), EraseError> {
        let Some((path, file)) = self.open.take() else { return Ok(()) };
        file.sync_data().map_err(EraseError::io(&path))?;
        crash_point(point);
        Ok(())
    }
}

/// Opens a file of the archive to be written over. What a link leads to is none.
fn open_plain(path: &PathBuf) -> io::Result<File> {
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a link or special file"));
    }
    OpenOptions::new().read(true).write(true).open(path)
}

/// Where the member's record stands in the directory, and what it says; `None` if no member stands there, or one of another length.
fn find(file: &mut File, member: &MemberPlace) -> io::Result<Option<(u64, [u8; DIRECTORY_HEADER as usize])>> {
    let length = file.seek(SeekFrom::End(0))?;
    let Some(at) = length.checked_sub(END) else { return Ok(None) };
    let mut tail = [0; END as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut tail)?;
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let members = number(&tail, 24);
    let Some(directory) = members.checked_mul(DIRECTORY_HEADER).and_then(|size| at.checked_sub(size)) else { return Ok(None) };
    if member.offset.checked_add(member.length).is_none_or(|end| end > directory) {
        return Ok(None);
    }
    let (mut low, mut high) = (0, members);
    while low < high {
        let middle = low + (high - low) / 2;
        let (record_at, mut record) = (directory + middle * DIRECTORY_HEADER, [0; DIRECTORY_HEADER as usize]);
        file.seek(SeekFrom::Start(record_at))?;
        file.read_exact(&mut record)?;
        match number(&record, 130).cmp(&(member.offset - LOCAL_HEADER)) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Ok((number(&record, 114) == member.length).then_some((record_at, record))),
        }
    }
    Ok(None)
}

/// Whether the header is that of erased bytes, and they are zero: after a power cut what was written last may be there without what was written first.
fn is_done(file: &mut File, erased: &ErasedMember) -> io::Result<bool> {
    let mut header = [0; LOCAL_HEADER as usize];
    file.seek(SeekFrom::Start(erased.offset - LOCAL_HEADER))?;
    file.read_exact(&mut header)?;
    let mut left = if header == erased.local_header() { erased.length } else { return Ok(false) };
    let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
    while left > 0 {
        let step = left.min(piece.len() as u64) as usize;
        file.read_exact(&mut piece[..step])?;
        if piece[..step].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        left -= step as u64;
    }
    Ok(true)
}

fn zero(file: &mut File, member: &MemberPlace) -> io::Result<()> {
    let zeros = vec![0; PIECE.min(usize::try_from(member.length).unwrap_or(PIECE))];
    file.seek(SeekFrom::Start(member.offset))?;
    let mut left = member.length;
    while left > 0 {
        let step = left.min(zeros.len() as u64);
        file.write_all(&zeros[..step as usize])?;
        left -= step;
    }
    Ok(())
}
