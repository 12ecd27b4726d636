use super::{EXCEL, Plain, encrypted, locked};
use crate::cipher::{Aes, Hash};
use crate::keys::{Keys, utf16};
use crate::office::bytes::{place_at, stretch, u32_at};
use crate::output::Problem;

/// Section 2.3.4.7.
const ROUNDS: u32 = 50_000;

/// Opens a package as Office 2007 encrypted it: `info` is the stream that describes it, `body` the encrypted bytes (sections 2.3.4.5 to 2.3.4.9).
pub(super) fn open(keys: &mut Keys, info: &[u8], body: &[u8]) -> Result<Plain, Problem> {
    let header = stretch(info, 12, place_at(info, 8));
    let verifier = stretch(info, place_at(info, 8).saturating_add(12), info.len());
    let length = match u32_at(header, 8) {
        0x660e => 16,
        0x660f => 24,
        0x6610 => 32,
        _ => return Err(encrypted("it is protected by a cipher that is not read")),
    };
    let salt = stretch(verifier, 4, place_at(verifier, 0));
    let (input, value) = (stretch(verifier, 20, 16), stretch(verifier, 40, 32));
    let method = format!("AES-{} (standard encryption of Office)", length * 8);
    let attempt = |password: &str| {
        let hash = Hash::Sha1.spun(Hash::Sha1.of(&[salt, &utf16(password)]), ROUNDS);
        let aes = Aes::new(&key(&Hash::Sha1.of(&[&hash, &[0; 4]]), length))?;
        let expected = Hash::Sha1.of(&[&aes.ecb(input)]);
        aes.ecb(value).starts_with(&expected).then_some(aes)
    };
    let opened = keys.open(&[EXCEL], u64::from(ROUNDS), |password, _| attempt(password));
    let (aes, by) = opened.map_err(|shut| locked(shut, &method))?;
    Ok((aes.ecb(body), by, method, Vec::new()))
}

/// A key of more bytes than the hash has.
fn key(hash: &[u8], length: usize) -> Vec<u8> {
    let half = |mask: u8| {
        let block: Vec<u8> = (0..64).map(|at| mask ^ hash.get(at).copied().unwrap_or(0)).collect();
        Hash::Sha1.of(&[&block])
    };
    let mut key = [half(0x36), half(0x5c)].concat();
    key.truncate(length);
    key
}
