use super::{EXCEL, Opened, POWERPOINT, encrypted, locked, malformed};
use crate::cipher::{Hash, Rc4};
use crate::keys::{By, Keys, utf16};
use crate::office::bytes::{place_at, stretch, u16_at, u32_at};
use crate::office::ole::cfb::Compound;
use crate::office::ole::{Sort, build};
use crate::output::Problem;
use std::collections::BTreeMap;

/// Word encrypts in blocks of this length, Excel in blocks of the second.
const WORD_BLOCK: usize = 512;
const EXCEL_BLOCK: usize = 1024;
/// So much of Word's main stream is not encrypted ([MS-DOC] section 2.2.6.2), and so much before Word 97.
const WORD_HEAD: usize = 68;
const OLD_WORD_HEAD: usize = 52;
const WORD_97: u16 = 193;
/// The mark of an encrypted presentation, and of one that is not ([MS-PPT] section 2.3.2).
const SECRET_SHOW: u32 = 0xf3d1_c4df;
const OPEN_SHOW: u32 = 0xe391_c05f;
/// Parts of a presentation beyond this many are not opened.
const MOST: usize = 1_000_000;

/// Opens a document of the older form; `None` if it is not protected.
pub(in crate::office) fn open(keys: &mut Keys, file: &Compound<'_>, sort: Sort) -> Option<Result<Opened, Problem>> {
    match sort {
        Sort::Word => word(keys, file),
        Sort::Sheets => sheets(keys, file),
        Sort::Slides => slides(keys, file),
        Sort::Outlook | Sort::Encrypted | Sort::Other => None,
    }
}

