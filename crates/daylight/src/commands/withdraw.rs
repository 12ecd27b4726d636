//! What is said of withdrawals.

use super::search::plain;
use crate::output::say;
use anyhow::Result;
use daylight_archive::withdraw::WithdrawNote;
use serde_json::{Value, json};

/// The withdrawal as JSON.
pub(crate) fn withdrawal_json(note: &WithdrawNote) -> Value {
    let ids: Vec<String> = note.documents.iter().map(|document| format!("{}/{}", note.collection, document.number)).collect();
    let successor = note.successor.as_ref().map(|(collection, number)| format!("{collection}/{number}"));
    let time = u64::try_from(note.time).ok().map(crate::when::moment);
    json!({"serial": note.serial, "time": time, "reason": note.reason, "successor": successor, "copies": note.copies.word(), "documents": ids})
}

/// When and why something was withdrawn, and what to read instead.
pub(crate) fn withdrawal_words(note: &WithdrawNote) -> Result<()> {
    let date = u64::try_from(note.time).map(crate::when::moment).unwrap_or_default();
    say!("withdrawn on {}, because: {}", date.split('T').next().unwrap_or_default(), plain(&note.reason))?;
    match &note.successor {
        Some((collection, number)) => say!("read instead: {collection}/{number}"),
        None => Ok(()),
    }
}
