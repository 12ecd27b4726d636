//! Checking an RSA signature (RFC 8017 section 8.2.2, PKCS #1 v1.5). Everything in it is public, so that nothing need be hidden from who measures time;
//! and what should have been signed is built and compared whole, so that there is nothing to parse and nothing to forge in it.

/// An RSA public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RsaKey {
    /// The modulus, least limb first.
    modulus: Vec<u64>,
    exponent: u64,
    bits: u32,
}

/// Shorter keys are none, longer ones are not calculated with.
const BITS: std::ops::RangeInclusive<u32> = 512..=8192;

/// What stands before the digest (RFC 8017 section 9.2, note 1).
const SHA1: &[u8] = &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
const SHA256: &[u8] = &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

impl RsaKey {
    /// The key of this modulus and exponent, most byte first.
    pub(crate) fn of(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let bits = u32::try_from(modulus.len()).ok()?.checked_mul(8)?.checked_sub(modulus.first()?.leading_zeros())?;
        let odd = modulus.last()? & exponent.last()? & 1 == 1;
        if !BITS.contains(&bits) || !odd || exponent.len() > 8 {
            return None;
        }
        let exponent = exponent.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        (exponent > 1).then(|| Self { modulus: limbs(modulus), exponent, bits })
    }

    /// How many bits the modulus has.
    pub(crate) fn bits(&self) -> u32 {
        self.bits
    }

    /// Whether this signature is over this digest, of SHA-1 or of SHA-256 by its length.
    pub(crate) fn verifies(&self, digest: &[u8], signature: &[u8]) -> bool {
        let length = self.bits.div_ceil(8) as usize;
        let prefix = match digest.len() {
            20 => SHA1,
            32 => SHA256,
            _ => return false,
        };
        let number = limbs(signature);
        let Some(padding) = length.checked_sub(prefix.len() + digest.len() + 3).filter(|padding| *padding >= 8) else { return false };
        if signature.len() != length || !less(&number, &self.modulus) {
            return false;
        }
        let expected = [&[0, 1], vec![0xff; padding].as_slice(), &[0], prefix, digest].concat();
        self.power(&number) == limbs(&expected)
    }

    /// `base` to the power of the exponent, by Montgomery multiplication.
    fn power(&self, base: &[u64]) -> Vec<u64> {
        let field = Montgomery::of(&self.modulus);
        let base = field.multiply(base, &field.square);
        let mut result = base.clone();
        for bit in (0..63 - self.exponent.leading_zeros()).rev() {
            result = field.multiply(&result, &result);
            if self.exponent >> bit & 1 == 1 {
                result = field.multiply(&result, &base);
            }
        }
        let mut one = vec![0; self.modulus.len()];
        one[0] = 1;
        field.multiply(&result, &one)
    }
}

/// Arithmetic modulo an odd number of k limbs, with R = 2^(64k) (Montgomery 1985).
struct Montgomery<'a> {
    modulus: &'a [u64],
    /// -1 / modulus, modulo 2^64.
    inverse: u64,
    /// R², modulo the modulus.
    square: Vec<u64>,
}

impl<'a> Montgomery<'a> {
    fn of(modulus: &'a [u64]) -> Self {
        // Newton's iteration doubles the bits that are right: 3, 6, 12, 24, 48, 96.
        let mut inverse = modulus[0];
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(modulus[0].wrapping_mul(inverse)));
        }
        let mut square = vec![0; modulus.len()];
        square[0] = 1;
        for _ in 0..128 * modulus.len() {
            let carry = double(&mut square);
            if carry || !less(&square, modulus) {
                subtract(&mut square, modulus);
            }
        }
        Self { modulus, inverse: inverse.wrapping_neg(), square }
    }

    /// a · b / R, modulo the modulus; both must be below it.
    fn multiply(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        let k = self.modulus.len();
        let mut sum = vec![0u64; k + 2];
        for digit in a {
            let mut carry = 0;
            for (place, other) in sum.iter_mut().zip(b) {
                (*place, carry) = step(*place, *digit, *other, carry);
            }
            let over;
            (sum[k], over) = sum[k].overflowing_add(carry);
            sum[k + 1] = u64::from(over);
            let factor = sum[0].wrapping_mul(self.inverse);
            let (_, mut carry) = step(sum[0], factor, self.modulus[0], 0);
            for at in 1..k {
                (sum[at - 1], carry) = step(sum[at], factor, self.modulus[at], carry);
            }
            let over;
            (sum[k - 1], over) = sum[k].overflowing_add(carry);
            sum[k] = sum[k + 1] + u64::from(over);
        }
        let over = sum[k] != 0;
        sum.truncate(k);
        if over || !less(&sum, self.modulus) {
            subtract(&mut sum, self.modulus);
        }
        sum
    }
}