/// How a document is encrypted.
enum Secret<'a> {
    /// [MS-OFFCRYPTO] section 2.3.7: two numbers that come of the password.
    Xor([u16; 2]),
    /// Section 2.3.6.
    Rc4 { salt: &'a [u8], verifier: &'a [u8], value: &'a [u8] },
    /// Section 2.3.5, with a key of so many bytes.
    CryptoApi { salt: &'a [u8], verifier: &'a [u8], value: &'a [u8], length: usize },
}

/// The right password's key.
enum Key {
    Xor([u8; 16]),
    Rc4([u8; 5]),
    CryptoApi(Vec<u8>, usize),
}

impl<'a> Secret<'a> {
    /// What stands behind the version of the encryption.
    fn read(info: &'a [u8]) -> Option<Self> {
        match (u16_at(info, 0), u16_at(info, 2)) {
            (1, 1) => Some(Secret::Rc4 { salt: stretch(info, 4, 16), verifier: stretch(info, 20, 16), value: stretch(info, 36, 16) }),
            (2..=4, 2) => {
                let header = stretch(info, 12, place_at(info, 8));
                let verified = stretch(info, place_at(info, 8).saturating_add(12), info.len());
                let length = match u32_at(header, 16) / 8 {
                    0 => 5,
                    length @ 5..=16 => length as usize,
                    _ => return None,
                };
                let rc4 = u32_at(header, 8) == 0x6801;
                let salt = stretch(verified, 4, place_at(verified, 0));
                let (verifier, value) = (stretch(verified, 20, 16), stretch(verified, 40, 20));
                rc4.then_some(Secret::CryptoApi { salt, verifier, value, length })
            }
            _ => None,
        }
    }

    fn method(&self) -> String {
        match self {
            Secret::Xor(_) => "XOR obfuscation of Office".into(),
            Secret::Rc4 { .. } => "RC4, 40 bits, of Office".into(),
            Secret::CryptoApi { length, .. } => format!("RC4, {} bits, of Office (CryptoAPI)", length * 8),
        }
    }

    /// The key, if the password is right.
    fn key(&self, password: &str) -> Option<Key> {
        let (key, verifier, value, hash) = match self {
            Secret::Xor(stated) => return xor_key(password, *stated).map(Key::Xor),
            Secret::Rc4 { salt, verifier, value } => {
                let first = Hash::Md5.of(&[&utf16(password)]);
                let second = Hash::Md5.of(&[&[&first[..5], *salt].concat().repeat(16)]);
                let mut short = [0; 5];
                short.copy_from_slice(&second[..5]);
                (Key::Rc4(short), verifier, value, Hash::Md5)
            }
            Secret::CryptoApi { salt, verifier, value, length } => {
                (Key::CryptoApi(Hash::Sha1.of(&[salt, &utf16(password)]), *length), verifier, value, Hash::Sha1)
            }
        };
        let mut both = [*verifier, *value].concat();
        key.block(0).apply(&mut both);
        let (verifier, value) = both.split_at(verifier.len());
        (verifier.len() == 16 && hash.of(&[verifier]) == value).then_some(key)
    }

    fn open(&self, keys: &mut Keys, own: &[&str]) -> Result<(Key, By), Problem> {
        keys.open(own, 100, |password, _| self.key(password)).map_err(|shut| locked(shut, &self.method()))
    }
}

impl Key {
    /// The cipher of a block, from its beginning.
    fn block(&self, number: u32) -> Rc4 {
        match self {
            Key::Xor(_) => Rc4::new(&[]),
            Key::Rc4(short) => Rc4::new(&Hash::Md5.of(&[short, &number.to_le_bytes()])),
            Key::CryptoApi(hash, length) => {
                let mut key = Hash::Sha1.of(&[hash, &number.to_le_bytes()]);
                key.truncate(*length);
                if *length == 5 {
                    key.resize(16, 0);
                }
                Rc4::new(&key)
            }
        }
    }

    /// Undoes RC4 over a stream in blocks of this length.
    fn apply(&self, bytes: &mut [u8], length: usize) {
        for (number, block) in (0..).zip(bytes.chunks_mut(length)) {
            self.block(number).apply(block);
        }
    }
}

fn finish(
    file: &Compound<'_>,
    property: String,
    problems: Vec<Problem>,
    change: impl Fn(&str, Vec<u8>) -> Vec<u8>,
) -> Result<Opened, Problem> {
    let bytes = build::build(file, Compound::ROOT, None, change);
    let bytes = bytes.ok_or_else(|| malformed("it is too large to be opened with its password"))?;
    Ok(Opened { bytes, property, problems })
}

/// Properties that are encrypted stand in a stream of their own ([MS-OFFCRYPTO] section 2.3.5.4).
fn sealed_properties(file: &Compound<'_>) -> Vec<Problem> {
    let sealed = ["EncryptedSummary", "encryption"].iter().any(|name| file.find(Compound::ROOT, name).is_some());
    let why = "its properties are encrypted apart from its text, and are not read";
    if sealed { vec![encrypted(why)] } else { Vec::new() }
}

/// [MS-DOC] section 2.2.6.
fn word(keys: &mut Keys, file: &Compound<'_>) -> Option<Result<Opened, Problem>> {
    let main = file.top("WordDocument")?;
    let (version, flags) = (u16_at(&main, 2), u16_at(&main, 10));
    if flags & 0x100 == 0 {
        return None;
    }
    let table = if flags & 0x200 == 0 { "0Table" } else { "1Table" };
    let info = file.top(table).unwrap_or_default();
    let secret = if flags & 0x8000 != 0 || version < WORD_97 {
        Some(Secret::Xor([u16_at(&main, 14), u16_at(&main, 16)]))
    } else {
        Secret::read(&info)
    };
    let Some(secret) = secret else { return Some(Err(encrypted("it is protected by a cipher that is not read"))) };
    let (key, by) = match secret.open(keys, &[]) {
        Ok(opened) => opened,
        Err(problem) => return Some(Err(problem)),
    };
    let head = if version < WORD_97 { OLD_WORD_HEAD } else { WORD_HEAD };
    Some(finish(file, by.property(&secret.method()), sealed_properties(file), |name, mut bytes| {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if !(is("WordDocument") || is(table) || is("Data")) {
            return bytes;
        }
        let kept = stretch(&bytes, 0, if is("WordDocument") { head } else { 0 }).to_vec();
        match &key {
            // Section 2.3.7.6: what is zero, or would become so, was left alone.
            Key::Xor(mask) => {
                for (byte, mask) in bytes.iter_mut().zip(mask.iter().cycle()) {
                    *byte = if *byte == 0 || *byte == *mask { *byte } else { *byte ^ mask };
                }
            }
            key => key.apply(&mut bytes, WORD_BLOCK),
        }
        bytes[..kept.len()].copy_from_slice(&kept);
        if is("WordDocument") && bytes.len() > 17 {
            bytes[11] &= !0x81;
            bytes[14..18].fill(0);
        }
        bytes
    }))
}

/// [MS-XLS] section 2.2.10: the records' heads and some records stand as they are.
fn sheets(keys: &mut Keys, file: &Compound<'_>) -> Option<Result<Opened, Problem>> {
    const PLAIN: [u16; 6] = [0x2f, 0x194, 0x195, 0xe1, 0x196, 0x138];
    let name = if file.find(Compound::ROOT, "Workbook").is_some() { "Workbook" } else { "Book" };
    let bytes = file.top(name)?;
    let (found, at) = file_pass(&bytes)?;
    // Before Excel 97 there was but one way, so it is not named.
    let secret = match (found.len(), u16_at(found, 0)) {
        (..=4, _) => Some(Secret::Xor([u16_at(found, 0), u16_at(found, 2)])),
        (_, 0) => Some(Secret::Xor([u16_at(found, 2), u16_at(found, 4)])),
        _ => Secret::read(&found[2..]),
    };
    let Some(secret) = secret else { return Some(Err(encrypted("it is protected by a cipher that is not read"))) };
    let (key, by) = match secret.open(keys, &[EXCEL]) {
        Ok(opened) => opened,
        Err(problem) => return Some(Err(problem)),
    };
    let mut plain = bytes.clone();
    if !matches!(key, Key::Xor(_)) {
        key.apply(&mut plain, EXCEL_BLOCK);
    }
    let mut place = 0;
    while let Some(head) = bytes.get(place..place + 4) {
        let (kind, stated) = (u16_at(head, 0), usize::from(u16_at(head, 2)));
        let start = place + 4;
        let end = (start + stated).min(bytes.len());
        let open = match kind {
            0x809 | 0x409 | 0x209 | 0x09 => end,
            kind if PLAIN.contains(&kind) => end,
            // Where the sheet begins.
            0x85 => (start + 4).min(end),
            _ => start,
        };
        if let Key::Xor(mask) = &key {
            for at in open..end {
                plain[at] = (bytes[at] ^ mask[(at + stated) % 16]).rotate_left(3);
            }
        }
        plain[place..open].copy_from_slice(&bytes[place..open]);
        place = end;
    }
    // The record that says that it is encrypted becomes one that says nothing.
    plain[at..at + 2].copy_from_slice(&[0xff, 0xff]);
    Some(finish(file, by.property(&secret.method()), sealed_properties(file), |stream, bytes| {
        if stream.eq_ignore_ascii_case(name) { plain.clone() } else { bytes }
    }))
}

/// The record that says how a workbook is encrypted, and where it stands.
fn file_pass(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 4) {
        let data = stretch(bytes, at + 4, usize::from(u16_at(head, 2)));
        match u16_at(head, 0) {
            0x2f => return Some((data, at)),
            0x0a => return None,
            _ => at += 4 + data.len(),
        }
    }
    None
}

