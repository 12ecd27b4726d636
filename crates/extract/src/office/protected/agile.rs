use super::{EXCEL, Plain, encrypted, locked, malformed};
use crate::cipher::{Aes, Hash};
use crate::keys::{Keys, utf16};
use crate::office::bytes::stretch;
use crate::office::xml::{Node, Xml};
use crate::output::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What is put behind the hash for each key that comes of it (sections 2.3.4.13 and 2.3.4.14).
const VERIFIER_INPUT: [u8; 8] = [0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79];
const VERIFIER_VALUE: [u8; 8] = [0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e];
const SECRET_KEY: [u8; 8] = [0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6];
const SEAL_KEY: [u8; 8] = [0x5f, 0xb2, 0xad, 0x01, 0x0c, 0xb9, 0xe1, 0xf6];
const SEAL_VALUE: [u8; 8] = [0xa0, 0x67, 0x7f, 0x02, 0xb2, 0x2c, 0x84, 0x33];
/// The package is encrypted in segments of this length.
const SEGMENT: usize = 4096;
/// The description is not longer than this.
const LONGEST: u64 = 1 << 20;

/// A cipher as the description states it.
struct Cipher {
    hash: Hash,
    key: usize,
    salt: Vec<u8>,
    /// The cipher or its chaining is not one that is read.
    other: bool,
}

/// What the description says (section 2.3.4.10).
#[derive(Default)]
struct Description {
    data: Option<Cipher>,
    password: Option<Cipher>,
    rounds: u32,
    input: Vec<u8>,
    value: Vec<u8>,
    key: Vec<u8>,
    seal_key: Vec<u8>,
    seal: Vec<u8>,
}

/// Opens a package: `described` is the XML, `package` the stream with its length before it.
pub(super) fn open(keys: &mut Keys, described: &[u8], package: &[u8]) -> Result<Plain, Problem> {
    let description = Description::read(described);
    let (Some(data), Some(password)) = (&description.data, &description.password) else {
        return Err(encrypted("it is protected by a certificate alone, or does not say how, and is not opened"));
    };
    if data.other || password.other {
        return Err(encrypted("it is protected by a cipher that is not read"));
    }
    let method = format!("AES-{} (agile encryption of Office)", data.key * 8);
    let cost = u64::from(description.rounds).saturating_mul(2) + 100;
    let (secret, by) =
        keys.open(&[EXCEL], cost, |given, _| description.secret(password, data, given)).map_err(|shut| locked(shut, &method))?;
    let Some(aes) = Aes::new(&secret) else { return Err(malformed("its key is of no length that there is")) };
    let body = stretch(package, 8, package.len());
    let mut plain = Vec::with_capacity(body.len());
    for (number, segment) in (0_u32..).zip(body.chunks(SEGMENT)) {
        plain.extend(aes.cbc(&data.first_block(&number.to_le_bytes()), segment));
    }
    let problems = match description.holds(data, &aes, package) {
        true => Vec::new(),
        false => vec![malformed("its seal does not hold: it was changed after it was protected")],
    };
    Ok((plain, by, method, problems))
}

impl Description {
    fn read(described: &[u8]) -> Self {
        let mut description = Self::default();
        let mut xml = Xml::new(Box::new(described), LONGEST);
        while let Some(node) = xml.next() {
            if node != Node::Start {
                continue;
            }
            let bytes = |name: &str| STANDARD.decode(xml.attribute(name).unwrap_or_default().trim()).unwrap_or_default();
            match xml.name() {
                "keyData" => description.data = Cipher::read(&xml),
                "dataIntegrity" => (description.seal_key, description.seal) = (bytes("encryptedHmacKey"), bytes("encryptedHmacValue")),
                "encryptedKey" if description.password.is_none() && xml.attribute("spinCount").is_some() => {
                    description.password = Cipher::read(&xml);
                    description.rounds = xml.attribute("spinCount").and_then(|count| count.parse().ok()).unwrap_or(u32::MAX);
                    description.input = bytes("encryptedVerifierHashInput");
                    description.value = bytes("encryptedVerifierHashValue");
                    description.key = bytes("encryptedKeyValue");
                }
                _ => (),
            }
        }
        description
    }

    /// The key of the package, if the password is right.
    fn secret(&self, cipher: &Cipher, data: &Cipher, password: &str) -> Option<Vec<u8>> {
        let hash = cipher.hash.spun(cipher.hash.of(&[&cipher.salt, &utf16(password)]), self.rounds);
        let first = padded::<16>(&cipher.salt);
        let open = |purpose: &[u8], secret: &[u8]| {
            let mut key = cipher.hash.of(&[&hash, purpose]);
            key.resize(cipher.key, 0x36);
            Some(Aes::new(&key)?.cbc(&first, secret))
        };
        let input = open(&VERIFIER_INPUT, &self.input)?;
        let value = open(&VERIFIER_VALUE, &self.value)?;
        let expected = cipher.hash.of(&[stretch(&input, 0, cipher.salt.len())]);
        if value.len() < expected.len() || !value.starts_with(&expected) {
            return None;
        }
        let mut secret = open(&SECRET_KEY, &self.key)?;
        secret.truncate(data.key);
        Some(secret)
    }

    /// Whether the package is the one that was sealed (section 2.3.4.14): HMAC (RFC 2104) over the whole stream.
    fn holds(&self, data: &Cipher, aes: &Aes, package: &[u8]) -> bool {
        let size = data.hash.of(&[]).len();
        let key = aes.cbc(&data.first_block(&SEAL_KEY), &self.seal_key);
        let value = aes.cbc(&data.first_block(&SEAL_VALUE), &self.seal);
        let block = if size > 32 { 128 } else { 64 };
        let mut key = stretch(&key, 0, size).to_vec();
        key.resize(block, 0);
        let masked = |mask: u8| key.iter().map(|byte| byte ^ mask).collect::<Vec<_>>();
        let inner = data.hash.of(&[&masked(0x36), package]);
        let seal = data.hash.of(&[&masked(0x5c), &inner]);
        value.len() >= size && value.starts_with(&seal)
    }
}

impl Cipher {
    fn read(xml: &Xml<'_>) -> Option<Self> {
        let stated = |name| xml.attribute(name).unwrap_or_default();
        let hash = match stated("hashAlgorithm").to_ascii_uppercase().replace('-', "").as_str() {
            "MD5" => Some(Hash::Md5),
            "SHA1" => Some(Hash::Sha1),
            "SHA256" => Some(Hash::Sha256),
            "SHA384" => Some(Hash::Sha384),
            "SHA512" => Some(Hash::Sha512),
            _ => None,
        };
        let key = stated("keyBits").parse::<usize>().ok()? / 8;
        let known = stated("cipherAlgorithm") == "AES" && stated("cipherChaining") == "ChainingModeCBC" && matches!(key, 16 | 24 | 32);
        Some(Self {
            hash: hash.unwrap_or(Hash::Sha1),
            key,
            salt: STANDARD.decode(stated("saltValue").trim()).ok()?,
            other: hash.is_none() || !known,
        })
    }

    /// What the first block of a stretch is combined with (section 2.3.4.12).
    fn first_block(&self, purpose: &[u8]) -> [u8; 16] {
        padded(&self.hash.of(&[&self.salt, purpose]))
    }
}

/// The first bytes, filled up as the standard wants it.
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0x36))
}
