//! As much of DER as a public key takes.

/// The object identifier of RSA keys (RFC 8017).
const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// Modulus and exponent of an RSA public key, as SubjectPublicKeyInfo or as RSAPublicKey: both stand in records (RFC 6376 section 3.6.1 and its errata).
pub(crate) fn rsa_public(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Der(bytes).take(SEQUENCE)?;
    if let Some(mut algorithm) = Der(outer.0).take(SEQUENCE) {
        outer.take(SEQUENCE)?;
        let bits = outer.take(BITS)?;
        let (unused, key) = bits.0.split_first()?;
        return (algorithm.take(OBJECT)?.0 == RSA && *unused == 0).then(|| rsa_public(key))?;
    }
    Some((outer.integer()?, outer.integer()?))
}

/// Modulus and exponent of an RSA private key, in PKCS #8 or PKCS #1: what is public of it.
pub(crate) fn rsa_private(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Der(bytes).take(SEQUENCE)?;
    outer.take(INTEGER)?;
    if let Some(mut algorithm) = outer.take(SEQUENCE) {
        let key = outer.take(OCTETS)?;
        return (algorithm.take(OBJECT)?.0 == RSA).then(|| rsa_private(key.0))?;
    }
    Some((outer.integer()?, outer.integer()?))
}

struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// What stands in the next element, if that has this tag.
    fn take(&mut self, tag: u8) -> Option<Der<'a>> {
        let (&[found, first], rest) = self.0.split_first_chunk::<2>()?;
        if found != tag {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 => (usize::from(*rest.first()?), &rest[1..]),
            0x82 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), &rest[2..]),
            _ => return None,
        };
        let (inside, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Der(inside))
    }

    /// The next element as a number that is not negative, without zeros before it.
    fn integer(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(INTEGER)?.0;
        if bytes.first()? & 0x80 != 0 {
            return None;
        }
        let zeros = bytes.iter().take_while(|b| **b == 0).count();
        Some(&bytes[zeros..])
    }
}
