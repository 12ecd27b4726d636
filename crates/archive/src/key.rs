//! Keys as text (c2sp.org/signed-note): what verifies a note and, apart from it, what signs one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daylight_model::Hasher;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// What a key's signatures say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// Ed25519 over the note's text (type 0x01): editors, recovery, the log.
    Note,
    /// Ed25519 over a time and a checkpoint's text (type 0x04, c2sp.org/tlog-cosignature): witnesses.
    Cosignature,
}

impl KeyType {
    /// The byte that stands for it in key IDs and in keys' text.
    pub fn byte(self) -> u8 {
        match self {
            KeyType::Note => 1,
            KeyType::Cosignature => 4,
        }
    }
}

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `name+id+base64`.
    #[error("a key is written name+id+base64, without spaces")]
    Form,
    /// A name that no key may have.
    #[error("a key's name is not empty and has no space, control character or plus sign")]
    Name,
    /// The ID belongs to another name or key.
    #[error("the key's ID does not belong to its name and bytes: one of them is damaged")]
    Id,
    /// Neither 0x01 nor 0x04.
    #[error("the key is not of a type that this program knows (Ed25519)")]
    Type,
    /// Not a point of the curve, or one with which anybody can sign.
    #[error("the key is not a sound Ed25519 key")]
    Weak,
}

/// A public key with its name. Two of them are the same key where their bytes are, whatever their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    name: String,
    kind: KeyType,
    public: VerifyingKey,
}

impl Key {
    /// Names a public key. Errors: the name is not one that a note can carry; the key is weak.
    pub fn new(name: &str, kind: KeyType, public: VerifyingKey) -> Result<Self, KeyError> {
        check_name(name)?;
        if public.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self { name: name.to_owned(), kind, public })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its signatures say.
    pub fn kind(&self) -> KeyType {
        self.kind
    }

    /// The 32 bytes of the key itself, by which keys are counted.
    pub fn public(&self) -> &[u8; 32] {
        self.public.as_bytes()
    }

    /// The key as the curve has it.
    pub(crate) fn verifying(&self) -> &VerifyingKey {
        &self.public
    }

    /// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
    pub fn id(&self) -> [u8; 4] {
        let mut hasher = Hasher::default();
        hasher.update(self.name.as_bytes());
        hasher.update(&[b'\n', self.kind.byte()]);
        hasher.update(self.public());
        let [a, b, c, d, ..] = hasher.finish().0;
        [a, b, c, d]
    }
}

impl fmt::Display for Key {
    /// `name+<id in hex>+base64(type ‖ public key)`, as Go's `sumdb/note` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let bytes = [&[self.kind.byte()], self.public().as_slice()].concat();
        write!(f, "{}+{id:08x}+{}", self.name, STANDARD.encode(bytes))
    }
}

impl FromStr for Key {
    type Err = KeyError;

    /// Reads what [`Key`]'s `Display` writes and nothing else.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, bytes) = take_apart(text)?;
        let (kind, public) = bytes.split_first().ok_or(KeyError::Form)?;
        let kind = match *kind {
            1 => KeyType::Note,
            4 => KeyType::Cosignature,
            _ => return Err(KeyError::Type),
        };
        let public: [u8; 32] = public.try_into().map_err(|_| KeyError::Form)?;
        let public = VerifyingKey::from_bytes(&public).map_err(|_| KeyError::Weak)?;
        let key = Self::new(name, kind, public)?;
        match (u32::from_be_bytes(key.id()) == id, key.to_string() == text) {
            (true, true) => Ok(key),
            (true, false) => Err(KeyError::Form),
            _ => Err(KeyError::Id),
        }
    }
}

/// Splits `name+id+base64`; the base64 may itself have plus signs.
fn take_apart(text: &str) -> Result<(&str, u32, Zeroizing<Vec<u8>>), KeyError> {
    let (name, rest) = text.split_once('+').ok_or(KeyError::Form)?;
    let (id, bytes) = rest.split_once('+').ok_or(KeyError::Form)?;
    let id = (id.len() == 8).then(|| u32::from_str_radix(id, 16).ok()).flatten().ok_or(KeyError::Form)?;
    let bytes = STANDARD.decode(bytes).map_err(|_| KeyError::Form)?;
    Ok((name, id, Zeroizing::new(bytes)))
}

/// Refuses names that a signature line cannot carry.
pub(crate) fn check_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > 255 || name.contains(bad) { Err(KeyError::Name) } else { Ok(()) }
}

const PRIVATE: &str = "PRIVATE+KEY+";

/// A key that signs, with its name. Where it is kept is not this crate's business.
#[derive(Clone)]
pub struct Signer {
    name: String,
    secret: SigningKey,
}

impl Signer {
    /// Names a signing key.
    pub fn new(name: &str, secret: SigningKey) -> Result<Self, KeyError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), secret })
    }

    /// Reads `PRIVATE+KEY+name+id+base64(0x01 ‖ seed)`, as Go's `sumdb/note` writes it.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let (name, id, bytes) = take_apart(text.strip_prefix(PRIVATE).ok_or(KeyError::Form)?)?;
        let (kind, seed) = bytes.split_first().ok_or(KeyError::Form)?;
        if *kind != KeyType::Note.byte() {
            return Err(KeyError::Type);
        }
        let seed: &[u8; 32] = seed.try_into().map_err(|_| KeyError::Form)?;
        let signer = Self::new(name, SigningKey::from_bytes(seed))?;
        if u32::from_be_bytes(signer.key().id()) == id { Ok(signer) } else { Err(KeyError::Id) }
    }

    /// Writes what [`Signer::from_text`] reads; erased from memory when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([&[KeyType::Note.byte()], self.secret.as_bytes().as_slice()].concat());
        let secret = Zeroizing::new(STANDARD.encode(&*bytes));
        Zeroizing::new(format!("{PRIVATE}{}+{:08x}+{}", self.name, u32::from_be_bytes(self.key().id()), *secret))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key for notes.
    pub fn key(&self) -> Key {
        Key { name: self.name.clone(), kind: KeyType::Note, public: self.secret.verifying_key() }
    }

    /// The public key for cosignatures, which has another ID.
    pub fn cosigner_key(&self) -> Key {
        Key { kind: KeyType::Cosignature, ..self.key() }
    }

    /// Signs a reply to a source, which is no note: `None` unless it begins with the line `daylight-reply/v1`, so that a signature of this never serves as one of
    /// another sort.
    pub fn sign_reply(&self, message: &[u8]) -> Option<[u8; 64]> {
        message.starts_with(b"daylight-reply/v1\n").then(|| self.sign_bytes(message))
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.key())
    }
}
