//! `clear`: an editor's recorded decision.

use crate::args;
use crate::commands::withdraw::document_id;
use crate::output::{self, count, say};
use crate::place;
use anyhow::Result;
use daylight_ingest::{open_desk, open_index};
use daylight_review::{Correction, Outcome, Refusal, Selection, clear as run};
use daylight_store::Desk;
use serde_json::json;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many refusals are shown one by one.
const SHOWN: usize = 20;

pub(crate) fn clear(args: &args::Clear) -> Result<ExitCode> {
    let mut desk = open_desk(&args.desk)?;
    if let Some(id) = &args.correct {
        return correct(args, &mut desk, id);
    }
    let collection = args.collection.as_deref().unwrap_or_default();
    let selection = args.query.as_deref().map_or(Selection::All, Selection::Query);
    if let Selection::Query(_) = selection {
        // A query must not miss what was ingested and not indexed before a crash.
        open_index(&desk)?;
    }
    let outcome = run(&mut desk, &place::reader()?, collection, selection, &args.editor, now())?;
    if args.json {
        in_json(&outcome)?
    } else {
        in_words(&outcome, collection)?
    }
    Ok(if outcome.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Has a published document published anew.
fn correct(args: &args::Clear, desk: &mut Desk, id: &str) -> Result<ExitCode> {
    let (collection, number) = document_id(id)?;
    let reason = args.reason.as_deref().unwrap_or_default();
    let what = Correction { collection, number, origin: args.origin.as_deref(), editor: &args.editor, reason, now: now() };
    let corrected = daylight_review::correct(desk, &place::reader()?, &what)?;
    let refused = corrected.refused.as_ref().map(|refused| refused.why.as_str());
    if args.json {
        output::json(&json!({"document": id, "desk_id": corrected.id, "origin": corrected.origin, "was_withdrawn": corrected.withdrawn,
            "refused": refused}))?;
    } else if let Some(why) = refused {
        say!("{id} ({}) is not published anew: {why}", corrected.id)?;
    } else {
        let before = if corrected.withdrawn { "although it was withdrawn" } else { "in place of what readers see now" };
        say!("the next publish to {} has {id} ({}) anew, {before}", corrected.origin, corrected.id)?;
    }
    Ok(if refused.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Seconds since 1970, UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn in_json(outcome: &Outcome) -> Result<()> {
    let refused: Vec<_> = outcome.refused.iter().map(|one| json!({"id": one.id, "why": one.why})).collect();
    output::json(&json!({
        "cleared": outcome.cleared,
        "already_cleared": outcome.already,
        "refused": refused,
        "withdrawn": outcome.withdrawn,
        "unreadable": outcome.unreadable,
        "packaging": outcome.packaging,
        "without_view": outcome.without_view,
        "without_pictures": outcome.without_pictures,
        "with_properties": outcome.with_properties,
    }))
}

fn in_words(outcome: &Outcome, collection: &str) -> Result<()> {
    say!("{} cleared for {collection}, {} cleared before", count(outcome.cleared, "document"), outcome.already)?;
    if outcome.withdrawn > 0 {
        say!("{} were withdrawn and stay so: --correct publishes one anew", count(outcome.withdrawn, "document"))?;
    }
    if outcome.packaging > 0 {
        say!("{} only packed the trove (mailboxes, zip files): never published", count(outcome.packaging, "document"))?;
    }
    if outcome.unreadable > 0 {
        say!("{} could not be opened, so nobody can clear them", count(outcome.unreadable, "document"))?;
    }
    if outcome.without_view > 0 {
        say!("{} have no formatted view: `daylight faults` says why", count(outcome.without_view, "document"))?;
    }
    if outcome.without_pictures > 0 {
        say!("of {} some pages have no picture: `daylight faults` says why", count(outcome.without_pictures, "document"))?;
    }
    if outcome.with_properties > 0 {
        say!(
            "{} carry properties in their bytes (who wrote them, on what, where a picture was taken)",
            count(outcome.with_properties, "document")
        )?;
        say!("    and those are published with the bytes: `daylight show DESK ID --text` lists them")?;
    }
    if !outcome.refused.is_empty() {
        say!("{} refused:", count(outcome.refused.len() as u64, "document"))?;
    }
    refusals(&outcome.refused)
}

/// The first of these, each on a line, and how many more there are.
pub(crate) fn refusals(refused: &[Refusal]) -> Result<()> {
    for one in refused.iter().take(SHOWN) {
        say!("    {}  {}", one.id, one.why)?;
    }
    let more = refused.len().saturating_sub(SHOWN);
    if more > 0 {
        say!("    and {more} more: --json lists all")?;
    }
    Ok(())
}
