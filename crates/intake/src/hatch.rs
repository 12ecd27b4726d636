//! Through the hatch an attendant asks the house. An attendant has its visitor and nothing else; the house has the store, the sessions, the limits, and never a cookie, a
//! codename or a word of a visitor's. the list `asks!` names everything that can be asked for, once for both ends.
//!
//! A question is its length (4 bytes, little-endian), a byte that says which it is, and its fields; an answer its length and its fields. The next question is asked when the one
//! before was answered. Beside it runs a line on which the house says something by itself, a byte a time ([`GIVE_WAY`], [`FAREWELL`]).

mod part;

pub(crate) use part::{Part, whole};

use crate::store::{Lookup, StoreError, Usage};
use daylight_model::Digest;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::os::unix::net::UnixStream;

/// Said to an attendant: its visitor's upload is the slowest, and somebody else came.
pub(crate) const GIVE_WAY: u8 = b'g';
/// Said to an attendant: after the answer that it is at there is to be none.
pub(crate) const FAREWELL: u8 = b'f';

/// The longest question of anybody, and of the newsroom's collector, in bytes.
pub(crate) const LONGEST: usize = 128 << 10;
pub(crate) const LONGEST_OF_COLLECTOR: usize = 16 << 20;
/// How many bytes pass at once.
pub(crate) const PIECE: usize = 32 << 10;

