//! A door for fuzzing: what nobody gets past a cipher to.

use crate::hybrid::{Recipient, seal};
use std::io::Write;

/// A file with so many stanzas that holds these bytes, whatever they are.
pub fn sealed(recipient: &Recipient, stanzas: usize, plain: &[u8]) -> Vec<u8> {
    let mut stream = seal(std::slice::from_ref(recipient), stanzas, Vec::new()).expect("one recipient");
    stream.write_all(plain).expect("written to memory");
    stream.finish().expect("written to memory")
}
