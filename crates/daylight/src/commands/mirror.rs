//! `mirror` and `evidence`: copies of an archive, and what they found.

use crate::args;
use crate::commands::publish::signing_key;
use crate::commands::search::plain;
use crate::output::{self, count, remark, say, thousands};
use crate::place;
use crate::progress::Drawing;
use crate::when;
use anyhow::{Context, Result};
use daylight_archive::evidence::{Evidence, EvidenceError, MAX_EVIDENCE};
use daylight_archive::log::Tree;
use daylight_archive::{Archive, paths};
use daylight_mirror::home::beside;
use daylight_mirror::http::{Client, Config};
use daylight_mirror::meter::Meter;
use daylight_mirror::report::Report;
use daylight_mirror::signal::stop_on_signal;
use daylight_mirror::state::Trust;
use daylight_mirror::update::{Job, update};
use daylight_mirror::witness::{Cosigned, State};
use daylight_publish::SigningKeyFile;
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often one looks whether one is to stop.
const LOOK: Duration = Duration::from_millis(100);
/// So many refusals are listed.
const LISTED: usize = 20;

pub(crate) fn mirror(args: &args::Mirror) -> Result<ExitCode> {
    let root = args.root.as_deref().map(read_root).transpose()?;
    let client = client(&args.network)?;
    let cosigner = args.witness.as_deref().map(|key| signing_key(key, args.passphrase_file.as_deref())).transpose()?;
    let stop = stop_on_signal().context("cannot wait for signals")?;
    loop {
        let report = once(args, &client, root.as_deref(), &stop)?;
        let cosigned = match &cosigner {
            Some(key) if report.ok() && report.evidence.is_empty() => Some(cosign(args, key)?),
            _ => None,
        };
        if args.json {
            in_json(&report, cosigned.as_ref())?
        } else {
            in_words(args, &report)?;
            if let Some(cosigned) = &cosigned {
                say!("cosigned log size {} as {}", cosigned.checkpoint.size, plain(&cosigned.signature.name))?;
            }
        }
        let Some(every) = args.every else {
            let well = report.ok() && report.evidence.is_empty();
            return Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        };
        if !wait(every, &stop) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Cosigns what the copy holds, after all of it was checked from the pinned root on. What was cosigned before and is not continued is refused, and kept.
fn cosign(args: &args::Mirror, key: &SigningKeyFile) -> Result<Cosigned> {
    let archive = Archive::open(&args.to)?;
    let state = match &args.witness_state {
        Some(folder) => folder.clone(),
        // Beside what the mirror itself needs.
        None => beside(&args.to).context("the copy needs a name")?.with_extension("witness"),
    };
    let state = State::open_or_create(&state)?;
    state.pin_root(&args.to.join(paths::root_json(archive.root().version)), false)?;
    let (files, now) = (args.to.clone(), SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()));
    let prove = |size| Tree::new(&files, "", archive.head()).consistency(size).ok();
    state.cosign_seen(archive.checkpoint_note(), key.signer(), now, &prove).context("the witness does not cosign what was copied")
}

/// Whom to ask through what, and how fast.
pub(crate) fn client(network: &args::Network) -> Result<Client> {
    let authorities = place::authorities(place::authorities_file().as_deref())?;
    let connections = usize::from(network.connections);
    let config = Config { proxy: network.socks.clone(), rate: network.rate, connections, authorities, ..Config::default() };
    Client::new(config).context("cannot make connections")
}

pub(crate) fn read_root(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read the root {}", path.display()))
}

fn once(args: &args::Mirror, client: &Client, root: Option<&[u8]>, stop: &AtomicBool) -> Result<Report> {
    let meter = Arc::new(Meter::default());
    let shown = Arc::clone(&meter);
    let drawing = Drawing::watch(move || {
        let now = shown.now();
        (now.done, now.total, now.step.to_owned())
    });
    let only = match (args.all, args.only.is_empty()) {
        (true, _) => Some(&[][..]),
        (false, false) => Some(args.only.as_slice()),
        (false, true) => None,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let report = update(client, Job { from: &args.from, to: &args.to, root, only, repair: args.repair, now, stop, meter: &meter });
    drawing.finish();
    Ok(report?)
}

/// Waits, and says whether to go on.
fn wait(every: Duration, stop: &AtomicBool) -> bool {
    let until = Instant::now() + every;
    while !stop.load(Relaxed) {
        match until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            Some(left) => std::thread::sleep(left.min(LOOK)),
            None => return true,
        }
    }
    false
}

fn in_json(report: &Report, cosigned: Option<&Cosigned>) -> Result<()> {
    let pinned = report.pinned.map(|pinned| {
        let trust = if pinned.trust == Trust::Given { "given" } else { "first-use" };
        json!({"version": pinned.version, "sha256": pinned.sha256.to_string(), "trust": trust, "since": when::moment(pinned.since)})
    });
    let served: Vec<Value> = report
        .served
        .iter()
        .map(|(site, served)| json!({"site": site.to_string(), "files": served.answers, "bytes": served.bytes}))
        .collect();
    let refused: Vec<Value> = report
        .refused
        .iter()
        .map(|one| json!({"site": one.site.to_string(), "path": one.path, "what": one.what, "lie": one.lie, "missing": one.missing}))
        .collect();
    output::json(&json!({
        "ok": report.ok(),
        "failure": report.failure,
        "stopped": report.stopped,
        "origin": report.origin,
        "size_before": report.sizes.0,
        "size": report.sizes.1,
        "pinned": pinned,
        "first_use": report.first_use,
        "only": report.only,
        "new_releases": report.releases,
        "new_documents": report.documents,
        "absent_releases": report.absent,
        "withdrawals": report.withdrawals,
        "erased": report.erased,
        "newest": report.newest.and_then(|time| u64::try_from(time).ok()).map(when::moment),
        "requests": report.requests,
        "received": report.received,
        "served": served,
        "refused": refused,
        "cosigned": cosigned.map(|one| json!({"witness": one.signature.name, "size": one.checkpoint.size})),
        "damaged": report.damaged.iter().map(|one| json!({"path": one.path, "what": one.what})).collect::<Vec<_>>(),
        "evidence": report.evidence.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
    }))
}

fn in_words(args: &args::Mirror, report: &Report) -> Result<()> {
    if let Some(pinned) = report.pinned.filter(|_| report.first_use) {
        say!(
            "trusted because it was the first that was seen: root {} of {}, SHA-256 {}",
            pinned.version,
            plain(&report.origin),
            pinned.sha256
        )?;
        say!("compare that with what the publisher says elsewhere; from now on only what follows from it is accepted")?;
    }
    let now = if report.ok() { "repaired" } else { "not repaired" };
    for problem in &report.damaged {
        say!("{now}: {}: {}", plain(&problem.path), plain(&problem.what))?;
    }
    for refusal in report.refused.iter().filter(|refusal| !refusal.missing).take(LISTED) {
        say!("{} {}", if refusal.lie { "refused:" } else { "not got:" }, plain(&refusal.to_string()))?;
    }
    for evidence in &report.evidence {
        say!("the log of {} contradicts itself; who doubts it runs: daylight evidence {}", plain(&report.origin), evidence.display())?;
    }
    for (site, served) in report.served.iter().filter(|(_, served)| served.bytes > 0) {
        say!("{site} gave {}, {}", count(served.answers, "file"), HumanBytes(served.bytes))?;
    }
    if !report.origin.is_empty() {
        let grown = if report.sizes.0 == report.sizes.1 { String::new() } else { format!("{} before, ", thousands(report.sizes.0)) };
        say!("archive {}, log size {grown}{} now", plain(&report.origin), thousands(report.sizes.1))?;
    }
    if let Some(newest) = report.newest.and_then(|time| u64::try_from(time).ok()) {
        say!("the newest release was drafted at {}", when::moment(newest))?;
    }
    if report.absent > 0 {
        say!("partial copy of {}: {} not in it, only their notes", plain(&report.origin), count(report.absent, "release"))?;
    }
    if report.withdrawals > 0 {
        say!("{} in the log, {} erased here now", count(report.withdrawals, "withdrawal"), count(report.erased, "line"))?;
    }
    let (releases, documents) = (count(report.releases.len() as u64, "new release"), count(report.documents, "document"));
    say!("{releases}, {documents}, {} received in {}", HumanBytes(report.received), count(report.requests, "request"))?;
    match &report.failure {
        Some(failure) => remark(format_args!("not done: {}; the copy is as it was", plain(failure))),
        None => say!("{} is up to date with what was signed", args.to.display())?,
    }
    Ok(())
}

pub(crate) fn evidence(args: &args::Evidence) -> Result<ExitCode> {
    let length = std::fs::metadata(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?.len();
    anyhow::ensure!(length <= MAX_EVIDENCE, "{} is longer than any evidence", args.file.display());
    let bytes = std::fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let root = args.root.as_deref().map(read_root).transpose()?;
    let checked = Evidence::parse(&bytes).and_then(|evidence| evidence.check(root.as_deref()));
    let shown = match checked {
        Ok(shown) => shown,
        Err(error) => return shows_nothing(args, &error),
    };
    let publisher = if shown.anchored { "signed by the log of the publisher whose root was given" } else { "publisher not checked" };
    if args.json {
        output::json(&json!({
            "evidence": true,
            "origin": shown.origin,
            "anchored": shown.anchored,
            "size": shown.size,
            "one": shown.one.to_string(),
            "other": shown.other.to_string(),
            "keys": [shown.keys.0.to_string(), shown.keys.1.to_string()],
        }))?;
    } else {
        say!("the log {} signed two states that cannot both be true ({publisher})", plain(&shown.origin))?;
        say!("at {} its root is, by the one:   {}", count(shown.size, "entry"), shown.one)?;
        say!("and by the other:             {}", shown.other)?;
        say!("signed with {}", shown.keys.0)?;
        if shown.keys.0 != shown.keys.1 {
            say!("and with {}", shown.keys.1)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shows_nothing(args: &args::Evidence, error: &EvidenceError) -> Result<ExitCode> {
    if args.json {
        output::json(&json!({"evidence": false, "why": error.to_string()}))?;
    } else {
        say!("shows nothing: {}", plain(&error.to_string()))?;
    }
    Ok(ExitCode::FAILURE)
}
