//! Signed notes (c2sp.org/signed-note) and cosignatures (c2sp.org/tlog-cosignature): text, a blank line, signature lines.

use crate::key::{Key, KeyType, Signer, check_name};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;

/// The longest note that is read, in bytes, and the most signature lines.
const MAX_NOTE: usize = 1 << 20;
const MAX_SIGNATURES: usize = 100;

/// Why bytes are not a signed note, or not one to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than 1 MiB, or more than 100 signatures.
    #[error("longer than 1 MiB or with more than 100 signatures")]
    TooLong,
    /// Not UTF-8, a control character, or no text and signatures divided by a blank line.
    #[error("not a signed note: text, a blank line and signature lines")]
    Form,
    /// A signature line that is not `— name base64`.
    #[error("signature line {0} is not of its form")]
    Line(usize),
    /// A known key's signature that is wrong: then nothing in the note is believed.
    #[error("the signature of {0} is wrong")]
    Wrong(String),
    /// Fewer distinct keys than needed.
    #[error("signed by {found} of the keys that count, {needed} are needed")]
    TooFew {
        /// Distinct public keys whose signatures are right.
        found: usize,
        /// How many were asked for.
        needed: usize,
    },
    /// A line of a key that has no business here, or a second line of the same key. Only where every byte must be accounted for.
    #[error("the signature line of {0} belongs to no key that may sign here, or stands twice")]
    Stray(String),
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: String,
    /// The key's ID, see [`Key::id`].
    pub key_id: [u8; 4],
    /// What follows the ID: 64 bytes for type 0x01; a time of 8 bytes and 64 for type 0x04.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// Reads one line without its newline; `None` where it is not of its form.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
        check_name(name).ok()?;
        let bytes = STANDARD.decode(base64).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        (!signature.is_empty()).then(|| Self { name: name.to_owned(), key_id: *key_id, bytes: signature.to_vec() })
    }

    /// The line, with its newline.
    pub fn line(&self) -> String {
        let bytes = [&self.key_id, self.bytes.as_slice()].concat();
        format!("— {} {}\n", self.name, STANDARD.encode(bytes))
    }

    /// Whether it names this key. That it is right is for [`Note::signed_by`].
    pub fn is_by(&self, key: &Key) -> bool {
        self.name == key.name() && self.key_id == key.id()
    }

    /// Whether it is right, for the key it names; for a cosignature also the time it states, in seconds since 1970.
    fn check(&self, key: &Key, text: &str) -> Option<Option<u64>> {
        let (message, signature, time) = match key.kind() {
            KeyType::Note => (text.as_bytes().to_vec(), self.bytes.as_slice(), None),
            KeyType::Cosignature => {
                let (time, signature) = self.bytes.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                i64::try_from(time).ok()?;
                (cosigned_message(time, text), signature, Some(time))
            }
        };
        let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
        key.verifying().verify_strict(&message, &signature).ok()?;
        Some(time)
    }
}

fn cosigned_message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// A note as read: nothing in it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One key that did sign a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Which of the known keys, by its place in the list given.
    pub key: usize,
    /// The time that a cosignature states, seconds since 1970.
    pub time: Option<u64>,
}

