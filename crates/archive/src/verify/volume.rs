use super::account::Account;
use super::parallel::{self, Helpers, Pending};
use super::withdrawn::Withdrawn;
use crate::paths;
use crate::record::FileRef;
use crate::store::{Opened, Store, unreadable};
use crate::volume::{DIRECTORY_HEADER, END, ErasedMember, LOCAL_HEADER, Layout, Member, end};
use crate::withdraw::MemberPlace;
use daylight_model::Digest;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// About how many bytes of members one piece of work has, and at most how many members.
const BATCH_BYTES: u64 = 4 << 20;
const BATCH_MEMBERS: usize = 4096;

/// How many volumes of earlier references are kept open.
const MAX_OPEN: usize = 16;

/// Checks the volumes of a release while its manifest is read: members stand in the order in which they are first referenced, so the manifest alone
/// says where each must be, and every byte between them can be written anew.
pub(super) struct Volumes<'h, 'a> {
    serial: u64,
    layout: Layout,
    helpers: &'h Helpers<'a>,
    /// The members that are collected to be checked together.
    filling: Option<Batch>,
    /// What is being checked, in the order of the volume.
    given: VecDeque<Given>,
    open: BTreeMap<(u64, u32), Option<Directory<'a>>>,
    /// Some reference could not be read, so what follows it cannot be placed.
    lost: bool,
}

/// Members that follow one another in one volume.
struct Batch {
    path: String,
    volume: u32,
    /// The place in the volume's directory of the first one.
    first: u64,
    members: Vec<Wanted>,
    bytes: u64,
}

/// A batch that is being checked.
struct Given {
    path: String,
    volume: u32,
    bytes: u64,
    found: Pending<Found>,
}

/// A member that must stand in a volume.
struct Wanted {
    offset: u64,
    length: u64,
    /// What its bytes must be, `None` where the line that says so is erased.
    sha256: Option<Digest>,
    /// Whether a withdrawal lets it be erased.
    erasable: bool,
}

/// What is wrong with a reference, and with which file if not with the line's.
pub(super) struct Wrong {
    pub(super) path: Option<String>,
    pub(super) what: String,
}

impl From<String> for Wrong {
    fn from(what: String) -> Self {
        Self { path: None, what }
    }
}

/// What was found of the members of a batch.
#[derive(Default)]
struct Found {
    wrong: Vec<String>,
    /// Where bytes are there that no line names.
    left: Vec<u64>,
}

impl<'h, 'a> Volumes<'h, 'a> {
    pub(super) fn new(serial: u64, helpers: &'h Helpers<'a>) -> Self {
        Self { serial, layout: Layout::new(), helpers, filling: None, given: VecDeque::new(), open: BTreeMap::new(), lost: false }
    }

