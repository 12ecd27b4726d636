//! `key new` and `publish`: keys, and what they sign.

use crate::args;
use crate::commands::clear::now;
use crate::output::{self, count, remark, say};
use anyhow::{Context, Result, bail};
use daylight_ingest::open_desk;
use daylight_publish::{Job, Outcome, Passphrase, SigningKeyFile, public_path, publish as run};
use indicatif::HumanBytes;
use serde_json::json;
use std::io::{IsTerminal, stdin};
use std::path::Path;
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
fn asked_twice() -> Result<Option<Passphrase>> {
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

fn first_line(file: &Path) -> Result<Passphrase> {
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
    let editors = args.key.iter().map(|file| signing_key(file, args.passphrase_file.as_deref())).collect::<Result<Vec<_>>>()?;
    let log_key = args.log_key.clone().unwrap_or_else(|| desk.path().join("log.key"));
    let job = Job {
        collection: &args.collection,
        title: args.title.as_deref(),
        archive: &args.to,
        editors: &editors,
        threshold: args.threshold.map(std::num::NonZeroUsize::get),
        log_key: &log_key,
        origin: args.origin.as_deref(),
        now: now(),
    };
    let outcome = run(&mut desk, &job, &mut |_| {})?;
    for warning in &outcome.warnings {
        remark(format_args!("{warning}"));
    }
    if args.json {
        in_json(&outcome)?
    } else {
        in_words(&outcome, args)?
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads an editor's key, asking for its passphrase where it has one.
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

/// The request with the signatures of all these copies.
pub(crate) fn collected(files: &[std::path::PathBuf]) -> Result<daylight_publish::request::Request> {
    let (first, others) = files.split_first().context("name the signed request")?;
    let mut request = daylight_publish::read_request(first)?;
    for file in others {
        request.merge(&daylight_publish::read_request(file)?).with_context(|| format!("{} and {}", first.display(), file.display()))?;
    }
    Ok(request)
}

fn in_json(outcome: &Outcome) -> Result<()> {
    let withheld: Vec<_> = outcome.withheld.iter().map(|one| json!({"id": one.id, "why": one.why})).collect();
    let published = outcome.published.as_ref().map(|one| {
        json!({"origin": one.origin, "release": one.serial, "documents": one.documents, "bytes": one.bytes, "log_size": one.size,
            "root": one.root.display().to_string(), "resumed": one.resumed})
    });
    output::json(&json!({"published": published, "withheld": withheld}))
}

fn in_words(outcome: &Outcome, args: &args::Publish) -> Result<()> {
    match &outcome.published {
        None => say!("nothing new to publish: everything cleared in {} is in {}", args.collection, args.to.display())?,
        Some(one) => {
            let resumed = if one.resumed { ", finishing what was interrupted" } else { "" };
            say!("published release {}{resumed}: {}, {} written", one.serial, count(one.documents, "document"), HumanBytes(one.bytes))?;
            say!("archive {} in {}, log size {}", one.origin, args.to.display(), one.size)?;
            say!("readers who keep a copy of {} can check everything that follows", one.root.display())?;
        }
    }
    for one in &outcome.withheld {
        say!("withheld: {}  {}", one.id, one.why)?;
    }
    Ok(())
}
