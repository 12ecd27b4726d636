use crate::hybrid::Identity;
use crate::newsroom::LookupId;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What the keys of a codename are expanded for (RFC 5869, section 2.3).
const LOOKUP: &[u8] = b"daylight-codename/v1 lookup";
const REPLY: &[u8] = b"daylight-codename/v1 reply";
const CONVERSATION: &[u8] = b"daylight-codename/v1 conversation";

/// The key under which later messages of a conversation are authenticated. Only the source and those who opened a message of the conversation have it.
/// It is compared in constant time, and wiped from memory when dropped.
#[derive(Clone)]
pub struct ConversationKey(Zeroizing<[u8; 32]>);

impl ConversationKey {
    /// The key of these bytes.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for ConversationKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0.iter()).fold(0, |differ, (one, two)| differ | (one ^ two)) == 0
    }
}

impl Eq for ConversationKey {}

/// All that a codename stands for at one newsroom.
pub struct SourceKeys {
    /// What the drop files the conversation under.
    pub lookup: LookupId,
    /// What opens replies.
    pub reply: Identity,
    /// What authenticates later messages.
    pub conversation: ConversationKey,
    seed: Zeroizing<[u8; 32]>,
}

impl SourceKeys {
    /// The keys of a seed that [`SourceKeys::seed`] gave: a session keeps that and not the codename. It belongs to the newsroom that it was made for.
    pub fn from_seed(seed: Zeroizing<[u8; 32]>) -> Self {
        Self {
            lookup: LookupId(*expand(&seed, LOOKUP)),
            reply: Identity::from_seed(expand(&seed, REPLY)),
            conversation: ConversationKey(expand(&seed, CONVERSATION)),
            seed,
        }
    }

    /// What all of them come from: the pseudorandom key of HKDF, from which nobody gets back to the codename.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }
}

/// HKDF-Expand with SHA-256 to 32 bytes.
fn expand(seed: &[u8; 32], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // It fails for lengths only that these are not.
    if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(seed) {
        let _ = hkdf.expand(info, out.as_mut());
    }
    out
}