    /// From here on the places of members are not known.
    pub(super) fn lose_track(&mut self) {
        self.lost = true;
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Takes the next reference: either to the next member, whose place is given back, or to one that stands before. A line that does not `count` any
    /// more may refer to what is erased. Errors say what is wrong with the reference.
    pub(super) fn file(
        &mut self,
        file: &FileRef,
        counts: bool,
        withdrawn: &mut Withdrawn<'_>,
        account: &mut Account<'a>,
    ) -> Result<Option<MemberPlace>, Wrong> {
        if counts {
            withdrawn.refer(file);
        }
        if file.release == self.serial && !self.lost {
            let mut next = self.layout.clone();
            let place = next.place(file.length).ok_or_else(|| "a file is too long".to_owned())?;
            if (place.volume, place.offset) == (file.volume, file.offset) {
                let erasable = !counts && withdrawn.may_be_erased(file);
                let wanted = Wanted { offset: file.offset, length: file.length, sha256: Some(file.sha256), erasable };
                self.advance(next, wanted, withdrawn, account);
                return Ok(Some(MemberPlace { volume: file.volume, offset: file.offset, length: file.length }));
            }
        }
        if file.release > self.serial {
            return Err(format!("refers to release {}, which is later", file.release).into());
        }
        self.earlier(file, counts, withdrawn, account).map(|()| None)
    }

    /// Takes the next member as a withdrawal names it, whose line is erased.
    pub(super) fn unnamed(&mut self, member: &MemberPlace, withdrawn: &mut Withdrawn<'_>, account: &mut Account<'a>) -> Result<(), String> {
        if self.lost {
            return Ok(());
        }
        let mut next = self.layout.clone();
        let place = next.place(member.length).ok_or("a file is too long")?;
        if (place.volume, place.offset) != (member.volume, member.offset) {
            self.lose_track();
            withdrawn.lose_track();
            return Err(format!("the bytes at {} of volume {} do not stand where the next must", member.offset, member.volume));
        }
        self.advance(next, Wanted { offset: member.offset, length: member.length, sha256: None, erasable: true }, withdrawn, account);
        Ok(())
    }

    fn advance(&mut self, next: Layout, wanted: Wanted, withdrawn: &mut Withdrawn<'_>, account: &mut Account<'a>) {
        if next.state().0 != self.layout.state().0 {
            self.end_volume(withdrawn, account);
        }
        self.layout = next;
        let (volume, members, _) = self.layout.state();
        let path = paths::volume(self.serial, volume);
        let full = |batch: &Batch| batch.bytes >= BATCH_BYTES || batch.members.len() >= BATCH_MEMBERS;
        if self.filling.as_ref().is_none_or(|last| full(last) || last.path != path) {
            self.give(account);
            while self.given.len() > parallel::threads() * 4 {
                self.take(withdrawn, account);
            }
            self.filling = Some(Batch { path, volume, first: members - 1, members: Vec::new(), bytes: 0 });
        }
        if let Some(last) = &mut self.filling {
            last.bytes += wanted.length + LOCAL_HEADER;
            last.members.push(wanted);
        }
    }

    /// Has the members that were collected checked.
    fn give(&mut self, account: &Account<'a>) {
        let store = account.store();
        let Some(batch) = self.filling.take().filter(|batch| account.has(&batch.path)) else { return };
        let (path, volume, bytes) = (batch.path.clone(), batch.volume, batch.bytes);
        self.given.push_back(Given { path, volume, bytes, found: self.helpers.give(move || batch.check(store)) });
    }

    /// Waits for the first batch that is being checked, and takes in what was found.
    fn take(&mut self, withdrawn: &mut Withdrawn<'_>, account: &mut Account<'a>) {
        let Some(Given { path, volume, bytes, found }) = self.given.pop_front() else { return };
        let found = found.wait();
        found.wrong.into_iter().for_each(|what| account.problem(&path, what));
        found.left.into_iter().for_each(|offset| withdrawn.left(self.serial, volume, offset));
        account.advance(bytes);
    }

    /// Has checked what was collected, and takes in all that was found.
    fn take_all(&mut self, withdrawn: &mut Withdrawn<'_>, account: &mut Account<'a>) {
        self.give(account);
        while !self.given.is_empty() {
            self.take(withdrawn, account);
        }
    }

    /// Checks what ends the volume at hand. Where track of it was lost it is left to be checked by itself.
    fn end_volume(&mut self, withdrawn: &mut Withdrawn<'_>, account: &mut Account<'a>) {
        if self.lost {
            self.filling = None;
            self.given.clear();
            return;
        }
        self.take_all(withdrawn, account);
        let (volume, members, at) = self.layout.state();
        let path = paths::volume(self.serial, volume);
        if members > 0 && account.claim(&path) {
            self.check_end(&path, members, at, account);
        }
    }

    fn check_end(&self, path: &str, members: u64, at: u64, account: &mut Account<'a>) {
        let whole = at + members * DIRECTORY_HEADER + END;
        match read_tail(path, account) {
            Ok((length, tail)) if length == whole && tail == end(members, at) => {}
            Ok((length, _)) if length != whole => account.problem(path, format!("has {length} bytes where {whole} were published")),
            Ok(_) => account.problem(path, "damaged: its end is not what follows from its members"),
            Err(e) => account.problem(path, unreadable(&e)),
        }
        account.advance(members * DIRECTORY_HEADER + END);
    }

    pub(super) fn end(mut self, prefix: &str, withdrawn: &mut Withdrawn<'_>, account: &mut Account<'a>) {
        self.end_volume(withdrawn, account);
        if self.lost {
            // Where these volumes' members belong cannot be said; that each is what its name says can.
            for path in account.unclaimed_under(&format!("{prefix}volume/")) {
                self.alone(&path, withdrawn, account);
            }
        }
    }

    /// Checks a volume by itself: what its directory names, and that it is written in the one way.
    fn alone(&mut self, path: &str, withdrawn: &mut Withdrawn<'_>, account: &mut Account<'a>) {
        account.claim(path);
        let opened = account.open(path, None).and_then(Directory::open);
        let mut directory = match opened {
            Ok(directory) => directory,
            Err(e) => return account.problem(path, unreadable(&e)),
        };
        let volume = path.rsplit('/').next().and_then(|name| name.strip_suffix(".zip")?.parse().ok()).unwrap_or(u32::MAX);
        for first in (0..directory.members).step_by(BATCH_MEMBERS) {
            let count = (directory.members - first).min(BATCH_MEMBERS as u64);
            match (first..first + count).map(|member| directory.member(member)).collect::<io::Result<Option<Vec<_>>>>() {
                Ok(Some(members)) => {
                    let wanted = |named: Named| Wanted {
                        offset: named.offset,
                        length: named.length,
                        sha256: named.sha256,
                        erasable: withdrawn.names(self.serial, volume, named.offset, named.length),
                    };
                    let members: Vec<Wanted> = members.into_iter().map(wanted).collect();
                    let bytes = members.iter().map(|member| member.length).sum();
                    self.filling = Some(Batch { path: path.to_owned(), volume, first, bytes, members });
                }
                Ok(None) => return account.problem(path, "damaged: its directory is not of its form"),
                Err(e) => return account.problem(path, unreadable(&e)),
            }
            self.take_all(withdrawn, account);
        }
        self.check_end(path, directory.members, directory.at, account);
    }

    /// A file that was published before must be a member there, under its digest and with its length; the member itself is checked where it is
    /// first referenced.
    fn earlier(&mut self, file: &FileRef, counts: bool, withdrawn: &Withdrawn<'_>, account: &Account<'a>) -> Result<(), Wrong> {
        let path = paths::volume(file.release, file.volume);
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        let directory =
            self.open.entry((file.release, file.volume)).or_insert_with(|| Directory::open(account.open(&path, None).ok()?).ok());
        let found = directory.as_mut().map(|directory| directory.find(file.offset));
        let missing = || format!("{} does not stand at byte {} of {path}", file.sha256, file.offset);
        match found {
            Some(Ok(Some(Named { sha256: Some(sha256), length, .. }))) if sha256 == file.sha256 && length == file.length => Ok(()),
            Some(Ok(Some(Named { sha256: None, length, .. }))) if length == file.length => match counts {
                true => {
                    let what = format!("the bytes at {} are erased, though a line that is not withdrawn refers to them", file.offset);
                    Err(Wrong { path: Some(path), what })
                }
                false if withdrawn.may_be_erased(file) => Ok(()),
                false => Err(missing().into()),
            },
            Some(Err(e)) => Err(format!("cannot find {} in {path}: {e}", file.sha256).into()),
            _ => Err(missing().into()),
        }
    }
}

impl Batch {
    /// What is wrong with these members: their bytes, the headers before them and their records in the directory.
    fn check(&self, store: &dyn Store) -> Found {
        let mut found = Found::default();
        if let Err(e) = self.check_all(store, &mut found) {
            found.wrong.push(unreadable(&e));
        }
        found
    }