impl Note {
    /// A note without signatures. Errors: the text does not end in a newline or has another control character.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        let fine = text.ends_with('\n') && !text.bytes().any(|b| b < 32 && b != b'\n');
        if fine { Ok(Self { text: text.to_owned(), signatures: Vec::new() }) } else { Err(NoteError::Form) }
    }

    /// Reads a signed note with at least one signature line.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLong);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Form)?;
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        let mut note = Self::new(&whole[..text.len() + 1])?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        for (i, line) in lines.split('\n').enumerate() {
            if i >= MAX_SIGNATURES {
                return Err(NoteError::TooLong);
            }
            if line.bytes().any(|b| b < 32) {
                return Err(NoteError::Form);
            }
            note.signatures.push(Signature::parse(line).ok_or(NoteError::Line(i + 1))?);
        }
        Ok(note)
    }

    /// The note as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines: String = self.signatures.iter().map(Signature::line).collect();
        format!("{}\n{lines}", self.text).into_bytes()
    }

    /// What is signed, its last newline included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, right or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature of type 0x01. A second signature by the same key changes nothing.
    pub fn sign(&mut self, signer: &Signer) {
        self.add(&signer.key(), signer.sign_bytes(self.text.as_bytes()).to_vec());
    }

    /// Adds a cosignature of type 0x04 that states `time`, seconds since 1970. An older one by the same key is replaced.
    pub fn cosign(&mut self, signer: &Signer, time: u64) {
        self.replace_signature(self.cosignature(signer, time));
    }

    /// The line of a cosignature, see [`Note::cosign`].
    pub fn cosignature(&self, signer: &Signer, time: u64) -> Signature {
        let key = signer.cosigner_key();
        let bytes = signer.sign_bytes(&cosigned_message(time, &self.text));
        Signature { name: key.name().to_owned(), key_id: key.id(), bytes: [time.to_be_bytes().as_slice(), &bytes].concat() }
    }

    /// Adds a signature line in the place of every other of the same key.
    pub fn replace_signature(&mut self, signature: Signature) {
        self.signatures.retain(|known| (&known.name, known.key_id) != (&signature.name, signature.key_id));
        self.signatures.push(signature);
    }

    /// Adds a signature line that came from elsewhere, such as a witness, unless it stands there already.
    pub fn add_signature(&mut self, signature: Signature) {
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
    }

    /// Brings the signature lines into the order of these keys, so that the same signatures are the same bytes; others come last, as they stood.
    pub fn order_by(&mut self, keys: &[Key]) {
        self.signatures.sort_by_key(|signature| keys.iter().position(|key| signature.is_by(key)).unwrap_or(keys.len()));
    }

    /// Whether a line claims to be by this key, right or not.
    pub fn has_line_of(&self, key: &Key) -> bool {
        self.signatures.iter().any(|signature| signature.is_by(key))
    }

    fn add(&mut self, key: &Key, bytes: Vec<u8>) {
        self.add_signature(Signature { name: key.name().to_owned(), key_id: key.id(), bytes });
    }

    /// Which of `keys` signed. Lines of other keys are ignored; one wrong signature of a known key rejects the note. Each public key is given
    /// once, whatever the number of its lines and under however many names it is known.
    pub fn signed_by(&self, keys: &[Key]) -> Result<Vec<Signed>, NoteError> {
        let mut distinct = BTreeSet::new();
        let mut signed = Vec::new();
        for signature in &self.signatures {
            for (place, key) in keys.iter().enumerate().filter(|(_, key)| signature.is_by(key)) {
                let time = signature.check(key, &self.text).ok_or_else(|| NoteError::Wrong(key.name().to_owned()))?;
                if distinct.insert(*key.public()) {
                    signed.push(Signed { key: place, time });
                }
            }
        }
        Ok(signed)
    }

    /// Whether at least `needed` distinct public keys of `keys` signed, and which.
    pub fn require(&self, keys: &[Key], needed: usize) -> Result<Vec<Signed>, NoteError> {
        let signed = self.signed_by(keys)?;
        if signed.len() < needed.max(1) { Err(NoteError::TooFew { found: signed.len(), needed }) } else { Ok(signed) }
    }

    /// Refuses a note with a line by none of `keys`, or with a second line by the same key: so that no byte of it goes unchecked.
    pub fn refuse_stray(&self, keys: &[Key]) -> Result<(), NoteError> {
        let mut seen = BTreeSet::new();
        for signature in &self.signatures {
            let known = keys.iter().any(|key| signature.is_by(key));
            if !known || !seen.insert((&signature.name, signature.key_id)) {
                return Err(NoteError::Stray(signature.name.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
