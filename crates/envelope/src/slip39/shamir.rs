//! Shamir's scheme with a digest, so that a wrong set of shares is noticed (SLIP-0039, "Shamir's secret sharing").

use super::field::interpolate;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Where the polynomials have the secret.
const SECRET_AT: u8 = 255;
/// Where they have the digest of the secret.
const DIGEST_AT: u8 = 254;
/// How many bytes the digest has.
const DIGEST: usize = 4;

/// The value of one share.
pub(super) type Value = Zeroizing<Vec<u8>>;

/// Splits a secret into `count` values of which `threshold` give it back: those at the places 0, 1, 2 …
pub(super) fn split<E>(
    threshold: u8,
    count: u8,
    secret: &[u8],
    random: &mut dyn FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Vec<Value>, E> {
    if threshold == 1 {
        return Ok((0..count).map(|_| Zeroizing::new(secret.to_vec())).collect());
    }
    let mut values = Vec::with_capacity(usize::from(count));
    for _ in 0..threshold - 2 {
        let mut value = Zeroizing::new(vec![0; secret.len()]);
        random(&mut value)?;
        values.push(value);
    }
    let mut digest = Zeroizing::new(vec![0; secret.len()]);
    random(&mut digest[DIGEST..])?;
    let code = code(&digest[DIGEST..], secret);
    digest[..DIGEST].copy_from_slice(&code);
    let mut points: Vec<(u8, Value)> = (0..).zip(values.iter().cloned()).collect();
    points.push((DIGEST_AT, digest));
    points.push((SECRET_AT, Zeroizing::new(secret.to_vec())));
    for place in threshold - 2..count {
        values.push(at(&points.iter().map(|(place, value)| (*place, value.as_slice())).collect::<Vec<_>>(), place));
    }
    Ok(values)
}

/// The secret behind exactly the threshold's number of values, at different places and equally long; `None` if they do not belong together.
pub(super) fn recover(points: &[(u8, &[u8])]) -> Option<Value> {
    if let [(_, only)] = points {
        return Some(Zeroizing::new(only.to_vec()));
    }
    let (secret, digest) = (at(points, SECRET_AT), at(points, DIGEST_AT));
    let (code, random) = digest.split_at_checked(DIGEST)?;
    hmac(random, &secret).verify_truncated_left(code).ok()?;
    Some(secret)
}

/// What the share at a place must be, going by others.
pub(super) fn at(points: &[(u8, &[u8])], place: u8) -> Value {
    let mut out = Zeroizing::new(vec![0; points.first().map_or(0, |(_, value)| value.len())]);
    interpolate(points, place, &mut out);
    out
}

fn code(random: &[u8], secret: &[u8]) -> [u8; DIGEST] {
    let mut code = [0; DIGEST];
    code.copy_from_slice(&hmac(random, secret).finalize().into_bytes()[..DIGEST]);
    code
}

fn hmac(key: &[u8], bytes: &[u8]) -> Hmac<Sha256> {
    let mut hmac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    hmac.update(bytes);
    hmac
}
