use super::account::Account;
use super::parallel;
use crate::paths;
use crate::record::FileRef;
use crate::store::{Opened, Store, unreadable};
use crate::volume::{DIRECTORY_HEADER, END, LOCAL_HEADER, Layout, Member, end};
use daylight_model::Digest;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

/// About how many bytes of members one piece of work has, and at most how many members.
const BATCH_BYTES: u64 = 4 << 20;
const BATCH_MEMBERS: usize = 4096;

/// How many volumes of earlier references are kept open.
const MAX_OPEN: usize = 16;

/// Checks the volumes of a release while its manifest is read: members stand in the order in which they are first referenced, so the manifest alone
/// says where each must be, and every byte between them can be written anew.
pub(super) struct Volumes {
    serial: u64,
    layout: Layout,
    batches: Vec<Batch>,
    open: BTreeMap<(u64, u32), Option<Directory>>,
    /// Some reference could not be read, so what follows it cannot be placed.
    lost: bool,
}

/// Members that follow one another in one volume.
struct Batch {
    path: String,
    /// The place in the volume's directory of the first one.
    first: u64,
    members: Vec<(u64, Digest, u64)>,
    bytes: u64,
}

impl Volumes {
    pub(super) fn new(serial: u64) -> Self {
        Self { serial, layout: Layout::new(), batches: Vec::new(), open: BTreeMap::new(), lost: false }
    }

    /// From here on the places of members are not known.
    pub(super) fn lose_track(&mut self) {
        self.lost = true;
    }

    /// Takes the next reference: either to the next member, or to one that stands before. Errors say what is wrong with the reference.
    pub(super) fn file(&mut self, file: &FileRef, account: &mut Account<'_>) -> Result<(), String> {
        if file.release == self.serial && !self.lost {
            let mut next = self.layout.clone();
            let place = next.place(file.length).ok_or("a file is too long")?;
            if (place.volume, place.offset) == (file.volume, file.offset) {
                self.advance(next, file, account);
                return Ok(());
            }
        }
        if file.release > self.serial {
            return Err(format!("refers to release {}, which is later", file.release));
        }
        self.earlier(file, account)
    }

    fn advance(&mut self, next: Layout, file: &FileRef, account: &mut Account<'_>) {
        if next.state().0 != self.layout.state().0 {
            self.end_volume(account);
        }
        self.layout = next;
        let (volume, members, _) = self.layout.state();
        let path = paths::volume(self.serial, volume);
        let full = |batch: &Batch| batch.bytes >= BATCH_BYTES || batch.members.len() >= BATCH_MEMBERS;
        if self.batches.last().is_none_or(|last| full(last) || last.path != path) {
            if self.batches.len() >= parallel::threads() * 4 {
                self.hash(account);
            }
            self.batches.push(Batch { path, first: members - 1, members: Vec::new(), bytes: 0 });
        }
        if let Some(last) = self.batches.last_mut() {
            last.members.push((file.offset, file.sha256, file.length));
            last.bytes += file.length + LOCAL_HEADER;
        }
    }

    /// Hashes the members collected so far on all processors.
    fn hash(&mut self, account: &mut Account<'_>) {
        let batches = std::mem::take(&mut self.batches);
        let present: Vec<&Batch> = batches.iter().filter(|batch| account.has(&batch.path)).collect();
        let store = account.store();
        let found = parallel::map(&present, |batch| batch.check(store));
        for (batch, wrong) in present.iter().zip(found) {
            wrong.into_iter().for_each(|what| account.problem(&batch.path, what));
            account.advance(batch.bytes);
        }
    }

    /// Checks what ends the volume at hand. Where track of it was lost it is left to be checked by itself.
    fn end_volume(&mut self, account: &mut Account<'_>) {
        if self.lost {
            self.batches.clear();
            return;
        }
        self.hash(account);
        let (volume, members, at) = self.layout.state();
        let path = paths::volume(self.serial, volume);
        if members > 0 && account.claim(&path) {
            self.check_end(&path, members, at, account);
        }
    }

    fn check_end(&self, path: &str, members: u64, at: u64, account: &mut Account<'_>) {
        let whole = at + members * DIRECTORY_HEADER + END;
        match read_tail(path, account) {
            Ok((length, tail)) if length == whole && tail == end(members, at) => {}
            Ok((length, _)) if length != whole => account.problem(path, format!("has {length} bytes where {whole} were published")),
            Ok(_) => account.problem(path, "damaged: its end is not what follows from its members"),
            Err(e) => account.problem(path, unreadable(&e)),
        }
        account.advance(members * DIRECTORY_HEADER + END);
    }

    pub(super) fn end(mut self, prefix: &str, account: &mut Account<'_>) {
        self.end_volume(account);
        if self.lost {
            // Where these volumes' members belong cannot be said; that each is what its name says can.
            for path in account.unclaimed_under(&format!("{prefix}volume/")) {
                self.alone(&path, account);
            }
        }
    }

    /// Checks a volume by itself: what its directory names, and that it is written in the one way.
    fn alone(&mut self, path: &str, account: &mut Account<'_>) {
        account.claim(path);
        let opened = account.open(path, None).and_then(Directory::open);
        let mut directory = match opened {
            Ok(directory) => directory,
            Err(e) => return account.problem(path, unreadable(&e)),
        };
        for first in (0..directory.members).step_by(BATCH_MEMBERS) {
            let count = (directory.members - first).min(BATCH_MEMBERS as u64);
            match (first..first + count).map(|member| directory.member(member)).collect::<io::Result<Option<Vec<_>>>>() {
                Ok(Some(members)) => {
                    self.batches.push(Batch { path: path.to_owned(), first, bytes: members.iter().map(|m| m.2).sum(), members })
                }
                Ok(None) => return account.problem(path, "damaged: its directory is not of its form"),
                Err(e) => return account.problem(path, unreadable(&e)),
            }
            self.hash(account);
        }
        self.check_end(path, directory.members, directory.at, account);
    }

