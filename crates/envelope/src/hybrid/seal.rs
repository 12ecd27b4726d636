//! Writing age files with our stanzas. The age crate's writer is not used for them: it adds a stanza of random length to every file, and the length of what
//! a source sends must say nothing but its padding. Its reader reads what is written here.

use super::randomness::Randomness;
use super::{INFO, Identity, Recipient, TAG};
use crate::{NoRandomness, fill_random};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{OpModeS, Serializable, single_shot_seal_with_rng};
use sha2::Sha256;
use std::io::{self, Write};
use zeroize::Zeroizing;

const VERSION: &str = "age-encryption.org/v1\n";
/// What a chunk holds, and the length of its tag.
const CHUNK: usize = 64 << 10;
const CHUNK_TAG: u64 = 16;
const NONCE: u64 = 16;
/// "-> mlkem768x25519 ", 1,120 bytes in base64, a line's end, 32 bytes in base64, a line's end.
const STANZA: u64 = 18 + 1_494 + 1 + 43 + 1;
/// "--- ", 32 bytes in base64, a line's end.
const MAC: u64 = 4 + 43 + 1;

/// How long a file with so many stanzas is that holds so many bytes.
pub(crate) fn sealed_length(stanzas: u64, length: u64) -> u64 {
    let chunks = length.div_ceil(CHUNK as u64).max(1);
    VERSION.len() as u64 + stanzas * STANZA + MAC + NONCE + length + chunks * CHUNK_TAG
}

/// Begins a file for these recipients with so many stanzas in an order that says nothing; those to spare are sealed to keys that nobody keeps.
pub(crate) fn seal<W: Write>(recipients: &[Recipient], stanzas: usize, mut out: W) -> io::Result<Stream<W>> {
    if recipients.is_empty() || recipients.len() > stanzas {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} recipients; 1 to {stanzas} can be", recipients.len())));
    }
    let mut key = Zeroizing::new([0; 16]);
    fill_random(key.as_mut()).map_err(io::Error::other)?;
    let stanzas = stanzas_for(recipients, stanzas, &key).map_err(io::Error::other)?;
    out.write_all(header(&stanzas, &key).as_bytes())?;
    Stream::begin(&key, out)
}

fn stanzas_for(recipients: &[Recipient], count: usize, key: &[u8; 16]) -> Result<String, NoRandomness> {
    let mut stanzas = recipients.iter().map(|recipient| stanza(recipient, key)).collect::<Result<Vec<_>, _>>()?;
    while stanzas.len() < count {
        stanzas.push(stanza(&Identity::generate()?.recipient(), key)?);
    }
    shuffle(&mut stanzas)?;
    Ok(stanzas.concat())
}

/// The header: its version, the stanzas, and an HMAC that commits to the file's key, so that no two recipients can be given different ones.
pub(crate) fn header(stanzas: &str, key: &[u8; 16]) -> String {
    let mut header = format!("{VERSION}{stanzas}---");
    let mut mac = mac(derive(key, b"", b"header").as_ref());
    mac.update(header.as_bytes());
    header.push_str(&format!(" {}\n", STANDARD_NO_PAD.encode(mac.finalize().into_bytes())));
    header
}

fn stanza(recipient: &Recipient, key: &[u8; 16]) -> Result<String, NoRandomness> {
    let mut randomness = Randomness::default();
    let sealed = single_shot_seal_with_rng::<hpke::aead::ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &recipient.0,
        INFO,
        key,
        b"",
        &mut randomness,
    );
    // Sealing sixteen bytes to a valid key has no way to fail.
    let (encapsulated, body) = randomness.checked(sealed)?.expect("sixteen bytes can be sealed");
    Ok(format!("-> {TAG} {}\n{}\n", STANDARD_NO_PAD.encode(encapsulated.to_bytes()), STANDARD_NO_PAD.encode(body)))
}

/// Every order as likely as any other (Fisher and Yates), but for some 2^-59.
fn shuffle<T>(things: &mut [T]) -> Result<(), NoRandomness> {
    for at in (1..things.len()).rev() {
        let mut bytes = [0; 8];
        fill_random(&mut bytes)?;
        things.swap(at, (u64::from_le_bytes(bytes) % (at as u64 + 1)) as usize);
    }
    Ok(())
}

/// HKDF-SHA-256 (RFC 5869) to 32 bytes.
fn derive(key: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // It fails for lengths only that this is not.
    let _ = Hkdf::<Sha256>::new(Some(salt), key).expand(info, out.as_mut());
    out
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of every length.
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("a key of any length")
}

/// The bytes of a file, sealed in chunks as they are written. What is not sealed yet is wiped from memory when this is dropped.
pub(crate) struct Stream<W> {
    out: W,
    cipher: ChaCha20Poly1305,
    number: u64,
    chunk: Zeroizing<Vec<u8>>,
}

impl<W: Write> Stream<W> {
    /// Begins what follows the header of a file with this key.
    pub(crate) fn begin(key: &[u8; 16], mut out: W) -> io::Result<Self> {
        let mut nonce = [0; NONCE as usize];
        fill_random(&mut nonce).map_err(io::Error::other)?;
        out.write_all(&nonce)?;
        let payload_key = derive(key, &nonce, b"payload");
        let cipher = ChaCha20Poly1305::new(&Key::from(*payload_key));
        Ok(Self { out, cipher, number: 0, chunk: Zeroizing::new(Vec::with_capacity(CHUNK)) })
    }

    /// Writes the last chunk and gives the writer back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.seal_chunk(true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn seal_chunk(&mut self, last: bool) -> io::Result<()> {
        // Eleven bytes count the chunks, the twelfth marks the last one.
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(last);
        let tag = self.cipher.encrypt_inout_detached(&Nonce::from(nonce), b"", self.chunk.as_mut_slice().into());
        let tag = tag.map_err(|_| io::Error::other("a chunk could not be sealed"))?;
        self.out.write_all(&self.chunk)?;
        self.out.write_all(&tag)?;
        self.chunk.clear();
        self.number += 1;
        Ok(())
    }
}

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until there is more: it may be the last one.
        if self.chunk.len() == CHUNK && !bytes.is_empty() {
            self.seal_chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
