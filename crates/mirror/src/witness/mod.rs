//! Witnessing (c2sp.org/tlog-witness, c2sp.org/tlog-cosignature): whoever cosigns a log's checkpoint says that it continues all that they cosigned of
//! that log before. Here are a witness's memory ([`State`]), its server ([`serve()`]) and what asks other witnesses ([`Client`]).

mod client;
mod connections;
mod pin;
mod serve;
mod state;

pub use client::Client;
pub use connections::Listen;
pub use pin::{PinError, Pinned};
pub use serve::{ServeError, serve};
pub use state::{Cosigned, Log, Refusal, State, StateError};

#[cfg(test)]
mod tests;
