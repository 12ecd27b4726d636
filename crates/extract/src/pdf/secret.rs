//! PDFs under a password (section 7.6). The library opens those whose user password it is given; which method that is, and what an owner's password
//! comes to, is read here from the dictionary that says how a file is encrypted, which itself never is.

use super::caught;
use crate::cipher::{Hash, Rc4};
use crate::keys::{By, Keys, Locked};
use hayro_interpret::hayro_syntax::object::{Dict, FromBytes, Name, String as Bytes};
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use std::sync::Arc;

/// What fills a short password up (algorithm 2).
const PADDING: [u8; 32] = [
    0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0, 0x4e, 0x56, 0xff, 0xfa, 1, 8, 0x2e, 0x2e, 0, 0xb6, 0xd0, 0x68, 0x3e, 0x80,
    0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
];
/// Of places that name an encryption so many are looked at.
const MOST: usize = 16;
/// The hash of revision 6 is about so many rounds, twice, and the library's is slow.
const SLOW: u64 = 60_000;
const QUICK: u64 = 1000;

/// A file that was opened, and what is to be said of how it was protected.
pub(super) struct Opened {
    pub(super) pdf: Pdf,
    pub(super) property: Option<String>,
}

/// Why a file was not opened.
pub(super) enum Shut {
    /// For its encryption; in words.
    Encrypted(String),
    /// There is no page in it.
    Invalid,
    /// It broke the library.
    Broken,
}

/// Opens a PDF, with one of the passwords if it wants one.
pub(super) fn open(keys: &mut Keys, bytes: Vec<u8>) -> Result<Opened, Shut> {
    let bytes = Arc::new(bytes);
    let secret = Secret::find(&bytes);
    let property = |by: By| secret.as_ref().map(|secret| by.property(&secret.method));
    let load = |password: &str| caught(|| Pdf::new_with_password(bytes.clone(), password));
    match load("") {
        Some(Ok(pdf)) => return Ok(Opened { pdf, property: property(By::All) }),
        Some(Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected))) => (),
        // A damaged one does not say that it wants a password.
        Some(Err(LoadPdfError::Invalid)) if secret.is_some() => (),
        Some(Err(LoadPdfError::Decryption(_))) => {
            let method = secret.as_ref().map_or("an encryption", |secret| &secret.method);
            return Err(Shut::Encrypted(format!("it is protected by {method}, which is not read")));
        }
        Some(Err(LoadPdfError::Invalid)) => return Err(Shut::Invalid),
        None => return Err(Shut::Broken),
    }
    let method = secret.as_ref().map_or("an encryption", |secret| &secret.method);
    let slow = secret.as_ref().is_none_or(|secret| secret.revision >= 5);
    let cost = if slow { SLOW } else { QUICK } + bytes.len() as u64 / 64;
    let opened = keys.open(&[], cost, |password, _| {
        let owner = secret.as_ref().and_then(|secret| secret.user_password(password));
        [Some(password.to_owned()), owner].into_iter().flatten().find_map(|password| load(&password)?.ok())
    });
    let shut = |locked: Locked| Shut::Encrypted(locked.detail(method));
    opened.map(|(pdf, by)| Opened { pdf, property: property(by) }).map_err(shut)
}

/// What a file's encryption dictionary says (table 20).
struct Secret {
    method: String,
    revision: u8,
    /// The length of the key in bytes.
    length: usize,
    owner: Vec<u8>,
}

impl Secret {
    /// Looks for the dictionary, from the end of the file, where the newest trailer is.
    fn find(bytes: &[u8]) -> Option<Self> {
        let places = memchr::memmem::rfind_iter(bytes, b"/Encrypt").take(MOST);
        places.filter_map(|place| Self::named(bytes, &bytes[place + 8..])).next()
    }

    /// The dictionary that `rest` begins with or refers to.
    fn named(bytes: &[u8], rest: &[u8]) -> Option<Self> {
        let rest = rest[..rest.len().min(4096)].trim_ascii_start();
        if rest.starts_with(b"<<") {
            return Self::read(rest);
        }
        let mut words = rest.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
        let (number, generation) = (words.next()?, words.next()?);
        let digits = |word: &[u8]| word.len() <= 10 && word.iter().all(u8::is_ascii_digit);
        if !digits(number) || !digits(generation) {
            return None;
        }
        let head = [number, b" ", generation, b" obj"].concat();
        let whole = |at: &usize| !at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_digit());
        let found = memchr::memmem::rfind_iter(bytes, &head).take(MOST).filter(whole);
        found.filter_map(|at| Self::read(bytes[at + head.len()..].trim_ascii_start())).next()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = &bytes[..bytes.len().min(64 << 10)];
        caught(|| {
            let dict = Dict::from_bytes(bytes)?;
            let filter = dict.get::<Name<'_>>(b"Filter")?;
            let (version, revision) = (dict.get::<u8>(b"V").unwrap_or(0), dict.get::<u8>(b"R").unwrap_or(0));
            let stated = dict.get::<u16>(b"Length").unwrap_or(if version == 4 { 128 } else { 40 });
            let bits = if version == 1 { 40 } else { stated.clamp(40, 128) };
            let crypt = dict.get::<Dict<'_>>(b"CF").and_then(|filters| {
                let name = dict.get::<Name<'_>>(b"StmF")?;
                let method = filters.get::<Dict<'_>>(name.as_str().as_bytes())?.get::<Name<'_>>(b"CFM")?;
                Some(method.as_str().to_owned())
            });
            let method = match (filter.as_str(), version, crypt.as_deref()) {
                ("Standard", 1 | 2, _) => format!("RC4, {bits} bits"),
                ("Standard", _, Some("V2")) => format!("RC4, {bits} bits"),
                ("Standard", _, Some("AESV2")) => "AES-128".to_owned(),
                ("Standard", 5, _) => format!("AES-256, revision {revision}"),
                ("Standard", ..) => "an encryption".to_owned(),
                _ => "a certificate or a service".to_owned(),
            };
            let owner = dict.get::<Bytes<'_>>(b"O").map(|owner| owner.to_vec()).unwrap_or_default();
            Some(Self { method, revision, length: usize::from(bits / 8), owner })
        })
        .flatten()
    }

    /// The user password that an owner password opens (algorithm 7), up to revision 4.
    fn user_password(&self, owner: &str) -> Option<String> {
        if !(2..=4).contains(&self.revision) || self.owner.len() < 32 {
            return None;
        }
        let padded: Vec<u8> = owner.bytes().chain(PADDING).take(32).collect();
        let mut hash = Hash::Md5.of(&[&padded]);
        for _ in 0..if self.revision >= 3 { 50 } else { 0 } {
            hash = Hash::Md5.of(&[&hash]);
        }
        hash.truncate(if self.revision == 2 { 5 } else { self.length });
        let mut user = self.owner[..32].to_vec();
        for turn in (0..if self.revision >= 3 { 20 } else { 1 }).rev() {
            let key: Vec<u8> = hash.iter().map(|byte| byte ^ turn).collect();
            Rc4::new(&key).apply(&mut user);
        }
        let length = (0..=32).find(|length| user[*length..] == PADDING[..32 - length])?;
        user.truncate(length);
        String::from_utf8(user).ok()
    }
}
