//! What must outlive a crash: files that are replaced whole or not at all, files that only grow, locks that die with their holder, and the points
//! at which tests crash the process to see that it is so. Nothing here knows a format.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod append;
mod atomic;
mod crash;
mod lock;

pub use append::AppendFile;
pub use atomic::{sync_dir, write_atomic};
pub use crash::crash_point;
pub use lock::{Lock, LockError, is_held, utc};
