//! A file of secrets that is sealed under a key in the machine's TPM: docs/formats.md has its bytes.
//!
//! Why a key in an index, and not an object that the TPM seals under a policy with a counter: removing the index takes the key itself away, so there is nothing left that a later weakness of the chip
//! could still open; it takes six commands, without sessions or primary keys; and no counter is worn that is there for ever.

use super::parse::Rest;
use crate::error::random;
use crate::tpm::{Found, Slot, Tpm};
use crate::{Error, Result};
use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::path::Path;
use zeroize::Zeroizing;

pub(super) const FORMAT: &[u8] = b"daylight-secrets/v2\n";

/// What is added to what is sealed.
const TAG: usize = 16;

/// Under which key a file is sealed.
pub(super) struct Wrapped {
    pub(super) tpm: Tpm,
    pub(super) slot: Slot,
    key: Zeroizing<[u8; 32]>,
    /// Drawn for each writing, so that it also tells one from the next.
    pub(super) nonce: [u8; 24],
}

/// What is in a file.
pub(super) struct Opened {
    pub(super) heading: Vec<u8>,
    pub(super) places: Zeroizing<Vec<u8>>,
    pub(super) wrapped: Wrapped,
}

impl Wrapped {
    /// A new key for the file with this mark.
    pub(super) fn new(tpm: &Tpm, mark: &[u8; 32]) -> Result<Self> {
        let (slot, key) = tpm.keep(mark)?;
        Ok(Self { tpm: tpm.clone(), slot, key, nonce: [0; 24] })
    }

    /// The file's bytes. Everything before what is sealed is bound to it.
    pub(super) fn seal(&mut self, heading: &[u8], places: &[u8]) -> Result<Vec<u8>> {
        self.nonce = random()?;
        let head = [
            FORMAT,
            &(heading.len() as u32).to_be_bytes(),
            heading,
            &self.slot.mark,
            &self.slot.handle.to_be_bytes(),
            &self.slot.password[..],
            &self.nonce,
        ]
        .concat();
        // As long as it will get: what is copied into it is clear until it is sealed where it stands.
        let mut bytes = Zeroizing::new(Vec::with_capacity(head.len() + places.len() + TAG));
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(places);
        let sealed = self.cipher().encrypt_inout_detached(&XNonce::from(self.nonce), &head, bytes[head.len()..].as_mut().into());
        let tag = sealed.map_err(|_| Error::Refused("the secrets are too long to be sealed".into()))?;
        bytes.extend_from_slice(&tag);
        Ok(std::mem::take(&mut *bytes))
    }

    /// Opens a file's bytes; `None` where the TPM has no such key.
    pub(super) fn open(path: &Path, bytes: &[u8], tpm: &Tpm) -> Result<Option<Opened>> {
        let (head, slot, nonce) = head(path, bytes)?;
        let Found::Key(key) = tpm.key(&slot)? else { return Ok(None) };
        let wrapped = Self { tpm: tpm.clone(), slot, key, nonce };
        let heading = heading(path, bytes)?.to_vec();
        let (head, sealed) = bytes.split_at(head);
        let (sealed, tag) = sealed.split_last_chunk::<TAG>().ok_or_else(|| Error::damaged(path, "it is cut off"))?;
        let mut places = Zeroizing::new(sealed.to_vec());
        let opened = wrapped.cipher().decrypt_inout_detached(&XNonce::from(nonce), head, places.as_mut_slice().into(), &(*tag).into());
        opened.map_err(|_| Error::damaged(path, "it is not as it was sealed under its key in the TPM"))?;
        if places.len() % super::PLACE != 0 {
            return Err(Error::damaged(path, "a part of a place"));
        }
        Ok(Some(Opened { heading, places, wrapped }))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}

/// The heading of a file, which stands in it as it is.
fn heading<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a [u8]> {
    Rest::of(path, bytes, FORMAT)?.heading()
}

/// How long what stands before the sealed part is, where its key is, and the nonce.
pub(super) fn head(path: &Path, bytes: &[u8]) -> Result<(usize, Slot, [u8; 24])> {
    let mut rest = Rest::of(path, bytes, FORMAT)?;
    rest.heading()?;
    let (mark, handle, password, nonce) = (rest.array::<32>()?, rest.array::<4>()?, rest.array::<32>()?, rest.array::<24>()?);
    let slot = Slot { handle: u32::from_be_bytes(handle), mark, password: Zeroizing::new(password) };
    Ok((bytes.len() - rest.left(), slot, nonce))
}
