//! `render`: what is published of documents that were cleared before, made anew.

use crate::args;
use crate::commands::clear::refusals;
use crate::output::{self, count, say};
use crate::place;
use anyhow::Result;
use daylight_ingest::{open_desk, open_index};
use daylight_review::{Renewal, Renewed, renew};
use serde_json::json;
use std::process::ExitCode;

pub(crate) fn render(args: &args::Render) -> Result<ExitCode> {
    let desk = open_desk(&args.desk)?;
    if args.query.is_some() {
        // A query must not miss what was ingested and not indexed before a crash.
        open_index(&desk)?;
    }
    let these = args.ids.iter().map(|id| desk.resolve(id)).collect::<Result<Vec<u64>, _>>()?;
    let which = Renewal { query: args.query.as_deref(), these: &these, anew: args.anew };
    let renewed = renew(&desk, &place::reader()?, &args.collection, &which)?;
    if args.json {
        in_json(&renewed)?
    } else {
        in_words(&renewed, &args.collection)?
    }
    Ok(if renewed.failed == 0 && renewed.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_json(renewed: &Renewed) -> Result<()> {
    let refused: Vec<_> = renewed.refused.iter().map(|one| json!({"id": one.id, "why": one.why})).collect();
    output::json(&json!({
        "documents": renewed.looked_at,
        "made": renewed.made,
        "unchanged": renewed.looked_at - renewed.made,
        "failed": renewed.failed,
        "passed_over": renewed.passed_over,
        "refused": refused,
    }))
}

fn in_words(renewed: &Renewed, collection: &str) -> Result<()> {
    let unchanged = output::thousands(renewed.looked_at - renewed.made);
    say!(
        "{} of {collection} looked at: {} made anew, {unchanged} as before",
        count(renewed.looked_at, "cleared document"),
        output::thousands(renewed.made)
    )?;
    if renewed.made > 0 {
        say!("the next publish of {collection} publishes those anew that are published already")?;
    }
    if renewed.failed > 0 {
        say!("of {} something could not be made: `daylight faults` says why", count(renewed.failed, "document"))?;
    }
    if renewed.passed_over > renewed.refused.len() as u64 {
        say!("{} held, withdrawn or not cleared: not touched", count(renewed.passed_over, "document"))?;
    }
    if !renewed.refused.is_empty() {
        say!("{} not touched:", count(renewed.refused.len() as u64, "document"))?;
    }
    refusals(&renewed.refused)
}
