//! The names of an archive's files, relative to its folder, with `/` between their parts. Every name is made of fixed words and numbers: nothing
//! that a document or a stranger says becomes part of a path.

mod name;

pub use name::Name;

/// The signed state of the log.
pub const CHECKPOINT: &str = "checkpoint";

/// The state that is about to become `checkpoint`: written and synced, it commits a publication; renamed once witnesses have seen it.
pub const CHECKPOINT_PENDING: &str = "checkpoint.pending";

/// Where a root's JSON stands.
pub fn root_json(version: u64) -> String {
    format!("root/{version}.json")
}

/// Where the signatures of a root stand.
pub fn root_sig(version: u64) -> String {
    format!("root/{version}.sig")
}

/// What the paths of a release begin with; its tiles are at this followed by `tile/…`.
pub fn release_prefix(serial: u64) -> String {
    format!("release/{serial}/")
}

/// Where a release's note stands.
pub fn release_note(serial: u64) -> String {
    format!("release/{serial}/note")
}

/// Where a part of a release's manifest stands, from 0.
pub fn manifest_part(serial: u64, part: u64) -> String {
    format!("release/{serial}/manifest/{part}")
}

/// Where the offsets of a part's lines stand.
pub fn manifest_offsets(serial: u64, part: u64) -> String {
    format!("release/{serial}/manifest/{part}.offsets")
}

/// Where a volume stands, from 0.
pub fn volume(serial: u64, volume: u32) -> String {
    format!("release/{serial}/volume/{volume}.zip")
}

/// Where the note of a withdrawal, directory or heartbeat stands.
pub fn entry_note(serial: u64) -> String {
    format!("entry/{serial}/note")
}
