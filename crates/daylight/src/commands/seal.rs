//! `seal`, `unseal` and `publish-unsealed`: a release that mirrors keep and trustees open.

use crate::args;
use crate::commands::clear::now;
use crate::commands::publish::{collected, signing_key};
use crate::output::{self, count, remark, say};
use anyhow::{Context, Result, bail};
use daylight_archive::Archive;
use daylight_envelope::SealKey;
use daylight_ingest::open_desk;
use daylight_publish::request::{Request, plain};
use daylight_publish::{
    SealTo, Sealed, SigningKeyFile, ToSeal, Unsealed, UnsealedJob, UnsealedOutcome, ask_to_seal, finish_seal, publish_unsealed,
    seal as run, unseal as open, write_request,
};
use daylight_review::Refusal;
use indicatif::HumanBytes;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod words;

pub(crate) fn seal(args: &args::Seal) -> Result<ExitCode> {
    let mut desk = open_desk(&args.desk)?;
    if !args.finish.is_empty() {
        let (to, place) = destination(args)?;
        let request = collected(&args.finish)?;
        let sealed = finish_seal(&mut desk, &args.archive, &request, &to, &mut |_| {})?;
        return hand_out(args, sealed, &place);
    }
    let keys = args.key.iter().map(|file| signing_key(file, args.passphrase_file.as_deref())).collect::<Result<Vec<SigningKeyFile>>>()?;
    keys.iter().filter_map(SigningKeyFile::warning).for_each(|warning| remark(format_args!("{warning}")));
    let collection = args.collection.as_deref().context("name the --collection to seal")?;
    let what = ToSeal { collection, title: args.title.as_deref(), archive: &args.archive, editors: &keys, now: now() };
    let enough = keys.len() >= Archive::open(&args.archive)?.root().editors.threshold;
    if args.request.is_some() || !enough {
        let asked = ask_to_seal(&mut desk, &what, &mut |_| {})?;
        withheld(args.json, &asked.withheld)?;
        let Some((request, staged)) = asked.waiting else { return nothing(args, collection) };
        return ask(args, collection, request, &staged);
    }
    let (to, place) = destination(args)?;
    let outcome = run(&mut desk, &what, &to, &mut |_| {})?;
    withheld(args.json, &outcome.withheld)?;
    match outcome.sealed {
        Some(sealed) => hand_out(args, sealed, &place),
        None => nothing(args, collection),
    }
}

/// Where the sealed file goes, and where the words: checked before anything is done, for a seal whose words went nowhere is worth nothing.
fn destination(args: &args::Seal) -> Result<(SealTo<'_>, words::Place)> {
    let file = args.to.as_deref().context("name the sealed file with --to")?;
    let (threshold, trustees) = args.trustees.context("say among how many --trustees the key is split")?;
    let place = words::Place::of(args.words_dir.as_deref(), file, args.json)?;
    Ok((SealTo { threshold, trustees, file }, place))
}