    fn check_all(&self, store: &dyn Store, found: &mut Found) -> io::Result<()> {
        let from = self.members.first().map_or(0, |first| first.offset.saturating_sub(LOCAL_HEADER));
        let to = self.members.last().map_or(0, |last| last.offset.saturating_add(last.length));
        let mut volume = io::BufReader::with_capacity(1 << 18, store.open(&self.path, Some(from..to))?);
        let mut directory = Directory::open(store.open(&self.path, None)?)?;
        let mut record = [0; DIRECTORY_HEADER as usize];
        if !self.members.is_empty() {
            volume.seek(SeekFrom::Start(from))?;
        }
        directory.seek(self.first)?;
        for wanted in &self.members {
            let mut header = [0; LOCAL_HEADER as usize];
            volume.read_exact(&mut header)?;
            let mut bytes = Zeros { inner: volume.by_ref().take(wanted.length), only: true };
            let member = Member::measure(&mut bytes)?;
            let only_zeros = bytes.only && member.length == wanted.length;
            directory.file.read_exact(&mut record)?;
            wanted.check(&member, only_zeros, &header, &record, found);
        }
        Ok(())
    }
}

impl Wanted {
    /// Whether the member is whole or, where it may be, erased, with the headers that follow from that.
    fn check(&self, member: &Member, only_zeros: bool, header: &[u8], record: &[u8], found: &mut Found) {
        let erased = ErasedMember { offset: self.offset, length: self.length };
        if self.erasable && only_zeros && header == erased.local_header() {
            if record != erased.directory_header() {
                let what = format!("damaged: the directory's record of the erased bytes at {} is not what follows", self.offset);
                found.wrong.push(what + ": run `daylight erase` again");
            }
            return;
        }
        let (sha256, again) = (self.sha256.unwrap_or(member.sha256), if self.erasable { ": run `daylight erase` again" } else { "" });
        if member.sha256 != sha256 || member.length != self.length {
            return found.wrong.push(format!("damaged: the bytes at {} are not {sha256}{again}", self.offset));
        }
        if header != member.local_header() {
            found.wrong.push(format!("damaged: the header before the bytes at {} is not what follows from them{again}", self.offset));
        }
        if record != member.directory_header(self.offset - LOCAL_HEADER) {
            found.wrong.push(format!("damaged: the directory's record of {sha256} is not what follows from it{again}"));
        }
        if self.sha256.is_none() {
            found.left.push(self.offset);
        }
    }
}

/// Reads on, and says whether there was nothing but zeros.
struct Zeros<R> {
    inner: R,
    only: bool,
}

impl<R: BufRead> Read for Zeros<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.only = self.only && buffer[..read].iter().all(|byte| *byte == 0);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Zeros<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is to be consumed is in the buffer still.
        self.only = self.only && self.inner.fill_buf().is_ok_and(|bytes| bytes.iter().take(amount).all(|byte| *byte == 0));
        self.inner.consume(amount);
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
struct Directory<'a> {
    file: io::BufReader<Box<dyn Opened + 'a>>,
    at: u64,
    members: u64,
}

