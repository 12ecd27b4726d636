//! Signatures in mail: DKIM (RFC 6376, 8301, 8463) and ARC (RFC 8617), judged without a network by keys that are given.
//!
//! It is done in two steps. [`read()`] looks at a message's bytes and finds everything that needs no key, which may be in an enemy's hands while it does.
//! [`judge()`] needs only what that found, a few hundred bytes, and the keys: it can be done again whenever a key becomes known. [`import`] reads keys.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arc;
mod body;
mod der;
pub mod dns;
mod encoding;
mod header;
pub mod import;
mod judge;
mod key;
mod read;
mod rsa;
mod signature;
mod tags;

pub use judge::judge;
pub use read::{MOST, Read, read};