fn hand_out(args: &args::Seal, sealed: Sealed, place: &words::Place) -> Result<ExitCode> {
    let file = args.to.clone().unwrap_or_default();
    let (threshold, trustees) = (sealed.shares[0].threshold(), sealed.shares.len());
    let written = place.hand_out(&sealed)?;
    let (told, sha256, length, editors) = (sealed.approved.clone(), sealed.sha256, sealed.length, sealed.editors.clone());
    sealed.finish()?;
    if args.json {
        let words: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        output::json(
            &json!({"sealed": {"file": file.display().to_string(), "sha256": sha256.to_string(), "bytes": length, "documents": told.lines,
            "origin": told.origin, "collection": told.collection, "threshold": threshold, "trustees": trustees, "approved_by": editors,
            "words": words}}),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("sealed {} of {} for {}: approved by {}", count(told.lines, "document"), told.collection, told.origin, editors.join(", "))?;
    say!("the file, for every mirror: {}, {}, SHA-256 {sha256}", file.display(), HumanBytes(length))?;
    if let Some(folder) = written.first().and_then(|path| path.parent()) {
        say!("the key is in the words of {trustees} trustees in {}, and nowhere else: any {threshold} of them open it", folder.display())?;
        say!("give each of them one file, print it or have it copied by hand, then erase it here; keep no two of them in one place")?;
    }
    if usize::from(threshold) == trustees {
        say!("if one trustee loses the words, nobody opens it: fewer should be needed than there are")?;
    }
    say!("tell the trustees whom to call when you are gone, and give them docs/operator-lost.md")?;
    Ok(ExitCode::SUCCESS)
}

fn nothing(args: &args::Seal, collection: &str) -> Result<ExitCode> {
    match args.json {
        true => output::json(&json!({"sealed": null}))?,
        false => say!("nothing to seal: everything cleared in {collection} is in {}", args.archive.display())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what is cleared and was left out because of what it contains.
fn withheld(json: bool, withheld: &[Refusal]) -> Result<()> {
    for one in withheld {
        if json { remark(format_args!("not sealed: {}  {}", one.id, one.why)) } else { say!("not sealed: {}  {}", one.id, one.why)? }
    }
    Ok(())
}

fn ask(args: &args::Seal, collection: &str, mut request: Request, staged: &Path) -> Result<ExitCode> {
    let file = args.request.clone().unwrap_or_else(|| PathBuf::from(format!("seal-{collection}.request")));
    write_request(&file, &mut request)?;
    let standing = request.standing()?.words();
    if args.json {
        output::json(&json!({"sealed": null, "waiting": {"request": file.display().to_string(), "signatures": standing,
            "staged": staged.display().to_string()}}))?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{} waits for the editors:", request.words()?.title)?;
    for line in standing {
        say!("  {line}")?;
    }
    let (request, desk, archive) = (file.display(), args.desk.display(), args.archive.display());
    say!("each of them signs a copy of {request}: daylight sign {request} --key FILE")?;
    say!("who wants to see it finds it in {}, on the desk, until it is sealed", staged.display())?;
    say!("then: daylight seal {desk} --archive {archive} --finish {request} COPIES... --to FILE --trustees M-of-N --words-dir DIR")?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn unseal(args: &args::Unseal) -> Result<ExitCode> {
    let (key, wrong) = key(&args.words)?;
    for name in &wrong {
        remark(format_args!("{name} does not fit to the others and was not needed: its words were altered"));
    }
    let unsealed = open(&args.file, &key, &args.to)?;
    drop(key);
    let checked = args.archive.as_deref().map(|archive| approval(&unsealed, archive)).transpose()?;
    let told = unsealed.told();
    if args.json {
        output::json(&json!({"origin": told.origin, "collection": told.collection, "title": told.title, "documents": told.lines,
            "sealed": told.time_text(), "archive": unsealed.archive_dir().display().to_string(), "wrong_words": wrong,
            "approved": checked.as_ref().map(|(version, editors)| json!({"root": version, "editors": editors}))}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let documents = count(told.lines, "document");
    say!("opened: {documents} of {}, {}, sealed for {} on {}", told.collection, plain(&told.title), plain(&told.origin), told.time_text())?;
    match &checked {
        Some((version, editors)) => say!("approved by {}, editors of root {version}", editors.join(", "))?,
        None => say!("who approved it was not checked: --archive with a copy of that archive does")?,
    }
    say!("every byte was checked. To read it: daylight serve {}", unsealed.archive_dir().display())?;
    say!("to publish it: daylight publish-unsealed {} --to ARCHIVE --log-key FILE --key FILE", args.to.display())?;
    Ok(ExitCode::SUCCESS)
}

/// The version of the root whose editors approved it, and their names.
fn approval(unsealed: &Unsealed, archive: &Path) -> Result<(u64, Vec<String>)> {
    let archive = Archive::open(archive)?;
    let approved = unsealed.approved(&archive)?;
    Ok((approved.root_version(), approved.editors().to_vec()))
}

/// The key that trustees' words give, and whose words were not needed and are wrong.
fn key(files: &[PathBuf]) -> Result<(SealKey, Vec<String>)> {
    let (names, shares) = if files.is_empty() { words::asked()? } else { words::read(files)? };
    let (key, wrong) = SealKey::from_shares(&shares).map_err(|error| words::named(&error, &names))?;
    Ok((key, wrong.into_iter().map(|place| names[place].clone()).collect()))
}

pub(crate) fn publish(args: &args::PublishUnsealed) -> Result<ExitCode> {
    let request = if args.finish.is_empty() { None } else { Some(collected(&args.finish)?) };
    let keys = args.key.iter().map(|file| signing_key(file, args.passphrase_file.as_deref())).collect::<Result<Vec<SigningKeyFile>>>()?;
    let job = UnsealedJob {
        unsealed: &args.unsealed,
        archive: &args.to,
        editors: &keys,
        request: request.as_ref(),
        log_key: &args.log_key,
        now: now(),
    };
    let mut outcome = publish_unsealed(&job, &mut |_| {})?;
    outcome.warnings.iter().for_each(|warning| remark(format_args!("{warning}")));
    let written = match &mut outcome.waiting {
        None => None,
        Some(waiting) => {
            let file = args.request.clone().unwrap_or_else(|| PathBuf::from(format!("release-{}.request", waiting.serial)));
            write_request(&file, &mut waiting.request)?;
            Some(file)
        }
    };
    if args.json {
        in_json(&outcome, written.as_deref())?
    } else {
        in_words(args, &outcome, written.as_deref())?
    }
    Ok(ExitCode::SUCCESS)
}

fn in_json(outcome: &UnsealedOutcome, request: Option<&Path>) -> Result<()> {
    let published = outcome.published.as_ref().map(|one| {
        json!({"origin": one.origin, "release": one.serial, "documents": one.documents, "bytes": one.bytes, "log_size": one.size,
            "root": one.root.display().to_string()})
    });
    let waiting = outcome.waiting.as_ref().zip(request).map(|(one, request)| {
        let standing = one.request.standing().map(|standing| standing.words()).unwrap_or_default();
        json!({"release": one.serial, "documents": one.documents, "request": request.display().to_string(), "signatures": standing,
            "staged": one.staged.display().to_string()})
    });
    let skipped: Vec<_> = outcome.skipped.iter().map(|one| json!({"number": one.number, "why": one.why})).collect();
    output::json(&json!({"published": published, "waiting": waiting, "left_out": skipped,
        "approved": {"root": outcome.root_version, "editors": outcome.approved_by}}))
}

/// So many documents that were left out are listed.
const LISTED: usize = 20;

fn in_words(args: &args::PublishUnsealed, outcome: &UnsealedOutcome, request: Option<&Path>) -> Result<()> {
    say!("what was sealed was approved by {}, editors of root {}", outcome.approved_by.join(", "), outcome.root_version)?;
    for one in outcome.skipped.iter().take(LISTED) {
        say!("left out: number {}: {}", one.number, one.why)?;
    }
    if outcome.skipped.len() > LISTED {
        say!("left out: {} more", outcome.skipped.len() - LISTED)?;
    }
    match (&outcome.published, outcome.waiting.as_ref().zip(request)) {
        (Some(one), _) => {
            say!("published release {}: {}, {} written", one.serial, count(one.documents, "document"), HumanBytes(one.bytes))?;
            say!("archive {} in {}, log size {}", one.origin, args.to.display(), one.size)?;
        }
        (None, Some((waiting, request))) => {
            let (request, unsealed, archive) = (request.display(), args.unsealed.display(), args.to.display());
            say!("release {} waits for signatures: {}", waiting.serial, count(waiting.documents, "document"))?;
            for line in waiting.request.standing()?.words() {
                say!("  {line}")?;
            }
            say!("each of them signs a copy of {request}: daylight sign {request} --key FILE")?;
            let log_key = args.log_key.display();
            say!("then: daylight publish-unsealed {unsealed} --to {archive} --log-key {log_key} --finish {request} COPIES...")?;
            say!("until then keep {} from where it is public: its files are there, and nobody has signed them", waiting.staged.display())?;
        }
        (None, None) => say!("nothing new to publish: all of it is in {}", args.to.display())?,
    }
    if outcome.published.is_none() && outcome.waiting.is_none() && outcome.skipped.is_empty() {
        bail!("the sealed release has no document");
    }
    Ok(())
}