/// [MS-PPT] section 2.3.7: each object of the directory is encrypted by itself, with its number for the block's.
fn slides(keys: &mut Keys, file: &Compound<'_>) -> Option<Result<Opened, Problem>> {
    let user = file.top("Current User")?;
    if u32_at(&user, 12) != SECRET_SHOW {
        return None;
    }
    let bytes = file.top("PowerPoint Document")?;
    let edit = place_at(&user, 16);
    let objects = objects(&bytes, place_at(&bytes, edit.saturating_add(20)));
    // The last field of the edit is the number of the object that says how the others are encrypted.
    let session = (place_at(&bytes, edit.saturating_add(4)) >= 32).then(|| u32_at(&bytes, edit.saturating_add(36)));
    let described = session.and_then(|session| objects.get(&session)).filter(|at| u16_at(&bytes, at.saturating_add(2)) == 0x2f14);
    let info = described.map_or(&[][..], |at| stretch(&bytes, at + 8, place_at(&bytes, at + 4)));
    let Some(secret) = Secret::read(info) else {
        return Some(Err(encrypted("it is protected by a cipher that is not read")));
    };
    let (key, by) = match secret.open(keys, &[POWERPOINT]) {
        Ok(opened) => opened,
        Err(problem) => return Some(Err(problem)),
    };
    let mut plain = bytes.clone();
    let mut starts: Vec<usize> = objects.values().copied().collect();
    starts.sort_unstable();
    starts.dedup();
    for (number, at) in objects.iter().filter(|(_, at)| Some(*at) != described && **at != edit) {
        let Some(head) = bytes.get(*at..at.saturating_add(8)) else { continue };
        let mut head = head.to_vec();
        key.block(*number).apply(&mut head);
        let end = at.saturating_add(8).saturating_add(place_at(&head, 4)).min(bytes.len());
        // Objects that lie over each other cannot make much of little: each byte is opened once.
        let next = starts.partition_point(|start| start <= at);
        let end = end.min(starts.get(next).copied().unwrap_or(end));
        if let Some(object) = plain.get_mut(*at..end) {
            key.block(*number).apply(object);
        }
    }
    let mut problems = sealed_properties(file);
    if file.top("Pictures").is_some_and(|pictures| !pictures.is_empty()) {
        problems.push(encrypted("its pictures are encrypted piece by piece, and are not opened"));
    }
    Some(finish(file, by.property(&secret.method()), problems, |stream, mut bytes| match stream {
        "PowerPoint Document" => plain.clone(),
        "Current User" if bytes.len() > 16 => {
            bytes[12..16].copy_from_slice(&OPEN_SHOW.to_le_bytes());
            bytes
        }
        _ => bytes,
    }))
}

