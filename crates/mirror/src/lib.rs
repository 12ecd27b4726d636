//! Copies of an archive that anybody can make: fetched from its publisher or from each other, verified before they are kept, witnessed, exported.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod address;
mod damaged;
pub mod erase;
pub mod examine;
pub mod export;
mod fetch;
pub mod home;
pub mod http;
mod log;
pub mod meter;
mod overlay;
pub mod remote;
pub mod report;
pub mod signal;
pub mod sites;
pub mod state;
pub mod timestamp;
pub mod update;
pub mod witness;
mod words;
