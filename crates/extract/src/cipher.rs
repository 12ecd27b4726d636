//! The ciphers and hashes of what is read under a password, as far as opening needs them. Nothing is ever encrypted here, and the ones that others
//! broke long ago are as good as any for that.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use blowfish::Blowfish;
use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A hash function that a file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The digest of all pieces, one after the other.
    pub(crate) fn of(self, pieces: &[&[u8]]) -> Vec<u8> {
        fn digest<D: Digest>(pieces: &[&[u8]]) -> Vec<u8> {
            pieces.iter().fold(D::new(), |digest, piece| digest.chain_update(piece)).finalize().to_vec()
        }
        match self {
            Hash::Md5 => digest::<Md5>(pieces),
            Hash::Sha1 => digest::<Sha1>(pieces),
            Hash::Sha256 => digest::<Sha256>(pieces),
            Hash::Sha384 => digest::<Sha384>(pieces),
            Hash::Sha512 => digest::<Sha512>(pieces),
        }
    }

    /// `hash` hashed so many times more, each time behind the number of the round.
    pub(crate) fn spun(self, hash: Vec<u8>, rounds: u32) -> Vec<u8> {
        fn spin<D: Digest>(hash: &[u8], rounds: u32) -> Vec<u8> {
            let mut state = hash.to_vec();
            for round in 0..rounds {
                let next = D::new().chain_update(round.to_le_bytes()).chain_update(&state).finalize();
                state.copy_from_slice(&next);
            }
            state
        }
        match self {
            Hash::Md5 => spin::<Md5>(&hash, rounds),
            Hash::Sha1 => spin::<Sha1>(&hash, rounds),
            Hash::Sha256 => spin::<Sha256>(&hash, rounds),
            Hash::Sha384 => spin::<Sha384>(&hash, rounds),
            Hash::Sha512 => spin::<Sha512>(&hash, rounds),
        }
    }
}

/// PBKDF2 with HMAC-SHA-1 (RFC 8018 section 5.2): a key of so many bytes.
pub(crate) fn pbkdf2_sha1(password: &[u8], salt: &[u8], rounds: u32, length: usize) -> Vec<u8> {
    let mut key = vec![0; length];
    pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut key);
    key
}

/// What [`pbkdf2_sha1`] costs in rounds of a hash.
pub(crate) fn pbkdf2_cost(rounds: u32, length: usize) -> u64 {
    u64::from(rounds).saturating_mul(length.div_ceil(20) as u64).saturating_mul(2)
}

/// Checks in pieces whether HMAC-SHA-1 with a key begins with certain bytes.
pub(crate) struct Seal(Hmac<Sha1>);

impl Seal {
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        Some(Self(Hmac::new_from_slice(key).ok()?))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn begins_with(self, stated: &[u8]) -> bool {
        self.0.verify_truncated_left(stated).is_ok()
    }
}

/// AES with a key of 16, 24 or 32 bytes.
pub(crate) enum Aes {
    Short(Box<Aes128>),
    Middle(Box<Aes192>),
    Long(Box<Aes256>),
}

type Block = [u8; 16];

impl Aes {
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Aes::Short(Box::new(Aes128::new_from_slice(key).ok()?)),
            24 => Aes::Middle(Box::new(Aes192::new_from_slice(key).ok()?)),
            32 => Aes::Long(Box::new(Aes256::new_from_slice(key).ok()?)),
            _ => return None,
        })
    }

    fn decrypt(&self, block: &mut Block) {
        match self {
            Aes::Short(aes) => aes.decrypt_block(block.into()),
            Aes::Middle(aes) => aes.decrypt_block(block.into()),
            Aes::Long(aes) => aes.decrypt_block(block.into()),
        }
    }

    fn encrypt(&self, block: &mut Block) {
        match self {
            Aes::Short(aes) => aes.encrypt_block(block.into()),
            Aes::Middle(aes) => aes.encrypt_block(block.into()),
            Aes::Long(aes) => aes.encrypt_block(block.into()),
        }
    }

    /// Undoes electronic codebook mode. What is left behind the last whole block is left out.
    pub(crate) fn ecb(&self, bytes: &[u8]) -> Vec<u8> {
        let mut plain = bytes[..bytes.len() / 16 * 16].to_vec();
        plain.as_chunks_mut::<16>().0.iter_mut().for_each(|block| self.decrypt(block));
        plain
    }

    /// Undoes cipher block chaining. What is left behind the last whole block is left out.
    pub(crate) fn cbc(&self, first: &Block, bytes: &[u8]) -> Vec<u8> {
        let mut before = *first;
        let mut plain = Vec::with_capacity(bytes.len());
        for block in bytes.as_chunks::<16>().0 {
            let mut opened = *block;
            self.decrypt(&mut opened);
            plain.extend(opened.iter().zip(before).map(|(byte, mask)| byte ^ mask));
            before = *block;
        }
        plain
    }

    /// Undoes GCM (NIST SP 800-38D) with a nonce of 12 bytes and nothing besides the text; `None` if the seal is not right.
    pub(crate) fn gcm(&self, nonce: &[u8; 12], bytes: &[u8], seal: &Block) -> Option<Vec<u8>> {
        let mut point = [0; 16];
        self.encrypt(&mut point);
        let point = u128::from_be_bytes(point);
        let mut sum = 0;
        for piece in bytes.chunks(16) {
            let mut block = [0; 16];
            block[..piece.len()].copy_from_slice(piece);
            sum = gcm_product(sum ^ u128::from_be_bytes(block), point);
        }
        sum = gcm_product(sum ^ (bytes.len() as u128 * 8), point);
        let pad = |number: u32| {
            let mut block = [0; 16];
            block[..12].copy_from_slice(nonce);
            block[12..].copy_from_slice(&number.to_be_bytes());
            self.encrypt(&mut block);
            block
        };
        if sum ^ u128::from_be_bytes(pad(1)) != u128::from_be_bytes(*seal) {
            return None;
        }
        let mut plain = Vec::with_capacity(bytes.len());
        for (number, piece) in (2_u32..).zip(bytes.chunks(16)) {
            plain.extend(piece.iter().zip(pad(number)).map(|(byte, mask)| byte ^ mask));
        }
        Some(plain)
    }
}

