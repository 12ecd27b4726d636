use super::{DIRECTORY_HEADER, END, ErasedMember, LOCAL_HEADER, Member, end};
use daylight_model::{Digest, Hasher};

const HEADER: [u8; 4] = 0x0403_4b50u32.to_le_bytes();
const RECORD: [u8; 4] = 0x0201_4b50u32.to_le_bytes();

/// Checks a volume while it comes: that each member is what its name says and that every byte between them is the one that belongs there. So a wrong
/// byte is seen at the end of its member, not of its gibibyte. Which members belong there only the release's manifest says.
///
/// Its memory is a few hundred bytes. From an error on it must not be fed any more before [`Scan::rewind`].
#[derive(Clone)]
pub struct Scan {
    /// How many bytes were taken.
    at: u64,
    /// The most bytes that the volume may have.
    limit: u64,
    /// Whether some members may have been erased: then zeros stand where they stood, see [`ErasedMember`].
    erased: bool,
    members: u64,
    /// What the directory must be.
    directory: Hasher,
    /// The end of the last whole member, and what of the above was so then.
    good: u64,
    step: Step,
}

#[derive(Clone)]
enum Step {
    /// A member's header, or the first record of the directory: what came of it.
    Head(Vec<u8>),
    Member(Inside),
    /// The directory: how many bytes of it are still to come, and what came.
    Directory(u64, Hasher),
    /// The end: what came of it, and where the directory began.
    End(Vec<u8>, u64),
    Over,
}

/// A member whose bytes are coming.
#[derive(Clone)]
struct Inside {
    header: [u8; LOCAL_HEADER as usize],
    header_at: u64,
    /// What its bytes must be; `None` for one that was erased.
    name: Option<Digest>,
    length: u64,
    left: u64,
    sha256: Hasher,
    crc32: crc32fast::Hasher,
    all_zero: bool,
}

impl Scan {
    /// A volume of at most `limit` bytes, of which some may have been `erased` after a withdrawal.
    pub fn new(limit: u64, erased: bool) -> Self {
        Self { at: 0, limit, erased, members: 0, directory: Hasher::default(), good: 0, step: Step::Head(Vec::new()) }
    }

    /// How many bytes were taken.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Up to which byte every member is whole and right.
    pub fn good(&self) -> u64 {
        self.good
    }

    /// Forgets what came after [`Scan::good`], so that it can come again.
    pub fn rewind(&mut self) {
        self.at = self.good;
        self.step = Step::Head(Vec::new());
    }

