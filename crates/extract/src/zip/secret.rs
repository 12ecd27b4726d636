//! Encrypted entries: as PKWARE did it from the beginning (APPNOTE.TXT section 6.1), and with AES as WinZip does (its AE-1 and AE-2). Both keep a byte
//! or two to tell a wrong password by, which one in some hundreds passes: so an entry is given only after its checksum or its seal was found right.

use super::directory::Entry;
use super::unpacked;
use crate::cipher::{Counter, Seal, pbkdf2_cost, pbkdf2_sha1};
use crate::document::read_full;
use crate::keys::{By, Keys, Locked, Work, spellings};
use crate::packed::{Packed, Stretch};
use daylight_model::reading::Input;
use std::cell::Cell;
use std::io::{self, Read};

/// WinZip's number of rounds.
const ROUNDS: u32 = 1000;
/// The length of the seal behind an entry.
const SEAL: u64 = 10;

/// How an entry is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    /// With the last byte of its header, which may be taken from either of these.
    Traditional([u8; 2]),
    /// With a key of so many bytes.
    Aes(usize),
    /// In a way that is not read.
    Other,
}

impl Secret {
    /// `method` and `flags` are the entry's, `sealed` is WinZip's extra field.
    pub(super) fn of(method: u16, flags: u16, sealed: Option<&[u8]>, checks: [u8; 2]) -> Self {
        match (method, sealed.map(|sealed| sealed[4])) {
            (99, Some(strength @ 1..=3)) => Secret::Aes(8 + usize::from(strength) * 8),
            (99, _) => Secret::Other,
            _ if flags & 0x40 != 0 => Secret::Other,
            _ => Secret::Traditional(checks),
        }
    }

    /// What it is called.
    pub(super) fn method(self) -> &'static str {
        match self {
            Secret::Traditional(_) => "ZipCrypto",
            Secret::Aes(16) => "AES-128 (WinZip)",
            Secret::Aes(24) => "AES-192 (WinZip)",
            Secret::Aes(_) => "AES-256 (WinZip)",
            Secret::Other => "an encryption of zip files that is not read",
        }
    }

    /// What one password costs.
    fn cost(self) -> u64 {
        match self {
            Secret::Aes(length) => pbkdf2_cost(ROUNDS, length * 2 + 2),
            Secret::Traditional(_) | Secret::Other => 4,
        }
    }
}

/// What opens an entry: the right password's key.
pub(super) enum Key {
    Traditional(Traditional),
    Aes(Vec<u8>),
}

/// Why an entry was not opened.
pub(super) enum Shut {
    Locked(Locked),
    /// A password passes the first check, but the seal is another.
    Damaged,
}

/// Looks for the password of an entry whose bytes are in `stretch`. An entry that unpacks to more than `most` is not opened by any.
pub(super) fn open(keys: &mut Keys, secret: Secret, entry: &Entry, stretch: &Stretch<'_>, most: u64) -> Result<(Key, By), Shut> {
    let damaged = Cell::new(false);
    let opened = keys.open(&[], secret.cost(), |password, work| match secret {
        Secret::Traditional(checks) => traditional(&spellings(password), checks, entry, stretch, most, work).map(Key::Traditional),
        Secret::Aes(length) => aes(&spellings(password), length, stretch, work, &damaged).map(Key::Aes),
        Secret::Other => None,
    });
    opened.map_err(|locked| if damaged.get() { Shut::Damaged } else { Shut::Locked(locked) })
}

/// The entry's bytes as they were packed before they were encrypted.
pub(super) fn decrypted<'a>(key: &Key, stretch: &Stretch<'a>) -> Box<dyn Read + 'a> {
    let part = |start: u64, end: u64| {
        let length = stretch.length.saturating_sub(start + end);
        Packed { stretch: Stretch { input: stretch.input, start: stretch.start + start, length }, at: 0 }
    };
    match key {
        Key::Traditional(state) => Box::new(Opened { packed: part(12, 0), cipher: state.clone() }),
        Key::Aes(key) => match Counter::new(key) {
            Some(counter) => Box::new(Opened { packed: part(salt_length(key.len()) + 2, SEAL), cipher: counter }),
            None => Box::new(io::empty()),
        },
    }
}

fn salt_length(key: usize) -> u64 {
    key as u64 / 2
}

