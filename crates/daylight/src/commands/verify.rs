//! `verify`: is this archive what its publisher signed?

use crate::args;
use crate::commands::clear::now;
use crate::commands::witness::{seen_in_json, seen_in_words};
use crate::output::{self, count, say};
use anyhow::{Context, Result, bail};
use daylight_archive::{Progress, Report, verify as run};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn verify(args: &args::Verify) -> Result<ExitCode> {
    if !args.archive.is_dir() {
        bail!("{} is not a folder; name an archive", args.archive.display());
    }
    let pinned = args
        .root
        .as_deref()
        .map(|path| std::fs::read(path).with_context(|| format!("cannot read the root {}", path.display())))
        .transpose()?;
    let report = checked(&args.archive, pinned.as_deref());
    if args.json {
        in_json(&report)?
    } else {
        in_words(&report)?
    }
    Ok(if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Verifies, with a bar on a terminal.
pub(crate) fn checked(archive: &Path, pinned: Option<&[u8]>) -> Report {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left · {msg}") {
        bar.set_style(style);
    }
    let report = run(archive, pinned, &mut |Progress { bytes, total, problems }| {
        bar.set_length(total);
        bar.set_position(bytes);
        bar.set_message(count(problems, "problem"));
    });
    bar.finish_and_clear();
    report
}

fn in_json(report: &Report) -> Result<()> {
    let problems: Vec<_> = report.problems.iter().map(|one| json!({"path": one.path, "what": one.what})).collect();
    output::json(&json!({
        "ok": report.ok(),
        "anchored": report.anchored,
        "verdict": report.verdict(),
        "origin": report.origin,
        "log_size": report.size,
        "root_version": report.root_version,
        "recovered_roots": report.recovered,
        "pending_size": report.pending,
        "seen": seen_in_json(&report.standing, report.shown, now()),
        "releases": report.releases,
        "documents": report.lines,
        "files": report.files,
        "bytes": report.bytes,
        "problems": problems,
    }))
}

fn in_words(report: &Report) -> Result<()> {
    if !report.origin.is_empty() {
        say!("archive {}, log size {}, root {}", report.origin, report.size, report.root_version)?;
    }
    let (releases, lines, files) = (count(report.releases, "release"), count(report.lines, "document"), count(report.files, "file"));
    say!("{releases}, {lines}, {files}, {} hashed", HumanBytes(report.bytes))?;
    for version in &report.recovered {
        say!("root {version} was made with the recovery keys, not by the editors before it")?;
    }
    if let Some(size) = report.pending {
        say!("a release waits for its last step, or for witnesses (log size {size}): `daylight publish` completes it")?;
    }
    if report.standing.met {
        seen_in_words(&report.standing, report.shown, now()).iter().try_for_each(|line| say!("{line}"))?;
    }
    for problem in &report.problems {
        say!("{}: {}", problem.path, problem.what)?;
    }
    say!("{}", report.verdict())
}
