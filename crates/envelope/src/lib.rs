//! Seals and opens: age files whose keys editors and trustees hold, and the parts into which such a key is split.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]
