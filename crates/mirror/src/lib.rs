//! Copies of an archive that anybody can make: fetched from its publisher or from each other, verified before they are kept, witnessed, exported.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod address;
pub mod erase;
pub mod export;
pub mod http;
pub mod sites;
pub mod state;
pub mod timestamp;
