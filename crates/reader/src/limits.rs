//! What one visitor may ask for, so that all the others are served too.

use std::time::Duration;

/// The longest head of a request, in bytes.
pub(crate) const HEAD: usize = 16 << 10;
/// The longest address, in bytes.
pub(crate) const ADDRESS: usize = 8 << 10;
/// The longest query, in characters.
pub(crate) const QUERY: usize = 1000;
/// How many connections are open at once.
pub(crate) const CONNECTIONS: usize = 1024;
/// How many threads read from the disk.
pub(crate) const READERS: usize = 32;
/// How many whole results are written at once.
pub(crate) const EXPORTS: usize = 8;
/// How long a search waits for its turn before it is told to come again.
pub(crate) const TURN: Duration = Duration::from_secs(3);
/// How long a visitor may take to send the head of a request, or keep a connection without one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long connections may take to end when the server is told to.
pub(crate) const FAREWELL: Duration = Duration::from_secs(5);
/// How often, at most, a request has the archive looked at for something new: one small file is read.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
/// How long that request waits for what is new to be opened. What takes longer, a large index say, is made while the state before is shown.
pub(crate) const NEWS: Duration = Duration::from_secs(1);
/// How long an archive that could not be opened is left alone.
pub(crate) const LATER: Duration = Duration::from_secs(10);
/// How much of a text stands on a document's page.
pub(crate) const SHOWN: u64 = 256 << 10;
/// What stands before every page of a text but the first.
pub(crate) const PAGE: char = '\u{c}';
/// What is no longer than this is sent from memory.
pub(crate) const WHOLE: u64 = 256 << 10;
/// The longest sanitised view that is shown.
pub(crate) const VIEW: u64 = 8 << 20;