    /// Takes the next bytes. Errors say what is wrong, and where.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[self.take(rest)?..];
        }
        Ok(())
    }

    /// Whether the volume is whole. Errors: it ends in the middle.
    pub fn finish(&self) -> Result<(), String> {
        match self.step {
            Step::Over => Ok(()),
            _ => Err(format!("it ends after {} bytes, in the middle", self.at)),
        }
    }

    /// Takes some of the bytes, and says how many.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, String> {
        if self.at + bytes.len() as u64 > self.limit {
            return Err(format!("it is longer than the {} bytes that belong there", self.limit));
        }
        let count = match &mut self.step {
            Step::Over => return Err(format!("it goes on after its end, at byte {}", self.at)),
            Step::Head(head) => {
                // The first four bytes say what it is.
                let wanted = if head.len() < 4 { 4 } else { LOCAL_HEADER as usize };
                let count = (wanted - head.len()).min(bytes.len());
                head.extend_from_slice(&bytes[..count]);
                count
            }
            Step::Member(inside) => inside.take(bytes),
            Step::Directory(left, hasher) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                hasher.update(&bytes[..count]);
                *left -= count as u64;
                count
            }
            Step::End(end, _) => {
                let count = (END as usize - end.len()).min(bytes.len());
                end.extend_from_slice(&bytes[..count]);
                count
            }
        };
        self.at += count as u64;
        self.step_on()?;
        Ok(count)
    }

    /// Goes on to what follows, where all of a piece is there.
    fn step_on(&mut self) -> Result<(), String> {
        match &self.step {
            Step::Head(head) if head.len() == 4 && self.members > 0 && head[..] == RECORD => {
                let mut hasher = Hasher::default();
                hasher.update(head);
                self.step = Step::Directory(self.members * DIRECTORY_HEADER - 4, hasher);
            }
            Step::Head(head) if head.len() == 4 && head[..] != HEADER => {
                return Err(format!("what stands at byte {} is neither a member nor the directory", self.at - 4));
            }
            Step::Head(head) if head.len() == LOCAL_HEADER as usize => {
                let header: [u8; LOCAL_HEADER as usize] = std::array::from_fn(|i| head[i]);
                let inside = Inside::of(header, self.at - LOCAL_HEADER, self.erased);
                let inside = inside.filter(|inside| self.at.checked_add(inside.length).is_some_and(|end| end <= self.limit));
                self.step = Step::Member(inside.ok_or_else(|| format!("what stands at byte {} is no header", self.at - LOCAL_HEADER))?);
                // A member may have no bytes.
                return self.end_member();
            }
            Step::Member(_) => return self.end_member(),
            Step::Directory(0, hasher) => {
                if hasher.clone().finish() != self.directory.clone().finish() {
                    return Err("its directory is not what follows from its members".into());
                }
                self.step = Step::End(Vec::with_capacity(END as usize), self.at - self.members * DIRECTORY_HEADER);
            }
            Step::End(found, directory_at) if found.len() == END as usize => {
                if found[..] != end(self.members, *directory_at) {
                    return Err("its end is not what follows from its members".into());
                }
                self.step = Step::Over;
            }
            _ => {}
        }
        Ok(())
    }

    fn end_member(&mut self) -> Result<(), String> {
        let Step::Member(inside) = &self.step else { return Ok(()) };
        if inside.left > 0 {
            return Ok(());
        }
        let Inside { header, header_at, name, length, sha256, crc32, all_zero, .. } = inside;
        let member = Member { sha256: sha256.clone().finish(), length: *length, crc32: crc32.clone().finalize() };
        let record = match name {
            Some(name) if member.sha256 == *name && member.local_header() == *header => member.directory_header(*header_at),
            Some(name) => return Err(format!("the bytes at {} are not {name}", header_at + LOCAL_HEADER)),
            None if *all_zero && inside.erased().local_header() == *header => inside.erased().directory_header(),
            None => return Err(format!("the bytes at {} are said to be erased, and are not", header_at + LOCAL_HEADER)),
        };
        self.directory.update(&record);
        self.members += 1;
        self.good = self.at;
        self.step = Step::Head(Vec::with_capacity(LOCAL_HEADER as usize));
        Ok(())
    }
}

impl Inside {
    fn of(header: [u8; LOCAL_HEADER as usize], header_at: u64, may_be_erased: bool) -> Option<Self> {
        let length = u64::from_le_bytes(std::array::from_fn(|i| header[98 + i]));
        let erased = ErasedMember { offset: header_at + LOCAL_HEADER, length };
        // What the checksum of so many zeros is takes as long as reading them: the name is looked at first.
        let is_erased = may_be_erased && header[30..94] == *erased.name().as_bytes();
        let name = if is_erased { None } else { Some(std::str::from_utf8(&header[30..94]).ok()?.parse().ok()?) };
        let (sha256, crc32) = (Hasher::default(), crc32fast::Hasher::new());
        Some(Self { header, header_at, name, length, left: length, sha256, crc32, all_zero: true })
    }

    /// What it is if it was erased.
    fn erased(&self) -> ErasedMember {
        ErasedMember { offset: self.header_at + LOCAL_HEADER, length: self.length }
    }

