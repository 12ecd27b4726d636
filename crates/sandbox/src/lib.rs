//! Processes that read hostile bytes, and the framing to them. A parent gives a [`Worker`] a lease of items; the worker is this program again,
//! started with a clean environment and hard limits, and what it says comes back as [`Untrusted`](daylight_model::Untrusted) events. The
//! reader itself is passed in by the caller: nothing here knows a format.
//!
//! Nothing crosses a lease: each is read by a process of its own, so that a worker which a document has captured can falsify what its lease says and
//! nothing else. This is the one crate that may start processes, and the one that may use `unsafe`, at places that say why.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod allocator;
mod attendants;
mod cage;
mod copies;
#[cfg(fuzzing)]
pub mod fuzzing;
mod lease;
mod memory;
mod offline;
mod probe;
mod process;
mod tool;
mod wire;
mod worker;

pub use allocator::return_freed_memory;
pub use attendants::{Attendant, Attendants, Visit};
pub use cage::{Caged, Layer, confine_to};
pub use lease::{Death, Ended, Item, ItemInput, LEASE, Limits, Reader, Said};
pub use memory::{Guarded, WipingAllocator, guard_secrets};
pub use offline::{any_socket, go_offline, only_network, start_beside};
pub use probe::Probe;
pub use process::{Finding, Outcome, Report, Worker, examine};
pub use tool::{PrivateFolder, Tool, ToolDeath, ToolInput, ToolLimits, ToolOutput};
pub use worker::{ReadFn, worker_main};
