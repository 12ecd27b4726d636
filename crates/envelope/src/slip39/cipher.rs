//! The cipher between a secret and what is split: four rounds of a Feistel network with PBKDF2-HMAC-SHA256 (SLIP-0039, "Encryption of the master
//! secret"). With an empty passphrase it hides nothing; splitting does.

use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

const ROUNDS: u8 = 4;
const ITERATIONS: u32 = 10_000;

/// What a secret is encrypted under besides the passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) identifier: u16,
    pub(super) extendable: bool,
    pub(super) exponent: u8,
}

impl Terms {
    /// Encrypts a secret of an even number of bytes.
    pub(super) fn encrypt(&self, secret: &[u8], passphrase: &[u8]) -> Zeroizing<Vec<u8>> {
        self.run(secret, passphrase, 0..ROUNDS)
    }

    /// Decrypts; any passphrase gives some secret.
    pub(super) fn decrypt(&self, encrypted: &[u8], passphrase: &[u8]) -> Zeroizing<Vec<u8>> {
        self.run(encrypted, passphrase, (0..ROUNDS).rev())
    }

    fn run(&self, bytes: &[u8], passphrase: &[u8], rounds: impl Iterator<Item = u8>) -> Zeroizing<Vec<u8>> {
        let (left, right) = bytes.split_at(bytes.len() / 2);
        let (mut left, mut right) = (Zeroizing::new(left.to_vec()), Zeroizing::new(right.to_vec()));
        for round in rounds {
            let mut mixed = self.round(round, passphrase, &right);
            mixed.iter_mut().zip(left.iter()).for_each(|(mixed, left)| *mixed ^= left);
            left = std::mem::replace(&mut right, mixed);
        }
        Zeroizing::new([right.as_slice(), left.as_slice()].concat())
    }

    fn round(&self, round: u8, passphrase: &[u8], half: &[u8]) -> Zeroizing<Vec<u8>> {
        let password = Zeroizing::new([&[round], passphrase].concat());
        let salt = Zeroizing::new([self.salt().as_slice(), half].concat());
        let mut out = Zeroizing::new(vec![0; half.len()]);
        let iterations = (ITERATIONS << self.exponent) / u32::from(ROUNDS);
        pbkdf2_hmac::<Sha256>(&password, &salt, iterations, &mut out);
        out
    }

    /// With the extendable flag there is none, so that one encrypted secret can be split again under another identifier.
    fn salt(&self) -> Vec<u8> {
        if self.extendable { Vec::new() } else { [b"shamir".as_slice(), &self.identifier.to_be_bytes()].concat() }
    }
}
