//! `ingest`: from a trove to a desk.

use crate::args;
use crate::commands::recognise;
use crate::output::{self, count, say};
use crate::place;
use crate::progress::Drawing;
use anyhow::Result;
use daylight_ingest::{Plan, Progress, Recognition, Summary, Which, count_waiting, ingest as run, open_desk, recognise as recognise_pages};
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
    let plan = Plan { paths: &args.paths, collection: &args.collection, jobs, reader: &reader, readers: daylight_extract::READERS };
    let progress = Arc::new(Progress::default());
    let drawing = Drawing::start(Arc::clone(&progress));
    let start = Instant::now();
    let result = run(&mut desk, &lease, &plan, &progress).and_then(|summary| {
        // Everything that was read is searched by now.
        let which = Which::Collection(desk.create_collection(&args.collection)?.id);
        let recognition = match args.recognise_later {
            true => Recognition { waiting: count_waiting(&desk, which)?, ..Recognition::default() },
            false => recognise_pages(&desk, &lease, which, (jobs, &reader), &progress)?,
        };
        Ok((summary, recognition))
    });
    drawing.finish();
    let (summary, recognition) = result?;
    print(&summary, &recognition, start.elapsed(), args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn print(summary: &Summary, recognition: &Recognition, took: Duration, as_json: bool) -> Result<()> {
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
            "outdated": summary.outdated,
            "withheld": summary.withheld,
            "forgotten": summary.forgotten,
            "recognition": recognise::as_json(recognition),
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
    if summary.outdated > 0 {
        say!("{} read again, because their readers are newer than what read them", count(summary.outdated, "document"))?;
    }
    if summary.withheld > 0 {
        say!("{} read before and now withheld by the system; what is on the desk stays", count(summary.withheld, "file"))?;
    }
    if summary.forgotten > 0 {
        say!("{} forgotten here before and not taken again", count(summary.forgotten, "document"))?;
    }
    say!("{} met: `daylight faults` lists them", count(summary.faults, "fault"))?;
    recognise::in_words(recognition)?;
    say!("{size} in {seconds:.1} s")
}
