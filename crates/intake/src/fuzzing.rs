//! A door to the hatch, open in builds of `fuzz/` alone: what a captured attendant says there is read by the house.

use crate::hatch::again;

/// Reads bytes as questions, each behind its length. What was understood is the same once it is written and read again.
pub fn questions(mut bytes: &[u8]) {
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((question, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else { return };
        if let Some(written) = again(question) {
            assert_eq!(again(&written).as_ref(), Some(&written));
        }
        bytes = rest;
    }
}
