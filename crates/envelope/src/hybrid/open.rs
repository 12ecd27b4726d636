use super::{INFO, Identity, TAG};
use age::DecryptError;
use age_core::format::{FileKey, Stanza};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, single_shot_open};
use zeroize::Zeroizing;

/// An identity about to open files that have exactly so many stanzas, all of our type.
pub(crate) struct Opening {
    key: <XWing as Kem>::PrivateKey,
    stanzas: usize,
}

impl Opening {
    pub(crate) fn new(identity: &Identity, stanzas: usize) -> Self {
        Self { key: identity.private(), stanzas }
    }

    /// Opens one stanza; `None` where it was sealed to another key.
    fn file_key(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let [encapsulated] = stanza.args.as_slice() else { return Some(Err(DecryptError::InvalidHeader)) };
        let bytes = STANDARD_NO_PAD.decode(encapsulated).unwrap_or_default();
        let encapsulated = Deserializable::from_bytes(&bytes).ok();
        // The body's length is looked at before its contents, so that nobody learns by its opening (a partitioning oracle).
        let (Some(encapsulated), 32) = (encapsulated, stanza.body.len()) else { return Some(Err(DecryptError::InvalidHeader)) };
        let opened =
            single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(&OpModeR::Base, &self.key, &encapsulated, INFO, &stanza.body, b"");
        let opened = Zeroizing::new(opened.ok()?);
        if !is_of_large_order(&bytes) {
            return Some(Err(DecryptError::InvalidHeader));
        }
        let length = opened.len().min(16);
        Some(Ok(FileKey::init_with_mut(|key| key[..length].copy_from_slice(&opened[..length]))))
    }
}

/// Whether the share of X25519, the last 32 bytes, gives another secret than zero with every key (RFC 7748, section 6.1). The library for X-Wing does not look, and age
/// has such a share refused. Every scalar is made a multiple of the cofactor, so that any one tells.
fn is_of_large_order(encapsulated: &[u8]) -> bool {
    encapsulated.last_chunk::<32>().is_some_and(|share| x25519_dalek::x25519([1; 32], *share) != [0; 32])
}

impl age::Identity for Opening {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag == TAG { self.file_key(stanza) } else { None }
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, DecryptError>> {
        if stanzas.len() != self.stanzas || stanzas.iter().any(|stanza| stanza.tag != TAG) {
            return Some(Err(DecryptError::InvalidHeader));
        }
        stanzas.iter().find_map(|stanza| self.unwrap_stanza(stanza))
    }
}
