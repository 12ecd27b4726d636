//! Copies of an archive that anybody can make: fetched from its publisher or from each other, verified before they are kept, witnessed, exported.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod witness;
