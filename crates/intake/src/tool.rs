//! The source's tool: what `daylight submit`, `check` and `reply` do. It seals before anything leaves the source's machine, and believes of the drop
//! nothing that the newsroom did not sign.
//!
//! - [`Watched`] is the newsroom's archive as witnesses saw it, and from it the directory of keys to seal to.
//! - [`Sending`] seals texts and files and sends them, [`mailbox`] gets the replies that an editor signed.
//! - [`Line`] is the way to the drop, and `archive::log::Files` the one to the archive: whoever calls brings both.
//!
//! Nothing is written to a disk here.

mod line;
mod mail;
mod send;
mod trust;

pub use line::{Answered, Drop, Line, LineError, Patience, Question, Stop, Told};
pub use mail::{Mail, mailbox};
pub use send::{PART, Sending, Sent, Slice};
pub use trust::{Anchor, OLDEST, TrustError, Watched};

#[cfg(test)]
mod tests;
