//! `recognise`: text from pages that are pictures.

use crate::args;
use crate::output::{self, count, say};
use crate::place;
use crate::progress::Drawing;
use anyhow::Result;
use daylight_ingest::{Progress, Recognition, Which, open_desk, recognise as run};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) fn recognise(args: &args::Recognise) -> Result<ExitCode> {
    let desk = open_desk(&args.desk)?;
    let lease = desk.take_ingest_lease()?;
    let jobs = args.jobs.or(std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let seqs = args.ids.iter().map(|id| desk.resolve(id)).collect::<Result<Vec<u64>, _>>()?;
    let which = if seqs.is_empty() { Which::Desk } else { Which::These(&seqs) };
    let progress = Arc::new(Progress::default());
    let drawing = Drawing::start(Arc::clone(&progress));
    let result = run(&desk, &lease, which, (jobs, &place::reader()?), &progress);
    drawing.finish();
    let recognition = result?;
    if args.json {
        output::json(&as_json(&recognition))?;
    } else if recognition == Recognition::default() {
        say!("no document waits for text recognition")?;
    } else {
        in_words(&recognition)?;
    }
    Ok(if recognition.missing.is_some() || recognition.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub(crate) fn as_json(recognition: &Recognition) -> Value {
    json!({
        "documents": recognition.documents,
        "pages": recognition.pages,
        "pages_without_words": recognition.wordless,
        "pages_failed": recognition.failed,
        "documents_waiting": recognition.waiting,
        "missing": recognition.missing,
        "tool": recognition.tool,
    })
}

/// What was recognised, in lines; none where nothing was to be.
pub(crate) fn in_words(recognition: &Recognition) -> Result<()> {
    if let Some(why) = &recognition.missing {
        return waiting(recognition.waiting, why);
    }
    if recognition.waiting > 0 {
        return say!("{} to have text recognised: `daylight recognise` does it", count(recognition.waiting, "document"));
    }
    if recognition.documents == 0 {
        return Ok(());
    }
    say!(
        "text recognised on {} of {}; {} without a word, {} not done ({})",
        count(recognition.pages, "page"),
        count(recognition.documents, "document"),
        output::thousands(recognition.wordless),
        output::thousands(recognition.failed),
        recognition.tool.as_deref().unwrap_or_default()
    )
}

/// What stands in the way of recognising documents that wait for it.
pub(crate) fn waiting(documents: u64, why: &str) -> Result<()> {
    say!("{} to have text recognised once this is mended: {why}", count(documents, "document"))
}