impl<'a> Directory<'a> {
    fn open(mut file: Box<dyn Opened + 'a>) -> io::Result<Self> {
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

    /// A member as its record in the directory names it. `None` if it cannot be one.
    fn member(&mut self, member: u64) -> io::Result<Option<Named>> {
        let mut record = [0; DIRECTORY_HEADER as usize];
        self.seek(member)?;
        self.file.read_exact(&mut record)?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| record[at + i]));
        let length = number(114);
        let offset = number(130).checked_add(LOCAL_HEADER).filter(|offset| offset.checked_add(length).is_some_and(|end| end <= self.at));
        let Some((offset, name)) = offset.zip(std::str::from_utf8(&record[46..110]).ok()) else { return Ok(None) };
        let sha256 = name.parse::<Digest>().ok();
        let known = sha256.is_some() || name == (ErasedMember { offset, length }).name();
        Ok(known.then_some(Named { offset, length, sha256 }))
    }

    /// The member whose bytes begin at this offset.
    fn find(&mut self, offset: u64) -> io::Result<Option<Named>> {
        let (mut low, mut high) = (0, self.members);
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(named) = self.member(middle)? else { return Ok(None) };
            match named.offset.cmp(&offset) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Some(named)),
            }
        }
        Ok(None)
    }
}

/// A member as its record in a directory names it.
struct Named {
    offset: u64,
    length: u64,
    /// What its bytes are; `None` where it is erased.
    sha256: Option<Digest>,
}