/// sum + a · b + carry, as a limb and what is carried over.
fn step(sum: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let all = u128::from(a) * u128::from(b) + u128::from(sum) + u128::from(carry);
    (all as u64, (all >> 64) as u64)
}

fn limbs(bytes: &[u8]) -> Vec<u64> {
    bytes.rchunks(8).map(|chunk| chunk.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte))).collect()
}

fn less(a: &[u64], b: &[u64]) -> bool {
    a.len() == b.len() && a.iter().rev().lt(b.iter().rev())
}

fn double(number: &mut [u64]) -> bool {
    let mut carry = false;
    for limb in number {
        let next = *limb >> 63 == 1;
        *limb = *limb << 1 | u64::from(carry);
        carry = next;
    }
    carry
}

fn subtract(number: &mut [u64], other: &[u64]) {
    let mut borrow = false;
    for (limb, other) in number.iter_mut().zip(other) {
        let (first, under) = limb.overflowing_sub(*other);
        let (second, again) = first.overflowing_sub(u64::from(borrow));
        (*limb, borrow) = (second, under || again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by the school's method, a bit at a time.
    fn slowly(base: &[u64], exponent: u64, modulus: &[u64]) -> Vec<u64> {
        let times = |a: &[u64], b: &[u64]| {
            let mut sum = vec![0; modulus.len()];
            for bit in (0..64 * b.len()).rev() {
                let carry = double(&mut sum);
                if carry || !less(&sum, modulus) {
                    subtract(&mut sum, modulus);
                }
                if b[bit / 64] >> (bit % 64) & 1 == 1 {
                    let mut over = false;
                    for (limb, other) in sum.iter_mut().zip(a) {
                        let (first, one) = limb.overflowing_add(*other);
                        let (second, two) = first.overflowing_add(u64::from(over));
                        (*limb, over) = (second, one || two);
                    }
                    if over || !less(&sum, modulus) {
                        subtract(&mut sum, modulus);
                    }
                }
            }
            sum
        };
        let mut result = vec![0; modulus.len()];
        result[0] = 1;
        for bit in (0..64).rev() {
            result = times(&result, &result);
            if exponent >> bit & 1 == 1 {
                result = times(&result, base);
            }
        }
        result
    }

    #[test]
    fn powers_are_those_of_the_school() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for (limbs, exponent) in [(8, 3), (8, 65537), (9, u64::MAX), (11, 17)] {
            for high in [u64::MAX, 1, 1 << 63] {
                let mut modulus: Vec<u64> = (0..limbs).map(|_| random()).collect();
                modulus[0] |= 1;
                modulus[limbs - 1] = high;
                let mut base: Vec<u64> = (0..limbs).map(|_| random()).collect();
                base[limbs - 1] = 0;
                let key = RsaKey { modulus: modulus.clone(), exponent, bits: 0 };
                assert_eq!(key.power(&base), slowly(&base, exponent, &modulus));
            }
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(RsaKey::of(&[0xff; 63], &[3]).is_none(), "too short");
        assert!(RsaKey::of(&[0xff; 1025], &[3]).is_none(), "too long");
        assert!(RsaKey::of(&[0xfe; 128], &[3]).is_none() && RsaKey::of(&[0xff; 128], &[2]).is_none(), "even");
        assert!(RsaKey::of(&[0xff; 128], &[1]).is_none() && RsaKey::of(&[0xff; 128], &[]).is_none() && RsaKey::of(&[], &[3]).is_none());
        let key = RsaKey::of(&[0xff; 128], &[3]).unwrap();
        assert!(!key.verifies(&[0; 32], &[0xff; 128]) && !key.verifies(&[0; 32], &[]) && !key.verifies(&[0; 31], &[1; 128]));
    }
}
