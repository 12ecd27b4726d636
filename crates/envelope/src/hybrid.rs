//! The hybrid key pair of everything asymmetric here: X-Wing (ML-KEM-768 and X25519), which holds as long as one of both does. In age files it stands as
//! the stanza `mlkem768x25519` of c2sp.org/age: HPKE (RFC 9180) in its base mode with the KEM 0x647a, HKDF-SHA256 and ChaCha20-Poly1305.

use crate::{NoRandomness, fill_random};
use bech32::primitives::decode::CheckedHrpstring;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, Serializable};
use std::fmt;
use zeroize::Zeroizing;

mod open;
mod randomness;
mod seal;

pub(crate) use open::Opening;
#[cfg(fuzzing)]
pub(crate) use seal::header;
pub(crate) use seal::{Stream, seal, sealed_length};

/// What HPKE is told to be used for.
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// The first argument of a stanza.
const TAG: &str = "mlkem768x25519";
/// How an identity's and a recipient's text begin.
const RECIPIENT: bech32::Hrp = bech32::Hrp::parse_unchecked("age1pq");

/// A public key that something can be sealed to. Its text is the one of age: `age1pq1…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(<XWing as Kem>::PublicKey);

/// Bytes or a text that are no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a public key of the form age1pq1…")]
pub struct RecipientError;

impl Recipient {
    /// How many bytes one has.
    pub const LENGTH: usize = 1_216;

    /// The key of these bytes: that of ML-KEM-768, whose numbers must all be in range (FIPS 203, section 7.2), then that of X25519.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, RecipientError> {
        Deserializable::from_bytes(bytes).map(Self).map_err(|_| RecipientError)
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        self.0.write_exact(&mut bytes);
        bytes
    }

    /// Reads `age1pq1…`.
    pub fn parse(text: &str) -> Result<Self, RecipientError> {
        // 4 + 1 + 1,946 + 6 and a little: what is longer is none.
        let text = if text.len() < 2_000 { text } else { "" };
        let read = CheckedHrpstring::new::<LongBech32>(text).map_err(|_| RecipientError)?;
        if read.hrp() != RECIPIENT {
            return Err(RecipientError);
        }
        let bytes: Vec<u8> = read.byte_iter().collect();
        Self::from_bytes(bytes.as_slice().try_into().map_err(|_| RecipientError)?)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<LongBech32, _>(f, RECIPIENT, &self.to_bytes()).map_err(|_| fmt::Error)
    }
}

/// Bech32 (BIP 173) without its limit of length, as age has it.
enum LongBech32 {}

impl bech32::Checksum for LongBech32 {
    type MidstateRepr = u32;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = bech32::Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = bech32::Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = bech32::Bech32::TARGET_RESIDUE;
}

/// A private key: 32 bytes from which both halves come. It is wiped from memory when dropped, and has no form for debugging.
#[derive(Clone)]
pub struct Identity(Zeroizing<[u8; 32]>);

impl Identity {
    /// A new key.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut seed = Zeroizing::new([0; 32]);
        fill_random(seed.as_mut())?;
        Ok(Self(seed))
    }

    /// The key of a seed.
    pub fn from_seed(seed: Zeroizing<[u8; 32]>) -> Self {
        Self(seed)
    }

    /// Its seed.
    pub fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    /// What is sealed to it.
    pub fn recipient(&self) -> Recipient {
        Recipient(XWing::sk_to_pk(&self.private()))
    }

    fn private(&self) -> <XWing as Kem>::PrivateKey {
        // Every 32 bytes are a private key; only another length would be refused.
        Deserializable::from_bytes(self.0.as_slice()).expect("32 bytes")
    }
}

#[cfg(test)]
mod tests;
