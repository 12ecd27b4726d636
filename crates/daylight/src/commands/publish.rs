//! `key new` and `publish`: keys, and what they sign.

use crate::args;
use crate::commands::clear::now;
use crate::commands::witness::{asking, seen_in_json, seen_in_words};
use crate::output::{self, count, remark, say};
use anyhow::{Context, Result, bail};
use daylight_archive::Archive;
use daylight_ingest::open_desk;
use daylight_publish::request::Request;
use daylight_publish::{
    Finish, Job, Outcome, Passphrase, SigningKeyFile, Waiting, finish, public_path, publish as run, read_request, write_request,
};
use indicatif::HumanBytes;
use serde_json::json;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) fn key_new(args: &args::KeyNew) -> Result<ExitCode> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => args.file.file_stem().context("a key needs a file name")?.to_string_lossy().into_owned(),
    };
    let passphrase = match &args.passphrase_file {
        Some(file) => Some(first_line(file)?),
        None if stdin().is_terminal() => asked_twice()?,
        None => None,
    };
    let key = SigningKeyFile::create(&args.file, &name, passphrase.as_ref())?;
    if passphrase.is_none() {
        remark(format_args!(
            "{} is not encrypted: whoever copies it can sign as {name}; --passphrase-file encrypts it",
            args.file.display()
        ));
    }
    if args.json {
        output::json(
            &json!({"file": args.file.display().to_string(), "encrypted": passphrase.is_some(), "public": key.key().to_string()}),
        )?;
    } else {
        say!("made a key in {}", args.file.display())?;
        say!("its public half, for the others, is in {}: {}", public_path(&args.file).display(), key.key())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A new passphrase, typed twice; none if the line is left empty.
pub(crate) fn asked_twice() -> Result<Option<Passphrase>> {
    let first = Passphrase::new(rpassword::prompt_password("passphrase for the new key (empty for none): ")?);
    if first.is_empty() {
        return Ok(None);
    }
    let second = Passphrase::new(rpassword::prompt_password("the same again: ")?);
    if first != second {
        bail!("the two passphrases differ; nothing was made");
    }
    Ok(Some(first))
}

pub(crate) fn first_line(file: &Path) -> Result<Passphrase> {
    let text =
        Passphrase::new(std::fs::read_to_string(file).with_context(|| format!("cannot read the passphrase file {}", file.display()))?);
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("the first line of {} is empty; write the passphrase there", file.display());
    }
    Ok(Passphrase::new(line.to_owned()))
}

pub(crate) fn publish(args: &args::Publish) -> Result<ExitCode> {
    let mut desk = open_desk(&args.desk)?;
    let log_key = args.log_key.clone().unwrap_or_else(|| desk.path().join("log.key"));
    let witnessing = asking(&args.asking)?;
    let Some(collection) = args.collection.as_deref() else {
        let request = collected(&args.finish)?;
        let outcome = finish(
            &mut desk,
            &Finish { request: &request, archive: &args.to, log_key: &log_key, witnessing: Some(&witnessing) },
            &mut |_| {},
        )?;
        return tell(args, &outcome, &format!("what {} asks for", request.words()?.title), None);
    };
    let editors = args.key.iter().map(|file| signing_key(file, args.passphrase_file.as_deref())).collect::<Result<Vec<_>>>()?;
    let job = Job {
        collection,
        title: args.title.as_deref(),
        archive: &args.to,
        editors: &editors,
        threshold: args.threshold.map(std::num::NonZeroUsize::get),
        log_key: &log_key,
        origin: args.origin.as_deref(),
        witnessing: Some(&witnessing),
        now: now(),
    };
    let mut outcome = run(&mut desk, &job, &mut |_| {})?;
    let request = match &mut outcome.waiting {
        None => None,
        Some(waiting) => {
            let file = args.request.clone().unwrap_or_else(|| PathBuf::from(format!("release-{}.request", waiting.serial)));
            write_request(&file, &mut waiting.request)?;
            Some(file)
        }
    };
    tell(args, &outcome, &format!("everything cleared in {collection}"), request.as_deref())
}

/// The request with the signatures of all these copies.
pub(crate) fn collected(files: &[PathBuf]) -> Result<Request> {
    let (first, others) = files.split_first().context("name the signed request")?;
    let mut request = read_request(first)?;
    for file in others {
        request.merge(&read_request(file)?).with_context(|| format!("{} and {}", first.display(), file.display()))?;
    }
    Ok(request)
}

