//! What was found of a message's signatures, as it is stored.

use crate::codec;
use crate::codec::int;
use crate::error::Result;
use daylight_model::{MessageFacts, SignatureKind, Verdict};
use rusqlite::{Connection, OptionalExtension};

/// What is to be said of a message's signatures: every verdict, and that it is unsigned where DKIM signatures were looked for and there is none.
pub(crate) fn all_verdicts(message: Option<&MessageFacts>, mut verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let looked = message.is_some_and(|message| message.signatures.is_some());
    if looked && !verdicts.iter().any(|verdict| verdict.kind == SignatureKind::Dkim) {
        verdicts.insert(0, Verdict::unsigned());
    }
    verdicts
}

pub(crate) fn verdicts_of(connection: &Connection, seq: u64) -> Result<Vec<Verdict>> {
    let mut statement = connection.prepare_cached("SELECT verdicts FROM verdict WHERE seq = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([int(seq)], |row| row.get(0)).optional()?;
    bytes.map_or_else(|| Ok(Vec::new()), |bytes| codec::decode_verdicts(&bytes))
}
