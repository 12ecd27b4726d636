//! What is found of signatures: when a document is stored, and again when keys are imported. Only what the reader found is needed for it, never the
//! message.

use crate::Error;
use crate::indexing::complete_index;
use daylight_model::{Date, DateDoubt, DateSource, MessageFacts, Signature, SignatureKey};
use daylight_store::{Desk, IngestLease, Writer};

/// How many documents are judged before what was found of them is committed.
const BATCH: usize = 500;

/// What importing keys did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Keys that were not known, or of which something new is said.
    pub keys: u64,
    /// Documents that are signed with one of them.
    pub signed: u64,
    /// Documents of which something else is found now.
    pub changed: u64,
}

/// Judges the signatures of a stored message by the keys that are known, and keeps what is found. True if it is news.
pub(crate) fn judge(writer: &mut Writer<'_>, seq: u64, message: &MessageFacts) -> Result<bool, Error> {
    let Some(signatures) = message.signatures.as_deref().filter(|signatures| !signatures.is_empty()) else {
        // What an earlier version found there, if anything, was found by a lesser reading.
        return Ok(writer.set_verdicts(seq, &[], &[])?);
    };
    let mut failed = None;
    let verdicts = daylight_dkim::judge(signatures, arrival(&message.dates), &mut |name| {
        writer.signature_keys(name).unwrap_or_else(|error| {
            failed = Some(error);
            Vec::new()
        })
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(writer.set_verdicts(seq, &names(signatures), &verdicts)?),
    }
}

/// Takes keys onto a desk, and judges anew whatever is signed with them.
pub fn import_keys(desk: &Desk, lease: &IngestLease, keys: &[SignatureKey], now: i64) -> Result<Imported, Error> {
    let mut writer = desk.writer(lease)?;
    let mut imported = Imported::default();
    for key in keys {
        imported.keys += u64::from(writer.add_signature_key(key, now)?);
    }
    let mut names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let mut after = 0;
        loop {
            let batch = writer.signed_with(name, after, BATCH)?;
            let Some(last) = batch.last() else { break };
            after = *last;
            for seq in batch {
                let Some(message) = writer.message(seq)? else { continue };
                imported.signed += 1;
                imported.changed += u64::from(judge(&mut writer, seq, &message)?);
            }
            writer.commit()?;
        }
    }
    writer.commit()?;
    complete_index(desk)?;
    Ok(imported)
}

/// When a message arrived: by the Received line of whoever took it in last, or by the mailbox; never by its own Date, which the sender wrote.
fn arrival(dates: &[Date]) -> Option<i64> {
    let of = |source| dates.iter().find(|date| date.source == source && date.doubt != Some(DateDoubt::Absurd));
    of(DateSource::ReceivedHeader).or_else(|| of(DateSource::MailboxLine)).map(|date| date.seconds)
}

/// The names of the keys of these signatures, each once.
fn names(signatures: &[Signature]) -> Vec<String> {
    let known = signatures.iter().filter(|signature| !signature.domain.is_empty());
    let mut names: Vec<String> = known.map(|one| format!("{}._domainkey.{}", one.selector, one.domain).to_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
