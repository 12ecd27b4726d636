//! The newsroom's end of the intake: the keys that open what sources send, collecting it from the drop, and the conversations on the desk.
//!
//! - [`Keyring`] has a member's keys, one for each day, which die 45 days after it; [`Offer`] is what the others need of it.
//! - [`Inbox`] is the folder `inbox` of a desk. [`Inbox::collect`] takes what waits at the drop over a [`Carrier`]; [`Inbox::list`], [`Inbox::read`] and
//!   [`Inbox::answer`] are for the people of the newsroom; [`Inbox::delete`] destroys.
//!
//! Keyrings and the conversations' keys can be sealed under keys in the machine's TPM ([`Inbox::protect`]), so that what is destroyed is worthless also where a disk kept it.
//!
//! Network and processes are the caller's. Nothing that a source said is on the disk in the clear but while an import is read in.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod carrier;
mod collect;
mod conversations;
mod error;
mod inbox;
mod keyring;
mod notice;
mod offer;
mod protection;
mod refused;
mod sealed;
mod secrets;
mod tpm;

pub use carrier::{Carrier, Relayed, Stick, Waiting, relay};
pub use collect::{Collected, Progress, Sent};
pub use conversations::{Answer, Conversation, Deleted, FileParts, Imported, Message, Totals, Whole};
pub use error::{Error, Result};
pub use inbox::{Held, Inbox};
pub use keyring::{Keyring, LIFE, Span, day_of};
pub use notice::{NOTICE, notice};
pub use offer::{Offer, join};
pub use protection::Protection;
pub use refused::Refused;
pub use sealed::{Heading, What};
pub use tpm::{Tpm, TpmError};

#[cfg(test)]
mod tests;
