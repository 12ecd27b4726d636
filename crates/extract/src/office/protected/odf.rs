use super::{Opened, encrypted, locked, malformed};
use crate::cipher::{Aes, Hash, blowfish_cfb, pbkdf2_cost, pbkdf2_sha1};
use crate::keys::{Keys, spellings};
use crate::office::xml::{Node, Xml};
use crate::output::Problem;
use crate::zip::Package;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use std::collections::HashMap;
use std::io::Read;

const MANIFEST: &str = "META-INF/manifest.xml";
/// The manifest is not read beyond this many bytes.
const LONGEST_MANIFEST: u64 = 16 << 20;
/// A checksum is of the first bytes before encryption, up to so many.
const SUMMED: usize = 1024;
/// The part that a whole document is in, as LibreOffice writes it since version 24.2.
const WHOLE: &str = "encrypted-package";
/// Argon2 is not given more memory than this many KiB, LibreOffice asks for 65,536; nor more rounds or lanes.
const MOST_MEMORY: u32 = 256 << 10;
const MOST_ROUNDS: u32 = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Blowfish,
    AesCbc,
    AesGcm,
}

#[derive(Debug, Clone, Copy)]
enum Derivation {
    Pbkdf2(u32),
    Argon2 { rounds: u32, memory: u32, lanes: u32 },
}

/// How one part is encrypted, as far as it is said in a way that is known.
struct Part {
    path: String,
    /// How long it is unpacked.
    size: u64,
    check: Option<(Hash, Vec<u8>)>,
    cipher: Option<Cipher>,
    first: Vec<u8>,
    derivation: Option<Derivation>,
    salt: Vec<u8>,
    key: usize,
    start: Option<Hash>,
}

/// Whether parts of a package are encrypted.
pub(in crate::office) fn is_protected(package: &Package<'_>) -> bool {
    !parts(package).is_empty()
}

