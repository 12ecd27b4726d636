//! `sign`: what a request asks to sign, shown and signed.

use crate::args;
use crate::commands::publish::signing_key;
use crate::output::{self, count, remark, say};
use anyhow::{Context, Result, bail};
use daylight_archive::Line;
use daylight_publish::request::{Kind, Request, Words, plain};
use daylight_publish::staged::{Review, review};
use daylight_publish::{read_request, write_request};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::io::{IsTerminal, stdin};
use std::path::Path;
use std::process::ExitCode;

/// So many documents of a staged release are listed.
const LISTED: u64 = 20;

pub(crate) fn sign(args: &args::Sign) -> Result<ExitCode> {
    let mut request = read_request(&args.request)?;
    if let Some(root) = &args.root {
        let pinned = std::fs::read(root).with_context(|| format!("cannot read the root {}", root.display()))?;
        request.require_anchor(&pinned)?;
    }
    let words = words(args, &request)?;
    if !args.json {
        show(&words)?;
    }
    let reviewed = args.archive.as_deref().map(|archive| reviewed(args, &request, archive)).transpose()?;
    if let Some(problem) = reviewed.as_ref().and_then(|review| review.problems.first()) {
        bail!("what is in {} is not what is to be signed: {problem}; nothing was signed", shown(args.archive.as_deref()));
    }
    let signed = match &args.key {
        None => None,
        Some(key) => Some(signed(args, key, &mut request)?),
    };
    if args.json {
        output::json(&in_json(args, &request, &words, reviewed.as_ref(), signed)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is signed, and what of it cannot be checked with what was given.
fn words(args: &args::Sign, request: &Request) -> Result<Words> {
    let mut words = request.words()?;
    if args.archive.is_some() && request.kind() == Kind::Release {
        words.unchecked.clear();
    }
    if args.root.is_none() && request.chain().is_some() {
        words.unchecked.push("that this is the publisher whom you know: --root FILE with a root that you trust".into());
    }
    Ok(words)
}

fn show(words: &Words) -> Result<()> {
    say!("{}", words.title)?;
    let width = words.lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, value) in &words.lines {
        say!("  {label:width$}  {value}")?;
    }
    for line in &words.unchecked {
        say!("not checked: {line}")?;
    }
    Ok(())
}

/// Compares the request with the archive's folder, listing what is staged there.
fn reviewed(args: &args::Sign, request: &Request, archive: &Path) -> Result<Review> {
    let (mut listed, mut broken) = (0u64, None);
    let mut each = |line: &Line, replaces: bool| {
        if !args.json && (args.list || listed < LISTED) {
            // A closed output is told at the end.
            broken = broken.take().or(document(line, replaces, args.list).err());
        }
        listed += 1;
    };
    let review = review(request, archive, &mut each)?;
    if let Some(error) = broken {
        return Err(error);
    }
    if args.json || !review.problems.is_empty() {
        return Ok(review);
    }
    if listed > LISTED && !args.list {
        say!("  and {} more: --list shows all", listed - LISTED)?;
    }
    if request.kind() == Kind::Release {
        let documents = count(review.new + review.replacing, "document");
        say!("checked in {}: every byte of {documents}, {}", archive.display(), HumanBytes(review.bytes))?;
        say!("  {} new, {} replacing an earlier one", review.new, review.replacing)?;
    } else {
        say!("checked in {}: the root in force there is the one that the request names", archive.display())?;
    }
    Ok(review)
}

fn document(line: &Line, replaces: bool, whole: bool) -> Result<()> {
    let record = &line.record;
    let how = if replaces { "replaces an earlier one" } else { "new" };
    say!("  {:>6}  {}  {}  ({how})", record.number, record.kind.word(), plain(&record.title))?;
    for file in record.files.iter().filter(|_| whole) {
        say!("          {}  {}  {}", file.sha256, plain(&file.media_type), HumanBytes(file.length))?;
    }
    Ok(())
}

/// Signs, after it was confirmed, and writes the request. Gives whether there was anything to sign.
fn signed(args: &args::Sign, key: &Path, request: &mut Request) -> Result<bool> {
    let key = signing_key(key, args.passphrase_file.as_deref())?;
    if let Some(warning) = key.warning() {
        remark(format_args!("{warning}"));
    }
    let (name, title) = (plain(key.key().name()), request.words()?.title);
    let mut again = request.clone();
    // Whether the key counts is said before anybody is asked to confirm.
    let adds = again.sign(key.signer())?;
    if adds && !args.yes {
        confirm(&title, &name)?;
    }
    *request = again;
    let out = args.out.as_ref().unwrap_or(&args.request);
    write_request(out, request)?;
    if !args.json {
        let done = if adds { "signed" } else { "had signed before, so nothing was added:" };
        say!("{name} {done} {title}")?;
        next(request, out)?;
    }
    Ok(adds)
}

fn confirm(title: &str, name: &str) -> Result<()> {
    if !stdin().is_terminal() {
        bail!("nothing was signed: there is no terminal to ask you on; --yes says that you have read what is signed");
    }
    remark(format_args!("type `sign` to sign {title} as {name}:"));
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    if line.trim() == "sign" { Ok(()) } else { bail!("nothing was signed") }
}

/// Who has signed by now, and what is to be done with the file.
fn next(request: &Request, out: &Path) -> Result<()> {
    let standing = request.standing()?;
    for line in standing.words() {
        say!("  {line}")?;
    }
    let enough = if standing.complete() { "enough have signed" } else { "others have to sign" };
    say!("{enough}; give {} to whoever asked for it", out.display())
}

fn shown(path: Option<&Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

fn in_json(args: &args::Sign, request: &Request, words: &Words, reviewed: Option<&Review>, signed: Option<bool>) -> Result<Value> {
    let standing = request.standing()?;
    let lines: Vec<_> = words.lines.iter().map(|(label, value)| json!({"label": label, "value": value})).collect();
    let reviewed = reviewed.map(|one| json!({"new": one.new, "replacing": one.replacing, "bytes": one.bytes, "log_size": one.log_size}));
    let out = signed.map(|_| args.out.as_ref().unwrap_or(&args.request).display().to_string());
    Ok(
        json!({"type": request.kind().word(), "title": words.title, "origin": request.origin(), "lines": lines, "not_checked": words.unchecked,
        "text": request.text(), "archive": reviewed, "signed": signed, "signatures": standing.words(), "complete": standing.complete(), "request": out}),
    )
}