fn tell(args: &args::Publish, outcome: &Outcome, what: &str, request: Option<&Path>) -> Result<ExitCode> {
    for warning in &outcome.warnings {
        remark(format_args!("{warning}"));
    }
    if args.json {
        in_json(outcome, args, request)?;
    } else {
        in_words(outcome, args, what, request)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a key that signs, asking for its passphrase where it has one.
pub(crate) fn signing_key(file: &Path, passphrase_file: Option<&Path>) -> Result<SigningKeyFile> {
    let given = passphrase_file.map(first_line).transpose()?;
    let mut ask = |path: &Path| {
        given.clone().or_else(|| {
            let prompt = format!("passphrase of {}: ", path.display());
            stdin().is_terminal().then(|| rpassword::prompt_password(prompt).ok()).flatten().map(Passphrase::new)
        })
    };
    Ok(SigningKeyFile::read(file, &mut ask)?)
}

fn in_json(outcome: &Outcome, args: &args::Publish, request: Option<&Path>) -> Result<()> {
    let seen = outcome.published.as_ref().map(|_| Archive::open(&args.to)).transpose()?;
    let seen = seen.map(|archive| seen_in_json(archive.witnessed(), archive.head(), now()));
    let withheld: Vec<_> = outcome.withheld.iter().map(|one| json!({"id": one.id, "why": one.why})).collect();
    let published = outcome.published.as_ref().map(|one| {
        json!({"origin": one.origin, "release": one.serial, "documents": one.documents, "bytes": one.bytes, "log_size": one.size,
            "root": one.root.display().to_string(), "resumed": one.resumed})
    });
    let waiting = outcome.waiting.as_ref().map(|one| {
        let standing = one.request.standing().map(|standing| standing.words()).unwrap_or_default();
        json!({"origin": one.request.origin(), "release": one.serial, "documents": one.documents, "bytes": one.bytes,
            "request": request.map(|file| file.display().to_string()), "signatures": standing, "staged": one.staged.display().to_string()})
    });
    output::json(&json!({"published": published, "waiting": waiting, "withheld": withheld, "seen": seen}))
}

fn in_words(outcome: &Outcome, args: &args::Publish, what: &str, request: Option<&Path>) -> Result<()> {
    match (&outcome.published, &outcome.waiting) {
        (Some(one), _) => {
            let resumed = if one.resumed { ", finishing what was interrupted" } else { "" };
            say!("published release {}{resumed}: {}, {} written", one.serial, count(one.documents, "document"), HumanBytes(one.bytes))?;
            say!("archive {} in {}, log size {}", one.origin, args.to.display(), one.size)?;
            let archive = Archive::open(&args.to)?;
            if !archive.witnessed().witnesses.is_empty() {
                seen_in_words(archive.witnessed(), archive.head(), now()).iter().try_for_each(|line| say!("{line}"))?;
            }
            say!("readers who keep a copy of {} can check everything that follows", one.root.display())?;
        }
        (None, None) => say!("nothing new to publish: {what} is in {}", args.to.display())?,
        (None, Some(_)) => {}
    }
    if let Some((waiting, request)) = outcome.waiting.as_ref().zip(request) {
        waits(waiting, args, request)?;
    }
    for one in &outcome.withheld {
        say!("withheld: {}  {}", one.id, one.why)?;
    }
    Ok(())
}

/// What is to be done next with a release that is not signed by enough.
fn waits(waiting: &Waiting, args: &args::Publish, request: &Path) -> Result<()> {
    let (serial, request, desk, archive) = (waiting.serial, request.display(), args.desk.display(), args.to.display());
    say!("release {serial} waits for signatures: {}, {} written", count(waiting.documents, "document"), HumanBytes(waiting.bytes))?;
    for line in waiting.request.standing()?.words() {
        say!("  {line}")?;
    }
    say!("each of them signs a copy of {request}: daylight sign {request} --key FILE")?;
    say!("then: daylight publish {desk} --to {archive} --finish {request} COPIES...")?;
    say!("until then keep {} from where it is public: its files are there, and nobody has signed them", waiting.staged.display())
}