/// The product of two elements of GCM's field.
fn gcm_product(left: u128, mut right: u128) -> u128 {
    let mut product = 0;
    for bit in (0..128).rev() {
        if left >> bit & 1 == 1 {
            product ^= right;
        }
        right = right >> 1 ^ if right & 1 == 1 { 0xe1 << 120 } else { 0 };
    }
    product
}

/// The counter mode of zip files: the number of the block from 1 on, its lowest byte first.
pub(crate) struct Counter {
    aes: Aes,
    number: u128,
    pad: Block,
    used: usize,
}

impl Counter {
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        Some(Self { aes: Aes::new(key)?, number: 0, pad: [0; 16], used: 16 })
    }

    pub(crate) fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == 16 {
                self.number += 1;
                self.pad = self.number.to_le_bytes();
                self.aes.encrypt(&mut self.pad);
                self.used = 0;
            }
            *byte ^= self.pad[self.used];
            self.used += 1;
        }
    }
}

/// Undoes Blowfish in cipher feedback mode with blocks of 8 bytes.
pub(crate) fn blowfish_cfb(key: &[u8], first: &[u8; 8], bytes: &[u8]) -> Option<Vec<u8>> {
    let blowfish = <Blowfish>::new_from_slice(key).ok()?;
    let mut before = *first;
    let mut plain = Vec::with_capacity(bytes.len());
    for piece in bytes.chunks(8) {
        blowfish.encrypt_block((&mut before).into());
        plain.extend(piece.iter().zip(before).map(|(byte, mask)| byte ^ mask));
        before[..piece.len()].copy_from_slice(piece);
    }
    Some(plain)
}

/// RC4, a stream of bytes to be combined with a text.
pub(crate) struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut state: [u8; 256] = std::array::from_fn(|n| u8::try_from(n).unwrap_or(0));
        let mut j = 0_u8;
        for i in 0..256 {
            j = j.wrapping_add(state[i]).wrapping_add(key.get(i % key.len().max(1)).copied().unwrap_or(0));
            state.swap(i, usize::from(j));
        }
        Self { state, i: 0, j: 0 }
    }

    pub(crate) fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte ^= self.next();
        }
    }

    fn next(&mut self) -> u8 {
        self.i = self.i.wrapping_add(1);
        self.j = self.j.wrapping_add(self.state[usize::from(self.i)]);
        self.state.swap(usize::from(self.i), usize::from(self.j));
        self.state[usize::from(self.state[usize::from(self.i)].wrapping_add(self.state[usize::from(self.j)]))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex<const N: usize>(hex: &str) -> [u8; N] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
    }

    #[test]
    fn ciphers_give_what_their_standards_say() {
        // RFC 6229, FIPS 197 appendix C.3, SP 800-38D by its authors' test case 3 (128 bits, its last block whole), and Schneier's first vectors.
        let mut stream = [0; 8];
        Rc4::new(&unhex::<5>("0102030405")).apply(&mut stream);
        assert_eq!(stream, unhex("b2396305f03dc027"));
        let aes = Aes::new(&unhex::<32>("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")).unwrap();
        let plain = unhex::<16>("00112233445566778899aabbccddeeff");
        let secret = unhex::<16>("8ea2b7ca516745bfeafc49904b496089");
        assert_eq!(aes.ecb(&secret), plain);
        assert_eq!(aes.cbc(&plain, &[secret, secret].concat())[..16], [0; 16]);
        assert!(aes.cbc(&[0; 16], &secret[..15]).is_empty());
        let aes = Aes::new(&unhex::<16>("feffe9928665731c6d6a8f9467308308")).unwrap();
        let secret = unhex::<64>(
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
        );
        let (nonce, seal) = (unhex::<12>("cafebabefacedbaddecaf888"), unhex::<16>("4d5c2af327cd64a62cf35abd2ba6fab4"));
        assert_eq!(aes.gcm(&nonce, &secret, &seal).unwrap()[..8], unhex::<8>("d9313225f88406e5"));
        assert_eq!(aes.gcm(&nonce, &secret[..63], &seal), None);
        assert_eq!(blowfish_cfb(&[0; 8], &[0; 8], &[0; 8]).unwrap(), unhex::<8>("4ef997456198dd78"));
        assert_eq!(pbkdf2_sha1(b"password", b"salt", 2, 20), unhex::<20>("ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"));
    }
}
