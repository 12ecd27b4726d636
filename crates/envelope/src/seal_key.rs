use crate::file::{self, OpenError, Opener, Sealer};
use crate::slip39::{self, CombineError, Plan, Share, SplitError};
use crate::{NoRandomness, fill_random};
use age::secrecy::SecretString;
use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use zeroize::Zeroizing;

/// The work factor of scrypt (log2 N): 1 MiB and a few milliseconds. The passphrase has 256 bits of entropy, so there is nothing to slow down.
const WORK: u8 = 10;
/// The largest work factor accepted from a file: 1 GiB of memory.
const MOST_WORK: u8 = 20;

/// The key of one sealed release: 32 random bytes, wiped from memory when dropped. The file it opens is an age file with a passphrase, which is
/// these bytes in lower-case hexadecimal, so that `age -d` opens it too. Nothing in that is asymmetric: who keeps the file until there are
/// quantum computers gains nothing by them but the square root of 2^256.
pub struct SealKey(Zeroizing<[u8; 32]>);

/// Why shares do not give a seal's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FromSharesError {
    /// They do not give anything.
    #[error(transparent)]
    Combine(#[from] CombineError),
    /// What they give is another thing's key.
    #[error("these are shares of {0} bytes, and a sealed release has a key of 32: they belong to something else")]
    Length(usize),
}

impl SealKey {
    /// A new key.
    pub fn new() -> Result<Self, NoRandomness> {
        let mut key = Self(Zeroizing::new([0; 32]));
        fill_random(key.0.as_mut())?;
        Ok(key)
    }

    /// A key that was kept elsewhere.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Splits the key among `count` trustees, of whom any `threshold` can open what it seals: a share for each.
    pub fn split(&self, threshold: u8, count: u8) -> Result<Vec<Share>, SplitError> {
        Ok(slip39::split(self.0.as_slice(), b"", &Plan::simple(threshold, count))?.concat())
    }

    /// Puts the key together again, and says which shares, by their places from 0, were not needed and do not fit.
    pub fn from_shares(shares: &[Share]) -> Result<(Self, Vec<usize>), FromSharesError> {
        let combined = slip39::combine(shares, b"")?;
        let length = combined.secret.len();
        let mut key = Self(Zeroizing::new([0; 32]));
        if length != key.0.len() {
            return Err(FromSharesError::Length(length));
        }
        key.0.copy_from_slice(&combined.secret);
        Ok((key, combined.wrong))
    }

    /// Begins a file that this key opens.
    pub fn seal<W: Write>(&self, out: W) -> io::Result<Sealer<W>> {
        let mut recipient = age::scrypt::Recipient::new(self.passphrase());
        recipient.set_work_factor(WORK);
        file::seal(&[&recipient], out)
    }

    /// Opens a file that this key sealed.
    pub fn open<R: BufRead>(&self, input: R) -> Result<Opener<R>, OpenError> {
        let mut identity = age::scrypt::Identity::new(self.passphrase());
        identity.set_max_work_factor(MOST_WORK);
        file::open(&[&identity], input)
    }

    fn passphrase(&self) -> SecretString {
        // As long as it will get: a string that grows leaves copies of the key behind.
        let mut hex = String::with_capacity(64);
        for byte in self.0.iter() {
            let _ = write!(hex, "{byte:02x}");
        }
        SecretString::from(hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn trustees_open_what_was_sealed_and_others_do_not() {
        let key = SealKey::new().unwrap();
        let mut sealer = key.seal(Vec::new()).unwrap();
        sealer.write_all(b"a release").unwrap();
        let sealed = sealer.finish().unwrap();
        let shares = key.split(3, 5).unwrap();
        let chosen = [4, 0, 2].map(|at| shares[at].clone());
        let (again, wrong) = SealKey::from_shares(&chosen).unwrap();
        let mut opened = Vec::new();
        again.open(sealed.as_slice()).unwrap().read_to_end(&mut opened).unwrap();
        assert_eq!((opened.as_slice(), wrong.as_slice()), (b"a release".as_slice(), [].as_slice()));
        let other = SealKey::new().unwrap();
        assert!(matches!(other.open(sealed.as_slice()), Err(OpenError::OtherKey)));
        let short = slip39::split(&[7; 16], b"", &Plan::simple(1, 1)).unwrap().concat();
        assert!(matches!(SealKey::from_shares(&short), Err(FromSharesError::Length(16))));
    }
}
