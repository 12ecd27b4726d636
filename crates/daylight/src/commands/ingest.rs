//! `ingest`: from a trove to a desk.

use crate::args;
use crate::output::{self, count, say};
use crate::place;
use crate::progress::Drawing;
use anyhow::Result;
use daylight_ingest::{Plan, Progress, Summary, ingest as run, open_desk};
use serde_json::json;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) fn ingest(args: &args::Ingest) -> Result<ExitCode> {
    let mut desk = open_desk(&args.desk)?;
    let lease = desk.take_ingest_lease()?;
    let jobs = args.jobs.or(std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let reader = place::reader()?;
    let plan = Plan { paths: &args.paths, collection: &args.collection, jobs, reader: &reader };
    let progress = Arc::new(Progress::default());
    let drawing = Drawing::start(Arc::clone(&progress));
    let start = Instant::now();
    let result = run(&mut desk, &lease, &plan, &progress);
    drawing.finish();
    let summary = result?;
    print(&summary, start.elapsed(), args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn print(summary: &Summary, took: Duration, as_json: bool) -> Result<()> {
    let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
    if as_json {
        return output::json(&json!({
            "documents": summary.documents,
            "messages": summary.messages,
            "attachments": summary.attachments,
            "duplicates": summary.duplicates,
            "faults": summary.faults,
            "bytes": summary.bytes,
            "seconds": seconds,
            "unchanged": summary.unchanged,
            "withheld": summary.withheld,
            "forgotten": summary.forgotten,
        }));
    }
    let size = indicatif::HumanBytes(summary.bytes);
    say!(
        "{} new: {}, {}",
        count(summary.documents, "document"),
        count(summary.messages, "message"),
        count(summary.attachments, "attachment")
    )?;
    say!(
        "{} already known, {} unchanged since an earlier ingest",
        count(summary.duplicates, "document"),
        count(summary.unchanged, "file")
    )?;
    if summary.withheld > 0 {
        say!("{} read before and now withheld by the system; what is on the desk stays", count(summary.withheld, "file"))?;
    }
    if summary.forgotten > 0 {
        say!("{} forgotten here before and not taken again", count(summary.forgotten, "document"))?;
    }
    say!("{} met: `daylight faults` lists them", count(summary.faults, "fault"))?;
    say!("{size} in {seconds:.1} s")
}