/// Opens a package with encrypted parts, of which no more than `most` bytes are read.
pub(in crate::office) fn open(keys: &mut Keys, package: &Package<'_>, most: u64) -> Result<Opened, Problem> {
    let parts = parts(package);
    let raw = |part: &Part| {
        let mut bytes = Vec::new();
        package.part(package.find(&part.path)?).ok()?.take(most).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    // The shortest that tells a right password from a wrong one.
    let telling = parts.iter().filter(|part| part.check.is_some() || part.cipher == Some(Cipher::AesGcm));
    let Some(probe) = telling.min_by_key(|part| part.size) else {
        return Err(encrypted("it is protected by a key of somebody's, or keeps nothing to tell the right password by, and is not opened"));
    };
    let (Some(method), Some(cost), Some(bytes)) = (probe.method(), probe.cost(), raw(probe)) else {
        return Err(encrypted("it is protected in a way that is not read"));
    };
    let tried = keys.open(&[], cost, |password, work| {
        let spelt = spellings(password).into_iter().enumerate().filter(|(more, _)| *more == 0 || work.spend(cost));
        spelt.map(|(_, password)| password).find_map(|password| probe.opened(&password, &bytes).map(|packed| (password, packed)))
    });
    let ((password, packed), by) = tried.map_err(|shut| locked(shut, &method))?;
    let mut opened = Opened { bytes: Vec::new(), property: by.property(&method), problems: Vec::new() };
    if probe.path == WHOLE {
        let unpacked = DeflateDecoder::new(&packed[..]).take(most.saturating_add(1)).read_to_end(&mut opened.bytes);
        return if unpacked.is_ok() { Ok(opened) } else { Err(malformed("what its password opens does not unpack")) };
    }
    let sealed: HashMap<&str, &Part> = parts.iter().map(|part| (part.path.as_str(), part)).collect();
    let (mut writer, mut left) = (Writer::default(), most);
    for (number, name) in package.names().iter().enumerate() {
        let mut bytes = Vec::new();
        // What breaks off is said when the document is read.
        let _ = package.part(number).map(|part| part.take(left).read_to_end(&mut bytes));
        left = left.saturating_sub(bytes.len() as u64);
        let Some(part) = sealed.get(name.as_str()) else {
            writer.add(name, &bytes, None);
            continue;
        };
        let enough = keys.spend(part.cost().unwrap_or(0));
        match part.opened(&password, &bytes).filter(|_| enough) {
            Some(packed) => writer.add(name, &packed, Some(part.size)),
            None if enough => opened.problems.push(malformed(&format!("part {number} is not opened by the password of the others"))),
            None => opened.problems.push(encrypted(format!("part {number} is not opened, for it would take too long"))),
        }
    }
    opened.bytes = writer.finish();
    Ok(opened)
}

/// The encrypted parts that the manifest names.
fn parts(package: &Package<'_>) -> Vec<Part> {
    let Some(Ok(manifest)) = package.find(MANIFEST).map(|number| package.part(number)) else { return Vec::new() };
    let mut xml = Xml::new(manifest, LONGEST_MANIFEST);
    let (mut parts, mut file) = (Vec::<Part>::new(), None);
    while let Some(node) = xml.next() {
        if node != Node::Start {
            continue;
        }
        let stated = |name: &str| xml.attribute(name).unwrap_or_default();
        let number = |name: &str| stated(name).parse::<u32>().ok();
        let bytes = |name: &str| STANDARD.decode(stated(name).trim()).unwrap_or_default();
        match (xml.name(), parts.last_mut()) {
            ("file-entry", _) => file = Some((stated("full-path"), stated("size").parse().unwrap_or(0))),
            ("encryption-data", _) => {
                let (path, size) = file.clone().unwrap_or_default();
                let hash = hash(&stated("checksum-type"));
                let check = hash.map(|hash| (hash, bytes("checksum"))).filter(|(hash, sum)| sum.len() == hash.of(&[]).len());
                let part = Part {
                    path,
                    size,
                    check,
                    cipher: None,
                    first: Vec::new(),
                    derivation: None,
                    salt: Vec::new(),
                    key: 16,
                    start: Some(Hash::Sha1),
                };
                parts.push(part);
            }
            ("algorithm", Some(part)) => {
                let name = stated("algorithm-name").to_ascii_lowercase();
                part.first = bytes("initialisation-vector");
                part.cipher = match name.rsplit(['#', ':']).next().unwrap_or_default() {
                    "blowfish cfb" | "blowfish" => Some(Cipher::Blowfish),
                    name if name.starts_with("aes") && name.ends_with("-cbc") => Some(Cipher::AesCbc),
                    name if name.starts_with("aes") && name.ends_with("-gcm") => Some(Cipher::AesGcm),
                    _ => None,
                };
            }
            ("key-derivation", Some(part)) => {
                let name = stated("key-derivation-name").to_ascii_lowercase();
                part.salt = bytes("salt");
                part.key = number("key-size").map_or(16, |size| size as usize).min(64);
                part.derivation = if name.ends_with("pbkdf2") {
                    number("iteration-count").map(Derivation::Pbkdf2)
                } else if name.ends_with("argon2id") {
                    let [rounds, memory, lanes] = ["argon2-iterations", "argon2-memory", "argon2-lanes"].map(number);
                    rounds.zip(memory).zip(lanes).map(|((rounds, memory), lanes)| Derivation::Argon2 { rounds, memory, lanes })
                } else {
                    None
                };
            }
            ("start-key-generation", Some(part)) => part.start = hash(&stated("start-key-generation-name")),
            _ => (),
        }
    }
    parts
}

/// `SHA1/1K`, `…#sha256-1k`, `http://www.w3.org/2000/09/xmldsig#sha256` and the like.
fn hash(name: &str) -> Option<Hash> {
    let name = name.to_ascii_lowercase();
    [("sha512", Hash::Sha512), ("sha256", Hash::Sha256), ("sha1", Hash::Sha1)]
        .into_iter()
        .find(|(known, _)| name.contains(known))
        .map(|(_, hash)| hash)
}

impl Part {
    /// What it is called; `None` if it is not one that is read.
    fn method(&self) -> Option<String> {
        let derivation = match self.derivation? {
            Derivation::Pbkdf2(_) => "PBKDF2",
            Derivation::Argon2 { .. } => "Argon2id",
        };
        let cipher = match self.cipher? {
            Cipher::Blowfish => "Blowfish".to_owned(),
            Cipher::AesCbc => format!("AES-{}-CBC", self.key * 8),
            Cipher::AesGcm => format!("AES-{}-GCM", self.key * 8),
        };
        self.start?;
        Some(format!("{cipher} with {derivation} (OpenDocument)"))
    }

    /// What one password costs; `None` if it asks for more than is given.
    fn cost(&self) -> Option<u64> {
        Some(match self.derivation? {
            Derivation::Pbkdf2(rounds) => pbkdf2_cost(rounds, self.key),
            Derivation::Argon2 { rounds, memory, lanes } => {
                let modest = memory <= MOST_MEMORY && rounds <= MOST_ROUNDS && lanes <= MOST_ROUNDS;
                modest.then_some(u64::from(rounds) * u64::from(memory) * 3)?
            }
        })
    }

    /// The part as it was packed before it was encrypted, if the password is right.
    fn opened(&self, password: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let start = self.start?.of(&[password]);
        let key = match self.derivation? {
            Derivation::Pbkdf2(rounds) => pbkdf2_sha1(&start, &self.salt, rounds, self.key),
            Derivation::Argon2 { rounds, memory, lanes } => {
                let params = argon2::Params::new(memory, rounds, lanes, Some(self.key)).ok()?;
                let mut key = vec![0; self.key];
                argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
                    .hash_password_into(&start, &self.salt, &mut key)
                    .ok()?;
                key
            }
        };
        let plain = match self.cipher? {
            Cipher::Blowfish => blowfish_cfb(&key, self.first.first_chunk()?, bytes)?,
            Cipher::AesCbc => {
                let mut plain = Aes::new(&key)?.cbc(self.first.first_chunk()?, bytes);
                // XML Encryption section 5.2: the last byte says how many were put there to fill the block.
                let filled = usize::from(*plain.last()?);
                plain.truncate(plain.len().checked_sub(filled).filter(|_| (1..=16).contains(&filled))?);
                plain
            }
            Cipher::AesGcm => {
                let (first, rest) = bytes.split_first_chunk()?;
                let (rest, seal) = rest.split_last_chunk()?;
                return Aes::new(&key)?.gcm(first, rest, seal);
            }
        };
        let (hash, sum) = self.check.as_ref()?;
        (hash.of(&[&plain[..plain.len().min(SUMMED)]]) == *sum).then_some(plain)
    }
}

/// A zip in the making, to be read at once.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

impl Writer {
    /// Adds an entry, which is packed if it says how long it is unpacked.
    fn add(&mut self, name: &str, bytes: &[u8], packed: Option<u64>) {
        let at = self.bytes.len();
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        let name = &name.as_bytes()[..name.len().min(usize::from(u16::MAX))];
        let length = packed.map_or(bytes.len(), |length| usize::try_from(length).unwrap_or(usize::MAX));
        let mut head = vec![20, 0, 0, 8, if packed.is_some() { 8 } else { 0 }, 0];
        head.extend([0; 8]);
        head.extend([short(bytes.len()), short(length)].concat());
        head.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        head.extend([0; 2]);
        self.bytes.extend([b"PK\x03\x04", &head[..], name, bytes].concat());
        self.directory.extend([b"PK\x01\x02\x14\0", &head[..], &[0; 10], &short(at), name].concat());
        self.entries = self.entries.saturating_add(1);
    }

    fn finish(mut self) -> Vec<u8> {
        let [size, at] = [self.directory.len(), self.bytes.len()].map(|number| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        let entries = self.entries.to_le_bytes();
        self.bytes.append(&mut self.directory);
        self.bytes.extend([b"PK\x05\x06\0\0\0\0", &entries[..], &entries, &size, &at, &[0; 2]].concat());
        self.bytes
    }
}