macro_rules! asks {
    ($($(#[doc = $doc:literal])+ $code:literal $name:ident($($field:ident: $kind:ty),*) -> $answer:ty;)+) => {
        /// Who answers at the house's end of a hatch.
        pub(crate) trait Keeper {
            $($(#[doc = $doc])+ fn $name(&mut self, $($field: $kind),*) -> $answer;)+
        }

        /// The answer to a question; nothing if it is none.
        pub(crate) fn answer(keeper: &mut impl Keeper, question: &[u8]) -> Option<Vec<u8>> {
            let (code, mut rest) = question.split_first()?;
            let mut out = Vec::new();
            match code {
                $($code => {
                    $(let $field = <$kind as Part>::take(&mut rest)?;)*
                    if !rest.is_empty() {
                        return None;
                    }
                    keeper.$name($($field),*).put(&mut out);
                })+
                _ => return None,
            }
            Some(out)
        }

        /// A question, read and written again; nothing if it is none.
        #[cfg(any(test, fuzzing))]
        pub(crate) fn again(question: &[u8]) -> Option<Vec<u8>> {
            let (code, mut rest) = question.split_first()?;
            let mut out = vec![*code];
            match code {
                $($code => {
                    $(<$kind as Part>::take(&mut rest)?.put(&mut out);)*
                })+
                _ => return None,
            }
            rest.is_empty().then_some(out)
        }

        impl Hatch {
            $($(#[doc = $doc])+ pub(crate) fn $name(&self, $($field: $kind),*) -> $answer {
                let mut question = Vec::new();
                u8::put(&$code, &mut question);
                $($field.put(&mut question);)*
                self.ask(&question)
            })+
        }
    };
}

asks! {
    /// Whether the visitor's circuit may do what costs this much now.
    1 allows(cost: u8) -> bool;
    /// A place for an upload, which is held until [`leave`](Self::leave). It may be waited for.
    2 place() -> bool;
    /// Gives the place back.
    3 leave() -> ();
    /// So many bytes of an upload have come.
    4 came(bytes: u64) -> ();
    /// Notes of today that something was so, by its number.
    5 mark(mark: u8) -> ();

    /// What a session holds, by the name of its cookie, which is used by this.
    10 visit(name: [u8; 32]) -> Option<Held>;
    /// Begins a session: a seed and, of a new codename, words, both sealed under its cookie, and whether what was typed was none.
    11 begin_session(name: [u8; 32], seed: [u8; 32], words: Option<[u8; 128]>, slip: bool) -> ();
    /// The sealed words of a codename that was made in a session, as long as they may be shown.
    12 words(name: [u8; 32]) -> Option<[u8; 128]>;
    /// Shows them no more.
    13 hide_words(name: [u8; 32]) -> ();
    /// Notes what came of what was sent.
    14 note(name: [u8; 32], flash: Flash) -> ();
    /// What is to be said once.
    15 flash(name: [u8; 32]) -> Option<Flash>;
    /// Ends a session.
    16 end_session(name: [u8; 32]) -> ();
    /// The tokens of forms that are filled in before anybody is logged in: of today and of yesterday.
    17 outer_forms() -> (String, String);

    /// What a source has here.
    20 usage(lookup: Lookup) -> Usage;
    /// Whether there is room for so many bytes. It is asked once for a place.
    21 has_room(length: u64) -> bool;
    /// Begins an envelope of a source, the same for all of one place. One that was begun before and not kept is gone.
    22 begin(lookup: Lookup) -> Result<(), Refusal>;
    /// More of its sealed bytes.
    23 push(bytes: Vec<u8>) -> Result<(), Refusal>;
    /// Keeps it: once this is answered it is durable. Gives its id.
    24 keep() -> Result<Digest, Refusal>;
    /// Forgets what was begun.
    25 abandon() -> ();
    /// A source's replies, the oldest first, and their lengths.
    26 replies(lookup: Lookup) -> Vec<(Digest, u64)>;
    /// A reply's sealed bytes.
    27 reply(id: Digest) -> Result<Vec<u8>, Refusal>;
    /// Reads as much as for a reply, of nothing.
    28 read_in_vain() -> Vec<u8>;
    /// Deletes everything of a source.
    29 forget(lookup: Lookup) -> Result<(), Refusal>;

    /// Today, and the keys to which is sealed today, one after the other; none if there are none.
    40 recipients() -> (u32, Vec<u8>);
    /// The keys that sign replies.
    41 editors() -> Vec<[u8; 32]>;
    /// The directory of keys, as it is given to whoever asks.
    42 directory() -> Option<Vec<u8>>;

    /// Whether this is the collector's token. What follows is answered to no one else.
    50 is_collector(token: String) -> bool;
    /// Makes a list of every envelope, as the collector is told, to be read piece by piece. Gives how long it is.
    51 open_list() -> Result<u64, Refusal>;
    /// Deletes envelopes.
    52 done(ids: Vec<Digest>) -> Result<(), Refusal>;
    /// Notes that sources were accepted.
    53 accept(lookups: Vec<Lookup>) -> Result<(), Refusal>;
    /// Deletes what the newsroom put here for sources.
    54 forget_answers(lookups: Vec<Lookup>) -> Result<(), Refusal>;
    /// Keeps a sealed reply. Gives its id.
    55 put_reply(lookup: Lookup, sealed: Vec<u8>) -> Result<Digest, Refusal>;
    /// Takes a newer directory, or says why not.
    56 put_directory(bytes: Vec<u8>) -> Option<String>;
    /// Opens an envelope, to be read piece by piece. Gives how many bytes it has.
    57 open_envelope(id: Digest) -> Result<Option<u64>, Refusal>;
    /// The next piece of what was opened; nothing at its end, or where it cannot be read.
    58 read() -> Vec<u8>;
}

/// The question that may have to wait for somebody else.
pub(crate) const PLACE: u8 = 2;
/// Whether a question makes somebody wait for the disk.
pub(crate) fn waits_for_disk(question: &[u8]) -> bool {
    matches!(question.first(), Some(5 | 20..=39 | 50..))
}

/// What a session holds, sealed under its cookie but for what says nothing of whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) seed: [u8; 32],
    /// Whether what was typed was no codename; then the seed is nobody's.
    pub(crate) slip: bool,
    /// Whether the codename was made in this session.
    pub(crate) fresh: bool,
    /// Whether a text was sent in this session.
    pub(crate) told: bool,
}

/// What came of what was sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flash {
    /// It arrived.
    Sent {
        /// How many texts.
        texts: u32,
        /// How many files.
        files: u32,
    },
    /// There was nothing in the form.
    Nothing,
    /// A file broke off after this many parts.
    Broke(u32),
}

/// Why the store did not do what it was asked for, as far as it is a visitor's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The disk is as full as it may get.
    #[error("the drop is full; come back later")]
    Full,
    /// No more may be sent before an editor has accepted the source.
    #[error("no more can be taken from you before the newsroom has answered")]
    Unaccepted,
    /// The same bytes are here under another lookup id.
    #[error("these bytes are here already, and are not yours")]
    Others,
    /// Something failed.
    #[error("the drop failed")]
    Failed,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Unaccepted => Self::Unaccepted,
            StoreError::Others => Self::Others,
            // What is wrong with the disk is not the sender's business.
            _ => Self::Failed,
        }
    }
}

impl Refusal {
    /// Why something could not be written.
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed,
        }
    }
}

/// An attendant's end.
#[derive(Debug)]
pub(crate) struct Hatch(UnixStream);

impl Hatch {
    pub(crate) fn new(line: UnixStream) -> Self {
        Self(line)
    }

    /// Asks, and waits for the answer. Without the house there is nothing that an attendant could do: then it unwinds, so that its memory is wiped, and ends.
    fn ask<A: Part>(&self, question: &[u8]) -> A {
        let answer = self.exchange(question).ok().and_then(|answer| whole(&answer));
        answer.unwrap_or_else(|| std::panic::resume_unwind(Box::new("the house has closed")))
    }

    fn exchange(&self, question: &[u8]) -> io::Result<Vec<u8>> {
        let mut line = &self.0;
        let length = (question.len() as u32).to_le_bytes();
        let sent = line.write_vectored(&[IoSlice::new(&length), IoSlice::new(question)])?;
        line.write_all(length.get(sent..).unwrap_or_default())?;
        line.write_all(question.get(sent.saturating_sub(length.len())..).unwrap_or_default())?;
        let mut length = [0; 4];
        line.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_le_bytes(length) as usize];
        line.read_exact(&mut answer)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
