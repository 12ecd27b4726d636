//! `root`: who may publish, and how many of them must sign.

use crate::args;
use crate::commands::publish::{collected, signing_key};
use crate::commands::witness::asking;
use crate::output::{self, remark, say};
use anyhow::{Context, Result, bail};
use daylight_archive::Archive;
use daylight_archive::key::Key;
use daylight_archive::note::Note;
use daylight_archive::policy::Policy;
use daylight_archive::root::{Link, Root, Succession};
use daylight_publish::request::{Request, Statement, plain, root_words};
use daylight_publish::roots::{Changes, Enacted, Proposal, begin, change, enact};
use daylight_publish::write_request;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// More than a public key's text has.
const LONGEST_KEY: u64 = 4096;

pub(crate) fn new(args: &args::RootNew) -> Result<ExitCode> {
    let changes = Changes { editors: Some(keys(&args.editor)?), ..changes(&args.says)? };
    let proposal = Proposal { archive: &args.archive, log_key: &args.log_key, changes };
    let request = begin(&proposal, args.origin.as_deref())?;
    proposed(&proposal, &args.signing, request)
}

pub(crate) fn rotate(args: &args::RootRotate) -> Result<ExitCode> {
    next(&args.change)
}

pub(crate) fn recover(args: &args::RootRecover) -> Result<ExitCode> {
    if Archive::open(&args.change.archive)?.root().recovery.keys.is_empty() {
        bail!("{} has no recovery keys; only its editors can change its root, with `daylight root rotate`", args.change.archive.display());
    }
    next(&args.change)
}

fn next(args: &args::RootChange) -> Result<ExitCode> {
    let changes = Changes {
        editors: if args.editor.is_empty() { None } else { Some(keys(&args.editor)?) },
        add: keys(&args.add)?,
        remove: args.remove.clone(),
        remove_mirrors: args.remove_mirror.clone(),
        remove_onions: args.remove_onion.clone(),
        change_log_key: args.change_log_key,
        ..changes(&args.says)?
    };
    let proposal = Proposal { archive: &args.archive, log_key: &args.log_key, changes };
    let request = change(&proposal)?;
    proposed(&proposal, &args.signing, request)
}

fn changes(says: &args::RootSays) -> Result<Changes> {
    let witnesses = says.witnesses.as_deref().map(|file| -> Result<Policy> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the witness policy {}", file.display()))?;
        Policy::parse(&text).with_context(|| file.display().to_string())
    });
    Ok(Changes {
        threshold: says.threshold.map(std::num::NonZeroUsize::get),
        recovery: if says.recovery.is_empty() { None } else { Some(keys(&says.recovery)?) },
        recovery_threshold: says.recovery_threshold.map(std::num::NonZeroUsize::get),
        witnesses: witnesses.transpose()?,
        add_mirrors: says.mirror.clone(),
        add_onions: says.onion.clone(),
        ..Changes::default()
    })
}

fn keys(named: &[String]) -> Result<Vec<Key>> {
    named.iter().map(|named| key(named)).collect()
}

/// A public key by its text, or from a file that holds it.
fn key(named: &str) -> Result<Key> {
    if let Ok(key) = named.parse() {
        return Ok(key);
    }
    let mut text = String::new();
    let file = std::fs::File::open(named).with_context(|| format!("{named} is neither a public key's text nor a file that can be read"))?;
    file.take(LONGEST_KEY).read_to_string(&mut text).with_context(|| format!("cannot read {named}"))?;
    if text.starts_with("PRIVATE+KEY+") || text.starts_with("-----BEGIN AGE") {
        bail!("{named} is the private half of a key, which nobody else may see: give its public half, {named}.pub");
    }
    text.trim_end().parse().with_context(|| format!("{named} holds no public key"))
}