/// The numbers of objects and where they are ([MS-PPT] section 2.3.4). An encrypted presentation was saved once, so there is one directory.
fn objects(bytes: &[u8], directory: usize) -> BTreeMap<u32, usize> {
    let data = stretch(bytes, directory.saturating_add(8), place_at(bytes, directory.saturating_add(4)));
    let (mut objects, mut at) = (BTreeMap::new(), 0);
    while at + 4 <= data.len() && objects.len() < MOST {
        let (first, count) = (u32_at(data, at) & 0xf_ffff, u32_at(data, at) >> 20);
        for number in 0..count {
            at += 4;
            if at + 4 <= data.len() {
                objects.insert(first + number, place_at(data, at));
            }
        }
        at += 4;
    }
    objects
}

/// [MS-OFFCRYPTO] sections 2.3.7.1 to 2.3.7.3: sixteen bytes that come of a password of at most fifteen, if it gives the two numbers that are stated.
fn xor_key(password: &str, stated: [u16; 2]) -> Option<[u8; 16]> {
    const FILL: [u8; 15] = [0xbb, 0xff, 0xff, 0xba, 0xff, 0xff, 0xb9, 0x80, 0, 0xbe, 0x0f, 0, 0xbf, 0x0f, 0];
    let (password, _, lost) = encoding_rs::WINDOWS_1252.encode(password);
    if lost || !(1..=15).contains(&password.len()) {
        return None;
    }
    let (key, verifier) = (xor_number(&password), xor_verifier(&password));
    if stated != [key, verifier] && stated != [verifier, key] {
        return None;
    }
    let bytes = password.iter().chain(&FILL).take(16).zip(key.to_le_bytes().into_iter().cycle());
    let mut array = [0; 16];
    for (slot, (byte, mask)) in array.iter_mut().zip(bytes) {
        *slot = (byte ^ mask).rotate_right(1);
    }
    Some(array)
}

fn xor_verifier(password: &[u8]) -> u16 {
    let length = u8::try_from(password.len()).unwrap_or(0);
    let spin = |sum: u16, byte: &u8| (sum >> 14 & 1 ^ sum << 1 & 0x7fff) ^ u16::from(*byte);
    password.iter().rev().chain([&length]).fold(0, spin) ^ 0xce4b
}

/// The key comes of its first value by the password's length, and of what each of seven bits of each character stands for.
fn xor_number(password: &[u8]) -> u16 {
    const FIRST: [u16; 15] =
        [0xe1f0, 0x1d0f, 0xcc9c, 0x84c0, 0x110c, 0x0e10, 0xf1ce, 0x313e, 0x1872, 0xe139, 0xd40f, 0x84f9, 0x280c, 0xa96a, 0x4ec3];
    #[rustfmt::skip]
    const BITS: [u16; 105] = [
        0xaefc, 0x4dd9, 0x9bb2, 0x2745, 0x4e8a, 0x9d14, 0x2a09, 0x7b61, 0xf6c2, 0xfda5, 0xeb6b, 0xc6f7, 0x9dcf, 0x2bbf, 0x4563,
        0x8ac6, 0x05ad, 0x0b5a, 0x16b4, 0x2d68, 0x5ad0, 0x0375, 0x06ea, 0x0dd4, 0x1ba8, 0x3750, 0x6ea0, 0xdd40, 0xd849, 0xa0b3,
        0x5147, 0xa28e, 0x553d, 0xaa7a, 0x44d5, 0x6f45, 0xde8a, 0xad35, 0x4a4b, 0x9496, 0x390d, 0x721a, 0xeb23, 0xc667, 0x9cef,
        0x29ff, 0x53fe, 0xa7fc, 0x5fd9, 0x47d3, 0x8fa6, 0x0f6d, 0x1eda, 0x3db4, 0x7b68, 0xf6d0, 0xb861, 0x60e3, 0xc1c6, 0x93ad,
        0x377b, 0x6ef6, 0xddec, 0x45a0, 0x8b40, 0x06a1, 0x0d42, 0x1a84, 0x3508, 0x6a10, 0xaa51, 0x4483, 0x8906, 0x022d, 0x045a,
        0x08b4, 0x1168, 0x76b4, 0xed68, 0xcaf1, 0x85c3, 0x1ba7, 0x374e, 0x6e9c, 0x3730, 0x6e60, 0xdcc0, 0xa9a1, 0x4363, 0x86c6,
        0x1dad, 0x3331, 0x6662, 0xccc4, 0x89a9, 0x0373, 0x06e6, 0x0dcc, 0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48c4,
    ];
    let mut key = FIRST[password.len() - 1];
    for (character, bits) in password.iter().rev().zip(BITS.rchunks(7)) {
        for (bit, value) in (0..7).rev().zip(bits.iter().rev()) {
            key ^= if character >> bit & 1 == 1 { *value } else { 0 };
        }
    }
    key
}