    fn take(&mut self, bytes: &[u8]) -> usize {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let taken = &bytes[..count];
        self.sha256.update(taken);
        self.crc32.update(taken);
        self.all_zero = self.all_zero && taken.iter().all(|b| *b == 0);
        self.left -= count as u64;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::super::VolumeWriter;
    use super::*;

    fn volume(members: &[&[u8]]) -> Vec<u8> {
        let mut writer = VolumeWriter::new(Vec::new());
        for bytes in members {
            writer.add(&Member::of(bytes), &mut &bytes[..]).unwrap();
        }
        writer.finish().unwrap()
    }

    fn check(volume: &[u8], piece: usize, limit: u64) -> Result<(), String> {
        let mut scan = Scan::new(limit, false);
        volume.chunks(piece).try_for_each(|piece| scan.feed(piece))?;
        scan.finish()
    }

    #[test]
    fn a_volume_is_right_in_whatever_pieces_it_comes() {
        let long = vec![7; 100_000];
        let whole = volume(&[b"one", b"", &long, b"PK\x01\x02"]);
        for piece in [1, 3, 113, 114, 115, 4096, whole.len()] {
            assert_eq!(check(&whole, piece, whole.len() as u64), Ok(()));
        }
        assert!(check(&whole, 4096, whole.len() as u64 - 1).is_err());
        for cut in [0, 1, 50, 114, 117, whole.len() - 99, whole.len() - 1] {
            assert!(check(&whole[..cut], 4096, u64::MAX).is_err(), "{cut}");
        }
        assert!(check(&[&whole[..], b"x"].concat(), 4096, u64::MAX).is_err());
    }

    #[test]
    fn every_changed_byte_is_seen_no_later_than_at_the_end_of_its_member() {
        let whole = volume(&[b"one", b"two", b"three"]);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(check(&changed, 64, whole.len() as u64).is_err(), "byte {at}");
        }
        let mut scan = Scan::new(u64::MAX, false);
        let mut changed = whole.clone();
        changed[114 + 3 + 114] ^= 1;
        let wrong = scan.feed(&changed[..114 + 3 + 114 + 3]).unwrap_err();
        assert!(wrong.starts_with("the bytes at 231 are not "), "{wrong}");
        assert_eq!(scan.good(), 117);
        scan.rewind();
        assert_eq!((scan.at(), scan.feed(&whole[117..]), scan.finish()), (117, Ok(()), Ok(())));
    }

    #[test]
    fn a_length_that_is_made_up_is_not_waited_for() {
        let member = Member { length: 1 << 60, ..Member::of(b"x") };
        let mut scan = Scan::new(1 << 30, false);
        assert!(scan.feed(&member.local_header()).unwrap_err().contains("no header"));
        let member = Member { length: u64::MAX, ..Member::of(b"x") };
        assert!(Scan::new(u64::MAX, false).feed(&member.local_header()).is_err());
    }

    #[test]
    fn zeros_are_taken_only_where_something_may_have_been_erased() {
        let whole = volume(&[b"one", b"two", b"three"]);
        let gone = ErasedMember { offset: 231, length: 3 };
        let mut erased = whole.clone();
        erased[117..231].copy_from_slice(&gone.local_header());
        erased[231..234].fill(0);
        let directory = whole.len() - END as usize - 3 * DIRECTORY_HEADER as usize;
        erased[directory + DIRECTORY_HEADER as usize..][..DIRECTORY_HEADER as usize].copy_from_slice(&gone.directory_header());
        assert!(check(&erased, 64, whole.len() as u64).is_err());
        let lenient = |bytes: &[u8]| {
            let mut scan = Scan::new(whole.len() as u64, true);
            scan.feed(bytes).and_then(|()| scan.finish())
        };
        assert_eq!((lenient(&erased), lenient(&whole)), (Ok(()), Ok(())));
        for at in 0..erased.len() {
            let mut changed = erased.clone();
            changed[at] ^= 0x10;
            assert!(lenient(&changed).is_err(), "byte {at}");
        }
    }
}
