//! Base64 as it stands in headers and keys.

use crate::tags::squeezed;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Some leave out the padding; none of them means anything by the bits that are left over.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// The bytes that are meant; white space may stand anywhere.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(squeezed(text).as_bytes()).ok()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An RSA public key (RSAPublicKey, RFC 8017) in base64.
pub(crate) fn rsa_base64(modulus: &[u8], exponent: &[u8]) -> String {
    let inside = [integer(modulus), integer(exponent)].concat();
    base64::engine::general_purpose::STANDARD.encode(element(0x30, &inside))
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
    element(0x02, &[sign, bytes].concat())
}

fn element(tag: u8, inside: &[u8]) -> Vec<u8> {
    let length = inside.len();
    let mut out = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    out.extend_from_slice(inside);
    out
}
