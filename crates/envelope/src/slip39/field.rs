//! The field GF(256) with the polynomial x^8 + x^4 + x^3 + x + 1 (SLIP-0039, "Shamir's secret sharing"), without tables: how long a calculation
//! takes and what it touches does not depend on the values.

/// The product.
pub(super) fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & (b & 1).wrapping_neg();
        a = (a << 1) ^ (0x1b & (a >> 7).wrapping_neg());
        b >>= 1;
    }
    product
}

/// The inverse, a^254; 0 for 0.
pub(super) fn invert(a: u8) -> u8 {
    // 254 = 2 + 4 + … + 128.
    let (mut power, mut product) = (a, 1);
    for _ in 0..7 {
        power = multiply(power, power);
        product = multiply(product, power);
    }
    product
}

/// The value at `x` of the polynomials, one for each byte, that have the values `points[i].1` at `points[i].0`. The places must be different, the
/// values equally long; `out` has that length.
pub(super) fn interpolate(points: &[(u8, &[u8])], x: u8, out: &mut [u8]) {
    out.fill(0);
    for (place, value) in points {
        // The Lagrange polynomial that is 1 at this place and 0 at the others. Places are no secrets; adding is subtracting here.
        let weight = points.iter().filter(|(other, _)| other != place).fold(1, |weight, (other, _)| {
            let share = multiply(x ^ other, invert(place ^ other));
            multiply(weight, share)
        });
        for (out, value) in out.iter_mut().zip(*value) {
            *out ^= multiply(weight, *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiplication as the school has it: polynomials, then division.
    fn slowly(a: u8, b: u8) -> u8 {
        let mut product = (0..8).filter(|bit| b >> bit & 1 == 1).fold(0u16, |sum, bit| sum ^ u16::from(a) << bit);
        for bit in (8..16).rev().filter(|bit| *bit >= 8) {
            if product >> bit & 1 == 1 {
                product ^= 0x11b << (bit - 8);
            }
        }
        product as u8
    }

    #[test]
    fn every_product_and_every_inverse_is_right() {
        for a in 0..=255 {
            for b in 0..=255 {
                assert_eq!(multiply(a, b), slowly(a, b), "{a} {b}");
            }
            assert_eq!(multiply(a, invert(a)), u8::from(a != 0), "{a}");
        }
        assert_eq!(multiply(0x57, 0x83), 0xc1, "the example of FIPS 197");
    }

    #[test]
    fn a_polynomial_goes_through_its_points_and_is_found_again() {
        let at = |x: u8| [7 ^ multiply(9, x) ^ multiply(200, multiply(x, x)), 1 ^ x];
        let points = [(3, at(3)), (0, at(0)), (255, at(255))];
        let points = points.each_ref().map(|(x, y)| (*x, y.as_slice()));
        for x in 0..=255 {
            let mut out = [0; 2];
            interpolate(&points, x, &mut out);
            assert_eq!(out, at(x));
        }
    }
}