    /// A file that was published before must be a member there, under its digest and with its length; the member itself is checked where it is
    /// first referenced.
    fn earlier(&mut self, file: &FileRef, account: &Account<'_>) -> Result<(), String> {
        let path = paths::volume(file.release, file.volume);
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        let directory =
            self.open.entry((file.release, file.volume)).or_insert_with(|| Directory::open(account.open(&path, None).ok()?).ok());
        let found = directory.as_mut().map(|directory| directory.has(file));
        match found {
            Some(Ok(true)) => Ok(()),
            Some(Err(e)) => Err(format!("cannot find {} in {path}: {e}", file.sha256)),
            _ => Err(format!("{} does not stand at byte {} of {path}", file.sha256, file.offset)),
        }
    }
}

impl Batch {
    /// What is wrong with these members: their bytes, the headers before them and their records in the directory.
    fn check(&self, store: &dyn Store) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Err(e) = self.check_all(store, &mut wrong) {
            wrong.push(unreadable(&e));
        }
        wrong
    }

    fn check_all(&self, store: &dyn Store, wrong: &mut Vec<String>) -> io::Result<()> {
        let from = self.members.first().map_or(0, |(offset, ..)| offset.saturating_sub(LOCAL_HEADER));
        let to = self.members.last().map_or(0, |(offset, _, length)| offset.saturating_add(*length));
        let mut volume = io::BufReader::with_capacity(1 << 18, store.open(&self.path, Some(from..to))?);
        let mut directory = Directory::open(store.open(&self.path, None)?)?;
        let mut buffer = [0; DIRECTORY_HEADER as usize];
        if let Some((offset, ..)) = self.members.first() {
            volume.seek(SeekFrom::Start(offset.saturating_sub(LOCAL_HEADER)))?;
        }
        directory.seek(self.first)?;
        for (offset, sha256, length) in &self.members {
            let mut header = [0; LOCAL_HEADER as usize];
            volume.read_exact(&mut header)?;
            let member = Member::measure(&mut volume.by_ref().take(*length))?;
            if member.sha256 != *sha256 || member.length != *length {
                wrong.push(format!("damaged: the bytes at {offset} are not {sha256}"));
            }
            if header != member.local_header() && member.sha256 == *sha256 {
                wrong.push(format!("damaged: the header before {sha256} is not what follows from it"));
            }
            directory.file.read_exact(&mut buffer)?;
            if buffer != member.directory_header(offset - LOCAL_HEADER) && member.sha256 == *sha256 {
                wrong.push(format!("damaged: the directory's record of {sha256} is not what follows from it"));
            }
        }
        Ok(())
    }
}

fn read_tail(path: &str, account: &Account<'_>) -> io::Result<(u64, [u8; END as usize])> {
    let mut file = account.open(path, None)?;
    let length = file.seek(SeekFrom::End(0))?;
    let mut tail = [0; END as usize];
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    file.read_exact(&mut tail)?;
    Ok((length, tail))
}

/// The directory of a volume, whose records all have one length and stand in the order of their members.
struct Directory {
    file: io::BufReader<Box<dyn Opened>>,
    at: u64,
    members: u64,
}

impl Directory {
    fn open(mut file: Box<dyn Opened>) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let mut tail = [0; END as usize];
        file.seek(SeekFrom::Start(length.checked_sub(END).ok_or(io::ErrorKind::UnexpectedEof)?))?;
        file.read_exact(&mut tail)?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| tail[at + i]));
        // Counted from the end: what the end says itself is compared with what it must say elsewhere.
        let members = number(24).min(length / DIRECTORY_HEADER);
        let at = length - END - (members * DIRECTORY_HEADER).min(length - END);
        Ok(Self { file: io::BufReader::with_capacity(1 << 16, file), at, members })
    }

    fn seek(&mut self, member: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.at + member * DIRECTORY_HEADER)).map(|_| ())
    }

    /// A member as its record in the directory names it: where its bytes begin, its digest and its length. `None` if it cannot be one.
    fn member(&mut self, member: u64) -> io::Result<Option<(u64, Digest, u64)>> {
        let mut record = [0; DIRECTORY_HEADER as usize];
        self.seek(member)?;
        self.file.read_exact(&mut record)?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| record[at + i]));
        let digest = std::str::from_utf8(&record[46..110]).ok().and_then(|name| name.parse().ok());
        let offset =
            number(130).checked_add(LOCAL_HEADER).filter(|offset| offset.checked_add(number(114)).is_some_and(|end| end <= self.at));
        Ok(digest.zip(offset).map(|(digest, offset)| (offset, digest, number(114))))
    }

    /// Whether a member with this digest and length stands where the reference says.
    fn has(&mut self, file: &FileRef) -> io::Result<bool> {
        let (mut low, mut high) = (0, self.members);
        while low < high {
            let middle = low + (high - low) / 2;
            let Some((offset, sha256, length)) = self.member(middle)? else { return Ok(false) };
            match offset.cmp(&file.offset) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(sha256 == file.sha256 && length == file.length),
            }
        }
        Ok(false)
    }
}
