//! The TXT record of a key (RFC 6376 section 3.6.1).

use crate::encoding::{base64, hex};
use crate::rsa::RsaKey;
use crate::tags::{Tags, is_space};
use crate::{der, encoding};
use daylight_model::{Signature, SignatureAlgorithm};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

/// No record is longer, for there is no DNS answer that is.
pub(crate) const LONGEST: usize = 64 << 10;

/// A key as its record has it.
#[derive(Debug)]
pub(crate) struct Key {
    public: Public,
    pub(crate) bits: u32,
    pub(crate) fingerprint: String,
    pub(crate) testing: bool,
    /// It speaks for the domain itself alone, not for what lies below.
    strict: bool,
    hashes: Option<Vec<String>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Public {
    Rsa(RsaKey),
    Ed25519(Box<VerifyingKey>),
}

impl Key {
    /// Reads a record. What is no key is said in plain words.
    pub(crate) fn of(record: &str) -> Result<Self, String> {
        if record.len() > LONGEST {
            return Err("the record is too long".into());
        }
        let tags = Tags::of(record)?;
        if tags.get("v").is_some_and(|version| version != "DKIM1") || tags.get("v").is_some() && tags.first() != Some("v") {
            return Err("the record is of another version".into());
        }
        let list = |tag| tags.get(tag).map(|list| list.split(':').map(|word| word.trim_matches(is_space).to_ascii_lowercase()));
        if list("s").is_some_and(|mut services| !services.any(|service| matches!(service.as_str(), "*" | "email"))) {
            return Err("the key is not for mail".into());
        }
        let flags: Vec<String> = list("t").map(Iterator::collect).unwrap_or_default();
        let bytes = match tags.get("p") {
            None => return Err("the record holds no key".into()),
            Some("") => return Err("the domain has withdrawn the key".into()),
            Some(key) => base64(key).ok_or("the key is not base64")?,
        };
        let (public, bits) = match tags.get("k").unwrap_or("rsa") {
            "rsa" => {
                let (modulus, exponent) = der::rsa_public(&bytes).ok_or("the RSA key is broken")?;
                let key = RsaKey::of(modulus, exponent).ok_or("the RSA key has less than 512 or more than 8192 bits, or is broken")?;
                let bits = key.bits();
                (Public::Rsa(key), bits)
            }
            "ed25519" => {
                let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| "the Ed25519 key is broken")?;
                let key = VerifyingKey::from_bytes(bytes).map_err(|_| "the Ed25519 key is broken")?;
                (Public::Ed25519(Box::new(key)), 256)
            }
            _ => return Err("the key is of an unknown sort".into()),
        };
        Ok(Self {
            public,
            bits,
            fingerprint: hex(&Sha256::digest(&bytes)),
            testing: flags.iter().any(|flag| flag == "y"),
            strict: flags.iter().any(|flag| flag == "s"),
            hashes: list("h").map(Iterator::collect),
        })
    }

    /// Whether it may have made a signature: of its sort, with its hash, for its domain.
    pub(crate) fn fits(&self, signature: &Signature) -> Result<(), &'static str> {
        let rsa = matches!(self.public, Public::Rsa(_));
        let (sort, hash) = match signature.algorithm {
            SignatureAlgorithm::RsaSha256 => (rsa, "sha256"),
            SignatureAlgorithm::RsaSha1 => (rsa, "sha1"),
            SignatureAlgorithm::Ed25519Sha256 => (!rsa, "sha256"),
        };
        if !sort {
            return Err("the key of this name is for another algorithm");
        }
        if self.hashes.as_ref().is_some_and(|hashes| !hashes.iter().any(|known| known == hash)) {
            return Err("the key of this name is not for this hash");
        }
        let host = signature.identity.rsplit_once('@').map(|(_, host)| host.to_lowercase());
        if self.strict && host.is_some_and(|host| host != signature.domain) {
            return Err("the key of this name does not speak for subdomains");
        }
        Ok(())
    }

    /// Whether it is the same key, in whatever form its record has it.
    pub(crate) fn is_same(&self, other: &Key) -> bool {
        self.public == other.public
    }

    /// Whether it made this signature over this digest.
    pub(crate) fn verifies(&self, digest: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Rsa(key) => key.verifies(digest, signature),
            Public::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify_strict(digest, &signature).is_ok())
            }
        }
    }
}

/// The record of the public half of an RSA private key.
pub(crate) fn record_of_private(der: &[u8]) -> Option<String> {
    let (modulus, exponent) = crate::der::rsa_private(der)?;
    RsaKey::of(modulus, exponent)?;
    Some(format!("v=DKIM1; k=rsa; p={}", encoding::rsa_base64(modulus, exponent)))
}