fn traditional(
    spellings: &[Vec<u8>],
    checks: [u8; 2],
    entry: &Entry,
    stretch: &Stretch<'_>,
    most: u64,
    work: &mut Work<'_>,
) -> Option<Traditional> {
    let mut head = [0; 12];
    if read_full(stretch, 0, &mut head).ok()? < 12 || entry.unpacked > most {
        return None;
    }
    spellings.iter().find_map(|spelling| {
        let mut state = Traditional::new(spelling);
        let mut opened = head;
        state.undo(&mut opened);
        if !checks.contains(&opened[11]) || !work.spend(stretch.length / 64) {
            return None;
        }
        let key = Key::Traditional(state.clone());
        let mut stream = unpacked(entry.packing, entry.unpacked, decrypted(&key, stretch));
        holds(&mut *stream, entry).then_some(state)
    })
}

/// Whether a stream has the length and the checksum of an entry.
fn holds(stream: &mut dyn Read, entry: &Entry) -> bool {
    let (mut hasher, mut length, mut buffer) = (crc32fast::Hasher::new(), 0_u64, vec![0; 64 << 10]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return length == entry.unpacked && hasher.finalize() == entry.crc,
            Ok(count) => {
                length += count as u64;
                hasher.update(&buffer[..count]);
            }
            Err(_) => return false,
        }
        if length > entry.unpacked {
            return false;
        }
    }
}

fn aes(spellings: &[Vec<u8>], length: usize, stretch: &Stretch<'_>, work: &mut Work<'_>, damaged: &Cell<bool>) -> Option<Vec<u8>> {
    let salted = salt_length(length);
    let end = stretch.length.checked_sub(SEAL).filter(|end| *end >= salted + 2)?;
    let mut head = [0; 18];
    let head = &mut head[..usize::try_from(salted).unwrap_or(0) + 2];
    let mut seal = [0; SEAL as usize];
    if read_full(stretch, 0, head).ok()? < head.len() || read_full(stretch, end, &mut seal).ok()? < seal.len() {
        return None;
    }
    let (salt, check) = head.split_at(head.len() - 2);
    for (more, spelling) in spellings.iter().enumerate() {
        if more > 0 && !work.spend(Secret::Aes(length).cost()) {
            return None;
        }
        let derived = pbkdf2_sha1(spelling, salt, ROUNDS, length * 2 + 2);
        if derived[length * 2..] != *check || !work.spend(stretch.length / 64) {
            continue;
        }
        if sealed(stretch, salted + 2, end, &derived[length..length * 2], &seal) {
            return Some(derived[..length].to_vec());
        }
        damaged.set(true);
    }
    None
}

fn sealed(stretch: &Stretch<'_>, mut at: u64, end: u64, key: &[u8], stated: &[u8]) -> bool {
    let Some(mut seal) = Seal::new(key) else { return false };
    let mut buffer = vec![0; 64 << 10];
    while at < end {
        let wanted = buffer.len().min(usize::try_from(end - at).unwrap_or(usize::MAX));
        match stretch.read_at(at, &mut buffer[..wanted]) {
            Ok(count @ 1..) => {
                seal.update(&buffer[..count]);
                at += count as u64;
            }
            Ok(0) | Err(_) => return false,
        }
    }
    seal.begins_with(stated)
}

/// What undoes a stream, byte by byte.
trait Undo {
    fn undo(&mut self, bytes: &mut [u8]);
}

struct Opened<'a, C> {
    packed: Packed<'a>,
    cipher: C,
}

impl<C: Undo> Read for Opened<'_, C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.packed.read(buffer)?;
        self.cipher.undo(&mut buffer[..count]);
        Ok(count)
    }
}

impl Undo for Counter {
    fn undo(&mut self, bytes: &mut [u8]) {
        self.apply(bytes);
    }
}

/// The three numbers of the old cipher.
#[derive(Clone)]
pub(super) struct Traditional([u32; 3]);

impl Traditional {
    pub(super) fn new(password: &[u8]) -> Self {
        let mut state = Self([0x1234_5678, 0x2345_6789, 0x3456_7890]);
        password.iter().for_each(|byte| state.update(*byte));
        state
    }

    fn update(&mut self, plain: u8) {
        let [first, second, third] = &mut self.0;
        *first = crc(*first, plain);
        *second = second.wrapping_add(*first & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        *third = crc(*third, (*second >> 24) as u8);
    }

    /// The next byte to be combined with the text.
    pub(super) fn pad(&self) -> u8 {
        let low = (self.0[2] | 2) & 0xffff;
        (low.wrapping_mul(low ^ 1) >> 8) as u8
    }
}

impl Undo for Traditional {
    fn undo(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte ^= self.pad();
            self.update(*byte);
        }
    }
}

fn crc(sum: u32, byte: u8) -> u32 {
    CRC[(sum as u8 ^ byte) as usize] ^ sum >> 8
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut sum = n as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[n] = sum;
        n += 1;
    }
    table
};

#[cfg(test)]
mod tests;
