//! The intake: how a source's documents reach a newsroom, and answers reach the source.
//!
//! - the drop ([`serve()`]) is what stands behind an onion address: pages without a script, the wire of the source's tool and of the newsroom's
//!   collector, and a store in which everything is sealed. docs/drop.md describes it.
//! - [`tool`] is the source's own end, which seals before anything leaves the source's machine.
//!
//! No plaintext is ever written to a disk here, no private key of a newsroom comes near, and nothing is written down about who asked for what.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod apply;
mod attendant;
mod circuits;
mod days;
#[cfg(fuzzing)]
pub mod fuzzing;
mod hatch;
mod house;
mod lines;
pub mod multipart;
mod newsroom;
mod outgoing;
mod pages;
mod places;
mod random;
mod serve;
mod session;
mod sessions;
mod site;
mod stack;
mod status;
mod store;
pub mod tool;
mod upload;
mod words;

pub use apply::{Applied, apply, export};
pub use days::LastDays;
pub use newsroom::{DropError, Settings, VouchError, init};
pub use random::NoRandomness;
pub use serve::{Listen, Ready, ServeError, serve};
pub use status::{Keys, Status, answers, status};
pub use store::{Exported, Lying, StoreError};
