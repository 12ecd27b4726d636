//! `verify`: is this archive what its publisher signed?

use crate::args;
use crate::commands::clear::now;
use crate::commands::life;
use crate::commands::mirror;
use crate::commands::witness::{seen_in_json, seen_in_words};
use crate::output::{self, count, say};
use anyhow::{Context, Result, bail};
use daylight_archive::store::Folder;
use daylight_archive::{Asked, Progress, Report, verify_from};
use daylight_mirror::examine::examine;
use daylight_mirror::home::remembered;
use daylight_mirror::sites::Refusal;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

pub(crate) fn verify(args: &args::Verify) -> Result<ExitCode> {
    let pinned = args.root.as_deref().map(mirror::read_root).transpose()?;
    let address = args.archive.to_str().filter(|text| text.starts_with("http://") || text.starts_with("https://"));
    // A mirror knows of which collections it made its copy; of others' copies one must say it.
    let only = match (&args.only[..], address) {
        ([], None) => remembered(&args.archive).map(|state| state.only).unwrap_or_default(),
        (named, _) => named.to_vec(),
    };
    let asked = Asked { root: pinned.as_deref(), only: &only };
    let (report, refused) = match address {
        Some(address) => afar(address, asked, &args.network)?,
        None if args.archive.is_dir() => (here(&args.archive, asked), Vec::new()),
        None => bail!("{} is not a folder; name an archive", args.archive.display()),
    };
    if args.json {
        in_json(&report, &refused)?
    } else {
        in_words(&report, &refused, address.is_some())?
    }
    let well = report.ok() && (!report.is_partial() || !only.is_empty());
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Verifies what is at an address, in a folder of its own for what must stand on disk meanwhile.
fn afar(address: &str, asked: Asked<'_>, network: &args::Network) -> Result<(Report, Vec<Refusal>)> {
    let from = address.parse().with_context(|| format!("`{address}` is no address of an archive"))?;
    let client = mirror::client(network)?;
    #[expect(clippy::disallowed_methods, reason = "what is published may lie in a shared folder for a while")]
    let spool = std::env::temp_dir().join(format!("daylight-verify-{}", std::process::id()));
    std::fs::create_dir(&spool).with_context(|| format!("cannot make {}", spool.display()))?;
    let bar = bar();
    let checked = examine(&client, &from, asked, &spool, &AtomicBool::new(false), &mut |now| draw(&bar, now));
    bar.finish_and_clear();
    std::fs::remove_dir_all(&spool).with_context(|| format!("cannot remove {}", spool.display()))?;
    Ok(checked)
}

/// Verifies, with a bar on a terminal.
fn here(archive: &Path, asked: Asked<'_>) -> Report {
    let bar = bar();
    let report = verify_from(&Folder::new(archive), asked, &mut |now| draw(&bar, now));
    bar.finish_and_clear();
    report
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left · {msg}") {
        bar.set_style(style);
    }
    bar
}

fn draw(bar: &ProgressBar, Progress { bytes, total, problems }: Progress) {
    bar.set_length(total);
    bar.set_position(bytes);
    bar.set_message(count(problems, "problem"));
}

fn in_json(report: &Report, refused: &[Refusal]) -> Result<()> {
    let refused: Vec<_> = refused.iter().map(|one| json!({"path": one.path, "what": one.what, "lie": one.lie})).collect();
    let absent: Vec<_> = report.absent.iter().map(|one| json!({"serial": one.serial, "collection": one.collection})).collect();
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
        "seen": seen_in_json(&report.witnessed, report.shown, now()),
        "releases": report.releases,
        "documents": report.lines,
        "files": report.files,
        "bytes": report.bytes,
        "partial": report.is_partial(),
        "absent": absent,
        "withdrawn": report.withdrawn,
        "erased": report.erased,
        "earlier_withdrawn": report.earlier_withdrawn,
        "erased_lines": report.erased_lines,
        "last_sign_of_life": report.last_sign.map(life::json),
        "problems": problems,
        "refused": refused,
    }))
}

fn in_words(report: &Report, refused: &[Refusal], afar: bool) -> Result<()> {
    if !report.origin.is_empty() {
        say!("archive {}, log size {}, root {}", report.origin, report.size, report.root_version)?;
    }
    let (releases, lines, files) = (count(report.releases, "release"), count(report.lines, "document"), count(report.files, "file"));
    match afar {
        true => say!("{releases}, {lines}, {} hashed; which files were added there cannot be seen from here", HumanBytes(report.bytes))?,
        false => say!("{releases}, {lines}, {files}, {} hashed", HumanBytes(report.bytes))?,
    }
    if report.withdrawn + report.earlier_withdrawn > 0 {
        let (documents, here) = (count(report.withdrawn, "document"), output::thousands(report.withdrawn - report.erased));
        say!("{documents} withdrawn, of which {} erased here and {here} not", output::thousands(report.erased))?;
    }
    if report.earlier_withdrawn > 0 {
        say!("{} of documents that were corrected withdrawn", count(report.earlier_withdrawn, "earlier rendition"))?;
    }
    if let Some(sign) = report.last_sign {
        say!("{}", life::words(sign))?;
    }
    for version in &report.recovered {
        say!("root {version} was made with the recovery keys, not by the editors before it")?;
    }
    if let Some(size) = report.pending {
        say!("a release waits for its last step, or for witnesses (log size {size}): `daylight publish` completes it")?;
    }
    if report.witnessed.met {
        seen_in_words(&report.witnessed, report.shown, now()).iter().try_for_each(|line| say!("{line}"))?;
    }
    for problem in &report.problems {
        say!("{}: {}", problem.path, problem.what)?;
    }
    for refusal in refused {
        say!("the site, asked for {}: {}", refusal.path, refusal.what)?;
    }
    for absent in &report.absent {
        say!("release {} ({}) is not in this copy, only its note", absent.serial, absent.collection)?;
    }
    say!("{}", report.verdict())
}