/// Signs with the keys that were given: if they are enough the root comes into force, otherwise the others are asked.
fn proposed(proposal: &Proposal<'_>, signing: &args::RootSigning, request: Request) -> Result<ExitCode> {
    let mut request = request;
    for file in &signing.key {
        let key = signing_key(file, signing.passphrase_file.as_deref())?;
        if let Some(warning) = key.warning() {
            remark(format_args!("{warning}"));
        }
        request.sign(key.signer())?;
    }
    if request.standing()?.complete() {
        return told(&enact(proposal.archive, proposal.log_key, &request, Some(&asking(&signing.asking)?))?, signing.json);
    }
    let Statement::Root(root) = request.statement() else { bail!("a request for a root asks for a root") };
    let file = signing.request.clone().unwrap_or_else(|| PathBuf::from(format!("root-{}.request", root.version)));
    write_request(&file, &mut request)?;
    let words = request.words()?;
    if signing.json {
        let standing = request.standing()?.words();
        output::json(&json!({"enacted": null, "waiting": {"origin": request.origin(), "title": words.title,
            "request": file.display().to_string(), "signatures": standing}}))?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{} waits for signatures", words.title)?;
    for line in request.standing()?.words() {
        say!("  {line}")?;
    }
    let (file, archive, log_key) = (file.display(), proposal.archive.display(), proposal.log_key.display());
    say!("each of them signs a copy of {file}: daylight sign {file} --key FILE")?;
    say!("then: daylight root finish {archive} {file} COPIES... --log-key {log_key}")?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn finish(args: &args::RootFinish) -> Result<ExitCode> {
    told(&enact(&args.archive, &args.log_key, &collected(&args.requests)?, Some(&asking(&args.asking)?))?, args.json)
}

fn told(enacted: &Enacted, json: bool) -> Result<ExitCode> {
    enacted.warnings.iter().for_each(|warning| remark(format_args!("{warning}")));
    if json {
        output::json(&json!({"waiting": null, "enacted": {"origin": enacted.origin, "version": enacted.version, "log_size": enacted.size,
            "root": enacted.root.display().to_string(), "by": by(enacted.succession), "already": enacted.already,
            "log_key_changed": enacted.log_key_changed}}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let already = if enacted.already { " already" } else { "" };
    say!("root {} of {} is in force{already}, {}; log size {}", enacted.version, enacted.origin, by(enacted.succession), enacted.size)?;
    if enacted.log_key_changed {
        say!("the log has a new key, in the old one's place; the old one is kept beside it and signs nothing any more")?;
    }
    say!("readers who keep a copy of {} can check everything that follows", enacted.root.display())?;
    Ok(ExitCode::SUCCESS)
}

fn by(succession: Succession) -> &'static str {
    match succession {
        Succession::First => "signed by its own editors",
        Succession::Editors => "signed by the editors before it and its own",
        Succession::Recovery => "signed by the recovery keys",
    }
}

pub(crate) fn show(args: &args::RootShow) -> Result<ExitCode> {
    let archive = Archive::open(&args.archive)?;
    let links = archive.chain().links();
    if args.json {
        let roots: Vec<Value> = links.iter().map(|link| in_json(&archive, link)).collect::<Result<_>>()?;
        output::json(&json!({"origin": archive.origin(), "log_size": archive.head(), "in_force": archive.root().version, "roots": roots}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (place, link) in links.iter().enumerate() {
        let old = place.checked_sub(1).map(|before| &links[before].root);
        in_words(&archive, link, old)?;
    }
    say!("root {} is in force; log size {}", archive.root().version, archive.head())?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(archive: &Archive, link: &Link, old: Option<&Root>) -> Result<()> {
    let words = root_words(&link.root, old);
    let logged = archive.root_index(link.root.version).map_or("not in the log".to_owned(), |index| format!("log entry {index}"));
    say!("{}: {logged}, {} ({})", words.title, by(link.succession), signers(link)?.join(", "))?;
    let width = words.lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, value) in &words.lines {
        say!("  {label:width$}  {value}")?;
    }
    say!("")
}

/// The names of those who signed a root.
fn signers(link: &Link) -> Result<Vec<String>> {
    let note = Note::parse(&link.sig)?;
    Ok(note.signatures().iter().map(|signature| plain(&signature.name)).collect())
}

fn in_json(archive: &Archive, link: &Link) -> Result<Value> {
    let root: Value = serde_json::from_slice(&link.json)?;
    Ok(json!({"version": link.root.version, "sha256": link.digest.to_string(), "log_index": archive.root_index(link.root.version),
        "by": by(link.succession), "recovered": link.succession == Succession::Recovery, "signed_by": signers(link)?, "root": root}))
}
