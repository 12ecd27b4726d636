//! What the words of Daylight mean, as types. Every crate may use this one; it reads no file, no clock and no network.
#![forbid(unsafe_code)]

mod date;
mod digest;
mod document;
mod fault;
mod name;
mod person;
mod picture;
pub mod reading;
mod signature;
mod untrusted;
mod words;

pub use date::{Date, DateDoubt, DateSource, Precision};
pub use digest::{Digest, Hasher, ParseDigestError};
pub use document::{DocumentId, Kind, MessageFacts};
pub use fault::{Fault, FaultCode, Stage};
pub use name::Name;
pub use person::{Person, Role};
pub use picture::{PagePicture, PictureForm};
pub use signature::{Caution, KeySeen, Outcome, Signature, SignatureAlgorithm, SignatureKey, SignatureKind, SignedBody, Verdict};
pub use untrusted::Untrusted;
pub use words::{LANGUAGES, NEARLY, REGISTERS, Sketch, is_language_code, language_name};
